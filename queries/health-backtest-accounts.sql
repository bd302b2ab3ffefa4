-- +++
-- name = "health-backtest-accounts"
-- title = "What the health score knew before accounts left, account by account"
-- description = """
-- Every account that left, scored some days before it did, and every account that stayed, scored as long before a \
-- day on which another one left. Nothing that came after the day of scoring counts. An account is flagged when its \
-- health is below the cut-off, or when its band was at risk (the red line of one component counts as well). Unknown \
-- accounts are neither flagged nor cleared. Accounts that were no customers yet on the day are not here."""
-- tags = ["health", "quality", "base"]
-- grain = ["account_id"]
-- uses = ["customer-health-scores"]
--
-- [params.days]
-- type = "int"
-- default = 90
-- values = [30, 60, 90, 180]
-- description = "how many days before the last day to score on"
--
-- [params.cut_off]
-- type = "float"
-- default = 60
-- min = 0
-- max = 100
-- description = "flag an account with a health below it"
--
-- [params.churn_reasons]
-- type = "list<text>"
-- default = "all"
-- values_sql = "select distinct coalesce(churn_reason, 'not stated') as churn_reason from accounts where churned_on is not null order by churn_reason"
-- description = "take only these of the accounts that left, `not stated` where no reason is known; those that stayed are always in"
--
-- [columns]
-- account_id = { title = "Id" }
-- account = { title = "Account" }
-- segment = { title = "Segment" }
-- outcome = { title = "Outcome", description = "left or stayed" }
-- churn_reason = { title = "Reason" }
-- last_day = { title = "Last day", description = "of those who stayed: the day on which another account left" }
-- scored_on = { title = "Scored on" }
-- result = { title = "Result", description = "of the health against the cut-off: caught, missed, false alarm, rightly calm, or unknown" }
-- health = { title = "Health", format = "0.0", good = "up" }
-- band = { title = "Band" }
-- coverage = { title = "Coverage", format = "0%" }
-- weakest = { title = "Weakest" }
-- relationship = { title = "Relationship", format = "0.0", description = "score, 0 to 100" }
-- satisfaction = { title = "Satisfaction", format = "0.0", description = "score, 0 to 100" }
-- effort = { title = "Effort", format = "0.0", description = "score, 0 to 100" }
-- field_feedback = { title = "Field feedback", format = "0.0", description = "score, 0 to 100" }
-- engagement = { title = "Engagement", format = "0.0", description = "score, 0 to 100" }
--
-- [[chart]]
-- type = "dot"
-- x = "health"
-- y = "outcome"
-- +++
with scored as (
    select
        account_id,
        -- These are the same in all components of an account.
        max(scored_on) as scored_on,
        max(health) as health,
        max(band) as band,
        max(coverage) as coverage,
        max(weakest) as weakest,
        max(score) filter (where component = 'relationship') as relationship,
        max(score) filter (where component = 'satisfaction') as satisfaction,
        max(score) filter (where component = 'effort') as effort,
        max(score) filter (where component = 'field feedback') as field_feedback,
        max(score) filter (where component = 'engagement') as engagement
    from "customer-health-scores"
    where counted_from = 'last day'
      and days_before = $days
    group by account_id
),
outcomes as (
    select
        s.*,
        a.account,
        a.segment,
        coalesce(a.churned_on <= $as_of, false) as has_left,
        -- Who left without a reason left all the same.
        coalesce(a.churn_reason, 'not stated') as churn_reason
    from accounts a
    join scored s on s.account_id = a.account_id
)
select
    account_id,
    account,
    segment,
    case when has_left then 'left' else 'stayed' end as outcome,
    case when has_left then churn_reason end as churn_reason,
    scored_on + cast($days as int) as last_day,
    scored_on,
    case
        when health is null then 'unknown'
        when has_left and health < $cut_off then 'caught'
        when has_left then 'missed'
        when health < $cut_off then 'false alarm'
        else 'rightly calm'
    end as result,
    health,
    band,
    coverage,
    weakest,
    relationship,
    satisfaction,
    effort,
    field_feedback,
    engagement
from outcomes
where not has_left
   or churn_reason = any($churn_reasons)
order by has_left desc, health, account_id
