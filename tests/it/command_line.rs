//! The command line: statements from everywhere, forms of results, exit codes. The defects of the neighbours have a test each.

use std::io::Read;
use std::process::Stdio;

use super::harness::{Folder, cxlake};

fn csv(arguments: &[&str]) -> String {
    cxlake(["--format", "csv"].iter().chain(arguments)).prints()
}

#[test]
fn statements_come_from_the_option_from_files_and_from_standard_input() {
    let folder = Folder::new();
    let file = folder.write("a.sql", "select 1 as a;\nselect 2 as b");
    assert_eq!(csv(&["-c", "select 1 as a; select 2 as b"]), "a\n1\nb\n2\n");
    assert_eq!(csv(&["-c", "select 1 as a", "-c", "select 2 as b"]), "a\n1\nb\n2\n");
    assert_eq!(csv(&["-f", file.to_str().expect("a path")]), "a\n1\nb\n2\n");
    assert_eq!(cxlake(["--format", "csv"]).stdin("select 1 as a;\nselect 2 as b").prints(), "a\n1\nb\n2\n");
    assert_eq!(cxlake(["--format", "csv", "-f", "-"]).stdin("select 1 as a").prints(), "a\n1\n");
    assert_eq!(cxlake(["--format", "csv"]).stdin("\u{feff}select 1 as a").prints(), "a\n1\n");
}

#[test]
fn the_last_statement_needs_no_semicolon() {
    assert_eq!(csv(&["-c", "select 1 as a;\n\nselect 2 as b -- the end"]), "a\n1\nb\n2\n");
}

#[test]
fn a_semicolon_or_quote_in_a_comment_or_string_does_not_split() {
    let script = "select 1 as a -- it's; one\n;\n/* it's; /* nested; */ */ select 'x;''y' as b;\nselect $$ ;' $$ as c";
    assert_eq!(cxlake(["--format", "csv"]).stdin(script).prints(), "a\n1\nb\nx;'y\nc\n ;' \n");
}

#[test]
fn a_bad_statement_stops_the_script_and_what_came_before_has_run() {
    let said = cxlake(["--format", "csv"]).stdin("select 1 as a;\nselct 2;\nselect 3 as c;").run();
    assert_eq!(said.code, Some(1));
    assert_eq!(said.text(), "a\n1\n");
    assert_eq!(
        said.stderr,
        "error: syntax error: expected an SQL statement, found `selct`\n  at stdin:2:1\n  | selct 2\n  | ^^^^^\n\nhint: did you mean `select`?\n"
    );
}

#[test]
fn an_unclosed_quote_is_the_error_of_its_own_statement_only() {
    let said = cxlake(["--format", "csv"]).stdin("select 1 as a;\n\nselect 'open;\nselect 3;").run();
    assert_eq!(said.code, Some(1));
    assert_eq!(said.text(), "a\n1\n");
    assert_eq!(
        said.stderr,
        "error: syntax error: a `'` opens a text that is never closed\n  at stdin:3:8\n  | select 'open;\n  |        ^\n\n\
         hint: a `'` within a text is doubled: `'O''Brien'`\n"
    );
}

#[test]
fn an_error_carries_the_line_of_the_file_and_not_of_the_statement() {
    let folder = Folder::new();
    folder.lake("");
    folder.write(
        "a.sql",
        "-- a comment\n\nselect 1 as a;\n\n-- another\nselect\n  1 as b,\n  c\nfrom (values (1)) v(d);\n",
    );
    let said = folder.cxlake(["--format", "csv", "-f", "a.sql"]).run();
    assert_eq!(said.code, Some(1));
    assert_eq!(said.text(), "a\n1\n");
    assert_eq!(said.stderr, "error: no column `c`\n  at a.sql:8:3\n  |   c\n  |   ^\n\nhint: columns here: `d`\n");
}

