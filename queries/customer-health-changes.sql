-- +++
-- name = "customer-health-changes"
-- title = "How the health of each account changed"
-- description = """
-- Health on the day against health some days before, both over the components that are known on both days: an \
-- answer that faded out of the window, or a first note, is no change of health. The points of the components add up \
-- to the change. Where the components known on both days have less than the minimum coverage there is no \
-- comparison."""
-- tags = ["health", "base"]
-- grain = ["account_id"]
-- uses = ["customer-health-scores"]
--
-- [params.days]
-- type = "int"
-- default = 90
-- values = [30, 60, 90, 180, 365]
-- description = "how many days before the day to compare with"
--
-- [columns]
-- annual_revenue = { title = "Revenue", format = "#,##0" }
-- band = { title = "Band", description = "on the day, over all components" }
-- band_before = { title = "Band before" }
-- health = { title = "Health", format = "0.0", good = "up", description = "on the day, over all components" }
-- coverage = { title = "Coverage", format = "0%", good = "up", description = "on the day" }
-- compared = { title = "Compared", description = "components known on both days" }
-- health_before = { title = "Health before", format = "0.0", description = "over the components known on both days" }
-- health_now = { title = "Health now", format = "0.0", description = "over the components known on both days" }
-- change = { title = "Change", format = "+0.0", good = "up", description = "health now less health before, in points" }
-- said = { title = "Answers and notes", format = "#,##0", description = "that health now rests on" }
-- moved = { title = "What moved", description = "the component with the most points in the direction of the change" }
-- moved_points = { title = "Its points", format = "+0.0", good = "up", description = "of the change" }
-- moved_before = { title = "Its score before", format = "0.0" }
-- moved_now = { title = "Its score now", format = "0.0" }
-- +++
with both_days as (
    select *
    from "customer-health-scores"
    where counted_from = 'as of'
      and days_before in (0, $days)
),
components as (
    select
        account_id,
        component,
        weight,
        max(score) filter (where days_before = 0) as score_now,
        max(score) filter (where days_before = $days) as score_before,
        max(observations) filter (where days_before = 0) as observations
    from both_days
    group by account_id, component, weight
),
compared as (
    select
        *,
        sum(weight) over (partition by account_id) as weight_compared,
        sum(weight * (score_now - score_before)) over (partition by account_id) as weighted_change
    from components
    where score_now is not null
      and score_before is not null
),
placed as (
    select
        *,
        weight * (score_now - score_before) / weight_compared as points,
        -- Of a fall the component that fell most, of a rise the one that rose most.
        row_number() over (
            partition by account_id
            order by weight * (score_now - score_before) * case when weighted_change < 0 then 1 else -1 end, component
        ) as place
    from compared
),
changes as (
    select
        account_id,
        sum(weight) as weight_compared,
        string_agg(component, ', ' order by weight desc, component) as compared,
        sum(weight * score_before) / sum(weight) as health_before,
        sum(weight * score_now) / sum(weight) as health_now,
        sum(observations) filter (where component <> 'engagement') as said,
        max(component) filter (where place = 1) as moved,
        max(points) filter (where place = 1) as moved_points,
        max(score_before) filter (where place = 1) as moved_before,
        max(score_now) filter (where place = 1) as moved_now
    from placed
    group by account_id
),
customers as (
    select
        account_id,
        account,
        office_id,
        segment,
        tier,
        annual_revenue,
        renews_on,
        max(band) filter (where days_before = 0) as band,
        max(band) filter (where days_before = $days) as band_before,
        max(health) filter (where days_before = 0) as health,
        max(coverage) filter (where days_before = 0) as coverage
    from both_days
    group by account_id, account, office_id, segment, tier, annual_revenue, renews_on
)
select
    a.account_id,
    a.account,
    a.office_id,
    a.segment,
    a.tier,
    a.annual_revenue,
    a.renews_on,
    a.band_before,
    a.band,
    a.health,
    a.coverage,
    c.compared,
    c.health_before,
    c.health_now,
    c.health_now - c.health_before as change,
    c.said,
    c.moved,
    c.moved_points,
    c.moved_before,
    c.moved_now
from customers a
-- Weights are of 100 in all.
left join changes c on c.account_id = a.account_id and c.weight_compared >= 100 * $min_coverage
-- Who left in between is no customer any more.
where a.band is not null
order by a.account_id
