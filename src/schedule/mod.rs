//! Schedules: when reports run, that each run happens once, where its results go, and what became of it.
//!
//! `due.rs` says which fire times are to be run; `claims.rs` sees to it that each is run by one process; `carry.rs` carries a run
//! out; `start.rs` does all of that for as long as it is let. Nothing here prints.

mod alert;
mod carry;
mod claims;
mod clock;
mod delivery;
mod due;
mod letter;
mod site;
mod start;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::Semaphore;

use crate::error::{Error, Kind, Result};
use crate::lake::run::{RunRecord, Trigger};
use crate::lake::schedule::{self, Overlap, Schedule, Work};
use crate::query;
use crate::report;
use crate::storage::Records;
use carry::{Carried, World, carry_out};
use claims::{Again, Claim, Claims, Lease};

pub use clock::Clock;
pub use site::Site;
pub use start::{Event, start, told};

/// The shortest and the longest pause between two looks at a run that another process has.
const LOOKS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Schedules that are looked up at once.
const AT_ONCE: usize = 8;

/// The schedules of a lake and what their runs need.
pub struct Schedules<W = Site> {
    world: Arc<W>,
    claims: Claims,
    schedules: BTreeMap<String, Schedule>,
    /// What bounds the runs that compute at once.
    slots: Arc<Semaphore>,
}

/// A schedule as a list shows it.
#[derive(Debug)]
pub struct Listed {
    pub schedule: Schedule,
    pub next: Option<DateTime<Utc>>,
    pub last: Option<RunRecord>,
    /// What is wrong with what it names.
    pub wrong: Option<Error>,
}

impl Schedules<Site> {
    /// The schedules of an open lake.
    ///
    /// # Errors
    /// Those of the place of the records.
    pub fn of(site: Site, clock: Clock) -> Result<Self> {
        let lake = site.engine.lake();
        let records = Records::open(site.engine.stores(), lake)?;
        let claims = Claims::new(records, lake.scheduler.lease, clock);
        let (schedules, slots) = (lake.schedules.clone(), Arc::new(Semaphore::new(lake.scheduler.at_once)));
        Ok(Self { world: Arc::new(site), claims, schedules, slots })
    }

    /// All schedules, with when each fires next and what became of its last run.
    ///
    /// # Errors
    /// `Storage` when the records cannot be read.
    pub async fn list(&self) -> Result<Vec<Listed>> {
        let listing = self.schedules.values().map(async |schedule| {
            Ok(Listed {
                next: schedule.timing.next(self.clock().now()),
                last: self.history(&schedule.name, 1).await?.pop(),
                wrong: self.check(schedule).await.err(),
                schedule: schedule.clone(),
            })
        });
        stream::iter(listing).buffered(AT_ONCE).try_collect().await
    }

    /// Checks that what a schedule names is there.
    ///
    /// # Errors
    /// That of what it names, where that has a file; else `InvalidData` with the schedule's line in the manifest.
    async fn check(&self, schedule: &Schedule) -> Result<()> {
        let Site { engine, library, .. } = self.world.as_ref();
        let found = match &schedule.work {
            Work::Report { name, .. } => report::find(engine, library, name).await.map(|_| ()),
            Work::Alert(alert) => query::alert::plan(engine, library, alert, self.clock().now()).await.map(|_| ()),
        };
        found.map_err(|error| {
            // A line of a saved query, or of a condition, says more than that of the schedule.
            if error.place().is_some_and(|place| place.file.is_some()) {
                return error;
            }
            let (file, line) = &schedule.place;
            let wrong = Error::invalid(error.message()).at(file, Some(*line));
            match error.hint_text() {
                Some(hint) => wrong.hint(hint),
                None => wrong,
            }
        })
    }

    /// Checks what a schedule names before it is run by hand.
    ///
    /// # Errors
    /// `Usage` when there is no such schedule; `InvalidData` when what it names is not there; what is wrong with a saved query.
    pub async fn checked(&self, name: &str) -> Result<&Schedule> {
        let schedule = self.schedule(name)?;
        self.check(schedule).await?;
        Ok(schedule)
    }
}

impl<W: World> Schedules<W> {
    /// The schedule of this name.
    ///
    /// # Errors
    /// `Usage` with the nearest name when there is none.
    pub fn schedule(&self, name: &str) -> Result<&Schedule> {
        self.schedules.get(name).ok_or_else(|| schedule::unknown(name, &self.schedules))
    }

