//! Looking around: the `\d` family, DESCRIBE, SUMMARIZE and EXPLAIN.

use super::harness::{Folder, Row, cxlake, number, sql_rows, text};

/// A lake with one table of two files in partitions.
fn lake() -> Folder {
    let folder = Folder::new();
    folder.lake(
        "[table.t]\npath = \"t/\"\ndescription = \"One row per x.\"\npartition = { period = \"date\" }\n\
         [table.t.columns]\nx = { type = \"int\", description = \"a number\" }\ny = \"text?\"\nz = \"decimal(18,2)?\"\n",
    );
    folder.parquet("t/period=2026-08-01/a.parquet", "select 7 as x, 'b' as y, cast('1.10' as decimal(18,2)) as z");
    folder.parquet(
        "t/period=2026-09-01/a.parquet",
        "select column1 as x, column2 as y from (values (1, 'a'), (3, null), (4, 'c'))",
    );
    folder
}

#[test]
fn a_table_is_told_with_what_its_footers_know_and_nothing_is_read() {
    let said = lake().cxlake(["-c", "\\d t"]).run();
    assert_eq!(
        said.text(),
        "column  type           nullable  nulls  min         max         description\n\
         ──────  ─────────────  ────────  ─────  ──────────  ──────────  ───────────\n\
         x       int            false         0  1           7           a number\n\
         y       text           true          1  a           c\n\
         z       decimal(18,2)  true          3  1.10        1.10\n\
         period  date           true          0  2026-08-01  2026-09-01\n"
    );
    assert!(said.stderr.starts_with("t/: 4 rows in 2 files, "), "{said}");
}

#[test]
fn the_list_of_tables_says_how_large_and_how_old_each_is() {
    let folder = lake();
    for command in ["\\d", "\\dt", "\\d+"] {
        let rows: Vec<Row> =
            serde_json::from_str(&folder.cxlake(["--format", "json", "-c", command]).prints()).expect("JSON rows");
        let [table] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((text(table, "table"), number(table, "rows"), number(table, "files")), ("t", 4.0, 2.0), "{command}");
        assert!(number(table, "bytes") > 100.0 && text(table, "written").len() == 16, "{rows:?}");
    }
    let shown = folder.cxlake(["-c", "\\d"]).prints();
    assert!(shown.contains(" KB ") && shown.contains("One row per x."), "{shown}");
    // A table whose files are gone is listed all the same; naming it says what is wrong.
    std::fs::remove_dir_all(folder.at("t")).expect("the folder goes");
    assert_eq!(
        folder.cxlake(["--format", "csv", "-c", "\\d"]).prints(),
        "table,rows,bytes,written,files,partition,path,description\nt,,,,,period,t/,One row per x.\n"
    );
}

#[test]
fn what_a_session_made_is_listed_apart() {
    let script = "create view v as select 1 as a, 2 as b;\ncreate table w as select 1 as a;\n\\dv\n\\d v\n";
    assert_eq!(
        Folder::new().cxlake(["--format", "csv"]).stdin(script).prints(),
        "name,kind,columns\nv,view,2\nw,table,1\n\
         column,type,nullable,nulls,min,max,description\na,int,false,,,,\nb,int,false,,,,\n"
    );
}

#[test]
fn the_letters_of_psql_lead_to_queries_and_functions() {
    let said = |command: &str| cxlake(["-c", command]).run();
    assert_eq!(said("\\dq").text(), said("\\queries").text());
    assert_eq!(said("\\df").text(), said("\\f").text());
    assert_eq!(said("\\df nps").stderr, said("\\doc nps").stderr);
    assert_eq!(said("\\dq cost-gaps").stderr, said("\\queries cost-gaps").stderr);
}

#[test]
fn describe_takes_tables_queries_and_files() {
    let folder = lake();
    let csv = |sql: &str| folder.cxlake(["--format", "csv", "-c", sql]).prints();
    let head = "column,type,nullable,description\n";
    let table = format!("{head}x,int,false,a number\ny,text,true,\nz,\"decimal(18,2)\",true,\nperiod,date,true,\n");
    assert_eq!(csv("describe t"), table);
    assert_eq!(csv("DESC t"), table);
    assert_eq!(csv("describe table t"), table);
    assert_eq!(csv("describe\nselect * from t"), table);
    assert_eq!(
        csv("describe select x, x + 1.5 as y, [y] as l from t"),
        format!("{head}x,int,false,a number\ny,float,true,\nl,list<text>,true,\n")
    );
    assert_eq!(csv("describe (select 1 as a)"), format!("{head}a,int,false,\n"));
    assert_eq!(
        csv("describe 't/period=2026-08-01/a.parquet'"),
        format!("{head}x,int,true,\ny,text,true,\nz,\"decimal(18,2)\",true,\n")
    );
    // An alias is no table, even under the name of one.
    assert_eq!(csv("describe select x from (select 1 as x) t"), format!("{head}x,int,false,\n"));
    assert_eq!(folder.cxlake(["--read-only", "--format", "csv", "-c", "describe t"]).prints(), table);
    let script = "describe select $x as a";
    assert_eq!(
        folder.cxlake(["--format", "csv", "--param", "x=1", "-c", script]).prints(),
        format!("{head}a,int,false,\n")
    );
}

