//! Where rows lie: a scan that says of each row its file and its place there, and one that reads rows by these.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Statistics, internal_datafusion_err, internal_err};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::parquet::arrow::RowNumber;
use datafusion::parquet::arrow::arrow_reader::RowSelection;
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::scalar::ScalarValue;

use super::super::super::tables::Footer;

/// Columns that no table has: its own names do not begin so.
const FILE: &str = "cxlake.file";
const ROW: &str = "cxlake.row";

/// The files of a scan, numbered.
#[derive(Debug)]
pub struct Positions {
    /// Each whole, though a scan may read it in parts.
    files: Vec<PartitionedFile>,
    /// For each file of each group, its number.
    numbers: Vec<Vec<u32>>,
}

impl Positions {
    /// Those of a scan of Parquet files whose footers are known; `None` where rows cannot be numbered.
    pub fn of(scan: &FileScanConfig) -> Result<Option<Self>> {
        let has_names =
            [FILE, ROW].iter().all(|name| scan.file_source().table_schema().table_schema().index_of(name).is_err());
        let is_plain = scan.file_source().table_schema().virtual_columns().is_empty();
        if !scan.file_source().is::<ParquetSource>() || !has_names || !is_plain || scan.limit.is_some() {
            return Ok(None);
        }
        let mut positions = Self { files: Vec::new(), numbers: Vec::new() };
        let mut known = HashMap::new();
        for group in &scan.file_groups {
            let mut numbers = Vec::new();
            for file in group.files() {
                let is_known = file.extension::<Footer>().is_some_and(|footer| is_in_order(&footer.0));
                if !is_known || file.extension::<ParquetRowSelection>().is_some() {
                    return Ok(None);
                }
                let next = u32::try_from(positions.files.len())
                    .map_err(|_| internal_datafusion_err!("more files than can be numbered"))?;
                let number = *known.entry(file.object_meta.location.clone()).or_insert(next);
                if number == next {
                    positions.files.push(PartitionedFile { range: None, ..file.clone() });
                }
                numbers.push(number);
            }
            positions.numbers.push(numbers);
        }
        Ok(Some(positions))
    }

    /// The scan of some columns of the table, followed by the number of the file and of the row in it.
    pub fn scan(&self, scan: &FileScanConfig, columns: &[usize]) -> Result<Arc<dyn ExecutionPlan>> {
        let table = scan.file_source().table_schema();
        let mut partitions: Vec<_> = table.table_partition_cols().iter().cloned().collect();
        partitions.push(Arc::new(Field::new(FILE, DataType::UInt32, false)));
        let table = with_row(table, partitions);
        let file_at = table.table_schema().index_of(FILE)?;

        let groups = scan.file_groups.iter().zip(&self.numbers).map(|(group, numbers)| {
            let numbered = group.files().iter().zip(numbers).map(|(file, number)| {
                let mut file = file.clone();
                file.partition_values.push(ScalarValue::UInt32(Some(*number)));
                file.statistics = file.statistics.map(|known| Arc::new(extended(&known, Some(*number))));
                file
            });
            let group_statistics = group.file_statistics(None).map(|known| Arc::new(extended(known, None)));
            let mut numbered = FileGroup::new(numbered.collect());
            if let Some(known) = group_statistics {
                numbered = numbered.with_statistics(known);
            }
            numbered
        });
        let source = source(scan, table)?;
        let source = match scan.file_source().filter() {
            Some(filter) => source.with_predicate(filter),
            None => source,
        };
        let columns = columns.iter().copied().chain([file_at, file_at + 1]).collect();
        let numbered = FileScanConfigBuilder::from(scan.clone())
            .with_file_groups(groups.collect())
            .with_statistics(extended(&scan.statistics(), None))
            .with_source(Arc::new(source))
            .with_projection_indices(Some(columns))?
            .build();
        Ok(DataSourceExec::from_data_source(numbered))
    }

    /// What reads rows by their positions, in some columns of the table.
    pub fn rows(&self, scan: &FileScanConfig, columns: &[usize], parts: Vec<Part>) -> Result<Rows> {
        let table = scan.file_source().table_schema();
        let table = with_row(table, table.table_partition_cols().iter().cloned().collect());
        let row = table.table_schema().index_of(ROW)?;
        let source = source(scan, table)?;
        let mut statistics = scan.statistics();
        statistics.column_statistics.push(ColumnStatistics::new_unknown());
        let scan = FileScanConfigBuilder::from(scan.clone())
            .with_file_groups(Vec::new())
            .with_statistics(statistics.to_inexact())
            .with_output_ordering(Vec::new())
            .with_output_partitioning(None)
            .with_preserve_order(true)
            .with_source(Arc::new(source))
            .with_projection_indices(Some(columns.iter().copied().chain([row]).collect()))?
            .build();
        Ok(Rows { files: self.files.clone(), scan, parts })
    }
}

/// A column of a row, by its place in what is known of it or in what is read.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    Carried(usize),
    Fetched(usize),
}

