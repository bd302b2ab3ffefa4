-- +++
-- name = "health-movers"
-- title = "Accounts whose health fell or rose most"
-- description = """
-- The accounts with the largest fall and those with the largest rise of health against some days before, and the \
-- component that moved most. Both days are scored over the components known on both; an account with too little in \
-- common is not compared. The band is that of the day over all components, so that a rise can still end at risk. An \
-- account with few answers and notes moves most easily."""
-- tags = ["health", "weekly"]
-- grain = ["account_id"]
-- uses = ["customer-health-changes"]
--
-- [params.top]
-- type = "int"
-- default = 10
-- min = 1
-- description = "accounts to show for each direction"
--
-- [params.regions]
-- type = "list<text>"
-- default = "all"
-- values = ["NA", "EMEA", "APAC"]
--
-- [params.segments]
-- type = "list<text>"
-- default = "all"
-- values = ["Enterprise", "Mid-market", "Small"]
--
-- [columns]
-- direction = { title = "Direction" }
-- account_id = { title = "Id" }
-- account = { title = "Account" }
-- office = { title = "Office" }
-- segment = { title = "Segment" }
-- annual_revenue = { title = "Revenue", format = "#,##0", total = "sum" }
-- renews_on = { title = "Renews" }
-- band_before = { title = "Band before" }
-- band = { title = "Band" }
-- health_before = { title = "Health before", format = "0.0", description = "over the components known on both days" }
-- health_now = { title = "Health now", format = "0.0", description = "over the components known on both days" }
-- change = { title = "Change", format = "+0.0", good = "up", description = "in points" }
-- moved = { title = "What moved" }
-- moved_points = { title = "Its points", format = "+0.0", good = "up", description = "of the change" }
-- moved_before = { title = "Its score before", format = "0.0" }
-- moved_now = { title = "Its score now", format = "0.0" }
-- said = { title = "Answers and notes", format = "#,##0", description = "that health now rests on" }
-- compared = { title = "Compared", description = "components known on both days" }
--
-- [[chart]]
-- type = "bar"
-- x = "change"
-- y = "account"
-- color = "moved"
-- +++
with placed as (
    select
        c.*,
        o.office,
        row_number() over (order by c.change, c.account_id) as place_in_fall,
        row_number() over (order by c.change desc, c.account_id) as place_in_rise
    from "customer-health-changes" c
    join offices o on o.office_id = c.office_id
    where c.change is not null
      and o.region = any($regions)
      and c.segment = any($segments)
)
select
    case when change < 0 then 'fell' else 'rose' end as direction,
    account_id,
    account,
    office,
    segment,
    annual_revenue,
    renews_on,
    band_before,
    band,
    health_before,
    health_now,
    change,
    moved,
    moved_points,
    moved_before,
    moved_now,
    said,
    compared
from placed
where (change < 0 and place_in_fall <= $top)
   or (change > 0 and place_in_rise <= $top)
order by change, account_id
