//! The scheduler: takes fire times in as they come, and carries their runs out side by side, until it is told to stop.
//!
//! Its state is among the lake's records: what is said here in memory is a copy, so that it can die at any moment, and any
//! number of schedulers can work on one lake.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::carry::{Carried, World, carry_out, in_a_line};
use super::claims::{Again, Claim, Claims};
use super::due::{Due, LATE, due};
use super::{Clock, Schedules, Site};
use crate::error::Result;
use crate::lake::MANIFEST;
use crate::lake::run::{Outcome, RunRecord, Trigger};
use crate::lake::schedule::Schedule;
use crate::lake::span;
use crate::storage::Texts;

/// How long runs may go on when the scheduler is told to stop, and how long they may then take to be released.
const GRACE: Duration = Duration::from_secs(30);
const RELEASE: Duration = Duration::from_secs(5);

/// Looks at the records in the time of a lease, and the longest pause between two.
const LOOKS_PER_LEASE: u32 = 4;
const LOOK_MAX: Duration = Duration::from_secs(15);

/// A run in the hand of this process.
#[derive(Debug)]
struct Ended {
    schedule: String,
    fire: DateTime<Utc>,
    how: Result<How>,
}

#[derive(Debug)]
enum How {
    Done(Box<RunRecord>),
    /// Another process has it; what began it says whether others wait for it.
    Elsewhere(Trigger),
    /// It was given back when the scheduler stopped.
    Released,
}

/// Runs the schedules of a lake until `stop` comes. `open` opens the lake, again whenever its manifest has changed; `tell` is told
/// what happens, a line for each event.
///
/// # Errors
/// Those of opening the lake at the beginning. Later ones are told, and tried again.
pub async fn start(
    open: impl AsyncFn() -> Result<Site>,
    clock: Clock,
    stop: impl Future<Output = ()>,
    tell: impl Fn(Event),
) -> Result<()> {
    let site = open().await?;
    let mut manifest = manifest_text(&site).await?;
    let mut scheduler = Scheduler::new(Schedules::of(site, clock)?);
    tell(Event::of(scheduler.greeting()));
    let mut stop = std::pin::pin!(stop);
    loop {
        // What is cut short is taken up from the records by the next who looks at them.
        let turn = async {
            let next = scheduler.turn(&tell).await;
            scheduler.wait(next, &tell).await;
            let changed = scheduler.changed_manifest(&manifest).await;
            if let Some(text) = changed {
                manifest = text;
                scheduler.reopen(&open, &tell).await;
            }
        };
        tokio::select! {
            biased;
            () = &mut stop => break,
            () = turn => {}
        }
    }
    scheduler.stop(&tell).await;
    Ok(())
}

/// Something that happened, as a line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whether somebody has to look at it.
    pub is_wrong: bool,
    pub text: String,
}

impl Event {
    fn of(text: impl Into<String>) -> Self {
        Self { is_wrong: false, text: text.into() }
    }

    fn wrong(text: impl Into<String>) -> Self {
        Self { is_wrong: true, text: text.into() }
    }
}

impl Scheduler<Site> {
    /// The text of the manifest, when the last turn has looked around and it is another one.
    async fn changed_manifest(&self, before: &str) -> Option<String> {
        if !self.has_looked {
            return None;
        }
        // A store that does not answer is told by the next look at the records.
        manifest_text(&self.schedules.world).await.ok().filter(|text| text != before)
    }

    /// Takes the schedules of a manifest that has changed; of one that is wrong it takes none, and goes on with those it has. Runs
    /// under way go on as they began.
    async fn reopen(&mut self, open: &impl AsyncFn() -> Result<Site>, tell: &impl Fn(Event)) {
        let clock = self.schedules.clock().clone();
        match open().await.and_then(|site| Schedules::of(site, clock)) {
            Ok(schedules) => {
                self.replace(schedules);
                tell(Event::of(format!("the manifest has changed: {}", self.greeting())));
            }
            Err(error) => {
                tell(Event::wrong(format!("the manifest has changed and cannot be used: {}", in_a_line(&error))));
            }
        }
    }
}

