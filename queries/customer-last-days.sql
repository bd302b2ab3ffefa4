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
-- account_id = { title = "Id" }
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
-- From the latest back, so that the days an account has lived through are the first so many.
leaving_days as (
    select churned_on as last_day, cast(row_number() over (order by churned_on desc) as bigint) as place
    from accounts_so_far
    where has_left
    group by churned_on
),
-- Those that stayed take turns: each gets the day whose turn it is among those that it has lived through.
turns as (
    select
        a.account_id,
        count(*) as places,
        cast(row_number() over (order by a.account_id) as bigint) as turn
    from accounts_so_far a
    join leaving_days l on l.last_day > a.started_on
    where not a.has_left
    group by a.account_id
)
select
    a.account_id,
    case when a.has_left then 'left' else 'stayed' end as outcome,
    case when a.has_left then a.churn_reason end as churn_reason,
    case when a.has_left then a.churned_on else l.last_day end as last_day
from accounts_so_far a
left join turns t on t.account_id = a.account_id
left join leaving_days l on l.place = t.places - t.turn % t.places
order by a.account_id
