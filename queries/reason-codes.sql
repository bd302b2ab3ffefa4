-- +++
-- name = "reason-codes"
-- title = "Why people say what they say: reason codes of comments"
-- description = """
-- The reasons that survey comments and field notes give, by the codes of the latest codebook, as a share of the \
-- people who commented in the window. A person counts once for a reason however often it is given, and may give \
-- several: shares add up to more than 100 %. People are contacts in surveys; a note says what an account said, so \
-- there the account is the person. Other names no reason of the codebook; comments that say nothing are not in the \
-- base. Detractors are answers of 0 to 6, and notes that are negative. Hidden are detractors at offices whose NPS \
-- is high, where the mean hides them; an office with too few answers has no NPS."""
-- tags = ["voice of the field", "nps", "monthly"]
-- grain = ["code"]
-- uses = ["nps-answers"]
--
-- [params.to]
-- type = "month"
-- default = "last_complete(month)"
-- description = "last month of the window (UTC)"
--
-- [params.months]
-- type = "int"
-- default = 6
-- min = 1
-- max = 60
-- description = "length of the window in months"
--
-- [params.of]
-- type = "text"
-- default = "all"
-- values = ["all", "promoters", "detractors", "hidden"]
-- description = "whose comments; hidden: detractors at offices with an NPS of `high_from` or more"
--
-- [params.high_from]
-- type = "float"
-- default = 40
-- min = -100
-- max = 100
-- description = "NPS in the window from which an office counts as high: of everybody's latest answer by type of survey, if there are `min_base` or more"
--
-- [params.survey_types]
-- type = "list<text>"
-- default = "all"
-- values = ["relationship", "pulse", "executive"]
-- description = "surveys whose NPS makes an office high; comments count from all surveys"
--
-- [params.posts]
-- type = "list<text>"
-- default = "all"
-- values = ["survey comments", "field notes"]
--
-- [params.regions]
-- type = "list<text>"
-- default = "all"
-- values = ["NA", "EMEA", "APAC"]
--
-- [params.min_base]
-- type = "int"
-- default = 10
-- min = 1
-- description = "fewest commenting people for shares to be shown, and fewest answers for an office to have an NPS"
--
-- [columns]
-- code = { title = "Code" }
-- reason = { title = "Reason" }
-- people = { title = "People", format = "#,##0" }
-- base = { title = "Of", format = "#,##0", description = "people who commented" }
-- share = { title = "Share", format = "0%", description = "of the people who commented; adds up to more than 100 %" }
-- comments = { title = "Comments", format = "#,##0", description = "comments and notes that give the reason" }
-- in_surveys = { title = "In surveys", format = "#,##0", description = "people" }
-- in_notes = { title = "In notes", format = "#,##0", description = "accounts" }
-- offices = { title = "Offices", format = "0", description = "with somebody who gave it" }
-- example = { title = "For example", description = "the latest" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "bar"
-- x = "share"
-- y = "reason"
-- +++
with office_scores as (
    select office_id, nps(nps) as office_nps
    from "nps-answers"
    where period = 'now'
    group by office_id
    having count(*) >= $min_base
),
said as (
    select
        'survey comments' as post,
        s.response_id as reference,
        s.contact_id as person,
        s.office_id,
        s.answered_at as said_at,
        s.comment as words,
        promoter(s.nps) as is_promoter,
        detractor(s.nps) as is_detractor
    from surveys s
    where s.comment is not null
      and s.answered_at >= cast($to as date) - cast(concat($months - 1, ' months') as interval)
      and s.answered_at < cast($to as date) + interval '1 month'
    union all
    select
        'field notes' as post,
        f.feedback_id as reference,
        f.account_id as person,
        f.office_id,
        f.captured_at as said_at,
        f.text as words,
        f.sentiment = 'positive' as is_promoter,
        f.sentiment = 'negative' as is_detractor
    from field_feedback f
    where f.account_id is not null
      and f.captured_at >= cast($to as date) - cast(concat($months - 1, ' months') as interval)
      and f.captured_at < cast($to as date) + interval '1 month'
),
chosen as (
    select s.*
    from said s
    join offices o on o.office_id = s.office_id
    left join office_scores n on n.office_id = s.office_id
    where s.post = any($posts)
      and o.region = any($regions)
      and case $of
          when 'promoters' then s.is_promoter
          when 'detractors' then s.is_detractor
          when 'hidden' then s.is_detractor and n.office_nps >= $high_from
          else true
      end
),
coded as (
    select post, reference, person, office_id, said_at, words, unnest(reason_codes(words)) as code
    from chosen
),
meaningful as (
    select * from coded where code <> 'None'
),
bases as (
    select count(distinct person) as base from meaningful
),
reasons as (
    select
        code,
        count(distinct person) as people,
        count(*) as comments,
        count(distinct person) filter (where post = 'survey comments') as in_surveys,
        count(distinct person) filter (where post = 'field notes') as in_notes,
        count(distinct office_id) as offices,
        first_value(words order by said_at desc, reference) as example
    from meaningful
    group by code
),
labels as (
    select code, max(label) as label
    from codebook
    where version = (select max(version) from codebook)
    group by code
)
select
    r.code,
    coalesce(l.label, 'no reason of the codebook') as reason,
    r.people,
    b.base,
    case when b.base >= $min_base then cast(r.people as double) / b.base end as share,
    r.comments,
    r.in_surveys,
    r.in_notes,
    r.offices,
    r.example,
    case when b.base < $min_base then 'base too small' end as note
from reasons r
cross join bases b
left join labels l on l.code = r.code
order by r.code = 'Other', r.people desc, r.code
