//! JSON as one array or as one object per line; nulls are written, so that every object has every key.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::json::WriterBuilder;
use arrow::json::writer::{ArrayWriter, LineDelimitedWriter};

pub enum Json<W: Write> {
    Array(ArrayWriter<W>),
    Lines(LineDelimitedWriter<W>),
}

impl<W: Write> Json<W> {
    pub fn array(out: W) -> Self {
        Self::Array(WriterBuilder::new().with_explicit_nulls(true).build(out))
    }

    pub fn lines(out: W) -> Self {
        Self::Lines(WriterBuilder::new().with_explicit_nulls(true).build(out))
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        match self {
            Self::Array(writer) => writer.write(batch),
            Self::Lines(writer) => writer.write(batch),
        }
    }

    pub fn finish(self) -> Result<(), ArrowError> {
        let mut out = match self {
            Self::Array(mut writer) => {
                writer.finish()?;
                let mut out = writer.into_inner();
                out.write_all(b"\n")?;
                out
            }
            Self::Lines(mut writer) => {
                writer.finish()?;
                writer.into_inner()
            }
        };
        Ok(out.flush()?)
    }
}
