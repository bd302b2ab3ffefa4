//! Rules of our own against the engine without them: saved queries, TPC-H and statements made by chance give the same with each rule
//! on and off.

mod made;
mod tpch;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::WriterProperties;

use super::harness::{cxlake, repository};

/// The settings that switch a rule off.
const RULES: [&str; 14] = [
    "cxlake.share_subplans",
    "cxlake.latest_per_key",
    "cxlake.distinct_counts",
    "cxlake.choices",
    "cxlake.distinct_texts",
    "cxlake.quantile_sets",
    "cxlake.join_order",
    "cxlake.eager_aggregation",
    "cxlake.group_runs",
    "cxlake.sorted_scans",
    "cxlake.late_materialization",
    "cxlake.fetch_rows",
    "datafusion.optimizer.enable_sort_pushdown",
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

/// Holds statements with all rules on to the same with others off.
fn hold(lake: &Path, statements: &[String], off: &[&[&str]]) -> Answers {
    let on = answers(lake, &[], statements);
    for off in off {
        let expected = answers(lake, off, statements);
        for (number, statement) in statements.iter().enumerate() {
            let number = number.to_string();
            assert_eq!(on[&number], expected[&number], "without {off:?}: {statement}");
        }
    }
    on
}

/// Each rule off, and all of them.
fn each_and_all() -> Vec<&'static [&'static str]> {
    RULES.chunks(1).chain([RULES.as_slice()]).collect()
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
        let rows: usize = hold(&lake, &runs, &each_and_all()).values().map(Vec::len).sum();
        assert!(rows > most, "{rows}");
    }
}

#[test]
fn statements_made_by_chance_give_the_same_with_each_rule_and_without() {
    // Each statement meets one of the rules off, and all of them.
    let statements = made::statements(2400);
    let (mut answered, mut asked) = (0, 0);
    for (statements, rule) in statements.chunks(2400_usize.div_ceil(RULES.len())).zip(RULES.chunks(1)) {
        let answers = hold(repository(), statements, &[rule, &RULES]);
        answered += answers.values().filter(|rows| rows.len() > 1).count();
        asked += statements.len();
    }
    assert_eq!(asked, 2400);
    assert!(answered > 1700, "{answered} statements have rows");
}

/// The plan of a statement, as EXPLAIN shows it.
fn plan(sql: &str) -> String {
    plan_with("", sql)
}

