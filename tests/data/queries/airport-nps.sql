-- +++
-- name = "airport-nps"
-- title = "Net Promoter Score of San Francisco airport, 2017"
-- description = """
-- NPS = share of promoters (9-10) less share of detractors (0-6), in points from -100 to +100, over answers from 0 to 10. \
-- A blank is no answer: the survey writes 11 for 84 of them and nothing for one more. The interval is the adjusted \
-- Wald one (3/4 promoter, 1 1/2 passives and 3/4 detractor added); with weights it counts on the answers that the weights leave, \
-- n_eff = (sum of weights)^2 / sum of squared weights (Kish). The score of several segments is that of their answers and \
-- no average of their scores."""
-- tags = ["nps"]
-- grain = ["segment"]
--
-- [params.by]
-- type = "text"
-- default = "all"
-- values = ["all", "airline", "boarding area"]
-- description = "what a row is"
--
-- [params.weighted]
-- type = "bool"
-- default = false
-- description = "whether each answer counts with its weight, so that the sample stands for all passengers"
--
-- [params.blank_code]
-- type = "int"
-- default = 11
-- min = 11
-- description = "the code that stands for a blank; any other above 10 is counted as unknown and stays out too"
--
-- [params.z]
-- type = "float"
-- default = 1.96
-- min = 0
-- description = "width of the interval in standard errors; 1.96 is 95 %"
--
-- [columns]
-- segment = { title = "Segment" }
-- asked = { title = "Asked", format = "#,##0" }
-- blank = { title = "Blank", format = "#,##0", description = "code for a blank, or nothing at all" }
-- unknown = { title = "Unknown", format = "#,##0", description = "outside 0 to 10 and no blank" }
-- n = { title = "n", format = "#,##0", description = "answers in the score" }
-- n_eff = { title = "Effective n", format = "#,##0", description = "answers without weights that would tell as much" }
-- promoters = { title = "Promoters", format = "#,##0" }
-- passives = { title = "Passives", format = "#,##0" }
-- detractors = { title = "Detractors", format = "#,##0" }
-- nps = { title = "NPS", format = "+0.0", good = "up" }
-- adjusted = { title = "Adjusted", format = "+0.0", description = "the middle of the interval" }
-- margin = { title = "Margin", format = "0.0", description = "half of the interval's width" }
-- low = { title = "Low", format = "+0.0" }
-- high = { title = "High", format = "+0.0" }
--
-- [[chart]]
-- type = "dot"
-- x = "nps"
-- y = "segment"
-- low = "low"
-- high = "high"
-- +++
with asked as (
    select
        case $by when 'airline' then airline when 'boarding area' then boarding_area else 'All' end as segment,
        netpro,
        case when $weighted then weight else 1 end as weight,
        netpro is null or netpro = $blank_code as is_blank,
        coalesce(netpro between 0 and 10, false) as is_answer
    from airport_survey
),
counted as (
    select
        segment,
        count(*) as asked,
        count(*) filter (where is_blank) as blank,
        count(*) filter (where not is_blank and not is_answer) as unknown,
        count(*) filter (where is_answer) as n,
        count(*) filter (where netpro between 9 and 10) as promoters,
        count(*) filter (where netpro between 7 and 8) as passives,
        count(*) filter (where netpro between 0 and 6) as detractors,
        cast(sum(weight) filter (where is_answer) as double) as weights,
        cast(sum(weight * weight) filter (where is_answer) as double) as squared_weights,
        coalesce(cast(sum(weight) filter (where netpro between 9 and 10) as double), 0) as for_it,
        coalesce(cast(sum(weight) filter (where netpro between 0 and 6) as double), 0) as against_it
    from asked
    group by segment
),
effective as (
    select *, power(weights, 2) / squared_weights as n_eff
    from counted
),
shares as (
    select
        *,
        (for_it / weights * n_eff + 0.75) / (n_eff + 3) as p,
        (against_it / weights * n_eff + 0.75) / (n_eff + 3) as d
    from effective
),
scored as (
    select
        *,
        -- Nobody answered: no weights, no score.
        100 * (for_it - against_it) / weights as nps,
        100 * (p - d) as adjusted,
        100 * $z * sqrt((p + d - power(p - d, 2)) / (n_eff + 3)) as margin
    from shares
)
select
    segment,
    asked,
    blank,
    unknown,
    n,
    n_eff,
    promoters,
    passives,
    detractors,
    nps,
    adjusted,
    margin,
    adjusted - margin as low,
    adjusted + margin as high
from scored
order by n desc, segment
