//! A few of the rows that fail, in words. The same rows are told whenever the data are the same: the smallest ones, in the
//! order of their columns.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::row::{OwnedRow, RowConverter, SortField};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::TryStreamExt;

use crate::engine::Running;
use crate::error::{Error, Result};

/// Rows that are told of one check.
pub const EXAMPLES_MAX: usize = 3;

/// Columns that are told of one row.
pub const COLUMNS_MAX: usize = 6;

/// Letters that are told of one value.
const LETTERS_MAX: usize = 60;

/// The smallest of the rows that came, and how many came.
pub struct Smallest {
    converter: RowConverter,
    rows: BTreeMap<(OwnedRow, u64), String>,
    pub count: u64,
}

impl Smallest {
    /// None so far, of rows with these columns.
    ///
    /// # Errors
    /// `Internal` for a type that has no order.
    pub fn of(schema: &SchemaRef) -> Result<Self> {
        let fields = schema.fields().iter().take(COLUMNS_MAX);
        let fields = fields.map(|field| SortField::new(field.data_type().clone())).collect();
        Ok(Self { converter: RowConverter::new(fields).map_err(internal)?, rows: BTreeMap::new(), count: 0 })
    }

    /// Takes these rows in.
    ///
    /// # Errors
    /// `Internal` only.
    pub fn take(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = &batch.columns()[..batch.num_columns().min(COLUMNS_MAX)];
        let rows = self.converter.convert_columns(columns).map_err(internal)?;
        for (place, row) in rows.iter().enumerate() {
            self.count += 1;
            let last = self.rows.last_key_value().map(|((last, _), _)| last.row());
            if self.rows.len() < EXAMPLES_MAX || last.is_some_and(|last| row < last) {
                self.rows.insert((row.owned(), self.count), told(batch, place)?);
                if self.rows.len() > EXAMPLES_MAX {
                    self.rows.pop_last();
                }
            }
        }
        Ok(())
    }

    /// All rows of a result.
    ///
    /// # Errors
    /// Those of the statement.
    pub async fn of_all(mut running: Running) -> Result<Self> {
        let mut smallest = Self::of(&running.schema)?;
        while let Some(batch) = running.batches.try_next().await? {
            smallest.take(&batch)?;
        }
        Ok(smallest)
    }

    /// The rows in words, smallest first.
    pub fn told(self) -> Vec<String> {
        self.rows.into_values().collect()
    }
}

/// A row in words: `office_id = O25, period = 2026-09-01`.
fn told(batch: &RecordBatch, row: usize) -> Result<String> {
    let options = FormatOptions::default().with_null("null");
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).take(COLUMNS_MAX);
    let values = columns.map(|(field, column)| {
        let value = ArrayFormatter::try_new(column, &options).map_err(internal)?.value(row).to_string();
        let value = match value.char_indices().nth(LETTERS_MAX) {
            Some((end, _)) => format!("{}…", &value[..end]),
            None => value,
        };
        Ok(format!("{} = {}", field.name(), value.replace(['\n', '\r'], " ")))
    });
    Ok(values.collect::<Result<Vec<_>>>()?.join(", "))
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::internal(error.to_string())
}
