//! Record batches into something that a person or a program reads.
//!
//! A [`Format`] names the form, a [`Sink`] writes it batch by batch, a [`target::Target`] is where it goes. Nothing is
//! held back but the rows from which the table takes its widths and a chart, so a result of any length streams.

mod arrow;
pub mod cell;
pub mod chart;
pub mod crosstab;
mod delimited;
mod fit;
pub mod html;
mod insert;
mod json;
mod markdown;
mod parquet;
pub mod present;
mod records;
mod table;
pub mod target;
pub mod total;

use std::io::Write;
use std::path::Path;

use ::arrow::array::RecordBatch;
use ::arrow::datatypes::{DataType, Field, IntervalUnit, SchemaRef};
use ::arrow::error::ArrowError;
use futures::{Stream, StreamExt};

use crate::error::{Error, Result};
use crate::suggest;
use present::Presentation;

/// The forms in which a result can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns for people.
    Table,
    /// The same with lines between and around the columns.
    Box,
    /// A line for each value, one row below the other.
    Vertical,
    Csv,
    Tsv,
    /// One array of objects.
    Json,
    /// One object per line.
    Ndjson,
    Markdown,
    /// A table of a web page.
    Html,
    /// INSERT statements.
    Insert,
    Parquet,
    /// Arrow IPC file.
    Arrow,
}

impl Format {
    /// Every format, with the name that picks it and the file extensions that mean it.
    pub const ALL: [(Self, &'static str, &'static [&'static str]); 12] = [
        (Self::Table, "table", &["txt"]),
        (Self::Box, "box", &[]),
        (Self::Vertical, "vertical", &[]),
        (Self::Csv, "csv", &["csv"]),
        (Self::Tsv, "tsv", &["tsv"]),
        (Self::Json, "json", &["json"]),
        (Self::Ndjson, "ndjson", &["ndjson", "jsonl"]),
        (Self::Markdown, "markdown", &["md", "markdown"]),
        (Self::Html, "html", &["html", "htm"]),
        (Self::Insert, "insert", &["sql"]),
        (Self::Parquet, "parquet", &["parquet"]),
        (Self::Arrow, "arrow", &["arrow", "feather", "ipc"]),
    ];

    /// The names, for help texts.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(_, name, _)| *name)
    }

    /// The format of this name.
    ///
    /// # Errors
    /// `Usage` with the nearest name.
    pub fn parse(name: &str) -> Result<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == name).map(|(format, ..)| *format).ok_or_else(|| {
            let hint = match suggest::nearest(name, Self::names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known formats: {}", suggest::list(Self::names())),
            };
            Error::usage(format!("unknown format `{name}`")).hint(hint)
        })
    }

    /// The format that a file's extension stands for.
    pub fn of_file(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_lowercase();
        Self::ALL.iter().find(|(_, _, known)| known.contains(&extension.as_str())).map(|(format, ..)| *format)
    }

    /// Whether readers of the form find columns by name alone, and would lose one of two.
    fn needs_unique_names(self) -> bool {
        matches!(self, Self::Json | Self::Ndjson | Self::Parquet)
    }

    /// Why the form cannot hold a column, and what to write instead.
    fn refuses(self, field: &Field) -> Option<Error> {
        let kind = field.data_type();
        let (what, instead) = match self {
            Self::Json | Self::Ndjson if holds(kind, &has_other_keys) => {
                ("maps whose keys are no texts, which JSON does not have", "write `parquet`")
            }
            Self::Parquet if holds(kind, &is_calendar_span) => {
                ("intervals, which Parquet cannot hold", "make texts of them with `cast(x as text)`")
            }
            Self::Insert if holds(kind, &has_fields) => {
                ("structs or maps, which `insert` cannot hold", "write `json` or `parquet`")
            }
            _ => return None,
        };
        Some(Error::query(format!("column `{}` has {what}", field.name())).hint(instead))
    }

    /// Whether the form is read by people, who want a blank line between two results.
    pub fn is_for_people(self) -> bool {
        self.is_table() || self == Self::Markdown
    }

    /// Whether the form is drawn for a screen, and fits it.
    pub fn is_table(self) -> bool {
        matches!(self, Self::Table | Self::Box | Self::Vertical)
    }

    /// Whether the form is for programs only and would garble a terminal.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Parquet | Self::Arrow)
    }
}

/// How a result is written.
#[derive(Clone, Debug)]
pub struct Style {
    pub format: Format,
    /// Columns of the terminal, for the table to fit; `None` writes full width.
    pub width: Option<usize>,
    /// Rows that the table shows at most; the rest is counted. Other formats write all.
    pub rows_max: Option<usize>,
    /// Whether a table too wide for the terminal has a line for each value instead.
    pub turns: bool,
    /// Whether texts that a spreadsheet would take for a formula get a `'` before them in CSV and TSV.
    pub csv_safe: bool,
    /// Titles and number formats, used by the forms for people.
    pub present: Presentation,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows of the result.
    pub rows: u64,
    /// Rows of it that were shown.
    pub shown: u64,
}

