//! Who runs what: each fire time of a schedule once, on any number of machines.
//!
//! All of it is objects among the lake's records, created by one alone or put whole:
//!
//! ```text
//! schedules/SCHEDULE.json                       up to when all fire times were taken in, and by which cron
//! open/SCHEDULE/FIRE                            the fire time is to be run, and is not done yet; deleted last of all
//! claims/SCHEDULE/MONTH/FIRE/attempt-001-001    the first process that took it up, and until when it holds it
//! claims/SCHEDULE/MONTH/FIRE/attempt-001-002    the second, when the first has died
//! claims/SCHEDULE/MONTH/FIRE/sent-KEY-001       the first try of a destination: begun, and what became of it
//! claims/SCHEDULE/MONTH/FIRE/made-001           what was made of it
//! claims/SCHEDULE/MONTH/FIRE/done-001           what became of the run; it is never written again
//! runs/MONTH/RUN.json                           the same for those who read it
//! ```
//!
//! The first number is 001, unless a run has failed and somebody has it run anew: that is a run of its own, which knows from the
//! `sent` objects who has it already.
//!
//! A process that was paused for longer than its lease cannot know that another has taken its run up. It need not: whatever
//! leaves the lake is sent by who creates its `sent` object, and how the run ended is said by who creates `done`.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, SubsecRound, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::clock::Clock;
use crate::error::{Error, Kind, Result};
use crate::lake::run::{
    self, DeliveryRecord, DeliveryState, Outcome, OutputRecord, ParameterRecord, RunRecord, Trigger, moment, new_id,
};
use crate::lake::schedule::Schedule;
use crate::storage::Records;

/// Folder of the fire times that are to be run.
const OPEN: &str = "open";

/// Folder of what was claimed.
const CLAIMS: &str = "claims";

/// A fire time as objects are named by it; in this form names sort by time.
const FIRE: &str = "%Y%m%dT%H%M%SZ";

/// What the names of objects begin with that say how a run ended, and what it made.
const DONE: &str = "done-";
const MADE: &str = "made-";

/// The part of a lease after which it is renewed.
const RENEWED_AT: u32 = 3;

/// The claims of a lake, as one process sees them.
#[derive(Clone, Debug)]
pub struct Claims {
    pub records: Records,
    /// How long a run stays with a process without a sign of life.
    pub lease: Duration,
    pub clock: Clock,
    pub host: String,
    pub pid: u32,
}

/// A fire time that is to be run, by whoever was first to say so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admission {
    pub run_id: String,
    pub schedule: String,
    #[serde(with = "moment")]
    pub fire_time: DateTime<Utc>,
    pub trigger: Trigger,
    /// 1, or one more than that of the run that failed.
    pub round: u32,
    /// Why it is not to be run, but recorded as skipped.
    pub skip: Option<String>,
    /// Why it is not to be run, but recorded as failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail: Option<String>,
}

/// How far the fire times of a schedule were taken in.
#[derive(Serialize, Deserialize)]
struct TakenIn {
    #[serde(with = "moment")]
    until: DateTime<Utc>,
    /// By which the schedule fired then; nothing is known of those that older versions took in.
    #[serde(default)]
    cron: Option<String>,
    #[serde(default)]
    time_zone: Option<String>,
    token: String,
}

impl TakenIn {
    fn new(schedule: &Schedule, until: DateTime<Utc>) -> Self {
        let (cron, time_zone) = (schedule.timing.written.clone(), schedule.timing.zone.name().to_owned());
        Self { until, cron: Some(cron), time_zone: Some(time_zone), token: token() }
    }

    /// Whether the schedule fires at other times now.
    fn is_of_another(&self, schedule: &Schedule) -> bool {
        let is_other = |then: Option<&String>, now: &str| then.is_some_and(|then| then != now);
        let timing = &schedule.timing;
        is_other(self.cron.as_ref(), &timing.written) || is_other(self.time_zone.as_ref(), timing.zone.name())
    }
}

