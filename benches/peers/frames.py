"""The questions as lazy frames of Polars: what questions/*.sql ask, in the way Polars is used.

Each function has the name of its question, takes a function that gives a table as a LazyFrame, and gives the answer as one.
"""

from datetime import UTC, date, datetime

import polars as pl
from polars import col

Y2025 = datetime(2025, 10, 1, tzinfo=UTC)


def balance() -> pl.Expr:
    """Promoters less detractors."""
    return (col.nps >= 9).sum().cast(pl.Int64) - (col.nps <= 6).sum().cast(pl.Int64)


def nps_by_office_quarter(table):
    return (
        table("surveys")
        .filter(col.nps.is_not_null())
        .join(table("accounts").filter(col.status == "active").select("account_id", "segment"), on="account_id")
        .join(table("offices").select("office_id", "region", "office"), on="office_id")
        .group_by("region", "office", "segment", col.month.dt.truncate("1q").alias("quarter"))
        .agg(col.nps.count().alias("answers"), (100.0 * balance() / col.nps.count()).alias("nps"))
        .sort("region", "office", "segment", "quarter")
    )


def account_health(table):
    voice = (
        table("surveys")
        .filter(col.month >= date(2025, 10, 1), col.nps.is_not_null())
        .group_by("account_id")
        .agg(col.nps.mean().alias("mean_nps"), pl.len().alias("answers"))
    )
    late = col.period >= date(2026, 4, 1)
    contact = (
        table("touches")
        .filter(col.period >= date(2025, 10, 1))
        .group_by("account_id")
        .agg(
            pl.when(late).then(col.touches).otherwise(0).sum().alias("recent"),
            pl.when(late).then(0).otherwise(col.touches).sum().alias("earlier"),
        )
    )
    trouble = (
        table("escalations")
        .filter(col.opened_at >= Y2025)
        .group_by("account_id")
        .agg(pl.len().alias("escalations"), col.severity.max().alias("worst"))
    )
    heard = (
        table("field_feedback")
        .filter(col.captured_at >= Y2025, col.account_id.is_not_null())
        .group_by("account_id")
        .agg(pl.len().alias("notes"), (col.sentiment == "negative").sum().alias("complaints"))
    )
    def count(name):
        return col(name).fill_null(0).cast(pl.Int64)

    return (
        table("accounts")
        .filter(col.status == "active")
        .select("account_id", "office_id", "annual_revenue")
        .join(voice, on="account_id", how="left")
        .join(contact, on="account_id", how="left")
        .join(trouble, on="account_id", how="left")
        .join(heard, on="account_id", how="left")
        .select(
            "account_id",
            "office_id",
            "annual_revenue",
            count("answers"),
            "mean_nps",
            count("escalations"),
            count("notes"),
            (
                40.0 * col.mean_nps.fill_null(7.0) / 10.0
                + 30.0 * count("recent") / (count("recent") + count("earlier") + 1)
                + 15.0 / (1.0 + count("escalations") * count("worst"))
                + 15.0 * (count("notes") - count("complaints") + 1) / (count("notes") + 1)
            ).alias("health"),
        )
    )


def cost_against_peers(table):
    cells = (
        table("cost_per_touch")
        .filter(col.cost.is_not_null(), col.touches > 0)
        .join(table("offices").select("office_id", "region"), on="office_id")
        .group_by("region", "office_id", "function", col.period.dt.truncate("1q").alias("quarter"))
        .agg((col.cost.sum().cast(pl.Float64) / col.touches.sum()).alias("cost_of_touch"))
    )
    return (
        cells.join(cells, on=["region", "function", "quarter"], suffix="_of_peer")
        .filter(col.office_id_of_peer != col.office_id)
        .group_by("region", "office_id", "function", "quarter", "cost_of_touch")
        .agg(pl.len().alias("peers"), col.cost_of_touch_of_peer.median().alias("peer_median"))
        .sort("region", "office_id", "function", "quarter")
    )


def missing_cells(table):
    cost = table("cost_per_touch")
    reported = (
        cost.filter(col.cost.is_not_null(), col.touches.is_not_null()).select("office_id", "function", "period").unique()
    )
    return (
        table("offices")
        .select("office_id", "office")
        .join(cost.select("function").unique(), how="cross")
        .join(cost.select("period").unique(), how="cross")
        .join(reported, on=["office_id", "function", "period"], how="anti")
        .select("office", "function", "period")
        .sort("office", "function", "period")
    )


def silent_accounts(table):
    touched = table("touches").filter(col.period >= date(2026, 7, 1))
    answered = table("surveys").filter(col.month >= date(2026, 7, 1), col.answered_at.is_not_null())
    return (
        table("accounts")
        .filter(col.status == "active")
        .join(touched, on="account_id", how="anti")
        .join(answered, on="account_id", how="anti")
        .join(table("offices"), on="office_id")
        .group_by("office", "segment")
        .agg(pl.len().alias("silent"), col.annual_revenue.sum().alias("revenue"))
        .sort("office", "segment")
    )


THEMES = {
    "billing": ["invoice", "billing"],
    "response": ["response time", "answer"],
    "tickets": ["ticket"],
    "pricing": ["pric"],
    "releases": ["release"],
    "quality": ["slow", "defect"],
    "reporting": ["dashboard", "report"],
    "seats": ["seats"],
    "worth": ["value"],
    "people": ["team"],
}


