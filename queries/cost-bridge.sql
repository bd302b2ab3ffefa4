-- +++
-- name = "cost-bridge"
-- title = "Why cost changed: rate, volume, mix, and what did not report"
-- description = """
-- From the cost of the base month to that of the month, step by step and to the cent, for each function and in \
-- total. Rate, volume and mix are those of the offices that reported in both months (cost-bridge-cells says how they \
-- are split and where rounding goes). Reporting is what changed because an office did not report, or reported in \
-- part, in one of the two: a gap is not thrift. The steps between the two costs add up to the difference."""
-- tags = ["finance", "monthly"]
-- grain = ["step"]
-- uses = ["cost-bridge-cells"]
--
-- [params.functions]
-- type = "list<text>"
-- default = "all"
-- values = ["marketing", "sales", "experience", "support"]
--
-- [columns]
-- step = { title = "Step" }
-- amount = { title = "Total", format = "#,##0.00", unit = "USD", description = "over the functions asked for" }
-- marketing = { title = "Marketing", format = "#,##0.00", unit = "USD" }
-- sales = { title = "Sales", format = "#,##0.00", unit = "USD" }
-- experience = { title = "Experience", format = "#,##0.00", unit = "USD" }
-- support = { title = "Support", format = "#,##0.00", unit = "USD" }
-- cells = { title = "Cells", format = "0", description = "offices times functions with such a part" }
-- estimated_cells = { title = "Estimated", format = "0", description = "of them with an office's estimate: in the cost of that month for cost before and cost now, in that of either month for the steps between" }
-- of_before = { title = "Of before", format = "+0.0%", description = "total by the cost of the base month; of the cost now, the whole change" }
-- meaning = { title = "Meaning" }
--
-- [[chart]]
-- type = "waterfall"
-- title = "What changed the cost"
-- x = "step"
-- y = "amount"
-- +++
with steps(place, step, meaning) as (
    values
        (1, 'cost before', 'cost of the base month, as reported'),
        (2, 'volume', 'touches of the function, all offices alike'),
        (3, 'mix', 'touches moved between dearer and cheaper offices'),
        (4, 'rate', 'cost per touch'),
        (5, 'opened or closed', 'offices not open in one of the two months'),
        (6, 'not split', 'cost known in both months, touches not'),
        (7, 'reporting', 'missing or in part in one of the two months'),
        (8, 'cost now', 'cost of the month, as reported')
),
cells as (
    select * from "cost-bridge-cells" where function = any($functions)
),
amounts as (
    select
        s.place,
        s.step,
        s.meaning,
        c.function,
        case s.place
            when 1 then c.cost_before
            when 2 then c.volume
            when 3 then c.mix
            when 4 then c.rate
            when 5 then c.opened_or_closed
            when 6 then c.not_split
            when 7 then c.reporting
            else c.cost_now
        end as amount,
        case s.place
            when 1 then c.is_estimate_before
            when 8 then c.is_estimate
            else c.is_estimate_before or c.is_estimate
        end as is_estimate
    from steps s
    cross join cells c
),
added_up as (
    select
        place,
        step,
        meaning,
        sum(amount) as amount,
        sum(amount) filter (where function = 'marketing') as marketing,
        sum(amount) filter (where function = 'sales') as sales,
        sum(amount) filter (where function = 'experience') as experience,
        sum(amount) filter (where function = 'support') as support,
        count(*) filter (where amount <> 0) as cells,
        count(*) filter (where amount <> 0 and is_estimate) as estimated_cells
    from amounts
    group by place, step, meaning
),
with_base as (
    select *, max(amount) filter (where place = 1) over () as cost_before
    from added_up
)
select
    step,
    amount,
    marketing,
    sales,
    experience,
    support,
    cells,
    estimated_cells,
    -- A step by what there was before; at the end the whole change, and at the start there is none.
    case
        when place = 8 then cast(amount as double) / nullif(cast(cost_before as double), 0) - 1
        when place > 1 then cast(amount as double) / nullif(cast(cost_before as double), 0)
    end as of_before,
    meaning
from with_base
order by place
