-- +++
-- name = "cost-per-segment"
-- title = "What serving customers costs by segment, region or office"
-- description = """
-- The accounts of cost-per-customer added up, with a total over all. Shares and margins are ratios of sums over the \
-- accounts whose cost is known in every function; how many those are, and what the others bring, stands beside them. \
-- The total says, too, how much of what offices spend these touches carry: the rest is spent on prospects and the \
-- public. What needs a month of touches, revenue or cost that is not loaded is withheld, and the note says so, and how \
-- many accounts are left out."""
-- tags = ["finance", "customers", "monthly"]
-- grain = ["part"]
-- uses = ["customer-margins", "cost-months"]
--
-- [params.by]
-- type = "text"
-- default = "region and segment"
-- values = ["segment", "region", "region and segment", "office", "industry", "tier"]
--
-- [columns]
-- part = { title = "Part" }
-- accounts = { title = "Accounts", format = "#,##0" }
-- known_accounts = { title = "Known", format = "#,##0", description = "accounts whose cost is known in every function; the columns to the right are theirs" }
-- revenue = { title = "Revenue", format = "#,##0", unit = "USD", missing = "note" }
-- margin = { title = "Margin", format = "#,##0", unit = "USD", good = "up", missing = "note", description = "revenue less direct cost" }
-- cost_to_serve = { title = "Cost to serve", format = "#,##0", unit = "USD", good = "down", missing = "note" }
-- cost_share = { title = "Share of revenue", format = "0.0%", good = "down", missing = "note" }
-- margin_after = { title = "Margin after", format = "#,##0", unit = "USD", good = "up", missing = "note", description = "margin less cost to serve" }
-- margin_after_share = { title = "After, share", format = "0.0%", good = "up", bands = [0, 0.2], missing = "note", description = "margin after by revenue" }
-- at_a_loss = { title = "At a loss", format = "#,##0", good = "down", missing = "note", description = "accounts with nothing left after cost to serve" }
-- unknown_revenue = { title = "Unknown revenue", format = "#,##0", unit = "USD", description = "of the accounts that are left out of the columns before, as their cost is not known" }
-- spend_carried = { title = "Spend carried", format = "0.0%", description = "cost of the touches of all accounts by the cost of all touches, over the months of offices in which both cost and touches are known; only of the total" }
-- note = { title = "Note", description = "what is not loaded in full, and accounts that are left out" }
--
-- [[chart]]
-- type = "bar"
-- title = "Margin after cost to serve, as a share of revenue"
-- x = "margin_after_share"
-- y = "part"
-- total = "All"
-- +++
with booked as (
    select count(distinct period) as months
    from cost_per_touch
    where period >= cast($period as date) - cast(concat($months - 1, ' months') as interval)
      and period <= $period
),
logged as (
    select office_id, function, period, sum(touches) as touches
    from touches
    where period >= cast($period as date) - cast(concat($months - 1, ' months') as interval)
      and period <= $period
    group by office_id, function, period
),
-- By the months that are in the ratio of cost-cells: touches of a month whose cost did not come carry none of what did.
carried as (
    select
        m.office_id,
        m.function,
        sum(m.known_cost) as cost,
        sum(l.touches) * cost_per_touch(sum(m.known_cost), sum(m.known_touches)) as carried_cost
    from "cost-months" m
    left join logged l on l.office_id = m.office_id and l.function = m.function and l.period = m.period
    where m.status in ('reported', 'partial')
      and m.known_touches > 0
    group by m.office_id, m.function
),
spent as (
    select sum(carried_cost) / nullif(cast(sum(cost) as double), 0) as share_carried
    from carried
),
customers as (
    select
        case $by
            when 'segment' then a.segment
            when 'region' then o.region
            when 'office' then o.office
            when 'industry' then a.industry
            when 'tier' then a.tier
            else concat(o.region, ', ', a.segment)
        end as part,
        m.revenue,
        m.margin,
        m.known_cost,
        m.is_known,
        m.touches_loaded,
        m.not_loaded
    from "customer-margins" m
    join accounts a on a.account_id = m.account_id
    join offices o on o.office_id = a.office_id
),
added_up as (
    select
        case when grouping(part) = 1 then 'All' else part end as part,
        grouping(part) = 1 as is_total,
        count(*) as accounts,
        count(*) filter (where is_known) as known_accounts,
        sum(revenue) filter (where is_known) as revenue,
        sum(margin) filter (where is_known) as margin,
        sum(known_cost) filter (where is_known) as cost_to_serve,
        sum(margin - known_cost) filter (where is_known) as margin_after,
        -- None where none is known: that is not 0.
        sum(case when margin < known_cost then 1 when margin is not null then 0 end) filter (where is_known)
            as at_a_loss,
        sum(revenue) filter (where not is_known) as unknown_revenue,
        bool_and(touches_loaded) as touches_loaded,
        max(not_loaded) as not_loaded
    from customers
    group by grouping sets ((), (part))
)
select
    a.part,
    a.accounts,
    a.known_accounts,
    a.revenue,
    a.margin,
    a.cost_to_serve,
    cast(a.cost_to_serve as double) / nullif(cast(a.revenue as double), 0) as cost_share,
    a.margin_after,
    cast(a.margin_after as double) / nullif(cast(a.revenue as double), 0) as margin_after_share,
    a.at_a_loss,
    a.unknown_revenue,
    case when a.is_total and a.touches_loaded and b.months = $months then s.share_carried end as spend_carried,
    nullif(
        concat_ws(
            ', ',
            -- A month that is not loaded is no month without cost.
            case when b.months < $months then concat('cost: ', b.months, ' of ', $months, ' months loaded') end,
            a.not_loaded,
            -- Where touches are not loaded, no account's cost is known, and that is said.
            case
                when a.touches_loaded and a.known_accounts < a.accounts
                    then concat(a.accounts - a.known_accounts, ' of ', a.accounts, ' accounts left out: cost not known')
            end
        ),
        ''
    ) as note
from added_up a
cross join booked b
cross join spent s
order by a.is_total desc, margin_after_share, a.part
