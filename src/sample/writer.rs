//! Writes rows to one Parquet file: in batches, under a temporary name until it is complete.
//!
//! A table is a list of columns, each made from a slice of plain rows by one of the functions here; the schema is that
//! of the columns of no rows. Memory is bounded by one batch and one row group in progress.

use std::fmt::{Arguments, Write};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use super::calendar::Day;
use crate::error::{Error, Kind, Result};

const BATCH_ROWS: usize = 32 * 1024;
const ROW_GROUP_ROWS: usize = 1024 * 1024;
const ROW_GROUP_BYTES: usize = 64 * 1024 * 1024;

/// One column of a batch.
pub(super) struct Column {
    name: &'static str,
    nullable: bool,
    array: ArrayRef,
}

fn required(name: &'static str, array: ArrayRef) -> Column {
    Column { name, nullable: false, array }
}

fn optional(name: &'static str, array: ArrayRef) -> Column {
    Column { name, nullable: true, array }
}

/// Text that is at hand.
pub(super) fn text<'a, R>(name: &'static str, rows: &'a [R], value: impl Fn(&'a R) -> &'a str) -> Column {
    required(name, Arc::new(StringArray::from_iter_values(rows.iter().map(value))))
}

pub(super) fn text_or_null<'a, R>(
    name: &'static str,
    rows: &'a [R],
    value: impl Fn(&'a R) -> Option<&'a str>,
) -> Column {
    optional(name, Arc::new(rows.iter().map(value).collect::<StringArray>()))
}

/// Text that is formatted straight into the column: `value` hands each row's pieces to the function it is given.
pub(super) fn format<R>(name: &'static str, rows: &[R], value: impl Fn(&R, &mut dyn FnMut(Arguments<'_>))) -> Column {
    required(name, formatted(rows, value))
}

