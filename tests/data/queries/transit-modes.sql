-- +++
-- name = "transit-modes"
-- title = "Cost and trips of every agency and mode"
-- description = """
-- One row for every agency and mode with cost, trips or both, and which of the two is missing. Cost is summed over types of \
-- service first, because trips are not split by them. The trips lost the leading zeros of their ids, so ids are padded to \
-- five digits before the join; without `pad` they are joined as they came."""
-- tags = ["finance", "base"]
-- grain = ["ntd_id", "mode"]
--
-- [params.pad]
-- type = "bool"
-- default = true
-- description = "whether the trips get their leading zeros back; false shows what is lost without"
--
-- [columns]
-- ntd_id = { title = "Id" }
-- agency = { title = "Agency" }
-- reporter_type = { title = "Reporter" }
-- mode = { title = "Mode" }
-- status = { title = "Status", description = "reported, cost without trips, or trips without cost" }
-- cost = { title = "Cost", format = "#,##0" }
-- trips = { title = "Trips", format = "#,##0" }
-- cost_per_trip = { title = "Cost per trip", format = "currency", good = "down" }
-- +++
with costs as (
    select ntd_id, mode, max(agency) as agency, max(reporter_type) as reporter_type, sum(total) as cost
    from transit_expenses
    group by ntd_id, mode
),
-- The keys have names of their own: above a join, the engine takes one column for another of the same name, and a filter
-- for trips without cost then finds none (apache/datafusion#21246).
trips as (
    select
        case when $pad then lpad(ntd_id, 5, '0') else ntd_id end as trip_id,
        mode as trip_mode,
        unlinked_passenger_trips as trips
    from transit_trips
)
select
    coalesce(ntd_id, trip_id) as ntd_id,
    agency,
    reporter_type,
    coalesce(mode, trip_mode) as mode,
    case
        when trip_id is null then 'cost without trips'
        when ntd_id is null then 'trips without cost'
        else 'reported'
    end as status,
    cost,
    trips,
    -- No trips: no ratio, rather than a ratio of zero.
    cast(cost as double) / nullif(trips, 0) as cost_per_trip
from costs
full join trips on trip_id = ntd_id and trip_mode = mode
order by ntd_id, mode
