//! Parquet files read whole: every column that they have, each in the type in which they store it, sorted where that is wanted.
//!
//! This is for those who write files again. A table's scan shows the columns of its contract, in the contract's types.

use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::parquet::arrow::ArrowSchemaConverter;
use datafusion::parquet::basic::{LogicalType, Type as PhysicalType};
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore};

use super::contract;
use super::footer;
use super::reader::{Footer, Readers};
use crate::error::{Error, Result};
use crate::lake::layout::SortKey;
use crate::storage::Location;

/// What the writer of files that are sorted as a whole, and not just in each row group, is called in their footers, before its version.
pub const WRITER: &str = "cxlake ";

/// A file with its footer.
#[derive(Clone, Debug)]
pub struct TableFile {
    pub meta: ObjectMeta,
    pub footer: Arc<ParquetMetaData>,
}

impl TableFile {
    /// The columns of the file as the engine reads them; `shown` is its name in errors.
    ///
    /// # Errors
    /// `InvalidData` when the file's schema cannot be understood.
    pub fn schema(&self, shown: &str) -> Result<Schema> {
        footer::schema(&self.footer, shown)
    }

    pub fn rows(&self) -> u64 {
        self.footer.file_metadata().num_rows().unsigned_abs()
    }

    /// The place of a column among those that the footer describes; nested ones have none.
    pub fn column(&self, name: &str) -> Option<usize> {
        footer::column(&self.footer, name)
    }
}

/// Files that are read together.
#[derive(Clone, Debug)]
pub struct Whole {
    store_url: ObjectStoreUrl,
    store: Arc<dyn ObjectStore>,
    files: Vec<TableFile>,
    pub schema: SchemaRef,
}

/// What was read, whatever its order: rows, and for each column its nulls and a sum over hashes of its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub rows: u64,
    /// A sum over hashes of whole rows.
    of_rows: u64,
    columns: Vec<(u64, u64)>,
}

impl Tally {
    fn add(&mut self, batch: &RecordBatch) -> EngineResult<()> {
        self.columns.resize(batch.num_columns(), (0, 0));
        self.rows += batch.num_rows() as u64;
        let mut rows = vec![0u64; batch.num_rows()];
        // Any seed does: what is compared is read by one process.
        let random = RandomState::with_seed(0);
        for (column, (nulls, sum)) in batch.columns().iter().zip(&mut self.columns) {
            let mut hashes = vec![0u64; batch.num_rows()];
            create_hashes([column], &random, &mut hashes)?;
            *nulls += column.logical_null_count() as u64;
            for (hash, row) in hashes.iter().zip(&mut rows) {
                *sum = sum.wrapping_add(*hash);
                *row = row.rotate_left(5).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(*hash);
            }
        }
        self.of_rows = rows.iter().fold(self.of_rows, |sum, row| sum.wrapping_add(*row));
        Ok(())
    }

    fn join(&mut self, other: &Self) {
        self.rows += other.rows;
        self.of_rows = self.of_rows.wrapping_add(other.of_rows);
        self.columns.resize(self.columns.len().max(other.columns.len()), (0, 0));
        for (ours, theirs) in self.columns.iter_mut().zip(&other.columns) {
            *ours = (ours.0 + theirs.0, ours.1.wrapping_add(theirs.1));
        }
    }

    /// What differs, in words; `None` when both are of the same rows.
    pub fn difference(&self, other: &Self, schema: &Schema) -> Option<String> {
        if self.rows != other.rows {
            return Some(format!("{} rows became {}", self.rows, other.rows));
        }
        let mut columns = schema.fields().iter().zip(self.columns.iter().zip(&other.columns));
        let column = columns.find(|(_, (ours, theirs))| ours != theirs);
        match column {
            Some((field, (ours, theirs))) if ours.0 != theirs.0 => {
                Some(format!("column `{}` had {} nulls and has {}", field.name(), ours.0, theirs.0))
            }
            Some((field, _)) => Some(format!("values of column `{}` differ", field.name())),
            None => (self.of_rows != other.of_rows).then(|| "values stand in other rows".to_owned()),
        }
    }
}

/// A tally that a stream adds to while it is read.
#[derive(Clone, Debug, Default)]
pub struct Tallied(Arc<Mutex<Tally>>);

