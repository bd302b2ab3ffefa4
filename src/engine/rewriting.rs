//! What those need of the engine who write a table's files again: the files with their footers, and their rows sorted.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::parquet::errors::ParquetError;
use object_store::{ObjectMeta, ObjectStore};

use super::scans::Scans;
use super::session::{Engine, Running};
use super::tables::{TableFile, Tallied, Tally, Whole, lookup};
use crate::error::{Error, Result};
use crate::lake::Table;
use crate::lake::layout::SortKey;
use crate::storage::{Location, explain};

/// Memory for each of several sorts at once; where there is less, there is one at a time.
const SORT_BYTES: u64 = 256 << 20;

/// The files of a table as a statement would read them now.
#[derive(Clone, Debug)]
pub struct TableFiles {
    pub location: Location,
    /// Where they are, in the versions that were listed.
    pub store: Arc<dyn ObjectStore>,
    pub files: Vec<TableFile>,
}

impl Engine {
    /// The table of the lake of this name.
    ///
    /// # Errors
    /// `NotFound` with the nearest name.
    pub fn lake_table(&self, name: &str) -> Result<&Table> {
        let tables = &self.lake().tables;
        tables.get(name).ok_or_else(|| {
            let error = Error::not_found(format!("no table `{name}` in this lake"));
            match crate::suggest::nearest(name, tables.keys().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean `{near}`? `cxlake tables` lists all")),
                None => error.hint("`cxlake tables` lists all"),
            }
        })
    }

    /// The files of a table with their footers.
    ///
    /// # Errors
    /// As a scan of the whole table.
    pub async fn table_files_whole(&self, table: &Table) -> Result<TableFiles> {
        let provider = self.schema().open(table).await?;
        let (location, files) = provider.with_footers(&self.schema().state()?).await?;
        let listed: Vec<ObjectMeta> = files.iter().map(|file| file.meta.clone()).collect();
        let store = self.stores().as_listed(&location, &listed)?;
        Ok(TableFiles { location, store, files })
    }

    /// The footers of files that were just written.
    ///
    /// # Errors
    /// `Storage` when they cannot be read, `InvalidData` when they are no whole files.
    pub async fn footers_of(&self, location: &Location, files: &[ObjectMeta]) -> Result<TableFiles> {
        let store = self.stores().as_listed(location, files)?;
        let files = super::tables::with_footers(&self.schema().state()?, self.stores(), location, files).await?;
        Ok(TableFiles { location: location.clone(), store, files })
    }

    /// The rows of files, sorted, with the tally of what was read.
    ///
    /// # Errors
    /// `Exhausted` and others of running; those of the rows come from the stream.
    pub fn sorted(&self, files: &Whole, sort: &[SortKey], rows_max: Option<usize>) -> Result<(Running, Tallied)> {
        let context = self.context.task_ctx();
        let threads = context.session_config().target_partitions();
        // What merges spilled runs cannot spill, and beside other sorts finds now and then too little left of a small limit.
        let parts = if self.memory_bytes_max() / threads as u64 >= SORT_BYTES { threads } else { 1 };
        let rows = files.sorted(sort, rows_max, parts, context).map_err(|error| self.explain(error, None));
        let (rows, tallied) = rows?;
        let engine = self.clone();
        let batches = futures::StreamExt::map(rows, move |batch| batch.map_err(|error| engine.explain(error, None)));
        Ok((
            Running { schema: Arc::clone(&files.schema), batches: Box::pin(batches), scans: Scans::default() },
            tallied,
        ))
    }

    /// The tally of files.
    ///
    /// # Errors
    /// As [`Self::sorted`].
    pub async fn tally(&self, files: &Whole) -> Result<Tally> {
        files.tally(self.context.task_ctx()).await.map_err(|error| self.explain(error, None))
    }
}

impl TableFiles {
    /// Values of a column, from the middles of some files: as many as there are, up to `max`.
    ///
    /// # Errors
    /// `Storage` when a file cannot be read, `InvalidData` when it is damaged.
    pub async fn some_values(&self, column: &str, max: usize) -> Result<Vec<ScalarValue>> {
        let step = self.files.len().div_ceil(max).max(1);
        let mut values = Vec::new();
        for file in self.files.iter().step_by(step) {
            let value = lookup::value(&self.store, file, column).await;
            values.extend(value.map_err(|error| self.unread(&error, file))?);
        }
        Ok(values)
    }

    /// Row groups that a look-up of each of these values reads, together.
    ///
    /// # Errors
    /// As [`Self::some_values`].
    pub async fn row_groups_kept(&self, column: &str, values: &[ScalarValue]) -> Result<usize> {
        let mut kept = 0;
        for file in &self.files {
            for value in values {
                let found = lookup::kept(&self.store, file, column, value).await;
                kept += found.map_err(|error| self.unread(&error, file))?;
            }
        }
        Ok(kept)
    }

    fn unread(&self, error: &ParquetError, file: &TableFile) -> Error {
        explain(error, &format!("cannot read `{}`", self.location.shown(&file.meta.location)))
    }
}
