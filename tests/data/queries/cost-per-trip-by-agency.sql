-- +++
-- name = "cost-per-trip-by-agency"
-- title = "Cost per trip of the agencies of one mode"
-- description = """
-- What a trip costs at each agency, held against the median of the other agencies of the mode (the agency itself is left \
-- out), which needs four of them. Robust z is 0.6745 (x - median) / MAD of the logarithm, an outlier beyond 3.5 \
-- (Iglewicz and Hoaglin); fewer than five agencies get no verdict. Agencies without trips are in `cost-per-trip-lost` or \
-- never counted them."""
-- tags = ["finance"]
-- grain = ["ntd_id"]
-- uses = ["transit-modes"]
--
-- [params.mode]
-- type = "text"
-- default = "HR"
-- values_sql = "select mode, max(mode_name) from transit_expenses group by mode order by mode"
-- description = "the mode of transport"
--
-- [columns]
-- ntd_id = { title = "Id" }
-- agency = { title = "Agency" }
-- cost = { title = "Cost", format = "#,##0" }
-- trips = { title = "Trips", format = "#,##0" }
-- cost_per_trip = { title = "Cost per trip", format = "0.0000", good = "down" }
-- peers = { title = "Peers", format = "0", description = "other agencies in the median" }
-- peer_median = { title = "Peer median", format = "currency" }
-- index = { title = "Index", format = "0.00", good = "down", bands = [0.8, 1.25], description = "own cost per trip by the peer median" }
-- robust_z = { title = "Robust z", format = "+0.0" }
--
-- [[chart]]
-- type = "bar"
-- x = "cost_per_trip"
-- y = "agency"
-- +++
with measured as (
    select ntd_id, agency, cost, trips, cost_per_trip, ln(cost_per_trip) as log_cost
    from "transit-modes"
    where mode = $mode
      and cost_per_trip > 0
),
peers as (
    select own.ntd_id, count(*) as peers, median(other.cost_per_trip) as peer_median
    from measured own
    join measured other on other.ntd_id <> own.ntd_id
    group by own.ntd_id
),
centre as (
    select count(*) as n, median(log_cost) as centre
    from measured
),
spread as (
    select median(abs(m.log_cost - c.centre)) as mad
    from measured m
    cross join centre c
),
indexed as (
    select
        m.*,
        coalesce(p.peers, 0) as peers,
        case when p.peers >= 4 then p.peer_median end as peer_median
    from measured m
    left join peers p on p.ntd_id = m.ntd_id
)
select
    i.ntd_id,
    i.agency,
    i.cost,
    i.trips,
    i.cost_per_trip,
    i.peers,
    i.peer_median,
    i.cost_per_trip / i.peer_median as index,
    case when c.n >= 5 then 0.6745 * (i.log_cost - c.centre) / nullif(s.mad, 0) end as robust_z
from indexed i
cross join centre c
cross join spread s
order by i.trips desc, i.ntd_id
