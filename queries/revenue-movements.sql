-- +++
-- name = "revenue-movements"
-- title = "Recurring revenue of each account, then and now"
-- description = """
-- Contract revenue of the start month and of the end month, account by account, and what became of it. An account is \
-- lost when it has no revenue in the end month (revenue is by whole months: who leaves within a month is lost in the \
-- next), and new when it had none in the start month. Who came and left in between is in neither month and not here. \
-- Empty when one of the two months is not booked at all."""
-- tags = ["revenue", "base"]
-- grain = ["account_id"]
--
-- [params.period]
-- type = "month"
-- default = "last_complete(month)"
-- description = "the end month"
--
-- [params.months]
-- type = "int"
-- default = 12
-- min = 1
-- max = 120
-- description = "months from the start month to the end month; 12 is a year"
--
-- [columns]
-- account_id = { title = "Id" }
-- account = { title = "Account" }
-- state = { title = "State", description = "stayed, lost or new" }
-- segment = { title = "Segment" }
-- region = { title = "Region" }
-- office = { title = "Office" }
-- tier = { title = "Tier" }
-- industry = { title = "Industry" }
-- start_revenue = { title = "Start", format = "#,##0.00", total = "sum", description = "of one month, USD" }
-- expansion = { title = "Expansion", format = "#,##0.00", good = "up", total = "sum" }
-- contraction = { title = "Contraction", format = "#,##0.00", good = "down", total = "sum" }
-- churn = { title = "Churn", format = "#,##0.00", good = "down", total = "sum" }
-- end_revenue = { title = "End", format = "#,##0.00", good = "up", total = "sum", description = "of one month; of new accounts too" }
-- +++
with two_months as (
    select account_id, recurring_revenue, period = $period as is_end
    from account_revenue
    where period = $period
       or period = cast($period as date) - cast(concat($months, ' months') as interval)
),
-- A month that is not booked is no month without revenue: nobody is known to have left in it, or to be new.
booked as (
    select count(distinct is_end) = 2 as both
    from two_months
),
then_and_now as (
    select
        account_id,
        coalesce(sum(recurring_revenue) filter (where not is_end), 0) as start_revenue,
        coalesce(sum(recurring_revenue) filter (where is_end), 0) as end_revenue
    from two_months
    group by account_id
)
select
    a.account_id,
    a.account,
    case
        when t.start_revenue = 0 then 'new'
        when t.end_revenue = 0 then 'lost'
        else 'stayed'
    end as state,
    a.segment,
    o.region,
    o.office,
    a.tier,
    a.industry,
    t.start_revenue,
    case when t.start_revenue > 0 then greatest(t.end_revenue - t.start_revenue, 0) else 0 end as expansion,
    case when t.end_revenue > 0 then greatest(t.start_revenue - t.end_revenue, 0) else 0 end as contraction,
    case when t.end_revenue = 0 then t.start_revenue else 0 end as churn,
    t.end_revenue
from then_and_now t
join accounts a on a.account_id = t.account_id
join offices o on o.office_id = a.office_id
where (select both from booked)
  and (t.start_revenue > 0 or t.end_revenue > 0)
order by a.account_id
