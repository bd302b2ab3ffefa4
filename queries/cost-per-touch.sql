-- +++
-- name = "cost-per-touch"
-- title = "Cost per touch by office and function"
-- description = """
-- What one touch costs in each office and function, held against the median of the other offices of the same function \
-- (the office itself is left out). Every office that was open has a row for every function, reported or not: a missing \
-- month is no thrift. Touches and cost are all that came, also what an office booked while it was not open; cost per \
-- touch is total cost by total touches over the postings of its open months in which both are known. The peer median \
-- takes complete cells only and needs four of them."""
-- tags = ["finance", "monthly"]
-- grain = ["office_id", "function"]
-- uses = ["cost-cells"]
--
-- [params.offices]
-- type = "list<text>"
-- default = "all"
-- values_sql = "select office_id, office from offices order by office_id"
-- description = "offices to show; peers are always all offices"
--
-- [params.functions]
-- type = "list<text>"
-- default = "all"
-- values = ["marketing", "sales", "experience", "support"]
--
-- [columns]
-- office_id = { title = "Id" }
-- office = { title = "Office" }
-- region = { title = "Region" }
-- function = { title = "Function" }
-- status = { title = "Status", description = "reported, estimated, partial, explicit zero, not reported, cost without touches, touches without cost, or not open" }
-- touches = { title = "Touches", format = "#,##0", missing = "status", total = "sum" }
-- cost = { title = "Cost", format = "currency", missing = "status", total = "sum" }
-- cost_per_touch = { title = "Cost per touch", format = "currency", good = "down", missing = "no_index", total = "known_cost / known_touches", description = "over the postings in which both cost and touches are known" }
-- peers = { title = "Peers", format = "0", description = "other offices in the median" }
-- peer_median = { title = "Peer median", format = "currency" }
-- index = { title = "Index", format = "0.00", good = "down", bands = [0.8, 1.25], missing = "no_index", description = "own cost per touch by the peer median; 7.00 is seven times it" }
-- excess_cost = { title = "Excess cost", format = "#,##0", good = "down", missing = "no_index", total = "sum", description = "USD, cost above what the same touches cost at the peer median" }
-- known_cost = { title = "Known cost", format = "currency", total = "sum", description = "cost of the postings in which both cost and touches are known" }
-- known_touches = { title = "Known touches", format = "#,##0", total = "sum", description = "touches of those postings" }
-- no_index = { title = "No index", description = "why cost per touch, index and excess cost are missing: no touches, the status, or too few peers" }
--
-- [[chart]]
-- type = "heatmap"
-- x = "function"
-- y = "office"
-- color = "index"
-- +++
with cells as (
    select
        *,
        -- Peers take complete cells only: an incomplete one is indexed, and nobody's peer.
        case when status in ('reported', 'estimated') then cost_per_touch end as complete_cost_per_touch
    from "cost-cells"
),
indexed as (
    select
        *,
        count_excluding_self(complete_cost_per_touch) over (partition by function) as peers,
        median_excluding_self(complete_cost_per_touch, min_peers => 4) over (partition by function) as peer_median
    from cells
)
-- The filter comes last: choosing offices must not change what they are held against.
select
    office_id,
    office,
    region,
    function,
    status,
    touches,
    cost,
    cost_per_touch,
    peers,
    peer_median,
    cost_per_touch / peer_median as index,
    cast(known_cost as double) - known_touches * peer_median as excess_cost,
    known_cost,
    known_touches,
    case
        -- What was reported in full may still have nothing to divide by.
        when known_touches = 0 and known_cost > 0 then 'no touches'
        when cost_per_touch is null then status
        when peer_median is null then 'too few peers'
    end as no_index
from indexed
where office_id = any($offices)
  and function = any($functions)
order by excess_cost desc, office_id, function
