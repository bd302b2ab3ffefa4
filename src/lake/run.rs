//! What is kept of a run of a schedule: one JSON object for each, and the columns that it has in SQL.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::{NoContext, Timestamp, Uuid};

use crate::error::{Error, Result};

/// An id for a run that begins at this moment; those of later runs sort behind it.
pub fn new_id(at: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(at.timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, at.timestamp_subsec_nanos()))
}

/// Folder of the runs among the records of a lake.
pub const RUNS: &str = "runs";

/// What is kept of a run: a schedule at one fire time. It is written whole when the run begins, when it is taken up by another
/// process, and when it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The same for all attempts, a UUID whose order is that of time.
    pub run_id: String,
    pub schedule: String,
    /// What it runs: `report` or `alert`.
    pub kind: String,
    /// The name of the report, saved query or alert.
    pub name: String,
    /// The moment for which it runs; relative dates count from here.
    #[serde(with = "moment")]
    pub fire_time: DateTime<Utc>,
    /// What began it.
    pub trigger: Trigger,
    /// How many processes have taken it up: 1 unless one has died.
    pub attempt: u32,
    /// How often the last of them has made it.
    pub tries: u32,
    #[serde(with = "moment")]
    pub started_at: DateTime<Utc>,
    /// `None` while it runs.
    #[serde(with = "moment::maybe")]
    pub ended_at: Option<DateTime<Utc>>,
    /// From its start to its end, waiting for checks and pauses between tries included.
    pub duration_ms: Option<u64>,
    pub outcome: Outcome,
    /// Why it was skipped, or what the banner said.
    pub reason: Option<String>,
    /// What went wrong, for its owner.
    pub error: Option<String>,
    /// Rows of all results; `None` when none was made.
    pub rows: Option<u64>,
    /// Files that were made.
    pub outputs: Vec<OutputRecord>,
    /// What became of each destination, in the order of the manifest.
    pub deliveries: Vec<DeliveryRecord>,
    /// What became of telling the owner; empty when there was nothing to tell.
    pub told: Vec<DeliveryRecord>,
    /// SHA-256 over the files that were read, with their sizes and versions; `None` when nothing was.
    pub inputs_sha256: Option<String>,
    /// Parameters as they ran, relative dates resolved.
    pub parameters: Vec<ParameterRecord>,
    /// The machine and the process that ran it last.
    pub host: String,
    pub pid: u32,
    pub cxlake_version: String,
}

/// What began a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The scheduler, at its fire time.
    Schedule,
    /// The scheduler, after it had missed the fire time.
    CatchUp,
    /// `cxlake schedule run`.
    Hand,
    /// `cxlake schedule backfill`.
    Backfill,
}

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is under way, or its process has died and nobody has taken it up yet.
    Running,
    /// Every destination has it.
    Sent,
    /// Every destination has it, with a banner that says what its data lacks.
    SentWithBanner,
    /// A destination may have it or not: the process or the connection ended while it was sent. It is not sent again.
    MayHaveBeenSent,
    /// There was nothing to send, by the rules of the schedule.
    Skipped,
    /// At least one destination does not have it.
    Failed,
}

impl Outcome {
    /// As it is written in records and told to people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Sent => "sent",
            Self::SentWithBanner => "sent_with_banner",
            Self::MayHaveBeenSent => "may_have_been_sent",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// A file that a run made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputRecord {
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
}

/// What became of one destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRecord {
    /// Where it went: a folder, an address in a bucket, mail addresses, or the host of a webhook.
    pub to: String,
    pub state: DeliveryState,
    /// When it was known.
    #[serde(with = "moment::maybe")]
    pub at: Option<DateTime<Utc>>,
    pub error: Option<String>,
}

/// Whether a destination has what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    NotTried,
    Sent,
    MayHaveBeenSent,
    Failed,
}

/// A parameter as it ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterRecord {
    pub name: String,
    pub value: String,
}

