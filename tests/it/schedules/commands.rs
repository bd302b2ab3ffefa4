//! `cxlake schedule list`, `next`, `run`, `backfill` and `history`.

use super::super::harness::{Row, text};
use super::{FIRE, Lake};

#[test]
fn the_list_says_what_runs_when_in_words_and_what_became_of_it() {
    let lake = Lake::new(
        "time_zone = \"America/New_York\"\nto = [{ folder = \"out/{date}/\" }, { webhook = \"{hook}/secret\" }]",
        "[schedule.wrong]\nreport = \"s\"\ncron = \"0 7 * * MON#1\"\nto = [{ folder = \"out/\" }]",
    );
    let list = |form: &str| lake.schedule(&["list", "--format", form]).run();
    let said = list("json");
    let rows: Vec<serde_json::Value> = serde_json::from_str(&said.text()).expect("JSON rows");
    assert_eq!(rows[0]["when"], "at 07:00, America/New_York");
    assert_eq!(rows[1]["when"], "at 07:00, on the 1st Monday of the month, UTC");
    let next = rows[0]["next"].as_str().expect("a time");
    assert!(next.contains(" 07:00 E"), "{next}");
    assert_eq!(rows[0]["to"], "out/{date}/; webhook at 127.0.0.1");
    assert_eq!((&rows[0]["last"], &rows[0]["outcome"]), (&"".into(), &"".into()));
    assert_eq!(
        said.stderr,
        "wrong: no report and no saved query `s`, at cxlake.toml:15\nwrong: nobody is told of its failures; name an `owner`\n"
    );
    lake.run(FIRE).prints();
    let rows: Vec<serde_json::Value> = serde_json::from_str(&list("json").text()).expect("JSON rows");
    assert_eq!((&rows[0]["last"], &rows[0]["outcome"]), (&"2026-01-05 02:00 EST".into(), &"sent".into()));
}

#[test]
fn next_says_the_times_to_come_of_one_or_of_all() {
    let lake = Lake::new(
        "to = [{ folder = \"out/\" }]",
        "[schedule.yearly]\nreport = \"r\"\ncron = \"30 6 31 12 *\"\ntime_zone = \"Australia/Lord_Howe\"\nto = [{ folder = \"out/\" }]",
    );
    let yearly = lake.schedule(&["next", "yearly", "-n", "3", "--format", "csv"]).prints();
    let lines: Vec<&str> = yearly.lines().collect();
    assert_eq!((lines[0], lines.len()), ("schedule,fires,utc", 4));
    for line in &lines[1..] {
        assert!(
            line.starts_with("yearly,2") && line.contains("-12-31 06:30 +11,") && line.ends_with("-12-30T19:30:00Z"),
            "{line}"
        );
    }
    let all = lake.schedule(&["next", "--format", "csv"]).prints();
    assert_eq!(all.lines().filter(|line| line.starts_with("s,")).count(), 5, "{all}");
    assert_eq!(
        lake.schedule(&["next", "yearl"]).fails(2),
        "error: no schedule `yearl` in this lake\n\nhint: did you mean `yearly`? `cxlake schedule list` lists all\n"
    );
}

#[test]
fn a_backfill_runs_each_fire_time_once_and_history_says_what_became_of_them() {
    let lake = Lake::new("formats = [\"csv\"]\nto = [{ folder = \"out/{date}/\" }]", "");
    lake.run("2026-01-06 07:00").prints();
    let said = lake.schedule(&["backfill", "s", "--from", "2026-01-05", "--to", "2026-01-07"]).run();
    assert_eq!(said.code, Some(0), "{said}");
    assert_eq!(said.stderr.lines().count(), 3, "{said}");
    assert_eq!(lake.runs().len(), 3, "what was run is not run again");
    for day in ["05", "06", "07"] {
        assert_eq!(lake.folder.read(&format!("out/2026-01-{day}/r.csv")), "n\n7\n");
    }
    let history = lake.schedule(&["history", "s", "-n", "2", "--format", "json"]).prints();
    let rows: Vec<Row> = serde_json::from_str(&history).expect("JSON rows");
    let told: Vec<[&str; 3]> =
        rows.iter().map(|row| ["fired", "outcome", "why"].map(|column| text(row, column))).collect();
    assert_eq!(told, [["2026-01-07 07:00 UTC", "sent", ""], ["2026-01-06 07:00 UTC", "sent", ""]]);
    assert!(
        rows.iter().all(|row| row["ms"].is_u64() && row["rows"] == 1 && text(row, "started").ends_with('Z')),
        "{history}"
    );
    let none = lake.schedule(&["backfill", "s", "--from", "2026-01-05 08:00", "--to", "2026-01-05 09:00"]).fails(2);
    assert_eq!(none, "error: `s` does not fire between these times\n\nhint: it fires at 07:00\n");
}

