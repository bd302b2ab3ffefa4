//! A kept result as bytes: what it rests on, then its rows as an Arrow stream.

use std::collections::BTreeMap;
use std::io::Cursor;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::super::parameter::Allowed;
use crate::engine::{Ground, Input};

/// Bytes that say how long the head is.
const LENGTH: usize = 8;

/// What is known of a result.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    pub computed_at: DateTime<Utc>,
    /// Hash of the parameters' values.
    pub values: String,
    /// Values that queries found for parameters, by parameter.
    pub choices: BTreeMap<String, Vec<Allowed>>,
    pub grounds: Vec<Ground>,
    /// The files that were read.
    pub inputs: Vec<Input>,
}

/// A result that is being written.
pub struct Writing {
    rows: StreamWriter<Vec<u8>>,
}

impl Writing {
    /// `None` for columns that cannot be written.
    pub fn new(schema: &SchemaRef) -> Option<Self> {
        Some(Self { rows: StreamWriter::try_new(Vec::new(), schema).ok()? })
    }

    /// With these rows; `None` when there are more than so many bytes now, or they cannot be written.
    pub fn with(mut self, batch: &RecordBatch, bytes_max: usize) -> Option<Self> {
        // What is too large by far need not be written to know it.
        if batch.get_array_memory_size() > 4 * bytes_max {
            return None;
        }
        self.rows.write(batch).ok()?;
        (self.rows.get_ref().len() <= bytes_max).then_some(self)
    }

    /// The bytes of the whole.
    pub fn finish(mut self, head: &Head) -> Option<Vec<u8>> {
        self.rows.finish().ok()?;
        let rows = self.rows.into_inner().ok()?;
        let head = serde_json::to_vec(head).ok()?;
        let mut whole = Vec::with_capacity(LENGTH + head.len() + rows.len());
        whole.extend_from_slice(&(head.len() as u64).to_le_bytes());
        whole.extend_from_slice(&head);
        whole.extend_from_slice(&rows);
        Some(whole)
    }
}

/// The head of an entry, and the bytes of its rows; `None` for bytes that are none.
pub fn head(whole: &Bytes) -> Option<(Head, Bytes)> {
    let length = u64::from_le_bytes(whole.get(..LENGTH)?.try_into().ok()?);
    let end = LENGTH.checked_add(usize::try_from(length).ok()?)?;
    let head = serde_json::from_slice(whole.get(LENGTH..end)?).ok()?;
    Some((head, whole.slice(end..)))
}

/// The rows of an entry, in the batches in which they came.
pub fn rows(bytes: Bytes) -> Option<(SchemaRef, Vec<RecordBatch>)> {
    let reader = StreamReader::try_new(Cursor::new(bytes), None).ok()?;
    let schema = reader.schema();
    Some((schema, reader.collect::<Result<_, _>>().ok()?))
}
