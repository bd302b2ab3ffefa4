-- +++
-- name = "cost-months"
-- title = "What each office reported, month by month"
-- description = """
-- One row for every function of every office in every month in which the office was open, reported or not, with the \
-- state of what came. The other cost queries build on it, so that a gap is the same gap everywhere."""
-- tags = ["finance", "base"]
-- grain = ["office_id", "function", "period"]
--
-- [params.period]
-- type = "month"
-- default = "last_complete(month)"
-- description = "last month of the window"
--
-- [params.months]
-- type = "int"
-- default = 3
-- min = 1
-- max = 120
-- description = "length of the window in months"
--
-- [columns]
-- office_id = { title = "Id" }
-- office = { title = "Office" }
-- region = { title = "Region" }
-- function = { title = "Function" }
-- period = { title = "Month" }
-- status = { title = "Status", description = "reported, partial, explicit zero, not reported, cost without touches, or touches without cost" }
-- touches = { title = "Touches", format = "#,##0", missing = "status", total = "sum" }
-- cost = { title = "Cost", format = "currency", missing = "status", total = "sum" }
-- is_estimate = { title = "Estimate", description = "part of the cost is the office's estimate" }
-- +++
with bounds as (
    select
        cast($period as date) - cast(concat($months - 1, ' months') as interval) as first_month,
        cast($period as date) as last_month
),
window_months as (
    select cast(unnest(generate_series(first_month, last_month, interval '1 month')) as date) as period
    from bounds
),
functions(function) as (
    values ('marketing'), ('sales'), ('experience'), ('support')
),
-- What should have come: every function, in every month, while the office is open.
expected as (
    select o.office_id, o.office, o.region, f.function, m.period
    from offices o
    cross join functions f
    cross join window_months m
    where m.period >= date_trunc('month', o.opened_on)
      and (o.closed_on is null or m.period <= o.closed_on)
),
-- A function has the categories that any office ever booked in it; a month with fewer is a part of a month.
categories as (
    select function, count(distinct category) as categories
    from cost_per_touch
    group by function
),
booked as (
    select
        office_id,
        function,
        period,
        sum(cost) as cost,
        sum(touches) as touches,
        count(distinct category) as categories,
        bool_or(is_estimate) as is_estimate
    from cost_per_touch
    where touch(function)
      and period >= cast($period as date) - cast(concat($months - 1, ' months') as interval)
      and period <= $period
    group by office_id, function, period
)
select
    e.office_id,
    e.office,
    e.region,
    e.function,
    e.period,
    case
        when b.office_id is null then 'not reported'
        when b.cost is null then 'touches without cost'
        when b.touches is null then 'cost without touches'
        when b.categories < c.categories then 'partial'
        when b.cost = 0 and b.touches = 0 then 'explicit zero'
        else 'reported'
    end as status,
    b.touches,
    b.cost,
    coalesce(b.is_estimate, false) as is_estimate
from expected e
left join categories c on c.function = e.function
left join booked b on b.office_id = e.office_id and b.function = e.function and b.period = e.period
order by e.office_id, e.function, e.period
