//! What a lake is, as plain data: its manifest, its calendar, where it lies.
//!
//! Nothing here opens a table or knows the engine; the only I/O is reading text.

pub mod calendar;
pub mod column;
pub mod discover;
pub mod document;
pub mod manifest;
pub mod metric;
pub mod scale;

use std::collections::BTreeMap;
use std::path::PathBuf;

use calendar::Calendar;
use column::Column;
use metric::Metric;
use scale::Scales;

/// The file that makes a folder a lake.
pub const MANIFEST: &str = "cxlake.toml";

/// A lake: what its manifest says, checked and resolved.
#[derive(Clone, Debug)]
pub struct Lake {
    /// Folder that relative paths start from.
    pub root: PathBuf,
    pub name: String,
    pub calendar: Calendar,
    /// ISO code of the money that saved queries report in.
    pub currency: Option<String>,
    /// Folder of the saved queries.
    pub queries: PathBuf,
    pub tables: BTreeMap<String, Table>,
    /// What counts as good and bad on the scales of scores.
    pub scales: Scales,
    /// The definitions that statements and queries share, by name.
    pub metrics: BTreeMap<String, Metric>,
}

impl Lake {
    /// A lake without tables or queries, for working on files by path.
    pub fn nowhere(folder: PathBuf) -> Self {
        Self {
            queries: folder.join("queries"),
            root: folder,
            name: String::new(),
            calendar: Calendar::default(),
            currency: None,
            tables: BTreeMap::new(),
            scales: Scales::default(),
            metrics: metric::of_scales(&Scales::default()),
        }
    }
}

/// A table: a name in SQL for one or more Parquet files, with what they are held to.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: String,
    /// A file, a folder or a glob, as the manifest has it.
    pub path: String,
    pub description: Option<String>,
    /// Columns that every file must have; empty when the files themselves say what there is.
    pub columns: Vec<Column>,
    /// Columns whose values are in the folder names (`period=2026-09-01`), outermost first.
    pub partition: Vec<Column>,
}