/// The same after a setting.
fn plan_with(setting: &str, sql: &str) -> String {
    let script = format!("{setting}\nexplain format indent {sql};\n");
    cxlake(["--threads", "2", "--quiet", "--format", "csv", "-f", "-"]).stdin(script).prints()
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

#[test]
fn what_a_fact_is_about_is_joined_before_the_fact_where_keys_are_declared() {
    let lines =
        |plan: &str, word: &str| plan.lines().filter(|line| line.contains(word)).map(str::to_owned).collect::<Vec<_>>();
    let star = "select o.country, count(*) as n, avg(s.nps) as nps from surveys s join accounts a on a.account_id = s.account_id \
         join offices o on o.office_id = a.office_id where o.country = 'ES' group by o.country";
    let ordered = plan(star);
    let joins = lines(&ordered, "HashJoinExec");
    // The outer join comes first in the text: it is that of the surveys, and the offices are joined to the accounts below it.
    assert!(joins[0].contains("(account_id@0, account_id@"), "{ordered}");
    assert!(joins[1].contains("(office_id@0, office_id@1)"), "{ordered}");
    let written = plan_with("set cxlake.join_order = false;", star);
    assert!(lines(&written, "HashJoinExec")[0].contains("office_id"), "{written}");

    // Nothing is gained, or nothing is known: the order is the written one.
    let around = "select p.role, count(*) as n from surveys s join offices o on o.office_id = s.office_id \
        join contacts p on p.contact_id = s.contact_id group by p.role";
    for same in [around, &star.replace("accounts a", "'sample-data/accounts/*.parquet' a")] {
        assert_eq!(plan(same), plan_with("set cxlake.join_order = false;", same));
    }
}

#[test]
fn a_fact_is_grouped_before_it_is_joined_where_that_makes_few_groups() {
    let groups = |plan: &str| {
        plan.lines()
            .take_while(|line| !line.contains("HashJoinExec"))
            .filter(|line| line.contains("mode=Partial"))
            .count()
    };
    let is_below = |sql: &str| {
        let plan = plan(sql);
        assert!(plan.contains("HashJoinExec") && plan.contains("mode=Partial"), "{plan}");
        groups(&plan) == 0
    };
    let by = |by: &str, call: &str, other: &str| {
        format!(
            "select {by}, {call} as x from cost_per_touch f join {other} o on o.office_id = f.office_id group by {by}"
        )
    };
    for (keys, call) in [
        ("o.region", "sum(f.cost)"),
        ("o.office_id, f.function", "avg(f.cost) filter (where f.touches > 0)"),
        ("o.region, date_trunc('quarter', f.period)", "sum(case when f.function = 'support' then f.cost else 0 end)"),
        ("o.country", "count(*)"),
    ] {
        assert!(is_below(&by(keys, call, "offices")), "{keys}, {call}");
    }
    // The other side leaves rows out, a call needs both sides or keeps many values, a key is of both, a value can fail.
    for (keys, call, other) in [
        ("o.region", "sum(f.cost)", "(select * from offices where region <> 'NA')"),
        ("o.region", "sum(f.cost)", "(select * from offices order by city limit 20)"),
        ("o.region", "sum(case when o.country = 'ES' then f.cost end)", "offices"),
        ("o.region", "median(f.cost)", "offices"),
        ("o.region", "count(distinct f.function)", "offices"),
        ("o.region || f.function", "sum(f.cost)", "offices"),
        ("o.region", "sum(cast(f.function as int))", "offices"),
        ("o.region", "sum(f.touches / f.touches)", "offices"),
    ] {
        assert!(!is_below(&by(keys, call, other)), "{keys}, {call}, {other}");
    }
    // Where the other side has many rows, its key has to be among the groups.
    let folder = super::harness::Folder::new();
    for (keys, rows, by, is) in [
        (1000, 1000, "o.g", true),
        (2000, 2000, "o.g", false),
        (2000, 1000, "o.g", false),
        (2000, 2000, "o.g, o.k", true),
        (2000, 2000, "f.k, o.g", true),
    ] {
        folder.parquet("f.parquet", &format!("select value % {keys} as k, value as v from range(0, 100000)"));
        folder.parquet("o.parquet", &format!("select value as k, value % 3 as g from range(0, {rows})"));
        let joined = format!(
            "select {by}, sum(f.v) as x, count(*) as n from 'o.parquet' o join 'f.parquet' f on o.k = f.k group by {by}"
        );
        let asked = |sql: &str| folder.cxlake(["--threads", "2", "--quiet", "--format", "csv", "-c", sql]).prints();
        assert_eq!(groups(&asked(&format!("explain format indent {joined}"))) == 0, is, "{keys}, {rows}, {by}");
        let sums = asked(&format!("select sum(x), sum(n) from ({joined})"));
        let expected = asked(&format!("select sum(v), count(*) from 'f.parquet' where k < {rows}"));
        assert_eq!(sums.lines().nth(1), expected.lines().nth(1));
    }

    // A list of some of them is joined first.
    folder.parquet("few.parquet", "select value * 90 + 7 as k from range(0, 20)");
    let asked =
        |sql: &str| folder.cxlake(["--threads", "2", "--quiet", "--format", "csv", "-f", "-"]).stdin(sql).prints();
    let listed = "select f.k, sum(f.v) as x from 'f.parquet' f join 'few.parquet' o on o.k = f.k group by f.k";
    assert_eq!(groups(&asked(&format!("explain format indent {listed};"))), 1);

    // What filters groups from above is not taken for the fact's own column of that name; a day without a moment in nanoseconds fails
    // where it has a partner alone.
    let days =
        "select value % 10 as k, date '2025-04-02' + cast(value % 34 || ' days' as interval) as t from range(0, 999)";
    folder.parquet("days.parquet", days);
    folder.parquet("far.parquet", &format!("{days} union all select 77, date '9999-12-31'"));
    folder.parquet("ten.parquet", "select value as k, 'g' || (value % 3) as g from range(0, 10)");
    for (file, is) in [("days", true), ("far", false)] {
        let quarters = format!(
            "select o.g, date_trunc('quarter', f.t) as t, count(*) as n from '{file}.parquet' f join 'ten.parquet' o on o.k = f.k \
             group by o.g, date_trunc('quarter', f.t)"
        );
        assert_eq!(groups(&asked(&format!("explain format indent {quarters};"))) == 0, is, "{file}");
        let filtered = format!(
            "select s.* from ({quarters}) s join (values (timestamp '2025-04-01')) q(t) on s.t = q.t order by g;"
        );
        assert_eq!(asked(&filtered), asked(&format!("set cxlake.eager_aggregation = false; {filtered}")));
        assert_eq!(asked(&filtered).lines().count(), 4);
    }
}

#[test]
fn rows_that_lie_side_by_side_are_grouped_before_their_group_is_looked_up() {
    let folder = super::harness::Folder::new();
    // Fifty rows for each key, which comes back later; the first keys are null.
    let rows = "select case when value >= 200 then 'key ' || (value / 50 % 700) end as k, value % 7 as f, \
        case when value % 11 > 2 then value % 1000 end as n, value * 0.1 as x, value as t from range(0, 60000)";
    folder.parquet("side by side.parquet", rows);
    folder.parquet("apart.parquet", &format!("select * from ({rows}) order by t * 7919 % 60013"));
    let calls = "count(*), count(n), sum(n), avg(x), min(t), max(n), stddev(x), var_pop(n), bool_or(n > 990), arg_max(n, t), \
        sum(n) filter (where f = 1), min(k)";
    let statements = [
        (format!("select k, {calls} from T group by k"), true),
        (format!("select k, t / 25, {calls} from T group by all"), true),
        (format!("select upper(k) as u, {calls} from T where n > 3 group by u"), true),
        ("select distinct k from T".to_owned(), true),
        ("select k from T union select distinct upper(k) from T".to_owned(), true),
        ("select k, t / 30 from T where t > 300 group by k, t / 30".to_owned(), true),
        ("select k, t, n from T qualify row_number() over (partition by k order by t desc) = 1".to_owned(), true),
        (format!("select k, f, {calls} from T group by k, f"), false),
        ("select k, median(n), count(distinct f) from T group by k".to_owned(), false),
    ];
    for (statement, has_runs) in statements {
        for (file, lies_so) in [("side by side", true), ("apart", false)] {
            let statement = statement.replace('T', &format!("'{file}.parquet'"));
            let asked = |sql: &str| {
                folder.cxlake(["--threads", "2", "--quiet", "--format", "csv", "-f", "-"]).stdin(sql).prints()
            };
            let plan = asked(&format!("explain analyze verbose {statement};"));
            let counts: Vec<&str> = plan.split(" runs=").skip(1).collect();
            assert_eq!(counts.iter().any(|count| !count.starts_with('0')), has_runs && lies_so, "{statement}: {plan}");
            let sorted = |rows: String| {
                let mut rows: Vec<String> = rows.lines().map(str::to_owned).collect();
                rows.sort_unstable();
                rows
            };
            let answer = sorted(asked(&format!("{statement};")));
            assert!(answer.len() >= 700, "{statement}");
            assert_eq!(answer, sorted(asked(&format!("set cxlake.group_runs = false; {statement};"))), "{statement}");
        }
    }
}

#[test]
fn rows_that_repeat_the_one_before_are_left_out_where_a_join_only_asks_for_one() {
    let folder = super::harness::Folder::new();
    folder.parquet("keys.parquet", "select case when value <> 3 then value * 2 end as k from range(0, 400)");
    let rows = "select case when value / 50 <> 5 then value / 50 % 300 end as k, value as t from range(0, 60000)";
    folder.parquet("side by side.parquet", rows);
    folder.parquet("apart.parquet", &format!("select * from ({rows}) order by t * 7919 % 60013"));
    for condition in [
        "k in (select k from T)",
        "exists (select 1 from T as b where b.k = a.k and b.t > 100)",
        "not exists (select 1 from T as b where b.k = a.k and b.t > 100)",
        "k not in (select k from T where k is not null)",
        "k in (select k from T) or k > 700",
    ] {
        for (file, rows) in [("side by side", ["1.2", "1.2"]), ("apart", ["59.", "60."])] {
            let statement = format!("select count(*), sum(k) from 'keys.parquet' as a where {condition}");
            let statement = statement.replace('T', &format!("'{file}.parquet'"));
            let asked = |sql: &str| {
                folder.cxlake(["--threads", "2", "--quiet", "--format", "csv", "-f", "-"]).stdin(sql).prints()
            };
            let plan = asked(&format!("explain analyze verbose {statement};"));
            let passed = rows.iter().any(|rows| plan.contains(&format!("JoinRunsExec, metrics=[output_rows={rows}")));
            assert!(passed, "{statement}: {plan}");
            let answer = asked(&format!("{statement};"));
            assert_eq!(answer, asked(&format!("set cxlake.group_runs = false; {statement};")), "{statement}");
            assert!(answer.lines().nth(1).is_some_and(|row| !row.starts_with("0,")), "{answer}");
        }
    }
}

#[test]
fn values_at_hand_are_chosen_by_conditions_and_others_are_calculated_for_their_rows() {
    let rows = "(values (1, 2.5, 'a', true), (2, null, 'b', null), (null, 0.5, null, false), (0, 4.0, 'a', true)) as t (n, x, s, b)";
    let asked = |expr: &str| {
        let sql = format!("select {expr} as v from {rows}");
        let is_chosen = plan(&sql).contains("choose(");
        let values = cxlake(["--quiet", "--format", "csv", "-c", &sql]).prints();
        (is_chosen, values.lines().skip(1).collect::<Vec<_>>().join(" "))
    };
    for (expr, expected) in [
        ("case when n >= 2 then 1 when n < 1 then -1 else 0 end", "0 1 0 -1"),
        ("case when b then x else 0 end", "2.5 0.0 0.0 4.0"),
        ("coalesce(x, n)", "2.5 2.0 0.5 4.0"),
        ("case when not b then null when n > 0 then cast(n as double) else x end", "1.0 2.0 \"\" 4.0"),
        (
            "case when s in ('a', 'c') then 'first' when n is null then 'none' else 'other' end",
            "first other none first",
        ),
        ("case when s = 'a' then date '2026-01-31' end", "2026-01-31 \"\" \"\" 2026-01-31"),
        ("case when x * 2 > n + 3 and b then x * 2 else x end", "5.0 \"\" 0.5 8.0"),
        ("case when n = 0 then 0 when b is not true then 7 end", "\"\" 7 7 0"),
    ] {
        assert_eq!(asked(expr), (true, expected.to_owned()), "{expr}");
    }
    // What could fail for rows of another branch, and texts that are not written there.
    for (expr, expected) in [
        ("case when n > 0 then 10 / n else 0 end", "10 5 0 0"),
        ("case when n = 0 then 0 when 10 / n > 5 then 1 else 2 end", "1 2 2 0"),
        ("case when b then n end", "1 \"\" \"\" 0"),
        ("case when b then s else 'none' end", "a none none a"),
    ] {
        assert_eq!(asked(expr), (false, expected.to_owned()), "{expr}");
    }
}

#[test]
fn quantiles_are_interpolated_exactly_and_the_median_of_whole_numbers_keeps_its_half() {
    let one = |sql: &str| cxlake(["--quiet", "--format", "csv", "-c", sql]).prints();
    let percentile = "percentile_cont(0.9) within group (order by value * 1000000.0) as p";
    assert_eq!(one(&format!("select {percentile} from generate_series(0, 18)")), "p\n16200000.0\n");
    assert_eq!(
        one(&format!(
            "select value > 100 as k, {percentile}, median(value) as m from generate_series(0, 18) group by k"
        )),
        "k,p,m\nfalse,16200000.0,9.0\n"
    );
    assert_eq!(one("select median(value) as m from generate_series(2, 3)"), "m\n2.5\n");
    assert_eq!(one("select value % 1 as k, median(value) as m from generate_series(2, 3) group by k"), "k,m\n0,2.5\n");
}

#[test]
fn several_quantiles_and_distinct_counts_of_groups_are_computed_together() {
    let grouped = |calls: &str| plan(&format!("select office_id, {calls} from surveys group by office_id"));
    let quantile = |share: &str| format!("percentile_cont({share}) within group (order by weight)");
    assert!(grouped(&format!("median(weight), {}", quantile("0.9"))).contains("aggr=[[quantiles("));
    assert!(!grouped(&format!("median(csat), {}", quantile("0.9"))).contains("aggr=[[quantiles("));
    assert!(
        !grouped(&format!("{} filter (where nps > 3), {}", quantile("0.5"), quantile("0.9")))
            .contains("aggr=[[quantiles(")
    );
    assert!(grouped("count(distinct account_id), count(distinct contact_id)").contains("count_distinct("));
    // One alone is grouped twice by the engine; whole numbers it counts itself.
    assert!(!grouped("count(distinct account_id)").contains("count_distinct("));
    assert!(!grouped("count(distinct nps), count(distinct csat)").contains("count_distinct("));
}

#[test]
fn a_date_of_a_moment_still_leaves_files_out() {
    for condition in [
        ">= date '2026-09-01'",
        "in (date '2026-09-01', date '2026-09-03', date '2026-09-05', date '2026-09-07')",
        "< timestamp '2026-09-01 12:00:00'",
    ] {
        let plan = plan(&format!("select count(*) from surveys where cast(sent_at as date) {condition}"));
        assert!(plan.contains("pruning_predicate="), "{condition}: {plan}");
    }
}

#[test]
fn short_texts_are_compared_as_numbers_in_what_is_calculated_and_not_in_conditions() {
    let compared = |text: &str| format!("is '{text}'(");
    let counted = plan(
        "select office_id, count(*) filter (where segment = 'Small') as a, sum(case when 'Mid-market' <> segment then 1 end) as b, \
         sum(case when segment = 'a text of more than twelve' then 1 end) as c from accounts where tier <> 'Gold' group by office_id",
    );
    assert!(counted.contains(&compared("Small")) && counted.contains(&compared("Mid-market")), "{counted}");
    assert!(!counted.contains(&compared("Gold")) && !counted.contains(&compared("a text of")), "{counted}");

    let rows = "(select arrow_cast(column1, 'Utf8View') as x from (values ('a'), ('ab'), (''), ('twelve bytes'), ('twelve bytes and'), (null)))";
    let asked = format!("select x = 'a' as a, 'twelve bytes' = x as twelve, x <> '' as filled from {rows}");
    assert!(plan(&asked).contains(&compared("twelve bytes")), "{}", plan(&asked));
    assert_eq!(
        cxlake(["--quiet", "--format", "csv", "-c", &asked]).prints(),
        "a,twelve,filled\ntrue,false,true\nfalse,false,true\nfalse,false,false\nfalse,true,true\nfalse,false,true\n,,\n"
    );
}

#[test]
fn what_a_text_decides_is_calculated_once_for_each_distinct_text_of_a_batch() {
    let folder = super::harness::Folder::new();
    let asked =
        |sql: &str| folder.cxlake(["--threads", "2", "--quiet", "--format", "csv", "-f", "-"]).stdin(sql).prints();
    let taken = [
        "long like '%invoice, 1%'",
        "long not ilike '%VOICE, 2_' or long is null",
        "case when long like '%3' then 'three' when long like '%4%' or long is null then short end",
        "case when short ~ '^[1-4]$' then cast(short as int) else length(reverse(short)) end",
        "upper(long)",
        "sentiment(short)",
        "string_to_array(long, ' ')",
    ];
    // Two texts, a text and a number, and what is found without reading the text.
    let left = [
        "concat(long, short)",
        "repeat(short, cast(id % 3 as int))",
        "long like 'The%'",
        "substr(long, 1, 20)",
        "long is null",
    ];
    // Few texts, some of twelve bytes and fewer; texts that never repeat; and after texts that repeat, others that do not.
    for (file, number) in
        [("few", "value % 40"), ("apart", "value"), ("late", "case when value < 300 then 7 else value end")]
    {
        folder.parquet(
            &format!("{file}.parquet"),
            &format!(
                "select value as id, case when value % 7 > 0 then 'The answer to the invoice, ' || ({number}) end as long, \
                 case when value % 3 > 0 then cast({number} as varchar) end as short from range(0, 30000)"
            ),
        );
        let statements = taken.iter().chain(&left).map(|expr| {
            format!(
                "select id, {expr} as x from '{file}.parquet' order by id; select count({expr}) from '{file}.parquet' where id > 9000; \
                 select {expr} as x, count(*) as n, max(id) as last from '{file}.parquet' group by all order by x;\n"
            )
        });
        let statements: String = statements.collect();
        let rows = asked(&statements);
        assert!(rows.lines().count() > 12 * 30_000);
        assert!(rows == asked(&format!("set cxlake.distinct_texts = false; {statements}")), "{file}");
    }
    let is_taken = |expr: &str| {
        asked(&format!("explain format indent select {expr} as x from 'few.parquet';")).contains("of each text:")
    };
    taken.iter().for_each(|expr| assert!(is_taken(expr), "{expr}"));
    left.iter().for_each(|expr| assert!(!is_taken(expr), "{expr}"));

    // Statistics of files are held against conditions on the column itself.
    let statement =
        |condition: &str| format!("select count(*) as n, sum(id) as s from 'few.parquet' where {condition}");
    for (condition, is_taken, is_held) in [
        ("long like '%invoice, 1%'", true, false),
        ("long like '%, 1%' or long like '%, 2%'", true, false),
        ("upper(long) = 'THE ANSWER TO THE INVOICE, 7'", true, false),
        ("long not ilike '%VOICE, 2_' and long is not null", true, true),
        ("id > 7 and (long ilike '%1' or long = 'The answer to the invoice, 3')", true, true),
        ("long like 'The answer to the invoice, 3%'", false, true),
        ("long like 'The answer to the invoice, %4'", false, true),
        ("long like 'The answer%, 1_' or id < 2", false, true),
        ("long = 'The answer to the invoice, 3'", false, true),
    ] {
        let statement = statement(condition);
        let answer = asked(&format!("{statement};"));
        assert_eq!(answer, asked(&format!("set cxlake.distinct_texts = false; {statement};")), "{condition}");
        assert!(!answer.contains("\n0,"), "{condition}");
        let plan = asked(&format!("explain format indent {statement};"));
        assert_eq!(plan.contains("of each text:"), is_taken, "{condition}: {plan}");
        assert_eq!(plan.contains("pruning_predicate="), is_held, "{condition}: {plan}");
    }
    // The first condition keeps the second from rows that it would fail for: nine of ten rows, and one of few texts.
    folder.parquet(
        "guarded.parquet",
        "select case when value % 10 > 0 then 'x1' else cast(value / 10 % 20 as varchar) end as t from range(0, 20000)",
    );
    for guarded in [
        "select sum(case when t ~ '^[0-9]+$' and cast(t as int) > 5 then 1 else 0 end) as n from 'guarded.parquet'",
        "select count(*) filter (where t like '%x%' or cast(replace(t, 'z', '') as int) <= 5) as n from 'guarded.parquet'",
        "select count(*) as n from 'guarded.parquet' where t not like '%x%' and cast(replace(t, 'z', '') as int) > 5",
    ] {
        assert_eq!(
            asked(&format!("{guarded};")),
            if guarded.contains(" or ") { "n\n18600\n" } else { "n\n1400\n" },
            "{guarded}"
        );
    }
    // What is asked of the column is asked of the column that it is, and an error is the same.
    let field = asked("select arrow_field(long)['name'] as f, upper(long) as u from 'few.parquet' limit 1;");
    assert!(field.contains("\nlong,"), "{field}");
    let fails = |setting: &str| {
        let sql =
            format!("set cxlake.distinct_texts = {setting};\nselect max(cast(upper(long) as int)) from 'few.parquet';");
        folder.cxlake(["--threads", "1", "--quiet", "-f", "-"]).stdin(sql).fails(1)
    };
    let error = fails("true");
    assert!(error.contains("THE ANSWER TO THE INVOICE"), "{error}");
    assert_eq!(error, fails("false"));
}

#[test]
fn rows_are_taken_in_the_order_in_which_they_lie_where_all_files_are_sorted() {
    let folder = super::harness::Folder::new();
    folder.lake(
        "[table.t]\npath = \"t/\"\npartition = { k = \"int\" }\nsort = [\"id\", \"n desc\", \"x\"]\n\
         [table.t.columns]\nid = \"text\"\nn = \"int\"\nx = \"float\"\n",
    );
    let rows = |k: i64| {
        format!(
            "select 'account ' || (value % 50) as id, value * 7919 % 10007 + {} as n, value / 2.0 as x from range(0, 3000)",
            k * 20000
        )
    };
    for k in 1..4 {
        folder.parquet(&format!("t/k={k}/a.parquet"), &rows(k));
    }
    let asked = |setting: &str, sql: &str| {
        let script = format!("set cxlake.sorted_scans = {setting};\n{sql};\n");
        folder.cxlake(["--threads", "2", "--quiet", "--format", "csv", "-f", "-"]).stdin(script).prints()
    };
    let sorts = |sql: &str| asked("true", &format!("explain format indent {sql}")).contains("SortExec");
    let window = "select id, n, n - lag(n) over (partition by id order by n desc) as d from t";
    let filtered = format!("{window} where n > 2000");
    let ordered = "select id, n, x from t order by id, n desc nulls last";
    let is_taken = [window, &filtered, ordered];
    // A shorter order of the same rows backwards, one by a number that may be none, one that begins elsewhere, the first rows alone.
    let is_not = [
        "select id, n from t order by id desc",
        "select id, n from t order by id, n desc, x",
        "select id, n from t order by n desc",
        "select id, n from t order by id, n desc limit 5",
    ];
    let before = is_taken.map(|sql| asked("true", sql));
    assert!(is_taken.iter().all(|sql| sorts(sql)));
    folder.cxlake(["optimize", "t", "--keep", "0s"]).prints();
    for (sql, before) in is_taken.into_iter().zip(before) {
        assert!(!sorts(sql), "{sql}");
        assert!(before.lines().count() > 5000);
        let lines = |text: String| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            if !sql.contains("by id, n") {
                lines.sort_unstable();
            }
            lines
        };
        let before = lines(before);
        assert_eq!(lines(asked("true", sql)), before, "{sql}");
        assert_eq!(lines(asked("false", sql)), before, "{sql}");
    }
    for sql in is_not {
        assert!(sorts(sql), "{sql}");
    }
    // A file that nobody has sorted.
    folder.parquet("t/k=3/b.parquet", &rows(4));
    assert!(is_taken.iter().all(|sql| sorts(sql)));
}

