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
-- annual_revenue = { title = "Revenue", format = "#,##0", total = "sum" }
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
    group by account_id, component, weight
),
-- A component that is not known on both days has no change.
compared as (
    select *, weight * (score_now - score_before) as weighted_change
    from components
),
moves as (
    select
        *,
        case
            when weighted_change is not null
                then named_struct(
                    'component', component, 'change', weighted_change, 'before', score_before, 'now', score_now
                )
        end as move
    from compared
),
changes as (
    select
        account_id,
        max(band) as band,
        max(band_before) as band_before,
        max(health) as health,
        max(coverage) as coverage,
        sum(weight) filter (where weighted_change is not null) as weight_compared,
        string_agg(component, ', ' order by weight desc, component)
            filter (where weighted_change is not null) as compared,
        sum(weight * score_before) filter (where weighted_change is not null) as weighted_before,
        sum(weight * score_now) filter (where weighted_change is not null) as weighted_now,
        sum(observations) filter (where weighted_change is not null and component <> 'engagement') as said,
        -- Of a fall the component that fell most, of a rise the one that rose most; of two the first by name.
        case
            when sum(weighted_change) < 0 then arg_min(move, struct(weighted_change, component))
            else arg_min(move, struct(-weighted_change, component))
        end as moved
    from moves
    group by account_id
),
enough as (
    -- Weights are of 100 in all. Divided as in customer-health-scores: 100 times 0.55 is a hair more than 55.
    select *, cast(weight_compared as double) / 100 >= $min_coverage as is_compared
    from changes
)
select
    c.account_id,
    a.account,
    a.office_id,
    a.segment,
    a.tier,
    a.annual_revenue,
    a.renews_on,
    c.band_before,
    c.band,
    c.health,
    c.coverage,
    case when c.is_compared then c.compared end as compared,
    case when c.is_compared then c.weighted_before / c.weight_compared end as health_before,
    case when c.is_compared then c.weighted_now / c.weight_compared end as health_now,
    case
        when c.is_compared then c.weighted_now / c.weight_compared - c.weighted_before / c.weight_compared
    end as change,
    case when c.is_compared then c.said end as said,
    case when c.is_compared then c.moved['component'] end as moved,
    case when c.is_compared then c.moved['change'] / c.weight_compared end as moved_points,
    case when c.is_compared then c.moved['before'] end as moved_before,
    case when c.is_compared then c.moved['now'] end as moved_now
from enough c
join accounts a on a.account_id = c.account_id
-- Who left in between is no customer any more.
where c.band is not null
order by c.account_id
