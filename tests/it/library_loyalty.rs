//! The library's queries on loyalty, health and themes: each finds the truth that the sample holds for it.

use cxlake::sample::{Options, silent_accounts};

use super::harness::{Row, number, rows, sql_rows, text};

/// The row in which this column has this text.
fn row<'a>(rows: &'a [Row], column: &str, value: &str) -> &'a Row {
    rows.iter().find(|row| text(row, column) == value).unwrap_or_else(|| panic!("no `{value}` in {rows:?}"))
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

/// Reasons of those who complained first, and of those who left without a word.
const LOUD: &str = "churn_reasons=service quality,slow response,price,billing disputes";
const QUIET: &str = "churn_reasons=sponsor left,moved to a competitor,account team turnover";

#[test]
fn health_by_segment_counts_the_accounts_that_customer_health_lists() {
    let health = rows("customer-health", &[]);
    let of_band = |band: &str| health.iter().filter(|row| text(row, "band") == band).count();
    let scores: Vec<f64> = health.iter().filter_map(|row| row["health"].as_f64()).collect();
    for by in ["segment", "region", "industry", "tier", "office"] {
        let parts = rows("health-by-segment", &[&format!("by={by}")]);
        let all = row(&parts, "part", "All");
        assert!(close(number(all, "accounts"), health.len() as f64), "{by}: {all:?}");
        assert!(close(number(all, "unknown"), of_band("unknown") as f64), "{by}: {all:?}");
        assert!(close(number(all, "red"), of_band("at risk") as f64 / scores.len() as f64), "{by}: {all:?}");
        assert!(close(number(all, "mean_health"), scores.iter().sum::<f64>() / scores.len() as f64), "{by}: {all:?}");
        let accounts: f64 =
            parts.iter().filter(|row| text(row, "part") != "All").map(|row| number(row, "accounts")).sum();
        assert!(close(accounts, health.len() as f64), "{by}: {accounts}");
    }
}

#[test]
fn health_is_lowest_in_north_america_and_highest_in_emea() {
    let parts = rows("health-by-segment", &["by=region"]);
    let health = |region: &str| number(row(&parts, "part", region), "mean_health");
    assert!(health("NA") < health("APAC") && health("APAC") < health("EMEA"), "{parts:?}");
}

#[test]
fn a_change_of_health_compares_the_same_components_and_its_points_are_a_part_of_it() {
    let changes = rows("customer-health-changes", &[]);
    let compared: Vec<&Row> = changes.iter().filter(|row| row["change"].is_number()).collect();
    assert!(compared.len() > 400, "{}", compared.len());
    for row in &compared {
        assert!(close(number(row, "health_now") - number(row, "health_before"), number(row, "change")), "{row:?}");
        // All five are known on both days, so that the comparison is of the health itself.
        if text(row, "compared").split(", ").count() == 5 {
            assert!(close(number(row, "health_now"), number(row, "health")), "{row:?}");
        }
        let (change, points) = (number(row, "change"), number(row, "moved_points"));
        assert!(change.abs() < 1e-9 || change.signum() * points > -1e-9, "{row:?}");
    }
    let unknown: Vec<&Row> = changes.iter().filter(|row| text(row, "band") == "unknown").collect();
    assert!(unknown.len() > 20 && unknown.iter().all(|row| row["health"].is_null()), "{unknown:?}");
}

#[test]
fn the_accounts_about_to_churn_fell_by_what_staff_heard() {
    let planted: Vec<String> = silent_accounts(&Options::default()).collect();
    let changes = rows("customer-health-changes", &["days=180"]);
    let fell = planted.iter().filter(|account| {
        let row = row(&changes, "account_id", account);
        text(row, "band") == "at risk" && number(row, "change") < -10.0 && text(row, "moved") == "field feedback"
    });
    // One of them had a bad spell before, for another reason, and is as low as it was.
    assert_eq!(fell.count(), planted.len() - 1);
}

