-- +++
-- name = "nps-trend"
-- title = "Net Promoter Score by month and region"
-- description = """
-- NPS of each month by the day of the answer (UTC), for each region and for all together, with its adjusted Wald \
-- interval. An invitation answered twice counts once, with the later answer. The moving score pools the answers of \
-- three months; it is no average of three scores. A month without answers stays in, with n = 0 and no score."""
-- tags = ["nps", "monthly"]
-- grain = ["month", "region"]
-- uses = ["survey-invitations"]
--
-- [params.to]
-- type = "month"
-- default = "last_complete(month)"
-- description = "last month"
--
-- [params.months]
-- type = "int"
-- default = 12
-- min = 1
-- max = 120
-- description = "months to show"
--
-- [params.survey_types]
-- type = "list<text>"
-- default = ["relationship"]
-- values = ["relationship", "transactional", "pulse", "milestone", "executive"]
--
-- [params.regions]
-- type = "list<text>"
-- default = "all"
-- values = ["NA", "EMEA", "APAC"]
-- description = "regions to show; All, which is their sum, stands beside all three"
--
-- [params.confidence]
-- type = "float"
-- default = 0.95
-- min = 0.5
-- max = 0.999
-- description = "probability that the interval covers the score of all customers"
--
-- [columns]
-- month = { title = "Month" }
-- region = { title = "Region" }
-- n = { title = "n", format = "#,##0" }
-- nps = { title = "NPS", format = "+0.0", good = "up" }
-- low = { title = "Low", format = "+0.0" }
-- high = { title = "High", format = "+0.0" }
-- n_3_months = { title = "n, 3 months", format = "#,##0" }
-- nps_3_months = { title = "NPS, 3 months", format = "+0.0", good = "up" }
--
-- [[chart]]
-- type = "line"
-- x = "month"
-- y = "nps"
-- color = "region"
-- low = "low"
-- high = "high"
-- total = "All"
-- +++
with bounds as (
    select
        cast($to as date) - cast(concat($months - 1, ' months') as interval) as first_shown,
        -- Two months more, so that the first moving score is whole.
        cast($to as date) - cast(concat($months + 1, ' months') as interval) as first_month,
        cast($to as date) as last_month
),
window_months as (
    select cast(unnest(generate_series(first_month, last_month, interval '1 month')) as date) as month
    from bounds
),
grid as (
    select m.month, r.region
    from window_months m
    cross join (values ('All'), ('NA'), ('EMEA'), ('APAC')) r(region)
),
answers as (
    select cast(date_trunc('month', answered_at) as date) as month, region, nps
    from "survey-invitations"
    where survey_type = any($survey_types)
      and answered_at >= cast($to as date) - cast(concat($months + 1, ' months') as interval)
      and answered_at < cast($to as date) + interval '1 month'
      and nps is not null
),
-- A month of a region without answers stays in, with nothing to score.
scored as (
    select g.month, g.region, nps_stats(a.nps, confidence => $confidence) as stats
    from grid g
    left join answers a on a.month = g.month and (a.region = g.region or g.region = 'All')
    group by g.month, g.region
),
pooled as (
    select
        *,
        sum(stats['n']) over three_months as n_3_months,
        sum(stats['promoters'] - stats['detractors']) over three_months as net_3_months
    from scored
    window three_months as (partition by region order by month rows between 2 preceding and current row)
)
select
    month,
    region,
    stats['n'] as n,
    stats['nps'] as nps,
    stats['low'] as low,
    stats['high'] as high,
    n_3_months,
    100.0 * net_3_months / nullif(n_3_months, 0) as nps_3_months
from pooled
where month >= (select first_shown from bounds)
  and (region = any($regions) or (region = 'All' and array_length($regions) = 3))
order by month, case region when 'All' then 0 when 'NA' then 1 when 'EMEA' then 2 else 3 end
