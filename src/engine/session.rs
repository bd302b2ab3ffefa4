//! The session: plans statements and starts them, with nothing of the engine's own left in its errors.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::NaiveDate;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList, SchemaProvider,
    TableProvider,
};
use datafusion::common::ParamValues;
use datafusion::common::config::ExtensionOptions;
use datafusion::common::metadata::ScalarAndMetadata;
use datafusion::datasource::{MemTable, TableType};
use datafusion::error::DataFusionError;
use datafusion::execution::{SessionState, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::{DdlStatement, Documentation, LogicalPlan, Prepare, SetVariable, Statement as Command};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::{SQLOptions, SessionContext};
use datafusion::scalar::ScalarValue;
use datafusion::sql::parser::Statement;
use datafusion_session::SessionStore;
use futures::{Stream, StreamExt, TryStreamExt};
use object_store::ObjectStore;
use url::Url;

use super::asked::{Asked, asked};
use super::catalog::{LakeSchema, Last, Overlay, Tables};
use super::describe;
use super::diagnose::{Known, SqlText, from_engine};
use super::functions::{self, help::Kind};
use super::inputs;
use super::kept;
use super::limits::{Limits, Mode};
use super::merged_names;
use super::optimizer;
use super::options::Settings;
use super::planner::Planner;
use super::profile;
use super::registry::Registry;
use super::scans::Scans;
use super::summary::{self, Summary};
use super::tables::{self, Facts, Files, Listed, Texts};
use super::views::View;
use crate::error::{Error, Result};
use crate::lake::metric::Formula;
use crate::lake::{Lake, Table};
use crate::storage::Stores;
use crate::suggest;

/// Name of the engine's catalog and of the schema with the lake's tables in it.
const CATALOG: &str = "lake";
const SCHEMA: &str = "public";

/// A session with the lake in it.
#[derive(Clone)]
pub struct Engine {
    pub(super) context: SessionContext,
    lake: Arc<Lake>,
    schema: Arc<LakeSchema>,
    /// What names mean in statements: the lake's schema, below the views laid over it.
    names: Arc<dyn SchemaProvider>,
    mode: Mode,
    limits: Limits,
    /// Whether a statement may have changed what others mean.
    is_changed: Arc<AtomicBool>,
}

/// A statement that is running: its columns, and its rows as they come.
pub struct Running {
    pub schema: SchemaRef,
    pub batches: std::pin::Pin<Box<dyn Stream<Item = Result<RecordBatch>> + Send>>,
    pub scans: Scans,
}

impl Running {
    /// Rows that are there.
    pub fn done(batch: RecordBatch) -> Self {
        let schema = batch.schema();
        let batches = Box::pin(futures::stream::iter([Ok(batch)]));
        Self { schema, batches, scans: Scans::default() }
    }
}

impl Engine {
    /// Opens a session; no table is touched.
    ///
    /// `stores` are the lake's, `folder` is where relative paths in statements start.
    ///
    /// # Errors
    /// `Storage` when there is no folder to spill to; `InvalidData` for a metric with the name of a function.
    pub fn open(lake: Arc<Lake>, stores: Arc<Stores>, folder: PathBuf, limits: &Limits, mode: Mode) -> Result<Self> {
        let mut config = limits
            .config()
            .with_information_schema(true)
            .with_default_catalog_and_schema(CATALOG, SCHEMA)
            .with_create_default_catalog_and_schema(false);
        let options = config.options_mut();
        options.extensions.insert(Settings::default());
        options.sql_parser.collect_spans = true;
        // Sizes of intermediate results too, so that the smaller side of a join is the one that is kept in memory.
        options.optimizer.use_statistics_registry = true;
        // A scan below `min(a), max(b + 1)` would be told what `a` has reached alone, or nothing of what is null so far.
        options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
        // The engine's two ways of telling whether a CASE can be null differ at times, and it would refuse its own plan for it.
        options.execution.skip_physical_aggregate_schema_check = true;
        // As spreadsheets and DuckDB have it: blanks at the end, whichever way the column is sorted.
        "nulls_last".clone_into(&mut options.sql_parser.default_null_ordering);

        let builder = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(limits.runtime(Arc::new(Registry::new(Arc::clone(&stores))))?)
            .with_default_features()
            .with_analyzer_rules(optimizer::analyzer_rules())
            .with_optimizer_rules(optimizer::logical_rules())
            .with_physical_optimizer_rules(optimizer::physical_rules())
            .with_statistics_registry(optimizer::estimates())
            .with_query_planner(Arc::new(Planner));
        let state = functions::register(builder, &lake.scales).build();
        for metric in lake.metrics.values().filter(|metric| matches!(metric.formula, Formula::Sql(_))) {
            // It would stand in for the function in every statement, without a word.
            if has_function(&state, &metric.name) {
                return Err(
                    functions::metrics::wrong(metric, "it has the name of a function").hint("take another name")
                );
            }
        }
        let context = SessionContext::new_with_state(state);
        let session = Arc::new(SessionStore::new());
        session.with_state(context.state_weak_ref());
        let schema = Arc::new(LakeSchema::new(Arc::clone(&lake), stores, folder, mode, session));
        let names = Arc::clone(&schema) as Arc<dyn SchemaProvider>;
        context.register_catalog_list(catalogs(Arc::clone(&names), &lake, schema.stores())?);
        Ok(Self { context, lake, schema, names, mode, limits: limits.clone(), is_changed: Arc::default() })
    }

    /// A session of its own over the same lake, with this day for today.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn on_day(&self, day: NaiveDate) -> Result<Self> {
        let mut lake = self.lake.as_ref().clone();
        lake.calendar.today = Some(day);
        Self::open(Arc::new(lake), Arc::clone(self.stores()), self.folder().to_owned(), &self.limits, self.mode)
    }

    /// Folder in which relative paths of statements start.
    pub fn folder(&self) -> &Path {
        self.schema.folder()
    }

    pub fn lake(&self) -> &Lake {
        &self.lake
    }

    pub fn stores(&self) -> &Arc<Stores> {
        self.schema.stores()
    }

    pub(super) fn schema(&self) -> &LakeSchema {
        &self.schema
    }

    /// Adds a store that plans of this session know by this address; a second one takes its place.
    pub fn add_store(&self, address: &Url, store: Arc<dyn ObjectStore>) {
        self.context.register_object_store(address, store);
    }

    /// Takes away a store that was added.
    pub fn remove_store(&self, address: &Url) {
        // One that is not there needs no taking away.
        let _ = self.context.runtime_env().deregister_object_store(address);
    }

    /// Names of the lake's tables and of what the session made.
    pub fn table_names(&self) -> Vec<String> {
        self.schema.table_names()
    }

    /// Plans a statement, with `parameters` bound where it has `$name`; one that asks about a query as that query.
    ///
    /// # Errors
    /// `Query` and `NotFound` with the line of the statement's text; `Usage` for what the mode forbids.
    pub async fn plan(&self, sql: &SqlText<'_>, parameters: &[(String, ScalarValue)]) -> Result<LogicalPlan> {
        let state = self.context.state();
        let explain = |error| self.explain(error, Some(sql));
        let dialect = state.config_options().sql_parser.dialect;
        // A statement that asks about a query is planned as the query; errors show it as it was written.
        let query = asked(sql.text).map(|(_, query)| query);
        let text = query.as_deref().unwrap_or(sql.text);
        let mut statement = state.sql_to_statement(text, &dialect).map_err(explain)?;
        functions::arguments::complete(&mut statement, &self.lake.metrics).map_err(|error| sql.place_named(error))?;
        merged_names::write_out(&mut statement, &state).await.map_err(|error| sql.place_named(error))?;
        let plan = with_default(state.statement_to_plan(statement).await.map_err(explain)?);
        if self.mode == Mode::ReadOnly {
            let allowed = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
            allowed.verify_plan(&plan).map_err(|_| forbidden(&plan))?;
        }
        self.keep_tables(&plan)?;
        if let LogicalPlan::Analyze(analyze) = &plan
            && !is_query(&analyze.input)
        {
            // A COPY in it would write to its target at once.
            let error = sql.place(Error::usage("`explain analyze` takes a query"), None);
            return Err(error.hint("run it on the `select` alone"));
        }
        if let LogicalPlan::Statement(Command::Prepare(prepare)) = &plan
            && matches!(prepare.input.as_ref(), LogicalPlan::Ddl(_) | LogicalPlan::Statement(_))
        {
            // EXECUTE would not find a way to run it.
            let error = sql.place(Error::usage("`prepare` takes a query"), None);
            return Err(error.hint("write the statement itself where it is to run"));
        }
        let returns_rows = !matches!(plan, LogicalPlan::Ddl(_) | LogicalPlan::Statement(_));
        if returns_rows && plan.schema().fields().is_empty() {
            return Err(sql
                .place(Error::query("the statement selects no columns"), None)
                .hint("write `select * from …`"));
        }
        let names = plan.get_parameter_names().map_err(|error| self.explain(error, Some(sql)))?;
        let is_numbered = |name: &String| name.trim_start_matches('$').parse::<usize>().is_ok();
        if matches!(plan, LogicalPlan::Statement(Command::Prepare(_))) && names.iter().all(is_numbered) {
            // They get their values from EXECUTE.
            return Ok(plan);
        }
        if let Some(unknown) = names.iter().find(|name| !has(parameters, name)) {
            return Err(unbound(unknown, parameters, sql));
        }
        if names.is_empty() {
            return Ok(plan);
        }
        let values = parameters.iter().map(|(name, value)| (name.clone(), ScalarAndMetadata::from(value.clone())));
        let values = ParamValues::Map(values.collect());
        let bound = match plan {
            LogicalPlan::Statement(Command::Prepare(Prepare { name, fields, input })) => {
                let input = Arc::unwrap_or_clone(input).with_param_values(values).map(Arc::new);
                input.map(|input| LogicalPlan::Statement(Command::Prepare(Prepare { name, fields, input })))
            }
            plan => plan.with_param_values(values),
        };
        bound.map_err(|error| self.explain(error, Some(sql)))
    }

    /// Refuses to drop what is of the lake. The engine would say that there is none, or say nothing, since its catalog cannot
    /// refuse.
    fn keep_tables(&self, plan: &LogicalPlan) -> Result<()> {
        let name = match plan {
            LogicalPlan::Ddl(DdlStatement::DropTable(drop)) => &drop.name,
            LogicalPlan::Ddl(DdlStatement::DropView(drop)) => &drop.name,
            LogicalPlan::Ddl(DdlStatement::DropCatalogSchema(drop)) => return keep_schema(drop.name.schema_name()),
            _ => return Ok(()),
        };
        if name.schema() == Some(kept::SCHEMA) {
            return Err(kept::untouchable(name.table()));
        }
        let name = name.table();
        // As in FROM: upper case counts only where the session made a table of that very name.
        let is_it = |table: &&Table| table.name.eq_ignore_ascii_case(name);
        let made = || self.schema.made_here().into_iter().any(|(made, _)| made == name);
        let Some(table) = self.lake.tables.values().find(is_it).filter(|_| !made()) else { return Ok(()) };
        Err(Error::usage(format!("`{}` is a table of the lake and cannot be dropped", table.name))
            .hint("take it out of `cxlake.toml`; its files stay"))
    }

    /// Starts a planned statement. Statements without a result, such as CREATE VIEW, are done when this returns.
    ///
    /// # Errors
    /// As planning; those of running come from the stream.
    pub async fn start(&self, plan: LogicalPlan, sql: &SqlText<'_>) -> Result<Running> {
        if matches!(plan, LogicalPlan::Ddl(_) | LogicalPlan::Statement(_)) {
            self.is_changed.store(true, Ordering::Relaxed);
        }
        let mut opened = Vec::new();
        inputs::tables(&plan, &mut opened).map_err(|error| self.explain(error, Some(sql)))?;
        let (plan, context) = self.physical(plan, sql).await?;
        let stream = execute_stream(Arc::clone(&plan), context).map_err(|error| self.explain(error, Some(sql)))?;
        let schema = stream.schema();
        let explain = self.explaining(sql);
        let batches = stream.map(move |batch| batch.map_err(&explain));
        Ok(Running { schema, batches: Box::pin(batches), scans: Scans::new(plan).over(opened) })
    }

    /// Answers what is asked about a planned query, in rows.
    ///
    /// # Errors
    /// As [`start`](Self::start); `Query` for a statement that is no query.
    pub async fn answer(&self, asked: Asked, plan: LogicalPlan, sql: &SqlText<'_>) -> Result<Running> {
        if !is_query(&plan) {
            return Err(sql.place(Error::query("only a table or a query can be asked about"), None));
        }
        let explain = |error| self.explain(error, Some(sql));
        match asked {
            Asked::Describe => {
                let running = Running::done(describe::columns(&plan, &self.lake).map_err(explain)?);
                Ok(Running { scans: Scans::default().asked(asked), ..running })
            }
            Asked::Summarize => {
                let summary = Summary::of(plan, &self.context.state()).map_err(explain)?;
                let running = self.start(summary.plan.clone(), sql).await?;
                let laid_out = async move {
                    let batches: Vec<RecordBatch> = running.batches.try_collect().await?;
                    let found = concat_batches(&running.schema, &batches).map_err(internal)?;
                    summary.laid_out(&found).map_err(internal)
                };
                let batches = Box::pin(futures::stream::once(laid_out));
                Ok(Running { schema: summary::schema(), batches, scans: running.scans.asked(asked) })
            }
            Asked::Explain => {
                let (plan, _) = self.physical(plan, sql).await?;
                let running = Running::done(profile::table(&plan, &self.table_names(), false).map_err(explain)?);
                Ok(Running { scans: Scans::new(plan).asked(asked), ..running })
            }
            Asked::Profile => {
                let (plan, context) = self.physical(plan, sql).await?;
                let rows = execute_stream(Arc::clone(&plan), context).map_err(explain)?;
                let (explain, ran, tables) = (self.explaining(sql), Arc::clone(&plan), self.table_names());
                let profile = async move {
                    rows.try_for_each(|_| std::future::ready(Ok(()))).await.map_err(explain)?;
                    profile::table(&ran, &tables, true).map_err(internal)
                };
                let batches = Box::pin(futures::stream::once(profile));
                Ok(Running { schema: profile::schema(true), batches, scans: Scans::new(plan).asked(asked) })
            }
        }
    }

    /// The physical plan of a statement, and what it runs in.
    async fn physical(
        &self,
        plan: LogicalPlan,
        sql: &SqlText<'_>,
    ) -> Result<(Arc<dyn ExecutionPlan>, Arc<TaskContext>)> {
        let explain = |error| self.explain(error, Some(sql));
        let partition_by = if let LogicalPlan::Copy(copy) = &plan { copy.partition_by.clone() } else { Vec::new() };
        // The engine settles the types of a view as it makes it, by its own rules alone.
        let plan =
            if matches!(plan, LogicalPlan::Ddl(_)) { optimizer::before_types(plan).map_err(explain)? } else { plan };
        let frame = self.context.execute_logical_plan(plan).await.map_err(explain)?;
        let context = Arc::new(frame.task_ctx());
        let mut plan = frame.create_physical_plan().await.map_err(explain)?;
        if !partition_by.is_empty() {
            plan = tables::with_folder_names(plan, &partition_by).map_err(explain)?;
        }
        Ok((plan, context))
    }

    /// Explains errors of a statement after its text has gone.
    fn explaining(&self, sql: &SqlText<'_>) -> impl Fn(DataFusionError) -> Error + Send + 'static {
        let (engine, text, file) = (self.clone(), sql.text.to_owned(), sql.file.map(str::to_owned));
        let (line, column) = (sql.line, sql.column);
        move |error| engine.explain(error, Some(&SqlText { text: &text, file: file.as_deref(), line, column }))
    }

    /// The columns that a planned statement returns, with the types it would run with.
    ///
    /// # Errors
    /// `Query` when the plan cannot be optimized or made physical.
    pub async fn output_schema(&self, plan: LogicalPlan, sql: &SqlText<'_>) -> Result<SchemaRef> {
        let explain = |error| self.explain(error, Some(sql));
        let state = self.context.state();
        let physical = state.create_physical_plan(&plan).await.map_err(explain)?;
        Ok(physical.schema())
    }

    /// The same session with a statement as a view, which hides a table of its name.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub async fn with_view(&self, name: &str, sql: &SqlText<'_>, parameters: &[(String, ScalarValue)]) -> Result<Self> {
        let plan = self.plan(sql, parameters).await?;
        let view = View::settle(plan, &self.context.state()).map_err(|error| self.explain(error, Some(sql)))?;
        let views = Tables::from([(name.to_owned(), Arc::new(view) as Arc<dyn TableProvider>)]);
        let names = Arc::new(Overlay { views, below: Arc::clone(&self.names) }) as Arc<dyn SchemaProvider>;
        let state = SessionStateBuilder::new_from_existing(self.context.state())
            .with_catalog_list(catalogs(Arc::clone(&names), &self.lake, self.stores())?)
            .build();
        Ok(Self { context: SessionContext::new_with_state(state), names, ..self.clone() })
    }

    /// Takes a result in, for statements that name it `_`. Of columns with one name the later ones are called anew.
    ///
    /// # Errors
    /// `Internal` when its batches do not have its columns.
    pub fn keep_last(&self, schema: &SchemaRef, batches: Vec<RecordBatch>) -> Result<()> {
        let schema = distinct_names(schema);
        let internal = |error: DataFusionError| Error::internal(error.to_string());
        let named = |batch: RecordBatch| RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec());
        let batches = batches.into_iter().map(named);
        let batches = batches.collect::<std::result::Result<_, _>>().map_err(|error| internal(error.into()))?;
        let table = MemTable::try_new(schema, vec![batches]).map_err(internal)?;
        self.schema.keep(Last::Kept(Arc::new(table)));
        Ok(())
    }

    /// Remembers that the last result had more than these bytes, and is not there.
    pub fn leave_last(&self, bytes_max: u64) {
        self.schema.keep(Last::TooLarge(bytes_max));
    }

    /// Whether a statement of this session made or set something, so that others may mean something else here than elsewhere.
    pub fn is_changed(&self) -> bool {
        self.is_changed.load(Ordering::Relaxed)
    }

    pub fn is_read_only(&self) -> bool {
        self.mode == Mode::ReadOnly
    }

    /// Memory that statements of this session hold at the moment.
    pub fn memory_bytes(&self) -> usize {
        self.context.runtime_env().memory_pool.reserved()
    }

    /// Memory that statements may take.
    pub fn memory_bytes_max(&self) -> u64 {
        self.limits.memory_bytes
    }

    /// The columns of a table of the lake or of the session.
    ///
    /// # Errors
    /// `NotFound` with the nearest name; those of opening the table.
    pub async fn table_schema(&self, name: &str) -> Result<SchemaRef> {
        let provider = self.context.table_provider(kept::reference(name)).await;
        provider.map(|provider| provider.schema()).map_err(|error| self.explain(error, None))
    }

    /// Every function that statements can call: ours first, then the engine's, each by kind and name.
    pub fn functions(&self) -> Vec<FunctionSummary> {
        let ours = functions::helps();
        let mut all: Vec<FunctionSummary> = ours
            .iter()
            .map(|help| FunctionSummary {
                name: help.name.to_owned(),
                kind: help.kind,
                is_ours: true,
                syntax: help.syntax(),
                summary: first_sentence(help.summary),
            })
            .collect();
        let state = self.context.state();
        let scalar = state.scalar_functions().values().map(|f| (f.name(), Kind::Scalar, f.documentation()));
        let aggregate = state.aggregate_functions().values().map(|f| (f.name(), Kind::Aggregate, f.documentation()));
        let window = state.window_functions().values().map(|f| (f.name(), Kind::Window, f.documentation()));
        let tables = state.table_functions().keys().map(|name| (name.as_str(), Kind::Table, None));
        let theirs = scalar.chain(aggregate).chain(window).chain(tables);
        all.extend(theirs.filter(|(name, ..)| !ours.iter().any(|help| help.name == *name)).map(
            |(name, kind, documentation)| FunctionSummary {
                name: name.to_owned(),
                kind,
                is_ours: false,
                syntax: documentation.map_or_else(|| format!("{name}(...)"), |text| text.syntax_example.clone()),
                summary: documentation.map_or_else(String::new, |text| first_sentence(&text.description)),
            },
        ));
        all.sort_by(|a, b| (!a.is_ours, a.kind, &a.name).cmp(&(!b.is_ours, b.kind, &b.name)));
        // A function of the engine is listed under its own name and under those that it also goes by.
        all.dedup_by(|a, b| a.name == b.name && a.kind == b.kind);
        all
    }

    /// What a function says of itself, as a person reads it.
    ///
    /// # Errors
    /// `NotFound` with the nearest name.
    pub fn function_text(&self, name: &str) -> Result<String> {
        let name = name.to_lowercase();
        if let Some(help) = functions::helps().into_iter().find(|help| help.name == name) {
            return Ok(help.text());
        }
        let state = self.context.state();
        let scalar = state.scalar_functions().get(&name).map(|f| f.documentation());
        let aggregate = || state.aggregate_functions().get(&name).map(|f| f.documentation());
        let window = || state.window_functions().get(&name).map(|f| f.documentation());
        if let Some(documentation) = scalar.or_else(aggregate).or_else(window) {
            return Ok(documentation.map_or_else(|| format!("{name}(...)\n\nThe engine says no more.\n"), engine_text));
        }
        let known: Vec<String> = self.functions().into_iter().map(|function| function.name).collect();
        let error = Error::not_found(format!("no function `{name}`"));
        Err(match suggest::nearest(&name, known.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`? `cxlake functions` lists all")),
            None => error.hint("`cxlake functions` lists all"),
        })
    }

    /// The names of the functions and metrics that a statement calls, without planning it.
    ///
    /// # Errors
    /// `Query` when it cannot be read.
    pub fn called(&self, sql: &SqlText<'_>) -> Result<Vec<String>> {
        let state = self.context.state();
        let dialect = state.config_options().sql_parser.dialect;
        let statement = state.sql_to_statement(sql.text, &dialect).map_err(|error| self.explain(error, Some(sql)))?;
        Ok(match statement {
            Statement::Statement(statement) => functions::metrics::called(&*statement),
            _ => Vec::new(),
        })
    }

    /// Reads every metric's SQL, with the metrics that it calls.
    ///
    /// # Errors
    /// `InvalidData` with the manifest's line for the first that is wrong.
    pub fn check_metrics(&self) -> Result<()> {
        functions::metrics::check(&self.lake.metrics)
    }

    /// What footers say of the columns of a table of the lake; empty for what the session made.
    ///
    /// # Errors
    /// Those of opening the table and reading its footers.
    pub async fn table_facts(&self, name: &str) -> Result<Vec<Facts>> {
        let Some(table) = self.lake.tables.get(name) else { return Ok(Vec::new()) };
        self.schema.open(table).await?.facts(&self.schema.state()?).await
    }

    /// What a listing says of a table of the lake; `None` for what the session made, and for a table in a bucket unless it
    /// may be asked.
    ///
    /// # Errors
    /// `Storage` when its files cannot be listed.
    pub async fn table_listed(&self, name: &str, asks_buckets: bool) -> Result<Option<Listed>> {
        let Some(table) = self.lake.tables.get(name) else { return Ok(None) };
        let location = self.schema.locate(table)?;
        if !location.is_local() && !asks_buckets {
            return Ok(None);
        }
        Listed::of(self.schema.stores(), &location).await.map(Some)
    }

    /// Views and tables that statements of this session made: name, and whether it is a view.
    pub fn made_here(&self) -> Vec<(String, bool)> {
        self.schema.made_here().into_iter().map(|(name, kind)| (name, kind == TableType::View)).collect()
    }

    /// The files of a table of the lake; `None` for what the session made.
    ///
    /// # Errors
    /// Those of opening the table and reading its footers.
    pub async fn table_files(&self, name: &str) -> Result<Option<Files>> {
        let Some(table) = self.lake.tables.get(name) else { return Ok(None) };
        let provider = self.schema.open(table).await?;
        provider.files(&self.schema.state()?).await.map(Some)
    }

    /// Values that columns of a table of the lake hold, up to `max` of each; only of files on this machine.
    ///
    /// # Errors
    /// Those of opening the table and reading its footers.
    pub async fn some_values(&self, name: &str, max: usize) -> Result<Vec<(String, Texts)>> {
        let Some(table) = self.lake.tables.get(name) else { return Ok(Vec::new()) };
        let provider = self.schema.open(table).await?;
        provider.some_values(&self.schema.state()?, max).await
    }

    /// What SET can change, with the value that each has now; empty for none.
    pub fn settings(&self) -> Vec<(String, String)> {
        let entries = self.context.state().config_options().entries();
        entries.into_iter().map(|entry| (entry.key, entry.value.unwrap_or_default())).collect()
    }

    pub(super) fn explain(&self, error: DataFusionError, sql: Option<&SqlText<'_>>) -> Error {
        let state = self.context.state();
        let aggregates: Vec<String> = state.aggregate_functions().keys().cloned().collect();
        let functions = state.scalar_functions().keys().cloned().chain(aggregates.iter().cloned());
        let functions = functions.chain(state.window_functions().keys().cloned());
        let functions = functions.chain(state.table_functions().keys().cloned());
        let tables = functions::table::HELPS.iter().map(|help| help.name.to_owned());
        let functions = functions.chain(self.lake.metrics.keys().cloned()).chain(tables);
        let of = |table: &Table| {
            let columns = table.columns.iter().chain(&table.partition);
            columns.map(|column| (table.name.clone(), column.name.clone())).collect::<Vec<_>>()
        };
        let known = Known {
            tables: self.table_names(),
            columns: self.lake.tables.values().flat_map(of).collect(),
            functions: functions.collect(),
            aggregates,
            calls: self.functions().into_iter().map(|function| (function.name, function.syntax)).collect(),
            settings: settings(&state),
        };
        from_engine(error, sql, &known, self.limits.memory_bytes)
    }
}

/// RESET of a setting of ours as the SET that it stands for; the engine resets none but its own.
fn with_default(plan: LogicalPlan) -> LogicalPlan {
    let LogicalPlan::Statement(Command::ResetVariable(reset)) = &plan else { return plan };
    let default = Settings::default().entries().into_iter().find(|entry| entry.key == reset.variable);
    match default.and_then(|entry| entry.value) {
        Some(value) => {
            let variable = reset.variable.clone();
            LogicalPlan::Statement(Command::SetVariable(SetVariable { variable, value }))
        }
        None => plan,
    }
}

/// Refuses to drop a schema that the lake is in.
fn keep_schema(name: &str) -> Result<()> {
    if ![SCHEMA, kept::SCHEMA].contains(&name) {
        return Ok(());
    }
    Err(Error::usage(format!("schema `{name}` is part of the lake and cannot be dropped"))
        .hint("what statements of this session made goes with `drop table NAME` and `drop view NAME`"))
}

/// Names of the settings that SET takes.
fn settings(state: &SessionState) -> Vec<String> {
    state.config_options().entries().into_iter().map(|entry| entry.key).collect()
}

/// Whether a plan only reads, and returns rows.
pub(super) fn is_query(plan: &LogicalPlan) -> bool {
    use LogicalPlan as P;
    !matches!(
        plan,
        P::Ddl(_) | P::Dml(_) | P::Copy(_) | P::Statement(_) | P::Explain(_) | P::Analyze(_) | P::DescribeTable(_)
    )
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::internal(error.to_string())
}

/// Whether statements can call something of this name already.
fn has_function(state: &SessionState, name: &str) -> bool {
    functions::table::HELPS.iter().any(|help| help.name == name)
        || state.scalar_functions().contains_key(name)
        || state.aggregate_functions().contains_key(name)
        || state.window_functions().contains_key(name)
}

/// A function in a list.
#[derive(Clone, Debug)]
pub struct FunctionSummary {
    pub name: String,
    pub kind: Kind,
    /// One of cxlake's own; else the engine's.
    pub is_ours: bool,
    pub syntax: String,
    pub summary: String,
}

fn first_sentence(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.split_once(". ").map_or(text.trim_end_matches('.').to_owned(), |(first, _)| first.to_owned())
}

/// The engine's documentation of a function as a person reads it.
fn engine_text(documentation: &Documentation) -> String {
    let mut text = format!("{}\n\n{}\n", documentation.syntax_example, documentation.description.trim());
    let arguments = documentation.arguments.iter().flatten();
    let arguments: Vec<String> = arguments.map(|(name, about)| format!("  {name}: {}", about.trim())).collect();
    if !arguments.is_empty() {
        text += &format!("\nArguments\n{}\n", arguments.join("\n"));
    }
    if let Some(example) = &documentation.sql_example {
        text += &format!("\nExample\n{}\n", example.trim());
    }
    text
}

/// A list of one catalog, with the schema in it that names without another mean, and the one of what the lake keeps.
fn catalogs(
    schema: Arc<dyn SchemaProvider>,
    lake: &Arc<Lake>,
    stores: &Arc<Stores>,
) -> Result<Arc<dyn CatalogProviderList>> {
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema(SCHEMA, schema).map_err(internal)?;
    let kept = kept::KeptSchema::new(Arc::clone(lake), Arc::clone(stores));
    catalog.register_schema(kept::SCHEMA, Arc::new(kept)).map_err(internal)?;
    let list = MemoryCatalogProviderList::new();
    list.register_catalog(CATALOG.to_owned(), Arc::new(catalog));
    Ok(Arc::new(list))
}

/// The columns with a name each of their own.
fn distinct_names(schema: &SchemaRef) -> SchemaRef {
    let names = tables::distinct_names(schema.fields().iter().map(|field| field.name().as_str()));
    // A result says of some columns that they are never null where a row may be.
    let named = |(field, name): (&FieldRef, String)| Field::clone(field).with_name(name).with_nullable(true);
    let fields = schema.fields().iter().zip(names).map(named);
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn has(parameters: &[(String, ScalarValue)], name: &str) -> bool {
    parameters.iter().any(|(known, _)| known == name.trim_start_matches('$'))
}

fn unbound(name: &str, parameters: &[(String, ScalarValue)], sql: &SqlText<'_>) -> Error {
    let bare = name.trim_start_matches('$');
    let known = parameters.iter().map(|(known, _)| known.as_str());
    let hint = match suggest::nearest(bare, known) {
        Some(near) => format!("did you mean `${near}`?"),
        None => format!("give it with `--param {bare}=…` or `\\set {bare} …`"),
    };
    let written = format!("${bare}");
    let wrong = sql.text.find(&written).map(|start| start..start + written.len());
    sql.place(Error::usage(format!("parameter `{written}` has no value")), wrong).hint(hint)
}

fn forbidden(plan: &LogicalPlan) -> Error {
    let what = match plan {
        LogicalPlan::Ddl(_) => "a statement such as CREATE or DROP",
        LogicalPlan::Dml(_) => "a statement such as INSERT",
        LogicalPlan::Copy(_) => "COPY",
        LogicalPlan::Statement(_) => "a statement such as SET",
        _ => "this statement",
    };
    Error::usage(format!("read-only: {what} is not allowed")).hint("leave `--read-only` out to allow it")
}
