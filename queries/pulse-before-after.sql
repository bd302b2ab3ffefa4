-- +++
-- name = "pulse-before-after"
-- title = "Before and after a change: NPS and CSAT"
-- description = """
-- What customers of some offices answered before and after a day, the same for all other offices, and the difference \
-- between the two differences: what is left of the change once whatever happened everywhere is taken off. NPS is in \
-- points, from pulse surveys unless others are asked for; CSAT is the per cent of answers of 4 and 5, from all \
-- surveys that ask for it. A score's interval is the adjusted Wald one for NPS and Wilson's for CSAT. Differences \
-- are of the scores as they are; their z and p (two-sided) are of adjusted ones, three answers added to NPS and two \
-- to CSAT, each answer taken for itself. That something came after a change does not make it its effect. By default: \
-- Seattle, since its support desk began to move; `initiative` takes day and offices from any other."""
-- tags = ["surveys", "initiatives", "quarterly"]
-- grain = ["measure", "office_group"]
-- uses = ["change-answers"]
--
-- [params.min_base]
-- type = "int"
-- default = 10
-- min = 1
-- description = "fewest answers on either side for scores and differences"
--
-- [params.confidence]
-- type = "float"
-- default = 0.95
-- min = 0.5
-- max = 0.999
-- description = "probability that an interval covers the score of all customers"
--
-- [columns]
-- measure = { title = "Measure" }
-- office_group = { title = "Offices", description = "changed, others, or changed less others: the difference of the differences" }
-- changed_on = { title = "Changed on" }
-- n_before = { title = "n before", format = "#,##0" }
-- before = { title = "Before", format = "+0.0", good = "up" }
-- before_low = { title = "Low", format = "+0.0" }
-- before_high = { title = "High", format = "+0.0" }
-- n_after = { title = "n after", format = "#,##0" }
-- after = { title = "After", format = "+0.0", good = "up" }
-- after_low = { title = "Low", format = "+0.0" }
-- after_high = { title = "High", format = "+0.0" }
-- difference = { title = "Difference (points)", format = "+0.0", good = "up" }
-- z_value = { title = "z", format = "+0.00" }
-- p_value = { title = "p", format = "0.00" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "bar"
-- title = "Points after the change less points before"
-- x = "difference"
-- y = "office_group"
-- color = "measure"
-- +++
with measured as (
    select
        measure,
        office_group,
        changed_on,
        is_after,
        count(*) as n,
        nps_stats(score, confidence => $confidence) filter (where measure = 'NPS') as nps,
        share_stats(satisfied(score), confidence => $confidence) filter (where measure = 'CSAT') as csat
    from "change-answers"
    group by measure, office_group, changed_on, is_after
),
-- Both measures in points, and their parts adjusted as their differences are tested: three answers are added to NPS,
-- two to CSAT.
scored as (
    select
        *,
        case measure when 'NPS' then nps['nps'] else 100 * csat['share'] end as score,
        case measure when 'NPS' then nps['low'] else 100 * csat['low'] end as low,
        case measure when 'NPS' then nps['high'] else 100 * csat['high'] end as high,
        case measure when 'NPS' then n + 3 else n + 2 end as adjusted_n,
        case measure when 'NPS' then (nps['promoters'] + 0.75) / (n + 3) else (csat['k'] + 1.0) / (n + 2) end as p,
        -- Only NPS takes anything off.
        case measure when 'NPS' then (nps['detractors'] + 0.75) / (n + 3) else 0.0 end as d
    from measured
),
-- A measure that anybody answered has both groups, also one that answered nothing.
groups as (
    select distinct m.measure, m.changed_on, g.office_group
    from measured m
    cross join (values ('changed'), ('others')) g(office_group)
),
sides as (
    select
        g.measure,
        g.office_group,
        g.changed_on,
        coalesce(max(s.n) filter (where not s.is_after), 0) as n_before,
        max(s.score) filter (where not s.is_after) as before,
        max(s.low) filter (where not s.is_after) as before_low,
        max(s.high) filter (where not s.is_after) as before_high,
        coalesce(max(s.n) filter (where s.is_after), 0) as n_after,
        max(s.score) filter (where s.is_after) as after,
        max(s.low) filter (where s.is_after) as after_low,
        max(s.high) filter (where s.is_after) as after_high,
        max(100 * (s.p - s.d)) filter (where s.is_after)
            - max(100 * (s.p - s.d)) filter (where not s.is_after) as adjusted_difference,
        sum((s.p + s.d - power(s.p - s.d, 2)) * 10000 / s.adjusted_n) as variance
    from groups g
    left join scored s on s.measure = g.measure and s.office_group = g.office_group
    group by g.measure, g.office_group, g.changed_on
),
enough as (
    select *, n_before >= $min_base and n_after >= $min_base as is_enough
    from sides
),
-- One row for each group, and one for what is between them.
differences as (
    select
        measure,
        case when grouping(office_group) = 1 then 'changed less others' else office_group end as office_group,
        max(changed_on) as changed_on,
        case when grouping(office_group) = 0 then max(n_before) end as n_before,
        case when grouping(office_group) = 0 then max(before) end as before,
        case when grouping(office_group) = 0 then max(before_low) end as before_low,
        case when grouping(office_group) = 0 then max(before_high) end as before_high,
        case when grouping(office_group) = 0 then max(n_after) end as n_after,
        case when grouping(office_group) = 0 then max(after) end as after,
        case when grouping(office_group) = 0 then max(after_low) end as after_low,
        case when grouping(office_group) = 0 then max(after_high) end as after_high,
        case
            when grouping(office_group) = 0 then max(after - before)
            else max(after - before) filter (where office_group = 'changed')
                - max(after - before) filter (where office_group = 'others')
        end as difference,
        case
            when grouping(office_group) = 0 then max(adjusted_difference)
            else max(adjusted_difference) filter (where office_group = 'changed')
                - max(adjusted_difference) filter (where office_group = 'others')
        end / nullif(sqrt(sum(variance)), 0) as z_value,
        bool_and(is_enough) as is_enough,
        max(n_before + n_after) filter (where office_group = 'changed') = 0 as lacks_changed,
        max(n_before + n_after) filter (where office_group = 'others') = 0 as lacks_others
    from enough
    group by grouping sets ((measure), (measure, office_group))
)
select
    measure,
    office_group,
    changed_on,
    n_before,
    case when is_enough then before end as before,
    case when is_enough then before_low end as before_low,
    case when is_enough then before_high end as before_high,
    n_after,
    case when is_enough then after end as after,
    case when is_enough then after_low end as after_low,
    case when is_enough then after_high end as after_high,
    case when is_enough then difference end as difference,
    case when is_enough then z_value end as z_value,
    case when is_enough then p_value(z_value) end as p_value,
    case
        when lacks_changed then 'no answers from the changed offices'
        when lacks_others then 'no answers from other offices'
        when not is_enough then 'base too small'
    end as note
from differences
order by
    measure desc,
    case office_group when 'changed' then 0 when 'others' then 1 else 2 end
