//! Alerts: what is found, what of it is told, and what becomes of it from one look to the next.

use std::collections::BTreeSet;

use super::harness::{Folder, Row, cxlake, rows, sql_rows, text};

/// A lake with a table, a query of it and an alert, whose files go to `told/`.
fn lake(alert: &str) -> Folder {
    let folder = Folder::new();
    folder.write(
        "queries/q.sql",
        "-- +++\n-- name = \"q\"\n-- title = \"Things\"\n-- description = \"All.\"\n\
         -- [params.least]\n-- type = \"int\"\n-- default = 0\n-- +++\nselect id, cost, note from t where cost >= $least or cost is null\n",
    );
    folder.lake(&format!(
        "[table.t]\npath = \"t.parquet\"\n[alert.dear]\ntitle = \"Dear things\"\nquery = \"q\"\n\
         cron = \"0 8 * * *\"\nto = [{{ folder = \"told/{{date}}/\" }}]\n{alert}"
    ));
    folder
}

/// Puts these rows into the table: id, cost and note.
fn put(folder: &Folder, values: &str) {
    let columns = "cast(id as text) as id, cast(cost as int) as cost, cast(note as text) as note";
    match values {
        "" => folder
            .parquet("t.parquet", &format!("select {columns} from (values ('', 0, '')) v(id, cost, note) where false")),
        values => folder.parquet("t.parquet", &format!("select {columns} from (values {values}) v(id, cost, note)")),
    };
}

/// Looks at the alert as of a day of November 2026 and gives the lines of the file that is sent; none when nothing is.
fn look(folder: &Folder, day: u32) -> Vec<String> {
    let time = format!("2026-11-{day:02}T08:00:00Z");
    folder.cxlake(["schedule", "run", "dear", "--at", &time, "--quiet"]).prints();
    let file = folder.at(&format!("told/2026-11-{day:02}/dear.csv"));
    match std::fs::read_to_string(file) {
        Ok(text) => text.lines().map(str::to_owned).collect(),
        Err(_) => Vec::new(),
    }
}

fn kept(folder: &Folder, sql: &str) -> Vec<Row> {
    let said = folder.cxlake(["--read-only", "-c", sql, "--format", "json"]).prints();
    serde_json::from_str(&said).expect("JSON rows")
}

