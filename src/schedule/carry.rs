//! Carries a run out: waits for checks, makes what is to be sent, delivers it, tells the owner, and records what became of it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::claims::{Doubt, Lease, MadeRecord, Passage};
use super::letter::{self, Letter};
use crate::error::{Error, Kind, Result};
use crate::lake::destination::{Destination, filled};
use crate::lake::run::{DeliveryRecord, DeliveryState, Outcome, OutputRecord, ParameterRecord, RunRecord};
use crate::lake::schedule::{Awaited, Schedule, Then};
use crate::lake::span;
use crate::report::{MadeFile, Picture};

/// How often checks that are waited for are run.
const CHECKED_EVERY: Duration = Duration::from_mins(1);

/// Processes that may die over one run. One more would die, too.
const DIED_MAX: u32 = 5;

/// Tries of telling an owner, and the first pause between two; the next is twice as long.
const TELLINGS: u32 = 3;
const TELLING_PAUSE: Duration = Duration::from_secs(5);

/// What a run made.
#[derive(Debug)]
pub struct Product {
    pub title: String,
    /// What it says, in sentences.
    pub summary: Vec<String>,
    pub rows: u64,
    pub files: Vec<MadeFile>,
    /// Charts for those who get it by mail.
    pub pictures: Vec<Picture>,
    pub inputs_sha256: Option<String>,
    pub parameters: Vec<ParameterRecord>,
    /// Rows that belong into the message itself.
    pub table: Option<Table>,
}

/// Rows of a message, in each of the forms in which it is sent.
#[derive(Debug)]
pub struct Table {
    pub text: String,
    pub html: String,
    pub rows: Value,
}

/// What making gave.
#[derive(Debug)]
pub enum Making {
    Made(Box<Product>),
    /// There is nothing to send, for this reason.
    Nothing(String),
}

/// What a run is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    pub run_id: String,
    pub started_at: DateTime<Utc>,
    pub fire_time: DateTime<Utc>,
    pub banner: Option<String>,
}

/// What became of something that was sent.
#[derive(Debug)]
pub enum Sending {
    Sent,
    /// It was not, for certain.
    Refused(Error),
    /// The connection ended before the other side had answered.
    Unknown(Error),
}

/// What a run needs of the world: the lake's data and the places to which its results go.
pub trait World: Sync {
    fn make(&self, schedule: &Schedule, request: Request) -> impl Future<Output = Result<Making>> + Send;

    /// What has not passed of these checks, a sentence each.
    fn failing(&self, checks: &[Awaited], now: DateTime<Utc>) -> impl Future<Output = Result<Vec<String>>> + Send;

    /// Places files in a folder or bucket, all or none; gives where each is.
    fn place(&self, folder: &str, files: &[MadeFile]) -> impl Future<Output = Result<Vec<String>>> + Send;

    /// Sends a letter to a destination that is no folder.
    fn send(&self, to: &Destination, letter: &Letter<'_>) -> impl Future<Output = Sending> + Send;
}

/// How carrying out ended.
#[derive(Debug)]
pub enum Carried {
    Done(Box<RunRecord>),
    /// Another process has taken the run up.
    Lost,
}

/// Carries a run out that this process has claimed. What computes takes one of the `slots`; waiting takes none.
///
/// # Errors
/// `Storage` when the lake's records cannot be read or written; what goes wrong with the run itself is its outcome.
pub async fn carry_out(
    world: &impl World,
    schedule: &Schedule,
    lease: &Lease,
    clock: &super::Clock,
    slots: &Semaphore,
) -> Result<Carried> {
    let run = Run { world, schedule, lease, clock, slots };
    tokio::select! {
        biased;
        carried = run.carry_out() => carried,
        () = lease.keep() => Ok(Carried::Lost),
    }
}

struct Run<'a, W> {
    world: &'a W,
    schedule: &'a Schedule,
    lease: &'a Lease,
    clock: &'a super::Clock,
    slots: &'a Semaphore,
}

/// What waiting for checks gave.
enum Waited {
    Go { banner: Option<String> },
    Stop(Outcome, String),
}

