-- +++
-- name = "improvement-opportunities"
-- title = "What to improve first: reach, effect and revenue"
-- description = """
-- Themes of negative notes and root causes of escalations, ranked. Reach: customers who met it in the window, as a \
-- share of all. Effect: NPS of those who met it less NPS of the others, region by region and weighted by the answers \
-- of those who met it, so that a theme of one region is not blamed for the region; with its interval. Revenue at \
-- risk: yearly recurring revenue of who met it and renews soon. Priority = reach x NPS points lost x revenue at risk \
-- in millions; 0 where they do not score lower. It shows what goes together, not what causes what; of twenty rows \
-- one is beyond chance by chance; and surveys do not see all: who is about to leave without a word scores well."""
-- tags = ["voice of the customer", "initiatives", "quarterly"]
-- grain = ["kind", "opportunity"]
--
-- [params.to]
-- type = "month"
-- default = "last_complete(month)"
-- description = "last month of the window"
--
-- [params.months]
-- type = "int"
-- default = 12
-- min = 1
-- max = 60
-- description = "length of the window in months, for notes, escalations and answers alike"
--
-- [params.survey_types]
-- type = "list<text>"
-- default = ["relationship", "pulse", "executive"]
-- values = ["relationship", "transactional", "pulse", "milestone", "executive"]
--
-- [params.regions]
-- type = "list<text>"
-- default = "all"
-- values = ["NA", "EMEA", "APAC"]
-- description = "regions whose accounts count"
--
-- [params.renewal_days]
-- type = "int"
-- default = 180
-- min = 1
-- description = "revenue is at risk when it renews within so many days of the window's end"
--
-- [params.min_base]
-- type = "int"
-- default = 20
-- min = 2
-- description = "fewest answers of those who met it for which an effect is shown"
--
-- [params.confidence]
-- type = "float"
-- default = 0.95
-- min = 0.5
-- max = 0.999
-- description = "confidence of the interval"
--
-- [columns]
-- rank = { title = "Rank", format = "0", description = "by priority; none where that is 0 or not known" }
-- opportunity = { title = "Opportunity" }
-- kind = { title = "Kind", description = "theme of notes, or root cause of escalations" }
-- priority = { title = "Priority", format = "0.0", good = "down", description = "reach x points lost x revenue at risk in millions" }
-- reach = { title = "Reach", format = "0.0%", good = "down", description = "accounts by all customers" }
-- effect = { title = "Effect (NPS)", format = "+0.0", good = "up", description = "NPS of those who met it less that of the others, within regions" }
-- low = { title = "Low", format = "+0.0" }
-- high = { title = "High", format = "+0.0" }
-- accounts = { title = "Accounts", format = "#,##0", good = "down", description = "customers who met it" }
-- cases = { title = "Cases", format = "#,##0", description = "negative notes or escalations" }
-- revenue = { title = "Revenue", format = "#,##0", description = "recurring, of a year, USD" }
-- revenue_share = { title = "Of all revenue", format = "0.0%", description = "revenue of those who met it by that of all customers" }
-- n = { title = "n", format = "#,##0", description = "people at those accounts who answered" }
-- n_others = { title = "n others", format = "#,##0", description = "people at the others, in the same regions" }
-- revenue_at_risk = { title = "At risk", format = "#,##0", good = "down", description = "of it, what renews soon" }
-- running = { title = "Initiatives", format = "0", description = "in progress on the theme; none are named by root cause" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "scatter"
-- title = "Effect on NPS against reach"
-- x = "reach"
-- y = "effect"
-- color = "kind"
-- low = "low"
-- high = "high"
-- label = "opportunity"
-- +++
with customers as (
    select
        a.account_id,
        o.region,
        12 * r.recurring_revenue as revenue,
        a.renews_on
            < cast($to as date) + interval '1 month' + cast(concat($renewal_days, ' days') as interval) as renews_soon
    from accounts a
    join offices o on o.office_id = a.office_id
    left join account_revenue r on r.account_id = a.account_id and r.period = $to
    where active_account(a.started_on, a.churned_on, cast($to as date) + interval '1 month' - interval '1 day')
      and o.region = any($regions)
),
met as (
    select 'theme' as kind, f.theme as opportunity, f.account_id, count(*) as cases
    from field_feedback f
    join customers c on c.account_id = f.account_id
    where f.sentiment = 'negative'
      and f.captured_at >= cast($to as date) - cast(concat($months - 1, ' months') as interval)
      and f.captured_at < cast($to as date) + interval '1 month'
    group by f.theme, f.account_id
    union all
    select 'root cause' as kind, e.root_cause as opportunity, e.account_id, count(*) as cases
    from escalations e
    join customers c on c.account_id = e.account_id
    where e.opened_at >= cast($to as date) - cast(concat($months - 1, ' months') as interval)
      and e.opened_at < cast($to as date) + interval '1 month'
    group by e.root_cause, e.account_id
),
-- Each person counts once, with the latest answer.
answers as (
    select c.account_id, c.region, s.contact_id, arg_max(s.nps, s.answered_at) as nps
    from surveys s
    join customers c on c.account_id = s.account_id
    where s.survey_type = any($survey_types)
      and s.answered_at >= cast($to as date) - cast(concat($months - 1, ' months') as interval)
      and s.answered_at < cast($to as date) + interval '1 month'
      and s.nps is not null
    group by c.account_id, c.region, s.contact_id
),
opportunities as (
    select distinct kind, opportunity from met
),
-- Every answer is held against every opportunity: from somebody who met it, or from one of the others.
held_against as (
    select o.kind, o.opportunity, a.region, a.nps, m.account_id is not null as has_met
    from opportunities o
    cross join answers a
    left join met m on m.kind = o.kind and m.opportunity = o.opportunity and m.account_id = a.account_id
),
regions as (
    select
        kind,
        opportunity,
        region,
        nps(nps) filter (where has_met) - nps(nps) filter (where not has_met) as difference
    from held_against
    group by kind, opportunity, region
),
-- A region in which nobody met it, or everybody did, has nothing to compare.
effects as (
    select
        h.kind,
        h.opportunity,
        -- By the answers of those who met it.
        avg(r.difference) filter (where h.has_met) as effect,
        nps_stats(h.nps, confidence => $confidence) filter (where h.has_met) as met,
        nps_stats(h.nps, confidence => $confidence) filter (where not h.has_met) as others
    from held_against h
    join regions r on r.kind = h.kind and r.opportunity = h.opportunity and r.region = h.region
    where r.difference is not null
    group by h.kind, h.opportunity
),
-- The interval of a difference: half widths of both add up in squares. Regions apart would vary less, so that it is a
-- little wide.
measured as (
    select
        kind,
        opportunity,
        met['n'] as n,
        others['n'] as n_others,
        effect,
        sqrt(power(met['high'] - met['low'], 2) + power(others['high'] - others['low'], 2)) / 2 as margin
    from effects
),
reached as (
    select
        m.kind,
        m.opportunity,
        count(*) as accounts,
        sum(m.cases) as cases,
        sum(c.revenue) as revenue,
        -- Nothing of it renews soon, which is 0; of a revenue that is not known nobody can say.
        case
            when sum(c.revenue) is not null then coalesce(sum(c.revenue) filter (where c.renews_soon), 0)
        end as revenue_at_risk
    from met m
    join customers c on c.account_id = m.account_id
    group by m.kind, m.opportunity
),
everybody as (
    select count(*) as accounts, sum(revenue) as revenue from customers
),
answered as (
    select theme, count(*) as running
    from initiatives
    where status = 'in progress'
      and region = any($regions)
    group by theme
),
parts as (
    select
        r.kind,
        r.opportunity,
        r.accounts,
        r.cases,
        cast(r.accounts as double) / v.accounts as reach,
        coalesce(e.n, 0) as n,
        e.n_others,
        case when e.n >= $min_base then e.effect end as effect,
        case when e.n >= $min_base then e.effect - e.margin end as low,
        case when e.n >= $min_base then e.effect + e.margin end as high,
        r.revenue,
        r.revenue_at_risk,
        cast(r.revenue as double) / nullif(cast(v.revenue as double), 0) as revenue_share,
        case when r.kind = 'theme' then coalesce(i.running, 0) end as running
    from reached r
    cross join everybody v
    left join measured e on e.kind = r.kind and e.opportunity = r.opportunity
    left join answered i on i.theme = r.opportunity and r.kind = 'theme'
),
prioritised as (
    select
        *,
        -- An effect, or a revenue, that is not known is none of 0.
        case
            when effect is not null and revenue is not null
                then reach * greatest(-effect, 0.0) * cast(revenue_at_risk as double) / 1e6
        end as priority
    from parts
)
select
    case when priority > 0 then rank() over (order by priority desc nulls last) end as rank,
    opportunity,
    kind,
    priority,
    reach,
    effect,
    low,
    high,
    accounts,
    cases,
    revenue,
    revenue_share,
    n,
    n_others,
    revenue_at_risk,
    running,
    case
        when effect is null then 'too few answers for an effect'
        when high < 0 then 'scores lower'
        when low > 0 then 'scores higher: surveys do not see it'
        else 'within chance'
    end as note
from prioritised
order by priority desc nulls last, revenue_at_risk desc nulls last, kind, opportunity
