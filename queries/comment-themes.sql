-- +++
-- name = "comment-themes"
-- title = "What customers talk about more here than elsewhere"
-- description = """
-- Words and phrases of survey comments that stand out in a region, an office, a role, a segment, or in the latest \
-- months against those before, with a comment in which each occurs. No codebook is asked, so that it finds what \
-- nobody looked for; reason-codes counts what is looked for. English comments only: people who write in another \
-- language are not heard here. A person counts once for a theme in a part. z holds a theme against what all others \
-- say (log-odds with a prior, Monroe, Colaresi and Quinn): it is picked as the largest among hundreds, so that a z \
-- just above 2 is a hint to read the comments, no finding. A theme says what is talked about, not whether it pleases: \
-- choose `of` to hear promoters or detractors alone."""
-- tags = ["voice of the field", "nps", "monthly"]
-- grain = ["part", "theme"]
--
-- [params.by]
-- type = "text"
-- default = "region"
-- values = ["region", "office", "role", "segment", "period"]
-- description = "what is held against the others; period: the latest months against those before"
--
-- [params.to]
-- type = "month"
-- default = "last_complete(month)"
-- description = "last month of the window, by the day of the answer (UTC)"
--
-- [params.months]
-- type = "int"
-- default = 12
-- min = 1
-- max = 60
-- description = "length of the window in months"
--
-- [params.latest]
-- type = "int"
-- default = 3
-- min = 1
-- max = 59
-- description = "months that are the latest, of by = period"
--
-- [params.of]
-- type = "text"
-- default = "all"
-- values = ["all", "promoters", "detractors"]
-- description = "whose comments; those who left the recommendation question blank are only in all"
--
-- [params.regions]
-- type = "list<text>"
-- default = "all"
-- values = ["NA", "EMEA", "APAC"]
-- description = "take comments from these only: the others are not elsewhere then"
--
-- [params.top]
-- type = "int"
-- default = 5
-- min = 1
-- max = 50
-- description = "themes of each part"
--
-- [params.min_people]
-- type = "int"
-- default = 5
-- min = 2
-- description = "fewest people of a part who say it"
--
-- [columns]
-- part = { title = "Part" }
-- place = { title = "Place", format = "0" }
-- theme = { title = "Theme" }
-- people = { title = "People", format = "#,##0", description = "of the part, who say it" }
-- base = { title = "Of", format = "#,##0", description = "people of the part who commented in English" }
-- share = { title = "Share", format = "0.0%" }
-- people_elsewhere = { title = "People elsewhere", format = "#,##0" }
-- share_elsewhere = { title = "Share elsewhere", format = "0.0%" }
-- z = { title = "z", format = "+0.0", description = "how far it stands out, in standard errors" }
-- example = { title = "For example", description = "the shortest comment with it" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "bar"
-- title = "How far themes stand out, in standard errors"
-- x = "z"
-- y = "theme"
-- color = "part"
-- +++
with comments as (
    select
        case $by
            when 'region' then o.region
            when 'office' then o.office
            when 'role' then s.contact_role
            when 'segment' then a.segment
            when 'period' then
                case
                    when s.answered_at >= cast($to as date) - cast(concat($latest - 1, ' months') as interval)
                        then 'latest months'
                    else 'before'
                end
        end as part,
        s.contact_id,
        s.comment
    from surveys s
    join offices o on o.office_id = s.office_id
    join accounts a on a.account_id = s.account_id
    where s.language = 'en'
      and s.comment is not null
      and s.answered_at >= cast($to as date) - cast(concat($months - 1, ' months') as interval)
      and s.answered_at < cast($to as date) + interval '1 month'
      and o.region = any($regions)
      and case $of when 'promoters' then promoter(s.nps) when 'detractors' then detractor(s.nps) else true end
),
themes_of_parts as (
    select *
    from themes(comments, comment, part, person => contact_id, top => $top, min_people => $min_people)
)
select
    part,
    rank as place,
    theme,
    people,
    -- The share is of those who said something; who wrote `n/a` did not.
    cast(round(people / share) as int) as base,
    share,
    people_elsewhere,
    share_elsewhere,
    z,
    example,
    case when z is null then 'nothing to compare with' when z < 1.96 then 'may be chance' end as note
from themes_of_parts
order by part, place
