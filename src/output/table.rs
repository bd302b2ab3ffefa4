//! What is drawn for a screen: aligned columns, numbers to the right, fitted to the terminal; or a line for each value.
//!
//! Widths come from the first rows; later rows stream at those widths, and a longer value pushes its line out rather than
//! being cut, unless the terminal's width asks for cutting.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::fit::{ELLIPSIS, Fit, Yields, fit};
use super::present::Presentation;
use super::records::Records;
use super::{Format, Style, cell};

/// Rows from which the widths are taken.
const MEASURED: usize = 1000;

pub struct Table<W: Write> {
    out: W,
    schema: SchemaRef,
    titles: Vec<String>,
    style: Style,
    /// Rows held back until the widths are known.
    held: Vec<Vec<String>>,
    layout: Option<Layout>,
    shown: usize,
    hidden: u64,
}

enum Layout {
    Columns(Columns),
    Records(Records),
}

/// Where the columns stand.
struct Columns {
    fit: Fit,
    /// What stands between two columns, and around them.
    lines: &'static Lines,
    /// By column: whether its values stand to the right.
    numeric: Vec<bool>,
    /// Whether a text wider than its column is cut; a number never is.
    cuts: bool,
}

/// What stands between the columns of a line, before the first and behind the last.
struct Lines {
    /// Of the lines with values.
    values: [&'static str; 3],
    /// Of the lines above the titles, below them, and below the last row; none where there is no such line.
    top: Option<[&'static str; 3]>,
    middle: [&'static str; 3],
    bottom: Option<[&'static str; 3]>,
}

static PLAIN: Lines = Lines { values: ["", "  ", ""], top: None, middle: ["", "  ", ""], bottom: None };
static BOX: Lines = Lines {
    values: ["│ ", " │ ", " │"],
    top: Some(["┌─", "─┬─", "─┐"]),
    middle: ["├─", "─┼─", "─┤"],
    bottom: Some(["└─", "─┴─", "─┘"]),
};

impl<W: Write> Table<W> {
    pub fn new(out: W, schema: &SchemaRef, style: &Style) -> Self {
        let titles = schema.fields().iter().map(|field| cell::safe(style.present.title(field.name()))).collect();
        Self {
            out,
            schema: Arc::clone(schema),
            titles,
            style: style.clone(),
            held: Vec::new(),
            layout: None,
            shown: 0,
            hidden: 0,
        }
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let present: Presentation = self.style.present.clone();
        let columns = cell::columns(batch, &present)?;
        for row in 0..batch.num_rows() {
            if self.style.rows_max.is_some_and(|max| self.shown >= max) {
                self.hidden += (batch.num_rows() - row) as u64;
                return Ok(());
            }
            self.shown += 1;
            let cells: Vec<String> = columns.iter().map(|column| column.text(row)).collect();
            match &mut self.layout {
                Some(layout) => layout.row(&mut self.out, &self.titles, &cells)?,
                None => self.held.push(cells),
            }
            let measured = self.style.rows_max.unwrap_or(MEASURED).min(MEASURED);
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
        if let Some(Layout::Columns(columns)) = &self.layout {
            columns.rule(&mut self.out, columns.lines.bottom)?;
            let dropped = columns.fit.dropped.iter().map(|&index| self.titles[index].as_str());
            let names: Vec<&str> = dropped.collect();
            if !names.is_empty() {
                writeln!(self.out, "{ELLIPSIS} too narrow for: {} (`\\x` shows all)", names.join(", "))?;
            }
        }
        self.out.flush()?;
        Ok(self.hidden)
    }

    /// Chooses the layout from the rows held back, writes the head and those rows.
    fn begin(&mut self) -> Result<(), ArrowError> {
        let mut layout = self.layout();
        if let Layout::Columns(columns) = &layout {
            columns.rule(&mut self.out, columns.lines.top)?;
            columns.line(&mut self.out, &self.titles)?;
            columns.rule(&mut self.out, Some(columns.lines.middle))?;
        }
        for cells in std::mem::take(&mut self.held) {
            layout.row(&mut self.out, &self.titles, &cells)?;
        }
        self.layout = Some(layout);
        Ok(())
    }

    fn layout(&self) -> Layout {
        let records = || Layout::Records(Records::new(&self.titles, self.style.width));
        if self.style.format == Format::Vertical {
            return records();
        }
        let widths: Vec<usize> = (0..self.titles.len())
            .map(|column| {
                let cells = self.held.iter().map(|row| row[column].width());
                cells.chain([self.titles[column].width()]).max().unwrap_or(0)
            })
            .collect();
        let lines = if self.style.format == Format::Box { &BOX } else { &PLAIN };
        let [before, gap, behind] = lines.values.map(UnicodeWidthStr::width);
        let room = self.style.width.map(|width| width.saturating_sub(before + behind));
        let numeric: Vec<bool> = self.schema.fields().iter().map(|field| cell::is_number(field.data_type())).collect();
        let may_shrink: Vec<bool> = numeric.iter().map(|numeric| !numeric).collect();
        let yields = if self.style.present.is_listing() { Yields::Last } else { Yields::Widest };
        let fit = fit(&widths, &may_shrink, gap, room, yields);
        if self.style.turns && fit.is_narrowed {
            return records();
        }
        Layout::Columns(Columns { fit, lines, numeric, cuts: self.style.width.is_some() })
    }
}

impl Layout {
    /// Writes one row.
    fn row(&mut self, out: &mut impl Write, titles: &[String], cells: &[String]) -> std::io::Result<()> {
        match self {
            Self::Columns(columns) => columns.line(out, cells),
            Self::Records(records) => records.row(out, titles, cells),
        }
    }
}

impl Columns {
    /// Writes the cells of one row.
    fn line(&self, out: &mut impl Write, cells: &[String]) -> std::io::Result<()> {
        self.join(out, self.lines.values, ELLIPSIS, |index, width| {
            let cell = &cells[index];
            let cell =
                if self.cuts && !self.numeric[index] && cell.width() > width { cut(cell, width) } else { cell.clone() };
            let blanks = " ".repeat(width.saturating_sub(cell.width()));
            if self.numeric[index] { blanks + &cell } else { cell + &blanks }
        })
    }

    /// Writes a line without values, where the table has one here.
    fn rule(&self, out: &mut impl Write, ends: Option<[&str; 3]>) -> std::io::Result<()> {
        let Some(ends) = ends else { return Ok(()) };
        let dropped = if ends[0].is_empty() { ELLIPSIS } else { "─" };
        self.join(out, ends, dropped, |_, width| "─".repeat(width))
    }

    /// Writes what `piece` makes of each column shown; blanks at the end of the line are left out.
    fn join(
        &self,
        out: &mut impl Write,
        [before, gap, behind]: [&str; 3],
        dropped: &str,
        piece: impl Fn(usize, usize) -> String,
    ) -> std::io::Result<()> {
        let mut pieces: Vec<String> = self.fit.shown.iter().map(|&(index, width)| piece(index, width)).collect();
        if !self.fit.dropped.is_empty() {
            pieces.insert(self.fit.split, dropped.to_owned());
        }
        writeln!(out, "{}", format!("{before}{}{behind}", pieces.join(gap)).trim_end())
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