/// A process that has taken a run up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Attempt {
    token: String,
    host: String,
    pid: u32,
    /// When the first attempt began.
    #[serde(with = "moment")]
    started_at: DateTime<Utc>,
    /// When another may take it up.
    #[serde(with = "moment")]
    until: DateTime<Utc>,
    /// Attempts before it whose processes died.
    #[serde(default)]
    died: u32,
    /// Whether the run was given back.
    #[serde(default)]
    released: bool,
}

/// What taking a run up gave.
#[derive(Debug)]
pub enum Claim {
    /// It is done.
    Done(Box<RunRecord>),
    /// Another process has it.
    Held(Holder),
    Mine(Box<Lease>),
}

/// The process that has a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub host: String,
    pub pid: u32,
    pub until: DateTime<Utc>,
    /// What began the run.
    pub trigger: Trigger,
}

/// A run that this process has, until another takes it up.
#[derive(Clone, Debug)]
pub struct Lease {
    claims: Claims,
    pub admission: Admission,
    pub attempt: u32,
    /// Attempts before it whose processes died; the others gave the run back.
    pub died: u32,
    pub started_at: DateTime<Utc>,
    token: String,
    /// What became of the run, when all that is left is to tell it.
    pub done: Option<RunRecord>,
    /// What an earlier attempt made.
    pub made: Option<MadeRecord>,
}

/// What a run made, for those who take it up and need not make it again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeRecord {
    pub banner: Option<String>,
    pub rows: u64,
    pub outputs: Vec<OutputRecord>,
    pub inputs_sha256: Option<String>,
    pub parameters: Vec<ParameterRecord>,
}

/// A try of a delivery, as its object has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sent {
    token: String,
    to: String,
    /// `MayHaveBeenSent` from its beginning, until more is known.
    state: DeliveryState,
    #[serde(with = "moment")]
    at: DateTime<Utc>,
    error: Option<String>,
}

impl Sent {
    fn record(self) -> DeliveryRecord {
        DeliveryRecord { to: self.to, state: self.state, at: Some(self.at), error: self.error }
    }
}

/// Whether something may be sent.
#[derive(Debug)]
pub enum Passage {
    /// It may, by this process alone.
    Free(Box<Fence>),
    /// What became of it is known, or never will be.
    Settled(DeliveryRecord),
}

/// The right to send something once.
#[derive(Debug)]
pub struct Fence {
    claims: Claims,
    object: String,
    sent: Sent,
}

/// Whether a run that has failed, or was skipped, can be run anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    Never,
    AfterFailure,
}

/// What happens with something of which nobody knows whether it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It is left: better never than twice.
    Leave,
    /// It is sent again: better twice than never.
    SendAgain,
}

impl Claims {
    /// Claims of this process.
    pub fn new(records: Records, lease: Duration, clock: Clock) -> Self {
        let host = sysinfo::System::host_name().unwrap_or_else(|| "unknown".to_owned());
        Self { records, lease, clock, host, pid: std::process::id() }
    }

    /// The fire time up to which all of a schedule were taken in: at first, when this lake first heard of the schedule or of its
    /// `cron`, so that none before that was missed. It may lag behind, and is ahead where a clock was.
    ///
    /// # Errors
    /// `Storage` when the records cannot be read or written.
    pub async fn taken_in(&self, schedule: &Schedule) -> Result<DateTime<Utc>> {
        let name = taken_in_object(&schedule.name);
        let first = TakenIn::new(schedule, self.clock.now());
        if let Some(found) = self.read::<TakenIn>(&name).await? {
            if found.is_of_another(schedule) {
                self.take_in(schedule, first.until).await?;
                return Ok(first.until);
            }
            return Ok(found.until);
        }
        match self.records.create(&name, json(&first)?).await? {
            true => Ok(first.until),
            false => self.read::<TakenIn>(&name).await.map(|found| found.map_or(first.until, |found| found.until)),
        }
    }

    /// Says up to which fire time all of a schedule were taken in.
    ///
    /// # Errors
    /// `Storage` when the records cannot be written.
    pub async fn take_in(&self, schedule: &Schedule, until: DateTime<Utc>) -> Result<()> {
        self.records.put(&taken_in_object(&schedule.name), json(&TakenIn::new(schedule, until))?).await
    }

