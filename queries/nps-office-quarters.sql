-- +++
-- name = "nps-office-quarters"
-- title = "One office's Net Promoter Score, quarter by quarter"
-- description = """
-- Each fiscal quarter's NPS of one office against the quarters before it in the window, pooled, with the p of \
-- chance and Holm's p, which allows for looking at several quarters. Each contact counts once a quarter, per survey \
-- type, with the latest answer. All surveys that ask the question are taken together, because one kind alone leaves \
-- a small office with few answers; narrow it with survey_types. The first quarter has nothing before it."""
-- tags = ["nps", "quarterly"]
-- grain = ["quarter"]
--
-- [params.office]
-- type = "text"
-- default = "Seattle"
-- values_sql = "select office_id, office from offices order by office_id"
-- description = "office id or name"
--
-- [params.to]
-- type = "quarter"
-- default = "last_complete(quarter)"
-- description = "last quarter, by the day of the answer (UTC)"
--
-- [params.quarters]
-- type = "int"
-- default = 7
-- min = 2
-- max = 40
-- description = "quarters to show"
--
-- [params.survey_types]
-- type = "list<text>"
-- default = "all"
-- values = ["relationship", "pulse", "executive"]
--
-- [params.alpha]
-- type = "float"
-- default = 0.05
-- min = 0
-- max = 1
-- description = "chance of one or more wrong verdicts among all quarters that is put up with"
--
-- [params.min_base]
-- type = "int"
-- default = 10
-- min = 1
-- description = "fewest answers for which a quarter is tested"
--
-- [columns]
-- quarter = { title = "Quarter from" }
-- n = { title = "n", format = "#,##0" }
-- promoters = { title = "Promoters", format = "#,##0" }
-- detractors = { title = "Detractors", format = "#,##0" }
-- nps = { title = "NPS", format = "+0.0", good = "up" }
-- low = { title = "Low", format = "+0.0", description = "95 %" }
-- high = { title = "High", format = "+0.0", description = "95 %" }
-- n_before = { title = "n before", format = "#,##0", description = "of the quarters before, in the window" }
-- nps_before = { title = "NPS before", format = "+0.0" }
-- difference = { title = "Difference", format = "+0.0", good = "up", description = "in points" }
-- z = { title = "z", format = "+0.00" }
-- p = { title = "p", format = "0.000" }
-- p_holm = { title = "Holm's p", format = "0.000", description = "p with the number of quarters tested allowed for" }
-- verdict = { title = "Verdict" }
--
-- [[chart]]
-- type = "line"
-- x = "quarter"
-- y = "nps"
-- low = "low"
-- high = "high"
-- +++
with quarters as (
    select cast(unnest(generate_series(
        cast($to as date) - cast(concat(3 * ($quarters - 1), ' months') as interval),
        cast($to as date),
        interval '3 months'
    )) as date) as quarter
),
ranked as (
    select
        q.quarter,
        s.nps,
        row_number() over (
            partition by q.quarter, s.survey_type, s.contact_id order by s.answered_at desc, s.response_id desc
        ) as newest_first
    from surveys s
    join quarters q on s.answered_at >= q.quarter and s.answered_at < q.quarter + interval '3 months'
    where s.office_id = $office
      and s.survey_type = any($survey_types)
      and s.nps is not null
),
counted as (
    select
        q.quarter,
        count(r.nps) as n,
        count(*) filter (where promoter(r.nps)) as promoters,
        count(*) filter (where detractor(r.nps)) as detractors
    from quarters q
    left join ranked r on r.quarter = q.quarter and r.newest_first = 1
    group by q.quarter
),
both_sides as (
    select
        *,
        coalesce(sum(n) over earlier, 0) as n_before,
        coalesce(sum(promoters) over earlier, 0) as promoters_before,
        coalesce(sum(detractors) over earlier, 0) as detractors_before
    from counted
    window earlier as (order by quarter rows between unbounded preceding and 1 preceding)
),
-- Both scores with 3/4 promoter, 1 1/2 passives and 3/4 detractor added.
adjusted as (
    select
        *,
        n >= $min_base and n_before >= $min_base as is_tested,
        (promoters + 0.75) / (n + 3) as p_now,
        (detractors + 0.75) / (n + 3) as d_now,
        (promoters_before + 0.75) / (n_before + 3) as p_before,
        (detractors_before + 0.75) / (n_before + 3) as d_before
    from both_sides
),
spread as (
    select
        *,
        sqrt((p_now + d_now - power(p_now - d_now, 2)) / (n + 3)) as error_now,
        sqrt((p_before + d_before - power(p_before - d_before, 2)) / (n_before + 3)) as error_before
    from adjusted
),
differing as (
    select
        *,
        case when is_tested then
            ((p_now - d_now) - (p_before - d_before)) / sqrt(error_now * error_now + error_before * error_before)
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
ranked_tests as (
    select
        *,
        count(p) over () as tests,
        row_number() over (order by p nulls last, quarter) as place
    from tested
),
-- Holm: the smallest p times all tests, the next times one fewer, and none below the one before it.
corrected as (
    select
        *,
        least(max((tests - place + 1) * p) over (order by place), 1.0) as p_holm
    from ranked_tests
)
select
    quarter,
    n,
    case when n >= $min_base then promoters end as promoters,
    case when n >= $min_base then detractors end as detractors,
    case when n >= $min_base then 100.0 * (promoters - detractors) / n end as nps,
    case when n >= $min_base then 100 * (p_now - d_now - 1.96 * error_now) end as low,
    case when n >= $min_base then 100 * (p_now - d_now + 1.96 * error_now) end as high,
    n_before,
    case when n_before >= $min_base then 100.0 * (promoters_before - detractors_before) / n_before end as nps_before,
    case when is_tested then
        100.0 * (promoters - detractors) / n - 100.0 * (promoters_before - detractors_before) / n_before
    end as difference,
    z,
    p,
    case when p is not null then p_holm end as p_holm,
    case
        when n < $min_base then 'base too small'
        when p is null then 'nothing to compare with'
        when p_holm < $alpha and z > 0 then 'above before'
        when p_holm < $alpha then 'below before'
        when p < $alpha then 'may be luck among so many'
        else 'not different'
    end as verdict
from corrected
order by quarter
