-- +++
-- name = "customer-health-detail"
-- title = "Why an account has the health it has"
-- description = """
-- The components of one account: what each scores, what it adds to the health, and what it costs against a perfect \
-- score. The points add up to the health of customer-health; points and points lost add up to 100. A component that is \
-- not present adds nothing, and what it loses is not known. What happened is in account-timeline, of the same account by default."""
-- tags = ["health"]
-- grain = ["component"]
-- uses = ["customer-health-components"]
--
-- [params.account]
-- type = "text"
-- default = "000278"
-- values_sql = "select account_id, account from accounts order by account_id"
-- description = "account id or name; by default one that is about to leave and whose answers are fine"
--
-- [columns]
-- account = { title = "Account" }
-- component = { title = "Component" }
-- weight = { title = "Weight", format = "0", total = "sum", description = "of 100 in all" }
-- score = { title = "Score", format = "0.0", good = "up" }
-- points = { title = "Points", format = "0.0", good = "up", total = "sum", description = "what the component adds to the health" }
-- points_lost = { title = "Points lost", format = "0.0", good = "down", total = "sum", description = "what it would add if it were perfect" }
-- lowest = { title = "Lowest", format = "0.0" }
-- observations = { title = "Observations", format = "#,##0", total = "sum" }
-- newest = { title = "Newest" }
-- health = { title = "Health", format = "0.0", description = "of the whole account, before bands and coverage" }
--
-- [[chart]]
-- type = "waterfall"
-- x = "component"
-- y = "points"
-- +++
with present as (
    select
        *,
        sum(weight) filter (where score is not null) over () as weight_present
    from "customer-health-components"
    where account_id = $account
)
select
    account,
    component,
    weight,
    score,
    -- What is not present adds nothing; without it the others would not be seen to add up.
    case when weight_present is not null then coalesce(weight * score / weight_present, 0) end as points,
    weight * (100 - score) / weight_present as points_lost,
    lowest,
    observations,
    newest,
    sum(weight * score / weight_present) over () as health
from present
order by points_lost desc, weight desc, component
