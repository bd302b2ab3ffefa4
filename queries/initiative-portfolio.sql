-- +++
-- name = "initiative-portfolio"
-- title = "Initiatives: what needs attention"
-- description = """
-- Every initiative with its progress against the time that has passed, what is spent of its budget, and when its \
-- sponsor last reported. Stale, overdue and behind are for those in progress only; a planned one is late when its \
-- start has passed. Over budget is for all: what is done can still have cost too much. Forecast cost is spent by \
-- progress, which holds only as far as progress is honest. Status and progress are the latest reported, whatever the \
-- day `as_of`. First come those that somebody can still act on, with most flags, and of those the ones with the \
-- largest budget."""
-- tags = ["initiatives", "monthly"]
-- grain = ["initiative_id"]
--
-- [params.as_of]
-- type = "date"
-- default = "today"
-- description = "the day from which is counted"
--
-- [params.stale_days]
-- type = "int"
-- default = 60
-- min = 1
-- description = "an initiative in progress is stale when nobody reported on it for more days than this"
--
-- [params.behind_points]
-- type = "float"
-- default = 20.0
-- min = 0
-- description = "behind: progress is more than this many percentage points below the time that has passed"
--
-- [params.regions]
-- type = "list<text>"
-- default = "all"
-- values = ["NA", "EMEA", "APAC"]
--
-- [params.statuses]
-- type = "list<text>"
-- default = "all"
-- values = ["planned", "in progress", "done", "stopped"]
--
-- [params.only_flagged]
-- type = "bool"
-- default = false
-- description = "leave out those without a flag"
--
-- [columns]
-- initiative_id = { title = "Id" }
-- initiative = { title = "Initiative" }
-- flags = { title = "Flags", description = "stale, over budget, overdue, behind or late start" }
-- sponsor = { title = "Sponsor" }
-- status = { title = "Status" }
-- progress = { title = "Progress", format = "0%", good = "up" }
-- time_passed = { title = "Time passed", format = "0%", description = "of the time from start to due day, by `as_of` or the day of closing; above 100 % after the due day" }
-- ahead = { title = "Ahead (points)", format = "+0", good = "up", description = "progress less time passed, to 100 % at most, in percentage points; in progress only" }
-- place = { title = "Where", description = "the office, or the region where it is for all of its offices" }
-- is_stale = { title = "Stale" }
-- is_over_budget = { title = "Over budget" }
-- is_overdue = { title = "Overdue" }
-- budget = { title = "Budget", format = "currency", total = "sum" }
-- spent = { title = "Spent", format = "currency", total = "sum" }
-- over_budget = { title = "Over by", format = "currency", good = "down", total = "sum", description = "spent above the budget" }
-- forecast_cost = { title = "Forecast cost", format = "#,##0", description = "spent by progress; in progress only" }
-- expected_points = { title = "Expected points", format = "0.0", description = "NPS points that it was meant to bring" }
-- started_on = { title = "Start" }
-- spent_share = { title = "Of budget", format = "0%", good = "down", bands = [0.9, 1.0], total = "spent / budget" }
-- days_since_update = { title = "Report (days)", format = "0", good = "down", description = "since the sponsor reported, of those planned or in progress" }
-- due_on = { title = "Due" }
-- days_late = { title = "Days late", format = "+0", good = "down", description = "of what is done, closing day less due day; of what is overdue, days since the due day" }
--
-- [[chart]]
-- type = "scatter"
-- title = "Progress against time"
-- x = "time_passed"
-- y = "progress"
-- color = "status"
-- label = "initiative"
-- +++
with dated as (
    select
        i.*,
        coalesce(o.office, concat(i.region, ', all offices')) as place,
        i.status in ('planned', 'in progress') as is_alive,
        i.status = 'in progress' as is_running,
        -- What is closed stopped counting on that day.
        coalesce(i.closed_on, cast($as_of as date)) - i.started_on as days_passed,
        i.due_on - i.started_on as days_planned,
        coalesce(i.closed_on, cast($as_of as date)) - i.due_on as days_over,
        cast($as_of as date) - i.updated_on as days_since_update
    from initiatives i
    left join offices o on o.office_id = i.office_id
    where i.region = any($regions)
      and i.status = any($statuses)
),
measured as (
    select
        *,
        greatest(cast(days_passed as double) / days_planned, 0) as time_passed,
        stale(status, updated_on, cast($as_of as date), $stale_days) as is_stale,
        over_budget(spent, budget) as is_over_budget,
        is_running and overdue(status, due_on, $as_of) as is_overdue,
        status = 'planned' and started_on < $as_of as is_late_start
    from dated
),
flagged as (
    select
        *,
        is_running and 100 * (least(time_passed, 1) - progress) > $behind_points as is_behind
    from measured
),
listed as (
    select
        *,
        nullif(
            concat_ws(
                ', ',
                case when is_stale then 'stale' end,
                case when is_over_budget then 'over budget' end,
                case when is_overdue then 'overdue' end,
                case when is_behind then 'behind' end,
                case when is_late_start then 'late start' end
            ),
            ''
        ) as flags,
        cast(is_stale as int) + cast(is_over_budget as int) + cast(is_overdue as int) + cast(is_behind as int)
            + cast(is_late_start as int) as flag_count
    from flagged
)
select
    initiative_id,
    title as initiative,
    flags,
    sponsor,
    status,
    progress,
    time_passed,
    case when is_running then 100 * (progress - least(time_passed, 1)) end as ahead,
    place,
    is_stale,
    is_over_budget,
    is_overdue,
    budget,
    spent,
    case when is_over_budget then spent - budget end as over_budget,
    case when is_running and progress > 0 then cast(spent as double) / progress end as forecast_cost,
    expected_points,
    started_on,
    cast(spent as double) / cast(nullif(budget, 0) as double) as spent_share,
    case when is_alive then days_since_update end as days_since_update,
    due_on,
    case when is_overdue or status = 'done' then days_over end as days_late
from listed
where flag_count > 0 or not $only_flagged
order by
    -- Something can be done about what is running, then there is something to learn from what is closed.
    case
        when is_alive and flag_count > 0 then 0
        when flag_count > 0 then 1
        when is_running then 2
        when is_alive then 3
        else 4
    end,
    flag_count desc,
    budget desc,
    initiative_id
