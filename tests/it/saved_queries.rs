//! Saved queries: headers, parameters, `uses`, grain, and what `cxlake queries check` finds.

use super::harness::{Folder, cxlake, repository};

/// A lake with one table of days, and this saved query.
fn lake_with(name: &str, text: &str) -> Folder {
    let folder = Folder::new();
    folder.write(
        "cxlake.toml",
        "[lake]\nname = \"test\"\ntime_zone = \"America/New_York\"\nfiscal_year_start = 2\ntoday = 2026-10-06\n\
         [table.t]\npath = \"t.parquet\"\n",
    );
    folder.parquet(
        "t.parquet",
        "select * from (values ('a', 'Anna', 1), ('b', 'Bert', 2), ('c', 'Carl', 3)) v(id, name, n)",
    );
    folder.write(&format!("queries/{name}.sql"), text);
    folder
}

/// The text of a query with this header and SQL.
fn query(name: &str, header: &str, sql: &str) -> String {
    let header: String = header.lines().map(|line| format!("-- {line}\n")).collect();
    format!("-- +++\n-- name = \"{name}\"\n-- title = \"T\"\n-- description = \"D\"\n{header}-- +++\n{sql}\n")
}

fn run(folder: &Folder, arguments: &[&str]) -> String {
    folder.cxlake(["run", "--quiet", "--format", "csv"].iter().chain(arguments)).prints()
}

/// The whole error of `queries check` on one query with this header and SQL.
fn check(header: &str, sql: &str) -> String {
    let folder = lake_with("q", &query("q", header, sql));
    let said = folder.cxlake(["queries", "check"]).run();
    assert_eq!((said.code, said.text().as_str()), (Some(1), "wrong q\n"), "{said}");
    said.stderr
}

const WRONG: &str = "error: 1 of 1 saved queries are wrong\n";

#[test]
fn a_saved_query_without_its_parameter_names_it_and_exits_2() {
    let text = query("q", "[params.id]\ntype = \"text\"\nexample = \"a\"", "select n from t where id = $id");
    let folder = lake_with("q", &text);
    assert_eq!(
        folder.cxlake(["run", "q"]).fails(2),
        "error: `q` needs a value for parameter `id`\n\nhint: add `--param id=a`\n"
    );
    assert_eq!(run(&folder, &["q", "-p", "id=b"]), "n\n2\n");
    assert_eq!(run(&folder, &["q", "-p", "id=b' or 'x' = 'x"]), "n\n");
}

#[test]
fn an_unknown_query_or_parameter_is_answered_with_the_nearest() {
    let folder = lake_with(
        "q",
        &query("q", "[params.ident]\ntype = \"text\"\ndefault = \"a\"", "select n from t where id = $ident"),
    );
    assert_eq!(
        cxlake(["run", "cost-per-tuch"]).fails(2),
        "error: no saved query `cost-per-tuch`\n\nhint: did you mean `cost-per-touch`? `cxlake queries` lists all\n"
    );
    assert_eq!(
        folder.cxlake(["run", "q", "-p", "idnt=a"]).fails(2),
        "error: `q` has no parameter `idnt`\n\nhint: did you mean `ident`?\n"
    );
}

#[test]
fn a_value_of_the_wrong_type_or_range_is_refused() {
    let header =
        "[params.n]\ntype = \"int\"\ndefault = 1\nmin = 1\nmax = 2\n[params.day]\ntype = \"date\"\ndefault = \"today\"";
    let folder = lake_with("q", &query("q", header, "select n, cast($day as date) as day from t where n = $n"));
    assert_eq!(run(&folder, &["q"]), "n,day\n1,2026-10-06\n");
    let error = |value: &str| folder.cxlake(["run", "q", "-p", value]).fails(2);
    assert_eq!(error("n=one"), "error: parameter `n`: `one` is no int\n\nhint: write a whole number\n");
    assert_eq!(error("n=3"), "error: parameter `n`: `3` is out of range\n\nhint: at most 2\n");
    assert_eq!(error("n=0"), "error: parameter `n`: `0` is out of range\n\nhint: at least 1\n");
    assert_eq!(
        folder.cxlake(["run", "q", "-p", "day=someday"]).fails(1),
        "error: parameter `day`: `someday` is not a date\n\n\
         hint: write a day (`2026-09-30`) or a relative date (`today`, `this(month)`, `last_complete(quarter)`, `today - 90 days`)\n"
    );
}

