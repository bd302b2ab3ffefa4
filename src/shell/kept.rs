//! The last result, kept so that it can be shown again, drawn, and named `_` in statements.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;

use crate::error::{Error, Result};
use crate::output::present::Presentation;

/// A result of more bytes than these is not kept; nor one of more than an eighth of the memory for statements.
const BYTES_MAX: u64 = 256 << 20;

/// A whole result.
#[derive(Clone, Debug)]
pub struct Kept {
    pub schema: SchemaRef,
    pub batches: Vec<RecordBatch>,
    pub present: Presentation,
}

impl Kept {
    /// Its rows as one batch.
    ///
    /// # Errors
    /// `Internal` when its batches do not have its columns.
    pub fn rows(&self) -> Result<RecordBatch> {
        concat_batches(&self.schema, &self.batches)
            .map_err(|error| Error::internal(format!("a result cannot be put together: {error}")))
    }
}

/// The last result.
#[derive(Clone, Debug, Default)]
pub enum Last {
    #[default]
    None,
    Kept(Kept),
    /// It had more than these bytes.
    TooLarge(u64),
}

/// Collects a result while it is shown, as long as it is small enough.
#[derive(Debug)]
pub struct Keeper {
    batches: Vec<RecordBatch>,
    bytes: u64,
    pub bytes_max: u64,
}

impl Keeper {
    /// One for a session whose statements may take so much memory.
    pub fn new(memory_bytes: u64) -> Self {
        Self { batches: Vec::new(), bytes: 0, bytes_max: BYTES_MAX.min(memory_bytes / 8) }
    }

    /// Takes a batch; gives up, and all that it had, when there are too many bytes.
    pub fn take(&mut self, batch: &RecordBatch) {
        self.bytes += batch.get_array_memory_size() as u64;
        if self.bytes > self.bytes_max {
            self.batches = Vec::new();
        } else {
            self.batches.push(batch.clone());
        }
    }

    /// The batches, when none is missing.
    pub fn whole(self) -> Option<Vec<RecordBatch>> {
        (self.bytes <= self.bytes_max).then_some(self.batches)
    }
}