#[test]
fn new_ones_are_told_then_quiet_then_told_again_and_once_when_they_are_over() {
    let folder = lake("key = [\"id\"]\nwhere = \"cost > 5\"\nquiet = \"2d\"\n");
    let head = "state,since,key,id,cost,note";
    put(&folder, "('a', 9, 'x'), ('b', 1, 'y')");
    assert_eq!(look(&folder, 1), [head, "new,2026-11-01 08:00 UTC,a,a,9,x"]);
    put(&folder, "('a', 10, 'x'), ('b', 7, '=y')");
    assert_eq!(look(&folder, 2), [head, "new,2026-11-02 08:00 UTC,b,b,7,'=y"], "a formula is none in a spreadsheet");
    assert_eq!(look(&folder, 3), [head, "still,2026-11-01 08:00 UTC,a,a,10,x"]);
    put(&folder, "('a', 1, 'x'), ('b', 7, 'z')");
    assert_eq!(
        look(&folder, 4),
        [head, "still,2026-11-02 08:00 UTC,b,b,7,z", "recovered,2026-11-01 08:00 UTC,a,a,10,x"],
        "what has recovered shows how it was last"
    );
    assert_eq!(look(&folder, 5), Vec::<String>::new());
    let states = kept(
        &folder,
        "select cast(fire_time as date) as day, key, state, is_sent, cast(since as date) as since, \
         cast(last_sent as date) as last_sent, row[2]['value'] as cost from cxlake.alerts order by fire_time, key",
    );
    let told: Vec<String> = states
        .iter()
        .map(|row| {
            let of = |column| text(row, column);
            format!(
                "{} {} {} {} {} {} {}",
                &of("day")[8..],
                of("key"),
                of("state"),
                row["is_sent"],
                &of("since")[8..],
                &of("last_sent")[8..],
                of("cost")
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "01 a new true 01 01 9",
            "02 a quiet false 01 01 10",
            "02 b new true 02 02 7",
            "03 a still true 01 03 10",
            "03 b quiet false 02 02 7",
            "04 a recovered true 01 04 10",
            "04 b still true 02 04 7",
            "05 b quiet false 02 04 7",
        ]
    );
    let runs = kept(&folder, "select kind, name, outcome, reason from cxlake.runs order by fire_time");
    assert_eq!(
        runs.iter().map(|row| text(row, "outcome")).collect::<Vec<_>>(),
        ["sent", "sent", "sent", "sent", "skipped"]
    );
    assert!(runs.iter().all(|row| text(row, "kind") == "alert" && text(row, "name") == "dear"));
    assert_eq!(text(&runs[4], "reason"), "nothing new; 1 is still there and was told already");
}

#[test]
fn a_fire_time_is_looked_at_once_whatever_the_data_say_later() {
    let folder = lake("key = [\"id\"]\n");
    put(&folder, "('a', 9, 'x')");
    let first = look(&folder, 1);
    put(&folder, "('b', 9, 'x')");
    assert_eq!(look(&folder, 1), first);
    assert_eq!(kept(&folder, "select count(*) n from cxlake.alerts")[0]["n"], 1);
}

#[test]
fn an_alert_that_is_mended_is_looked_at_anew_and_tells_nothing_twice() {
    let folder = lake("key = [\"id\"]\nwhere = \"cost > 50\"\n");
    put(&folder, "('a', 9, 'x'), ('b', 60, 'y')");
    let head = "state,since,key,id,cost,note";
    assert_eq!(look(&folder, 1), [head, "new,2026-11-01 08:00 UTC,b,b,60,y"]);
    assert_eq!(look(&folder, 2), Vec::<String>::new());
    assert_eq!(look(&folder, 3), Vec::<String>::new());
    folder.write("cxlake.toml", folder.read("cxlake.toml").replace("cost > 50", "cost > 5"));
    assert_eq!(look(&folder, 2), Vec::<String>::new(), "what it told now would be told again by the later one");
    let told = [head, "new,2026-11-03 08:00 UTC,a,a,9,x"];
    assert_eq!(look(&folder, 3), told);
    put(&folder, "('c', 9, 'x')");
    assert_eq!(look(&folder, 3), told, "what was sent stays");
    let states = kept(
        &folder,
        "select key, state, is_sent from cxlake.alerts where extract(day from fire_time) = 3 order by key",
    );
    let states: Vec<String> =
        states.iter().map(|row| format!("{} {} {}", text(row, "key"), text(row, "state"), row["is_sent"])).collect();
    assert_eq!(states, ["a new true", "b quiet false"]);
    assert_eq!(
        look(&folder, 4)[1..],
        [
            "new,2026-11-04 08:00 UTC,c,c,9,x",
            "recovered,2026-11-01 08:00 UTC,b,b,60,y",
            "recovered,2026-11-03 08:00 UTC,a,a,9,x"
        ]
    );
}

#[test]
fn what_was_found_but_did_not_arrive_is_told_the_next_time() {
    let folder = lake("key = [\"id\"]\n");
    put(&folder, "('a', 9, 'x')");
    // A file in the place of the folder.
    folder.write("told", "");
    let said = folder.cxlake(["schedule", "run", "dear", "--at", "2026-11-01T08:00:00Z"]).run();
    assert_eq!(said.code, Some(1), "{said}");
    std::fs::remove_file(folder.at("told")).expect("it is taken away");
    assert_eq!(look(&folder, 2), ["state,since,key,id,cost,note", "new,2026-11-01 08:00 UTC,a,a,9,x"]);
    assert_eq!(look(&folder, 3), Vec::<String>::new());
}

#[test]
fn no_rows_at_all_mean_what_the_alert_says() {
    for (no_data, wanted) in [
        ("ok", vec!["recovered,2026-11-01 08:00 UTC,a,a,9,x"]),
        ("alert", vec!["new,2026-11-02 08:00 UTC,(no data)"]),
        ("keep", vec![]),
    ] {
        let folder = lake(&format!("key = [\"id\"]\nwhere = \"cost > 5\"\nno_data = \"{no_data}\"\n"));
        put(&folder, "('a', 9, 'x')");
        assert_eq!(look(&folder, 1).len(), 2);
        put(&folder, "");
        assert_eq!(look(&folder, 2).into_iter().skip(1).collect::<Vec<_>>(), wanted, "{no_data}");
        // Rows that are no alerts are data.
        put(&folder, "('b', 1, 'x')");
        let told = look(&folder, 3);
        let recovered = usize::from(no_data != "ok") + usize::from(no_data == "alert");
        assert_eq!(told.iter().filter(|line| line.starts_with("recovered")).count(), recovered, "{no_data}: {told:?}");
    }
}

#[test]
fn rows_without_a_key_are_one_alert_and_two_rows_with_one_key_are_an_error() {
    let folder = lake("key = [\"id\", \"note\"]\nshow = [\"cost\"]\n");
    put(&folder, "('a', 9, 'x'), ('a', 8, null), (null, 7, 'x')");
    let told = look(&folder, 1);
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told[..2], ["state,since,key,cost", "new,2026-11-01 08:00 UTC,\"a, x\",9"]);
    assert!(told[2].starts_with("new,2026-11-01 08:00 UTC,(no key),"), "{told:?}");
    put(&folder, "('a', 9, 'x'), ('a', 8, 'x')");
    let said = folder.cxlake(["schedule", "run", "dear", "--at", "2026-11-02T08:00:00Z"]).run();
    assert_eq!(said.code, Some(1), "{said}");
    assert!(format!("{said}").contains("alert `dear` finds more than one row for `a, x`"), "{said}");
}

