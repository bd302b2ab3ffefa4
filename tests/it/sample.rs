//! The sample company: its lake from the binary alone, its golden results, and the truths planted in it.

use std::collections::BTreeMap;
use std::path::Path;

use cxlake::hash::Hash;
use cxlake::sample::story;

use super::harness::{Folder, Row, cxlake, number, repository, rows, sql_rows, text};

/// The middle value.
fn median(mut values: Vec<f64>) -> f64 {
    assert!(!values.is_empty(), "no values");
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

#[test]
fn every_saved_query_gives_its_golden_result() {
    let listed = cxlake(["queries", "--format", "csv"]).prints();
    let names: Vec<&str> = listed.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert!(names.len() >= 8, "{listed}");
    for name in names {
        let said = cxlake(["run", name, "--format", "table"]).run();
        assert_eq!(said.code, Some(0), "{said}");
        // A long result is held by its head and its end, which show what changed, and by its length and its hash.
        let text = said.text();
        let lines: Vec<&str> = text.lines().collect();
        let shown = match lines.len() {
            0..=160 => text.clone(),
            length => {
                let (head, end) = (lines[..60].join("\n"), lines[length - 20..].join("\n"));
                format!("{head}\n… {length} lines, {} …\n{end}\n", &Hash::of(text.as_bytes())[..16])
            }
        };
        insta::assert_snapshot!(format!("golden@{name}"), format!("{}{shown}", said.stderr));
    }
}

#[test]
fn north_america_pays_about_seven_times_for_marketing_and_sales_and_emea_is_the_mirror_image() {
    let cells = rows("cost-per-touch", &["months=12"]);
    let median_index = |region: &str, function: &str| {
        let of = cells.iter().filter(|row| text(row, "region") == region && text(row, "function") == function);
        median(of.filter_map(|row| row["index"].as_f64()).collect())
    };
    for function in ["marketing", "sales"] {
        let index = median_index("NA", function);
        assert!((5.5..8.0).contains(&index), "NA {function}: {index}");
        assert!(median_index("EMEA", function) < 1.0, "EMEA {function}");
    }
    for function in ["experience", "support"] {
        let index = median_index("EMEA", function);
        assert!((1.8..2.8).contains(&index), "EMEA {function}: {index}");
        assert!((0.4..0.7).contains(&median_index("NA", function)), "NA {function}");
    }
}

#[test]
fn peers_are_all_other_offices_whichever_are_shown() {
    let all = rows("cost-per-touch", &[]);
    let chosen = rows("cost-per-touch", &["offices=New York,Lyon", "functions=sales"]);
    assert_eq!(chosen.len(), 2);
    for row in &chosen {
        let same = all.iter().find(|other| {
            text(other, "office_id") == text(row, "office_id") && text(other, "function") == text(row, "function")
        });
        assert_eq!(Some(row), same);
    }
}

#[test]
fn the_gaps_are_the_ones_that_were_planted() {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows("cost-gaps", &["months=24"]).iter().filter(|row| text(row, "office") != "All offices") {
        let what: Vec<&str> =
            ["not_reported", "incomplete"].iter().filter_map(|column| row[*column].as_str()).collect();
        let month = &text(row, "period")[..7];
        found.entry(text(row, "office").to_owned()).or_default().push(format!("{month} {}", what.join("; ")));
    }
    let all = "experience, marketing, sales, support";
    let planted: BTreeMap<String, Vec<String>> = [
        ("Osaka", vec![format!("2026-09 {all}")]),
        ("Vancouver", vec![format!("2026-06 {all}"), format!("2025-12 {all}")]),
        ("Warsaw", ["2026-09", "2026-08", "2026-07"].map(|month| format!("{month} marketing, sales")).to_vec()),
        (
            "Milan",
            ["2026-09", "2026-08", "2026-07", "2026-06", "2026-05"]
                .map(|month| format!("{month} support: cost without touches"))
                .to_vec(),
        ),
        ("Delhi", vec!["2026-09 experience: touches without cost".to_owned()]),
        ("Frankfurt", vec!["2026-09 experience: partial".to_owned()]),
    ]
    .map(|(office, gaps)| (office.to_owned(), gaps))
    .into();
    assert_eq!(found, planted);
}

#[test]
fn some_of_the_latest_months_costs_are_estimates() {
    let cells = rows("cost-months", &["months=1"]);
    let estimates = cells.iter().filter(|row| row["is_estimate"] == true).count();
    let plain = sql_rows(
        "select count(distinct concat(office_id, function)) filter (where is_estimate) as cells, \
         count(*) filter (where is_estimate) / cast(count(*) as double) as share \
         from cost_per_touch where period = date '2026-09-01'",
    );
    assert_eq!(plain[0]["cells"], estimates);
    assert!((number(&plain[0], "share") - story::ESTIMATED_LAST_MONTH).abs() < 0.02, "{plain:?}");
}

#[test]
fn a_gap_is_never_a_zero() {
    for row in rows("cost-per-touch", &["months=1"]) {
        let status = text(&row, "status");
        if ["not reported", "cost without touches", "touches without cost", "explicit zero"].contains(&status) {
            assert!(row["cost_per_touch"].is_null() && row["index"].is_null(), "{row:?}");
        }
        if text(&row, "office") == "Chennai" && text(&row, "function") == "marketing" {
            assert_eq!((status, number(&row, "touches")), ("explicit zero", 0.0));
        }
    }
}

#[test]
fn an_office_counts_from_the_month_in_which_it_opened() {
    let before = rows("cost-months", &["period=2025-03", "months=1"]);
    let after = rows("cost-months", &["period=2025-04", "months=1"]);
    let hyderabad = |rows: &[Row]| rows.iter().filter(|row| text(row, "office") == "Hyderabad").count();
    assert_eq!((hyderabad(&before), before.len()), (0, 30 * 4));
    assert_eq!((hyderabad(&after), after.len()), (4, 31 * 4));
}

#[test]
fn the_offices_out_of_line_within_their_region_are_found() {
    let outliers = rows("cost-outliers", &["beyond=8"]);
    let judged = outliers.iter().filter(|row| !row["robust_z"].is_null());
    let found: Vec<(&str, &str)> = judged.map(|row| (text(row, "office"), text(row, "function"))).collect();
    assert_eq!(found, [("Lyon", "marketing"), ("Pune", "support"), ("Madrid", "sales")]);
}

#[test]
fn accounts_about_to_churn_look_fine_in_surveys_and_are_found_by_what_staff_heard() {
    let options = cxlake::sample::Options::default();
    let planted: Vec<String> = cxlake::sample::silent_accounts(&options).collect();
    assert_eq!(planted.len(), 12);
    let health = rows("customer-health", &[]);
    for account in &planted {
        let row = health.iter().find(|row| text(row, "account_id") == account).expect("a customer");
        assert_eq!((text(row, "band"), text(row, "weakest")), ("at risk", "field feedback"), "{row:?}");
        let detail = rows("customer-health-detail", &[&format!("account={account}")]);
        for component in ["relationship", "satisfaction", "effort"] {
            let score =
                detail.iter().find(|row| text(row, "component") == component).and_then(|row| row["score"].as_f64());
            assert!(score.is_none_or(|score| score > 60.0), "{account} {component}: {score:?}");
        }
    }
}

#[test]
fn the_points_of_the_components_add_up_to_the_health() {
    for row in rows("customer-health", &[]).iter().filter(|row| text(row, "band") != "unknown") {
        let components = ["relationship", "satisfaction", "effort", "field_feedback", "engagement"];
        let points: f64 = components.iter().filter_map(|component| row[*component].as_f64()).sum();
        assert!((points - number(row, "health")).abs() < 1e-9, "{row:?}");
    }
    let detail = rows("customer-health-detail", &["account=000010"]);
    let whole: f64 = detail.iter().map(|row| number(row, "points") + number(row, "points_lost")).sum();
    assert!((whole - 100.0).abs() < 1e-9, "{whole}");
}

#[test]
fn an_account_of_which_too_little_is_known_is_unknown_and_not_zero() {
    let unknown = rows("customer-health", &["bands=unknown"]);
    assert!(unknown.len() > 20, "{}", unknown.len());
    for row in &unknown {
        assert!(row["health"].is_null() && number(row, "coverage") < 0.5, "{row:?}");
    }
}

#[test]
fn health_at_a_past_day_knows_nothing_that_came_later() {
    let components = rows("customer-health-components", &["as_of=2026-01-01"]);
    let newest = components.iter().filter_map(|row| row["newest"].as_str()).max().expect("something is known");
    assert!(newest < "2026-01-01", "{newest}");
    // The bad notes of the accounts about to churn came in the last months.
    let at_risk = |day: &str| {
        let planted: Vec<String> = cxlake::sample::silent_accounts(&cxlake::sample::Options::default()).collect();
        let rows = rows("customer-health", &[&format!("as_of={day}")]);
        let is_found = |row: &&Row| {
            planted.iter().any(|account| text(row, "account_id") == account) && text(row, "band") == "at risk"
        };
        rows.iter().filter(is_found).count()
    };
    assert_eq!(at_risk("2026-10-06"), 12);
    // One of them had a bad spell before, for another reason.
    assert_eq!(at_risk("2026-05-01"), 1);
}

#[test]
fn nps_is_lower_in_north_america_and_falls_in_seattle() {
    let offices = rows("nps-by-office", &["from=2026-07", "to=2026-09", "survey_types=relationship,executive,pulse"]);
    let seattle = offices.iter().find(|row| text(row, "office") == "Seattle").expect("an office");
    assert!(number(seattle, "nps") < 0.0, "{seattle:?}");
    let trend = rows("nps-trend", &["months=1", "to=2026-09"]);
    let of = |region: &str| {
        let row = trend.iter().find(|row| text(row, "region") == region).expect("a region");
        number(row, "nps_3_months")
    };
    assert!(of("NA") < of("APAC") && of("APAC") < of("EMEA"), "{trend:?}");
}

#[test]
fn nps_in_emea_is_higher_in_the_second_year_than_in_the_first() {
    let months = rows("nps-trend", &["months=24", "regions=EMEA"]);
    assert_eq!(months.len(), 24);
    let year = |months: &[Row]| {
        let net: f64 = months.iter().map(|row| number(row, "nps") * number(row, "n")).sum();
        net / months.iter().map(|row| number(row, "n")).sum::<f64>()
    };
    let (first, second) = (year(&months[..12]), year(&months[12..]));
    assert!(second > first + 2.0, "{first}, {second}");
}

#[test]
fn open_field_feedback_is_overdue_and_the_severe_more_often() {
    let themes = rows("feedback-themes", &["months=24"]);
    let all = |column: &str| themes.iter().map(|row| number(row, column)).sum::<f64>();
    let plain = sql_rows(
        "select count(*) as notes, count(*) filter (where due_on < date '2026-10-06') as overdue, \
         avg(case when due_on < date '2026-10-06' then 1.0 else 0.0 end) \
             filter (where sentiment = 'negative' and severity >= 4) as severe \
         from field_feedback where status <> 'closed'",
    );
    let plain = |column: &str| number(&plain[0], column);
    assert_eq!((all("still_open"), all("overdue")), (plain("notes"), plain("overdue")));
    assert!((plain("overdue") / plain("notes") - story::OVERDUE).abs() < 0.05, "{}", plain("overdue"));
    assert!((plain("severe") - story::OVERDUE_SEVERE).abs() < 0.12, "{}", plain("severe"));
}

#[test]
fn the_theme_that_rises_and_the_one_that_falls_are_found() {
    let themes = rows("feedback-themes", &[]);
    let change =
        |theme: &str| number(themes.iter().find(|row| text(row, "theme") == theme).expect("a theme"), "change");
    assert!(change("response time") > 5.0 && change("billing accuracy") < -5.0, "{themes:?}");
}

#[test]
fn the_committed_sample_is_what_the_generator_makes() {
    let folder = Folder::new();
    cxlake(["generate", folder.at("lake").to_str().expect("a path"), "--quiet", "--threads", "2"]).prints();
    let listed = cxlake(["tables", "--format", "csv"]).prints();
    let tables: Vec<&str> = listed.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(tables.len(), 17, "{listed}");
    for table in tables {
        // Rows of files that are read side by side come in no order.
        let sorted = |lake: &Path| {
            let call = cxlake(["--format", "csv", "-c", &format!("select * from {table}")]).within(lake);
            let mut lines: Vec<String> = call.prints().lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let (made, committed) = (sorted(&folder.at("lake")), sorted(repository()));
        let differ = made.iter().zip(&committed).find(|(made, committed)| made != committed);
        assert_eq!((differ, made.len()), (None, committed.len()), "{table}");
    }
}

#[test]
fn init_makes_a_lake_from_the_binary_alone_and_never_overwrites_one() {
    let folder = Folder::new();
    folder.cxlake(["init", "new", "--quiet"]).prints();
    assert_eq!(
        folder.cxlake(["--lake", "new", "tables", "--format", "csv"]).prints(),
        "table,rows,bytes,written,files,partition,path,description\n"
    );
    assert_eq!(
        folder.cxlake(["init", "new"]).fails(2),
        "error: `new` is a lake already: it has a `cxlake.toml`\n\nhint: choose another folder; nothing was changed\n"
    );
    let said = folder.cxlake(["init", "sample", "--sample"]).run();
    assert_eq!(said.code, Some(0), "{said}");
    assert!(said.stderr.ends_with("try: cxlake --lake sample run cost-per-touch\n"), "{said}");
    let run = |lake: &Path| cxlake(["run", "cost-per-touch", "--quiet", "--format", "csv"]).within(lake).prints();
    assert_eq!(run(&folder.at("sample")), run(repository()));
}

#[test]
fn a_larger_company_keeps_the_rates_and_the_truths() {
    let folder = Folder::new();
    folder.cxlake(["generate", "lake", "--scale", "3", "--seed", "7", "--quiet"]).prints();
    let count = |table: &str| {
        let query = format!("select count(*) as n from {table}");
        let text = folder.cxlake(["--lake", "lake", "--format", "csv", "-c", &query]).prints();
        text.lines().nth(1).and_then(|line| line.parse::<u64>().ok()).expect("a count")
    };
    assert_eq!((count("offices"), count("accounts")), (31, 1800));
    assert_eq!(count("cost_per_touch"), 3 * 8800);
    // What follows offices, partners or the calendar does not grow with the accounts.
    assert_eq!((count("operations"), count("assessments"), count("fx_rates")), (5904, 9920, 216));
    assert!((3900..4200).contains(&count("contacts")), "{}", count("contacts"));
    let query = "select round(sum(cost) / sum(touches)) as rate from cost_per_touch c join offices o using (office_id) \
                 where region = 'APAC' and function = 'sales'";
    let rate = |lake: &str| cxlake(["--lake", lake, "--format", "csv", "-c", query]).prints();
    let rate = |lake: &str| rate(lake).lines().nth(1).and_then(|line| line.parse::<f64>().ok()).expect("a rate");
    let (small, large) = (rate(&repository().display().to_string()), rate(&folder.at("lake").display().to_string()));
    assert!((small / large - 1.0).abs() < 0.1, "{small} {large}");
}
