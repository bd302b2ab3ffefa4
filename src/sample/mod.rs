//! The sample company: a deterministic lake of any size that tells one story.
//!
//! [`write`] makes the tables of the data model as Parquet files. The same seed and scale give the same bytes on any
//! machine and with any number of threads. What the data holds for queries to find is written down in [`story`];
//! accounts, months and cost cells are each made from a random stream of their own, so nothing is kept in memory but
//! the batches in progress. This folder knows no catalog and no query engine.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "counts, days and scores are small by construction, and rounding is what the generator wants"
)]

mod accounts;
mod assessments;
mod calendar;
mod codebook;
mod contacts;
mod costs;
mod escalations;
mod feedback;
mod follow_ups;
mod initiatives;
mod jobs;
mod money;
mod offices;
mod operations;
mod partners;
mod random;
mod revenue;
pub mod story;
mod surveys;
mod text;
mod touches;
mod world;
mod writer;

use std::path::Path;
use std::sync::atomic::AtomicBool;

pub use calendar::{FIRST_MONTH, MONTHS, TODAY, last_day};
pub use offices::Region;
use world::World;

use crate::error::Result;

/// The seed of the committed sample, one at which its few hundred accounts come close to what holds at any scale.
pub const SEED: u64 = 20_270_085;

/// All amounts are in this currency.
const CURRENCY: &str = "USD";

/// Which sample to make.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub seed: u64,
    /// How many times the committed sample's accounts and postings; 0 counts as 1.
    pub scale: u32,
    /// How many files are written at once; 0 counts as 1. The result does not depend on it.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: SEED, scale: 1, threads: 1 }
    }
}

/// How many rows [`write`] will make, within some 5 % at scale 1 and 1 % at large scales.
pub fn rows_total(options: &Options) -> u64 {
    let world = World::new(options);
    jobs::all(&world).iter().map(jobs::Job::rows_expected).sum()
}

/// Writes the sample into `dir`, one folder for each table; returns the rows written.
///
/// `progress` is told of the rows of each batch, by several threads. When `stop` is set, the work ends after the batch
/// in progress. A run that fails or is stopped takes away the tables that it had begun: a part of a table would look
/// like the whole one.
///
/// # Errors
/// `Usage` when `dir` holds a table of the sample already, before anything is written; `Storage` naming the file that
/// could not be written; `Interrupted`.
pub fn write(dir: &Path, options: &Options, progress: &(dyn Fn(u64) + Sync), stop: &AtomicBool) -> Result<u64> {
    jobs::run(&World::new(options), dir, options.threads, progress, stop)
}

/// The ids of the accounts whose surveys are fine while their field feedback is bad, in order.
pub fn silent_accounts(options: &Options) -> impl Iterator<Item = String> {
    let world = World::new(options);
    (0..world.accounts).filter_map(move |number| {
        let silent = accounts::fate(world.seed, number) == accounts::Fate::Silent;
        silent.then(|| world.account_id(number).to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn sample(threads: usize) -> (tempfile::TempDir, u64) {
        let dir = tempfile::tempdir().unwrap();
        let told = AtomicU64::new(0);
        let progress = |rows| {
            told.fetch_add(rows, Ordering::Relaxed);
        };
        let rows = write(dir.path(), &Options { threads, ..Options::default() }, &progress, &AtomicBool::new(false));
        assert_eq!(rows.unwrap(), told.load(Ordering::Relaxed));
        (dir, told.into_inner())
    }

    fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![dir.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.insert(path.strip_prefix(dir).unwrap().to_owned(), fs::read(&path).unwrap());
                }
            }
        }
        found
    }

    #[test]
    fn one_thread_and_four_write_the_same_bytes() {
        let ((one, rows), (four, _)) = (sample(1), sample(4));
        let files = (files(one.path()), files(four.path()));
        assert!(files.0 == files.1);
        assert!(files.0.keys().all(|path| path.extension().is_some_and(|kind| kind == "parquet")));
        assert_eq!(files.0.len(), 13 + 4 * MONTHS);
        let bytes: usize = files.0.values().map(Vec::len).sum();
        assert!(bytes < 5_000_000, "{bytes}");
        let expected = rows_total(&Options::default());
        assert!(rows.abs_diff(expected) * 10 < rows, "{rows} rows, {expected} expected");
    }

    #[test]
    fn a_folder_with_a_table_of_the_sample_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("touches")).unwrap();
        let error = write(dir.path(), &Options::default(), &|_| (), &AtomicBool::new(false)).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert_eq!(error.message(), format!("`{}` already holds `touches`", dir.path().display()));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_stopped_run_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let stop = AtomicBool::new(false);
        let stopping = |_| stop.store(true, Ordering::Relaxed);
        let error = write(dir.path(), &Options { threads: 2, ..Options::default() }, &stopping, &stop).unwrap_err();
        assert_eq!(error.kind(), Kind::Interrupted);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn there_are_twelve_silent_accounts_for_each_step_of_the_scale() {
        let ids: Vec<String> = silent_accounts(&Options { scale: 3, ..Options::default() }).collect();
        assert_eq!(ids.len(), 36);
        assert!(ids.is_sorted());
    }
}