#[test]
fn a_wrong_name_is_answered_with_the_nearest_one() {
    assert_eq!(
        cxlake(["-c", "select * from ofices"]).told(1),
        "error: table `ofices` is not in this lake\n\nhint: did you mean `offices`? `cxlake tables` or `\\d` lists all\n"
    );
    assert_eq!(
        cxlake(["-c", "select ofice from offices"]).told(1),
        "error: no column `ofice`\n\nhint: did you mean `office`?\n"
    );
    assert_eq!(
        cxlake(["-c", "select cuont(*) from offices"]).told(1),
        "error: no function `cuont`\n\nhint: did you mean `count`?\n"
    );
    assert_eq!(
        cxlake(["-c", "select sum(office) from offices"]).told(1),
        "error: `sum(text)` does not take these types\n\n\
         hint: cast the argument, as in `cast(x as double)`; text is no number even when it looks like one\n"
    );
}

#[test]
fn backslash_commands_work_everywhere() {
    let tables = "account_revenue\naccounts\nassessments\ncodebook\ncontacts\ncost_per_touch\ncountries\nescalations\n\
                  field_feedback\nfollow_ups\nfx_rates\ninitiatives\noffices\noperations\npartner_surveys\nsurveys\n\
                  touches\n";
    let names = |text: String| {
        text.lines().skip(1).map(|line| format!("{}\n", line.split(',').next().expect("a name"))).collect::<String>()
    };
    let folder = Folder::new();
    let file = folder.write("a.sql", "\\d\n");
    assert_eq!(names(csv(&["-c", "\\d"])), tables);
    assert_eq!(names(csv(&["-f", file.to_str().expect("a path")])), tables);
    assert_eq!(names(cxlake(["--format", "csv"]).stdin("\\d\n").prints()), tables);
    let script = "\\format csv\nselect 1 as a;\n\\format ndjson\nselect 1 as a;\n\\q\nselect 2;";
    assert_eq!(cxlake([""; 0]).stdin(script).prints(), "a\n1\n{\"a\":1}\n");
    assert_eq!(
        cxlake(["-c", "\\qeries"]).fails(2),
        "error: no command `\\qeries`\n\nhint: did you mean `\\queries`? `\\?` lists all\n"
    );
    let said = cxlake([""; 0]).stdin("select 1;\n\n\\nonsense\n").run();
    assert_eq!(said.code, Some(2));
    assert_eq!(said.stderr, "error: no command `\\nonsense`\n  at stdin:3\n\nhint: `\\?` lists all\n");
}

#[test]
fn results_go_to_standard_output_and_everything_else_to_standard_error() {
    let said = cxlake(["run", "cost-gaps", "-p", "months=1", "--format", "csv"]).run();
    assert!(said.text().starts_with("period,office,expected,"), "{said}");
    assert_eq!(said.stderr, "What is missing from the cost of touches\n  months = 1\n  period = 2026-09\n\n");
    let said = cxlake(["run", "cost-gaps", "-p", "months=1", "--format", "csv", "--quiet"]).run();
    assert_eq!(said.stderr, "");
    let said = cxlake(["-c", "\\timing on", "-c", "select 1 as a", "--format", "csv"]).run();
    assert_eq!(said.text(), "a\n1\n");
    assert!(said.stderr.starts_with("timing is on\n0."), "{said}");
}

