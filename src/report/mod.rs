//! Reports: saved queries -> a document -> files for people and programs.
//!
//! [`make`] runs every query once and writes as many forms of the document as are asked for; [`place`] lets them appear
//! somewhere; [`verify`] runs a report that was published again and says whether the same came out.

mod cells;
mod charts;
mod document;
mod facts;
mod files;
mod gather;
mod html;
mod markdown;
mod place;
mod plan;
mod provenance;
mod rows;
mod tone;
mod verify;
mod xlsx;

use std::io::BufWriter;

use chrono::{DateTime, Utc};
use tempfile::{NamedTempFile, TempPath};
use uuid::Uuid;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::hash::Hash;
pub use crate::lake::report::Form;
use crate::output::chart;
use crate::quality::{self, Outcome};
use crate::query::run::Given;
use crate::query::saved::Library;
use document::Document;
use provenance::Provenance;

pub use place::place;
pub use plan::{check, find, typed};
pub use verify::{Verdict, verify};

/// What a report is asked for.
#[derive(Clone, Debug)]
pub struct Order {
    /// Name of a report, or of a saved query.
    pub name: String,
    /// Texts of parameters.
    pub given: Given,
    pub forms: Vec<Form>,
    /// Whether cells of CSV files that a spreadsheet would take for a formula get a `'` before them.
    pub csv_safe: bool,
    pub run_id: Uuid,
    pub started_at: DateTime<Utc>,
    /// What relative dates count from.
    pub now: DateTime<Utc>,
    /// What a reader must know before all else.
    pub banner: Option<String>,
}

/// What was made: files on this machine's disk, gone when they are dropped.
#[derive(Debug)]
pub struct Made {
    pub title: String,
    /// What it says, in sentences.
    pub summary: Vec<String>,
    pub files: Vec<MadeFile>,
    /// Rows of all results.
    pub rows: u64,
    /// Parameters as they ran, by name.
    pub parameters: Vec<(String, String)>,
    /// Hash of the files that were read.
    pub inputs: String,
    document: Document,
}

/// A chart of a report, for a reader that shows pictures and no pages, such as a mail.
#[derive(Debug)]
pub struct Picture {
    /// What it says.
    pub sentence: String,
    pub png: Vec<u8>,
}

impl Made {
    /// The first charts of the report, so many at most.
    ///
    /// # Errors
    /// `Internal` when one cannot be painted.
    pub fn pictures(&self, max: usize) -> Result<Vec<Picture>> {
        let drawings = self.document.sections.iter().flat_map(|section| &section.charts.drawings);
        let painted = drawings.take(max).map(|drawing| {
            // Twice the size at which it is shown, for screens that have the points.
            let png = drawing.png(chart::PAGE, 2 * u32::try_from(chart::PAGE.width).unwrap_or(u32::MAX / 2))?;
            Ok(Picture { sentence: drawing.sentence(), png })
        });
        painted.collect()
    }
}

/// A file of a report.
#[derive(Debug)]
pub struct MadeFile {
    /// Name without a folder.
    pub name: String,
    pub media_type: &'static str,
    pub path: TempPath,
    pub bytes: u64,
    pub sha256: String,
}

/// Runs a report and writes its files.
///
/// # Errors
/// `Usage` for a report or a parameter that is not there; those of its queries; `Storage` when the disk refuses.
pub async fn make(engine: &Engine, library: &Library, order: &Order) -> Result<Made> {
    let report = find(engine, library, &order.name).await?;
    let mut document = gather::gather(engine, library, &report, order).await?;
    document.checks = checks(engine, &document, order.now).await?;
    let mut files = Vec::new();
    let mut forms = order.forms.clone();
    forms.sort_unstable();
    forms.dedup();
    for form in forms {
        files.extend(files::write(&document, form, order).await?);
    }
    Ok(Made {
        title: document.title.clone(),
        summary: summary(&document),
        rows: document.rows(),
        parameters: facts::bound(&document),
        inputs: Provenance::of(&document).inputs_digest(),
        files,
        document,
    })
}

/// What the checks of the tables that a report read find.
async fn checks(engine: &Engine, document: &Document, now: DateTime<Utc>) -> Result<Vec<Outcome>> {
    let mut tables: Vec<String> = document.inputs.iter().filter_map(|input| input.table.clone()).collect();
    tables.sort();
    tables.dedup();
    // No table at all would stand for every one.
    if tables.is_empty() { Ok(Vec::new()) } else { quality::run(engine, &tables, now).await }
}

/// What the sections say, a sentence or two each.
fn summary(document: &Document) -> Vec<String> {
    let of_section = |section: &document::Section| {
        let answer = &section.result;
        let rows = answer.rows.count;
        let counted = if rows == 1 { "1 row.".to_owned() } else { format!("{rows} rows.") };
        let mut says: Vec<String> = section.charts.sentences().collect();
        if says.is_empty() {
            says.push(counted);
            says.extend(section.gaps_in_words().map(|gaps| format!("{gaps}.")));
        }
        format!("{}: {}", section.title, says.join(" "))
    };
    document.sections.iter().map(of_section).collect()
}

/// A file that is being written, hashed when it is whole.
pub struct Draft {
    name: String,
    media_type: &'static str,
    pub file: BufWriter<NamedTempFile>,
}

impl Draft {
    /// # Errors
    /// `Storage` when the disk refuses.
    pub fn new(name: String, media_type: &'static str) -> Result<Self> {
        let file = NamedTempFile::with_prefix(".cxlake-").map_err(cannot)?;
        Ok(Self { name, media_type, file: BufWriter::new(file) })
    }

    /// # Errors
    /// `Storage` when the disk refuses.
    pub fn finish(self) -> Result<MadeFile> {
        let file = self.file.into_inner().map_err(|error| cannot(error.into_error()))?;
        let path = file.into_temp_path();
        let mut hash = Hash::default();
        let mut written = std::fs::File::open(&path).map_err(cannot)?;
        let bytes = std::io::copy(&mut written, &mut hash).map_err(cannot)?;
        let sha256 = hash.digits();
        Ok(MadeFile { name: self.name, media_type: self.media_type, path, bytes, sha256 })
    }
}

fn cannot(error: std::io::Error) -> Error {
    Error::storage(format!("cannot write the report: {error}")).caused_by(error)
}
