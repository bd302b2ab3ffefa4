//! `[alert.NAME]`: a saved query whose rows are the alerts; and what is kept of each time that one was looked at.
//!
//! When an alert fires and where it goes is said as for a schedule (`schedule.rs`), whose work it is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use toml::Spanned;

use super::destination::DestinationSection;
use super::document::{Document, InOrder};
use super::report::{Params, params};
use super::run::moment;
use super::schedule::{CatchUp, Common, Overlap, WaitSection, in_manifest};
use super::span;
use crate::error::{Error, Result};

/// Folder of what alerts found, among the records of a lake.
pub const ALERTS: &str = "alerts";

/// An alert.
#[derive(Clone, Debug)]
pub struct Alert {
    pub name: String,
    pub title: String,
    /// What it means and what to do about it, for those who get it.
    pub text: Option<String>,
    /// The saved query.
    pub query: String,
    pub params: Params,
    /// A condition on the rows of the query, and its line in the manifest; `None` takes them all.
    pub condition: Option<(String, usize)>,
    /// Columns of the query that tell one alert from another.
    pub key: Vec<String>,
    /// Columns of the query that are told; empty for all.
    pub show: Vec<String>,
    pub no_data: NoData,
    /// After which time one that is still there is told again; `None` for never.
    pub quiet: Option<Duration>,
    /// File and line of the manifest.
    pub place: (String, usize),
}

/// What it means when the query, without the alert's condition, returns no rows at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoData {
    /// Nothing is wrong: what was there has recovered.
    #[default]
    Ok,
    /// That is an alert itself, and nothing is known of the others.
    Alert,
    /// Nothing is known: everything stays as it was.
    Keep,
}

/// An alert: a saved query whose rows are the alerts, when it is looked at, and who is told.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertSection {
    /// Heading of what is sent; its name where there is none.
    #[serde(default)]
    title: Option<String>,
    /// What it means and what to do about it, for those who get it.
    #[serde(default)]
    text: Option<String>,
    /// The saved query.
    query: String,
    /// Values for its parameters; relative dates count from the fire time.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    params: InOrder<Spanned<toml::Value>>,
    /// An SQL condition on the rows of the query: those for which it is true are alerts; all where there is none.
    #[serde(default, rename = "where")]
    #[schemars(with = "Option<String>")]
    condition: Option<Spanned<String>>,
    /// Columns of the query that tell one alert from another.
    #[schemars(with = "Vec<String>")]
    key: Spanned<Vec<String>>,
    /// Columns of the query that are told; all where there are none.
    #[serde(default)]
    show: Vec<String>,
    /// What no rows at all in the query's result mean: `ok`, `alert` or `keep`.
    #[serde(default)]
    no_data: NoData,
    /// After which time one that is still there is told again, such as `7d`; never where there is none.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    quiet: Option<Spanned<String>>,
    /// When it is looked at, as cron has it.
    #[schemars(with = "String")]
    cron: Spanned<String>,
    /// IANA time zone of `cron`; the lake's where there is none.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    time_zone: Option<Spanned<String>>,
    /// Checks that must pass before it is looked at.
    #[serde(default)]
    wait_for: Option<WaitSection>,
    /// Fire times that were missed while no scheduler ran: `latest`, `all` or `skip`.
    #[serde(default)]
    catch_up: CatchUp,
    /// A fire time that comes while the run before is under way: `skip` or `wait`.
    #[serde(default)]
    overlap: Overlap,
    /// Further tries after a failure; 0.
    #[serde(default)]
    #[schemars(with = "Option<u32>")]
    retries: Option<Spanned<u32>>,
    /// Pause before the second try, doubled before each further one; `1min`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    retry_wait: Option<Spanned<String>>,
    /// How long looking may take; `10min`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    timeout: Option<Spanned<String>>,
    /// How much later than its fire time a run may begin; at once where there is none.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    jitter: Option<Spanned<String>>,
    /// Who is told.
    #[schemars(with = "Vec<DestinationSection>")]
    to: Spanned<Vec<Spanned<DestinationSection>>>,
    /// Who is told of failures, by mail or webhook; those of `[scheduler]` where there are none.
    #[serde(default)]
    #[schemars(with = "Option<Vec<DestinationSection>>")]
    owner: Option<Vec<Spanned<DestinationSection>>>,
}

