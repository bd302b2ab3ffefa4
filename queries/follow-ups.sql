-- +++
-- name = "follow-ups"
-- title = "Calls to make: detractors to win back, promoters to activate"
-- description = """
-- Every follow-up that is still open: whom to call, why, for how much revenue, how long it has been due, and what \
-- the person last said in any comment. What was given up as not reached is not open. Where the person has left, \
-- somebody else at the account has to be called; where the account has left, there is nobody to call. Detractors \
-- come first, the longest overdue before the others, then by revenue. Open is as of the data; `as_of` only moves the \
-- day from which is counted."""
-- tags = ["follow-up", "weekly"]
-- grain = ["follow_up_id"]
--
-- [params.as_of]
-- type = "date"
-- default = "today"
-- description = "the day from which is counted"
--
-- [params.kinds]
-- type = "list<text>"
-- default = "all"
-- values = ["call detractor", "activate promoter"]
--
-- [params.offices]
-- type = "list<text>"
-- default = "all"
-- values_sql = "select office_id, office from offices order by office_id"
--
-- [params.only_overdue]
-- type = "bool"
-- default = false
-- description = "leave out what is not due yet"
--
-- [columns]
-- follow_up_id = { title = "Id" }
-- kind = { title = "Kind" }
-- days_overdue = { title = "Days overdue", format = "+0", good = "down", description = "days since the due day; below zero, days until it" }
-- owner = { title = "Owner" }
-- account = { title = "Account" }
-- whom = { title = "Whom to call", description = "the contact, somebody else where the contact has left, or nobody where the account has" }
-- annual_revenue = { title = "Annual revenue", format = "#,##0" }
-- contact_id = { title = "Contact" }
-- title = { title = "Title" }
-- office = { title = "Office" }
-- account_id = { title = "Account id" }
-- segment = { title = "Segment" }
-- renews_on = { title = "Renews" }
-- is_decision_maker = { title = "Decides" }
-- answered_on = { title = "Answered" }
-- due_on = { title = "Due" }
-- nps = { title = "NPS", format = "0", description = "the answer that asks for the call" }
-- nps_since = { title = "NPS since", format = "0", description = "the same person's latest answer, where there is a later one" }
-- last_comment = { title = "Last comment", description = "of the same person, in any survey" }
-- commented_on = { title = "On" }
--
-- [[chart]]
-- type = "scatter"
-- x = "days_overdue"
-- y = "annual_revenue"
-- color = "kind"
-- label = "account"
-- +++
-- What a person said last, and scored last: often not in the same survey.
with last_words as (
    select
        contact_id,
        arg_max(comment, answered_at) as comment,
        max(answered_at) filter (where comment is not null) as commented_at,
        arg_max(nps, answered_at) as nps,
        max(answered_at) filter (where nps is not null) as scored_at
    from surveys
    where answered_at < $as_of
    group by contact_id
)
select
    f.follow_up_id,
    f.kind,
    cast($as_of as date) - f.due_on as days_overdue,
    f.owner,
    a.account,
    case
        when not active_account(a.started_on, a.churned_on, $as_of) then 'nobody: the account has left'
        when c.left_on <= $as_of then 'somebody else: the contact has left'
        else 'the contact'
    end as whom,
    a.annual_revenue,
    f.contact_id,
    c.title,
    o.office,
    f.account_id,
    a.segment,
    a.renews_on,
    c.is_decision_maker,
    cast(s.answered_at as date) as answered_on,
    f.due_on,
    s.nps,
    case when l.scored_at > s.answered_at then l.nps end as nps_since,
    l.comment as last_comment,
    cast(l.commented_at as date) as commented_on
from follow_ups f
join accounts a on a.account_id = f.account_id
join offices o on o.office_id = f.office_id
left join contacts c on c.contact_id = f.contact_id
left join surveys s on s.response_id = f.response_id
left join last_words l on l.contact_id = f.contact_id
where f.status = 'open'
  and f.opened_at < $as_of
  and f.kind = any($kinds)
  and f.office_id = any($offices)
  and (overdue(f.status, f.due_on, $as_of) or not $only_overdue)
order by
    case f.kind when 'call detractor' then 0 else 1 end,
    days_overdue desc,
    a.annual_revenue desc,
    f.follow_up_id
