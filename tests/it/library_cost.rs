//! The saved queries on cost when something is amiss in the sample: a gap is named, and moves no number in silence.

use super::harness::{Folder, Row, cxlake, number, rows, text};

/// The rows with this text in this column.
fn having<'a>(rows: &'a [Row], column: &str, value: &str) -> Vec<&'a Row> {
    rows.iter().filter(|row| row[column].as_str() == Some(value)).collect()
}

/// The one row with this text in this column.
fn the<'a>(rows: &'a [Row], column: &str, value: &str) -> &'a Row {
    let found = having(rows, column, value);
    assert_eq!(found.len(), 1, "rows whose `{column}` is `{value}`: {rows:?}");
    found[0]
}

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() < 0.005
}

fn sum(rows: &[Row], column: &str) -> f64 {
    rows.iter().filter_map(|row| row[column].as_f64()).sum()
}

/// The sample lake without this month of this table.
fn without_september(table: &str) -> Folder {
    Folder::sample_with(table, &format!("select * from {table} where period <> date '2026-09-01'"))
}

const SALES_OF_MANCHESTER: &str = "office_id = 'O11' and function = 'sales' and period = date '2026-09-01'";

#[test]
fn a_month_without_the_cost_of_a_category_is_partial_and_the_rest_is_divided_by_its_own_touches() {
    let lake = Folder::sample_with(
        "cost_per_touch",
        &format!(
            "select * replace (\
             case when {SALES_OF_MANCHESTER} and category = 'new business' then null else cost end as cost) \
             from cost_per_touch"
        ),
    );
    let sales = ["months=1", "offices=Manchester", "functions=sales"];
    let before = rows("cost-per-touch", &sales);
    let before = the(&before, "office", "Manchester");
    assert_eq!((text(before, "status"), number(before, "touches")), ("estimated", 553.0));
    let now = lake.rows("cost-per-touch", &sales);
    let now = the(&now, "office", "Manchester");
    assert_eq!((text(now, "status"), number(now, "touches"), number(now, "known_touches")), ("partial", 553.0, 382.0));
    assert!(close(number(now, "cost_per_touch"), number(now, "cost") / 382.0), "{now:?}");
    let gaps = lake.rows("cost-gaps", &["months=1"]);
    assert_eq!(text(the(&gaps, "office", "Manchester"), "incomplete"), "sales: partial");
}

#[test]
fn a_month_that_nobody_booked_is_no_gap_of_the_offices() {
    for (window, reason) in [
        (["period=2026-11", "months=2"], "nothing: the month is not over, or not loaded"),
        (["period=2024-09", "months=2"], "nothing: before the first month booked"),
    ] {
        let gaps = rows("cost-gaps", &window);
        assert_eq!(having(&gaps, "office", "All offices").len(), 2, "{gaps:?}");
        for month in &gaps {
            assert_eq!((text(month, "office"), text(month, "not_reported")), ("All offices", reason));
            assert!(month["coverage"].is_null(), "{month:?}");
        }
    }
    // An office that is silent in a month of others has reported none of it.
    let gaps = rows("cost-gaps", &["months=1"]);
    assert!(close(number(the(&gaps, "office", "Osaka"), "coverage"), 0.0), "{gaps:?}");
}

#[test]
fn a_category_that_came_alone_and_without_touches_is_no_whole_cost() {
    let lake = Folder::sample_with(
        "cost_per_touch",
        &format!(
            "select * replace (case when {SALES_OF_MANCHESTER} then null else touches end as touches) \
             from cost_per_touch where not ({SALES_OF_MANCHESTER} and category <> 'travel')"
        ),
    );
    let months = lake.rows("cost-months", &["months=1"]);
    let manchester: Vec<Row> = having(&months, "office", "Manchester").into_iter().cloned().collect();
    assert_eq!(text(the(&manchester, "function", "sales"), "status"), "partial");
    let compared =
        lake.rows("cost-constant-currency", &["offices=Manchester", "functions=sales", "level=office and function"]);
    let sales = the(&compared, "office", "Manchester");
    assert!(sales["change"].is_null(), "{sales:?}");
    assert_eq!(text(sales, "left_out"), "sales: reported, then partial");
    let cells = lake.rows("cost-bridge-cells", &["offices=Manchester"]);
    let sales = the(&cells, "function", "sales");
    assert!(close(number(sales, "reporting"), number(sales, "change")), "{sales:?}");
    assert!(close(number(sales, "not_split"), 0.0), "{sales:?}");
}

