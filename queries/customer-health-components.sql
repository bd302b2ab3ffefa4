-- +++
-- name = "customer-health-components"
-- title = "Components of customer health, one row each"
-- description = """
-- Every component of every account that was a customer on the day, scored 0 to 100, or without a score where nothing is \
-- known: stale is not missing, so answers fade with age and leave only with the end of the window. Nothing after the day \
-- counts. Relationship is NPS, satisfaction CSAT and effort CES, each over the latest answer of every contact; field \
-- feedback is what field staff heard; engagement is the touches of three months against the three before."""
-- tags = ["health", "base"]
-- grain = ["account_id", "component"]
--
-- [params.as_of]
-- type = "date"
-- default = "today"
-- description = "the day; only what was known before it counts (UTC)"
--
-- [params.window_days]
-- type = "int"
-- default = 365
-- min = 30
-- description = "days of answers and notes that count"
--
-- [params.half_life_days]
-- type = "int"
-- default = 180
-- min = 1
-- description = "age at which an answer counts half"
--
-- [columns]
-- component = { title = "Component" }
-- weight = { title = "Weight", format = "0", description = "of 100 in all" }
-- score = { title = "Score", format = "0.0", good = "up", description = "0 worst to 100 best; none where nothing is known" }
-- lowest = { title = "Lowest", format = "0.0", description = "worst single contact, note or month: an unhappy executive hides in a mean" }
-- observations = { title = "Observations", format = "#,##0" }
-- newest = { title = "Newest" }
-- +++
with customers as (
    select account_id, account, office_id, segment, tier, annual_revenue, renews_on
    from accounts
    where active_account(started_on, churned_on, $as_of)
),
-- Weights, of 100 in all, are a choice: what people say of the relationship and what staff hear say most about who leaves.
components(component, weight) as (
    values
        ('relationship', 30),
        ('satisfaction', 15),
        ('effort', 15),
        ('field feedback', 25),
        ('engagement', 15)
),
-- One scale for every question: 0 worst, 100 best.
answers as (
    select account_id, contact_id, answered_at, 'relationship' as component, nps * 10.0 as score
    from surveys
    where nps is not null
    union all
    select account_id, contact_id, answered_at, 'satisfaction' as component, (csat - 1) * 25.0 as score
    from surveys
    where csat is not null
    union all
    select account_id, contact_id, answered_at, 'effort' as component, (ces - 1) * 100 / 6.0 as score
    from surveys
    where ces is not null
),
latest as (
    select account_id, component, arg_max(score, answered_at) as score, max(answered_at) as heard_at
    from answers
    where answered_at < $as_of
      and answered_at >= cast($as_of as date) - cast(concat($window_days, ' days') as interval)
    group by account_id, contact_id, component
),
notes as (
    select
        account_id,
        captured_at,
        'field feedback' as component,
        -- A negative note costs by its severity, 1 to 5; a neutral one says little.
        case sentiment when 'positive' then 100.0 when 'neutral' then 60.0 else 50.0 - 10 * severity end as score
    from field_feedback
    where account_id is not null
      and captured_at < $as_of
      and captured_at >= cast($as_of as date) - cast(concat($window_days, ' days') as interval)
),
heard as (
    select account_id, component, heard_at, score from latest
    union all
    select account_id, component, captured_at as heard_at, score from notes
),
aged as (
    select
        *,
        decay((to_unixtime(cast($as_of as timestamp)) - to_unixtime(heard_at)) / 86400.0, $half_life_days) as fade
    from heard
),
said as (
    select
        account_id,
        component,
        sum(score * fade) / sum(fade) as score,
        min(score) as lowest,
        count(*) as observations,
        max(heard_at) as newest
    from aged
    group by account_id, component
),
monthly_touches as (
    select account_id, period, sum(touches) as touches
    from touches
    where period >= date_trunc('month', cast($as_of as date)) - interval '6 months'
      and period < date_trunc('month', cast($as_of as date))
    group by account_id, period
),
touched as (
    select
        account_id,
        sum(touches) filter (where period >= date_trunc('month', cast($as_of as date)) - interval '3 months') as recent,
        sum(touches) filter (where period < date_trunc('month', cast($as_of as date)) - interval '3 months') as before,
        count(*) as observations,
        max(period) as newest
    from monthly_touches
    group by account_id
),
engaged as (
    select
        account_id,
        'engagement' as component,
        -- As many touches as before is 80, a quarter more is 100, none is 0.
        least(80.0 * coalesce(recent, 0) / before, 100.0) as score,
        least(80.0 * coalesce(recent, 0) / before, 100.0) as lowest,
        observations,
        cast(newest as timestamp) as newest
    from touched
    where before > 0
),
known as (
    select account_id, component, score, lowest, observations, cast(newest as timestamp) as newest from said
    union all
    select account_id, component, score, lowest, observations, newest from engaged
)
select
    c.account_id,
    c.account,
    c.office_id,
    c.segment,
    c.tier,
    c.annual_revenue,
    c.renews_on,
    w.component,
    w.weight,
    k.score,
    k.lowest,
    coalesce(k.observations, 0) as observations,
    k.newest
from customers c
cross join components w
left join known k on k.account_id = c.account_id and k.component = w.component
order by c.account_id, w.weight desc, w.component
