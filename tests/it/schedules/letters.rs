//! What recipients get: files in folders and buckets, mail, webhooks, each once.

use super::super::s3::http::AUTHORITY;
use super::super::s3::server::Server;
use super::mail::Manners;
use super::{FIRE, Lake, files, text};

/// The body of a mail with its soft line breaks and encoded letters put right.
pub fn plain(mail: &str) -> String {
    mail.replace("=\r\n", "").replace("=3D", "=").replace("\r\n", "\n")
}

#[test]
fn a_run_places_its_files_and_tells_mailboxes_and_webhooks_once() {
    let lake = Lake::new(
        "formats = [\"html\", \"csv\"]\nto = [{ folder = \"out/{date}-{schedule}/\" }, \
         { email = [\"cfo@example.com\", \"Office <office@example.com>\"] }, { webhook = \"{hook}/report\" }]",
        "",
    );
    lake.run(FIRE).prints();
    let record = lake.record();
    assert_eq!(text(&record, "outcome"), "sent");
    let placed: Vec<String> = files(&lake.folder.at("out"))
        .iter()
        .map(|file| file.strip_prefix(lake.folder.at("out")).expect("below it").display().to_string())
        .collect();
    assert_eq!(placed, ["2026-01-05-s/r.csv", "2026-01-05-s/r.html"]);
    assert_eq!(lake.folder.read("out/2026-01-05-s/r.csv"), "n\n7\n");

    let mails = lake.mail.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].from, "lake@example.com");
    assert_eq!(mails[0].to, ["cfo@example.com", "office@example.com"]);
    let mail = plain(&mails[0].text);
    for part in [
        "Subject: Offices (2026-01-05)\n",
        "To: cfo@example.com, Office <office@example.com>\n",
        "From: Lake <lake@example.com>\n",
        &format!("Message-ID: <{}-", text(&record, "run_id")),
        "Content-Type: text/plain; charset=utf-8\n",
        "Content-Type: text/html; charset=utf-8\n",
        "Content-Disposition: attachment; filename=\"r.csv\"\n",
        "Content-Disposition: attachment; filename=\"r.html\"\n",
        "Schedule: s\nFor: 2026-01-05 07:00 UTC\n",
    ] {
        assert!(mail.contains(part), "no {part:?} in\n{mail}");
    }

    let called = lake.hooks.called("/report");
    assert_eq!(called.len(), 1);
    assert!(called[0].header("idempotency-key").starts_with(&format!("{}-", text(&record, "run_id"))));
    assert_eq!(called[0].header("content-type"), "application/json");
    let body = &called[0].body;
    assert_eq!(body["run_id"], record["run_id"]);
    assert_eq!((&body["schedule"], &body["fire_time"]), (&"s".into(), &FIRE.into()));
    assert_eq!((&body["title"], &body["outcome"], &body["rows"]), (&"Offices".into(), &"sent".into(), &1.into()));
    for (file, output) in
        body["files"].as_array().expect("files").iter().zip(record["outputs"].as_array().expect("outputs"))
    {
        assert_eq!(
            (&file["name"], &file["bytes"], &file["sha256"]),
            (&output["name"], &output["bytes"], &output["sha256"])
        );
    }
    assert!(body["places"][0].as_str().expect("a place").ends_with("2026-01-05-s/r.html"), "{body}");
    assert_eq!(lake.hooks.called("/owner").len(), 0, "there is nothing to tell the owner");

    // The same fire time once more, and by day: it is done.
    lake.run(FIRE).prints();
    lake.schedule(&["backfill", "s", "--from", "2026-01-05", "--to", "2026-01-05"]).prints();
    assert_eq!((lake.mail.mails().len(), lake.hooks.called("/report").len(), lake.runs().len()), (1, 1, 1));
}

#[test]
fn relative_dates_count_from_the_fire_time() {
    let lake = Lake::new(
        "params = { month = \"last_complete(month)\" }\nformats = [\"csv\"]\nto = [{ folder = \"out/{month}/\" }]",
        "",
    );
    lake.folder.write(
        "queries/r.sql",
        "-- +++\n-- name = \"r\"\n-- title = \"T\"\n-- description = \"D\"\n-- [params.month]\n-- type = \"month\"\n-- +++\n\
         select $month as month\n",
    );
    lake.schedule(&["backfill", "s", "--from", "2026-01-31", "--to", "2026-02-01"]).prints();
    assert_eq!(lake.folder.read("out/2026-01/r.csv"), "month\n2025-12-01\n");
    assert_eq!(lake.folder.read("out/2026-02/r.csv"), "month\n2026-01-01\n");
    let parameters: Vec<String> = lake.runs().iter().map(|run| run["parameters"].to_string()).collect();
    assert!(parameters.iter().any(|value| value.contains("2025-12")), "{parameters:?}");
}

