//! Schedules on a clock that tests wind, with records in memory and a world that they make.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::{StreamExt, stream};
use tokio::sync::Semaphore;

use super::carry::{Making, Product, Request, Sending, World};
use super::claims::{Again, Claim, Claims, Doubt, Passage};
use super::clock::tests::{driven, wound};
use super::letter::Letter;
use super::start::{Event, Scheduler};
use super::{Clock, Schedules};
use crate::error::{Error, Result};
use crate::lake::destination::Destination;
use crate::lake::manifest;
use crate::lake::run::{DeliveryState, Outcome, RunRecord, Trigger};
use crate::lake::schedule::{Awaited, Schedule};
use crate::lake::{Lake, Root};
use crate::report::MadeFile;
use crate::storage::{Records, Stores};

/// A moment.
pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

fn lake(lines: &str) -> Lake {
    let text = format!("[lake]\nname = \"test\"\n{lines}");
    manifest::parse(&text, "cxlake.toml", &Root::Folder(Path::new("/lake").to_owned())).expect("a manifest")
}

/// A schedule with these lines, and a folder to which it goes.
pub fn schedule(lines: &str) -> Schedule {
    let lake = lake(&format!("[schedule.s]\nreport = \"r\"\nto = [{{ folder = \"out\" }}]\n{lines}\n"));
    let mut schedules: BTreeMap<String, Schedule> = lake.schedules;
    schedules.remove("s").expect("a schedule")
}

/// Schedules that go to a folder and a mailbox, with an owner.
fn schedules_of(names: &[&str], lines: &str) -> BTreeMap<String, Schedule> {
    let smtp = "[smtp]\nhost = \"smtp.example.com\"\nfrom = \"lake@example.com\"\n[table.t]\npath = \"t\"\n";
    let of = |name: &&str| {
        format!(
            "[schedule.{name}]\nreport = \"{name}\"\nto = [{{ folder = \"out\" }}, {{ email = [\"cfo@example.com\"] }}]\n\
             owner = [{{ email = [\"data@example.com\"] }}]\n{lines}\n"
        )
    };
    lake(&(smtp.to_owned() + &names.iter().map(of).collect::<String>())).schedules
}

/// What a world does, and what was done in it.
struct Made {
    clock: Clock,
    /// What becomes of making: an error, or how long it takes. The last goes on.
    making: Mutex<Vec<Result<Duration, &'static str>>>,
    /// What becomes of sending to others than the owner. The last goes on.
    sending: Mutex<Vec<DeliveryState>>,
    /// From when on checks pass.
    complete_from: Option<DateTime<Utc>>,
    /// What happened, with the time.
    told: Mutex<Vec<String>>,
}

fn next<T: Clone>(plan: &Mutex<Vec<T>>) -> T {
    let mut plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
    if plan.len() > 1 { plan.remove(0) } else { plan[0].clone() }
}

impl Made {
    fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            making: Mutex::new(vec![Ok(Duration::ZERO)]),
            sending: Mutex::new(vec![DeliveryState::Sent]),
            complete_from: None,
            told: Mutex::default(),
        }
    }

    fn making(mut self, plan: &[Result<Duration, &'static str>]) -> Self {
        self.making = Mutex::new(plan.to_vec());
        self
    }

    fn sending(mut self, plan: &[DeliveryState]) -> Self {
        self.sending = Mutex::new(plan.to_vec());
        self
    }

    fn complete_from(mut self, from: &str) -> Self {
        self.complete_from = Some(at(from));
        self
    }

    fn told(&self) -> MutexGuard<'_, Vec<String>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, what: &str) {
        let line = format!("{} {what}", self.clock.now().format("%H:%M:%S"));
        self.told().push(line);
    }
}

impl World for Made {
    async fn make(&self, schedule: &Schedule, request: Request) -> Result<Making> {
        let plan = next(&self.making);
        self.tell(&format!("make {} for {}", schedule.name, request.fire_time.format("%H:%M")));
        self.clock.sleep(plan.unwrap_or_default()).await;
        if let Err(message) = plan {
            return Err(Error::query(message));
        }
        Ok(Making::Made(Box::new(Product {
            pictures: Vec::new(),
            title: "Title".to_owned(),
            summary: vec!["It says something.".to_owned()],
            rows: 31,
            files: Vec::new(),
            inputs_sha256: None,
            parameters: Vec::new(),
            table: None,
        })))
    }

    async fn failing(&self, _: &[Awaited], now: DateTime<Utc>) -> Result<Vec<String>> {
        self.tell("check");
        let is_complete = self.complete_from.is_none_or(|from| now >= from);
        Ok(if is_complete { Vec::new() } else { vec!["t, fresh: 3d old".to_owned()] })
    }

    async fn place(&self, folder: &str, _: &[MadeFile]) -> Result<Vec<String>> {
        self.tell(&format!("place {folder}"));
        Ok(vec![format!("{folder}/r.html")])
    }

    async fn send(&self, to: &Destination, letter: &Letter<'_>) -> Sending {
        let to = to.shown();
        let banner = letter.banner.as_ref().map(|banner| format!(" ({banner})")).unwrap_or_default();
        let state = if to == "data@example.com" { DeliveryState::Sent } else { next(&self.sending) };
        self.tell(&format!("send {to}: {}{banner}", letter.subject));
        match state {
            DeliveryState::Sent => Sending::Sent,
            DeliveryState::Failed => Sending::Refused(Error::storage("mailbox full")),
            DeliveryState::MayHaveBeenSent | DeliveryState::NotTried => Sending::Unknown(Error::storage("silence")),
        }
    }
}

fn claims(records: &Records, clock: &Clock, pid: u32) -> Claims {
    Claims { pid, ..Claims::new(records.clone(), Duration::from_mins(1), clock.clone()) }
}

