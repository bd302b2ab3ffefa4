//! Parquet footers, read once per version of a file, with errors that name the file.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::catalog::Session;
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::parquet::arrow::parquet_to_arrow_schema;
use datafusion::parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::error::{Error, Result};
use crate::storage::{Location, explain, of_store};

/// First and last bytes of every Parquet file.
const MAGIC: &[u8] = b"PAR1";

/// Shortest Parquet file: magic, length of the footer, magic.
const SHORTEST: u64 = 12;

/// Reads a file's footer, or takes it from the session's cache while the file is unchanged.
///
/// # Errors
/// `InvalidData` that names the file and says whether it is empty, cut off, or no Parquet at all; `Storage` when it
/// cannot be read.
pub async fn read(
    session: &dyn Session,
    store: &dyn ObjectStore,
    location: &Location,
    file: &ObjectMeta,
) -> Result<Arc<ParquetMetaData>> {
    let shown = location.shown(&file.location);
    if file.size == 0 {
        return Err(Error::invalid(format!("`{shown}` is empty (0 bytes), not a Parquet file")));
    }
    let hint = session.config_options().execution.parquet.metadata_size_hint;
    let cache = session.runtime_env().cache_manager.get_file_metadata_cache();
    if cache.get(&file.location).is_some_and(|kept| kept.meta.e_tag != file.e_tag) {
        // The cache looks at size and time alone, and a bucket tells the time in seconds.
        cache.remove(&file.location);
    }
    let footer = DFParquetMetadata::new(store, file)
        .with_metadata_size_hint(hint)
        .with_file_metadata_cache(Some(cache))
        .fetch_metadata()
        .await;
    match footer {
        Ok(footer) => Ok(footer),
        Err(error) => Err(match of_store(&error) {
            Some(error) => explain(error, &format!("cannot read `{shown}`")),
            None => diagnose(store, file, &shown).await.caused_by(error),
        }),
    }
}

/// The columns of a file as the engine reads them.
///
/// # Errors
/// `InvalidData` when the file's schema cannot be understood.
pub fn schema(footer: &ParquetMetaData, shown: &str) -> Result<Schema> {
    let file = footer.file_metadata();
    parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata())
        .map_err(|error| Error::invalid(format!("the schema of `{shown}` is damaged: {error}")).caused_by(error))
}

/// The place of a column among those that the footer describes; nested ones have none.
pub fn column(footer: &ParquetMetaData, name: &str) -> Option<usize> {
    let columns = footer.file_metadata().schema_descr();
    (0..columns.num_columns()).find(|&index| columns.column(index).path().parts() == [name])
}

/// Takes out of the statistics what some row group does not know. The engine calls a minimum exact that it has from the other
/// row groups alone, and a missing count of nulls zero; it would leave out rows on their word.
pub fn keep_known(statistics: &mut Statistics, schema: &Schema, footer: &ParquetMetaData) {
    for (field, known) in schema.fields().iter().zip(&mut statistics.column_statistics) {
        let Some(index) = column(footer, field.name()) else { continue };
        let groups = || footer.row_groups().iter().filter(|group| group.num_rows() > 0);
        let of = |group: &RowGroupMetaData| group.column(index).statistics().cloned();
        if groups().any(|group| of(group).is_none_or(|found| found.null_count_opt().is_none())) {
            known.null_count = Precision::Absent;
        }
        let has_bounds = |group: &RowGroupMetaData| {
            let all_null = |nulls: u64| i64::try_from(nulls) == Ok(group.num_rows());
            of(group).is_some_and(|found| {
                found.null_count_opt().is_some_and(all_null)
                    || (found.min_bytes_opt().is_some() && found.max_bytes_opt().is_some())
            })
        };
        if !groups().all(has_bounds) {
            known.min_value = Precision::Absent;
            known.max_value = Precision::Absent;
        }
    }
}

/// Says what is wrong with a file whose footer cannot be read.
async fn diagnose(store: &dyn ObjectStore, file: &ObjectMeta, shown: &str) -> Error {
    let head = match store.get_range(&file.location, 0..file.size.min(MAGIC.len() as u64)).await {
        Ok(head) => head,
        Err(error) => return explain(&error, &format!("cannot read `{shown}`")),
    };
    if head != MAGIC {
        return Error::invalid(format!("`{shown}` is not a Parquet file"))
            .hint("its first four bytes are not `PAR1`; was something else saved under this name?");
    }
    let tail = store.get_range(&file.location, file.size.saturating_sub(MAGIC.len() as u64)..file.size).await;
    let tail = match tail {
        Ok(tail) => tail,
        Err(error) => return explain(&error, &format!("cannot read `{shown}`")),
    };
    if file.size < SHORTEST || tail != MAGIC {
        return Error::invalid(format!("`{shown}` is cut off: its end, with the footer, is missing"))
            .hint("it was copied or written only in part; write it again");
    }
    Error::invalid(format!("the footer of `{shown}` is damaged"))
}
