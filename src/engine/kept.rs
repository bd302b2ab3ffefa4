//! The schema `cxlake`: what the lake keeps of what was done, as tables that statements read.
//!
//! Nothing is read until a statement runs that names one. An object that is no record is a row that says so in `damaged`, and
//! nothing else: one broken file must not hide the others, nor itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::ReaderBuilder;
use datafusion::catalog::{SchemaProvider, Session, TableProvider};
use datafusion::common::TableReference;
use datafusion::datasource::MemTable;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::logical_expr::dml::InsertOp;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::lake::alert::{self, AlertRecord};
use crate::lake::checked::{self, CheckRecord};
use crate::lake::run::{self, RunRecord};
use crate::lake::{Lake, column};
use crate::storage::{Records, Stores};

/// Name of the schema.
pub const SCHEMA: &str = "cxlake";

/// Column that says what is wrong with an object that is no record.
const DAMAGED: &str = "damaged";

/// Key under which a column carries what it means.
pub const DESCRIPTION: &str = "description";

/// A table of what was done.
pub struct Kept {
    pub name: &'static str,
    pub description: &'static str,
    /// Folder of its objects among the records.
    folder: &'static str,
    columns: fn() -> SchemaRef,
    descriptions: fn() -> BTreeMap<&'static str, &'static str>,
    /// The rows that an object is, its name for errors.
    rows: fn(&[u8], &str) -> Result<Vec<Value>>,
}

/// All of them, by name.
static ALL: [Kept; 3] = [
    Kept {
        name: "alerts",
        description: "One row per alert, key and fire time: how it was with it, since when, whether it was told.",
        folder: alert::ALERTS,
        columns: alert::schema,
        descriptions: alert::descriptions,
        rows: AlertRecord::rows,
    },
    Kept {
        name: "checks",
        description: "One row per check of each `cxlake check`: what it found.",
        folder: checked::CHECKS,
        columns: checked::schema,
        descriptions: checked::descriptions,
        rows: CheckRecord::rows,
    },
    Kept {
        name: "runs",
        description: "One row per run of a schedule: when, what became of it, what was made and where it went.",
        folder: run::RUNS,
        columns: run::schema,
        descriptions: run::descriptions,
        rows: of_run,
    },
];

fn of_run(bytes: &[u8], shown: &str) -> Result<Vec<Value>> {
    RunRecord::from_json(bytes, shown)?;
    let row = serde_json::from_slice(bytes).map_err(|error| Error::invalid(error.to_string()).caused_by(error))?;
    Ok(vec![row])
}

impl Kept {
    /// Name of the schema that they are in.
    pub const SCHEMA: &str = SCHEMA;

    pub fn all() -> &'static [Self] {
        &ALL
    }

    /// The table of this name, with or without the schema's before it.
    pub fn named(name: &str) -> Option<&'static Self> {
        let name = name.strip_prefix(SCHEMA).and_then(|rest| rest.strip_prefix('.')).unwrap_or(name);
        ALL.iter().find(|kept| kept.name.eq_ignore_ascii_case(name))
    }

    /// The name as statements write it.
    pub fn full_name(&self) -> String {
        format!("{SCHEMA}.{}", self.name)
    }

    /// Its columns; each carries what it means.
    pub fn schema(&self) -> SchemaRef {
        let descriptions = (self.descriptions)();
        let described = |field: &Field| {
            let about = descriptions.get(field.name().as_str()).copied().unwrap_or_default();
            field.clone().with_metadata(HashMap::from([(DESCRIPTION.to_owned(), about.to_owned())]))
        };
        let mut fields: Vec<Field> = (self.columns)().fields().iter().map(|field| described(field)).collect();
        let damaged = "what is wrong with an object that is no record, with its name; all other columns are null then";
        let metadata = HashMap::from([(DESCRIPTION.to_owned(), damaged.to_owned())]);
        fields.push(Field::new(DAMAGED, DataType::Utf8, true).with_metadata(metadata));
        Arc::new(Schema::new(fields))
    }

    /// Name and type of each column.
    pub fn columns(&self) -> Vec<(String, String)> {
        self.schema()
            .fields()
            .iter()
            .map(|field| (field.name().clone(), column::type_name(field.data_type())))
            .collect()
    }

    /// All rows that there are now.
    async fn read(&self, records: &Records) -> Result<RecordBatch> {
        let mut rows = Vec::new();
        for (name, bytes) in records.all(self.folder).await? {
            match (self.rows)(&bytes, &records.shown(&name)) {
                Ok(found) => rows.extend(found),
                Err(error) => rows.push(json!({ DAMAGED: error.message() })),
            }
        }
        let schema = self.schema();
        let internal = |error: ArrowError| {
            Error::internal(format!("records of `{}` do not fit their columns: {error}", self.full_name()))
        };
        let reader = ReaderBuilder::new(Arc::clone(&schema)).with_batch_size(rows.len().max(1));
        let mut decoder = reader.build_decoder().map_err(internal)?;
        decoder.serialize(&rows).map_err(internal)?;
        Ok(decoder.flush().map_err(internal)?.unwrap_or_else(|| RecordBatch::new_empty(schema)))
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What a name of a table stands for in statements: one of the lake or the session, or one of this schema.
pub fn reference(name: &str) -> TableReference {
    match Kept::named(name).filter(|_| name.starts_with(SCHEMA)) {
        Some(kept) => TableReference::partial(SCHEMA, kept.name),
        None => TableReference::bare(name),
    }
}

/// The schema, as the engine asks for it.
#[derive(Debug)]
pub struct KeptSchema {
    lake: Arc<Lake>,
    stores: Arc<Stores>,
}

impl KeptSchema {
    pub fn new(lake: Arc<Lake>, stores: Arc<Stores>) -> Self {
        Self { lake, stores }
    }
}

/// Refuses to change what cxlake itself keeps.
pub fn untouchable(name: &str) -> Error {
    Error::usage(format!("`{SCHEMA}.{name}` is what cxlake keeps, and cannot be changed"))
        .hint("give a table of yours a name without `cxlake.` before it")
}

#[async_trait]
impl SchemaProvider for KeptSchema {
    fn table_names(&self) -> Vec<String> {
        ALL.iter().map(|kept| kept.name.to_owned()).collect()
    }

    async fn table(&self, name: &str) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        let Some(kept) = Kept::named(name) else { return Ok(None) };
        let table = KeptTable { kept, lake: Arc::clone(&self.lake), stores: Arc::clone(&self.stores) };
        Ok(Some(Arc::new(table)))
    }

    fn register_table(&self, name: String, _: Arc<dyn TableProvider>) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        Err(untouchable(&name).into())
    }

    fn deregister_table(&self, name: &str) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        Err(untouchable(name).into())
    }

    fn table_exist(&self, name: &str) -> bool {
        Kept::named(name).is_some()
    }
}

/// One of the tables.
#[derive(Debug)]
struct KeptTable {
    kept: &'static Kept,
    lake: Arc<Lake>,
    stores: Arc<Stores>,
}

#[async_trait]
impl TableProvider for KeptTable {
    fn schema(&self) -> SchemaRef {
        self.kept.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let records = Records::open(&self.stores, &self.lake).map_err(DataFusionError::from)?;
        let rows = self.kept.read(&records).await.map_err(DataFusionError::from)?;
        MemTable::try_new(rows.schema(), vec![vec![rows]])?.scan(session, projection, filters, limit).await
    }

    async fn insert_into(
        &self,
        _: &dyn Session,
        _: Arc<dyn ExecutionPlan>,
        _: InsertOp,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        Err(untouchable(self.kept.name).into())
    }
}