fn schedules(world: Made, records: &Records, of: BTreeMap<String, Schedule>) -> Schedules<Made> {
    let claims = claims(records, &world.clock, 1);
    Schedules { world: Arc::new(world), claims, schedules: of, slots: Arc::new(Semaphore::new(1)) }
}

/// Runs the schedule `s` with these lines for the time at which the clock begins, and gives its record and what happened.
fn ran(lines: &str, world: impl FnOnce(Made) -> Made) -> (RunRecord, Vec<String>) {
    let clock = wound("2026-11-22T10:00:00Z");
    let of = schedules_of(&["s"], &format!("cron = \"0 * * * *\"\n{lines}"));
    let records = Records::in_memory();
    let schedules = schedules(world(Made::new(&clock)), &records, of);
    let schedule = schedules.schedule("s").expect("a schedule");
    let record = driven(&clock, async {
        let record = schedules.run_last(schedule, std::future::pending()).await.expect("a record");
        let kept = records.read(&record.object()).await.expect("it is read").expect("it is there");
        assert_eq!(RunRecord::from_json(&kept, "x").expect("a record"), record, "what is told is what is kept");
        assert_eq!(schedules.claims.open().await.expect("a listing"), [], "nothing is left to do");
        record
    });
    let told = schedules.world.told().clone();
    (record, told)
}

#[test]
fn a_run_is_made_placed_sent_and_recorded() {
    let (record, told) = ran("", |world| world);
    assert_eq!(record.outcome, Outcome::Sent);
    assert_eq!((record.attempt, record.tries, record.rows), (1, 1, Some(31)));
    assert_eq!(
        told,
        ["10:00:00 make s for 10:00", "10:00:00 place out", "10:00:00 send cfo@example.com: Title (2026-11-22)"]
    );
}

#[test]
fn a_failure_is_tried_again_after_pauses_that_double() {
    let lines = "retries = 3\nretry_wait = \"1min\"";
    let (record, told) = ran(lines, |world| world.making(&[Err("no"), Err("no"), Err("no"), Ok(Duration::ZERO)]));
    assert_eq!((record.outcome, record.tries), (Outcome::Sent, 4));
    let makes: Vec<&str> = told.iter().filter(|line| line.contains("make")).map(|line| &line[..8]).collect();
    assert_eq!(makes, ["10:00:00", "10:01:00", "10:03:00", "10:07:00"]);
    assert!(!told.iter().any(|line| line.contains("data@")), "the owner hears nothing of what came right: {told:?}");
}

#[test]
fn a_failure_that_stays_is_told_to_the_owner_and_to_nobody_else() {
    let (record, told) = ran("retries = 1", |world| world.making(&[Err("no column `x`")]));
    assert_eq!((record.outcome, record.error.as_deref()), (Outcome::Failed, Some("no column `x`")));
    assert_eq!(
        told[1..],
        ["10:01:00 make s for 10:00", "10:01:00 send data@example.com: cxlake: s failed (2026-11-22 10:00 UTC)"]
    );
    assert_eq!(record.told.len(), 1);
    assert!(record.deliveries.iter().all(|delivery| delivery.state == DeliveryState::NotTried));
}

#[test]
fn what_was_made_is_not_made_again_when_only_sending_fails() {
    let (record, told) = ran("retries = 2", |world| world.sending(&[DeliveryState::Failed, DeliveryState::Sent]));
    assert_eq!((record.outcome, record.tries), (Outcome::Sent, 2));
    assert_eq!(told.iter().filter(|line| line.contains("make")).count(), 1, "{told:?}");
}

#[test]
fn what_may_have_been_sent_is_not_sent_again_and_the_owner_hears_of_it() {
    let (record, told) = ran("retries = 3", |world| world.sending(&[DeliveryState::MayHaveBeenSent]));
    assert_eq!(record.outcome, Outcome::MayHaveBeenSent);
    assert_eq!(record.error.as_deref(), Some("nobody knows whether these have it: cfo@example.com: silence"));
    assert_eq!(told.iter().filter(|line| line.contains("cfo@")).count(), 1, "{told:?}");
    assert!(told[3].contains("data@example.com: cxlake: s may have been sent"), "{told:?}");
}

#[test]
fn making_that_hangs_is_left_after_its_timeout() {
    let (record, told) = ran("timeout = \"5min\"\nretries = 1", |world| {
        world.making(&[Ok(Duration::from_hours(99)), Ok(Duration::from_mins(4))])
    });
    assert_eq!((record.outcome, record.tries), (Outcome::Sent, 2));
    assert!(told[1].starts_with("10:06:00 make") && told[2].starts_with("10:10:00 place"), "{told:?}");
}

#[test]
fn checks_are_waited_for_until_they_pass() {
    let lines = "wait_for = { checks = [\"t\"], until = \"4h\", then = \"fail\" }";
    let (record, told) = ran(lines, |world| world.complete_from("2026-11-22T10:01:30Z"));
    assert_eq!((record.outcome, record.reason), (Outcome::Sent, None));
    assert_eq!(told[..4], ["10:00:00 check", "10:01:00 check", "10:02:00 check", "10:02:00 make s for 10:00"]);
}

