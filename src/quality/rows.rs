//! Freshness and the conditions on rows, all found out in one read of the table. A condition that fails reads again, for a few
//! of the rows that fail it.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, TimeUnit};
use chrono::{DateTime, Days, NaiveDate, Utc};
use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::expr_fn::{count, max};
use datafusion::logical_expr::expr_fn::cast;
use datafusion::logical_expr::{Expr, ExprFunctionExt, ExprSchemable, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::prelude::ident;
use datafusion::scalar::ScalarValue;
use futures::TryStreamExt;

use super::example::{COLUMNS_MAX, EXAMPLES_MAX, Smallest};
use super::queries::{column, named};
use super::{FRESH, Found, Kind, Named, Outcome, Severity, Subject, counted, grouped};
use crate::engine::SqlText;
use crate::error::{Error, Result};
use crate::lake::check::{Check, Fresh, Rule};
use crate::lake::column::type_name;
use crate::lake::span;

/// Something that is found out of a table's rows.
#[derive(Clone)]
enum Item<'a> {
    Fresh { fresh: &'a Fresh, newest: Expr, is_date: bool },
    Assert { check: &'a Check, sql: &'a str, holds: Expr },
}

/// What one read found of an item.
enum Seen {
    /// The newest value, and how many rows have one.
    Newest(ScalarValue),
    /// Rows for which a condition is false, and for which it is null.
    Failed { is_false: u64, is_null: u64 },
}

/// Finds out how fresh a table is, and how many rows break which condition.
pub async fn run(subject: &Subject<'_>) -> Vec<Outcome> {
    let checks = subject.checks();
    let asserts = checks.checks.iter().filter_map(|check| match &check.rule {
        Rule::Assert(sql) => Some((check, sql)),
        Rule::Sql(_) => None,
    });
    let asserts: Vec<(&Check, &String)> = asserts.collect();
    if checks.fresh.is_none() && asserts.is_empty() {
        return Vec::new();
    }
    let plan = subject.engine.plan_table(&subject.table.name).await;
    let plan = plan.as_ref();
    let mut items = Vec::new();
    if let Some(fresh) = &checks.fresh {
        items.push((of_fresh(fresh), plan.map_err(Error::copied).and_then(|plan| freshness(subject, fresh, plan))));
    }
    for (check, sql) in asserts {
        let item = match plan {
            Ok(plan) => condition(subject, check, sql, plan).await,
            Err(error) => Err(error.copied()),
        };
        items.push((of_check(check), item));
    }
    judged(subject, plan.ok(), items).await
}

fn of_fresh(fresh: &Fresh) -> Named<'static> {
    let severity = if fresh.error.is_some() { Severity::Error } else { Severity::Warn };
    Named { name: FRESH, kind: Kind::Fresh, severity }
}

fn of_check(check: &Check) -> Named<'_> {
    Named { name: &check.name, kind: Kind::Assert, severity: check.severity }
}

fn freshness<'a>(subject: &Subject<'a>, fresh: &'a Fresh, plan: &LogicalPlan) -> Result<Item<'a>> {
    let at = |error: Error| error.at(&subject.checks().file, Some(fresh.line));
    let what = format!("table `{}`", subject.table.name);
    let newest = column(plan, &fresh.column, &what).map_err(at)?;
    let kind = newest.get_type(plan.schema()).map_err(|error| at(Error::internal(error.to_string())))?;
    match kind {
        DataType::Date32 | DataType::Date64 => {
            Ok(Item::Fresh { fresh, newest: cast(newest, DataType::Date32), is_date: true })
        }
        DataType::Timestamp(..) => Ok(Item::Fresh { fresh, newest: cast(newest, moments()), is_date: false }),
        other => Err(at(Error::query(format!("`{}` is {}, which has no age", fresh.column, type_name(&other))))
            .hint("name a column with dates or timestamps")),
    }
}