/// A file as `cxlake optimize` writes it, with row groups of two rows.
fn sorted_file(path: &Path, sorted_by: &[(usize, bool)], columns: Vec<(&str, ArrayRef)>) {
    let sorting = sorted_by.iter().map(|&(column, descending)| SortingColumn {
        column_idx: i32::try_from(column).expect("a column"),
        descending,
        nulls_first: false,
    });
    let properties = WriterProperties::builder()
        .set_created_by(format!("{}1.0.0", cxlake::engine::WRITER))
        .set_max_row_group_row_count(Some(2))
        .set_sorting_columns(Some(sorting.collect()));
    let rows = RecordBatch::try_from_iter(columns).expect("columns of one length");
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let file = std::fs::File::create(path).expect("a file");
    let mut writer = ArrowWriter::try_new(file, rows.schema(), Some(properties.build())).expect("a writer");
    writer.write(&rows).expect("rows");
    writer.close().expect("a footer");
}

#[test]
fn row_groups_of_sorted_files_are_read_in_the_order_in_which_they_lie() {
    let folder = super::harness::Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\n[table.u]\npath = \"u/\"\n");
    // The least month is lower in the third row group than in the second.
    let accounts: ArrayRef = Arc::new(StringArray::from(vec!["a", "a", "a", "a", "a", "b", "b", "b"]));
    let months: ArrayRef = Arc::new(Int64Array::from(vec![1, 4, 5, 8, 9, 1, 2, 3]));
    sorted_file(&folder.at("t/a.parquet"), &[(0, false), (1, false)], vec![("account", accounts), ("month", months)]);
    // The least numbers are the same in two row groups.
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![10, 8, 8, 8, 7, 7]));
    sorted_file(&folder.at("u/a.parquet"), &[(0, true)], vec![("n", numbers)]);

    for threads in ["1", "2"] {
        let asked = |sql: &str| folder.cxlake(["--threads", threads, "--quiet", "--format", "csv", "-c", sql]).prints();
        let in_order = "select account, month from t order by account, month";
        assert!(!asked(&format!("explain format indent {in_order}")).contains("SortExec"));
        assert_eq!(asked(in_order), "account,month\na,1\na,4\na,5\na,8\na,9\nb,1\nb,2\nb,3\n");
        let numbered =
            "select account, month, row_number() over (partition by account order by month) as n from t order by 1, 2";
        assert_eq!(asked(numbered), "account,month,n\na,1,1\na,4,2\na,5,3\na,8,4\na,9,5\nb,1,1\nb,2,2\nb,3,3\n");
        assert_eq!(asked("select n from u order by n desc nulls last"), "n\n10\n8\n8\n8\n7\n7\n");
    }
}

