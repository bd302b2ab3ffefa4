-- +++
-- name = "nps-answers"
-- title = "Answers to the recommendation question, now and before"
-- description = """
-- Every contact's latest answer of a window of months, once per survey type, with what is known of the account; the \
-- same for the window of the same length just before, and for the same months a year before. Blanks are no answers. \
-- Relationship surveys only, unless others are asked for: mixing them with transactional ones mixes two questions."""
-- tags = ["nps", "base"]
-- grain = ["period", "survey_type", "contact_id"]
--
-- [params.to]
-- type = "month"
-- default = "last_complete(month)"
-- description = "last month of the window, by the day of the answer (UTC)"
--
-- [params.months]
-- type = "int"
-- default = 6
-- min = 1
-- max = 60
-- description = "length of a window in months; every contact is asked once in four"
--
-- [params.survey_types]
-- type = "list<text>"
-- default = ["relationship"]
-- values = ["relationship", "pulse", "executive"]
--
-- [columns]
-- survey_type = { title = "Survey" }
-- contact_id = { title = "Contact" }
-- contact_role = { title = "Role" }
-- account_id = { title = "Id" }
-- account = { title = "Account" }
-- segment = { title = "Segment" }
-- tier = { title = "Tier" }
-- industry = { title = "Industry" }
-- office_id = { title = "Office id" }
-- office = { title = "Office" }
-- region = { title = "Region" }
-- period = { title = "Period", description = "now, window before or year before" }
-- answered_at = { title = "Answered" }
-- nps = { title = "NPS answer", format = "0", description = "0 to 10" }
-- +++
with shifts(period, shift) as (
    values ('now', 0), ('window before', $months), ('year before', 12)
),
periods as (
    select
        period,
        cast($to as date) - cast(concat($months - 1 + shift, ' months') as interval) as first_day,
        cast($to as date) + interval '1 month' - cast(concat(shift, ' months') as interval) as end_day
    from shifts
),
ranked as (
    select
        p.period,
        s.*,
        row_number() over (
            partition by p.period, s.survey_type, s.contact_id order by s.answered_at desc, s.response_id desc
        ) as newest_first
    from surveys s
    join periods p on s.answered_at >= p.first_day and s.answered_at < p.end_day
    where s.survey_type = any($survey_types)
      and s.nps is not null
)
select
    r.period,
    r.survey_type,
    r.contact_id,
    r.contact_role,
    r.account_id,
    a.account,
    a.segment,
    a.tier,
    a.industry,
    r.office_id,
    o.office,
    o.region,
    r.answered_at,
    r.nps
from ranked r
join accounts a on a.account_id = r.account_id
join offices o on o.office_id = r.office_id
where r.newest_first = 1
order by r.period, r.contact_id, r.survey_type
