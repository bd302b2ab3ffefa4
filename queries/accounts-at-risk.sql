-- +++
-- name = "accounts-at-risk"
-- title = "Accounts at risk, why, and what to do next"
-- description = """
-- Every customer with signs of leaving, by how much risk they add up to and by the revenue behind it. Each sign has \
-- points (a choice, stated in the query) and a reason in words; points add up to 100 at most, and revenue at risk is \
-- yearly recurring revenue times points by 100: a way to rank, no forecast. Answers to surveys are one sign of ten, \
-- so that an account that is content in surveys and bad elsewhere is found. The next step is that of the gravest \
-- sign, by one rule. Nothing after the day counts, but renewal days are today's: for a past day set renewal_days to \
-- 0. An account of which too little is known is not safe, but unknown, and says so."""
-- tags = ["health", "revenue", "weekly"]
-- grain = ["account_id"]
-- uses = ["customer-health"]
--
-- [params.as_of]
-- type = "date"
-- default = "today"
-- description = "the day; only what was known before it counts (UTC)"
--
-- [params.renewal_days]
-- type = "int"
-- default = 90
-- min = 0
-- description = "a renewal within so many days is near"
--
-- [params.recent_days]
-- type = "int"
-- default = 180
-- min = 1
-- description = "a sponsor who left within so many days has just left"
--
-- [params.fall]
-- type = "float"
-- default = 0.25
-- min = 0
-- max = 1
-- description = "touches of three months that are at least this share below the three before are falling"
--
-- [params.shrink]
-- type = "float"
-- default = 0.05
-- min = 0
-- max = 1
-- description = "recurring revenue that is at least this share below that of three months before is shrinking"
--
-- [params.segments]
-- type = "list<text>"
-- default = "all"
-- values = ["Enterprise", "Mid-market", "Small"]
--
-- [params.min_points]
-- type = "int"
-- default = 40
-- min = 0
-- max = 100
-- description = "show accounts from so many points"
--
-- [columns]
-- account_id = { title = "Id" }
-- account = { title = "Account" }
-- urgency = { title = "Urgency", description = "act now from 70 points, act soon from 40, watch below" }
-- points = { title = "Points", format = "0", good = "down", description = "of 100" }
-- revenue_at_risk = { title = "Revenue at risk", format = "#,##0", good = "down", total = "sum", description = "recurring revenue times points by 100, USD" }
-- recurring_revenue = { title = "Recurring revenue", format = "#,##0", total = "sum", description = "of a year: twelve times the latest month, USD" }
-- owner = { title = "Owner" }
-- renews_on = { title = "Renews" }
-- office = { title = "Office" }
-- segment = { title = "Segment" }
-- health = { title = "Score", format = "0.0", good = "up", bands = [50, 70], missing = "note" }
-- sponsors_left = { title = "Sponsors left", format = "0", good = "down", total = "sum" }
-- touches_change = { title = "Touches", format = "+0%", good = "up", missing = "note", description = "three complete months against the three before" }
-- revenue_change = { title = "Contract", format = "+0.0%", good = "up", missing = "note", description = "recurring revenue of the latest month against three months before" }
-- severe_notes = { title = "Severe notes", format = "0", good = "down", total = "sum", description = "open, negative and severe" }
-- overdue = { title = "Overdue", format = "0", good = "down", total = "sum", description = "calls after surveys and notes past their due day" }
-- escalations = { title = "Escalations", format = "0", good = "down", total = "sum", description = "open" }
-- band = { title = "Health" }
-- next_step = { title = "Next step" }
-- reasons = { title = "Reasons", description = "gravest first" }
-- note = { title = "Note", description = "what is not known, and why" }
--
-- [[chart]]
-- type = "scatter"
-- title = "Recurring revenue against points of risk"
-- x = "points"
-- y = "recurring_revenue"
-- color = "segment"
-- label = "account"
-- +++
with customers as (
    select account_id, account, office, segment, renews_on, band, health, weakest
    from "customer-health"
),
open_notes as (
    select
        f.account_id,
        count(*) filter (where f.sentiment = 'negative' and severe(f.severity)) as severe,
        count(*) filter (where f.due_on < $as_of) as overdue
    from field_feedback f
    where open_on(f.captured_at, f.closed_at, $as_of)
    group by f.account_id
),
-- A person who could not be reached is no longer called: such a call was settled, though not made.
open_calls as (
    select f.account_id, count(*) as overdue
    from follow_ups f
    where f.opened_at < $as_of
      and f.kind = 'call detractor'
      and f.due_on < $as_of
      and f.status <> 'not reached'
      and (f.contacted_at is null or f.contacted_at >= $as_of)
    group by f.account_id
),
open_escalations as (
    select e.account_id, count(*) as open, count(*) filter (where severe(e.severity)) as severe
    from escalations e
    where open_on(e.opened_at, e.closed_at, $as_of)
    group by e.account_id
),
gone_sponsors as (
    select c.account_id, count(*) as gone
    from contacts c
    where c.role = 'executive'
      and c.left_on < $as_of
      and c.left_on >= cast($as_of as date) - cast(concat($recent_days, ' days') as interval)
    group by c.account_id
),
-- A month that is not loaded is no month without touches.
loaded as (
    select count(distinct period) = 6 as touch_months
    from touches
    where period >= date_trunc('month', cast($as_of as date)) - interval '6 months'
      and period < date_trunc('month', cast($as_of as date))
),
touched as (
    select
        account_id,
        sum(touches) filter (where period >= date_trunc('month', cast($as_of as date)) - interval '3 months') as recent,
        sum(touches) filter (where period < date_trunc('month', cast($as_of as date)) - interval '3 months') as before
    from touches
    where period >= date_trunc('month', cast($as_of as date)) - interval '6 months'
      and period < date_trunc('month', cast($as_of as date))
    group by account_id
),
brought as (
    select
        account_id,
        sum(recurring_revenue)
            filter (where period = date_trunc('month', cast($as_of as date)) - interval '1 month') as latest,
        sum(recurring_revenue)
            filter (where period = date_trunc('month', cast($as_of as date)) - interval '4 months') as before
    from account_revenue
    where period >= date_trunc('month', cast($as_of as date)) - interval '4 months'
      and period < date_trunc('month', cast($as_of as date))
    group by account_id
),
observed as (
    select
        c.*,
        w.touch_months,
        12 * b.latest as recurring_revenue,
        cast(b.latest as double) / nullif(cast(b.before as double), 0) - 1 as revenue_change,
        -- Nothing logged after something was is a fall to nothing; nothing before says nothing.
        case
            when w.touch_months then cast(coalesce(t.recent, 0) as double) / nullif(t.before, 0) - 1
        end as touches_change,
        coalesce(s.gone, 0) as sponsors_left,
        coalesce(n.severe, 0) as severe_notes,
        coalesce(n.overdue, 0) + coalesce(l.overdue, 0) as overdue,
        coalesce(e.open, 0) as escalations,
        coalesce(e.severe, 0) as severe_escalations
    from loaded w
    cross join customers c
    left join brought b on b.account_id = c.account_id
    left join touched t on t.account_id = c.account_id
    left join gone_sponsors s on s.account_id = c.account_id
    left join open_notes n on n.account_id = c.account_id
    left join open_calls l on l.account_id = c.account_id
    left join open_escalations e on e.account_id = c.account_id
),
signs as (
    select
        *,
        sponsors_left > 0 as sponsor_left,
        severe_escalations > 0 as escalates,
        severe_notes > 0 as is_heard_unhappy,
        coalesce(revenue_change <= -$shrink, false) as contract_shrinks,
        overdue > 0 as is_overdue,
        coalesce(touches_change <= -$fall, false) as touches_fall,
        coalesce(
            renews_on < cast($as_of as date) + cast(concat($renewal_days, ' days') as interval), false
        ) as renewal_near
    from observed
),
-- Points are a choice: what went before accounts that left without a word, and what people say, count most.
judged as (
    select
        *,
        least(
            100,
            case when sponsor_left then 25 else 0 end
            + case when escalates then 25 when escalations > 0 then 10 else 0 end
            + case when is_heard_unhappy then 20 else 0 end
            + case when contract_shrinks then 20 else 0 end
            + case when is_overdue then 15 else 0 end
            + case when renewal_near then 15 else 0 end
            + case when touches_fall then 15 else 0 end
            + case band when 'at risk' then 15 when 'watch' then 5 when 'unknown' then 5 else 0 end
        ) as points,
        -- The same order everywhere: by points, and of those with as many what can be done soonest.
        concat_ws(
            '; ',
            case when sponsor_left then concat(sponsors_left, case sponsors_left when 1 then ' executive sponsor left' else ' executive sponsors left' end) end,
            case when escalates then concat(severe_escalations, case severe_escalations when 1 then ' severe escalation open' else ' severe escalations open' end) end,
            case when is_heard_unhappy then concat(severe_notes, case severe_notes when 1 then ' severe note' else ' severe notes' end, ' of field staff open') end,
            case
                when contract_shrinks
                    then concat('contract ', cast(round(-100 * revenue_change) as int), ' % smaller')
            end,
            case when is_overdue then concat(overdue, case overdue when 1 then ' follow-up overdue' else ' follow-ups overdue' end) end,
            case when renewal_near then concat('renews on ', renews_on) end,
            case
                when touches_fall
                    then concat('touches down by ', cast(round(-100 * touches_change) as int), ' %')
            end,
            case when band in ('at risk', 'watch') then concat('health ', band, ', weakest in ', weakest) end,
            case when escalations > 0 and not escalates then concat(escalations, case escalations when 1 then ' escalation open' else ' escalations open' end) end,
            case when band = 'unknown' then 'health unknown' end
        ) as reasons,
        case
            when sponsor_left then 'Meet the new sponsor: an executive calls this week'
            when escalates then 'An executive takes the escalation over'
            when is_heard_unhappy then 'Answer the open notes in person'
            when contract_shrinks then 'Review the contract with the customer'
            when is_overdue then 'Make the overdue calls today'
            when renewal_near then 'Open the talk on renewal'
            when touches_fall then 'Book a meeting: contact is being lost'
            when band = 'at risk' then 'Call those who scored low'
            when escalations > 0 then 'Close the escalation'
            when band = 'watch' then 'Agree what would make it better'
            when band = 'unknown' then 'Ask: too little is known of this account'
        end as next_step
    from signs
),
ranked as (
    select
        *,
        band(points, [40, 70], ['watch', 'act soon', 'act now']) as urgency,
        cast(recurring_revenue as double) * points / 100 as revenue_at_risk
    from judged
)
select
    r.account_id,
    r.account,
    r.urgency,
    r.points,
    r.revenue_at_risk,
    r.recurring_revenue,
    a.owner,
    r.renews_on,
    r.office,
    r.segment,
    r.health,
    r.sponsors_left,
    r.touches_change,
    r.revenue_change,
    r.severe_notes,
    r.overdue,
    r.escalations,
    r.band,
    r.next_step,
    r.reasons,
    nullif(
        concat_ws(
            '; ',
            case when r.health is null then 'score: too little is known' end,
            case
                when r.touches_change is null and not r.touch_months then 'touches: a month is not loaded'
                when r.touches_change is null then 'touches: none before'
            end,
            case when r.revenue_change is null then 'contract: no revenue in one of the months' end
        ),
        ''
    ) as note
from ranked r
join accounts a on a.account_id = r.account_id
where r.points > 0
  and r.points >= $min_points
  and r.segment = any($segments)
order by
    case r.urgency when 'act now' then 0 when 'act soon' then 1 else 2 end,
    r.revenue_at_risk desc nulls last,
    r.account_id
