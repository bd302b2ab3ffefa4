//! What recipients get of alerts: a message with a table, and nothing where there is nothing new.

use super::Lake;
use super::mail::Manners;

/// The alert `a` over the rows of a query, which goes by mail and by webhook.
fn lake(rows: &str) -> Lake {
    let lake = Lake::new(
        "to = [{ webhook = \"{hook}/report\" }]",
        "[alert.a]\ntitle = \"Dear things\"\ntext = \"Look at <them>.\"\nquery = \"things\"\nwhere = \"cost > 5\"\nkey = [\"id\"]\n\
         cron = \"0 7 * * *\"\nretry_wait = \"100ms\"\nto = [{ email = [\"cx@example.com\"] }, { webhook = \"{hook}/alerts\" }]\n",
    );
    put(&lake, rows);
    lake
}

/// What the query returns from here on.
fn put(lake: &Lake, rows: &str) {
    lake.folder.write(
        "queries/things.sql",
        format!(
            "-- +++\n-- name = \"things\"\n-- title = \"Things\"\n-- description = \"D\"\n\
             -- columns = {{ cost = {{ format = \"#,##0.0\" }} }}\n-- +++\nselect * from (values {rows}) v(id, cost, note)\n"
        ),
    );
}

fn look(lake: &Lake, day: u32) -> super::super::harness::Said {
    lake.schedule(&["run", "a", "--at", &format!("2026-01-{day:02}T07:00:00Z")]).run()
}

#[test]
fn an_alert_goes_by_mail_as_a_table_and_by_webhook_as_rows_and_then_keeps_quiet() {
    let lake = lake("('x', 1234.5, 'a < b'), ('y', 1.0, 'c')");
    let said = look(&lake, 5);
    assert_eq!(said.code, Some(0), "{said}");
    let mails = lake.mail.mails();
    assert_eq!(mails.len(), 1);
    let mail = super::letters::plain(&mails[0].text);
    for part in [
        "Subject: Dear things: 1 new (2026-01-05)\n",
        "Look at <them>.\n",
        "| new | 2026-01-05 07:00 UTC | x | x | 1,234.5 | a ",
        "<p>Look at &lt;them&gt;.</p>",
        "<td>1,234.5</td><td>a &lt; b</td>",
        "Content-Disposition: attachment; filename=\"a.csv\"\n",
    ] {
        assert!(mail.contains(part), "no {part:?} in\n{mail}");
    }
    let called = lake.hooks.called("/alerts");
    assert_eq!(called.len(), 1);
    assert_eq!(
        called[0].body["alerts"],
        serde_json::json!([{
            "state": "new",
            "since": "2026-01-05T07:00:00Z",
            "key": { "id": "x" },
            "about": "x",
            "row": { "id": "x", "cost": "1234.5", "note": "a < b" },
        }])
    );
    assert_eq!((&called[0].body["kind"], &called[0].body["rows"]), (&"alert".into(), &1.into()));
    let said = look(&lake, 6);
    assert_eq!(said.code, Some(0), "{said}");
    assert_eq!((lake.mail.mails().len(), lake.hooks.called("/alerts").len()), (1, 1));
}

#[test]
fn what_one_of_two_refuses_is_told_to_both_the_next_time() {
    let lake = lake("('x', 9.0, 'a')");
    lake.mail.behave(Manners { refuses: Some("cx@example.com"), ..Manners::default() });
    let said = look(&lake, 5);
    assert_eq!(said.code, Some(1), "{said}");
    assert_eq!((lake.mail.mails().len(), lake.hooks.called("/alerts").len()), (0, 1));
    lake.mail.behave(Manners::default());
    put(&lake, "('x', 9.0, 'a'), ('z', 9.0, 'b')");
    let said = look(&lake, 6);
    assert_eq!(said.code, Some(0), "{said}");
    let told: Vec<String> =
        lake.hooks.called("/alerts").iter().map(|called| called.body["alerts"].to_string()).collect();
    assert_eq!((lake.mail.mails().len(), told.len()), (1, 2));
    assert!(told[1].contains("\"about\":\"x\"") && told[1].contains("\"about\":\"z\""), "{}", told[1]);
    assert_eq!(told[1].matches("\"state\":\"new\"").count(), 2, "{}", told[1]);
}

#[test]
fn a_mistake_in_the_saved_query_of_an_alert_is_told_at_its_own_line() {
    let lake = lake("('x', 9.0, 'a')");
    let right = lake.folder.read("queries/things.sql");
    lake.folder.write("queries/things.sql", right.replace("select *", "select nope as id, cost"));
    assert_eq!(
        lake.schedule(&["run", "a", "--at", super::FIRE]).fails(1).lines().take(4).collect::<Vec<_>>(),
        [
            "error: no column `nope`",
            "  at queries/things.sql:7:8",
            "  | select nope as id, cost from (values ('x', 9.0, 'a')) v(id, cost, note)",
            "  |        ^^^^"
        ]
    );
}

#[test]
fn a_webhook_gets_all_that_is_told_where_a_mail_shows_the_first_hundred() {
    let rows: Vec<String> = (1..=150).map(|number| format!("('n{number:03}', 9.0, 'a')")).collect();
    let lake = lake(&rows.join(", "));
    let said = look(&lake, 5);
    assert_eq!(said.code, Some(0), "{said}");
    let body = &lake.hooks.called("/alerts")[0].body;
    let told = body["alerts"].as_array().expect("a list");
    assert_eq!((&body["rows"], told.len()), (&150.into(), 150));
    assert_eq!(told[149]["about"], "n150");
    assert_eq!(body["summary"], serde_json::json!(["Look at <them>."]), "to a program nothing is cut");
    let mail = super::letters::plain(&lake.mail.mails()[0].text);
    assert!(mail.contains("The first 100 of 150 are shown; the file has all."), "{mail}");
    assert!(mail.contains("<td>n100</td>") && !mail.contains("<td>n101</td>"), "{mail}");
}