#[test]
fn postings_with_neither_cost_nor_touches_are_not_reported() {
    let lake = Folder::sample_with(
        "cost_per_touch",
        &format!(
            "select * replace (case when {SALES_OF_MANCHESTER} then null else touches end as touches, \
             case when {SALES_OF_MANCHESTER} then null else cost end as cost) from cost_per_touch"
        ),
    );
    let gaps = lake.rows("cost-gaps", &["months=1"]);
    assert_eq!(text(the(&gaps, "office", "Manchester"), "not_reported"), "sales");
}

#[test]
fn a_month_of_touches_that_is_not_loaded_withholds_the_cost_to_serve() {
    let lake = without_september("touches");
    let parts = lake.rows("cost-per-segment", &["by=segment"]);
    for row in &parts {
        for column in ["cost_to_serve", "cost_share", "margin_after", "at_a_loss", "spend_carried"] {
            assert!(row[column].is_null(), "{column}: {row:?}");
        }
        assert!(close(number(row, "known_accounts"), 0.0), "{row:?}");
        assert_eq!(text(row, "note"), "touches: 2 of 3 months loaded");
    }
    let customers = lake.rows("cost-per-customer", &["top=1000"]);
    for row in &customers {
        assert!(row["sales"].is_null() && row["cost_share"].is_null() && row["margin_after"].is_null(), "{row:?}");
        assert!(!row["revenue"].is_null(), "{row:?}");
        assert_eq!(text(row, "not_known"), "experience, marketing, sales, support");
        assert_eq!(text(row, "note"), "touches: 2 of 3 months loaded");
    }
    // What was loaded is a lower bound.
    let whole = sum(&rows("cost-per-customer", &["top=1000"]), "known_cost");
    let known = sum(&customers, "known_cost");
    assert!(known > 0.5 * whole && known < 0.8 * whole, "{known} of {whole}");
}

#[test]
fn a_month_of_revenue_that_is_not_loaded_makes_no_account_a_loss() {
    let lake = without_september("account_revenue");
    let parts = lake.rows("cost-per-segment", &["by=segment"]);
    let whole = rows("cost-per-segment", &["by=segment"]);
    for row in &parts {
        for column in ["revenue", "margin", "cost_share", "margin_after", "at_a_loss", "unknown_revenue"] {
            assert!(row[column].is_null(), "{column}: {row:?}");
        }
        assert!(text(row, "note").starts_with("revenue: 2 of 3 months loaded"), "{row:?}");
        assert_eq!(row["cost_to_serve"], the(&whole, "part", text(row, "part"))["cost_to_serve"], "{row:?}");
    }
    assert_eq!(the(&parts, "part", "All")["spend_carried"], the(&whole, "part", "All")["spend_carried"]);
    for row in lake.rows("cost-per-customer", &["top=1000"]) {
        assert!(row["revenue"].is_null() && row["margin"].is_null() && row["margin_after"].is_null(), "{row:?}");
        assert!(text(&row, "note").starts_with("revenue: 2 of 3 months loaded"), "{row:?}");
    }
}

#[test]
fn a_month_of_cost_that_is_not_loaded_is_no_smaller_spend_that_touches_carry() {
    let parts = without_september("cost_per_touch").rows("cost-per-segment", &["by=segment"]);
    let total = the(&parts, "part", "All");
    assert!(total["spend_carried"].is_null() && number(total, "cost_to_serve") > 0.0, "{total:?}");
    assert!(text(total, "note").starts_with("cost: 2 of 3 months loaded"), "{total:?}");
}

