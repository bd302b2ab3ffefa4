//! `cxlake schedule start`: it takes up what others left, catches up, stops cleanly, and shares a lake with others.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use chrono::{SubsecRound, Utc};

use super::super::s3::server::Server;
use super::{Lake, text};

/// A scheduler that runs, and what it says.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

/// A line or a run that takes this long does not come.
const HANGS: Duration = Duration::from_mins(2);

impl Running {
    fn start(lake: &Lake, arguments: &[&str]) -> Self {
        let mut command = lake.schedule(&[&["start"], arguments].concat()).command();
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
        let said = BufReader::new(child.stderr.take().expect("a pipe"));
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// Waits for a line with this in it.
    fn says(&self, part: &str) -> String {
        let mut all = Vec::new();
        loop {
            match self.lines.recv_timeout(HANGS) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => all.push(line),
                Err(error) => panic!("it does not say {part:?}, but {all:#?}: {error}"),
            }
        }
    }

    /// Ends it by a signal; gives its exit code.
    fn end(mut self, signal: &str) -> Option<i32> {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &process]).status().expect("kill").success());
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that has failed leaves nothing behind; one that has not has ended it already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says that the lake has known a schedule for so many minutes.
fn known_for(lake: &Lake, schedule: &str, minutes: i64) {
    let since = (Utc::now() - chrono::Duration::minutes(minutes)).trunc_subsecs(0);
    let text = format!("{{\"until\": \"{}\", \"token\": \"test\"}}", since.to_rfc3339());
    lake.folder.write(&format!(".cxlake/schedules/{schedule}.json"), text);
}

#[test]
fn it_catches_up_says_what_it_does_and_stops_cleanly() {
    for signal in ["-TERM", "-INT"] {
        let lake = Lake::new("to = [{ webhook = \"{hook}/report\" }]", "");
        known_for(&lake, "s", 3 * 24 * 60);
        let running = Running::start(&lake, &[]);
        running.says(" 1 schedule; the next is s at ");
        running.says("Z s, ");
        running.says(" 07:00 UTC: sent in ");
        assert_eq!(running.end(signal), Some(0));
        assert_eq!(lake.hooks.called("/report").len(), 1, "the latest alone");
        let mut outcomes: Vec<String> = lake.runs().iter().map(|run| text(run, "outcome").to_owned()).collect();
        outcomes.sort();
        assert_eq!(outcomes, ["sent", "skipped"]);
    }
}

