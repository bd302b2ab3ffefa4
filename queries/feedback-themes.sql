-- +++
-- name = "feedback-themes"
-- title = "What field staff hear: themes and where they move"
-- description = """
-- Notes of field staff by theme, in a window of months and in the window before it. Shares are of all notes of the same \
-- window, so that a busier quarter does not look like a worse one. An account counts once however often it was heard; \
-- partners' notes count as notes and not as accounts. Overdue is open or in progress after its due day."""
-- tags = ["voice of the field", "monthly"]
-- grain = ["theme"]
--
-- [params.to]
-- type = "month"
-- default = "last_complete(month)"
-- description = "last month of the window"
--
-- [params.months]
-- type = "int"
-- default = 3
-- min = 1
-- max = 60
-- description = "length of the window in months"
--
-- [params.regions]
-- type = "list<text>"
-- default = "all"
-- values = ["NA", "EMEA", "APAC"]
--
-- [params.templates]
-- type = "list<text>"
-- default = "all"
-- values = ["customer interview", "partner interview", "ad hoc"]
--
-- [params.as_of]
-- type = "date"
-- default = "today"
-- description = "the day by which a follow-up is overdue"
--
-- [columns]
-- theme = { title = "Theme" }
-- notes = { title = "Notes", format = "#,##0", total = "sum" }
-- accounts = { title = "Accounts", format = "#,##0" }
-- share = { title = "Share", format = "0.0%" }
-- notes_before = { title = "Notes before", format = "#,##0", total = "sum" }
-- share_before = { title = "Share before", format = "0.0%" }
-- change = { title = "Change (points)", format = "+0.0", description = "share less share before, in percentage points" }
-- negative_share = { title = "Negative", format = "0%", good = "down" }
-- mean_severity = { title = "Mean severity", format = "0.0", good = "down" }
-- still_open = { title = "Open", format = "#,##0", good = "down", total = "sum" }
-- overdue = { title = "Overdue", format = "#,##0", good = "down", total = "sum" }
--
-- [[chart]]
-- type = "bar"
-- x = "share"
-- y = "theme"
-- +++
with heard as (
    select
        f.*,
        f.captured_at >= cast($to as date) - cast(concat($months - 1, ' months') as interval) as is_now
    from field_feedback f
    join offices o on o.office_id = f.office_id
    where f.captured_at >= cast($to as date) - cast(concat(2 * $months - 1, ' months') as interval)
      and f.captured_at < cast($to as date) + interval '1 month'
      and f.template = any($templates)
      and o.region = any($regions)
),
totals as (
    select
        count(*) filter (where is_now) as notes,
        count(*) filter (where not is_now) as notes_before
    from heard
),
themes as (
    select
        theme,
        count(*) filter (where is_now) as notes,
        count(distinct account_id) filter (where is_now) as accounts,
        count(*) filter (where not is_now) as notes_before,
        count(*) filter (where is_now and sentiment = 'negative') as negative,
        avg(severity) filter (where is_now) as mean_severity,
        count(*) filter (where is_now and status <> 'closed') as still_open,
        count(*) filter (where is_now and overdue(status, due_on, $as_of)) as overdue
    from heard
    group by theme
),
shares as (
    select
        themes.*,
        cast(themes.notes as double) / nullif(totals.notes, 0) as share,
        cast(themes.notes_before as double) / nullif(totals.notes_before, 0) as share_before
    from themes
    cross join totals
)
select
    theme,
    notes,
    accounts,
    share,
    notes_before,
    share_before,
    100 * (share - share_before) as change,
    cast(negative as double) / nullif(notes, 0) as negative_share,
    mean_severity,
    still_open,
    overdue
from shares
order by notes desc, theme
