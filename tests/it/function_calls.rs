//! What holds for every function: the head of its column, types of any width, and how it is called from elsewhere.

use super::harness::{Folder, cxlake};

fn csv(sql: &str) -> String {
    cxlake(["--quiet", "--format", "csv", "-c", sql]).prints()
}

#[test]
fn a_column_is_headed_by_the_call_as_it_was_written() {
    for (call, head) in [
        ("nps(nps, missing => 3)", "nps(nps, missing => 3)"),
        ("nps( nps,weight )", "nps(nps, weight)"),
        (
            "nps_stats(nps, missing => [3, 4], confidence => 0.9)['n']",
            "nps_stats(nps, missing => [3, 4], confidence => 0.9)['n']",
        ),
        ("nps_stats(nps).n", "nps_stats(nps).n"),
        ("mad(distinct nps) filter (where csat > 2)", "mad(DISTINCT nps) FILTER (WHERE csat > 2)"),
        ("response_rate(count(nps), count(*))", "response_rate(count(nps), count(*))"),
        ("round(avg(surveys.nps), 2)", "round(avg(surveys.nps), 2)"),
        ("max(sent_at)::date", "max(sent_at)::DATE"),
        ("case when count(*) > 3 then 'many' end", "CASE WHEN count(*) > 3 THEN 'many' END"),
        ("sum(sum(nps)) over ()", "sum(sum(nps)) OVER ()"),
        ("(select max(nps) from surveys)", "(SELECT max(nps) FROM surveys)"),
        ("1", "1"),
        ("'a'", "'a'"),
        ("(max(nps))", "(max(nps))"),
    ] {
        let said = csv(&format!("select {call} from surveys"));
        assert_eq!(said.lines().next().map(|line| line.trim_matches('"')), Some(head), "{call}");
    }
}

#[test]
fn calls_that_differ_in_a_constant_stand_side_by_side() {
    let said = csv("select nps(nps, missing => 3), nps(nps, missing => 4), nps(nps, missing => [3]) from surveys");
    assert_eq!(said.lines().count(), 2, "{said}");
    let said =
        csv("select reason_codes('Billing is slow', version => 1), reason_codes('Billing is slow', version => 2)");
    assert_eq!(said.lines().count(), 2, "{said}");
    let said = csv("select count(*) filter (where array_has(reason_codes(text, version => 1), 'SPON')) as one, \
                    count(*) filter (where array_has(reason_codes(text, version => 2), 'SPON')) as two from field_feedback");
    assert_eq!(said.lines().count(), 2, "{said}");
}

#[test]
fn numbers_and_texts_are_taken_in_any_type() {
    let numbers = "from (select arrow_cast(x, 'UInt64') as u, arrow_cast(x, 'Dictionary(Int32, Int64)') as d, \
                   cast(x as decimal(9, 2)) as c, arrow_cast(x, 'Float32') as f from (values (1), (2), (4), (9)) as t(x)) as t";
    let each = |call: &str| -> Vec<String> {
        let calls: Vec<String> =
            ["u", "d", "c", "f"].iter().map(|name| format!("{} as {name}", call.replace('x', name))).collect();
        let said = csv(&format!("select {} {numbers}", calls.join(", ")));
        said.lines().nth(1).expect("a row").split(',').map(str::to_owned).collect()
    };
    assert_eq!(each("nps(x)"), ["-50.0"; 4]);
    assert_eq!(each("mad(x)"), ["1.5"; 4]);
    assert_eq!(each("weighted_median(x, x)"), ["9.0"; 4]);
    assert_eq!(each("sum(decay(x, x))"), ["2.0"; 4]);
    assert_eq!(each("sum(band(x, [2, 4]))"), ["5"; 4]);
    let labels = csv("select band(3, [1, 5], arrow_cast(['a', 'b', 'c'], 'LargeList(LargeUtf8)')) as label, \
                      round(sentiment(arrow_cast('good', 'Dictionary(Int32, LargeUtf8)')), 2) as feeling");
    assert_eq!(labels, "label,feeling\nb,0.44\n");
}

#[test]
fn minus_zero_is_zero_and_blanks_in_dictionaries_are_blanks() {
    let said =
        csv("select x, n from crosstab((select * from (values (0.0, 'a'), (-0.0, 'a'), (1.0, 'a')) as t(x, y)), x, y)");
    assert_eq!(said, "x,n\n0.0,2\n1.0,1\n");
    let said =
        csv("select x, n, left_out_rows from crosstab((select arrow_cast(x, 'Dictionary(Int32, Utf8)') as x, y from \
                    (values ('a', 'a'), (null, 'a')) as t(x, y)), x, y)");
    assert_eq!(said, "x,n,left_out_rows\na,1,1\n");
}

#[test]
fn what_follows_is_distinct_from_is_no_part_of_its_right_side() {
    for (condition, expected) in [
        ("true is distinct from true and false", false),
        ("false and true is distinct from false or true", true),
        ("false is not distinct from true or true", true),
        ("not false is distinct from false or true", true),
        ("true is distinct from false and true is distinct from true or true", true),
        ("true is distinct from false and true is distinct from true or false", false),
        ("1 is distinct from 2 and 3 is distinct from 4 and 1 = 1", true),
        ("1 is not distinct from 1 and 2 > 3 or 3 is distinct from 3", false),
        // Parentheses stay.
        ("true is distinct from (true and false)", true),
        ("case when 1 is distinct from 1 and true then true else false end", false),
    ] {
        let said = csv(&format!("select {condition} as x"));
        assert_eq!(said, format!("x\n{expected}\n"), "{condition}");
    }
    let filtered = csv(
        "select a, b from (values (1, 1), (1, 2), (null, 2)) t(a, b) where a is distinct from b and b = 2 and a = 1",
    );
    assert_eq!(filtered, "a,b\n1,2\n");
    let folder = Folder::new();
    folder.write("cxlake.toml", "[lake]\nname = \"m\"\n");
    let header = "-- +++\n-- name = \"q\"\n-- title = \"T\"\n-- description = \"D\"\n-- +++\n";
    folder.write("queries/q.sql", format!("{header}select 1 is distinct from 1 and 1 = 2 or 2 = 2 as x\n"));
    assert_eq!(folder.cxlake(["run", "--quiet", "--format", "csv", "q"]).prints(), "x\ntrue\n");
}

#[test]
fn a_metric_may_take_a_field_of_a_result() {
    let folder = Folder::new();
    folder.write(
        "cxlake.toml",
        "[lake]\nname = \"m\"\n\n[metric.surely]\ndescription = \"x\"\narguments = [\"score\"]\n\
         sql = \"nps_stats(score, missing => 3).low\"\nsource = \"x\"\n",
    );
    let sql = "select surely(x) = nps_stats(x, missing => 3).low as same from (values (9), (3), (8)) as t(x)";
    assert_eq!(cxlake(["--format", "csv", "-c", sql]).within(folder.path()).prints(), "same\ntrue\n");
}
