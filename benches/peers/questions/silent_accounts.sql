-- Active accounts that nobody touched in the last quarter and that answered no survey in it, by office: two anti joins at scale.
select
    offices.office,
    accounts.segment,
    count(*) as silent,
    sum(accounts.annual_revenue) as revenue
from accounts
join offices on offices.office_id = accounts.office_id
where accounts.status = 'active'
    and not exists (
        select 1 from touches where touches.account_id = accounts.account_id and touches.period >= date '2026-07-01'
    )
    and not exists (
        select 1 from surveys
        where surveys.account_id = accounts.account_id and surveys.month >= date '2026-07-01' and surveys.answered_at is not null
    )
group by offices.office, accounts.segment
order by offices.office, accounts.segment
