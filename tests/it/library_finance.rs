//! The saved queries on what customers cost, bring and are worth: the truths planted in the sample, found through them.

use cxlake::sample::{Options, silent_accounts, story};

use super::harness::{Folder, Row, cxlake, number, rows, sql_rows, text};

/// Money in cents: JSON gives decimals as numbers, and cents are added up without loss.
#[allow(clippy::cast_possible_truncation)]
fn cents(row: &Row, column: &str) -> i64 {
    if row[column].is_null() { 0 } else { (number(row, column) * 100.0).round() as i64 }
}

/// The one row with this text in this column.
fn find<'a>(rows: &'a [Row], column: &str, value: &str) -> &'a Row {
    let mut found = rows.iter().filter(|row| row[column].as_str() == Some(value));
    let row = found.next().unwrap_or_else(|| panic!("no row whose `{column}` is `{value}`"));
    assert!(found.next().is_none(), "more than one `{value}`");
    row
}

#[test]
fn small_customers_in_north_america_cost_more_to_serve_than_they_leave() {
    let parts = rows("cost-per-segment", &[]);
    for row in &parts {
        let part = text(row, "part");
        assert_eq!(number(row, "margin_after") < 0.0, part == "NA, Small", "{row:?}");
    }
    let share = |part: &str| number(find(&parts, "part", part), "cost_share");
    assert!(share("NA, Small") > 0.4, "{parts:?}");
    for segment in ["Enterprise", "Mid-market", "Small"] {
        let of = |region: &str| share(&format!("{region}, {segment}"));
        assert!(of("NA") > of("EMEA") && of("EMEA") > of("APAC"), "{parts:?}");
    }
}

#[test]
fn the_parts_of_cost_to_serve_add_up_to_their_total() {
    let parts = rows("cost-per-segment", &["by=office"]);
    let (total, offices): (Vec<&Row>, Vec<&Row>) = parts.iter().partition(|row| text(row, "part") == "All");
    assert_eq!((total.len(), offices.len()), (1, 31));
    for column in ["revenue", "margin", "cost_to_serve", "margin_after", "unknown_revenue"] {
        let sum: i64 = offices.iter().map(|row| cents(row, column)).sum();
        assert_eq!(sum, cents(total[0], column), "{column}");
    }
    for column in ["accounts", "known_accounts", "at_a_loss"] {
        // None of an office whose customers' cost is not known is said to be a loss, nor to be none.
        let sum: f64 = offices.iter().filter_map(|row| row[column].as_f64()).sum();
        assert!((sum - number(total[0], column)).abs() < 0.5, "{column}");
    }
}

#[test]
fn accounts_that_are_left_out_of_sums_are_counted_beside_them() {
    let left_out = |parts: &[Row], part: &str| find(parts, "part", part)["note"].as_str().map(str::to_owned);
    let offices = rows("cost-per-segment", &["by=office"]);
    let milan = find(&offices, "part", "Milan");
    assert!(milan["at_a_loss"].is_null() && milan["margin_after"].is_null(), "{milan:?}");
    assert_eq!(left_out(&offices, "Milan").as_deref(), Some("12 of 12 accounts left out: cost not known"));
    assert_eq!(left_out(&offices, "London"), None);
    let parts = rows("cost-per-segment", &[]);
    assert_eq!(left_out(&parts, "All").as_deref(), Some("31 of 557 accounts left out: cost not known"));
    assert_eq!(left_out(&parts, "EMEA, Small").as_deref(), Some("16 of 98 accounts left out: cost not known"));
}

#[test]
fn accounts_that_are_not_ranked_are_counted_where_the_first_ones_alone_are_shown() {
    for (parameters, not_ranked) in [
        (&["top=2"][..], 31.0),
        (&["top=2", "first=highest share"], 31.0),
        (&["top=2", "first=highest cost"], 0.0),
        (&["top=2", "offices=Milan,London"], 12.0),
    ] {
        let customers = rows("cost-per-customer", parameters);
        assert_eq!(customers.len(), 2, "{parameters:?}");
        for row in &customers {
            assert!((number(row, "not_ranked") - not_ranked).abs() < 0.5, "{parameters:?}: {row:?}");
        }
    }
}

