-- +++
-- name = "nps-by-office"
-- title = "Net Promoter Score by office"
-- description = """
-- NPS = share of promoters (9-10) less share of detractors (0-6), in points from -100 to +100, over answers to the \
-- question; blanks are no answers. Each contact counts once per survey type, with the latest answer of the window, \
-- for the office of that answer. The interval is the adjusted Wald one (3/4 promoter, 1 1/2 passives and 3/4 \
-- detractor added). Below the minimum base the score is withheld. Invitations are those sent in the window, answered \
-- or not, each of them once; the response rate is of those that reached somebody who was still there. \
-- Relationship surveys only, unless others are asked for: mixing them with transactional ones mixes two questions."""
-- tags = ["nps", "monthly"]
-- grain = ["office_id"]
-- uses = ["survey-invitations"]
--
-- [params.from]
-- type = "month"
-- default = "last_complete(month) - 11 months"
-- description = "first month, by the day of the answer (UTC)"
--
-- [params.to]
-- type = "month"
-- default = "last_complete(month)"
-- description = "last month"
--
-- [params.survey_types]
-- type = "list<text>"
-- default = ["relationship"]
-- values = ["relationship", "transactional", "pulse", "milestone", "executive"]
--
-- [params.min_base]
-- type = "int"
-- default = 10
-- min = 1
-- description = "fewest answers for which a score is shown"
--
-- [params.confidence]
-- type = "float"
-- default = 0.95
-- min = 0.5
-- max = 0.999
-- description = "probability that the interval covers the score of all customers"
--
-- [columns]
-- office_id = { title = "Id" }
-- office = { title = "Office" }
-- region = { title = "Region" }
-- invited = { title = "Invited", format = "#,##0", total = "sum" }
-- delivered = { title = "Delivered", format = "#,##0", total = "sum", description = "sent to somebody who was still there" }
-- response_rate = { title = "Response rate", format = "0%", good = "up", description = "answered, of those delivered" }
-- n = { title = "n", format = "#,##0", total = "sum", description = "answers in the score" }
-- promoters = { title = "Promoters", format = "#,##0", missing = "note" }
-- passives = { title = "Passives", format = "#,##0", missing = "note" }
-- detractors = { title = "Detractors", format = "#,##0", missing = "note" }
-- nps = { title = "NPS", format = "+0.0", good = "up", missing = "note" }
-- low = { title = "Low", format = "+0.0", missing = "note" }
-- high = { title = "High", format = "+0.0", missing = "note" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "dot"
-- x = "nps"
-- y = "office"
-- low = "low"
-- high = "high"
-- +++
with invitations as (
    select
        office_id,
        count(*) as invited,
        count(*) filter (where is_delivered) as delivered,
        count(answered_at) filter (where is_delivered) as answered
    from "survey-invitations"
    where survey_type = any($survey_types)
      and sent_at >= $from
      and sent_at < cast($to as date) + interval '1 month'
    group by office_id
),
latest as (
    select
        -- The larger response_id decides between two answers of one moment.
        arg_max(office_id, struct(answered_at, response_id)) as office_id,
        arg_max(nps, struct(answered_at, response_id)) as nps
    from "survey-invitations"
    where survey_type = any($survey_types)
      and answered_at >= $from
      and answered_at < cast($to as date) + interval '1 month'
      and nps is not null
    group by contact_id, survey_type
),
scored as (
    select office_id, nps_stats(nps, confidence => $confidence) as stats
    from latest
    group by office_id
)
select
    o.office_id,
    o.office,
    o.region,
    coalesce(i.invited, 0) as invited,
    coalesce(i.delivered, 0) as delivered,
    response_rate(i.answered, i.delivered) as response_rate,
    coalesce(s.stats['n'], 0) as n,
    case when s.stats['n'] >= $min_base then s.stats['promoters'] end as promoters,
    case when s.stats['n'] >= $min_base then s.stats['passives'] end as passives,
    case when s.stats['n'] >= $min_base then s.stats['detractors'] end as detractors,
    case when s.stats['n'] >= $min_base then s.stats['nps'] end as nps,
    case when s.stats['n'] >= $min_base then s.stats['low'] end as low,
    case when s.stats['n'] >= $min_base then s.stats['high'] end as high,
    case
        when s.stats['n'] is null then 'no answers'
        when s.stats['n'] < $min_base then 'base too small'
    end as note
from offices o
left join invitations i on i.office_id = o.office_id
left join scored s on s.office_id = o.office_id
order by nps desc, o.office_id
