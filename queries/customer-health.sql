-- +++
-- name = "customer-health"
-- title = "Customer health, account by account"
-- description = """
-- Health is the weighted mean of the components that are present; a missing component is left out of both sums and \
-- shows in the coverage. Below the minimum coverage an account is unknown, never 0. Bands: healthy from 70, watch from \
-- 50, at risk below; an account is at risk, too, when any component is below the red line, because a mean hides the \
-- one thing that is on fire; one observation alone does not count for that. The points of the components add up to the health."""
-- tags = ["health", "weekly"]
-- grain = ["account_id"]
-- uses = ["customer-health-components"]
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
-- [params.bands]
-- type = "list<text>"
-- default = "all"
-- values = ["at risk", "watch", "healthy", "unknown"]
--
-- [params.offices]
-- type = "list<text>"
-- default = "all"
-- values_sql = "select office_id, office from offices order by office_id"
--
-- [columns]
-- account_id = { title = "Id" }
-- account = { title = "Account" }
-- office = { title = "Office" }
-- segment = { title = "Segment" }
-- annual_revenue = { title = "Revenue", format = "#,##0" }
-- renews_on = { title = "Renews" }
-- health = { title = "Health", format = "0.0", good = "up", bands = [50, 70] }
-- band = { title = "Band" }
-- coverage = { title = "Coverage", format = "0%", good = "up" }
-- weakest = { title = "Weakest" }
-- weakest_score = { title = "Weakest score", format = "0.0" }
-- relationship = { title = "Relationship", format = "0.0", description = "points of the health" }
-- satisfaction = { title = "Satisfaction", format = "0.0", description = "points of the health" }
-- effort = { title = "Effort", format = "0.0", description = "points of the health" }
-- field_feedback = { title = "Field feedback", format = "0.0", description = "points of the health" }
-- engagement = { title = "Engagement", format = "0.0", description = "points of the health" }
--
-- [[chart]]
-- type = "scatter"
-- x = "health"
-- y = "annual_revenue"
-- color = "band"
-- +++
with present as (
    select
        *,
        sum(weight) filter (where score is not null) over (partition by account_id) as weight_present,
        sum(weight) over (partition by account_id) as weight_all,
        row_number() over (partition by account_id order by score, component) as worst_first
    from "customer-health-components"
),
scored as (
    select
        account_id,
        account,
        office_id,
        segment,
        annual_revenue,
        renews_on,
        cast(coalesce(max(weight_present), 0) as double) / max(weight_all) as coverage,
        sum(weight * score) / max(weight_present) as health,
        max(component) filter (where worst_first = 1 and score is not null) as weakest,
        min(score) as weakest_score,
        -- One bad answer is no fire; two observations are the least for the red line.
        min(score) filter (where observations >= 2) as weakest_confirmed,
        sum(weight * score / weight_present) filter (where component = 'relationship') as relationship,
        sum(weight * score / weight_present) filter (where component = 'satisfaction') as satisfaction,
        sum(weight * score / weight_present) filter (where component = 'effort') as effort,
        sum(weight * score / weight_present) filter (where component = 'field feedback') as field_feedback,
        sum(weight * score / weight_present) filter (where component = 'engagement') as engagement
    from present
    group by account_id, account, office_id, segment, annual_revenue, renews_on
),
banded as (
    select
        *,
        case
            when coverage < $min_coverage or health is null then 'unknown'
            when weakest_confirmed < $red_line then 'at risk'
            else band(health, [50, 70], ['at risk', 'watch', 'healthy'])
        end as band
    from scored
)
select
    b.account_id,
    b.account,
    b.band,
    case when b.band <> 'unknown' then b.health end as health,
    b.coverage,
    b.weakest,
    b.weakest_score,
    o.office,
    b.segment,
    b.annual_revenue,
    b.renews_on,
    b.relationship,
    b.satisfaction,
    b.effort,
    b.field_feedback,
    b.engagement
from banded b
join offices o on o.office_id = b.office_id
where b.office_id = any($offices)
  and b.band = any($bands)
order by
    case b.band when 'at risk' then 0 when 'watch' then 1 when 'healthy' then 2 else 3 end,
    b.annual_revenue desc,
    b.account_id
