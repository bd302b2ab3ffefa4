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
    /// Texts of the row that is written.
    cells: Vec<String>,
    /// Lines that are to be written.
    lines: String,
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
            cells: vec![String::new(); schema.fields().len()],
            lines: String::new(),
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
            for (cell, column) in self.cells.iter_mut().zip(&columns) {
                cell.clear();
                column.write(row, cell);
            }
            match &mut self.layout {
                Some(layout) => {
                    layout.row(&self.titles, &self.cells, &mut self.lines);
                    self.put()?;
                }
                None => self.held.push(self.cells.clone()),
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
            columns.rule(columns.lines.bottom, &mut self.lines);
            self.out.write_all(self.lines.as_bytes())?;
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
            columns.rule(columns.lines.top, &mut self.lines);
            columns.row(&self.titles, &mut self.lines);
            columns.rule(Some(columns.lines.middle), &mut self.lines);
        }
        for cells in std::mem::take(&mut self.held) {
            layout.row(&self.titles, &cells, &mut self.lines);
        }
        self.layout = Some(layout);
        Ok(self.put()?)
    }

    /// Writes the lines that wait.
    fn put(&mut self) -> std::io::Result<()> {
        self.out.write_all(self.lines.as_bytes())?;
        self.lines.clear();
        Ok(())
    }

    fn layout(&self) -> Layout {
        let records = || Layout::Records(Records::new(&self.titles, self.style.width));
        if self.style.format == Format::Vertical {
            return records();
        }
        let widths: Vec<usize> = (0..self.titles.len())
            .map(|column| {
                let cells = self.held.iter().map(|row| width(&row[column]));
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
    /// Writes one row behind a text.
    fn row(&mut self, titles: &[String], cells: &[String], into: &mut String) {
        match self {
            Self::Columns(columns) => columns.row(cells, into),
            Self::Records(records) => records.row(titles, cells, into),
        }
    }
}

impl Columns {
    /// Writes the cells of one row.
    fn row(&self, cells: &[String], into: &mut String) {
        self.join(self.lines.values, ELLIPSIS, into, |index, room, into| {
            let cell = &cells[index];
            let width = width(cell);
            let blanks = " ".repeat(room.saturating_sub(width));
            if self.numeric[index] {
                into.push_str(&blanks);
                into.push_str(cell);
            } else if self.cuts && width > room {
                let cut = cut(cell, room);
                into.push_str(&cut);
                into.push_str(&" ".repeat(room.saturating_sub(cut.width())));
            } else {
                into.push_str(cell);
                into.push_str(&blanks);
            }
        });
    }

    /// Writes a line without values, where the table has one here.
    fn rule(&self, ends: Option<[&str; 3]>, into: &mut String) {
        let Some(ends) = ends else { return };
        let dropped = if ends[0].is_empty() { ELLIPSIS } else { "─" };
        self.join(ends, dropped, into, |_, room, into| into.push_str(&"─".repeat(room)));
    }

    /// Writes a line with what `piece` makes of each column shown, from its place and its width; blanks at the end of the
    /// line are left out.
    fn join(
        &self,
        [before, gap, behind]: [&str; 3],
        dropped: &str,
        into: &mut String,
        piece: impl Fn(usize, usize, &mut String),
    ) {
        let start = into.len();
        into.push_str(before);
        for (place, &(index, width)) in self.fit.shown.iter().enumerate() {
            if place > 0 {
                into.push_str(gap);
            }
            if place == self.fit.split && !self.fit.dropped.is_empty() {
                into.push_str(dropped);
                into.push_str(gap);
            }
            piece(index, width, into);
        }
        if self.fit.split == self.fit.shown.len() && !self.fit.dropped.is_empty() {
            into.push_str(gap);
            into.push_str(dropped);
        }
        into.push_str(behind);
        into.truncate(start + into[start..].trim_end().len());
        into.push('\n');
    }
}

/// Columns of a terminal that a text takes.
fn width(text: &str) -> usize {
    // Cells hold no control characters, so that each letter of ASCII takes one.
    if text.is_ascii() { text.len() } else { text.width() }
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
