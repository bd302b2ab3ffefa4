-- +++
-- name = "theme-months"
-- title = "What customers and partners raise, month by month"
-- description = """
-- For every region (and all together), theme and month: notes of field staff about accounts, and answers of partners \
-- to their surveys, each as a share of its own base of that month. A theme that nobody raised is a share of zero; a \
-- month with fewer than `min_base` notes or answers has no share at all. Partner answers about nothing in particular \
-- are not in the base. The three months before the window come along, so that lags can be taken. Staff's interviews \
-- of partners are left out: they are neither."""
-- tags = ["voice of the field", "partners", "base"]
-- grain = ["region", "theme", "month"]
--
-- [params.to]
-- type = "month"
-- default = "last_complete(month)"
-- description = "last month, by the day of the note or answer (UTC)"
--
-- [params.months]
-- type = "int"
-- default = 12
-- min = 6
-- max = 60
-- description = "length of the window in months"
--
-- [params.min_base]
-- type = "int"
-- default = 8
-- min = 1
-- description = "fewest notes, or answers, of a month for its shares"
--
-- [columns]
-- region = { title = "Region" }
-- theme = { title = "Theme" }
-- month = { title = "Month" }
-- customer_notes = { title = "Customer notes", format = "#,##0", description = "about the theme" }
-- customer_base = { title = "All notes", format = "#,##0" }
-- customer_share = { title = "Customers", format = "0%" }
-- partner_answers = { title = "Partner answers", format = "#,##0", description = "about the theme" }
-- partner_base = { title = "All answers", format = "#,##0" }
-- partner_share = { title = "Partners", format = "0%" }
-- +++
with window_months as (
    select cast(unnest(generate_series(
        cast($to as date) - cast(concat($months + 2, ' months') as interval),
        cast($to as date),
        interval '1 month'
    )) as date) as month
),
said as (
    select f.theme, o.region, f.captured_at as at, true as is_customer
    from field_feedback f
    join offices o on o.office_id = f.office_id
    where f.account_id is not null
    union all
    select p.theme, o.region, p.answered_at as at, false as is_customer
    from partner_surveys p
    join offices o on o.office_id = p.office_id
    where p.theme is not null
),
counted as (
    select
        case when grouping(region) = 1 then 'All' else region end as region,
        theme,
        cast(date_trunc('month', at) as date) as month,
        count(*) filter (where is_customer) as customer_notes,
        count(*) filter (where not is_customer) as partner_answers
    from said
    where at >= cast($to as date) - cast(concat($months + 2, ' months') as interval)
      and at < cast($to as date) + interval '1 month'
    group by grouping sets ((theme, date_trunc('month', at)), (region, theme, date_trunc('month', at)))
),
-- Every theme in every month, raised or not.
grid as (
    select r.region, t.theme, m.month
    from (values ('All'), ('NA'), ('EMEA'), ('APAC')) r(region)
    cross join (select distinct theme from said) t
    cross join window_months m
),
filled as (
    select
        g.region,
        g.theme,
        g.month,
        coalesce(c.customer_notes, 0) as customer_notes,
        sum(coalesce(c.customer_notes, 0)) over one_month as customer_base,
        coalesce(c.partner_answers, 0) as partner_answers,
        sum(coalesce(c.partner_answers, 0)) over one_month as partner_base
    from grid g
    left join counted c on c.region = g.region and c.theme = g.theme and c.month = g.month
    window one_month as (partition by g.region, g.month)
)
select
    region,
    theme,
    month,
    customer_notes,
    customer_base,
    case when customer_base >= $min_base then cast(customer_notes as double) / customer_base end as customer_share,
    partner_answers,
    partner_base,
    case when partner_base >= $min_base then cast(partner_answers as double) / partner_base end as partner_share
from filled
order by region, theme, month