#[test]
fn checks_that_do_not_pass_in_time_decide_what_is_sent() {
    let ran = |then: &str| {
        let lines = format!("wait_for = {{ checks = [\"t\"], until = \"90s\", then = \"{then}\" }}");
        let (record, told) = ran(&lines, |world| world.complete_from("2026-11-23T00:00:00Z"));
        let checks: Vec<&String> = told.iter().filter(|line| line.contains("check")).collect();
        assert_eq!(checks, ["10:00:00 check", "10:01:00 check", "10:01:30 check"]);
        (record.outcome, record.reason.or(record.error).expect("why"), told[3..].to_vec())
    };
    let (outcome, why, told) = ran("send_with_banner");
    assert_eq!((outcome, why.as_str()), (Outcome::SentWithBanner, "The data is not complete. t, fresh: 3d old"));
    assert_eq!(
        told[2..],
        [
            "10:01:30 send cfo@example.com: Title (2026-11-22) (The data is not complete. t, fresh: 3d old)",
            "10:01:30 send data@example.com: cxlake: s was sent with a banner (2026-11-22 10:00 UTC)"
        ]
    );
    for (then, wanted, subject) in [("skip", Outcome::Skipped, "was skipped"), ("fail", Outcome::Failed, "failed")] {
        let (outcome, why, told) = ran(then);
        assert_eq!(outcome, wanted);
        assert_eq!(why, "the data was not complete 1min 30s after the fire time: t, fresh: 3d old");
        assert_eq!(
            told,
            [format!("10:01:30 send data@example.com: cxlake: s {subject} (2026-11-22 10:00 UTC)")],
            "nobody else is told"
        );
    }
}

/// Lets a scheduler run these schedules from one moment to another; gives what happened, and the outcomes by fire time.
/// As many of them compute at once as there are.
fn scheduled(
    names: &[&str],
    lines: &str,
    until: &str,
    records: &Records,
    clock: &Clock,
    world: Made,
) -> (Vec<String>, Vec<String>) {
    let mut schedules = schedules(world, records, schedules_of(names, lines));
    schedules.slots = Arc::new(Semaphore::new(names.len()));
    let (world, claims) = (Arc::clone(&schedules.world), schedules.claims.clone());
    driven(clock, async {
        let mut scheduler = Scheduler::new(schedules);
        while clock.now() < at(until) {
            let next = scheduler.turn(&|_| {}).await;
            scheduler.wait(next.min(at(until)), &|_| {}).await;
        }
    });
    let outcomes = driven(clock, async {
        let mut outcomes = Vec::new();
        for name in names {
            for fire in claims.claimed(name, 1000).await.expect("fire times") {
                let done = claims.done(name, fire).await.expect("it is read");
                let word = done.map_or("open", |record| record.outcome.word());
                outcomes.push(format!("{name} {} {word}", fire.format("%H:%M")));
            }
        }
        outcomes
    });
    let told = world.told().clone();
    (told, outcomes)
}

#[test]
fn a_scheduler_runs_what_comes_at_its_time() {
    let clock = wound("2026-11-22T09:30:00Z");
    let world = Made::new(&clock);
    let (told, outcomes) =
        scheduled(&["a", "b"], "cron = \"0 * * * *\"", "2026-11-22T11:30:00Z", &Records::in_memory(), &clock, world);
    assert_eq!(outcomes, ["a 10:00 sent", "a 11:00 sent", "b 10:00 sent", "b 11:00 sent"]);
    assert_eq!(told.iter().filter(|line| line.contains("send")).count(), 4);
    assert!(told.iter().all(|line| line.starts_with("10:00:00") || line.starts_with("11:00:00")), "{told:?}");
}

#[test]
fn what_was_missed_while_no_scheduler_ran_is_caught_up_with_by_its_rule() {
    for (rule, wanted) in [
        ("latest", ["s 08:00 sent", "s 11:00 skipped", "s 12:00 sent"].as_slice()),
        ("all", &["s 08:00 sent", "s 09:00 sent", "s 10:00 sent", "s 11:00 sent", "s 12:00 sent"]),
        ("skip", &["s 08:00 sent", "s 12:00 skipped"]),
    ] {
        let clock = wound("2026-11-22T07:30:00Z");
        let records = Records::in_memory();
        let lines = format!("cron = \"0 * * * *\"\ncatch_up = \"{rule}\"");
        let world = Made::new(&clock);
        scheduled(&["s"], &lines, "2026-11-22T08:30:00Z", &records, &clock, world);
        driven(&clock, clock.sleep_until(at("2026-11-22T12:30:00Z")));
        let world = Made::new(&clock);
        let (_, outcomes) = scheduled(&["s"], &lines, "2026-11-22T12:40:00Z", &records, &clock, world);
        assert_eq!(outcomes, wanted, "{rule}");
    }
}

#[test]
fn a_run_by_hand_takes_nothing_from_what_was_missed() {
    let clock = wound("2026-11-22T07:30:00Z");
    let records = Records::in_memory();
    let lines = "cron = \"0 * * * *\"\ncatch_up = \"all\"";
    let world = Made::new(&clock);
    scheduled(&["s"], lines, "2026-11-22T07:40:00Z", &records, &clock, world);
    driven(&clock, clock.sleep_until(at("2026-11-22T09:30:00Z")));
    let by_hand = schedules(Made::new(&clock), &records, schedules_of(&["s"], lines));
    let schedule = by_hand.schedule("s").expect("a schedule");
    for fire in ["2026-11-22T09:00:00Z", "2026-11-22T09:30:00Z"] {
        let run = by_hand.run_at(schedule, at(fire), Trigger::Hand, std::future::pending());
        driven(&clock, run).expect("a record");
    }
    let world = Made::new(&clock);
    let (told, outcomes) = scheduled(&["s"], lines, "2026-11-22T09:40:00Z", &records, &clock, world);
    assert_eq!(outcomes, ["s 08:00 sent", "s 09:00 sent", "s 09:30 sent"]);
    let sent = told.iter().filter(|line| line.contains("send")).count();
    assert_eq!(sent, 1, "what was run by hand is not run again: {told:?}");
}