/// As [`format`], null where `value` hands over nothing.
pub(super) fn format_or_null<R>(
    name: &'static str,
    rows: &[R],
    value: impl Fn(&R, &mut dyn FnMut(Arguments<'_>)),
) -> Column {
    optional(name, formatted(rows, value))
}

fn formatted<R>(rows: &[R], value: impl Fn(&R, &mut dyn FnMut(Arguments<'_>))) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(rows.len(), 12 * rows.len());
    for row in rows {
        let mut given = false;
        value(row, &mut |arguments| {
            // The builder grows in memory and cannot refuse.
            given = builder.write_fmt(arguments).is_ok();
        });
        if given { builder.append_value("") } else { builder.append_null() }
    }
    Arc::new(builder.finish())
}

pub(super) fn int<R>(name: &'static str, rows: &[R], value: impl Fn(&R) -> i32) -> Column {
    required(name, Arc::new(Int32Array::from_iter_values(rows.iter().map(value))))
}

pub(super) fn int_or_null<R>(name: &'static str, rows: &[R], value: impl Fn(&R) -> Option<i32>) -> Column {
    optional(name, Arc::new(rows.iter().map(value).collect::<Int32Array>()))
}

pub(super) fn long_or_null<R>(name: &'static str, rows: &[R], value: impl Fn(&R) -> Option<i64>) -> Column {
    optional(name, Arc::new(rows.iter().map(value).collect::<Int64Array>()))
}

pub(super) fn float<R>(name: &'static str, rows: &[R], value: impl Fn(&R) -> f64) -> Column {
    required(name, Arc::new(Float64Array::from_iter_values(rows.iter().map(value))))
}

pub(super) fn boolean<R>(name: &'static str, rows: &[R], value: impl Fn(&R) -> bool) -> Column {
    required(name, Arc::new(rows.iter().map(|row| Some(value(row))).collect::<BooleanArray>()))
}

/// Money in cents, as Decimal128(18, 2).
pub(super) fn money_or_null<R>(name: &'static str, rows: &[R], cents: impl Fn(&R) -> Option<i64>) -> Column {
    let values = rows.iter().map(|row| cents(row).map(i128::from)).collect::<Decimal128Array>();
    optional(name, Arc::new(values.with_data_type(DataType::Decimal128(18, 2))))
}

pub(super) fn date<R>(name: &'static str, rows: &[R], value: impl Fn(&R) -> Day) -> Column {
    required(name, Arc::new(Date32Array::from_iter_values(rows.iter().map(value))))
}

pub(super) fn date_or_null<R>(name: &'static str, rows: &[R], value: impl Fn(&R) -> Option<Day>) -> Column {
    optional(name, Arc::new(rows.iter().map(value).collect::<Date32Array>()))
}

/// Microseconds since 1970, UTC.
pub(super) fn time<R>(name: &'static str, rows: &[R], value: impl Fn(&R) -> i64) -> Column {
    let values = TimestampMicrosecondArray::from_iter_values(rows.iter().map(value));
    required(name, Arc::new(values.with_timezone("UTC")))
}

pub(super) fn time_or_null<R>(name: &'static str, rows: &[R], value: impl Fn(&R) -> Option<i64>) -> Column {
    let values = rows.iter().map(value).collect::<TimestampMicrosecondArray>();
    optional(name, Arc::new(values.with_timezone("UTC")))
}

/// What the files of one run share.
pub(super) struct Run<'a> {
    pub(super) stop: &'a AtomicBool,
    /// Another file failed, so that this one is not needed any more.
    pub(super) failed: &'a AtomicBool,
    pub(super) progress: &'a (dyn Fn(u64) + Sync),
}

impl Run<'_> {
    fn check(&self) -> Result<()> {
        if self.stop.load(Ordering::Relaxed) || self.failed.load(Ordering::Relaxed) {
            return Err(Error::new(Kind::Interrupted, "interrupted"));
        }
        Ok(())
    }
}

/// Takes the rows of one file; the file gets its name when [`Sink::finish`] is called, and is removed otherwise.
pub(super) struct Sink<'a, R> {
    rows: Vec<R>,
    columns: &'a dyn Fn(&[R]) -> Vec<Column>,
    schema: SchemaRef,
    /// None once the file is complete.
    writer: Option<ArrowWriter<File>>,
    temporary: PathBuf,
    path: &'a Path,
    run: &'a Run<'a>,
    written: u64,
}

impl<'a, R> Sink<'a, R> {
    /// Opens a file in a folder that is made when it is missing.
    pub(super) fn open(path: &'a Path, columns: &'a dyn Fn(&[R]) -> Vec<Column>, run: &'a Run<'a>) -> Result<Self> {
        run.check()?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| storage("cannot make the folder", folder).caused_by(error))?;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = path.with_file_name(format!(".{name}.tmp"));
        let file = File::create(&temporary).map_err(|error| storage("cannot write", &temporary).caused_by(error))?;
        let schema = schema(&columns(&[]));
        let options = ArrowWriterOptions::new().with_properties(properties()).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(file, Arc::clone(&schema), options);
        let writer = writer.map_err(|error| failure(&temporary, error))?;
        Ok(Self {
            rows: Vec::with_capacity(BATCH_ROWS),
            columns,
            schema,
            writer: Some(writer),
            temporary,
            path,
            run,
            written: 0,
        })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// `Storage` when a batch could not be written, `Interrupted` when the run is to stop.
    pub(super) fn push(&mut self, row: R) -> Result<()> {
        self.rows.push(row);
        if self.rows.len() == BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    /// Completes the file and gives it its name; returns its rows.
    pub(super) fn finish(mut self) -> Result<u64> {
        self.flush()?;
        if let Some(writer) = self.writer.take() {
            let closed = writer.close().and_then(|_| fs::rename(&self.temporary, self.path).map_err(Into::into));
            if let Err(error) = closed {
                self.discard();
                return Err(failure(self.path, error));
            }
        }
        Ok(self.written)
    }

    fn flush(&mut self) -> Result<()> {
        self.run.check()?;
        let (Some(writer), false) = (self.writer.as_mut(), self.rows.is_empty()) else { return Ok(()) };
        let arrays = (self.columns)(&self.rows).into_iter().map(|column| column.array).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays);
        let batch = batch.map_err(|error| Error::internal("a sample batch is malformed").caused_by(error))?;
        let mut done = writer.write(&batch);
        if writer.in_progress_size() > ROW_GROUP_BYTES {
            done = done.and_then(|()| writer.flush());
        }
        done.map_err(|error| failure(&self.temporary, error))?;
        let count = self.rows.len() as u64;
        self.rows.clear();
        self.written += count;
        (self.run.progress)(count);
        Ok(())
    }

    fn discard(&self) {
        // The first error is worth more than the one of tidying up after it.
        let _ = fs::remove_file(&self.temporary);
    }
}

impl<R> Drop for Sink<'_, R> {
    fn drop(&mut self) {
        if self.writer.take().is_some() {
            self.discard();
        }
    }
}

fn schema(columns: &[Column]) -> SchemaRef {
    let field = |column: &Column| Field::new(column.name, column.array.data_type().clone(), column.nullable);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// The creator is said without a version, so that the bytes stay the same from one release to the next.
fn properties() -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_created_by("cxlake sample".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).unwrap_or_default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS));
    // No value comes twice in these: a dictionary would only be in the way.
    for unique in ["response_id", "feedback_id", "escalation_id", "follow_up_id", "assessment_id"] {
        let column = ColumnPath::from(unique);
        properties = properties.set_column_dictionary_enabled(column.clone(), false);
        properties = properties.set_column_encoding(column, Encoding::DELTA_BYTE_ARRAY);
    }
    properties.build()
}

fn storage(what: &str, path: &Path) -> Error {
    Error::storage(format!("{what} `{}`", path.display())).at(path.display().to_string(), None)
}

fn failure(path: &Path, error: ParquetError) -> Error {
    storage("cannot write", path).caused_by(error)
}
