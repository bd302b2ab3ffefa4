//! Holds a running query to its grain: every combination of the grain's columns comes at most once.
//!
//! A join that multiplies rows gives wrong totals that look right; here it is an error instead.

use std::collections::HashSet;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::row::{OwnedRow, RowConverter, SortField};
use arrow::util::display::array_value_to_string;

use crate::error::{Error, Result};

/// Remembers the combinations that came.
pub struct Grain {
    columns: Vec<usize>,
    converter: RowConverter,
    seen: HashSet<OwnedRow>,
    /// File of the query, for the error.
    file: String,
}

impl Grain {
    /// A watch over these columns; `None` when there are none.
    ///
    /// # Errors
    /// `InvalidData` when the result has no such column.
    pub fn watch<'a>(
        names: impl IntoIterator<Item = (&'a str, usize)>,
        schema: &SchemaRef,
        file: &str,
    ) -> Result<Option<Self>> {
        let columns = names
            .into_iter()
            .map(|(name, line)| {
                schema.index_of(name).map_err(|_| {
                    Error::invalid(format!("`grain` names `{name}`, which is no column of the result"))
                        .at(file, Some(line))
                })
            })
            .collect::<Result<Vec<usize>>>()?;
        if columns.is_empty() {
            return Ok(None);
        }
        let fields = columns.iter().map(|&column| SortField::new(schema.field(column).data_type().clone()));
        let converter = RowConverter::new(fields.collect()).map_err(|error| internal(&error))?;
        Ok(Some(Self { columns, converter, seen: HashSet::new(), file: file.to_owned() }))
    }

    /// Lets a batch pass, or names the first combination that came before.
    ///
    /// # Errors
    /// `InvalidData` with the values of the combination.
    pub fn check(&mut self, batch: &RecordBatch) -> Result<()> {
        let keys: Vec<_> = self.columns.iter().map(|&column| batch.column(column).clone()).collect();
        let rows = self.converter.convert_columns(&keys).map_err(|error| internal(&error))?;
        for (index, row) in rows.iter().enumerate() {
            if !self.seen.insert(row.owned()) {
                return Err(self.twice(batch, index));
            }
        }
        Ok(())
    }

    fn twice(&self, batch: &RecordBatch, row: usize) -> Error {
        let schema = batch.schema();
        let value = |&column: &usize| {
            let value = array_value_to_string(batch.column(column), row).unwrap_or_default();
            format!("{} = `{value}`", schema.field(column).name())
        };
        let values: Vec<String> = self.columns.iter().map(value).collect();
        Error::invalid(format!("the query returns more than one row for {}", values.join(", ")))
            .at(&self.file, None)
            .hint("its grain says one row each: look for a join that multiplies rows, or for rows that came twice")
    }
}

fn internal(error: &ArrowError) -> Error {
    Error::internal(error.to_string())
}
