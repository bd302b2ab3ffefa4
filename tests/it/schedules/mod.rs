//! Schedules: the commands, what becomes of failures, crashes at every step, and schedulers side by side.

mod alerts;
mod commands;
mod crashes;
mod failures;
mod hooks;
mod letters;
mod mail;
mod scheduler;

use std::path::Path;

use serde_json::Value;

use super::harness::{Call, Folder};
use hooks::Hooks;
use mail::MailServer;

/// A fire time that has come, as it is typed and as records have it.
const FIRE: &str = "2026-01-05T07:00:00Z";

/// A saved query that gives one row.
const QUERY: &str = "-- +++\n-- name = \"r\"\n-- title = \"Offices\"\n-- description = \"D\"\n-- +++\nselect 7 as n\n";

/// A lake with the schedule `s`, which runs the saved query `r`.
struct Lake {
    folder: Folder,
    hooks: Hooks,
    mail: MailServer,
}

impl Lake {
    /// With these lines in `[schedule.s]`, and these below. `{hook}` is the address of the hooks.
    fn new(schedule: &str, rest: &str) -> Self {
        let lake = Self { folder: Folder::new(), hooks: Hooks::start(), mail: MailServer::start() };
        std::fs::create_dir(lake.folder.at("tmp")).expect("the folder is made");
        lake.folder.write("queries/r.sql", QUERY);
        lake.write(schedule, rest);
        lake
    }

    fn write(&self, schedule: &str, rest: &str) {
        let hook = self.hooks.address();
        let text = format!(
            "[lake]\nname = \"test\"\n[smtp]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\n\
             from = \"Lake <lake@example.com>\"\n[schedule.s]\nreport = \"r\"\ncron = \"0 7 * * *\"\nretry_wait = \"100ms\"\n\
             owner = [{{ webhook = \"{hook}/owner\" }}]\n{schedule}\n{rest}\n",
            self.mail.port()
        );
        self.folder.write("cxlake.toml", text.replace("{hook}", &hook));
    }

    /// A call of `cxlake schedule`.
    fn schedule(&self, arguments: &[&str]) -> Call {
        let call = self.folder.cxlake(["schedule"].iter().chain(arguments));
        // What a process that is killed leaves behind is gone with the test.
        let call = call.env("TMPDIR", self.folder.at("tmp"));
        call.env_remove("CXLAKE_SMTP_USER").env_remove("CXLAKE_SMTP_PASSWORD")
    }

    /// A call that runs a fire time.
    fn run(&self, fire: &str) -> Call {
        self.schedule(&["run", "s", "--at", fire])
    }

    /// The records of all runs.
    fn runs(&self) -> Vec<Value> {
        runs(&self.folder.at(".cxlake"))
    }

    /// The only record of a run.
    fn record(&self) -> Value {
        let mut runs = self.runs();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.remove(0)
    }
}

/// The records of all runs below a folder.
fn runs(records: &Path) -> Vec<Value> {
    // A record that is being written has another name until it is whole.
    let is_record = |file: &&std::path::PathBuf| file.extension().is_some_and(|ending| ending == "json");
    files(&records.join("runs"))
        .iter()
        .filter(is_record)
        .map(|file| serde_json::from_slice(&std::fs::read(file).expect("a file")).expect("a whole record"))
        .collect()
}

/// The files below a folder, sorted; none where there is none.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let entries = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    files.sort();
    files
}

/// A value of a record as text.
fn text<'a>(record: &'a Value, key: &str) -> &'a str {
    record[key].as_str().unwrap_or_else(|| panic!("`{key}` is no text in {record}"))
}
