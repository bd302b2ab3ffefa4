-- The last hundred detractors who wrote something: top rows by time, with the texts of those alone.
select response_id, account_id, contact_id, office_id, answered_at, nps, comment
from surveys
where nps <= 6 and comment is not null
order by answered_at desc, response_id
limit 100
