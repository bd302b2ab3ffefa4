//! Parquet footers, read once per version of a file, with errors that name the file.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::datatypes::Schema;
use datafusion::catalog::Session;
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::datasource::physical_plan::parquet::CachedParquetMetaData;
use datafusion::execution::cache::cache_manager::{CachedFileMetadataEntry, FileMetadataCache};
use datafusion::parquet::DecodeResult;
use datafusion::parquet::arrow::parquet_to_arrow_schema;
use datafusion::parquet::file::metadata::{
    PageIndexPolicy, ParquetMetaData, ParquetMetaDataPushDecoder, RowGroupMetaData,
};
use datafusion::scalar::ScalarValue;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::error::{Error, Result};
use crate::storage::{Location, Objects, explain};

/// First and last bytes of every Parquet file.
const MAGIC: &[u8] = b"PAR1";

/// What follows the footer: its length and the magic.
const FOOTER: u64 = 8;

/// Shortest Parquet file: magic, length of the footer, magic.
const SHORTEST: u64 = 12;

/// Longest end of a file that is kept on the disk for its footer.
const KEPT_MAX: u64 = 16 << 20;

/// Reads a file's footer, with its page index, or takes it from the session's cache or the disk while the file is unchanged.
///
/// # Errors
/// `InvalidData` that names the file and says whether it is empty, cut off, or no Parquet at all; `Storage` when it
/// cannot be read.
pub async fn read(
    session: &dyn Session,
    objects: &Objects,
    location: &Location,
    file: &ObjectMeta,
) -> Result<Arc<ParquetMetaData>> {
    let shown = location.shown(&file.location);
    if file.size == 0 {
        return Err(Error::invalid(format!("`{shown}` is empty (0 bytes), not a Parquet file")));
    }
    let cache = session.runtime_env().cache_manager.get_file_metadata_cache();
    let (key, version) = (key(location, file), version(location, file));
    if let Some(footer) = in_memory(cache.as_ref(), &key, &version) {
        return Ok(footer);
    }
    let _turn = objects.turn(file).await;
    if let Some(footer) = in_memory(cache.as_ref(), &key, &version) {
        return Ok(footer);
    }
    let footer = if let Some(footer) = on_disk(objects, file).await {
        footer
    } else {
        let hint = session.config_options().execution.parquet.metadata_size_hint;
        fetched(objects, file, hint, &shown).await?
    };
    let kept = CachedFileMetadataEntry::new(version, Arc::new(CachedParquetMetaData::new(Arc::clone(&footer))));
    cache.put(&key, kept);
    Ok(footer)
}

/// What tells a file from those of its path in other buckets.
fn key(location: &Location, file: &ObjectMeta) -> ObjectPath {
    if location.is_local() { file.location.clone() } else { format!("{}{}", location.store_url, file.location).into() }
}

/// The file with what tells its version from every other: on the disk also when it last changed, since its time can be put back.
fn version(location: &Location, file: &ObjectMeta) -> ObjectMeta {
    let e_tag = location.version_on_disk(file).or_else(|| file.e_tag.clone());
    ObjectMeta { e_tag, ..file.clone() }
}

fn in_memory(cache: &FileMetadataCache, key: &ObjectPath, file: &ObjectMeta) -> Option<Arc<ParquetMetaData>> {
    let kept = cache.get(key)?;
    // The engine looks at size and time alone, and a bucket tells the time in seconds.
    if !kept.is_valid_for(file) || kept.meta.e_tag != file.e_tag {
        cache.remove(key);
        return None;
    }
    let kept = kept.file_metadata.as_any().downcast_ref::<CachedParquetMetaData>()?;
    Some(Arc::clone(kept.parquet_metadata()))
}

/// The footer as it was kept; one that does not decode is as good as none.
async fn on_disk(objects: &Objects, file: &ObjectMeta) -> Option<Arc<ParquetMetaData>> {
    let end = objects.footer(file).await?;
    let start = file.size.checked_sub(end.len() as u64)?;
    if is_too_long(&end, file) {
        return None;
    }
    let mut decoder = decoder(file).ok()?;
    decoder.push_range(start..file.size, end).ok()?;
    match decoder.try_decode() {
        Ok(DecodeResult::Data(footer)) => Some(Arc::new(footer)),
        _ => None,
    }
}

/// The length of the footer as the last bytes of its file say it; `None` when they are too few.
fn length(end: &[u8]) -> Option<u64> {
    let length = end.get(end.len().checked_sub(8)?..end.len() - 4)?.try_into().ok().map(u32::from_le_bytes)?;
    Some(u64::from(length))
}

