//! A table of Parquet files: opened when it is named, listed and held to its contract when it is scanned.
//!
//! Every scan lists anew, so that a file which arrives is seen by the next statement; footers come from the session's cache
//! while a file is unchanged. Only files that the partition filters leave are opened, and in a bucket only their folders listed.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::{ScanArgs, ScanResult, Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Statistics, project_schema};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::physical_plan::{FileGroup, FileGroupPartitioner, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning};
use datafusion::scalar::ScalarValue;
use datafusion_datasource::compute_all_files_statistics;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use object_store::ObjectMeta;

use super::super::inputs::{Found, Opened};
use super::dictionary::{self, Texts};
use super::facts::{self, Facts};
use super::filter::{self, PartitionFilter};
use super::looks::{Looks, Wanted};
use super::reader::{Footer, Readers};
use super::whole::TableFile;
use super::{contract, footer, partition};
use crate::error::{Error, Result};
use crate::lake::Table;
use crate::lake::column::Column;
use crate::storage::{Listing, Location, Objects, Stores};

/// Endings that make a file in a folder a Parquet file.
pub const EXTENSIONS: [&str; 3] = ["parquet", "parq", "pq"];

/// Parts in which files in a bucket are read at least.
pub const PARTS_REMOTE: usize = 16;

/// Footers that are read at once. A bucket holds requests to its own limit.
const FOOTERS_AT_ONCE: usize = 64;

/// Files, the last ones, whose dictionaries are read for what their columns hold.
const DICTIONARIES_READ: usize = 4;

/// A table of Parquet files.
#[derive(Debug)]
pub struct ParquetTable {
    stores: Arc<Stores>,
    location: Location,
    store: ObjectStoreUrl,
    /// The contract; empty when the files themselves say what there is.
    columns: Vec<Column>,
    partition: Vec<Column>,
    table_schema: TableSchema,
    /// The lake's name for it; `None` for files by path.
    name: Option<String>,
    /// The column that is its declared key, when it is one alone.
    key: Option<String>,
    looks: Looks,
    /// The files that its scans opened.
    opened: Arc<Opened>,
}

/// The files of a table as they lie there now.
#[derive(Debug)]
pub struct Files {
    pub count: usize,
    pub bytes: u64,
    pub rows: u64,
    /// When the newest file was written.
    pub newest: Option<chrono::DateTime<chrono::Utc>>,
    /// Files with another extension.
    pub others: usize,
}

/// What a listing alone says of a table.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    pub files: usize,
    pub bytes: u64,
    /// When the newest file was written.
    pub newest: Option<chrono::DateTime<chrono::Utc>>,
}

impl Listed {
    /// Lists the files of a table without opening one.
    ///
    /// # Errors
    /// `Storage` when they cannot be listed.
    pub async fn of(stores: &Stores, location: &Location) -> Result<Self> {
        let listing = location.list(stores.open(&location.store_url)?.as_ref(), &EXTENSIONS).await?;
        Ok(Self {
            files: listing.files.len(),
            bytes: listing.files.iter().map(|file| file.size).sum(),
            newest: listing.files.iter().map(|file| file.last_modified).max(),
        })
    }
}

impl ParquetTable {
    /// Opens a table. With declared columns nothing is read before the first scan; without, the footers of all files are.
    ///
    /// # Errors
    /// `InvalidData` and `Storage` from the files, `Internal` when the location's store is unknown.
    pub async fn open(
        session: &dyn Session,
        stores: Arc<Stores>,
        location: Location,
        columns: Vec<Column>,
        partition: Vec<Column>,
    ) -> Result<Self> {
        let store = ObjectStoreUrl::parse(&location.store_url)
            .map_err(|error| Error::internal(format!("store address `{}`: {error}", location.store_url)))?;
        let (table_schema, name, key) = (empty().into(), None, None);
        let (looks, opened) = (Looks::default(), Arc::default());
        let mut table = Self { stores, location, store, columns, partition, table_schema, name, key, looks, opened };
        let schema = match table.columns.as_slice() {
            [] => table.inferred(session).await?,
            columns => contract::declared(columns),
        };
        let partitions = partition::fields(&table.partition);
        let kept: Vec<_> = schema
            .fields()
            .iter()
            .filter(|field| partitions.iter().all(|partition| partition.name() != field.name()))
            .cloned()
            .collect();
        table.table_schema =
            TableSchema::builder(Arc::new(Schema::new(kept))).with_table_partition_cols(partitions).build();
        Ok(table)
    }

