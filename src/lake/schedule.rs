//! `[schedule.NAME]` and `[scheduler]`: what runs when, and where it goes.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::Table;
use super::alert::{self, Alert, AlertSection};
use super::checked::{Outcome, Verdict};
use super::destination::{self, Destination, DestinationSection};
use super::document::{Document, InOrder};
use super::report::{Form, Params, params};
use super::smtp::Smtp;
use super::span;
use super::store::Store;
use super::timing::Timing;
use crate::error::{Error, Result};
use crate::suggest;

/// How long making a report may take, unless the manifest says otherwise.
const TIMEOUT: Duration = Duration::from_mins(10);

/// The first pause before a failure is tried again, unless the manifest says otherwise.
const RETRY_WAIT: Duration = Duration::from_mins(1);

/// Tries that a schedule may ask for, beside the first.
const RETRIES_MAX: u32 = 20;

/// How long a run stays with its process without a sign of life, unless the manifest says otherwise.
const LEASE: Duration = Duration::from_mins(1);

/// Shorter leases would be lost by a slow request.
const LEASE_MIN: Duration = Duration::from_secs(1);

/// Runs that compute side by side, unless the manifest says otherwise.
const AT_ONCE: usize = 4;

/// A schedule.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub name: String,
    pub work: Work,
    pub timing: Timing,
    pub wait_for: Option<WaitFor>,
    pub catch_up: CatchUp,
    pub overlap: Overlap,
    /// Further tries after a failure.
    pub retries: u32,
    /// Pause before the second try; doubled before each further one.
    pub retry_wait: Duration,
    /// How long making it may take.
    pub timeout: Duration,
    /// How much later than its fire time a run may begin.
    pub jitter: Duration,
    pub to: Vec<Destination>,
    /// Who is told of failures.
    pub owner: Vec<Destination>,
    /// File and line of the manifest, for errors about what it names.
    pub place: (String, usize),
}

/// What a schedule runs.
#[derive(Clone, Debug)]
pub enum Work {
    Report {
        /// A report, or a saved query as a report by itself.
        name: String,
        params: Params,
        forms: Vec<Form>,
        csv_safe: bool,
    },
    Alert(Box<Alert>),
}

/// Checks that must pass before a report is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitFor {
    pub checks: Vec<Awaited>,
    /// How long after the fire time.
    pub until: Duration,
    pub then: Then,
}

/// What is waited for: the checks of a table, but for warnings, or one check, whatever it weighs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    pub table: String,
    pub check: Option<String>,
}

impl Awaited {
    /// Whether an outcome is one to wait for.
    pub fn is_missing(&self, outcome: &Outcome) -> bool {
        outcome.table == self.table
            && match &self.check {
                Some(check) => outcome.check == *check && outcome.verdict != Verdict::Passed,
                None => outcome.is_error(),
            }
    }
}

/// What happens when the checks have not passed in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// It is sent, with a banner that says what has not passed.
    SendWithBanner,
    /// It is not sent, and the owner is told.
    Skip,
    /// The same, as a failure.
    Fail,
}

/// What happens with fire times that were missed while no scheduler ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// The last of them runs.
    #[default]
    Latest,
    /// All of them run, in their order.
    All,
    /// None of them runs.
    Skip,
}

/// What happens with a fire time that comes while the run before is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// It does not run.
    #[default]
    Skip,
    /// It runs when the one before has ended.
    Wait,
}

/// What holds for all schedules of a lake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduler {
    /// How long a run stays with its process without a sign of life.
    pub lease: Duration,
    /// Runs that compute side by side.
    pub at_once: usize,
}

impl Default for Scheduler {
    fn default() -> Self {
        Self { lease: LEASE, at_once: AT_ONCE }
    }
}

impl Schedule {
    /// When the run of a fire time begins: later by a part of the jitter that is always the same for it, so that schedulers on
    /// several machines agree.
    pub fn due(&self, fire: DateTime<Utc>) -> DateTime<Utc> {
        let hash = Sha256::digest(format!("{} {}", self.name, fire.timestamp()));
        let number = hash.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let millis = u64::try_from(self.jitter.as_millis()).unwrap_or(u64::MAX);
        fire + Duration::from_millis(number % millis.max(1))
    }

    /// A fire time as the clock of the schedule's zone shows it.
    pub fn wall(&self, fire: DateTime<Utc>) -> NaiveDateTime {
        fire.with_timezone(&self.timing.zone).naive_local()
    }

    /// A moment with its zone, as people read it: `2026-11-02 07:00 EST`.
    pub fn shown(&self, moment: DateTime<Utc>) -> String {
        moment.with_timezone(&self.timing.zone).format("%Y-%m-%d %H:%M %Z").to_string()
    }

