-- +++
-- name = "pulse-around-change"
-- title = "Around a change: NPS and CSAT step by step"
-- description = """
-- The same answers as in pulse-before-after, in steps of some months counted from the day of the change, for the \
-- offices that changed and for the others: whether a score fell at once, slowly, or before. Step 0 begins with the \
-- change. NPS is in points with its adjusted Wald interval, CSAT the per cent of 4 and 5 with Wilson's. A step with \
-- fewer answers than the minimum base has no score."""
-- tags = ["surveys", "initiatives", "quarterly"]
-- grain = ["measure", "office_group", "step"]
-- uses = ["change-answers"]
--
-- [params.step_months]
-- type = "int"
-- default = 3
-- min = 1
-- max = 12
-- description = "months of a step; the outermost may have fewer"
--
-- [params.measures]
-- type = "list<text>"
-- default = ["NPS"]
-- values = ["NPS", "CSAT"]
--
-- [params.min_base]
-- type = "int"
-- default = 10
-- min = 1
-- description = "fewest answers for a score"
--
-- [params.confidence]
-- type = "float"
-- default = 0.95
-- min = 0.5
-- max = 0.999
-- description = "probability that an interval covers the score of all customers"
--
-- [columns]
-- measure = { title = "Measure" }
-- office_group = { title = "Offices", description = "changed or others" }
-- step = { title = "Step", format = "+0", description = "0 begins with the change" }
-- from_day = { title = "From" }
-- n = { title = "n", format = "#,##0" }
-- score = { title = "Score", format = "+0.0", good = "up" }
-- low = { title = "Low", format = "+0.0" }
-- high = { title = "High", format = "+0.0" }
-- note = { title = "Note" }
-- series = { title = "Series", description = "measure and offices" }
--
-- [[chart]]
-- type = "line"
-- title = "Score around the change"
-- x = "from_day"
-- y = "score"
-- color = "series"
-- low = "low"
-- high = "high"
-- +++
with stepped as (
    select
        measure,
        office_group,
        changed_on,
        cast(floor(cast(month_offset as double) / $step_months) as int) as step,
        score
    from "change-answers"
    where measure = any($measures)
),
scored as (
    select
        measure,
        office_group,
        step,
        cast(changed_on + cast(concat(step * $step_months, ' months') as interval) as date) as from_day,
        count(*) as n,
        nps_stats(score, confidence => $confidence) filter (where measure = 'NPS') as nps,
        share_stats(satisfied(score), confidence => $confidence) filter (where measure = 'CSAT') as csat
    from stepped
    group by measure, office_group, changed_on, step
)
select
    measure,
    office_group,
    step,
    from_day,
    n,
    case when n >= $min_base then case measure when 'NPS' then nps['nps'] else 100 * csat['share'] end end as score,
    case when n >= $min_base then case measure when 'NPS' then nps['low'] else 100 * csat['low'] end end as low,
    case when n >= $min_base then case measure when 'NPS' then nps['high'] else 100 * csat['high'] end end as high,
    case when n < $min_base then 'base too small' end as note,
    concat(measure, ', ', office_group) as series
from scored
order by measure desc, office_group, step