def comment_themes(table):
    def holds(words):
        return pl.any_horizontal(col.comment.str.contains(word, literal=True) for word in words)

    return (
        table("surveys")
        .filter(col.comment.is_not_null())
        .group_by(col.month.dt.truncate("1q").alias("quarter"))
        .agg(pl.len().alias("comments"), *(holds(words).sum().alias(theme) for theme, words in THEMES.items()))
        .sort("quarter")
    )


def moving_trend(table):
    def of_three(name):
        return col(name).rolling_sum(3, min_samples=1).over("office_id", order_by="month")

    return (
        table("surveys")
        .filter(col.nps.is_not_null())
        .group_by("office_id", "month")
        .agg(col.nps.count().cast(pl.Int64).alias("answers"), balance().alias("balance"))
        .select(
            "office_id",
            "month",
            of_three("answers").alias("answers_of_three"),
            (100.0 * of_three("balance") / of_three("answers")).alias("nps_of_three"),
        )
        .sort("office_id", "month")
    )


def account_history(table):
    return (
        table("surveys")
        .filter(col.account_id == "228017")
        .select(
            *("response_id", "sent_at", "answered_at", "survey_type", "journey_stage", "touchpoint", "contact_id"),
            *("contact_role", "nps", "csat", "ces", "weight", "comment", "language"),
        )
        .sort("sent_at", "response_id")
    )


def latest_detractors(table):
    return (
        table("surveys")
        .filter(col.nps <= 6, col.comment.is_not_null())
        .select("response_id", "account_id", "contact_id", "office_id", "answered_at", "nps", "comment")
        .sort("answered_at", "response_id", descending=[True, False])
        .limit(100)
    )


def people_by_stage(table):
    return (
        table("surveys")
        .group_by("journey_stage")
        .agg(
            col.contact_id.n_unique().alias("asked"),
            col.contact_id.filter(col.answered_at.is_not_null()).n_unique().alias("answered"),
        )
        .sort("journey_stage")
    )


def cost_percentiles(table):
    return (
        table("cost_per_touch")
        .filter(col.cost.is_not_null())
        .select("account_id", col.cost.cast(pl.Float64))
        .group_by("account_id")
        .agg(
            col.cost.count().alias("postings"),
            col.cost.quantile(0.5, "linear").alias("median_cost"),
            col.cost.quantile(0.9, "linear").alias("high_cost"),
        )
        .sort("high_cost", "account_id", descending=[True, False])
        .limit(100)
    )


def latest_scores(table):
    def latest(name):
        return col(name).sort_by("answered_at", "response_id").last()

    return table("surveys").filter(col.nps.is_not_null()).group_by("account_id").agg(latest("answered_at"), latest("nps"))


def comment_prefixes(table):
    return (
        table("surveys")
        .filter(col.comment.is_not_null())
        .group_by(col.comment.str.head(20).alias("beginning"))
        .agg(pl.len().alias("comments"), col.nps.mean().alias("mean_nps"))
        .sort("comments", "beginning", descending=[True, False])
        .limit(20)
    )


def touch_funnel(table):
    def first(function):
        return col.period.filter(col.function == function).min()

    return (
        table("touches")
        .group_by("account_id")
        .agg(first("marketing").alias("marketed"), first("sales").alias("sold"), first("support").alias("supported"))
        .join(table("accounts").select("account_id", "office_id", "segment"), on="account_id")
        .join(table("offices").select("office_id", "region"), on="office_id")
        .group_by("region", "segment")
        .agg(
            pl.len().alias("accounts"),
            col.marketed.is_not_null().sum().alias("marketed"),
            (col.sold > col.marketed).sum().alias("then_sold"),
            ((col.sold > col.marketed) & (col.supported > col.sold)).sum().alias("then_supported"),
        )
        .sort("region", "segment")
    )


def cost_bridge(table):
    cells = (
        table("cost_per_touch")
        .filter(col.cost.is_not_null(), col.touches.is_not_null(), col.period >= date(2026, 8, 1))
        .group_by("office_id", "function", "period")
        .agg(col.cost.sum().cast(pl.Float64), col.touches.sum().cast(pl.Float64))
    )
    now = cells.filter(col.period == date(2026, 9, 1))
    before = cells.filter(col.period == date(2026, 8, 1))
    return (
        now.join(before, on=["office_id", "function"], suffix="_before")
        .select(
            "office_id",
            "function",
            "cost_before",
            col.cost.alias("cost_now"),
            ((col.cost / col.touches - col.cost_before / col.touches_before) * col.touches_before).alias("by_rate"),
            ((col.touches - col.touches_before) * col.cost / col.touches).alias("by_volume"),
        )
        .sort("office_id", "function")
    )


def after_escalation(table):
    before = col.answered_at < col.opened_at
    return (
        table("escalations")
        .select("account_id", "root_cause", "severity", "opened_at")
        .join(
            table("surveys").filter(col.nps.is_not_null()).select("account_id", "answered_at", "nps"),
            on="account_id",
        )
        .filter(
            col.answered_at >= col.opened_at - pl.duration(days=90),
            col.answered_at < col.opened_at + pl.duration(days=90),
        )
        .group_by("root_cause", "severity")
        .agg(
            before.sum().alias("answers_before"),
            (~before).sum().alias("answers_after"),
            col.nps.filter(before).mean().alias("mean_before"),
            col.nps.filter(~before).mean().alias("mean_after"),
        )
        .sort("root_cause", "severity")
    )


def answers_by_day(table):
    return (
        table("surveys")
        .filter(col.answered_at.is_not_null())
        .group_by(col.answered_at.dt.date().alias("day"), "touchpoint")
        .agg(pl.len().alias("answers"), col.nps.mean().alias("mean_nps"))
        .sort("day", "touchpoint")
    )
