//! Crashes at every step of a run: a process is killed before or behind each of its requests, and another ends what it began.
//!
//! Records and outputs lie in a bucket behind a proxy, which counts the requests of a process and kills it at one of them. A
//! request that has been killed "behind" has taken effect, and its process never learns of it.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::s3::http::{Asked, Kind};
use super::super::s3::proxy::{Fault, Proxy};
use super::super::s3::server::Server;
use super::{FIRE, Lake, files, runs, text};

/// Lakes at work at once.
const AT_ONCE: usize = 4;

/// More steps than a run has.
const STEPS_MAX: usize = 200;

/// Where a process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    /// The number of the request, from 1.
    request: usize,
    /// Whether the request takes effect before.
    takes_effect: bool,
}

/// What becomes of a run that nobody kills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Sent,
    /// Its webhook refuses it, and the owner is told.
    Failed,
}

/// A lake in a bucket behind a proxy that kills.
struct Doomed {
    lake: Lake,
    server: Server,
    proxy: Proxy,
    process: Arc<AtomicU32>,
    /// Whether the process was killed, and whether the request there has an effect at all.
    struck: Arc<Mutex<Option<Kind>>>,
}

impl Doomed {
    fn new(step: Step, fate: Fate) -> Self {
        let server = Server::start(&["lake"]);
        let (process, requests) = (Arc::<AtomicU32>::default(), AtomicUsize::new(0));
        let struck = Arc::<Mutex<Option<Kind>>>::default();
        let (victim, seen) = (Arc::clone(&process), Arc::clone(&struck));
        let proxy = Proxy::start(&server, move |asked: &Asked, _| {
            if requests.fetch_add(1, Ordering::SeqCst) + 1 != step.request {
                return Fault::None;
            }
            *seen.lock().expect("a lock") = Some(asked.kind);
            kill(&victim);
            Fault::Drop { is_done: step.takes_effect }
        });
        let lake = Lake::new(
            "to = [{ folder = \"main:out/\" }, { email = [\"cfo@example.com\"] }, { webhook = \"{hook}/report\" }]",
            "[store.main]\nurl = \"s3://lake/\"\nwrite = true\n[scheduler]\nlease = \"1s\"",
        );
        let manifest = lake.folder.read("cxlake.toml").replace("[lake]\n", "[lake]\nrecords = \"main:kept\"\n");
        lake.folder.write("cxlake.toml", manifest);
        if fate == Fate::Failed {
            lake.hooks.answer("/report", &[(500, "out of order"); 10]);
        }
        Self { lake, server, proxy, process, struck }
    }

    /// Runs the fire time in a process that may be killed; gives its exit code, if it had the time for one.
    fn run(&self) -> Option<i32> {
        let mut command = self.lake.run(FIRE).through(&self.proxy).command();
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        self.process.store(child.id(), Ordering::SeqCst);
        child.wait().expect("it ends").code()
    }

    fn struck(&self) -> Option<Kind> {
        *self.struck.lock().expect("a lock")
    }
}

/// Kills the process of which this is the number, as soon as it is known.
fn kill(process: &AtomicU32) {
    while process.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    let process = process.load(Ordering::SeqCst).to_string();
    assert!(Command::new("kill").args(["-KILL", &process]).status().expect("kill").success());
}

