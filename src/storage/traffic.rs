//! What goes over the wires to all servers, and what the caches had instead.

use std::sync::{Mutex, PoisonError};

/// Requests, bytes and cache hits since the program began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests for a page of a listing. Requests are counted as they are sent: one that is tried again counts again.
    pub lists: u64,
    pub heads: u64,
    pub gets: u64,
    /// Requests that write or delete.
    pub writes: u64,
    /// Bytes of the answers' bodies.
    pub bytes: u64,
    /// Footers that were not in memory, and how many of them were on the disk.
    pub footers: u64,
    pub footers_kept: u64,
    /// Blocks that were asked for, and how many of them were in the cache.
    pub blocks: u64,
    pub blocks_kept: u64,
}

impl Counts {
    /// What was added since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            lists: self.lists - before.lists,
            heads: self.heads - before.heads,
            gets: self.gets - before.gets,
            writes: self.writes - before.writes,
            bytes: self.bytes - before.bytes,
            footers: self.footers - before.footers,
            footers_kept: self.footers_kept - before.footers_kept,
            blocks: self.blocks - before.blocks,
            blocks_kept: self.blocks_kept - before.blocks_kept,
        }
    }
}

/// The counts of one program, added to from all its stores.
#[derive(Debug, Default)]
pub struct Traffic(Mutex<Counts>);

impl Traffic {
    /// Adds to the counts.
    pub fn count(&self, add: impl FnOnce(&mut Counts)) {
        add(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn so_far(&self) -> Counts {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