#[test]
fn an_account_without_revenue_brought_nothing_and_cost_what_it_cost() {
    let lake = Folder::sample_with("account_revenue", "select * from account_revenue where account_id <> '000172'");
    let parts = lake.rows("cost-per-segment", &["by=segment"]);
    for row in &parts {
        let after = number(row, "margin") - number(row, "cost_to_serve");
        assert!(close(number(row, "margin_after"), after), "{row:?}");
    }
    let whole = rows("cost-per-segment", &["by=segment"]);
    assert_eq!(the(&parts, "part", "All")["at_a_loss"], the(&whole, "part", "All")["at_a_loss"]);
    let customers = lake.rows("cost-per-customer", &["top=1000"]);
    let silent = the(&customers, "account_id", "000172");
    assert!(close(number(silent, "revenue"), 0.0), "{silent:?}");
    assert!(close(number(silent, "margin_after"), -number(silent, "known_cost")), "{silent:?}");
}

#[test]
fn a_category_that_one_office_takes_up_is_expected_of_the_others_from_the_next_month_on() {
    let lake = Folder::sample_with(
        "cost_per_touch",
        "select * from cost_per_touch union all \
         select * replace ('webinars' as category) from cost_per_touch \
         where office_id = 'O01' and function = 'marketing' and category = 'events' and period = date '2026-08-01'",
    );
    let states = |rows: Vec<Row>| rows.iter().map(|row| text(row, "status").to_owned()).collect::<Vec<_>>();
    for period in ["period=2026-06", "period=2026-08"] {
        let asked = [period, "months=1", "functions=marketing"];
        assert_eq!(states(lake.rows("cost-per-touch", &asked)), states(rows("cost-per-touch", &asked)), "{period}");
    }
    let september = states(lake.rows("cost-per-touch", &["months=1", "functions=marketing"]));
    assert!(september.iter().all(|status| ["partial", "not reported"].contains(&status.as_str())), "{september:?}");
    // The check of the table expects the same: 31 offices with 13 categories.
    let checked = lake.cxlake(["check", "cost_per_touch"]).prints();
    assert!(checked.contains("51 of 403 combinations without a row"), "{checked}");
}

#[test]
fn what_an_office_books_after_it_closed_is_in_every_total_and_no_gap() {
    let lake = Folder::sample_with(
        "offices",
        "select * replace (case when office_id = 'O05' then date '2026-08-31' else closed_on end as closed_on) \
         from offices",
    );
    let booked = sum(&rows("cost-months", &["months=1"]), "cost");
    for query in ["cost-months", "cost-cells", "cost-per-touch"] {
        let found = lake.rows(query, &["months=1"]);
        assert!(close(sum(&found, "cost"), booked), "{query}");
        let seattle = having(&found, "office", "Seattle");
        assert!(seattle.len() == 4 && seattle.iter().all(|row| text(row, "status") == "not open"), "{seattle:?}");
    }
    // It is held against nobody, and nobody is held against it.
    for row in having(&lake.rows("cost-per-touch", &["months=1"]), "office", "Seattle") {
        assert!(row["cost_per_touch"].is_null() && row["excess_cost"].is_null(), "{row:?}");
        assert_eq!(text(row, "no_index"), "not open");
    }
    assert!(having(&lake.rows("cost-outliers", &["months=1", "beyond=0"]), "office", "Seattle").is_empty());
    // Nothing was expected of it.
    let gaps = lake.rows("cost-gaps", &["months=1"]);
    assert!(close(number(the(&gaps, "office", "All offices"), "expected"), 120.0), "{gaps:?}");
    assert!(having(&gaps, "office", "Seattle").is_empty(), "{gaps:?}");
    let steps = lake.rows("cost-bridge", &[]);
    assert!(close(number(the(&steps, "step", "cost now"), "amount"), booked), "{steps:?}");
    for row in lake.rows("cost-bridge-cells", &["offices=Seattle"]) {
        assert!(close(number(&row, "opened_or_closed"), number(&row, "change")), "{row:?}");
        assert_eq!(text(&row, "status_now"), "not open");
    }
    // The months before are what they were, in the ratio, too.
    let before = rows("cost-cells", &["period=2026-08", "months=2"]);
    let now = lake.rows("cost-cells", &[]);
    for (before, now) in having(&before, "office", "Seattle").into_iter().zip(having(&now, "office", "Seattle")) {
        for column in ["status", "months", "months_in", "known_cost", "cost_per_touch"] {
            assert_eq!(before[column], now[column], "{column}: {now:?}");
        }
        assert!(number(now, "cost") > number(before, "cost"), "{now:?}");
    }
}

