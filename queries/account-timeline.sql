-- +++
-- name = "account-timeline"
-- title = "What happened at an account, in order"
-- description = """
-- Everything that is known of one account, newest first: answers and comments, notes of field staff, escalations, \
-- calls that were asked for, contract revenue that changed, months in which touches fell or jumped, contacts who \
-- came or left, and the contract itself. Nothing after the day counts but the renewal, so that a past day shows \
-- what could be known then; what has no time of its own (a severity, a cause, that a matter was reopened or that a \
-- call reached nobody) is told as it stands now. It is what stands behind the points of customer-health-detail. \
-- Times are UTC; months of revenue and touches stand at their first day, and count once they are over."""
-- tags = ["health", "account"]
-- grain = ["happened_at", "kind", "reference"]
--
-- [params.account]
-- type = "text"
-- default = "000278"
-- values_sql = "select account_id, account from accounts order by account_id"
-- description = "account id or name"
--
-- [params.as_of]
-- type = "date"
-- default = "today"
-- description = "the day; only what was known before it counts (UTC)"
--
-- [params.days]
-- type = "int"
-- default = 365
-- min = 1
-- description = "how many days to look back, from the day or from the day on which the account left"
--
-- [params.kinds]
-- type = "list<text>"
-- default = "all"
-- values = ["contract", "contact", "survey", "no answer", "note", "escalation", "call", "revenue", "touches"]
-- description = "what to show"
--
-- [params.step]
-- type = "float"
-- default = 0.03
-- min = 0
-- max = 1
-- description = "smallest change of contract revenue against the booked month before that is shown"
--
-- [columns]
-- happened_at = { title = "When" }
-- kind = { title = "Kind" }
-- sign = { title = "Sign", description = "good, bad or neutral for the relationship" }
-- what = { title = "What" }
-- who = { title = "Who" }
-- words = { title = "Words" }
-- reference = { title = "Reference", description = "the row's key in its table" }
-- +++
with bounds as (
    -- Of an account that left, the time before it did is what people ask for.
    select started_on, least(cast($as_of as date), coalesce(churned_on, cast($as_of as date))) as last_day
    from accounts
    where account_id = $account
),
contract as (
    select
        cast(started_on as timestamp) as happened_at,
        'contract' as kind,
        'good' as sign,
        'became a customer' as what,
        owner as who,
        cast(null as varchar) as words,
        account_id as reference
    from accounts
    where account_id = $account
    union all
    select
        cast(churned_on as timestamp) as happened_at,
        'contract' as kind,
        'bad' as sign,
        concat('left: ', coalesce(churn_reason, 'reason not stated')) as what,
        owner as who,
        null as words,
        account_id as reference
    from accounts
    where account_id = $account
      and churned_on is not null
    union all
    select
        cast(renews_on as timestamp) as happened_at,
        'contract' as kind,
        'neutral' as sign,
        'renewal due' as what,
        owner as who,
        null as words,
        'renewal' as reference
    from accounts
    where account_id = $account
      and active_account(started_on, churned_on, $as_of)
),
people as (
    select
        cast(since as timestamp) as happened_at,
        'contact' as kind,
        'neutral' as sign,
        concat('new contact: ', title, case when is_decision_maker then ', decides on the renewal' else '' end) as what,
        contact_id as who,
        null as words,
        contact_id as reference
    from contacts
    where account_id = $account
    union all
    select
        cast(left_on as timestamp) as happened_at,
        'contact' as kind,
        case when is_decision_maker then 'bad' else 'neutral' end as sign,
        concat(
            'contact left: ', title, case when is_decision_maker then ', decided on the renewal' else '' end
        ) as what,
        contact_id as who,
        null as words,
        contact_id as reference
    from contacts
    where account_id = $account
      and left_on is not null
),
answers as (
    select
        answered_at as happened_at,
        'survey' as kind,
        case
            when detractor(nps) or csat <= 2 or ces <= 3 then 'bad'
            when promoter(nps) or satisfied(csat) or easy(ces) then 'good'
            else 'neutral'
        end as sign,
        -- A question that has no answer makes its part null, and concat_ws leaves it out.
        concat_ws(
            ', ',
            concat(survey_type, ' (', touchpoint, ')'),
            'NPS ' || cast(nps as varchar),
            'CSAT ' || cast(csat as varchar),
            'ease ' || cast(ces as varchar),
            case when nps is null and csat is null and ces is null then 'left blank' end
        ) as what,
        concat(contact_id, ' ', contact_role) as who,
        comment as words,
        response_id as reference
    from surveys
    where account_id = $account
      and answered_at is not null
    union all
    select
        s.sent_at as happened_at,
        'no answer' as kind,
        'neutral' as sign,
        concat(
            s.survey_type,
            ' (',
            s.touchpoint,
            case when c.left_on <= s.sent_at then ') sent to somebody who had left' else ') not answered' end
        ) as what,
        concat(s.contact_id, ' ', s.contact_role) as who,
        null as words,
        s.response_id as reference
    from surveys s
    left join contacts c on c.contact_id = s.contact_id
    where s.account_id = $account
      -- Not by the day, whatever came after it.
      and (s.answered_at is null or s.answered_at >= $as_of)
),
notes as (
    select
        captured_at as happened_at,
        'note' as kind,
        case sentiment when 'negative' then 'bad' when 'positive' then 'good' else 'neutral' end as sign,
        concat(theme, ', severity ', severity) as what,
        author as who,
        text as words,
        feedback_id as reference
    from field_feedback
    where account_id = $account
),
escalated as (
    select
        opened_at as happened_at,
        'escalation' as kind,
        'bad' as sign,
        concat(
            'opened: ', root_cause, ', severity ', severity, case when is_reopened then ', reopened' else '' end
        ) as what,
        owner as who,
        null as words,
        concat(escalation_id, ' opened') as reference
    from escalations
    where account_id = $account
    union all
    select
        closed_at as happened_at,
        'escalation' as kind,
        'good' as sign,
        concat('closed: ', root_cause, ', severity ', severity) as what,
        owner as who,
        null as words,
        concat(escalation_id, ' closed') as reference
    from escalations
    where account_id = $account
      and closed_at is not null
),
calls as (
    select
        contacted_at as happened_at,
        'call' as kind,
        case
            when outcome in ('issue solved', 'reference agreed') then 'good'
            when outcome = 'issue open' then 'bad'
            else 'neutral'
        end as sign,
        concat(kind, ': ', outcome) as what,
        owner as who,
        null as words,
        follow_up_id as reference
    from follow_ups
    where account_id = $account
      and contacted_at is not null
    union all
    -- A call that nobody had made by the day is an event on the day on which it was due.
    select
        cast(due_on as timestamp) as happened_at,
        'call' as kind,
        case when kind = 'call detractor' then 'bad' else 'neutral' end as sign,
        concat(kind, ': was due, ', case status when 'not reached' then status else 'not made' end) as what,
        owner as who,
        null as words,
        follow_up_id as reference
    from follow_ups
    where account_id = $account
      and (contacted_at is null or contacted_at >= $as_of)
),
revenue_months as (
    select
        period,
        currency,
        recurring_revenue,
        lag(period) over (order by period) as period_before,
        lag(recurring_revenue) over (order by period) as revenue_before
    from account_revenue
    where account_id = $account
      and period < date_trunc('month', cast($as_of as date))
),
revenue_changes as (
    select *, cast(recurring_revenue as double) / nullif(cast(revenue_before as double), 0) - 1 as change
    from revenue_months
),
revenues as (
    select
        cast(period as timestamp) as happened_at,
        'revenue' as kind,
        case when recurring_revenue < revenue_before then 'bad' else 'good' end as sign,
        concat(
            'contract revenue a month from ',
            revenue_before,
            ' to ',
            recurring_revenue,
            ' ',
            currency,
            case when change < 0 then ', ' else ', +' end,
            cast(round(100 * change) as int),
            ' %',
            -- A month that is not booked hides in which month it changed.
            case when period_before < period - interval '1 month' then concat(' since ', period_before) else '' end
        ) as what,
        cast(null as varchar) as who,
        cast(null as varchar) as words,
        cast(period as varchar) as reference
    from revenue_changes
    where abs(change) >= $step
),
-- Whole months as a customer: a part of a month looks like a fall. A month that is not loaded for anybody is none.
whole_months as (
    select distinct t.period
    from touches t
    cross join bounds b
    where t.period >= b.started_on
      and t.period < date_trunc('month', b.last_day)
),
touched as (
    select period, sum(touches) as touches
    from touches
    where account_id = $account
    group by period
),
-- A month that others have touches in and the account has not is one of 0.
monthly_touches as (
    select m.period, coalesce(t.touches, 0) as touches
    from whole_months m
    left join touched t on t.period = m.period
),
touch_months as (
    select
        period,
        touches,
        avg(touches) over three_before as usual,
        count(*) over three_before as months_before
    from monthly_touches
    window three_before as (
        order by period range between interval '3 months' preceding and interval '1 month' preceding
    )
),
touch_changes as (
    select
        cast(period as timestamp) as happened_at,
        'touches' as kind,
        case when touches < usual then 'bad' else 'neutral' end as sign,
        concat(touches, ' touches in the month; ', cast(round(usual) as int), ' a month in the three before') as what,
        cast(null as varchar) as who,
        cast(null as varchar) as words,
        cast(period as varchar) as reference
    from touch_months
    -- A third fewer or a half more than in the three months before, where all three are loaded.
    where months_before = 3
      and (touches < 2.0 / 3 * usual or touches > 1.5 * usual)
),
events as (
    select happened_at, kind, sign, what, who, words, reference from contract
    union all
    select happened_at, kind, sign, what, who, words, reference from people
    union all
    select happened_at, kind, sign, what, who, words, reference from answers
    union all
    select happened_at, kind, sign, what, who, words, reference from notes
    union all
    select happened_at, kind, sign, what, who, words, reference from escalated
    union all
    select happened_at, kind, sign, what, who, words, reference from calls
    union all
    select happened_at, kind, sign, what, who, words, reference from revenues
    union all
    select happened_at, kind, sign, what, who, words, reference from touch_changes
)
select
    happened_at,
    kind,
    sign,
    what,
    who,
    words,
    reference
from events
cross join bounds
where (happened_at < $as_of or reference = 'renewal')
  and happened_at >= last_day - cast(concat($days, ' days') as interval)
  and kind = any($kinds)
order by happened_at desc, kind, reference
