-- Why cost changed from August to September: how much by the price of a touch, how much by the number of touches.
with cells as (
    select
        office_id,
        function,
        period,
        cast(sum(cost) as double) as cost,
        cast(sum(touches) as double) as touches
    from cost_per_touch
    where cost is not null and touches is not null and period >= date '2026-08-01'
    group by office_id, function, period
)
select
    this_month.office_id as office_id,
    this_month.function as function,
    last_month.cost as cost_before,
    this_month.cost as cost_now,
    (this_month.cost / this_month.touches - last_month.cost / last_month.touches) * last_month.touches as by_rate,
    (this_month.touches - last_month.touches) * this_month.cost / this_month.touches as by_volume
from cells as this_month
join cells as last_month on last_month.office_id = this_month.office_id and last_month.function = this_month.function
where this_month.period = date '2026-09-01' and last_month.period = date '2026-08-01'
order by this_month.office_id, this_month.function
