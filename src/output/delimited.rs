//! CSV and TSV: a header always, all rows, nulls as empty fields, nested values as text.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::csv::{Writer, WriterBuilder};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

pub struct Delimited<W: Write> {
    writer: Writer<W>,
}

impl<W: Write> Delimited<W> {
    /// Writes the header at once, so that a result without rows has one too.
    pub fn new(out: W, schema: &SchemaRef, delimiter: u8) -> Result<Self, ArrowError> {
        let mut writer = WriterBuilder::new().with_header(true).with_delimiter(delimiter).build(out);
        writer.write(&flat(&RecordBatch::new_empty(Arc::clone(schema)))?)?;
        Ok(Self { writer })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        self.writer.write(&flat(batch)?)
    }

    pub fn finish(self) -> Result<(), ArrowError> {
        Ok(self.writer.into_inner().flush()?)
    }
}

/// The batch with nested columns turned into text, which is all that a delimited file can hold.
fn flat(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let is_nested = |data_type: &DataType| data_type.is_nested();
    let schema = batch.schema();
    if !schema.fields().iter().any(|field| is_nested(field.data_type())) {
        return Ok(batch.clone());
    }
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, values)| {
        let values = if is_nested(field.data_type()) { as_text(values)? } else { Arc::clone(values) };
        Ok((field.name().clone(), values))
    });
    RecordBatch::try_from_iter(columns.collect::<Result<Vec<_>, ArrowError>>()?)
}

fn as_text(values: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let options = FormatOptions::new();
    let formatter = ArrayFormatter::try_new(values, &options)?;
    let texts = (0..values.len()).map(|row| values.is_valid(row).then(|| formatter.value(row).to_string()));
    Ok(Arc::new(texts.collect::<StringArray>()))
}
