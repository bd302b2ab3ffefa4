//! `cxlake schedule`: what runs when, running it by hand, what became of it, and the scheduler.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use chrono::{DateTime, Days, Duration, NaiveDate, NaiveDateTime, NaiveTime, SubsecRound, Utc};

use super::super::args::ScheduleAction;
use super::super::settings::Settings;
use crate::error::{Error, Result};
use crate::lake::run::{Outcome, RunRecord, Trigger};
use crate::lake::schedule::Schedule;
use crate::schedule::{Clock, Event, Schedules, Site, start, told};
use crate::shell::interrupt::Interrupt;
use crate::shell::{Listing, Shell, tell};

pub async fn run(action: ScheduleAction, settings: &Settings, interrupt: Interrupt) -> Result<()> {
    if let ScheduleAction::Start = action {
        return go_on(settings, interrupt).await;
    }
    let mut shell = settings.shell_in_lake(interrupt).await?;
    let site = Site::new(shell.engine.clone(), shell.library.clone());
    let schedules = Schedules::of(site, Clock::Machine)?;
    match action {
        ScheduleAction::List => {
            let listing = shell.interrupt.clone().guard(list(&schedules)).await?;
            shell.listing(listing).await
        }
        ScheduleAction::Next { name, count } => {
            let listing = next(&schedules, name.as_deref(), count)?;
            shell.listing(listing).await
        }
        ScheduleAction::History { name, count } => {
            let listing = shell.interrupt.clone().guard(history(&schedules, name.as_deref(), count)).await?;
            shell.listing(listing).await
        }
        ScheduleAction::Run { name, at } => {
            writes(&shell)?;
            let schedule = schedules.checked(&name).await?;
            let begun = Utc::now();
            let record = match at {
                None => schedules.run_last(schedule, stopped(&shell.interrupt)).await?,
                Some(at) => {
                    let fire = moment(&at, schedule)?;
                    schedules.run_at(schedule, fire, Trigger::Hand, stopped(&shell.interrupt)).await?
                }
            };
            ended(&shell, schedule, &record, begun)
        }
        ScheduleAction::Backfill { name, from, to } => {
            writes(&shell)?;
            backfill(&schedules, &name, &from, &to, &shell).await
        }
        ScheduleAction::Start => Ok(()),
    }
}

/// Refuses to run anything in a session that may only read: every run is recorded.
fn writes(shell: &Shell) -> Result<()> {
    match shell.engine.is_read_only() {
        true => Err(Error::usage("read-only: nothing is sent, and no run recorded")),
        false => Ok(()),
    }
}

/// The scheduler, until Ctrl-C or SIGTERM.
async fn go_on(settings: &Settings, interrupt: Interrupt) -> Result<()> {
    let shell = settings.shell_in_lake(interrupt.clone()).await?;
    writes(&shell)?;
    drop(shell);
    let open = async || {
        let shell = settings.shell(Interrupt::default()).await?;
        Ok(Site::new(shell.engine, shell.library))
    };
    let quiet = settings.view().quiet;
    let log = |event: Event| {
        if event.is_wrong || !quiet {
            tell(&format!("{} {}", Utc::now().format("%Y-%m-%dT%H:%M:%SZ"), event.text));
        }
    };
    start(open, Clock::Machine, stopped(&interrupt), log).await
}

/// Waits for Ctrl-C or, where there is such a thing, SIGTERM.
async fn stopped(interrupt: &Interrupt) {
    let pressed = interrupt.guard(std::future::pending::<Result<()>>());
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};

        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = pressed => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = pressed.await;
}

/// Says what became of a run that was asked for at `begun`, which is an error when a destination does not have it, or may not.
fn ended(shell: &Shell, schedule: &Schedule, record: &RunRecord, begun: DateTime<Utc>) -> Result<()> {
    let mut text = format!("{}, {}: {}", schedule.name, schedule.shown(record.fire_time), told(record));
    if let Some(before) = record.ended_at.filter(|ended| *ended < begun) {
        text += &format!("; it was done at {}, and is not run again", utc(before));
    }
    match record.outcome {
        Outcome::Failed | Outcome::MayHaveBeenSent | Outcome::Running => Err(Error::storage(text)),
        Outcome::Sent | Outcome::SentWithBanner | Outcome::Skipped => {
            shell.note(&text);
            Ok(())
        }
    }
}

async fn backfill(schedules: &Schedules, name: &str, from: &str, to: &str, shell: &Shell) -> Result<()> {
    let schedule = schedules.checked(name).await?;
    let (from, to) = (moment(from, schedule)?, last_moment(to, schedule)?);
    let fires: Vec<_> = schedule.timing.between(from - Duration::seconds(1), to.min(Utc::now())).collect();
    if fires.is_empty() {
        return Err(Error::usage(format!("`{name}` does not fire between these times"))
            .hint(format!("it fires {}", schedule.timing.words())));
    }
    let mut wrong = 0;
    for fire in &fires {
        let begun = Utc::now();
        let record = schedules.run_at(schedule, *fire, Trigger::Backfill, stopped(&shell.interrupt)).await?;
        if let Err(error) = ended(shell, schedule, &record, begun) {
            tell(&error.to_string());
            wrong += 1;
        }
    }
    match wrong {
        0 => Ok(()),
        wrong => Err(Error::storage(format!("{wrong} of {} runs failed", fires.len()))),
    }
}