#[test]
fn what_is_never_null_in_a_table_is_described_as_null_where_a_query_finds_no_row_of_it() {
    let folder = Folder::new();
    folder.lake(
        "[table.t]\npath = \"t.parquet\"\n[table.t.columns]\nx = \"int\"\n\
         [table.u]\npath = \"t.parquet\"\n[table.u.columns]\nx = \"int\"\n",
    );
    folder.parquet("t.parquet", "select 1 as x");
    for (sql, nullable) in [
        ("select t.x, u.x from t join u on t.x = u.x", ["false", "false"]),
        ("select t.x, u.x from t left join u on false", ["false", "true"]),
        ("select t.x, u.x from t right join u on false", ["true", "false"]),
        ("select t.x, u.x from t full join u on false", ["true", "true"]),
        ("select t.x, u.x from t cross join u group by rollup (t.x, u.x)", ["true", "true"]),
        ("select t.x, 1 as y from t where exists (select 1 from u left join t on false)", ["false", "false"]),
    ] {
        let said = folder.cxlake(["--format", "csv", "-c", &format!("describe {sql}")]).prints();
        let found: Vec<_> = said.lines().skip(1).filter_map(|line| line.split(',').nth(2)).collect();
        assert_eq!(found, nullable, "{sql}");
    }
}

#[test]
fn summarize_tells_every_column_of_any_type_in_one_pass() {
    let sql = "summarize select * from (values \
        (1, 1.5, cast('0.10' as decimal(18,2)), true, date '2026-01-01', 'b', [1]), \
        (2, 'NaN'::double, cast('0.20' as decimal(18,2)), false, date '2026-01-03', 'a', [2]), \
        (4, 2.5, null, true, date '2026-01-05', null, [2])) t(i, f, d, b, day, s, l)";
    assert_eq!(
        Folder::new().cxlake(["-c", sql]).prints(),
        "column  type           min         max         approx_distinct  mean        std        q25         q50         q75         count  null_percent\n\
         ──────  ─────────────  ──────────  ──────────  ───────────────  ──────────  ─────────  ──────────  ──────────  ──────────  ─────  ────────────\n\
         i       int            1           4                         3  2.33333     1.52753    1.5         2           3               3           0.0\n\
         f       float          1.5         2.5                       2  2           0.707107   1.75        2           2.25            3           0.0\n\
         d       decimal(18,2)  0.10        0.20                      2  0.150000    0.0707107  0.13        0.15        0.18            3         33.33\n\
         b       bool           false       true                      2                                                                 3           0.0\n\
         day     date           2026-01-01  2026-01-05                3  2026-01-03             2026-01-02  2026-01-03  2026-01-04      3           0.0\n\
         s       text           a           b                         2                                                                 3         33.33\n\
         l       list<int>                                            2                                                                 3           0.0\n"
    );
}

#[test]
fn summarize_takes_what_has_no_order_and_what_has_no_rows() {
    let folder = Folder::new();
    let csv = |sql: &str| folder.cxlake(["--format", "csv", "-c", sql]).prints();
    let head = "column,type,min,max,approx_distinct,mean,std,q25,q50,q75,count,null_percent\n";
    assert_eq!(csv("summarize select 1 as a where false"), format!("{head}a,int,,,0,,,,,,0,\n"));
    let odd = "summarize select {'a': 1} as s, null as n, interval '1 day' as i, \
               arrow_cast('a', 'Dictionary(Int32, Utf8)') as k, X'0a' as x, time '10:00' as t";
    assert_eq!(
        csv(odd),
        format!(
            "{head}s,struct<a int>,,,1,,,,,,1,0.0\nn,null,,,0,,,,,,1,100.0\n\
             i,interval,1 days,1 days,1,,,,,,1,0.0\nk,text,a,a,1,,,,,,1,0.0\nx,binary,0a,0a,1,,,,,,1,0.0\n\
             t,time,10:00:00,10:00:00,1,,,,,,1,0.0\n"
        )
    );
    folder.write("a.csv", "a,b\n1,x\n2,\n");
    assert_eq!(
        csv("summarize 'a.csv'"),
        format!("{head}a,int,1,2,2,1.5,0.707107,1.25,1.5,1.75,2,0.0\nb,text,x,x,1,,,,,,2,50.0\n")
    );
    // Two columns of one name, as a join gives them.
    let twice = "summarize select * from (select 1 as a) x join (select 1 as a) y on x.a = y.a";
    assert_eq!(csv(twice), format!("{head}a,int,1,1,1,1,,1,1,1,1,0.0\na,int,1,1,1,1,,1,1,1,1,0.0\n"));
}