/// Writes one result in one format.
enum Sink<W: Write + Send> {
    Table(table::Table<W>),
    Delimited(delimited::Delimited<W>),
    Json(json::Json<W>),
    Markdown(markdown::Markdown<W>),
    Html(html::Html<W>),
    Insert(insert::Insert<W>),
    Parquet(parquet::Parquet<W>),
    Arrow(arrow::Arrow<W>),
}

impl<W: Write + Send> Sink<W> {
    fn open(out: W, schema: &SchemaRef, style: &Style) -> Result<Self, ArrowError> {
        Ok(match style.format {
            Format::Table | Format::Box | Format::Vertical => Self::Table(table::Table::new(out, schema, style)),
            Format::Csv => Self::Delimited(delimited::Delimited::new(out, schema, b',', style.csv_safe)?),
            Format::Tsv => Self::Delimited(delimited::Delimited::new(out, schema, b'\t', style.csv_safe)?),
            Format::Json => Self::Json(json::Json::array(out)),
            Format::Ndjson => Self::Json(json::Json::lines(out)),
            Format::Markdown => Self::Markdown(markdown::Markdown::new(out, schema, &style.present)?),
            Format::Html => Self::Html(html::Html::new(out, schema, &style.present)?),
            Format::Insert => Self::Insert(insert::Insert::new(out, schema)),
            Format::Parquet => Self::Parquet(parquet::Parquet::new(out, schema)?),
            Format::Arrow => Self::Arrow(arrow::Arrow::new(out, schema)?),
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        match self {
            Self::Table(sink) => sink.write(batch),
            Self::Delimited(sink) => sink.write(batch),
            Self::Json(sink) => sink.write(batch),
            Self::Markdown(sink) => sink.write(batch),
            Self::Html(sink) => sink.write(batch),
            Self::Insert(sink) => sink.write(batch),
            Self::Parquet(sink) => sink.write(batch),
            Self::Arrow(sink) => sink.write(batch),
        }
    }

    /// Ends the document; returns how many rows are not shown.
    fn finish(self) -> Result<u64, ArrowError> {
        match self {
            Self::Table(sink) => return sink.finish(),
            Self::Delimited(sink) => sink.finish(),
            Self::Json(sink) => sink.finish(),
            Self::Markdown(sink) => sink.finish(),
            Self::Html(sink) => sink.finish(),
            Self::Insert(sink) => sink.finish(),
            Self::Parquet(sink) => sink.finish(),
            Self::Arrow(sink) => sink.finish(),
        }?;
        Ok(0)
    }
}

/// Whether a type is such a one or has it within.
fn holds(kind: &DataType, is_it: &impl Fn(&DataType) -> bool) -> bool {
    is_it(kind)
        || match kind {
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                holds(item.data_type(), is_it)
            }
            DataType::Map(entries, _) => holds(entries.data_type(), is_it),
            DataType::Struct(fields) => fields.iter().any(|field| holds(field.data_type(), is_it)),
            _ => false,
        }
}

/// Whether a type is a struct or a map, which is a list of structs.
fn has_fields(kind: &DataType) -> bool {
    matches!(kind, DataType::Struct(_) | DataType::Map(..))
}

/// Whether a type is a map with other keys than texts.
fn has_other_keys(kind: &DataType) -> bool {
    let DataType::Map(entries, _) = kind else { return false };
    let DataType::Struct(fields) = entries.data_type() else { return false };
    fields.first().is_some_and(|key| !key.data_type().is_string())
}

/// Whether a type is an interval of months, days and time, each for itself.
fn is_calendar_span(kind: &DataType) -> bool {
    *kind == DataType::Interval(IntervalUnit::MonthDayNano)
}

/// Refuses columns that the form cannot hold, or whose readers would lose one of two.
///
/// # Errors
/// `Query` that names the column.
pub fn check(schema: &SchemaRef, format: Format) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    for field in schema.fields() {
        if format.needs_unique_names() && !seen.insert(field.name()) {
            return Err(Error::query(format!("two columns are called `{}`", field.name()))
                .hint("give one of them another name with `as`"));
        }
        if let Some(error) = format.refuses(field) {
            return Err(error);
        }
    }
    Ok(())
}

/// Writes a whole result: the head first, then the rows as they come.
///
/// # Errors
/// Those of `batches` as they are; `Query` for a column that the form cannot hold; `Storage` when writing fails.
pub async fn drain<W: Write + Send>(
    schema: &SchemaRef,
    batches: impl Stream<Item = Result<RecordBatch>>,
    out: W,
    style: &Style,
) -> Result<Written> {
    let mut batches = std::pin::pin!(batches);
    // A statement that fails before its first rows prints nothing, not even a head.
    let mut next = batches.next().await.transpose()?;
    check(schema, style.format)?;
    let mut sink = Sink::open(out, schema, style).map_err(cannot_write)?;
    let mut rows = 0;
    while let Some(batch) = next {
        rows += batch.num_rows() as u64;
        sink.write(&batch).map_err(cannot_write)?;
        next = batches.next().await.transpose()?;
    }
    let hidden = sink.finish().map_err(cannot_write)?;
    Ok(Written { rows, shown: rows - hidden })
}

fn cannot_write(error: ArrowError) -> Error {
    Error::storage(format!("cannot write the result: {error}")).caused_by(error)
}