    /// The same table as the lake declares it: its name and its key.
    #[must_use]
    pub fn declared(self, table: &Table) -> Self {
        let key = table.checks.key.as_ref().and_then(|key| match key.columns.as_slice() {
            [column] => Some(column.clone()),
            _ => None,
        });
        Self { name: Some(table.name.clone()), key, ..self }
    }

    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub fn location(&self) -> &Location {
        &self.location
    }

    /// What was listed of it so far.
    pub fn looks(&self) -> &Looks {
        &self.looks
    }

    /// The files that its scans opened so far.
    pub fn files_opened(&self) -> &Arc<Opened> {
        &self.opened
    }

    /// Lists the files and reads their footers.
    ///
    /// # Errors
    /// As a scan of the whole table.
    pub async fn files(&self, session: &dyn Session) -> Result<Files> {
        let listing = self.listing().await?;
        let footers = self.footers(session, &listing.files).await?;
        let rows = footers.iter().map(|footer| footer.file_metadata().num_rows().unsigned_abs()).sum();
        Ok(Files {
            count: listing.files.len(),
            bytes: listing.files.iter().map(|file| file.size).sum(),
            rows,
            newest: listing.files.iter().map(|file| file.last_modified).max(),
            others: listing.others,
        })
    }

    /// What the footers say of each column of [`schema`](TableProvider::schema).
    ///
    /// # Errors
    /// As a scan of the whole table.
    pub async fn facts(&self, session: &dyn Session) -> Result<Vec<Facts>> {
        let listing = self.listing().await?;
        let footers = self.footers(session, &listing.files).await?;
        let mut files = Vec::with_capacity(footers.len());
        for (file, footer) in listing.files.iter().zip(&footers) {
            let shown = self.location.shown(&file.location);
            // In the file's own types: it may store a column narrower than the table has it.
            let stored = Arc::new(footer::schema(footer, &shown)?);
            let mut found = DFParquetMetadata::statistics_from_parquet_metadata(footer, &stored)
                .map_err(|error| Error::invalid(format!("the statistics of `{shown}` are damaged: {error}")))?;
            footer::keep_known(&mut found, &stored, footer);
            let rows = found.num_rows;
            let columns =
                self.table_schema.file_schema().fields().iter().map(|field| match stored.index_of(field.name()) {
                    Ok(place) => found.column_statistics[place].clone(),
                    Err(_) => ColumnStatistics { null_count: rows, ..ColumnStatistics::new_unknown() },
                });
            let mut known = Statistics { num_rows: rows, column_statistics: columns.collect(), ..found.clone() };
            for value in partition::values(&self.partition, &self.location, &file.location)? {
                let nulls = if value.is_null() { rows } else { Precision::Exact(0) };
                let bound = Precision::Exact(value);
                known.column_statistics.push(ColumnStatistics {
                    null_count: nulls,
                    min_value: bound.clone(),
                    max_value: bound,
                    ..ColumnStatistics::new_unknown()
                });
            }
            files.push(known);
        }
        Ok(facts::of_all(&files, self.schema().fields().len()))
    }

