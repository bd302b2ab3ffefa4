//! The bases of the library's queries on surveys: who counts, how often, and what is no number as nothing is known.

use std::collections::BTreeSet;

use super::harness::{Folder, Row, cxlake, number, rows, sql_rows, text};

fn same(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

/// The row in which this column has this text.
fn row<'a>(rows: &'a [Row], column: &str, value: &str) -> &'a Row {
    rows.iter().find(|row| text(row, column) == value).unwrap_or_else(|| panic!("no `{value}` in {rows:?}"))
}

/// Invitations with an answer to the question for NPS in these months, each counted once.
fn answered_once(and: &str) -> Vec<Row> {
    sql_rows(&format!(
        "select account_id, count(*) as n from (select distinct account_id, contact_id, survey_type, sent_at from surveys \
         join offices using (office_id) where nps is not null and {and}) group by account_id"
    ))
}

#[test]
fn escalations_of_months_that_are_not_on_record_are_no_change() {
    let is_told = |parameters: &[&str]| -> BTreeSet<bool> {
        let stages = rows("journey-scorecard", parameters);
        assert!(stages.iter().all(|row| row["escalations"].is_number()), "{stages:?}");
        stages.iter().map(|row| row["escalations_change"].is_number()).collect()
    };
    assert_eq!(is_told(&["months=24"]), BTreeSet::from([false]));
    // Of the first month two escalations are on record, and nothing else.
    assert_eq!(is_told(&["months=12", "to=2026-08"]), BTreeSet::from([false]));
    assert_eq!(is_told(&["months=12", "to=2026-09"]), BTreeSet::from([true]));
}

#[test]
fn the_response_rate_of_an_office_is_the_same_wherever_it_is_told() {
    let offices = rows("nps-by-office", &[]);
    let rates = rows("survey-response", &["by=office", "survey_types=relationship", "months=12"]);
    assert_eq!(offices.len(), 31);
    for office in &offices {
        let other = row(&rates, "group_name", text(office, "office"));
        for column in ["invited", "delivered", "response_rate"] {
            assert_eq!(office[column], other[column], "{column}: {office:?}");
        }
    }
    assert!(offices.iter().any(|row| number(row, "delivered") < number(row, "invited")), "{offices:?}");
}

#[test]
fn an_invitation_that_was_answered_twice_counts_once_in_trends_and_drivers() {
    let july = "survey_type = 'relationship' and date_trunc('month', answered_at) = timestamp '2026-07-01'";
    let people: f64 = answered_once(july).iter().map(|row| number(row, "n")).sum();
    let trend = rows("nps-trend", &["to=2026-07", "months=1"]);
    assert!(same(number(&trend[0], "n"), people), "{trend:?} {people}");
    let year = answered_once("answered_at >= timestamp '2025-10-01' and answered_at < timestamp '2026-10-01'");
    let accounts = rows("nps-driver-answers", &[]);
    assert_eq!(accounts.len(), year.len());
    for account in &accounts {
        let once = row(&year, "account_id", text(account, "account_id"));
        assert_eq!(account["answers"], once["n"], "{account:?}");
    }
}

#[test]
fn touches_a_month_are_over_all_months_with_the_account_as_a_customer() {
    let year = sql_rows(
        "select account_id, sum(touches) / 12.0 as touches from touches join accounts using (account_id) \
         where period >= date '2025-10-01' and period < date '2026-10-01' and started_on < date '2025-11-01' and churned_on is null \
         group by account_id",
    );
    let accounts = rows("nps-driver-answers", &[]);
    let whole: Vec<(&Row, &Row)> = accounts
        .iter()
        .filter_map(|account| Some((account, year.iter().find(|row| row["account_id"] == account["account_id"])?)))
        .collect();
    assert!(whole.len() > 400, "{}", whole.len());
    for (account, plain) in whole {
        assert!((number(account, "touches") - number(plain, "touches")).abs() < 1e-5, "{account:?} {plain:?}");
    }
    // Months before the first that is loaded are not months without touches.
    let touches = |months: &str| -> Vec<f64> {
        rows("nps-driver-answers", &[months]).iter().filter_map(|account| account["touches"].as_f64()).collect()
    };
    let (longer, whole) = (touches("months=36"), touches("months=24"));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    assert!(
        longer.len() >= whole.len() && (mean(&longer) - mean(&whole)).abs() < 0.5,
        "{} {}",
        mean(&longer),
        mean(&whole)
    );
}

