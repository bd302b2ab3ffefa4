//! A table of a web page, without style: numbers carry a class, values are escaped.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use super::cell;
use super::present::Presentation;

pub struct Html<W: Write> {
    out: W,
    present: Presentation,
    /// By column: whether it holds numbers.
    numeric: Vec<bool>,
}

impl<W: Write> Html<W> {
    pub fn new(mut out: W, schema: &SchemaRef, present: &Presentation) -> Result<Self, ArrowError> {
        let numeric = schema.fields().iter().map(|field| cell::is_number(field.data_type())).collect();
        out.write_all(b"<table>\n<thead>\n")?;
        let mut html = Self { out, present: present.clone(), numeric };
        let titles = schema.fields().iter().map(|field| cell::safe(present.title(field.name())));
        html.row("th", titles)?;
        html.out.write_all(b"</thead>\n<tbody>\n")?;
        Ok(html)
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let present = self.present.clone();
        let columns = cell::columns(batch, &present)?;
        for row in 0..batch.num_rows() {
            self.row("td", columns.iter().map(|column| column.text(row)))?;
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<(), ArrowError> {
        self.out.write_all(b"</tbody>\n</table>\n")?;
        Ok(self.out.flush()?)
    }

    fn row(&mut self, tag: &str, cells: impl Iterator<Item = String>) -> std::io::Result<()> {
        self.out.write_all(b"<tr>")?;
        for (cell, numeric) in cells.zip(&self.numeric) {
            let class = if *numeric { " class=\"number\"" } else { "" };
            write!(self.out, "<{tag}{class}>{}</{tag}>", escaped(&cell))?;
        }
        self.out.write_all(b"</tr>\n")
    }
}

/// A text between tags, or in an attribute within double quotes.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
