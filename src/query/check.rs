//! Checks a saved query without running it: it plans, its parameters can be bound, and every column that its header or an alert
//! names is in the result.

use std::collections::BTreeSet;

use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};

use super::alert;
use super::run::{self, Absent, Given};
use super::saved::{Library, SavedQuery};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::output::total::Total;
use crate::suggest;

/// What is wrong with the query of this name; empty when nothing is.
pub async fn query(engine: &Engine, library: &Library, name: &str, now: DateTime<Utc>) -> Vec<Error> {
    match planned(engine, library, name, now).await {
        Ok((query, schema)) => {
            let mut wrong = misnamed(&query, &schema);
            for alert in engine.lake().alerts().filter(|alert| alert.query == name) {
                wrong.extend(alert::plan(engine, library, alert, now).await.err());
            }
            wrong
        }
        Err(error) => vec![error],
    }
}

async fn planned(
    engine: &Engine,
    library: &Library,
    name: &str,
    now: DateTime<Utc>,
) -> Result<(SavedQuery, SchemaRef)> {
    let planned = run::plan(engine, library, name, &Given::new(), now, Absent::TakesExample).await?;
    let schema = planned.engine.output_schema(planned.plan, &run::text(&planned.query)).await?;
    unused(&planned.query, library).await?;
    Ok((planned.query, schema))
}

/// Refuses a parameter that neither the query nor one that it builds on uses.
async fn unused(query: &SavedQuery, library: &Library) -> Result<()> {
    let queries = library.with_used(&query.name).await?;
    let used = |name: &str| queries.iter().any(|query| mentions(&query.sql, name));
    match query.parameters.iter().find(|parameter| !used(&parameter.name)) {
        Some(parameter) => Err(Error::invalid(format!("parameter `{}` is not used in the SQL", parameter.name))
            .at(&query.file, Some(parameter.line))
            .hint(format!("write `${}` where its value belongs, or take it out", parameter.name))),
        None => Ok(()),
    }
}

/// Whether `$name` stands in the text as a whole word.
pub fn mentions(sql: &str, name: &str) -> bool {
    let word = format!("${name}");
    sql.match_indices(&word).any(|(at, _)| {
        let next = sql[at + word.len()..].chars().next();
        !next.is_some_and(|next| next.is_alphanumeric() || next == '_')
    })
}

/// The columns that the header names and the result lacks.
fn misnamed(query: &SavedQuery, schema: &SchemaRef) -> Vec<Error> {
    let names: BTreeSet<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let grain = query.grain.iter().map(|name| ("`grain`".to_owned(), name.value.as_str(), name.line));
    let columns = query.columns.iter().map(|(name, column)| ("`columns`".to_owned(), name.as_str(), column.line));
    let totals: Vec<(Total, usize)> = query
        .columns
        .iter()
        .filter_map(|(name, column)| Some((Total::parse(column.value.total.as_deref()?, name).ok()?, column.line)))
        .collect();
    let totals = totals.iter().flat_map(|(total, line)| {
        total.columns().into_iter().map(|name| ("`total` of a column".to_owned(), name, *line))
    });
    let missing = query.columns.iter().filter_map(|(_, column)| {
        Some(("`missing` of a column".to_owned(), column.value.missing.as_deref()?, column.line))
    });
    let charts = query.charts.iter().flat_map(|chart| {
        chart.value.columns().map(|(key, column)| (format!("`{key}` of a chart"), column, chart.line))
    });
    grain
        .chain(columns)
        .chain(missing)
        .chain(totals)
        .chain(charts)
        .filter(|(_, name, _)| !names.contains(name))
        .map(|(what, name, line)| {
            let error = Error::invalid(format!("{what} names `{name}`, which is no column of the result"))
                .at(&query.file, Some(line));
            match suggest::nearest(name, names.iter().copied()) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("columns of the result: {}", suggest::list(names.iter().copied()))),
            }
        })
        .collect()
}