impl<W: World> Run<'_, W> {
    async fn carry_out(&self) -> Result<Carried> {
        let record = if let Some(done) = &self.lease.done {
            done.clone()
        } else {
            let mut record = self.blank();
            if !self.lease.begin(&record).await? {
                return Ok(Carried::Lost);
            }
            self.work(&mut record).await?;
            let ended = self.clock.now();
            record.ended_at = Some(ended);
            record.duration_ms = u64::try_from((ended - record.started_at).num_milliseconds()).ok();
            self.lease.decide(record).await?
        };
        let record = self.tell(record).await?;
        self.lease.finish(&record).await?;
        Ok(Carried::Done(Box::new(record)))
    }

    fn blank(&self) -> RunRecord {
        let Lease { admission, attempt, started_at, .. } = self.lease;
        RunRecord {
            run_id: admission.run_id.clone(),
            schedule: self.schedule.name.clone(),
            kind: self.schedule.kind().to_owned(),
            name: self.schedule.work_name().to_owned(),
            fire_time: admission.fire_time,
            trigger: admission.trigger,
            attempt: *attempt,
            tries: 0,
            started_at: *started_at,
            ended_at: None,
            duration_ms: None,
            outcome: Outcome::Running,
            reason: None,
            error: None,
            rows: None,
            outputs: Vec::new(),
            deliveries: Vec::new(),
            told: Vec::new(),
            inputs_sha256: None,
            parameters: Vec::new(),
            host: self.lease.host().to_owned(),
            pid: self.lease.pid(),
            cxlake_version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Does the work and fills the record in.
    async fn work(&self, record: &mut RunRecord) -> Result<()> {
        if let Some(reason) = &self.lease.admission.skip {
            record.outcome = Outcome::Skipped;
            record.reason = Some(reason.clone());
            return Ok(());
        }
        record.deliveries = self.schedule.to.iter().map(not_tried).collect();
        if let Some(why) = &self.lease.admission.fail {
            record.outcome = Outcome::Failed;
            record.error = Some(why.clone());
            return self.look_back(record).await;
        }
        if self.lease.died >= DIED_MAX {
            record.outcome = Outcome::Failed;
            record.error = Some(format!("the process that ran it died {DIED_MAX} times"));
            return self.look_back(record).await;
        }
        match self.wait().await {
            Waited::Go { banner } => record.reason = banner,
            Waited::Stop(outcome, why) => {
                record.outcome = outcome;
                match outcome {
                    Outcome::Skipped => record.reason = Some(why),
                    _ => record.error = Some(why),
                }
                return self.look_back(record).await;
            }
        }
        self.look_back(record).await?;
        self.make_and_deliver(record).await
    }

    /// Takes over what earlier attempts made and sent.
    async fn look_back(&self, record: &mut RunRecord) -> Result<()> {
        for (to, delivery) in self.schedule.to.iter().zip(&mut record.deliveries) {
            if let Some(settled) = self.lease.settled(&to.key()).await? {
                *delivery = settled;
            }
        }
        if let Some(made) = &self.lease.made {
            fill(record, made.clone());
        }
        Ok(())
    }

    /// Waits for the checks that the schedule names.
    async fn wait(&self) -> Waited {
        let Some(wait) = &self.schedule.wait_for else { return Waited::Go { banner: None } };
        let deadline = self.lease.admission.fire_time + wait.until;
        loop {
            let checking = self.computing(self.world.failing(&wait.checks, self.clock.now()));
            let failing = match checking.await {
                Some(Ok(failing)) if failing.is_empty() => return Waited::Go { banner: None },
                Some(Ok(failing)) => failing.join("; "),
                Some(Err(error)) => format!("the checks could not be run: {}", in_a_line(&error)),
                None => format!("the checks took longer than {}", span::shown(self.schedule.timeout)),
            };
            let now = self.clock.now();
            if now >= deadline {
                let why =
                    format!("the data was not complete {} after the fire time: {failing}", span::shown(wait.until));
                return match wait.then {
                    Then::SendWithBanner => Waited::Go { banner: Some(format!("The data is not complete. {failing}")) },
                    Then::Skip => Waited::Stop(Outcome::Skipped, why),
                    Then::Fail => Waited::Stop(Outcome::Failed, why),
                };
            }
            self.clock.sleep((deadline - now).to_std().unwrap_or_default().min(CHECKED_EVERY)).await;
        }
    }

    /// Makes it and delivers it, as often as the schedule allows; what was made or delivered is not made or delivered again.
    async fn make_and_deliver(&self, record: &mut RunRecord) -> Result<()> {
        let mut product = None;
        for tried in 1..=self.schedule.retries + 1 {
            if tried > 1 {
                self.clock.sleep(self.schedule.pause(tried - 1)).await;
            }
            record.tries = tried;
            if self.has_all(record) {
                break;
            }
            if product.is_none() {
                match self.make(record).await {
                    Ok(Making::Made(made)) => {
                        let about = about(&made, record.reason.clone());
                        self.lease.keep_made(&about).await?;
                        fill(record, about);
                        product = Some(made);
                    }
                    Ok(Making::Nothing(reason)) => {
                        record.outcome = Outcome::Skipped;
                        record.reason = Some(reason);
                        record.error = None;
                        return Ok(());
                    }
                    Err(error) => {
                        record.error = Some(in_a_line(&error));
                        continue;
                    }
                }
            }
            if let Some(product) = &product {
                self.deliver(product, record).await?;
            }
            if record.deliveries.iter().all(|delivery| delivery.state != DeliveryState::Failed) {
                break;
            }
        }
        conclude(record);
        Ok(())
    }

    /// Whether nothing is left to do but to say so: every destination has it or may have it, and none of them is a folder, which
    /// is written again.
    fn has_all(&self, record: &RunRecord) -> bool {
        let is_outside = |to: &Destination| !matches!(to, Destination::Folder(_));
        self.schedule.to.iter().all(is_outside) && record.deliveries.iter().all(|delivery| is_settled(delivery.state))
    }

    async fn make(&self, record: &RunRecord) -> Result<Making> {
        let request = Request {
            run_id: record.run_id.clone(),
            started_at: record.started_at,
            fire_time: record.fire_time,
            banner: record.reason.clone(),
        };
        self.computing(self.world.make(self.schedule, request)).await.unwrap_or_else(|| {
            Err(Error::new(Kind::Exhausted, format!("it took longer than {}", span::shown(self.schedule.timeout)))
                .hint("give it more time with `timeout`, or ask for less"))
        })
    }

    /// Computes in one of the slots, for as long as the schedule allows; `None` when it takes longer.
    async fn computing<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        // Nobody closes them.
        let _slot = self.slots.acquire().await.ok();
        self.clock.timeout(self.schedule.timeout, work).await
    }

    /// Delivers to the destinations that do not have it: to folders first, so that messages can say where files are.
    async fn deliver(&self, product: &Product, record: &mut RunRecord) -> Result<()> {
        let mut places = Vec::new();
        for (to, delivery) in self.schedule.to.iter().zip(&mut record.deliveries) {
            let Destination::Folder(folder) = to else { continue };
            let folder = filled(folder, &self.schedule.name, self.schedule.wall(record.fire_time));
            let placed = self.world.place(&folder, &product.files).await;
            let (state, error) = match &placed {
                Ok(_) => (DeliveryState::Sent, None),
                Err(error) => (DeliveryState::Failed, Some(in_a_line(error))),
            };
            places.extend(placed.unwrap_or_default());
            *delivery = DeliveryRecord { to: folder, state, at: Some(self.clock.now()), error };
        }
        for (number, to) in self.schedule.to.iter().enumerate() {
            let is_open = record.deliveries.get(number).is_some_and(|delivery| !is_settled(delivery.state));
            if matches!(to, Destination::Folder(_)) || !is_open {
                continue;
            }
            let key = to.key();
            let letter = letter::to_recipient(self.schedule, record, product, &places, &key);
            let delivered = self.send(to, &letter, &key, Doubt::Leave).await?;
            if let Some(delivery) = record.deliveries.get_mut(number) {
                *delivery = delivered;
            }
        }
        Ok(())
    }

    /// Sends a letter, if no other process has sent it or may have done so.
    async fn send(&self, to: &Destination, letter: &Letter<'_>, key: &str, doubt: Doubt) -> Result<DeliveryRecord> {
        let fence = match self.lease.passage(key, &to.shown(), doubt).await? {
            Passage::Settled(delivery) => return Ok(delivery),
            Passage::Free(fence) => fence,
        };
        let (state, error) = match self.world.send(to, letter).await {
            Sending::Sent => (DeliveryState::Sent, None),
            Sending::Refused(error) => (DeliveryState::Failed, Some(in_a_line(&error))),
            Sending::Unknown(error) => (DeliveryState::MayHaveBeenSent, Some(in_a_line(&error))),
        };
        fence.settle(state, error).await
    }

    /// Tells the owner, where there is something to tell: rather twice than never.
    async fn tell(&self, mut record: RunRecord) -> Result<RunRecord> {
        let is_worth_telling = match record.outcome {
            Outcome::Failed | Outcome::MayHaveBeenSent | Outcome::SentWithBanner => true,
            // Checks that did not pass. What was missed or came too early has no deliveries, and what had nothing to send was tried.
            Outcome::Skipped => !record.deliveries.is_empty() && record.tries == 0,
            Outcome::Sent | Outcome::Running => false,
        };
        if !is_worth_telling {
            return Ok(record);
        }
        let mut told = Vec::new();
        for owner in &self.schedule.owner {
            // Of a run that fails once more, the owner hears once more.
            let key = format!("owner{}-{}", self.lease.admission.round, owner.key());
            let letter = letter::to_owner(self.schedule, &record, &key);
            let mut delivery = self.send(owner, &letter, &key, Doubt::SendAgain).await?;
            for tried in 1..TELLINGS {
                if delivery.state != DeliveryState::Failed {
                    break;
                }
                self.clock.sleep(TELLING_PAUSE * tried).await;
                delivery = self.send(owner, &letter, &key, Doubt::SendAgain).await?;
            }
            told.push(delivery);
        }
        record.told = told;
        Ok(record)
    }
}

