"""The tables of the race, and how they are laid out."""

LAYOUTS = ("unsorted", "sorted", "hive")

# The column that is the folder's name in the layout `hive`.
MONTHS = {"surveys": "month", "touches": "period", "cost_per_touch": "period"}

# The order of the layout `sorted`. Tables that are not here are small and the same in all layouts.
ORDERS = {
    "surveys": "account_id, sent_at, response_id",
    "touches": "account_id, period, function, channel, journey_stage",
    "cost_per_touch": "office_id, function, period, account_id, posted_at",
    "escalations": "account_id, opened_at, escalation_id",
    "field_feedback": "account_id, captured_at, feedback_id",
}
SMALL = ("accounts", "offices")
TABLES = (*ORDERS, *SMALL)
