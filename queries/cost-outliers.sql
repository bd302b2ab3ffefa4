-- +++
-- name = "cost-outliers"
-- title = "Offices out of line within their region"
-- description = """
-- Robust z of the logarithm of cost per touch: 0.6745 (x - median) / MAD, an outlier beyond 3.5 (Iglewicz and Hoaglin). \
-- Offices are held against the offices of their own region and function, because regions differ by design; set \
-- `within` to all to hold them against every office. Where the MAD is zero the interquartile range stands in. Groups \
-- of fewer than five get no verdict, nor does what has no cost per touch above 0: both are named, with the reason."""
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
-- description = "show cells whose robust z is at least this far from zero, and those without one; 0 shows all"
--
-- [columns]
-- office_id = { title = "Id" }
-- office = { title = "Office" }
-- region = { title = "Region" }
-- function = { title = "Function" }
-- status = { title = "Status" }
-- cost_per_touch = { title = "Cost per touch", format = "currency", good = "down", missing = "no_verdict" }
-- group_median = { title = "Group median", format = "currency", missing = "no_verdict" }
-- group_size = { title = "Group", format = "0", description = "offices in the group with a cost per touch above 0" }
-- times_median = { title = "Times median", format = "0.00", missing = "no_verdict" }
-- robust_z = { title = "Robust z", format = "+0.0", missing = "no_verdict" }
-- excess_cost = { title = "Excess cost", format = "#,##0", unit = "USD", good = "down", missing = "no_verdict", total = "sum", description = "cost above what the same touches cost at the group's median" }
-- no_verdict = { title = "No verdict", description = "why there is no robust z: no touches, the status, cost of 0 or less, a group of fewer than five, or one in which most cost the same" }
-- part = { title = "Part", description = "office and function" }
--
-- [[chart]]
-- type = "dot"
-- title = "How far offices are out of line: robust z"
-- x = "robust_z"
-- y = "part"
-- color = "function"
-- +++
with measured as (
    select
        *,
        case when $within = 'region' then region else 'all' end as peer_group,
        -- Who cannot be judged stays, and is nobody's peer.
        case when cost_per_touch > 0 then cost_per_touch end as judged_cost
    from "cost-cells"
    where status <> 'not open'
),
scored as (
    select
        *,
        count(judged_cost) over (partition by function, peer_group) as group_size,
        median(judged_cost) over (partition by function, peer_group) as group_median,
        robust_z(ln(judged_cost)) over (partition by function, peer_group) as robust_z
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
    cast(known_cost as double) - known_touches * group_median as excess_cost,
    case
        when robust_z is not null then null
        -- What was reported in full may still have nothing to divide by.
        when known_touches = 0 and known_cost <> 0 then 'no touches'
        when cost_per_touch is null then status
        when judged_cost is null then 'cost is 0 or less'
        when group_size < 5 then concat('group of ', group_size)
        else 'no spread'
    end as no_verdict,
    concat(office, ', ', function) as part
from scored
where abs(robust_z) >= $beyond or robust_z is null
order by abs(robust_z) desc nulls last, office_id, function
