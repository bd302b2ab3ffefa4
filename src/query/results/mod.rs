//! Results of saved queries, kept on the disk: a query whose text, parameters and files are what they were is not run again.
//!
//! A look-up plans nothing. It makes a key of all that was written (`key.rs`), and when there is an entry for it lists the tables
//! that the result rests on and compares the versions of their files. Whatever is not plainly the same is computed: nothing
//! here is an error, and a result that cannot be told apart from a later one is not kept at all.

mod entry;
mod key;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use futures::StreamExt;

use super::parameter::{Bound, Moment};
use super::run::{self, Absent, Given, Planned, Prepared, SavedRun};
use super::saved::Library;
use crate::engine::{Engine, Ground, Grounds, Running, Scans};
use crate::error::Result;
use crate::lake::Lake;
use crate::storage::{self, Disk};
use entry::{Head, Writing};

/// Bytes of rows that are kept of one result; a larger one is computed each time.
const RESULT_BYTES_MAX: usize = 32 << 20;

/// Where results are kept.
#[derive(Debug)]
pub struct Results {
    disk: Disk,
}

/// A result that was kept, and that still holds.
struct Found {
    head: Head,
    bound: Vec<Bound>,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Results {
    /// The user's results, of so many bytes at most. Nothing is touched before one is looked for.
    pub fn open(bytes_max: u64) -> Self {
        Self { disk: storage::results(bytes_max) }
    }

    async fn find(&self, key: &str, engine: &Engine, prepared: &Prepared, now: DateTime<Utc>) -> Option<Found> {
        let lake = engine.lake();
        let (head, rows) = entry::head(&self.disk.get(key)?)?;
        let bound = bound(lake, prepared, &head, now)?;
        if key::values(&bound) != head.values || !Ground::all_hold(&head.grounds, lake, engine.stores()).await {
            return None;
        }
        let (schema, batches) = entry::rows(rows)?;
        Some(Found { head, bound, schema, batches })
    }
}

/// Starts a saved query, or gives what it gave before where that was kept and still holds.
///
/// # Errors
/// As [`run::saved`].
pub async fn saved(
    engine: &Engine,
    library: &Library,
    name: &str,
    given: &Given,
    now: DateTime<Utc>,
) -> Result<SavedRun> {
    let began = SystemTime::now();
    let prepared = run::prepare(library, name, given, Absent::IsError).await?;
    // A session that made or set something may give another result than the next one.
    let results = library.results().filter(|_| !engine.is_changed());
    let kept = results.and_then(|results| Some((Arc::clone(results), key::of(engine.lake(), &prepared, now)?)));
    let Some((results, key)) = kept else {
        return run::start(run::planned(engine, prepared, now, Absent::IsError).await?).await;
    };
    if let Some(Found { head, bound, schema, batches }) = results.find(&key, engine, &prepared, now).await
        && let Some(query) = prepared.queries.last().cloned()
    {
        let present = query.presentation(engine.lake().currency.as_deref());
        let scans = Scans::kept(head.computed_at, head.inputs);
        let batches = Box::pin(futures::stream::iter(batches.into_iter().map(Ok)));
        return Ok(SavedRun { query, bound, present, running: Running { schema, batches, scans } });
    }
    let planned = run::planned(engine, prepared, now, Absent::IsError).await?;
    let keeper = Keeper::new(results, key, &planned, began);
    let saved = run::start(planned).await?;
    Ok(match keeper {
        Some(keeper) => SavedRun { running: keeper.watch(saved.running), ..saved },
        None => saved,
    })
}

/// The values of the parameters, with the choices that the lake gave when the result was kept.
fn bound(lake: &Lake, prepared: &Prepared, head: &Head, now: DateTime<Utc>) -> Option<Vec<Bound>> {
    let moment = Moment { calendar: &lake.calendar, now };
    let bind = |asked: &run::Asked| {
        let allowed = match &asked.parameter.values_sql {
            Some(_) => Some(head.choices.get(&asked.parameter.name)?.clone()),
            None => asked.parameter.listed(),
        };
        asked.parameter.bind(&asked.texts, allowed.as_deref(), moment).ok()
    };
    prepared.parameters.iter().map(bind).collect()
}

/// Keeps a result while it is given on.
struct Keeper {
    results: Arc<Results>,
    key: String,
    engine: Engine,
    grounds: Grounds,
    began: SystemTime,
    head: Head,
    writing: Option<Writing>,
}

impl Keeper {
    /// `None` when the query's result cannot be kept.
    fn new(results: Arc<Results>, key: String, planned: &Planned, began: SystemTime) -> Option<Self> {
        let grounds = Grounds::of(planned.choices.iter().map(|choice| &choice.plan).chain([&planned.plan]))?;
        let choices = planned.choices.iter().map(|choice| (choice.parameter.clone(), choice.allowed.clone()));
        let head = Head {
            computed_at: began.into(),
            values: key::values(&planned.bound),
            choices: choices.collect::<BTreeMap<_, _>>(),
            grounds: Vec::new(),
            inputs: Vec::new(),
        };
        Some(Self { results, key, engine: planned.engine.clone(), grounds, began, head, writing: None })
    }

    /// The same rows, kept when the last of them has been given.
    fn watch(mut self, running: Running) -> Running {
        let Running { schema, batches, scans } = running;
        self.writing = Writing::new(&schema);
        let watched = scans.clone();
        let batches = futures::stream::unfold((batches, Some(self)), move |(mut batches, mut keeper)| {
            let scans = watched.clone();
            async move {
                let batch = batches.next().await;
                match &batch {
                    Some(Ok(batch)) => keeper.as_mut().into_iter().for_each(|keeper| keeper.take(batch)),
                    Some(Err(_)) => keeper = None,
                    None => {
                        if let Some(keeper) = keeper.take() {
                            keeper.keep(&scans).await;
                        }
                    }
                }
                Some((batch?, (batches, keeper)))
            }
        });
        Running { schema, batches: Box::pin(batches), scans }
    }

    fn take(&mut self, batch: &RecordBatch) {
        self.writing = self.writing.take().and_then(|writing| writing.with(batch, RESULT_BYTES_MAX));
    }

    async fn keep(self, scans: &Scans) {
        let Self { results, key, engine, grounds, began, mut head, writing } = self;
        let Some(writing) = writing else { return };
        if engine.is_changed() {
            return;
        }
        let Some(grounds) = grounds.settled(engine.stores(), began).await else { return };
        head.grounds = grounds;
        head.inputs = scans.inputs();
        let Some(bytes) = writing.finish(&head) else { return };
        // What cannot be written is not kept, whatever the reason.
        let _ = tokio::task::spawn_blocking(move || results.disk.put(&key, &bytes)).await;
    }
}
