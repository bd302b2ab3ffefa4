//! How the prompt comes to know what it offers: from the manifest and the engine at once, from files on this machine in the
//! background, and from what statements read in any case. Nothing is asked of a network for it.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;
use futures::StreamExt;

use super::knowledge::{Column, Command, Function, Knowledge, Parameter, Query, Setting, Table, VALUES_MAX};
use crate::engine::functions::help::{Kind, Takes};
use crate::engine::{Engine, Kept, LAST, Running, Texts, functions};
use crate::lake::column::type_name;
use crate::lake::{Lake, Root, is_address};
use crate::output::Format;
use crate::query::run::{self, Given};
use crate::query::saved::Library;

/// Rows of a result whose values are looked at.
const ROWS_WATCHED: usize = 10_000;

/// What the prompt knows, shared with whatever learns.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<RwLock<Knowledge>>);

impl Memory {
    /// What can be known without reading anything.
    pub fn of(engine: &Engine, commands: Vec<Command>) -> Self {
        let mut knowledge = Knowledge::default();
        knowledge.commands = commands;
        knowledge.formats = Format::names().map(str::to_owned).collect();
        knowledge.settings = settings(engine);
        knowledge.folder = Some(engine.folder().to_owned());
        for (name, table) in &engine.lake().tables {
            let columns = table.columns.iter().chain(&table.partition);
            let columns = columns.map(|column| plain(&column.name, column.kind.to_string())).collect();
            let remark = table.description.clone().unwrap_or_default();
            knowledge.add_table(name, Table { remark, columns });
        }
        for kept in Kept::all() {
            let columns = kept.columns().into_iter().map(|(name, kind)| plain(&name, kind)).collect();
            knowledge.kept.insert(kept.name.to_owned(), Table { remark: kept.description.to_owned(), columns });
        }
        learn_functions(&mut knowledge, engine);
        Self(Arc::new(RwLock::new(knowledge)))
    }

    pub fn knowledge(&self) -> RwLockReadGuard<'_, Knowledge> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Knowledge> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what a statement may have changed: tables of the session, the last result, settings, values for `$name`.
    pub async fn refresh(&self, engine: &Engine, given: &Given) {
        let names = engine.table_names();
        let mut made = Vec::new();
        for name in names.iter().filter(|name| !engine.lake().tables.contains_key(*name)) {
            // What the session made is in memory.
            let schema = engine.table_schema(name).await;
            made.push((name, schema.map(|schema| columns(&schema)).unwrap_or_default()));
        }
        let last = engine.table_schema(LAST).await.ok();
        let mut knowledge = self.change();
        knowledge.last = last.map(|schema| Table { remark: String::new(), columns: columns(&schema) });
        knowledge.keep_tables(|name| names.iter().any(|known| known == name));
        for (name, columns) in made {
            knowledge.add_table(name, Table { remark: "of this session".to_owned(), columns });
        }
        knowledge.settings = settings(engine);
        knowledge.variables = given.iter().map(|(name, texts)| (name.clone(), texts.join(","))).collect();
    }

    /// Takes in the columns of the tables and files that a plan has opened.
    pub fn learn(&self, plan: &LogicalPlan) {
        let mut scanned = Vec::new();
        // Looking at nodes cannot fail.
        let _ = plan.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node
                && scan.table_name.table() != LAST
            {
                scanned.push((scan.table_name.table().to_owned(), columns(&scan.source.schema())));
            }
            Ok(TreeNodeRecursion::Continue)
        });
        let mut knowledge = self.change();
        for (name, columns) in scanned {
            let known = knowledge.table(&name).map(|(name, table)| (name.to_owned(), table.columns.is_empty()));
            match known {
                Some((name, true)) => knowledge.add_table(&name, Table { remark: String::new(), columns }),
                Some(_) => {}
                None => knowledge.add_path(&name, columns),
            }
        }
    }

    /// Lets a result through and keeps the values of its text columns, where they are few.
    #[must_use]
    pub fn watch(&self, running: Running) -> Running {
        let Running { schema, batches, scans } = running;
        let (memory, mut rows) = (self.clone(), 0);
        let batches = batches.inspect(move |batch| {
            if let Ok(batch) = batch
                && rows < ROWS_WATCHED
            {
                rows += batch.num_rows();
                memory.see(batch);
            }
        });
        Running { schema, batches: Box::pin(batches), scans }
    }

    fn see(&self, batch: &RecordBatch) {
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            if let Some(values) = distinct(column) {
                self.change().add_values("", field.name(), values);
            }
        }
    }
}

