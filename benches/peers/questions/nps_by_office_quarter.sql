-- NPS of each office, segment and quarter, over the accounts that are still customers: one fact joined with two dimensions.
select
    offices.region,
    offices.office,
    accounts.segment,
    cast(date_trunc('quarter', surveys.month) as date) as quarter,
    count(surveys.nps) as answers,
    100.0 * sum(case when surveys.nps >= 9 then 1 when surveys.nps <= 6 then -1 else 0 end) / count(surveys.nps) as nps
from surveys
join accounts on accounts.account_id = surveys.account_id
join offices on offices.office_id = surveys.office_id
where surveys.nps is not null and accounts.status = 'active'
group by offices.region, offices.office, accounts.segment, cast(date_trunc('quarter', surveys.month) as date)
order by offices.region, offices.office, accounts.segment, quarter
