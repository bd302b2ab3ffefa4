-- +++
-- name = "survey-invitations"
-- title = "Invitations to surveys, each of them once"
-- description = """
-- One row per invitation with its office, its account and its answer. Somebody who answered an invitation twice is \
-- in it once, with the later answer to every question. An invitation to somebody who had left the account's company \
-- by then did not reach anybody. A blank is a question that surveys of the type ask, left out by somebody who \
-- answered. The queries on surveys build on it."""
-- tags = ["surveys", "base"]
-- grain = ["contact_id", "survey_type", "sent_at"]
--
-- [columns]
-- is_delivered = { title = "Delivered", description = "sent to somebody who was still there" }
-- blanks = { title = "Blanks", format = "0", description = "questions left out of an answered survey" }
-- +++
-- Somebody who answered twice counts once, with the newest answer to each question: one left blank the second time was
-- answered the first time.
with invitations as (
    select
        contact_id,
        survey_type,
        sent_at,
        coalesce(arg_max(response_id, struct(answered_at, response_id)), max(response_id)) as response_id,
        max(answered_at) as answered_at,
        arg_max(nps, struct(answered_at, response_id)) as nps,
        arg_max(csat, struct(answered_at, response_id)) as csat,
        arg_max(ces, struct(answered_at, response_id)) as ces,
        arg_max(comment, struct(answered_at, response_id)) as comment,
        max(touchpoint) as touchpoint,
        max(journey_stage) as journey_stage,
        max(account_id) as account_id,
        max(contact_role) as contact_role,
        max(office_id) as office_id,
        max(language) as language
    from surveys
    group by contact_id, survey_type, sent_at
),
-- A type of survey asks a question when anybody ever answered it there.
questions as (
    select
        survey_type,
        count(nps) > 0 as asks_nps,
        count(csat) > 0 as asks_csat,
        count(ces) > 0 as asks_ces
    from surveys
    group by survey_type
)
select
    s.response_id,
    s.survey_type,
    s.touchpoint,
    s.journey_stage,
    s.account_id,
    a.account,
    a.segment,
    a.tier,
    a.annual_revenue,
    s.contact_id,
    s.contact_role,
    s.office_id,
    o.office,
    o.region,
    s.language,
    s.sent_at,
    s.answered_at,
    c.left_on is null or s.sent_at < c.left_on as is_delivered,
    s.nps,
    s.csat,
    s.ces,
    s.comment,
    case
        when s.answered_at is not null then
            cast(q.asks_nps and s.nps is null as int)
            + cast(q.asks_csat and s.csat is null as int)
            + cast(q.asks_ces and s.ces is null as int)
    end as blanks
from invitations s
join questions q on q.survey_type = s.survey_type
join offices o on o.office_id = s.office_id
join accounts a on a.account_id = s.account_id
left join contacts c on c.contact_id = s.contact_id
order by s.sent_at, s.response_id