#[test]
fn files_go_to_buckets_and_records_lie_there_too() {
    let server = Server::start(&["lake"]);
    let lake =
        Lake::new("to = [{ folder = \"main:out/{date}/\" }]", "[store.main]\nurl = \"s3://lake/\"\nwrite = true");
    let manifest = lake.folder.read("cxlake.toml").replace("[lake]\n", "[lake]\nrecords = \"main:kept\"\n");
    lake.folder.write("cxlake.toml", manifest);
    lake.run(FIRE).on(&server).prints();
    let bucket = server.folder().at("lake");
    assert_eq!(files(&bucket.join("out")), [bucket.join("out/2026-01-05/r.html")]);
    assert_eq!(super::runs(&bucket.join("kept")).len(), 1);
    assert!(!lake.folder.at(".cxlake").exists());
}

#[test]
fn mail_goes_over_tls_to_a_server_that_knows_us_and_no_secret_is_told() {
    const PASSWORD: &str = "canary-password-of-the-tests";
    let lake = Lake::new("to = [{ email = [\"cfo@example.com\"] }]", "");
    lake.mail.behave(Manners { wants: Some(("lake", PASSWORD)), ..Manners::default() });
    let manifest = lake.folder.read("cxlake.toml");
    let manifest = manifest.replace("host = \"127.0.0.1\"", "host = \"localhost\"").replace("\"none\"", "\"starttls\"");
    lake.folder.write("cxlake.toml", manifest);
    let authority = lake.folder.write("authority.pem", AUTHORITY);
    let call = |fire: &str, password: &str| {
        let call = lake.run(fire).env("SSL_CERT_FILE", &authority);
        call.env("CXLAKE_SMTP_USER", "lake").env("CXLAKE_SMTP_PASSWORD", password).run()
    };
    let said = call(FIRE, PASSWORD);
    assert_eq!(said.code, Some(0), "{said}");
    assert_eq!(lake.mail.mails().len(), 1);
    // A server that repeats the password in its refusal.
    lake.mail.behave(Manners { wants: Some(("other", PASSWORD)), ..Manners::default() });
    let said = call("2026-01-06T07:00:00Z", PASSWORD);
    assert_eq!(said.code, Some(1), "{said}");
    assert!(said.stderr.contains("does not take user and password: 535 not *** but"), "{said}");
    for file in files(lake.folder.path()) {
        let bytes = std::fs::read(&file).expect("a file");
        assert!(!String::from_utf8_lossy(&bytes).contains(PASSWORD), "{}", file.display());
    }
    assert!(!said.stderr.contains(PASSWORD));
    // Without the authority the server is nobody.
    let said = lake.run("2026-01-07T07:00:00Z").env_remove("SSL_CERT_FILE").run();
    assert_eq!(said.code, Some(1), "{said}");
    assert!(said.stderr.contains("cannot reach the mail server localhost"), "{said}");
}

#[test]
fn a_webhook_gets_the_token_of_the_environment_and_nobody_else_does() {
    const TOKEN: &str = "canary-token-of-the-hooks";
    let lake = Lake::new("to = [{ webhook = \"{hook}/secret-path\", token_env = \"HOOK\" }]", "");
    let said = lake.run(FIRE).env_remove("HOOK").run();
    assert_eq!(said.code, Some(1), "{said}");
    assert!(said.stderr.contains("the token for the webhook at 127.0.0.1 is missing"), "{said}");
    assert!(said.stderr.contains("set the variable HOOK, which `token_env` names"), "{said}");
    lake.hooks.answer("/secret-path", &[(401, "who is canary-token-of-the-hooks")]);
    let refused = lake.run("2026-01-06T07:00:00Z").env("HOOK", TOKEN).run();
    assert!(refused.stderr.contains("the webhook at 127.0.0.1 answered 401 Unauthorized: who is ***"), "{refused}");
    lake.run("2026-01-07T07:00:00Z").env("HOOK", TOKEN).prints();
    let called = lake.hooks.called("/secret-path");
    assert_eq!(called.len(), 2);
    assert_eq!(called[1].header("authorization"), format!("Bearer {TOKEN}"));
    for file in files(&lake.folder.at(".cxlake")) {
        let bytes = std::fs::read(&file).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(TOKEN) && !text.contains("secret-path"), "{}: {text}", file.display());
    }
}

#[test]
fn a_message_that_is_too_large_is_not_sent_and_says_what_helps() {
    let lake = Lake::new("formats = [\"csv\"]\nto = [{ email = [\"cfo@example.com\"] }]", "");
    let manifest = lake.folder.read("cxlake.toml").replace("[smtp]", "[smtp]\nmessage_mb_max = 1");
    lake.folder.write("cxlake.toml", manifest);
    let sql = QUERY_OF_TWO_MEGABYTES;
    lake.folder.write("queries/r.sql", sql);
    let said = lake.run(FIRE).run();
    assert_eq!(said.code, Some(1), "{said}");
    assert!(said.stderr.contains("MB with its files, more than 1 MB (hint: send large files to a `folder`"), "{said}");
    assert_eq!(lake.mail.mails().len(), 0);
    assert_eq!(lake.hooks.called("/owner").len(), 1);
}

const QUERY_OF_TWO_MEGABYTES: &str = "-- +++\n-- name = \"r\"\n-- title = \"T\"\n-- description = \"D\"\n-- +++\n\
    select repeat('x', 1000) as x from generate_series(1, 2000)\n";
