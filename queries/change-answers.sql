-- +++
-- name = "change-answers"
-- title = "Answers before and after a change"
-- description = """
-- The answers of the months before and after a day on which something changed in some offices, each with the side of \
-- the day on which it came, and whether its office is one that changed. The day and the offices are given, or are \
-- those of an initiative: its office or all offices of its region, and the day on which it began or ended. NPS comes \
-- from the surveys chosen, CSAT from all that ask for it. Months are counted from the day: 0 is the first after it, \
-- -1 the last before. In a month without that day they begin on its last one."""
-- tags = ["surveys", "initiatives", "base"]
-- grain = ["response_id", "measure"]
-- uses = ["survey-invitations"]
--
-- [params.change]
-- type = "date"
-- default = 2026-01-05
-- description = "the day of the change, which is the first day after it"
--
-- [params.offices]
-- type = "list<text>"
-- default = ["Seattle"]
-- values_sql = "select office_id, office from offices order by office_id"
-- description = "the offices that changed"
--
-- [params.initiative]
-- type = "text"
-- default = "none"
-- values_sql = "select 'none' as title union all select title from initiatives order by title"
-- description = "take day and offices from this initiative instead"
--
-- [params.counted_from]
-- type = "text"
-- default = "start"
-- values = ["start", "end"]
-- description = "the day of an initiative that counts; one without an end counts from the day it is due"
--
-- [params.compare_with]
-- type = "text"
-- default = "all"
-- values = ["all", "region"]
-- description = "the other offices: all, or those of the same regions"
--
-- [params.months]
-- type = "int"
-- default = 9
-- min = 1
-- max = 24
-- description = "months before, and after, by the day of the answer (UTC)"
--
-- [params.survey_types]
-- type = "list<text>"
-- default = ["pulse"]
-- values = ["pulse", "relationship", "executive"]
-- description = "surveys whose NPS counts"
--
-- [columns]
-- changed_on = { title = "Changed on" }
-- office_group = { title = "Offices", description = "changed or others" }
-- measure = { title = "Measure", description = "NPS or CSAT" }
-- is_after = { title = "After" }
-- month_offset = { title = "Month", format = "+0" }
-- response_id = { title = "Response" }
-- answered_at = { title = "Answered" }
-- score = { title = "Score", format = "0", description = "0 to 10 for NPS, 1 to 5 for CSAT" }
-- +++
with chosen as (
    select
        max(case when $counted_from = 'end' then coalesce(closed_on, due_on) else started_on end) as began_on,
        max(office_id) as office_id,
        max(region) as region
    from initiatives
    where title = $initiative
),
office_groups as (
    select
        o.office_id,
        o.region,
        -- A date that no initiative gives is the one asked for.
        coalesce(c.began_on, cast($change as date)) as changed_on,
        case
            when $initiative = 'none' then o.office_id = any($offices)
            else o.region = c.region and (c.office_id is null or o.office_id = c.office_id)
        end as is_changed
    from offices o
    cross join chosen c
),
compared_offices as (
    select *, bool_or(is_changed) over (partition by region) as is_same_region
    from office_groups
),
answers as (
    select
        i.response_id,
        i.answered_at,
        i.nps,
        i.csat,
        i.survey_type,
        g.changed_on,
        case when g.is_changed then 'changed' else 'others' end as office_group,
        -- Whole months since the change, which begin on its day of the month, or on the last of a month that has no
        -- such day; the last before it is -1.
        12 * (date_part('year', i.answered_at) - date_part('year', g.changed_on))
            + date_part('month', i.answered_at) - date_part('month', g.changed_on)
            - cast(
                date_part('day', i.answered_at) < least(
                    date_part('day', g.changed_on),
                    date_part('day', date_trunc('month', i.answered_at) + interval '1 month' - interval '1 day')
                ) as int
            ) as month_offset
    from "survey-invitations" i
    join compared_offices g on g.office_id = i.office_id
    where i.answered_at is not null
      and (g.is_changed or $compare_with = 'all' or g.is_same_region)
),
within as (
    select *, month_offset >= 0 as is_after
    from answers
    where month_offset >= -$months
      and month_offset < $months
)
select
    w.changed_on,
    w.office_group,
    m.measure,
    w.is_after,
    w.month_offset,
    w.response_id,
    w.answered_at,
    case m.measure when 'NPS' then w.nps else w.csat end as score
from within w
cross join (values ('NPS'), ('CSAT')) m(measure)
where case m.measure
        when 'NPS' then w.nps is not null and w.survey_type = any($survey_types)
        else w.csat is not null
    end
order by m.measure desc, w.answered_at, w.response_id
