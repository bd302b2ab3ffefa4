-- The latest score of every account: the first of each partition.
with numbered as (
    select
        account_id,
        answered_at,
        nps,
        row_number() over (partition by account_id order by answered_at desc, response_id desc) as place
    from surveys
    where nps is not null
)
select account_id, answered_at, nps
from numbered
where place = 1