#[test]
fn movers_are_the_largest_falls_and_rises() {
    let movers = rows("health-movers", &["top=3"]);
    let changes: Vec<f64> = movers.iter().map(|row| number(row, "change")).collect();
    assert_eq!(changes.len(), 6);
    assert!(changes.is_sorted(), "{changes:?}");
    let mut all: Vec<f64> =
        rows("customer-health-changes", &[]).iter().filter_map(|row| row["change"].as_f64()).collect();
    all.sort_by(f64::total_cmp);
    assert!(changes[..3].iter().zip(&all).all(|(shown, there)| close(*shown, *there)), "{changes:?}");
    assert!(changes.iter().rev().zip(all.iter().rev()).take(3).all(|(shown, there)| close(*shown, *there)));
}

#[test]
fn loud_churners_are_found_by_surveys_and_quiet_ones_only_by_what_staff_hear() {
    let auc =
        |parameters: &[&str], signal: &str| number(row(&rows("health-backtest", parameters), "signal", signal), "auc");
    for signal in ["health", "relationship", "satisfaction"] {
        assert!(auc(&[LOUD], signal) > 0.85, "{signal}: {}", auc(&[LOUD], signal));
    }
    for signal in ["relationship", "satisfaction", "effort"] {
        assert!(auc(&[QUIET], signal) < 0.5, "{signal}: {}", auc(&[QUIET], signal));
    }
    // Three months before they leave hardly anything has been heard of them; a month before, all has.
    assert!(auc(&[QUIET], "health") < 0.65, "{}", auc(&[QUIET], "health"));
    for signal in ["field feedback", "engagement"] {
        assert!(auc(&[QUIET, "days=30"], signal) > 0.85, "{signal}: {}", auc(&[QUIET, "days=30"], signal));
    }
}

#[test]
fn the_confusion_matrix_counts_every_account_once_and_the_unknown_apart() {
    let accounts = rows("health-backtest-accounts", &[]);
    let of = |result: &str| accounts.iter().filter(|row| text(row, "result") == result).count() as f64;
    let measured = rows("health-backtest", &[]);
    let health = row(&measured, "signal", "health");
    for (column, result) in
        [("caught", "caught"), ("missed", "missed"), ("false_alarms", "false alarm"), ("rightly_calm", "rightly calm")]
    {
        assert!(close(number(health, column), of(result)), "{column}: {health:?}");
    }
    let unknown = number(health, "unknown_left") + number(health, "unknown_stayed");
    assert!(close(unknown, of("unknown")), "{health:?}");
    assert_eq!(accounts.iter().filter(|row| text(row, "outcome") == "left").count(), 48);
}

#[test]
fn the_backtest_scores_an_account_as_customer_health_did_on_that_day() {
    let accounts = rows("health-backtest-accounts", &[]);
    let scored: Vec<&Row> = accounts.iter().filter(|row| row["health"].is_number()).collect();
    for account in [scored[0], scored[20], scored[100]] {
        let health = rows("customer-health", &[&format!("as_of={}", text(account, "scored_on"))]);
        let then = row(&health, "account_id", text(account, "account_id"));
        assert!(close(number(then, "health"), number(account, "health")), "{account:?} {then:?}");
        assert_eq!(text(then, "band"), text(account, "band"));
    }
}

#[test]
fn mix_and_rate_add_up_to_the_change_of_the_score() {
    for by in ["office", "region", "segment", "tier", "industry", "role"] {
        for against in ["window before", "year before"] {
            let parts = rows("nps-movers", &[&format!("by={by}"), &format!("against={against}")]);
            let all = row(&parts, "part", "All");
            let sum = |column: &str| {
                parts.iter().filter(|row| text(row, "part") != "All").map(|row| number(row, column)).sum::<f64>()
            };
            let (mix, rate) = (sum("contribution_mix"), sum("contribution_rate"));
            assert!(close(mix, number(all, "contribution_mix")) && close(rate, number(all, "contribution_rate")));
            assert!(close(mix + rate, number(all, "nps") - number(all, "nps_before")), "{by}, {against}: {all:?}");
            assert!(close(sum("n"), number(all, "n")) && close(sum("n_before"), number(all, "n_before")));
        }
    }
}