    /// The name of what it runs.
    pub fn work_name(&self) -> &str {
        match &self.work {
            Work::Report { name, .. } => name,
            Work::Alert(alert) => &alert.name,
        }
    }

    /// The kind of what it runs, as records have it.
    pub fn kind(&self) -> &'static str {
        match self.work {
            Work::Report { .. } => "report",
            Work::Alert(_) => "alert",
        }
    }

    /// The pause behind a try that failed, counted from 1.
    pub fn pause(&self, tried: u32) -> Duration {
        self.retry_wait.saturating_mul(2_u32.saturating_pow(tried.saturating_sub(1)))
    }
}

/// A schedule: what runs when, and where it goes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSection {
    /// Name of a report, or of a saved query.
    report: String,
    /// When, as cron has it: minute, hour, day of the month, month, day of the week.
    #[schemars(with = "String")]
    cron: Spanned<String>,
    /// IANA time zone of `cron`; the lake's where there is none.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    time_zone: Option<Spanned<String>>,
    /// Values for parameters; relative dates count from the fire time.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    params: InOrder<Spanned<toml::Value>>,
    /// Forms of the report: `html`, `xlsx`, `csv`, `md`, `json`, `parquet`; `html` where there are none.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    formats: Vec<Spanned<String>>,
    /// Cells of CSV files that a spreadsheet would take for a formula get a `'` before them.
    #[serde(default)]
    csv_safe: bool,
    /// Checks that must pass before it is sent.
    #[serde(default)]
    wait_for: Option<WaitSection>,
    /// Fire times that were missed while no scheduler ran: `latest`, `all` or `skip`.
    #[serde(default)]
    catch_up: CatchUp,
    /// A fire time that comes while the run before is under way: `skip` or `wait`.
    #[serde(default)]
    overlap: Overlap,
    /// Further tries after a failure; 0.
    #[serde(default)]
    #[schemars(with = "Option<u32>")]
    retries: Option<Spanned<u32>>,
    /// Pause before the second try, doubled before each further one; `1min`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    retry_wait: Option<Spanned<String>>,
    /// How long making it may take; `10min`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    timeout: Option<Spanned<String>>,
    /// How much later than its fire time a run may begin; at once where there is none.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    jitter: Option<Spanned<String>>,
    /// Where it goes.
    #[schemars(with = "Vec<DestinationSection>")]
    to: Spanned<Vec<Spanned<DestinationSection>>>,
    /// Who is told of failures, by mail or webhook; those of `[scheduler]` where there are none.
    #[serde(default)]
    #[schemars(with = "Option<Vec<DestinationSection>>")]
    owner: Option<Vec<Spanned<DestinationSection>>>,
}

/// Checks that are waited for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitSection {
    /// Tables whose checks must pass, but for warnings, and single checks, as `TABLE.CHECK`, whatever they weigh.
    #[schemars(with = "Vec<String>")]
    checks: Spanned<Vec<Spanned<String>>>,
    /// How long after the fire time they are waited for.
    #[schemars(with = "String")]
    until: Spanned<String>,
    /// What happens then: `send_with_banner`, `skip` or `fail`.
    then: Then,
}

/// What schedules and alerts say alike.
pub(super) struct Common {
    pub cron: Spanned<String>,
    pub time_zone: Option<Spanned<String>>,
    pub wait_for: Option<WaitSection>,
    pub catch_up: CatchUp,
    pub overlap: Overlap,
    pub retries: Option<Spanned<u32>>,
    pub retry_wait: Option<Spanned<String>>,
    pub timeout: Option<Spanned<String>>,
    pub jitter: Option<Spanned<String>>,
    pub to: Spanned<Vec<Spanned<DestinationSection>>>,
    pub owner: Option<Vec<Spanned<DestinationSection>>>,
}

/// What holds for all schedules.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SchedulerSection {
    /// How long a run stays with its process without a sign of life, before another takes it up; `1min`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    lease: Option<Spanned<String>>,
    /// Runs that compute side by side; 4.
    #[serde(default)]
    #[schemars(with = "Option<usize>")]
    at_once: Option<Spanned<usize>>,
    /// Who is told of failures of schedules that name nobody.
    #[serde(default)]
    #[schemars(with = "Vec<DestinationSection>")]
    owner: Vec<Spanned<DestinationSection>>,
}

/// What schedules are held against.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    pub document: &'a Document<'a>,
    /// The lake's time zone.
    pub zone: Tz,
    pub tables: &'a BTreeMap<String, Table>,
    pub stores: &'a BTreeMap<String, Store>,
    pub smtp: Option<&'a Smtp>,
}

