//! Rules of our own against the engine without them: saved queries, TPC-H and statements made by chance give the same with each rule
//! on and off.

mod made;
mod tpch;

use std::collections::BTreeMap;
use std::path::Path;

use super::harness::{cxlake, repository};

/// The settings that switch a rule off.
const RULES: [&str; 6] = [
    "cxlake.share_subplans",
    "cxlake.latest_per_key",
    "cxlake.distinct_counts",
    "cxlake.quantile_sets",
    "cxlake.late_materialization",
    "datafusion.optimizer.use_statistics_registry",
];

/// What stands before the rows of a statement.
const MARK: &str = "statement,";

/// The rows of each statement, by its number and sorted: without an order they may come in any.
type Answers = BTreeMap<String, Vec<String>>;

/// Runs statements in one call with some rules off.
fn answers(lake: &Path, off: &[&str], statements: &[String]) -> Answers {
    let mut script: String = off.iter().map(|rule| format!("set {rule} = false;\n")).collect();
    for (number, statement) in statements.iter().enumerate() {
        script += &format!("select '{MARK}{number}' as mark;\n{statement}\n");
    }
    let text = cxlake(["--threads", "2", "--quiet", "--format", "csv", "-f", "-"]).within(lake).stdin(script).prints();
    let mut answers = Answers::new();
    let mut rows: &mut Vec<String> = answers.entry(String::new()).or_default();
    for line in text.lines() {
        match line.trim_matches('"').strip_prefix(MARK) {
            Some(number) => rows = answers.entry(number.to_owned()).or_default(),
            None if line == "mark" => {}
            None => rows.push(line.to_owned()),
        }
    }
    answers.values_mut().for_each(|rows| rows.sort_unstable());
    assert_eq!(answers.len(), statements.len() + 1, "a statement without an answer");
    answers
}

/// Holds statements with all rules on to the same without each, and without any.
fn hold(lake: &Path, statements: &[String]) -> Answers {
    let on = answers(lake, &[], statements);
    let alone = RULES.chunks(1);
    for off in alone.chain([RULES.as_slice()]) {
        let expected = answers(lake, off, statements);
        for (number, statement) in statements.iter().enumerate() {
            let number = number.to_string();
            assert_eq!(on[&number], expected[&number], "without {off:?}: {statement}");
        }
    }
    on
}

#[test]
fn saved_queries_give_the_same_with_each_rule_and_without() {
    for (lake, most) in [(repository().to_owned(), 50_000), (repository().join("tests/data"), 10)] {
        let files = std::fs::read_dir(lake.join("queries")).expect("the folder is there");
        let mut names: Vec<String> = files
            .map(|file| file.expect("an entry").path())
            .filter(|file| file.extension().is_some_and(|extension| extension == "sql"))
            .map(|file| file.file_stem().expect("a name").to_string_lossy().into_owned())
            .collect();
        names.sort();
        let runs: Vec<String> = names.iter().map(|name| format!("\\run {name}")).collect();
        let rows: usize = hold(&lake, &runs).values().map(Vec::len).sum();
        assert!(rows > most, "{rows}");
    }
}

#[test]
fn statements_made_by_chance_give_the_same_with_each_rule_and_without() {
    let statements = made::statements(2000);
    let answers = hold(repository(), &statements);
    let answered = answers.values().filter(|rows| rows.len() > 1).count();
    assert!(answered > 1500, "{answered} statements have rows");
}

/// The plan of a statement, as EXPLAIN shows it.
fn plan(sql: &str) -> String {
    cxlake(["--threads", "2", "--format", "csv", "-c", &format!("explain format indent {sql}")]).prints()
}

#[test]
fn the_first_row_of_each_key_is_taken_without_a_sort_where_nothing_else_is_asked() {
    let taken = |sql: &str| {
        let plan = plan(sql);
        let sorts = plan.contains("WindowAgg") || plan.contains("aggr=[[first_value");
        assert_eq!(plan.contains("first_row"), !sorts, "{sql}\n{plan}");
        !sorts
    };
    let numbered = |order: &str, place: &str| {
        format!(
            "select account_id, nps from (select *, row_number() over (partition by account_id order by {order}) as place \
             from surveys) where {place}"
        )
    };
    assert!(taken(&numbered("answered_at desc", "place = 1")));
    assert!(taken(&numbered("answered_at desc nulls first, response_id", "place <= 1 and nps > 5")));
    assert!(taken(&numbered("answered_at", "place < 2")));
    assert!(taken(
        "select account_id, nps from surveys qualify row_number() over (partition by account_id order by sent_at) = 1"
    ));
    assert!(taken(
        "select distinct on (account_id) account_id, nps, sent_at from surveys order by account_id, sent_at desc"
    ));
    assert!(!taken(&numbered("answered_at desc", "place <= 2")));
    assert!(!taken(&numbered("answered_at desc", "place = 2")));
    assert!(!taken(&numbered("answered_at desc", "place = 1 or nps = 3")));
    // All that tie are wanted; a text and a number with two zeros have an order that the rule does not keep.
    assert!(!taken(&numbered("answered_at desc", "place = 1").replace("row_number", "rank")));
    assert!(!taken(&numbered("comment", "place = 1")));
    assert!(!taken(&numbered("weight", "place = 1")));
}

#[test]
fn the_smaller_side_of_a_join_is_kept_in_memory_whatever_the_order_of_the_tables() {
    let tables = ["surveys s", "offices o on o.office_id = s.office_id", "accounts a on a.account_id = s.account_id"];
    for order in [[0, 1, 2], [0, 2, 1]] {
        let from: Vec<&str> = order.iter().map(|place| tables[*place]).collect();
        let plan = plan(&format!(
            "select count(*) as n, max(a.tier) as t, max(o.city) as c from {} where s.nps is not null",
            from.join(" join ")
        ));
        let sides: Vec<&str> = plan.lines().filter(|line| line.contains("DataSourceExec")).collect();
        assert!(sides.last().is_some_and(|line| line.contains("surveys/")), "{plan}");
    }
}
