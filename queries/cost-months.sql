-- +++
-- name = "cost-months"
-- title = "What each office reported, month by month"
-- description = """
-- One row for every function of every office in every month in which the office was open, reported or not, with the \
-- state of what came, and one where something was booked though it was not open. Whole is a month with every category \
-- that is expected, in cost and in touches. The other cost queries build on it, so that a gap is the same gap \
-- everywhere, and no cost is lost."""
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
-- status = { title = "Status", description = "reported, partial, explicit zero, not reported, cost without touches, touches without cost, or not open" }
-- touches = { title = "Touches", format = "#,##0", missing = "status", total = "sum" }
-- cost = { title = "Cost", format = "currency", missing = "status", total = "sum" }
-- known_touches = { title = "Known touches", format = "#,##0", missing = "status", total = "sum", description = "of the postings with cost and touches" }
-- known_cost = { title = "Known cost", format = "currency", missing = "status", total = "sum", description = "of the same postings" }
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
-- An office is open from the month of its opening day; its closing day is the first without it.
cells as (
    select
        o.office_id,
        o.office,
        o.region,
        f.function,
        m.period,
        date_trunc('month', o.opened_on) <= m.period and coalesce(o.closed_on > m.period, true) as is_open
    from offices o
    cross join functions f
    cross join window_months m
),
first_booked as (
    select function, category, min(period) as first_month
    from cost_per_touch
    group by function, category
),
-- A category that some office takes up is expected of every office from the next month on: nobody is incomplete for
-- what was not there yet, and who has none of it books 0. Those that a function began with are expected at once.
categories as (
    select
        function,
        category,
        case
            when first_month = min(first_month) over (partition by function) then first_month
            else cast(first_month + interval '1 month' as date)
        end as expected_from
    from first_booked
),
expected as (
    select m.period, c.function, count(*) as categories
    from window_months m
    join categories c on c.expected_from <= m.period
    group by m.period, c.function
),
booked as (
    select
        p.office_id,
        p.function,
        p.period,
        sum(p.cost) as cost,
        sum(p.touches) as touches,
        -- Of the same postings, so that cost is divided by its own touches.
        sum(p.cost) filter (where p.touches is not null) as known_cost,
        sum(p.touches) filter (where p.cost is not null) as known_touches,
        count(distinct case when c.expected_from <= p.period then p.category end) as categories,
        count(*) filter (where p.cost is null) as without_cost,
        count(*) filter (where p.touches is null) as without_touches,
        bool_or(p.is_estimate) as is_estimate
    from cost_per_touch p
    join categories c on c.function = p.function and c.category = p.category
    where touch(p.function)
      and p.period >= cast($period as date) - cast(concat($months - 1, ' months') as interval)
      and p.period <= $period
    group by p.office_id, p.function, p.period
)
select
    c.office_id,
    c.office,
    c.region,
    c.function,
    c.period,
    case
        when not c.is_open then 'not open'
        when b.cost is null and b.touches is null then 'not reported'
        when b.cost is null then 'touches without cost'
        when b.categories < e.categories or b.without_cost > 0 then 'partial'
        when b.touches is null then 'cost without touches'
        when b.without_touches > 0 then 'partial'
        when b.cost = 0 and b.touches = 0 then 'explicit zero'
        else 'reported'
    end as status,
    b.touches,
    b.cost,
    b.known_touches,
    b.known_cost,
    coalesce(b.is_estimate, false) as is_estimate
from cells c
left join expected e on e.function = c.function and e.period = c.period
left join booked b on b.office_id = c.office_id and b.function = c.function and b.period = c.period
-- What was booked while the office was not open is money all the same.
where c.is_open
   or b.office_id is not null
order by c.office_id, c.function, c.period