/// Reads rows by their positions.
#[derive(Debug)]
pub struct Rows {
    files: Vec<PartitionedFile>,
    scan: FileScanConfig,
    /// What the rows are made of, once these columns are read.
    pub parts: Vec<Part>,
}

impl Rows {
    /// The scan of these rows, which are sorted by file and place, in as many parts at once; its parts one after the other have them in
    /// this order, each with its place in the last column.
    pub fn scan(&self, positions: &[(u32, i64)], parts: usize) -> Result<Arc<dyn ExecutionPlan>> {
        let mut groups = Vec::new();
        for part in positions.chunks(positions.len().div_ceil(parts.max(1)).max(1)) {
            let mut files = Vec::new();
            for of_file in part.chunk_by(|(one, _), (other, _)| one == other) {
                let file = self.files.get(of_file[0].0 as usize);
                let Some((file, footer)) = file.and_then(|file| Some((file, &file.extension::<Footer>()?.0))) else {
                    return internal_err!("a row of a file that was not scanned");
                };
                if of_file.windows(2).any(|rows| rows[0] == rows[1]) {
                    return internal_err!("a row that was found twice");
                }
                let rows = of_file.iter().map(|&(_, row)| usize::try_from(row).map(|row| row..row + 1));
                let rows = rows.collect::<Result<Vec<_>, _>>();
                let rows = rows.map_err(|_| internal_datafusion_err!("a row before the first"))?;
                let all = usize::try_from(footer.file_metadata().num_rows()).unwrap_or_default();
                let selection = RowSelection::from_consecutive_ranges(rows.into_iter(), all);
                files.push(file.clone().with_extension(ParquetRowSelection::new(selection)));
            }
            groups.push(FileGroup::new(files));
        }
        let scan = FileScanConfigBuilder::from(self.scan.clone()).with_file_groups(groups).build();
        Ok(DataSourceExec::from_data_source(scan))
    }

    /// Names of the columns that are read.
    pub fn columns(&self) -> Vec<String> {
        let columns = self.scan.file_source().projection().into_iter().flat_map(ProjectionExprs::iter);
        columns.map(|column| column.alias.clone()).filter(|name| name != ROW).collect()
    }
}

/// Whether row groups say themselves that they are where they are: the reader numbers rows by what they say.
fn is_in_order(footer: &ParquetMetaData) -> bool {
    footer.row_groups().iter().zip(0..).all(|(group, place)| group.ordinal() == Some(place))
}

/// A table that says of each row its place in its file, in the last column.
fn with_row(table: &TableSchema, partitions: Vec<FieldRef>) -> TableSchema {
    let row = Field::new(ROW, DataType::Int64, false).with_extension_type(RowNumber);
    TableSchema::builder(Arc::clone(table.file_schema()))
        .with_table_partition_cols(partitions)
        .with_virtual_columns(vec![Arc::new(row)])
        .build()
}

/// A source of the same files for another table.
fn source(scan: &FileScanConfig, table: TableSchema) -> Result<ParquetSource> {
    let Some(from) = scan.file_source().downcast_ref::<ParquetSource>() else {
        return internal_err!("a scan of other files than Parquet");
    };
    let source = ParquetSource::new(table).with_table_parquet_options(from.table_parquet_options().clone());
    Ok(match from.parquet_file_reader_factory() {
        Some(readers) => source.with_parquet_file_reader_factory(Arc::clone(readers)),
        None => source,
    })
}

/// What is known of the columns of a table, and of the two that follow.
fn extended(known: &Statistics, file: Option<u32>) -> Statistics {
    let mut extended = known.clone();
    let number = file.map_or(Precision::Absent, |number| Precision::Exact(ScalarValue::UInt32(Some(number))));
    extended.column_statistics.push(ColumnStatistics {
        null_count: Precision::Exact(0),
        min_value: number.clone(),
        max_value: number,
        ..ColumnStatistics::new_unknown()
    });
    extended.column_statistics.push(ColumnStatistics::new_unknown());
    extended
}

#[cfg(test)]
mod tests {
    use datafusion::parquet::file::metadata::{FileMetaData, RowGroupMetaData};
    use datafusion::parquet::schema::parser::parse_message_type;
    use datafusion::parquet::schema::types::SchemaDescriptor;

    use super::*;

    #[test]
    fn rows_are_numbered_only_where_row_groups_are_counted_from_the_first() {
        let schema = parse_message_type("message none {}").expect("a schema");
        let schema = Arc::new(SchemaDescriptor::new(Arc::new(schema)));
        for (ordinals, expected) in [(vec![0, 1, 2], true), (vec![0, 0], false), (vec![1, 0], false), (vec![], true)] {
            let group = |ordinal| RowGroupMetaData::builder(Arc::clone(&schema)).set_ordinal(ordinal).build();
            let groups = ordinals.iter().copied().map(group).collect::<Result<Vec<_>, _>>().expect("row groups");
            let file = FileMetaData::new(1, 0, None, None, Arc::clone(&schema), None);
            assert_eq!(is_in_order(&ParquetMetaData::new(file, groups)), expected, "{ordinals:?}");
        }
    }
}