#[test]
fn relative_dates_count_in_the_lakes_calendar() {
    let header = "[params.month]\ntype = \"month\"\ndefault = \"last_complete(month)\"\n\
                  [params.quarter]\ntype = \"quarter\"\ndefault = \"last_complete(quarter)\"\n\
                  [params.year]\ntype = \"date\"\ndefault = \"this(year)\"\n\
                  [params.moment]\ntype = \"timestamp\"\ndefault = \"today\"";
    let sql = "select cast($month as date) as m, cast($quarter as date) as q, cast($year as date) as y, $moment as t";
    let folder = lake_with("q", &query("q", header, sql));
    assert_eq!(run(&folder, &["q"]), "m,q,y,t\n2026-09-01,2026-05-01,2026-02-01,2026-10-06T04:00:00Z\n");
    assert_eq!(
        run(&folder, &["q", "-p", "month=2026-03", "-p", "quarter=2026-Q4", "-p", "moment=2026-01-01T00:00:00+01:00"]),
        "m,q,y,t\n2026-03-01,2025-11-01,2026-02-01,2025-12-31T23:00:00Z\n"
    );
    let said = folder.cxlake(["run", "q"]).run();
    assert_eq!(
        said.stderr,
        "T\n  month = 2026-09\n  quarter = 2027-Q2\n  year = 2026-02-01\n  moment = 2026-10-06 00:00 EDT\n\n"
    );
}

#[test]
fn a_week_starts_on_the_lakes_day() {
    let header = "[params.this]\ntype = \"date\"\ndefault = \"this(week)\"\n\
                  [params.last]\ntype = \"date\"\ndefault = \"last_complete(week)\"";
    let folder = lake_with("q", &query("q", header, "select $this as this, $last as last"));
    let manifest = folder.read("cxlake.toml");
    // The day is a Tuesday.
    for (day, weeks) in [
        ("saturday", "2026-10-03,2026-09-26"),
        ("sunday", "2026-10-04,2026-09-27"),
        ("monday", "2026-10-05,2026-09-28"),
    ] {
        folder.write("cxlake.toml", manifest.replace("[lake]\n", &format!("[lake]\nweek_start = \"{day}\"\n")));
        assert_eq!(run(&folder, &["q"]), format!("this,last\n{weeks}\n"), "{day}");
    }
}

#[test]
fn all_stands_for_the_allowed_values_and_what_ran_is_said() {
    let header =
        "[params.ids]\ntype = \"list<text>\"\ndefault = \"all\"\nvalues_sql = \"select id, name from t order by id\"";
    let folder = lake_with("q", &query("q", header, "select id from t where id = any($ids) order by id"));
    assert_eq!(run(&folder, &["q"]), "id\na\nb\nc\n");
    assert_eq!(folder.cxlake(["run", "q"]).run().stderr, "T\n  ids = all (3)\n\n");
    assert_eq!(run(&folder, &["q", "-p", "ids=a,c"]), "id\na\nc\n");
    assert_eq!(run(&folder, &["q", "-p", "ids=a", "-p", "ids=bert"]), "id\na\nb\n");
    assert_eq!(
        folder.cxlake(["run", "q", "-p", "ids=Annna"]).fails(2),
        "error: parameter `ids`: `Annna` is not allowed\n\nhint: did you mean `Anna`?\n"
    );
}

