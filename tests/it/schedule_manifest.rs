//! `[schedule.NAME]`, `[smtp]` and `[scheduler]`: every mistake is an error with its line and what mends it.

use super::harness::Folder;

/// A schedule that is right, on lines 4 to 6 of its manifest.
const RIGHT: &str = "report = \"r\"\ncron = \"0 7 * * *\"\nto = [{ folder = \"out/\" }]\n";

/// The whole error that a manifest gives with this below its `[lake]`.
fn error(rest: &str) -> String {
    let folder = Folder::new();
    folder.write("cxlake.toml", format!("[lake]\nname = \"x\"\n{rest}"));
    folder.cxlake(["tables"]).fails(1)
}

/// The error that a schedule gives which has these lines in the place of one that is right, or beside them.
fn of_schedule(lines: &[&str]) -> String {
    let key = |line: &str| line.split(' ').next().map(str::to_owned);
    let kept = RIGHT.lines().filter(|line| lines.iter().all(|other| key(other) != key(line)));
    let all: Vec<&str> = lines.iter().copied().chain(kept).collect();
    error(&format!("[schedule.s]\n{}\n", all.join("\n")))
}

#[test]
fn a_schedule_that_is_right_is_read() {
    let folder = Folder::new();
    let rest = "wait_for = { checks = [\"t\"], until = \"4h\", then = \"skip\" }\nretries = 3\njitter = \"30s\"\n\
                params = { month = \"last_complete(month)\", list = [\"a\", 5], day = 2026-10-06 }\n\
                owner = [{ webhook = \"http://127.0.0.1:9/x\", token_env = \"HOOK\" }]\n";
    let others = "[table.t]\npath = \"t/\"\n[smtp]\nhost = \"smtp.example.com\"\nfrom = \"Lake <lake@example.com>\"\n\
                  [scheduler]\nlease = \"2s\"\nat_once = 2\nowner = [{ email = [\"data@example.com\"] }]\n";
    // The store of the second folder has the name of the schedule.
    let places =
        "report = \"r\"\ncron = \"0 7 * * *\"\nto = [{ folder = \"out/\" }, { folder = \"{schedule}:reports/\" }]\n";
    folder.write("cxlake.toml", format!("[lake]\nname = \"x\"\n[schedule.s]\n{places}{rest}{others}"));
    folder.cxlake(["tables", "--format", "csv"]).prints();
}

#[test]
fn what_is_no_time_of_cron_says_why() {
    let hint =
        "hint: minute, hour, day of the month, month, day of the week; `0 7 * * MON#1` is 7:00 on the first Monday\n";
    for (cron, why) in [
        ("0 7 * *", "it has 4 fields, not 5"),
        ("0 25 * * *", "its hour `25`: number out of bounds"),
        ("0 0 30 2 *", "no such day ever comes"),
    ] {
        assert_eq!(
            of_schedule(&[&format!("cron = \"{cron}\"")]),
            format!("error: `{cron}` is no time of cron: {why}\n  at cxlake.toml:4\n\n{hint}")
        );
    }
    assert_eq!(
        of_schedule(&["time_zone = \"Europe/Berlyn\""]),
        "error: unknown time zone `Europe/Berlyn`\n  at cxlake.toml:4\n\n\
         hint: use a name of the IANA database, such as `Europe/Berlin`\n"
    );
}

#[test]
fn values_of_a_schedule_are_checked_as_they_are_declared() {
    for (line, wanted) in [
        (
            "formats = [\"htlm\"]",
            "error: a report has no form `htlm`\n  at cxlake.toml:4\n\nhint: did you mean `html`?\n",
        ),
        (
            "retry_wait = \"soon\"",
            "error: `soon` is no span of time\n  at cxlake.toml:4\n\nhint: write `30s`, `500ms`, `5min`, `1h` or `7d`\n",
        ),
        (
            "retries = 30",
            "error: `retries` is 30, more than 20\n  at cxlake.toml:4\n\nhint: each try waits twice as long as the one before\n",
        ),
        ("catch_up = \"lates\"", "error: unknown value `lates`\n  at cxlake.toml:4\n\nhint: did you mean `latest`?\n"),
        ("overlp = \"skip\"", "error: unknown key `overlp`\n  at cxlake.toml:4\n\nhint: did you mean `overlap`?\n"),
        (
            "wait_for = { checks = [\"costs\"], until = \"4h\", then = \"fail\" }",
            "error: table `costs` is not in this lake\n  at cxlake.toml:4\n\n\
             hint: `checks` lists tables, whose checks are waited for\n",
        ),
        (
            "params = { a = { b = 1 } }",
            "error: the value of parameter `a` is no plain value\n  at cxlake.toml:4\n\n\
             hint: a text, a number, true, false, a day, or a list of them\n",
        ),
    ] {
        assert_eq!(of_schedule(&[line]), wanted, "{line}");
    }
    let wait = "wait_for = { checks = [\"t.freshness\"], until = \"4h\", then = \"fail\" }";
    let table = "[table.t]\npath = \"t/\"\nfresh = { column = \"at\", error = \"1d\" }";
    assert_eq!(
        error(&format!("[schedule.s]\n{wait}\n{RIGHT}{table}\n")),
        "error: table `t` has no check `freshness`\n  at cxlake.toml:4\n\nhint: did you mean `t.fresh`?\n"
    );
    assert_eq!(
        error(&format!("[schedule.\"a/b\"]\n{RIGHT}")),
        "error: schedule `a/b` cannot name a folder\n  at cxlake.toml:3\n\nhint: letters, digits, `-` and `_`\n"
    );
}