async fn manifest_text(site: &Site) -> Result<String> {
    let texts = Texts::new(Arc::clone(site.engine.stores()), site.engine.lake().root.clone());
    Ok(texts.read(MANIFEST).await?.unwrap_or_default())
}

/// A scheduler at work.
pub struct Scheduler<W> {
    schedules: Schedules<W>,
    /// The last fire time of each schedule that was taken in, or from when on it fires.
    last: BTreeMap<String, DateTime<Utc>>,
    /// Fire times that are to be run, by schedule and time, as of the last look and what was taken in since.
    open: BTreeSet<(String, DateTime<Utc>)>,
    /// Schedules whose first open run another process has, until the next look.
    elsewhere: BTreeSet<String>,
    /// Open runs that another process has and nobody waits for, until the next look.
    aside: BTreeSet<(String, DateTime<Utc>)>,
    /// The run of each schedule that this process has.
    in_hand: BTreeMap<String, DateTime<Utc>>,
    running: JoinSet<Ended>,
    next_look: DateTime<Utc>,
    /// Whether the last turn has looked at the records.
    has_looked: bool,
    /// Tells runs that they are to be given back.
    release: watch::Sender<bool>,
}

impl<W: World + Send + Sync + 'static> Scheduler<W> {
    pub fn new(schedules: Schedules<W>) -> Self {
        let next_look = schedules.clock().now();
        Self {
            schedules,
            last: BTreeMap::new(),
            open: BTreeSet::new(),
            elsewhere: BTreeSet::new(),
            aside: BTreeSet::new(),
            in_hand: BTreeMap::new(),
            running: JoinSet::new(),
            next_look,
            has_looked: false,
            release: watch::channel(false).0,
        }
    }

    /// Goes on with other schedules. Of those that are new, or fire at other times, the records say from when on they do.
    pub fn replace(&mut self, schedules: Schedules<W>) {
        let before = std::mem::replace(&mut self.schedules, schedules).schedules;
        let now = &self.schedules.schedules;
        self.last.retain(|name, _| {
            let same = |before: &Schedule, now: &Schedule| {
                before.timing.written == now.timing.written && before.timing.zone == now.timing.zone
            };
            before.get(name).zip(now.get(name)).is_some_and(|(before, now)| same(before, now))
        });
    }

    fn greeting(&self) -> String {
        let now = self.claims().clock.now();
        let next = |schedule: &Schedule| Some((schedule.timing.next(now)?, schedule.name.clone()));
        let first = self.schedules.schedules.values().filter_map(next).min();
        let count = self.schedules.schedules.len();
        let plural = if count == 1 { "" } else { "s" };
        match first.and_then(|(at, name)| Some((self.schedules.schedules.get(&name)?.shown(at), name))) {
            Some((at, name)) => format!("{count} schedule{plural}; the next is {name} at {at}"),
            None => "no schedules; waiting for the manifest to have one".to_owned(),
        }
    }

    fn claims(&self) -> &Claims {
        &self.schedules.claims
    }

    /// Does what is to be done now, and says when something is to be done again.
    pub async fn turn(&mut self, tell: &impl Fn(Event)) -> DateTime<Utc> {
        let now = self.claims().clock.now();
        self.has_looked = now >= self.next_look;
        if self.has_looked {
            let pause = (self.claims().lease / LOOKS_PER_LEASE).min(LOOK_MAX);
            self.next_look = now + pause;
            match self.claims().open().await {
                Ok(open) => {
                    self.open = open.into_iter().collect();
                    self.elsewhere.clear();
                    self.aside.clear();
                }
                Err(error) => {
                    tell(Event::wrong(format!("the records cannot be read: {}", in_a_line(&error))));
                    return self.next_look;
                }
            }
        }
        let schedules: Vec<Schedule> = self.schedules.schedules.values().cloned().collect();
        let mut next = self.next_look;
        for schedule in &schedules {
            match self.take_in(schedule, now, tell).await {
                Ok(last) => {
                    let due = schedule.timing.next(last).map(|fire| schedule.due(fire));
                    next = due.map_or(next, |due| next.min(due));
                }
                Err(error) => {
                    tell(Event::wrong(format!("{}: cannot take it in: {}", schedule.name, in_a_line(&error))));
                }
            }
        }
        self.spawn(tell);
        next
    }

    /// Takes the fire times of a schedule in that have come; gives the last of them.
    async fn take_in(
        &mut self,
        schedule: &Schedule,
        now: DateTime<Utc>,
        tell: &impl Fn(Event),
    ) -> Result<DateTime<Utc>> {
        let name = &schedule.name;
        let mut last = match self.last.get(name) {
            Some(last) => *last,
            None => self.claims().taken_in(schedule).await?,
        };
        if last > now + LATE {
            let until = schedule.shown(last);
            tell(Event::wrong(format!(
                "{name}: its fire times up to {until} were taken in by a clock that was ahead; it goes on from now"
            )));
            last = now;
            self.claims().take_in(schedule, last).await?;
        }
        // Most looks find nothing that is due, and need not read what is open.
        let is_due = schedule.timing.next(last).is_some_and(|fire| fire <= now);
        let under_way = if is_due { self.under_way(name).await? } else { None };
        let found = due(schedule, last, now, under_way);
        for Due { fire, trigger, skip } in &found {
            if let Some(taken) = self.claims().admit(name, *fire, *trigger, skip.clone(), Again::Never).await? {
                if let Some(reason) = taken.skip {
                    tell(Event::of(format!("{name}, {}: skipped: {reason}", schedule.shown(*fire))));
                }
                self.open.insert((name.clone(), *fire));
            }
        }
        if let Some(newest) = found.last() {
            last = newest.fire;
            // Whoever dies before this takes them in again, which changes nothing.
            self.claims().take_in(schedule, last).await?;
        }
        self.last.insert(name.clone(), last);
        Ok(last)
    }

    /// The first fire time of a schedule whose run is under way, as `overlap` has it: somebody who runs others by hand takes
    /// nothing from those of its cron.
    async fn under_way(&self, name: &str) -> Result<Option<DateTime<Utc>>> {
        for (_, fire) in self.open.iter().filter(|(open, _)| open == name) {
            if self.claims().trigger(name, *fire).await?.is_some_and(is_regular) {
                return Ok(Some(*fire));
            }
        }
        Ok(None)
    }

    /// Begins the runs that can begin: the first of each schedule.
    fn spawn(&mut self, tell: &impl Fn(Event)) {
        let mut seen = BTreeSet::new();
        for (name, fire) in self.open.difference(&self.aside) {
            let is_first = seen.insert(name.clone());
            let is_free = !self.in_hand.contains_key(name) && !self.elsewhere.contains(name);
            let Some(schedule) = self.schedules.schedules.get(name).filter(|_| is_first && is_free) else { continue };
            self.in_hand.insert(name.clone(), *fire);
            tell(Event::of(format!("{name}, {}: begins", schedule.shown(*fire))));
            let (world, claims) = (Arc::clone(&self.schedules.world), self.schedules.claims.clone());
            let (slots, release) = (Arc::clone(&self.schedules.slots), self.release.subscribe());
            let (schedule, fire) = (schedule.clone(), *fire);
            self.running.spawn(async move {
                let how = run(world.as_ref(), &claims, &slots, &schedule, fire, release).await;
                Ended { schedule: schedule.name, fire, how }
            });
        }
    }

    /// Waits until something is to be done: until then, or until a run has ended.
    pub async fn wait(&mut self, next: DateTime<Utc>, tell: &impl Fn(Event)) {
        let clock = self.claims().clock.clone();
        tokio::select! {
            biased;
            Some(ended) = self.running.join_next() => self.ended(ended.ok(), tell),
            () = clock.sleep_until(next) => {}
        }
    }

    fn ended(&mut self, ended: Option<Ended>, tell: &impl Fn(Event)) {
        let Some(Ended { schedule: name, fire, how }) = ended else {
            tell(Event::wrong("a run ended in a panic; this is a defect of cxlake or its engine"));
            // Which one it was is not known. Its lease runs out, and the next look finds it.
            self.in_hand.clear();
            return;
        };
        self.in_hand.remove(&name);
        let at = self.schedules.schedules.get(&name).map_or_else(|| fire.to_rfc3339(), |schedule| schedule.shown(fire));
        match how {
            Ok(How::Done(record)) => {
                self.open.remove(&(name.clone(), fire));
                let is_wrong = matches!(record.outcome, Outcome::Failed | Outcome::MayHaveBeenSent);
                tell(Event { is_wrong, text: format!("{name}, {at}: {}", told(&record)) });
            }
            Ok(How::Elsewhere(trigger)) if is_regular(trigger) => {
                self.elsewhere.insert(name);
            }
            Ok(How::Elsewhere(_)) => {
                self.aside.insert((name, fire));
            }
            Ok(How::Released) => tell(Event::of(format!("{name}, {at}: given back, for another process to take up"))),
            Err(error) => {
                tell(Event::wrong(format!("{name}, {at}: cannot go on: {}", in_a_line(&error))));
                self.elsewhere.insert(name);
            }
        }
    }

    /// Lets the runs under way end, and gives those back that take too long.
    async fn stop(&mut self, tell: &impl Fn(Event)) {
        let clock = self.claims().clock.clone();
        if !self.running.is_empty() {
            tell(Event::of(format!(
                "stopping; runs under way: {}",
                self.in_hand.keys().cloned().collect::<Vec<_>>().join(", ")
            )));
        }
        for patience in [GRACE, RELEASE] {
            clock.timeout(patience, self.drain(tell)).await;
            self.release.send_replace(true);
        }
        self.running.abort_all();
        tell(Event::of("stopped"));
    }

    async fn drain(&mut self, tell: &impl Fn(Event)) {
        while let Some(ended) = self.running.join_next().await {
            self.ended(ended.ok(), tell);
        }
    }
}