async fn condition<'a>(subject: &Subject<'a>, check: &'a Check, sql: &'a str, plan: &LogicalPlan) -> Result<Item<'a>> {
    let parameters = subject.bound(&check.parameters).await?;
    let holds = subject.engine.condition(plan, &subject.sql(sql, check.line), &parameters)?;
    Ok(Item::Assert { check, sql, holds })
}

/// Reads the table once for all items that can be asked for; where that fails, once for each, so that one which cannot run
/// leaves the others alone.
async fn judged(
    subject: &Subject<'_>,
    plan: Option<&LogicalPlan>,
    items: Vec<(Named<'_>, Result<Item<'_>>)>,
) -> Vec<Outcome> {
    let mut together = None;
    if let Some(plan) = plan {
        let good: Vec<&Item<'_>> = items.iter().filter_map(|(_, item)| item.as_ref().ok()).collect();
        together = read(subject, plan, &good).await.ok().map(|(rows, seen)| (rows, seen.into_iter()));
    }
    let mut outcomes = Vec::with_capacity(items.len());
    for (mut named, item) in items {
        let found = match (item, plan) {
            (Ok(item), Some(plan)) => {
                let seen = match &mut together {
                    Some((rows, seen)) => seen.next().map(|seen| (*rows, seen)),
                    None => None,
                };
                match seen {
                    Some((rows, seen)) => judge(subject, plan, &item, rows, seen, &mut named).await,
                    None => alone(subject, plan, &item, &mut named).await,
                }
            }
            (Ok(_), None) => continue,
            (Err(error), _) => Err(error),
        };
        outcomes.push(subject.outcome(named, found));
    }
    outcomes
}

async fn alone(subject: &Subject<'_>, plan: &LogicalPlan, item: &Item<'_>, named: &mut Named<'_>) -> Result<Found> {
    let (rows, seen) = read(subject, plan, &[item]).await?;
    match seen.into_iter().next() {
        Some(seen) => judge(subject, plan, item, rows, seen, named).await,
        None => Err(Error::internal("a read without a result")),
    }
}

/// One read: the rows of the table, and what it shows of each item.
async fn read(subject: &Subject<'_>, plan: &LogicalPlan, items: &[&Item<'_>]) -> Result<(u64, Vec<Seen>)> {
    let sql = match items {
        [Item::Assert { check, sql, .. }] => subject.sql(sql, check.line),
        _ => subject.sql("", 1),
    };
    let row = single_row(subject, &one_pass(plan, items).map_err(internal)?, &sql).await?;
    let mut values = row.into_iter();
    let mut count = || count_of(values.next().as_ref());
    let rows = count();
    let mut seen = Vec::with_capacity(items.len());
    for item in items {
        seen.push(match item {
            Item::Fresh { .. } => Seen::Newest(values.next().unwrap_or(ScalarValue::Null)),
            Item::Assert { .. } => {
                let (is_false, is_null) = (count_of(values.next().as_ref()), count_of(values.next().as_ref()));
                Seen::Failed { is_false, is_null }
            }
        });
    }
    Ok((rows, seen))
}

fn count_of(value: Option<&ScalarValue>) -> u64 {
    match value {
        Some(ScalarValue::Int64(Some(count))) => u64::try_from(*count).unwrap_or_default(),
        _ => 0,
    }
}

