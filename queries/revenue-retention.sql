-- +++
-- name = "revenue-retention"
-- title = "Revenue retention: what stayed, grew, shrank and left"
-- description = """
-- Contract revenue of those who were customers in the start month, followed to the end month. Gross retention (GRR) \
-- = (start - contraction - churn) / start, never above 100 %; net retention (NRR) adds expansion; logo churn = \
-- accounts lost / accounts at the start. New accounts are in none of them and stand beside. Amounts are of one month \
-- in USD (twelve times as much is a year): start + expansion - contraction - churn is what those accounts \
-- bring now. Rates are withheld below the minimum base."""
-- tags = ["revenue", "monthly"]
-- grain = ["part"]
-- uses = ["revenue-movements"]
--
-- [params.by]
-- type = "text"
-- default = "segment"
-- values = ["segment", "region", "office", "industry", "tier"]
--
-- [params.regions]
-- type = "list<text>"
-- default = "all"
-- values = ["NA", "EMEA", "APAC"]
--
-- [params.min_base]
-- type = "int"
-- default = 10
-- min = 1
-- description = "fewest accounts at the start for which rates are shown"
--
-- [columns]
-- part = { title = "Part" }
-- accounts = { title = "Accounts", format = "#,##0", description = "in the start month" }
-- lost = { title = "Lost", format = "#,##0", good = "down" }
-- logo_churn = { title = "Logo churn", format = "0.0%", good = "down" }
-- grr = { title = "GRR", format = "0.0%", good = "up", bands = [0.85, 0.92] }
-- nrr = { title = "NRR", format = "0.0%", good = "up", bands = [0.95, 1.05] }
-- start_revenue = { title = "Start", format = "#,##0", unit = "USD a month", description = "recurring revenue of the start month, of those who were customers in it" }
-- expansion = { title = "Expansion", format = "#,##0", unit = "USD a month", good = "up" }
-- contraction = { title = "Contraction", format = "#,##0", unit = "USD a month", good = "down" }
-- churn = { title = "Churn", format = "#,##0", unit = "USD a month", good = "down" }
-- end_revenue = { title = "End", format = "#,##0", unit = "USD a month", good = "up", description = "of those who were there at the start" }
-- new_accounts = { title = "New", format = "#,##0", good = "up" }
-- new_revenue = { title = "New revenue", format = "#,##0", unit = "USD a month", good = "up" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "dot"
-- title = "Net revenue retention"
-- x = "nrr"
-- y = "part"
-- total = "All"
-- +++
with two_months as (
    select
        cast($period as date) - cast(concat($months, ' months') as interval) as start_month,
        cast($period as date) as end_month
),
booked as (
    select
        count(*) filter (where r.period = m.start_month) > 0 as start_month,
        count(*) filter (where r.period = m.end_month) > 0 as end_month
    from account_revenue r
    cross join two_months m
    where r.period = m.start_month
       or r.period = m.end_month
),
moved as (
    select
        case $by
            when 'region' then region
            when 'office' then office
            when 'industry' then industry
            when 'tier' then tier
            else segment
        end as part,
        state,
        start_revenue,
        expansion,
        contraction,
        churn,
        end_revenue
    from "revenue-movements"
    where region = any($regions)
),
added_up as (
    select
        case when grouping(part) = 1 then 'All' else part end as part,
        grouping(part) = 1 as is_total,
        count(*) filter (where state <> 'new') as accounts,
        count(*) filter (where state = 'lost') as lost,
        count(*) filter (where state = 'new') as new_accounts,
        sum(start_revenue) as start_revenue,
        sum(expansion) as expansion,
        sum(contraction) as contraction,
        sum(churn) as churn,
        coalesce(sum(end_revenue) filter (where state <> 'new'), 0) as end_revenue,
        coalesce(sum(end_revenue) filter (where state = 'new'), 0) as new_revenue
    from moved
    group by grouping sets ((), (part))
)
select
    part,
    case when b.start_month and b.end_month then accounts end as accounts,
    case when b.start_month and b.end_month then lost end as lost,
    case when accounts >= $min_base then cast(lost as double) / accounts end as logo_churn,
    case when accounts >= $min_base then gross_retention(start_revenue, contraction, churn) end as grr,
    case when accounts >= $min_base then net_retention(start_revenue, expansion, contraction, churn) end as nrr,
    start_revenue,
    expansion,
    contraction,
    churn,
    case when b.start_month and b.end_month then end_revenue end as end_revenue,
    case when b.start_month and b.end_month then new_accounts end as new_accounts,
    case when b.start_month and b.end_month then new_revenue end as new_revenue,
    case
        when not b.start_month then 'the start month is not booked'
        when not b.end_month then 'the end month is not booked'
        when accounts = 0 then 'no accounts at the start'
        when accounts < $min_base then 'base too small'
    end as note
from added_up
cross join booked b
order by is_total desc, start_revenue desc, part
