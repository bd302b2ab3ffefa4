-- +++
-- name = "theme-lags"
-- title = "Do partners tell of a theme before customers do?"
-- description = """
-- For every region and theme, the correlation over the months of the window between customers' share of the theme \
-- and partners' share in the same month and one, two and three months before. The best lag is the highest \
-- correlation. z is Fisher's, atanh(r) * sqrt(n - 3): with four lags of ten themes in four regions, some are high by \
-- chance, so look only at a z of 3.5 or more, and at the months themselves (partner-and-customer-themes). A \
-- correlation does not say why."""
-- tags = ["voice of the field", "partners", "monthly"]
-- grain = ["region", "theme"]
-- uses = ["theme-months"]
--
-- [columns]
-- region = { title = "Region" }
-- theme = { title = "Theme" }
-- best_lag = { title = "Best lag", format = "0", description = "months by which partners are ahead at the highest correlation" }
-- best_correlation = { title = "Correlation", format = "+0.00", description = "at the best lag" }
-- z = { title = "z", format = "+0.0" }
-- is_clear = { title = "Clear", description = "z of 3.5 or more: unlikely by chance even among all that are listed" }
-- lag_0 = { title = "Lag 0", format = "+0.00" }
-- lag_1 = { title = "Lag 1", format = "+0.00" }
-- lag_2 = { title = "Lag 2", format = "+0.00" }
-- lag_3 = { title = "Lag 3", format = "+0.00" }
-- months_compared = { title = "Months", format = "0", description = "with both shares, at the best lag" }
--
-- [[chart]]
-- type = "heatmap"
-- x = "region"
-- y = "theme"
-- color = "best_correlation"
-- total = "All"
-- +++
with lagged as (
    select
        region,
        theme,
        month,
        customer_share,
        partner_share as partner_0,
        lag(partner_share, 1) over months as partner_1,
        lag(partner_share, 2) over months as partner_2,
        lag(partner_share, 3) over months as partner_3
    from "theme-months"
    window months as (partition by region, theme order by month)
),
correlated as (
    select
        region,
        theme,
        corr(customer_share, partner_0) as lag_0,
        corr(customer_share, partner_1) as lag_1,
        corr(customer_share, partner_2) as lag_2,
        corr(customer_share, partner_3) as lag_3,
        count(customer_share + partner_0) as months_0,
        count(customer_share + partner_1) as months_1,
        count(customer_share + partner_2) as months_2,
        count(customer_share + partner_3) as months_3
    from lagged
    -- All lags over the same customers' months.
    where month >= cast($to as date) - cast(concat($months - 1, ' months') as interval)
    group by region, theme
),
best as (
    select *, greatest(lag_0, lag_1, lag_2, lag_3) as best_correlation
    from correlated
),
placed as (
    select
        *,
        case best_correlation when lag_0 then 0 when lag_1 then 1 when lag_2 then 2 when lag_3 then 3 end as best_lag,
        case best_correlation
            when lag_0 then months_0
            when lag_1 then months_1
            when lag_2 then months_2
            when lag_3 then months_3
        end as months_compared
    from best
),
tested as (
    select
        *,
        case
            when months_compared > 3 and abs(best_correlation) < 1
            then atanh(best_correlation) * sqrt(months_compared - 3)
        end as z
    from placed
)
select
    region,
    theme,
    best_lag,
    best_correlation,
    z,
    z >= 3.5 as is_clear,
    lag_0,
    lag_1,
    lag_2,
    lag_3,
    months_compared
from tested
order by z desc nulls last, region, theme