#[test]
fn an_office_with_few_answers_has_no_high_score_that_hides_detractors() {
    assert_eq!(rows("reason-codes", &["of=hidden", "high_from=100", "months=1"]), Vec::<Row>::new());
    // High is what nps-by-office shows as high, not what other surveys pull up or down.
    let scores = rows("nps-by-office", &["from=2026-04", "survey_types=relationship,pulse,executive"]);
    let high: Vec<&str> = scores
        .iter()
        .filter(|row| row["nps"].as_f64().is_some_and(|nps| nps >= 40.0))
        .map(|row| text(row, "office_id"))
        .collect();
    let plain = sql_rows(&format!(
        "select count(distinct account_id) as n from field_feedback where sentiment = 'negative' and office_id in ('{}') \
         and captured_at >= timestamp '2026-04-01' and captured_at < timestamp '2026-10-01' and reason_codes(text) <> ['None']",
        high.join("', '")
    ));
    let reasons = rows("reason-codes", &["of=hidden", "posts=field notes"]);
    assert!(same(number(&reasons[0], "base"), number(&plain[0], "n")), "{high:?} {reasons:?} {plain:?}");
}

#[test]
fn an_office_is_scored_by_answers_about_touchpoints_that_nobody_measures() {
    let june = "date_trunc('month', answered_at) = timestamp '2026-06-01'";
    let answers: f64 =
        answered_once(&format!("office = 'Amsterdam' and {june}")).iter().map(|row| number(row, "n")).sum();
    let cells = rows("inside-out", &["from=2026-06", "to=2026-06", "offices=Amsterdam"]);
    assert!(answers > 0.0 && cells.iter().all(|row| same(number(row, "office_n"), answers)), "{answers} {cells:?}");
    // What surveys ask about a touchpoint is known from other offices, measured there or not.
    let lake = Folder::sample_with(
        "operations",
        "select o.* from operations o join offices using (office_id) where office = 'Amsterdam' and touchpoint = 'delivery'",
    );
    let cells = lake.rows("inside-out", &["from=2026-06", "to=2026-06"]);
    assert_eq!(cells.len(), 1);
    assert_eq!((text(&cells[0], "outside_measure"), text(&cells[0], "note")), ("CSAT, 4 and 5", "no answers"));
}

#[test]
fn a_person_whose_role_and_office_changed_is_one_person() {
    let lake = Folder::sample_with(
        "surveys",
        "select * replace (case when date_part('month', sent_at) <= 6 then 'O01' else 'O02' end as office_id, \
         case when date_part('month', sent_at) <= 6 then 'user' else 'executive' end as contact_role) \
         from surveys order by office_id, account_id, sent_at",
    );
    let silent =
        |rows: &[Row]| -> BTreeSet<String> { rows.iter().map(|row| text(row, "contact_id").to_owned()).collect() };
    let unheard = lake.rows("never-answered", &[]);
    assert_eq!(silent(&unheard), silent(&rows("never-answered", &[])));
    // The latest invitations are those of July and later.
    let later: Vec<&Row> = unheard.iter().filter(|row| text(row, "last_invited_on") >= "2026-07-01").collect();
    assert!(!later.is_empty() && later.iter().all(|row| text(row, "contact_role") == "executive"), "{later:?}");
    let asked = |levels: &[Row], trait_name: &str| -> f64 {
        levels.iter().filter(|row| text(row, "trait") == trait_name).map(|row| number(row, "asked")).sum()
    };
    let reached = asked(&rows("survey-bias", &[]), "segment");
    let levels = lake.rows("survey-bias", &["traits=region,segment,role,office"]);
    for trait_name in ["region", "segment", "role", "office"] {
        assert!(same(asked(&levels, trait_name), reached), "{trait_name}: {levels:?}");
    }
    let people = |rows: &[Row]| rows.iter().map(|row| number(row, "n")).sum::<f64>();
    assert!(same(people(&lake.rows("nps-by-office", &[])), people(&rows("nps-by-office", &[]))));
}

