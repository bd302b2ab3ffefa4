//! What a statement cost: requests, bytes, cache hits, what its scans read and left out.

use std::time::Instant;

use super::{Shell, look::counted, tell};
use crate::engine::{Scanned, Scans, human_bytes};
use crate::output::present::grouped;
use crate::storage::Counts;

impl Shell {
    /// Says what a statement asked for and read, where that is wanted.
    pub(super) fn stats(&mut self, scans: &Scans, rows: u64, started: Instant) {
        let counts = self.engine.stores().counts();
        let added = counts.since(&self.counted);
        self.counted = counts;
        if !self.view.stats && !scans.are_asked_for() {
            return;
        }
        if added != Counts::default() {
            tell(&requests(&added));
            tell(&caches(&added));
        }
        tell(&scanned(&scans.so_far()));
        let kept = scans.computed_at().map_or_else(String::new, |at| {
            format!(", kept since {} from files that have not changed", at.format("%Y-%m-%d %H:%M:%S UTC"))
        });
        tell(&format!("result: {} in {:.3} s{kept}", counted(rows, "row"), started.elapsed().as_secs_f64()));
    }
}

fn number(count: u64) -> String {
    grouped(&count.to_string())
}

fn requests(counts: &Counts) -> String {
    let Counts { lists, heads, gets, writes, bytes, .. } = *counts;
    format!(
        "requests: {} list, {} head, {} get, {} write; {} read",
        number(lists),
        number(heads),
        number(gets),
        number(writes),
        human_bytes(bytes)
    )
}

fn caches(counts: &Counts) -> String {
    format!(
        "from cache: {} of {}, {} of {}",
        number(counts.footers_kept),
        counted(counts.footers, "footer"),
        number(counts.blocks_kept),
        counted(counts.blocks, "block")
    )
}

fn scanned(scanned: &Scanned) -> String {
    let number = |count: usize| grouped(&count.to_string());
    format!(
        "scanned: {} files ({} pruned), {} row groups ({} pruned), {} rows",
        number(scanned.files),
        number(scanned.files_pruned),
        number(scanned.row_groups),
        number(scanned.row_groups_pruned),
        number(scanned.rows)
    )
}
