-- +++
-- name = "customer-segments"
-- title = "Kinds of customers, and how many of each left"
-- description = """
-- Accounts that are alike in size, relationship and engagement make a segment: by rules, which cut each of the three \
-- where it halves the accounts, or by k-means. Nobody says beforehand what the segments are. Accounts that left are \
-- looked at some days before they did, and those that stayed as long before a day on which another one left \
-- (health-backtest-accounts), so that no segment is made of what leaving brings with it. Relationship is the NPS \
-- answers from 0 to 100, engagement the touches of three months against the three before (80: as many), both as in \
-- customer health. Accounts that lack one of them are in no segment and make the last row; one without revenue has no \
-- size. The interval of the share that left is Wilson's; segments whose intervals overlap may well be alike. To be told \
-- who leaves before it happens, see health-backtest: a segment is a description, not a forecast."""
-- tags = ["health", "segments"]
-- grain = ["segment"]
-- uses = ["health-backtest-accounts"]
--
-- [params.method]
-- type = "text"
-- default = "rules"
-- values = ["rules", "kmeans"]
-- description = "rules: up to eight segments of low and high; kmeans: k groups around their means"
--
-- [params.k]
-- type = "int"
-- default = 4
-- min = 2
-- max = 12
-- description = "segments of kmeans"
--
-- [params.seed]
-- type = "int"
-- default = 1
-- min = 0
-- description = "where kmeans starts; a segment that another seed does not find is none to build on"
--
-- [params.min_size]
-- type = "int"
-- default = 30
-- min = 1
-- description = "a segment of fewer accounts is flagged, and its share that left withheld"
--
-- [params.days]
-- type = "int"
-- default = 30
-- values = [30, 60, 90, 180]
-- description = "how many days before the last day to look at an account"
--
-- [params.confidence]
-- type = "float"
-- default = 0.95
-- min = 0.5
-- max = 0.999
-- description = "probability that the interval covers the share of all such accounts"
--
-- [columns]
-- segment = { title = "Segment", format = "0", description = "1 is the largest" }
-- label = { title = "Accounts that are", description = "low and high are against the median; of kmeans what is half a standard deviation off the mean" }
-- accounts = { title = "Accounts", format = "#,##0", total = "sum" }
-- account_share = { title = "Of all", format = "0%" }
-- revenue = { title = "Revenue (USD)", format = "#,##0", total = "sum", description = "twelve times the contract revenue of the month looked at" }
-- median_revenue = { title = "Median account", format = "#,##0", description = "revenue of the account in the middle" }
-- revenue_share = { title = "Of revenue", format = "0%" }
-- tenure = { title = "Years with us", format = "0.0", description = "mean" }
-- relationship = { title = "Relationship", format = "0.0", good = "up", description = "mean, 0 to 100" }
-- engagement = { title = "Engagement", format = "0.0", good = "up", description = "mean, 0 to 100" }
-- health = { title = "Health", format = "0.0", good = "up", bands = [50, 70], description = "mean of the accounts with a health" }
-- departed = { title = "Left", format = "#,##0", good = "down", total = "sum" }
-- left_share = { title = "Share that left", format = "0.0%", good = "down", total = "departed / accounts" }
-- low = { title = "Low", format = "0.0%" }
-- high = { title = "High", format = "0.0%" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "dot"
-- title = "Share that left by segment"
-- x = "left_share"
-- y = "label"
-- low = "low"
-- high = "high"
--
-- [[chart]]
-- type = "scatter"
-- title = "Relationship and revenue of the segments"
-- x = "relationship"
-- y = "revenue"
-- color = "label"
-- +++
with accounts_then as (
    select
        b.account_id,
        b.relationship,
        b.engagement,
        -- Revenue is far from even; by its logarithm a medium account is nearer to a small one than to the largest.
        -- Without revenue there is no logarithm, and so no size.
        case when r.recurring_revenue > 0 then log10(cast(r.recurring_revenue as double)) end as size,
        -- What the profile needs goes along with the key.
        named_struct(
            'account_id', b.account_id,
            'has_left', b.outcome = 'left',
            'health', b.health,
            'relationship', b.relationship,
            'engagement', b.engagement,
            'tenure', (b.scored_on - a.started_on) / 365.25,
            'revenue', 12 * r.recurring_revenue
        ) as account
    from "health-backtest-accounts" b
    join accounts a on a.account_id = b.account_id
    left join account_revenue r on r.account_id = b.account_id and r.period = date_trunc('month', b.scored_on)
),
placed as (
    select *
    from segments(
        accounts_then,
        account,
        size,
        relationship,
        engagement,
        method => $method,
        k => $k,
        min_size => $min_size,
        seed => $seed
    )
),
profiles as (
    select
        segment,
        coalesce(label, 'in no segment: too little is known') as label,
        bool_or(is_small) as is_small,
        count(*) as accounts,
        sum(account['revenue']) as revenue,
        median(account['revenue']) as median_revenue,
        avg(account['tenure']) as tenure,
        avg(account['relationship']) as relationship,
        avg(account['engagement']) as engagement,
        avg(account['health']) as health,
        share_stats(account['has_left'], confidence => $confidence) as departed
    from placed
    group by segment, label
),
totals as (
    select
        *,
        coalesce(is_small, accounts < $min_size) as is_withheld,
        sum(accounts) over () as all_accounts,
        sum(revenue) over () as all_revenue
    from profiles
)
select
    segment,
    label,
    accounts,
    cast(accounts as double) / all_accounts as account_share,
    revenue,
    cast(revenue as double) / cast(all_revenue as double) as revenue_share,
    median_revenue,
    tenure,
    relationship,
    engagement,
    health,
    departed['k'] as departed,
    case when not is_withheld then departed['share'] end as left_share,
    case when not is_withheld then departed['low'] end as low,
    case when not is_withheld then departed['high'] end as high,
    case when is_withheld then 'few accounts' end as note
from totals
order by segment is null, left_share desc, segment