async fn list(schedules: &Schedules) -> Result<Listing> {
    let listed = schedules.list().await?;
    let mut notes = Vec::new();
    for one in &listed {
        if let Some(wrong) = &one.wrong {
            let place = wrong.place().map(|place| format!(", at {place}")).unwrap_or_default();
            notes.push(format!("{}: {wrong}{place}", one.schedule.name));
        }
        if one.schedule.owner.is_empty() {
            notes.push(format!("{}: nobody is told of its failures; name an `owner`", one.schedule.name));
        }
    }
    let text = |of: fn(&crate::schedule::Listed) -> String| texts(listed.iter().map(of));
    let batch = [
        ("schedule", text(|one| one.schedule.name.clone())),
        ("runs", text(|one| one.schedule.work_name().to_owned())),
        ("when", text(|one| format!("{}, {}", one.schedule.timing.words(), one.schedule.timing.zone))),
        ("next", text(|one| one.next.map(|next| one.schedule.shown(next)).unwrap_or_default())),
        ("last", text(|one| one.last.as_ref().map(|last| one.schedule.shown(last.fire_time)).unwrap_or_default())),
        ("outcome", text(|one| one.last.as_ref().map(|last| last.outcome.word().to_owned()).unwrap_or_default())),
        (
            "to",
            text(|one| {
                one.schedule.to.iter().map(crate::lake::destination::Destination::shown).collect::<Vec<_>>().join("; ")
            }),
        ),
    ];
    Ok(Listing { batch: rows(batch)?, notes })
}

/// The next fire times of a schedule, or of all of them together.
fn next(schedules: &Schedules, name: Option<&str>, count: usize) -> Result<Listing> {
    let now = schedules.clock().now();
    let chosen = chosen(schedules, name)?;
    let mut fires: Vec<(DateTime<Utc>, &Schedule)> = Vec::new();
    for schedule in chosen {
        let mut at = now;
        for _ in 0..count {
            let Some(fire) = schedule.timing.next(at) else { break };
            fires.push((fire, schedule));
            at = fire;
        }
    }
    fires.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.name.cmp(&b.1.name)));
    fires.truncate(count);
    let batch = [
        ("schedule", texts(fires.iter().map(|(_, schedule)| schedule.name.clone()))),
        ("fires", texts(fires.iter().map(|(fire, schedule)| schedule.shown(*fire)))),
        ("utc", texts(fires.iter().map(|(fire, _)| utc(*fire)))),
    ];
    Ok(Listing { batch: rows(batch)?, notes: Vec::new() })
}

/// The last runs of a schedule, or of all of them together, newest first.
async fn history(schedules: &Schedules, name: Option<&str>, count: usize) -> Result<Listing> {
    let mut runs: Vec<(RunRecord, &Schedule)> = Vec::new();
    for schedule in chosen(schedules, name)? {
        runs.extend(schedules.history(&schedule.name, count).await?.into_iter().map(|run| (run, schedule)));
    }
    runs.sort_by(|a, b| b.0.fire_time.cmp(&a.0.fire_time).then_with(|| a.0.schedule.cmp(&b.0.schedule)));
    runs.truncate(count);
    let text = |of: fn(&RunRecord) -> String| texts(runs.iter().map(|(run, _)| of(run)));
    let number = |of: fn(&RunRecord) -> Option<u64>| -> ArrayRef {
        let numbers = runs.iter().map(|(run, _)| of(run).and_then(|number| i64::try_from(number).ok()));
        Arc::new(numbers.collect::<Int64Array>())
    };
    let batch = [
        ("schedule", text(|run| run.schedule.clone())),
        ("fired", texts(runs.iter().map(|(run, schedule)| schedule.shown(run.fire_time)))),
        ("outcome", text(|run| run.outcome.word().to_owned())),
        ("started", text(|run| utc(run.started_at))),
        ("ms", number(|run| run.duration_ms)),
        ("rows", number(|run| run.rows)),
        ("why", text(|run| run.error.clone().or_else(|| run.reason.clone()).unwrap_or_default())),
        ("run_id", text(|run| run.run_id.clone())),
    ];
    Ok(Listing { batch: rows(batch)?, notes: Vec::new() })
}

fn chosen<'a>(schedules: &'a Schedules, name: Option<&str>) -> Result<Vec<&'a Schedule>> {
    match name {
        Some(name) => Ok(vec![schedules.schedule(name)?]),
        None => schedules.names().map(|name| schedules.schedule(name)).collect(),
    }
}

fn texts(values: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(values.map(Some).collect::<StringArray>())
}

fn rows<const N: usize>(columns: [(&str, ArrayRef); N]) -> Result<RecordBatch> {
    RecordBatch::try_from_iter(columns).map_err(|error| Error::internal(error.to_string()))
}

fn utc(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A moment as it is typed: `now`, one with its offset, or a time or day of the schedule's zone.
fn moment(text: &str, schedule: &Schedule) -> Result<DateTime<Utc>> {
    if text == "now" {
        return Ok(Utc::now().trunc_subsecs(0));
    }
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Ok(moment.with_timezone(&Utc));
    }
    let wall = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .or_else(|| day(text).map(|day| day.and_time(NaiveTime::MIN)));
    wall.and_then(|wall| schedule.timing.moment(wall)).ok_or_else(|| {
        Error::usage(format!("`{text}` is no time"))
            .hint(format!("write `2026-11-02 07:00` (in {}), `2026-11-02T12:00:00Z` or `now`", schedule.timing.zone))
    })
}

/// The same as the end of a span: a day is meant as a whole.
fn last_moment(text: &str, schedule: &Schedule) -> Result<DateTime<Utc>> {
    let Some(day) = day(text) else { return moment(text, schedule) };
    let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
    Ok(moment(&next.to_string(), schedule)? - Duration::seconds(1))
}

fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}
