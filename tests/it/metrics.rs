//! Metrics: definitions in the manifest, written out in statements, shown with their source and their users.

use super::harness::{Folder, cxlake, sql_rows, text};

/// A lake without tables whose manifest ends with these lines.
fn lake(metrics: &str) -> Folder {
    let folder = Folder::new();
    folder.write("cxlake.toml", format!("[lake]\nname = \"m\"\n\n{metrics}"));
    folder
}

fn value(folder: &Folder, sql: &str) -> String {
    let said = cxlake(["-c", sql, "--format", "csv"]).within(folder.path()).prints();
    said.lines().nth(1).unwrap_or_default().to_owned()
}

fn refusal(folder: &Folder, arguments: &[&str]) -> String {
    let said = cxlake(arguments.iter().copied()).within(folder.path()).run();
    assert_ne!(said.code, Some(0), "{said}");
    said.stderr
}

#[test]
fn a_metric_is_called_like_a_function_with_its_arguments_in_order_or_by_name() {
    let folder = lake(
        "[metric.active]\narguments = [\"start\", \"stop\", \"day\"]\nsql = \"start <= day and (stop is null or stop > day)\"\n",
    );
    assert_eq!(value(&folder, "select active(1, null, 2)"), "true");
    assert_eq!(value(&folder, "select active(1, 2, 2)"), "false");
    assert_eq!(value(&folder, "select active(day => 5, start => 1, stop => 9) and not active(1, 2, 3)"), "true");
    // What is given may have the names of the arguments, in another order.
    let of = |call: &str| value(&folder, &format!("select {call} from (values (9, 5, 1)) t(start, stop, day)"));
    assert_eq!(of("active(day, start, stop)"), "true");
    assert_eq!(of("active(stop, start, day)"), "false");
}

#[test]
fn a_metric_may_aggregate_and_build_on_others() {
    let folder = lake(
        "[metric.known]\narguments = [\"a\", \"b\"]\nsql = \"a is not null and b is not null\"\n\n\
         [metric.rate]\narguments = [\"top\", \"bottom\"]\n\
         sql = \"cast(sum(top) filter (where known(top, bottom)) as double) / sum(bottom) filter (where known(top, bottom))\"\n",
    );
    let sql = "select rate(cost, touches) from (values (10, 4), (5, null), (2, 2)) t(cost, touches)";
    assert_eq!(value(&folder, sql), "2.0");
}

#[test]
fn a_wrong_metric_says_what_is_wrong_and_on_which_line_of_the_manifest() {
    let broken = lake("[metric.half]\narguments = [\"x\"]\nsql = \"x / \"\n");
    assert!(refusal(&broken, &["-c", "select half(1)"]).contains("at cxlake.toml:4"));
    let unknown = lake("[metric.half]\narguments = [\"x\"]\nsql = \"x / y\"\n");
    let said = refusal(&unknown, &["-c", "select half(1)"]);
    assert!(said.contains("metric `half`: its SQL names `y`, which is none of its arguments"), "{said}");
    let endless = lake("[metric.a]\nsql = \"b()\"\n[metric.b]\nsql = \"a()\"\n");
    assert!(refusal(&endless, &["metrics"]).contains("defined by itself"));
    let taken = lake("[metric.sum]\narguments = [\"x\"]\nsql = \"x\"\n");
    for arguments in [["metrics"].as_slice(), &["-c", "select sum(1)"]] {
        assert!(refusal(&taken, arguments).contains("metric `sum`: it has the name of a function"));
    }
    let empty = lake("[metric.a]\ndescription = \"nothing\"\n");
    assert!(refusal(&empty, &["metrics"]).contains("metric `a` needs `sql`"));
    let more = lake("[metric.a]\narguments = [\"x\"]\nsql = \"x, x\"\n");
    assert!(refusal(&more, &["-c", "select a(1)"]).contains("goes on after the expression"));
    let follows = lake("[metric.promoter]\narguments = [\"x\"]\nsql = \"x > 8\"\n");
    assert!(refusal(&follows, &["metrics"]).contains("metric `promoter` follows from a scale"));
    let scale = lake("[metric.nps]\nscale = { low = 0, high = 10, top_from = 11, bottom_to = 6 }\n");
    assert!(refusal(&scale, &["metrics"]).contains("`top_from` lies outside"));
}

#[test]
fn a_wrong_call_of_a_metric_names_its_arguments() {
    let folder = lake("[metric.open_item]\narguments = [\"status\"]\nsql = \"status <> 'closed'\"\n");
    for call in ["open_item()", "open_item('a', 'b')", "open_item(state => 'a')", "open_item('a') over ()"] {
        let said = refusal(&folder, &["-c", &format!("select {call}")]);
        assert!(said.contains("it is called as `open_item(status)`"), "{call}: {said}");
    }
}

#[test]
fn a_promoter_is_the_same_person_in_a_metric_and_in_a_function() {
    let folder = lake("[metric.nps]\nscale = { low = 0, high = 10, top_from = 8, bottom_to = 5 }\n");
    assert_eq!(value(&folder, "select promoter(8) and passive(6) and detractor(5) and not detractor(6)"), "true");
    assert_eq!(value(&folder, "select nps(score) from (values (8), (6), (5), (10)) t(score)"), "25.0");
}

#[test]
fn every_metric_of_the_sample_is_listed_used_and_shown_with_formula_source_and_users() {
    let listed = cxlake(["metrics", "--format", "json"]).prints();
    let listed: Vec<super::harness::Row> = serde_json::from_str(&listed).expect("JSON rows");
    let names: Vec<&str> = listed.iter().map(|row| text(row, "metric")).collect();
    for name in ["nps", "promoter", "csat", "satisfied", "ces", "active_account", "cost_per_touch"] {
        assert!(names.contains(&name), "{names:?}");
    }
    for row in &listed {
        let name = text(row, "metric");
        let shown = cxlake(["metrics", "show", name]).prints();
        for part in ["Formula", "Source", "Set in"] {
            assert!(shown.contains(part), "{shown}");
        }
        if text(row, "set_in") != "cxlake" {
            assert!(row["queries"].as_i64() > Some(0), "no saved query uses `{name}`");
            assert!(shown.contains("Used by the saved queries"), "{shown}");
        }
    }
    let shown = cxlake(["metrics", "show", "nps"]).prints();
    assert!(shown.contains("nps-by-office"), "{shown}");
    assert_eq!(
        cxlake(["-c", "\\doc active_account"]).run().stderr,
        cxlake(["metrics", "show", "active_account"]).prints()
    );
    assert_eq!(sql_rows("select promoter(9) as a, promoter(8) as b").len(), 1);
}