#[test]
fn the_first_rows_of_an_order_are_sought_where_footers_say_that_they_are() {
    let folder = super::harness::Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\npartition = { month = \"int\" }\n");
    for month in 1..=4 {
        let rows = format!(
            "select {month} * 1000 + value as at, value % 11 as nps, 'comment ' || value as comment from range(0, 1000)"
        );
        folder.parquet(&format!("t/month={month}/a.parquet"), &rows);
    }
    let asked = |rest: &str| {
        let sql = format!(
            "{rest} select at, comment from t where nps <= 6 and comment is not null order by at desc, comment limit 3"
        );
        folder.cxlake(["--threads", "1", "--quiet", "--format", "csv", "-c", &sql]).prints()
    };
    assert_eq!(asked(""), "at,comment\n4996,comment 996\n4995,comment 995\n4994,comment 994\n");
    let plan = asked("explain format indent");
    let (last, first) = (plan.find("month=4"), plan.find("month=1"));
    assert!(last.zip(first).is_some_and(|(last, first)| last < first), "{plan}");
    assert!(plan.contains("reverse_row_groups=true"), "{plan}");
}

#[test]
fn the_first_rows_of_an_order_are_found_before_their_other_columns_are_read() {
    let folder = super::harness::Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\npartition = { month = \"int\" }\n");
    // Of the last 1,600 rows of each file all have the same `late`, of the last 200 the same `few`.
    let rows = |month: i64| {
        format!(
            "select 'R{month}-' || (value * 7919 % 20011) as id, value * 31 % 20011 + {month} as at, value % 11 as score, \
             case when value % 3 > 0 then value * 17 % 19997 end as known, case when value < 18400 then value else 99999 end as late, \
             case when value < 19800 then value else 99999 end as few, 'a note on ' || md5(cast(value as varchar)) as note, \
             make_array(value, null) as list from range(0, 20000)"
        )
    };
    for month in 1..=3 {
        let script =
            format!("copy ({}) to 't/month={month}/a.parquet' options (max_row_group_size 1000);", rows(month));
        std::fs::create_dir_all(folder.at(&format!("t/month={month}"))).expect("a folder");
        folder.cxlake(["--quiet", "-f", "-"]).stdin(script).prints();
    }
    let asked = |settings: &str, sql: &str| {
        folder.cxlake(["--quiet", "--format", "csv", "-f", "-"]).stdin(format!("{settings}\n{sql};\n")).prints()
    };
    let is_fetched = |sql: &str| {
        let plan = asked("set datafusion.execution.target_partitions = 2;", &format!("explain format indent {sql}"));
        assert!(plan.contains("DataSourceExec"), "{plan}");
        plan.contains("FetchRowsExec")
    };
    let hold = |sql: &str| {
        let expected = asked("set cxlake.fetch_rows = false;", sql);
        assert!(expected.lines().count() > 1, "{sql}");
        for threads in [1, 2, 3] {
            for late in [false, true] {
                // Files are cut, and row groups read backwards.
                let settings = format!(
                    "set datafusion.execution.target_partitions = {threads}; set datafusion.optimizer.repartition_file_min_size = 1; \
                     set datafusion.execution.parquet.pushdown_filters = {late};"
                );
                assert_eq!(asked(&settings, sql), expected, "{settings} {sql}");
            }
        }
    };
    let is_read_so = [
        "select * from t order by at desc, id limit 7",
        "select * from t order by at, month limit 4",
        "select note, month, at from t where score <= 6 and known % 2 = 1 order by at desc, month desc, id limit 5 offset 2",
        "select * from t where month > 1 and score is not null order by known desc nulls last, id limit 3",
        "select * from t where known < 30 order by known, id, note limit 9",
        "select id, note, list from t where score = 3 order by late desc, id limit 6",
        "select * from t order by few desc, id desc limit 2",
        "select * from t order by late desc, id limit 3",
        "select * from t order by known nulls first, id limit 3",
        "select month, left(note, 20) as note, at * 2 as twice, at from t where known > 5 order by at desc, id limit 3",
        "select upper(note) as note, list[1] as first from t where known > 5 order by late desc, id limit 3",
        "select * from t where at > 1000000 or few = 5 order by few desc, month limit 4",
        "select count(*) as n, max(note) as m from (select * from t order by at, id limit 5)",
        "select count(*) as n, max(note) as m from (select * from t where score > 100 order by at, id limit 5)",
        "select a.note, b.score from (select * from t order by at desc, id limit 3) as a join t as b on b.id = a.id order by all",
    ];
    for sql in is_read_so {
        assert!(is_fetched(sql), "{sql}");
        hold(sql);
    }
    // What a filter settles is known above, and rows are found anew each time that they are asked for.
    let is_known_above = [
        "select *, row_number() over (order by score, at) as r from (select * from t where score = 3 order by at, id limit 5)",
        "select score, at, max(note) as m from (select * from t where score = 3 order by at, id limit 5) group by score, at \
         order by score, at",
        "select *, row_number() over (order by same desc) as r from (select at * 2 as twice, note, id, at as same from t \
         where score = 3 order by at desc, id limit 5)",
        "with recursive r as (select 1 as n, '' as note, 0 as late union all select n + 1, t.note, t.late from r cross join \
         (select * from t order by late desc, id limit 2) as t where n < 4) select * from r order by n, late, note",
    ];
    for sql in is_known_above {
        assert!(is_fetched(sql), "{sql}");
        hold(sql);
    }
    // Nothing else is wanted, or no column is, or of most pages some row; the order is calculated.
    let is_not = [
        "select at, id from t order by at, id limit 3",
        "select * from t order by at, id limit 200",
        "select * from t order by at % 100, id limit 3",
        "select note, at from t where note like '%a%' order by at, note limit 3",
        "select * from (select * from t limit 50000) order by at, id limit 3",
    ];
    for sql in is_not {
        assert!(!is_fetched(sql), "{sql}");
    }
    for sql in &is_not[..is_not.len() - 1] {
        hold(sql);
    }
}