#[test]
fn seattle_pulls_the_score_down_most_against_the_year_before() {
    let parts = rows("nps-movers", &["against=year before", "survey_types=relationship,pulse,executive"]);
    let lowest = parts
        .iter()
        .filter(|row| text(row, "part") != "All")
        .min_by(|one, other| number(one, "contribution_rate").total_cmp(&number(other, "contribution_rate")));
    assert_eq!(lowest.map(|row| text(row, "part")), Some("Seattle"), "{parts:?}");
}

#[test]
fn a_part_with_few_answers_is_pooled_and_not_shown() {
    let parts = rows("nps-movers", &["min_base=40"]);
    let names: Vec<&str> = parts.iter().map(|row| text(row, "part")).collect();
    assert_eq!(names, ["All", "Small bases", "New York"]);
}

#[test]
fn the_score_is_lower_in_north_america_whichever_way_it_is_counted() {
    let regions = rows("nps-three-ways", &[]);
    for score in ["answer_nps", "account_nps", "revenue_nps"] {
        let of = |region: &str| number(row(&regions, "region", region), score);
        assert!(of("NA") < of("APAC") && of("APAC") < of("EMEA"), "{score}: {regions:?}");
    }
    let all = row(&regions, "region", "All");
    for column in ["answers", "answering", "accounts", "revenue", "covered_revenue"] {
        let sum: f64 = regions.iter().filter(|row| text(row, "region") != "All").map(|row| number(row, column)).sum();
        assert!((sum - number(all, column)).abs() < 0.005, "{column}: {regions:?}");
    }
    assert!((0.85..0.95).contains(&number(all, "revenue_coverage")), "{all:?}");
    // Large accounts are a bit less happy than small ones, which have fewer contacts.
    let every = rows("nps-three-ways", &["survey_types=relationship,pulse,executive"]);
    let all = row(&every, "region", "All");
    assert!(number(all, "revenue_nps") < number(all, "answer_nps"), "{all:?}");
    assert!(number(all, "answer_nps") < number(all, "account_nps"), "{all:?}");
}

#[test]
fn a_window_without_answers_has_no_score_and_not_zero() {
    let regions = rows("nps-three-ways", &["to=2024-08"]);
    assert!(regions.iter().all(|row| row["answer_nps"].is_null() && text(row, "note") == "no answers"), "{regions:?}");
}

#[test]
fn seattle_is_below_the_rest_even_with_the_number_of_offices_allowed_for() {
    let offices = rows("nps-significance", &["months=6", "survey_types=relationship,pulse,executive"]);
    assert_eq!(text(row(&offices, "office", "Seattle"), "verdict"), "below the rest", "{offices:?}");
    for office in offices.iter().filter(|row| row["p"].is_number()) {
        assert!(number(office, "p_holm") >= number(office, "p"), "{office:?}");
    }
    let verdicts = |verdict: &str| offices.iter().filter(|row| text(row, "verdict") == verdict).count();
    // Without Holm more than these two or three of 31 would be called different.
    assert!(verdicts("above the rest") + verdicts("below the rest") <= 3, "{offices:?}");
    assert!(verdicts("may be luck among so many") > 0, "{offices:?}");
}

#[test]
fn p_of_a_difference_is_that_of_the_normal_distribution() {
    // Two-sided p of some z, from tables.
    for office in rows("nps-significance", &[]).iter().filter(|row| row["p"].is_number()) {
        let (z, p) = (number(office, "z").abs(), number(office, "p"));
        for (limit, at_limit) in
            [(0.674_49, 0.5), (1.644_85, 0.1), (1.959_96, 0.05), (2.575_83, 0.01), (3.290_53, 0.001)]
        {
            assert_eq!(z > limit, p < at_limit, "{office:?}");
        }
    }
}

