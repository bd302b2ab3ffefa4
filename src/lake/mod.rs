//! What a lake is, as plain data: its manifest, its calendar, where it lies.
//!
//! Nothing here opens a table or knows the engine; the only I/O is reading text.

pub mod alert;
pub mod calendar;
pub mod check;
pub mod checked;
pub mod column;
pub mod destination;
pub mod discover;
pub mod document;
pub mod layout;
pub mod manifest;
pub mod metric;
pub mod parameter;
pub mod report;
pub mod run;
pub mod scale;
pub mod schedule;
pub mod smtp;
pub mod span;
pub mod store;
pub mod timing;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use alert::Alert;
use calendar::Calendar;
use check::Checks;
use column::Column;
use layout::Layout;
use metric::Metric;
use report::Report;
use scale::Scales;
use schedule::{Schedule, Scheduler, Work};
use smtp::Smtp;
use store::Store;

/// The file that makes a folder a lake.
pub const MANIFEST: &str = "cxlake.toml";

/// Where a lake or a part of it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    Folder(PathBuf),
    /// An address such as `s3://bucket/folder`, without a slash at its end.
    Address(String),
}

impl Root {
    /// What was typed for a lake: an address, or else a folder.
    pub fn typed(text: &Path) -> Self {
        match text.to_str() {
            Some(address) if is_address(address) => Self::Address(address.trim_end_matches('/').to_owned()),
            _ => Self::Folder(text.to_owned()),
        }
    }

    /// A file or folder below it.
    #[must_use]
    pub fn join(&self, below: &str) -> Self {
        match self {
            Self::Folder(folder) => Self::Folder(folder.join(below)),
            Self::Address(address) => Self::Address(format!("{address}/{}", below.trim_end_matches('/'))),
        }
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Address(address) => f.write_str(address),
        }
    }
}

/// Whether a path is the address of something in a bucket.
pub fn is_address(path: &str) -> bool {
    path.starts_with(store::SCHEME)
}

/// A lake: what its manifest says, checked and resolved.
#[derive(Clone, Debug)]
pub struct Lake {
    /// Where relative paths start.
    pub root: Root,
    /// The manifest as it was read.
    pub text: String,
    pub name: String,
    pub calendar: Calendar,
    /// ISO code of the money that saved queries report in.
    pub currency: Option<String>,
    /// Folder of the saved queries.
    pub queries: Root,
    /// Folder of what the lake keeps of what was done, as the manifest has it: a path, an address, or `STORE:path`.
    pub records: String,
    /// Bytes that what is read from buckets may take on this machine's disk.
    pub cache_bytes_max: u64,
    /// Bytes that results of saved queries may take there.
    pub results_bytes_max: u64,
    /// Buckets by the names that paths begin with.
    pub stores: BTreeMap<String, Store>,
    pub tables: BTreeMap<String, Table>,
    /// What counts as good and bad on the scales of scores.
    pub scales: Scales,
    /// The definitions that statements and queries share, by name.
    pub metrics: BTreeMap<String, Metric>,
    /// Documents made of saved queries, by name.
    pub reports: BTreeMap<String, Report>,
    /// The server that takes mail.
    pub smtp: Option<Smtp>,
    /// What runs when.
    pub schedules: BTreeMap<String, Schedule>,
    pub scheduler: Scheduler,
}

impl Lake {
    /// A lake without tables or queries, for working on files by path.
    pub fn nowhere(folder: PathBuf) -> Self {
        Self {
            queries: Root::Folder(folder.join("queries")),
            root: Root::Folder(folder),
            records: manifest::RECORDS.to_owned(),
            cache_bytes_max: manifest::CACHE_MB << 20,
            results_bytes_max: manifest::RESULTS_MB << 20,
            text: String::new(),
            stores: BTreeMap::new(),
            name: String::new(),
            calendar: Calendar::default(),
            currency: None,
            tables: BTreeMap::new(),
            scales: Scales::default(),
            metrics: metric::of_scales(&Scales::default()),
            reports: BTreeMap::new(),
            smtp: None,
            schedules: BTreeMap::new(),
            scheduler: Scheduler::default(),
        }
    }

    /// The alerts among the schedules.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.schedules.values().filter_map(|schedule| match &schedule.work {
            Work::Alert(alert) => Some(alert.as_ref()),
            Work::Report { .. } => None,
        })
    }
}

/// A table: a name in SQL for one or more Parquet files, with what they are held to.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: String,
    /// A file, a folder or a glob, as the manifest has it: a path, an address, or `STORE:path`.
    pub path: String,
    pub description: Option<String>,
    /// Columns that every file must have; empty when the files themselves say what there is.
    pub columns: Vec<Column>,
    /// Columns whose values are in the folder names (`period=2026-09-01`), outermost first.
    pub partition: Vec<Column>,
    /// What its rows are held to.
    pub checks: Checks,
    /// How its files are laid out when they are rewritten.
    pub layout: Layout,
}
