-- +++
-- name = "revenue-retention"
-- title = "Gross revenue retention by kind of contract"
-- description = """
-- GRR = (monthly revenue at the start less that of accounts that left) / monthly revenue at the start, never above 100 %. \
-- The file holds one month and no change of price, so there is neither contraction nor expansion in it: net retention \
-- cannot be told. Accounts in their first month have no total charge yet; strictly they were not there at the start, and \
-- `count_new` takes them out."""
-- tags = ["churn", "finance"]
-- grain = ["contract"]
--
-- [params.count_new]
-- type = "bool"
-- default = true
-- description = "whether accounts in their first month, which were charged nothing yet, count as there at the start"
--
-- [columns]
-- contract = { title = "Contract" }
-- accounts = { title = "Accounts", format = "#,##0" }
-- new_accounts = { title = "New", format = "#,##0", description = "without a total charge" }
-- start_revenue = { title = "Start", format = "currency", description = "monthly charges of the accounts" }
-- lost_revenue = { title = "Lost", format = "currency", good = "down" }
-- grr = { title = "GRR", format = "0.00%", good = "up" }
--
-- [[chart]]
-- type = "bar"
-- x = "grr"
-- y = "contract"
-- +++
with summed as (
    select
        case when grouping(contract) = 1 then 'All' else contract end as contract,
        grouping(contract) as is_total,
        count(*) as accounts,
        count(*) filter (where total_charges is null) as new_accounts,
        sum(monthly_charges) as start_revenue,
        -- Nobody left: nothing is lost, which is known and not missing.
        coalesce(sum(monthly_charges) filter (where churn), 0) as lost_revenue
    from telecom_accounts
    where $count_new or total_charges is not null
    group by grouping sets ((), (contract))
)
select
    contract,
    accounts,
    new_accounts,
    start_revenue,
    lost_revenue,
    1 - cast(lost_revenue as double) / nullif(cast(start_revenue as double), 0) as grr
from summed
order by is_total desc, grr, contract
