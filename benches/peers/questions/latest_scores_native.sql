-- latest_scores with cxlake's own aggregate.
select account_id, max(answered_at) as answered_at, arg_max(nps, answered_at) as nps
from surveys
where nps is not null
group by account_id