#[test]
fn a_destination_is_one_of_three_and_reached_in_private() {
    for (to, wanted) in [
        (
            "to = []",
            "error: schedule `s` goes nowhere\n  at cxlake.toml:4\n\n\
             hint: add `[[schedule.s.to]]` with `folder`, `email` or `webhook`\n",
        ),
        (
            "to = [{ folder = \"a\", webhook = \"https://example.com\" }]",
            "error: a destination is one of `folder`, `email` and `webhook`\n  at cxlake.toml:4\n\n\
             hint: write one table for each, such as `[[schedule.NAME.to]]` with `folder = \"reports/{date}/\"`\n",
        ),
        (
            "to = [{ folder = \"reports/{dat}/\" }]",
            "error: `reports/{dat}/` has no meaning for `{dat}`\n  at cxlake.toml:4\n\nhint: did you mean `{date}`?\n",
        ),
        (
            "to = [{ folder = \"prdo:reports/{date}/\" }]",
            "error: the folder of a destination is in store `prdo`, which is not declared\n  at cxlake.toml:4\n\n\
             hint: declare it: `[store.prdo]` with `url = \"s3://bucket/\"`\n",
        ),
        (
            "to = [{ folder = \"gs://bucket/reports/\" }]",
            "error: the folder of a destination is at `gs://bucket/reports/`, and `gs://` is not known\n  at cxlake.toml:4\n\n\
             hint: write a local path, or one in a bucket: `s3://bucket/folder/`\n",
        ),
        (
            "to = [{ email = [\"a@example.com\"] }]",
            "error: mail needs a server, and this lake has none\n  at cxlake.toml:4\n\nhint: add `[smtp]` with `host` and \
             `from`; user and password come from CXLAKE_SMTP_USER and CXLAKE_SMTP_PASSWORD\n",
        ),
        (
            "to = [{ webhook = \"http://example.com/secret-path\" }]",
            "error: a webhook is reached by `https://`\n  at cxlake.toml:4\n\n\
             hint: `http://` is for servers on this machine: `http://127.0.0.1:PORT/`\n",
        ),
        (
            "to = [{ webhook = \"https://user:secret@example.com/\" }]",
            "error: the address of the webhook has a user or password in it\n  at cxlake.toml:4\n\nhint: give a token in a \
             variable of the environment, and name it: `token_env = \"CXLAKE_HOOK_TOKEN\"`\n",
        ),
        (
            "to = [{ webhook = \"https://example.com/\", token_env = \"abc def\" }]",
            "error: `token_env` is no name of a variable\n  at cxlake.toml:4\n\n\
             hint: the token itself does not belong here: a manifest is shared\n",
        ),
        (
            "owner = [{ folder = \"failures/\" }]",
            "error: an owner is told by `email` or `webhook`\n  at cxlake.toml:4\n\n\
             hint: what is in a folder, nobody is told of\n",
        ),
    ] {
        assert_eq!(of_schedule(&[to]), wanted, "{to}");
    }
}

#[test]
fn the_mail_server_is_checked_as_it_is_declared_and_has_no_key_for_a_password() {
    let smtp = |rest: &str| error(&format!("[smtp]\nhost = \"smtp.example.com\"\nfrom = \"a@example.com\"\n{rest}\n"));
    assert_eq!(
        smtp("password = \"x\""),
        "error: unknown key `password`\n  at cxlake.toml:6\n\n\
         hint: known here: `host`, `port`, `security`, `from`, `message_mb_max`\n"
    );
    assert_eq!(
        smtp("security = \"none\""),
        "error: mail to `smtp.example.com` would cross the network in the clear\n  at cxlake.toml:4\n\n\
         hint: leave `security` out for `starttls`, or set `tls`; `none` is for a server on this machine\n"
    );
    assert_eq!(
        error("[smtp]\nhost = \"smtp.example.com\"\nfrom = \"nobody\"\n"),
        "error: `nobody` is no mail address\n  at cxlake.toml:5\n\n\
         hint: write `name@example.com` or `Some Name <name@example.com>`\n"
    );
    assert_eq!(
        error("[smtp]\nhost = \"smtp://x/\"\nfrom = \"a@example.com\"\n"),
        "error: `smtp://x/` is no name of a server\n  at cxlake.toml:4\n\n\
         hint: write the name alone, such as `smtp.example.com`; `port` has a key of its own\n"
    );
    assert_eq!(error("[scheduler]\nlease = \"100ms\"\n"), "error: `100ms` is shorter than 1s\n  at cxlake.toml:4\n");
    assert_eq!(error("[scheduler]\nat_once = 0\n"), "error: `at_once` is 0: nothing could run\n  at cxlake.toml:4\n");
}
