//! Looking around: what tables and saved queries there are, and what is in them.

mod tables;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use crate::engine::{Engine, FunctionSummary, SqlText};
use crate::error::{Error, Result};
use crate::lake::Lake;
use crate::lake::metric::{Formula, Metric};
use crate::lake::report::Report;
use crate::output::present::grouped;
use crate::query::header::ColumnSection;
use crate::query::parameter::Parameter;
use crate::query::run;
use crate::query::saved::{Library, Placed};
use crate::suggest;
pub use tables::{Reach, made, table, tables};

/// A small result that cxlake itself made.
#[derive(Debug)]
pub struct Listing {
    pub batch: RecordBatch,
    /// Lines to say beside it.
    pub notes: Vec<String>,
}

/// `1 row`, `1,200 rows`.
pub fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(&count.to_string()))
}

/// One row per saved query. A query whose file is wrong is listed with what is wrong in place of its title.
///
/// # Errors
/// `Storage` when the folder of queries cannot be read.
pub async fn queries(library: &Library) -> Result<Listing> {
    let (mut names, mut titles, mut tags, mut parameters) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (name, query) in library.all().await? {
        names.push(name);
        match query {
            Ok(query) => {
                parameters.push(
                    query.parameters.iter().map(|parameter| parameter.name.as_str()).collect::<Vec<_>>().join(", "),
                );
                tags.push(query.tags.join(", "));
                titles.push(query.title);
            }
            Err(error) => {
                parameters.push(String::new());
                tags.push(String::new());
                titles.push(format!("(wrong: {error}; see `cxlake queries check`)"));
            }
        }
    }
    listing([("query", text(names)), ("title", text(titles)), ("tags", text(tags)), ("parameters", text(parameters))])
}

/// One row per report of the lake.
///
/// # Errors
/// `Internal` only.
pub fn reports(lake: &Lake) -> Result<Listing> {
    let reports: Vec<&Report> = lake.reports.values().collect();
    let column = |value: fn(&Report) -> String| text(reports.iter().map(|report| value(report)).collect());
    let queries =
        |report: &Report| report.sections.iter().map(|section| section.query.as_str()).collect::<Vec<_>>().join(", ");
    listing([
        ("report", column(|report| report.name.clone())),
        ("title", column(|report| report.title.clone())),
        ("audience", column(|report| report.audience.clone().unwrap_or_default())),
        ("queries", column(queries)),
    ])
}

/// A saved query as a person reads it: what it answers, its parameters, its columns, its SQL.
///
/// # Errors
/// `Usage` with the nearest name when there is none; `InvalidData` when its file, or one that it builds on, is wrong.
pub async fn query_text(library: &Library, name: &str) -> Result<String> {
    let queries = library.with_used(name).await?;
    let Some(query) = queries.last() else { return Err(Error::internal("a query without itself")) };
    let rule = "─".repeat(query.title.chars().count());
    let mut text = format!("{}\n{rule}\n\n{}\n", query.title, query.description.trim_end());
    let parameters = run::declared(&queries);
    section(&mut text, "Parameters", parameters.iter().map(|(parameter, _)| about_parameter(parameter)));
    section(&mut text, "Columns", query.columns.iter().map(|(name, column)| about_column(name, &column.value)));
    section(&mut text, "One row per", list(&query.grain));
    section(&mut text, "Builds on", list(&query.uses));
    section(&mut text, "SQL", [query.sql.trim().to_owned()]);
    Ok(text)
}

/// One row per function: cxlake's own first.
///
/// # Errors
/// `Internal` only.
pub fn functions(engine: &Engine) -> Result<Listing> {
    let functions = engine.functions();
    let column = |value: fn(&FunctionSummary) -> String| text(functions.iter().map(value).collect());
    listing([
        ("function", column(|function| function.name.clone())),
        ("kind", column(|function| function.kind.name().to_owned())),
        ("by", column(|function| if function.is_ours { "cxlake" } else { "engine" }.to_owned())),
        ("answers", column(|function| function.summary.clone())),
        ("call", column(|function| function.syntax.clone())),
    ])
}

/// One row per metric, and how many saved queries use it.
///
/// # Errors
/// `InvalidData` when a metric's SQL is wrong; `Storage` when the folder of queries cannot be read.
pub async fn metrics(engine: &Engine, library: &Library) -> Result<Listing> {
    engine.check_metrics()?;
    let metrics: Vec<&Metric> = engine.lake().metrics.values().collect();
    let users = users(engine, library).await?;
    let counts = metrics.iter().map(|metric| users.iter().filter(|(_, names)| names.contains(&metric.name)).count());
    let counts: Int64Array = counts.map(|count| i64::try_from(count).ok()).collect();
    let column = |value: fn(&Metric) -> String| text(metrics.iter().map(|metric| value(metric)).collect());
    listing([
        ("metric", column(|metric| metric.name.clone())),
        ("means", column(|metric| metric.description.clone())),
        ("formula", column(|metric| metric.formula_text().to_owned())),
        (
            "set_in",
            column(|metric| metric.place.as_ref().map_or("cxlake".to_owned(), |(file, line)| format!("{file}:{line}"))),
        ),
        ("queries", Arc::new(counts)),
    ])
}