/// The name of the object of a run that began at this time.
pub fn object(run_id: &str, started_at: DateTime<Utc>) -> String {
    format!("{RUNS}/{}/{run_id}.json", started_at.format("%Y-%m"))
}

impl RunRecord {
    /// The name of its object among the records.
    pub fn object(&self) -> String {
        object(&self.run_id, self.started_at)
    }

    /// The record as its object has it.
    ///
    /// # Errors
    /// `Internal`; a record is always JSON.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let text = serde_json::to_string(self)
            .map_err(|error| Error::internal(format!("a run cannot be written as JSON: {error}")).caused_by(error))?;
        Ok((text + "\n").into_bytes())
    }

    /// The record of an object; `shown` is its name for errors. Keys that are not known are passed over: a newer cxlake may have
    /// written them.
    ///
    /// # Errors
    /// `InvalidData` when it is none.
    pub fn from_json(bytes: &[u8], shown: &str) -> Result<Self> {
        serde_json::from_slice(bytes)
            .map_err(|error| Error::invalid(format!("`{shown}` is no record of a run: {error}")).caused_by(error))
    }
}

/// The columns of the table `cxlake.runs`: the keys of a [`RunRecord`] in their order, so that a reader of JSON makes rows of the
/// objects as they are.
pub fn schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let number = |name: &str| Field::new(name, DataType::Int64, true);
    let moment = |name: &str| Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true);
    let list = |name: &str, fields: Vec<Field>| {
        let item = Field::new_list_field(DataType::Struct(Fields::from(fields)), true);
        Field::new(name, DataType::List(Arc::new(item)), true)
    };
    let deliveries = || vec![text("to"), text("state"), moment("at"), text("error")];
    Arc::new(Schema::new(vec![
        text("run_id"),
        text("schedule"),
        text("kind"),
        text("name"),
        moment("fire_time"),
        text("trigger"),
        number("attempt"),
        number("tries"),
        moment("started_at"),
        moment("ended_at"),
        number("duration_ms"),
        text("outcome"),
        text("reason"),
        text("error"),
        number("rows"),
        list("outputs", vec![text("name"), number("bytes"), text("sha256")]),
        list("deliveries", deliveries()),
        list("told", deliveries()),
        text("inputs_sha256"),
        list("parameters", vec![text("name"), text("value")]),
        text("host"),
        number("pid"),
        text("cxlake_version"),
    ]))
}

/// What each column means, for those who look at the table.
pub fn descriptions() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("run_id", "the same for all attempts of a run; sorts by time"),
        ("schedule", "name of the schedule or alert in the manifest"),
        ("kind", "`report` or `alert`"),
        ("name", "the report, saved query or alert that ran"),
        ("fire_time", "the moment for which it ran; relative dates count from here"),
        ("trigger", "`schedule`, `catch_up`, `hand` or `backfill`"),
        ("attempt", "processes that took it up; more than 1 where one has died"),
        ("tries", "how often the last of them made it"),
        ("started_at", "when the first process began"),
        ("ended_at", "when it ended; null while it runs"),
        ("duration_ms", "milliseconds from start to end"),
        ("outcome", "`running`, `sent`, `sent_with_banner`, `may_have_been_sent`, `skipped` or `failed`"),
        ("reason", "why it was skipped, or what the banner said"),
        ("error", "what went wrong"),
        ("rows", "rows of all its results"),
        ("outputs", "the files that were made: name, bytes, sha256"),
        ("deliveries", "each destination: to, state, at, error"),
        ("told", "the owner's destinations, when there was something to tell"),
        ("inputs_sha256", "hash over the files that were read, their sizes and versions"),
        ("parameters", "parameters as they ran: name, value"),
        ("host", "the machine that ran it last"),
        ("pid", "the process that ran it last"),
        ("cxlake_version", "the cxlake that ran it last"),
    ])
}

/// Moments as records have them: RFC 3339 in UTC, to the microsecond where there is one.
pub mod moment {
    use chrono::{DateTime, SecondsFormat, Utc};
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(moment: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&moment.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let moment = DateTime::parse_from_rfc3339(&text).map_err(D::Error::custom)?;
        Ok(moment.with_timezone(&Utc))
    }

