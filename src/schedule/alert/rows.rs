//! What an alert's query finds: its rows for which the condition holds, by their keys.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use chrono::{DateTime, Utc};
use futures::TryStreamExt;

use super::state::Seen;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::lake::alert::{Alert, Cell, Subject};
use crate::output::cell::{self, Column};
use crate::output::present::Presentation;
use crate::query::saved::Library;
use crate::query::{alert as planned, run};

/// Alerts that one look may find. More are no alerts, but a report.
const FOUND_MAX: usize = 10_000;

/// Runs the query of an alert; `fire` is what relative dates count from.
///
/// # Errors
/// Those of the query; `InvalidData` for a key that two rows have, and for more alerts than anybody reads.
pub async fn look(engine: &Engine, library: &Library, alert: &Alert, fire: DateTime<Utc>) -> Result<Seen> {
    let saved = run::start(planned::plan(engine, library, alert, fire).await?).await?;
    let mut seen = Seen::default();
    let mut batches = saved.running.batches;
    while let Some(batch) = batches.try_next().await? {
        seen.rows += batch.num_rows() as u64;
        take(alert, &batch, &saved.present, &mut seen.found)?;
    }
    Ok(seen)
}

fn take(
    alert: &Alert,
    batch: &RecordBatch,
    present: &Presentation,
    found: &mut BTreeMap<Subject, Vec<Cell>>,
) -> Result<()> {
    let internal = |error: arrow::error::ArrowError| Error::internal(error.to_string());
    let (file, line) = &alert.place;
    let at = |error: Error| error.at(file, Some(*line));
    let schema = batch.schema();
    let (Some(holds), columns) = (batch.columns().last(), batch.num_columns().saturating_sub(1)) else { return Ok(()) };
    // Keys as they are stored, and what people read as the query shows it.
    let plain = Presentation::default();
    let stored = cell::columns(batch, &plain).map_err(internal)?;
    let shown = cell::columns(batch, present).map_err(internal)?;
    let place = |name: &String| schema.index_of(name).map_err(internal);
    let keys = alert.key.iter().map(place).collect::<Result<Vec<_>>>()?;
    let told = match alert.show.as_slice() {
        [] => (0..columns).collect(),
        show => show.iter().map(place).collect::<Result<Vec<_>>>()?,
    };
    let value = |texts: &[Column<'_>], column: usize, row: usize| {
        texts.get(column).filter(|_| batch.column(column).is_valid(row)).map(|texts| texts.text(row))
    };
    let holds = holds.as_boolean();
    for row in (0..batch.num_rows()).filter(|&row| holds.is_valid(row) && holds.value(row)) {
        let key: Option<Vec<String>> = keys.iter().map(|&column| value(&stored, column, row)).collect();
        let subject = key.map_or(Subject::NoKey, Subject::Key);
        let cells = told.iter().map(|&column| {
            let (plain, shown) = (value(&stored, column, row), value(&shown, column, row));
            let shown = shown.filter(|shown| Some(shown) != plain.as_ref());
            let field = schema.field(column);
            let number = field.data_type().is_numeric().then(|| field.data_type().to_string());
            Cell { name: field.name().clone(), value: plain, shown, number }
        });
        let is_double = found.insert(subject.clone(), cells.collect()).is_some();
        if is_double && subject != Subject::NoKey {
            let message = format!("alert `{}` finds more than one row for `{}`", alert.name, subject.shown());
            return Err(at(Error::invalid(message)).hint("its `key` must tell its rows apart; name more columns in it"));
        }
        if found.len() > FOUND_MAX {
            let message = format!("alert `{}` finds more than {FOUND_MAX} rows", alert.name);
            return Err(
                at(Error::invalid(message)).hint("nobody reads so many; narrow its `where`, or make a report of it")
            );
        }
    }
    Ok(())
}
