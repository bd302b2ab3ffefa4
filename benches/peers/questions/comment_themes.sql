-- Comments on ten themes in each quarter, found by LIKE.
select
    cast(date_trunc('quarter', month) as date) as quarter,
    count(*) as comments,
    sum(case when comment like '%invoice%' or comment like '%billing%' then 1 else 0 end) as billing,
    sum(case when comment like '%response time%' or comment like '%answer%' then 1 else 0 end) as response,
    sum(case when comment like '%ticket%' then 1 else 0 end) as tickets,
    sum(case when comment like '%pric%' then 1 else 0 end) as pricing,
    sum(case when comment like '%release%' then 1 else 0 end) as releases,
    sum(case when comment like '%slow%' or comment like '%defect%' then 1 else 0 end) as quality,
    sum(case when comment like '%dashboard%' or comment like '%report%' then 1 else 0 end) as reporting,
    sum(case when comment like '%seats%' then 1 else 0 end) as seats,
    sum(case when comment like '%value%' then 1 else 0 end) as worth,
    sum(case when comment like '%team%' then 1 else 0 end) as people
from surveys
where comment is not null
group by cast(date_trunc('quarter', month) as date)
order by quarter
