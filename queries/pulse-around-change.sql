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
-- [params.z]
-- type = "float"
-- default = 1.96
-- min = 0
-- description = "width of the intervals in standard errors; 1.96 is 95 %"
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
--
-- [[chart]]
-- type = "line"
-- x = "from_day"
-- y = "score"
-- color = "office_group"
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
counted as (
    select
        measure,
        office_group,
        changed_on,
        step,
        count(*) as n,
        count(*) filter (where case measure when 'NPS' then score >= 9 else score >= 4 end) as up,
        count(*) filter (where measure = 'NPS' and score <= 6) as down
    from stepped
    group by measure, office_group, changed_on, step
),
intervals as (
    select
        *,
        case measure
            when 'NPS' then 100 * (up - down) / cast(n + 3 as double)
            else 100 * (up + $z * $z / 2) / (n + $z * $z)
        end as centre,
        case measure
            when 'NPS' then 100 * $z * sqrt(
                ((up + down + 1.5) / (n + 3) - power((up - down) / cast(n + 3 as double), 2)) / (n + 3)
            )
            else 100 * $z * sqrt(up * (1 - cast(up as double) / n) + $z * $z / 4) / (n + $z * $z)
        end as margin
    from counted
)
select
    measure,
    office_group,
    step,
    cast(changed_on + cast(concat(step * $step_months, ' months') as interval) as date) as from_day,
    n,
    case when n >= $min_base then 100.0 * (up - down) / n end as score,
    case when n >= $min_base then centre - margin end as low,
    case when n >= $min_base then centre + margin end as high,
    case when n < $min_base then 'base too small' end as note
from intervals
order by measure desc, office_group, step
