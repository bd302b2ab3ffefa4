-- +++
-- name = "nps-drivers"
-- title = "What drives the Net Promoter Score"
-- description = """
-- How much of the difference between accounts' recommendation scores each candidate explains when all are taken \
-- together: Johnson's relative weights, which add up to R-squared, with LMG beside them as a second opinion. One \
-- row for each account enters, those that lack a candidate are left out and counted. Importance is association: it \
-- says where to look, not what a change would bring. Candidates that few accounts have (invoices, meetings, days to \
-- close) would cost most of the rows and are in nps-driver-answers."""
-- tags = ["nps"]
-- grain = ["driver"]
-- uses = ["nps-driver-answers"]
--
-- [columns]
-- driver = { title = "Driver" }
-- share = { title = "Share", format = "0%", description = "of what all drivers explain together" }
-- weight = { title = "Weight", format = "0.000", description = "part of the variance of the score; adds up to R-squared" }
-- lmg = { title = "LMG", format = "0.000", description = "the same part by another method; trust where both agree" }
-- direction = { title = "Direction", description = "+: more of the driver goes with a higher score, all else equal" }
-- correlation = { title = "Correlation", format = "+0.00", description = "with the score, alone" }
-- coefficient = { title = "Coefficient", format = "+0.00", description = "standard deviations of the score for one of the driver, all else equal" }
-- r_squared = { title = "R-squared", format = "0.00", description = "part of the variance that all explain together" }
-- n = { title = "n", format = "#,##0", description = "accounts used" }
-- left_out_rows = { title = "Left out", format = "#,##0", description = "accounts that lack one of the drivers" }
-- blank_rows = { title = "Blank", format = "#,##0", description = "accounts that lack this driver" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "bar"
-- x = "share"
-- y = "driver"
-- +++
select
    driver,
    share,
    weight,
    lmg,
    direction,
    correlation,
    coefficient,
    r_squared,
    n,
    left_out_rows,
    blank_rows,
    note
from key_drivers(
    "nps-driver-answers",
    nps,
    csat_service,
    csat_delivery,
    ces,
    note_trouble,
    severe_escalations,
    touches,
    sponsors_left
)
order by share desc, driver
