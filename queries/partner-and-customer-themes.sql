-- +++
-- name = "partner-and-customer-themes"
-- title = "Partners' and customers' themes side by side"
-- description = """
-- Month by month, the share of customers' notes and of partners' answers that is about a theme, each of its own \
-- base, with partners' also some months earlier, by default by the lag at which both go together best (theme-lags): \
-- where that line goes with customers', partners are ahead by as many months. The correlation is that of customers' \
-- share with partners' earlier one over the months shown; a best lag there always is, so look in theme-lags whether \
-- it is beyond chance. Months with fewer than `min_base` notes or answers have no share."""
-- tags = ["voice of the field", "partners", "monthly"]
-- grain = ["region", "theme", "month"]
-- uses = ["theme-months", "theme-lags"]
--
-- [params.lag]
-- type = "text"
-- default = "best"
-- values = ["best", "0", "1", "2", "3"]
-- description = "months by which partners' shares are moved; best is that of theme-lags, theme by theme"
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
-- partner_share_earlier = { title = "Partners earlier", format = "0%", description = "partners' share so many months before as lag says" }
-- lag = { title = "Lag", format = "0", description = "months by which partners' share is moved" }
-- correlation = { title = "Correlation", format = "+0.00", description = "of customers' share with partners' earlier one, over the window" }
-- series = { title = "Series", description = "region and theme" }
--
-- [[chart]]
-- type = "line"
-- title = "Customers' share"
-- x = "month"
-- y = "customer_share"
-- color = "series"
--
-- [[chart]]
-- type = "line"
-- title = "Partners' share, moved by the lag"
-- x = "month"
-- y = "partner_share_earlier"
-- color = "series"
-- +++
with lags as (
    select
        region,
        theme,
        -- `best` is no number.
        coalesce(try_cast($lag as int), best_lag) as lag,
        lag_0,
        lag_1,
        lag_2,
        lag_3
    from "theme-lags"
    where region = any($regions)
      and theme = any($themes)
),
months as (
    select
        t.*,
        l.lag,
        case l.lag when 0 then l.lag_0 when 1 then l.lag_1 when 2 then l.lag_2 when 3 then l.lag_3 end as correlation,
        case l.lag
            when 0 then t.partner_share
            when 1 then lag(t.partner_share, 1) over by_month
            when 2 then lag(t.partner_share, 2) over by_month
            when 3 then lag(t.partner_share, 3) over by_month
        end as partner_share_earlier
    from "theme-months" t
    join lags l on l.region = t.region and l.theme = t.theme
    window by_month as (partition by t.region, t.theme order by t.month)
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
    lag,
    correlation,
    concat(region, ', ', theme) as series
from months
-- The three months before the window are there for the lags only.
where month >= cast($to as date) - cast(concat($months - 1, ' months') as interval)
order by region, theme, month
