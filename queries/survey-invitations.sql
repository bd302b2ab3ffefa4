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
-- The few invitations that somebody answered twice, or more often.
with repeated as (
    select contact_id, survey_type, sent_at
    from surveys
    group by contact_id, survey_type, sent_at
    having count(*) > 1
),
marked as (
    select s.*, r.contact_id is not null as is_repeated
    from repeated r
    right join surveys s
        on s.contact_id = r.contact_id
        and s.survey_type = r.survey_type
        and s.sent_at = r.sent_at
),
-- Each of them counts once: as its newest answer, with the newest to each question; one left blank the second time was
-- answered the first time.
folded as (
    select
        contact_id,
        survey_type,
        sent_at,
        coalesce(arg_max(response_id, struct(answered_at, response_id)), max(response_id)) as response_id,
        arg_max(nps, struct(answered_at, response_id)) as nps,
        arg_max(csat, struct(answered_at, response_id)) as csat,
        arg_max(ces, struct(answered_at, response_id)) as ces,
        arg_max(comment, struct(answered_at, response_id)) as comment
    from marked
    where is_repeated
    group by contact_id, survey_type, sent_at
),
invitations as (
    select
        m.response_id,
        m.survey_type,
        m.touchpoint,
        m.journey_stage,
        m.account_id,
        m.contact_id,
        m.contact_role,
        m.office_id,
        m.language,
        m.sent_at,
        m.answered_at,
        coalesce(f.nps, m.nps) as nps,
        coalesce(f.csat, m.csat) as csat,
        coalesce(f.ces, m.ces) as ces,
        coalesce(f.comment, m.comment) as comment
    from folded f
    right join marked m
        on m.contact_id = f.contact_id
        and m.survey_type = f.survey_type
        and m.sent_at = f.sent_at
    where not m.is_repeated
       or m.response_id = f.response_id
),
-- A type of survey asks a question when anybody ever answered it there.
types as (
    select
        coalesce(array_agg(distinct survey_type) filter (where nps is not null), []) as asking_nps,
        coalesce(array_agg(distinct survey_type) filter (where csat is not null), []) as asking_csat,
        coalesce(array_agg(distinct survey_type) filter (where ces is not null), []) as asking_ces
    from surveys
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
            cast(s.nps is null and array_has(t.asking_nps, s.survey_type) as int)
            + cast(s.csat is null and array_has(t.asking_csat, s.survey_type) as int)
            + cast(s.ces is null and array_has(t.asking_ces, s.survey_type) as int)
    end as blanks
-- The smaller table stands left in every join: its rows are kept while those of the other pass by.
from contacts c
right join (
    accounts a
    join (
        offices o
        join (types t cross join invitations s) on o.office_id = s.office_id
    ) on a.account_id = s.account_id
) on c.contact_id = s.contact_id
order by s.sent_at, s.response_id
