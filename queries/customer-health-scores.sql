-- +++
-- name = "customer-health-scores"
-- title = "Customer health and its components on several days"
-- description = """
-- Health is the weighted mean of the components that are present; a missing component is left out of both sums and \
-- shows in the coverage. Below the minimum coverage an account is unknown, never 0. Bands: healthy from 70, watch \
-- from 50, at risk below; an account is at risk, too, when any component is below the red line, because a mean \
-- hides the one thing that is on fire; one observation alone does not count for that. One row for each component, \
-- with the health of the account beside it; the points of the components add up to the health. The days are those \
-- of customer-health-history."""
-- tags = ["health", "base"]
-- grain = ["account_id", "counted_from", "days_before", "component"]
-- uses = ["customer-health-history"]
--
-- [params.min_coverage]
-- type = "float"
-- default = 0.5
-- min = 0
-- max = 1
-- description = "share of the weights that must be present for a score"
--
-- [params.red_line]
-- type = "float"
-- default = 30
-- min = 0
-- max = 100
-- description = "a component below it, with two observations or more, puts the account at risk"
--
-- [columns]
-- account_id = { title = "Id" }
-- account = { title = "Account" }
-- office_id = { title = "Office id" }
-- segment = { title = "Segment" }
-- tier = { title = "Tier" }
-- renews_on = { title = "Renews" }
-- counted_from = { title = "Counted from", description = "as of: one day for all; last day: each account's own" }
-- days_before = { title = "Days before", format = "0" }
-- scored_on = { title = "Scored on" }
-- annual_revenue = { title = "Revenue", format = "#,##0" }
-- component = { title = "Component" }
-- weight = { title = "Weight", format = "0", description = "of 100 in all" }
-- score = { title = "Score", format = "0.0", good = "up" }
-- observations = { title = "Observations", format = "#,##0" }
-- points = { title = "Points", format = "0.0", description = "what the component adds to the health" }
-- coverage = { title = "Coverage", format = "0%", good = "up", description = "of the account" }
-- health = { title = "Health", format = "0.0", good = "up", bands = [50, 70], description = "of the account; none where too little is known" }
-- band = { title = "Band", description = "healthy, watch, at risk or unknown" }
-- weakest = { title = "Weakest", description = "the component with the lowest score" }
-- weakest_score = { title = "Weakest score", format = "0.0" }
-- +++
with components as (
    select *, weight * score as weighted_score
    from "customer-health-history"
),
accounts_on_days as (
    select
        account_id,
        counted_from,
        days_before,
        sum(weight) filter (where score is not null) as weight_present,
        sum(weight) as weight_all,
        sum(weighted_score) as weighted_score,
        min(score) as weakest_score,
        -- Of two equally weak the first by name.
        arg_min(component, score) as weakest,
        -- One bad answer is no fire; two observations are the least for the red line.
        min(score) filter (where observations >= 2) as weakest_confirmed
    from components
    group by account_id, counted_from, days_before
),
scored as (
    select
        *,
        cast(coalesce(weight_present, 0) as double) / weight_all as coverage,
        -- Rounded, so that a health on the edge of a band is on it and not a hair beside it.
        round(weighted_score / weight_present, 10) as health
    from accounts_on_days
)
select
    c.account_id,
    c.account,
    c.office_id,
    c.segment,
    c.tier,
    c.annual_revenue,
    c.renews_on,
    c.counted_from,
    c.days_before,
    c.scored_on,
    c.component,
    c.weight,
    c.score,
    c.observations,
    c.weighted_score / s.weight_present as points,
    s.coverage,
    case when s.coverage >= $min_coverage then s.health end as health,
    case
        when s.coverage < $min_coverage then 'unknown'
        when s.weakest_confirmed < $red_line then 'at risk'
        else band(s.health, [50, 70], ['at risk', 'watch', 'healthy'])
    end as band,
    s.weakest,
    s.weakest_score
from scored s
join components c
    on c.account_id = s.account_id
    and c.counted_from = s.counted_from
    and c.days_before = s.days_before
order by c.counted_from, c.days_before, c.account_id, c.weight desc, c.component
