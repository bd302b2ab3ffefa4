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
-- [params.confidence]
-- type = "float"
-- default = 0.95
-- min = 0.5
-- max = 0.999
-- description = "probability that the interval covers the score of all the office's customers"
--
-- [columns]
-- quarter = { title = "Quarter from" }
-- n = { title = "n", format = "#,##0" }
-- promoters = { title = "Promoters", format = "#,##0" }
-- detractors = { title = "Detractors", format = "#,##0" }
-- nps = { title = "NPS", format = "+0.0", good = "up" }
-- low = { title = "Low", format = "+0.0" }
-- high = { title = "High", format = "+0.0" }
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
-- title = "NPS by quarter"
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
answers as (
    select
        q.quarter,
        -- The larger response_id decides between two answers of one moment.
        arg_max(s.nps, struct(s.answered_at, s.response_id)) as nps
    from surveys s
    join quarters q on s.answered_at >= q.quarter and s.answered_at < q.quarter + interval '3 months'
    where s.office_id = $office
      and s.survey_type = any($survey_types)
    group by q.quarter, s.survey_type, s.contact_id
),
both_sides as (
    select
        q.quarter,
        nps_stats(a.nps, confidence => $confidence) filter (where a.quarter = q.quarter) as own,
        nps_stats(a.nps, confidence => $confidence) filter (where a.quarter < q.quarter) as earlier
    from quarters q
    left join answers a on a.quarter <= q.quarter
    group by q.quarter
),
tested as (
    select
        *,
        case when own['n'] >= $min_base and earlier['n'] >= $min_base then nps_test(own, earlier) end as test
    from both_sides
),
ranked_tests as (
    select
        *,
        test['p'] as p,
        count(test['p']) over () as tests,
        row_number() over (order by test['p'] nulls last, quarter) as place
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
    own['n'] as n,
    case when own['n'] >= $min_base then own['promoters'] end as promoters,
    case when own['n'] >= $min_base then own['detractors'] end as detractors,
    case when own['n'] >= $min_base then own['nps'] end as nps,
    case when own['n'] >= $min_base then own['low'] end as low,
    case when own['n'] >= $min_base then own['high'] end as high,
    earlier['n'] as n_before,
    case when earlier['n'] >= $min_base then earlier['nps'] end as nps_before,
    test['difference'] as difference,
    test['z'] as z,
    p,
    case when p is not null then p_holm end as p_holm,
    case
        when own['n'] < $min_base then 'base too small'
        when p is null then 'nothing to compare with'
        when p_holm < $alpha and test['z'] > 0 then 'above before'
        when p_holm < $alpha then 'below before'
        when p < $alpha then 'may be luck among so many'
        else 'not different'
    end as verdict
from corrected
order by quarter