/// The alert that a section declares, and what it says as a schedule does.
///
/// # Errors
/// `InvalidData` with the line of what is wrong.
pub(super) fn declared(
    document: &Document<'_>,
    name: &Spanned<String>,
    section: AlertSection,
) -> Result<(Alert, Common)> {
    let keys = section.key.get_ref();
    let is_twice = |(place, key): (usize, &String)| keys[..place].contains(key);
    if keys.is_empty() || keys.iter().enumerate().any(is_twice) {
        let message = format!("`key` of alert `{}` names no column, or one twice", name.get_ref());
        return Err(document
            .error_at(section.key.span().start, message)
            .hint("name the columns that tell one alert from another, such as `key = [\"account_id\"]`"));
    }
    let condition = section.condition.map(|sql| {
        let line = document.line_of_text(sql.span().start);
        (sql.into_inner(), line)
    });
    let alert = Alert {
        name: name.get_ref().clone(),
        title: section.title.unwrap_or_else(|| name.get_ref().clone()),
        text: section.text,
        query: section.query,
        params: params(document, section.params)?,
        condition,
        key: section.key.into_inner(),
        show: section.show,
        no_data: section.no_data,
        quiet: section.quiet.map(|quiet| in_manifest(document, &quiet, span::parse)).transpose()?,
        place: (document.file.to_owned(), document.line(name.span().start)),
    };
    let common = Common {
        cron: section.cron,
        time_zone: section.time_zone,
        wait_for: section.wait_for,
        catch_up: section.catch_up,
        overlap: section.overlap,
        retries: section.retries,
        retry_wait: section.retry_wait,
        timeout: section.timeout,
        jitter: section.jitter,
        to: section.to,
        owner: section.owner,
    };
    Ok((alert, common))
}

/// What is kept of one look: every alert that was known before it or was found by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRecord {
    /// Of the run that it was a part of.
    pub run_id: String,
    pub alert: String,
    #[serde(with = "moment")]
    pub fire_time: DateTime<Utc>,
    pub entries: Vec<Entry>,
}

/// One alert at one fire time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub subject: Subject,
    pub state: State,
    /// The fire time at which it was first found.
    #[serde(with = "moment")]
    pub since: DateTime<Utc>,
    /// The fire time at which it was last told, before this one.
    #[serde(with = "moment::maybe")]
    pub told: Option<DateTime<Utc>>,
    /// Whether it is in what is sent for this fire time.
    pub sends: bool,
    /// Its row when it was last found.
    pub row: Vec<Cell>,
}

/// What an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The values of the key's columns.
    Key(Vec<String>),
    /// Rows with a null in the key, which cannot be told apart.
    NoKey,
    /// The query returned nothing at all.
    NoData,
}

impl Subject {
    /// As people read it.
    pub fn shown(&self) -> String {
        match self {
            Self::Key(values) => values.join(", "),
            Self::NoKey => "(no key)".to_owned(),
            Self::NoData => "(no data)".to_owned(),
        }
    }
}

/// How it is with an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is there, and nobody was told yet.
    New,
    /// It is still there, and is told again.
    Still,
    /// It is still there, and was told not long ago.
    Quiet,
    /// It is there no more.
    Recovered,
    /// There was no data; nobody knows.
    Unknown,
}

impl State {
    /// As it is written in records and told to people.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Still => "still",
            Self::Quiet => "quiet",
            Self::Recovered => "recovered",
            Self::Unknown => "unknown",
        }
    }
}

/// A column and its value; `None` for a null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    pub name: String,
    pub value: Option<String>,
    /// The value as its query shows it to people, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
    /// The type of its column, where that is one of numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
}

impl AlertRecord {
    /// Folder of one alert's records.
    pub fn folder(alert: &str) -> String {
        format!("{ALERTS}/{alert}")
    }

    /// The name of the object for a fire time; names sort as fire times do.
    pub fn object(alert: &str, fire: DateTime<Utc>) -> String {
        format!("{ALERTS}/{alert}/{}/{}.json", fire.format("%Y-%m"), fire.format("%Y%m%dT%H%M%SZ"))
    }

