-- +++
-- name = "escalations"
-- title = "Escalations: how many, how severe, how long"
-- description = """
-- Escalations opened in a window of months, by region, office, root cause, journey stage or severity, against those \
-- of as many months before. Opened is closed plus still open, all by the day `as_of`. Days to close are those of the \
-- Kaplan-Meier estimate: what is still open counts as open for as long as it has been, so that neither leaving it \
-- out nor waiting for it makes a group look faster. A percentile that not enough are closed for is left empty, with \
-- a note; so is one of fewer than `min_base` escalations. Reopened is what the data says today, and the newest had \
-- the least time for it."""
-- tags = ["escalations", "monthly"]
-- grain = ["group_name"]
--
-- [params.by]
-- type = "text"
-- default = "region"
-- values = ["region", "office", "root cause", "journey stage", "severity"]
-- description = "what a row stands for"
--
-- [params.to]
-- type = "month"
-- default = "last_complete(month)"
-- description = "last month of the window, by the day of opening (UTC)"
--
-- [params.months]
-- type = "int"
-- default = 6
-- min = 1
-- max = 24
-- description = "length of the window in months, and of the one before"
--
-- [params.as_of]
-- type = "date"
-- default = "today"
-- description = "what is not closed before this day is open"
--
-- [params.offices]
-- type = "list<text>"
-- default = "all"
-- values_sql = "select office_id, office from offices order by office_id"
-- description = "offices whose escalations are counted, in the row of all too"
--
-- [params.min_base]
-- type = "int"
-- default = 10
-- min = 1
-- description = "fewest escalations for days and shares to be shown"
--
-- [columns]
-- group_name = { title = "Group" }
-- opened = { title = "Opened", format = "#,##0", description = "in the window" }
-- still_open = { title = "Still open", format = "#,##0", good = "down", description = "of those" }
-- median_days = { title = "Median days", format = "0.0", good = "down", description = "by which half are closed" }
-- median_change = { title = "Change (days)", format = "+0.0", good = "down" }
-- p90_days = { title = "90 % within", format = "0.0", good = "down", description = "days by which nine of ten are closed" }
-- severe_share = { title = "Severe", format = "0%", good = "down", description = "severity 4 or 5, of all opened" }
-- severe_change = { title = "Severe (points)", format = "+0", good = "down", description = "severe share less that of the window before, in percentage points" }
-- share = { title = "Share", format = "0%", description = "of all opened" }
-- closed = { title = "Closed", format = "#,##0", description = "of those" }
-- older_open = { title = "Older open", format = "#,##0", good = "down", description = "opened before the window and not closed" }
-- severities = { title = "Severity 1-5", description = "opened of severity 1, 2, 3, 4 and 5 (worst)" }
-- opened_before = { title = "Opened before", format = "#,##0", description = "in the window before" }
-- median_days_before = { title = "Median before", format = "0.0" }
-- reopened_change = { title = "Reopened (points)", format = "+0", good = "down", description = "likewise" }
-- reopened_share = { title = "Reopened", format = "0%", good = "down", description = "of all opened" }
-- top_cause = { title = "Top cause", description = "most frequent root cause; all of them where several are" }
-- top_cause_share = { title = "Its share", format = "0%", description = "of all opened; of each of them where several are" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "bar"
-- title = "Days by which half are closed"
-- x = "median_days"
-- y = "group_name"
-- total = "All"
-- +++
with bounds as (
    select
        cast($to as date) - cast(concat(2 * $months - 1, ' months') as interval) as first_day_before,
        cast($to as date) - cast(concat($months - 1, ' months') as interval) as first_day,
        cast($to as date) + interval '1 month' as end_day
),
matters as (
    select
        case $by
            when 'region' then o.region
            when 'office' then o.office
            when 'root cause' then e.root_cause
            when 'journey stage' then e.journey_stage
            else cast(e.severity as varchar)
        end as part,
        e.root_cause,
        e.severity,
        e.is_reopened,
        e.closed_at is not null and e.closed_at < $as_of as is_closed,
        case
            when e.opened_at >= b.first_day and e.opened_at < b.end_day then 'now'
            when e.opened_at >= b.first_day_before and e.opened_at < b.first_day then 'before'
            when e.opened_at < b.first_day_before then 'earlier'
        end as at_time,
        (to_unixtime(case when e.closed_at < $as_of then e.closed_at else cast($as_of as timestamp) end)
            - to_unixtime(e.opened_at)) / 86400.0 as days
    from escalations e
    join offices o on o.office_id = e.office_id
    cross join bounds b
    where e.opened_at < $as_of
      and e.office_id = any($offices)
),
-- Every matter counts in its own group and in that of all.
grouped as (
    select part as group_name, 1 as place, root_cause, severity, is_reopened, is_closed, at_time, days from matters
    union all
    select 'All' as group_name, 0 as place, root_cause, severity, is_reopened, is_closed, at_time, days from matters
),
counted as (
    select
        group_name,
        place,
        count(*) filter (where at_time = 'now') as opened,
        count(*) filter (where at_time = 'now' and is_closed) as closed,
        count(*) filter (where at_time in ('before', 'earlier') and not is_closed) as older_open,
        count(*) filter (where at_time = 'now' and severity = 1) as severity_1,
        count(*) filter (where at_time = 'now' and severity = 2) as severity_2,
        count(*) filter (where at_time = 'now' and severity = 3) as severity_3,
        count(*) filter (where at_time = 'now' and severity = 4) as severity_4,
        count(*) filter (where at_time = 'now' and severity = 5) as severity_5,
        count(*) filter (where at_time = 'now' and severe(severity)) as severe,
        count(*) filter (where at_time = 'now' and is_reopened) as reopened,
        count(*) filter (where at_time = 'before') as opened_before,
        count(*) filter (where at_time = 'before' and severe(severity)) as severe_before,
        count(*) filter (where at_time = 'before' and is_reopened) as reopened_before
    from grouped
    group by group_name, place
),
-- Kaplan-Meier: at each age, those who closed at it of all who were watched until then.
ages as (
    select
        group_name,
        at_time,
        days,
        count(*) filter (where is_closed) as closed_at_age,
        sum(count(*)) over (
            partition by group_name, at_time order by days desc rows between unbounded preceding and current row
        ) as watched
    from grouped
    where at_time in ('now', 'before')
    group by group_name, at_time, days
),
survival as (
    select
        group_name,
        at_time,
        days,
        -- A product of shares, as the sum of their logarithms; the last to close leaves none open.
        exp(sum(ln(1 - cast(closed_at_age as double) / watched)) over (
            partition by group_name, at_time order by days rows between unbounded preceding and current row
        )) as open_share
    from ages
),
durations as (
    select
        group_name,
        min(days) filter (where at_time = 'now' and open_share <= 0.5 + 1e-9) as median_days,
        min(days) filter (where at_time = 'now' and open_share <= 0.1 + 1e-9) as p90_days,
        min(days) filter (where at_time = 'before' and open_share <= 0.5 + 1e-9) as median_days_before
    from survival
    group by group_name
),
causes as (
    select group_name, root_cause, count(*) as matters, max(count(*)) over (partition by group_name) as most_matters
    from grouped
    where at_time = 'now'
      and $by <> 'root cause'
    group by group_name, root_cause
),
-- Of causes that are as frequent none is the first.
top_causes as (
    select
        group_name,
        string_agg(root_cause, ' or ' order by root_cause) as top_cause,
        max(matters) as top_cause_matters
    from causes
    where matters = most_matters
    group by group_name
),
shown as (
    select
        c.*,
        d.median_days,
        d.p90_days,
        d.median_days_before,
        t.top_cause,
        t.top_cause_matters,
        c.opened >= $min_base as is_enough,
        c.opened_before >= $min_base as was_enough
    from counted c
    left join durations d on d.group_name = c.group_name
    left join top_causes t on t.group_name = c.group_name
)
select
    group_name,
    opened,
    opened - closed as still_open,
    case when is_enough then median_days end as median_days,
    case when is_enough and was_enough then median_days - median_days_before end as median_change,
    case when is_enough then p90_days end as p90_days,
    case when is_enough then cast(severe as double) / opened end as severe_share,
    case
        when is_enough and was_enough
        then 100 * (cast(severe as double) / opened - cast(severe_before as double) / opened_before)
    end as severe_change,
    cast(opened as double) / nullif(max(opened) filter (where place = 0) over (), 0) as share,
    closed,
    older_open,
    concat_ws(' / ', severity_1, severity_2, severity_3, severity_4, severity_5) as severities,
    opened_before,
    case when was_enough then median_days_before end as median_days_before,
    case
        when is_enough and was_enough
        then 100 * (cast(reopened as double) / opened - cast(reopened_before as double) / opened_before)
    end as reopened_change,
    case when is_enough then cast(reopened as double) / opened end as reopened_share,
    case when is_enough then top_cause end as top_cause,
    case when is_enough then cast(top_cause_matters as double) / opened end as top_cause_share,
    case
        when opened = 0 then 'none in the window'
        when not is_enough then 'base too small'
        when median_days is null then 'fewer than half are closed'
        when p90_days is null then 'fewer than nine of ten are closed'
        when not was_enough then 'base before too small'
    end as note
from shown
order by place, opened desc, group_name