/// Kills a run at a step and lets another process end it; `false` when the run has no such step.
fn dies_and_is_ended(step: Step, fate: Fate) -> bool {
    let doomed = Doomed::new(step, fate);
    let usual = if fate == Fate::Sent { "sent" } else { "failed" };
    let died = doomed.run();
    let Some(kind) = doomed.struck() else {
        assert_eq!(died, Some(i32::from(fate != Fate::Sent)), "{step:?}: nothing happened to it");
        return false;
    };
    assert_eq!(died, None, "{step:?}: it is killed");
    let ended = doomed.run();
    let bucket = doomed.server.folder().at("lake");
    let records = runs(&bucket.join("kept"));
    // One that failed and was done when its process was killed, is run anew by the other.
    let is_anew = fate == Fate::Failed && records.len() == 2 && records[0]["told"][0]["state"] == "sent";
    assert!(records.len() == 1 || is_anew, "{step:?}: the run is recorded once: {records:?}");
    let record = records.last().expect("a record");
    let outcome = text(record, "outcome");
    assert_eq!(ended, Some(i32::from(outcome != "sent")), "{step:?} at a {kind:?}: {record}");
    assert!(record["ended_at"].is_string(), "{step:?}: {record}");
    assert!([usual, "may_have_been_sent"].contains(&outcome), "{step:?}: {record}");
    is_delivered_once(&doomed, record, &format!("{step:?} at a {kind:?}"));
    is_whole(&bucket, record, &format!("{step:?} at a {kind:?}"));
    assert_eq!(files(&bucket.join("kept/open")), Vec::<std::path::PathBuf>::new(), "{step:?}: nothing is stuck");
    true
}

/// Asserts that each destination got it once, or may have got it once, as the record says.
fn is_delivered_once(doomed: &Doomed, record: &Value, step: &str) {
    let (mails, hooks) = (doomed.lake.mail.mails().len(), doomed.lake.hooks.called("/report").len());
    let owner = doomed.lake.hooks.called("/owner").len();
    for (delivery, count) in [(&record["deliveries"][1], mails), (&record["deliveries"][2], hooks)] {
        match text(delivery, "state") {
            "sent" => assert_eq!(count, 1, "{step}: {delivery}"),
            "may_have_been_sent" => assert!(count <= 1, "{step}: {delivery}"),
            // One that was refused is called again by who takes the run up.
            "failed" => assert!((1..=2).contains(&count), "{step}: {delivery}"),
            other => panic!("{step}: {other}"),
        }
    }
    match text(record, "outcome") {
        "sent" => assert_eq!(owner, 0, "{step}: there is nothing to tell"),
        "may_have_been_sent" | "failed" => {
            assert!((1..=2).contains(&owner), "{step}: the owner is told, {owner} times");
            assert_eq!(record["told"][0]["state"], "sent", "{step}: {record}");
        }
        other => panic!("{step}: {other}"),
    }
}

/// Asserts that what was placed is what the record says.
fn is_whole(bucket: &std::path::Path, record: &Value, step: &str) {
    let placed = files(&bucket.join("out"));
    assert_eq!(placed.len(), 1, "{step}: {placed:?}");
    let bytes = std::fs::read(&placed[0]).expect("a file");
    let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(record["outputs"][0]["sha256"], hash, "{step}");
}

/// Kills runs of this fate at every step that they have; gives how many there were.
fn killed_at_every_step(fate: Fate) -> usize {
    let next = AtomicUsize::new(1);
    let (steps, ended) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let request = next.fetch_add(1, Ordering::SeqCst);
                    if request > ended.load(Ordering::SeqCst) {
                        return;
                    }
                    assert!(request < STEPS_MAX, "a run does not end");
                    for takes_effect in [false, true] {
                        match dies_and_is_ended(Step { request, takes_effect }, fate) {
                            true => steps.fetch_add(1, Ordering::SeqCst),
                            false => ended.fetch_min(request, Ordering::SeqCst),
                        };
                    }
                }
            });
        }
    });
    steps.into_inner()
}

#[test]
fn a_run_that_is_killed_at_any_step_is_ended_by_another_process_and_sent_once() {
    let steps = killed_at_every_step(Fate::Sent);
    assert!(steps > 40, "a run has many steps, and not {steps}");
}

#[test]
fn a_run_that_fails_and_is_killed_at_any_step_is_ended_by_another_process_and_told_to_its_owner() {
    let steps = killed_at_every_step(Fate::Failed);
    assert!(steps > 40, "a run has many steps, and not {steps}");
}