    /// The last so many fire times of a schedule that were claimed, oldest first.
    ///
    /// # Errors
    /// `Storage` when the records cannot be read.
    pub async fn claimed(&self, schedule: &str, count: usize) -> Result<Vec<DateTime<Utc>>> {
        let folder = format!("{CLAIMS}/{schedule}");
        let mut found = Vec::new();
        for month in self.records.folders(&folder).await?.iter().rev() {
            let fires = self.records.folders(&format!("{folder}/{month}")).await?;
            found.extend(fires.iter().rev().filter_map(|fire| fire_time(fire)));
            if found.len() >= count {
                break;
            }
        }
        found.truncate(count);
        found.reverse();
        Ok(found)
    }

    /// What is known of the last run of a fire time: what became of it, or that it has begun and is not done.
    ///
    /// # Errors
    /// `Storage` when the records cannot be read.
    pub async fn known(&self, schedule: &str, fire: DateTime<Utc>) -> Result<Option<RunRecord>> {
        if let Some(open) = self.readable(schedule, fire).await? {
            let first = format!("{}-001", object(&folder(schedule, fire), "attempt-", open.round));
            if let Some(attempt) = self.read::<Attempt>(&first).await? {
                let begun = self.read(&run::object(&open.run_id, attempt.started_at)).await?;
                if begun.is_some() {
                    return Ok(begun);
                }
            }
        }
        self.done(schedule, fire).await
    }

    /// What became of the last run of a fire time; `None` while none is done.
    ///
    /// # Errors
    /// `Storage` when the records cannot be read.
    pub async fn done(&self, schedule: &str, fire: DateTime<Utc>) -> Result<Option<RunRecord>> {
        Ok(self.last_done(schedule, fire).await?.map(|(_, record)| record))
    }

    /// The same with its round.
    async fn last_done(&self, schedule: &str, fire: DateTime<Utc>) -> Result<Option<(u32, RunRecord)>> {
        let folder = folder(schedule, fire);
        let names = self.records.list(&folder).await?;
        let Some(round) = names.iter().filter_map(|name| number(name, DONE)).max() else { return Ok(None) };
        let record: Option<RunRecord> = self.read(&object(&folder, DONE, round)).await?;
        Ok(record.map(|record| (round, record)))
    }

    /// All fire times that are to be run and are not done, by schedule and time.
    ///
    /// # Errors
    /// `Storage` when the records cannot be read.
    pub async fn open(&self) -> Result<Vec<(String, DateTime<Utc>)>> {
        let names = self.records.list(OPEN).await?;
        let parts = names.iter().filter_map(|name| name.strip_prefix(OPEN)?.trim_start_matches('/').split_once('/'));
        Ok(parts.filter_map(|(schedule, fire)| Some((schedule.to_owned(), fire_time(fire)?))).collect())
    }

    /// Says that a fire time is to be run, or why it is skipped, and gives what was said first of all. Of a run that is done, it
    /// gives nothing, unless that one has failed or was skipped, and `again` has it run anew.
    ///
    /// # Errors
    /// `Storage` when the records cannot be read or written.
    pub async fn admit(
        &self,
        schedule: &str,
        fire: DateTime<Utc>,
        trigger: Trigger,
        skip: Option<String>,
        again: Again,
    ) -> Result<Option<Admission>> {
        let round = match self.last_done(schedule, fire).await? {
            None => 1,
            Some((round, done)) => match (again, done.outcome) {
                (Again::AfterFailure, Outcome::Failed | Outcome::Skipped) => round + 1,
                _ => return Ok(None),
            },
        };
        let admission = Admission {
            run_id: new_id(self.clock.now()).to_string(),
            schedule: schedule.to_owned(),
            fire_time: fire,
            trigger,
            round,
            skip,
            fail: None,
        };
        match self.records.create(&open_object(schedule, fire), json(&admission)?).await? {
            true => Ok(Some(admission)),
            // It may be done, and so gone, by now.
            false => self.admitted(schedule, fire).await,
        }
    }