#[test]
fn a_condition_sees_the_parameters_of_its_query_and_what_an_alert_names_is_held_against_it() {
    let folder = lake("key = [\"id\"]\nparams = { least = 2 }\nwhere = \"cost > $least + 1\"\n");
    put(&folder, "('a', 2, 'x'), ('b', 3, 'x'), ('c', 4, 'x'), ('d', null, 'x')");
    assert_eq!(look(&folder, 1).len(), 2, "a null is no alert");
    assert_eq!(folder.cxlake(["queries", "check"]).prints(), "ok    q\n");
    for (alert, wanted) in [
        (
            "key = [\"idd\"]\n",
            "`q` has no column `idd`, which alert `dear` names\n  at cxlake.toml:5\n\nhint: did you mean `id`?\n",
        ),
        ("key = [\"id\"]\nwhere = \"cots > 1\"\n", "no column `cots`\n  at cxlake.toml:11\n"),
        (
            "key = [\"id\"]\nwhere = \"cost\"\n",
            "the expression gives int, which is neither true nor false\n  at cxlake.toml:11\n",
        ),
        (
            "key = [\"id\"]\nparams = { lest = 2 }\n",
            "`q` has no parameter `lest`\n  at cxlake.toml:5\n\nhint: did you mean `least`?\n",
        ),
    ] {
        let folder = lake(alert);
        put(&folder, "('a', 2, 'x')");
        let said = folder.cxlake(["queries", "check"]).run();
        assert_eq!((said.code, said.text().as_str()), (Some(1), "wrong q\n"), "{said}");
        assert!(said.stderr.contains(wanted), "{said}");
    }
}

