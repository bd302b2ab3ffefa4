//! What goes wrong with a run: its outcome is recorded, the owner is told, recipients are not, and the next run is unaffected.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use calamine::{Reader as _, Xlsx, open_workbook};

use super::super::harness::Said;
use super::super::s3::proxy::{Fault, Proxy};
use super::super::s3::server::Server;
use super::letters::plain;
use super::mail::{MailServer, Manners};
use super::{FIRE, Lake, files, text};

/// Another fire time.
const NEXT: &str = "2026-01-06T07:00:00Z";

/// Asserts that a run has failed with these words, and that the owner alone was told.
fn has_failed(lake: &Lake, said: &Said, why: &str) {
    assert_eq!(said.code, Some(1), "{said}");
    assert!(said.stderr.starts_with("error: s, 2026-01-05 07:00 UTC: failed in "), "{said}");
    assert!(said.stderr.contains(why), "{said}");
    let record = lake.record();
    assert_eq!(text(&record, "outcome"), "failed");
    assert!(text(&record, "error").contains(why), "{record}");
    assert!(record["ended_at"].is_string() && record["duration_ms"].is_u64(), "{record}");
    let told = lake.hooks.called("/owner");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].body["outcome"], "failed");
    assert_eq!(told[0].body["error"], record["error"]);
    assert_eq!(record["told"][0]["state"], "sent");
    assert_eq!(files(&lake.folder.at(".cxlake/open")), Vec::<std::path::PathBuf>::new(), "nothing is left to do");
}

/// Asserts that the next fire time runs, as if nothing had been.
fn next_is_unaffected(lake: &Lake) {
    let said = lake.run(NEXT).run();
    assert_eq!(said.code, Some(0), "{said}");
    assert!(said.stderr.starts_with("s, 2026-01-06 07:00 UTC: sent in "), "{said}");
}

#[test]
fn a_mail_server_that_is_down() {
    let lake = Lake::new("retries = 1\nto = [{ email = [\"cfo@example.com\"] }, { folder = \"out/\" }]", "");
    let gone = MailServer::start();
    let port = gone.port();
    drop(gone);
    let here = lake.mail.port();
    let manifest = lake.folder.read("cxlake.toml").replace(&format!("port = {here}"), &format!("port = {port}"));
    lake.folder.write("cxlake.toml", manifest);
    let said = lake.run(FIRE).run();
    has_failed(&lake, &said, &format!("cannot reach the mail server 127.0.0.1 at port {port}"));
    let record = lake.record();
    assert_eq!(record["tries"], 2);
    assert_eq!(
        (&record["deliveries"][0]["state"], &record["deliveries"][1]["state"]),
        (&"failed".into(), &"sent".into())
    );
    let back = MailServer::start_at(port);
    next_is_unaffected(&lake);
    assert_eq!(back.mails().len(), 1);
}

#[test]
fn a_mail_server_that_refuses_a_recipient() {
    let lake = Lake::new("to = [{ email = [\"cfo@example.com\", \"gone@example.com\"] }]", "");
    lake.mail.behave(Manners { refuses: Some("gone@example.com"), ..Manners::default() });
    let said = lake.run(FIRE).run();
    has_failed(&lake, &said, "does not take the recipient gone@example.com: 550 no such user here");
    assert_eq!(lake.mail.mails().len(), 0, "nobody gets a message that not all would get");
    lake.mail.behave(Manners::default());
    next_is_unaffected(&lake);
}

#[test]
fn a_mail_server_that_falls_silent_over_a_message() {
    let lake = Lake::new("retries = 2\nto = [{ email = [\"cfo@example.com\"] }]", "");
    lake.mail.behave(Manners { falls_silent: true, ..Manners::default() });
    let said = lake.run(FIRE).run();
    assert_eq!(said.code, Some(1), "{said}");
    let record = lake.record();
    assert_eq!(text(&record, "outcome"), "may_have_been_sent", "{record}");
    assert_eq!(lake.mail.mails().len(), 1, "it is not sent again");
    let told = lake.hooks.called("/owner");
    assert_eq!((told.len(), &told[0].body["outcome"]), (1, &"may_have_been_sent".into()));
    lake.mail.behave(Manners::default());
    next_is_unaffected(&lake);
}