    /// What was said of a fire time that is to be run; `None` when it is done. Where that cannot be read, as on a disk that lost
    /// its power, one takes its place by which the run fails, so that its owner hears of it and those behind it go on.
    async fn admitted(&self, schedule: &str, fire: DateTime<Utc>) -> Result<Option<Admission>> {
        let object = open_object(schedule, fire);
        let damage = match self.read::<Admission>(&object).await {
            Err(error) if error.kind() == Kind::InvalidData => error.to_string(),
            read => return read,
        };
        if self.done(schedule, fire).await?.is_some() {
            self.records.delete(&object).await?;
            return Ok(None);
        }
        let admission = Admission {
            run_id: new_id(self.clock.now()).to_string(),
            schedule: schedule.to_owned(),
            fire_time: fire,
            trigger: Trigger::Schedule,
            round: 1,
            skip: None,
            fail: Some(format!("{damage}; `cxlake schedule run {schedule} --at TIME` runs it anew")),
        };
        self.records.put(&object, json(&admission)?).await?;
        Ok(Some(admission))
    }

    /// What began the run of a fire time that is open; `None` when it is done, or will fail without being run.
    ///
    /// # Errors
    /// `Storage` when the records cannot be read.
    pub async fn trigger(&self, schedule: &str, fire: DateTime<Utc>) -> Result<Option<Trigger>> {
        let open = self.readable(schedule, fire).await?;
        Ok(open.filter(|admission| admission.fail.is_none()).map(|admission| admission.trigger))
    }

    /// What was said of a fire time that is to be run, where that can be read.
    async fn readable(&self, schedule: &str, fire: DateTime<Utc>) -> Result<Option<Admission>> {
        match self.read(&open_object(schedule, fire)).await {
            Err(error) if error.kind() == Kind::InvalidData => Ok(None),
            read => read,
        }
    }

    /// Takes a run up that was admitted, unless it is done or another process has it.
    ///
    /// # Errors
    /// `Storage` when the records cannot be read or written; `NotFound` when it was never admitted.
    pub async fn claim(&self, schedule: &str, fire: DateTime<Utc>) -> Result<Claim> {
        let folder = folder(schedule, fire);
        loop {
            let Some(admission) = self.admitted(schedule, fire).await? else {
                // It is done, or has been since somebody saw it open.
                let done = self.done(schedule, fire).await?;
                return done.map(|done| Claim::Done(Box::new(done))).ok_or_else(|| self.vanished(schedule, fire));
            };
            let round = admission.round;
            let done: Option<RunRecord> = self.read(&object(&folder, DONE, round)).await?;
            if let Some(done) = done.clone().filter(|done| done.run_id != admission.run_id) {
                // Whoever admitted it had looked before it was done, and wrote when it was.
                self.records.delete(&open_object(schedule, fire)).await?;
                return Ok(Claim::Done(Box::new(done)));
            }
            let attempts = format!("attempt-{round:03}-");
            let names = self.records.list(&folder).await?;
            let newest = names.iter().filter_map(|name| number(name, &attempts)).max().unwrap_or(0);
            let now = self.clock.now();
            let (mut started_at, mut died) = (now, 0);
            if newest > 0 {
                let Some(attempt) = self.read::<Attempt>(&object(&folder, &attempts, newest)).await? else { continue };
                if attempt.until > now {
                    let Attempt { host, pid, until, .. } = attempt;
                    return Ok(Claim::Held(Holder { host, pid, until, trigger: admission.trigger }));
                }
                started_at = attempt.started_at;
                died = attempt.died + u32::from(!attempt.released);
            }
            let lease = Lease {
                attempt: newest + 1,
                died,
                started_at,
                token: token(),
                done,
                made: self.read(&object(&folder, MADE, round)).await?,
                admission,
                claims: self.clone(),
            };
            if self.records.create(&lease.attempt_object(lease.attempt), json(&lease.held(now + self.lease))?).await? {
                return Ok(Claim::Mine(Box::new(lease)));
            }
        }
    }

    fn vanished(&self, schedule: &str, fire: DateTime<Utc>) -> Error {
        let object = self.records.shown(&open_object(schedule, fire));
        Error::not_found(format!("the run of `{schedule}` has gone from the records: there is no `{object}`"))
    }

    async fn read<T: DeserializeOwned>(&self, object: &str) -> Result<Option<T>> {
        let Some(bytes) = self.records.read(object).await? else { return Ok(None) };
        self.parsed(&bytes, object).map(Some)
    }