/// The schedules of a manifest by name, alerts among them, and what holds for all of them.
///
/// # Errors
/// `InvalidData` with the line of what is wrong.
pub fn declared(
    around: Around<'_>,
    sections: BTreeMap<Spanned<String>, ScheduleSection>,
    alerts: BTreeMap<Spanned<String>, AlertSection>,
    scheduler: SchedulerSection,
) -> Result<(BTreeMap<String, Schedule>, Scheduler)> {
    let owner = owners(around, scheduler.owner)?;
    let settings = Scheduler {
        lease: at_least(around.document, scheduler.lease, LEASE, LEASE_MIN)?,
        at_once: match scheduler.at_once {
            Some(none) if *none.get_ref() == 0 => {
                return Err(around.document.error_at(none.span().start, "`at_once` is 0: nothing could run"));
            }
            at_once => at_once.map_or(AT_ONCE, Spanned::into_inner),
        },
    };
    let mut schedules: BTreeMap<String, Schedule> = BTreeMap::new();
    for (name, section) in sections {
        let (work, common) = report(around.document, section)?;
        schedules.insert(name.get_ref().clone(), schedule(around, "schedule", &name, work, common, &owner)?);
    }
    for (name, section) in alerts {
        if schedules.contains_key(name.get_ref()) {
            let message = format!("`{}` is the name of a schedule and of an alert", name.get_ref());
            return Err(around
                .document
                .error_at(name.span().start, message)
                .hint("runs are told apart by it; rename one"));
        }
        let (alert, common) = alert::declared(around.document, &name, section)?;
        let work = Work::Alert(Box::new(alert));
        schedules.insert(name.get_ref().clone(), schedule(around, "alert", &name, work, common, &owner)?);
    }
    Ok((schedules, settings))
}

/// What a schedule runs, and what it says as an alert does, too.
fn report(document: &Document<'_>, section: ScheduleSection) -> Result<(Work, Common)> {
    let forms = section.formats.iter().map(|form| in_manifest(document, form, Form::parse));
    let mut forms = forms.collect::<Result<Vec<_>>>()?;
    if forms.is_empty() {
        forms.push(Form::Html);
    }
    let work = Work::Report {
        name: section.report,
        params: params(document, section.params)?,
        forms,
        csv_safe: section.csv_safe,
    };
    let common = Common {
        cron: section.cron,
        time_zone: section.time_zone,
        wait_for: section.wait_for,
        catch_up: section.catch_up,
        overlap: section.overlap,
        retries: section.retries,
        retry_wait: section.retry_wait,
        timeout: section.timeout,
        jitter: section.jitter,
        to: section.to,
        owner: section.owner,
    };
    Ok((work, common))
}

/// `what` is the table of the manifest that it is in.
fn schedule(
    around: Around<'_>,
    what: &str,
    name: &Spanned<String>,
    work: Work,
    common: Common,
    owner: &[Destination],
) -> Result<Schedule> {
    let document = around.document;
    check_name(document, what, name)?;
    if common.to.get_ref().is_empty() {
        return Err(document
            .error_at(common.to.span().start, format!("{what} `{}` goes nowhere", name.get_ref()))
            .hint(format!("add `[[{what}.{}.to]]` with `folder`, `email` or `webhook`", name.get_ref())));
    }
    if let Some(many) = common.retries.as_ref().filter(|retries| *retries.get_ref() > RETRIES_MAX) {
        return Err(document
            .error_at(many.span().start, format!("`retries` is {}, more than {RETRIES_MAX}", many.get_ref()))
            .hint("each try waits twice as long as the one before"));
    }
    let span_or = |span: Option<Spanned<String>>, or: Duration| match span {
        Some(span) => in_manifest(document, &span, span::parse),
        None => Ok(or),
    };
    Ok(Schedule {
        work,
        timing: timing(document, &common.cron, common.time_zone.as_ref(), around.zone)?,
        wait_for: common.wait_for.map(|wait| wait_for(around, wait)).transpose()?,
        catch_up: common.catch_up,
        overlap: common.overlap,
        retries: common.retries.map(Spanned::into_inner).unwrap_or_default(),
        retry_wait: span_or(common.retry_wait, RETRY_WAIT)?,
        timeout: span_or(common.timeout, TIMEOUT)?,
        jitter: span_or(common.jitter, Duration::ZERO)?,
        to: destination::declared(around, common.to.into_inner())?,
        owner: common.owner.map_or_else(|| Ok(owner.to_vec()), |own| owners(around, own))?,
        place: (document.file.to_owned(), document.line(name.span().start)),
        name: name.get_ref().clone(),
    })
}

/// A schedule's name is that of a folder among the records.
fn check_name(document: &Document<'_>, what: &str, name: &Spanned<String>) -> Result<()> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if name.get_ref().is_empty() || !name.get_ref().chars().all(is_plain) {
        return Err(document
            .error_at(name.span().start, format!("{what} `{}` cannot name a folder", name.get_ref()))
            .hint("letters, digits, `-` and `_`"));
    }
    Ok(())
}

