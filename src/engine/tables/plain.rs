//! A table of CSV, JSON or Arrow files.
//!
//! What its columns are is taken from the files when it is opened. Every scan lists anew and reads the versions that it finds;
//! where they are not those that were opened, it looks whether the columns are still the same.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::arrow::ArrowFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::{ExecutionPlan, Partitioning};
use object_store::{ObjectMeta, ObjectStore};

use super::super::inputs::Found;
use super::super::registry::Lent;
use super::json::{self, Layout};
use super::parquet::PARTS_REMOTE;
use super::{arrow, by_path, csv, csv_errors};
use crate::error::{Error, Result};
use crate::storage::{Location, Stores};

/// What is in the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Csv,
    Json,
    Arrow,
}

/// The files at a location as one table.
#[derive(Debug)]
pub struct PlainTable {
    stores: Arc<Stores>,
    location: Location,
    kind: Kind,
    compression: FileCompressionType,
    /// The files that were looked into.
    files: Vec<ObjectMeta>,
    look: Look,
}

/// What was found when the files were looked into.
#[derive(Debug, PartialEq)]
struct Look {
    dialect: Dialect,
    schema: SchemaRef,
}

/// How the files are written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Dialect {
    Csv { separator: u8 },
    Json { layout: Layout },
    Arrow,
}

impl Dialect {
    fn format(self, compression: FileCompressionType) -> Arc<dyn FileFormat> {
        match self {
            Self::Csv { separator } => Arc::new(csv::format(separator, compression)),
            Self::Json { layout } => {
                let format = JsonFormat::default().with_newline_delimited(layout != Layout::Array);
                Arc::new(format.with_file_compression_type(compression))
            }
            Self::Arrow => Arc::new(ArrowFormat),
        }
    }
}

impl PlainTable {
    /// Opens files that a listing found; at least one.
    ///
    /// # Errors
    /// `Storage` when a file cannot be read or is not as it was listed, `InvalidData` when the files cannot be one table.
    pub async fn open(
        stores: Arc<Stores>,
        location: Location,
        files: Vec<ObjectMeta>,
        kind: Kind,
        compression: FileCompressionType,
    ) -> Result<Self> {
        let store = stores.as_listed(&location, &files)?;
        let look = look(&store, &location, &files, kind, compression).await?;
        Ok(Self { stores, location, kind, compression, files, look })
    }

    /// The files as they lie there now, and the store that reads these versions of them.
    async fn now(&self) -> Result<(Vec<ObjectMeta>, Arc<dyn ObjectStore>)> {
        let files = by_path::files_of(&self.stores, &self.location, self.kind, self.compression).await?;
        let store = self.stores.as_listed(&self.location, &files)?;
        if files != self.files {
            let look = look(&store, &self.location, &files, self.kind, self.compression).await?;
            if look != self.look {
                let message = format!("the columns of `{}` are not those that they were", self.location.written);
                return Err(Error::invalid(message).hint("run the statement again; a view is to be made anew"));
            }
        }
        Ok((files, store))
    }
}

/// Looks into the files for how they are written and for their columns.
async fn look(
    store: &Arc<dyn ObjectStore>,
    location: &Location,
    files: &[ObjectMeta],
    kind: Kind,
    compression: FileCompressionType,
) -> Result<Look> {
    match kind {
        Kind::Csv => {
            let (separator, schema) = csv::sniff(store, location, files, compression).await?;
            Ok(Look { dialect: Dialect::Csv { separator }, schema })
        }
        Kind::Json => {
            let (layout, schema) = json::sniff(store, location, files, compression).await?;
            Ok(Look { dialect: Dialect::Json { layout }, schema })
        }
        Kind::Arrow => {
            let schema = arrow::schema_of_all(store.as_ref(), location, files).await?;
            Ok(Look { dialect: Dialect::Arrow, schema: Arc::new(schema) })
        }
    }
}

#[async_trait]
impl TableProvider for PlainTable {
    fn schema(&self) -> SchemaRef {
        arrow::widened(&self.look.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let (files, store) = self.now().await.map_err(DataFusionError::from)?;
        // It goes with the files, and so is there for as long as a plan reads them.
        let lent = Arc::new(Lent::new(session.runtime_env(), store)?);
        let address = lent.address().clone();
        let files = files.into_iter().map(|file| {
            let found = Found::new(None, &self.location, &file, None);
            PartitionedFile::new_from_meta(file).with_extension(Arc::clone(&lent)).with_extension(Arc::new(found))
        });
        let threads = session.config().target_partitions();
        let parts = if self.location.is_local() { threads } else { threads.max(PARTS_REMOTE) };
        let groups = FileGroup::new(files.collect()).split_files(parts);
        // The engine cuts large files at a line break, which an array or a record may have within, and puts them in as many parts
        // as there are threads; a scan that says how it is parted is left alone.
        let is_whole = matches!(self.look.dialect, Dialect::Json { layout: Layout::Values | Layout::Array });
        let parts = (is_whole || groups.len() > threads).then_some(Partitioning::UnknownPartitioning(groups.len()));
        let format = self.look.dialect.format(self.compression);
        let scan = FileScanConfigBuilder::new(address, format.file_source(Arc::clone(&self.look.schema).into()))
            .with_file_groups(groups)
            .with_output_partitioning(parts)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        let scan = format.create_physical_plan(session, scan).await?;
        match self.look.dialect {
            Dialect::Csv { separator } => Ok(csv_errors::named(scan, &self.location, separator)),
            Dialect::Json { .. } => Ok(scan),
            Dialect::Arrow => arrow::with_wide_numbers(scan),
        }
    }
}
