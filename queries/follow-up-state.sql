-- +++
-- name = "follow-up-state"
-- title = "Do we call back? Follow-ups by office"
-- description = """
-- Follow-ups of answers in a window of months, by office, region, owner or kind. Every one of them is done in time, \
-- done late, given up as not reached, overdue or not due yet, and these five add up. Due leaves out the last. In \
-- time includes the due day. Shares are of those due, and withheld where fewer than `min_base` are. Solved is the \
-- share of calls made that brought what they were for: an issue solved, or a reference agreed. Offices without any \
-- follow-up in the window have no row. Status is as of the data; `as_of` only says what is due."""
-- tags = ["follow-up", "monthly"]
-- grain = ["group_name"]
--
-- [params.by]
-- type = "text"
-- default = "office"
-- values = ["office", "region", "owner", "kind"]
-- description = "what a row stands for"
--
-- [params.to]
-- type = "month"
-- default = "last_complete(month)"
-- description = "last month, by the day on which the follow-up was opened (UTC), within hours of the answer"
--
-- [params.months]
-- type = "int"
-- default = 3
-- min = 1
-- max = 12
-- description = "length of the window in months"
--
-- [params.as_of]
-- type = "date"
-- default = "today"
-- description = "what was due before this day is due"
--
-- [params.kinds]
-- type = "list<text>"
-- default = ["call detractor"]
-- values = ["call detractor", "activate promoter"]
--
-- [params.min_base]
-- type = "int"
-- default = 5
-- min = 1
-- description = "fewest follow-ups due for shares to be shown"
--
-- [columns]
-- group_name = { title = "Group" }
-- follow_ups = { title = "Follow-ups", format = "#,##0" }
-- due = { title = "Due", format = "#,##0", description = "done, given up, or past the due day" }
-- done_in_time = { title = "In time", format = "#,##0", good = "up" }
-- done_late = { title = "Late", format = "#,##0", good = "down" }
-- not_reached = { title = "Not reached", format = "#,##0", good = "down" }
-- overdue = { title = "Overdue", format = "#,##0", good = "down", description = "open after the due day" }
-- not_due_yet = { title = "Not due yet", format = "#,##0" }
-- in_time_share = { title = "In time, share", format = "0%", good = "up", missing = "note" }
-- overdue_share = { title = "Overdue, share", format = "0%", good = "down", missing = "note" }
-- median_days = { title = "Median days", format = "0.0", good = "down", missing = "note", description = "from opening to the call, of the calls made" }
-- solved_share = { title = "Solved", format = "0%", good = "up", missing = "note", description = "of the calls made" }
-- revenue_overdue = { title = "Revenue overdue", format = "#,##0", good = "down", description = "annual revenue of the accounts with one overdue, each once" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "bar"
-- title = "Follow-ups overdue"
-- x = "overdue"
-- y = "group_name"
-- total = "All"
-- +++
with states as (
    select
        case $by
            when 'office' then o.office
            when 'region' then o.region
            when 'owner' then f.owner
            else f.kind
        end as part,
        f.account_id,
        a.annual_revenue,
        f.outcome,
        (to_unixtime(f.contacted_at) - to_unixtime(f.opened_at)) / 86400.0 as days,
        case
            when f.status = 'done' and cast(f.contacted_at as date) <= f.due_on then 'in time'
            when f.status = 'done' then 'late'
            when f.status = 'not reached' then 'not reached'
            when overdue(f.status, f.due_on, $as_of) then 'overdue'
            else 'not due yet'
        end as state
    from follow_ups f
    join offices o on o.office_id = f.office_id
    join accounts a on a.account_id = f.account_id
    where f.kind = any($kinds)
      and f.opened_at >= cast($to as date) - cast(concat($months - 1, ' months') as interval)
      and f.opened_at < cast($to as date) + interval '1 month'
      and f.opened_at < $as_of
),
numbered as (
    select
        *,
        -- An account with several overdue is one account, in its row and in that of all.
        row_number() over (partition by part, account_id, state order by days) as of_part,
        row_number() over (partition by account_id, state order by days) as of_all
    from states
),
counted as (
    select
        case when grouping(part) = 1 then 'All' else part end as group_name,
        grouping(part) as is_all,
        count(*) as follow_ups,
        count(*) filter (where state <> 'not due yet') as due,
        count(*) filter (where state = 'in time') as done_in_time,
        count(*) filter (where state = 'late') as done_late,
        count(*) filter (where state = 'not reached') as not_reached,
        count(*) filter (where state = 'overdue') as overdue,
        count(*) filter (where state = 'not due yet') as not_due_yet,
        median(days) as median_days,
        count(outcome) as calls,
        count(*) filter (where outcome in ('issue solved', 'reference agreed')) as solved,
        case
            when grouping(part) = 1 then sum(annual_revenue) filter (where state = 'overdue' and of_all = 1)
            else sum(annual_revenue) filter (where state = 'overdue' and of_part = 1)
        end as revenue_overdue
    from numbered
    group by grouping sets ((), (part))
)
select
    group_name,
    follow_ups,
    due,
    done_in_time,
    done_late,
    not_reached,
    overdue,
    not_due_yet,
    case when due >= $min_base then cast(done_in_time as double) / due end as in_time_share,
    case when due >= $min_base then cast(overdue as double) / due end as overdue_share,
    case when calls >= $min_base then median_days end as median_days,
    case when calls >= $min_base then cast(solved as double) / calls end as solved_share,
    -- Nothing overdue is no revenue, and not an unknown one.
    coalesce(revenue_overdue, 0) as revenue_overdue,
    case
        when follow_ups = 0 then 'none in the window'
        when due < $min_base then 'base too small'
        when calls < $min_base then 'too few calls made'
    end as note
from counted
order by is_all desc, overdue desc, due desc, group_name
