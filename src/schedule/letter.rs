//! What destinations and owners are told of a run.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::carry::Product;
use crate::lake::run::{DeliveryRecord, DeliveryState, Outcome, RunRecord};
use crate::lake::schedule::Schedule;
use crate::report::MadeFile;

/// What is sent: by mail as text and HTML, by webhook as JSON.
#[derive(Debug)]
pub struct Letter<'a> {
    /// The same whenever this is sent to this destination, so that who gets it twice can tell.
    pub id: String,
    pub subject: String,
    pub title: String,
    /// What a reader must know before all else.
    pub banner: Option<String>,
    /// Sentences.
    pub lines: Vec<String>,
    /// What it is about, by name.
    pub facts: Vec<(String, String)>,
    pub body: Value,
    pub files: &'a [MadeFile],
}

/// To a recipient: what was made, and where it was placed.
pub fn to_recipient<'a>(
    schedule: &Schedule,
    record: &RunRecord,
    product: &'a Product,
    places: &[String],
    key: &str,
) -> Letter<'a> {
    let mut facts = facts(schedule, record);
    facts.splice(0..0, record.parameters.iter().map(|parameter| (parameter.name.clone(), parameter.value.clone())));
    if !places.is_empty() {
        facts.push(("Also at".to_owned(), places.join(", ")));
    }
    let files: Vec<Value> = product.files.iter().map(about_file).collect();
    let mut body = about_run(schedule, record);
    merge(
        &mut body,
        json!({
            "outcome": if record.reason.is_some() { Outcome::SentWithBanner.word() } else { Outcome::Sent.word() },
            "title": product.title,
            "banner": record.reason,
            "summary": product.summary,
            "rows": product.rows,
            "files": files,
            "places": places,
        }),
    );
    Letter {
        id: format!("{}-{key}", record.run_id),
        subject: format!("{} ({})", product.title, schedule.wall(record.fire_time).format("%Y-%m-%d")),
        title: product.title.clone(),
        banner: record.reason.clone(),
        lines: product.summary.clone(),
        facts,
        body,
        files: &product.files,
    }
}

fn about_file(file: &MadeFile) -> Value {
    json!({ "name": file.name, "media_type": file.media_type, "bytes": file.bytes, "sha256": file.sha256 })
}

/// To the owner: what went wrong.
pub fn to_owner(schedule: &Schedule, record: &RunRecord, key: &str) -> Letter<'static> {
    let what = match record.outcome {
        Outcome::SentWithBanner => "was sent with a banner",
        Outcome::MayHaveBeenSent => "may have been sent",
        Outcome::Skipped => "was skipped",
        Outcome::Failed | Outcome::Running | Outcome::Sent => "failed",
    };
    let mut lines: Vec<String> = record.reason.iter().chain(&record.error).cloned().collect();
    lines.extend(record.deliveries.iter().map(delivered));
    let mut body = about_run(schedule, record);
    merge(
        &mut body,
        json!({
            "outcome": record.outcome.word(),
            "reason": record.reason,
            "error": record.error,
            "deliveries": record.deliveries,
        }),
    );
    Letter {
        id: format!("{}-{key}", record.run_id),
        subject: format!("cxlake: {} {what} ({})", schedule.name, schedule.shown(record.fire_time)),
        title: format!("{} {what}", schedule.name),
        banner: None,
        lines,
        facts: facts(schedule, record),
        body,
        files: &[],
    }
}

fn delivered(delivery: &DeliveryRecord) -> String {
    let state = match delivery.state {
        DeliveryState::NotTried => "not tried",
        DeliveryState::Sent => "sent",
        DeliveryState::MayHaveBeenSent => "may have been sent; it is not sent again",
        DeliveryState::Failed => "failed",
    };
    format!("{}: {state}", delivery.to)
}

fn facts(schedule: &Schedule, record: &RunRecord) -> Vec<(String, String)> {
    let facts = [
        ("Schedule", schedule.name.clone()),
        ("For", schedule.shown(record.fire_time)),
        ("Run", record.run_id.clone()),
    ];
    facts.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

fn about_run(schedule: &Schedule, record: &RunRecord) -> Value {
    json!({
        "run_id": record.run_id,
        "schedule": schedule.name,
        "kind": record.kind,
        "name": record.name,
        "fire_time": record.fire_time.to_rfc3339_opts(SecondsFormat::Secs, true),
    })
}

/// Adds the keys of one object to another.
fn merge(body: &mut Value, more: Value) {
    if let (Value::Object(body), Value::Object(more)) = (body, more) {
        body.extend(more);
    }
}