#[test]
fn a_report_on_customers_says_why_what_is_left_of_their_margin_is_not_known() {
    let folder = Folder::new();
    let place = folder.path().to_str().expect("a path");
    cxlake(["report", "cost-per-customer", "-p", "offices=Warsaw", "--format", "json", "-o", place]).prints();
    let report: serde_json::Value = serde_json::from_str(&folder.read("cost-per-customer.json")).expect("JSON");
    let missing = report["sections"][0]["missing"].as_array().expect("what is missing");
    for column in ["cost_share", "margin_after", "margin_after_share"] {
        let of_column = missing.iter().find(|gap| gap["column"] == column).expect("a gap");
        assert_eq!(of_column["reason"], "marketing: not reported, sales: not reported", "{missing:?}");
        assert_eq!(of_column["count"], 19, "{missing:?}");
    }
}

#[test]
fn a_customer_of_an_office_that_did_not_report_has_an_unknown_part_and_not_a_zero() {
    let customers = rows("cost-per-customer", &["offices=Warsaw,Milan", "top=1000"]);
    let mut unknown = 0;
    for row in customers.iter().filter(|row| !row["not_known"].is_null()) {
        unknown += 1;
        let functions: &[&str] = if text(row, "office") == "Warsaw" { &["marketing", "sales"] } else { &["support"] };
        for function in text(row, "not_known").split(", ") {
            assert!(functions.contains(&function) && row[function].is_null(), "{row:?}");
        }
        assert!(row["margin_after"].is_null() && row["cost_share"].is_null(), "{row:?}");
        assert!(number(row, "known_cost") >= 0.0, "{row:?}");
    }
    assert!(unknown > 20, "{unknown}");
    for row in customers.iter().filter(|row| row["not_known"].is_null()) {
        let parts: i64 =
            ["marketing", "sales", "experience", "support"].into_iter().map(|function| cents(row, function)).sum();
        assert_eq!(parts, cents(row, "known_cost"), "{row:?}");
    }
}

#[test]
fn the_steps_of_the_cost_bridge_add_up_to_the_cent() {
    for parameters in [&["months=2"][..], &["months=13"], &["period=2026-07", "months=3"], &["period=2025-04"]] {
        let steps = rows("cost-bridge", parameters);
        for column in ["amount", "marketing", "sales", "experience", "support"] {
            let of = |step: &str| cents(find(&steps, "step", step), column);
            let moved: i64 =
                ["volume", "mix", "rate", "opened or closed", "not split", "reporting"].map(of).iter().sum();
            assert_eq!(of("cost before") + moved, of("cost now"), "{parameters:?} {column}");
        }
        for row in rows("cost-bridge-cells", parameters) {
            let parts = ["rate", "volume", "mix", "opened_or_closed", "reporting", "not_split"];
            let sum: i64 = parts.iter().map(|part| cents(&row, part)).sum();
            assert_eq!(sum, cents(&row, "change"), "{row:?}");
            assert_eq!(cents(&row, "cost_now") - cents(&row, "cost_before"), cents(&row, "change"), "{row:?}");
        }
    }
    let booked = sql_rows("select sum(cost) as cost from cost_per_touch where period = date '2026-09-01'");
    assert_eq!(cents(find(&rows("cost-bridge", &[]), "step", "cost now"), "amount"), cents(&booked[0], "cost"));
}

#[test]
fn each_end_of_the_cost_bridge_counts_the_estimates_of_its_own_month() {
    let steps = rows("cost-bridge", &[]);
    for (step, month) in [("cost before", "2026-08-01"), ("cost now", "2026-09-01")] {
        let estimated = sql_rows(&format!(
            "select count(*) as n from (select distinct office_id, function from cost_per_touch \
             where period = date '{month}' and is_estimate and cost <> 0)"
        ));
        assert_eq!(find(&steps, "step", step)["estimated_cells"], estimated[0]["n"], "{step}");
    }
}

