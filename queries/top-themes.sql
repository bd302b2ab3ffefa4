-- +++
-- name = "top-themes"
-- title = "Top themes over all listening posts, and where they move"
-- description = """
-- What customers and partners talk about, over field notes, interviews, and both kinds of surveys. Voices are \
-- accounts and partners, each once however often and wherever it spoke; the share is of all voices of the same \
-- window, so that a busier window does not look like a worse one. One voice may raise several themes: shares add up \
-- to more than 100 %. The change is against the window of the same length before, over that window's own voices; \
-- its interval is Agresti and Caffo's for the difference of two shares. Comments that name no theme count among the \
-- voices and show as Other below the list."""
-- tags = ["voice of the field", "monthly"]
-- grain = ["theme"]
-- uses = ["theme-mentions"]
--
-- [params.to]
-- type = "month"
-- default = "last_complete(month)"
-- description = "last month of the window (UTC)"
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
-- [params.top]
-- type = "int"
-- default = 10
-- min = 1
-- description = "themes to show"
--
-- [params.confidence]
-- type = "float"
-- default = 0.95
-- min = 0.5
-- max = 0.999
-- description = "probability that the intervals of ten themes all hold together"
--
-- [columns]
-- place = { title = "Place", format = "0" }
-- place_before = { title = "Place before", format = "0" }
-- theme = { title = "Theme" }
-- voices = { title = "Voices", format = "#,##0", description = "accounts and partners that raised it" }
-- base = { title = "Of", format = "#,##0", description = "all voices of the window" }
-- share = { title = "Share", format = "0.0%" }
-- voices_before = { title = "Voices before", format = "#,##0" }
-- base_before = { title = "Of before", format = "#,##0" }
-- share_before = { title = "Share before", format = "0.0%" }
-- change = { title = "Change", format = "+0.0", description = "share less share before, in percentage points" }
-- low = { title = "Low", format = "+0.0", description = "of the change" }
-- high = { title = "High", format = "+0.0", description = "of the change" }
-- noted_accounts = { title = "Field notes", format = "#,##0", description = "accounts of which staff noted it" }
-- survey_people = { title = "Customer surveys", format = "#,##0", description = "people who wrote it" }
-- interviewed_partners = { title = "Partner interviews", format = "#,##0", description = "partners who said it" }
-- surveyed_partners = { title = "Partner surveys", format = "#,##0", description = "partners whose answer is about it" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "bar"
-- x = "share"
-- y = "theme"
--
-- [[chart]]
-- type = "dot"
-- title = "Change against the window before"
-- x = "change"
-- y = "theme"
-- low = "low"
-- high = "high"
-- +++
with heard as (
    select
        *,
        heard_at >= cast($to as date) - cast(concat($months - 1, ' months') as interval) as is_now
    from "theme-mentions"
    where heard_at >= cast($to as date) - cast(concat(2 * $months - 1, ' months') as interval)
      and heard_at < cast($to as date) + interval '1 month'
      and region = any($regions)
),
bases as (
    select
        count(distinct customer) filter (where is_now) as base,
        count(distinct customer) filter (where not is_now) as base_before
    from heard
),
themes as (
    select
        theme,
        count(distinct customer) filter (where is_now) as voices,
        count(distinct customer) filter (where not is_now) as voices_before,
        count(distinct person) filter (where is_now and post = 'field notes') as noted_accounts,
        count(distinct person) filter (where is_now and post = 'customer surveys') as survey_people,
        count(distinct person) filter (where is_now and post = 'partner interviews') as interviewed_partners,
        count(distinct person) filter (where is_now and post = 'partner surveys') as surveyed_partners
    from heard
    group by theme
),
placed as (
    select
        *,
        row_number() over (partition by theme = 'Other' order by voices desc, theme) as place,
        row_number() over (partition by theme = 'Other' order by voices_before desc, theme) as place_before
    from themes
),
shares as (
    select
        p.*,
        b.base,
        b.base_before,
        cast(p.voices as double) / nullif(b.base, 0) as share,
        cast(p.voices_before as double) / nullif(b.base_before, 0) as share_before,
        -- Agresti and Caffo: one voice for and one against are added to both sides.
        (p.voices + 1.0) / (b.base + 2) as adjusted,
        (p.voices_before + 1.0) / (b.base_before + 2) as adjusted_before
    from placed p
    cross join bases b
),
-- How many standard errors an interval reaches. Each of ten themes may be wrong a tenth as often as any of them
-- (Bonferroni).
reach as (
    select z_value(1 - (1 - $confidence) / 10) as z
),
spread as (
    select
        *,
        adjusted - adjusted_before as difference,
        z * sqrt(
            adjusted * (1 - adjusted) / (base + 2)
            + adjusted_before * (1 - adjusted_before) / (base_before + 2)
        ) as margin
    from shares
    cross join reach
)
select
    case when theme <> 'Other' then place end as place,
    case when theme <> 'Other' and voices_before > 0 then place_before end as place_before,
    theme,
    voices,
    base,
    share,
    voices_before,
    base_before,
    share_before,
    100 * (share - share_before) as change,
    case when base > 0 and base_before > 0 then 100 * (difference - margin) end as low,
    case when base > 0 and base_before > 0 then 100 * (difference + margin) end as high,
    noted_accounts,
    survey_people,
    interviewed_partners,
    surveyed_partners,
    case
        when base = 0 or base_before = 0 then 'nothing to compare with'
        when difference - margin > 0 then 'rises'
        when difference + margin < 0 then 'falls'
        else 'may be noise'
    end as note
from spread
where theme = 'Other'
   or place <= $top
order by theme = 'Other', place
