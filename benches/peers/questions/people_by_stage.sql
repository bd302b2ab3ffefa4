-- How many people were asked, and how many answered, at each stage of the journey: distinct texts, a million of them.
select
    journey_stage,
    count(distinct contact_id) as asked,
    count(distinct case when answered_at is not null then contact_id end) as answered
from surveys
group by journey_stage
order by journey_stage
