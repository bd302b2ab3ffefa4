-- Health of every active account from four facts of the last twelve months: what people said, whether contact grows, what was
-- escalated, what the field heard. One row for each account.
with voice as (
    select account_id, avg(cast(nps as double)) as mean_nps, count(nps) as answers
    from surveys
    where month >= date '2025-10-01' and nps is not null
    group by account_id
), contact as (
    select
        account_id,
        sum(case when period >= date '2026-04-01' then touches.touches else 0 end) as recent,
        sum(case when period < date '2026-04-01' then touches.touches else 0 end) as earlier
    from touches
    where period >= date '2025-10-01'
    group by account_id
), trouble as (
    select account_id, count(*) as escalations, max(severity) as worst
    from escalations
    where opened_at >= timestamp '2025-10-01 00:00:00'
    group by account_id
), heard as (
    select
        account_id,
        count(*) as notes,
        sum(case when sentiment = 'negative' then 1 else 0 end) as complaints
    from field_feedback
    where captured_at >= timestamp '2025-10-01 00:00:00' and account_id is not null
    group by account_id
)
select
    accounts.account_id as account_id,
    accounts.office_id as office_id,
    accounts.annual_revenue,
    coalesce(voice.answers, 0) as answers,
    voice.mean_nps,
    coalesce(trouble.escalations, 0) as escalations,
    coalesce(heard.notes, 0) as notes,
    40.0 * coalesce(voice.mean_nps, 7.0) / 10.0
        + 30.0 * coalesce(contact.recent, 0) / (coalesce(contact.recent, 0) + coalesce(contact.earlier, 0) + 1)
        + 15.0 / (1.0 + coalesce(trouble.escalations, 0) * coalesce(trouble.worst, 0))
        + 15.0 * (coalesce(heard.notes, 0) - coalesce(heard.complaints, 0) + 1) / (coalesce(heard.notes, 0) + 1) as health
from accounts
left join voice on voice.account_id = accounts.account_id
left join contact on contact.account_id = accounts.account_id
left join trouble on trouble.account_id = accounts.account_id
left join heard on heard.account_id = accounts.account_id
where accounts.status = 'active'
