-- +++
-- name = "milestone-answers"
-- title = "What customers said at milestones, the unhappy first"
-- description = """
-- Every answer to a milestone survey (go-live, quarterly review, renewal meeting) of the last days, the unhappy ones \
-- first: those in the two lowest boxes of satisfaction, CSAT 1 and 2 of 5. An answer that left the question blank is \
-- neither happy nor unhappy; it comes last. Invitations that nobody answered are not in it. An account's revenue and \
-- renewal are as of the data."""
-- tags = ["surveys", "follow-up", "weekly"]
-- grain = ["response_id"]
--
-- [params.as_of]
-- type = "date"
-- default = "today"
-- description = "answers before this day"
--
-- [params.days]
-- type = "int"
-- default = 30
-- min = 1
-- max = 730
-- description = "how many days back"
--
-- [params.offices]
-- type = "list<text>"
-- default = "all"
-- values_sql = "select office_id, office from offices order by office_id"
--
-- [columns]
-- response_id = { title = "Response" }
-- answered_on = { title = "Answered", description = "day (UTC)" }
-- milestone = { title = "Milestone" }
-- account_id = { title = "Id" }
-- account = { title = "Account" }
-- office = { title = "Office" }
-- segment = { title = "Segment" }
-- account_owner = { title = "Account manager" }
-- annual_revenue = { title = "Annual revenue", format = "#,##0" }
-- renews_on = { title = "Renews" }
-- contact_role = { title = "Role" }
-- csat = { title = "CSAT", format = "0", good = "up", description = "1 to 5; missing: left blank" }
-- is_unhappy = { title = "Unhappy", description = "CSAT 1 or 2; missing: left blank" }
-- comment = { title = "Comment" }
-- +++
select
    s.response_id,
    cast(s.answered_at as date) as answered_on,
    s.touchpoint as milestone,
    s.account_id,
    a.account,
    o.office,
    a.segment,
    a.owner as account_owner,
    a.annual_revenue,
    a.renews_on,
    s.contact_role,
    s.csat,
    s.csat <= 2 as is_unhappy,
    s.comment
from surveys s
join accounts a on a.account_id = s.account_id
join offices o on o.office_id = s.office_id
where s.survey_type = 'milestone'
  and s.answered_at >= cast($as_of as date) - cast(concat($days, ' days') as interval)
  and s.answered_at < $as_of
  and s.office_id = any($offices)
order by s.csat, a.annual_revenue desc, s.response_id
