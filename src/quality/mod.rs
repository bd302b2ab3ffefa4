//! Runs what the manifest holds tables to: freshness, keys, checks, completeness.
//!
//! A check that cannot run is an outcome like the others, so that one misspelt column hides nothing. All conditions on the
//! rows of a table and its freshness are found out in one read of it (`rows.rs`); a check with a query of its own costs that
//! query (`queries.rs`).

mod example;
mod queries;
mod rows;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use chrono::{DateTime, Utc};
use datafusion::scalar::ScalarValue;
use uuid::Uuid;

use crate::engine::{Engine, SqlText};
use crate::error::{Error, Result};
use crate::lake::Table;
pub use crate::lake::check::Severity;
use crate::lake::check::{self, COMPLETE, Checks, FRESH, KEY};
use crate::lake::checked::CheckRecord;
pub use crate::lake::checked::{Kind, Outcome, Verdict};
use crate::query::parameter::Parameter;
use crate::query::run;
use crate::storage::Records;
use crate::suggest;

/// Runs the checks of these tables, or of all that have any. The outcomes come by table, and in it freshness first, then the
/// key, the checks in the manifest's order, and completeness.
///
/// `now` is what ages and relative dates are counted from, unless the lake's day is fixed.
///
/// # Errors
/// `NotFound` with the nearest name for a table that is not in the manifest.
pub async fn run(engine: &Engine, tables: &[String], now: DateTime<Utc>) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for table in chosen(&engine.lake().tables, tables)? {
        let subject = Subject { engine, table, now };
        let mut found = rows::run(&subject).await;
        found.extend(queries::run(&subject).await);
        let place = |outcome: &Outcome| match outcome.kind {
            Kind::Fresh => 0,
            Kind::Key => 1,
            Kind::Complete => usize::MAX,
            Kind::Assert | Kind::Sql => 2 + table.checks.place(&outcome.check),
        };
        found.sort_by_key(place);
        outcomes.append(&mut found);
    }
    Ok(outcomes)
}

/// Keeps what a call found among the lake's records, where the table `cxlake.checks` finds it. `run_id` is the call's own, or that
/// of the run which it is a part of.
///
/// # Errors
/// `Storage` when it cannot be written; `Usage` when nothing may be written there.
pub async fn keep(engine: &Engine, outcomes: &[Outcome], run_id: Uuid, checked_at: DateTime<Utc>) -> Result<()> {
    if engine.is_read_only() {
        return Err(Error::usage("read-only: nothing is written"));
    }
    let record = CheckRecord {
        run_id: run_id.to_string(),
        checked_at,
        cxlake_version: env!("CARGO_PKG_VERSION").to_owned(),
        outcomes: outcomes.to_vec(),
    };
    let records = Records::open(engine.stores(), engine.lake())?;
    records.create(&record.object(), record.to_json()?).await.map(|_| ())
}

fn chosen<'a>(tables: &'a BTreeMap<String, Table>, names: &[String]) -> Result<Vec<&'a Table>> {
    if names.is_empty() {
        return Ok(tables.values().filter(|table| table.checks.count() > 0).collect());
    }
    let known = || tables.keys().map(String::as_str);
    let found = names.iter().map(|name| {
        tables.get(name).ok_or_else(|| {
            let error = Error::not_found(format!("table `{name}` is not in this lake"));
            match suggest::nearest(name, known()) {
                Some(near) => error.hint(format!("did you mean `{near}`? `cxlake tables` lists all")),
                None => error.hint("`cxlake tables` lists all"),
            }
        })
    });
    found.collect()
}

/// The outcomes as a table for people and programs.
///
/// # Errors
/// `Internal` only.
pub fn table(outcomes: &[Outcome]) -> Result<RecordBatch> {
    let text = |of: fn(&Outcome) -> String| -> ArrayRef {
        Arc::new(outcomes.iter().map(|outcome| Some(of(outcome))).collect::<StringArray>())
    };
    let failures: UInt64Array = outcomes.iter().map(|outcome| Some(outcome.failures)).collect();
    let columns: [(&str, ArrayRef); 6] = [
        ("table", text(|outcome| outcome.table.clone())),
        ("check", text(|outcome| outcome.check.clone())),
        ("severity", text(|outcome| outcome.severity.to_string())),
        ("verdict", text(|outcome| outcome.verdict.to_string())),
        ("failures", Arc::new(failures)),
        ("found", text(Outcome::in_words)),
    ];
    RecordBatch::try_from_iter(columns).map_err(|error| Error::internal(error.to_string()))
}

/// A table whose checks run.
struct Subject<'a> {
    engine: &'a Engine,
    table: &'a Table,
    now: DateTime<Utc>,
}

/// Which check it is that something was found by.
#[derive(Clone, Copy)]
struct Named<'a> {
    name: &'a str,
    kind: Kind,
    severity: Severity,
}

/// What a check found.
struct Found {
    failures: u64,
    words: String,
    examples: Vec<String>,
}

impl<'a> Subject<'a> {
    fn checks(&self) -> &'a Checks {
        &self.table.checks
    }

    /// SQL of the manifest, which starts on this line.
    fn sql<'t>(&self, text: &'t str, line: usize) -> SqlText<'t>
    where
        'a: 't,
    {
        SqlText { text, file: Some(&self.checks().file), line, column: None }
    }

    /// The values of a check's parameters.
    async fn bound(&self, parameters: &[check::Parameter]) -> Result<Vec<(String, ScalarValue)>> {
        let file = &self.checks().file;
        let declared = parameters.iter().map(|parameter| {
            Parameter::declared(&parameter.name, &parameter.section, parameter.line)
                .map_err(|error| error.at(file, Some(parameter.line)))
        });
        run::defaults(self.engine, &declared.collect::<Result<Vec<_>>>()?, file, self.now).await
    }

    fn outcome(&self, named: Named<'_>, found: Result<Found>) -> Outcome {
        let (verdict, found) = match found {
            Ok(found) if found.failures == 0 => (Verdict::Passed, found),
            Ok(found) => (Verdict::Failed, found),
            Err(error) => (Verdict::CouldNotRun, Found { failures: 0, words: said(&error), examples: Vec::new() }),
        };
        Outcome {
            table: self.table.name.clone(),
            check: named.name.to_owned(),
            kind: named.kind,
            severity: named.severity,
            verdict,
            failures: found.failures,
            found: found.words,
            examples: found.examples,
        }
    }
}

/// An error in one line, with its place and how to mend it.
fn said(error: &Error) -> String {
    let place = error.place().map(|place| format!(" at {place}")).unwrap_or_default();
    let hint = error.hint_text().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{}{place}{hint}", error.message())
}

/// `1 row`, `1,200 rows`.
fn counted(count: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A number with its thousands set apart.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
