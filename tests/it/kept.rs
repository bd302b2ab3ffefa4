//! The schema `cxlake`: what was done can be asked for like any table, and nobody can change it.

use super::harness::{Folder, Row, cxlake, number, text};

/// A lake with one table and two checks, one of which fails as a warning.
fn lake() -> Folder {
    let folder = Folder::new();
    folder.parquet("t.parquet", "select * from (values ('a', 5), ('b', -1)) v(id, cost)");
    folder.lake(
        "[table.t]\npath = \"t.parquet\"\n\
         [[table.t.check]]\nname = \"positive\"\nassert = \"cost >= 0\"\nseverity = \"warn\"\n\
         [[table.t.check]]\nname = \"known\"\nassert = \"id is not null\"\n",
    );
    folder
}

fn rows(folder: &Folder, sql: &str) -> Vec<Row> {
    let said = folder.cxlake(["--read-only", "-c", sql, "--format", "json"]).prints();
    serde_json::from_str(&said).expect("JSON rows")
}

#[test]
fn each_call_of_check_is_kept_and_read_with_its_types() {
    let folder = lake();
    assert_eq!(rows(&folder, "select * from cxlake.checks"), Vec::<Row>::new(), "nothing was done yet");
    for _ in 0..2 {
        folder.cxlake(["check", "--quiet"]).prints();
    }
    let found = rows(
        &folder,
        "select arrow_typeof(checked_at) as type, checked_at > now() - interval '1 hour' as is_new, table_name, check_name, \
         kind, severity, verdict, failures, found, examples, damaged \
         from cxlake.checks order by checked_at, check_name",
    );
    assert_eq!(found.len(), 4);
    assert_eq!(found[0]["type"], "Timestamp(µs, \"UTC\")");
    assert_eq!(found[0]["is_new"], true);
    let told = |row: &Row| {
        let of = |column| text(row, column).to_owned();
        (
            of("table_name"),
            of("check_name"),
            of("kind"),
            of("severity"),
            of("verdict"),
            number(row, "failures"),
            of("found"),
        )
    };
    let wanted = |name: &str, severity: &str, verdict: &str, failures, found: &str| {
        let owned = |text: &str| text.to_owned();
        (owned("t"), owned(name), owned("assert"), owned(severity), owned(verdict), failures, owned(found))
    };
    assert_eq!(told(&found[2]), wanted("known", "error", "passed", 0.0, "2 rows"));
    assert_eq!(told(&found[3]), wanted("positive", "warn", "failed", 1.0, "1 of 2 rows"));
    assert_eq!(found[3]["examples"], serde_json::json!(["id = b, cost = -1"]));
    let calls = rows(&folder, "select count(distinct run_id) n, count(damaged) damaged from cxlake.checks");
    assert_eq!((number(&calls[0], "n"), number(&calls[0], "damaged")), (2.0, 0.0));
}

#[test]
fn processes_that_check_at_the_same_time_lose_nothing() {
    let folder = lake();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| folder.cxlake(["check", "--quiet"]).prints());
        }
    });
    let calls = rows(&folder, "select count(distinct run_id) calls, count(*) n from cxlake.checks");
    assert_eq!((number(&calls[0], "calls"), number(&calls[0], "n")), (8.0, 16.0));
}

#[test]
fn a_damaged_record_is_a_row_that_says_so_and_the_others_are_there() {
    let folder = lake();
    folder.cxlake(["check", "--quiet"]).prints();
    folder.write(".cxlake/checks/2026-01/half.json", "{\"run_id\": \"x\"");
    folder.write(".cxlake/runs/2026-01/other.json", "{\"run_id\": \"x\"}");
    let damaged = rows(&folder, "select damaged from cxlake.checks where damaged is not null");
    assert_eq!(damaged.len(), 1);
    assert!(text(&damaged[0], "damaged").starts_with("`.cxlake/checks/2026-01/half.json` is no record of checks: "));
    assert_eq!(rows(&folder, "select count(check_name) n from cxlake.checks")[0]["n"], 2);
    let damaged = rows(&folder, "select damaged from cxlake.runs");
    assert!(text(&damaged[0], "damaged").starts_with("`.cxlake/runs/2026-01/other.json` is no record of a run: "));
}

#[test]
fn where_nothing_may_be_written_the_checks_run_and_a_note_says_that_they_are_not_kept() {
    let folder = lake();
    let said = folder.cxlake(["check", "--read-only", "--format", "csv"]).run();
    assert_eq!(said.code, Some(0), "{said}");
    assert_eq!(said.text().lines().count(), 3);
    assert!(said.stderr.contains("not kept in `cxlake.checks`: read-only: nothing is written\n"), "{said}");
    // A file in the place of the folder.
    folder.write(".cxlake", "");
    let said = folder.cxlake(["check", "--format", "csv"]).run();
    assert_eq!((said.code, said.text().lines().count()), (Some(0), 3), "{said}");
    assert!(said.stderr.contains("not kept in `cxlake.checks`: cannot write `.cxlake/checks/"), "{said}");
}

#[test]
fn what_is_kept_cannot_be_changed_and_is_not_among_the_lakes_tables() {
    let folder = lake();
    let hint = "\n\nhint: give a table of yours a name without `cxlake.` before it\n";
    for (statement, name) in [
        ("drop table cxlake.runs", "runs"),
        ("create table cxlake.mine as select 1 as x", "mine"),
        ("insert into cxlake.runs select * from cxlake.runs", "runs"),
    ] {
        let said = folder.cxlake(["-c", statement]).told(2);
        assert_eq!(said, format!("error: `cxlake.{name}` is what cxlake keeps, and cannot be changed{hint}"));
    }
    let listed = folder.cxlake(["tables", "--format", "csv"]).prints();
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert_eq!(
        folder.cxlake(["-c", "select * from runs"]).told(1),
        "error: table `runs` is not in this lake\n\nhint: what the lake keeps of what was done is in `cxlake.runs`\n"
    );
}

#[test]
fn looking_around_says_what_is_kept_and_what_its_columns_mean() {
    for (call, first) in [
        (["tables", "show", "cxlake"], "table,columns,description"),
        (["tables", "show", "cxlake.checks"], "column,type,nullable,nulls,min,max,description"),
    ] {
        let shown = cxlake(call.into_iter().chain(["--format", "csv"])).prints();
        assert_eq!(shown.lines().next(), Some(first));
    }
    let listed = cxlake(["-c", "\\d cxlake", "--format", "json"]).prints();
    let listed: Vec<Row> = serde_json::from_str(&listed).expect("JSON rows");
    let names: Vec<&str> = listed.iter().map(|row| text(row, "table")).collect();
    assert_eq!(names, ["cxlake.alerts", "cxlake.checks", "cxlake.runs"]);
    for name in names {
        // Every column says what it means, here and to DESCRIBE.
        for call in [format!("\\d {name}"), format!("describe {name}")] {
            let columns = cxlake(["-c", &call, "--format", "json"]).prints();
            let columns: Vec<Row> = serde_json::from_str(&columns).expect("JSON rows");
            assert!(columns.iter().all(|column| !text(column, "description").is_empty()), "{call}: {columns:?}");
        }
    }
}