#[test]
fn a_side_of_a_change_without_answers_is_named_and_has_its_row() {
    let notes = |parameters: &[&str]| -> Vec<(String, String)> {
        let sides = rows("pulse-before-after", parameters);
        let of_nps = sides.iter().filter(|row| text(row, "measure") == "NPS");
        of_nps
            .map(|row| (text(row, "office_group").to_owned(), row["note"].as_str().unwrap_or_default().to_owned()))
            .collect()
    };
    let named = |rows: [(&str, &str); 3]| rows.map(|(group, note)| (group.to_owned(), note.to_owned())).to_vec();
    let lacking = "no answers from the changed offices";
    assert_eq!(
        notes(&["offices=Lyon", "survey_types=executive", "months=1"]),
        named([("changed", lacking), ("others", ""), ("changed less others", lacking)])
    );
    let offices = sql_rows("select office from offices where region = 'NA' order by 1");
    let offices: Vec<&str> = offices.iter().map(|row| text(row, "office")).collect();
    let lacking = "no answers from other offices";
    assert_eq!(
        notes(&[&format!("offices={}", offices.join(",")), "compare_with=region"]),
        named([("changed", ""), ("others", lacking), ("changed less others", lacking)])
    );
}

#[test]
fn shares_of_answers_are_of_invitations_that_were_delivered() {
    let lake = Folder::sample_with("contacts", "select * replace (date '2026-04-08' as left_on) from contacts");
    let types = lake.rows("survey-response", &[]);
    assert!(types.iter().any(|row| number(row, "with_blanks") > 0.0), "{types:?}");
    for row in &types {
        assert!(number(row, "with_blanks") <= number(row, "answered"), "{row:?}");
        assert!(number(row, "commented_share") <= 1.0, "{row:?}");
    }
}

#[test]
fn a_month_since_a_change_begins_on_its_last_day_where_it_has_no_such_day() {
    let answers = rows("change-answers", &["change=2025-12-31", "months=6"]);
    let months = |day: &str| -> BTreeSet<Option<i64>> {
        answers
            .iter()
            .filter(|row| text(row, "answered_at").starts_with(day))
            .map(|row| row["month_offset"].as_i64())
            .collect()
    };
    for (day, month) in [
        ("2025-09-29", -4),
        ("2025-09-30", -3),
        ("2025-12-30", -1),
        ("2025-12-31", 0),
        ("2026-02-27", 1),
        ("2026-02-28", 2),
    ] {
        assert_eq!(months(day), BTreeSet::from([Some(month)]), "{day}");
    }
    let steps = rows("pulse-around-change", &["change=2025-12-31", "months=6", "step_months=2"]);
    assert!(steps.iter().any(|row| row["step"] == 1 && text(row, "from_day") == "2026-02-28"), "{steps:?}");
}