/// Takes a run up and carries it out, unless another process has it.
async fn run(
    world: &impl World,
    claims: &Claims,
    slots: &Semaphore,
    schedule: &Schedule,
    fire: DateTime<Utc>,
    mut release: watch::Receiver<bool>,
) -> Result<How> {
    let lease = match claims.claim(&schedule.name, fire).await? {
        Claim::Done(record) => return Ok(How::Done(record)),
        Claim::Held(holder) => return Ok(How::Elsewhere(holder.trigger)),
        Claim::Mine(lease) => lease,
    };
    tokio::select! {
        biased;
        carried = carry_out(world, schedule, &lease, &claims.clock, slots) => Ok(match carried? {
            Carried::Done(record) => How::Done(record),
            Carried::Lost => How::Elsewhere(lease.admission.trigger),
        }),
        () = released(&mut release) => lease.release().await.map(|()| How::Released),
    }
}

/// Whether a scheduler began a run, at its fire time or behind it.
fn is_regular(trigger: Trigger) -> bool {
    matches!(trigger, Trigger::Schedule | Trigger::CatchUp)
}

/// Waits until runs are to be given back.
async fn released(release: &mut watch::Receiver<bool>) {
    // The sender lives as long as the scheduler.
    let _ = release.wait_for(|release| *release).await.is_ok();
}

/// What became of a run, in a line.
pub fn told(record: &RunRecord) -> String {
    let took = record.duration_ms.map(Duration::from_millis).unwrap_or_default();
    let took = if took.as_secs() < 10 { format!("{:.1}s", took.as_secs_f64()) } else { span::shown(took) };
    let why = record.error.as_ref().or(record.reason.as_ref()).map(|why| format!(": {why}")).unwrap_or_default();
    let rows = match (record.outcome, record.rows) {
        (Outcome::Sent | Outcome::SentWithBanner, Some(1)) => ", 1 row".to_owned(),
        (Outcome::Sent | Outcome::SentWithBanner, Some(rows)) => format!(", {rows} rows"),
        _ => String::new(),
    };
    format!("{} in {took}{rows}{why}", record.outcome.word())
}
