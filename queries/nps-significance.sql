-- +++
-- name = "nps-significance"
-- title = "Offices whose Net Promoter Score differs from the rest"
-- description = """
-- Every office's NPS against the answers of all other offices together, or of those of its region. p says how often \
-- chance alone makes a difference at least as large (z of two scores, each adjusted by 3/4 promoter, 1 1/2 passives \
-- and 3/4 detractor). Among thirty offices one or two look different by luck, so the verdict takes Holm's p, which \
-- allows for the number of offices tested. Not different means not shown to differ with these answers; it does not \
-- mean the same."""
-- tags = ["nps", "quality"]
-- grain = ["office_id"]
-- uses = ["nps-answers"]
--
-- [params.months]
-- type = "int"
-- default = 12
-- min = 1
-- max = 60
-- description = "length of the window in months"
--
-- [params.rest]
-- type = "text"
-- default = "all"
-- values = ["all", "region"]
-- description = "the other offices to compare with: all of them, or those of the office's region"
--
-- [params.alpha]
-- type = "float"
-- default = 0.05
-- min = 0
-- max = 1
-- description = "chance of one or more wrong verdicts among all offices that is put up with"
--
-- [params.min_base]
-- type = "int"
-- default = 10
-- min = 1
-- description = "fewest answers for which an office is tested"
--
-- [columns]
-- office_id = { title = "Id" }
-- office = { title = "Office" }
-- region = { title = "Region" }
-- n = { title = "n", format = "#,##0" }
-- nps = { title = "NPS", format = "+0.0", good = "up" }
-- low = { title = "Low", format = "+0.0", description = "95 %" }
-- high = { title = "High", format = "+0.0", description = "95 %" }
-- rest_n = { title = "n of the rest", format = "#,##0" }
-- rest_nps = { title = "NPS of the rest", format = "+0.0" }
-- difference = { title = "Difference", format = "+0.0", good = "up", description = "in points" }
-- z = { title = "z", format = "+0.00" }
-- p = { title = "p", format = "0.000", description = "two-sided, of this comparison alone" }
-- tests = { title = "Tests", format = "0", description = "offices tested" }
-- p_holm = { title = "Holm's p", format = "0.000", description = "p with the number of tests allowed for" }
-- verdict = { title = "Verdict" }
--
-- [[chart]]
-- type = "dot"
-- x = "nps"
-- y = "office"
-- color = "verdict"
-- low = "low"
-- high = "high"
-- +++
with counted as (
    select
        office_id,
        count(*) as n,
        count(*) filter (where promoter(nps)) as promoters,
        count(*) filter (where detractor(nps)) as detractors
    from "nps-answers"
    where period = 'now'
    group by office_id
),
-- The rest is the total less the office's own answers.
both_sides as (
    select
        o.office_id,
        o.office,
        o.region,
        coalesce(c.n, 0) as n,
        coalesce(c.promoters, 0) as promoters,
        coalesce(c.detractors, 0) as detractors,
        sum(c.n) over compared_with - coalesce(c.n, 0) as rest_n,
        sum(c.promoters) over compared_with - coalesce(c.promoters, 0) as rest_promoters,
        sum(c.detractors) over compared_with - coalesce(c.detractors, 0) as rest_detractors
    from offices o
    left join counted c on c.office_id = o.office_id
    window compared_with as (partition by case when $rest = 'region' then o.region else 'all' end)
),
-- Both scores with 3/4 promoter, 1 1/2 passives and 3/4 detractor added.
adjusted as (
    select
        *,
        n >= $min_base and rest_n >= $min_base as is_tested,
        (promoters + 0.75) / (n + 3) as p_own,
        (detractors + 0.75) / (n + 3) as d_own,
        (rest_promoters + 0.75) / (rest_n + 3) as p_rest,
        (rest_detractors + 0.75) / (rest_n + 3) as d_rest
    from both_sides
),
spread as (
    select
        *,
        sqrt((p_own + d_own - power(p_own - d_own, 2)) / (n + 3)) as error_own,
        sqrt((p_rest + d_rest - power(p_rest - d_rest, 2)) / (rest_n + 3)) as error_rest
    from adjusted
),
differing as (
    select
        *,
        case when is_tested then
            ((p_own - d_own) - (p_rest - d_rest)) / sqrt(error_own * error_own + error_rest * error_rest)
        end as z
    from spread
),
tailed as (
    select *, 1 / (1 + 0.2316419 * abs(z)) as t
    from differing
),
tested as (
    select
        *,
        -- The tail of the normal distribution: Abramowitz and Stegun 26.2.17, right to 7 digits.
        2 * exp(-z * z / 2) / sqrt(2 * pi()) * t * (
            0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429)))
        ) as p
    from tailed
),
ranked as (
    select
        *,
        count(p) over () as tests,
        row_number() over (order by p nulls last, office_id) as place
    from tested
),
-- Holm: the smallest p times all tests, the next times one fewer, and none below the one before it.
corrected as (
    select
        *,
        least(max((tests - place + 1) * p) over (order by place), 1.0) as p_holm
    from ranked
)
select
    office_id,
    office,
    region,
    n,
    case when n >= $min_base then 100.0 * (promoters - detractors) / n end as nps,
    case when n >= $min_base then 100 * (p_own - d_own - 1.96 * error_own) end as low,
    case when n >= $min_base then 100 * (p_own - d_own + 1.96 * error_own) end as high,
    rest_n,
    case when is_tested then 100.0 * (rest_promoters - rest_detractors) / rest_n end as rest_nps,
    case when is_tested then
        100.0 * (promoters - detractors) / n - 100.0 * (rest_promoters - rest_detractors) / rest_n
    end as difference,
    z,
    p,
    tests,
    case when p is not null then p_holm end as p_holm,
    case
        when p is null then 'base too small'
        when p_holm < $alpha and z > 0 then 'above the rest'
        when p_holm < $alpha then 'below the rest'
        when p < $alpha then 'may be luck among so many'
        else 'not different'
    end as verdict
from corrected
order by place
