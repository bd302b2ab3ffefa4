-- +++
-- name = "cost-outliers"
-- title = "Offices out of line within their region"
-- description = """
-- Robust z of the logarithm of cost per touch: 0.6745 (x - median) / MAD, an outlier beyond 3.5 (Iglewicz and Hoaglin). \
-- Offices are held against the offices of their own region and function, because regions differ by design; set \
-- `within` to all to hold them against every office. Where the MAD is zero the interquartile range stands in. Groups \
-- of fewer than five get no verdict."""
-- tags = ["finance", "monthly"]
-- grain = ["office_id", "function"]
-- uses = ["cost-cells"]
--
-- [params.within]
-- type = "text"
-- default = "region"
-- values = ["region", "all"]
-- description = "the group that an office is held against"
--
-- [params.beyond]
-- type = "float"
-- default = 3.5
-- min = 0
-- description = "show cells whose robust z is at least this far from zero; 0 shows all"
--
-- [columns]
-- office_id = { title = "Id" }
-- office = { title = "Office" }
-- region = { title = "Region" }
-- function = { title = "Function" }
-- status = { title = "Status" }
-- cost_per_touch = { title = "Cost per touch", format = "currency", good = "down" }
-- group_median = { title = "Group median", format = "currency" }
-- group_size = { title = "Group", format = "0", description = "offices in the group with a cost per touch" }
-- times_median = { title = "Times median", format = "0.00" }
-- robust_z = { title = "Robust z", format = "+0.0" }
-- excess_cost = { title = "Excess cost", format = "#,##0", good = "down", total = "sum", description = "cost above what the same touches cost at the group's median" }
--
-- [[chart]]
-- type = "dot"
-- title = "How far offices are out of line: robust z"
-- x = "robust_z"
-- y = "office"
-- color = "function"
-- +++
with measured as (
    select
        *,
        case when $within = 'region' then region else 'all' end as peer_group
    from "cost-cells"
    where cost_per_touch > 0
),
scored as (
    select
        *,
        count(*) over (partition by function, peer_group) as group_size,
        median(cost_per_touch) over (partition by function, peer_group) as group_median,
        robust_z(ln(cost_per_touch)) over (partition by function, peer_group) as robust_z
    from measured
)
select
    office_id,
    office,
    region,
    function,
    status,
    cost_per_touch,
    group_median,
    group_size,
    cost_per_touch / group_median as times_median,
    robust_z,
    cast(known_cost as double) - known_touches * group_median as excess_cost
from scored
where abs(robust_z) >= $beyond or ($beyond = 0 and robust_z is null)
order by abs(robust_z) desc, office_id, function