fn is_settled(state: DeliveryState) -> bool {
    matches!(state, DeliveryState::Sent | DeliveryState::MayHaveBeenSent)
}

fn not_tried(to: &Destination) -> DeliveryRecord {
    DeliveryRecord { to: to.shown(), state: DeliveryState::NotTried, at: None, error: None }
}

fn about(product: &Product, banner: Option<String>) -> MadeRecord {
    let output =
        |file: &MadeFile| OutputRecord { name: file.name.clone(), bytes: file.bytes, sha256: file.sha256.clone() };
    MadeRecord {
        banner,
        rows: product.rows,
        outputs: product.files.iter().map(output).collect(),
        inputs_sha256: product.inputs_sha256.clone(),
        parameters: product.parameters.clone(),
    }
}

fn fill(record: &mut RunRecord, made: MadeRecord) {
    record.reason = record.reason.take().or(made.banner);
    record.rows = Some(made.rows);
    record.outputs = made.outputs;
    record.inputs_sha256 = made.inputs_sha256;
    record.parameters = made.parameters;
}

/// The outcome that follows from what became of the destinations.
fn conclude(record: &mut RunRecord) {
    let with = |state: DeliveryState| -> Vec<String> {
        let found = record.deliveries.iter().filter(|delivery| delivery.state == state);
        let words = |delivery: &DeliveryRecord| match &delivery.error {
            Some(error) => format!("{}: {error}", delivery.to),
            None => delivery.to.clone(),
        };
        found.map(words).collect()
    };
    let (not_tried, failed, unknown) =
        (with(DeliveryState::NotTried), with(DeliveryState::Failed), with(DeliveryState::MayHaveBeenSent));
    if !not_tried.is_empty() {
        // What kept it from being made is said already.
        record.outcome = Outcome::Failed;
        return;
    }
    (record.outcome, record.error) = match (failed.is_empty(), unknown.is_empty(), &record.reason) {
        (false, ..) => (Outcome::Failed, Some(failed.join("; "))),
        (true, false, _) => {
            (Outcome::MayHaveBeenSent, Some(format!("nobody knows whether these have it: {}", unknown.join("; "))))
        }
        (true, true, Some(_)) => (Outcome::SentWithBanner, None),
        (true, true, None) => (Outcome::Sent, None),
    };
}

/// An error with its place, its causes and its hint, in one line.
pub fn in_a_line(error: &Error) -> String {
    let mut text = error.to_string();
    if let Some(place) = error.place().map(ToString::to_string).filter(|place| !place.is_empty()) {
        text += &format!(", at {place}");
    }
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        let said = source.to_string();
        if !text.contains(said.trim()) {
            text += &format!(", because {}", said.trim());
        }
        cause = source.source();
    }
    if let Some(hint) = error.hint_text() {
        text += &format!(" (hint: {hint})");
    }
    text.replace('\n', " ")
}