#[test]
fn it_takes_up_what_another_process_has_begun() {
    let lake = Lake::new("to = [{ webhook = \"{hook}/report\" }]", "[scheduler]\nlease = \"1s\"");
    lake.folder.write(
        ".cxlake/open/s/20260105T070000Z",
        "{\"run_id\": \"019b8d0e-7e00-7000-8000-000000000001\", \"schedule\": \"s\", \
         \"fire_time\": \"2026-01-05T07:00:00Z\", \"trigger\": \"schedule\", \"round\": 1, \"skip\": null}",
    );
    lake.folder.write(
        ".cxlake/claims/s/2026-01/20260105T070000Z/attempt-001-001",
        "{\"token\": \"x\", \"host\": \"gone\", \"pid\": 1, \"started_at\": \"2026-01-05T07:00:00Z\", \
         \"until\": \"2026-01-05T07:01:00Z\"}",
    );
    let running = Running::start(&lake, &["--quiet"]);
    let started = Instant::now();
    while lake.runs().iter().all(|run| run["outcome"] != "sent") {
        assert!(started.elapsed() < HANGS, "{:?}", lake.runs());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(running.end("-TERM"), Some(0));
    let record = lake.record();
    assert_eq!((&record["attempt"], &record["run_id"]), (&2.into(), &"019b8d0e-7e00-7000-8000-000000000001".into()));
    assert_eq!(lake.hooks.called("/report").len(), 1);
}

#[test]
fn it_goes_on_when_its_manifest_is_wrong_and_takes_a_new_one() {
    let lake = Lake::new("to = [{ webhook = \"{hook}/report\" }]", "[scheduler]\nlease = \"1s\"");
    let running = Running::start(&lake, &[]);
    running.says(" 1 schedule; ");
    let right = lake.folder.read("cxlake.toml");
    lake.folder.write("cxlake.toml", right.replace("cron = \"0 7 * * *\"", "cron = \"0 77 * * *\""));
    running.says("the manifest has changed and cannot be used: `0 77 * * *` is no time of cron");
    known_for(&lake, "new", 24 * 60 + 60);
    let hook = lake.hooks.address();
    let new = format!(
        "{right}\n[schedule.new]\nreport = \"r\"\ncron = \"0 7 * * *\"\nto = [{{ webhook = \"{hook}/new\" }}]\n"
    );
    lake.folder.write("cxlake.toml", new);
    running.says("the manifest has changed: 2 schedules");
    running.says(" new, ");
    running.says(": sent in ");
    assert_eq!(running.end("-TERM"), Some(0));
    assert_eq!(lake.hooks.called("/new").len(), 1);
}

#[test]
fn two_schedulers_on_one_lake_run_each_fire_time_once() {
    const MISSED: i64 = 60;
    let lake = Lake::new("to = [{ webhook = \"{hook}/report\" }]", "");
    let every_minute = "cron = \"* * * * *\"\ncatch_up = \"all\"\noverlap = \"wait\"";
    let manifest = lake.folder.read("cxlake.toml").replace("cron = \"0 7 * * *\"", every_minute);
    lake.folder.write("cxlake.toml", manifest);
    known_for(&lake, "s", MISSED);
    let both = [Running::start(&lake, &[]), Running::start(&lake, &[])];
    let started = Instant::now();
    while lake.runs().iter().filter(|run| run["outcome"] == "sent").count() < usize::try_from(MISSED).expect("a number")
    {
        assert!(started.elapsed() < HANGS, "{:?}", lake.runs());
        std::thread::sleep(Duration::from_millis(50));
    }
    for running in both {
        assert_eq!(running.end("-TERM"), Some(0));
    }
    let mut fires: BTreeMap<String, usize> = BTreeMap::new();
    for called in lake.hooks.called("/report") {
        *fires.entry(called.body["fire_time"].to_string()).or_default() += 1;
    }
    assert!(fires.len() >= 60, "none is lost: {}", fires.len());
    assert!(fires.values().all(|count| *count == 1), "none is sent twice: {fires:?}");
}

#[test]
fn of_processes_that_race_over_one_fire_time_one_alone_runs_it_on_the_disk_and_in_a_bucket() {
    const ROUNDS: usize = 8;
    const RACING: usize = 3;
    let server = Server::start(&["lake"]);
    for records in [".cxlake", "main:kept"] {
        let lake =
            Lake::new("to = [{ webhook = \"{hook}/report\" }]", "[store.main]\nurl = \"s3://lake/\"\nwrite = true");
        let manifest =
            lake.folder.read("cxlake.toml").replace("[lake]\n", &format!("[lake]\nrecords = \"{records}\"\n"));
        lake.folder.write("cxlake.toml", manifest);
        for round in 1..=ROUNDS {
            let racing: Vec<Child> = (0..RACING)
                .map(|_| {
                    let mut command = lake.run(&format!("2026-01-{round:02}T07:00:00Z")).on(&server).command();
                    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
                })
                .collect();
            for mut child in racing {
                assert_eq!(child.wait().expect("it ends").code(), Some(0), "each tells how the run ended");
            }
        }
        let called = lake.hooks.called("/report");
        let ids: BTreeSet<String> = called.iter().map(|called| called.body["run_id"].to_string()).collect();
        assert_eq!((called.len(), ids.len()), (ROUNDS, ROUNDS), "with the records in {records}");
    }
}
