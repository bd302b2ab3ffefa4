//! INSERT statements, one a row, into a table called `result`.

use std::io::Write;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

pub struct Insert<W: Write> {
    out: W,
    /// What every statement starts with.
    head: String,
}

impl<W: Write> Insert<W> {
    pub fn new(out: W, schema: &SchemaRef) -> Self {
        let names = schema.fields().iter().map(|field| format!("\"{}\"", field.name().replace('"', "\"\"")));
        let head = format!("insert into result ({}) values", names.collect::<Vec<_>>().join(", "));
        Self { out, head }
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let columns = batch.columns().iter().map(literals).collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            let values: Vec<&str> = columns.iter().map(|values| values[row].as_str()).collect();
            writeln!(self.out, "{} ({});", self.head, values.join(", "))?;
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<(), ArrowError> {
        Ok(self.out.flush()?)
    }
}

/// The values as SQL writes them, a list with its items in brackets.
fn literals(values: &ArrayRef) -> Result<Vec<String>, ArrowError> {
    let options = FormatOptions::new();
    let formatter = ArrayFormatter::try_new(values, &options)?;
    let written = |row: usize| -> Result<String, ArrowError> {
        if values.is_null(row) || *values.data_type() == DataType::Null {
            return Ok("null".to_owned());
        }
        match items(values, row) {
            Some(items) => Ok(format!("[{}]", literals(&items)?.join(", "))),
            None => Ok(literal(&formatter.value(row).to_string(), values.data_type())),
        }
    };
    (0..values.len()).map(written).collect()
}

/// What is in the list of a row; `None` where the values are no lists.
fn items(values: &ArrayRef, row: usize) -> Option<ArrayRef> {
    match values.data_type() {
        DataType::List(_) => Some(values.as_list::<i32>().value(row)),
        DataType::LargeList(_) => Some(values.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => Some(values.as_fixed_size_list().value(row)),
        _ => None,
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
        binary if binary.is_binary() => format!("x{}", quoted()),
        _ => quoted(),
    }
}
