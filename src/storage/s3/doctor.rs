//! Examines a bucket step by step, as a person would who wants to know why a query fails.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use super::settings::Settings;
use super::{Bucket, Reached};
use crate::error::{Error, Result};
use crate::lake::store::{Store, Style};
use crate::storage::explain;

/// How long a step is tried again; whoever asks is waiting.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes that are read of an object.
const BYTES: u64 = 64;

/// A clock that is further off has its requests refused.
const SKEW_MAX: i64 = 15 * 60;

/// One thing that was looked at.
#[derive(Debug)]
pub struct Finding {
    pub what: &'static str,
    /// What was found, or what is wrong with a hint that mends it.
    pub outcome: Result<String>,
    /// How long the request took, where one was made.
    pub took: Option<Duration>,
}

impl Finding {
    fn known(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, outcome: Ok(found.into()), took: None }
    }

    fn wrong(what: &'static str, error: Error) -> Self {
        Self { what, outcome: Err(error), took: None }
    }
}

/// Looks at everything that a query needs; `writes` also writes and deletes a small object.
pub async fn examine(store: &Store, writes: bool, runtime: &tokio::runtime::Handle) -> Vec<Finding> {
    let store = Store { retry: store.retry.min(PATIENCE), ..store.clone() };
    let prefix = store.prefix.clone();
    let bucket = Bucket::new(store, Arc::default(), runtime.clone());
    let reached = match bucket.reached().await {
        Ok(reached) => reached,
        Err(error) => return vec![Finding::wrong("settings", plainly(&error))],
    };
    let mut findings = settings(reached);
    match credentials(reached).await {
        Ok(found) => findings.push(Finding::known("credentials", found)),
        Err(error) => {
            findings.push(Finding::wrong("credentials", error));
            return findings;
        }
    }
    let (listed, first) = list(&bucket, &prefix).await;
    let has_answered = reached.wire.has_answered();
    findings.push(listed);
    if !has_answered {
        return findings;
    }
    findings.extend(region(reached));
    findings.push(clock(reached));
    if let Some(first) = first {
        findings.push(get(&bucket, &first).await);
    }
    findings.push(match writes {
        true => put(&bucket, &prefix).await,
        false => Finding::known("put", "not tried: no store of the manifest allows it with `write = true`"),
    });
    findings
}

fn settings(reached: &Reached) -> Vec<Finding> {
    let settings = &reached.settings;
    let style = match settings.style {
        Style::Path => "path",
        Style::Virtual => "virtual",
    };
    let endpoint = match &settings.endpoint {
        Some(endpoint) => format!("{endpoint} (from {})", settings.endpoint_from),
        None => "AWS".to_owned(),
    };
    vec![
        Finding::known("endpoint", format!("{endpoint}, `{style}` style")),
        Finding::known("region", format!("{} (from {})", settings.region, settings.region_from)),
    ]
}

async fn credentials(reached: &Reached) -> Result<String> {
    match reached.settings.store.anonymous {
        true => Ok("none: the store is anonymous".to_owned()),
        false => reached.source.described().await,
    }
}

/// Lists the first objects; also gives one that can be read.
async fn list(bucket: &Bucket, prefix: &str) -> (Finding, Option<ObjectMeta>) {
    let started = Instant::now();
    let folder = (!prefix.is_empty()).then(|| ObjectPath::from(prefix));
    let mut objects = bucket.list(folder.as_ref());
    let mut first = None;
    let mut seen = 0;
    let outcome = loop {
        match objects.next().await {
            Some(Ok(object)) => {
                seen += 1;
                first = first.or(Some(object).filter(|object| object.size > 0));
                if first.is_some() {
                    break Ok("works".to_owned());
                }
            }
            Some(Err(error)) => break Err(plainly(&error)),
            None if seen == 0 => break Ok("works; there is no object".to_owned()),
            None => break Ok("works; every object is empty".to_owned()),
        }
    };
    (Finding { what: "list", outcome, took: Some(started.elapsed()) }, first)
}

/// What the server says of the bucket's region, where it says anything.
fn region(reached: &Reached) -> Option<Finding> {
    let told = reached.wire.region_told()?;
    let settings = &reached.settings;
    if told == settings.region {
        return Some(Finding::known("real region", told));
    }
    let error = Error::storage(format!("the bucket is in `{told}`, and is asked for in `{}`", settings.region));
    Some(Finding::wrong("real region", error.hint(Settings::setting_hint("region", &told, "AWS_REGION"))))
}

fn clock(reached: &Reached) -> Finding {
    let ahead = reached.wire.seconds_ahead();
    let (off, which) = (ahead.abs(), if ahead < 0 { "behind" } else { "ahead of" });
    match off {
        0..=2 => Finding::known("clock", "agrees with the server's"),
        off if off < SKEW_MAX => Finding::known("clock", format!("the server's is {off} s {which} ours")),
        off => Finding::wrong(
            "clock",
            Error::storage(format!(
                "the server's clock is {off} s {which} ours; from {SKEW_MAX} s on it refuses requests"
            ))
            .hint("set the clock of this machine"),
        ),
    }
}

async fn get(bucket: &Bucket, object: &ObjectMeta) -> Finding {
    let started = Instant::now();
    let wanted = 0..object.size.min(BYTES);
    let outcome = match bucket.get_range(&object.location, wanted.clone()).await {
        Ok(bytes) if bytes.len() as u64 == wanted.end => {
            Ok(format!("works: {} bytes of `{}`", wanted.end, object.location))
        }
        Ok(bytes) => Err(Error::storage(format!("{} bytes come where {} were asked for", bytes.len(), wanted.end))
            .hint("the server or a proxy before it does not understand ranges")),
        Err(error) => Err(plainly(&error)),
    };
    Finding { what: "get of a range", outcome, took: Some(started.elapsed()) }
}

/// Writes a small object that must not be there, tries to write it once more, and deletes it.
async fn put(bucket: &Bucket, prefix: &str) -> Finding {
    let started = Instant::now();
    // The keys of a new hasher are random.
    let name = format!(".cxlake-doctor-{:016x}", RandomState::new().hash_one(0));
    let path = ObjectPath::from(format!("{prefix}/{name}"));
    let outcome = probe(bucket, &path).await.map_err(|error| plainly(&error));
    Finding { what: "put", outcome, took: Some(started.elapsed()) }
}

async fn probe(bucket: &Bucket, path: &ObjectPath) -> object_store::Result<String> {
    let new = || PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    bucket.put_opts(path, PutPayload::from_static(b"cxlake doctor"), new()).await?;
    let again = bucket.put_opts(path, PutPayload::from_static(b"cxlake doctor"), new()).await;
    bucket.delete(path).await?;
    match again {
        Err(object_store::Error::AlreadyExists { .. }) => Ok("works, and the server honours If-None-Match".to_owned()),
        Ok(_) => Ok("works; the server ignores If-None-Match, so that of two writers the later one wins".to_owned()),
        Err(error) => Err(error),
    }
}

/// What is wrong, without the name of what was being done: the finding has it.
fn plainly(error: &object_store::Error) -> Error {
    explain(error, "")
}