    fn parsed<T: DeserializeOwned>(&self, bytes: &Bytes, object: &str) -> Result<T> {
        serde_json::from_slice(bytes).map_err(|error| {
            Error::invalid(format!("`{}` is not as it was written: {error}", self.records.shown(object)))
                .caused_by(error)
        })
    }
}

impl Lease {
    /// Keeps the run with this process, until another has taken it up all the same: then it returns.
    pub async fn keep(&self) {
        loop {
            self.claims.clock.sleep(self.claims.lease / RENEWED_AT).await;
            match self.is_lost().await {
                Ok(true) => return,
                Ok(false) => {
                    // A renewal that fails may succeed the next time, and if none does, another process takes over.
                    let _ = self.renew(&self.held(self.claims.clock.now() + self.claims.lease)).await;
                }
                Err(_) => {}
            }
        }
    }

    /// Lets another process take the run up at once.
    ///
    /// # Errors
    /// `Storage` when the records cannot be written; the lease runs out by itself then.
    pub async fn release(&self) -> Result<()> {
        self.renew(&Attempt { released: true, ..self.held(self.claims.clock.now()) }).await
    }

    async fn renew(&self, attempt: &Attempt) -> Result<()> {
        self.claims.records.put(&self.attempt_object(self.attempt), json(attempt)?).await
    }

    fn held(&self, until: DateTime<Utc>) -> Attempt {
        Attempt {
            token: self.token.clone(),
            host: self.claims.host.clone(),
            pid: self.claims.pid,
            started_at: self.started_at,
            until,
            died: self.died,
            released: false,
        }
    }

    /// Whether another process has taken the run up.
    async fn is_lost(&self) -> Result<bool> {
        let next = self.attempt_object(self.attempt + 1);
        Ok(self.claims.records.read(&next).await?.is_some())
    }

    fn folder(&self) -> String {
        folder(&self.admission.schedule, self.admission.fire_time)
    }

    /// The name of one of the objects of this round.
    fn object(&self, prefix: &str) -> String {
        object(&self.folder(), prefix, self.admission.round)
    }

    fn attempt_object(&self, attempt: u32) -> String {
        format!("{}-{attempt:03}", self.object("attempt-"))
    }

    /// Records that the run is under way; `false` when it no longer is with this process.
    ///
    /// # Errors
    /// `Storage` when the records cannot be written.
    pub async fn begin(&self, record: &RunRecord) -> Result<bool> {
        let records = &self.claims.records;
        if self.attempt == 1 {
            // Who has taken it up since has written it, too, and knows better.
            return records.create(&record.object(), record.to_json()?).await;
        }
        records.put(&record.object(), record.to_json()?).await?;
        if let Some(done) = self.claims.read::<RunRecord>(&self.object(DONE)).await? {
            // This process was paused for longer than its lease, and has just written over what became of it.
            records.put(&done.object(), done.to_json()?).await?;
            return Ok(false);
        }
        Ok(!self.is_lost().await?)
    }

    /// Keeps what was made, for those who may take the run up.
    ///
    /// # Errors
    /// `Storage` when the records cannot be written.
    pub async fn keep_made(&self, made: &MadeRecord) -> Result<()> {
        self.claims.records.put(&self.object(MADE), json(made)?).await
    }

    /// Asks whether something may be sent. `key` tells deliveries of a run apart.
    ///
    /// # Errors
    /// `Storage` when the records cannot be read or written.
    pub async fn passage(&self, key: &str, to: &str, doubt: Doubt) -> Result<Passage> {
        loop {
            let (tries, last) = self.last_try(key).await?;
            if let Some(sent) = last {
                let is_settled = match sent.state {
                    DeliveryState::Sent => true,
                    DeliveryState::MayHaveBeenSent => doubt == Doubt::Leave || sent.token == self.token,
                    DeliveryState::Failed | DeliveryState::NotTried => false,
                };
                if is_settled {
                    return Ok(Passage::Settled(sent.record()));
                }
            }
            let sent = Sent {
                token: self.token.clone(),
                to: to.to_owned(),
                state: DeliveryState::MayHaveBeenSent,
                at: self.claims.clock.now(),
                error: None,
            };
            let object = self.sent_object(key, tries + 1);
            if self.claims.records.create(&object, json(&sent)?).await? {
                return Ok(Passage::Free(Box::new(Fence { claims: self.claims.clone(), object, sent })));
            }
        }
    }

