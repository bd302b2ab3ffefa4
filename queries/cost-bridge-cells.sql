-- +++
-- name = "cost-bridge-cells"
-- title = "Why cost changed, office by office and function by function"
-- description = """
-- The change of cost from the base month to the month, split so that the parts add up to the cent. Rate: the change \
-- of the cost per touch on this month's touches. Volume: the change had the function's touches grown alike in all \
-- offices. Mix: what is left, because touches moved between dearer and cheaper offices; rounding, at most a cent, is \
-- in it. Reporting: all of the change where one of the two months is missing or in part, because a gap is not \
-- thrift. Opened or closed: the office was not open in one of the two, whatever it booked. Not split: cost is known in \
-- both and touches are not."""
-- tags = ["finance", "base"]
-- grain = ["office_id", "function"]
-- uses = ["cost-months"]
--
-- [params.months]
-- type = "int"
-- default = 2
-- min = 2
-- max = 120
-- description = "months from the base month to the month, both counted: 2 is the month before, 13 a year before"
--
-- [params.offices]
-- type = "list<text>"
-- default = "all"
-- values_sql = "select office_id, office from offices order by office_id"
-- description = "offices to show; what a function grew by is always that of all offices"
--
-- [columns]
-- office_id = { title = "Id" }
-- office = { title = "Office" }
-- region = { title = "Region" }
-- function = { title = "Function" }
-- cost_before = { title = "Before", format = "#,##0.00", unit = "USD", missing = "status_before", total = "sum", description = "cost of the base month; none: not reported" }
-- rate = { title = "Rate", format = "+#,##0.00", unit = "USD", good = "down", total = "sum" }
-- volume = { title = "Volume", format = "+#,##0.00", unit = "USD", total = "sum" }
-- mix = { title = "Mix", format = "+#,##0.00", unit = "USD", good = "down", total = "sum" }
-- opened_or_closed = { title = "Opened or closed", format = "+#,##0.00", unit = "USD", total = "sum" }
-- reporting = { title = "Reporting", format = "+#,##0.00", unit = "USD", total = "sum" }
-- not_split = { title = "Not split", format = "+#,##0.00", unit = "USD", total = "sum" }
-- cost_now = { title = "Now", format = "#,##0.00", unit = "USD", missing = "status_now", total = "sum", description = "cost of the month; none: not reported" }
-- change = { title = "Change", format = "+#,##0.00", unit = "USD", good = "down", total = "sum", description = "of what was reported, a gap counted as 0; the six parts add up to it" }
-- status_before = { title = "Status before" }
-- status_now = { title = "Status now" }
-- is_estimate_before = { title = "Estimate before", description = "part of the base month's cost is the office's estimate" }
-- is_estimate = { title = "Estimate now", description = "part of the month's cost is the office's estimate" }
-- split_rate = { title = "Rate where split", format = "+#,##0.00", good = "down", unit = "USD", missing = "no_split", description = "of what could be split into rate, volume and mix" }
-- no_split = { title = "Not split because", description = "what came of the month in which something is missing" }
--
-- [[chart]]
-- type = "heatmap"
-- x = "function"
-- y = "office"
-- color = "split_rate"
-- +++
with base_month as (
    select cast(cast($period as date) - cast(concat($months - 1, ' months') as interval) as date) as period
),
then_and_now as (
    select
        c.office_id,
        c.office,
        c.region,
        c.function,
        coalesce(max(c.status) filter (where c.period = b.period), 'not open') as status_before,
        coalesce(max(c.status) filter (where c.period > b.period), 'not open') as status_now,
        sum(c.cost) filter (where c.period = b.period) as cost_before,
        sum(c.cost) filter (where c.period > b.period) as cost_now,
        sum(c.touches) filter (where c.period = b.period) as touches_before,
        sum(c.touches) filter (where c.period > b.period) as touches_now,
        coalesce(bool_or(c.is_estimate) filter (where c.period = b.period), false) as is_estimate_before,
        coalesce(bool_or(c.is_estimate) filter (where c.period > b.period), false) as is_estimate
    from "cost-months" c
    cross join base_month b
    where c.period = b.period
       or c.period = $period
    group by c.office_id, c.office, c.region, c.function
),
judged as (
    select
        *,
        case
            when status_before = 'not open' or status_now = 'not open' then 'opened or closed'
            when cost_before is null or cost_now is null then 'reporting'
            when status_before = 'partial' or status_now = 'partial' then 'reporting'
            when touches_before is null or touches_now is null then 'not split'
            else 'split'
        end as kind,
        coalesce(cost_now, 0) - coalesce(cost_before, 0) as change
    from then_and_now
),
-- A cost with no touches has no rate: the other month's stands in, so that the change is one of volume and mix.
rated as (
    select
        *,
        coalesce(cost_per_touch(cost_before, touches_before), cost_per_touch(cost_now, touches_now)) as rate_before,
        coalesce(cost_per_touch(cost_now, touches_now), cost_per_touch(cost_before, touches_before)) as rate_now,
        -- Touches of different functions are not alike, so growth is taken within a function.
        cast(sum(case when kind = 'split' then touches_now end) over (partition by function) as double)
            / nullif(sum(case when kind = 'split' then touches_before end) over (partition by function), 0) as growth
    from judged
),
effects as (
    select
        *,
        case
            when kind = 'split'
                then cast(round(coalesce((rate_now - rate_before) * touches_now, 0), 2) as decimal(18, 2))
            else 0
        end as rate,
        case
            when kind = 'split'
                then cast(round(coalesce((growth - 1) * touches_before * rate_before, 0), 2) as decimal(18, 2))
            else 0
        end as volume
    from rated
)
select
    office_id,
    office,
    region,
    function,
    cost_before,
    rate,
    volume,
    case when kind = 'split' then change - rate - volume else 0 end as mix,
    case when kind = 'opened or closed' then change else 0 end as opened_or_closed,
    case when kind = 'reporting' then change else 0 end as reporting,
    case when kind = 'not split' then change else 0 end as not_split,
    cost_now,
    change,
    status_before,
    status_now,
    is_estimate_before,
    is_estimate,
    case when kind = 'split' then rate end as split_rate,
    case
        when kind <> 'split' and status_before = status_now then status_now
        when kind <> 'split'
            then concat_ws(
                ', ',
                case when not fully_reported(status_before) then concat(status_before, ' before') end,
                case when not fully_reported(status_now) then concat(status_now, ' now') end
            )
    end as no_split
from effects
where office_id = any($offices)
order by abs(change) desc, office_id, function