#[test]
fn a_schedule_whose_cron_or_zone_is_edited_has_missed_nothing() {
    let clock = wound("2026-11-22T07:30:00Z");
    let records = Records::in_memory();
    let of = |lines: &str| schedules(Made::new(&clock), &records, schedules_of(&["s"], lines));
    // While a scheduler runs, which takes the new manifest.
    driven(&clock, async {
        let first = of("cron = \"0 8 * * *\"");
        let world = Arc::clone(&first.world);
        let mut scheduler = Scheduler::new(first);
        while clock.now() < at("2026-11-22T12:00:00Z") {
            let next = scheduler.turn(&|_| {}).await;
            scheduler.wait(next.min(at("2026-11-22T12:00:00Z")), &|_| {}).await;
        }
        assert_eq!(world.told().len(), 3, "8:00 is made, placed and sent");
        // The second one is nine in New York, half an hour ago.
        for (now, lines) in [
            ("2026-11-22T12:00:00Z", "cron = \"0 9 * * *\""),
            ("2026-11-22T14:30:00Z", "cron = \"0 9 * * *\"\ntime_zone = \"America/New_York\""),
        ] {
            clock.sleep_until(at(now)).await;
            let edited = of(lines);
            let world = Arc::clone(&edited.world);
            scheduler.replace(edited);
            let next = scheduler.turn(&|_| {}).await;
            scheduler.wait(next, &|_| {}).await;
            assert_eq!(*world.told(), [""; 0], "{lines}");
        }
    });
    // While none ran.
    driven(&clock, clock.sleep_until(at("2026-11-22T18:00:00Z")));
    let world = Made::new(&clock);
    let (told, _) = scheduled(&["s"], "cron = \"0 17 * * *\"", "2026-11-22T18:30:00Z", &records, &clock, world);
    assert_eq!(told, [""; 0]);
    let world = Made::new(&clock);
    driven(&clock, clock.sleep_until(at("2026-11-23T17:30:00Z")));
    let (told, _) = scheduled(&["s"], "cron = \"0 17 * * *\"", "2026-11-23T17:40:00Z", &records, &clock, world);
    assert_eq!(told[0], "17:30:00 make s for 17:00", "from the edit on they are caught up with");
}

#[test]
fn a_schedule_that_is_new_has_missed_nothing() {
    let clock = wound("2026-11-22T09:30:00Z");
    let records = Records::in_memory();
    let lines = "cron = \"0 * * * *\"\ncatch_up = \"all\"";
    let world = Made::new(&clock);
    let (_, outcomes) = scheduled(&["s"], lines, "2026-11-22T09:45:00Z", &records, &clock, world);
    assert_eq!(outcomes, [""; 0]);
    // It was known at 9:30, so 10:00 is missed when the next scheduler starts.
    driven(&clock, clock.sleep_until(at("2026-11-22T10:15:00Z")));
    let world = Made::new(&clock);
    let (_, outcomes) = scheduled(&["s"], lines, "2026-11-22T10:30:00Z", &records, &clock, world);
    assert_eq!(outcomes, ["s 10:00 sent"]);
}

#[test]
fn a_fire_time_behind_a_run_under_way_is_skipped_or_waits() {
    for (rule, wanted) in [
        ("skip", ["s 10:00 sent", "s 11:00 skipped", "s 12:00 sent"]),
        ("wait", ["s 10:00 sent", "s 11:00 sent", "s 12:00 sent"]),
    ] {
        let clock = wound("2026-11-22T09:30:00Z");
        let lines = format!("cron = \"0 * * * *\"\noverlap = \"{rule}\"\ntimeout = \"3h\"");
        // The first takes 90 minutes.
        let world = Made::new(&clock).making(&[Ok(Duration::from_mins(90)), Ok(Duration::ZERO)]);
        let (told, outcomes) = scheduled(&["s"], &lines, "2026-11-22T12:30:00Z", &Records::in_memory(), &clock, world);
        assert_eq!(outcomes, wanted, "{rule}");
        let places: Vec<&str> = told
            .iter()
            .filter(|line| line.contains("place"))
            .map(|line| line.split(' ').next().expect("a time"))
            .collect();
        let second = if rule == "wait" { vec!["11:30:00"] } else { vec![] };
        assert_eq!(places, [vec!["11:30:00"], second, vec!["12:00:00"]].concat(), "{rule}");
    }
}

#[test]
fn a_backfill_of_another_process_skips_nothing_that_comes_and_holds_nothing_up() {
    let clock = wound("2026-11-22T09:59:00Z");
    let records = Records::in_memory();
    let lease = driven(&clock, async {
        let (other, past) = (claims(&records, &clock, 2), at("2026-01-05T10:00:00Z"));
        other.admit("s", past, Trigger::Backfill, None, Again::Never).await.expect("an answer");
        let Claim::Mine(lease) = other.claim("s", past).await.expect("an answer") else { panic!("it is free") };
        lease
    });
    let schedules = schedules(Made::new(&clock), &records, schedules_of(&["s"], "cron = \"0 * * * *\""));
    let world = Arc::clone(&schedules.world);
    driven(&clock, async {
        let mut scheduler = Scheduler::new(schedules);
        let until = at("2026-11-22T11:30:00Z");
        let scheduling = async {
            while clock.now() < until {
                let next = scheduler.turn(&|_| {}).await;
                scheduler.wait(next.min(until), &|_| {}).await;
            }
        };
        tokio::select! {
            () = lease.keep() => panic!("nobody has taken it up"),
            () = scheduling => {}
        }
    });
    let makes: Vec<String> = world.told().iter().filter(|line| line.contains("make")).cloned().collect();
    assert_eq!(makes, ["10:00:00 make s for 10:00", "11:00:00 make s for 11:00"]);
}