/// A metric as a person reads it: what it means, formula, source, and the saved queries that use it.
///
/// # Errors
/// `NotFound` with the nearest name; `InvalidData` when a metric's SQL is wrong.
pub async fn metric_text(engine: &Engine, library: &Library, name: &str) -> Result<String> {
    engine.check_metrics()?;
    let metrics = &engine.lake().metrics;
    let Some(metric) = metrics.get(&name.to_lowercase()) else {
        let error = Error::not_found(format!("no metric `{name}`"));
        return Err(match suggest::nearest(name, metrics.keys().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`? `cxlake metrics` lists all")),
            None => error.hint("`cxlake metrics` lists all"),
        });
    };
    let mut text = format!("{}\n\n{}\n", metric.call(), metric.description);
    section(&mut text, "Formula", [format!("  {}", metric.formula_text())]);
    if let Formula::Functions { names, .. } = &metric.formula {
        section(&mut text, "Functions", [format!("  {}", names.join(", "))]);
    }
    section(&mut text, "Source", metric.source.iter().map(|source| format!("  {source}")));
    let place = metric.place.as_ref().map_or("cxlake itself".to_owned(), |(file, line)| format!("{file}:{line}"));
    section(&mut text, "Set in", [format!("  {place}")]);
    let users = users(engine, library).await?;
    let users = users.iter().filter(|(_, names)| names.contains(&metric.name)).map(|(query, _)| format!("  {query}"));
    section(&mut text, "Used by the saved queries", users);
    Ok(text)
}

/// Every saved query with the metrics that it uses, itself or through another metric. A query whose file is wrong is left
/// out; `cxlake queries` says what is wrong with it.
async fn users(engine: &Engine, library: &Library) -> Result<Vec<(String, BTreeSet<String>)>> {
    let metrics = &engine.lake().metrics;
    let mut users = Vec::new();
    for (name, query) in library.all().await? {
        let Ok(query) = query else { continue };
        let sql = SqlText { text: &query.sql, file: Some(&query.file), line: query.sql_line, column: Some(1) };
        let Ok(mut calls) = engine.called(&sql) else { continue };
        let mut used = BTreeSet::new();
        while let Some(call) = calls.pop() {
            let of = |metric: &&Metric| match &metric.formula {
                Formula::Sql(_) => metric.name == call,
                Formula::Functions { names, .. } => names.contains(&call.as_str()),
            };
            for metric in metrics.values().filter(of) {
                if used.insert(metric.name.clone())
                    && let Formula::Sql(sql) = &metric.formula
                {
                    let sql = format!("select {sql}");
                    calls.extend(engine.called(&SqlText::typed(&sql)).unwrap_or_default());
                }
            }
        }
        users.push((name, used));
    }
    Ok(users)
}

/// A function or a metric as a person reads it.
///
/// # Errors
/// `NotFound` with the nearest name.
pub async fn doc(engine: &Engine, library: &Library, name: &str) -> Result<String> {
    let text = engine.function_text(name);
    if text.is_err() && engine.lake().metrics.contains_key(&name.to_lowercase()) {
        return metric_text(engine, library, name).await;
    }
    text
}

fn section(text: &mut String, title: &str, lines: impl IntoIterator<Item = String>) {
    let lines: Vec<String> = lines.into_iter().collect();
    if !lines.is_empty() {
        let _ = write!(text, "\n{title}\n{}\n", lines.join("\n"));
    }
}

fn about_parameter(parameter: &Parameter) -> String {
    let value = match (&parameter.default, &parameter.example) {
        (Some(default), _) => format!("default {}", default.join(", ")),
        (None, Some(example)) => format!("required, such as {}", example.join(", ")),
        (None, None) => "required".to_owned(),
    };
    let about = parameter.description.as_deref().map(|about| format!(": {about}")).unwrap_or_default();
    format!("  {} ({}, {value}){about}", parameter.name, parameter.type_name())
}

fn about_column(name: &str, column: &ColumnSection) -> String {
    let about = column.description.as_deref().or(column.title.as_deref()).unwrap_or_default();
    format!("  {name}: {about}")
}

/// The names as one line, or no line where there are none.
fn list(names: &[Placed<String>]) -> Option<String> {
    let names: Vec<&str> = names.iter().map(|name| name.value.as_str()).collect();
    (!names.is_empty()).then(|| format!("  {}", names.join(", ")))
}

fn text(values: Vec<String>) -> ArrayRef {
    Arc::new(StringArray::from(values))
}

fn listing<const N: usize>(columns: [(&str, ArrayRef); N]) -> Result<Listing> {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(name, values)| (name, values, true)));
    let batch = batch.map_err(|error| Error::internal(error.to_string()))?;
    Ok(Listing { batch, notes: Vec::new() })
}

/// An error about a name that was left out.
pub fn missing(what: &str, example: &str) -> Error {
    Error::usage(format!("{what} is missing")).hint(format!("write `{example}`"))
}
