-- +++
-- name = "partner-and-customer-themes"
-- title = "Partners' and customers' themes side by side"
-- description = """
-- Month by month, the share of customers' notes and of partners' answers that is about a theme, each of its own \
-- base, with partners' also `lag` months earlier: where that line goes with customers', partners are ahead by as \
-- many months. The correlation is that of customers' share with partners' earlier one over the months shown; \
-- theme-lags has it for every lag and theme, with what chance can do. Months with fewer than `min_base` notes or \
-- answers have no share."""
-- tags = ["voice of the field", "partners", "monthly"]
-- grain = ["region", "theme", "month"]
-- uses = ["theme-months"]
--
-- [params.lag]
-- type = "int"
-- default = 2
-- min = 0
-- max = 3
-- description = "months by which partners' shares are moved"
--
-- [params.themes]
-- type = "list<text>"
-- default = ["response time"]
-- values_sql = "select distinct theme from field_feedback order by theme"
--
-- [params.regions]
-- type = "list<text>"
-- default = ["NA"]
-- values = ["All", "NA", "EMEA", "APAC"]
--
-- [columns]
-- region = { title = "Region" }
-- theme = { title = "Theme" }
-- month = { title = "Month" }
-- customer_base = { title = "Notes", format = "#,##0", description = "customers' notes of the month, about anything" }
-- customer_share = { title = "Customers", format = "0%", description = "of those, about the theme" }
-- partner_base = { title = "Answers", format = "#,##0", description = "partners' answers of the month, about anything" }
-- partner_share = { title = "Partners", format = "0%", description = "of those, about the theme" }
-- partner_share_earlier = { title = "Partners earlier", format = "0%", description = "partners' share `lag` months before" }
-- correlation = { title = "Correlation", format = "+0.00", description = "of customers' share with partners' earlier one, over the window" }
--
-- [[chart]]
-- type = "line"
-- title = "Customers' share"
-- x = "month"
-- y = "customer_share"
-- color = "theme"
--
-- [[chart]]
-- type = "line"
-- title = "Partners' share, moved by the lag"
-- x = "month"
-- y = "partner_share_earlier"
-- color = "theme"
-- +++
with moved as (
    select
        *,
        lag(partner_share, $lag) over (partition by region, theme order by month) as partner_share_earlier
    from "theme-months"
),
compared as (
    select
        *,
        corr(customer_share, partner_share_earlier) over (partition by region, theme) as correlation
    from moved
    where month >= cast($to as date) - cast(concat($months - 1, ' months') as interval)
)
select
    region,
    theme,
    month,
    customer_base,
    customer_share,
    partner_base,
    partner_share,
    partner_share_earlier,
    correlation
from compared
where region = any($regions)
  and theme = any($themes)
order by region, theme, month
