//! Rewrites the files of a table to its declared layout: sorted, few and large, zstd, bloom filters on identifiers.
//!
//! [`look`] says how the files lie and what rewriting them would gain, [`carry_out`] does it. Folders are written one after the
//! other, each sorted within the memory limit; files of all folders take their places in one step, which `storage` makes
//! ([`Change`]). Before that every new file is read again and held against what was read of the old ones: rows, nulls, values.

mod say;
mod survey;
mod write;

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use datafusion::common::ScalarValue;
use futures::{Stream, StreamExt};
use object_store::ObjectMeta;
use object_store::buffered::BufWriter;
use tokio::sync::{Notify, mpsc};

use crate::engine::{Engine, TableFile, TableFiles, Tally, Whole};
use crate::error::{Error, Kind, Result};
use crate::lake::Table;
use crate::storage::{Change, Links, Waiting, explain};

pub use survey::{Extent, Folder};

/// Bytes of a part of an upload; ten thousand make the largest object.
const PART: usize = 16 << 20;

/// Parts that are sent at once.
const PARTS_AT_ONCE: usize = 4;

/// Folders of which a part is written for trial, and files and rows of each at most.
const TRIED: usize = 3;
const TRIED_FILES: usize = 16;
const TRIED_ROWS: usize = 100_000;

/// Of so many rows of a trial one is written once more.
const TRIED_AGAIN: u64 = 8;

/// Values of an identifier that are looked up for trial.
const LOOKED_UP: usize = 5;

/// How a table lies, and what is to be done.
#[derive(Debug)]
pub struct Plan {
    table: Table,
    files: TableFiles,
    folders: Vec<Folder>,
    /// All files, and those of the folders that want rewriting.
    all: Extent,
    wanted: Extent,
    /// Files that will be there in their place, and their bytes about.
    files_after: u64,
    bytes_after: u64,
    look_ups: Vec<LookUps>,
    waiting: Waiting,
    /// Whether there is something to clear up.
    wants_tidying: bool,
    keep: TimeDelta,
}

/// Look-ups of some values of an identifier.
#[derive(Clone, Debug)]
struct LookUps {
    column: String,
    values: Vec<ScalarValue>,
    /// Row groups that they read together.
    kept: usize,
}

/// What was done.
#[derive(Debug)]
pub struct Done {
    extent: Extent,
    /// Of the rewritten folders, before and after.
    before: Extent,
    after: Extent,
    look_ups: Vec<LookUps>,
    deleted: Waiting,
    waiting: Waiting,
    took: Duration,
}

impl Plan {
    /// Whether no file wants rewriting, and nothing is to be cleared up.
    pub fn is_idle(&self) -> bool {
        !self.rewrites() && !self.wants_tidying
    }

    /// Whether files want rewriting.
    pub fn rewrites(&self) -> bool {
        self.wanted.files > 0
    }

    /// Rows that will be read and written.
    pub fn rows(&self) -> u64 {
        self.wanted.rows
    }
}