    /// Values of text columns and partitions, for those who type: of some files on this machine, up to `max` of each column. A
    /// table in a bucket has none here.
    ///
    /// # Errors
    /// As a scan of the whole table.
    pub async fn some_values(&self, session: &dyn Session, max: usize) -> Result<Vec<(String, Texts)>> {
        if !self.location.is_local() {
            return Ok(Vec::new());
        }
        let mut listing = self.listing().await?;
        let mut found = Vec::new();
        for file in &listing.files {
            let values = partition::values(&self.partition, &self.location, &file.location)?;
            let known = self.partition.iter().zip(values).filter(|(_, value)| !value.is_null());
            found.extend(known.map(|(column, value)| (column.name.clone(), Texts::Few(vec![value.to_string()]))));
        }
        let files = listing.files.split_off(listing.files.len().saturating_sub(DICTIONARIES_READ));
        for (file, footer) in files.iter().zip(self.footers(session, &files).await?) {
            if let Some(path) = self.location.on_disk(&file.location) {
                found.extend(dictionary::texts(&path, &footer, max));
            }
        }
        Ok(found)
    }

    /// The columns that all files have together.
    async fn inferred(&self, session: &dyn Session) -> Result<Schema> {
        let listing = self.listing().await?;
        let footers = self.footers(session, &listing.files).await?;
        let mut schemas = Vec::new();
        for (file, footer) in listing.files.iter().zip(&footers) {
            let shown = self.location.shown(&file.location);
            schemas.push((footer::schema(footer, &shown)?, shown));
        }
        contract::union(schemas.iter().map(|(schema, shown)| (shown.as_str(), schema)))
    }

    /// The files of the table.
    async fn listing(&self) -> Result<Listing> {
        let store = self.stores.open(&self.location.store_url)?;
        let listing = self.location.list(store.as_ref(), &EXTENSIONS).await?;
        self.looks.add(0, Wanted::new(), &listing.files);
        if listing.files.is_empty() { Err(self.nothing_here(&listing)) } else { Ok(listing) }
    }

    fn nothing_here(&self, listing: &Listing) -> Error {
        let error = Error::not_found(format!("no Parquet file in `{}`", self.location.written));
        match listing.others {
            0 => error.hint("put files that end in `.parquet` there, or correct the path"),
            1 => error.hint("one file there has another ending; Parquet files end in `.parquet`"),
            others => error.hint(format!("{others} files there have another ending; Parquet files end in `.parquet`")),
        }
    }

    /// Where the table lies, and its files with their footers.
    ///
    /// # Errors
    /// As a scan of the whole table.
    pub async fn with_footers(&self, session: &dyn Session) -> Result<(Location, Vec<TableFile>)> {
        let listing = self.listing().await?;
        let files = with_footers(session, &self.stores, &self.location, &listing.files).await?;
        Ok((self.location.clone(), files))
    }

    async fn footers(&self, session: &dyn Session, files: &[ObjectMeta]) -> Result<Vec<Arc<ParquetMetaData>>> {
        footers(session, &self.stores, &self.location, files).await
    }

    /// The files that the partition filters leave, each with its partition values.
    async fn pruned(&self, filters: &[Expr]) -> Result<Vec<PartitionedFile>> {
        let filter = PartitionFilter::new(&self.partition, filters);
        // On the disk a listing costs no requests, and names every file that is in the wrong place.
        let levels = if self.location.is_local() { 0 } else { filter.levels() };
        let asked = Mutex::new(Wanted::new());
        let wanted = |folders: &[String]| {
            let is_wanted = filter.wants(&self.location, folders)?;
            asked.lock().unwrap_or_else(PoisonError::into_inner).insert(folders.join("/"), is_wanted);
            Ok(is_wanted)
        };
        let store = self.stores.open(&self.location.store_url)?;
        let listing = self.location.list_where(store.as_ref(), &EXTENSIONS, levels, wanted).await?;
        self.looks.add(levels, asked.into_inner().unwrap_or_else(PoisonError::into_inner), &listing.files);
        if listing.files.is_empty() && listing.folders_left_out == 0 {
            return Err(self.nothing_here(&listing));
        }
        let mut kept = Vec::new();
        for meta in listing.files {
            let values = partition::values(&self.partition, &self.location, &meta.location)?;
            kept.extend(filter.kept(PartitionedFile::new_from_meta(meta).with_partition_values(values))?);
        }
        Ok(kept)
    }