#[test]
fn a_query_builds_on_another_with_one_set_of_parameters() {
    let folder = lake_with(
        "base",
        &query("base", "[params.least]\ntype = \"int\"\ndefault = 2", "select * from t where n >= $least"),
    );
    folder.write("queries/top.sql", query("top", "uses = [\"base\"]", "select count(*) as n from \"base\""));
    folder.write("queries/self.sql", query("self", "uses = [\"self\"]", "select 1"));
    assert_eq!(run(&folder, &["top"]), "n\n2\n");
    assert_eq!(run(&folder, &["top", "-p", "least=3"]), "n\n1\n");
    folder.write("queries/first.sql", query("first", "", "select min(n) as low from t"));
    folder.write(
        "queries/both.sql",
        query("both", "uses = [\"base\", \"first\"]", "select low, n from first cross join base"),
    );
    assert_eq!(run(&folder, &["both", "-p", "least=3"]).lines().count(), 2);
    assert_eq!(
        folder.cxlake(["run", "self"]).fails(1),
        "error: `self` builds on itself through `self`\n  at queries/self.sql:5\n"
    );
    folder.write("queries/t.sql", query("t", "", "select 1 as n"));
    folder.write("queries/hidden.sql", query("hidden", "uses = [\"t\"]", "select * from t"));
    assert_eq!(
        folder.cxlake(["run", "hidden"]).fails(1),
        "error: `t` has the name of a table, which a query that uses it could not read\n  at queries/t.sql\n\n\
         hint: give one of the two another name\n"
    );
}

#[test]
fn a_row_that_breaks_the_grain_is_an_error_and_no_result() {
    let folder =
        lake_with("q", &query("q", "grain = [\"id\"]", "select id, n from t union all select 'a', 9 order by id, n"));
    let said = folder.cxlake(["run", "q", "-o", "out.csv"]).run();
    assert_eq!(said.code, Some(1));
    assert_eq!(
        said.stderr,
        "T\n\nerror: the query returns more than one row for id = `a`\n  at queries/q.sql\n\n\
         hint: its grain says one row each: look for a join that multiplies rows, or for rows that came twice\n"
    );
    assert!(!folder.at("out.csv").exists());
}

#[test]
fn the_check_finds_a_misspelt_column_in_a_chart_the_columns_and_the_grain() {
    assert_eq!(
        check("[[chart]]\ntype = \"bar\"\nx = \"n\"\ny = \"nmae\"", "select name, n from t"),
        format!(
            "error: `y` of a chart names `nmae`, which is no column of the result\n  at queries/q.sql:5\n\nhint: did you mean `name`?\n{WRONG}"
        )
    );
    assert_eq!(
        check("[columns]\nnn = { title = \"N\" }", "select name, n from t"),
        format!(
            "error: `columns` names `nn`, which is no column of the result\n  at queries/q.sql:6\n\n\
             hint: columns of the result: `n`, `name`\n{WRONG}"
        )
    );
    assert_eq!(
        check("grain = [\"nam\"]", "select name, n from t"),
        format!(
            "error: `grain` names `nam`, which is no column of the result\n  at queries/q.sql:5\n\nhint: did you mean `name`?\n{WRONG}"
        )
    );
}

#[test]
fn the_check_finds_parameters_without_value_use_or_declaration() {
    assert_eq!(
        check("[params.id]\ntype = \"text\"", "select n from t where id = $id"),
        format!(
            "error: parameter `id` has neither `default` nor `example`\n  at queries/q.sql:5\n\n\
             hint: give one, so that the query can be checked\n{WRONG}"
        )
    );
    assert_eq!(
        check("[params.id]\ntype = \"text\"\ndefault = \"a\"", "select n from t where id = 'a' -- $ident"),
        format!(
            "error: parameter `id` is not used in the SQL\n  at queries/q.sql:5\n\n\
             hint: write `$id` where its value belongs, or take it out\n{WRONG}"
        )
    );
    assert_eq!(
        check("[params.id]\ntype = \"text\"\ndefault = \"a\"", "select n from t\nwhere id = $id\nand n < $most"),
        format!(
            "error: parameter `$most` has no value\n  at queries/q.sql:11:9\n  | and n < $most\n  |         ^^^^^\n\nhint: give it with `--param most=…` or `\\set most …`\n{WRONG}"
        )
    );
}