/// Reads what lies on this machine: columns that the manifest does not declare, values of columns, saved queries. It is
/// meant for the background, and errors are left to whoever asks for the same thing.
pub async fn fill_at_leisure(memory: Memory, engine: Engine, library: Library) {
    memory.clone().learn_queries(engine.clone(), library).await;
    let local: Vec<String> = local_tables(engine.lake()).map(str::to_owned).collect();
    for name in &local {
        if engine.lake().tables[name].columns.is_empty()
            && let Ok(schema) = engine.table_schema(name).await
        {
            memory.change().add_table(name, Table { remark: String::new(), columns: columns(&schema) });
        }
        if let Ok(found) = engine.some_values(name, VALUES_MAX).await {
            let mut knowledge = memory.change();
            for (column, texts) in found {
                match texts {
                    Texts::Few(texts) => knowledge.add_values(name, &column, texts),
                    Texts::Many => knowledge.has_many_values(name, &column),
                }
            }
        }
    }
}

impl Memory {
    /// Takes in the saved queries on this machine; those whose files are wrong are left out.
    pub async fn learn_queries(self, engine: Engine, library: Library) {
        if !matches!(engine.lake().queries, Root::Folder(_)) {
            return;
        }
        let Ok(queries) = library.all().await else { return };
        let mut known = Vec::new();
        for (name, query) in queries {
            let Ok(query) = query else { continue };
            let with_used = library.with_used(&name).await.unwrap_or_default();
            let parameters = run::declared(&with_used).into_iter().map(|(parameter, _)| parameter_of(parameter));
            known.push((name, Query { title: query.title, parameters: parameters.collect() }));
        }
        self.change().queries = known.into_iter().collect();
    }
}

/// Tables of the lake whose files are on this machine.
fn local_tables(lake: &Lake) -> impl Iterator<Item = &str> {
    let is_local = |path: &str| {
        !is_address(path)
            && !lake
                .stores
                .keys()
                .any(|store| path.strip_prefix(store.as_str()).is_some_and(|rest| rest.starts_with(':')))
    };
    let is_here = matches!(lake.root, Root::Folder(_));
    lake.tables.values().filter(move |table| is_here && is_local(&table.path)).map(|table| table.name.as_str())
}

fn parameter_of(parameter: &crate::query::parameter::Parameter) -> Parameter {
    let value = match &parameter.default {
        Some(default) => format!("default {}", default.join(",")),
        None => "required".to_owned(),
    };
    let allowed = parameter.listed().unwrap_or_default();
    Parameter {
        name: parameter.name.clone(),
        remark: format!("{}, {value}", parameter.type_name()),
        values: allowed.into_iter().map(|allowed| allowed.value).collect(),
        values_sql: parameter.values_sql.clone(),
    }
}

fn settings(engine: &Engine) -> Vec<Setting> {
    let mut settings: Vec<Setting> =
        engine.settings().into_iter().map(|(name, value)| Setting { name, value }).collect();
    // Ours come first: there are few of them, and hundreds of the engine's.
    settings.sort_by_key(|setting| (setting.name.starts_with("datafusion."), setting.name.clone()));
    settings
}

fn learn_functions(knowledge: &mut Knowledge, engine: &Engine) {
    let helps = functions::helps();
    for function in engine.functions() {
        let help = helps.iter().find(|help| help.name == function.name);
        let arguments = help.map_or(&[][..], |help| help.arguments);
        knowledge.add_function(Function {
            call: function.syntax,
            arguments: arguments
                .iter()
                .map(|argument| (argument.name.to_owned(), argument.default.map(str::to_owned)))
                .collect(),
            is_metric: false,
            is_table: function.kind == Kind::Table,
            is_of_rows: matches!(function.kind, Kind::Aggregate | Kind::Window),
            takes_table: arguments.first().is_some_and(|argument| argument.takes == Takes::Relation),
            outputs: functions::table::outputs(&function.name),
            name: function.name,
        });
    }
    for metric in engine.lake().metrics.values() {
        // Those that are functions of the engine keep what is known of these.
        let known = knowledge.function(&metric.name).cloned();
        let function =
            known.unwrap_or_else(|| Function { call: metric.call(), name: metric.name.clone(), ..Function::default() });
        knowledge.add_function(Function { is_metric: true, ..function });
    }
}

fn columns(schema: &Schema) -> Vec<Column> {
    schema.fields().iter().map(|field| plain(field.name(), type_name(field.data_type()))).collect()
}

fn plain(name: &str, kind: String) -> Column {
    Column { name: name.to_owned(), kind, origin: None }
}

/// The distinct texts of a column, or one more than help; `None` when it holds no text.
fn distinct(column: &dyn Array) -> Option<BTreeSet<String>> {
    let is_text = match column.data_type() {
        DataType::Dictionary(_, values) => values.is_string(),
        other => other.is_string(),
    };
    let column = arrow::compute::cast(column, &DataType::Utf8View).ok().filter(|_| is_text)?;
    let mut texts = BTreeSet::new();
    for text in column.as_string_view().iter().flatten() {
        if !texts.contains(text) {
            texts.insert(text.to_owned());
        }
        if texts.len() > VALUES_MAX {
            break;
        }
    }
    Some(texts)
}
