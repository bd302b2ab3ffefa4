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
-- [params.z]
-- type = "float"
-- default = 1.96
-- min = 0
-- description = "width of the intervals in standard errors; 1.96 is 95 %"
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
-- x = "difference"
-- y = "office_group"
-- color = "measure"
-- +++
with counted as (
    select
        measure,
        office_group,
        changed_on,
        is_after,
        count(*) as n,
        count(*) filter (where case measure when 'NPS' then score >= 9 else score >= 4 end) as up,
        -- Only NPS takes anything off.
        count(*) filter (where measure = 'NPS' and score <= 6) as down
    from "change-answers"
    group by measure, office_group, changed_on, is_after
),
adjusted as (
    select
        *,
        100.0 * (up - down) / n as score,
        case measure when 'NPS' then (up + 0.75) / (n + 3) else (up + 1.0) / (n + 2) end as p,
        case measure when 'NPS' then (down + 0.75) / (n + 3) else 0.0 end as d,
        case measure when 'NPS' then n + 3 else n + 2 end as adjusted_n
    from counted
),
errors as (
    select
        *,
        100 * (p - d) as adjusted_score,
        (p + d - power(p - d, 2)) * 10000 / adjusted_n as variance,
        -- Wilson's interval, for CSAT.
        100 * (up + $z * $z / 2) / (n + $z * $z) as centre,
        100 * $z * sqrt(up * (1 - cast(up as double) / n) + $z * $z / 4) / (n + $z * $z) as margin
    from adjusted
),
scored as (
    select
        *,
        case measure when 'NPS' then adjusted_score - $z * sqrt(variance) else centre - margin end as low,
        case measure when 'NPS' then adjusted_score + $z * sqrt(variance) else centre + margin end as high
    from errors
),
sides as (
    select
        measure,
        office_group,
        max(changed_on) as changed_on,
        coalesce(max(n) filter (where not is_after), 0) as n_before,
        max(score) filter (where not is_after) as before,
        max(low) filter (where not is_after) as before_low,
        max(high) filter (where not is_after) as before_high,
        coalesce(max(n) filter (where is_after), 0) as n_after,
        max(score) filter (where is_after) as after,
        max(low) filter (where is_after) as after_low,
        max(high) filter (where is_after) as after_high,
        max(adjusted_score) filter (where is_after)
            - max(adjusted_score) filter (where not is_after) as adjusted_difference,
        sum(variance) as variance
    from scored
    group by measure, office_group
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
        grouping(office_group) = 1 and count(*) < 2 as is_alone
    from enough
    group by grouping sets ((measure), (measure, office_group))
),
-- The normal distribution's upper tail, by Abramowitz and Stegun 26.2.17, to seven digits.
tails as (
    select *, 1 / (1 + 0.2316419 * abs(z_value)) as t
    from differences
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
    case
        when is_enough
        then 2 * exp(-power(z_value, 2) / 2) / sqrt(2 * pi()) * t * (
            0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429)))
        )
    end as p_value,
    case
        when is_alone then 'no other offices'
        when not is_enough then 'base too small'
    end as note
from tails
order by
    measure desc,
    case office_group when 'changed' then 0 when 'others' then 1 else 2 end
