-- +++
-- name = "customer-last-days"
-- title = "The last day of every account, for looking back from it"
-- description = """
-- Accounts that left by the day have the day on which they left. Those that stayed have no last day, so each gets \
-- one to be compared by: the days on which others left are dealt out to them in turn, so that both kinds are looked \
-- at in the same seasons and with the same length of history. An account that started too late for any of them has \
-- none."""
-- tags = ["health", "base"]
-- grain = ["account_id"]
--
-- [params.as_of]
-- type = "date"
-- default = "today"
-- description = "the day; who left later counts as staying"
--
-- [columns]
-- outcome = { title = "Outcome", description = "left, or stayed until the day" }
-- churn_reason = { title = "Reason" }
-- last_day = { title = "Last day", description = "the day it left; for those who stayed, a day on which another one left" }
-- +++
with accounts_so_far as (
    select
        account_id,
        started_on,
        coalesce(churned_on <= $as_of, false) as has_left,
        churned_on,
        churn_reason
    from accounts
    where started_on <= $as_of
),
leaving_days as (
    select distinct churned_on as last_day
    from accounts_so_far
    where has_left
),
-- The leaving days that an account that stayed has lived through, numbered; it takes the one whose turn it is.
dealt as (
    select
        a.account_id,
        l.last_day,
        row_number() over (partition by a.account_id order by l.last_day) as place,
        count(*) over (partition by a.account_id) as places,
        dense_rank() over (order by a.account_id) as turn
    from accounts_so_far a
    join leaving_days l on l.last_day > a.started_on
    where not a.has_left
)
select
    a.account_id,
    case when a.has_left then 'left' else 'stayed' end as outcome,
    case when a.has_left then a.churn_reason end as churn_reason,
    case when a.has_left then a.churned_on else d.last_day end as last_day
from accounts_so_far a
left join dealt d on d.account_id = a.account_id and d.place = d.turn % d.places + 1
order by a.account_id
