-- Median and ninetieth percentile of the postings of each account, exact and interpolated; the hundred accounts with the highest.
with spread as (
    select
        account_id,
        count(cost) as postings,
        percentile_cont(0.5) within group (order by cast(cost as double)) as median_cost,
        percentile_cont(0.9) within group (order by cast(cost as double)) as high_cost
    from cost_per_touch
    where cost is not null
    group by account_id
)
select account_id, postings, median_cost, high_cost
from spread
order by high_cost desc, account_id
limit 100
