//! The command line: statements from everywhere, forms of results, exit codes. The defects of the neighbours have a test each.

use std::io::Read;
use std::process::Stdio;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;

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
fn read_only_reads_and_writes_no_file_that_a_command_names() {
    let folder = Folder::new();
    let table = folder.parquet("t.parquet", "select 7 as a");
    let before = std::fs::read(&table).expect("a file");
    folder.lake("[table.t]\npath = \"t.parquet\"\n").write("secret.txt", "secret\n");
    for (script, what) in [
        ("\\i secret.txt\n", "no file is read by `\\i`"),
        ("select 1 as a \\g t.parquet\n", "no file is written by `\\g`"),
        ("select 1 as a;\n\\g ./t.parquet\n", "no file is written by `\\g`"),
        ("\\o t.parquet\nselect 1 as a;\n", "no file is written by `\\o`"),
    ] {
        let said = folder.cxlake(["-q", "--read-only"]).stdin(script).run();
        assert_eq!(said.code, Some(2), "{script}: {said}");
        assert!(said.stderr.starts_with(&format!("error: read-only: {what}\n  at stdin:")), "{script}: {said}");
        assert!(said.stderr.ends_with("\n\nhint: leave `--read-only` out to allow it\n"), "{script}: {said}");
    }
    assert_eq!(std::fs::read(&table).expect("a file"), before);
    // What the command line itself names was named by who may.
    folder.write("ask.sql", "select a from t");
    folder.cxlake(["-q", "--read-only", "-f", "ask.sql", "-o", "out.csv"]).prints();
    assert_eq!(folder.read("out.csv"), "a\n7\n");
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
fn a_prepared_statement_gets_its_values_when_it_is_executed() {
    assert_eq!(csv(&["-c", "prepare p as select $1 + 1 as y; execute p(41)"]), "y\n42\n");
    assert_eq!(csv(&["-c", "prepare p(bigint) as select $1 + 1 as y; execute p(41)"]), "y\n42\n");
    // A parameter with a name is one of the call.
    assert_eq!(csv(&["-p", "a=3", "-c", "prepare p as select $a as y; execute p"]), "y\n3\n");
    for statement in ["drop schema public cascade", "create table t as select 1 as a"] {
        assert_eq!(
            cxlake(["-c", &format!("prepare p as {statement}")]).fails(2),
            "error: `prepare` takes a query\n\nhint: write the statement itself where it is to run\n"
        );
    }
    let said = cxlake(["-c", "prepare p as select $b as y"]).fails(2);
    assert!(said.starts_with("error: parameter `$b` has no value\n"), "{said}");
}

#[test]
fn what_is_of_the_lake_cannot_be_dropped() {
    let hint = "\n\nhint: take it out of `cxlake.toml`; its files stay\n";
    for sql in ["drop table offices", "drop table \"OFFICES\"", "drop view \"Offices\"", "drop table if exists Offices"]
    {
        let wanted = format!("error: `offices` is a table of the lake and cannot be dropped{hint}");
        assert_eq!(cxlake(["-c", sql]).fails(2), wanted, "{sql}");
    }
    for schema in ["public", "cxlake"] {
        let said = cxlake(["-c", &format!("drop schema {schema} cascade")]).fails(2);
        let wanted = format!("error: schema `{schema}` is part of the lake and cannot be dropped\n");
        assert!(said.starts_with(&wanted), "{said}");
    }
    assert_eq!(csv(&["-c", "create table t as select 1 as x; drop table t; select 1 as y"]), "y\n1\n");
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
    assert_eq!(select("select count(*) as n from 'd2/'"), "n\n1\n");
    assert_eq!(
        folder.cxlake(["-c", "select * from 'd2'"]).told(1),
        "error: `d2` is of no kind that is read\n\n\
         hint: files by path end in `.parquet`, `.csv`, `.tsv`, `.json`, `.ndjson` or `.arrow`, folders in `/`\n"
    );
    assert_eq!(folder.cxlake(["-c", "select * from 'nope.csv'"]).fails(1), "error: no file or folder at `nope.csv`\n");
    assert_eq!(
        folder.cxlake(["-c", "select * from './'"]).fails(1),
        "error: `./a.csv` and `./d/a.ndjson` are of different kinds\n\n\
         hint: narrow the path with a glob, such as `./*.csv`\n"
    );
}

#[test]
fn a_file_without_columns_is_named_and_is_no_table_of_no_rows() {
    let folder = Folder::new();
    for (name, text, hint) in [
        ("a.csv", "", "it is empty (0 bytes)"),
        ("a.json", "[]", "nothing in it names one"),
        ("a.ndjson", "{}\n{}\n", "nothing in it names one"),
    ] {
        folder.write(name, text);
        for sql in ["select * from", "select count(*) from", "describe"] {
            let said = folder.cxlake(["-c", &format!("{sql} '{name}'")]).told(1);
            assert_eq!(said, format!("error: `{name}` has no columns\n\nhint: {hint}\n"), "{sql}");
        }
    }
    folder.write("a.csv", "x,y\n");
    assert_eq!(folder.cxlake(["--format", "csv", "-c", "select * from 'a.csv'"]).prints(), "x,y\n");
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
fn headings_that_a_file_has_twice_get_a_number_or_are_refused() {
    let folder = Folder::new();
    folder.write("dup.csv", "a,a,b,a\n1,2,3,4\n");
    let all = folder.cxlake(["--format", "csv", "-c", "select * from 'dup.csv'"]).prints();
    assert_eq!(all, "a,a_2,b,a_3\n1,2,3,4\n");
    // What others write; of our own forms Arrow alone takes such a result.
    let column = || ("x", Arc::new(Int64Array::from(vec![1])) as ArrayRef);
    let rows = RecordBatch::try_from_iter([column(), column()]).expect("columns of one length");
    let file = std::fs::File::create(folder.at("dup.parquet")).expect("a file");
    let mut writer = ArrowWriter::try_new(file, rows.schema(), None).expect("a writer");
    writer.write(&rows).expect("a row");
    writer.close().expect("a footer");
    let twice = "copy (select a.x, b.x from (select 1 as x) a, (select 2 as x) b) to 'dup.arrow'";
    folder.cxlake(["-c", twice]).prints();
    for name in ["dup.parquet", "dup.arrow"] {
        assert_eq!(
            folder.cxlake(["-c", &format!("select * from '{name}'")]).fails(1),
            format!("error: `{name}` has two columns `x`\n\nhint: write the file with a name of its own for each\n")
        );
    }
    folder.write("once.csv", "x\n1\n");
    assert_eq!(
        folder.cxlake(["-c", "select 1 from 'once.csv', 'once.csv'"]).told(1).lines().next(),
        Some("error: `once.csv` stands in FROM twice")
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
    assert_eq!(folder.cxlake(["--format", "csv", "-c", "select x from 't/'"]).prints(), "x\n1\n");
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
        assert_eq!(
            cxlake(["--format", format, "-c", query]).fails(1),
            "error: two columns are called `office_id`\n\nhint: give one of them another name with `as`\n"
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

#[test]
fn settings_of_cxlake_are_shown_by_the_names_that_set_takes() {
    assert_eq!(
        csv(&[
            "-c",
            "set cxlake.join_order = false; show cxlake.join_order; reset cxlake.join_order; show cxlake.join_order"
        ]),
        "name,value\ncxlake.join_order,false\nname,value\ncxlake.join_order,true\n"
    );
    let all = csv(&["-c", "show all"]);
    assert!(all.contains("\ncxlake.share_subplans,true\n") && !all.contains("\nshare_subplans,"), "{all}");
}

#[test]
fn a_misspelt_table_is_not_read_from_a_folder_of_that_name() {
    let folder = Folder::new();
    folder.parquet("accounts/a.parquet", "select 1 as x");
    folder.parquet("accountz/a.parquet", "select 2 as x");
    folder.lake("[table.accounts]\npath = \"accounts/\"\n");
    assert_eq!(
        folder.cxlake(["-c", "select x from accountz"]).told(1),
        "error: table `accountz` is not in this lake\n\n\
         hint: did you mean `accounts`? `cxlake tables` or `\\d` lists all\n"
    );
    let made = "create table accountz as select 3 as x; from accountz";
    assert_eq!(folder.cxlake(["--format", "csv", "-c", made]).prints(), "x\n3\n");
}

#[test]
fn a_csv_value_that_does_not_fit_behind_the_sample_is_named_with_its_file_column_and_row() {
    let folder = Folder::new();
    // More than the types are taken from.
    let rows = "12345,6,2026-01-01 00:00:00\n".repeat(200_000);
    let head = "id,v,at\n";
    folder.write("c/a.csv", format!("{head}1,2,2026-01-01 00:00:00\n"));
    folder.write("c/b.csv", format!("{head}{rows}007,x,2026-01-01 00:00:00\n"));
    folder.write("late.csv", format!("{head}{rows}7,8,soon\n"));
    folder.write("long.csv", format!("{head}{rows}7,8,9,10\n"));
    let hint = "hint: types are taken from the first 4 MB of a file; mend the value, or name the types in `create external table`\n";
    assert_eq!(
        folder.cxlake(["-c", "select sum(v) from 'c/'"]).fails(1),
        format!("error: `x` is no int: column `v`, row 200001 below the header\n  at c/b.csv\n\n{hint}")
    );
    assert_eq!(
        folder.cxlake(["-c", "select max(at) from 'late.csv'"]).fails(1),
        format!("error: `soon` is no timestamp: column `at`, row 200001 below the header\n  at late.csv\n\n{hint}")
    );
    let said = folder.cxlake(["-c", "select sum(v) from 'long.csv'"]).fails(1);
    assert!(
        said.starts_with(
            "error: row 200001 below the header has 4 values, the header 3\n  at long.csv\n\nhint: put values"
        ),
        "{said}"
    );
    let external = "create external table b (id text, v text, at text) stored as csv location 'c/b.csv' \
                    options ('format.has_header' 'true'); select max(v) as last from b";
    assert_eq!(folder.cxlake(["--format", "csv", "-c", external]).prints(), "last\nx\n");
}

#[test]
fn a_csv_file_that_is_not_utf8_or_whose_rows_differ_in_length_is_told_with_what_mends_it() {
    let folder = Folder::new();
    let utf16: Vec<u8> = "\u{feff}a,b\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    // More than the types are taken from.
    let rows = "12345,x\n".repeat(600_000);
    let latin = "hint: write it again as UTF-8; what Excel wrote, with `iconv -f windows-1252 -t utf-8`";
    let ragged = "hint: put values that hold the separator in quotes, and delete lines above the header";
    let late = [&b"id,name\n"[..], rows.as_bytes(), b"7,K\xf6ln\n"].concat();
    for (name, text, wanted, hint) in [
        ("latin.csv", b"id,name\n1,x\n2,K\xf6ln\n".to_vec(), "the text is not UTF-8\n  at latin.csv:3", latin),
        (
            "excel.csv",
            utf16,
            "the text is UTF-16, not UTF-8\n  at excel.csv",
            "hint: write it again, as with `iconv -f utf-16 -t utf-8`",
        ),
        ("late.csv", late, "row 600001 below the header is not UTF-8\n  at late.csv", latin),
        (
            "short.csv",
            b"a,b,c\n1,2,3\n4,5\n".to_vec(),
            "row 2 below the header has 2 values, the header 3\n  at short.csv",
            ragged,
        ),
        (
            "money.csv",
            b"office,cost\nA,$1,234\n".to_vec(),
            "row 1 below the header has 3 values, the header 2\n  at money.csv",
            ragged,
        ),
        (
            "sep.csv",
            b"sep=;\r\na;b\r\n1;2\r\n".to_vec(),
            "the first line names the separator, not the columns\n  at sep.csv:1",
            "hint: delete the line, as with `tail -n +2`; the separator is found without it",
        ),
    ] {
        folder.write(name, text);
        let said = folder.cxlake(["-c", &format!("select * from '{name}' order by 1 limit 1")]).fails(1);
        assert_eq!(said, format!("error: {wanted}\n\n{hint}\n"));
    }
}

#[test]
fn json_files_have_the_columns_and_types_of_all_their_records() {
    let folder = Folder::new();
    let select = |sql: &str| folder.cxlake(["--format", "csv", "-c", sql]).prints();
    let lines = |value: &str| format!("{{\"v\":{value},\"o\":{{\"x\":1}}}}\n").repeat(1500);
    let late = "{\"v\":null,\"o\":{\"y\":\"z\"},\"b\":2}\n";
    folder.write("costs.ndjson", format!("{}{}{late}", lines("100"), lines("99.95")));
    let sums = "select round(sum(v), 2) as total, max(v) as most, max(b) as b, max(o['y']) as y from 'costs.ndjson'";
    assert_eq!(select(sums), "total,most,b,y\n299925.0,100.0,2,z\n");

    folder.write("d/a.json", "{\"v\":1,\"n\":null}\n");
    folder.write("d/b.json", "{\n  \"v\": 0.5,\n  \"n\": \"x\"\n}\n{\"v\":2}\n");
    assert_eq!(select("select * from 'd/' order by v"), "v,n\n0.5,x\n1.0,\n2.0,\n");

    // Long enough for the engine to cut it.
    let text = "text, ] ".repeat(20);
    let record = |n: usize| format!("  {{\n    \"n\": {n},\n    \"text\": \"{text}\"\n  }}");
    let records: Vec<String> = (1..=60_000).map(record).collect();
    folder.write("array.json", format!("[\n{}\n]\n", records.join(",\n")));
    folder.write("values.json", records.join("\n"));
    for name in ["array.json", "values.json"] {
        let counted = format!("select count(*) as n, sum(n) as total, count(distinct text) as texts from '{name}'");
        assert_eq!(select(&counted), "n,total,texts\n60000,1800030000,1\n", "{name}");
    }
}

#[test]
fn json_keeps_whole_numbers_that_are_too_large_for_an_int() {
    let folder = Folder::new();
    folder.write("ids.json", "{\"id\":18446744073709551615}\n{\"id\":18446744073709551614}\n{\"id\":-1}\n");
    let sql = "select count(distinct id) as n, max(id) as last, min(id) as first from 'ids.json'";
    assert_eq!(folder.cxlake(["--format", "csv", "-c", sql]).prints(), "n,last,first\n3,18446744073709551615,-1\n");
}

#[test]
fn json_that_is_no_one_table_is_told_with_file_line_and_column() {
    let folder = Folder::new();
    folder.write("d/a.ndjson", "{\"nps\":9}\n");
    folder.write("d/b.ndjson", "{\"nps\":8}\n{\"nps\":\"N/A\"}\n");
    folder.write("e/a.json", "[{\"x\":1}]");
    folder.write("e/b.json", "{\"x\":1}\n");
    folder.write("cut.json", "[{\"x\":1},\n{\"x\":");
    folder.write("nan.ndjson", "{\"x\":1}\n{\"x\":NaN}\n");
    for (path, wanted) in [
        (
            "d/",
            "column `nps` is text here, and a number before\n  at d/b.ndjson:2\n\n\
             hint: give a column values of one type: all in quotes or none, and `null` where there is no value",
        ),
        (
            "e/",
            "one of `e/a.json` and `e/b.json` is an array, the other is not\n\n\
             hint: narrow the path with a glob, and read them one by one",
        ),
        (
            "cut.json",
            "the file is cut off\n  at cut.json:2\n\n\
             hint: its last record, or the array of all, does not end; write it again",
        ),
        (
            "nan.ndjson",
            "this is no JSON: expected value\n  at nan.ndjson:2\n\n\
             hint: records are objects, one behind the other or in one array; `NaN` is written as `null`",
        ),
    ] {
        let said = folder.cxlake(["-c", &format!("select * from '{path}'")]).fails(1);
        assert_eq!(said, format!("error: {wanted}\n"));
    }
}

#[test]
fn an_output_in_a_store_that_is_not_declared_or_a_storage_that_is_not_known_is_refused() {
    let folder = Folder::new();
    folder.lake("[store.prod]\nurl = \"s3://bucket/\"\n");
    folder.write(
        "queries/r.sql",
        "-- +++\n-- name = \"r\"\n-- title = \"R\"\n-- description = \"D\"\n-- +++\nselect 1 as n\n",
    );
    let undeclared = "error: the output is in store `prdo`, which is not declared";
    for (arguments, wanted) in [
        (["-o", "prdo:x.csv", "-c", "select 1 as n"], undeclared),
        (["--quiet", "--no-cache", "-c", "copy (select 1 as n) to 'prdo:y.parquet'"], undeclared),
        (["report", "r", "-o", "prdo:pack/"], undeclared),
        (
            ["report", "r", "-o", "https://example.com/z/"],
            "error: the output is at `https://example.com/z/`, and `https://` is not known",
        ),
        (
            ["-o", "S3://bucket/x.csv", "-c", "select 1 as n"],
            "error: the output is at `S3://bucket/x.csv`, and `S3://` is not known",
        ),
    ] {
        let said = folder.cxlake(arguments).run();
        assert_eq!((said.code, said.text().as_str()), (Some(2), ""), "{said}");
        assert!(said.stderr.contains(wanted), "{said}");
        let hint = if wanted == undeclared { "hint: did you mean `prod`?" } else { "hint: write a local path, or" };
        assert!(said.stderr.contains(hint), "{said}");
    }
    assert_eq!(folder.names(), ["cxlake.toml", "queries"], "nothing is written");
}

#[test]
fn an_output_may_have_a_colon_in_its_name_and_the_address_of_a_file() {
    let folder = Folder::new();
    let address = format!("file://{}", folder.at("c.csv").display());
    for target in ["./a:b.csv", "a:b.csv", &address] {
        folder.cxlake(["-o", target, "-c", "select 1 as n"]).prints();
    }
    assert_eq!((folder.read("a:b.csv"), folder.read("c.csv")), ("n\n1\n".to_owned(), "n\n1\n".to_owned()));
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

#[test]
fn a_quote_that_swallows_rows_behind_the_sample_is_an_error_with_its_line() {
    let folder = Folder::new();
    let rows = |count: usize| "1234,fine\n".repeat(count);
    // More than the types are taken from.
    let (many, few) = (rows(500_000), rows(2));
    for (name, text, wanted) in [
        (
            "early.csv",
            format!("id,note\n1,fine\n2,\"17 inch\n{many}"),
            "a quote is opened and never closed\n  at early.csv:3\n",
        ),
        (
            "late.csv",
            format!("id,note\n{many}2,\"17 inch\n{few}"),
            "a quote is opened and never closed\n  at late.csv:500002\n",
        ),
        (
            "inside.csv",
            format!("id,note\n{many}2,\"y\"z\n{few}"),
            "a value goes on behind its closing quote\n  at inside.csv:500002\n\n\
             hint: the quote was opened in line 500002; a quote within a value is doubled\n",
        ),
    ] {
        folder.write(name, text);
        for columns in ["count(*)", "max(note)"] {
            let query = format!("select {columns} from '{name}'");
            assert_eq!(folder.cxlake(["-c", &query]).fails(1), format!("error: {wanted}"), "{query}");
        }
    }
    folder.write("fine.csv", format!("id,note\n{many}2,\"a \"\"b\"\", c\nd\"\n{few}3,5\" pipe\n"));
    let query = "select count(*) as n, count(distinct note) as notes from 'fine.csv'";
    assert_eq!(folder.cxlake(["--format", "csv", "-c", query]).prints(), "n,notes\n500004,3\n");
}

#[test]
fn a_blank_line_of_a_single_column_is_a_row_without_a_value() {
    let folder = Folder::new();
    let ask = |name: &str, columns: &str| {
        let query = format!("select {columns} from '{name}'");
        folder.cxlake(["--format", "csv", "-c", &query]).prints()
    };
    for (name, text) in [
        ("unix.csv", "name\nx\n\ny\n\n"),
        ("windows.csv", "name\r\nx\r\n\r\ny\r\n\r\n"),
        ("marked.csv", "\u{feff}\nname\nx\n\ny\n\n"),
    ] {
        folder.write(name, text);
        assert_eq!(ask(name, "count(*) as n, count(name) as names"), "n,names\n4,2\n", "{name}");
    }
    folder.write("numbers.csv", "n\n\n1\n\n2");
    assert_eq!(ask("numbers.csv", "count(*) as c, sum(n) as s"), "c,s\n4,3\n");
    folder.write("quoted.csv", "note\n\"a\n\nb\"\nc\n");
    assert_eq!(ask("quoted.csv", "count(*) as n, max(length(note)) as longest"), "n,longest\n2,4\n");
    folder.write("two.csv", "a,b\n1,2\n\n3,4\n\n");
    assert_eq!(ask("two.csv", "count(*) as n"), "n\n2\n");
}

#[test]
fn a_header_with_a_line_break_or_behind_a_blank_line_is_read_and_compared_as_a_whole() {
    let folder = Folder::new();
    folder.write("broken/1.csv", "\"Q1\nlong\",yes,no\n1,2,3\n");
    folder.write("broken/2.csv", "\"Q1\nlong\",no,yes\n1,3,2\n");
    folder.write("blank/1.csv", "\nyes,no\n2,3\n");
    folder.write("blank/2.csv", "\nno,yes\n3,2\n");
    for name in ["broken", "blank"] {
        assert_eq!(
            folder.cxlake(["-c", &format!("select * from '{name}/'")]).fails(1),
            format!(
                "error: the header of `{name}/2.csv` is not that of `{name}/1.csv`\n\n\
                 hint: CSV columns are told apart by their place; read files with different headers one by one\n"
            )
        );
    }
    folder.write("same/1.csv", "\"Q1\nlong\";up;down\n1;2;3\n");
    folder.write("same/2.csv", "\r\n\"Q1\nlong\";\"up\";down\r\n4;5;6\r\n");
    let query = "select sum(up) as up, sum(down) as down from 'same/'";
    assert_eq!(folder.cxlake(["--format", "csv", "-c", query]).prints(), "up,down\n7,9\n");
    folder.write("behind.csv", "\na;b\n1;2\n");
    assert_eq!(folder.cxlake(["--format", "csv", "-c", "select * from 'behind.csv'"]).prints(), "a,b\n1,2\n");
}