#[test]
fn an_office_is_expected_from_the_month_in_which_it_opens_and_not_on_its_closing_day() {
    let lake = Folder::sample_with(
        "offices",
        "select * replace (case when office_id = 'O05' then date '2026-09-01' else closed_on end as closed_on, \
         case when office_id = 'O06' then date '2026-09-15' else opened_on end as opened_on) from offices",
    );
    let months = lake.rows("cost-months", &["months=1"]);
    assert!(having(&months, "office_id", "O05").iter().all(|row| text(row, "status") == "not open"));
    assert!(having(&months, "office_id", "O06").iter().all(|row| text(row, "status") != "not open"));
    let gaps = lake.rows("cost-gaps", &["months=1"]);
    assert!(close(number(the(&gaps, "office", "All offices"), "expected"), 120.0), "{gaps:?}");
    // The check of the table expects the same: 30 offices with 12 categories.
    let checked = lake.cxlake(["check", "cost_per_touch"]).prints();
    assert!(checked.contains("20 of 360 combinations without a row"), "{checked}");
}

#[test]
fn an_office_without_an_exchange_rate_is_named_as_left_out_of_constant_rates() {
    for (table, kept, left_out) in
        [("fx_rates", "not (currency = 'EUR' and period = date '2025-09-01')", 12), ("countries", "country <> 'FR'", 6)]
    {
        let lake = Folder::sample_with(table, &format!("select * from {table} where {kept}"));
        let offices = lake.rows("cost-constant-currency", &[]);
        let paris = the(&offices, "office", "Paris");
        assert!(paris["cost_now"].is_null(), "{paris:?}");
        let named = "experience: no rate; marketing: no rate; sales: no rate; support: no rate";
        assert_eq!(text(paris, "left_out"), named, "{table}");
        let total = the(&offices, "office", "All");
        assert_eq!(text(total, "left_out"), format!("{left_out} of 31 rows leave something out"), "{table}");
    }
}

#[test]
fn cost_with_no_touches_at_all_says_that_there_were_none() {
    let lake = Folder::sample_with(
        "cost_per_touch",
        &format!(
            "select * replace (case when {SALES_OF_MANCHESTER} then 0 else touches end as touches) from cost_per_touch"
        ),
    );
    let found = lake.rows("cost-per-touch", &["months=1", "offices=Manchester", "functions=sales"]);
    assert!(found[0]["cost_per_touch"].is_null() && found[0]["index"].is_null(), "{found:?}");
    assert_eq!((text(&found[0], "status"), text(&found[0], "no_index")), ("estimated", "no touches"));
}

/// The row of this office and function.
fn of<'a>(rows: &'a [Row], office: &str, function: &str) -> &'a Row {
    let found: Vec<&Row> = having(rows, "office", office);
    let row = found.into_iter().find(|row| text(row, "function") == function);
    row.unwrap_or_else(|| panic!("no {function} of {office} in {rows:?}"))
}

