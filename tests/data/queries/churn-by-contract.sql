-- +++
-- name = "churn-by-contract"
-- title = "Churn by kind of contract"
-- description = """
-- Accounts that left last month, of all accounts, for each kind of contract and for all together. The rate of all comes \
-- from all accounts and is no average of the three rates."""
-- tags = ["churn"]
-- grain = ["contract"]
--
-- [columns]
-- contract = { title = "Contract" }
-- accounts = { title = "Accounts", format = "#,##0" }
-- churned = { title = "Churned", format = "#,##0" }
-- churn_rate = { title = "Churn", format = "0.00%", good = "down" }
-- mean_tenure = { title = "Mean tenure", format = "0.0", description = "in months" }
--
-- [[chart]]
-- type = "bar"
-- x = "churn_rate"
-- y = "contract"
-- +++
with counted as (
    select
        case when grouping(contract) = 1 then 'All' else contract end as contract,
        grouping(contract) as is_total,
        count(*) as accounts,
        count(*) filter (where churn) as churned,
        avg(tenure) as mean_tenure
    from telecom_accounts
    group by grouping sets ((), (contract))
)
select
    contract,
    accounts,
    churned,
    cast(churned as double) / nullif(accounts, 0) as churn_rate,
    mean_tenure
from counted
order by is_total desc, churn_rate desc, contract
