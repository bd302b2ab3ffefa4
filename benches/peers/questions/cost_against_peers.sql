-- Cost per touch of each office, function and quarter against the median of the other offices of its region: the same cells twice.
with cells as (
    select
        offices.region,
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
    own.region as region,
    own.office_id as office_id,
    own.function as function,
    own.quarter as quarter,
    own.cost_of_touch as cost_of_touch,
    count(*) as peers,
    median(peer.cost_of_touch) as peer_median
from cells as own
join cells as peer on peer.region = own.region and peer.function = own.function and peer.quarter = own.quarter
where peer.office_id <> own.office_id
group by own.region, own.office_id, own.function, own.quarter, own.cost_of_touch
order by own.region, own.office_id, own.function, own.quarter