#[test]
fn what_did_not_report_is_no_saving_in_the_cost_bridge() {
    let cells = rows("cost-bridge-cells", &[]);
    let mut gaps: Vec<(&str, &str)> = cells
        .iter()
        .filter(|row| cents(row, "reporting") != 0)
        .map(|row| (text(row, "office"), text(row, "function")))
        .collect();
    gaps.sort_unstable();
    assert_eq!(
        gaps,
        [
            ("Delhi", "experience"),
            ("Frankfurt", "experience"),
            ("Osaka", "experience"),
            ("Osaka", "marketing"),
            ("Osaka", "sales"),
            ("Osaka", "support"),
        ]
    );
    for row in cells.iter().filter(|row| gaps.contains(&(text(row, "office"), text(row, "function")))) {
        assert_eq!((cents(row, "rate"), cents(row, "volume"), cents(row, "mix")), (0, 0, 0), "{row:?}");
    }
    // What was not split has no rate, and says why; a 0 is one that was.
    for row in &cells {
        let is_split = row["no_split"].is_null();
        assert_eq!(row["split_rate"], if is_split { row["rate"].clone() } else { serde_json::Value::Null }, "{row:?}");
    }
    let osaka = cells.iter().filter(|row| text(row, "office") == "Osaka");
    assert_eq!(osaka.map(|row| text(row, "no_split")).collect::<Vec<_>>(), ["not reported now"; 4]);
    let not_split = cells.iter().filter(|row| cents(row, "not_split") != 0);
    let not_split: Vec<(&str, &str)> = not_split.map(|row| (text(row, "office"), text(row, "function"))).collect();
    assert_eq!(not_split, [("Milan", "support")]);
    // An office that opens is neither dearer nor busier.
    let opened = rows("cost-bridge-cells", &["period=2025-04"]);
    let opened = opened.iter().filter(|row| cents(row, "opened_or_closed") != 0);
    assert_eq!(opened.map(|row| text(row, "office")).collect::<Vec<_>>(), ["Hyderabad"; 4]);
}

#[test]
fn moving_spend_from_sales_to_experience_wins_touches_in_north_america_and_not_in_most_of_emea() {
    let offices = rows("cost-rebalance", &[]);
    assert_eq!(text(&offices[0], "office"), "All");
    let gained = |row: &Row| number(row, "gained_for_one");
    let known: Vec<&Row> = offices[1..].iter().filter(|row| !row["moved"].is_null()).collect();
    for row in known.iter().filter(|row| text(row, "region") == "NA") {
        assert!(gained(row) > 15.0, "{row:?}");
        assert!(number(row, "index_after") < number(row, "index_before"), "{row:?}");
    }
    // Madrid's sales are out of line.
    for row in known.iter().filter(|row| text(row, "region") == "EMEA" && text(row, "office") != "Madrid") {
        assert!(gained(row) < 1.1, "{row:?}");
    }
    let warsaw = find(&offices, "office", "Warsaw");
    assert!(warsaw["moved"].is_null() && text(warsaw, "note").starts_with("left out"), "{warsaw:?}");
    for column in ["moved", "touches_lost", "touches_gained"] {
        let sum: f64 = known.iter().map(|row| number(row, column)).sum();
        assert!((sum / number(&offices[0], column) - 1.0).abs() < 1e-9, "{column}");
    }
    // The peers are all other offices, whichever move money.
    let one = rows("cost-rebalance", &["offices=Boston"]);
    assert_eq!(find(&one, "office", "Boston"), find(&offices, "office", "Boston"));
}

