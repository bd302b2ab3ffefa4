//! The library's queries on samples in which something is missing or out of the ordinary: a gap is said, and is no 0.

use super::harness::{Folder, Row, number, rows, text};

/// The row in which this column has this text.
fn row<'a>(rows: &'a [Row], column: &str, value: &str) -> &'a Row {
    rows.iter().find(|row| row[column] == value).unwrap_or_else(|| panic!("no `{value}` in {rows:?}"))
}

#[test]
fn a_region_that_reported_no_cost_has_no_cac_and_is_missing_in_the_coverage_of_all() {
    let lake = Folder::sample_with(
        "cost_per_touch",
        "select c.* from cost_per_touch c join offices using (office_id) where region <> 'APAC'",
    );
    let parts = lake.rows("clv-and-cac", &[]);
    let silent = row(&parts, "part", "APAC");
    assert!(silent["acquisition_cost"].is_null() && silent["cac"].is_null(), "{silent:?}");
    assert!(number(silent, "cost_coverage").abs() < 1e-9, "{silent:?}");
    assert_eq!(text(silent, "note"), "no CAC: no marketing or sales cost reported");
    // A region has as much to report whether or not it does: two of three have, by their offices and months.
    let all = row(&parts, "part", "All");
    assert!((0.65..0.72).contains(&number(all, "cost_coverage")), "{all:?}");
    assert!(text(all, "note").contains("some did not"), "{all:?}");
    let reported: f64 =
        ["NA", "EMEA"].iter().map(|region| number(row(&parts, "part", region), "acquisition_cost")).sum();
    assert!((number(all, "acquisition_cost") - reported).abs() < 0.01, "{all:?}");
}

#[test]
fn what_loses_money_never_pays_back_what_winning_it_cost() {
    let lake = Folder::sample_with(
        "account_revenue",
        "select r.account_id, r.office_id, r.recurring_revenue, r.services_revenue, r.currency, r.period, \
           cast(r.direct_cost * case when o.region = 'NA' then 10 else 1 end as decimal(18,2)) as direct_cost \
         from account_revenue r join offices o on o.office_id = r.office_id",
    );
    let parts = lake.rows("clv-and-cac", &[]);
    let losing = row(&parts, "part", "NA");
    assert!(number(losing, "yearly_margin") < 0.0 && number(losing, "cac") > 0.0, "{losing:?}");
    assert!(losing["payback_months"].is_null(), "{losing:?}");
    assert!(text(losing, "note").starts_with("no margin: never pays back"), "{losing:?}");
    let winning = row(&parts, "part", "EMEA");
    assert!(number(winning, "payback_months") > 0.0, "{winning:?}");
    assert!(!text(winning, "note").contains("never pays back"), "{winning:?}");
}

#[test]
fn a_segment_of_a_region_that_left_as_a_whole_is_lost_and_not_left_out() {
    let lake = Folder::sample_with(
        "account_revenue",
        "select r.* from account_revenue r join accounts a on a.account_id = r.account_id \
         join offices o on o.office_id = a.office_id \
         where r.period <= date '2025-09-01' or a.segment <> 'Enterprise' or o.region <> 'NA'",
    );
    let (parts, whole) = (lake.rows("clv-and-cac", &[]), rows("clv-and-cac", &[]));
    for part in &parts {
        let before = row(&whole, "part", text(part, "part"));
        // At the start they were there, and some were won, whatever they have brought since.
        assert_eq!((&part["accounts"], &part["won"]), (&before["accounts"], &before["won"]), "{part:?}");
        let has_lost_them = ["All", "NA", "Enterprise"].contains(&text(part, "part"));
        let fell = number(before, "retention") - number(part, "retention");
        assert_eq!(fell > 0.05, has_lost_them, "{part:?}");
        assert_eq!(fell.abs() < 1e-12, !has_lost_them, "{part:?}");
    }
}