/// The sample lake in which, in September, sales cost nothing in Paris and less than nothing in London, had cost and no touches in
/// Berlin and neither in Lyon, and support costs the same everywhere in Asia.
fn with_nothing_to_judge() -> Folder {
    Folder::sample_with(
        "cost_per_touch",
        "select * replace (\
         case when function = 'sales' and period = date '2026-09-01' and office_id in ('O14', 'O15') then 0 \
         else touches end as touches, \
         case when function = 'sales' and period = date '2026-09-01' and office_id in ('O13', 'O14') \
         then cast(0 as decimal(18, 2)) \
         when function = 'sales' and period = date '2026-09-01' and office_id = 'O10' then -cost \
         when function = 'support' and office_id >= 'O23' then cast(10 * touches as decimal(18, 2)) \
         else cost end as cost) from cost_per_touch",
    )
}

#[test]
fn who_cannot_be_judged_is_among_the_outliers_with_the_reason_and_nobodys_peer() {
    let outliers = with_nothing_to_judge().rows("cost-outliers", &["months=1"]);
    for (office, reason) in [
        ("Paris", "cost is 0 or less"),
        ("London", "cost is 0 or less"),
        ("Berlin", "no touches"),
        ("Lyon", "explicit zero"),
        ("Warsaw", "not reported"),
    ] {
        let sales = of(&outliers, office, "sales");
        assert!(sales["robust_z"].is_null(), "{sales:?}");
        assert_eq!((text(sales, "no_verdict"), number(sales, "group_size")), (reason, 8.0), "{office}");
    }
    assert_eq!(text(of(&outliers, "Tokyo", "support"), "no_verdict"), "no spread");
    for row in outliers.iter().filter(|row| !row["robust_z"].is_null()) {
        assert!(row["no_verdict"].is_null() && number(row, "robust_z").abs() >= 3.5, "{row:?}");
    }
    // Nothing at all is known of a month that nobody reported.
    let ahead = rows("cost-outliers", &["period=2027-03"]);
    assert_eq!(having(&ahead, "no_verdict", "not reported").len(), 31 * 4);
}

#[test]
fn an_office_whose_region_is_too_small_for_a_verdict_is_told_and_not_dropped() {
    let lake = Folder::sample_with(
        "offices",
        "select * replace (case when office_id between 'O23' and 'O27' then date '2026-01-01' else closed_on end \
         as closed_on) from offices",
    );
    let outliers = lake.rows("cost-outliers", &[]);
    let pune = of(&outliers, "Pune", "support");
    assert!(pune["robust_z"].is_null() && number(pune, "times_median") > 4.0, "{pune:?}");
    assert_eq!(text(pune, "no_verdict"), "group of 4");
    // Who was not open is no gap.
    assert!(having(&outliers, "office", "Tokyo").is_empty(), "{outliers:?}");
}

#[test]
fn a_chart_of_offices_and_functions_names_both_and_counts_those_without_a_value() {
    let folder = Folder::new();
    let said = |query: &str, parameter: &str| {
        let output = folder.path().display().to_string();
        cxlake(["report", query, "-p", parameter, "--format", "md", "--output", output.as_str()]).prints();
        folder.read(&format!("{query}.md"))
    };
    let outliers = said("cost-outliers", "within=region");
    assert!(outliers.contains("highest for Lyon, marketing (+18.4), lowest for Paris, support (-4.1)."), "{outliers}");
    assert!(outliers.contains("3 of 7 have no value: cost without touches (1); not reported (2)."), "{outliers}");
    let rates = said("cost-constant-currency", "level=office and function");
    assert!(rates.contains("highest for Madrid, sales (+14,021), lowest for Tokyo, sales (-10,586)."), "{rates}");
    assert!(rates.contains(" All has +75,846."), "{rates}");
}

