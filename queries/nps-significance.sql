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
-- [params.confidence]
-- type = "float"
-- default = 0.95
-- min = 0.5
-- max = 0.999
-- description = "probability that the interval covers the score of all the office's customers"
--
-- [columns]
-- office_id = { title = "Id" }
-- office = { title = "Office" }
-- region = { title = "Region" }
-- n = { title = "n", format = "#,##0" }
-- nps = { title = "NPS", format = "+0.0", good = "up", missing = "verdict" }
-- low = { title = "Low", format = "+0.0" }
-- high = { title = "High", format = "+0.0" }
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
with answers as (
    select office_id, region, nps
    from "nps-answers"
    where period = 'now'
),
-- Every office beside its own answers and those that it is held against.
both_sides as (
    select
        o.office_id,
        o.office,
        o.region,
        nps_stats(a.nps, confidence => $confidence) filter (where a.office_id = o.office_id) as own,
        nps_stats(a.nps, confidence => $confidence) filter (where a.office_id <> o.office_id) as rest
    from offices o
    left join answers a on $rest = 'all' or a.region = o.region
    group by o.office_id, o.office, o.region
),
tested as (
    select
        *,
        case when own['n'] >= $min_base and rest['n'] >= $min_base then nps_test(own, rest) end as test
    from both_sides
),
ranked as (
    select
        *,
        test['p'] as p,
        count(test['p']) over () as tests,
        row_number() over (order by test['p'] nulls last, office_id) as place
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
    own['n'] as n,
    case when own['n'] >= $min_base then own['nps'] end as nps,
    case when own['n'] >= $min_base then own['low'] end as low,
    case when own['n'] >= $min_base then own['high'] end as high,
    rest['n'] as rest_n,
    case when test is not null then rest['nps'] end as rest_nps,
    test['difference'] as difference,
    test['z'] as z,
    p,
    tests,
    case when p is not null then p_holm end as p_holm,
    case
        when p is null then 'base too small'
        when p_holm < $alpha and test['z'] > 0 then 'above the rest'
        when p_holm < $alpha then 'below the rest'
        when p < $alpha then 'may be luck among so many'
        else 'not different'
    end as verdict
from corrected
order by place