#[test]
fn run_takes_the_last_fire_time_or_the_one_that_is_named() {
    let lake = Lake::new("to = [{ folder = \"out/\" }]", "");
    let said = lake.schedule(&["run", "s"]).run();
    assert_eq!(said.code, Some(0), "{said}");
    assert!(said.stderr.contains(" 07:00 UTC: sent in "), "{said}");
    let again = lake.schedule(&["run", "s"]).run();
    assert_eq!(again.code, Some(0), "{again}");
    assert_eq!(lake.runs().len(), 1, "once more by another cron is the same run");
    lake.run("now").prints();
    assert_eq!(lake.runs().len(), 2, "now is a moment of its own");
    assert_eq!(lake.run("2999-01-01 07:00").fails(2), "error: 2999-01-01 07:00 UTC is still to come\n");
    assert_eq!(
        lake.run("soon").fails(2),
        "error: `soon` is no time\n\nhint: write `2026-11-02 07:00` (in UTC), `2026-11-02T12:00:00Z` or `now`\n"
    );
    assert_eq!(
        lake.schedule(&["run", "s", "--read-only"]).fails(2),
        "error: read-only: nothing is sent, and no run recorded\n"
    );
}

#[test]
fn a_time_that_the_clock_skips_is_run_at_the_first_moment_behind_it() {
    let lake = Lake::new("time_zone = \"Europe/Berlin\"\nto = [{ folder = \"out/{date}-{time}/\" }]", "");
    lake.run("2026-03-29 02:30").prints();
    assert!(
        lake.folder.at("out/2026-03-29-0330/r.html").exists() || lake.folder.at("out/2026-03-29-0300/r.html").exists()
    );
    assert_eq!(lake.record()["fire_time"], "2026-03-29T01:00:00Z");
}

#[test]
fn a_fire_time_before_the_day_that_the_manifest_fixes_is_about_its_own_period() {
    let lake = Lake::new("formats = [\"csv\"]\nto = [{ folder = \"out/{date}/\" }]", "");
    let header = "-- name = \"r\"\n-- title = \"T\"\n-- description = \"D\"\n--\n\
                  -- [params.month]\n-- type = \"date\"\n-- default = \"last_complete(month)\"\n";
    lake.folder.write("queries/r.sql", format!("-- +++\n{header}-- +++\nselect $month as m\n"));
    let manifest = lake.folder.read("cxlake.toml").replace("[lake]\n", "[lake]\ntoday = 2025-10-06\n");
    lake.folder.write("cxlake.toml", manifest);
    for (day, month) in [("2025-09-07", "2025-08-01"), ("2025-11-07", "2025-09-01")] {
        lake.run(&format!("{day} 07:00")).prints();
        assert_eq!(lake.folder.read(&format!("out/{day}/r.csv")), format!("m\n{month}\n"), "{day}");
    }
}

