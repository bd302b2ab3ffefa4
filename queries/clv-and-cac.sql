-- +++
-- name = "clv-and-cac"
-- title = "What a customer is worth and what winning one costs"
-- description = """
-- CLV = m r / (1 + d - r): m is the yearly margin of an account (revenue less direct cost, by account-months), r the \
-- share of accounts kept in a year, d the discount rate. CAC = cost of sales and marketing / accounts won in the \
-- window; payback is CAC by monthly margin. Cost is booked by office, so CAC is there for regions and in all; by \
-- segment it would have to be shared out by a rule of our own, and is left empty. All sales and marketing counts, \
-- also what serves old customers; choose categories to narrow it. What offices did not report is missing in CAC, \
-- which is then a lower bound: all accounts won count in it, and a region that reported nothing has none."""
-- tags = ["revenue", "finance", "quarterly"]
-- grain = ["kind", "part"]
-- uses = ["cost-months", "revenue-movements"]
--
-- [params.months]
-- type = "int"
-- default = 12
-- min = 3
-- max = 120
-- description = "length of the window; retention over it is taken to the year"
--
-- [params.discount_rate]
-- type = "float"
-- default = 0.1
-- min = 0
-- max = 1
-- description = "d, by the year"
--
-- [params.categories]
-- type = "list<text>"
-- default = "all"
-- values = ["account management", "campaigns", "content", "events", "new business", "travel"]
-- description = "what counts as winning customers; all but `account management` mostly does"
--
-- [params.min_base]
-- type = "int"
-- default = 5
-- min = 1
-- description = "fewest accounts won for which CAC is shown, and accounts at the start for which CLV is"
--
-- [columns]
-- kind = { title = "By" }
-- part = { title = "Part" }
-- accounts = { title = "Accounts", format = "#,##0", description = "at the start, of which retention is reckoned" }
-- retention = { title = "Retention", format = "0.0%", good = "up", description = "r: accounts kept in a year" }
-- yearly_margin = { title = "Margin a year", format = "#,##0", unit = "USD", good = "up", description = "m: of one account" }
-- clv = { title = "CLV", format = "#,##0", unit = "USD", good = "up" }
-- won = { title = "Won", format = "#,##0", good = "up", description = "accounts that started in the window" }
-- acquisition_cost = { title = "Spend", format = "#,##0", unit = "USD", description = "sales and marketing of the window, as reported" }
-- cac = { title = "CAC", format = "#,##0", unit = "USD", good = "down" }
-- clv_to_cac = { title = "CLV/CAC", format = "0.00", good = "up", bands = [1, 3] }
-- payback_months = { title = "Payback (months)", format = "#,##0", good = "down", bands = [12, 24], description = "none without a margin to pay it back" }
-- cost_coverage = { title = "Reported", format = "0.0%", good = "up", description = "months of sales and marketing that are in, of those that should be" }
-- estimated = { title = "Estimated", format = "#,##0", description = "of them, with an office's estimate" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "bar"
-- title = "What a customer is worth: CLV"
-- x = "clv"
-- y = "part"
-- color = "kind"
-- total = "All"
-- +++
with margins as (
    select
        o.region,
        a.segment,
        count(*) as account_months,
        sum(contribution_margin(r.recurring_revenue, r.services_revenue, r.direct_cost)) as margin
    from account_revenue r
    join accounts a on a.account_id = r.account_id
    join offices o on o.office_id = a.office_id
    where r.period between cast($period as date) - cast(concat($months - 1, ' months') as interval) and $period
    group by o.region, a.segment
),
-- The start is the month before the window, so that who left in the window's first month is lost in it.
two_months as (
    select
        cast($period as date) - cast(concat($months, ' months') as interval) as start_month,
        cast($period as date) as end_month
),
-- A month that is not booked is no month without accounts.
booked as (
    select
        count(*) filter (where r.period = m.start_month) > 0 as start_month,
        count(*) filter (where r.period = m.end_month) > 0 as end_month
    from account_revenue r
    cross join two_months m
    where r.period = m.start_month
       or r.period = m.end_month
),
kept as (
    select region, segment, count(*) as accounts, count(*) filter (where state = 'lost') as lost
    from "revenue-movements"
    where state <> 'new'
    group by region, segment
),
-- By the day of the contract: who came and left within the window was won, too.
wins as (
    select o.region, a.segment, count(*) as won
    from accounts a
    join offices o on o.office_id = a.office_id
    where a.started_on >= cast($period as date) - cast(concat($months - 1, ' months') as interval)
      and a.started_on < cast($period as date) + interval '1 month'
    group by o.region, a.segment
),
customers as (
    select
        case when grouping(region) = 0 then 'region' when grouping(segment) = 0 then 'segment' else 'all' end as kind,
        coalesce(region, segment, 'All') as part,
        sum(account_months) as account_months,
        cast(sum(margin) as double) as margin,
        sum(accounts) as accounts,
        sum(lost) as lost,
        sum(won) as won
    -- Side by side and not joined: what has only one of them counts, and all three ways of adding up are one sum.
    from (
        select region, segment, account_months, margin, 0 as accounts, 0 as lost, 0 as won
        from margins
        union all
        select region, segment, 0, 0, accounts, lost, 0
        from kept
        union all
        select region, segment, 0, 0, 0, 0, won
        from wins
    )
    group by grouping sets ((), (region), (segment))
),
spent as (
    select o.region, sum(c.cost) as cost
    from cost_per_touch c
    join offices o on o.office_id = c.office_id
    where c.period between cast($period as date) - cast(concat($months - 1, ' months') as interval) and $period
      and c.function in ('marketing', 'sales')
      and c.category = any($categories)
    group by o.region
),
-- Coverage is that of all categories: a month is in as a whole or it is not.
reported as (
    select
        region,
        -- What was booked though an office was not open is spent, but was not expected.
        count(*) filter (where status <> 'not open') as expected,
        count(*) filter (where cost_reported(status)) as in_full,
        count(*) filter (where is_estimate and status <> 'not open') as estimated
    from "cost-months"
    where function in ('marketing', 'sales')
    group by region
),
-- By what should have come: a region that reported nothing still counts in the coverage.
acquisition as (
    select
        coalesce(r.region, 'All') as part,
        sum(s.cost) as cost,
        sum(r.expected) as expected,
        sum(r.in_full) as in_full,
        sum(r.estimated) as estimated
    from reported r
    left join spent s on s.region = r.region
    group by grouping sets ((), (r.region))
),
-- Kept in a year, from what was kept in the window.
rated as (
    select
        c.kind,
        c.part,
        c.accounts,
        c.won,
        case
            when c.accounts >= $min_base
                then power(1 - cast(c.lost as double) / c.accounts, 12.0 / $months)
        end as retention,
        12 * c.margin / nullif(c.account_months, 0) as yearly_margin,
        a.cost as acquisition_cost,
        case when c.won >= $min_base then cast(a.cost as double) / c.won end as cac,
        cast(a.in_full as double) / nullif(a.expected, 0) as cost_coverage,
        a.estimated
    from customers c
    left join acquisition a on a.part = c.part and c.kind <> 'segment'
),
valued as (
    select
        *,
        lifetime_value(yearly_margin, retention, $discount_rate) as clv,
        -- What loses money never pays back, and not in months below 0.
        case when yearly_margin > 0 then cac / (yearly_margin / 12) end as payback_months
    from rated
)
select
    kind,
    part,
    case when b.start_month and b.end_month then accounts end as accounts,
    retention,
    yearly_margin,
    clv,
    won,
    acquisition_cost,
    cac,
    clv / cac as clv_to_cac,
    payback_months,
    cost_coverage,
    estimated,
    nullif(
        concat_ws(
            '; ',
            case when kind = 'segment' then 'no CAC: cost is booked by office' end,
            case when kind <> 'segment' and coalesce(won, 0) < $min_base then 'too few accounts won for CAC' end,
            case
                when not b.start_month then 'no CLV: the start month is not booked'
                when not b.end_month then 'no CLV: the end month is not booked'
                when accounts < $min_base then 'too few accounts at the start for CLV'
                when retention = 1 and $discount_rate = 0 then 'no CLV: nobody left and nothing is discounted'
            end,
            case when yearly_margin <= 0 then 'no margin: never pays back' end,
            case
                when kind = 'segment' then null
                when acquisition_cost is null then 'no CAC: no marketing or sales cost reported'
                when cost_coverage < 1 then 'CAC holds all marketing and sales that reported; some did not'
            end
        ),
        ''
    ) as note
from valued
cross join booked b
order by case kind when 'all' then 0 when 'region' then 1 else 2 end, clv desc nulls last, part
