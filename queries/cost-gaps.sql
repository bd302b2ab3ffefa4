-- +++
-- name = "cost-gaps"
-- title = "What is missing from the cost of touches"
-- description = """
-- For every month one row for all offices together, with how much of what was expected is in, and below it one row for \
-- each office that is not complete, with what it lacks. Expected is every function of every office while it is open. \
-- An explicit zero counts as reported; a part of a month does not. What an office books while it is not open fills no \
-- gap and is none. A month for which nobody booked anything is one row, without a coverage: it is not over, not loaded, or \
-- before the first."""
-- tags = ["finance", "monthly", "quality"]
-- grain = ["period", "office"]
-- uses = ["cost-months"]
--
-- [params.months]
-- type = "int"
-- default = 12
-- min = 1
-- max = 120
-- description = "length of the window in months"
--
-- [columns]
-- period = { title = "Month" }
-- office = { title = "Office" }
-- expected = { title = "Expected", format = "0", description = "cells of office and function that should be in" }
-- complete = { title = "Complete", format = "0" }
-- coverage = { title = "Coverage", format = "0.0%", good = "up", missing = "not_reported" }
-- not_reported = { title = "Not reported", description = "functions of which neither cost nor touches came; of all offices, why a month as a whole is missing" }
-- incomplete = { title = "Incomplete", description = "functions of which a part came, with what is wrong" }
-- estimated = { title = "Estimated", format = "0", description = "cells with estimated cost; they count as complete" }
--
-- [[chart]]
-- type = "line"
-- title = "Coverage of all offices, and of offices in the months in which something is missing"
-- x = "period"
-- y = "coverage"
-- color = "office"
-- total = "All offices"
-- +++
with cells as (
    select
        period,
        office,
        function,
        status,
        is_estimate,
        fully_reported(status) as is_complete
    from "cost-months"
    where status <> 'not open'
),
counted as (
    select
        period,
        office,
        count(*) as expected,
        count(*) filter (where is_complete) as complete,
        string_agg(function, ', ' order by function) filter (where status = 'not reported') as not_reported,
        string_agg(concat(function, ': ', status), ', ' order by function)
            filter (where not is_complete and status <> 'not reported') as incomplete,
        count(*) filter (where is_estimate) as estimated,
        bool_or(status <> 'not reported') as is_booked
    from cells
    group by period, office
),
all_offices as (
    select
        period,
        'All offices' as office,
        sum(expected) as expected,
        sum(complete) as complete,
        -- Of a month for which nobody booked anything no office can be blamed.
        case
            when bool_or(is_booked) then null
            when period < (select min(period) from cost_per_touch) then 'nothing: before the first month booked'
            else 'nothing: the month is not over, or not loaded'
        end as not_reported,
        cast(null as varchar) as incomplete,
        sum(estimated) as estimated,
        bool_or(is_booked) as is_booked,
        true as is_total
    from counted
    group by period
),
both_levels as (
    select * from all_offices
    union all
    select c.*, false as is_total
    from counted c
    join all_offices a on a.period = c.period
    where c.complete < c.expected
      and a.is_booked
)
select
    period,
    office,
    expected,
    complete,
    case when is_booked or not is_total then cast(complete as double) / expected end as coverage,
    not_reported,
    incomplete,
    estimated
from both_levels
order by period desc, is_total desc, office
