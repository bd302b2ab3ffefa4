-- +++
-- name = "cost-per-segment"
-- title = "What serving customers costs by segment, region or office"
-- description = """
-- The accounts of cost-per-customer added up, with a total over all. Shares and margins are ratios of sums over the \
-- accounts whose cost is known in every function; how many those are, and what the others bring, stands beside them. \
-- The total says, too, how much of what offices spend these touches carry: the rest is spent on prospects and the \
-- public."""
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
-- revenue = { title = "Revenue", format = "#,##0" }
-- margin = { title = "Margin", format = "#,##0", good = "up", description = "revenue less direct cost" }
-- cost_to_serve = { title = "Cost to serve", format = "#,##0", good = "down" }
-- cost_share = { title = "Share of revenue", format = "0.0%", good = "down" }
-- margin_after = { title = "Margin after", format = "#,##0", good = "up", description = "margin less cost to serve" }
-- margin_after_share = { title = "After, share", format = "0.0%", good = "up", bands = [0, 0.2], description = "margin after by revenue" }
-- at_a_loss = { title = "At a loss", format = "#,##0", good = "down", description = "accounts with nothing left after cost to serve" }
-- unknown_revenue = { title = "Unknown revenue", format = "#,##0", description = "of the accounts that are left out of the columns before, as their cost is not known" }
-- spend_carried = { title = "Spend carried", format = "0.0%", description = "known cost to serve of all accounts by all that offices spent; only of the total" }
--
-- [[chart]]
-- type = "bar"
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
spent as (
    select sum(cost) as cost
    from cost_per_touch
    where period >= cast($period as date) - cast(concat($months - 1, ' months') as interval)
      and period <= $period
),
served as (
    select account_id, sum(known_cost) as known_cost, sum(touches_without_cost) = 0 as is_known
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
        b.revenue,
        b.margin,
        s.known_cost,
        s.is_known,
        b.margin < s.known_cost as is_at_a_loss
    from served s
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
        count(*) filter (where is_known and is_at_a_loss) as at_a_loss,
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
    a.at_a_loss,
    a.unknown_revenue,
    case when a.is_total then cast(a.known_cost as double) / nullif(cast(s.cost as double), 0) end as spend_carried
from added_up a
cross join spent s
order by a.is_total desc, margin_after_share, a.part