#[test]
fn a_webhook_that_fails_once_and_one_that_fails_for_ever() {
    let lake = Lake::new("retries = 1\nto = [{ webhook = \"{hook}/report\" }]", "");
    lake.hooks.answer("/report", &[(500, "out of order"), (503, "still")]);
    let said = lake.run(FIRE).run();
    has_failed(&lake, &said, "the webhook at 127.0.0.1 answered 503 Service Unavailable: still");
    lake.hooks.answer("/report", &[(500, "out of order")]);
    next_is_unaffected(&lake);
    let keys: Vec<String> =
        lake.hooks.called("/report").iter().map(|called| called.header("idempotency-key").to_owned()).collect();
    assert_eq!(keys.len(), 4);
    assert!(
        keys[0] == keys[1] && keys[2] == keys[3] && keys[0] != keys[2],
        "a try again has the key of the first: {keys:?}"
    );
}

#[test]
fn a_webhook_that_sends_us_elsewhere() {
    let lake = Lake::new("retries = 0\nto = [{ webhook = \"{hook}/report\" }]", "");
    lake.hooks.answer("/report", &[(307, "")]);
    let said = lake.run(FIRE).run();
    has_failed(&lake, &said, "the webhook at 127.0.0.1 answered 307 Temporary Redirect");
    assert_eq!((lake.hooks.called("/report").len(), lake.hooks.called("/elsewhere").len()), (1, 0));
    next_is_unaffected(&lake);
}

#[test]
fn a_query_that_is_wrong() {
    let lake = Lake::new("to = [{ folder = \"out/\" }, { email = [\"cfo@example.com\"] }]", "");
    let right = lake.folder.read("queries/r.sql");
    lake.folder.write("queries/r.sql", right.replace("select 7 as n", "select m from (select 7 as n)"));
    let said = lake.run(FIRE).run();
    has_failed(&lake, &said, "column `m`");
    assert_eq!(lake.mail.mails().len(), 0);
    assert!(!lake.folder.at("out").exists(), "nothing is placed");
    lake.folder.write("queries/r.sql", right);
    next_is_unaffected(&lake);
}

#[test]
fn a_check_that_fails() {
    let lake = Lake::new(
        "to = [{ email = [\"cfo@example.com\"] }]\nwait_for = { checks = [\"t\"], until = \"1s\", then = \"fail\" }",
        "[table.t]\npath = \"t.parquet\"\n[[table.t.check]]\nname = \"n_is_large\"\nassert = \"n > 5\"\n",
    );
    lake.folder.parquet("t.parquet", "select 1 as n");
    let said = lake.run(FIRE).run();
    has_failed(&lake, &said, "the data was not complete 1s after the fire time: t, n_is_large: ");
    assert_eq!(lake.mail.mails().len(), 0);
    lake.folder.parquet("t.parquet", "select 9 as n");
    next_is_unaffected(&lake);
}

/// The texts in a sheet of a workbook.
fn cells(path: &Path, sheet: &str) -> Vec<String> {
    let mut book: Xlsx<BufReader<File>> = open_workbook(path).expect("a workbook");
    let range = book.worksheet_range(sheet).expect("a sheet");
    range.used_cells().map(|(_, _, cell)| cell.to_string()).collect()
}

#[test]
fn a_report_on_incomplete_data_says_so_in_every_form_and_warnings_are_not_waited_for() {
    const BANNER: &str = "The data is not complete. t, large: 1 of 1 row";
    let lake = Lake::new(
        "formats = [\"html\", \"md\", \"json\", \"xlsx\"]\n\
         to = [{ folder = \"out/{date}/\" }, { email = [\"cfo@example.com\"] }, { webhook = \"{hook}/report\" }]\n\
         wait_for = { checks = [\"t\"], until = \"1s\", then = \"send_with_banner\" }",
        "[table.t]\npath = \"t.parquet\"\n[[table.t.check]]\nname = \"large\"\nassert = \"n > 5\"\n\
         [[table.t.check]]\nname = \"huge\"\nassert = \"n > 50\"\nseverity = \"warn\"\n",
    );
    lake.folder.parquet("t.parquet", "select 1 as n");
    lake.run(FIRE).prints();
    let record = lake.record();
    assert_eq!((text(&record, "outcome"), text(&record, "reason")), ("sent_with_banner", BANNER));
    let placed = |name: &str| lake.folder.read(&format!("out/2026-01-05/{name}"));
    let html = placed("r.html");
    assert!(html.contains(&format!("<div class=\"banner\" role=\"note\">{BANNER}</div>")), "{html}");
    assert!(placed("r.md").contains(&format!("\n> **{BANNER}**\n")), "{}", placed("r.md"));
    let json: serde_json::Value = serde_json::from_str(&placed("r.json")).expect("JSON");
    assert_eq!(json["banner"], BANNER);
    for sheet in ["Offices", "About"] {
        let found = cells(&lake.folder.at("out/2026-01-05/r.xlsx"), sheet);
        assert!(found.iter().any(|cell| cell == BANNER), "{sheet}: {found:?}");
    }
    let mail = plain(&lake.mail.mails()[0].text);
    for part in [format!("\n! {BANNER}\n"), format!("\">{BANNER}</p>")] {
        assert!(mail.contains(&part), "no {part:?} in\n{mail}");
    }
    assert_eq!(lake.hooks.called("/report")[0].body["banner"], BANNER);
    assert_eq!(lake.hooks.called("/owner").len(), 1);
    // Of the two checks the warning fails still.
    lake.folder.parquet("t.parquet", "select 9 as n");
    next_is_unaffected(&lake);
    assert!(!lake.folder.read("out/2026-01-06/r.html").contains("not complete"));
}

