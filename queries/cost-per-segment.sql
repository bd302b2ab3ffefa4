-- +++
-- name = "cost-per-segment"
-- title = "What serving customers costs by segment, region or office"
-- description = """
-- The accounts of cost-per-customer added up, with a total over all. Shares and margins are ratios of sums over the \
-- accounts whose cost is known in every function; how many those are, and what the others bring, stands beside them. \
-- The total says, too, how much of what offices spend these touches carry: the rest is spent on prospects and the \
-- public. What needs a month of touches, revenue or cost that is not loaded is withheld, and the note says so."""
-- tags = ["finance", "customers", "monthly"]
-- grain = ["part"]
-- uses = ["cost-to-serve"]
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
-- revenue = { title = "Revenue", format = "#,##0", missing = "note" }
-- margin = { title = "Margin", format = "#,##0", good = "up", missing = "note", description = "revenue less direct cost" }
-- cost_to_serve = { title = "Cost to serve", format = "#,##0", good = "down", missing = "note" }
-- cost_share = { title = "Share of revenue", format = "0.0%", good = "down", missing = "note" }
-- margin_after = { title = "Margin after", format = "#,##0", good = "up", missing = "note", description = "margin less cost to serve" }
-- margin_after_share = { title = "After, share", format = "0.0%", good = "up", bands = [0, 0.2], missing = "note", description = "margin after by revenue" }
-- at_a_loss = { title = "At a loss", format = "#,##0", good = "down", missing = "note", description = "accounts with nothing left after cost to serve" }
-- unknown_revenue = { title = "Unknown revenue", format = "#,##0", description = "of the accounts that are left out of the columns before, as their cost is not known" }
-- spend_carried = { title = "Spend carried", format = "0.0%", description = "known cost to serve of all accounts by all that offices spent; only of the total" }
-- note = { title = "Note", description = "what is not loaded in full" }
--
-- [[chart]]
-- type = "bar"
-- title = "Margin after cost to serve, as a share of revenue"
-- x = "margin_after_share"
-- y = "part"
-- total = "All"
-- +++
with brought as (
    select
        account_id,
        sum(recurring_revenue + services_revenue) as revenue,
        sum(contribution_margin(recurring_revenue, services_revenue, direct_cost)) as margin
    from account_revenue
    where period >= cast($period as date) - cast(concat($months - 1, ' months') as interval)
      and period <= $period
    group by account_id
),
-- A month that is not loaded is no month without touches, revenue or cost.
loaded as (
    select 'touches' as what, count(distinct period) as months
    from touches
    where period >= cast($period as date) - cast(concat($months - 1, ' months') as interval)
      and period <= $period
    union all
    select 'revenue', count(distinct period)
    from account_revenue
    where period >= cast($period as date) - cast(concat($months - 1, ' months') as interval)
      and period <= $period
    union all
    select 'cost', count(distinct period)
    from cost_per_touch
    where period >= cast($period as date) - cast(concat($months - 1, ' months') as interval)
      and period <= $period
),
gaps as (
    select
        bool_and(months = $months) filter (where what = 'touches') as touches_loaded,
        bool_and(months = $months) filter (where what = 'revenue') as revenue_loaded,
        bool_and(months = $months) filter (where what = 'cost') as cost_loaded,
        string_agg(concat(what, ': ', months, ' of ', $months, ' months loaded'), ', ' order by what)
            filter (where months < $months) as note
    from loaded
),
spent as (
    select sum(cost) as cost
    from cost_per_touch
    where period >= cast($period as date) - cast(concat($months - 1, ' months') as interval)
      and period <= $period
),
served as (
    select account_id, sum(known_cost) as known_cost, bool_and(cost is not null) as is_known
    from "cost-to-serve"
    group by account_id
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
        -- With all months loaded, an account without a row brought 0.
        case when g.revenue_loaded then coalesce(b.revenue, 0) end as revenue,
        case when g.revenue_loaded then coalesce(b.margin, 0) end as margin,
        s.known_cost,
        s.is_known
    from served s
    cross join gaps g
    join accounts a on a.account_id = s.account_id
    join offices o on o.office_id = a.office_id
    left join brought b on b.account_id = s.account_id
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
        count(*) filter (where is_known and margin < known_cost) as at_a_loss,
        sum(revenue) filter (where not is_known) as unknown_revenue,
        sum(known_cost) as known_cost
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
    case when g.touches_loaded and g.revenue_loaded then a.at_a_loss end as at_a_loss,
    a.unknown_revenue,
    case
        when a.is_total and g.touches_loaded and g.cost_loaded
            then cast(a.known_cost as double) / nullif(cast(s.cost as double), 0)
    end as spend_carried,
    g.note
from added_up a
cross join spent s
cross join gaps g
order by a.is_total desc, margin_after_share, a.part
