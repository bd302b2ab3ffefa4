//! What a report rests on, for programs: enough to run it again and to tell whether the same came out.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::document::{Document, Stamp};
use crate::engine::Input;
use crate::error::{Error, Result};
use crate::hash::Hash;
use crate::query::run::Given;

/// What a report rests on. Nothing in it differs between two runs over the same inputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    pub cxlake: String,
    pub lake: String,
    pub report: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub banner: Option<String>,
    pub sections: Vec<SectionRecord>,
    /// Hash of every query's SQL, by name.
    pub queries: BTreeMap<String, String>,
    pub inputs: Vec<InputRecord>,
}

/// A section as it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionRecord {
    pub query: String,
    /// Values of its parameters as they ran.
    pub parameters: BTreeMap<String, String>,
    pub rows: u64,
    /// Hash of its rows.
    pub digest: String,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InputRecord {
    pub path: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub table: Option<String>,
    pub bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub e_tag: Option<String>,
    pub modified: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rows: Option<u64>,
}

/// What tells one run from another, and what is needed to run it again as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StampRecord {
    pub run: String,
    pub at: String,
    pub now: String,
    /// Values that the call gave.
    #[serde(default, skip_serializing_if = "Given::is_empty")]
    pub given: Given,
    /// When the rows of sections were computed that were kept since, by the sections' numbers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kept: BTreeMap<usize, String>,
}

impl Provenance {
    pub fn of(document: &Document) -> Self {
        let sections = document.sections.iter().map(|section| SectionRecord {
            query: section.result.query.name.clone(),
            parameters: section.result.bound.iter().map(|bound| (bound.name.clone(), bound.shown.clone())).collect(),
            rows: section.result.rows.count,
            digest: section.result.digest.clone(),
        });
        Self {
            cxlake: env!("CARGO_PKG_VERSION").to_owned(),
            lake: document.lake.clone(),
            report: document.name.clone(),
            banner: document.banner.clone(),
            sections: sections.collect(),
            queries: document.sources.iter().map(|source| (source.name.clone(), source.digest.clone())).collect(),
            inputs: document.inputs.iter().map(InputRecord::of).collect(),
        }
    }

    /// A hash of all inputs, by which two runs over the same files are known.
    pub fn inputs_digest(&self) -> String {
        let text = serde_json::to_vec(&self.inputs).unwrap_or_default();
        Hash::of(&text)
    }
}

impl InputRecord {
    fn of(input: &Input) -> Self {
        Self {
            path: input.path.clone(),
            table: input.table.clone(),
            bytes: input.bytes,
            e_tag: input.e_tag.clone(),
            modified: moment(input.modified),
            rows: input.rows,
        }
    }
}

impl StampRecord {
    pub fn of(document: &Document, given: &Given) -> Self {
        let Stamp { run, at, now } = document.stamp;
        let sections = document.sections.iter().zip(1..);
        let kept = sections.filter_map(|(section, number)| Some((number, moment(section.result.computed_at?))));
        Self { run: run.to_string(), at: moment(at), now: moment(now), given: given.clone(), kept: kept.collect() }
    }
}

/// A record as JSON on one line.
///
/// # Errors
/// `Internal`; a record is always JSON.
pub fn json(record: &impl Serialize) -> Result<String> {
    serde_json::to_string(record).map_err(|error| Error::internal(error.to_string()))
}

/// A moment as records have it: UTC, to the second.
pub fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
