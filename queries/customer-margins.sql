-- +++
-- name = "customer-margins"
-- title = "What each customer brought and cost"
-- description = """
-- Revenue, margin (revenue less direct cost) and cost to serve by account, over the window: the functions of \
-- cost-to-serve beside each other. Where an office did not report, or a ratio cannot be had, the part is unknown: it \
-- is named, and the known cost is a lower bound. With all months of revenue loaded, an account without revenue \
-- brought 0; with one missing, nothing is known of what any brought."""
-- tags = ["finance", "base"]
-- grain = ["account_id"]
-- uses = ["cost-to-serve"]
--
-- [columns]
-- account_id = { title = "Id" }
-- revenue = { title = "Revenue", format = "#,##0", missing = "note", total = "sum", description = "recurring and services" }
-- margin = { title = "Margin", format = "#,##0", good = "up", missing = "note", total = "sum", description = "revenue less direct cost" }
-- known_cost = { title = "Known cost", format = "#,##0", good = "down", total = "sum", description = "to serve; at least this much" }
-- is_known = { title = "All known", description = "the cost of every function is" }
-- marketing = { title = "Marketing", format = "#,##0", good = "down", missing = "note", total = "sum" }
-- sales = { title = "Sales", format = "#,##0", good = "down", missing = "note", total = "sum" }
-- experience = { title = "Experience", format = "#,##0", good = "down", missing = "note", total = "sum" }
-- support = { title = "Support", format = "#,##0", good = "down", missing = "note", total = "sum" }
-- touches = { title = "Touches", format = "#,##0", total = "sum" }
-- not_known = { title = "Not known", description = "functions whose cost is not known" }
-- touches_loaded = { title = "Touches loaded", description = "of every month" }
-- not_loaded = { title = "Not loaded", description = "of all accounts: what months of touches or revenue are not there in full" }
-- note = { title = "Note", description = "the same, and functions whose office's cost is not reported in full" }
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
-- A month that is not loaded is no month without touches or revenue.
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
),
gaps as (
    select
        bool_and(months = $months) filter (where what = 'touches') as touches_loaded,
        bool_and(months = $months) filter (where what = 'revenue') as revenue_loaded,
        string_agg(concat(what, ': ', months, ' of ', $months, ' months loaded'), ', ' order by what)
            filter (where months < $months) as not_loaded
    from loaded
),
served as (
    select
        account_id,
        sum(known_cost) as known_cost,
        sum(cost) filter (where function = 'marketing') as marketing,
        sum(cost) filter (where function = 'sales') as sales,
        sum(cost) filter (where function = 'experience') as experience,
        sum(cost) filter (where function = 'support') as support,
        sum(touches) as touches,
        bool_and(cost is not null) as is_known,
        string_agg(function, ', ' order by function) filter (where cost is null) as not_known,
        string_agg(concat(function, ': ', status), ', ' order by function) filter (where status <> 'reported')
            as states
    from "cost-to-serve"
    group by account_id
)
select
    s.account_id,
    case when g.revenue_loaded then coalesce(b.revenue, 0) end as revenue,
    case when g.revenue_loaded then coalesce(b.margin, 0) end as margin,
    s.known_cost,
    s.is_known,
    s.marketing,
    s.sales,
    s.experience,
    s.support,
    s.touches,
    s.not_known,
    g.touches_loaded,
    g.not_loaded,
    -- Where touches are not loaded, each function says so in place of its state: once is enough.
    nullif(concat_ws(', ', g.not_loaded, case when g.touches_loaded then s.states end), '') as note
from served s
cross join gaps g
left join brought b on b.account_id = s.account_id
order by s.account_id