impl Tallied {
    /// What was read so far.
    pub fn so_far(&self) -> Tally {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn join(&self, other: &Tally) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).join(other);
    }
}

impl Whole {
    /// Files of one table; `store` has them as they were listed.
    ///
    /// # Errors
    /// `InvalidData` for files that store a column in types which none holds without loss, and for a column that cannot be
    /// written again as what it is.
    pub fn new(location: &Location, store: Arc<dyn ObjectStore>, files: Vec<TableFile>) -> Result<Self> {
        let store_url = ObjectStoreUrl::parse(&location.store_url)
            .map_err(|error| Error::internal(format!("store address `{}`: {error}", location.store_url)))?;
        let mut schemas = Vec::with_capacity(files.len());
        for file in &files {
            let shown = location.shown(&file.meta.location);
            schemas.push((file.schema(&shown)?, shown));
        }
        let schema = merged(&schemas)?;
        for (file, (_, shown)) in files.iter().zip(&schemas) {
            check_logical(&schema, &file.footer, shown)?;
            contract::check_intervals(&file.footer, shown, |_| true)?;
        }
        Ok(Self { store_url, store, files, schema: Arc::new(schema) })
    }

    pub fn files(&self) -> &[TableFile] {
        &self.files
    }

    /// The rows in `parts` streams, each counted in the tally. `rows_max` ends each of them early.
    fn scans(&self, parts: usize, rows_max: Option<usize>, tallied: &Tallied) -> Vec<Arc<dyn PartitionStream>> {
        let file = |file: &TableFile| {
            PartitionedFile::new_from_meta(file.meta.clone()).with_extension(Footer(Arc::clone(&file.footer)))
        };
        let groups = FileGroup::new(self.files.iter().map(file).collect()).split_files(parts);
        let table = TableSchema::builder(Arc::clone(&self.schema)).build();
        let source =
            ParquetSource::new(table).with_parquet_file_reader_factory(Arc::new(Readers::new(Arc::clone(&self.store))));
        let scan = FileScanConfigBuilder::new(self.store_url.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_limit(rows_max)
            .build();
        let scan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(scan);
        let of_part = |part| {
            let schema = Arc::clone(&self.schema);
            Arc::new(Part { scan: Arc::clone(&scan), part, schema, tallied: tallied.clone() })
                as Arc<dyn PartitionStream>
        };
        (0..scan.output_partitioning().partition_count()).map(of_part).collect()
    }

    /// All rows, sorted by these columns or in the order of the files where there are none, with the tally of what was read of
    /// the files; sorted in `parts` at once. Columns that no file has are left out of the order: they are null in every row.
    pub(in crate::engine) fn sorted(
        &self,
        sort: &[SortKey],
        rows_max: Option<usize>,
        parts: usize,
        context: Arc<TaskContext>,
    ) -> EngineResult<(SendableRecordBatchStream, Tallied)> {
        let tallied = Tallied::default();
        let order: Vec<PhysicalSortExpr> = sort
            .iter()
            .filter_map(|key| {
                let place = self.schema.index_of(&key.column).ok()?;
                let options = SortOptions { descending: key.descending, nulls_first: false };
                Some(PhysicalSortExpr::new(Arc::new(Column::new(&key.column, place)), options))
            })
            .collect();
        let order = LexOrdering::new(order);
        // Files in a row keep their order; a limit holds for each of several streams.
        let parts = if order.is_some() && rows_max.is_none() { parts } else { 1 };
        let scans = self.scans(parts, rows_max, &tallied);
        let scan = StreamingTableExec::try_new(Arc::clone(&self.schema), scans, None, [], false, None)?;
        let mut plan: Arc<dyn ExecutionPlan> = Arc::new(scan);
        if let Some(order) = order {
            let sorted = SortExec::new(order.clone(), plan).with_preserve_partitioning(true);
            plan = Arc::new(SortPreservingMergeExec::new(order, Arc::new(sorted)));
        }
        Ok((plan.execute(0, context)?, tallied))
    }

    /// Reads all rows for their tally alone.
    pub(in crate::engine) async fn tally(&self, context: Arc<TaskContext>) -> EngineResult<Tally> {
        let tallied = Tallied::default();
        let scans = self.scans(context.session_config().target_partitions(), None, &tallied);
        let reading = scans.into_iter().map(|scan| {
            let rows = scan.execute(Arc::clone(&context));
            tokio::spawn(rows.try_for_each(|_| std::future::ready(Ok(()))))
        });
        for part in reading.collect::<Vec<_>>() {
            part.await.map_err(|error| DataFusionError::External(Box::new(error)))??;
        }
        Ok(tallied.so_far())
    }
}

/// A part of a scan.
#[derive(Debug)]
struct Part {
    scan: Arc<dyn ExecutionPlan>,
    part: usize,
    schema: SchemaRef,
    tallied: Tallied,
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (schema, tallied) = (Arc::clone(&self.schema), self.tallied.clone());
        let rows = match self.scan.execute(self.part, context) {
            Ok(rows) => rows,
            Err(error) => Box::pin(RecordBatchStreamAdapter::new(
                Arc::clone(&schema),
                futures::stream::once(std::future::ready(Err(error))),
            )),
        };
        let counted = rows.map(move |batch| {
            let batch = batch?;
            let mut tally = Tally::default();
            tally.add(&batch)?;
            tallied.join(&tally);
            Ok(batch)
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, counted))
    }
}

