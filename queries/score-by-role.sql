-- +++
-- name = "score-by-role"
-- title = "Who recommends us: roles against promoters, passives and detractors"
-- description = """
-- How many people of each role (or region, segment, tier, industry) are promoters, passives and detractors, and which \
-- of these cells hold more or fewer than chance would put there. Each contact counts once per survey type, with the \
-- latest answer of the window. The share is of the people of the row. The residual says how far a cell is from what \
-- it would hold if row and class had nothing to do with each other, in standard errors; the verdict takes p after \
-- Holm's correction for the number of cells, so that it is not given to one cell of twenty by chance alone. \
-- Cramer's V, from 0 to 1, is the strength of the whole: a relation can be certain and weak. People of one account are \
-- taken for independent."""
-- tags = ["nps", "quality"]
-- grain = ["part", "nps_class"]
-- uses = ["nps-answers"]
--
-- [params.by]
-- type = "text"
-- default = "role"
-- values = ["role", "region", "segment", "tier", "industry"]
-- description = "what a row stands for"
--
-- [params.months]
-- type = "int"
-- default = 12
-- min = 1
-- max = 60
-- description = "length of the window in months"
--
-- [params.alpha]
-- type = "float"
-- default = 0.05
-- min = 0
-- max = 1
-- description = "chance of one or more wrong verdicts among all cells that is put up with"
--
-- [params.min_base]
-- type = "int"
-- default = 10
-- min = 1
-- description = "fewest people of a row for which its cells are shown"
--
-- [columns]
-- part = { title = "Part" }
-- part_n = { title = "People", format = "#,##0", description = "of the part, with a score" }
-- nps = { title = "NPS", format = "+0.0", good = "up", description = "of the part" }
-- nps_class = { title = "Class", description = "promoter 9 and 10, passive 7 and 8, detractor 0 to 6" }
-- n = { title = "n", format = "#,##0", total = "sum" }
-- expected = { title = "Expected", format = "#,##0.0", total = "sum", description = "people in the cell if part and class had nothing to do with each other" }
-- share = { title = "Share", format = "0%", description = "of the part" }
-- share_of_all = { title = "Of all", format = "0%", description = "share of the class among everybody" }
-- residual = { title = "Residual", format = "+0.0", description = "distance from the expected, in standard errors" }
-- p_adjusted = { title = "Holm's p", format = "0.000", description = "p with the number of cells allowed for" }
-- verdict = { title = "Verdict" }
-- cramers_v = { title = "Cramer's V", format = "0.00", description = "strength of the relation in the whole table, 0 to 1" }
-- chi_p = { title = "p of all", format = "0.000", description = "chi-squared test of the whole table" }
--
-- [[chart]]
-- type = "heatmap"
-- title = "More or fewer than expected, in standard errors"
-- x = "nps_class"
-- y = "part"
-- color = "residual"
--
-- [[chart]]
-- type = "stacked_bar"
-- title = "Promoters, passives and detractors"
-- x = "share"
-- y = "part"
-- color = "nps_class"
-- +++
with answers as (
    select
        case $by
            when 'region' then region
            when 'segment' then segment
            when 'tier' then tier
            when 'industry' then industry
            else contact_role
        end as part,
        case
            when promoter(nps) then 'promoter'
            when detractor(nps) then 'detractor'
            else 'passive'
        end as nps_class
    from "nps-answers"
    where period = 'now'
),
cells as (
    select
        *,
        sum(n) over (partition by part) as part_n,
        sum(n) over (partition by nps_class) as class_n,
        sum(n) over () as all_n,
        -- Promoters less detractors, of the part.
        sum(case nps_class when 'promoter' then n when 'detractor' then -n else 0 end) over (partition by part) as net
    from crosstab(answers, part, nps_class)
)
select
    part,
    part_n,
    case when part_n >= $min_base then 100.0 * net / part_n end as nps,
    nps_class,
    case when part_n >= $min_base then n end as n,
    case when part_n >= $min_base then expected end as expected,
    case when part_n >= $min_base then row_share end as share,
    cast(class_n as double) / all_n as share_of_all,
    case when part_n >= $min_base then residual end as residual,
    case when part_n >= $min_base then p_adjusted end as p_adjusted,
    case
        when part_n < $min_base then 'base too small'
        when expected < 5 then 'too few expected'
        when p_adjusted < $alpha and residual > 0 then 'more than expected'
        when p_adjusted < $alpha then 'fewer than expected'
        else 'may be chance'
    end as verdict,
    cramers_v,
    chi_p
from cells
order by
    nps,
    part,
    case nps_class when 'promoter' then 0 when 'passive' then 1 else 2 end
