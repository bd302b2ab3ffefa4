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
    from steps s
    join accounts a on s.counted_from = 'as of'
    union all
    select l.account_id, s.counted_from, s.days_before, l.last_day - s.days_before as scored_on
    from steps s
    join "customer-last-days" l on s.counted_from = 'last day'
),
days as (
    select
        account_id,
        counted_from,
        days_before,
        scored_on,
        cast(date_trunc('month', scored_on) as date) as end_month,
        cast(date_trunc('month', scored_on) - interval '3 months' as date) as recent_month,
        cast(date_trunc('month', scored_on) - interval '6 months' as date) as first_month
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
        s.account_id,
        q.component,
        s.contact_id,
        s.response_id,
        s.answered_at,
        case q.component
            when 'relationship' then s.nps * 10.0
            when 'satisfaction' then (s.csat - 1) * 25.0
            else (s.ces - 1) * 100 / 6.0
        end as score
    from (values ('relationship'), ('satisfaction'), ('effort')) q(component)
    cross join surveys s
    where s.answered_at is not null
),
-- What is said counts from the day after for a window of days. An answer counts no longer than to the day of the same
-- person's next one to the question; a note of field staff speaks for itself.
voices as (
    select
        account_id,
        component,
        score,
        answered_at as heard_at,
        cast(answered_at as date) as heard_on,
        least(
            cast(answered_at as date) + cast(concat($window_days, ' days') as interval),
            cast(
                lead(answered_at) over (
                    partition by account_id, contact_id, component order by answered_at, response_id
                ) as date
            )
        ) as counts_until
    from answers
    where score is not null
    union all
    select
        account_id,
        'field feedback' as component,
        -- A negative note costs by its severity, 1 to 5; a neutral one says little.
        case sentiment when 'positive' then 100.0 when 'neutral' then 60.0 else 50.0 - 10 * severity end as score,
        captured_at as heard_at,
        cast(captured_at as date) as heard_on,
        cast(captured_at as date) + cast(concat($window_days, ' days') as interval) as counts_until
    from field_feedback
    where account_id is not null
),
faded as (
    select
        d.account_id,
        d.counted_from,
        d.days_before,
        v.component,
        v.score,
        v.heard_at,
        decay(
            (to_unixtime(cast(d.scored_on as timestamp)) - to_unixtime(v.heard_at)) / 86400.0, $half_life_days
        ) as fade
    from days d
    join voices v on v.account_id = d.account_id and d.scored_on > v.heard_on and d.scored_on <= v.counts_until
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
    select
        cast(period + interval '1 month' as date) as end_month,
        count(*) over (order by period range between interval '5 months' preceding and current row) = 6 as is_whole
    from (select distinct period from touches)
),
touched as (
    select
        d.account_id,
        d.counted_from,
        d.days_before,
        sum(t.touches) filter (where t.period >= d.recent_month) as recent,
        sum(t.touches) filter (where t.period < d.recent_month) as before,
        count(*) as observations,
        max(t.period) as newest
    from days d
    join loaded_windows w on w.end_month = d.end_month and w.is_whole
    join monthly_touches t on t.account_id = d.account_id and t.period >= d.first_month and t.period < d.end_month
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
    select account_id, counted_from, days_before, component, score, score as lowest, observations,
        cast(newest as timestamp) as newest
    from engaged
),
scored as (
    select
        d.account_id,
        d.counted_from,
        d.days_before,
        d.scored_on,
        c.component,
        c.weight,
        k.score,
        k.lowest,
        coalesce(k.observations, 0) as observations,
        k.newest
    from components c
    cross join days d
    left join known k
        on k.account_id = d.account_id
        and k.counted_from = d.counted_from
        and k.days_before = d.days_before
        and k.component = c.component
)
select
    s.account_id,
    a.account,
    a.office_id,
    a.segment,
    a.tier,
    a.annual_revenue,
    a.renews_on,
    s.counted_from,
    s.days_before,
    s.scored_on,
    s.component,
    s.weight,
    s.score,
    s.lowest,
    s.observations,
    s.newest
from accounts a
join scored s on s.account_id = a.account_id and active_account(a.started_on, a.churned_on, s.scored_on)
order by s.counted_from, s.days_before, s.account_id, s.weight desc, s.component
