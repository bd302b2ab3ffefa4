-- +++
-- name = "cost-per-trip-lost"
-- title = "Trips that find no cost, and so fall out of cost per trip"
-- description = """
-- One row for all agencies and modes with trips, with how many find their cost, and below it one row for each that finds \
-- none: an inner join would drop it and say nothing. As the files came, 82 of 1,096 are lost, every one of an agency \
-- whose id lost its leading zeros in the trips (30 agencies, all of the Northwest, with 3.8 % of all trips); the id under \
-- which each is among the expenses stands beside it. With `pad` none is lost."""
-- tags = ["finance", "quality"]
-- grain = ["ntd_id", "mode"]
-- uses = ["transit-modes"]
--
-- [params.pad]
-- type = "bool"
-- default = false
-- description = "whether the trips get their leading zeros back before they are joined"
--
-- [columns]
-- ntd_id = { title = "Id", description = "as in the trips" }
-- mode = { title = "Mode" }
-- with_trips = { title = "With trips", format = "#,##0", description = "agencies and modes" }
-- lost = { title = "Lost", format = "#,##0", good = "down", description = "of these, without cost" }
-- trips = { title = "Trips", format = "#,##0" }
-- trips_lost = { title = "Trips lost", format = "#,##0", good = "down" }
-- coverage = { title = "Coverage", format = "0.0%", good = "up", description = "trips that find their cost, of all" }
-- found_as = { title = "Found as", description = "id of five digits that has cost in this mode" }
-- agency = { title = "Agency" }
-- +++
with expected as (
    select ntd_id, mode, status = 'trips without cost' as is_lost, trips
    from "transit-modes"
    where status <> 'cost without trips'
),
known as (
    select ntd_id as known_id, mode as known_mode, max(agency) as agency
    from transit_expenses
    group by ntd_id, mode
),
both_levels as (
    select
        'All' as ntd_id,
        'All' as mode,
        count(*) as with_trips,
        count(*) filter (where is_lost) as lost,
        sum(trips) as trips,
        coalesce(sum(trips) filter (where is_lost), 0) as trips_lost,
        cast(null as varchar) as found_as,
        cast(null as varchar) as agency,
        true as is_total
    from expected
    union all
    select ntd_id, mode, 1, 1, trips, trips as trips_lost, known_id as found_as, agency, false
    from expected
    left join known on known_id = lpad(ntd_id, 5, '0') and known_mode = mode
    where is_lost
)
select
    ntd_id,
    mode,
    with_trips,
    lost,
    trips,
    trips_lost,
    1 - cast(trips_lost as double) / nullif(trips, 0) as coverage,
    found_as,
    agency
from both_levels
order by is_total desc, trips_lost desc, ntd_id, mode
