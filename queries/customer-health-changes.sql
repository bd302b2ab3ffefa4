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
-- account_id = { title = "Id" }
-- account = { title = "Account" }
-- office_id = { title = "Office id" }
-- segment = { title = "Segment" }
-- tier = { title = "Tier" }
-- renews_on = { title = "Renews" }
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
-- Both days of a component side by side.
with components as (
    select
        account_id,
        account,
        office_id,
        segment,
        tier,
        annual_revenue,
        renews_on,
        component,
        weight,
        max(score) filter (where days_before = 0) as score_now,
        max(score) filter (where days_before = $days) as score_before,
        max(observations) filter (where days_before = 0) as observations,
        max(band) filter (where days_before = 0) as band,
        max(band) filter (where days_before = $days) as band_before,
        max(health) filter (where days_before = 0) as health,
        max(coverage) filter (where days_before = 0) as coverage
    from "customer-health-scores"
    where counted_from = 'as of'
      and days_before in (0, $days)
    group by account_id, account, office_id, segment, tier, annual_revenue, renews_on, component, weight
),
-- A component that is not known on both days has no change.
compared as (
    select
        *,
        weight * (score_now - score_before) as weighted_change,
        sum(weight * (score_now - score_before)) over (partition by account_id) as account_change
    from components
),
placed as (
    select
        *,
        -- Of a fall the component that fell most, of a rise the one that rose most.
        row_number() over (
            partition by account_id
            order by weighted_change * case when account_change < 0 then 1 else -1 end nulls last, component
        ) as place
    from compared
),
changes as (
    select
        account_id,
        account,
        office_id,
        segment,
        tier,
        annual_revenue,
        renews_on,
        max(band) as band,
        max(band_before) as band_before,
        max(health) as health,
        max(coverage) as coverage,
        -- Weights are of 100 in all.
        sum(weight) filter (where weighted_change is not null) as weight_compared,
        string_agg(component, ', ' order by weight desc, component)
            filter (where weighted_change is not null) as compared,
        sum(weight * score_before) filter (where weighted_change is not null) as weighted_before,
        sum(weight * score_now) filter (where weighted_change is not null) as weighted_now,
        sum(observations) filter (where weighted_change is not null and component <> 'engagement') as said,
        max(component) filter (where place = 1) as moved,
        max(weighted_change) filter (where place = 1) as moved_change,
        max(score_before) filter (where place = 1) as moved_before,
        max(score_now) filter (where place = 1) as moved_now
    from placed
    group by account_id, account, office_id, segment, tier, annual_revenue, renews_on
),
enough as (
    select *, weight_compared >= 100 * $min_coverage as is_compared
    from changes
)
select
    account_id,
    account,
    office_id,
    segment,
    tier,
    annual_revenue,
    renews_on,
    band_before,
    band,
    health,
    coverage,
    case when is_compared then compared end as compared,
    case when is_compared then weighted_before / weight_compared end as health_before,
    case when is_compared then weighted_now / weight_compared end as health_now,
    case when is_compared then weighted_now / weight_compared - weighted_before / weight_compared end as change,
    case when is_compared then said end as said,
    case when is_compared then moved end as moved,
    case when is_compared then moved_change / weight_compared end as moved_points,
    case when is_compared then moved_before end as moved_before,
    case when is_compared then moved_now end as moved_now
from enough
-- Who left in between is no customer any more.
where band is not null
order by account_id
