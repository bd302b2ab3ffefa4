//! The library's queries on how the company works: escalations, initiatives, assessments, what is measured inside, the
//! customer's journey, partners, who answers, personas, follow-ups and changes. Each planted truth is found through its query.

use std::collections::BTreeSet;

use cxlake::sample::story;

use super::harness::{Row, number, rows, sql_rows, text};

/// The row in which these columns have these texts.
fn row<'a>(rows: &'a [Row], wanted: &[(&str, &str)]) -> &'a Row {
    let found = rows.iter().find(|row| wanted.iter().all(|(column, value)| row[*column].as_str() == Some(value)));
    found.unwrap_or_else(|| panic!("no row with {wanted:?}"))
}

/// Two figures that differ by rounding only.
fn same(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

#[test]
fn north_america_takes_twice_as_long_over_escalations_and_emea_got_faster() {
    let regions = rows("escalations", &[]);
    let of = |region: &str, column: &str| number(row(&regions, &[("group_name", region)]), column);
    assert!((1.7..2.6).contains(&(of("NA", "median_days") / of("APAC", "median_days"))), "{regions:?}");
    assert!(
        (0.85..1.2).contains(&(of("EMEA", "median_days_before") / of("APAC", "median_days_before"))),
        "{regions:?}"
    );
    assert!((0.45..0.75).contains(&(of("EMEA", "median_days") / of("EMEA", "median_days_before"))), "{regions:?}");
    assert!(of("NA", "median_change").abs() < 3.0 && of("EMEA", "median_change") < -4.0, "{regions:?}");
}

#[test]
fn escalations_in_bangalore_are_for_want_of_people() {
    let offices = rows("escalations", &["by=office", "months=12"]);
    let short: Vec<&Row> = offices
        .iter()
        .filter(|row| {
            row["top_cause"] == "staffing" && row["top_cause_share"].as_f64().is_some_and(|share| share > 0.5)
        })
        .collect();
    assert_eq!(short.len(), 1, "{short:?}");
    assert_eq!(text(short[0], "group_name"), story::STAFFING_OFFICE);
    let causes = rows("escalations", &["by=root cause", "months=12", "offices=Bangalore"]);
    assert_eq!((text(&causes[0], "group_name"), text(&causes[1], "group_name")), ("All", "staffing"));
    assert!(same(number(&causes[1], "share"), number(short[0], "top_cause_share")));
}

#[test]
fn escalations_that_are_open_are_counted_and_not_left_out() {
    let regions = rows("escalations", &[]);
    for row in &regions {
        assert!(same(number(row, "opened"), number(row, "closed") + number(row, "still_open")), "{row:?}");
    }
    let plain = sql_rows(
        "select count(*) as opened, count(*) filter (where closed_at is null) as still_open from escalations \
         where opened_at >= timestamp '2026-04-01' and opened_at < timestamp '2026-10-01'",
    );
    let all = row(&regions, &[("group_name", "All")]);
    assert!(same(number(all, "opened"), number(&plain[0], "opened")));
    assert!(same(number(all, "still_open"), number(&plain[0], "still_open")));
    let parts: f64 =
        regions.iter().filter(|row| text(row, "group_name") != "All").map(|row| number(row, "opened")).sum();
    assert!(same(parts, number(all, "opened")), "{regions:?}");
    // A month of which most is still open has no ninetieth percentile, rather than a short one.
    let early = rows("escalations", &["to=2026-09", "months=1", "as_of=2026-10-01"]);
    let early = row(&early, &[("group_name", "All")]);
    assert!(number(early, "still_open") > number(early, "closed") && early["p90_days"].is_null(), "{early:?}");
}

#[test]
fn six_initiatives_are_stale_four_are_over_budget_and_what_can_be_acted_on_comes_first() {
    let portfolio = rows("initiative-portfolio", &[]);
    assert_eq!(portfolio.len(), 40);
    let with = |column: &str| portfolio.iter().filter(|row| row[column] == true).count();
    assert_eq!((with("is_stale"), with("is_over_budget"), with("is_overdue")), (6, 4, 1));
    let first: Vec<&str> = portfolio.iter().take(8).map(|row| text(row, "status")).collect();
    assert_eq!(first, ["in progress"; 8]);
    assert_eq!(text(&portfolio[0], "initiative"), "Credit notes within five days");
    assert!(portfolio.iter().skip(10).all(|row| row["flags"].is_null()));
    let flagged = rows("initiative-portfolio", &["only_flagged=true"]);
    assert_eq!(flagged, portfolio[..10]);
    for row in portfolio.iter().filter(|row| row["is_over_budget"] == true) {
        assert!(same(number(row, "over_budget"), number(row, "spent") - number(row, "budget")), "{row:?}");
    }
}

#[test]
fn chicago_thinks_better_of_itself_than_its_customers_do_and_dublin_got_better() {
    let offices = rows("competency-assessment", &[]);
    let all = |row: &&Row| text(row, "competency") == "all";
    let overrated: Vec<&str> = offices
        .iter()
        .filter(all)
        .filter(|row| number(row, "self_less_customers") > 1.0)
        .map(|row| text(row, "group_name"))
        .collect();
    assert_eq!(overrated, [story::OVERRATED_OFFICE]);
    for row in offices.iter().filter(|row| text(row, "group_name") == story::OVERRATED_OFFICE) {
        assert!(number(row, "self_less_customers") > 1.0, "{row:?}");
    }
    let improved: Vec<&Row> = offices.iter().filter(all).filter(|row| number(row, "change") > 0.5).collect();
    assert_eq!(improved.len(), 1, "{improved:?}");
    assert_eq!(text(improved[0], "group_name"), story::IMPROVED_OFFICE);
    assert!(
        (0.6..0.8).contains(&number(improved[0], "change")) && number(improved[0], "change_z") > 3.0,
        "{improved:?}"
    );
}

#[test]
fn follow_through_is_the_weakest_everywhere_and_below_the_industry_in_north_america() {
    let regions = rows("competency-assessment", &["by=region", "raters=customer panel"]);
    let lowest: BTreeSet<&str> =
        regions.iter().filter(|row| row["is_lowest"] == true).map(|row| text(row, "competency")).collect();
    assert_eq!(lowest, BTreeSet::from(["follow-through"]));
    let of = |region: &str| row(&regions, &[("group_name", region), ("competency", "follow-through")]);
    assert!((number(of("NA"), "score") - 2.91).abs() < 0.02 && (number(of("NA"), "benchmark") - 3.3).abs() < 0.02);
    assert_eq!(text(of("NA"), "band"), "needs work");
    assert!(number(of("EMEA"), "gap") > 0.0 && number(of("APAC"), "gap") > 0.0, "{regions:?}");
    let best = regions.iter().max_by(|a, b| number(a, "score").total_cmp(&number(b, "score"))).expect("a region");
    assert_eq!((text(best, "group_name"), text(best, "competency")), ("EMEA", "listening"));
}

#[test]
fn seattle_is_green_inside_and_red_outside_and_london_the_other_way_round() {
    let cells = rows("inside-out", &[]);
    let agreed = |verdict: &str| {
        let of = cells.iter().filter(|row| row["verdict"] == verdict && row["standing"] == "office agrees");
        of.map(|row| (text(row, "office"), text(row, "touchpoint"))).collect::<Vec<_>>()
    };
    assert_eq!(agreed("watermelon"), [("Seattle", "phone call")]);
    assert_eq!(agreed("underrated").first(), Some(&story::HIDDEN_GEM));
    // Few answer about Seattle's tickets; its customers as a whole say what they think.
    for (office, touchpoint) in story::WATERMELONS {
        let cell = row(&cells, &[("office", office), ("touchpoint", touchpoint)]);
        assert_eq!(text(cell, "office_verdict"), "watermelon", "{cell:?}");
    }
    let london = row(&cells, &[("office", "London"), ("touchpoint", "invoice")]);
    assert!(number(london, "inside") < number(london, "inside_target"), "{london:?}");
}

#[test]
fn what_few_answered_about_has_no_verdict() {
    for row in rows("inside-out", &[]).iter().filter(|row| number(row, "n") < 10.0) {
        assert!(row["outside"].is_null() && row["low"].is_null() && row["standing"].is_null(), "{row:?}");
        assert_eq!(text(row, "verdict"), "unknown", "{row:?}");
        assert!(["no answers", "base too small"].contains(&text(row, "note")), "{row:?}");
    }
    // What is drawn is on one scale.
    for row in rows("inside-out", &[]) {
        let is_drawn = text(&row, "outside_measure") != "NPS" && !row["outside"].is_null();
        assert_eq!((!row["csat"].is_null(), row["no_csat"].is_null()), (is_drawn, is_drawn), "{row:?}");
    }
    for row in rows("journey-scorecard", &["min_base=60"]).iter().filter(|row| number(row, "csat_n") < 60.0) {
        assert!(row["csat"].is_null() && row["worst"].is_null(), "{row:?}");
    }
}

#[test]
fn every_region_has_one_worst_stage_and_north_america_is_unhappiest_at_most_of_them() {
    let stages = rows("journey-scorecard", &[]);
    assert_eq!(stages.len(), 20);
    for region in ["All", "NA", "EMEA", "APAC"] {
        let of: Vec<&Row> = stages.iter().filter(|row| text(row, "region") == region).collect();
        let worst: Vec<&&Row> = of.iter().filter(|row| !row["worst"].is_null()).collect();
        assert_eq!(worst.len(), 1, "{region}");
        let lowest = of.iter().filter_map(|row| row["csat"].as_f64()).fold(f64::INFINITY, f64::min);
        assert!(same(number(worst[0], "csat"), lowest), "{region}");
        let is_beyond_chance = number(worst[0], "stage_z") <= -1.96;
        assert_eq!(text(worst[0], "worst") == "worst", is_beyond_chance, "{region}");
    }
    let nps = |region: &str, stage: &str| number(row(&stages, &[("region", region), ("journey_stage", stage)]), "nps");
    for stage in ["onboarding", "adoption", "support", "renewal"] {
        assert!(nps("NA", stage) < nps("APAC", stage) && nps("APAC", stage) < nps("EMEA", stage), "{stage}");
    }
    let parts: f64 =
        stages.iter().filter(|row| text(row, "region") != "All").map(|row| number(row, "escalations")).sum();
    let all: f64 = stages.iter().filter(|row| text(row, "region") == "All").map(|row| number(row, "escalations")).sum();
    assert!(same(parts, all));
}

#[test]
fn partners_in_north_america_are_two_months_ahead_of_customers_on_response_time() {
    let lags = rows("theme-lags", &[]);
    let ahead: Vec<&Row> = lags.iter().filter(|row| row["is_clear"] == true && number(row, "best_lag") > 0.0).collect();
    assert_eq!(ahead.len(), 1, "{ahead:?}");
    assert_eq!((text(ahead[0], "region"), text(ahead[0], "theme")), ("NA", "response time"));
    let planted = (story::THEMES_TURN - story::PARTNERS_TURN) as f64;
    assert!(same(number(ahead[0], "best_lag"), planted) && number(ahead[0], "best_correlation") > 0.7, "{ahead:?}");
    let months = rows("partner-and-customer-themes", &[]);
    assert_eq!(months.len(), 12);
    assert!(same(number(&months[0], "correlation"), number(ahead[0], "lag_2")), "{months:?}");
    let at = |month: &str, column: &str| number(row(&months, &[("month", month)]), column);
    assert!(at("2026-05-01", "partner_share") > 0.35 && at("2026-05-01", "customer_share") < 0.2, "{months:?}");
    assert!(at("2026-07-01", "customer_share") > 0.35, "{months:?}");
    assert!(same(at("2026-07-01", "partner_share_earlier"), at("2026-05-01", "partner_share")));
    // The lag is the best one, unless another is asked for.
    assert!(months.iter().all(|row| same(number(row, "lag"), planted)), "{months:?}");
    let other = rows("partner-and-customer-themes", &["lag=1"]);
    assert!(same(number(&other[0], "correlation"), number(ahead[0], "lag_1")), "{other:?}");
}

#[test]
fn of_root_causes_that_are_as_frequent_none_is_the_first() {
    let offices = rows("escalations", &["by=office", "months=12"]);
    let tied: Vec<&Row> =
        offices.iter().filter(|row| row["top_cause"].as_str().is_some_and(|cause| cause.contains(" or "))).collect();
    assert!(!tied.is_empty(), "{offices:?}");
    for row in tied {
        let causes = text(row, "top_cause").split(" or ").count();
        let most = number(row, "opened") * number(row, "top_cause_share");
        let office = text(row, "group_name");
        let plain = sql_rows(&format!(
            "select root_cause from escalations join offices using (office_id) where office = '{office}' \
             and opened_at >= timestamp '2025-10-01' and opened_at < timestamp '2026-10-01' \
             group by root_cause having count(*) >= {most:.0}"
        ));
        assert_eq!(plain.len(), causes, "{row:?}");
    }
}

#[test]
fn more_confidence_makes_wider_intervals_and_moves_no_score() {
    for (query, score) in
        [("inside-out", "outside"), ("survey-response", "response_rate"), ("improvement-opportunities", "effect")]
    {
        let usual = rows(query, &[]);
        let sure = rows(query, &["confidence=0.99"]);
        assert_eq!(usual.len(), sure.len(), "{query}");
        for (one, other) in usual.iter().zip(&sure).filter(|(one, _)| !one["low"].is_null()) {
            assert!(same(number(one, score), number(other, score)), "{query}: {one:?} {other:?}");
            let width = |row: &Row| number(row, "high") - number(row, "low");
            assert!(width(other) > width(one), "{query}: {one:?} {other:?}");
        }
    }
}

#[test]
fn an_invitation_counts_once_and_reaches_only_those_who_are_still_there() {
    let types = rows("survey-response", &[]);
    let all = row(&types, &[("group_name", "All")]);
    let plain = sql_rows(
        "select count(*) as invited, count(*) filter (where c.left_on is null or i.sent_at < c.left_on) as delivered \
         from (select distinct contact_id, survey_type, sent_at from surveys) i join contacts c using (contact_id) \
         where i.sent_at >= timestamp '2026-04-01' and i.sent_at < timestamp '2026-10-01'",
    );
    assert!(same(number(all, "invited"), number(&plain[0], "invited")), "{all:?}");
    assert!(same(number(all, "delivered"), number(&plain[0], "delivered")), "{all:?}");
    assert!(number(all, "delivered") < number(all, "invited"), "{all:?}");
    for row in &types {
        assert!(same(number(row, "response_rate"), number(row, "answered") / number(row, "delivered")), "{row:?}");
    }
    let offices = rows("survey-response", &["by=office"]);
    assert_eq!((text(&offices[0], "group_name"), text(&offices[1], "group_name")), ("All", "Seattle"));
    assert!(number(&offices[1], "response_rate") > 0.6, "{offices:?}");
}

#[test]
fn those_who_answer_stand_for_those_who_are_asked_but_one_account_of_ten_never_does() {
    let levels = rows("survey-bias", &[]);
    for trait_name in ["region", "segment", "tier", "role", "revenue"] {
        let of = levels.iter().filter(|row| text(row, "trait") == trait_name);
        let (asked, answered) =
            of.fold((0.0, 0.0), |sum, row| (sum.0 + number(row, "asked_share"), sum.1 + number(row, "answered_share")));
        assert!(same(asked, 1.0) && same(answered, 1.0), "{trait_name}: {asked} {answered}");
    }
    assert!(levels.iter().all(|row| number(row, "difference").abs() < 3.0), "{levels:?}");
    let silent = rows("never-answered", &[]);
    let unheard: BTreeSet<&str> =
        silent.iter().filter(|row| same(number(row, "others_heard"), 0.0)).map(|row| text(row, "account_id")).collect();
    // One account of ten answered nothing in the last twelve months; a few of them were asked too seldom to be listed.
    assert!((55..=66).contains(&unheard.len()), "{}", unheard.len());
    assert!(silent.iter().all(|row| number(row, "invitations") >= 4.0));
}

#[test]
fn executives_are_the_least_content_and_users_the_most() {
    let roles = rows("personas", &[]);
    assert_eq!(text(&roles[0], "role"), "All");
    let with_base: Vec<&str> =
        roles[1..].iter().filter(|row| number(row, "n") >= 100.0).map(|row| text(row, "role")).collect();
    assert_eq!(with_base, ["executive", "manager", "user"]);
    let people: f64 = roles[1..].iter().map(|row| number(row, "people")).sum();
    assert!(same(people, number(&roles[0], "people")), "{roles:?}");
    assert!(number(row(&roles, &[("role", "executive")]), "decision_share") > 0.8, "{roles:?}");
}

#[test]
fn seattle_leaves_its_calls_to_detractors_undone() {
    let offices = rows("follow-up-state", &[]);
    let seattle = &offices[1];
    assert_eq!((text(&offices[0], "group_name"), text(seattle, "group_name")), ("All", story::STALLED_OFFICE));
    assert!(same(number(seattle, "follow_ups"), 14.0) && same(number(seattle, "overdue"), 11.0), "{seattle:?}");
    for row in offices.iter().filter(|row| text(row, "group_name") != story::STALLED_OFFICE) {
        assert!(row["overdue_share"].as_f64().is_none_or(|share| share < 0.2), "{row:?}");
    }
    for row in &offices {
        let parts = ["done_in_time", "done_late", "not_reached", "overdue", "not_due_yet"];
        let sum: f64 = parts.into_iter().map(|part| number(row, part)).sum();
        assert!(same(sum, number(row, "follow_ups")), "{row:?}");
    }
    let calls = rows("follow-ups", &["offices=Seattle", "kinds=call detractor", "only_overdue=true"]);
    assert_eq!(calls.len(), 11);
    assert!(calls.iter().all(|row| number(row, "days_overdue") > 0.0 && number(row, "nps") <= 6.0));
}

#[test]
fn every_open_call_is_listed_once_with_whom_to_call() {
    let open = sql_rows(
        "select count(*) as n, count(*) filter (where c.left_on is not null) as left from follow_ups f \
         join contacts c using (contact_id) where f.status = 'open'",
    );
    let calls = rows("follow-ups", &[]);
    assert!(same(calls.len() as f64, number(&open[0], "n")));
    let elsewhere = calls.iter().filter(|row| text(row, "whom") != "the contact").count();
    assert!(same(elsewhere as f64, number(&open[0], "left")));
}

#[test]
fn seattles_pulse_falls_after_its_support_desk_moved_and_elsewhere_it_does_not() {
    let sides = rows("pulse-before-after", &[]);
    let of =
        |offices: &str, column: &str| number(row(&sides, &[("measure", "NPS"), ("office_group", offices)]), column);
    assert!(of("changed", "before") > 20.0 && of("changed", "after") < 18.0, "{sides:?}");
    assert!(of("others", "difference").abs() < 5.0, "{sides:?}");
    let between = of("changed", "difference") - of("others", "difference");
    assert!(same(of("changed less others", "difference"), between), "{sides:?}");
    assert!((0.0..=1.0).contains(&of("changed", "p_value")) && of("changed", "z_value") < 0.0, "{sides:?}");
    let steps = rows("pulse-around-change", &[]);
    let at = |offices: &str, step: i64| {
        let found = steps.iter().find(|row| text(row, "office_group") == offices && row["step"].as_i64() == Some(step));
        number(found.expect("a step"), "score")
    };
    assert!(at("changed", -1) > 20.0 && at("changed", 2) < -15.0, "{steps:?}");
    assert!((at("others", 2) - at("others", -1)).abs() < 8.0, "{steps:?}");
}

#[test]
fn an_initiative_names_the_day_and_the_offices_of_a_change() {
    let named = rows("pulse-before-after", &[&format!("initiative={}", story::SEATTLE_INITIATIVE)]);
    assert_eq!(named, rows("pulse-before-after", &[]));
    let initiative = format!("initiative={}", story::EMEA_INITIATIVE);
    let emea = rows("pulse-before-after", &[&initiative, "counted_from=end", "months=6"]);
    assert_eq!(text(row(&emea, &[("measure", "NPS"), ("office_group", "changed")]), "changed_on"), "2026-03-27");
}