#[test]
fn keys_that_are_named_twice_or_grouped_in_sets_keep_their_places() {
    let asked = |sql: &str| cxlake(["--quiet", "--format", "csv", "-c", sql]).prints();
    let latest = "select k, v from (select k, v, row_number() over (partition by k, k order by t desc) as n \
                  from (values (1, 2, 3), (1, 3, 4), (2, 5, 1)) x(k, v, t)) where n = 1 order by k";
    assert_eq!(asked(latest), "k,v\n1,3\n2,5\n");
    // A window tells minus zero from zero.
    let zeros = "select count(*) as n from (select row_number() over (partition by k order by t) as n \
                 from (values (0.0, 1), (-0.0, 2), (0.0, 3)) x(k, t)) where n = 1";
    let apart = |setting: &str| {
        let script = format!("set cxlake.latest_per_key = {setting}; {zeros};");
        cxlake(["--quiet", "--format", "csv", "-f", "-"]).stdin(script).prints()
    };
    assert_eq!(apart("true"), apart("false"));

    let kind = "case when segment = 'Small' then 'S' else 'o' end";
    let sets =
        format!("select {kind} as kind, count(*) as n from accounts group by grouping sets (({kind}), ()) order by n");
    assert_eq!(asked(&sets), "kind,n\nS,290\no,310\n,600\n");
    let day = "cast(answered_at as date)";
    let days = format!(
        "select count(*) - count(day) as totals from (select {day} as day, count(*) as n from surveys \
                        where answered_at is not null group by rollup({day}))"
    );
    assert_eq!(asked(&days), "totals\n1\n");
}