#[test]
fn what_a_manifest_says_wrongly_of_alerts_is_an_error_with_its_line() {
    for (alert, wanted) in [
        ("", "error: key `key` is missing\n"),
        ("key = []\n", "error: `key` of alert `dear` names no column, or one twice\n  at cxlake.toml:10\n"),
        (
            "key = [\"id\", \"id\"]\n",
            "error: `key` of alert `dear` names no column, or one twice\n  at cxlake.toml:10\n",
        ),
        ("key = [\"id\"]\nquiet = \"soon\"\n", "error: `soon` is no span of time\n  at cxlake.toml:11\n"),
        (
            "key = [\"id\"]\nno_data = \"kep\"\n",
            "error: unknown value `kep`\n  at cxlake.toml:11\n\nhint: did you mean `keep`?\n",
        ),
        (
            "key = [\"id\"]\n[schedule.dear]\nreport = \"q\"\ncron = \"0 8 * * *\"\nto = [{ folder = \"x\" }]\n",
            "error: `dear` is the name of a schedule and of an alert\n  at cxlake.toml:5\n",
        ),
    ] {
        let said = lake(alert).cxlake(["tables"]).fails(1);
        assert!(said.starts_with(wanted), "{said}");
    }
}

/// The alerts of the sample lake, in a copy of it whose records are its own.
fn sample() -> Folder {
    let folder = Folder::new();
    folder.cxlake(["init", "lake", "--sample", "--quiet"]).prints();
    for alert in
        ["detractor-follow-up-overdue", "health-drop", "office-not-reported", "spend-out-of-line", "milestone-unhappy"]
    {
        folder.cxlake(["--lake", "lake", "schedule", "run", alert, "--at", "2026-10-06T13:00:00Z", "--quiet"]).prints();
    }
    folder
}

#[test]
fn the_alerts_of_the_sample_lake_are_the_truths_that_were_planted_in_it() {
    let folder = sample();
    let found = |alert: &str| -> BTreeSet<String> {
        let sql = format!("select key from cxlake.alerts where alert = '{alert}' and state = 'new' and is_sent");
        let said = folder.cxlake(["--lake", "lake", "-c", &sql, "--format", "json"]).prints();
        let rows: Vec<Row> = serde_json::from_str(&said).expect("JSON rows");
        rows.iter().map(|row| text(row, "key").to_owned()).collect()
    };
    let keys = |rows: &[Row], column: &str| -> BTreeSet<String> {
        rows.iter().map(|row| text(row, column).to_owned()).collect()
    };
    let set = |keys: &[&str]| -> BTreeSet<String> { keys.iter().map(|key| (*key).to_owned()).collect() };

    // Offices out of line in their own region: story.rs has Pune, Lyon and Madrid.
    assert_eq!(found("spend-out-of-line"), set(&["O31, support", "O14, marketing", "O19, sales"]));
    let offices = sql_rows("select office_id, office from offices where office_id in ('O31', 'O14', 'O19') order by 1");
    assert_eq!(offices.iter().map(|row| text(row, "office")).collect::<Vec<_>>(), ["Lyon", "Madrid", "Pune"]);
    // The gaps of the last month.
    let gaps = ["Delhi", "Frankfurt", "Milan", "Osaka", "Warsaw"].map(|office| format!("2026-09-01, {office}"));
    assert_eq!(found("office-not-reported"), gaps.into_iter().collect());
    // Calls that are overdue, told from the table itself; most of them where calls are no longer made.
    let overdue = sql_rows(
        "select follow_up_id, office from follow_ups join offices using (office_id) \
         where kind = 'call detractor' and status = 'open' and due_on < date '2026-10-06'",
    );
    assert_eq!(found("detractor-follow-up-overdue"), keys(&overdue, "follow_up_id"));
    let stalled = overdue.iter().filter(|row| text(row, "office") == cxlake::sample::story::STALLED_OFFICE).count();
    assert!(stalled * 3 > overdue.len(), "{stalled} of {}", overdue.len());
    // Milestones that went badly, told from the table itself.
    let unhappy = sql_rows(
        "select response_id from surveys where survey_type = 'milestone' and csat <= 2 \
         and answered_at >= timestamp '2026-09-06' and answered_at < timestamp '2026-10-06'",
    );
    assert!(!unhappy.is_empty());
    assert_eq!(found("milestone-unhappy"), keys(&unhappy, "response_id"));
    // Health that fell, told from the query that scores it.
    let changes = rows("customer-health-changes", &[]);
    let fallen: Vec<Row> =
        changes.into_iter().filter(|row| row["change"].as_f64().is_some_and(|change| change <= -20.0)).collect();
    assert!((1..30).contains(&fallen.len()), "{}", fallen.len());
    assert_eq!(found("health-drop"), keys(&fallen, "account_id"));
}