    /// Opens a file of which the columns of `read` are wanted: holds it to the contract and attaches its statistics.
    async fn opened(
        &self,
        session: &dyn Session,
        objects: &Objects,
        file: PartitionedFile,
        read: &Schema,
    ) -> Result<PartitionedFile> {
        let footer = footer::read(session, objects, &self.location, &file.object_meta).await?;
        let shown = self.location.shown(&file.object_meta.location);
        let schema = footer::schema(&footer, &shown)?;
        contract::check(&self.columns, &schema, &footer, &shown)?;
        contract::check_intervals(&footer, &shown, |name| read.field_with_name(name).is_ok())?;
        let mut statistics =
            DFParquetMetadata::statistics_from_parquet_metadata(&footer, self.table_schema.file_schema())
                .map_err(|error| Error::invalid(format!("the statistics of `{shown}` are damaged: {error}")))?;
        footer::keep_known(&mut statistics, self.table_schema.file_schema(), &footer);
        keep_own(&mut statistics, self.table_schema.file_schema());
        let rows = statistics.num_rows;
        let found = Found::new(self.name(), &self.location, &file.object_meta, rows.get_value().copied());
        let mut file =
            file.with_statistics(Arc::new(statistics)).with_extension(Footer(footer)).with_extension(Arc::new(found));
        if file.partition_values.iter().any(ScalarValue::is_null) {
            // The engine takes partition values to be non-null when it derives their statistics.
            let unknown = Statistics::new_unknown(self.table_schema.table_schema());
            file.statistics = Some(Arc::new(Statistics { num_rows: rows, ..unknown }));
        }
        Ok(file)
    }

    /// Opens files until they hold `limit` rows; also says whether that left any out.
    async fn opened_up_to(
        &self,
        session: &dyn Session,
        objects: &Objects,
        files: Vec<PartitionedFile>,
        read: &Schema,
        limit: Option<usize>,
    ) -> Result<(Vec<PartitionedFile>, bool)> {
        let total = files.len();
        let mut opened = Vec::with_capacity(total);
        let mut rows = 0;
        let opening: Vec<_> = files.into_iter().map(|file| self.opened(session, objects, file, read).boxed()).collect();
        let mut opening = stream::iter(opening).buffered(FOOTERS_AT_ONCE);
        while let Some(file) = opening.next().await {
            let file = file?;
            if let Some(Precision::Exact(count)) = file.statistics.as_ref().map(|statistics| statistics.num_rows) {
                rows += count;
            }
            opened.push(file);
            if limit.is_some_and(|limit| rows >= limit) {
                break;
            }
        }
        let left_out = opened.len() < total;
        Ok((opened, left_out))
    }

    /// Parts in which the files are read at once. In each, reading and decoding take turns; in a bucket reading is waiting for
    /// the most part, and more parts than threads keep the threads at work.
    fn parts(&self, session: &dyn Session) -> usize {
        let threads = session.config().target_partitions();
        if self.location.is_local() { threads } else { threads.max(PARTS_REMOTE) }
    }

    fn is_partition_filter(&self, filter: &Expr) -> bool {
        filter::is_on(&self.partition, filter)
    }
}

/// Takes out of the statistics bounds of another type than the column has, as those of lists may be: the engine expects one type of
/// the bounds of all files.
fn keep_own(statistics: &mut Statistics, schema: &Schema) {
    for (field, known) in schema.fields().iter().zip(&mut statistics.column_statistics) {
        for bound in [&mut known.min_value, &mut known.max_value] {
            if bound.get_value().is_some_and(|value| value.data_type() != *field.data_type()) {
                *bound = Precision::Absent;
            }
        }
    }
}

async fn footers(
    session: &dyn Session,
    stores: &Stores,
    location: &Location,
    files: &[ObjectMeta],
) -> Result<Vec<Arc<ParquetMetaData>>> {
    let objects = stores.objects(location, &files.iter().collect::<Vec<_>>())?;
    let footers: Vec<_> = files.iter().map(|file| footer::read(session, &objects, location, file).boxed()).collect();
    stream::iter(footers).buffered(FOOTERS_AT_ONCE).try_collect().await
}