#[test]
fn a_run_that_failed_is_run_anew_by_hand_and_goes_to_those_who_do_not_have_it() {
    let lake = Lake::new("to = [{ webhook = \"{hook}/one\" }, { webhook = \"{hook}/other\" }]", "");
    lake.hooks.answer("/other", &[(500, "out of order")]);
    assert_eq!(lake.run(FIRE).run().code, Some(1));
    let said = lake.run(FIRE).run();
    assert_eq!(said.code, Some(0), "{said}");
    assert_eq!((lake.hooks.called("/one").len(), lake.hooks.called("/other").len()), (1, 2));
    let said = lake.run(FIRE).run();
    assert!(said.stderr.contains("; it was done at 2") && said.stderr.contains("Z, and is not run again"), "{said}");
    let mut outcomes: Vec<String> = lake.runs().iter().map(|run| run["outcome"].to_string()).collect();
    outcomes.sort();
    assert_eq!(outcomes, ["\"failed\"", "\"sent\""]);
}

#[test]
fn values_of_schedules_reports_and_sections_reach_their_queries_as_they_are() {
    let lake = Lake::new(
        "report = \"both\"\nparams = { offices = [\"Washington, DC\"] }\nformats = [\"csv\", \"md\"]\nto = [{ folder = \"out/\" }]",
        "[report.both]\ntitle = \"About $offices\"\nparams = { office = \"Washington, DC\" }\n\
         [[report.both.section]]\nquery = \"one\"\n\
         [[report.both.section]]\nquery = \"some\"\nparams = { names = \"$offices\" }\n\
         [[report.both.section]]\nquery = \"more\"\nparams = { places = ['a\\b', \"DC\"] }",
    );
    ask_for_report(
        &lake,
        &[
            ("one", "office", "text", "$office"),
            ("some", "names", "list<text>", "any($names)"),
            ("more", "places", "list<text>", "any($places)"),
        ],
    );
    lake.run(FIRE).prints();
    assert_eq!(lake.folder.read("out/both-one.csv"), "id\n\"Washington, DC\"\n");
    assert_eq!(lake.folder.read("out/both-some.csv"), "id\n\"Washington, DC\"\n");
    assert_eq!(lake.folder.read("out/both-more.csv"), "id\nDC\na\\b\n");
    assert!(lake.folder.read("out/both.md").starts_with("# About Washington, DC\n"));
}

#[test]
fn a_value_with_a_comma_is_the_same_to_a_list_and_to_a_text_of_one_name() {
    let lake = Lake::new(
        "report = \"both\"\nparams = { office = \"Washington, DC\" }\nformats = [\"csv\"]\nto = [{ folder = \"out/\" }]",
        "[report.both]\ntitle = \"About $office\"\n\
         [[report.both.section]]\nquery = \"one\"\n[[report.both.section]]\nquery = \"some\"\n\
         [[report.both.section]]\nquery = \"other\"\nparams = { name = \"$office\" }",
    );
    ask_for_report(
        &lake,
        &[
            ("one", "office", "text", "$office"),
            ("some", "office", "list<text>", "any($office)"),
            ("other", "name", "text", "$name"),
        ],
    );
    lake.run(FIRE).prints();
    let typed = ["report", "both", "--format", "csv", "-o", "typed", "-p", "office=Washington\\, DC"];
    lake.folder.cxlake(typed).prints();
    for file in ["both-one.csv", "both-some.csv", "both-other.csv"] {
        for folder in ["out", "typed"] {
            assert_eq!(lake.folder.read(&format!("{folder}/{file}")), "id\n\"Washington, DC\"\n", "{folder}/{file}");
        }
    }
}

/// Has the schedule ask for the report that it names itself, over saved queries: name, parameter, its type, and what an id is held
/// against.
fn ask_for_report(lake: &Lake, queries: &[(&str, &str, &str, &str)]) {
    let manifest = lake.folder.read("cxlake.toml").replace("report = \"r\"\n", "");
    lake.folder.write("cxlake.toml", manifest);
    for (query, parameter, kind, condition) in queries {
        lake.folder.write(
            &format!("queries/{query}.sql"),
            format!(
                "-- +++\n-- name = \"{query}\"\n-- title = \"T\"\n-- description = \"D\"\n-- [params.{parameter}]\n-- type = \"{kind}\"\n-- +++\n\
                 select id from (values ('Washington'), ('Washington, DC'), ('DC'), ('a\\b')) v(id) where id = {condition} order by id\n"
            ),
        );
    }
}
