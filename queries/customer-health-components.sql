-- +++
-- name = "customer-health-components"
-- title = "Components of customer health, one row each"
-- description = """
-- Every component of every account that was a customer on the day, scored 0 to 100, or without a score where \
-- nothing is known: stale is not missing, so answers fade with age and leave only with the end of the window. \
-- Nothing after the day counts. Relationship is NPS, satisfaction CSAT and effort CES, each over the latest answer \
-- of every contact; field feedback is what field staff heard; engagement is the touches of three months against the \
-- three before."""
-- tags = ["health", "base"]
-- grain = ["account_id", "component"]
-- uses = ["customer-health-history"]
--
-- [columns]
-- account_id = { title = "Id" }
-- account = { title = "Account" }
-- office_id = { title = "Office id" }
-- segment = { title = "Segment" }
-- tier = { title = "Tier" }
-- annual_revenue = { title = "Revenue", format = "#,##0" }
-- renews_on = { title = "Renews" }
-- component = { title = "Component" }
-- weight = { title = "Weight", format = "0", description = "of 100 in all" }
-- score = { title = "Score", format = "0.0", good = "up", description = "0 worst to 100 best; none where nothing is known" }
-- lowest = { title = "Lowest", format = "0.0", description = "worst single contact, note or month: an unhappy executive hides in a mean" }
-- observations = { title = "Observations", format = "#,##0" }
-- newest = { title = "Newest" }
-- +++
select
    account_id,
    account,
    office_id,
    segment,
    tier,
    annual_revenue,
    renews_on,
    component,
    weight,
    score,
    lowest,
    observations,
    newest
from "customer-health-history"
where counted_from = 'as of'
  and days_before = 0
order by account_id, weight desc, component