/// Files of a location with their footers.
///
/// # Errors
/// `InvalidData` and `Storage` from the files.
pub async fn with_footers(
    session: &dyn Session,
    stores: &Stores,
    location: &Location,
    files: &[ObjectMeta],
) -> Result<Vec<TableFile>> {
    let footers = footers(session, stores, location, files).await?;
    let file = |(meta, footer): (&ObjectMeta, _)| TableFile { meta: meta.clone(), footer };
    Ok(files.iter().zip(footers).map(file).collect())
}

fn empty() -> SchemaRef {
    Arc::new(Schema::empty())
}

#[async_trait]
impl TableProvider for ParquetTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.table_schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> EngineResult<Vec<TableProviderFilterPushDown>> {
        let verdict = |filter: &&Expr| match self.is_partition_filter(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(verdict).collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let args = ScanArgs::default()
            .with_projection(projection.map(Vec::as_slice))
            .with_filters(Some(filters))
            .with_limit(limit);
        Ok(self.scan_with_args(session, args).await?.into_inner())
    }

    async fn scan_with_args<'a>(&self, session: &dyn Session, args: ScanArgs<'a>) -> EngineResult<ScanResult> {
        let projection = args.projection().map(<[usize]>::to_vec);
        let (on_partitions, on_rows): (Vec<Expr>, Vec<Expr>) =
            args.filters().unwrap_or_default().iter().cloned().partition(|filter| self.is_partition_filter(filter));

        let files = self.pruned(&on_partitions).await.map_err(DataFusionError::from)?;
        let read = project_schema(&self.schema(), projection.as_ref())?;
        if files.is_empty() {
            return Ok(ScanResult::new(Arc::new(EmptyExec::new(read))));
        }
        let listed: Vec<&ObjectMeta> = files.iter().map(|file| &file.object_meta).collect();
        let objects = self.stores.objects(&self.location, &listed).map_err(DataFusionError::from)?;
        // A filter on rows may leave any number of them, so a limit says nothing about how many files it takes.
        let enough = args.limit().filter(|_| on_rows.is_empty());
        let (files, left_out) =
            self.opened_up_to(session, &objects, files, &read, enough).await.map_err(DataFusionError::from)?;
        for found in files.iter().filter_map(PartitionedFile::extension::<Arc<Found>>) {
            self.opened.add(found);
        }

        let parts = self.parts(session);
        let groups = FileGroup::new(files).split_files(parts);
        let (mut groups, mut statistics) = compute_all_files_statistics(groups, self.schema(), true, left_out)?;
        if let Some(place) = self.key.as_ref().and_then(|key| self.schema().index_of(key).ok()) {
            // What the declaration says, not what was counted.
            statistics.column_statistics[place].distinct_count = statistics.num_rows.to_inexact();
        }
        if groups.len() < parts && !self.location.is_local() {
            // The engine would cut large files too, but into no more parts than there are threads.
            let cutter = FileGroupPartitioner::new()
                .with_target_partitions(parts)
                .with_repartition_file_min_size(session.config_options().optimizer.repartition_file_min_size);
            groups = cutter.repartition_file_groups(&groups).unwrap_or(groups);
        }
        // A scan that says how it is parted is left alone; the engine would put all in as many parts as there are threads.
        let parts = (!self.location.is_local()).then_some(Partitioning::UnknownPartitioning(groups.len()));
        let mut source = ParquetSource::new(self.table_schema.clone())
            .with_table_parquet_options(session.default_table_options().parquet)
            .with_parquet_file_reader_factory(Arc::new(Readers::new(Arc::clone(objects.store()))));
        if let Some(hint) = session.config_options().execution.parquet.metadata_size_hint {
            source = source.with_metadata_size_hint(hint);
        }
        let scan = FileScanConfigBuilder::new(self.store.clone(), Arc::new(source))
            .with_output_partitioning(parts)
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection)?
            .with_limit(args.limit())
            .build();
        Ok(ScanResult::new(DataSourceExec::from_data_source(scan)))
    }
}
