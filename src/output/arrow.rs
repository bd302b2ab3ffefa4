//! The Arrow IPC file format.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::writer::FileWriter;

pub struct Arrow<W: Write> {
    writer: FileWriter<W>,
}

impl<W: Write> Arrow<W> {
    pub fn new(out: W, schema: &SchemaRef) -> Result<Self, ArrowError> {
        Ok(Self { writer: FileWriter::try_new(out, schema)? })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        self.writer.write(batch)
    }

    pub fn finish(self) -> Result<(), ArrowError> {
        Ok(self.writer.into_inner()?.flush()?)
    }
}