/// The columns of all files, each in the type in which they store it, or in the one that holds all of theirs.
fn merged(schemas: &[(Schema, String)]) -> Result<Schema> {
    let mut fields: Vec<FieldRef> = Vec::new();
    for (schema, shown) in schemas {
        for field in schema.fields() {
            let Some(place) = fields.iter().position(|known| known.name() == field.name()) else {
                fields.push(Arc::clone(field));
                continue;
            };
            let known = &fields[place];
            if known.data_type() == field.data_type() {
                if field.is_nullable() && !known.is_nullable() {
                    fields[place] = Arc::new(Field::clone(known).with_nullable(true));
                }
                continue;
            }
            let Some(common) = contract::common(known.data_type(), field.data_type()) else {
                let first = schemas.iter().find_map(|(schema, shown)| {
                    let stored = schema.field_with_name(field.name()).ok()?.data_type();
                    contract::common(stored, field.data_type()).is_none().then_some((shown.as_str(), stored))
                });
                let first = first.unwrap_or((shown.as_str(), known.data_type()));
                return Err(contract::disagreement(field.name(), first, (shown, field.data_type())));
            };
            let nullable = known.is_nullable() || field.is_nullable();
            fields[place] = Arc::new(Field::clone(known).with_data_type(common).with_nullable(nullable));
        }
    }
    for field in &mut fields {
        if schemas.iter().any(|(schema, _)| schema.column_with_name(field.name()).is_none()) && !field.is_nullable() {
            *field = Arc::new(Field::clone(field).with_nullable(true));
        }
    }
    Ok(Schema::new(fields))
}

/// Refuses a column whose meaning the footer says in a word that would not be written again, and times as INT96: it holds some
/// that nanoseconds do not, which would be read as others here and when the new files are held against them.
fn check_logical(schema: &Schema, footer: &ParquetMetaData, shown: &str) -> Result<()> {
    use LogicalType as L;
    let written = ArrowSchemaConverter::new().convert(schema).map_err(|error| {
        Error::invalid(format!("the columns of `{shown}` cannot be written: {error}")).caused_by(error)
    })?;
    for column in footer.file_metadata().schema_descr().columns() {
        if column.physical_type() == PhysicalType::INT96 {
            let message = format!("column `{}` of `{shown}` is stored as INT96", column.path().string());
            return Err(Error::invalid(message)
                .hint("cxlake does not read every time of this old type as it is, and optimizes no table that would lose one; write its files again with another type"));
        }
        let Some(meaning) = column.logical_type_ref() else { continue };
        let may_be_lost = matches!(
            meaning,
            L::Json | L::Bson | L::Uuid | L::Enum | L::Variant { .. } | L::Geometry { .. } | L::Geography { .. }
        );
        let again = written.columns().iter().find(|other| other.path() == column.path());
        if may_be_lost && again.and_then(|again| again.logical_type_ref()) != Some(meaning) {
            let message = format!("column `{}` of `{shown}` is marked as {meaning:?}", column.path().string());
            return Err(Error::invalid(message)
                .hint("cxlake cannot write this mark again, and optimizes no table that would lose it"));
        }
    }
    Ok(())
}