/// Whether the footer would begin before its file does, for which the decoder is not prepared.
fn is_too_long(end: &[u8], file: &ObjectMeta) -> bool {
    [MAGIC, b"PARE"].iter().any(|magic| end.ends_with(magic))
        && length(end).is_some_and(|length| length > file.size.saturating_sub(FOOTER))
}

fn decoder(file: &ObjectMeta) -> parquet::errors::Result<ParquetMetaDataPushDecoder> {
    // A filter may want the page index later; here it comes in the same request.
    Ok(ParquetMetaDataPushDecoder::try_new(file.size)?.with_page_index_policy(PageIndexPolicy::Optional))
}

/// Reads the footer from the store; where the first `hint` bytes from the end hold it all, in one request.
async fn fetched(
    objects: &Objects,
    file: &ObjectMeta,
    hint: Option<usize>,
    shown: &str,
) -> Result<Arc<ParquetMetaData>> {
    let hint = hint.map_or(SHORTEST, |hint| hint as u64);
    let end = file.size.saturating_sub(hint)..file.size;
    let mut wanted = vec![end];
    let mut read: Vec<(Range<u64>, Bytes)> = Vec::new();
    let damaged = async |error| Err(diagnose(objects.store().as_ref(), file, shown).await.caused_by(error));
    let mut decoder = match decoder(file) {
        Ok(decoder) => decoder,
        Err(error) => return damaged(error).await,
    };
    loop {
        let buffers = objects.store().get_ranges(&file.location, &wanted).await;
        let buffers = buffers.map_err(|error| explain(&error, &format!("cannot read `{shown}`")))?;
        read.extend(wanted.iter().cloned().zip(buffers.iter().cloned()));
        if read.iter().any(|(range, end)| range.end == file.size && is_too_long(end, file)) {
            return Err(diagnose(objects.store().as_ref(), file, shown).await);
        }
        match decoder.push_ranges(wanted, buffers).and_then(|()| decoder.try_decode()) {
            Ok(DecodeResult::NeedsData(more)) => wanted = more,
            Ok(DecodeResult::Data(footer)) => {
                if let Some(end) = end_with(&footer, file, read) {
                    objects.keep_footer(file, &end).await;
                }
                return Ok(Arc::new(footer));
            }
            Ok(DecodeResult::Finished) => return Err(Error::internal(format!("no footer came of `{shown}`"))),
            Err(error) => return damaged(error).await,
        }
    }
}

/// The end of a file from its page index, or from its footer where it has none; `None` when not all of it was read.
fn end_with(footer: &ParquetMetaData, file: &ObjectMeta, mut read: Vec<(Range<u64>, Bytes)>) -> Option<Bytes> {
    let columns = footer.row_groups().iter().flat_map(RowGroupMetaData::columns);
    let indexes = columns.flat_map(|column| [column.column_index_offset(), column.offset_index_offset()]);
    let index = indexes.flatten().filter_map(|offset| u64::try_from(offset).ok()).min();
    let (_, last) = read.iter().find(|(range, bytes)| range.end == file.size && bytes.len() as u64 >= FOOTER)?;
    let footer = file.size.checked_sub(FOOTER + length(last)?)?;
    let start = index.unwrap_or(footer).min(footer);
    if file.size - start > KEPT_MAX {
        return None;
    }
    read.sort_by_key(|(range, _)| range.start);
    let (mut at, mut end) = (start, Vec::new());
    for (range, bytes) in read {
        if range.contains(&at) {
            end.extend_from_slice(bytes.get(usize::try_from(at - range.start).ok()?..)?);
            at = range.end;
        }
    }
    (at == file.size).then(|| end.into())
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
/// row groups alone, and a missing count of nulls zero; it would leave out rows on their word. And those who write files leave NaN out
/// of the bounds of floats: they are none of all values, of which the engine would take a column for one where they are equal.
pub fn keep_known(statistics: &mut Statistics, schema: &Schema, footer: &ParquetMetaData) {
    let rows = statistics.num_rows;
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
        // The engine makes none of bounds that are stored in another type than the column has, and calls that exact.
        let is_none = |bound: &Precision<ScalarValue>| bound.get_value().is_some_and(ScalarValue::is_null);
        let lacks_bounds = known.null_count != rows && (is_none(&known.min_value) || is_none(&known.max_value));
        if lacks_bounds || !groups().all(has_bounds) {
            known.min_value = Precision::Absent;
            known.max_value = Precision::Absent;
        }
        if field.data_type().is_floating() {
            known.min_value = known.min_value.clone().to_inexact();
            known.max_value = known.max_value.clone().to_inexact();
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
