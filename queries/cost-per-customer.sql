-- +++
-- name = "cost-per-customer"
-- title = "What serving each customer costs and leaves"
-- description = """
-- Cost to serve by account: the touches that it received in each function at its office's cost per touch of the \
-- window, held against what it brought. Margin is revenue less direct cost; what is left after cost to serve may be \
-- a loss. Where an office did not report, or a ratio cannot be had, the part is unknown: it is named, the known cost \
-- is a lower bound, and share and margin after it are withheld, never reckoned with 0. Such accounts come last, behind \
-- all that are shown or not, and are counted; by highest cost, their lower bound ranks them. What needs a month of \
-- touches or revenue that is not loaded is withheld, too; with all loaded, an account without revenue brought 0. Spend \
-- on prospects and the public is not allocated."""
-- tags = ["finance", "customers", "monthly"]
-- grain = ["account_id"]
-- uses = ["customer-margins"]
--
-- [params.offices]
-- type = "list<text>"
-- default = "all"
-- values_sql = "select office_id, office from offices order by office_id"
-- description = "offices to show, by the office that serves the account"
--
-- [params.segments]
-- type = "list<text>"
-- default = "all"
-- values = ["Enterprise", "Mid-market", "Small"]
--
-- [params.first]
-- type = "text"
-- default = "lowest margin"
-- values = ["lowest margin", "highest cost", "highest share"]
-- description = "what comes first: least left after cost to serve, highest cost, or highest cost by revenue"
--
-- [params.top]
-- type = "int"
-- default = 50
-- min = 1
-- description = "accounts to show"
--
-- [columns]
-- account_id = { title = "Id" }
-- account = { title = "Account" }
-- segment = { title = "Segment" }
-- office = { title = "Office" }
-- revenue = { title = "Revenue", format = "#,##0", unit = "USD", missing = "note", total = "sum", description = "recurring and services, of the window" }
-- margin = { title = "Margin", format = "#,##0", unit = "USD", good = "up", missing = "note", total = "sum", description = "revenue less direct cost" }
-- known_cost = { title = "Cost to serve", format = "#,##0", unit = "USD", good = "down", total = "sum", description = "what is known of it; a lower bound where a function is not known" }
-- marketing = { title = "Marketing", format = "#,##0", unit = "USD", good = "down", missing = "note", total = "sum" }
-- sales = { title = "Sales", format = "#,##0", unit = "USD", good = "down", missing = "note", total = "sum" }
-- experience = { title = "Experience", format = "#,##0", unit = "USD", good = "down", missing = "note", total = "sum" }
-- support = { title = "Support", format = "#,##0", unit = "USD", good = "down", missing = "note", total = "sum" }
-- touches = { title = "Touches", format = "#,##0", total = "sum" }
-- cost_share = { title = "Share of revenue", format = "0.0%", good = "down", missing = "note", description = "cost to serve by revenue" }
-- margin_after = { title = "Margin after", format = "#,##0", unit = "USD", good = "up", missing = "note", total = "sum", description = "margin less cost to serve" }
-- margin_after_share = { title = "After, share", format = "0.0%", good = "up", bands = [0, 0.2], missing = "note", description = "margin after by revenue" }
-- not_known = { title = "Not known", description = "functions whose cost is not known: they touched the account, and what a touch costs is not known, or not all of their touches are loaded" }
-- not_ranked = { title = "Not ranked", format = "#,##0", description = "accounts of these offices and segments that come last, as what ranks them is not known" }
-- note = { title = "Note", description = "what is not loaded in full, and functions whose office's cost is not reported in full" }
--
-- [[chart]]
-- type = "scatter"
-- title = "Cost to serve against revenue"
-- x = "revenue"
-- y = "known_cost"
-- color = "segment"
-- label = "account"
-- +++
with customers as (
    select m.*, a.account, a.segment, a.office_id, o.office
    from "customer-margins" m
    join accounts a on a.account_id = m.account_id
    join offices o on o.office_id = a.office_id
),
judged as (
    select
        *,
        -- A bound would be read as a value and ranked as one.
        case when is_known then cast(known_cost as double) / nullif(cast(revenue as double), 0) end as cost_share,
        case when is_known then margin - known_cost end as margin_after
    from customers
),
ranked as (
    select
        *,
        case
            when $first = 'highest cost' then -cast(known_cost as double)
            when $first = 'highest share' then -cost_share
            else cast(margin_after as double)
        end as rank
    from judged
)
select
    account_id,
    account,
    segment,
    office,
    revenue,
    margin,
    known_cost,
    marketing,
    sales,
    experience,
    support,
    touches,
    cost_share,
    margin_after,
    cast(margin_after as double) / nullif(cast(revenue as double), 0) as margin_after_share,
    not_known,
    -- Of all accounts and not only of the first.
    count(*) filter (where rank is null) over () as not_ranked,
    note
from ranked
where office_id = any($offices)
  and segment = any($segments)
order by rank nulls last, known_cost desc, account_id
limit $top
