-- +++
-- name = "cost-constant-currency"
-- title = "Cost at constant rates: what is spending and what is currency"
-- description = """
-- Cost of a month against a base month, as reported in USD and at constant rates: the money that the office pays in \
-- (cost by the month's average rate) times the average rate of the base month. Currency effect is reported less \
-- constant; what is left is the change of spending. Compared are functions that reported in full in both months, the \
-- same in both, of offices with both rates; what is left out is named. Cost per touch is there because touches follow \
-- the season. Rates are averages of a whole month, as for any flow; rounding is to the cent, row by row, and the total \
-- adds the rows."""
-- tags = ["finance", "currency", "monthly"]
-- grain = ["office_id", "function"]
-- uses = ["cost-months"]
--
-- [params.months]
-- type = "int"
-- default = 13
-- min = 2
-- max = 120
-- description = "months from the base month to the month, both counted: 13 compares with a year before"
--
-- [params.level]
-- type = "text"
-- default = "office"
-- values = ["office", "office and function"]
-- description = "one row for each office, or for each function of each office"
--
-- [params.offices]
-- type = "list<text>"
-- default = "all"
-- values_sql = "select office_id, office from offices order by office_id"
--
-- [params.functions]
-- type = "list<text>"
-- default = "all"
-- values = ["marketing", "sales", "experience", "support"]
--
-- [columns]
-- office = { title = "Office" }
-- function = { title = "Function" }
-- change = { title = "Change", format = "+0.0%", good = "down", missing = "left_out", description = "as reported" }
-- change_constant = { title = "Change, constant", format = "+0.0%", good = "down", missing = "left_out" }
-- currency_effect = { title = "Currency effect", format = "+#,##0", unit = "USD", missing = "left_out", description = "cost now less cost now at constant rates" }
-- cost_before = { title = "Before", format = "#,##0", unit = "USD", missing = "left_out", description = "base month, as reported" }
-- cost_now = { title = "Now", format = "#,##0", unit = "USD", missing = "left_out", description = "as reported" }
-- cost_constant = { title = "Now, constant", format = "#,##0", unit = "USD", missing = "left_out", description = "at the base month's rates" }
-- office_id = { title = "Id" }
-- region = { title = "Region" }
-- currency = { title = "Pays in" }
-- local_before = { title = "Local before", format = "#,##0", description = "in the money that the office pays in" }
-- local_now = { title = "Local now", format = "#,##0" }
-- rate_before = { title = "Rate before", description = "USD for one unit, mean of the base month" }
-- rate_now = { title = "Rate now", description = "USD for one unit, mean of the month" }
-- rate_change = { title = "Rate change", format = "+0.0%" }
-- base_month = { title = "Base month", description = "the month of the rate before" }
-- month = { title = "Month", description = "the month of the rate now" }
-- has_estimate = { title = "Estimate", description = "part of either cost is an office's estimate" }
-- cost_per_touch_change = { title = "Per touch", format = "+0.0%", good = "down", missing = "no_per_touch", description = "its change, as reported; over all functions of the row, so it moves with their mix" }
-- cost_per_touch_constant = { title = "Per touch, constant", format = "+0.0%", good = "down", missing = "no_per_touch" }
-- left_out = { title = "Left out", description = "functions without a full report in one of the months, with what came, or without a rate" }
-- no_per_touch = { title = "No cost per touch", description = "why its change is missing: functions whose cost is compared and whose touches are not known, what is left out where nothing is compared, or nothing to divide by" }
-- part = { title = "Part", description = "the office, or office and function where rows are functions" }
--
-- [[chart]]
-- type = "bar"
-- title = "Currency effect"
-- x = "currency_effect"
-- y = "part"
-- color = "currency"
-- total = "All"
-- +++
with two_months as (
    select
        cast(cast($period as date) - cast(concat($months - 1, ' months') as interval) as date) as base_month,
        cast($period as date) as month
),
offices_now as (
    select o.office_id, c.currency, m.base_month, m.month, b.average_rate as rate_before, n.average_rate as rate_now
    from offices o
    cross join two_months m
    left join countries c on c.country = o.country
    left join fx_rates b on b.currency = c.currency and b.period = m.base_month
    left join fx_rates n on n.currency = c.currency and n.period = m.month
),
then_and_now as (
    select
        r.office_id,
        r.office,
        r.region,
        r.function,
        o.currency,
        o.base_month,
        o.month,
        o.rate_before,
        o.rate_now,
        coalesce(max(r.status) filter (where r.period = o.base_month), 'not open') as status_before,
        coalesce(max(r.status) filter (where r.period = o.month), 'not open') as status_now,
        sum(r.cost) filter (where r.period = o.base_month) as cost_before,
        sum(r.cost) filter (where r.period = o.month) as cost_now,
        sum(r.touches) filter (where r.period = o.base_month) as touches_before,
        sum(r.touches) filter (where r.period = o.month) as touches_now,
        bool_or(r.is_estimate) as has_estimate
    from "cost-months" r
    join offices_now o on o.office_id = r.office_id
    where (r.period = $period or r.period = cast($period as date) - cast(concat($months - 1, ' months') as interval))
      and r.function = any($functions)
    group by
        r.office_id, r.office, r.region, r.function, o.currency, o.base_month, o.month, o.rate_before, o.rate_now
),
judged as (
    select
        *,
        -- Touches are not needed to compare cost. A rate that is missing is no rate of 1.
        cost_reported(status_before)
            and cost_reported(status_now)
            and coalesce(rate_before > 0 and rate_now > 0, false) as is_compared
    from then_and_now
),
added_up as (
    select
        office_id,
        office,
        region,
        case when $level = 'office' then 'all' else function end as function,
        currency,
        base_month,
        month,
        rate_before,
        rate_now,
        sum(cost_before) filter (where is_compared) as cost_before,
        sum(cost_now) filter (where is_compared) as cost_now,
        sum(touches_before) filter (where is_compared) as touches_before,
        sum(touches_now) filter (where is_compared) as touches_now,
        -- Cost per touch needs touches of the very functions whose cost is in it.
        string_agg(function, ', ' order by function)
            filter (where is_compared and (touches_before is null or touches_now is null)) as without_touches,
        string_agg(
            case
                when cost_reported(status_before) and cost_reported(status_now) then concat(function, ': no rate')
                else concat(function, ': ', status_before, ', then ', status_now)
            end,
            '; ' order by function
        ) filter (where not is_compared) as left_out,
        coalesce(bool_or(has_estimate) filter (where is_compared), false) as has_estimate
    from judged
    group by
        office_id, office, region, case when $level = 'office' then 'all' else function end,
        currency, base_month, month, rate_before, rate_now
),
converted as (
    select
        *,
        cast(round(cast(cost_before as double) / rate_before, 2) as decimal(18, 2)) as local_before,
        cast(round(cast(cost_now as double) / rate_now, 2) as decimal(18, 2)) as local_now,
        cast(round(cast(cost_now as double) * rate_before / rate_now, 2) as decimal(18, 2)) as cost_constant
    from added_up
    where office_id = any($offices)
),
rows_and_total as (
    select
        office_id, office, region, function, currency, base_month, month, rate_before, rate_now, cost_before, cost_now,
        cost_constant, local_before, local_now, touches_before, touches_now, without_touches, left_out, has_estimate
    from converted
    union all
    select
        cast(null as varchar),
        'All',
        cast(null as varchar),
        'all',
        cast(null as varchar),
        min(base_month),
        min(month),
        cast(null as double),
        cast(null as double),
        sum(cost_before),
        sum(cost_now),
        sum(cost_constant),
        cast(null as decimal(18, 2)),
        cast(null as decimal(18, 2)),
        sum(touches_before),
        sum(touches_now),
        case when count(without_touches) > 0 then concat(count(without_touches), ' of ', count(*), ' rows') end,
        concat(count(left_out), ' of ', count(*), ' rows leave something out'),
        bool_or(has_estimate)
    from converted
)
select
    office,
    function,
    cast(cost_now as double) / nullif(cast(cost_before as double), 0) - 1 as change,
    cast(cost_constant as double) / nullif(cast(cost_before as double), 0) - 1 as change_constant,
    cost_now - cost_constant as currency_effect,
    cost_before,
    cost_now,
    cost_constant,
    office_id,
    region,
    currency,
    local_before,
    local_now,
    rate_before,
    rate_now,
    rate_now / rate_before - 1 as rate_change,
    base_month,
    month,
    has_estimate,
    case
        when without_touches is null
            then cost_per_touch(cost_now, touches_now)
                / nullif(cost_per_touch(cost_before, touches_before), 0) - 1
    end as cost_per_touch_change,
    case
        when without_touches is null
            then cost_per_touch(cost_constant, touches_now)
                / nullif(cost_per_touch(cost_before, touches_before), 0) - 1
    end as cost_per_touch_constant,
    left_out,
    case
        when without_touches is not null then concat('touches not known: ', without_touches)
        when cost_now is null then left_out
        when touches_before = 0 or touches_now = 0 then 'no touches'
        when cost_before = 0 then 'cost before is 0'
    end as no_per_touch,
    case when function = 'all' then office else concat(office, ', ', function) end as part
from rows_and_total
order by office_id is null desc, abs(currency_effect) desc nulls last, office_id, function
