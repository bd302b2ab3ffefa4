-- +++
-- name = "nps-three-ways"
-- title = "Net Promoter Score three ways: by answer, by account, by revenue"
-- description = """
-- One question, three bases. By answer every contact counts once, so that accounts with many contacts count more. \
-- By account every account counts once, with the mean of its contacts. By revenue an account counts by its \
-- recurring revenue in the window. Where the three differ, large and small accounts, or accounts with many and with \
-- few contacts, think differently. Revenue coverage is the revenue of accounts that answered, of all revenue: what \
-- is not covered is not known. Intervals: adjusted Wald by answer (it takes answers of one account for \
-- independent), of a mean by account, and of a ratio by revenue, over two accounts or more. Effective accounts \
-- (Kish) say on how many equal ones the score by revenue would rest."""
-- tags = ["nps", "finance"]
-- grain = ["region"]
-- uses = ["nps-answers"]
--
-- [params.months]
-- type = "int"
-- default = 12
-- min = 1
-- max = 60
-- description = "length of the window in months"
--
-- [params.min_base]
-- type = "int"
-- default = 10
-- min = 1
-- description = "fewest answering accounts for which scores are shown"
--
-- [params.confidence]
-- type = "float"
-- default = 0.95
-- min = 0.5
-- max = 0.999
-- description = "probability that an interval covers the score of all customers"
--
-- [columns]
-- region = { title = "Region" }
-- answers = { title = "Answers", format = "#,##0" }
-- answer_nps = { title = "By answer", format = "+0.0", good = "up" }
-- answer_low = { title = "Low", format = "+0.0" }
-- answer_high = { title = "High", format = "+0.0" }
-- answering = { title = "Accounts that answered", format = "#,##0" }
-- accounts = { title = "Accounts", format = "#,##0", description = "with revenue in the window" }
-- account_nps = { title = "By account", format = "+0.0", good = "up" }
-- account_low = { title = "Low", format = "+0.0" }
-- account_high = { title = "High", format = "+0.0" }
-- revenue_nps = { title = "By revenue", format = "+0.0", good = "up" }
-- revenue_low = { title = "Low", format = "+0.0" }
-- revenue_high = { title = "High", format = "+0.0" }
-- effective_accounts = { title = "Effective accounts", format = "#,##0.0" }
-- revenue = { title = "Revenue", format = "currency", description = "recurring revenue of the window, all accounts" }
-- covered_revenue = { title = "Revenue covered", format = "currency", description = "of accounts that answered" }
-- revenue_coverage = { title = "Revenue coverage", format = "0%", good = "up" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "dot"
-- title = "NPS by answer"
-- x = "answer_nps"
-- y = "region"
-- low = "answer_low"
-- high = "answer_high"
-- total = "All"
--
-- [[chart]]
-- type = "dot"
-- title = "NPS by revenue"
-- x = "revenue_nps"
-- y = "region"
-- low = "revenue_low"
-- high = "revenue_high"
-- total = "All"
-- +++
with answer_scores as (
    select
        case when grouping(region) = 1 then 'All' else region end as region,
        nps_stats(nps, confidence => $confidence) as stats
    from "nps-answers"
    where period = 'now'
    group by grouping sets ((), (region))
),
account_scores as (
    select account_id, nps(nps) as score
    from "nps-answers"
    where period = 'now'
    group by account_id
),
account_revenues as (
    select account_id, sum(recurring_revenue) as revenue
    from account_revenue
    where period >= cast($to as date) - cast(concat($months - 1, ' months') as interval)
      and period <= $to
    group by account_id
),
-- Every account that paid in the window or answered in it.
accounts_known as (
    select
        o.region,
        r.revenue,
        s.score,
        -- Weights of the score by revenue: only of those who answered.
        case when s.score is not null then cast(r.revenue as double) end as weight
    from accounts a
    join offices o on o.office_id = a.office_id
    left join account_revenues r on r.account_id = a.account_id
    left join account_scores s on s.account_id = a.account_id
    where r.revenue is not null
       or s.score is not null
),
counted as (
    select
        grouping(region) = 1 as is_total,
        case when grouping(region) = 1 then 'All' else region end as region,
        count(*) as accounts,
        count(score) as answering,
        avg(score) as account_nps,
        stddev(score) / sqrt(count(score)) as account_error,
        sum(revenue) as revenue,
        -- Of a revenue that is known, nothing covered is 0.
        sum(case when score is not null then revenue else 0 end) as covered_revenue,
        nullif(sum(weight), 0) as weight,
        sum(weight * weight) as weight_squares,
        sum(weight * score) / nullif(sum(weight), 0) as revenue_nps,
        -- The squared distances from the weighted mean, multiplied out.
        sum(weight * weight * score * score) as squares_2,
        sum(weight * weight * score) as squares_1
    from accounts_known
    group by grouping sets ((), (region))
),
spread as (
    select
        *,
        sqrt(
            greatest(squares_2 - 2 * revenue_nps * squares_1 + revenue_nps * revenue_nps * weight_squares, 0)
            * answering / nullif(answering - 1, 0)
        ) / weight as revenue_error,
        answering >= $min_base as is_shown
    from counted
),
-- How many standard errors an interval reaches.
reach as (
    select z_value($confidence) as z
)
select
    s.region,
    coalesce(a.stats['n'], 0) as answers,
    case when s.is_shown then a.stats['nps'] end as answer_nps,
    case when s.is_shown then a.stats['low'] end as answer_low,
    case when s.is_shown then a.stats['high'] end as answer_high,
    s.answering,
    s.accounts,
    case when s.is_shown then s.account_nps end as account_nps,
    case when s.is_shown then s.account_nps - r.z * s.account_error end as account_low,
    case when s.is_shown then s.account_nps + r.z * s.account_error end as account_high,
    case when s.is_shown then s.revenue_nps end as revenue_nps,
    case when s.is_shown then s.revenue_nps - r.z * s.revenue_error end as revenue_low,
    case when s.is_shown then s.revenue_nps + r.z * s.revenue_error end as revenue_high,
    s.weight * s.weight / s.weight_squares as effective_accounts,
    s.revenue,
    s.covered_revenue,
    cast(s.covered_revenue as double) / nullif(cast(s.revenue as double), 0) as revenue_coverage,
    case
        when s.answering = 0 then 'no answers'
        when s.answering < $min_base then 'base too small'
    end as note
from spread s
cross join reach r
left join answer_scores a on a.region = s.region
order by s.is_total desc, s.region
