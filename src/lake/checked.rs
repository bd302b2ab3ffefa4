//! What checks found: the outcomes of one call, kept as one JSON object, and the columns that they have in SQL.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::check::Severity;
use crate::error::{Error, Result};

/// Folder of what checks found, among the records of a lake.
pub const CHECKS: &str = "checks";

/// What a check looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Fresh,
    Key,
    Assert,
    Sql,
    Complete,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Passed,
    Failed,
    /// Whether it holds is not known; counts as an error whatever its severity.
    CouldNotRun,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::CouldNotRun => "could not run",
        })
    }
}

/// What one check of one table found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Outcome {
    #[serde(rename = "table_name")]
    pub table: String,
    /// Its name; `fresh`, `key` and `complete` are those that are declared so.
    #[serde(rename = "check_name")]
    pub check: String,
    pub kind: Kind,
    /// How much it weighs; of data that are not fresh, how stale they are.
    pub severity: Severity,
    pub verdict: Verdict,
    /// Rows that fail, or combinations without a row; 1 for stale data, 0 where it could not run.
    pub failures: u64,
    /// What was found, or why it could not run, in words.
    pub found: String,
    /// A few of the failures, each as `column = value` in words; the same ones whenever the data are the same.
    pub examples: Vec<String>,
}

impl Outcome {
    /// Whether the work that depends on it must not go on.
    pub fn is_error(&self) -> bool {
        match self.verdict {
            Verdict::Passed => false,
            Verdict::Failed => self.severity == Severity::Error,
            Verdict::CouldNotRun => true,
        }
    }

    /// What was found with a few examples of it.
    pub fn in_words(&self) -> String {
        match self.examples.as_slice() {
            [] => self.found.clone(),
            examples => format!("{}: {}", self.found, examples.join("; ")),
        }
    }
}

/// What is kept of one call: all that its checks found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct CheckRecord {
    /// Of the call, or of the run that it was a part of: a UUID whose order is that of time.
    pub run_id: String,
    #[serde(with = "super::run::moment")]
    pub checked_at: DateTime<Utc>,
    pub cxlake_version: String,
    pub outcomes: Vec<Outcome>,
}

impl CheckRecord {
    /// The name of its object among the records.
    pub fn object(&self) -> String {
        format!("{CHECKS}/{}/{}.json", self.checked_at.format("%Y-%m"), self.run_id)
    }

    /// The record as its object has it.
    ///
    /// # Errors
    /// `Internal`; a record is always JSON.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let text = serde_json::to_string(self)
            .map_err(|error| Error::internal(format!("checks cannot be written as JSON: {error}")).caused_by(error))?;
        Ok((text + "\n").into_bytes())
    }

    /// The rows that an object is in the table `cxlake.checks`.
    ///
    /// # Errors
    /// `InvalidData` when it is no record of checks; `shown` is its name.
    pub fn rows(bytes: &[u8], shown: &str) -> Result<Vec<Value>> {
        let invalid = |error: serde_json::Error| {
            Error::invalid(format!("`{shown}` is no record of checks: {error}")).caused_by(error)
        };
        let record: Self = serde_json::from_slice(bytes).map_err(invalid)?;
        let outcomes = record.outcomes.iter().map(|outcome| {
            let mut row = Map::new();
            row.insert("run_id".to_owned(), Value::from(record.run_id.as_str()));
            row.insert("checked_at".to_owned(), Value::from(record.checked_at.to_rfc3339()));
            row.insert("cxlake_version".to_owned(), Value::from(record.cxlake_version.as_str()));
            if let Value::Object(found) = serde_json::to_value(outcome).map_err(invalid)? {
                row.extend(found);
            }
            Ok(Value::Object(row))
        });
        outcomes.collect()
    }
}

/// The columns of the table `cxlake.checks`.
pub fn schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    Arc::new(Schema::new(vec![
        text("run_id"),
        Field::new("checked_at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
        text("table_name"),
        text("check_name"),
        text("kind"),
        text("severity"),
        text("verdict"),
        Field::new("failures", DataType::Int64, true),
        text("found"),
        Field::new("examples", DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))), true),
        text("cxlake_version"),
    ]))
}

/// What each column means, for those who look at the table.
pub fn descriptions() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("run_id", "the same for all checks of one call; sorts by time"),
        ("checked_at", "when the call began"),
        ("table_name", "the table that was looked at"),
        ("check_name", "name of the check; `fresh`, `key` and `complete` are those that are declared so"),
        ("kind", "`fresh`, `key`, `assert`, `sql` or `complete`"),
        ("severity", "`warn` or `error`; of data that are not fresh, how stale they were"),
        ("verdict", "`passed`, `failed` or `could_not_run`"),
        ("failures", "rows that failed, or combinations without a row"),
        ("found", "what was found, or why it could not run"),
        ("examples", "a few of the failures"),
        ("cxlake_version", "the cxlake that looked"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_a_row_whose_keys_are_the_columns() {
        let outcome = Outcome {
            table: "t".to_owned(),
            check: "positive".to_owned(),
            kind: Kind::Assert,
            severity: Severity::Warn,
            verdict: Verdict::CouldNotRun,
            failures: 0,
            found: "no column `cst`".to_owned(),
            examples: vec!["id = 1".to_owned()],
        };
        let record = CheckRecord {
            run_id: "019a-1".to_owned(),
            checked_at: "2026-11-02T12:00:01.5Z".parse().expect("a moment"),
            cxlake_version: "0.1.0".to_owned(),
            outcomes: vec![outcome.clone(), Outcome { check: "other".to_owned(), ..outcome }],
        };
        assert_eq!(record.object(), "checks/2026-11/019a-1.json");
        let rows = CheckRecord::rows(&record.to_json().expect("JSON"), "x").expect("rows");
        assert_eq!(rows.len(), 2);
        let schema = schema();
        let mut columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let mut keys: Vec<&String> = rows[0].as_object().expect("an object").keys().collect();
        assert!(columns.iter().all(|column| descriptions().contains_key(column)));
        columns.sort_unstable();
        keys.sort_unstable();
        assert_eq!(keys, columns);
        assert_eq!(rows[1]["check_name"], "other");
        assert_eq!(rows[0]["verdict"], "could_not_run");
        assert!(CheckRecord::rows(b"{\"run_id\": ", "x").is_err());
    }
}