#[test]
fn the_latest_quarter_is_seattles_worst() {
    let quarters = rows("nps-office-quarters", &[]);
    assert_eq!(quarters.len(), 7);
    let latest = &quarters[6];
    assert_eq!(text(latest, "quarter"), "2026-05-01");
    assert!(quarters[..6].iter().all(|quarter| number(quarter, "nps") > number(latest, "nps")), "{quarters:?}");
    assert!(number(latest, "p") < 0.05 && number(latest, "p_holm") > 0.05, "{latest:?}");
    assert_eq!(text(&quarters[0], "verdict"), "nothing to compare with");
}

#[test]
fn the_timeline_of_a_silent_account_is_bad_everywhere_but_in_its_surveys() {
    let account = "000278";
    assert!(silent_accounts(&Options::default()).any(|silent| silent == account));
    let events = rows("account-timeline", &[&format!("account={account}"), "days=120"]);
    let signs = |kind: &str| -> Vec<&str> {
        events.iter().filter(|row| text(row, "kind") == kind).map(|row| text(row, "sign")).collect()
    };
    assert_eq!(signs("note"), ["bad", "bad", "bad"]);
    assert_eq!(signs("revenue"), ["bad", "bad", "bad"]);
    assert_eq!(signs("contact"), ["bad", "bad"]);
    assert_eq!(signs("touches"), ["bad", "bad"]);
    assert!(!signs("survey").contains(&"bad"), "{events:?}");
}

#[test]
fn a_timeline_of_a_past_day_knows_nothing_that_came_later_but_the_renewal() {
    let events = rows("account-timeline", &["as_of=2026-06-01"]);
    let later: Vec<&str> =
        events.iter().filter(|row| text(row, "happened_at") >= "2026-06-01").map(|row| text(row, "what")).collect();
    assert_eq!(later, ["renewal due"]);
    // In August the contract shrank and touches fell: on the third of it nobody knows that yet.
    let of_august = |as_of: &str| {
        let events = rows("account-timeline", &[as_of, "kinds=revenue,touches"]);
        events.iter().filter(|row| text(row, "reference") == "2026-08-01").count()
    };
    assert_eq!((of_august("as_of=2026-08-03"), of_august("as_of=2026-09-01")), (0, 2));
}

#[test]
fn a_timeline_of_a_past_day_shows_what_was_not_answered_or_not_done_by_then() {
    let account = "account=000031";
    let calls = |as_of: &str| rows("account-timeline", &[account, as_of, "kinds=call"]);
    let call = "U000031-2202";
    assert_eq!(text(row(&calls("as_of=2026-09-12"), "reference", call), "what"), "call detractor: was due, not made");
    assert_eq!(text(row(&calls("as_of=2026-09-21"), "reference", call), "what"), "call detractor: issue solved");
    // Two of its invitations were answered in June, after they had been sent in May.
    let invitations =
        rows("account-timeline", &["account=000387", "as_of=2026-06-01", "kinds=survey,no answer", "days=3000"]);
    let plain = sql_rows(
        "select count(*) as sent, count(*) filter (where answered_at < timestamp '2026-06-01') as answered from surveys \
         where account_id = '000387' and sent_at < timestamp '2026-06-01'",
    );
    let answered = invitations.iter().filter(|row| text(row, "kind") == "survey").count();
    assert!(close(invitations.len() as f64, number(&plain[0], "sent")), "{invitations:?}");
    assert!(close(answered as f64, number(&plain[0], "answered")), "{invitations:?}");
}

#[test]
fn a_month_without_touches_is_a_fall_and_counts_in_what_is_usual_after_it() {
    let events = rows("account-timeline", &["account=000592", "kinds=touches"]);
    let silent = row(&events, "reference", "2026-01-01");
    assert_eq!(text(silent, "what"), "0 touches in the month; 17 a month in the three before");
    assert_eq!(text(silent, "sign"), "bad");
    // April has 8, and January to March have 10 a month.
    assert!(events.iter().all(|row| text(row, "reference") != "2026-04-01"), "{events:?}");
}

#[test]
fn a_comparison_that_rests_on_the_least_coverage_itself_is_made() {
    let compared = |least: &str| -> Vec<String> {
        let changes = rows("customer-health-changes", &[least]);
        changes.iter().filter_map(|row| Some(row["compared"].as_str()?.to_owned())).collect()
    };
    let at_55 = compared("min_coverage=0.55");
    // Relationship and field feedback weigh 55 of 100.
    assert!(at_55.iter().any(|components| components == "relationship, field feedback"), "{at_55:?}");
    assert_eq!(at_55, compared("min_coverage=0.54"));
}