/// Looks at the files of a table; `keep` is how long replaced files stay.
///
/// # Errors
/// `NotFound` for a table that is not there; `Usage` for one that is no folder of files, or has some in a folder behind a link; those of reading
/// it.
pub async fn look(engine: &Engine, table: &str, keep: TimeDelta, now: DateTime<Utc>) -> Result<Plan> {
    let table = engine.lake_table(table)?.clone();
    let files = engine.table_files_whole(&table).await?;
    let is_file = files.files.iter().any(|file| file.meta.location == files.location.base);
    if !files.location.is_folder() || is_file {
        return Err(Error::usage(format!("table `{}` is at `{}`, which is no folder", table.name, table.path))
            .hint("files are replaced in folders alone; give the table a folder of its own in `cxlake.toml`"));
    }
    check_links(&table, &files)?;
    let layout = &table.layout;
    for column in layout.sort.iter().map(|key| &key.column).chain(&layout.identifiers) {
        let is_there = files.files.iter().any(|file| file.column(column).is_some());
        if !is_there && table.columns.iter().all(|known| known.name != *column) {
            return Err(Error::invalid(format!("no file of table `{}` has column `{column}`", table.name))
                .hint("`sort` and `identifiers` of the table in `cxlake.toml` name columns of its files"));
        }
    }
    let folders = survey::folders(&files.files, layout);
    let wanted: Vec<&Folder> = folders.iter().filter(|folder| folder.wants_rewriting).collect();
    let trial = tried(engine, &files, &table, &wanted).await?;
    let mut plan = Plan {
        all: Extent::of(&files.files, layout),
        wanted: Extent::of(wanted.iter().flat_map(|folder| &folder.files), layout),
        files_after: 0,
        bytes_after: 0,
        look_ups: Vec::new(),
        waiting: Waiting::default(),
        wants_tidying: false,
        keep,
        folders: Vec::new(),
        table: table.clone(),
        files,
    };
    for folder in wanted {
        let bytes: u64 = folder.files.iter().map(|file| file.meta.size).sum();
        let bytes = scaled(bytes, trial.after, trial.before);
        let files = bytes.div_ceil(write::FILE_BYTES).max(1);
        plan.bytes_after += bytes + files * trial.of_any_file;
        plan.files_after += files;
    }
    plan.folders = folders;
    for column in &table.layout.identifiers {
        let values = plan.files.some_values(column, LOOKED_UP).await?;
        plan.look_ups.push(looked_up(&plan.files, column, values).await?);
    }
    (plan.waiting, plan.wants_tidying) = Waiting::of(engine.stores(), &plan.files.location, keep, now).await?;
    Ok(plan)
}

/// Refuses a table with files behind a link: they are another table's too, to which the new files would come as well.
fn check_links(table: &Table, files: &TableFiles) -> Result<()> {
    let location = &files.location;
    let links = Links::among(location, files.files.iter().map(|file| &file.meta.location));
    let Some((link, place)) = links.below(location) else { return Ok(()) };
    let (link, name) = (location.shown(link), &table.name);
    let place = location.on_disk(place).map(|place| place.display().to_string()).unwrap_or_default();
    Err(Error::usage(format!("table `{name}` cannot be optimized: `{link}` is a link to `{place}`"))
        .hint("another table may have the files behind it; move them to the place of the link, or optimize their folder as a table of its own"))
}

async fn looked_up(files: &TableFiles, column: &str, values: Vec<ScalarValue>) -> Result<LookUps> {
    let kept = files.row_groups_kept(column, &values).await?;
    Ok(LookUps { column: column.to_owned(), values, kept })
}

/// So many bytes in the ratio of two numbers.
fn scaled(bytes: u64, by: u64, of: u64) -> u64 {
    u64::try_from(u128::from(bytes) * u128::from(by) / u128::from(of.max(1))).unwrap_or(u64::MAX)
}

/// What became of bytes that were written for trial.
#[derive(Clone, Copy, Debug, Default)]
struct Trial {
    /// Bytes of files, and what their rows take when they are written.
    before: u64,
    after: u64,
    /// What a file takes beside its rows.
    of_any_file: u64,
}

/// Writes parts of some folders, to nowhere, of each the rows of its largest files.
async fn tried(engine: &Engine, files: &TableFiles, table: &Table, folders: &[&Folder]) -> Result<Trial> {
    let (mut trial, mut trials) = (Trial::default(), 0);
    for folder in folders.iter().step_by(folders.len().div_ceil(TRIED).max(1)) {
        let sample = largest(&folder.files);
        let there: u64 = sample.iter().map(TableFile::rows).sum();
        if there == 0 {
            continue;
        }
        let bytes: u64 = sample.iter().map(|file| file.meta.size).sum();
        let whole = Whole::new(&files.location, Arc::clone(&files.store), sample)?;
        let (rows, all) = written_to_nowhere(engine, &whole, table, TRIED_ROWS).await?;
        // A file of fewer rows tells what rows take, and what a file takes whatever is in it.
        let part = usize::try_from(rows.div_ceil(TRIED_AGAIN)).unwrap_or(usize::MAX);
        let (fewer, less) = written_to_nowhere(engine, &whole, table, part).await?;
        let of_rows = if fewer < rows { scaled(all.saturating_sub(less), rows, rows - fewer).min(all) } else { all };
        trial.before += scaled(bytes, rows, there);
        trial.after += of_rows;
        trial.of_any_file += all - of_rows;
        trials += 1;
    }
    trial.of_any_file = trial.of_any_file.checked_div(trials).unwrap_or_default();
    Ok(if trial.before > 0 { trial } else { Trial { before: 1, after: 1, of_any_file: 0 } })
}

