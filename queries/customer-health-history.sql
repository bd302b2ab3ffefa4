-- +++
-- name = "customer-health-history"
-- title = "Components of customer health on several days"
-- description = """
-- Every component of every account that was a customer on the day it is scored, 0 to 100, or without a score where \
-- nothing is known: stale is not missing, so answers fade with age and leave only with the end of the window. \
-- Nothing after the day of scoring counts. Days are counted back from the day itself, for comparing now with \
-- before, and from each account's last day, for asking what the score knew before it left. Relationship is NPS, \
-- satisfaction CSAT and effort CES, each over the latest answer of every contact; field feedback is what field \
-- staff heard; engagement is the touches of three months against the three before."""
-- tags = ["health", "base"]
-- grain = ["account_id", "counted_from", "days_before", "component"]
-- uses = ["customer-last-days"]
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
-- account_id = { title = "Id" }
-- account = { title = "Account" }
-- office_id = { title = "Office id" }
-- segment = { title = "Segment" }
-- tier = { title = "Tier" }
-- annual_revenue = { title = "Revenue", format = "#,##0" }
-- renews_on = { title = "Renews" }
-- counted_from = { title = "Counted from", description = "as of: one day for all; last day: each account's own" }
-- days_before = { title = "Days before", format = "0", description = "0, 30, 60, 90, 180 or 365; of the last day 30 to 180" }
-- scored_on = { title = "Scored on" }
-- component = { title = "Component" }
-- weight = { title = "Weight", format = "0", description = "of 100 in all" }
-- score = { title = "Score", format = "0.0", good = "up", description = "0 worst to 100 best; none where nothing is known" }
-- lowest = { title = "Lowest", format = "0.0", description = "worst single contact, note or month" }
-- observations = { title = "Observations", format = "#,##0" }
-- newest = { title = "Newest" }
-- +++
-- Who asks for some of these days only says so in a `where`, which reaches down to here: other days are not computed.
with steps(counted_from, days_before) as (
    values
        ('as of', 0),
        ('as of', 30),
        ('as of', 60),
        ('as of', 90),
        ('as of', 180),
        ('as of', 365),
        ('last day', 30),
        ('last day', 60),
        ('last day', 90),
        ('last day', 180)
),
counted_back as (
    select a.account_id, s.counted_from, s.days_before, cast($as_of as date) - s.days_before as scored_on
    from accounts a
    join steps s on s.counted_from = 'as of'
    union all
    select l.account_id, s.counted_from, s.days_before, l.last_day - s.days_before as scored_on
    from "customer-last-days" l
    join steps s on s.counted_from = 'last day'
),
days as (
    select *, cast(date_trunc('month', scored_on) as date) as scored_month
    from counted_back
),
-- Weights, of 100 in all, are a choice: what people say of the relationship and what staff hear say most about who
-- leaves.
components(component, weight) as (
    values
        ('relationship', 30),
        ('satisfaction', 15),
        ('effort', 15),
        ('field feedback', 25),
        ('engagement', 15)
),
-- One scale for every question: 0 worst, 100 best. An answer to several questions has a row for each.
answers as (
    select
        account_id,
        contact_id,
        response_id,
        answered_at,
        unnest([
            named_struct('component', 'relationship', 'score', nps * 10.0),
            named_struct('component', 'satisfaction', 'score', (csat - 1) * 25.0),
            named_struct('component', 'effort', 'score', (ces - 1) * 100 / 6.0)
        ]) as question
    from surveys
    where answered_at is not null
),
-- Whoever speaks, and what about: of each the latest counts. A note of field staff speaks for itself.
voices as (
    select
        account_id,
        question['component'] as component,
        contact_id as voice,
        response_id as reference,
        answered_at as heard_at,
        question['score'] as score
    from answers
    where question['score'] is not null
    union all
    select
        account_id,
        'field feedback' as component,
        feedback_id as voice,
        feedback_id as reference,
        captured_at as heard_at,
        -- A negative note costs by its severity, 1 to 5; a neutral one says little.
        case sentiment when 'positive' then 100.0 when 'neutral' then 60.0 else 50.0 - 10 * severity end as score
    from field_feedback
    where account_id is not null
),
latest as (
    select
        d.account_id,
        d.counted_from,
        d.days_before,
        d.scored_on,
        v.component,
        -- The larger reference decides between two answers of one moment.
        arg_max(v.score, struct(v.heard_at, v.reference)) as score,
        max(v.heard_at) as heard_at
    from days d
    join voices v
        on v.account_id = d.account_id
        and v.heard_at < d.scored_on
        and v.heard_at >= d.scored_on - cast(concat($window_days, ' days') as interval)
    group by d.account_id, d.counted_from, d.days_before, d.scored_on, v.component, v.voice
),
faded as (
    select
        *,
        decay((to_unixtime(cast(scored_on as timestamp)) - to_unixtime(heard_at)) / 86400.0, $half_life_days) as fade
    from latest
),
said as (
    select
        account_id,
        counted_from,
        days_before,
        component,
        -- Rounded, so that the mean of equal answers is the answer itself and not a hair beside it.
        round(sum(score * fade) / sum(fade), 12) as score,
        min(score) as lowest,
        count(*) as observations,
        max(heard_at) as newest
    from faded
    group by account_id, counted_from, days_before, component
),
monthly_touches as (
    select account_id, period, sum(touches) as touches
    from touches
    group by account_id, period
),
-- A month that is not loaded is no month without touches: engagement is known where all six months are there.
loaded_windows as (
    select d.scored_month
    from (select distinct scored_month from days) d
    join (select distinct period from touches) m
        on m.period < d.scored_month
        and m.period >= d.scored_month - interval '6 months'
    group by d.scored_month
    having count(*) = 6
),
touched as (
    select
        d.account_id,
        d.counted_from,
        d.days_before,
        sum(t.touches) filter (where t.period >= d.scored_month - interval '3 months') as recent,
        sum(t.touches) filter (where t.period < d.scored_month - interval '3 months') as before,
        count(*) as observations,
        max(t.period) as newest
    from days d
    join loaded_windows w on w.scored_month = d.scored_month
    join monthly_touches t
        on t.account_id = d.account_id
        and t.period < d.scored_month
        and t.period >= d.scored_month - interval '6 months'
    group by d.account_id, d.counted_from, d.days_before
),
engaged as (
    select
        account_id,
        counted_from,
        days_before,
        'engagement' as component,
        -- As many touches as before is 80, a quarter more is 100, none is 0.
        least(80.0 * coalesce(recent, 0) / before, 100.0) as score,
        least(80.0 * coalesce(recent, 0) / before, 100.0) as lowest,
        observations,
        newest
    from touched
    where before > 0
),
known as (
    select account_id, counted_from, days_before, component, score, lowest, observations,
        cast(newest as timestamp) as newest
    from said
    union all
    select account_id, counted_from, days_before, component, score, lowest, observations,
        cast(newest as timestamp) as newest
    from engaged
)
select
    d.account_id,
    a.account,
    a.office_id,
    a.segment,
    a.tier,
    a.annual_revenue,
    a.renews_on,
    d.counted_from,
    d.days_before,
    d.scored_on,
    c.component,
    c.weight,
    k.score,
    k.lowest,
    coalesce(k.observations, 0) as observations,
    k.newest
from days d
join accounts a on a.account_id = d.account_id and active_account(a.started_on, a.churned_on, d.scored_on)
cross join components c
left join known k
    on k.account_id = d.account_id
    and k.counted_from = d.counted_from
    and k.days_before = d.days_before
    and k.component = c.component
order by d.counted_from, d.days_before, d.account_id, c.weight desc, c.component
