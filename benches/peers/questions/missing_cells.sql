-- Offices, functions and months of the grid for which no cost was ever reported: a cross join without what is there.
with months as (
    select distinct period from cost_per_touch
), functions as (
    select distinct function from cost_per_touch
), reported as (
    select distinct office_id, function, period from cost_per_touch where cost is not null and touches is not null
)
select offices.office as office, functions.function as function, months.period as period
from offices
cross join functions
cross join months
left join reported
    on reported.office_id = offices.office_id and reported.function = functions.function and reported.period = months.period
where reported.office_id is null
order by offices.office, functions.function, months.period
