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
-- uses = ["customer-health-scores"]
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
-- annual_revenue = { title = "Revenue", format = "#,##0", total = "sum" }
-- renews_on = { title = "Renews" }
-- health = { title = "Health", format = "0.0", good = "up", bands = [50, 70], missing = "band" }
-- band = { title = "Band" }
-- coverage = { title = "Coverage", format = "0%", good = "up" }
-- weakest = { title = "Weakest" }
-- weakest_score = { title = "Weakest score", format = "0.0" }
-- relationship = { title = "Relationship (points)", format = "0.0", description = "points of the health; they add up to it" }
-- satisfaction = { title = "Satisfaction (points)", format = "0.0", description = "points of the health; they add up to it" }
-- effort = { title = "Effort (points)", format = "0.0", description = "points of the health; they add up to it" }
-- field_feedback = { title = "Field feedback (points)", format = "0.0", description = "points of the health; they add up to it" }
-- engagement = { title = "Engagement (points)", format = "0.0", description = "points of the health; they add up to it" }
--
-- [[chart]]
-- type = "scatter"
-- title = "Revenue against health"
-- x = "health"
-- y = "annual_revenue"
-- color = "band"
-- label = "account"
-- +++
with accounts_scored as (
    select
        account_id,
        -- These are the same in all components of an account.
        max(band) as band,
        max(health) as health,
        max(coverage) as coverage,
        max(weakest) as weakest,
        max(weakest_score) as weakest_score,
        max(points) filter (where component = 'relationship') as relationship,
        max(points) filter (where component = 'satisfaction') as satisfaction,
        max(points) filter (where component = 'effort') as effort,
        max(points) filter (where component = 'field feedback') as field_feedback,
        max(points) filter (where component = 'engagement') as engagement
    from "customer-health-scores"
    where counted_from = 'as of'
      and days_before = 0
    group by account_id
)
select
    s.account_id,
    a.account,
    s.band,
    s.health,
    s.coverage,
    s.weakest,
    s.weakest_score,
    o.office,
    a.segment,
    a.annual_revenue,
    a.renews_on,
    s.relationship,
    s.satisfaction,
    s.effort,
    s.field_feedback,
    s.engagement
from accounts_scored s
join accounts a on a.account_id = s.account_id
join offices o on o.office_id = a.office_id
where a.office_id = any($offices)
  and s.band = any($bands)
order by
    case s.band when 'at risk' then 0 when 'watch' then 1 when 'healthy' then 2 else 3 end,
    a.annual_revenue desc,
    s.account_id
