//! CSV and TSV: a header always, all rows, nulls as empty fields, nested values as text with `NULL` in it.

use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::csv::{Writer, WriterBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

pub struct Delimited<W: Write> {
    writer: Writer<W>,
    /// Whether texts that a spreadsheet would take for a formula get a `'` before them.
    safe: bool,
}

impl<W: Write> Delimited<W> {
    /// Writes the header at once, so that a result without rows has one too.
    pub fn new(out: W, schema: &SchemaRef, delimiter: u8, safe: bool) -> Result<Self, ArrowError> {
        let mut writer = WriterBuilder::new().with_header(true).with_delimiter(delimiter).build(out);
        let head = flat(&RecordBatch::new_empty(Arc::clone(schema)))?;
        writer.write(&if safe { renamed(&head)? } else { head })?;
        Ok(Self { writer, safe })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let flat = flat(batch)?;
        self.writer.write(&if self.safe { made_safe(&flat)? } else { flat })
    }

    pub fn finish(self) -> Result<(), ArrowError> {
        Ok(self.writer.into_inner().flush()?)
    }
}

/// The text, behind a `'` where a spreadsheet would compute it.
fn safe(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The batch with names that no spreadsheet computes.
fn renamed(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let fields = batch
        .schema()
        .fields()
        .iter()
        .map(|field| Field::clone(field).with_name(safe(field.name())))
        .collect::<Vec<_>>();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), batch.columns().to_vec())
}

/// The batch with texts that no spreadsheet computes.
fn made_safe(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, values)| {
        let is_text = matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        let is_coded = matches!(field.data_type(), DataType::Dictionary(_, _));
        if !is_text && !is_coded {
            return Ok((field.name().clone(), Arc::clone(values)));
        }
        let texts = cast(values, &DataType::Utf8)?;
        let texts = texts.as_string::<i32>().iter().map(|text| text.map(safe));
        Ok((field.name().clone(), Arc::new(texts.collect::<StringArray>()) as ArrayRef))
    });
    RecordBatch::try_from_iter(columns.collect::<Result<Vec<_>, ArrowError>>()?)
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
    // Within a list, what is written as nothing is an empty text.
    let options = FormatOptions::new().with_null("NULL");
    let formatter = ArrayFormatter::try_new(values, &options)?;
    let texts = (0..values.len()).map(|row| values.is_valid(row).then(|| formatter.value(row).to_string()));
    Ok(Arc::new(texts.collect::<StringArray>()))
}
