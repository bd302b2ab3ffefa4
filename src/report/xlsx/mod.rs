//! A report as a workbook: a sheet with a table for each section, native charts, and where the numbers come from.
//!
//! Rows go into a sheet from the top, once, so that a sheet of many rows can be written as it comes. Nothing in the file tells when it
//! was made but one cell of the sheet `About`.

mod about;
mod blocks;
mod bridge;
mod charts;
mod figure;
mod heat;
mod series;
mod sheet;
mod style;
mod values;

use std::io::Write;

use chrono::Datelike;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};

use super::document::Document;
use crate::error::{Error, Result};
use crate::query::run::Given;
use style::Names;

/// Writes the workbook.
///
/// # Errors
/// `Storage` when rows that were put aside cannot be read, or the disk refuses.
pub fn write(document: &Document, given: &Given, out: impl Write + Send) -> Result<()> {
    let mut book = Workbook::new();
    book.set_properties(&properties(document)?);
    // Sections come first, and may not take the names of the sheets behind them.
    let mut names = Names::default();
    let [charts, data, about, sql] = ["Charts", "Chart data", "About", "SQL"].map(|name| names.sheet(name));
    let mut tables = Vec::new();
    for section in &document.sections {
        // Also where the page shows charts alone: a workbook is for reckoning.
        tables.push(sheet::write(&mut book, document, section, &mut names)?);
        heat::write(&mut book, section, &mut names)?;
    }
    charts::write(&mut book, document, &tables, &charts, &data)?;
    about::write(&mut book, document, given, &about)?;
    about::sql(&mut book, document, &sql)?;
    book.save_to_writer(out).map_err(refused)
}

/// What the file says of itself. The day stands for the time at which it was made, which would make equal reports unlike.
fn properties(document: &Document) -> Result<DocProperties> {
    let today = document.today;
    let (year, month, day) = (today.year(), today.month(), today.day());
    let parts = (u16::try_from(year).ok(), u8::try_from(month).ok(), u8::try_from(day).ok());
    let properties = DocProperties::new()
        .set_title(&document.title)
        .set_subject(document.audience.clone().unwrap_or_default())
        .set_company(&document.lake)
        .set_comment(format!("cxlake {}", env!("CARGO_PKG_VERSION")));
    match parts {
        (Some(year), Some(month), Some(day)) => {
            let day = ExcelDateTime::from_ymd(year, month, day).map_err(refused)?;
            Ok(properties.set_creation_datetime(&day))
        }
        _ => Err(Error::internal(format!("a workbook cannot be of the day {today}"))),
    }
}

fn refused(error: XlsxError) -> Error {
    match error {
        XlsxError::IoError(error) => Error::storage(format!("cannot write the report: {error}")).caused_by(error),
        error => Error::internal(format!("a workbook cannot be written: {error}")).caused_by(error),
    }
}