#[test]
fn an_admission_that_cannot_be_read_is_a_failed_run_that_is_told_and_holds_nothing_up() {
    let clock = wound("2026-11-22T09:30:00Z");
    let records = Records::in_memory();
    let lines = "cron = \"0 * * * *\"";
    let world = Made::new(&clock);
    scheduled(&["s"], lines, "2026-11-22T09:40:00Z", &records, &clock, world);
    // The machine lost its power at ten, and with it what was in the file.
    driven(&clock, async {
        records.put("open/s/20261122T100000Z", "").await.expect("it is written");
        clock.sleep_until(at("2026-11-22T11:00:00Z")).await;
    });
    let world = Made::new(&clock);
    let (told, outcomes) = scheduled(&["s"], lines, "2026-11-22T11:30:00Z", &records, &clock, world);
    assert_eq!(outcomes, ["s 10:00 failed", "s 11:00 sent"]);
    assert_eq!(told[0], "11:00:00 send data@example.com: cxlake: s failed (2026-11-22 10:00 UTC)");
    let claims = claims(&records, &clock, 1);
    let failed = driven(&clock, claims.done("s", at("2026-11-22T10:00:00Z"))).expect("it is read").expect("it is done");
    let why = failed.error.expect("why");
    assert!(why.starts_with("`records/open/s/20261122T100000Z` is not as it was written: EOF"), "{why}");
    assert_eq!(driven(&clock, claims.open()).expect("a listing"), []);
}