    /// The same where there may be none.
    pub mod maybe {
        use chrono::{DateTime, Utc};
        use serde::{Deserialize, Deserializer, Serializer};

        pub fn serialize<S: Serializer>(moment: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
            match moment {
                Some(moment) => super::serialize(moment, serializer),
                None => serializer.serialize_none(),
            }
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
            #[derive(Deserialize)]
            struct Moment(#[serde(with = "super")] DateTime<Utc>);

            Ok(Option::<Moment>::deserialize(deserializer)?.map(|Moment(moment)| moment))
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Array;
    use arrow::json::ReaderBuilder;

    use super::*;

    fn record() -> RunRecord {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a moment");
        RunRecord {
            run_id: "019a-1".to_owned(),
            schedule: "cfo-monthly".to_owned(),
            kind: "report".to_owned(),
            name: "cfo".to_owned(),
            fire_time: at("2026-11-02T12:00:00Z"),
            trigger: Trigger::CatchUp,
            attempt: 2,
            tries: 1,
            started_at: at("2026-11-02T12:00:01.5Z"),
            ended_at: Some(at("2026-11-02T12:00:03Z")),
            duration_ms: Some(1500),
            outcome: Outcome::SentWithBanner,
            reason: Some("late".to_owned()),
            error: None,
            rows: Some(31),
            outputs: vec![OutputRecord { name: "cfo.html".to_owned(), bytes: 7, sha256: "ab".to_owned() }],
            deliveries: vec![DeliveryRecord {
                to: "reports/".to_owned(),
                state: DeliveryState::Sent,
                at: Some(at("2026-11-02T12:00:02Z")),
                error: None,
            }],
            told: Vec::new(),
            inputs_sha256: None,
            parameters: vec![ParameterRecord { name: "month".to_owned(), value: "2026-10-01".to_owned() }],
            host: "lake-1".to_owned(),
            pid: 7,
            cxlake_version: "0.1.0".to_owned(),
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let record = record();
        let bytes = record.to_json().expect("JSON");
        assert_eq!(RunRecord::from_json(&bytes, "x").expect("a record"), record);
        assert_eq!(record.object(), "runs/2026-11/019a-1.json");
        let running = RunRecord { ended_at: None, outcome: Outcome::Running, ..record };
        let bytes = running.to_json().expect("JSON");
        assert_eq!(RunRecord::from_json(&bytes, "x").expect("a record"), running);
        assert!(RunRecord::from_json(b"{\"run_id\": ", "runs/x.json").is_err(), "half a record is none");
    }

    #[test]
    fn the_columns_are_the_keys_and_a_reader_of_json_fills_them() {
        let bytes = record().to_json().expect("JSON");
        let keys: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&bytes).expect("an object");
        let schema = schema();
        let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(keys.keys().collect::<Vec<_>>(), columns);
        assert!(columns.iter().all(|column| descriptions().contains_key(column)));
        assert_eq!(descriptions().len(), columns.len());
        let mut reader = ReaderBuilder::new(Arc::clone(&schema)).build(bytes.as_slice()).expect("a reader");
        let batch = reader.next().expect("a batch").expect("rows");
        let filled = |name: &str| batch.column_by_name(name).is_some_and(|column| column.is_valid(0));
        let empty: Vec<&&str> = columns.iter().filter(|column| !filled(column)).collect();
        assert_eq!(empty, [&"error", &"inputs_sha256"]);
    }

    #[test]
    fn outcomes_are_told_as_they_are_written() {
        for outcome in [
            Outcome::Running,
            Outcome::Sent,
            Outcome::SentWithBanner,
            Outcome::MayHaveBeenSent,
            Outcome::Skipped,
            Outcome::Failed,
        ] {
            assert_eq!(serde_json::to_value(outcome).expect("JSON"), outcome.word());
        }
    }
}