    /// The record as its object has it.
    ///
    /// # Errors
    /// `Internal`; a record is always JSON.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let text = serde_json::to_string(self).map_err(|error| {
            Error::internal(format!("an alert cannot be written as JSON: {error}")).caused_by(error)
        })?;
        Ok((text + "\n").into_bytes())
    }

    /// The record of an object; `shown` is its name for errors.
    ///
    /// # Errors
    /// `InvalidData` when it is none.
    pub fn from_json(bytes: &[u8], shown: &str) -> Result<Self> {
        serde_json::from_slice(bytes)
            .map_err(|error| Error::invalid(format!("`{shown}` is no record of an alert: {error}")).caused_by(error))
    }

    /// The rows that an object is in the table `cxlake.alerts`.
    ///
    /// # Errors
    /// As [`Self::from_json`].
    pub fn rows(bytes: &[u8], shown: &str) -> Result<Vec<Value>> {
        let record = Self::from_json(bytes, shown)?;
        let fire = record.fire_time.to_rfc3339();
        let rows = record.entries.iter().map(|entry| {
            let last_sent = if entry.sends { Some(record.fire_time) } else { entry.told };
            json!({
                "alert": record.alert,
                "key": entry.subject.shown(),
                "fire_time": fire,
                "state": entry.state,
                "is_sent": entry.sends,
                "since": entry.since.to_rfc3339(),
                "last_sent": last_sent.map(|moment| moment.to_rfc3339()),
                "row": entry.row,
                "run_id": record.run_id,
            })
        });
        Ok(rows.collect())
    }
}

/// The columns of the table `cxlake.alerts`.
pub fn schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let moment = |name: &str| Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true);
    let cell = DataType::Struct(Fields::from(vec![text("name"), text("value")]));
    Arc::new(Schema::new(vec![
        text("alert"),
        text("key"),
        moment("fire_time"),
        text("state"),
        Field::new("is_sent", DataType::Boolean, true),
        moment("since"),
        moment("last_sent"),
        Field::new("row", DataType::List(Arc::new(Field::new_list_field(cell, true))), true),
        text("run_id"),
    ]))
}

/// What each column means, for those who look at the table.
pub fn descriptions() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("alert", "name of the alert in the manifest"),
        (
            "key",
            "what it is about: the values of the key's columns; `(no data)`, and `(no key)` for rows with a null in it",
        ),
        ("fire_time", "the moment for which it was looked at"),
        ("state", "`new`, `still`, `quiet` (still there, told not long ago), `recovered` or `unknown` (no data)"),
        ("is_sent", "whether it is in what this fire time had to say; `cxlake.runs` says whether that arrived"),
        ("since", "the fire time at which it was first found"),
        ("last_sent", "the fire time that told it last"),
        ("row", "its row when it was last found: name, value"),
        ("run_id", "the run in `cxlake.runs`"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alert_is_a_row_whose_keys_are_the_columns() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a moment");
        let entry = Entry {
            subject: Subject::Key(vec!["O05".to_owned(), "sales".to_owned()]),
            state: State::Quiet,
            since: at("2026-10-01T12:00:00Z"),
            told: Some(at("2026-10-01T12:00:00Z")),
            sends: false,
            row: vec![Cell { name: "cost".to_owned(), value: None, shown: None, number: None }],
        };
        let record = AlertRecord {
            run_id: "019a-1".to_owned(),
            alert: "a".to_owned(),
            fire_time: at("2026-10-02T12:00:00Z"),
            entries: vec![entry.clone(), Entry { subject: Subject::NoData, sends: true, ..entry }],
        };
        assert_eq!(AlertRecord::object("a", record.fire_time), "alerts/a/2026-10/20261002T120000Z.json");
        let bytes = record.to_json().expect("JSON");
        assert_eq!(AlertRecord::from_json(&bytes, "x").expect("a record"), record);
        let rows = AlertRecord::rows(&bytes, "x").expect("rows");
        let schema = schema();
        let columns: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
        assert_eq!(rows[0].as_object().expect("an object").keys().collect::<Vec<_>>(), columns);
        assert!(columns.iter().all(|column| descriptions().contains_key(column.as_str())));
        assert_eq!(
            (&rows[0]["key"], &rows[0]["last_sent"]),
            (&json!("O05, sales"), &json!("2026-10-01T12:00:00+00:00"))
        );
        assert_eq!(
            (&rows[1]["key"], &rows[1]["last_sent"]),
            (&json!("(no data)"), &json!("2026-10-02T12:00:00+00:00"))
        );
    }
}