/// The largest files, as many as it takes for the rows of a trial, in the order in which they were.
fn largest(files: &[TableFile]) -> Vec<TableFile> {
    let mut places: Vec<usize> = (0..files.len()).collect();
    places.sort_by_key(|&place| Reverse(files[place].meta.size));
    let mut rows = 0;
    let is_wanted = |&place: &usize| {
        let before = rows;
        rows += files[place].rows();
        before < TRIED_ROWS as u64
    };
    let mut places: Vec<usize> = places.into_iter().take(TRIED_FILES).take_while(is_wanted).collect();
    places.sort_unstable();
    places.into_iter().map(|place| files[place].clone()).collect()
}

/// Writes the first rows of files as one, to nowhere; how many rows it has, and how many bytes it would have.
async fn written_to_nowhere(engine: &Engine, whole: &Whole, table: &Table, rows_max: usize) -> Result<(u64, u64)> {
    let properties = write::properties(&whole.schema, &table.layout, whole.files())?;
    let (mut running, tallied) = engine.sorted(whole, &table.layout.sort, Some(rows_max))?;
    let refused = |error: parquet::errors::ParquetError| Error::internal(format!("a trial cannot be written: {error}"));
    let mut out = Vec::new();
    write::file(&mut out, &whole.schema, &properties, &mut running.batches, &|_| {}, refused).await?;
    Ok((tallied.so_far().rows, out.len() as u64))
}

/// Does what a plan says. `tell` hears of rows as they are written; `stop` gives all up.
///
/// # Errors
/// `Storage` when the disk or the server refuses, when a file changed meanwhile and when another is at work; `Exhausted` when
/// memory does not do; `Internal` when the new files do not hold what the old ones do. No file is replaced then. Errors behind
/// the step in which files change places are of deleting and looking alone: the new files count, and the old ones do not, whether
/// they are deleted or wait for the next call.
pub async fn carry_out(
    engine: &Engine,
    plan: &Plan,
    tell: Arc<dyn Fn(u64) + Send + Sync>,
    stop: &Notify,
) -> Result<Done> {
    let started = Instant::now();
    let mut change = Change::begin(engine.stores(), &plan.files.location, Utc::now()).await?;
    let done = tokio::select! {
        done = replaced(engine, plan, &mut change, &tell) => done,
        () = stop.notified() => Err(Error::new(Kind::Interrupted, "interrupted")),
    };
    let (deleted, added) = match done {
        Ok(done) => done,
        Err(error) => {
            let error = change.refusal().unwrap_or(error);
            // What is left then is cleared up by the next change.
            let _ = change.give_up(Utc::now()).await;
            return Err(error);
        }
    };
    let waiting = change.end(Utc::now()).await?;
    let mut look_ups = Vec::new();
    let now = engine.table_files_whole(&plan.table).await?;
    for before in &plan.look_ups {
        look_ups.push(looked_up(&now, &before.column, before.values.clone()).await?);
    }
    let layout = &plan.table.layout;
    let after = match added.is_empty() {
        true => Extent::default(),
        false => Extent::of(&engine.footers_of(&plan.files.location, &added).await?.files, layout),
    };
    let extent = Extent::of(&now.files, layout);
    Ok(Done { extent, before: plan.wanted, after, look_ups, deleted, waiting, took: started.elapsed() })
}

