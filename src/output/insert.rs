//! INSERT statements, one a row, into a table called `result`.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

pub struct Insert<W: Write> {
    out: W,
    /// What every statement starts with.
    head: String,
    schema: SchemaRef,
}

impl<W: Write> Insert<W> {
    pub fn new(out: W, schema: &SchemaRef) -> Self {
        let names = schema.fields().iter().map(|field| format!("\"{}\"", field.name().replace('"', "\"\"")));
        let head = format!("insert into result ({}) values", names.collect::<Vec<_>>().join(", "));
        Self { out, head, schema: Arc::clone(schema) }
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let options = FormatOptions::new();
        let columns = batch.columns().iter().map(|values| ArrayFormatter::try_new(values, &options));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            let values = columns.iter().zip(batch.columns()).zip(self.schema.fields());
            let literals: Vec<String> = values
                .map(|((formatter, values), field)| match values.is_null(row) || *field.data_type() == DataType::Null {
                    true => "null".to_owned(),
                    false => literal(&formatter.value(row).to_string(), field.data_type()),
                })
                .collect();
            writeln!(self.out, "{} ({});", self.head, literals.join(", "))?;
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<(), ArrowError> {
        Ok(self.out.flush()?)
    }
}

/// A value as SQL writes it. What is no number is quoted, with its type before it where SQL has one for it.
fn literal(text: &str, data_type: &DataType) -> String {
    let quoted = || format!("'{}'", text.replace('\'', "''"));
    match data_type {
        DataType::Boolean => text.to_owned(),
        // `NaN` and the infinities are no literals.
        number if number.is_numeric() && text.bytes().any(|byte| byte.is_ascii_digit()) => text.to_owned(),
        number if number.is_numeric() => format!("cast({} as double)", quoted()),
        DataType::Date32 | DataType::Date64 => format!("date {}", quoted()),
        DataType::Timestamp(..) => format!("timestamp {}", quoted()),
        _ => quoted(),
    }
}