#[test]
fn an_alert_of_the_sample_is_told_once_and_its_query_is_right() {
    let folder = sample();
    let again =
        folder.cxlake(["--lake", "lake", "schedule", "run", "spend-out-of-line", "--at", "2026-10-07T13:00:00Z"]).run();
    assert_eq!(again.code, Some(0), "{again}");
    let states = "select state, count(*) n from cxlake.alerts where alert = 'spend-out-of-line' group by 1 order by 1";
    let said = folder.cxlake(["--lake", "lake", "-c", states, "--format", "csv"]).prints();
    assert_eq!(said, "state,n\nnew,3\nquiet,3\n");
    assert_eq!(cxlake(["queries", "check", "milestone-answers", "cost-outliers"]).prints().lines().count(), 2);
}

#[test]
fn the_file_has_numbers_as_they_are_stored_and_no_text_that_a_spreadsheet_computes() {
    let folder = lake("key = [\"id\"]\nshow = [\"cost\", \"share\", \"exact\", \"note\"]\n");
    folder.write(
        "queries/q.sql",
        "-- +++\n-- name = \"q\"\n-- title = \"Things\"\n-- description = \"All.\"\n-- +++\n\
         select id, -cost as cost, cost / -4.0e0 as share, cast(-cost as decimal(9,2)) as exact, note from t\n",
    );
    put(&folder, "('a', 102, '-1+1'), ('b', null, 'x')");
    assert_eq!(
        look(&folder, 1),
        [
            "state,since,key,cost,share,exact,note",
            "new,2026-11-01 08:00 UTC,a,-102,-25.5,-102.00,'-1+1",
            "new,2026-11-01 08:00 UTC,b,,,,x"
        ]
    );
    put(&folder, "('b', null, 'x')");
    assert_eq!(look(&folder, 2)[1], "recovered,2026-11-01 08:00 UTC,a,-102,-25.5,-102.00,'-1+1");
}

#[test]
fn values_of_the_manifest_reach_the_query_as_they_are() {
    let folder = lake("key = [\"id\"]\nshow = [\"note\"]\nparams = { ids = [\"b, c\", 'd\\e'], note = 'x, y' }\n");
    folder.write(
        "queries/q.sql",
        "-- +++\n-- name = \"q\"\n-- title = \"Things\"\n-- description = \"All.\"\n\
         -- [params.ids]\n-- type = \"list<text>\"\n-- example = [\"a\"]\n-- [params.note]\n-- type = \"text\"\n\
         -- example = \"a\"\n-- +++\nselect id, note from t where id = any($ids) and note = $note\n",
    );
    put(&folder, "('b, c', 1, 'x, y'), ('b', 1, 'x, y'), ('d\\e', 1, 'x, y'), ('c', 1, 'x')");
    let keys: Vec<String> = look(&folder, 1)[1..].to_vec();
    assert_eq!(keys, ["new,2026-11-01 08:00 UTC,\"b, c\",\"x, y\"", "new,2026-11-01 08:00 UTC,d\\e,\"x, y\""]);
}
