-- +++
-- name = "personas"
-- title = "Personas: the people behind the answers, by role"
-- description = """
-- One row per role of a contact, and one for all. People are contacts who are still there, at accounts that are \
-- customers, at the end of the window. NPS takes the latest answer of each person to the types of survey chosen, \
-- with its adjusted Wald interval; the response rate, stages and touchpoints take all types. The top stage and \
-- touchpoint are those that most answers are about. Reasons come from comments, by the codebook in force at the end \
-- of the window: people count once per reason, may give several, and their share is of those whose comment got any. \
-- Below the minimum base scores and reasons are withheld."""
-- tags = ["surveys", "personas", "quarterly"]
-- grain = ["role"]
-- uses = ["survey-invitations"]
--
-- [params.to]
-- type = "month"
-- default = "last_complete(month)"
-- description = "last month, by the day of sending (UTC)"
--
-- [params.months]
-- type = "int"
-- default = 12
-- min = 1
-- max = 24
-- description = "length of the window in months"
--
-- [params.nps_types]
-- type = "list<text>"
-- default = ["relationship"]
-- values = ["relationship", "pulse", "executive"]
-- description = "surveys whose NPS counts; several of them mix several questions"
--
-- [params.regions]
-- type = "list<text>"
-- default = "all"
-- values = ["NA", "EMEA", "APAC"]
--
-- [params.min_base]
-- type = "int"
-- default = 20
-- min = 1
-- description = "fewest people for a score or a reason"
--
-- [params.confidence]
-- type = "float"
-- default = 0.95
-- min = 0.5
-- max = 0.999
-- description = "probability that the interval covers the score of all people of the role"
--
-- [columns]
-- role = { title = "Role" }
-- people = { title = "People", format = "#,##0" }
-- accounts = { title = "Accounts", format = "#,##0" }
-- decision_share = { title = "Decide", format = "0%", description = "of the people, who decide on the renewal" }
-- n = { title = "n", format = "#,##0", description = "people in the NPS; some may have left since" }
-- nps = { title = "NPS", format = "+0.0", good = "up" }
-- low = { title = "Low", format = "+0.0" }
-- high = { title = "High", format = "+0.0" }
-- delivered = { title = "Invitations", format = "#,##0", description = "delivered, of all types" }
-- response_rate = { title = "Response rate", format = "0%", good = "up" }
-- top_stage = { title = "Top stage", description = "that most answers are about, with its share" }
-- top_touchpoint = { title = "Top touchpoint", description = "likewise" }
-- commenting = { title = "With reason", format = "#,##0", description = "people whose comment got a reason" }
-- top_reason = { title = "Top reason" }
-- reason_share = { title = "Of them", format = "0%" }
-- second_reason = { title = "Second reason" }
-- languages = { title = "Languages", description = "that the people prefer; the first three" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "dot"
-- x = "nps"
-- y = "role"
-- low = "low"
-- high = "high"
-- total = "All"
-- +++
with people as (
    select
        c.role,
        c.contact_id,
        c.account_id,
        c.is_decision_maker,
        c.language
    from contacts c
    join accounts a on a.account_id = c.account_id
    join offices o on o.office_id = a.office_id
    where c.since < cast($to as date) + interval '1 month'
      and (c.left_on is null or c.left_on >= cast($to as date) + interval '1 month')
      and a.started_on < cast($to as date) + interval '1 month'
      and (a.churned_on is null or a.churned_on >= cast($to as date) + interval '1 month')
      and o.region = any($regions)
),
-- Every person counts in the own role and among all.
people_by_role as (
    select
        case when grouping(role) = 1 then 'All' else role end as role,
        count(*) as people,
        count(distinct account_id) as accounts,
        count(*) filter (where is_decision_maker) as deciding
    from people
    group by grouping sets ((), (role))
),
speakers as (
    select
        case when grouping(role) = 1 then 'All' else role end as role,
        language,
        count(*) as people,
        sum(count(*)) over (partition by grouping(role), role) as all_people,
        row_number() over (partition by grouping(role), role order by count(*) desc, language) as most_first
    from people
    group by grouping sets ((language), (role, language))
),
languages as (
    select
        role,
        string_agg(
            concat(language, ' ', cast(round(100.0 * people / all_people) as int), ' %'), ', ' order by most_first
        ) as languages
    from speakers
    where most_first <= 3
    group by role
),
invitations as (
    select
        contact_role,
        journey_stage,
        touchpoint,
        answered_at,
        nps,
        nps is not null and survey_type = any($nps_types)
            and row_number() over (
                partition by contact_id, nps is not null and survey_type = any($nps_types)
                order by answered_at desc, response_id desc
            ) = 1 as is_latest
    from "survey-invitations"
    where is_delivered
      and sent_at >= cast($to as date) - cast(concat($months - 1, ' months') as interval)
      and sent_at < cast($to as date) + interval '1 month'
      and region = any($regions)
),
-- A role as a whole, its stages and its touchpoints in one pass.
counted as (
    select
        case when grouping(contact_role) = 1 then 'All' else contact_role end as role,
        case
            when grouping(journey_stage) = 0 then 'stage'
            when grouping(touchpoint) = 0 then 'touchpoint'
            else 'role'
        end as kind,
        journey_stage,
        touchpoint,
        count(*) as delivered,
        count(answered_at) as answered,
        nps_stats(nps, confidence => $confidence) filter (where is_latest) as stats
    from invitations
    group by grouping sets (
        (), (journey_stage), (touchpoint),
        (contact_role), (contact_role, journey_stage), (contact_role, touchpoint)
    )
),
ranked as (
    select
        *,
        row_number() over (partition by role, kind order by answered desc, journey_stage, touchpoint) as most_first,
        sum(answered) over (partition by role, kind) as all_answered
    from counted
),
answered as (
    select
        role,
        max(delivered) filter (where kind = 'role') as delivered,
        max(answered) filter (where kind = 'role') as answered,
        first_value(stats order by kind) filter (where kind = 'role') as stats,
        max(concat(journey_stage, ' ', cast(round(100.0 * answered / nullif(all_answered, 0)) as int), ' %'))
            filter (where kind = 'stage' and most_first = 1) as top_stage,
        max(concat(touchpoint, ' ', cast(round(100.0 * answered / nullif(all_answered, 0)) as int), ' %'))
            filter (where kind = 'touchpoint' and most_first = 1) as top_touchpoint
    from ranked
    group by role
),
-- The codebook in force at the end of the window.
codes as (
    select code, label, kind, match
    from codebook
    where version = (
        select max(version) from codebook where valid_from < cast($to as date) + interval '1 month'
    )
),
labels as (
    select code, max(label) as label
    from codes
    group by code
),
coded as (
    select
        s.contact_role,
        s.contact_id,
        unnest(reason_codes(s.comment, codebook => (select codebook(code, kind, match) from codes))) as code
    from surveys s
    join offices o on o.office_id = s.office_id
    where s.comment is not null
      and s.sent_at >= cast($to as date) - cast(concat($months - 1, ' months') as interval)
      and s.sent_at < cast($to as date) + interval '1 month'
      and o.region = any($regions)
),
-- A comment in which the codebook finds no reason has none here.
reasons as (
    select c.contact_role, c.contact_id, l.label
    from coded c
    join labels l on l.code = c.code
),
reason_counts as (
    select
        case when grouping(contact_role) = 1 then 'All' else contact_role end as role,
        label,
        count(distinct contact_id) as people
    from reasons
    group by grouping sets ((), (contact_role), (label), (contact_role, label))
),
-- The row without a reason is everybody with any.
reason_ranks as (
    select
        *,
        row_number() over (partition by role, label is null order by people desc, label) as most_first
    from reason_counts
),
raised as (
    select
        role,
        max(people) filter (where label is null) as commenting,
        max(label) filter (where label is not null and most_first = 1) as top_reason,
        max(people) filter (where label is not null and most_first = 1) as top_reason_people,
        max(label) filter (where label is not null and most_first = 2) as second_reason
    from reason_ranks
    group by role
)
select
    p.role,
    p.people,
    p.accounts,
    cast(p.deciding as double) / nullif(p.people, 0) as decision_share,
    coalesce(s.stats['n'], 0) as n,
    case when s.stats['n'] >= $min_base then s.stats['nps'] end as nps,
    case when s.stats['n'] >= $min_base then s.stats['low'] end as low,
    case when s.stats['n'] >= $min_base then s.stats['high'] end as high,
    coalesce(s.delivered, 0) as delivered,
    response_rate(s.answered, s.delivered) as response_rate,
    s.top_stage,
    s.top_touchpoint,
    coalesce(r.commenting, 0) as commenting,
    case when r.commenting >= $min_base then r.top_reason end as top_reason,
    case when r.commenting >= $min_base then cast(r.top_reason_people as double) / r.commenting end as reason_share,
    case when r.commenting >= $min_base then r.second_reason end as second_reason,
    l.languages,
    case
        when coalesce(s.stats['n'], 0) = 0 then 'no answers'
        when s.stats['n'] < $min_base then 'base too small'
    end as note
from people_by_role p
left join answered s on s.role = p.role
left join raised r on r.role = p.role
left join languages l on l.role = p.role
order by case when p.role = 'All' then 0 else 1 end, nps, p.role
