-- cost_against_peers with cxlake's own window functions, which need no join.
with cells as (
    select
        offices.region as region,
        offices.office_id as office_id,
        cost_per_touch.function as function,
        cast(date_trunc('quarter', cost_per_touch.period) as date) as quarter,
        cast(sum(cost_per_touch.cost) as double) / sum(cost_per_touch.touches) as cost_of_touch
    from cost_per_touch
    join offices on offices.office_id = cost_per_touch.office_id
    where cost_per_touch.cost is not null and cost_per_touch.touches > 0
    group by offices.region, offices.office_id, cost_per_touch.function, cast(date_trunc('quarter', cost_per_touch.period) as date)
)
select
    region,
    office_id,
    function,
    quarter,
    cost_of_touch,
    count_excluding_self(cost_of_touch) over (partition by region, function, quarter) as peers,
    median_excluding_self(cost_of_touch, 1) over (partition by region, function, quarter) as peer_median
from cells
order by region, office_id, function, quarter
