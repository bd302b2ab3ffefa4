-- +++
-- name = "nps-trend"
-- title = "Net Promoter Score by month and region"
-- description = """
-- NPS of each month by the day of the answer (UTC), for each region and for all together, with its adjusted Wald \
-- interval. The moving score pools the answers of three months; it is no average of three scores. A month without \
-- answers stays in, with n = 0 and no score."""
-- tags = ["nps", "monthly"]
-- grain = ["month", "region"]
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
-- values = ["All", "NA", "EMEA", "APAC"]
--
-- [params.z]
-- type = "float"
-- default = 1.96
-- min = 0
-- description = "width of the interval in standard errors; 1.96 is 95 %"
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
    select cast(date_trunc('month', s.answered_at) as date) as month, o.region, s.nps
    from surveys s
    join offices o on o.office_id = s.office_id
    where s.survey_type = any($survey_types)
      and s.answered_at >= cast($to as date) - cast(concat($months + 1, ' months') as interval)
      and s.answered_at < cast($to as date) + interval '1 month'
      and s.nps is not null
),
counted as (
    select
        month,
        case when grouping(region) = 1 then 'All' else region end as region,
        count(*) as n,
        count(*) filter (where nps >= 9) as promoters,
        count(*) filter (where nps <= 6) as detractors
    from answers
    group by grouping sets ((month), (month, region))
),
filled as (
    select
        g.month,
        g.region,
        coalesce(c.n, 0) as n,
        coalesce(c.promoters, 0) as promoters,
        coalesce(c.detractors, 0) as detractors
    from grid g
    left join counted c on c.month = g.month and c.region = g.region
),
pooled as (
    select
        *,
        (promoters + 0.75) / (n + 3) as p,
        (detractors + 0.75) / (n + 3) as d,
        sum(n) over three_months as n_3_months,
        sum(promoters - detractors) over three_months as net_3_months
    from filled
    window three_months as (partition by region order by month rows between 2 preceding and current row)
)
select
    month,
    region,
    n,
    100.0 * (promoters - detractors) / nullif(n, 0) as nps,
    case when n > 0 then 100 * (p - d - $z * sqrt((p + d - power(p - d, 2)) / (n + 3))) end as low,
    case when n > 0 then 100 * (p - d + $z * sqrt((p + d - power(p - d, 2)) / (n + 3))) end as high,
    n_3_months,
    100.0 * net_3_months / nullif(n_3_months, 0) as nps_3_months
from pooled
where month >= (select first_shown from bounds)
  and region = any($regions)
order by month, case region when 'All' then 0 when 'NA' then 1 when 'EMEA' then 2 else 3 end
