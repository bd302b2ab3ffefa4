//! Checks that are a query: `key`, whose groups have one row each, `sql`, whose rows are the failures, and `complete`, whose rows must each
//! be in the table.

use arrow::array::RecordBatch;
use datafusion::common::{Column, NullEquality};
use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, ExprSchemable, JoinType, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::prelude::col;
use futures::TryStreamExt;

use super::example::Smallest;
use super::{COMPLETE, Found, KEY, Kind, Named, Outcome, Severity, Subject, counted, grouped};
use crate::error::{Error, Result};
use crate::lake::check::{Check, Complete, Key, Rule};
use crate::suggest;

/// Runs the checks of a table that are queries.
pub async fn run(subject: &Subject<'_>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    if let Some(key) = &subject.checks().key {
        let named = Named { name: KEY, kind: Kind::Key, severity: Severity::Error };
        outcomes.push(subject.outcome(named, broken(subject, key).await));
    }
    for check in &subject.checks().checks {
        let Rule::Sql(sql) = &check.rule else { continue };
        let found = failures(subject, check, sql).await;
        let named = Named { name: &check.name, kind: Kind::Sql, severity: check.severity };
        outcomes.push(subject.outcome(named, found));
    }
    if let Some(complete) = &subject.checks().complete {
        let found = missing(subject, complete).await;
        let named = Named { name: COMPLETE, kind: Kind::Complete, severity: complete.severity };
        outcomes.push(subject.outcome(named, found));
    }
    outcomes
}

/// The values of a key that more than one row has, and those with a null.
async fn broken(subject: &Subject<'_>, key: &Key) -> Result<Found> {
    let at = |error: Error| error.at(&subject.checks().file, Some(key.line));
    let table = subject.engine.plan_table(&subject.table.name).await?;
    let what = format!("table `{}`", subject.table.name);
    let columns = key.columns.iter().map(|name| column(&table, name, &what).map_err(at)).collect::<Result<Vec<_>>>()?;
    let plan = groups(table, columns).map_err(|error| at(Error::query(error.to_string())))?;
    let rows = Smallest::of_all(subject.engine.start(plan, &subject.sql("", key.line)).await?).await?;
    let words = match rows.count {
        0 => format!("one row for each {}", key.columns.join(", ")),
        count => format!("{} with more than one row, or null", counted(count, "key")),
    };
    Ok(Found { failures: rows.count, words, examples: rows.told() })
}

/// The groups of rows that are not one row with all columns known.
fn groups(table: LogicalPlan, columns: Vec<Expr>) -> Result<LogicalPlan, DataFusionError> {
    let is_null = columns.iter().cloned().map(Expr::is_null);
    // A column may have the name of the count.
    let is_taken = columns.iter().any(|column| matches!(column, Expr::Column(column) if column.name == "rows"));
    let rows = if is_taken { "rows of the key" } else { "rows" };
    let is_wrong = is_null.fold(Expr::Column(Column::from_name(rows)).gt(lit(1)), Expr::or);
    LogicalPlanBuilder::from(table).aggregate(columns, [count(lit(1)).alias(rows)])?.filter(is_wrong)?.build()
}

/// The rows that a check's query returns.
async fn failures(subject: &Subject<'_>, check: &Check, sql: &str) -> Result<Found> {
    let parameters = subject.bound(&check.parameters).await?;
    let sql = subject.sql(sql, check.line);
    let plan = subject.engine.plan_query(&sql, &parameters).await?;
    let rows = Smallest::of_all(subject.engine.start(plan, &sql).await?).await?;
    let words = match rows.count {
        0 => "no rows".to_owned(),
        count => counted(count, "row"),
    };
    Ok(Found { failures: rows.count, words, examples: rows.told() })
}