#[test]
fn at_constant_rates_japan_costs_more_than_reported_and_euro_offices_less() {
    let offices = rows("cost-constant-currency", &["months=9"]);
    for row in offices.iter().filter(|row| !row["office_id"].is_null() && !row["change"].is_null()) {
        let (reported, constant) = (number(row, "change"), number(row, "change_constant"));
        match text(row, "currency") {
            "JPY" => assert!(constant > reported + 0.09, "{row:?}"),
            "EUR" => assert!(constant < reported - 0.04, "{row:?}"),
            "USD" => assert!((constant - reported).abs() < 1e-9, "{row:?}"),
            _ => {}
        }
        assert_eq!(cents(row, "cost_now") - cents(row, "cost_constant"), cents(row, "currency_effect"), "{row:?}");
    }
    // Tokyo's sales touch cost about the same in USD, and much more in what Tokyo pays.
    let tokyo =
        rows("cost-constant-currency", &["months=9", "level=office and function", "offices=Tokyo", "functions=sales"]);
    let tokyo = find(&tokyo, "office", "Tokyo");
    assert!(number(tokyo, "cost_per_touch_change") < 0.06, "{tokyo:?}");
    assert!(number(tokyo, "cost_per_touch_constant") > 0.14, "{tokyo:?}");
    let (_, move_of_yen) = story::CURRENCY_MOVES[0];
    assert!((number(tokyo, "rate_change") - move_of_yen).abs() < 0.01, "{tokyo:?}");
    // An office that did not report has no change at all.
    let osaka = find(&offices, "office", "Osaka");
    assert!(osaka["change"].is_null() && osaka["currency_effect"].is_null(), "{osaka:?}");
    let total = find(&offices, "office", "All");
    let sum: i64 =
        offices.iter().filter(|row| !row["office_id"].is_null()).map(|row| cents(row, "currency_effect")).sum();
    assert_eq!(sum, cents(total, "currency_effect"));
}

#[test]
fn enterprise_expands_and_small_accounts_shrink_and_gross_retention_stays_below_100() {
    let parts = rows("revenue-retention", &[]);
    for (part, planted) in [("Enterprise", 1.075), ("Mid-market", 0.998), ("Small", 0.908)] {
        let row = find(&parts, "part", part);
        assert!((number(row, "nrr") - planted).abs() < 0.001, "{row:?}");
        assert!(number(row, "grr") < 1.0 && number(row, "grr") <= number(row, "nrr"), "{row:?}");
    }
    for by in ["by=segment", "by=office", "by=industry"] {
        let parts = rows("revenue-retention", &[by]);
        for row in &parts {
            let end =
                cents(row, "start_revenue") + cents(row, "expansion") - cents(row, "contraction") - cents(row, "churn");
            assert_eq!(end, cents(row, "end_revenue"), "{row:?}");
        }
        let total = find(&parts, "part", "All");
        let sum: i64 = parts.iter().map(|row| cents(row, "end_revenue")).sum();
        assert_eq!(sum, 2 * cents(total, "end_revenue"), "{by}");
    }
    // Small offices have their rates withheld, and their money shown.
    let offices = rows("revenue-retention", &["by=office", "min_base=20"]);
    for row in &offices {
        assert_eq!(row["nrr"].is_null(), number(row, "accounts") < 20.0, "{row:?}");
    }
}

#[test]
fn winning_a_customer_costs_far_more_in_north_america_and_a_segment_has_no_cost_of_its_own() {
    let parts = rows("clv-and-cac", &[]);
    let cac = |region: &str| number(find(&parts, "part", region), "cac");
    assert!(cac("NA") > 5.0 * cac("EMEA") && cac("EMEA") > cac("APAC"), "{parts:?}");
    let clv = |segment: &str| number(find(&parts, "part", segment), "clv");
    assert!(clv("Enterprise") > clv("Mid-market") && clv("Mid-market") > clv("Small"), "{parts:?}");
    for row in &parts {
        let (m, r) = (number(row, "yearly_margin"), number(row, "retention"));
        assert!((number(row, "clv") / (m * r / (1.1 - r)) - 1.0).abs() < 1e-9, "{row:?}");
        assert_eq!(text(row, "kind") == "segment", row["cac"].is_null(), "{row:?}");
    }
    let all = find(&parts, "part", "All");
    assert!(number(all, "cost_coverage") < 1.0 && text(all, "note").contains("some did not"), "{all:?}");
    let few = rows("clv-and-cac", &["min_base=8"]);
    assert!(find(&few, "part", "NA")["cac"].is_null(), "{few:?}");
}