#[test]
fn revenue_that_nobody_answered_for_is_covered_by_nothing_and_what_is_not_overdue_is_0() {
    let lake = Folder::sample_with(
        "surveys",
        "select s.* from surveys s join offices using (office_id) where region = 'NA' order by office_id, account_id, sent_at",
    );
    let regions = lake.rows("nps-three-ways", &[]);
    let emea = row(&regions, "region", "EMEA");
    assert!(number(emea, "revenue") > 0.0 && same(number(emea, "covered_revenue"), 0.0), "{emea:?}");
    assert!(same(number(emea, "revenue_coverage"), 0.0) && text(emea, "note") == "no answers", "{emea:?}");
    // Where no revenue is known, nothing is known of what is covered.
    let before = rows("nps-three-ways", &["to=2024-08"]);
    assert!(before.iter().all(|row| row["revenue"].is_null() && row["covered_revenue"].is_null()), "{before:?}");
    let offices = rows("follow-up-state", &[]);
    let punctual: Vec<&Row> = offices.iter().filter(|row| same(number(row, "overdue"), 0.0)).collect();
    assert!(
        !punctual.is_empty() && punctual.iter().all(|row| same(number(row, "revenue_overdue"), 0.0)),
        "{punctual:?}"
    );
}

#[test]
fn a_line_of_several_measures_or_regions_is_one_for_each() {
    let folder = Folder::new();
    let out = folder.path().to_str().expect("a folder in UTF-8").to_owned();
    for (query, parameters, wanted) in [
        ("pulse-around-change", ["measures=NPS,CSAT", "step_months=3"], ["NPS, changed went", "CSAT, changed went"]),
        (
            "partner-and-customer-themes",
            ["themes=response time", "regions=EMEA,APAC"],
            ["EMEA, response time went", "APAC, response time went"],
        ),
    ] {
        let parameters = parameters.iter().flat_map(|parameter| ["-p", parameter]);
        let call = ["report", query, "--format", "md", "-o", &out].into_iter().chain(parameters);
        cxlake(call).prints();
        let text = folder.read(&format!("{query}.md"));
        assert!(wanted.iter().all(|line| text.contains(line)) && !text.contains("not drawn"), "{text}");
    }
}

#[test]
fn all_regions_together_are_no_region_and_stand_beside_all_three_only() {
    for query in ["nps-trend", "journey-scorecard"] {
        let regions = |parameters: &[&str]| -> BTreeSet<String> {
            rows(query, parameters).iter().map(|row| text(row, "region").to_owned()).collect()
        };
        assert_eq!(regions(&[]), BTreeSet::from(["APAC", "All", "EMEA", "NA"].map(str::to_owned)), "{query}");
        assert_eq!(regions(&["regions=NA,EMEA"]), BTreeSet::from(["EMEA", "NA"].map(str::to_owned)), "{query}");
        assert!(cxlake(["run", query]).run().stderr.contains("\n  regions = all (3)\n"), "{query}");
    }
}

#[test]
fn a_score_or_a_share_that_too_few_stand_behind_says_so() {
    for (query, columns) in [
        ("journey-scorecard", &["csat", "csat_change", "nps", "nps_change", "ces", "ces_change", "negative_share"][..]),
        ("follow-up-state", &["in_time_share", "overdue_share", "median_days", "solved_share"][..]),
    ] {
        let cells = rows(query, &[]);
        let lacks = |row: &&Row| columns.iter().any(|column| row[*column].is_null());
        assert!(cells.iter().any(|row| lacks(&row)), "{query}");
        for row in cells.iter().filter(lacks) {
            let note = text(row, "note");
            assert!(note.contains("base too small") || note.contains("too few calls made"), "{query}: {row:?}");
        }
    }
}

#[test]
fn a_share_of_nobody_is_no_number_and_a_single_competency_is_the_lowest() {
    let roles = cxlake(["run", "personas", "-p", "to=2015-01", "--quiet", "--format", "csv"]).prints();
    assert!(roles.contains("\nAll,0,0,,0,"), "{roles}");
    let lake = Folder::sample_with("assessments", "select * from assessments where competency = 'listening'");
    let offices = lake.rows("competency-assessment", &[]);
    assert!(offices.iter().any(|row| row["is_lowest"] == true), "{offices:?}");
    for row in &offices {
        assert_eq!(row["is_lowest"] == true, text(row, "competency") == "listening", "{row:?}");
    }
}
