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
-- [params.z]
-- type = "float"
-- default = 1.96
-- min = 0
-- description = "width of the intervals in standard errors; 1.96 is 95 %"
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
-- x = "answer_nps"
-- y = "region"
-- low = "answer_low"
-- high = "answer_high"
--
-- [[chart]]
-- type = "dot"
-- title = "By revenue"
-- x = "revenue_nps"
-- y = "region"
-- low = "revenue_low"
-- high = "revenue_high"
-- +++
with account_answers as (
    select
        account_id,
        count(*) as answers,
        count(*) filter (where promoter(nps)) as promoters,
        count(*) filter (where detractor(nps)) as detractors
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
        n.answers,
        n.promoters,
        n.detractors,
        100.0 * (n.promoters - n.detractors) / n.answers as score,
        -- Weights of the score by revenue: only of those who answered.
        case when n.answers > 0 then cast(r.revenue as double) end as weight
    from accounts a
    join offices o on o.office_id = a.office_id
    left join account_revenues r on r.account_id = a.account_id
    left join account_answers n on n.account_id = a.account_id
    where r.revenue is not null
       or n.answers is not null
),
counted as (
    select
        grouping(region) = 1 as is_total,
        case when grouping(region) = 1 then 'All' else region end as region,
        count(*) as accounts,
        count(score) as answering,
        sum(answers) as answers,
        sum(promoters) as promoters,
        sum(detractors) as detractors,
        avg(score) as account_nps,
        stddev(score) / sqrt(count(score)) as account_error,
        sum(revenue) as revenue,
        sum(revenue) filter (where answers > 0) as covered_revenue,
        sum(weight) as weight,
        sum(weight * weight) as weight_squares,
        sum(weight * score) / sum(weight) as revenue_nps,
        -- The squared distances from the weighted mean, multiplied out.
        sum(weight * weight * score * score) as squares_2,
        sum(weight * weight * score) as squares_1
    from accounts_known
    group by grouping sets ((), (region))
),
spread as (
    select
        *,
        (promoters + 0.75) / (answers + 3) as p,
        (detractors + 0.75) / (answers + 3) as d,
        sqrt(
            greatest(squares_2 - 2 * revenue_nps * squares_1 + revenue_nps * revenue_nps * weight_squares, 0)
            * answering / nullif(answering - 1, 0)
        ) / weight as revenue_error,
        answering >= $min_base as is_shown
    from counted
)
select
    region,
    coalesce(answers, 0) as answers,
    case when is_shown then 100.0 * (promoters - detractors) / answers end as answer_nps,
    case when is_shown then 100 * (p - d - $z * sqrt((p + d - power(p - d, 2)) / (answers + 3))) end as answer_low,
    case when is_shown then 100 * (p - d + $z * sqrt((p + d - power(p - d, 2)) / (answers + 3))) end as answer_high,
    answering,
    accounts,
    case when is_shown then account_nps end as account_nps,
    case when is_shown then account_nps - $z * account_error end as account_low,
    case when is_shown then account_nps + $z * account_error end as account_high,
    case when is_shown then revenue_nps end as revenue_nps,
    case when is_shown then revenue_nps - $z * revenue_error end as revenue_low,
    case when is_shown then revenue_nps + $z * revenue_error end as revenue_high,
    weight * weight / weight_squares as effective_accounts,
    revenue,
    covered_revenue,
    cast(covered_revenue as double) / cast(revenue as double) as revenue_coverage,
    case
        when answering = 0 then 'no answers'
        when answering < $min_base then 'base too small'
    end as note
from spread
order by is_total desc, region