#[test]
fn quartiles_of_scores_are_exact_and_texts_are_shown_as_they_are() {
    let scores = cxlake(["--format", "json", "-c", "summarize select nps from surveys"]).prints();
    let exact = sql_rows(
        "select percentile_cont(nps, 0.25) as q25, percentile_cont(nps, 0.5) as q50, percentile_cont(nps, 0.75) as q75 from \
         (select cast(nps as double) as nps from surveys)",
    );
    let scores: Vec<Row> = serde_json::from_str(&scores).expect("JSON rows");
    for quartile in ["q25", "q50", "q75"] {
        assert_eq!(text(&scores[0], quartile), number(&exact[0], quartile).to_string(), "{quartile}");
    }
    let places = "summarize select * from (values ('LUZ'), ('METZ')) t(place)";
    let rows: Vec<Row> = serde_json::from_str(&cxlake(["--format", "json", "-c", places]).prints()).expect("JSON rows");
    assert_eq!((text(&rows[0], "min"), text(&rows[0], "max")), ("LUZ", "METZ"));
}

#[test]
fn from_alone_selects_all_of_a_table() {
    let folder = lake();
    let csv = |sql: &str| folder.cxlake(["--format", "csv", "-c", sql]).prints();
    assert_eq!(csv("from t order by x limit 1"), csv("select * from t order by x limit 1"));
    assert_eq!(csv("with a as (from t) select count(*) as n from a"), "n\n4\n");
}

#[test]
fn explain_shows_a_tree_and_a_shared_subplan_once() {
    let sql = "with a as (select account_id, avg(nps) as m from surveys group by account_id) \
               select count(*) from a where m > (select avg(m) from a)";
    let tree = cxlake(["--threads", "2", "-c", &format!("explain {sql}")]).prints();
    insta::assert_snapshot!(tree);
    let analyzed = cxlake(["--threads", "2", "-c", &format!("explain analyze {sql}")]).run();
    let tree = analyzed.text();
    assert!(tree.starts_with("operator  "), "{tree}");
    for column in ["time", "share", "rows", "read", "files", "row groups", "detail"] {
        assert!(tree.lines().next().is_some_and(|head| head.contains(column)), "{column}:\n{tree}");
    }
    assert_eq!(tree.matches('◀').count(), 1, "{tree}");
    assert_eq!(tree.matches("scan surveys").count(), 1, "{tree}");
    assert_eq!(tree.matches("shared a@1, see above").count(), 1, "{tree}");
    assert!(analyzed.stderr.contains("\nresult: 1 row in "), "{analyzed}");
}

#[test]
fn explain_analyze_is_rows_for_programs() {
    let sql = "explain analyze select count(*) from surveys where month >= '2026-01-01' and nps > 3";
    let rows: Vec<Row> =
        serde_json::from_str(&cxlake(["--threads", "2", "--format", "json", "-c", sql]).prints()).expect("JSON rows");
    assert_eq!(
        (text(&rows[0], "operator"), number(&rows[0], "depth"), number(&rows[0], "rows")),
        ("projection", 0.0, 1.0)
    );
    let scan = rows.last().expect("a scan");
    assert_eq!(text(scan, "operator"), "scan surveys");
    assert_eq!((number(scan, "files"), number(scan, "files_pruned")), (9.0, 0.0), "{scan:?}");
    assert!(number(scan, "read_bytes") > 0.0 && text(scan, "detail").contains("pruning_predicate="), "{scan:?}");
    let shares: f64 = rows.iter().filter_map(|row| row["time_share"].as_f64()).sum();
    assert!((shares - 1.0).abs() < 1e-6, "{shares}");
}

#[test]
fn the_engines_own_text_of_a_plan_is_there_when_it_is_asked_for() {
    let csv = |sql: &str| cxlake(["--format", "csv", "-c", sql]).prints();
    assert!(csv("explain format indent select 1 as a").starts_with("plan_type,plan\nlogical_plan,"));
    assert!(csv("explain verbose select 1 as a").contains("initial_logical_plan"));
    assert!(csv("explain analyze verbose select 1 as a").contains("Plan with Full Metrics"));
}

#[test]
fn only_queries_are_asked_about() {
    let folder = Folder::new();
    let said = folder.cxlake(["-c", "describe create view v as select 1"]).fails(1);
    assert!(said.starts_with("error: syntax error: "), "{said}");
    let copy = folder.cxlake(["-c", "explain analyze select 1 / 0"]).fails(1);
    assert!(
        copy.starts_with("error: division by zero\n  | explain analyze select 1 / 0\n  |                          ^\n"),
        "{copy}"
    );
}