/// The expected combinations that the table has no row of.
async fn missing(subject: &Subject<'_>, complete: &Complete) -> Result<Found> {
    let parameters = subject.bound(&complete.parameters).await?;
    let sql = subject.sql(&complete.expected, complete.line);
    let expected = subject.engine.plan_query(&sql, &parameters).await?;
    let table = subject.engine.plan_table(&subject.table.name).await?;
    let at = |error: Error| error.at(&subject.checks().file, Some(complete.line));
    for key in &complete.keys {
        column(&table, key, &format!("table `{}`", subject.table.name)).map_err(at)?;
        column(&expected, key, "the result of `expected`").map_err(at)?;
    }
    let plan = held_against(expected, table, &complete.keys).map_err(|error| at(Error::query(error.to_string())))?;
    let mut running = subject.engine.start(plan, &sql).await?;
    let (mut all, mut missing) = (0, None);
    while let Some(batch) = running.batches.try_next().await? {
        all += batch.num_rows() as u64;
        let rows = lacking(&batch)?;
        let missing = match &mut missing {
            Some(missing) => missing,
            empty => empty.insert(Smallest::of(&rows.schema())?),
        };
        missing.take(&rows)?;
    }
    let Some(missing) = missing else {
        return Ok(Found { failures: 0, words: "no combination is expected".to_owned(), examples: Vec::new() });
    };
    let words = match missing.count {
        0 => format!("{}, each with a row", counted(all, "combination")),
        count => format!("{} of {} without a row", grouped(count), counted(all, "combination")),
    };
    Ok(Found { failures: missing.count, words, examples: missing.told() })
}

/// The keys of the rows that have no partner.
fn lacking(batch: &RecordBatch) -> Result<RecordBatch> {
    let internal = |error: arrow::error::ArrowError| Error::internal(error.to_string());
    let last = batch.num_columns() - 1;
    let is_missing = arrow::compute::is_null(batch.column(last)).map_err(internal)?;
    let keys = batch.project(&(0..last).collect::<Vec<_>>()).map_err(internal)?;
    arrow::compute::filter_record_batch(&keys, &is_missing).map_err(internal)
}

/// Every expected combination once, with whether the table has a row of it. Two nulls are the same key.
fn held_against(expected: LogicalPlan, table: LogicalPlan, keys: &[String]) -> Result<LogicalPlan, DataFusionError> {
    let found_keys = keys.iter().map(|key| named(&table, key)).collect::<Result<Vec<_>, _>>()?;
    // What is expected is looked for as the table's columns have it: a text may stand for a date.
    let expected_keys = keys.iter().zip(&found_keys).map(|(key, found)| {
        let kind = found.get_type(table.schema())?;
        named(&expected, key)?.cast_to(&kind, expected.schema()).map(|cast| cast.alias(key))
    });
    let expected_keys = expected_keys.collect::<Result<Vec<_>, _>>()?;
    let expected = LogicalPlanBuilder::from(expected).project(expected_keys)?.distinct()?.alias("expected")?;
    let mut found_columns: Vec<Expr> = keys.iter().map(|key| col(Column::from_name(key))).collect();
    // Says whether an expected combination has a row; a key may have that name.
    let mut there = "there".to_owned();
    while keys.contains(&there) {
        there.push('_');
    }
    found_columns.push(lit(true).alias(&there));
    let found = LogicalPlanBuilder::from(table).project(found_keys)?.distinct()?.project(found_columns)?;
    let of = |side: &str| keys.iter().map(|key| Column::new(Some(side), key)).collect::<Vec<_>>();
    let mut columns: Vec<Expr> = of("expected").into_iter().map(col).collect();
    columns.push(col(Column::new(Some("found"), there)));
    let found = found.alias("found")?.build()?;
    let sides = (of("expected"), of("found"));
    expected.join_detailed(found, JoinType::Left, sides, None, NullEquality::NullEqualsNull)?.project(columns)?.build()
}

/// A column of a plan by its name alone.
pub fn named(plan: &LogicalPlan, name: &str) -> Result<Expr, DataFusionError> {
    let (qualifier, field) = plan.schema().qualified_field_with_unqualified_name(name)?;
    Ok(Expr::Column(Column::from((qualifier, field))))
}

/// A column of a plan, which is called so in errors.
///
/// # Errors
/// `Query` with the nearest name when it has none.
pub fn column(plan: &LogicalPlan, name: &str, what: &str) -> Result<Expr> {
    named(plan, name).map_err(|_| {
        let error = Error::query(format!("{what} has no column `{name}`"));
        let known = plan.schema().fields().iter().map(|field| field.name().as_str());
        match suggest::nearest(name, known.clone()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("its columns: {}", suggest::list(known))),
        }
    })
}
