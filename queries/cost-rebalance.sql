-- +++
-- name = "cost-rebalance"
-- title = "What moving spend from one function to another would do"
-- description = """
-- What if: each office moves a share of what it spent on one function to another, and its budget stays as it is. \
-- Touches lost and gained are the money moved by the office's own cost per touch of each function, taken as \
-- constant: the last touch costs what all did, nothing is said of how good touches are, and a support touch is no \
-- sales touch. Cost per touch is that of both functions together, held against the median of the other offices as \
-- they are today (four at least). Offices whose cost per touch is not known in both functions are named and left out \
-- of the total, not taken as 0."""
-- tags = ["finance", "what if"]
-- grain = ["office"]
-- uses = ["cost-cells"]
--
-- [params.from_function]
-- type = "text"
-- default = "sales"
-- values = ["marketing", "sales", "experience", "support"]
-- description = "where money is taken"
--
-- [params.to_function]
-- type = "text"
-- default = "experience"
-- values = ["marketing", "sales", "experience", "support"]
-- description = "where it goes; another than the first"
--
-- [params.share]
-- type = "float"
-- default = 0.1
-- min = 0
-- max = 1
-- description = "of the first function's cost; 0.1 is a tenth"
--
-- [params.offices]
-- type = "list<text>"
-- default = "all"
-- values_sql = "select office_id, office from offices order by office_id"
-- description = "offices that move money; the others stay as they are and are not shown"
--
-- [columns]
-- office = { title = "Office" }
-- region = { title = "Region" }
-- moved = { title = "Moved", format = "currency", description = "of the window" }
-- touches_lost = { title = "Touches lost", format = "#,##0", good = "down" }
-- touches_gained = { title = "Touches gained", format = "#,##0", good = "up" }
-- gained_for_one = { title = "Gained for one lost", format = "0.00", good = "up", bands = [0.8, 1.25], description = "cost per touch where money is taken by that where it goes" }
-- touches_before = { title = "Touches before", format = "#,##0", description = "of both functions" }
-- touches_after = { title = "Touches after", format = "#,##0" }
-- cost_per_touch_before = { title = "Per touch before", format = "currency", good = "down", description = "of both functions" }
-- cost_per_touch_after = { title = "Per touch after", format = "currency", good = "down" }
-- peers = { title = "Peers", format = "0", description = "other offices in the median" }
-- index_before = { title = "Index before", format = "0.00", good = "down", bands = [0.8, 1.25], description = "cost per touch by the peers' median" }
-- index_after = { title = "Index after", format = "0.00", good = "down", bands = [0.8, 1.25], description = "as before; the peers stay as they are" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "bar"
-- x = "gained_for_one"
-- y = "office"
-- color = "region"
-- total = "All offices"
-- +++
with both_functions as (
    select
        o.office_id,
        o.office,
        o.region,
        sum(c.known_cost) filter (where c.function = $from_function) as from_cost,
        sum(c.known_touches) filter (where c.function = $from_function) as from_touches,
        sum(c.known_cost) filter (where c.function = $to_function) as to_cost,
        sum(c.known_touches) filter (where c.function = $to_function) as to_touches,
        count(*) filter (where c.cost_per_touch > 0) as known_functions,
        string_agg(concat(c.function, ': ', c.status), ', ' order by c.function)
            filter (where c.status <> 'reported') as gaps
    from offices o
    left join "cost-cells" c
        on c.office_id = o.office_id
        and c.function in ($from_function, $to_function)
    group by o.office_id, o.office, o.region
),
offices_now as (
    select
        *,
        -- Both ratios are needed; a function asked for twice is only one.
        known_functions = 2 as is_known,
        case when known_functions = 2 then cost_per_touch(from_cost + to_cost, from_touches + to_touches) end
            as cost_per_touch
    from both_functions
),
-- All other offices are peers, whichever move money: the filter comes behind.
held_against_peers as (
    select
        *,
        count_excluding_self(cost_per_touch) over () as peers,
        median_excluding_self(cost_per_touch, min_peers => 4) over () as peer_median
    from offices_now
),
moves as (
    select
        *,
        cast(round($share * cast(from_cost as double), 2) as decimal(18, 2)) as moved,
        $share * from_touches as touches_lost,
        $share * cast(from_cost as double) / cost_per_touch(to_cost, to_touches) as touches_gained
    from held_against_peers
    where office_id = any($offices)
),
rows_and_total as (
    select
        office,
        region,
        false as is_total,
        is_known,
        case when is_known then moved end as moved,
        case when is_known then touches_lost end as touches_lost,
        case when is_known then touches_gained end as touches_gained,
        case when is_known then from_touches + to_touches end as touches_before,
        case when is_known then from_cost + to_cost end as cost,
        peers,
        peer_median,
        case when is_known then gaps else concat_ws(', ', 'left out', gaps) end as note
    from moves
    union all
    select
        'All offices',
        cast(null as varchar),
        true,
        true,
        sum(moved),
        sum(touches_lost),
        sum(touches_gained),
        sum(from_touches + to_touches),
        sum(from_cost + to_cost),
        cast(null as bigint),
        cast(null as double),
        concat(count(*), ' offices')
    from moves
    where is_known
)
select
    office,
    region,
    moved,
    round(touches_lost, 6) as touches_lost,
    touches_gained,
    touches_gained / nullif(touches_lost, 0) as gained_for_one,
    touches_before,
    touches_before - touches_lost + touches_gained as touches_after,
    cost_per_touch(cost, touches_before) as cost_per_touch_before,
    cost_per_touch(cost, touches_before - touches_lost + touches_gained) as cost_per_touch_after,
    peers,
    cost_per_touch(cost, touches_before) / peer_median as index_before,
    cost_per_touch(cost, touches_before - touches_lost + touches_gained) / peer_median as index_after,
    note
from rows_and_total
order by is_total desc, gained_for_one desc nulls last, office