#[test]
fn fire_times_that_a_clock_took_in_that_was_ahead_come_all_the_same() {
    let clock = wound("2026-11-22T09:30:00Z");
    let records = Records::in_memory();
    let schedules = schedules(Made::new(&clock), &records, schedules_of(&["s"], "cron = \"0 * * * *\""));
    let world = Arc::clone(&schedules.world);
    let told = Mutex::new(Vec::new());
    let tell = |event: Event| told.lock().expect("a lock").push(event.text);
    driven(&clock, async {
        let ahead = r#"{"until":"2031-01-01T00:00:00Z","token":"another's"}"#;
        records.put("schedules/s.json", ahead).await.expect("it is written");
        let mut scheduler = Scheduler::new(schedules);
        let until = at("2026-11-22T10:30:00Z");
        while clock.now() < until {
            let next = scheduler.turn(&tell).await;
            scheduler.wait(next.min(until), &|_| {}).await;
        }
    });
    assert_eq!(
        told.into_inner().expect("a lock"),
        [
            "s: its fire times up to 2031-01-01 00:00 UTC were taken in by a clock that was ahead; it goes on from now",
            "s, 2026-11-22 10:00 UTC: begins"
        ]
    );
    assert_eq!(world.told()[0], "10:00:00 make s for 10:00");
    let kept = driven(&clock, records.read("schedules/s.json")).expect("it is read").expect("it is there");
    assert!(kept.starts_with(br#"{"until":"2026-11-22T10:00:00"#), "{kept:?}");
}

#[test]
fn a_run_that_hangs_holds_up_no_other_schedule() {
    let clock = wound("2026-11-22T09:59:00Z");
    let world = Made::new(&clock).making(&[Ok(Duration::from_hours(99)), Ok(Duration::ZERO)]);
    let (told, outcomes) = scheduled(
        &["a", "b"],
        "cron = \"0 10 * * *\"\ntimeout = \"2h\"",
        "2026-11-22T12:30:00Z",
        &Records::in_memory(),
        &clock,
        world,
    );
    assert_eq!(outcomes, ["a 10:00 failed", "b 10:00 sent"]);
    assert!(told.iter().any(|line| line.starts_with("10:00:00 send cfo@")), "{told:?}");
    assert!(told.iter().any(|line| line == "12:00:00 send data@example.com: cxlake: a failed (2026-11-22 10:00 UTC)"));
}

#[test]
fn a_run_that_waits_takes_no_slot_from_one_that_could_compute() {
    let clock = wound("2026-11-22T09:59:00Z");
    let lines = "cron = \"0 10 * * *\"\nretries = 1\nretry_wait = \"3h\"";
    let world = Made::new(&clock).making(&[Err("no"), Ok(Duration::ZERO)]);
    let schedules = schedules(world, &Records::in_memory(), schedules_of(&["a", "b"], lines));
    let world = Arc::clone(&schedules.world);
    driven(&clock, async {
        let mut scheduler = Scheduler::new(schedules);
        while clock.now() < at("2026-11-22T14:00:00Z") {
            let next = scheduler.turn(&|_| {}).await;
            scheduler.wait(next, &|_| {}).await;
        }
    });
    let makes: Vec<String> = world.told().iter().filter(|line| line.contains("make")).cloned().collect();
    assert_eq!(makes, ["10:00:00 make a for 10:00", "10:00:00 make b for 10:00", "13:00:00 make a for 10:00"]);
}

#[test]
fn a_scheduler_goes_through_clock_changes_without_losing_or_doubling_a_run() {
    for (zone, cron, from, until, wanted) in [
        // New York skips 2:00 to 3:00 on 8 March, and shows 1:00 to 2:00 twice on 1 November.
        (
            "America/New_York",
            "30 2 * * *",
            "2026-03-07T12:00:00Z",
            "2026-03-09T12:00:00Z",
            ["s 07:00 sent", "s 06:30 sent"],
        ),
        (
            "America/New_York",
            "30 1 * * *",
            "2026-10-31T12:00:00Z",
            "2026-11-02T12:00:00Z",
            ["s 05:30 sent", "s 06:30 sent"],
        ),
        (
            "Europe/Berlin",
            "30 2 * * *",
            "2026-03-28T12:00:00Z",
            "2026-03-30T12:00:00Z",
            ["s 01:00 sent", "s 00:30 sent"],
        ),
        (
            "Europe/Berlin",
            "30 2 * * *",
            "2026-10-24T12:00:00Z",
            "2026-10-26T12:00:00Z",
            ["s 00:30 sent", "s 01:30 sent"],
        ),
        (
            "Australia/Lord_Howe",
            "15 2 * * *",
            "2026-10-03T00:00:00Z",
            "2026-10-05T00:00:00Z",
            ["s 15:30 sent", "s 15:15 sent"],
        ),
        (
            "Australia/Lord_Howe",
            "45 1 * * *",
            "2026-04-04T00:00:00Z",
            "2026-04-06T00:00:00Z",
            ["s 14:45 sent", "s 15:15 sent"],
        ),
    ] {
        let clock = wound(from);
        let lines = format!("cron = \"{cron}\"\ntime_zone = \"{zone}\"");
        let world = Made::new(&clock);
        let (told, outcomes) = scheduled(&["s"], &lines, until, &Records::in_memory(), &clock, world);
        assert_eq!(outcomes, wanted, "{cron} in {zone} from {from}");
        assert_eq!(told.iter().filter(|line| line.contains("send")).count(), 2, "{told:?}");
    }
}

#[test]
fn a_run_whose_process_died_is_taken_up_when_its_lease_has_run_out() {
    let clock = wound("2026-11-22T10:00:00Z");
    let records = Records::in_memory();
    let fire = at("2026-11-22T10:00:00Z");
    let claims_of = |pid| claims(&records, &clock, pid);
    driven(&clock, async {
        claims_of(1)
            .admit("s", fire, Trigger::Schedule, None, Again::Never)
            .await
            .expect("an answer")
            .expect("it is open");
        let Claim::Mine(first) = claims_of(1).claim("s", fire).await.expect("an answer") else { panic!("it is free") };
        assert!(
            matches!(claims_of(2).claim("s", fire).await.expect("an answer"), Claim::Held(holder) if holder.pid == 1)
        );
        // As long as it shows signs of life, it keeps the run.
        tokio::select! {
            () = first.keep() => panic!("nobody has taken it up"),
            () = clock.sleep(Duration::from_mins(10)) => {}
        }
        assert!(matches!(claims_of(2).claim("s", fire).await.expect("an answer"), Claim::Held(_)));
        clock.sleep(Duration::from_secs(61)).await;
    });
    let schedules = schedules(Made::new(&clock), &records, schedules_of(&["s"], "cron = \"0 * * * *\""));
    let schedule = schedules.schedule("s").expect("a schedule");
    let run = schedules.run_at(schedule, fire, Trigger::Hand, std::future::pending());
    let record = driven(&clock, run).expect("a record");
    assert_eq!((record.outcome, record.attempt, record.trigger), (Outcome::Sent, 2, Trigger::Schedule));
    assert_eq!(record.started_at, fire, "the run began when its first process did");
}

#[test]
fn a_run_of_the_last_fire_time_first_ends_what_a_process_that_died_has_left() {
    let clock = wound("2026-11-22T10:00:00Z");
    let records = Records::in_memory();
    let fire = at("2026-11-22T10:00:00Z");
    driven(&clock, async {
        let died = claims(&records, &clock, 2);
        died.admit("s", fire, Trigger::Hand, None, Again::Never).await.expect("an answer");
        assert!(matches!(died.claim("s", fire).await.expect("an answer"), Claim::Mine(_)));
        clock.sleep_until(at("2026-11-22T11:00:00Z")).await;
    });
    let schedules = schedules(Made::new(&clock), &records, schedules_of(&["s"], "cron = \"0 * * * *\""));
    let schedule = schedules.schedule("s").expect("a schedule");
    let last = driven(&clock, schedules.run_last(schedule, std::future::pending())).expect("a record");
    assert_eq!((last.fire_time, last.outcome), (at("2026-11-22T11:00:00Z"), Outcome::Sent));
    let left = driven(&clock, schedules.claims.done("s", fire)).expect("it is read").expect("it is done");
    assert_eq!((left.outcome, left.attempt), (Outcome::Sent, 2));
    assert_eq!(driven(&clock, schedules.claims.open()).expect("a listing"), []);
    let makes: Vec<String> = schedules.world.told().iter().filter(|line| line.contains("make")).cloned().collect();
    assert_eq!(makes, ["11:00:00 make s for 10:00", "11:00:00 make s for 11:00"]);
}

#[test]
fn a_run_of_the_last_fire_time_is_skipped_while_another_process_has_the_one_before() {
    let clock = wound("2026-11-22T10:59:30Z");
    let records = Records::in_memory();
    driven(&clock, async {
        let other = claims(&records, &clock, 2);
        let fire = at("2026-11-22T10:00:00Z");
        other.admit("s", fire, Trigger::Hand, None, Again::Never).await.expect("an answer");
        assert!(matches!(other.claim("s", fire).await.expect("an answer"), Claim::Mine(_)));
        clock.sleep_until(at("2026-11-22T11:00:00Z")).await;
    });
    let schedules = schedules(Made::new(&clock), &records, schedules_of(&["s"], "cron = \"0 * * * *\""));
    let schedule = schedules.schedule("s").expect("a schedule");
    let last = driven(&clock, schedules.run_last(schedule, std::future::pending())).expect("a record");
    assert_eq!(last.outcome, Outcome::Skipped);
    let why = "the run of 2026-11-22 10:00 UTC was still under way; `overlap` is `skip`";
    assert_eq!(last.reason.as_deref(), Some(why));
}

#[test]
fn a_process_that_wakes_up_too_late_sends_nothing_and_records_nothing() {
    let clock = wound("2026-11-22T10:00:00Z");
    let records = Records::in_memory();
    let fire = at("2026-11-22T10:00:00Z");
    let of = schedules_of(&["s"], "cron = \"0 * * * *\"");
    let late = claims(&records, &clock, 1);
    let lease = driven(&clock, async {
        late.admit("s", fire, Trigger::Schedule, None, Again::Never).await.expect("an answer");
        let Claim::Mine(lease) = late.claim("s", fire).await.expect("an answer") else { panic!("it is free") };
        clock.sleep(Duration::from_mins(2)).await;
        lease
    });
    let schedules = schedules(Made::new(&clock), &records, of);
    let schedule = schedules.schedule("s").expect("a schedule");
    let run = schedules.run_at(schedule, fire, Trigger::Hand, std::future::pending());
    let record = driven(&clock, run).expect("a record");
    assert_eq!(record.attempt, 2);
    let sleeper = Made::new(&clock);
    driven(&clock, async {
        // Wherever it was when it fell asleep: at its beginning, before it sends, before it says how the run ended.
        let carried =
            super::carry::carry_out(&sleeper, schedule, &lease, &clock, &Semaphore::new(1)).await.expect("an answer");
        assert!(matches!(carried, super::carry::Carried::Lost), "{carried:?}");
        let passage = lease.passage(&schedule.to[1].key(), "cfo@example.com", Doubt::Leave).await.expect("an answer");
        assert!(matches!(passage, Passage::Settled(delivery) if delivery.state == DeliveryState::Sent));
        let other = RunRecord { outcome: Outcome::Failed, ..record.clone() };
        let decided = lease.decide(other).await.expect("an answer");
        assert_eq!(decided.outcome, Outcome::Sent, "the first word counts");
        let kept = records.read(&record.object()).await.expect("it is read").expect("it is there");
        assert_eq!(RunRecord::from_json(&kept, "x").expect("a record"), record);
    });
    assert_eq!(sleeper.told().len(), 0);
}

#[test]
fn a_run_that_is_admitted_when_it_has_just_been_done_is_done() {
    let clock = wound("2026-11-22T10:00:00Z");
    let records = Records::in_memory();
    let fire = at("2026-11-22T10:00:00Z");
    let schedules = schedules(Made::new(&clock), &records, schedules_of(&["s"], "cron = \"0 * * * *\""));
    let schedule = schedules.schedule("s").expect("a schedule");
    let open = "open/s/20261122T100000Z";
    driven(&clock, async {
        schedules.claims.admit("s", fire, Trigger::Schedule, None, Again::Never).await.expect("an answer");
        let admitted = records.read(open).await.expect("it is read").expect("it is open");
        let record = schedules.run_at(schedule, fire, Trigger::Hand, std::future::pending()).await.expect("a record");
        // Another has looked before, and writes now.
        let late = String::from_utf8(admitted.to_vec()).expect("text").replace(&record.run_id, "another");
        records.put(open, late).await.expect("it is written");
        let claim = schedules.claims.claim("s", fire).await.expect("an answer");
        assert!(matches!(claim, Claim::Done(done) if done.run_id == record.run_id));
        assert_eq!(schedules.claims.open().await.expect("a listing"), [], "what was written too late is gone");
    });
    assert_eq!(schedules.world.told().iter().filter(|line| line.contains("send")).count(), 1);
}

#[test]
fn a_run_over_which_processes_keep_dying_is_given_up() {
    let clock = wound("2026-11-22T10:00:00Z");
    let records = Records::in_memory();
    let fire = at("2026-11-22T10:00:00Z");
    driven(&clock, async {
        let claims = claims(&records, &clock, 1);
        claims.admit("s", fire, Trigger::Schedule, None, Again::Never).await.expect("an answer");
        for _ in 0..5 {
            let claim = claims.claim("s", fire).await.expect("an answer");
            assert!(matches!(claim, Claim::Mine(_)));
            clock.sleep(Duration::from_mins(2)).await;
        }
    });
    let schedules = schedules(Made::new(&clock), &records, schedules_of(&["s"], "cron = \"0 * * * *\""));
    let schedule = schedules.schedule("s").expect("a schedule");
    let record =
        driven(&clock, schedules.run_at(schedule, fire, Trigger::Hand, std::future::pending())).expect("a record");
    assert_eq!(record.error.as_deref(), Some("the process that ran it died 5 times"));
    let told = schedules.world.told();
    assert_eq!(told.len(), 1, "only the owner is told: {told:?}");
}

#[test]
fn a_run_that_is_given_back_again_and_again_is_not_given_up() {
    let clock = wound("2026-11-22T10:00:00Z");
    let records = Records::in_memory();
    let fire = at("2026-11-22T10:00:00Z");
    driven(&clock, async {
        let claims = claims(&records, &clock, 1);
        claims.admit("s", fire, Trigger::Schedule, None, Again::Never).await.expect("an answer");
        for is_released in [true, false, true, false, true, true, true, true] {
            let Claim::Mine(lease) = claims.claim("s", fire).await.expect("an answer") else { panic!("it is free") };
            if is_released {
                lease.release().await.expect("it is given back");
            } else {
                clock.sleep(Duration::from_mins(2)).await;
            }
        }
    });
    let schedules = schedules(Made::new(&clock), &records, schedules_of(&["s"], "cron = \"0 * * * *\""));
    let schedule = schedules.schedule("s").expect("a schedule");
    let record =
        driven(&clock, schedules.run_at(schedule, fire, Trigger::Hand, std::future::pending())).expect("a record");
    assert_eq!((record.outcome, record.attempt), (Outcome::Sent, 9));
}

#[test]
fn a_stop_gives_runs_back_that_do_not_end() {
    let clock = wound("2026-11-22T10:00:00Z");
    let records = Records::in_memory();
    let fire = at("2026-11-22T10:00:00Z");
    let world = Made::new(&clock).making(&[Ok(Duration::from_hours(9))]);
    let schedules = schedules(world, &records, schedules_of(&["s"], "cron = \"0 * * * *\"\ntimeout = \"10h\""));
    let schedule = schedules.schedule("s").expect("a schedule").clone();
    driven(&clock, async {
        let stopped = schedules.run_at(&schedule, fire, Trigger::Hand, clock.sleep(Duration::from_secs(5))).await;
        assert_eq!(stopped.expect_err("it is stopped").kind(), crate::error::Kind::Interrupted);
        let left = schedules.history("s", 1).await.expect("a history");
        assert_eq!(left.iter().map(|run| run.outcome).collect::<Vec<_>>(), [Outcome::Running]);
        // Another process takes it up at once, and not when the lease would have run out.
        let claim = claims(&records, &clock, 2).claim("s", fire).await.expect("an answer");
        assert!(matches!(claim, Claim::Mine(lease) if lease.attempt == 2));
        assert_eq!(clock.now(), at("2026-11-22T10:00:05Z"));
    });
}

#[test]
fn a_run_that_failed_can_be_run_anew_and_goes_only_to_those_who_do_not_have_it() {
    let clock = wound("2026-11-22T10:00:00Z");
    let records = Records::in_memory();
    let fire = at("2026-11-22T10:00:00Z");
    let mut of = schedules_of(&["s"], "cron = \"0 * * * *\"");
    let schedule = of.get_mut("s").expect("a schedule");
    let other = Destination::Email(vec!["coo@example.com".parse().expect("an address")]);
    schedule.to.push(other);
    let schedule = schedule.clone();
    let run = |world: Made| {
        let schedules = schedules(world, &records, of.clone());
        let record = driven(&clock, schedules.run_at(&schedule, fire, Trigger::Hand, std::future::pending()));
        let sent = schedules.world.told().iter().filter(|line| line.contains("send")).cloned().collect::<Vec<_>>();
        (record.expect("a record"), sent)
    };
    let (first, sent) = run(Made::new(&clock).sending(&[DeliveryState::Sent, DeliveryState::Failed]));
    assert_eq!((first.outcome, sent.len()), (Outcome::Failed, 3), "two recipients and the owner: {sent:?}");
    let (second, sent) = run(Made::new(&clock).sending(&[DeliveryState::Failed]));
    assert_eq!(second.outcome, Outcome::Failed);
    assert_eq!(sent.len(), 2, "one recipient, and the owner once more: {sent:?}");
    assert_ne!(first.run_id, second.run_id, "it is a run of its own");
    let (third, sent) = run(Made::new(&clock));
    assert_eq!(
        (third.outcome, sent),
        (Outcome::Sent, vec!["10:00:00 send coo@example.com: Title (2026-11-22)".to_owned()])
    );
    let (fourth, sent) = run(Made::new(&clock));
    assert_eq!((fourth.run_id, sent.len()), (third.run_id, 0), "what is sent is not run again");
    assert_eq!(driven(&clock, records.list("runs")).expect("a listing").len(), 3);
}

/// A world that counts.
struct Counting {
    made: AtomicUsize,
    sent: AtomicUsize,
}

impl World for Counting {
    async fn make(&self, _: &Schedule, _: Request) -> Result<Making> {
        self.made.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        Ok(Making::Made(Box::new(Product {
            pictures: Vec::new(),
            title: String::new(),
            summary: Vec::new(),
            rows: 0,
            files: Vec::new(),
            inputs_sha256: None,
            parameters: Vec::new(),
            table: None,
        })))
    }

    async fn failing(&self, _: &[Awaited], _: DateTime<Utc>) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn place(&self, _: &str, _: &[MadeFile]) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn send(&self, _: &Destination, _: &Letter<'_>) -> Sending {
        self.sent.fetch_add(1, Ordering::SeqCst);
        Sending::Sent
    }
}

#[test]
fn of_two_schedulers_that_race_a_thousand_times_one_alone_runs_each() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let stores = Stores::new(runtime.handle().clone());
    let on_disk = Records::open(&stores, &Lake::nowhere(folder.path().to_owned())).expect("records");
    // A disk that others use is slow; it has fewer rounds.
    for (records, rounds) in [(Records::in_memory(), 1000), (on_disk, 200)] {
        let world = Arc::new(Counting { made: AtomicUsize::new(0), sent: AtomicUsize::new(0) });
        let of = schedules_of(&["s"], "cron = \"* * * * *\"");
        let scheduler = |pid| {
            let claims = claims(&records, &Clock::Machine, pid);
            let slots = Arc::new(Semaphore::new(32));
            Arc::new(Schedules { world: Arc::clone(&world), claims, schedules: of.clone(), slots })
        };
        let (one, other) = (scheduler(1), scheduler(2));
        let first = at("2026-01-01T00:00:00Z");
        runtime.block_on(stream::iter(0..rounds).for_each_concurrent(32, async |round| {
            let fire = first + Duration::from_mins(u64::try_from(round).expect("a number"));
            // Each on a thread of its own, so that they race.
            let run = |scheduler: &Arc<Schedules<Counting>>| {
                let scheduler = Arc::clone(scheduler);
                tokio::spawn(async move {
                    let schedule = scheduler.schedule("s").expect("a schedule");
                    let record = scheduler.run_at(schedule, fire, Trigger::Hand, std::future::pending()).await;
                    record.expect("a record")
                })
            };
            let (one, other) = tokio::join!(run(&one), run(&other));
            let (one, other) = (one.expect("a record"), other.expect("a record"));
            assert_eq!((one.run_id, one.outcome), (other.run_id, Outcome::Sent));
        }));
        assert_eq!((world.made.load(Ordering::SeqCst), world.sent.load(Ordering::SeqCst)), (rounds, rounds));
        runtime.block_on(async {
            let runs = records.list("runs").await.expect("a listing");
            assert_eq!(runs.len(), rounds, "each is recorded once");
            assert_eq!(records.list("open").await.expect("a listing"), [""; 0], "and nothing is left");
        });
    }
}
