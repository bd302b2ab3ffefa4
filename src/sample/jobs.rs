//! Which files there are, and the threads that write them.

use std::fs;
use std::mem;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::calendar::{MONTHS, month_name};
use super::world::World;
use super::writer::{Column, Run, Sink};
use super::{
    accounts, assessments, codebook, contacts, costs, escalations, feedback, follow_ups, initiatives, money, offices,
    operations, partners, revenue, surveys, touches,
};
use crate::error::{Error, Kind, Result};

/// A file is split before it would hold more rows than this, by what is expected.
const FILE_ROWS: f64 = 4_500_000.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Offices,
    Accounts,
    Surveys,
    CostPerTouch,
    Touches,
    FieldFeedback,
    Contacts,
    AccountRevenue,
    Escalations,
    FollowUps,
    PartnerSurveys,
    Operations,
    Assessments,
    Initiatives,
    FxRates,
    Countries,
    Codebook,
}

impl Table {
    const ALL: [Self; 17] = [
        Self::Offices,
        Self::Accounts,
        Self::Surveys,
        Self::CostPerTouch,
        Self::Touches,
        Self::FieldFeedback,
        Self::Contacts,
        Self::AccountRevenue,
        Self::Escalations,
        Self::FollowUps,
        Self::PartnerSurveys,
        Self::Operations,
        Self::Assessments,
        Self::Initiatives,
        Self::FxRates,
        Self::Countries,
        Self::Codebook,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Offices => "offices",
            Self::Accounts => "accounts",
            Self::Surveys => "surveys",
            Self::CostPerTouch => "cost_per_touch",
            Self::Touches => "touches",
            Self::FieldFeedback => "field_feedback",
            Self::Contacts => "contacts",
            Self::AccountRevenue => "account_revenue",
            Self::Escalations => "escalations",
            Self::FollowUps => "follow_ups",
            Self::PartnerSurveys => "partner_surveys",
            Self::Operations => "operations",
            Self::Assessments => "assessments",
            Self::Initiatives => "initiatives",
            Self::FxRates => "fx_rates",
            Self::Countries => "countries",
            Self::Codebook => "codebook",
        }
    }

    /// The column that its folders are named after, when it has one folder a month.
    fn partition(self) -> Option<&'static str> {
        match self {
            Self::Surveys => Some("month"),
            Self::CostPerTouch | Self::Touches | Self::AccountRevenue => Some("period"),
            _ => None,
        }
    }

    /// Whether it is the same at any scale: one file, named like the table.
    fn is_fixed(self) -> bool {
        matches!(
            self,
            Self::Offices
                | Self::PartnerSurveys
                | Self::Operations
                | Self::Assessments
                | Self::Initiatives
                | Self::FxRates
                | Self::Countries
                | Self::Codebook
        )
    }

    /// How many things its rows are made from: postings or accounts, or the table as a whole.
    fn things(self, world: &World) -> u64 {
        match self {
            Self::CostPerTouch => costs::CELLS * u64::from(world.scale),
            _ if self.is_fixed() => 1,
            _ => world.accounts,
        }
    }

    /// How many rows a thing has in one file, measured.
    fn rows_each(self) -> f64 {
        match self {
            Self::Offices => offices::COUNT as f64,
            Self::Accounts => 1.0,
            Self::CostPerTouch => 0.986,
            Self::Surveys => 1.835,
            Self::Touches => 5.76,
            Self::FieldFeedback => 5.25,
            Self::Contacts => 2.247,
            Self::AccountRevenue => 0.891,
            Self::Escalations => 1.57,
            Self::FollowUps => 1.78,
            Self::PartnerSurveys => 2_214.0,
            Self::Operations => 5_904.0,
            Self::Assessments => 9_920.0,
            Self::Initiatives => 40.0,
            Self::FxRates => 216.0,
            Self::Countries => 14.0,
            Self::Codebook => 79.0,
        }
    }
}

/// One file.
#[derive(Clone, Debug)]
pub(super) struct Job {
    table: Table,
    month: usize,
    part: u64,
    things: Range<u64>,
}

impl Job {
    /// How many rows the file will have, about.
    pub(super) fn rows_expected(&self) -> u64 {
        ((self.things.end - self.things.start) as f64 * self.table.rows_each()) as u64
    }

    fn path(&self, dir: &Path) -> PathBuf {
        let folder = dir.join(self.table.name());
        match self.table.partition() {
            _ if self.table.is_fixed() => folder.join(format!("{}.parquet", self.table.name())),
            Some(column) => folder
                .join(format!("{column}={}", month_name(self.month)))
                .join(format!("part-{:04}.parquet", self.part)),
            None => folder.join(format!("part-{:04}.parquet", self.part)),
        }
    }

