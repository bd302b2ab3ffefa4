-- +++
-- name = "cost-per-trip"
-- title = "Cost per trip by mode"
-- description = """
-- What a trip costs in each mode of transport, over agencies with both cost and trips: the ratio of the sums, which is what \
-- a trip costs, beside the median and the mean of the agencies' ratios, which is no cost of anything because a small \
-- agency counts in it as much as New York. MAD is the median distance of a ratio from the median. Gaps stay out of all of \
-- them and are counted; only full reporters count trips."""
-- tags = ["finance"]
-- grain = ["mode"]
-- uses = ["transit-modes"]
--
-- [params.modes]
-- type = "list<text>"
-- default = "all"
-- values_sql = "select mode, max(mode_name) from transit_expenses group by mode order by mode"
-- description = "modes to show"
--
-- [columns]
-- mode = { title = "Mode" }
-- agencies = { title = "Agencies", format = "#,##0", description = "with cost, trips or both" }
-- without_trips = { title = "Without trips", format = "#,##0" }
-- without_cost = { title = "Without cost", format = "#,##0", description = "trips that find no cost: a broken join, if any" }
-- n = { title = "n", format = "#,##0", description = "agencies in the figures" }
-- cost = { title = "Cost", format = "#,##0", description = "of the agencies in the figures" }
-- trips = { title = "Trips", format = "#,##0" }
-- ratio_of_sums = { title = "Cost per trip", format = "currency", good = "down" }
-- median = { title = "Median", format = "currency" }
-- mad = { title = "MAD", format = "currency" }
-- mean_of_ratios = { title = "Mean of ratios", format = "currency" }
--
-- [[chart]]
-- type = "bar"
-- x = "ratio_of_sums"
-- y = "mode"
-- +++
with medians as (
    select mode, median(cost_per_trip) as median
    from "transit-modes"
    group by mode
)
select
    m.mode,
    count(*) as agencies,
    count(*) filter (where m.status = 'cost without trips') as without_trips,
    count(*) filter (where m.status = 'trips without cost') as without_cost,
    count(m.cost_per_trip) as n,
    sum(m.cost) filter (where m.status = 'reported') as cost,
    sum(m.trips) filter (where m.status = 'reported') as trips,
    cast(sum(m.cost) filter (where m.status = 'reported') as double)
        / nullif(sum(m.trips) filter (where m.status = 'reported'), 0) as ratio_of_sums,
    max(c.median) as median,
    median(abs(m.cost_per_trip - c.median)) as mad,
    avg(m.cost_per_trip) as mean_of_ratios
from "transit-modes" m
join medians c on c.mode = m.mode
where m.mode = any($modes)
group by m.mode
order by trips desc, m.mode
