//! How many row groups a look-up of a single value reads: those that neither their bounds nor a bloom filter leave out.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use datafusion::parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use datafusion::parquet::basic::Type;
use datafusion::parquet::bloom_filter::Sbbf;
use datafusion::parquet::errors::{ParquetError, Result as ParquetResult};
use datafusion::parquet::file::metadata::RowGroupMetaData;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::TryStreamExt;
use object_store::ObjectStore;

use super::reader::{Footer, Readers};
use super::whole::TableFile;

type Builder = ParquetRecordBatchStreamBuilder<Box<dyn AsyncFileReader>>;

fn builder(store: &Arc<dyn ObjectStore>, file: &TableFile) -> ParquetResult<Builder> {
    let entry = PartitionedFile::new_from_meta(file.meta.clone()).with_extension(Footer(Arc::clone(&file.footer)));
    let readers = Readers::new(Arc::clone(store));
    let reader: Box<dyn AsyncFileReader> = readers
        .create_reader(0, entry, None, &ExecutionPlanMetricsSet::new())
        .map_err(|error| ParquetError::External(Box::new(error)))?;
    let metadata = ArrowReaderMetadata::try_new(Arc::clone(&file.footer), ArrowReaderOptions::new())?;
    Ok(ParquetRecordBatchStreamBuilder::new_with_metadata(reader, metadata))
}

/// The value of a column in the middle of a file; `None` where it is null or there is none.
pub async fn value(store: &Arc<dyn ObjectStore>, file: &TableFile, column: &str) -> ParquetResult<Option<ScalarValue>> {
    let Some(leaf) = file.column(column) else { return Ok(None) };
    let group = file.footer.num_row_groups() / 2;
    let Some(rows) = file.footer.row_groups().get(group).map(RowGroupMetaData::num_rows).filter(|rows| *rows > 0)
    else {
        return Ok(None);
    };
    let builder = builder(store, file)?;
    let projection = ProjectionMask::leaves(builder.parquet_schema(), [leaf]);
    let middle = usize::try_from(rows / 2).unwrap_or_default();
    let rows =
        builder.with_projection(projection).with_row_groups(vec![group]).with_offset(middle).with_limit(1).build()?;
    let batches: Vec<_> = rows.try_collect().await?;
    let value = batches.first().filter(|batch| batch.num_rows() > 0);
    let value = value.and_then(|batch| ScalarValue::try_from_array(batch.column(0), 0).ok());
    Ok(value.filter(|value| !value.is_null()))
}

/// Row groups of a file that may hold a value.
pub async fn kept(
    store: &Arc<dyn ObjectStore>,
    file: &TableFile,
    column: &str,
    value: &ScalarValue,
) -> ParquetResult<usize> {
    let Some(leaf) = file.column(column) else { return Ok(0) };
    let mut builder = builder(store, file)?;
    let schema = Arc::clone(builder.schema());
    let bounds = StatisticsConverter::try_new(column, &schema, builder.parquet_schema())?;
    let mins = bounds.row_group_mins(file.footer.row_groups())?;
    let maxs = bounds.row_group_maxes(file.footer.row_groups())?;
    let mut kept = 0;
    for group in 0..file.footer.num_row_groups() {
        let bound = |bounds| ScalarValue::try_from_array(bounds, group).ok().filter(|bound| !bound.is_null());
        let is_below = bound(&mins).is_some_and(|min| *value < min);
        let is_above = bound(&maxs).is_some_and(|max| *value > max);
        if is_below || is_above {
            continue;
        }
        let physical = file.footer.row_group(group).column(leaf).column_type();
        let filter = builder.get_row_group_column_bloom_filter(group, leaf).await?;
        kept += usize::from(filter.is_none_or(|filter| may_hold(&filter, value, physical)));
    }
    Ok(kept)
}

fn may_hold(filter: &Sbbf, value: &ScalarValue, physical: Type) -> bool {
    use ScalarValue as V;
    match (value, physical) {
        (V::Dictionary(_, value), _) => may_hold(filter, value, physical),
        (V::Utf8(Some(text)) | V::LargeUtf8(Some(text)) | V::Utf8View(Some(text)), _) => filter.check(text.as_str()),
        (V::Int64(Some(number)), Type::INT64) => filter.check(number),
        (V::Int32(Some(number)) | V::Date32(Some(number)), Type::INT32) => filter.check(number),
        (V::Int16(Some(number)), Type::INT32) => filter.check(&i32::from(*number)),
        (V::Int8(Some(number)), Type::INT32) => filter.check(&i32::from(*number)),
        _ => true,
    }
}