#[test]
fn the_check_finds_an_unknown_key_a_wrong_type_and_a_wrong_format() {
    assert_eq!(
        check("grian = [\"id\"]", "select id from t"),
        format!("error: unknown key `grian`\n  at queries/q.sql:5\n\nhint: did you mean `grain`?\n{WRONG}")
    );
    assert_eq!(
        check("[params.id]\ntype = \"txt\"\ndefault = \"a\"", "select id from t where id = $id"),
        format!(
            "error: parameter `id` has the unknown type `txt`\n  at queries/q.sql:5\n\nhint: did you mean `text`?\n{WRONG}"
        )
    );
    assert_eq!(
        check("[columns]\nn = { format = \"0.x\" }", "select n from t"),
        format!(
            "error: unknown number format `0.x`\n  at queries/q.sql:6\n\n\
             hint: write `0`, `0.00`, `#,##0`, `#,##0.0`, `0%`, `0.0%`, one with `+` before it, or `currency`\n{WRONG}"
        )
    );
    assert_eq!(
        check("[[chart]]\ntype = \"pie\"\nx = \"n\"\ny = \"n\"", "select n from t"),
        format!(
            "error: unknown value `pie`\n  at queries/q.sql:6\n\nhint: known here: `bar`, `stacked_bar`, `line`, `dot`, \
             `heatmap`, `scatter`, `bullet`, `waterfall`, `sparkline`\n{WRONG}"
        )
    );
}

#[test]
fn the_check_finds_a_query_that_does_not_plan() {
    assert_eq!(
        check("", "select n,\n  nam\nfrom t"),
        format!(
            "error: no column `nam`\n  at queries/q.sql:7:3\n  |   nam\n  |   ^^^\n\nhint: did you mean `name`?\n{WRONG}"
        )
    );
    assert_eq!(
        check("", "select n form t"),
        format!(
            "error: syntax error: expected end of statement, found `t`\n  at queries/q.sql:6:10\n\
             \x20 | select n form t\n  |          ^^^^\n\nhint: did you mean `from`?\n{WRONG}"
        )
    );
    assert_eq!(
        check("uses = [\"other\"]", "select 1 as one from \"other\""),
        format!("error: no saved query `other`\n  at queries/q.sql:5\n{WRONG}")
    );
}

#[test]
fn a_file_that_is_no_saved_query_says_what_it_lacks() {
    let error = |text: &str| lake_with("q", text).cxlake(["run", "q"]).fails(1);
    assert_eq!(
        error("select 1"),
        "error: the query has no header\n  at queries/q.sql:1\n\n\
         hint: start the file with a `-- +++` line, TOML in `--` lines, and another `-- +++`\n"
    );
    assert_eq!(
        error("-- +++\n-- name = \"q\"\nselect 1"),
        "error: the header is not closed, or this line of it is no `--` comment\n  at queries/q.sql:3\n\n\
         hint: close the header with a `-- +++` line\n"
    );
    assert_eq!(
        error("-- +++\n-- name = \"other\"\n-- title = \"T\"\n-- description = \"D\"\n-- +++\nselect 1"),
        "error: the query is named `other`, but its file `q`\n  at queries/q.sql:2\n\nhint: give both the same name\n"
    );
    assert_eq!(
        error("-- +++\n-- name = \"q\"\n-- +++\nselect 1"),
        "error: key `title` is missing\n  at queries/q.sql:2\n"
    );
}

#[test]
fn the_sample_lakes_queries_are_right_and_listed_and_shown() {
    let folder = std::fs::read_dir(repository().join("queries")).expect("the saved queries");
    let files = folder.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = files.filter_map(|file| Some(file.strip_suffix(".sql")?.to_owned())).collect();
    names.sort();
    assert!(names.len() >= 40, "{names:?}");
    let ok: String = names.iter().map(|name| format!("ok    {name}\n")).collect();
    assert_eq!(cxlake(["queries", "check"]).prints(), ok);
    let listed = cxlake(["queries", "--format", "csv"]).prints();
    let listed: Vec<&str> = listed.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(listed, names);
    let shown = cxlake(["queries", "show", "nps-by-office"]).prints();
    for part in [
        "Net Promoter Score by office\n",
        "\nParameters\n  from (month, default",
        "\nOne row per\n  office_id\n",
        "\nSQL\nwith ",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
}