/// The count of rows, and for each item what [`read`] takes out again.
fn one_pass(plan: &LogicalPlan, items: &[&Item<'_>]) -> Result<LogicalPlan, DataFusionError> {
    // Each condition is worked out once, and counted twice.
    let columns = items.iter().enumerate().map(|(place, item)| match item {
        Item::Fresh { newest, .. } => newest.clone().alias(name(place)),
        Item::Assert { holds, .. } => holds.clone().alias(name(place)),
    });
    let mut found = vec![all().alias("rows")];
    for (place, item) in items.iter().enumerate() {
        let value = ident(name(place));
        match item {
            Item::Fresh { .. } => found.push(max(value).alias(name(place))),
            Item::Assert { .. } => {
                let of = |filter: Expr| all().filter(filter).build();
                found.push(of(value.clone().is_false())?.alias(format!("{}_false", name(place))));
                found.push(of(value.is_null())?.alias(format!("{}_null", name(place))));
            }
        }
    }
    LogicalPlanBuilder::from(plan.clone()).project(columns)?.aggregate(Vec::<Expr>::new(), found)?.build()
}

/// How many rows there are.
fn all() -> Expr {
    count(lit(1_i64))
}

fn name(place: usize) -> String {
    format!("item_{place}")
}

/// The values of a result of one row.
async fn single_row(subject: &Subject<'_>, plan: &LogicalPlan, sql: &SqlText<'_>) -> Result<Vec<ScalarValue>> {
    let running = subject.engine.start(plan.clone(), sql).await?;
    let schema = running.schema;
    let batches: Vec<RecordBatch> = running.batches.try_collect().await?;
    let batch = concat_batches(&schema, &batches).map_err(internal)?;
    let values = batch.columns().iter().map(|column| ScalarValue::try_from_array(column, 0));
    values.collect::<Result<_, _>>().map_err(internal)
}

async fn judge(
    subject: &Subject<'_>,
    plan: &LogicalPlan,
    item: &Item<'_>,
    rows: u64,
    seen: Seen,
    named: &mut Named<'_>,
) -> Result<Found> {
    match (item, seen) {
        (Item::Assert { check, sql, holds }, Seen::Failed { is_false, is_null }) => {
            let failures = is_false + is_null;
            let words = match (is_false, is_null) {
                (0, 0) => return Ok(Found { failures, words: counted(rows, "row"), examples: Vec::new() }),
                (_, 0) => String::new(),
                (0, _) => ", where it is null".to_owned(),
                (_, is_null) => format!(", of which {} where it is null", grouped(is_null)),
            };
            let words = format!("{} of {}{words}", grouped(failures), counted(rows, "row"));
            let failing = failing(subject, plan, holds).map_err(internal)?;
            let examples = subject.engine.start(failing, &subject.sql(sql, check.line)).await?;
            Ok(Found { failures, words, examples: Smallest::of_all(examples).await?.told() })
        }
        (Item::Fresh { fresh, newest, is_date }, Seen::Newest(value)) => {
            age(subject, plan, fresh, newest, *is_date, value, named).await
        }
        _ => Err(Error::internal("a result that nobody asked for")),
    }
}

/// The first rows for which a condition is not true: the columns that tell them apart, and those that it names.
fn failing(subject: &Subject<'_>, plan: &LogicalPlan, holds: &Expr) -> Result<LogicalPlan, DataFusionError> {
    let schema = plan.schema();
    let keys: Vec<&str> = match &subject.checks().complete {
        Some(complete) => complete.keys.iter().map(String::as_str).collect(),
        None => schema.fields().iter().take(2).map(|field| field.name().as_str()).collect(),
    };
    let partition = subject.table.partition.iter().map(|column| column.name.as_str());
    let mut names: Vec<&str> = Vec::new();
    let asked = holds.column_refs();
    let asked = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .filter(|name| asked.iter().any(|column| column.name == *name));
    for name in asked.chain(keys).chain(partition) {
        if !names.contains(&name) && names.len() < COLUMNS_MAX {
            names.push(name);
        }
    }
    // In the table's order, so that a row reads as it stands there.
    let mut columns = Vec::new();
    for field in schema.fields().iter().filter(|field| names.contains(&field.name().as_str())) {
        columns.push(named(plan, field.name())?);
    }
    let order: Vec<_> = columns.iter().map(|column| column.clone().sort(true, false)).collect();
    LogicalPlanBuilder::from(plan.clone())
        .filter(holds.clone().is_not_true())?
        .project(columns)?
        .sort_with_limit(order, Some(EXAMPLES_MAX))?
        .build()
}

/// How old the newest value is. Values of a day that is still to come say nothing about that.
async fn age(
    subject: &Subject<'_>,
    plan: &LogicalPlan,
    fresh: &Fresh,
    newest: &Expr,
    is_date: bool,
    value: ScalarValue,
    named: &mut Named<'_>,
) -> Result<Found> {
    let calendar = &subject.engine.lake().calendar;
    let today = calendar.today(subject.now);
    let clock = calendar.today.map_or(subject.now, |day| calendar.midnight(day));
    let tomorrow = calendar.midnight(today.checked_add_days(Days::new(1)).unwrap_or(today));
    let read_as = |value: &ScalarValue| {
        moment(value).map(|moment| match moment {
            Moment::Day(day) => (calendar.midnight(day), day.to_string()),
            Moment::Instant(instant) => (instant, instant.format("%Y-%m-%d %H:%M UTC").to_string()),
        })
    };
    let mut last = read_as(&value);
    let mut ahead = String::new();
    if let Some((_, shown)) = last.as_ref().filter(|(moment, _)| *moment >= tomorrow) {
        let limit = match is_date {
            true => newest.clone().lt_eq(lit(ScalarValue::Date32(Some(days(today))))),
            false => newest.clone().lt(lit(instant(tomorrow))),
        };
        let (count, value) = up_to(subject, plan, newest, limit, fresh).await?;
        ahead = format!("; {} to come, the last {shown}", counted(count, "value"));
        last = read_as(&value);
    }
    let Some((moment, shown)) = last else {
        let words = format!("no value in `{}`{ahead}", fresh.column);
        return Ok(Found { failures: 1, words, examples: Vec::new() });
    };
    let age = (clock - moment).to_std().unwrap_or_default();
    let limits = [(Severity::Error, fresh.error), (Severity::Warn, fresh.warn)];
    let limits = limits.into_iter().filter_map(|(severity, limit)| Some((severity, limit?)));
    let words = format!("newest `{}` is {shown}, {} old", fresh.column, span::shown(age));
    match limits.clone().find(|(_, limit)| age > *limit) {
        Some((severity, limit)) => {
            named.severity = severity;
            let words = format!("{words}, more than {}{ahead}", span::shown(limit));
            Ok(Found { failures: 1, words, examples: Vec::new() })
        }
        None => Ok(Found { failures: 0, words: format!("{words}{ahead}"), examples: Vec::new() }),
    }
}

/// The newest value within a limit, and how many lie beyond it.
async fn up_to(
    subject: &Subject<'_>,
    plan: &LogicalPlan,
    newest: &Expr,
    limit: Expr,
    fresh: &Fresh,
) -> Result<(u64, ScalarValue)> {
    let pass = || {
        let beyond = all().filter(limit.clone().is_false()).build()?.alias("beyond");
        let within = max(newest.clone()).filter(limit.clone()).build()?.alias("within");
        LogicalPlanBuilder::from(plan.clone()).aggregate(Vec::<Expr>::new(), [beyond, within])?.build()
    };
    let plan = pass().map_err(internal)?;
    let mut row = single_row(subject, &plan, &subject.sql("", fresh.line)).await?.into_iter();
    Ok((count_of(row.next().as_ref()), row.next().unwrap_or(ScalarValue::Null)))
}

enum Moment {
    Day(NaiveDate),
    Instant(DateTime<Utc>),
}

/// A value as a moment; `None` for a null.
fn moment(value: &ScalarValue) -> Option<Moment> {
    match value {
        ScalarValue::Date32(Some(days)) => {
            arrow::temporal_conversions::date32_to_datetime(*days).map(|day| Moment::Day(day.date()))
        }
        ScalarValue::TimestampMicrosecond(Some(micros), _) => {
            DateTime::from_timestamp_micros(*micros).map(Moment::Instant)
        }
        _ => None,
    }
}

fn days(day: NaiveDate) -> i32 {
    arrow::datatypes::Date32Type::from_naive_date(day)
}

fn instant(moment: DateTime<Utc>) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(moment.timestamp_micros()), Some("UTC".into()))
}

/// How moments are compared: microseconds in UTC; one without a zone is in UTC already.
fn moments() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::internal(error.to_string())
}
