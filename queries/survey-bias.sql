-- +++
-- name = "survey-bias"
-- title = "Do those who answer stand for those who are asked?"
-- description = """
-- People who were reached by an invitation in a window of months, parted into those who answered at least once and \
-- those who never did. For every level of a trait: its share of all who were reached and of those who answered, and \
-- the difference in points. z tests whether people of the level answer more often than the others, or less; beyond 2 \
-- either way it is unlikely to be chance, though of some twenty levels one gets there by itself. \
-- Revenue quarters part the accounts asked into four equal groups by annual revenue. Revenue heard is the share of \
-- the annual revenue of the accounts asked from which anybody answered."""
-- tags = ["surveys", "quarterly", "quality"]
-- grain = ["trait", "level"]
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
-- [params.survey_types]
-- type = "list<text>"
-- default = ["relationship"]
-- values = ["relationship", "transactional", "pulse", "milestone", "executive"]
-- description = "surveys whose answers are judged"
--
-- [params.traits]
-- type = "list<text>"
-- default = ["region", "segment", "tier", "role", "revenue"]
-- values = ["region", "segment", "tier", "role", "revenue", "office"]
--
-- [params.min_base]
-- type = "int"
-- default = 20
-- min = 1
-- description = "fewest people of a level for shares and z"
--
-- [columns]
-- trait = { title = "Trait" }
-- level = { title = "Level" }
-- asked = { title = "Asked", format = "#,##0", description = "people" }
-- asked_share = { title = "Of asked", format = "0.0%" }
-- answered = { title = "Answered", format = "#,##0", description = "people who answered at least once" }
-- answered_share = { title = "Of answers", format = "0.0%", description = "share of the people who answered" }
-- difference = { title = "Difference (points)", format = "+0.0", description = "too many of this level among the answers, or too few" }
-- z = { title = "z", format = "+0.0" }
-- people_share = { title = "Answering", format = "0%", good = "up", description = "of the people asked" }
-- revenue_asked = { title = "Revenue asked", format = "#,##0", description = "annual revenue of the accounts asked" }
-- revenue_heard = { title = "Heard", format = "0%", good = "up", description = "of that, from accounts where anybody answered" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "bar"
-- title = "Who answers too much and who too little, in points"
-- x = "difference"
-- y = "level"
-- color = "trait"
-- +++
with people as (
    select
        account_id,
        contact_id,
        segment,
        tier,
        annual_revenue,
        -- Somebody whose office or role changed is one person, with the latest of both.
        arg_max(region, struct(sent_at, response_id)) as region,
        arg_max(office, struct(sent_at, response_id)) as office,
        arg_max(contact_role, struct(sent_at, response_id)) as contact_role,
        count(answered_at) > 0 as is_heard
    from "survey-invitations"
    where survey_type = any($survey_types)
      and is_delivered
      and sent_at >= cast($to as date) - cast(concat($months - 1, ' months') as interval)
      and sent_at < cast($to as date) + interval '1 month'
    group by account_id, contact_id, segment, tier, annual_revenue
),
accounts_asked as (
    select
        account_id,
        bool_or(is_heard) as is_account_heard,
        ntile(4) over (order by max(annual_revenue), account_id) as revenue_quarter
    from people
    group by account_id
),
-- One row for every person and trait.
traits as (
    select
        t.trait,
        case t.trait
            when 'region' then p.region
            when 'segment' then p.segment
            when 'tier' then p.tier
            when 'role' then p.contact_role
            when 'office' then p.office
            else case a.revenue_quarter
                when 1 then '1st quarter (least)'
                when 2 then '2nd quarter'
                when 3 then '3rd quarter'
                else '4th quarter (most)'
            end
        end as level,
        p.account_id,
        p.annual_revenue,
        p.is_heard,
        a.is_account_heard
    from people p
    join accounts_asked a on a.account_id = p.account_id
    cross join (values ('region'), ('segment'), ('tier'), ('role'), ('revenue'), ('office')) t(trait)
),
-- An account's revenue counts once in a level, however many of its people are asked.
accounts_of_levels as (
    select trait, level, account_id, is_account_heard, max(annual_revenue) as annual_revenue
    from traits
    group by trait, level, account_id, is_account_heard
),
revenues as (
    select
        trait,
        level,
        sum(annual_revenue) as asked,
        sum(annual_revenue) filter (where is_account_heard) as heard
    from accounts_of_levels
    group by trait, level
),
-- Every level beside all others of its trait.
levels as (
    select
        l.trait,
        l.level,
        share_stats(t.is_heard) filter (where t.level = l.level) as own,
        share_stats(t.is_heard) filter (where t.level <> l.level) as others,
        max(l.asked) as revenue_asked,
        max(l.heard) as revenue_heard
    from revenues l
    join traits t on t.trait = l.trait
    group by l.trait, l.level
),
tested as (
    select
        *,
        own['n'] as asked,
        own['k'] as answered,
        own['share'] as people_share,
        cast(own['n'] as double) / (own['n'] + others['n']) as asked_share,
        cast(own['k'] as double) / nullif(own['k'] + others['k'], 0) as answered_share,
        share_test(own, others)['z'] as z
    from levels
)
select
    trait,
    level,
    asked,
    asked_share,
    answered,
    case when asked >= $min_base then answered_share end as answered_share,
    case when asked >= $min_base then 100 * (answered_share - asked_share) end as difference,
    case when asked >= $min_base then z end as z,
    case when asked >= $min_base then people_share end as people_share,
    revenue_asked,
    cast(coalesce(revenue_heard, 0) as double) / nullif(cast(revenue_asked as double), 0) as revenue_heard,
    case when asked < $min_base then 'base too small' end as note
from tested
where trait = any($traits)
order by trait, abs(z) desc nulls last, level
