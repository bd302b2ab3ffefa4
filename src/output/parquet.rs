//! Parquet with zstd, row groups of the writer's default size.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

pub struct Parquet<W: Write + Send> {
    writer: ArrowWriter<W>,
}

impl<W: Write + Send> Parquet<W> {
    pub fn new(out: W, schema: &SchemaRef) -> Result<Self, ArrowError> {
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
        Ok(Self { writer: ArrowWriter::try_new(out, Arc::clone(schema), Some(properties))? })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        Ok(self.writer.write(batch)?)
    }

    pub fn finish(self) -> Result<(), ArrowError> {
        Ok(self.writer.into_inner()?.flush()?)
    }
}