#[test]
fn a_customer_who_never_leaves_and_whose_margins_are_not_discounted_has_no_clv() {
    let parts = rows("clv-and-cac", &["period=2025-03", "months=3", "discount_rate=0"]);
    let enterprise = find(&parts, "part", "Enterprise");
    assert!((number(enterprise, "retention") - 1.0).abs() < 1e-12, "{enterprise:?}");
    assert!(enterprise["clv"].is_null(), "{enterprise:?}");
    assert!(text(enterprise, "note").ends_with("no CLV: nobody left and nothing is discounted"), "{enterprise:?}");
    let discounted = rows("clv-and-cac", &["period=2025-03", "months=3"]);
    let enterprise = find(&discounted, "part", "Enterprise");
    assert!(number(enterprise, "clv") > 0.0 && !text(enterprise, "note").contains("no CLV"), "{enterprise:?}");
}

#[test]
fn the_silent_accounts_are_to_be_acted_on_now() {
    let at_risk = rows("accounts-at-risk", &[]);
    let now: Vec<&Row> = at_risk.iter().filter(|row| text(row, "urgency") == "act now").collect();
    let planted: Vec<String> = silent_accounts(&Options::default()).collect();
    for account in &planted {
        let row = now.iter().find(|row| text(row, "account_id") == account).expect("to be acted on");
        for reason in [" of field staff open", "contract 15 % smaller", "renews on", "touches down"] {
            assert!(text(row, "reasons").contains(reason), "{row:?}");
        }
    }
    assert!(now.len() <= planted.len() + 6, "{}", now.len());
    for row in &at_risk {
        assert!(!text(row, "reasons").contains("(s)"), "{row:?}");
        for (count, one, more) in [
            ("sponsors_left", "executive sponsor left", "executive sponsors left"),
            ("overdue", "follow-up overdue", "follow-ups overdue"),
        ] {
            let number = number(row, count);
            let word = if (number - 1.0).abs() < 1e-9 { one } else { more };
            assert!(number < 1.0 || text(row, "reasons").contains(&format!("{number} {word}")), "{row:?}");
        }
        // What is not known is said, and never safe.
        let unknown = row["health"].is_null();
        assert_eq!(unknown, row["note"].as_str().is_some_and(|note| note.contains("score: too little")), "{row:?}");
    }
    // Those with a sponsor who left are told to look for the next one first.
    for row in &at_risk {
        let gone = number(row, "sponsors_left") > 0.0;
        assert_eq!(gone, text(row, "next_step").starts_with("Meet the new sponsor"), "{row:?}");
    }
}

#[test]
fn accounts_at_risk_at_a_past_day_without_renewal_days_left_more_often_than_others() {
    let left = sql_rows(
        "select account_id from accounts where churned_on >= date '2026-01-01' and churned_on < date '2026-05-01'",
    );
    let left: Vec<&str> = left.iter().map(|row| text(row, "account_id")).collect();
    let at_risk = rows("accounts-at-risk", &["as_of=2026-01-01", "renewal_days=0"]);
    let who_left = at_risk.iter().filter(|row| left.contains(&text(row, "account_id"))).count();
    assert!(2 * who_left >= at_risk.len() && at_risk.len() >= 8, "{who_left} of {}", at_risk.len());
}