#[test]
fn a_condition_that_can_fail_is_not_asked_before_the_one_that_guards_it() {
    let folder = super::harness::Folder::new();
    // The text takes less room than what guards it, and few rows pass, so that all else is read late.
    folder.parquet(
        "t.parquet",
        "select case when value % 1000 = 0 then 'n' else 'kind ' || (value * 7919 % 1000) end as kind, \
         case when value % 1000 = 0 then '7' else 'n/a' end as number, sha256(cast(value as varchar)) as wide \
         from range(0, 50000)",
    );
    let guarded = "select count(wide) as n from 't.parquet' where kind = 'n' and cast(number as int) > 5";
    assert_eq!(folder.cxlake(["--quiet", "--format", "csv", "-c", guarded]).prints(), "n\n50\n");
}

#[test]
fn texts_of_many_joins_in_a_row_are_copied_together_between_them() {
    let folder = super::harness::Folder::new();
    for name in ["a", "b", "c", "d", "e"] {
        let text = format!("concat('{name}: a text that is too long to be kept in place, ', cast(value as varchar))");
        folder.parquet(
            &format!("{name}.parquet"),
            &format!("select value as k, {text} as t from generate_series(1, 20000)"),
        );
    }
    // Each row of the left side is kept, in some 160 batches: without copies a batch of the last join would point into 160 times 160 times
    // 160 times 160 buffers.
    let script = "set datafusion.execution.batch_size = 128; set datafusion.optimizer.join_reordering = false; \
        select count(*) as n, sum(character_length(a.t || b.t || c.t || d.t || e.t)) as length from 'a.parquet' a \
        left join 'b.parquet' b on b.k = a.k left join 'c.parquet' c on c.k = a.k \
        left join 'd.parquet' d on d.k = a.k left join 'e.parquet' e on e.k = a.k";
    let found =
        folder.cxlake(["--quiet", "--format", "csv", "--memory-limit", "512MiB", "-f", "-"]).stdin(script).prints();
    // 48 letters each, and the digits of the numbers to 20,000.
    assert_eq!(found, format!("n,length\n20000,{}\n", 5 * (20_000 * 48 + 88_894)));
}

#[test]
fn days_are_added_to_moments_and_dates_taken_as_the_calendar_says() {
    let sql = "select sent_at, sent_at + interval '2 days' as a, sent_at - interval '36 hours' as b, sent_at + interval '1 month' as c, \
               cast(sent_at as date) as d, date_trunc('quarter', sent_at) as q, date_trunc('week', sent_at) as w \
               from surveys where response_id = 'R000001-0001'";
    let explained = plan(sql);
    assert!(explained.contains("DurationMicrosecond") && explained.contains("day_in_utc"), "{explained}");
    insta::assert_snapshot!(cxlake(["--quiet", "--format", "csv", "-c", sql]).prints());
}
