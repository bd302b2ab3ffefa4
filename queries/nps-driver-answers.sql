-- +++
-- name = "nps-driver-answers"
-- title = "What may drive the Net Promoter Score, one row for each account"
-- description = """
-- The mean recommendation score of every account that gave one in the window, and beside it what happened to the \
-- account in the same window: satisfaction after single touchpoints, effort, what staff heard, escalations, calls, \
-- touches and contacts lost. Satisfaction asked in the same survey as the score is left out: it is the same mood \
-- twice. An invitation answered twice counts once, with the later answer. A blank means that nobody was asked or \
-- answered, and stays blank; a zero of escalations or touches is a zero."""
-- tags = ["nps", "base"]
-- grain = ["account_id"]
-- uses = ["survey-invitations"]
--
-- [params.to]
-- type = "month"
-- default = "last_complete(month)"
-- description = "last month of the window (UTC)"
--
-- [params.months]
-- type = "int"
-- default = 12
-- min = 3
-- max = 60
-- description = "length of the window in months"
--
-- [columns]
-- account_id = { title = "Id" }
-- nps = { title = "Score", format = "0.0", description = "mean answer to the recommendation question, 0 to 10" }
-- answers = { title = "Answers", format = "0", description = "in the mean" }
-- csat_service = { title = "CSAT service", format = "0.0", description = "after support tickets and phone calls, 1 to 5" }
-- csat_delivery = { title = "CSAT delivery", format = "0.0", description = "after deliveries, trainings and go-lives, 1 to 5" }
-- csat_invoice = { title = "CSAT invoice", format = "0.0", description = "after invoices, 1 to 5" }
-- csat_meetings = { title = "CSAT meetings", format = "0.0", description = "after quarterly reviews and renewal meetings, 1 to 5" }
-- ces = { title = "Ease", format = "0.0", description = "after any touchpoint, 1 to 7, more is easier" }
-- note_trouble = { title = "Trouble heard", format = "0.0", description = "mean severity of negative notes, 0 for others, over all notes" }
-- escalations = { title = "Escalations", format = "0", description = "opened in the window" }
-- severe_escalations = { title = "Severe escalations", format = "0", description = "of severity 4 and 5" }
-- days_to_close = { title = "Days to close", format = "0.0", description = "mean over escalations closed" }
-- touches = { title = "Touches a month", format = "0.0", description = "over the loaded months of the window in which the account was a customer, those without touches too" }
-- sponsors_left = { title = "Deciders left", format = "0", description = "contacts who decide on the renewal and left in the window" }
-- +++
with bounds as (
    select
        cast($to as date) - cast(concat($months - 1, ' months') as interval) as first_day,
        cast($to as date) + interval '1 month' as end_day
),
scores as (
    select s.account_id, avg(s.nps) as nps, count(s.nps) as answers
    from "survey-invitations" s
    join bounds b on s.answered_at >= b.first_day and s.answered_at < b.end_day
    where s.nps is not null
    group by s.account_id
),
satisfaction as (
    select
        s.account_id,
        avg(s.csat) filter (where s.touchpoint in ('support ticket', 'phone call')) as csat_service,
        avg(s.csat) filter (where s.touchpoint in ('delivery', 'training', 'go-live')) as csat_delivery,
        avg(s.csat) filter (where s.touchpoint = 'invoice') as csat_invoice,
        avg(s.csat) filter (where s.touchpoint in ('quarterly review', 'renewal meeting')) as csat_meetings,
        avg(s.ces) as ces
    from "survey-invitations" s
    join bounds b on s.answered_at >= b.first_day and s.answered_at < b.end_day
    where s.survey_type in ('transactional', 'milestone')
    group by s.account_id
),
notes as (
    select
        f.account_id,
        avg(case when f.sentiment = 'negative' then f.severity else 0 end) as note_trouble
    from field_feedback f
    join bounds b on f.captured_at >= b.first_day and f.captured_at < b.end_day
    where f.account_id is not null
    group by f.account_id
),
escalated as (
    select
        e.account_id,
        count(*) as escalations,
        count(*) filter (where e.severity >= 4) as severe_escalations,
        -- Closed after the window is not known in it.
        avg((to_unixtime(e.closed_at) - to_unixtime(e.opened_at)) / 86400.0)
            filter (where e.closed_at < b.end_day) as days_to_close
    from escalations e
    join bounds b on e.opened_at >= b.first_day and e.opened_at < b.end_day
    group by e.account_id
),
-- Of a month that is not loaded nothing is known; one that is loaded counts for accounts without a touch in it, too.
window_months as (
    select distinct t.period as month
    from touches t
    join bounds b on t.period >= b.first_day and t.period < b.end_day
),
-- A month counts in which the account was a customer on any day; the day of leaving is the first without it.
customers as (
    select a.account_id, count(*) as months
    from accounts a
    join window_months m on a.started_on < m.month + interval '1 month'
        and (a.churned_on is null or a.churned_on > m.month)
    group by a.account_id
),
touched as (
    select t.account_id, sum(t.touches) as touches
    from touches t
    join bounds b on t.period >= b.first_day and t.period < b.end_day
    group by t.account_id
),
deciders as (
    select c.account_id, count(*) as sponsors_left
    from contacts c
    join bounds b on c.left_on >= b.first_day and c.left_on < b.end_day
    where c.is_decision_maker
    group by c.account_id
)
select
    s.account_id,
    a.account,
    a.segment,
    o.region,
    s.nps,
    s.answers,
    c.csat_service,
    c.csat_delivery,
    c.csat_invoice,
    c.csat_meetings,
    c.ces,
    n.note_trouble,
    coalesce(e.escalations, 0) as escalations,
    coalesce(e.severe_escalations, 0) as severe_escalations,
    e.days_to_close,
    cast(coalesce(t.touches, 0) as double) / m.months as touches,
    coalesce(d.sponsors_left, 0) as sponsors_left
from scores s
join accounts a on a.account_id = s.account_id
join offices o on o.office_id = a.office_id
left join satisfaction c on c.account_id = s.account_id
left join notes n on n.account_id = s.account_id
left join escalated e on e.account_id = s.account_id
left join customers m on m.account_id = s.account_id
left join touched t on t.account_id = s.account_id
left join deciders d on d.account_id = s.account_id
order by s.account_id