#[test]
fn themes_of_those_who_leave_without_a_word_go_with_high_scores_and_are_marked() {
    let found = rows("improvement-opportunities", &[]);
    let competitors = found
        .iter()
        .find(|row| text(row, "kind") == "theme" && text(row, "opportunity") == "competitor interest")
        .expect("a theme");
    assert!(number(competitors, "low") > 0.0 && number(competitors, "priority").abs() < 1e-9, "{competitors:?}");
    assert!(text(competitors, "note").starts_with("scores higher"), "{competitors:?}");
    for row in found.iter().filter(|row| !row["effect"].is_null()) {
        let lost = (-number(row, "effect")).max(0.0);
        let product = number(row, "reach") * lost * number(row, "revenue_at_risk") / 1e6;
        assert!((product - number(row, "priority")).abs() < 1e-6, "{row:?}");
        assert!(number(row, "low") < number(row, "effect") && number(row, "effect") < number(row, "high"), "{row:?}");
    }
    // Few answers give no effect, and no effect is no priority of 0.
    let few = rows("improvement-opportunities", &["months=1"]);
    assert!(few.iter().any(|row| row["effect"].is_null()), "{few:?}");
    for row in &few {
        assert_eq!(row["effect"].is_null(), row["priority"].is_null(), "{row:?}");
    }
    // What has no priority has no place in the order of priorities.
    for row in &found {
        assert_eq!(row["rank"].is_null(), row["priority"].as_f64().is_none_or(|priority| priority <= 0.0), "{row:?}");
    }
    // Where staff are short, escalations are for want of them.
    let bangalore = sql_rows(&format!(
        "select root_cause from escalations join offices using (office_id) where office = '{}' \
         group by root_cause order by count(*) desc limit 1",
        story::STAFFING_OFFICE
    ));
    assert_eq!(text(&bangalore[0], "root_cause"), "staffing");
}

#[test]
fn a_month_that_is_not_booked_is_no_month_in_which_everybody_left() {
    for (parameter, note) in
        [("period=2026-10", "the end month is not booked"), ("months=120", "the start month is not booked")]
    {
        let parts = rows("revenue-retention", &[parameter]);
        assert_eq!(parts.len(), 1, "{parts:?}");
        assert_eq!(text(&parts[0], "note"), note);
        for column in ["accounts", "lost", "logo_churn", "grr", "nrr", "churn", "new_accounts", "new_revenue"] {
            assert!(parts[0][column].is_null(), "{column}: {parts:?}");
        }
        assert!(rows("revenue-movements", &[parameter]).is_empty());
        for part in rows("clv-and-cac", &[parameter]) {
            assert!(["accounts", "retention", "clv"].into_iter().all(|column| part[column].is_null()), "{part:?}");
            assert!(text(&part, "note").contains(note), "{part:?}");
        }
    }
}

#[test]
fn months_of_touches_that_are_not_loaded_make_no_account_look_left_alone() {
    let now = rows("accounts-at-risk", &[]).len();
    let later = rows("accounts-at-risk", &["as_of=2027-01-01"]);
    assert!(later.iter().all(|account| account["touches_change"].is_null()), "{later:?}");
    assert!(later.len() < now + 30, "{} accounts at risk, {now} today", later.len());
    let health = rows("customer-health", &["as_of=2027-01-01"]);
    assert!(health.iter().all(|account| account["engagement"].is_null()));
    assert!(health.iter().all(|account| number(account, "coverage") < 1.0));
}

#[test]
fn an_opportunity_whose_revenue_is_not_known_has_no_priority() {
    let found = rows("improvement-opportunities", &["to=2026-10"]);
    let unknown: Vec<_> =
        found.iter().filter(|row| row["revenue_at_risk"].is_null() || row["revenue_share"].is_null()).collect();
    assert!(!unknown.is_empty(), "{found:?}");
    for column in ["priority", "rank", "revenue", "revenue_at_risk"] {
        assert!(unknown.iter().all(|row| row[column].is_null()), "{column}: {unknown:?}");
    }
}