#[test]
fn accounts_with_severe_escalations_and_hard_work_score_lower() {
    let accounts = rows("nps-driver-answers", &[]);
    // The mean score of accounts that a driver puts on one side, and on the other.
    let means = |is_worse: &dyn Fn(&Row) -> Option<bool>| {
        let mean = |worse: bool| {
            let of: Vec<f64> =
                accounts.iter().filter(|row| is_worse(row) == Some(worse)).map(|row| number(row, "nps")).collect();
            of.iter().sum::<f64>() / of.len() as f64
        };
        (mean(true), mean(false))
    };
    let (severe, others) = means(&|row: &Row| Some(number(row, "severe_escalations") > 0.0));
    assert!(severe < others - 0.5, "{severe} {others}");
    let (hard, easy) = means(&|row: &Row| row["ces"].as_f64().map(|ces| ces < 4.0));
    assert!(hard < easy - 0.5, "{hard} {easy}");
    // A blank is nobody asked, not a zero.
    assert!(accounts.iter().any(|row| row["csat_invoice"].is_null()));
    assert!(accounts.iter().all(|row| row["csat_invoice"].as_f64().is_none_or(|csat| csat >= 1.0)));
}

#[test]
fn response_time_rises_in_north_america_and_billing_accuracy_falls_over_all_posts() {
    let everywhere = rows("top-themes", &[]);
    assert_eq!(everywhere.iter().filter(|row| text(row, "theme") != "Other").count(), 10);
    assert_eq!(text(row(&everywhere, "theme", "billing accuracy"), "note"), "falls", "{everywhere:?}");
    let america = rows("top-themes", &["regions=NA"]);
    let rising: Vec<&str> =
        america.iter().filter(|row| text(row, "note") == "rises").map(|row| text(row, "theme")).collect();
    assert_eq!(rising, ["response time"], "{america:?}");
    assert_eq!(text(&america[0], "theme"), "response time");
}

#[test]
fn every_post_tells_of_themes_and_a_customer_counts_once() {
    let mentions = rows("theme-mentions", &[]);
    for post in ["field notes", "partner interviews", "customer surveys", "partner surveys"] {
        assert!(mentions.iter().any(|row| text(row, "post") == post), "{post}");
    }
    for theme in rows("top-themes", &[]) {
        let posts = ["noted_accounts", "survey_people", "interviewed_partners", "surveyed_partners"];
        let people: f64 = posts.iter().map(|post| number(&theme, post)).sum();
        assert!(number(&theme, "voices") <= people && number(&theme, "voices") <= number(&theme, "base"), "{theme:?}");
    }
}

#[test]
fn hidden_detractors_tell_of_what_is_heard_before_an_account_leaves_without_a_word() {
    let share = |parameters: &[&str], code: &str| number(row(&rows("reason-codes", parameters), "code", code), "share");
    for code in ["STAFF", "COMP", "SPON"] {
        let (hidden, all) = (share(&["of=hidden"], code), share(&["of=all"], code));
        assert!(hidden > 1.7 * all, "{code}: {hidden} {all}");
    }
    let reasons = rows("reason-codes", &["of=hidden"]);
    assert!(reasons.iter().all(|row| number(row, "people") <= number(row, "base")), "{reasons:?}");
}

#[test]
fn effort_trouble_heard_and_severe_escalations_drive_the_score() {
    let drivers = rows("nps-drivers", &[]);
    let first: Vec<&str> = drivers.iter().take(3).map(|row| text(row, "driver")).collect();
    assert_eq!(first, ["ces", "note_trouble", "severe_escalations"], "{drivers:?}");
    let weights: f64 = drivers.iter().map(|row| number(row, "weight")).sum();
    assert!(close(weights, number(&drivers[0], "r_squared")), "{drivers:?}");
    let directions: Vec<&str> = drivers.iter().take(3).map(|row| text(row, "direction")).collect();
    assert_eq!(directions, ["+", "-", "-"]);
}