    fn write(&self, world: &World, dir: &Path, run: &Run<'_>) -> Result<u64> {
        let (month, things, path) = (self.month, self.things.clone(), &self.path(dir));
        match self.table {
            Table::Offices => file(path, &|rows| offices::columns(world, rows), run, offices::generate),
            Table::Accounts => {
                file(path, &|rows| accounts::columns(world, rows), run, |sink| accounts::generate(world, things, sink))
            }
            Table::Surveys => file(path, &|rows| surveys::columns(world, rows), run, |sink| {
                surveys::generate(world, month, things, sink)
            }),
            Table::CostPerTouch => {
                file(path, &|rows| costs::columns(rows), run, |sink| costs::generate(world, month, things, sink))
            }
            Table::Touches => file(path, &|rows| touches::columns(world, rows), run, |sink| {
                touches::generate(world, month, things, sink)
            }),
            Table::FieldFeedback => {
                file(path, &|rows| feedback::columns(world, rows), run, |sink| feedback::generate(world, things, sink))
            }
            Table::Contacts => {
                file(path, &|rows| contacts::columns(world, rows), run, |sink| contacts::generate(world, things, sink))
            }
            Table::AccountRevenue => file(path, &|rows| revenue::columns(world, rows), run, |sink| {
                revenue::generate(world, month, things, sink)
            }),
            Table::Escalations => file(path, &|rows| escalations::columns(world, rows), run, |sink| {
                escalations::generate(world, things, sink)
            }),
            Table::FollowUps => file(path, &|rows| follow_ups::columns(world, rows), run, |sink| {
                follow_ups::generate(world, things, sink)
            }),
            Table::PartnerSurveys => file(path, &partners::columns, run, |sink| partners::generate(world, sink)),
            Table::Operations => file(path, &operations::columns, run, |sink| operations::generate(world, sink)),
            Table::Assessments => file(path, &assessments::columns, run, |sink| assessments::generate(world, sink)),
            Table::Initiatives => file(path, &initiatives::columns, run, |sink| initiatives::generate(world, sink)),
            Table::FxRates => file(path, &money::rate_columns, run, |sink| money::generate_rates(world, sink)),
            Table::Countries => file(path, &money::country_columns, run, money::generate_countries),
            Table::Codebook => file(path, &codebook::columns, run, codebook::generate),
        }
    }
}

fn file<R>(
    path: &Path,
    columns: &dyn Fn(&[R]) -> Vec<Column>,
    run: &Run<'_>,
    generate: impl FnOnce(&mut Sink<'_, R>) -> Result<()>,
) -> Result<u64> {
    let mut sink = Sink::open(path, columns, run)?;
    generate(&mut sink)?;
    sink.finish()
}

/// All files, in the order of tables and months.
pub(super) fn all(world: &World) -> Vec<Job> {
    let mut jobs = Vec::new();
    for table in Table::ALL {
        let months = if table.partition().is_some() { MONTHS } else { 1 };
        let things = table.things(world);
        let parts = ((things as f64 * table.rows_each() / FILE_ROWS).ceil() as u64).max(1);
        let start = |part: u64| (u128::from(things) * u128::from(part) / u128::from(parts)) as u64;
        for month in 0..months {
            jobs.extend((0..parts).map(|part| Job { table, month, part, things: start(part)..start(part + 1) }));
        }
    }
    jobs
}

/// Writes all files; see [`super::write`].
pub(super) fn run(
    world: &World,
    dir: &Path,
    threads: usize,
    progress: &(dyn Fn(u64) + Sync),
    stop: &AtomicBool,
) -> Result<u64> {
    if let Some(table) = Table::ALL.into_iter().find(|table| dir.join(table.name()).exists()) {
        let message = format!("`{}` already holds `{}`", dir.display(), table.name());
        return Err(Error::usage(message).hint("name a new folder, or remove the old sample first"));
    }
    let failed = &AtomicBool::new(false);
    let run = &Run { stop, failed, progress };
    let jobs = &all(world);
    let next = &AtomicUsize::new(0);
    let errors = &Mutex::new(Vec::new());
    let report = |error| errors.lock().unwrap_or_else(PoisonError::into_inner).push(error);
    let work = || {
        let mut rows = 0;
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            match job.write(world, dir, run) {
                Ok(written) => rows += written,
                Err(error) => {
                    failed.store(true, Ordering::Relaxed);
                    report(error);
                    break;
                }
            }
        }
        rows
    };
    let rows = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let rows = workers.into_iter().map(|worker| {
            worker.join().unwrap_or_else(|_| {
                report(Error::internal("a thread that writes the sample panicked"));
                0
            })
        });
        rows.sum()
    });
    let errors = mem::take(&mut *errors.lock().unwrap_or_else(PoisonError::into_inner));
    let Some(error) = cause(errors) else { return Ok(rows) };
    remove(dir);
    Err(error)
}

/// The error that the others follow from: they were interrupted because of it.
fn cause(mut errors: Vec<Error>) -> Option<Error> {
    let first = errors.iter().position(|error| error.kind() != Kind::Interrupted).unwrap_or(0);
    (!errors.is_empty()).then(|| errors.swap_remove(first))
}

/// Takes away the tables of this run; none of them was there before.
fn remove(dir: &Path) {
    for table in Table::ALL {
        // The error that led here is worth more than one of tidying up after it.
        let _ = fs::remove_dir_all(dir.join(table.name()));
    }
}
