//! Rows into Parquet files as `cxlake optimize` lays them out.
//!
//! A million rows or 128 MB make a row group, whatever comes first. It is what one thread reads at a time and what a look-up
//! leaves out as a whole: smaller ones cost a footer that grows with their number, and larger ones leave threads without work and
//! make whoever writes hold more. Within one, the page index leaves out pages of 20,000 rows. A file ends behind a gigabyte: it can be
//! copied and uploaded in one piece anywhere, and of a folder of them a later run need not write all again.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::{Stream, StreamExt};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::async_writer::AsyncFileWriter;
use parquet::arrow::{ArrowSchemaConverter, AsyncArrowWriter};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::{KeyValue, RowGroupMetaData, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::engine::{TableFile, WRITER};
use crate::error::{Error, Result};
use crate::lake::layout::Layout;

/// Rows of a row group at most.
pub const GROUP_ROWS: u64 = 1 << 20;

/// Bytes of a row group, about.
pub const GROUP_BYTES: u64 = 128 << 20;

/// Bytes of a file, about.
pub const FILE_BYTES: u64 = 1 << 30;

/// Level of zstd, its own default.
const LEVEL: i32 = 3;

/// Share of values that a bloom filter takes for present which are not.
const FALSE_POSITIVES: f64 = 0.01;

/// Where a file keeps the types of its columns for Arrow; a new file has its own.
const ARROW_SCHEMA: &str = "ARROW:schema";

/// Encodings with a dictionary, and those that somebody must have chosen.
const DICTIONARIES: [Encoding; 2] = [Encoding::PLAIN_DICTIONARY, Encoding::RLE_DICTIONARY];
const CHOSEN: [Encoding; 4] = [
    Encoding::DELTA_BINARY_PACKED,
    Encoding::DELTA_LENGTH_BYTE_ARRAY,
    Encoding::DELTA_BYTE_ARRAY,
    Encoding::BYTE_STREAM_SPLIT,
];

/// How files of these columns are written. `like` are those that they replace: what all of them say of themselves is said again.
///
/// # Errors
/// `Internal` when the columns cannot be written as Parquet.
pub fn properties(schema: &SchemaRef, layout: &Layout, like: &[TableFile]) -> Result<WriterProperties> {
    let columns = ArrowSchemaConverter::new().convert(schema).map_err(internal)?;
    let place = |name: &str| (0..columns.num_columns()).find(|&place| columns.column(place).path().parts() == [name]);
    let sorting = layout.sort.iter().filter_map(|key| {
        let column_idx = i32::try_from(place(&key.column)?).ok()?;
        Some(SortingColumn { column_idx, descending: key.descending, nulls_first: false })
    });
    let sorting: Vec<SortingColumn> = sorting.collect();
    let rows = usize::try_from(GROUP_ROWS).map_err(internal)?;
    let bytes = usize::try_from(GROUP_BYTES).map_err(internal)?;
    let mut properties = WriterProperties::builder()
        .set_created_by(format!("{WRITER}{}", env!("CARGO_PKG_VERSION")))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL).map_err(internal)?))
        .set_max_row_group_row_count(Some(rows))
        .set_max_row_group_bytes(Some(bytes))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_sorting_columns((!sorting.is_empty()).then_some(sorting))
        .set_key_value_metadata(said_by_all(like));
    for name in layout.identifiers.iter().filter(|name| place(name).is_some()) {
        let path = ColumnPath::from(name.as_str());
        // A filter begins with room for as many values as there are rows, and is folded to what it holds.
        properties = properties
            .set_column_bloom_filter_enabled(path.clone(), true)
            .set_column_bloom_filter_fpp(path.clone(), FALSE_POSITIVES)
            .set_column_bloom_filter_max_ndv(path, GROUP_ROWS);
    }
    for column in columns.columns() {
        if let Some(encoding) = chosen(like, column.path()) {
            properties = properties
                .set_column_dictionary_enabled(column.path().clone(), false)
                .set_column_encoding(column.path().clone(), encoding);
        }
    }
    Ok(properties.build())
}

/// The encoding that whoever wrote these files chose for a column in the place of a dictionary, which he knew to be larger.
fn chosen(files: &[TableFile], path: &ColumnPath) -> Option<Encoding> {
    let mut found = None;
    for column in files.iter().flat_map(|file| file.footer.row_groups()).flat_map(RowGroupMetaData::columns) {
        if column.column_path() != path {
            continue;
        }
        let encodings: Vec<Encoding> = column.encodings().collect();
        if encodings.iter().any(|encoding| DICTIONARIES.contains(encoding)) {
            return None;
        }
        let encoding = *encodings.iter().find(|encoding| CHOSEN.contains(encoding))?;
        if *found.get_or_insert(encoding) != encoding {
            return None;
        }
    }
    found
}

/// What all files say of themselves in the same words.
fn said_by_all(files: &[TableFile]) -> Option<Vec<KeyValue>> {
    let said = |file: &TableFile| file.footer.file_metadata().key_value_metadata().cloned().unwrap_or_default();
    let (first, others) = files.split_first()?;
    let others: Vec<Vec<KeyValue>> = others.iter().map(said).collect();
    let is_common = |said: &KeyValue| said.key != ARROW_SCHEMA && others.iter().all(|other| other.contains(said));
    let common: Vec<KeyValue> = said(first).into_iter().filter(is_common).collect();
    (!common.is_empty()).then_some(common)
}

/// Writes a file of the rows until it is as large as one is to be; says whether there are more. `tell` hears of rows as they are
/// written.
///
/// # Errors
/// Those of the rows; of writing they are for `refused` to say.
pub async fn file<W: AsyncFileWriter>(
    out: W,
    schema: &SchemaRef,
    properties: &WriterProperties,
    rows: &mut (impl Stream<Item = Result<RecordBatch>> + Unpin),
    tell: &(dyn Fn(u64) + Send + Sync),
    refused: impl Fn(parquet::errors::ParquetError) -> Error,
) -> Result<bool> {
    let options = ArrowWriterOptions::new().with_properties(properties.clone());
    let writer: ParquetResult<_> = AsyncArrowWriter::try_new_with_options(out, Arc::clone(schema), options);
    let mut writer = writer.map_err(&refused)?;
    let mut is_full = false;
    while !is_full {
        let Some(batch) = rows.next().await else { break };
        let batch = batch?;
        writer.write(&batch).await.map_err(&refused)?;
        tell(batch.num_rows() as u64);
        is_full = (writer.bytes_written() + writer.in_progress_size()) as u64 >= FILE_BYTES;
    }
    writer.finish().await.map_err(&refused)?;
    Ok(is_full)
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("the files cannot be written: {error}"))
}