#[test]
fn a_warning_that_is_named_is_waited_for() {
    let lake = Lake::new(
        "to = [{ folder = \"out/{date}/\" }]\n\
         wait_for = { checks = [\"t\", \"t.huge\"], until = \"1s\", then = \"send_with_banner\" }",
        "[table.t]\npath = \"t.parquet\"\n[[table.t.check]]\nname = \"large\"\nassert = \"n > 5\"\nseverity = \"warn\"\n\
         [[table.t.check]]\nname = \"huge\"\nassert = \"n > 50\"\nseverity = \"warn\"\n",
    );
    lake.folder.parquet("t.parquet", "select 1 as n");
    lake.run(FIRE).prints();
    assert_eq!(text(&lake.record(), "reason"), "The data is not complete. t, huge: 1 of 1 row");
}

#[test]
fn a_disk_that_takes_no_more() {
    let lake = Lake::new("to = [{ folder = \"out/\" }, { email = [\"cfo@example.com\"] }]", "");
    // Files of more than some kilobytes are refused: a report, but not a record.
    let call = lake.run(FIRE).command();
    let program = call.get_program().to_owned();
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""]).arg(program).args(call.get_args());
    limited.current_dir(lake.folder.path());
    for (name, value) in call.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let output = limited.output().expect("it starts");
    let said = Said {
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).expect("messages are UTF-8"),
        code: output.status.code(),
    };
    has_failed(&lake, &said, "File too large");
    assert_eq!(lake.mail.mails().len(), 0);
    assert_eq!(files(&lake.folder.at("out")), Vec::<std::path::PathBuf>::new(), "there is no part of a report");
    next_is_unaffected(&lake);
}

/// A server, and a proxy before it that knows no bucket of the name `gone` as long as it is not there.
fn without_bucket() -> (Server, Proxy, Arc<AtomicBool>) {
    let server = Server::start(&["gone"]);
    let is_there = Arc::<AtomicBool>::default();
    let there = Arc::clone(&is_there);
    let proxy = Proxy::start(&server, move |_, _| match there.load(Ordering::SeqCst) {
        true => Fault::None,
        false => Fault::Refuse(404, "NoSuchBucket", None),
    });
    (server, proxy, is_there)
}

/// A store in that bucket.
const GONE: &str = "[store.gone]\nurl = \"s3://gone/\"\nwrite = true\nretry_seconds = 1";

#[test]
fn a_bucket_that_is_gone() {
    let (server, proxy, is_there) = without_bucket();
    let lake = Lake::new("to = [{ folder = \"gone:out/\" }]", GONE);
    let said = lake.run(FIRE).through(&proxy).run();
    has_failed(&lake, &said, "there is no bucket `gone`");
    is_there.store(true, Ordering::SeqCst);
    let said = lake.run(NEXT).through(&proxy).run();
    assert_eq!(said.code, Some(0), "{said}");
    assert_eq!(files(&server.folder().at("gone/out")).len(), 1);
}

#[test]
fn records_that_cannot_be_written_let_nothing_be_sent() {
    let (_server, proxy, is_there) = without_bucket();
    let lake = Lake::new("to = [{ email = [\"cfo@example.com\"] }]", GONE);
    let manifest = lake.folder.read("cxlake.toml").replace("[lake]\n", "[lake]\nrecords = \"gone:kept\"\n");
    lake.folder.write("cxlake.toml", manifest);
    let said = lake.run(FIRE).through(&proxy).run();
    assert_eq!(said.code, Some(1), "{said}");
    assert!(said.stderr.contains("there is no bucket `gone`"), "{said}");
    assert_eq!(lake.mail.mails().len(), 0, "who cannot claim a run does not send it");
    is_there.store(true, Ordering::SeqCst);
    let said = lake.run(FIRE).through(&proxy).run();
    assert_eq!((said.code, lake.mail.mails().len()), (Some(0), 1), "{said}");
}
