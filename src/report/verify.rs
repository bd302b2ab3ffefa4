//! Runs a report that was published again, as it ran then, and says whether the same came out.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::document::Document;
use super::html::{PROVENANCE, STAMP};
use super::provenance::{InputRecord, Provenance, StampRecord};
use super::{Order, gather, plan};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::query::saved::Library;

/// What became of a report since it was published.
#[derive(Debug)]
pub struct Verdict {
    /// Which report it is and of which run.
    pub about: String,
    /// What is different, a line each: first the files, then the definitions, then the numbers.
    pub changes: Vec<String>,
    /// Whether every section has the numbers that were published.
    pub same_numbers: bool,
    pub same_inputs: bool,
}

/// Runs the report that was published in this file, HTML or JSON, and compares.
///
/// # Errors
/// `Usage` when it is no report; those of running it.
pub async fn verify(engine: &Engine, library: &Library, file: &Path, started_at: DateTime<Utc>) -> Result<Verdict> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::usage(format!("no file `{shown}`")),
        std::io::ErrorKind::InvalidData => no_report(file),
        _ => Error::storage(format!("cannot read `{shown}`: {error}")).caused_by(error),
    })?;
    let (then, stamp) = published(&text).ok_or_else(|| no_report(file))?;
    let moment = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc));
    let order = Order {
        name: then.report.clone(),
        given: stamp.given.clone(),
        forms: Vec::new(),
        csv_safe: false,
        run_id: Uuid::nil(),
        started_at,
        now: moment(&stamp.now).ok_or_else(|| no_report(file))?,
        banner: then.banner.clone(),
    };
    let report = plan::find(engine, library, &order.name).await?;
    let document = gather::gather(engine, &library.anew(), &report, &order).await?;
    Ok(compared(&then, &document, &stamp))
}

fn no_report(file: &Path) -> Error {
    Error::usage(format!("`{}` is no report of cxlake", file.display()))
        .hint("HTML and JSON files of `cxlake report` can be verified")
}

/// What a published file says of itself.
fn published(text: &str) -> Option<(Provenance, StampRecord)> {
    if text.trim_start().starts_with('{') {
        let mut value: serde_json::Value = serde_json::from_str(text).ok()?;
        let provenance = serde_json::from_value(value.get_mut("provenance")?.take()).ok()?;
        return Some((provenance, serde_json::from_value(value.get_mut("run")?.take()).ok()?));
    }
    let behind = |marker: String, end: &str| {
        // The last of a kind is ours: a text that shows such an element stands above it.
        let (_, rest) = text.rsplit_once(&marker)?;
        rest.split_once(end).map(|(found, _)| found)
    };
    let provenance = behind(format!("id=\"{PROVENANCE}\">"), "</script>")?;
    let stamp = behind(format!("id=\"{STAMP}\" data-stamp=\""), "\"")?;
    let stamp = stamp.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
    let stamp = stamp.replace("&amp;", "&");
    Some((serde_json::from_str(provenance).ok()?, serde_json::from_str(&stamp).ok()?))
}

fn compared(then: &Provenance, document: &Document, stamp: &StampRecord) -> Verdict {
    let now = Provenance::of(document);
    let mut changes = files(&then.inputs, &now.inputs);
    let same_inputs = changes.is_empty();
    if then.cxlake != now.cxlake {
        changes.push(format!("cxlake: {} then, {} now", then.cxlake, now.cxlake));
    }
    for (name, digest) in &then.queries {
        match now.queries.get(name) {
            None => changes.push(format!("query {name}: no longer used")),
            Some(known) if known != digest => changes.push(format!("query {name}: its SQL has changed")),
            Some(_) => {}
        }
    }
    let new = now.queries.keys().filter(|name| !then.queries.contains_key(*name));
    changes.extend(new.map(|name| format!("query {name}: not used then")));
    let mut same_numbers = then.sections.len() == now.sections.len();
    if !same_numbers {
        changes.push(format!("sections: {} then, {} now", then.sections.len(), now.sections.len()));
    }
    for (place, (then, now)) in then.sections.iter().zip(&now.sections).enumerate() {
        let name = format!("section {} ({})", place + 1, then.query);
        for (parameter, value) in &then.parameters {
            let today = now.parameters.get(parameter).map_or("not there", String::as_str);
            if today != value {
                changes.push(format!("{name}: parameter {parameter} was {value}, is {today}"));
            }
        }
        if then.query != now.query || then.digest != now.digest {
            same_numbers = false;
            changes.push(format!("{name}: other numbers ({} rows then, {} now)", then.rows, now.rows));
        }
    }
    let about = format!("{}, run {} of {}", then.report, stamp.run, stamp.at);
    Verdict { about, changes, same_numbers, same_inputs }
}

/// What became of the files that were read.
fn files(then: &[InputRecord], now: &[InputRecord]) -> Vec<String> {
    let by_path = |inputs: &'_ [InputRecord]| -> BTreeMap<String, InputRecord> {
        inputs.iter().map(|input| (input.path.clone(), input.clone())).collect()
    };
    let (then, now) = (by_path(then), by_path(now));
    let mut changes = Vec::new();
    for (path, before) in &then {
        match now.get(path) {
            None => changes.push(format!("file {path}: not read now")),
            Some(after) if after.bytes != before.bytes => {
                changes.push(format!("file {path}: {} bytes then, {} now", before.bytes, after.bytes));
            }
            Some(after) if (&after.e_tag, &after.modified) != (&before.e_tag, &before.modified) => {
                changes.push(format!("file {path}: written again, at {}", after.modified));
            }
            Some(_) => {}
        }
    }
    changes.extend(now.keys().filter(|path| !then.contains_key(*path)).map(|path| format!("file {path}: new")));
    changes
}