#[test]
fn touches_carry_as_much_of_what_is_spent_whichever_offices_report() {
    let carried = |parts: &[Row]| number(row(parts, "part", "All"), "spend_carried");
    let whole = carried(&rows("cost-per-segment", &[]));
    for statement in [
        // One office in 31 has reported more than the window's first month.
        "select * from cost_per_touch where office_id = 'O01' or period < date '2026-08-01'",
        // Half of them did not count their touches.
        "select * replace (case when office_id <= 'O15' then null else touches end as touches) from cost_per_touch",
    ] {
        let parts = Folder::sample_with("cost_per_touch", statement).rows("cost-per-segment", &[]);
        assert!((carried(&parts) / whole - 1.0).abs() < 0.05, "{whole} to {} by {statement}", carried(&parts));
    }
}

#[test]
fn who_left_without_a_reason_is_among_those_who_left() {
    let lake = Folder::sample_with(
        "accounts",
        "select * replace (case when account_id >= '000300' then churn_reason end as churn_reason) from accounts",
    );
    for (without, whole) in lake.rows("health-backtest", &[]).iter().zip(&rows("health-backtest", &[])) {
        for column in ["n_left", "unknown_left", "caught", "missed"] {
            assert_eq!(without[column], whole[column], "{without:?}");
        }
    }
    let departed: f64 = lake.rows("customer-segments", &[]).iter().map(|row| number(row, "departed")).sum();
    assert!((departed - 48.0).abs() < 0.5, "{departed}");
    let without_reason = lake.rows("health-backtest-accounts", &["churn_reasons=not stated"]);
    let who_left: Vec<&Row> = without_reason.iter().filter(|row| row["outcome"] == "left").collect();
    assert!(who_left.len() >= 10, "{who_left:?}");
    assert!(who_left.iter().all(|row| row["churn_reason"] == "not stated"), "{who_left:?}");
    let contract = lake.rows("account-timeline", &["account=000003", "kinds=contract"]);
    assert_eq!(text(&contract[0], "what"), "left: reason not stated");
}

#[test]
fn an_account_without_revenue_in_the_month_is_in_no_segment() {
    let lake = Folder::sample_with(
        "account_revenue",
        "select * replace (cast(case account_id when '000013' then 0 when '000014' then -5 else recurring_revenue end as decimal(18,2)) \
           as recurring_revenue) from account_revenue",
    );
    for method in ["method=rules", "method=kmeans"] {
        let sum = |segments: &[Row]| segments.iter().map(|row| number(row, "accounts")).sum::<f64>();
        let (whole, without) = (rows("customer-segments", &[method]), lake.rows("customer-segments", &[method]));
        assert!((sum(&whole) - sum(&without)).abs() < 0.5, "{without:?}");
        let in_none = |segments: &[Row]| number(segments.last().expect("a last row"), "accounts");
        assert!((in_none(&without) - in_none(&whole) - 2.0).abs() < 0.5, "{without:?}");
    }
}

#[test]
fn a_month_that_is_not_loaded_makes_no_fall_on_the_timeline() {
    let touches = Folder::sample_with("touches", "select * from touches where period <> date '2026-06-01'");
    let events = touches.rows("account-timeline", &["kinds=touches"]);
    assert!(events.iter().all(|row| text(row, "reference") < "2026-06-01"), "{events:?}");
    // A contract that is smaller after the gap shrank since the month before it.
    let revenue =
        Folder::sample_with("account_revenue", "select * from account_revenue where period <> date '2026-08-01'");
    let events = revenue.rows("account-timeline", &["kinds=revenue"]);
    let changed: Vec<(&str, bool)> = events
        .iter()
        .filter(|row| text(row, "reference") >= "2026-07-01")
        .map(|row| (text(row, "reference"), text(row, "what").ends_with(" since 2026-07-01")))
        .collect();
    assert_eq!(changed, [("2026-09-01", true), ("2026-07-01", false)]);
}