/// Writes the new files, holds them against the old ones and lets them take their places; deletes what has waited long enough.
async fn replaced(
    engine: &Engine,
    plan: &Plan,
    change: &mut Change,
    tell: &Arc<dyn Fn(u64) + Send + Sync>,
) -> Result<(Waiting, Vec<ObjectMeta>)> {
    let mut deleted = change.delete_replaced(plan.keep, Utc::now()).await?;
    if !plan.rewrites() {
        return Ok((deleted, Vec::new()));
    }
    let folders = plan.folders.iter().filter(|folder| folder.wants_rewriting);
    let replaced: Vec<ObjectMeta> = folders.flat_map(|folder| &folder.files).map(|file| file.meta.clone()).collect();
    // They were listed before the change was announced.
    change.check_unchanged(&replaced).await?;
    let mut written: Vec<(&Folder, Whole, Tally, usize)> = Vec::new();
    for folder in plan.folders.iter().filter(|folder| folder.wants_rewriting) {
        let store = Arc::clone(&plan.files.store);
        let whole = Whole::new(&plan.files.location, store, folder.files.clone())?;
        let (tally, files) = folder_written(engine, plan, folder, &whole, change, tell).await?;
        written.push((folder, whole, tally, files));
    }
    let added = change.appear().await?;
    let mut rest = added.as_slice();
    for (folder, whole, tally, files) in &written {
        let (ours, others) = rest.split_at(*files);
        rest = others;
        let again = engine.footers_of(&plan.files.location, ours).await?;
        let read = Whole::new(&plan.files.location, again.store, again.files)?;
        let shown = plan.files.location.shown(&folder.path);
        if read.schema.fields() != whole.schema.fields() {
            return Err(Error::internal(format!("columns of `{shown}` are written as others")));
        }
        if let Some(difference) = tally.difference(&engine.tally(&read).await?, &whole.schema) {
            return Err(Error::internal(format!("in `{shown}`, {difference}; nothing was replaced")));
        }
    }
    change.commit(&added, &replaced).await?;
    if plan.keep <= TimeDelta::zero() {
        let more = change.delete_replaced(plan.keep, Utc::now()).await?;
        deleted.files += more.files;
        deleted.bytes += more.bytes;
    }
    Ok((deleted, added))
}

/// Writes the rows of a folder into new files; gives the tally of what was read, and how many files it took.
async fn folder_written(
    engine: &Engine,
    plan: &Plan,
    folder: &Folder,
    whole: &Whole,
    change: &mut Change,
    tell: &Arc<dyn Fn(u64) + Send + Sync>,
) -> Result<(Tally, usize)> {
    let properties = write::properties(&whole.schema, &plan.table.layout, &folder.files)?;
    let (running, tallied) = engine.sorted(whole, &plan.table.layout.sort, None)?;
    // Sorting goes on while a batch is encoded.
    let (send, received) = mpsc::channel(2);
    let sorting = tokio::spawn(running.batches.for_each(move |batch| {
        let send = send.clone();
        async move {
            // Nobody receives when writing has failed.
            let _ = send.send(batch).await;
        }
    }));
    let mut rows = std::pin::pin!(received_all(received));
    let mut files = 0;
    loop {
        let path = change.file(&folder.path);
        files += 1;
        let shown = plan.files.location.shown(&path);
        let refused = |error: parquet::errors::ParquetError| explain(&error, &format!("cannot write `{shown}`"));
        let out = BufWriter::with_capacity(change.store(), path, PART).with_max_concurrency(PARTS_AT_ONCE);
        let has_more = write::file(out, &whole.schema, &properties, &mut rows, tell.as_ref(), refused).await?;
        if !has_more {
            break;
        }
    }
    sorting.await.map_err(|error| Error::internal(format!("sorting ended in a panic: {error}")))?;
    Ok((tallied.so_far(), files))
}

fn received_all<T>(received: mpsc::Receiver<T>) -> impl Stream<Item = T> {
    futures::stream::unfold(received, async |mut received| {
        let next = received.recv().await?;
        Some((next, received))
    })
}