#[test]
fn the_mean_of_equal_answers_is_the_answer_itself() {
    // A hair beside it would put an account on the wrong side of an edge, and break ties by noise.
    let components = rows("customer-health-components", &[]);
    let equal: Vec<&Row> = components
        .iter()
        .filter(|row| ["relationship", "satisfaction", "field feedback"].contains(&text(row, "component")))
        .filter(|row| number(row, "observations") > 1.0 && (number(row, "score") - number(row, "lowest")).abs() < 1e-6)
        .collect();
    assert!(equal.len() > 20, "{}", equal.len());
    assert!(equal.iter().all(|row| row["score"] == row["lowest"]), "{equal:?}");
}

#[test]
fn customers_in_north_america_talk_of_response_time_in_the_latest_months() {
    let themes = rows("comment-themes", &["by=period", "regions=NA"]);
    let latest: Vec<&Row> = themes.iter().filter(|row| text(row, "part") == "latest months").collect();
    assert_eq!(text(latest[0], "theme"), "response time", "{themes:?}");
    assert!(number(latest[0], "z") > 3.0, "{themes:?}");
    for row in &themes {
        assert!(close(number(row, "people") / number(row, "base"), number(row, "share")), "{row:?}");
        assert!(text(row, "example").to_lowercase().contains(text(row, "theme").split(' ').next().unwrap_or_default()));
    }
}

#[test]
fn themes_of_a_single_part_have_nothing_to_stand_out_from() {
    let themes = rows("comment-themes", &["regions=NA"]);
    assert!(themes.iter().all(|row| row["z"].is_null()), "{themes:?}");
    assert!(themes.iter().all(|row| text(row, "note") == "nothing to compare with"), "{themes:?}");
}

#[test]
fn executives_are_detractors_more_often_than_users() {
    let cells = rows("score-by-role", &[]);
    let verdict = |role: &str| {
        let cell = cells.iter().find(|row| text(row, "part") == role && text(row, "nps_class") == "detractor");
        text(cell.expect("a cell"), "verdict")
    };
    assert_eq!((verdict("executive"), verdict("user")), ("more than expected", "fewer than expected"), "{cells:?}");
    let people: f64 = cells.iter().map(|row| number(row, "n")).sum();
    let answers = rows("nps-answers", &["months=12"]);
    assert!(close(people, answers.iter().filter(|row| text(row, "period") == "now").count() as f64));
}

#[test]
fn happy_customers_leave_where_touches_fell_and_seldom_elsewhere() {
    let segments = rows("customer-segments", &[]);
    let left = |words: &str| -> f64 {
        segments.iter().filter(|row| text(row, "label").contains(words)).map(|row| number(row, "departed")).sum()
    };
    assert!(left("relationship high, engagement low") > 8.0, "{segments:?}");
    assert!(left("relationship high, engagement high") < 2.0, "{segments:?}");
    // Those that complain before they leave are unhappy; k-means puts them together.
    let groups = rows("customer-segments", &["method=kmeans"]);
    assert_eq!(text(&groups[0], "label"), "relationship low", "{groups:?}");
    assert!(number(&groups[0], "left_share") > 0.3, "{groups:?}");
}

#[test]
fn every_account_is_in_one_segment_or_among_those_that_too_little_is_known_of() {
    let accounts = rows("health-backtest-accounts", &["days=30"]).len() as f64;
    for method in ["method=rules", "method=kmeans"] {
        let segments = rows("customer-segments", &[method]);
        let sum = |column: &str| segments.iter().map(|row| number(row, column)).sum::<f64>();
        assert!(close(sum("accounts"), accounts) && close(sum("account_share"), 1.0), "{segments:?}");
        assert!(close(sum("departed"), 48.0) && close(sum("revenue_share"), 1.0), "{segments:?}");
        assert!(segments.last().is_some_and(|row| row["segment"].is_null()), "{segments:?}");
    }
}
