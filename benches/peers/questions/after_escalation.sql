-- What accounts answer in the ninety days before and after an escalation, by its cause: a join on account and a range of time.
select
    escalations.root_cause,
    escalations.severity,
    sum(case when surveys.answered_at < escalations.opened_at then 1 else 0 end) as answers_before,
    sum(case when surveys.answered_at >= escalations.opened_at then 1 else 0 end) as answers_after,
    avg(case when surveys.answered_at < escalations.opened_at then cast(surveys.nps as double) end) as mean_before,
    avg(case when surveys.answered_at >= escalations.opened_at then cast(surveys.nps as double) end) as mean_after
from escalations
join surveys on surveys.account_id = escalations.account_id
where surveys.nps is not null
    and surveys.answered_at >= escalations.opened_at - interval '90 days'
    and surveys.answered_at < escalations.opened_at + interval '90 days'
group by escalations.root_cause, escalations.severity
order by escalations.root_cause, escalations.severity
