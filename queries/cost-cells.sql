-- +++
-- name = "cost-cells"
-- title = "Cost, touches and state of every office and function"
-- description = """
-- The months of the window added up. Cost per touch is the ratio of the sums over those postings in which both cost \
-- and touches are known, so that cost alone does not make touches look dear. What was booked while the office was not \
-- open is in cost and touches, and not in the ratio."""
-- tags = ["finance", "base"]
-- grain = ["office_id", "function"]
-- uses = ["cost-months"]
--
-- [columns]
-- office_id = { title = "Id" }
-- office = { title = "Office" }
-- region = { title = "Region" }
-- function = { title = "Function" }
-- months = { title = "Months", format = "0", description = "months of the window in which the office was open" }
-- months_in = { title = "Months in", format = "0", description = "months that are reported in full, or as an explicit zero" }
-- status = { title = "Status", description = "as in cost-months over all months in which the office was open; estimated where part of the cost is; partial where months differ" }
-- touches = { title = "Touches", format = "#,##0", missing = "status", total = "sum" }
-- cost = { title = "Cost", format = "currency", missing = "status", total = "sum" }
-- known_touches = { title = "Touches in the ratio", format = "#,##0", missing = "status", total = "sum" }
-- known_cost = { title = "Cost in the ratio", format = "currency", missing = "status", total = "sum" }
-- cost_per_touch = { title = "Cost per touch", format = "currency", good = "down", missing = "status", total = "known_cost / known_touches" }
-- +++
with cells as (
    select
        office_id,
        office,
        region,
        function,
        count(*) filter (where status <> 'not open') as months,
        count(*) filter (where fully_reported(status)) as months_in,
        count(distinct status) filter (where status <> 'not open') as states,
        min(status) filter (where status <> 'not open') as state,
        bool_or(is_estimate and status <> 'not open') as is_estimate,
        sum(touches) as touches,
        sum(cost) as cost,
        sum(known_touches) filter (where status in ('reported', 'partial')) as known_touches,
        sum(known_cost) filter (where status in ('reported', 'partial')) as known_cost
    from "cost-months"
    group by office_id, office, region, function
)
select
    office_id,
    office,
    region,
    function,
    case
        when months = 0 then 'not open'
        when states = 1 and state <> 'reported' then state
        when months_in < months then 'partial'
        when is_estimate then 'estimated'
        else 'reported'
    end as status,
    months,
    months_in,
    touches,
    cost,
    known_touches,
    known_cost,
    cost_per_touch(known_cost, known_touches) as cost_per_touch
from cells
order by office_id, function