#[test]
fn months_of_one_function_alone_are_not_added_to_months_of_the_other() {
    let lake = Folder::sample_with(
        "cost_per_touch",
        "select * from cost_per_touch where not (office_id = 'O10' and function = 'support' \
         and period in (date '2026-07-01', date '2026-08-01'))",
    );
    let asked = ["from_function=marketing", "to_function=support"];
    let offices = lake.rows("cost-rebalance", &asked);
    let london = the(&offices, "office", "London");
    assert_eq!(text(london, "note"), "support: partial, 1 of 3 months");
    let september = rows("cost-rebalance", &["from_function=marketing", "to_function=support", "months=1"]);
    let september = the(&september, "office", "London");
    for column in ["moved", "touches_before", "cost_per_touch_before", "gained_for_one"] {
        assert!(close(number(london, column), number(september, column)), "{column}: {london:?}");
    }
    // What is incomplete is nobody's peer.
    let whole = rows("cost-rebalance", &asked);
    let peers = |rows: &[Row]| number(the(rows, "office", "Paris"), "peers");
    assert!(close(peers(&offices), peers(&whole) - 1.0), "{offices:?}");
    // An explicit zero is a report: no month of Chennai is missing.
    let cells = rows("cost-cells", &[]);
    let touches = number(of(&cells, "Chennai", "marketing"), "known_touches")
        + number(of(&cells, "Chennai", "support"), "known_touches");
    assert!(close(number(the(&whole, "office", "Chennai"), "touches_before"), touches), "{touches}");
}

#[test]
fn an_office_that_moves_no_money_says_why() {
    let note = |rows: &[Row], office: &str| text(the(rows, "office", office), "note").to_owned();
    let nothing = with_nothing_to_judge().rows("cost-rebalance", &["months=1", "to_function=support"]);
    for office in ["Paris", "London", "Berlin"] {
        assert_eq!(note(&nothing, office), "left out, sales: cost or touches are 0 or less", "{office}");
    }
    assert_eq!(note(&rows("cost-rebalance", &["period=2025-03"]), "Hyderabad"), "left out, not open");
    let twice = rows("cost-rebalance", &["from_function=sales", "to_function=sales"]);
    assert_eq!(note(&twice, "London"), "left out, the same function twice");
}

#[test]
fn the_total_of_some_offices_is_not_called_that_of_all_offices() {
    for query in ["cost-rebalance", "cost-constant-currency"] {
        let shown = rows(query, &["offices=London"]);
        let names: Vec<&str> = shown.iter().map(|row| text(row, "office")).collect();
        assert_eq!(names, ["All", "London"], "{query}");
    }
}

#[test]
fn cost_per_touch_at_constant_rates_is_missing_with_its_reason() {
    let offices = rows("cost-constant-currency", &[]);
    let reason = |office: &str| text(the(&offices, "office", office), "no_per_touch");
    assert_eq!(reason("Milan"), "touches not known: support");
    assert_eq!(reason("All"), "touches not known: 1 of 31 rows");
    for row in &offices {
        assert_eq!(row["cost_per_touch_change"].is_null(), !row["no_per_touch"].is_null(), "{row:?}");
        assert_eq!(row["cost_per_touch_constant"].is_null(), !row["no_per_touch"].is_null(), "{row:?}");
    }
    let nothing = with_nothing_to_judge();
    let sales = nothing.rows("cost-constant-currency", &["functions=sales"]);
    for office in ["Berlin", "Lyon"] {
        assert_eq!(text(the(&sales, "office", office), "no_per_touch"), "no touches", "{office}");
    }
}

#[test]
fn an_estimate_of_what_is_not_compared_is_none_of_the_cost_that_is() {
    let support_of_paris = "office_id = 'O13' and function = 'support' and period = date '2026-09-01'";
    let lake = Folder::sample_with(
        "cost_per_touch",
        &format!(
            "select * replace (({support_of_paris}) or is_estimate as is_estimate) from cost_per_touch \
             where not ({support_of_paris} and category = 'service desk')"
        ),
    );
    let offices = lake.rows("cost-constant-currency", &[]);
    let paris = the(&offices, "office", "Paris");
    assert_eq!(text(paris, "left_out"), "support: reported, then partial");
    assert_eq!(paris["has_estimate"].as_bool(), Some(false), "{paris:?}");
    assert_eq!(the(&offices, "office", "Osaka")["has_estimate"].as_bool(), Some(false));
}
