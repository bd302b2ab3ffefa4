-- +++
-- name = "cost-rebalance"
-- title = "What moving spend from one function to another would do"
-- description = """
-- What if: each office moves a share of what it spent on one function to another, and its budget stays as it is. \
-- Touches lost and gained are the money moved by the office's own cost per touch of each function, taken as \
-- constant: the last touch costs what all did, nothing is said of how good touches are, and a support touch is no \
-- sales touch. Cost per touch is that of both functions together over the months in which both are known, held \
-- against the median of the other offices that reported both in full, as they are today (four at least). Offices \
-- whose cost per touch is not known in both functions are named and left out of the total, not taken as 0."""
-- tags = ["finance", "what if"]
-- grain = ["office"]
-- uses = ["cost-months", "cost-cells"]
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
-- moved = { title = "Moved", format = "currency", description = "of the months in which both functions are known" }
-- touches_lost = { title = "Touches lost", format = "#,##0", good = "down" }
-- touches_gained = { title = "Touches gained", format = "#,##0", good = "up" }
-- gained_for_one = { title = "Gained for one lost", format = "0.00", good = "up", bands = [0.8, 1.25], missing = "note", description = "cost per touch where money is taken by that where it goes" }
-- touches_before = { title = "Touches before", format = "#,##0", description = "of both functions" }
-- touches_after = { title = "Touches after", format = "#,##0" }
-- cost_per_touch_before = { title = "Per touch before", format = "currency", good = "down", description = "of both functions" }
-- cost_per_touch_after = { title = "Per touch after", format = "currency", good = "down" }
-- peers = { title = "Peers", format = "0", description = "other offices in the median" }
-- index_before = { title = "Index before", format = "0.00", good = "down", bands = [0.8, 1.25], description = "cost per touch by the peers' median" }
-- index_after = { title = "Index after", format = "0.00", good = "down", bands = [0.8, 1.25], description = "as before; the peers stay as they are" }
-- note = { title = "Note", description = "what is not reported in full, how many months have both functions, and why an office is left out" }
--
-- [[chart]]
-- type = "bar"
-- x = "gained_for_one"
-- y = "office"
-- color = "region"
-- total = "All"
-- +++
with both_functions as (
    select
        office_id,
        period,
        sum(known_cost) filter (where function = $from_function) as from_cost,
        sum(known_touches) filter (where function = $from_function) as from_touches,
        sum(known_cost) filter (where function = $to_function) as to_cost,
        sum(known_touches) filter (where function = $to_function) as to_touches
    from "cost-months"
    where function in ($from_function, $to_function)
      and status in ('reported', 'explicit zero', 'partial')
    group by office_id, period
),
-- A month of one function alone would move the mix of the two, and with it their cost per touch. An explicit zero is a
-- report, and such a month has both.
known as (
    select
        office_id,
        count(*) as known_months,
        sum(from_cost) as from_cost,
        sum(from_touches) as from_touches,
        sum(to_cost) as to_cost,
        sum(to_touches) as to_touches
    from both_functions
    where from_cost is not null
      and to_cost is not null
    group by office_id
),
states as (
    select
        office_id,
        max(months) as months,
        bool_and(status in ('reported', 'estimated')) as is_complete,
        string_agg(concat(function, ': ', status), ', ' order by function) filter (where status <> 'reported') as gaps
    from "cost-cells"
    where function in ($from_function, $to_function)
    group by office_id
),
offices_now as (
    select
        o.office_id,
        o.office,
        o.region,
        coalesce(s.months, 0) as months,
        coalesce(k.known_months, 0) as known_months,
        coalesce(s.is_complete, false) as is_complete,
        s.gaps,
        k.from_cost,
        k.from_touches,
        k.to_cost,
        k.to_touches,
        -- Both ratios are needed; a function asked for twice is only one.
        $from_function <> $to_function
            and coalesce(cost_per_touch(k.from_cost, k.from_touches) > 0, false)
            and coalesce(cost_per_touch(k.to_cost, k.to_touches) > 0, false) as is_known
    from offices o
    left join states s on s.office_id = o.office_id
    left join known k on k.office_id = o.office_id
),
judged as (
    select
        *,
        -- Peers take what was reported in full only: what is incomplete is indexed, and nobody's peer.
        case when is_known and is_complete then cost_per_touch(from_cost + to_cost, from_touches + to_touches) end
            as complete_cost_per_touch,
        case
            when $from_function = $to_function then 'left out, the same function twice'
            when months = 0 then 'left out, not open'
            else nullif(
                concat_ws(
                    ', ',
                    case when not is_known then 'left out' end,
                    gaps,
                    case when known_months < months then concat(known_months, ' of ', months, ' months') end,
                    -- What was reported in full may still have nothing to divide by, or no cost to move.
                    case
                        when known_months > 0 and coalesce(cost_per_touch(from_cost, from_touches), 0) <= 0
                            then concat($from_function, ': cost or touches are 0 or less')
                    end,
                    case
                        when known_months > 0 and coalesce(cost_per_touch(to_cost, to_touches), 0) <= 0
                            then concat($to_function, ': cost or touches are 0 or less')
                    end
                ),
                ''
            )
        end as note
    from offices_now
),
-- All other offices are peers, whichever move money: the filter comes behind.
held_against_peers as (
    select
        *,
        count_excluding_self(complete_cost_per_touch) over () as peers,
        median_excluding_self(complete_cost_per_touch, min_peers => 4) over () as peer_median
    from judged
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
        note
    from moves
    union all
    select
        'All',
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
