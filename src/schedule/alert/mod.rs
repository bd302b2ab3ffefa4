//! Alerts: what a saved query finds now, held against what was known, is what there is to tell.
//!
//! `rows.rs` looks, `state.rs` says what that means, `message.rs` puts it into words. What was found is kept for each fire time
//! before anything is sent, so that an attempt which died is repeated with the same result, whatever the data say by then. A run
//! anew looks anew where there was nothing to tell, as of an alert that was mended.

mod message;
mod rows;
mod state;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::carry::{Making, Request};
use super::claims::Claims;
use crate::engine::Engine;
use crate::error::Result;
use crate::lake::alert::{Alert, AlertRecord};
use crate::lake::run::Outcome;
use crate::query::saved::Library;
use crate::storage::Records;

/// Looks at what an alert asks for, unless what an earlier look at this fire time found counts, and says what there is to send.
/// `zone` is that of its cron.
///
/// # Errors
/// Those of its query; `InvalidData` when its rows cannot be told apart; `Storage` when the records cannot be read or written.
pub async fn look(
    engine: &Engine,
    library: &Library,
    alert: &Alert,
    claims: &Claims,
    request: &Request,
    zone: Tz,
) -> Result<Making> {
    let fire = request.fire_time;
    let object = AlertRecord::object(&alert.name, fire);
    let found = kept(&claims.records, &object).await?;
    let is_anew = match &found {
        Some(found) => is_idle(found, request) && is_newest(claims, alert, &object).await?,
        None => false,
    };
    if let Some(found) = found.filter(|_| !is_anew) {
        return message::of(alert, &found).await;
    }
    let before = before(claims, alert, fire).await?;
    let seen = rows::look(engine, library, alert, fire).await?;
    let entries = state::judge(&before, seen, alert, fire, zone);
    let mut record =
        AlertRecord { run_id: request.run_id.clone(), alert: alert.name.clone(), fire_time: fire, entries };
    if is_anew {
        claims.records.put(&object, record.to_json()?).await?;
    } else if !claims.records.create(&object, record.to_json()?).await?
        && let Some(first) = kept(&claims.records, &object).await?
    {
        // Another attempt was first; what it found is what is told.
        record = first;
    }
    message::of(alert, &record).await
}

/// Whether another run found this, and had nothing to tell of it.
fn is_idle(found: &AlertRecord, request: &Request) -> bool {
    found.run_id != request.run_id && found.entries.iter().all(|entry| !entry.sends)
}

/// Whether no later fire time was looked at: what one has told already would be told again.
async fn is_newest(claims: &Claims, alert: &Alert, object: &str) -> Result<bool> {
    let folder = AlertRecord::folder(&alert.name);
    let months = claims.records.folders(&folder).await?;
    let Some(month) = months.last() else { return Ok(true) };
    let names = claims.records.list(&format!("{folder}/{month}")).await?;
    Ok(names.last().is_none_or(|last| last.as_str() <= object))
}

async fn kept(records: &Records, object: &str) -> Result<Option<AlertRecord>> {
    let bytes = records.read(object).await?;
    bytes.map(|bytes| AlertRecord::from_json(&bytes, &records.shown(object))).transpose()
}

/// What was known before a fire time: what the last look before it found, and whether that arrived.
async fn before(claims: &Claims, alert: &Alert, fire: DateTime<Utc>) -> Result<state::Known> {
    let folder = AlertRecord::folder(&alert.name);
    let object = AlertRecord::object(&alert.name, fire);
    for month in claims.records.folders(&folder).await?.iter().rev() {
        let names = claims.records.list(&format!("{folder}/{month}")).await?;
        let Some(last) = names.iter().rfind(|name| **name < object) else { continue };
        let Some(record) = kept(&claims.records, last).await? else { continue };
        let done = claims.done(&alert.name, record.fire_time).await?;
        let is_sent = |outcome| matches!(outcome, Outcome::Sent | Outcome::SentWithBanner);
        return Ok(state::carried(record, done.is_some_and(|run| is_sent(run.outcome))));
    }
    Ok(state::Known::new())
}
