-- +++
-- name = "nps-movers"
-- title = "What moved the Net Promoter Score: mix and rate"
-- description = """
-- The change of the NPS between two windows, taken apart by segment, region, office or another part. Rate is what a \
-- part adds because its own score changed: change x mean share of answers. Mix is what it adds because its share of \
-- the answers changed: change of share x distance of its mean score from the mean of the whole. Both columns add up \
-- to the change of the whole, with nothing left over. Parts with fewer answers than the minimum base in either \
-- window are pooled. The interval of a part's own change is the adjusted Wald one of a difference; where it holds \
-- zero the change may be noise."""
-- tags = ["nps", "monthly"]
-- grain = ["part"]
-- uses = ["nps-answers"]
--
-- [params.by]
-- type = "text"
-- default = "office"
-- values = ["office", "region", "segment", "tier", "industry", "role"]
-- description = "what a row stands for"
--
-- [params.against]
-- type = "text"
-- default = "window before"
-- values = ["window before", "year before"]
-- description = "what to compare with"
--
-- [params.min_base]
-- type = "int"
-- default = 10
-- min = 1
-- description = "fewest answers in each window for a row of its own"
--
-- [params.confidence]
-- type = "float"
-- default = 0.95
-- min = 0.5
-- max = 0.999
-- description = "probability that the interval covers the part's change among all customers"
--
-- [columns]
-- part = { title = "Part" }
-- n_before = { title = "n before", format = "#,##0" }
-- promoters_before = { title = "Promoters before", format = "#,##0" }
-- detractors_before = { title = "Detractors before", format = "#,##0" }
-- nps_before = { title = "NPS before", format = "+0.0", good = "up" }
-- n = { title = "n", format = "#,##0" }
-- promoters = { title = "Promoters", format = "#,##0" }
-- detractors = { title = "Detractors", format = "#,##0" }
-- nps = { title = "NPS", format = "+0.0", good = "up" }
-- change = { title = "Change", format = "+0.0", good = "up", description = "of the part's own score, in points" }
-- low = { title = "Low", format = "+0.0", description = "of the change" }
-- high = { title = "High", format = "+0.0", description = "of the change" }
-- contribution_mix = { title = "From mix", format = "+0.00", good = "up", description = "points of the change of the whole" }
-- contribution_rate = { title = "From rate", format = "+0.00", good = "up", description = "points of the change of the whole" }
-- contribution = { title = "Contribution", format = "+0.00", good = "up", description = "mix and rate" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "waterfall"
-- x = "part"
-- y = "contribution"
-- total = "All"
-- +++
with answers as (
    select
        case $by
            when 'region' then region
            when 'segment' then segment
            when 'tier' then tier
            when 'industry' then industry
            when 'role' then contact_role
            else office
        end as part,
        period = 'now' as is_now,
        nps
    from "nps-answers"
    where period in ('now', $against)
),
sized as (
    select
        *,
        count(*) filter (where is_now) over (partition by part) as n,
        count(*) filter (where not is_now) over (partition by part) as n_before
    from answers
),
pooled as (
    select *, case when least(n, n_before) < $min_base then 'Small bases' else part end as pool
    from sized
),
scored as (
    select
        grouping(pool) = 1 as is_total,
        case when grouping(pool) = 1 then 'All' else pool end as part,
        count(distinct part) as parts,
        nps_stats(nps) filter (where not is_now) as before,
        nps_stats(nps) filter (where is_now) as now
    from pooled
    group by grouping sets ((), (pool))
),
-- How many standard errors an interval reaches.
reach as (
    select z_value($confidence) as z
),
counted as (
    select
        is_total,
        part,
        parts,
        before['n'] as n_before,
        before['promoters'] as promoters_before,
        before['detractors'] as detractors_before,
        before['nps'] as nps_before,
        now['n'] as n,
        now['promoters'] as promoters,
        now['detractors'] as detractors,
        now['nps'] as nps,
        -- The adjusted Wald interval adds 3/4 promoter, 1 1/2 passives and 3/4 detractor.
        (before['promoters'] + 0.75) / (before['n'] + 3) as p_before,
        (before['detractors'] + 0.75) / (before['n'] + 3) as d_before,
        (now['promoters'] + 0.75) / (now['n'] + 3) as p,
        (now['detractors'] + 0.75) / (now['n'] + 3) as d
    from scored
),
weighed as (
    select
        *,
        cast(n_before as double) / nullif(max(n_before) filter (where is_total) over (), 0) as share_before,
        cast(n as double) / nullif(max(n) filter (where is_total) over (), 0) as share,
        -- A part without answers in one window has no score there; it moves the whole by mix alone.
        coalesce(nps_before, nps) as from_score,
        coalesce(nps, nps_before) as to_score,
        max((nps_before + nps) / 2) filter (where is_total) over () as middle,
        100 * ((p - d) - (p_before - d_before)) as adjusted_change,
        100 * z * sqrt((p + d - power(p - d, 2)) / (n + 3)
            + (p_before + d_before - power(p_before - d_before, 2)) / (n_before + 3)) as margin
    from counted
    cross join reach
),
contributed as (
    select
        *,
        (share - share_before) * ((from_score + to_score) / 2 - middle) as contribution_mix,
        (share + share_before) / 2 * (to_score - from_score) as contribution_rate
    from weighed
)
select
    part,
    n_before,
    promoters_before,
    detractors_before,
    nps_before,
    n,
    promoters,
    detractors,
    nps,
    nps - nps_before as change,
    case when nps is not null and nps_before is not null then adjusted_change - margin end as low,
    case when nps is not null and nps_before is not null then adjusted_change + margin end as high,
    -- The whole is the sum of its parts.
    case when is_total then sum(contribution_mix) filter (where not is_total) over ()
        else contribution_mix end as contribution_mix,
    case when is_total then sum(contribution_rate) filter (where not is_total) over ()
        else contribution_rate end as contribution_rate,
    case when is_total then nps - nps_before else contribution_mix + contribution_rate end as contribution,
    case
        when n = 0 or n_before = 0 then 'no answers in one of the windows'
        when part = 'Small bases' then
            concat(parts, case parts when 1 then ' part' else ' parts' end, ' with few answers')
        when adjusted_change - margin <= 0 and adjusted_change + margin >= 0 then 'may be noise'
    end as note
from contributed
order by is_total desc, contribution, part
