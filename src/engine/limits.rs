//! What a session may do and take: its mode, its memory, its threads, and where it spills.

use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::execution::disk_manager::DiskManagerBuilder;
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::SessionConfig;

use crate::error::{Error, Result};

/// Smallest limit that is taken, and how it is written; below it the engine cannot hold the buffers of what it runs.
const MEMORY_MIN: u64 = 64 << 20;
const MEMORY_MIN_WRITTEN: &str = "64MiB";

/// Share of a thread's memory that stands for one row of a batch.
const ROW_SHARE: usize = 64 << 10;

/// Rows of a batch at least.
const BATCH_ROWS_MIN: usize = 512;

/// Memory that merging one spilled run takes, roughly.
const MERGED_BYTES: usize = 2 << 20;

/// Consumers that an error about memory names.
const CONSUMERS_NAMED: NonZeroUsize = NonZeroUsize::new(3).expect("three is not zero");

/// What statements may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything: make tables and views, write files, read files by path.
    Full,
    /// Only read the lake's tables.
    ReadOnly,
}

/// What a session may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes that operators may hold before they spill.
    pub memory_bytes: u64,
    pub threads: usize,
}

impl Limits {
    /// Three quarters of what the machine or its control group has, and a thread per core.
    pub fn of_machine() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self { memory_bytes: machine_memory() / 4 * 3, threads }
    }

    /// Reads a memory limit: `512MB`, `1.5 GB`, `2GiB` or `50%` of what the machine has.
    ///
    /// # Errors
    /// `Usage` that shows the forms which are understood, or names the smallest limit.
    pub fn parse_memory(text: &str) -> Result<u64> {
        let text = text.trim();
        let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor: u64 = match unit.trim().to_lowercase().as_str() {
            "b" | "" => 1,
            "k" | "kb" => 1000,
            "kib" => 1 << 10,
            "m" | "mb" => 1_000_000,
            "mib" => 1 << 20,
            "g" | "gb" => 1_000_000_000,
            "gib" => 1 << 30,
            "t" | "tb" => 1_000_000_000_000,
            "tib" => 1 << 40,
            "%" => machine_memory() / 100,
            _ => return Err(not_memory(text)),
        };
        let number: f64 = number.parse().map_err(|_| not_memory(text))?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the text has no sign")]
        let bytes = (number * factor as f64) as u64;
        if bytes < MEMORY_MIN {
            return Err(Error::usage(format!("a memory limit of `{text}` is too small"))
                .hint(format!("the smallest is `{MEMORY_MIN_WRITTEN}`")));
        }
        Ok(bytes)
    }

    /// The runtime that holds a session to its limits, with these stores.
    ///
    /// # Errors
    /// `Storage` when there is no folder to spill to.
    pub fn runtime(&self, stores: Arc<dyn ObjectStoreRegistry>) -> Result<Arc<RuntimeEnv>> {
        let memory = usize::try_from(self.memory_bytes).unwrap_or(usize::MAX);
        RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(TrackConsumersPool::new(FairSpillPool::new(memory), CONSUMERS_NAMED)))
            .with_object_store_registry(stores)
            .with_disk_manager_builder(DiskManagerBuilder::default().with_max_spill_merge_fan_in(self.merge_width()))
            // Listings are read anew by every statement: a cached one hides the files that others add.
            .with_object_list_cache_limit(0)
            .build_arc()
            .map_err(|error| Error::storage(format!("cannot set up the session: {error}")))
    }

    /// Spilled runs that one sort merges at a time. Each takes a batch or two of memory that cannot be spilled; without a
    /// bound the first sort takes all there is, and the operator above it fails.
    fn merge_width(&self) -> usize {
        let quarter = usize::try_from(self.memory_bytes).unwrap_or(usize::MAX) / self.threads / 4;
        (quarter / MERGED_BYTES).clamp(4, 256)
    }

    /// Engine settings that follow from the limits.
    pub fn config(&self) -> SessionConfig {
        let share = usize::try_from(self.memory_bytes).unwrap_or(usize::MAX) / self.threads;
        let mut config = SessionConfig::new().with_target_partitions(self.threads);
        let execution = &mut config.options_mut().execution;
        // The engine sets this much aside in every sort of every thread; in a small session that would be all there is.
        execution.sort_spill_reservation_bytes = execution.sort_spill_reservation_bytes.min(share / 16);
        // Merging holds a few batches of every run, so that in a small session batches must be small too.
        let rows = (share / ROW_SHARE).clamp(BATCH_ROWS_MIN, execution.batch_size.get());
        // Every spilled batch gets a file of its own. A reader that follows a file which is still being written can wait for
        // ever (seen in DataFusion 55.2 with groups of ten times the limit and batches of 1024 rows).
        let config = config.set_usize("datafusion.execution.max_spill_file_size_bytes", 1);
        config.with_batch_size(rows)
    }
}

/// Bytes that this process may use: those of its control group where it has one, else the machine's.
fn machine_memory() -> u64 {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let group = system.cgroup_limits().map_or(u64::MAX, |group| group.total_memory);
    system.total_memory().min(group)
}

fn not_memory(text: &str) -> Error {
    Error::usage(format!("`{text}` is no memory limit")).hint("write `512MB`, `4GiB` or `50%`")
}

/// A size as people write it: `1.5 GB`, in powers of ten.
pub fn human_bytes(bytes: u64) -> String {
    let mut size = bytes as f64;
    for unit in ["B", "KB", "MB", "GB"] {
        if size < 999.5 {
            return if unit == "B" || size >= 99.5 { format!("{size:.0} {unit}") } else { format!("{size:.1} {unit}") };
        }
        size /= 1000.0;
    }
    format!("{size:.1} TB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_limits_are_read_as_people_write_them() {
        assert_eq!(Limits::parse_memory("512MB").ok(), Some(512_000_000));
        assert_eq!(Limits::parse_memory("1.5 GiB").ok(), Some(1_610_612_736));
        assert!(Limits::parse_memory("50%").is_ok_and(|bytes| bytes > MEMORY_MIN));
        for wrong in ["", "lots", "5 apples", "-1GB", "1KB"] {
            assert!(Limits::parse_memory(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_written_as_people_read_them() {
        assert_eq!(human_bytes(999), "999 B");
        assert_eq!(human_bytes(1_500_000), "1.5 MB");
        assert_eq!(human_bytes(999_999_999), "1.0 GB");
    }
}
