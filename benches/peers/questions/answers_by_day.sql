-- Answers of each day and touchpoint in UTC, and the mean score: a group for each day of two years, from instants.
select
    cast(answered_at as date) as day,
    touchpoint,
    count(*) as answers,
    avg(cast(nps as double)) as mean_nps
from surveys
where answered_at is not null
group by cast(answered_at as date), touchpoint
order by day, touchpoint
