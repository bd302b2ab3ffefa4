//! Where the numbers of a workbook come from: what was asked, what is missing, the files and the SQL.

use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use super::refused;
use super::style::{self, LINE_HEIGHT, Side, fitting, lines};
use crate::error::Result;
use crate::output::cell::safe;
use crate::query::run::Given;
use crate::report::document::Document;
use crate::report::facts::{checks_passed, coverage, failed_in_words, parameters};
use crate::report::provenance::{InputRecord, Provenance, StampRecord};

/// Characters across which a fact is told.
const FACT: usize = 90;

/// A sheet that is filled line by line.
struct Lines<'a> {
    sheet: &'a mut Worksheet,
    row: u32,
}

impl Lines<'_> {
    fn line<const N: usize>(&mut self, texts: [&str; N], format: &Format) -> Result<(), XlsxError> {
        for (column, text) in (0_u16..).zip(texts) {
            self.sheet.write_string_with_format(self.row, column, fitting(&safe(text)), format)?;
        }
        self.row += 1;
        Ok(())
    }

    /// A fact: what it is, and what is so.
    fn fact(&mut self, name: &str, value: &str) -> Result<(), XlsxError> {
        let value: Vec<String> = value.lines().map(safe).collect();
        let value = &value.join("\n");
        self.sheet.write_string_with_format(self.row, 0, fitting(&safe(name)), &style::muted_prose())?;
        self.sheet.write_string_with_format(self.row, 1, fitting(value), &style::prose())?;
        self.sheet.set_row_height(self.row, LINE_HEIGHT * lines(value, FACT - 6) as f64)?;
        self.row += 1;
        Ok(())
    }

    /// A heading, below a line that is free.
    fn heading(&mut self, text: &str) -> Result<(), XlsxError> {
        self.row += 1;
        self.line([text], &style::strong())
    }
}

/// Writes the sheet that says what the report is and what it rests on.
///
/// # Errors
/// `Internal` when the text of a run cannot be made.
pub fn write(book: &mut Workbook, document: &Document, given: &Given, name: &str) -> Result<()> {
    let sheet = book.add_worksheet();
    whole(sheet, document, given, name).map_err(refused)
}

fn whole(sheet: &mut Worksheet, document: &Document, given: &Given, name: &str) -> Result<(), XlsxError> {
    sheet.set_name(name)?;
    for (column, width) in (0_u16..).zip([26.0, FACT as f64, 12.0, 14.0, 22.0, 40.0]) {
        sheet.set_column_width(column, width)?;
    }
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    let mut lines = Lines { sheet, row: 0 };
    lines.line([&document.title], &style::title())?;
    lines.fact("Lake", &document.lake)?;
    lines.fact("As of", &document.today.to_string())?;
    for (name, value) in [("For", &document.audience), ("Attention", &document.banner), ("About", &document.text)] {
        if let Some(value) = value {
            lines.fact(name, value.trim())?;
        }
    }
    for (name, value) in parameters(document).into_iter().chain(coverage(document)) {
        lines.fact(&name, &value)?;
    }
    if let Some(passed) = checks_passed(document) {
        lines.fact("Checks", &passed)?;
        for outcome in document.checks_not_passed() {
            lines.fact("", &failed_in_words(outcome))?;
        }
    }
    sections(&mut lines, document)?;
    files(&mut lines, &Provenance::of(document).inputs)?;
    lines.heading("How it was made")?;
    lines.fact("cxlake", env!("CARGO_PKG_VERSION"))?;
    // All that differs between two workbooks of the same files stands in this cell.
    let stamp = StampRecord::of(document, given);
    let called: Vec<String> = stamp.given.iter().map(|(name, values)| format!("{name}={}", values.join(","))).collect();
    let called = if called.is_empty() { String::new() } else { format!(" with {}", called.join(" ")) };
    lines.fact("Run", &format!("{} of {}, days counted from {}{called}", stamp.run, stamp.at, stamp.now))
}

/// What sections and their columns hold.
fn sections(lines: &mut Lines<'_>, document: &Document) -> Result<(), XlsxError> {
    for section in &document.sections {
        let present = &section.result.present;
        lines.heading(&section.title)?;
        if let Some(text) = &section.text {
            lines.fact("", text.trim())?;
        }
        let about = section.result.query.description.split_whitespace().collect::<Vec<_>>().join(" ");
        lines.fact(&section.result.query.name, &about)?;
        for column in section.column_names() {
            if let Some(about) = present.style(column).and_then(|style| style.description.as_deref()) {
                lines.fact(present.title(column), about)?;
            }
        }
    }
    Ok(())
}

/// The files that were read.
fn files(lines: &mut Lines<'_>, inputs: &[InputRecord]) -> Result<(), XlsxError> {
    lines.heading("Files that were read")?;
    lines.line(["Table", "File", "Rows", "Bytes", "Written (UTC)", "Version"], &style::heading(Side::Left, false))?;
    for input in inputs {
        let row = lines.row;
        let version = input.e_tag.as_deref().unwrap_or_default();
        for (column, text) in
            [(0, input.table.as_deref().unwrap_or_default()), (1, &input.path), (4, &input.modified), (5, version)]
        {
            lines.sheet.write_string(row, column, fitting(&safe(text)))?;
        }
        let whole = Format::new().set_num_format("#,##0");
        if let Some(rows) = input.rows {
            lines.sheet.write_number_with_format(row, 2, rows as f64, &whole)?;
        }
        lines.sheet.write_number_with_format(row, 3, input.bytes as f64, &whole)?;
        lines.row += 1;
    }
    Ok(())
}

/// Writes the sheet with the SQL of every query, a row for each line of it.
///
/// # Errors
/// None that a document can cause.
pub fn sql(book: &mut Workbook, document: &Document, name: &str) -> Result<()> {
    let write = |sheet: &mut Worksheet| {
        sheet.set_name(name)?;
        sheet.set_column_width(0, 120.0)?;
        let mut lines = Lines { sheet, row: 0 };
        lines.line(["The statements that gave the numbers"], &style::title())?;
        for source in &document.sources {
            lines.heading(&format!("{} · SHA-256 {}", source.name, source.digest))?;
            for line in source.sql.trim().lines() {
                lines.line([line], &style::code())?;
            }
        }
        Ok(())
    };
    write(book.add_worksheet()).map_err(refused)
}
