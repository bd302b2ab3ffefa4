-- +++
-- name = "survey-response"
-- title = "Who answers surveys: response rates"
-- description = """
-- Invitations sent in a window of months, by what they were, where they went and to whom. Delivered leaves out those \
-- to people who had left by then; the response rate is answered of delivered, with its Wilson interval, which takes \
-- every invitation for itself although the same person gets several. An invitation answered twice counts once. With \
-- blanks are answers in which a question was left out that the survey asks. Rates are withheld below the minimum \
-- base, and held against as many months before. The latest invitations may still be answered."""
-- tags = ["surveys", "monthly", "quality"]
-- grain = ["group_name"]
-- uses = ["survey-invitations"]
--
-- [params.by]
-- type = "text"
-- default = "survey type"
-- values = ["survey type", "channel", "region", "office", "segment", "tier", "role", "language"]
-- description = "what a row stands for; the channel is the touchpoint by which somebody was asked"
--
-- [params.to]
-- type = "month"
-- default = "last_complete(month)"
-- description = "last month, by the day of sending (UTC)"
--
-- [params.months]
-- type = "int"
-- default = 6
-- min = 1
-- max = 24
-- description = "length of the window in months, and of the one before"
--
-- [params.survey_types]
-- type = "list<text>"
-- default = "all"
-- values = ["relationship", "transactional", "pulse", "milestone", "executive"]
--
-- [params.min_base]
-- type = "int"
-- default = 30
-- min = 1
-- description = "fewest invitations delivered for which a rate is shown"
--
-- [params.confidence]
-- type = "float"
-- default = 0.95
-- min = 0.5
-- max = 0.999
-- description = "confidence of the interval"
--
-- [columns]
-- group_name = { title = "Group" }
-- invited = { title = "Invited", format = "#,##0" }
-- delivered = { title = "Delivered", format = "#,##0", description = "sent to somebody who was still there" }
-- answered = { title = "Answered", format = "#,##0", description = "of those delivered" }
-- response_rate = { title = "Response rate", format = "0.0%", good = "up", description = "answered of delivered" }
-- low = { title = "Low", format = "0.0%" }
-- high = { title = "High", format = "0.0%" }
-- rate_before = { title = "Rate before", format = "0.0%" }
-- change = { title = "Change (points)", format = "+0.0", good = "up" }
-- with_blanks = { title = "With blanks", format = "#,##0", good = "down", description = "answered, with a question left out" }
-- blank_share = { title = "Blank", format = "0.0%", good = "down", description = "of those answered" }
-- commented_share = { title = "With comment", format = "0%", good = "up", description = "of those answered" }
-- people = { title = "People", format = "#,##0", description = "reached by an invitation" }
-- people_share = { title = "Of people", format = "0%", good = "up", description = "who answered at least once" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "dot"
-- x = "response_rate"
-- y = "group_name"
-- low = "low"
-- high = "high"
-- total = "All"
-- +++
with invitations as (
    select
        case $by
            when 'survey type' then i.survey_type
            when 'channel' then i.touchpoint
            when 'region' then i.region
            when 'office' then i.office
            when 'segment' then i.segment
            when 'tier' then i.tier
            when 'role' then i.contact_role
            else i.language
        end as part,
        i.contact_id,
        i.sent_at >= cast($to as date) - cast(concat($months - 1, ' months') as interval) as is_now,
        i.is_delivered,
        i.answered_at is not null as is_answered,
        i.blanks,
        i.comment
    from "survey-invitations" i
    where i.sent_at >= cast($to as date) - cast(concat(2 * $months - 1, ' months') as interval)
      and i.sent_at < cast($to as date) + interval '1 month'
      and i.survey_type = any($survey_types)
),
counted as (
    select
        case when grouping(part) = 1 then 'All' else part end as group_name,
        grouping(part) as is_all,
        count(*) filter (where is_now) as invited,
        count(*) filter (where is_now and is_delivered) as delivered,
        count(*) filter (where is_now and is_delivered and is_answered) as answered,
        count(*) filter (where is_now and is_delivered and is_answered and blanks > 0) as with_blanks,
        count(*) filter (where is_now and is_delivered and is_answered and comment is not null) as commented,
        count(distinct contact_id) filter (where is_now and is_delivered) as people,
        count(distinct contact_id) filter (where is_now and is_delivered and is_answered) as people_answered,
        count(*) filter (where not is_now and is_delivered) as delivered_before,
        count(*) filter (where not is_now and is_delivered and is_answered) as answered_before
    from invitations
    group by grouping sets ((), (part))
),
rated as (
    select
        *,
        case when delivered >= $min_base then response_rate(answered, delivered) end as response_rate,
        case when delivered >= $min_base then wilson(answered, delivered, confidence => $confidence) end as wilson,
        case when delivered_before >= $min_base then response_rate(answered_before, delivered_before) end
            as rate_before
    from counted
)
select
    group_name,
    invited,
    delivered,
    answered,
    response_rate,
    wilson['low'] as low,
    wilson['high'] as high,
    rate_before,
    100 * (response_rate - rate_before) as change,
    with_blanks,
    cast(with_blanks as double) / nullif(answered, 0) as blank_share,
    cast(commented as double) / nullif(answered, 0) as commented_share,
    people,
    case when people >= $min_base then cast(people_answered as double) / people end as people_share,
    case
        when invited = 0 then 'nobody invited in the window'
        when delivered < $min_base then 'base too small'
        when rate_before is null then 'base before too small'
    end as note
from rated
order by is_all desc, response_rate desc nulls last, group_name
