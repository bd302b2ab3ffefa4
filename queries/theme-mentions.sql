-- +++
-- name = "theme-mentions"
-- title = "What every listening post heard, theme by theme"
-- description = """
-- One row for every theme that a comment or note is about, from four posts: notes of field staff on accounts, \
-- interviews of partners, comments in customers' surveys and partners' surveys. Notes and partner surveys bring \
-- their theme along; a survey comment gets the themes of the latest codebook, several where it names several, and \
-- Other where it names none. Empty words and partner answers about nothing in particular are no voice and not here."""
-- tags = ["voice of the field", "base"]
-- grain = ["post", "reference", "theme"]
--
-- [columns]
-- post = { title = "Post" }
-- reference = { title = "Reference", description = "the row's key in its table" }
-- person = { title = "Person", description = "contact in surveys, account in notes, partner from partners" }
-- customer = { title = "Customer", description = "account or partner: the same for all posts" }
-- office_id = { title = "Office id" }
-- region = { title = "Region" }
-- heard_at = { title = "Heard" }
-- theme = { title = "Theme" }
-- +++
with labels as (
    select code, max(label) as label
    from codebook
    where version = (select max(version) from codebook)
    group by code
),
coded as (
    select
        response_id,
        contact_id,
        account_id,
        office_id,
        answered_at,
        unnest(reason_codes(comment)) as code
    from surveys
    where comment is not null
),
mentions as (
    select
        'field notes' as post,
        feedback_id as reference,
        account_id as person,
        account_id as customer,
        office_id,
        captured_at as heard_at,
        theme
    from field_feedback
    where account_id is not null
    union all
    select
        'partner interviews' as post,
        feedback_id as reference,
        partner_id as person,
        partner_id as customer,
        office_id,
        captured_at as heard_at,
        theme
    from field_feedback
    where partner_id is not null
    union all
    select
        'customer surveys' as post,
        c.response_id as reference,
        c.contact_id as person,
        c.account_id as customer,
        c.office_id,
        c.answered_at as heard_at,
        coalesce(l.label, c.code) as theme
    from coded c
    left join labels l on l.code = c.code
    where c.code <> 'None'
    union all
    select
        'partner surveys' as post,
        response_id as reference,
        partner_id as person,
        partner_id as customer,
        office_id,
        answered_at as heard_at,
        theme
    from partner_surveys
    where theme is not null
)
select
    m.post,
    m.reference,
    m.person,
    m.customer,
    m.office_id,
    o.region,
    m.heard_at,
    m.theme
from mentions m
join offices o on o.office_id = m.office_id
order by m.heard_at, m.reference, m.theme
