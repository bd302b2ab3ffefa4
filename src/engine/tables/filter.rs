//! Filters on partition columns: which folders and files they leave.

use std::collections::HashMap;

use datafusion::common::DFSchema;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::listing::helpers::{expr_applicable_for_cols, filter_partitioned_file};
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;

use super::partition;
use crate::error::{Error, Result};
use crate::lake::column::Column;
use crate::storage::Location;

/// The filters of a scan that say something of partitions alone.
pub struct PartitionFilter<'a> {
    columns: &'a [Column],
    filters: Vec<&'a Expr>,
}

impl<'a> PartitionFilter<'a> {
    pub fn new(columns: &'a [Column], filters: impl IntoIterator<Item = &'a Expr>) -> Self {
        Self { columns, filters: filters.into_iter().filter(|filter| is_on(columns, filter)).collect() }
    }

    /// Levels of folders, from the first, of which each has a filter that can be told from it and those above it. Below the
    /// first level without one, looking at folders leaves none of them out.
    pub fn levels(&self) -> usize {
        let decides = |level: &usize| {
            let above = &self.columns[..*level];
            self.filters.iter().any(|filter| is_on(&self.columns[..=*level], filter) && !is_on(above, filter))
        };
        (0..self.columns.len()).take_while(decides).count()
    }

    /// Whether the filters may leave files in a folder, given by the names of the folders from the first level to it. A folder
    /// whose name is no value is wanted, so that its files are found to be in the wrong place.
    ///
    /// # Errors
    /// `Query` when a filter cannot be applied.
    pub fn wants(&self, location: &Location, folders: &[String]) -> Result<bool> {
        let columns = &self.columns[..folders.len().min(self.columns.len())];
        let values = columns.iter().zip(folders);
        let values: Option<Vec<ScalarValue>> =
            values.map(|(column, folder)| partition::value_of_folder(column, location, folder)).collect();
        let Some(values) = values else { return Ok(true) };
        let filters = self.filters.iter().copied().filter(|filter| is_on(columns, filter));
        let folder = PartitionedFile::new(String::new(), 0).with_partition_values(values);
        Ok(kept(columns, filters, folder)?.is_some())
    }

    /// The file, unless the filters leave it out by its partition values.
    ///
    /// # Errors
    /// `Query` when a filter cannot be applied.
    pub fn kept(&self, file: PartitionedFile) -> Result<Option<PartitionedFile>> {
        kept(self.columns, self.filters.iter().copied(), file)
    }
}

/// Whether a filter looks at no other columns than these.
pub fn is_on(columns: &[Column], filter: &Expr) -> bool {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    !names.is_empty() && expr_applicable_for_cols(&names, filter)
}

fn kept<'a>(
    columns: &[Column],
    filters: impl Iterator<Item = &'a Expr>,
    file: PartitionedFile,
) -> Result<Option<PartitionedFile>> {
    // The helper takes the bit under a null for an answer; `is true` has none.
    let filters: Vec<Expr> = filters.map(|filter| filter.clone().is_true()).collect();
    let schema = DFSchema::from_unqualified_fields(partition::fields(columns).into(), HashMap::new())
        .map_err(|error| Error::internal(error.to_string()))?;
    filter_partitioned_file(file, &filters, &schema)
        .map_err(|error| Error::query(format!("cannot apply the partition filter: {error}")))
}
