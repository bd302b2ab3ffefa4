//! A Markdown table as forges render it: pipes in values escaped, numbers aligned to the right.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use super::cell;
use super::present::Presentation;

pub struct Markdown<W: Write> {
    out: W,
    present: Presentation,
}

impl<W: Write> Markdown<W> {
    pub fn new(mut out: W, schema: &SchemaRef, present: &Presentation) -> Result<Self, ArrowError> {
        let fields = schema.fields();
        line(&mut out, fields.iter().map(|field| escaped(&cell::safe(present.title(field.name())))))?;
        let rule = |numeric: bool| if numeric { "---:" } else { "---" }.to_owned();
        line(&mut out, fields.iter().map(|field| rule(cell::is_number(field.data_type()))))?;
        Ok(Self { out, present: present.clone() })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let columns = cell::columns(batch, &self.present)?;
        for row in 0..batch.num_rows() {
            line(&mut self.out, columns.iter().map(|column| escaped(&column.text(row))))?;
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<(), ArrowError> {
        Ok(self.out.flush()?)
    }
}

fn line(out: &mut impl Write, cells: impl Iterator<Item = String>) -> std::io::Result<()> {
    out.write_all(b"|")?;
    for cell in cells {
        write!(out, " {cell} |")?;
    }
    out.write_all(b"\n")
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;")
}