    /// What became of something that was sent or may have been sent; `None` when it was not.
    ///
    /// # Errors
    /// `Storage` when the records cannot be read.
    pub async fn settled(&self, key: &str) -> Result<Option<DeliveryRecord>> {
        let (_, last) = self.last_try(key).await?;
        let settled = last.filter(|sent| matches!(sent.state, DeliveryState::Sent | DeliveryState::MayHaveBeenSent));
        Ok(settled.map(Sent::record))
    }

    /// How often sending something was tried, and the last of it.
    async fn last_try(&self, key: &str) -> Result<(u32, Option<Sent>)> {
        let prefix = format!("sent-{key}-");
        let names = self.claims.records.list(&self.folder()).await?;
        match names.iter().filter_map(|name| number(name, &prefix)).max() {
            Some(tries) => Ok((tries, self.claims.read(&self.sent_object(key, tries)).await?)),
            None => Ok((0, None)),
        }
    }

    fn sent_object(&self, key: &str, tried: u32) -> String {
        object(&self.folder(), &format!("sent-{key}-"), tried)
    }

    pub fn host(&self) -> &str {
        &self.claims.host
    }

    pub fn pid(&self) -> u32 {
        self.claims.pid
    }

    /// Says what became of the run, and gives what was said first of all.
    ///
    /// # Errors
    /// `Storage` when the records cannot be read or written.
    pub async fn decide(&self, record: RunRecord) -> Result<RunRecord> {
        let object = self.object(DONE);
        if self.claims.records.create(&object, record.to_json()?).await? {
            return Ok(record);
        }
        Ok(self.claims.read(&object).await?.unwrap_or(record))
    }

    /// Ends the run: from here on nobody takes it up.
    ///
    /// # Errors
    /// `Storage` when the records cannot be written.
    pub async fn finish(&self, record: &RunRecord) -> Result<()> {
        let records = &self.claims.records;
        records.put(&record.object(), record.to_json()?).await?;
        records.delete(&open_object(&self.admission.schedule, self.admission.fire_time)).await
    }
}

impl Fence {
    /// Says what became of what was sent.
    ///
    /// # Errors
    /// `Storage` when the records cannot be written; it counts as something that may have been sent then.
    pub async fn settle(mut self, state: DeliveryState, error: Option<String>) -> Result<DeliveryRecord> {
        self.sent.state = state;
        self.sent.error = error;
        self.sent.at = self.claims.clock.now();
        self.claims.records.put(&self.object, json(&self.sent)?).await?;
        Ok(self.sent.record())
    }
}

fn taken_in_object(schedule: &str) -> String {
    format!("schedules/{schedule}.json")
}

fn open_object(schedule: &str, fire: DateTime<Utc>) -> String {
    format!("{OPEN}/{schedule}/{}", fire.format(FIRE))
}

fn folder(schedule: &str, fire: DateTime<Utc>) -> String {
    format!("{CLAIMS}/{schedule}/{}/{}", fire.format("%Y-%m"), fire.format(FIRE))
}

/// The name of a numbered object; names sort by number.
fn object(folder: &str, prefix: &str, number: u32) -> String {
    format!("{folder}/{prefix}{number:03}")
}

/// The number behind a prefix in the last part of an object's name.
fn number(object: &str, prefix: &str) -> Option<u32> {
    object.rsplit('/').next()?.strip_prefix(prefix)?.parse().ok()
}

fn fire_time(name: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(name, FIRE).ok().map(|fire| fire.and_utc())
}

/// A moment as a fire time has it, to the second.
pub fn to_the_second(moment: DateTime<Utc>) -> DateTime<Utc> {
    moment.trunc_subsecs(0)
}

/// What tells an object apart from that of any other process.
fn token() -> String {
    Uuid::now_v7().to_string()
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value)
        .map_err(|error| Error::internal(format!("a claim cannot be written as JSON: {error}")).caused_by(error))
}
