-- +++
-- name = "competency-assessment"
-- title = "Competencies: how offices are rated by themselves, by others and by customers"
-- description = """
-- Mean score, from 1 (not at all) to 5 (fully), of every competency in a round of assessment, by office or by \
-- region. Statements left blank count nowhere. The score takes the raters asked for: by default all but the office \
-- itself. The benchmark is the industry's for the statements that were answered, so that a blank does not move the \
-- gap. Strong is a gap of `strong_from` or more, needs work one of `weak_from` or less, solid what lies between. \
-- Self less customers is how much better the office thinks of itself than its customers do. Few people rate an \
-- office: raters counts them, the error says how far chance reaches, and with fewer than `min_raters` the score is \
-- withheld. The change is against the round before, by the same kinds of rater."""
-- tags = ["assessment", "yearly"]
-- grain = ["group_name", "competency"]
--
-- [params.by]
-- type = "text"
-- default = "office"
-- values = ["office", "region"]
-- description = "what a row stands for"
--
-- [params.round]
-- type = "date"
-- default = "today"
-- description = "the latest round that began by this day"
--
-- [params.raters]
-- type = "list<text>"
-- default = ["peer", "customer panel"]
-- values = ["self", "peer", "customer panel"]
-- description = "whose ratings make the score, its gap, band and change"
--
-- [params.offices]
-- type = "list<text>"
-- default = "all"
-- values_sql = "select office_id, office from offices order by office_id"
-- description = "offices that are counted"
--
-- [params.strong_from]
-- type = "float"
-- default = 0.3
-- description = "least gap to the benchmark that is strong"
--
-- [params.weak_from]
-- type = "float"
-- default = -0.1
-- description = "a gap of this or less needs work"
--
-- [params.min_raters]
-- type = "int"
-- default = 3
-- min = 1
-- description = "fewest people for a score to be shown"
--
-- [columns]
-- group_name = { title = "Group" }
-- competency = { title = "Competency", description = "`all` is every statement together" }
-- score = { title = "Score", format = "0.00", good = "up" }
-- benchmark = { title = "Benchmark", format = "0.00" }
-- gap = { title = "Gap", format = "+0.00", good = "up", description = "score less benchmark" }
-- band = { title = "Band" }
-- change = { title = "Change", format = "+0.00", good = "up", description = "score less that of the round before" }
-- change_z = { title = "z of change", format = "+0.0", description = "change by its standard error; within -2 to 2 it may be chance" }
-- round = { title = "Round" }
-- raters = { title = "Raters", format = "0", description = "people in the score" }
-- n = { title = "n", format = "#,##0", description = "answered statements in the score" }
-- blanks = { title = "Blank", format = "0", description = "statements that those people left out" }
-- error = { title = "Error", format = "0.00", description = "standard error of the score, from the spread between people" }
-- is_lowest = { title = "Lowest", description = "the group's lowest score of a competency; `all` is none" }
-- self = { title = "Self", format = "0.00" }
-- peer = { title = "Peers", format = "0.00" }
-- customers = { title = "Customers", format = "0.00", good = "up" }
-- self_less_customers = { title = "Self less cust.", format = "+0.00" }
--
-- [[chart]]
-- type = "heatmap"
-- title = "Score less benchmark"
-- x = "competency"
-- y = "group_name"
-- color = "gap"
-- total = "all"
-- +++
with rounds as (
    select round, row_number() over (order by round desc) as newest_first
    from assessments
    where round <= $round
    group by round
),
ratings as (
    select
        case when $by = 'office' then o.office else o.region end as group_name,
        a.competency,
        r.newest_first = 1 as is_now,
        r.round,
        a.rater,
        a.rater_id,
        a.score,
        -- The benchmark of a statement without an answer has nothing to be held against.
        case when a.score is not null then a.benchmark end as benchmark,
        a.rater = any($raters) as is_counted
    from assessments a
    join rounds r on r.round = a.round
    join offices o on o.office_id = a.office_id
    where r.newest_first <= 2
      and a.office_id = any($offices)
),
-- Every rating counts in its competency and in all of them together.
counted as (
    select * from ratings
    union all
    select group_name, 'all' as competency, is_now, round, rater, rater_id, score, benchmark, is_counted from ratings
),
means as (
    select
        group_name,
        competency,
        max(round) as round,
        avg(score) filter (where is_now and rater = 'self') as self,
        avg(score) filter (where is_now and rater = 'peer') as peer,
        avg(score) filter (where is_now and rater = 'customer panel') as customers,
        count(distinct rater_id) filter (where is_now and is_counted and score is not null) as raters,
        count(score) filter (where is_now and is_counted) as n,
        count(*) filter (where is_now and is_counted and score is null) as blanks,
        avg(score) filter (where is_now and is_counted) as score,
        avg(benchmark) filter (where is_now and is_counted) as benchmark,
        count(distinct rater_id) filter (where not is_now and is_counted and score is not null) as raters_before,
        avg(score) filter (where not is_now and is_counted) as score_before
    from counted
    group by group_name, competency
),
-- A person's statements hang together, so chance is in the choice of people and not of statements.
people as (
    select group_name, competency, is_now, rater_id, avg(score) as score
    from counted
    where is_counted and score is not null
    group by group_name, competency, is_now, rater_id
),
errors as (
    select
        group_name,
        competency,
        stddev(score) filter (where is_now) / sqrt(count(*) filter (where is_now)) as error,
        stddev(score) filter (where not is_now) / sqrt(count(*) filter (where not is_now)) as error_before
    from people
    group by group_name, competency
),
shown as (
    select
        m.group_name,
        m.competency,
        m.round,
        m.self,
        m.peer,
        m.customers,
        m.raters,
        m.n,
        m.blanks,
        case when m.raters >= $min_raters then m.score end as score,
        case when m.raters >= $min_raters then e.error end as error,
        m.benchmark,
        case when m.raters_before >= $min_raters then m.score_before end as score_before,
        e.error_before
    from means m
    left join errors e on e.group_name = m.group_name and e.competency = m.competency
)
select
    group_name,
    competency,
    score,
    benchmark,
    score - benchmark as gap,
    case
        when score is null then 'too few raters'
        when score - benchmark >= $strong_from then 'strong'
        when score - benchmark <= $weak_from then 'needs work'
        else 'solid'
    end as band,
    score - score_before as change,
    (score - score_before) / nullif(sqrt(power(error, 2) + power(error_before, 2)), 0) as change_z,
    round,
    raters,
    n,
    blanks,
    error,
    -- All together are no competency, though as low as the lowest where only one has a score.
    competency <> 'all'
        and score = min(case when competency <> 'all' then score end) over (partition by group_name) as is_lowest,
    self,
    peer,
    customers,
    self - customers as self_less_customers
from shown
order by group_name, case when competency = 'all' then 0 else 1 end, competency
