-- Accounts that marketing touched, that sales touched in a later month, and that support touched later still, by region and segment.
with firsts as (
    select
        account_id,
        min(case when function = 'marketing' then period end) as marketed,
        min(case when function = 'sales' then period end) as sold,
        min(case when function = 'support' then period end) as supported
    from touches
    group by account_id
)
select
    offices.region,
    accounts.segment,
    count(*) as accounts,
    sum(case when marketed is not null then 1 else 0 end) as marketed,
    sum(case when sold > marketed then 1 else 0 end) as then_sold,
    sum(case when sold > marketed and supported > sold then 1 else 0 end) as then_supported
from firsts
join accounts on accounts.account_id = firsts.account_id
join offices on offices.office_id = accounts.office_id
group by offices.region, accounts.segment
order by offices.region, accounts.segment