    /// The names of all schedules.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.schedules.keys().map(String::as_str)
    }

    pub fn clock(&self) -> &Clock {
        &self.claims.clock
    }

    /// The last runs of a schedule that have begun, oldest first.
    ///
    /// # Errors
    /// `Storage` when the records cannot be read.
    pub async fn history(&self, schedule: &str, count: usize) -> Result<Vec<RunRecord>> {
        let mut runs = Vec::new();
        for fire in self.claims.claimed(schedule, count).await? {
            runs.extend(self.claims.known(schedule, fire).await?);
        }
        Ok(runs)
    }

    /// Runs the last fire time of a schedule that has come, by the rule for overlaps, behind what processes that died have left of
    /// those before it. A run that is done is not run again, and one that another process has is waited for.
    ///
    /// # Errors
    /// `Usage` when none has come; `Interrupted` when `stop` comes first; `Storage` when the records cannot be read or written.
    pub async fn run_last(&self, schedule: &Schedule, stop: impl Future<Output = ()>) -> Result<RunRecord> {
        let now = self.claims.clock.now();
        let fire = schedule.timing.last(now).ok_or_else(|| {
            Error::usage(format!("`{}` has not fired yet", schedule.name)).hint("`--at now` runs it all the same")
        })?;
        let mut stop = std::pin::pin!(stop);
        let skip = self
            .take_up_before(schedule, fire, stop.as_mut())
            .await?
            .filter(|_| schedule.overlap == Overlap::Skip)
            .map(|before| format!("the run of {} was still under way; `overlap` is `skip`", schedule.shown(before)));
        self.run(schedule, fire, Trigger::Hand, skip, Again::Never, stop).await
    }

    /// Ends the runs of earlier fire times that nobody has in hand, in their order; gives the first that another process has.
    async fn take_up_before(
        &self,
        schedule: &Schedule,
        fire: DateTime<Utc>,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<Option<DateTime<Utc>>> {
        let open = self.claims.open().await?.into_iter();
        let mut before: Vec<_> =
            open.filter(|(name, other)| *name == schedule.name && *other < fire).map(|(_, other)| other).collect();
        before.sort_unstable();
        for earlier in before {
            let is_elsewhere = match self.claims.claim(&schedule.name, earlier).await? {
                Claim::Done(_) => false,
                // What is run for days that are over holds up nothing of today.
                Claim::Held(holder) => holder.trigger != Trigger::Backfill,
                Claim::Mine(lease) => self.carry(schedule, &lease, stop.as_mut()).await?.is_none(),
            };
            if is_elsewhere {
                return Ok(Some(earlier));
            }
        }
        Ok(None)
    }

    /// Runs a fire time of a schedule, which need not be one by its cron. A run that is done is not run again, unless it has failed
    /// or was skipped; then it is sent to those who do not have it. One that another process has is waited for.
    ///
    /// # Errors
    /// `Usage` for a time that is to come; `Interrupted` when `stop` comes first; `Storage` when the records cannot be read or
    /// written.
    pub async fn run_at(
        &self,
        schedule: &Schedule,
        fire: DateTime<Utc>,
        trigger: Trigger,
        stop: impl Future<Output = ()>,
    ) -> Result<RunRecord> {
        if fire > self.claims.clock.now() {
            return Err(Error::usage(format!("{} is still to come", schedule.shown(fire))));
        }
        self.run(schedule, claims::to_the_second(fire), trigger, None, Again::AfterFailure, stop).await
    }

    async fn run(
        &self,
        schedule: &Schedule,
        fire: DateTime<Utc>,
        trigger: Trigger,
        skip: Option<String>,
        again: Again,
        stop: impl Future<Output = ()>,
    ) -> Result<RunRecord> {
        let mut stop = std::pin::pin!(stop);
        let mut pause = LOOKS.0;
        self.claims.admit(&schedule.name, fire, trigger, skip, again).await?;
        loop {
            match self.claims.claim(&schedule.name, fire).await? {
                Claim::Done(record) => return Ok(*record),
                Claim::Held(holder) => {
                    let left = (holder.until - self.claims.clock.now()).to_std().unwrap_or_default();
                    tokio::select! {
                        () = &mut stop => return Err(interrupted()),
                        () = self.claims.clock.sleep(pause.min(left.max(LOOKS.0))) => {}
                    }
                    pause = LOOKS.1.min(pause * 2);
                }
                Claim::Mine(lease) => {
                    if let Some(record) = self.carry(schedule, &lease, stop.as_mut()).await? {
                        return Ok(record);
                    }
                }
            }
        }
    }

    /// Carries a run out; `None` when another process has taken it up meanwhile.
    async fn carry(
        &self,
        schedule: &Schedule,
        lease: &Lease,
        stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<Option<RunRecord>> {
        // On the heap: it holds all that a run holds.
        let work = Box::pin(carry_out(self.world.as_ref(), schedule, lease, self.clock(), &self.slots));
        let carried = tokio::select! {
            biased;
            () = stop => None,
            carried = work => Some(carried?),
        };
        match carried {
            Some(Carried::Done(record)) => Ok(Some(*record)),
            Some(Carried::Lost) => Ok(None),
            None => {
                lease.release().await?;
                Err(interrupted())
            }
        }
    }
}

fn interrupted() -> Error {
    Error::new(Kind::Interrupted, "interrupted; another process may take the run up from here")
}