#[test]
fn every_row_is_written_in_every_form() {
    let query = "select value as x from generate_series(1, 20000)";
    for (format, lines) in
        [("csv", 20_001), ("tsv", 20_001), ("ndjson", 20_000), ("markdown", 20_002), ("table", 20_002)]
    {
        let text = cxlake(["--format", format, "-c", query]).prints();
        assert_eq!(text.lines().count(), lines, "{format}");
        assert!(text.contains("20000"), "{format}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&cxlake(["--format", "json", "-c", query]).prints()).expect("one JSON document");
    assert_eq!(json.as_array().map(Vec::len), Some(20_000));
}

#[test]
fn a_result_without_rows_has_its_head_in_every_form() {
    let query = "select 1 as a, 'x' as b where false";
    let of = |format| cxlake(["--format", format, "-c", query]).prints();
    assert_eq!(of("csv"), "a,b\n");
    assert_eq!(of("tsv"), "a\tb\n");
    assert_eq!(of("json"), "[]\n");
    assert_eq!(of("ndjson"), "");
    assert_eq!(of("markdown"), "| a | b |\n| ---: | --- |\n");
    assert_eq!(of("table"), "a  b\n─  ─\n");
}

#[test]
fn values_are_written_so_that_nothing_is_lost_or_read_as_something_else() {
    let query = "select '007' as id, cast('1234567890123456.78' as decimal(18,2)) as money, 0.1 as ratio, \
                 'a,\"b\"\nc|d' as text, cast(null as varchar) as nothing, \
                 arrow_cast('2026-09-01T04:00:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))') as moment, \
                 make_array(1, 2) as list, date '2026-09-01' as day";
    let of = |format| cxlake(["--format", format, "-c", query]).prints();
    assert_eq!(
        of("csv"),
        "id,money,ratio,text,nothing,moment,list,day\n007,1234567890123456.78,0.1,\"a,\"\"b\"\"\nc|d\",,\
         2026-09-01T04:00:00Z,\"[1, 2]\",2026-09-01\n"
    );
    assert_eq!(
        of("ndjson"),
        "{\"id\":\"007\",\"money\":1234567890123456.78,\"ratio\":0.1,\"text\":\"a,\\\"b\\\"\\nc|d\",\"nothing\":null,\
         \"moment\":\"2026-09-01T04:00:00Z\",\"list\":[1,2],\"day\":\"2026-09-01\"}\n"
    );
    assert_eq!(
        of("table"),
        "id                 money  ratio  text        nothing  moment                      list    day\n\
         ───  ───────────────────  ─────  ──────────  ───────  ──────────────────────────  ──────  ──────────\n\
         007  1234567890123456.78    0.1  a,\"b\"\\nc|d  NULL     2026-09-01 04:00:00 +00:00  [1, 2]  2026-09-01\n"
    );
    assert_eq!(
        of("markdown").lines().last(),
        Some(
            "| 007 | 1234567890123456.78 | 0.1 | a,\"b\"\\\\nc\\|d | NULL | 2026-09-01 04:00:00 +00:00 | [1, 2] | 2026-09-01 |"
        )
    );
}

#[test]
fn every_file_form_is_read_back_as_it_was_written() {
    let folder = Folder::new();
    let query = "select '007' as id, 1 as n, 0.5 as x, date '2026-09-01' as day, cast(null as varchar) as nothing \
                 union all select '008', 2, -0.25, date '2026-10-01', 'something' order by id";
    let written = folder.cxlake(["--format", "csv", "-c", query]).prints();
    for name in ["a.csv", "a.tsv", "a.json", "a.ndjson", "a.parquet", "a.arrow"] {
        assert_eq!(folder.cxlake(["-o", name, "-c", query]).prints(), "");
        let read = format!("select id, n, x, day, nothing from '{name}' order by id");
        assert_eq!(folder.cxlake(["--format", "csv", "-c", &read]).prints(), written, "{name}");
    }
}

#[test]
fn an_output_file_appears_when_it_is_complete_and_not_before() {
    let folder = Folder::new();
    folder.write("out.csv", "the old one\n");
    let failing = "select 1 as x union all select 1 / (value - 50000) from generate_series(1, 100000)";
    let said = folder.cxlake(["-o", "out.csv", "-c", failing]).run();
    assert_eq!(said.code, Some(1), "{said}");
    assert_eq!(folder.read("out.csv"), "the old one\n");
    assert_eq!(folder.names(), ["out.csv"]);
    folder.cxlake(["-o", "out.csv", "-c", "select 1 as x"]).prints();
    assert_eq!(folder.read("out.csv"), "x\n1\n");
    assert_eq!(folder.names(), ["out.csv"]);
}

#[test]
fn an_output_that_cannot_be_written_fails_before_the_work() {
    let folder = Folder::new();
    assert_eq!(
        folder.cxlake(["-o", "no/such/out.csv", "-c", "select 1"]).fails(1),
        "error: cannot write `no/such/out.csv`: there is no folder `no/such`\n"
    );
    assert_eq!(folder.cxlake(["-o", ".", "-c", "select 1"]).fails(2), "error: cannot write `.`: it is a folder\n");
}

#[test]
fn an_output_holds_one_result() {
    let folder = Folder::new();
    assert_eq!(
        folder.cxlake(["-o", "out.csv", "-c", "select 1 as a; select 2 as b"]).fails(2),
        "error: `--output` takes one result, and this is the second\n\n\
         hint: write one statement with a result, or use `copy (…) to 'file'` for each\n"
    );
    assert_eq!(folder.read("out.csv"), "a\n1\n");
}

#[test]
fn the_files_ending_picks_the_form_and_the_option_wins() {
    let folder = Folder::new();
    folder.cxlake(["-o", "a.ndjson", "-c", "select 1 as x"]).prints();
    folder.cxlake(["-o", "b.ndjson", "--format", "csv", "-c", "select 1 as x"]).prints();
    folder.cxlake(["-o", "c.dat", "--format", "table", "-c", "select 1 as x"]).prints();
    assert_eq!(
        folder.cxlake(["-o", "d.xlsx", "-c", "select 1 as x"]).fails(2),
        "error: cannot tell from its name which form `d.xlsx` should have\n\nhint: say it with `--format`, or use one of these \
         endings: `txt`, `csv`, `tsv`, `json`, `ndjson`, `jsonl`, `md`, `markdown`, `html`, `htm`, `sql`, `parquet`, `arrow`, `feather`, `ipc`\n"
    );
    assert_eq!(folder.read("a.ndjson"), "{\"x\":1}\n");
    assert_eq!(folder.read("b.ndjson"), "x\n1\n");
    assert_eq!(folder.read("c.dat"), "x\n─\n1\n");
}

#[test]
fn a_reader_that_goes_is_no_failure() {
    let mut child = cxlake(["--format", "csv", "-c", "select * from generate_series(1, 5000000)"])
        .command()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut first = [0; 10];
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_exact(&mut first).expect("the first rows");
    drop(stdout);
    let output = child.wait_with_output().expect("the binary ends");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn exit_codes_tell_a_failure_from_a_wrong_call() {
    assert_eq!(cxlake(["-c", "select 1"]).run().code, Some(0));
    assert_eq!(cxlake(["-c", "select nothing"]).run().code, Some(1));
    assert_eq!(cxlake(["-f", "/no/such/file.sql"]).fails(2), "error: no file `/no/such/file.sql`\n");
    assert_eq!(cxlake(["--nonsense"]).run().code, Some(2));
    assert_eq!(cxlake(["--help"]).run().code, Some(0));
    assert_eq!(
        cxlake(["--format", "xml", "-c", "select 1"]).fails(2),
        "error: unknown format `xml`\n\n\
         hint: known formats: `table`, `box`, `vertical`, `csv`, `tsv`, `json`, `ndjson`, `markdown`, `html`, `insert`, `parquet`, `arrow`\n"
    );
    assert_eq!(
        cxlake(["--memory-limit", "lots", "-c", "select 1"]).fails(2),
        "error: `lots` is no memory limit\n\nhint: write `512MB`, `4GiB` or `50%`\n"
    );
}

#[cfg(unix)]
#[test]
fn an_interrupted_statement_leaves_with_130_and_no_output_file() {
    let folder = Folder::new();
    let query = "select count(*) from generate_series(1, 100000) a cross join generate_series(1, 100000) b where a.value % 7 = b.value % 11";
    let child = folder
        .cxlake(["-o", "out.csv", "-c", query])
        .command()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    std::thread::sleep(std::time::Duration::from_millis(700));
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.expect("kill is there").success());
    let output = child.wait_with_output().expect("the binary ends");
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "error: interrupted\n");
    assert_eq!(folder.names(), Vec::<String>::new());
}

#[test]
fn read_only_reads_the_tables_of_the_lake_and_nothing_else() {
    let read_only = |sql: &str| cxlake(["--read-only", "--format", "csv", "-c", sql]);
    assert_eq!(read_only("select count(*) as n from offices").prints(), "n\n31\n");
    let hint = "\n\nhint: leave `--read-only` out to allow it\n";
    for (sql, what) in [
        ("create view v as select 1", "a statement such as CREATE or DROP"),
        ("drop table offices", "a statement such as CREATE or DROP"),
        ("create external table t stored as csv location 'x.csv'", "a statement such as CREATE or DROP"),
        ("insert into offices select * from offices", "a statement such as INSERT"),
        ("copy (select 1) to 'x.csv'", "COPY"),
        ("set datafusion.execution.batch_size = 1", "a statement such as SET"),
    ] {
        assert_eq!(read_only(sql).fails(2), format!("error: read-only: {what} is not allowed{hint}"), "{sql}");
    }
    assert_eq!(
        read_only("select * from 'sample-data/offices/offices.parquet'").fails(2),
        "error: read-only: files by path, such as `sample-data/offices/offices.parquet`, are not read\n\n\
         hint: only the tables of the lake are open with `--read-only`\n"
    );
}

#[test]
fn parameters_of_a_statement_are_bound_and_never_pasted() {
    let bound = |value: &str, sql: &str| csv(&["--param", value, "-c", sql]);
    assert_eq!(bound("x=5", "select $x + 1 as y"), "y\n6\n");
    assert_eq!(bound("x=O'Brien", "select $x as y"), "y\nO'Brien\n");
    assert_eq!(bound("x=007", "select $x as y"), "y\n007\n");
    assert_eq!(bound("x=12345678901234567890", "select $x as y"), "y\n12345678901234567890\n");
    assert_eq!(bound("office=O01", "select office from offices where office_id = $office"), "office\nNew York\n");
    assert_eq!(
        cxlake(["-c", "select $x"]).told(2),
        "error: parameter `$x` has no value\n\nhint: give it with `--param x=…` or `\\set x …`\n"
    );
}

#[test]
fn without_a_lake_files_are_read_by_path() {
    let folder = Folder::new();
    folder.write("a.csv", "id;name\n007;x\n008;y\n");
    folder.write("d/a.ndjson", "{\"x\":1}\n{\"x\":2}\n");
    folder.write("d2/a.csv", "x\n1\n");
    folder.write("d/b.json", "[{\"x\":3}]\n");
    folder.write("q.csv", "text,n\n\"two\nlines; one's\",1\n");
    let select = |sql: &str| folder.cxlake(["--format", "csv", "-c", sql]).prints();
    assert_eq!(select("select * from 'a.csv'"), "id,name\n007,x\n008,y\n");
    assert_eq!(select("select sum(x) as x from 'd/*.ndjson'"), "x\n3\n");
    assert_eq!(select("select x from 'd/b.json'"), "x\n3\n");
    assert_eq!(select("select n from 'q.csv'"), "n\n1\n");
    assert_eq!(select("select count(*) as n from 'd2'"), "n\n1\n");
    assert_eq!(folder.cxlake(["-c", "select * from 'nope.csv'"]).fails(1), "error: no file or folder at `nope.csv`\n");
    assert_eq!(
        folder.cxlake(["-c", "select * from './'"]).fails(1),
        "error: `./a.csv` and `./d/a.ndjson` are of different kinds\n\n\
         hint: narrow the path with a glob, such as `./*.csv`\n"
    );
}

#[test]
fn csv_files_with_different_headers_are_no_one_table() {
    let folder = Folder::new();
    folder.write("d/a.csv", "x,y\n1,2\n");
    folder.write("d/b.csv", "y,x\n1,2\n");
    assert_eq!(
        folder.cxlake(["-c", "select * from 'd/'"]).fails(1),
        "error: the header of `d/b.csv` is not that of `d/a.csv`\n\n\
         hint: CSV columns are told apart by their place; read files with different headers one by one\n"
    );
}

#[test]
fn a_leading_zero_in_any_of_several_files_makes_the_column_text() {
    let folder = Folder::new();
    folder.write("d/a.csv", "id\n11\n");
    folder.write("d/b.csv", "id\n007\n");
    let text = folder.cxlake(["--format", "csv", "-c", "select id from 'd/' order by id"]).prints();
    assert_eq!(text, "id\n007\n11\n");
}

#[test]
fn a_copy_that_fails_leaves_what_was_there_and_nothing_else() {
    let folder = Folder::new();
    folder.cxlake(["-c", "copy (select 1 as x) to 'keep.parquet'"]).prints();
    let failing = "select 1 / (value - 500000) as x from generate_series(1, 1000000)";
    for target in ["keep.parquet", "new.csv", "folder/"] {
        let said = folder.cxlake(["-c", &format!("copy ({failing}) to '{target}' stored as parquet")]).run();
        assert_eq!(said.code, Some(1), "{said}");
    }
    assert_eq!(folder.cxlake(["--format", "csv", "-c", "select * from 'keep.parquet'"]).prints(), "x\n1\n");
    assert_eq!(folder.names(), ["keep.parquet"]);
}

#[test]
fn a_copy_into_a_folder_that_is_not_empty_is_refused() {
    let folder = Folder::new();
    let copy = "copy (select 1 as x, 'a' as p) to 't' stored as parquet partitioned by (p)";
    folder.cxlake(["-c", copy]).prints();
    assert_eq!(
        folder.cxlake(["-c", copy]).fails(2),
        "error: `t` is not empty\n\n\
         hint: COPY would add to what is there, and a second run would double it; choose a new folder or empty this one\n"
    );
    assert_eq!(folder.cxlake(["--format", "csv", "-c", "select x from 't'"]).prints(), "x\n1\n");
    assert_eq!(folder.names(), ["t"]);
}

#[test]
fn a_filter_of_thousands_of_terms_is_planned() {
    let terms: Vec<String> = (0..3000).map(|n| format!("(x = {n} and y = 'y{n}')")).collect();
    let sql = format!("select count(*) as n from (values (1, 'y1'), (5, 'y6')) v(x, y) where {}", terms.join(" or "));
    assert_eq!(cxlake(["--format", "csv"]).stdin(sql).prints(), "n\n1\n");
}

#[test]
fn what_would_do_nothing_in_silence_is_an_error() {
    assert_eq!(
        cxlake(["-c", "select 1", "tables"]).fails(2),
        "error: `-c` and `-f` do not go with a subcommand\n\nhint: make two calls of it\n"
    );
    assert_eq!(
        cxlake(["-c", "select from offices"]).fails(1),
        "error: the statement selects no columns\n\nhint: write `select * from …`\n"
    );
    assert_eq!(
        cxlake(["run", "cost-per-touch", "-p", "offices="]).fails(2),
        "error: parameter `offices`: is a list without a value\n\nhint: leave it out to take its default\n"
    );
    assert_eq!(
        cxlake(["--lake", "cxlake.toml", "tables"]).fails(2),
        "error: `cxlake.toml` is a file, not the folder of a lake\n"
    );
}

#[test]
fn two_columns_of_one_name_are_refused_where_a_reader_would_lose_one() {
    let query = "select a.office_id, b.office_id from offices a join offices b on a.office_id = b.office_id limit 1";
    for format in ["json", "ndjson"] {
        let error = cxlake(["--format", format, "-c", query]).fails(1);
        let first = error.lines().next();
        assert_eq!(
            first,
            Some(
                "error: cannot write the result: Schema error: two columns are called `office_id`; name one with `as`"
            )
        );
    }
    assert_eq!(cxlake(["--format", "csv", "-c", query]).prints().lines().next(), Some("office_id,office_id"));
}

#[test]
fn a_quote_that_swallows_rows_is_an_error_with_its_line() {
    let folder = Folder::new();
    folder.write("open.csv", "id,v\n1,\"abc\n2,3\n3,4\n");
    folder.write("inside.csv", "id,v\n1,\"abc\n2,3\n4,\"x\"\n");
    folder.write("fine.csv", "id,v\r\n1,\"a \"\"b\"\", c\r\nd\"\r\n2,5\" pipe\r\n\"3\",\"\"\r\n");
    assert_eq!(
        folder.cxlake(["-c", "select * from 'open.csv'"]).fails(1),
        "error: a quote is opened and never closed\n  at open.csv:2\n"
    );
    assert_eq!(
        folder.cxlake(["-c", "select * from 'inside.csv'"]).fails(1),
        "error: a value goes on behind its closing quote\n  at inside.csv:4\n\n\
         hint: the quote was opened in line 2; a quote within a value is doubled\n"
    );
    let rows = "select count(*) as n, max(id) as last from 'fine.csv'";
    assert_eq!(folder.cxlake(["--format", "csv", "-c", rows]).prints(), "n,last\n3,3\n");
}

#[cfg(unix)]
#[test]
fn a_replaced_output_stays_as_private_as_it_was() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let path = folder.write("out.csv", "old\n");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("the file is ours");
    folder.cxlake(["-o", "out.csv", "-c", "select 1 as x"]).prints();
    let mode = std::fs::metadata(&path).expect("the file is there").permissions().mode();
    assert_eq!((folder.read("out.csv").as_str(), mode & 0o777), ("x\n1\n", 0o600));
}

