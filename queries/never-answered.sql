-- +++
-- name = "never-answered"
-- title = "People who were asked and never answered"
-- description = """
-- Contacts who are still there, at accounts that are still customers, who got at least `min_invitations` invitations \
-- in a window of months and answered none. Others heard counts what other people of the same account answered in \
-- these months: at zero nothing at all is known from the account's surveys. Those come first, the largest before the \
-- smaller ones. To say nothing is no opinion, so they count as neither content nor discontent anywhere."""
-- tags = ["surveys", "quarterly", "coverage"]
-- grain = ["contact_id"]
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
-- [params.as_of]
-- type = "date"
-- default = "today"
-- description = "the day on which contacts and accounts have to be still there"
--
-- [params.min_invitations]
-- type = "int"
-- default = 4
-- min = 1
-- description = "fewest invitations without an answer"
--
-- [params.regions]
-- type = "list<text>"
-- default = "all"
-- values = ["NA", "EMEA", "APAC"]
--
-- [params.roles]
-- type = "list<text>"
-- default = "all"
-- values = ["executive", "manager", "user", "procurement"]
--
-- [columns]
-- account_id = { title = "Id" }
-- account = { title = "Account" }
-- annual_revenue = { title = "Annual revenue", format = "#,##0" }
-- office = { title = "Office" }
-- renews_on = { title = "Renews" }
-- contact_id = { title = "Contact" }
-- contact_role = { title = "Role" }
-- segment = { title = "Segment" }
-- title = { title = "Title" }
-- is_decision_maker = { title = "Decides", description = "on the renewal" }
-- invitations = { title = "Invitations", format = "0", total = "sum", description = "delivered, none answered" }
-- last_invited_on = { title = "Last invited" }
-- others_heard = { title = "Others heard", format = "0", good = "up", description = "answers of other people of the account" }
--
-- [[chart]]
-- type = "scatter"
-- title = "Annual revenue against others of the account who were heard"
-- x = "others_heard"
-- y = "annual_revenue"
-- color = "contact_role"
-- label = "account"
-- +++
with people as (
    select
        account_id,
        account,
        segment,
        contact_id,
        -- Somebody whose office or role changed is one person, with the latest of both.
        arg_max(office, struct(sent_at, response_id)) as office,
        arg_max(region, struct(sent_at, response_id)) as region,
        arg_max(contact_role, struct(sent_at, response_id)) as contact_role,
        count(*) as invitations,
        count(answered_at) as answers,
        cast(max(sent_at) as date) as last_invited_on,
        sum(count(answered_at)) over (partition by account_id) as account_answers
    from "survey-invitations"
    where is_delivered
      and sent_at >= cast($to as date) - cast(concat($months - 1, ' months') as interval)
      and sent_at < cast($to as date) + interval '1 month'
    group by account_id, account, segment, contact_id
)
select
    p.account_id,
    p.account,
    a.annual_revenue,
    p.office,
    a.renews_on,
    p.contact_id,
    p.contact_role,
    p.segment,
    c.title,
    c.is_decision_maker,
    p.invitations,
    p.last_invited_on,
    p.account_answers as others_heard
from people p
join accounts a on a.account_id = p.account_id
join contacts c on c.contact_id = p.contact_id
where p.answers = 0
  and p.invitations >= $min_invitations
  and active_account(a.started_on, a.churned_on, $as_of)
  and (c.left_on is null or c.left_on > $as_of)
  and p.region = any($regions)
  and p.contact_role = any($roles)
order by
    p.account_answers > 0,
    a.annual_revenue desc,
    p.account_id,
    p.contact_id
