-- +++
-- name = "health-by-segment"
-- title = "Customer health, part by part"
-- description = """
-- How healthy the customers of each segment are (or region, industry, tier, office), and whether they were \
-- healthier before. The mean counts every account once; beside it the mean by revenue, because one large account in \
-- trouble hides among many small ones, and the lowest, because it hides in both. Shares of bands are of accounts \
-- with a score; accounts of which too little is known are counted apart and never as 0. The change is the mean over \
-- accounts that can be compared, each over the components known on both days; it is not the difference of two means \
-- over different accounts. Revenue is the account's annual revenue of today."""
-- tags = ["health", "weekly"]
-- grain = ["part"]
-- uses = ["customer-health-changes"]
--
-- [params.by]
-- type = "text"
-- default = "segment"
-- values = ["segment", "region", "industry", "tier", "office"]
-- description = "what a row stands for"
--
-- [params.move]
-- type = "float"
-- default = 10
-- min = 0
-- description = "points by which an account must change to count as fallen or risen"
--
-- [params.min_base]
-- type = "int"
-- default = 5
-- min = 1
-- description = "fewest accounts with a score for which scores are shown"
--
-- [columns]
-- part = { title = "Part" }
-- accounts = { title = "Accounts", format = "#,##0", description = "customers on the day" }
-- unknown = { title = "Unknown", format = "#,##0", good = "down", description = "too little is known for a score" }
-- n = { title = "n", format = "#,##0", description = "accounts with a score" }
-- revenue_known = { title = "Revenue known", format = "0%", good = "up", description = "share of revenue that accounts with a score stand for" }
-- mean_health = { title = "Mean health", format = "0.0", good = "up", bands = [50, 70], description = "every account counts once" }
-- revenue_health = { title = "By revenue", format = "0.0", good = "up", bands = [50, 70], description = "mean weighted by annual revenue" }
-- lowest = { title = "Lowest", format = "0.0", good = "up" }
-- red = { title = "At risk", format = "0%", good = "down", description = "share of accounts with a score" }
-- amber = { title = "Watch", format = "0%" }
-- green = { title = "Healthy", format = "0%", good = "up" }
-- compared = { title = "Compared", format = "#,##0", description = "accounts with a score on both days" }
-- change = { title = "Change", format = "+0.0", good = "up", description = "mean change in points; every account counts once" }
-- revenue_change = { title = "Change by revenue", format = "+0.0", good = "up" }
-- fell = { title = "Fell", format = "#,##0", good = "down", description = "accounts that fell by the points of `move` or more" }
-- rose = { title = "Rose", format = "#,##0", good = "up" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "bar"
-- x = "mean_health"
-- y = "part"
-- total = "All"
--
-- [[chart]]
-- type = "bar"
-- title = "Share of accounts at risk"
-- x = "red"
-- y = "part"
-- total = "All"
-- +++
with parts as (
    select
        case $by
            when 'segment' then c.segment
            when 'region' then o.region
            when 'industry' then a.industry
            when 'tier' then c.tier
            else o.office
        end as part,
        cast(c.annual_revenue as double) as revenue,
        c.band,
        c.health,
        c.change
    from "customer-health-changes" c
    join accounts a on a.account_id = c.account_id
    join offices o on o.office_id = c.office_id
),
counted as (
    select
        grouping(part) = 1 as is_total,
        case when grouping(part) = 1 then 'All' else part end as part,
        count(*) as accounts,
        count(*) filter (where band = 'unknown') as unknown,
        count(health) as n,
        sum(revenue) as revenue,
        sum(revenue) filter (where health is not null) as known_revenue,
        avg(health) as mean_health,
        sum(revenue * health) as weighted_health,
        min(health) as lowest,
        count(*) filter (where band = 'at risk') as red,
        count(*) filter (where band = 'watch') as amber,
        count(*) filter (where band = 'healthy') as green,
        count(change) as compared,
        avg(change) as change,
        sum(revenue * change) / sum(revenue) filter (where change is not null) as revenue_change,
        count(*) filter (where change <= -$move) as fell,
        count(*) filter (where change >= $move) as rose
    from parts
    group by grouping sets ((), (part))
)
select
    part,
    accounts,
    unknown,
    n,
    known_revenue / revenue as revenue_known,
    case when n >= $min_base then mean_health end as mean_health,
    case when n >= $min_base then weighted_health / known_revenue end as revenue_health,
    case when n >= $min_base then lowest end as lowest,
    case when n >= $min_base then cast(red as double) / n end as red,
    case when n >= $min_base then cast(amber as double) / n end as amber,
    case when n >= $min_base then cast(green as double) / n end as green,
    compared,
    case when compared >= $min_base then change end as change,
    case when compared >= $min_base then revenue_change end as revenue_change,
    fell,
    rose,
    case
        when n = 0 then 'no scores'
        when n < $min_base then 'base too small'
        when compared < $min_base then 'too few to compare'
    end as note
from counted
order by is_total desc, mean_health, part
