-- +++
-- name = "cost-to-serve"
-- title = "What serving each account cost, function by function"
-- description = """
-- Touches that an account received in the window, at the cost per touch of the office that gave them (cost-cells). \
-- One row for every function of every account with revenue or touches in the window. No touches cost 0; touches of \
-- an office whose cost per touch is not known have no cost, which is not 0. Where a month of touches is not loaded, no \
-- cost is known. Offices count prospects and the public too, so the accounts' own touches carry only a part of what an \
-- office spends; the rest stays with the office."""
-- tags = ["finance", "base"]
-- grain = ["account_id", "function"]
-- uses = ["cost-cells"]
--
-- [columns]
-- account_id = { title = "Id" }
-- function = { title = "Function" }
-- touches = { title = "Touches", format = "#,##0", total = "sum", description = "logged with the account" }
-- touches_without_cost = { title = "Touches without cost", format = "#,##0", total = "sum", description = "their office's cost per touch is not known" }
-- cost = { title = "Cost", format = "currency", missing = "status", total = "sum", description = "none where a part is not known" }
-- known_cost = { title = "Known cost", format = "currency", total = "sum", description = "at least this much" }
-- status = { title = "Status", description = "of the office's cost, as in cost-cells; where not all are loaded, the months of touches that are" }
-- +++
with bounds as (
    select
        cast($period as date) - cast(concat($months - 1, ' months') as interval) as first_month,
        cast($period as date) as last_month
),
-- A month that is not loaded is no month without touches.
loaded as (
    select count(distinct t.period) as months
    from touches t
    cross join bounds b
    where t.period between b.first_month and b.last_month
),
given as (
    select t.account_id, t.office_id, t.function, sum(t.touches) as touches
    from touches t
    cross join bounds b
    where t.period between b.first_month and b.last_month
    group by t.account_id, t.office_id, t.function
),
priced as (
    select
        g.account_id,
        g.function,
        g.touches,
        c.status,
        c.cost_per_touch,
        cast(round(g.touches * c.cost_per_touch, 2) as decimal(18, 2)) as cost
    from given g
    left join "cost-cells" c on c.office_id = g.office_id and c.function = g.function
),
-- One office serves an account today; should two ever do, their costs add up.
costs as (
    select
        account_id,
        function,
        sum(touches) as touches,
        coalesce(sum(touches) filter (where cost_per_touch is null), 0) as touches_without_cost,
        sum(cost) as known_cost,
        string_agg(distinct status, ', ' order by status) as status
    from priced
    group by account_id, function
),
served as (
    select distinct r.account_id
    from account_revenue r
    cross join bounds b
    where r.period between b.first_month and b.last_month
    union
    select account_id from given
),
functions(function) as (
    values ('marketing'), ('sales'), ('experience'), ('support')
)
select
    s.account_id,
    f.function,
    coalesce(c.touches, 0) as touches,
    coalesce(c.touches_without_cost, 0) as touches_without_cost,
    case
        when l.months < $months then null
        when c.account_id is null then 0
        when c.touches_without_cost = 0 then c.known_cost
    end as cost,
    coalesce(c.known_cost, 0) as known_cost,
    case
        when l.months < $months then concat('touches: ', l.months, ' of ', $months, ' months loaded')
        else c.status
    end as status
from served s
cross join functions f
cross join loaded l
left join costs c on c.account_id = s.account_id and c.function = f.function
order by s.account_id, f.function