#[test]
fn shells_complete_every_subcommand_and_option() {
    for (shell, option) in [("bash", "--memory-limit"), ("zsh", "--memory-limit"), ("fish", "-l memory-limit")] {
        let script = cxlake(["completions", shell]).prints();
        for word in ["generate", "doctor", "completions", "check", option] {
            assert!(script.contains(word), "`{word}` in the script for {shell}");
        }
    }
    let said = cxlake(["completions", "tcsh"]).run();
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("bash, zsh, fish"), "{}", said.stderr);
}

#[test]
fn bash_completes_a_subcommand_by_the_script() {
    let script = cxlake(["completions", "bash"]).prints();
    let asked =
        format!("{script}\nCOMP_WORDS=(cxlake do); COMP_CWORD=1; _cxlake cxlake do cxlake; echo \"${{COMPREPLY[@]}}\"");
    let bash = std::process::Command::new("bash").args(["--norc", "-c", &asked]).output().expect("bash runs");
    assert_eq!(String::from_utf8_lossy(&bash.stdout).trim(), "doctor", "{}", String::from_utf8_lossy(&bash.stderr));
}

#[test]
fn the_program_and_every_subcommand_have_a_manual_page() {
    let page = cxlake(["man"]).prints();
    assert!(page.starts_with(".ie"), "{}", &page[..40]);
    for word in ["cxlake\\-run", "cxlake\\-generate", "\\-\\-memory\\-limit", "NO_COLOR"] {
        assert!(page.contains(word), "`{word}`");
    }
    let page = cxlake(["man", "generate"]).prints();
    for word in ["cxlake\\-generate", "\\-\\-scale", "\\-\\-seed"] {
        assert!(page.contains(word), "`{word}`");
    }
    let said = cxlake(["man", "generat"]).run();
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.starts_with("error: no subcommand `generat`"), "{}", said.stderr);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure_in_any_form() {
    for format in ["csv", "json", "ndjson", "table", "markdown", "html", "insert"] {
        let endless = "select a.value as x from generate_series(1, 100000000) a";
        let mut command = cxlake(["--format", format, "-c", endless]).command();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let mut some = [0; 64];
        child.stdout.take().expect("a pipe").read_exact(&mut some).expect("rows");
        // The pipe is closed here, as `head` does.
        let said = child.wait_with_output().expect("it ends");
        assert_eq!((said.status.code(), String::from_utf8_lossy(&said.stderr).as_ref()), (Some(0), ""), "{format}");
    }
}

#[test]
fn statements_may_begin_with_a_comment() {
    assert_eq!(cxlake(["--format", "csv", "-c", "-- how much\nselect 1 as n"]).prints(), "n\n1\n");
}
