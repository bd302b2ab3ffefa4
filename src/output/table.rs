//! Aligned columns for people: numbers to the right, fitted to the terminal.
//!
//! Widths come from the first rows; later rows stream at those widths, and a longer value pushes its line out rather than
//! being cut, unless the terminal's width asks for cutting.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::fit::{ELLIPSIS, Fit, GAP, fit};
use super::present::Presentation;
use super::{Style, cell};

/// Rows from which the widths are taken.
const MEASURED: usize = 1000;

pub struct Table<W: Write> {
    out: W,
    schema: SchemaRef,
    present: Presentation,
    titles: Vec<String>,
    width: Option<usize>,
    rows_max: Option<usize>,
    /// Rows held back until the widths are known.
    held: Vec<Vec<String>>,
    layout: Option<Layout>,
    shown: usize,
    hidden: u64,
}

/// Where the columns stand.
struct Layout {
    fit: Fit,
    /// By column: whether its values stand to the right.
    numeric: Vec<bool>,
    /// Whether a text wider than its column is cut; a number never is.
    cuts: bool,
}

impl<W: Write> Table<W> {
    pub fn new(out: W, schema: &SchemaRef, style: &Style) -> Self {
        let titles = schema.fields().iter().map(|field| cell::safe(style.present.title(field.name()))).collect();
        Self {
            out,
            schema: Arc::clone(schema),
            present: style.present.clone(),
            titles,
            width: style.width,
            rows_max: style.rows_max,
            held: Vec::new(),
            layout: None,
            shown: 0,
            hidden: 0,
        }
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let present = self.present.clone();
        let columns = cell::columns(batch, &present)?;
        for row in 0..batch.num_rows() {
            if self.rows_max.is_some_and(|max| self.shown >= max) {
                self.hidden += (batch.num_rows() - row) as u64;
                return Ok(());
            }
            self.shown += 1;
            let cells: Vec<String> = columns.iter().map(|column| column.text(row)).collect();
            match &self.layout {
                Some(layout) => layout.line(&mut self.out, &cells)?,
                None => self.held.push(cells),
            }
            let measured = self.rows_max.unwrap_or(MEASURED).min(MEASURED);
            if self.layout.is_none() && self.held.len() >= measured {
                self.begin()?;
                // A long result shows its first rows while the rest is still counted.
                self.out.flush()?;
            }
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<u64, ArrowError> {
        if self.layout.is_none() {
            self.begin()?;
        }
        if let Some(layout) = self.layout.as_ref().filter(|layout| !layout.fit.dropped.is_empty()) {
            let names: Vec<&str> = layout.fit.dropped.iter().map(|&index| self.titles[index].as_str()).collect();
            writeln!(self.out, "{ELLIPSIS} too narrow for: {}", names.join(", "))?;
        }
        self.out.flush()?;
        Ok(self.hidden)
    }

    /// Chooses the layout from the rows held back, writes the head and those rows.
    fn begin(&mut self) -> Result<(), ArrowError> {
        let widths: Vec<usize> = (0..self.titles.len())
            .map(|column| {
                let cells = self.held.iter().map(|row| row[column].width());
                cells.chain([self.titles[column].width()]).max().unwrap_or(0)
            })
            .collect();
        let numeric: Vec<bool> = self.schema.fields().iter().map(|field| cell::is_number(field.data_type())).collect();
        let may_shrink: Vec<bool> = numeric.iter().map(|numeric| !numeric).collect();
        let layout = Layout { fit: fit(&widths, &may_shrink, self.width), numeric, cuts: self.width.is_some() };
        layout.line(&mut self.out, &self.titles)?;
        layout.rule(&mut self.out)?;
        for cells in std::mem::take(&mut self.held) {
            layout.line(&mut self.out, &cells)?;
        }
        self.layout = Some(layout);
        Ok(())
    }
}

impl Layout {
    /// Writes the cells of one row.
    fn line(&self, out: &mut impl Write, cells: &[String]) -> std::io::Result<()> {
        self.join(out, |index, width| {
            let cell = &cells[index];
            let cell =
                if self.cuts && !self.numeric[index] && cell.width() > width { cut(cell, width) } else { cell.clone() };
            let blanks = " ".repeat(width.saturating_sub(cell.width()));
            if self.numeric[index] { blanks + &cell } else { cell + &blanks }
        })
    }

    /// Writes the line under the titles.
    fn rule(&self, out: &mut impl Write) -> std::io::Result<()> {
        self.join(out, |_, width| "─".repeat(width))
    }

    /// Writes what `piece` makes of each column shown; blanks at the end of the line are left out.
    fn join(&self, out: &mut impl Write, piece: impl Fn(usize, usize) -> String) -> std::io::Result<()> {
        let mut pieces: Vec<String> = self.fit.shown.iter().map(|&(index, width)| piece(index, width)).collect();
        if !self.fit.dropped.is_empty() {
            pieces.insert(self.fit.split, ELLIPSIS.to_owned());
        }
        writeln!(out, "{}", pieces.join(&" ".repeat(GAP)).trim_end())
    }
}

/// The cell, cut with an ellipsis where it is wider than its column.
fn cut(cell: &str, width: usize) -> String {
    let mut room = width.saturating_sub(ELLIPSIS.width());
    let kept = cell.chars().take_while(|letter| {
        let needed = letter.width().unwrap_or(0);
        let fits = needed <= room;
        room = room.saturating_sub(needed);
        fits
    });
    kept.chain(ELLIPSIS.chars()).collect()
}