/// When something fires, in its own zone or the lake's.
///
/// # Errors
/// `InvalidData` with the line and the reason.
pub fn timing(
    document: &Document<'_>,
    cron: &Spanned<String>,
    zone: Option<&Spanned<String>>,
    of_lake: Tz,
) -> Result<Timing> {
    let zone = match zone {
        None => of_lake,
        Some(zone) => zone.get_ref().parse::<Tz>().map_err(|_| {
            document
                .error_at(zone.span().start, format!("unknown time zone `{}`", zone.get_ref()))
                .hint("use a name of the IANA database, such as `Europe/Berlin`")
        })?,
    };
    Timing::parse(cron.get_ref(), zone).map_err(|reason| {
        document
            .error_at(cron.span().start, format!("`{}` is no time of cron: {reason}", cron.get_ref()))
            .hint("minute, hour, day of the month, month, day of the week; `0 7 * * MON#1` is 7:00 on the first Monday")
    })
}

fn wait_for(around: Around<'_>, section: WaitSection) -> Result<WaitFor> {
    let document = around.document;
    if section.checks.get_ref().is_empty() {
        return Err(document.error_at(section.checks.span().start, "`checks` names no table"));
    }
    let checks = section.checks.into_inner().into_iter();
    Ok(WaitFor {
        checks: checks.map(|written| awaited(around, &written)).collect::<Result<_>>()?,
        until: in_manifest(document, &section.until, span::parse)?,
        then: section.then,
    })
}

fn awaited(around: Around<'_>, written: &Spanned<String>) -> Result<Awaited> {
    let (table, check) = match written.get_ref().split_once('.') {
        Some((table, check)) => (table, Some(check)),
        None => (written.get_ref().as_str(), None),
    };
    let error = |text: String| around.document.error_at(written.span().start, text);
    let Some(found) = around.tables.get(table) else {
        let error = error(format!("table `{table}` is not in this lake"));
        return Err(match suggest::nearest(table, around.tables.keys().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`checks` lists tables, whose checks are waited for"),
        });
    };
    if let Some(check) = check
        && !found.checks.names().any(|known| known == check)
    {
        let error = error(format!("table `{table}` has no check `{check}`"));
        return Err(match suggest::nearest(check, found.checks.names()) {
            Some(near) => error.hint(format!("did you mean `{table}.{near}`?")),
            None => error.hint("`cxlake check` lists the checks of all tables"),
        });
    }
    Ok(Awaited { table: table.to_owned(), check: check.map(str::to_owned) })
}

/// Destinations of those who are told of failures, which are messages and no files.
fn owners(around: Around<'_>, sections: Vec<Spanned<DestinationSection>>) -> Result<Vec<Destination>> {
    let starts: Vec<usize> = sections.iter().map(|section| section.span().start).collect();
    let owners = destination::declared(around, sections)?;
    let folder = owners.iter().zip(starts).find(|(owner, _)| matches!(owner, Destination::Folder(_)));
    match folder {
        Some((_, start)) => Err(around
            .document
            .error_at(start, "an owner is told by `email` or `webhook`")
            .hint("what is in a folder, nobody is told of")),
        None => Ok(owners),
    }
}

fn at_least(
    document: &Document<'_>,
    written: Option<Spanned<String>>,
    or: Duration,
    least: Duration,
) -> Result<Duration> {
    let Some(written) = written else { return Ok(or) };
    let found = in_manifest(document, &written, span::parse)?;
    if found < least {
        let message = format!("`{}` is shorter than {}", written.get_ref(), span::shown(least));
        return Err(document.error_at(written.span().start, message));
    }
    Ok(found)
}

/// A value of a manifest as `read` reads it; what is wrong with it is wrong in a file.
pub(super) fn in_manifest<T>(
    document: &Document<'_>,
    value: &Spanned<String>,
    read: impl Fn(&str) -> Result<T>,
) -> Result<T> {
    read(value.get_ref()).map_err(|error| {
        let wrong = document.error_at(value.span().start, error.message());
        match error.hint_text() {
            Some(hint) => wrong.hint(hint),
            None => wrong,
        }
    })
}

/// A schedule that is not there.
pub fn unknown(name: &str, schedules: &BTreeMap<String, Schedule>) -> Error {
    let error = Error::usage(format!("no schedule `{name}` in this lake"));
    match suggest::nearest(name, schedules.keys().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`? `cxlake schedule list` lists all")),
        None if schedules.is_empty() => error.hint("declare one as `[schedule.NAME]` in `cxlake.toml`"),
        None => error.hint("`cxlake schedule list` lists all"),
    }
}
