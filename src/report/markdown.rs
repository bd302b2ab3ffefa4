//! A report as Markdown that a forge renders.

use std::fmt::Write as _;

use super::cells::{Cell, Cells, heads, notes, totals, totals_name};
use super::document::{Document, Section};
use super::facts::{checks_passed, coverage, failed_in_words, of_section, parameters};
use super::provenance::{Provenance, StampRecord};
use crate::error::Result;
use crate::output::cell::safe;
use crate::query::run::Given;

/// The text.
///
/// # Errors
/// `Storage` when rows that were put aside cannot be read.
pub fn text(document: &Document, given: &Given) -> Result<String> {
    // Writing to a text cannot fail, here and below.
    let mut text = format!("# {}\n\n", escaped(&document.title));
    let audience = document.audience.as_ref().map(|audience| format!(" · for {audience}")).unwrap_or_default();
    let _ = writeln!(text, "{}\n", escaped(&format!("{} · as of {}{audience}", document.lake, document.today)));
    if let Some(banner) = &document.banner {
        let _ = writeln!(text, "> **{}**\n", escaped(banner));
    }
    for (name, value) in parameters(document).into_iter().chain(coverage(document)) {
        let _ = writeln!(text, "- {}: {}", escaped(&name), escaped(&value));
    }
    if let Some(passed) = checks_passed(document) {
        let _ = writeln!(text, "- Checks: {}", escaped(&passed));
        for outcome in document.checks_not_passed() {
            let _ = writeln!(text, "  - {}", escaped(&failed_in_words(outcome)));
        }
    }
    if let Some(above) = &document.text {
        let _ = write!(text, "\n{}\n", above.trim());
    }
    for (section, number) in document.sections.iter().zip(1..) {
        self::section(&mut text, document, section, number)?;
    }
    let provenance = Provenance::of(document);
    let _ =
        writeln!(text, "\n## Where the numbers come from\n\n| File | Rows | Bytes | Written |\n|---|---:|---:|---|");
    for input in &provenance.inputs {
        let rows = input.rows.map_or_else(String::new, |rows| rows.to_string());
        let _ = writeln!(text, "| {} | {rows} | {} | {} |", escaped(&input.path), input.bytes, input.modified);
    }
    // All that differs between two runs over the same files.
    let stamp = StampRecord::of(document, given);
    let _ = writeln!(text, "\nMade by cxlake {}. Run {} of {}", env!("CARGO_PKG_VERSION"), stamp.run, stamp.at);
    Ok(text)
}

/// Name of the file with a chart: of which section, and which of its charts.
pub fn picture(document: &Document, section: usize, chart: usize) -> String {
    format!("{}-{section}-{chart}.svg", document.name)
}

fn section(text: &mut String, document: &Document, section: &Section, number: usize) -> Result<()> {
    let about = section.result.query.description.trim();
    let _ = write!(text, "\n## {}\n\n", escaped(&section.title));
    let ran: Vec<String> = of_section(section).map(|(name, value)| format!("{name}: {value}")).collect();
    if !ran.is_empty() {
        let _ = write!(text, "{}\n\n", escaped(&ran.join(" · ")));
    }
    let _ = write!(text, "{about}\n\n");
    if let Some(above) = &section.text {
        let _ = write!(text, "{}\n\n", above.trim());
    }
    for (drawing, place) in section.charts.drawings.iter().zip(1..) {
        let file = picture(document, number, place);
        let _ = write!(text, "![{}]({file})\n\n{}\n\n", escaped(drawing.title()), escaped(&drawing.sentence()));
    }
    for left_out in &section.charts.left_out {
        let _ = write!(text, "{}\n\n", escaped(left_out));
    }
    if section.has_table {
        table(text, section)?;
    }
    Ok(())
}

fn table(text: &mut String, section: &Section) -> Result<()> {
    if section.result.rows.count == 0 {
        text.push_str("No rows: nothing in the data is what this section looks for.\n");
        return Ok(());
    }
    let rows = section.result.rows.first(section.rows_max)?;
    let heads = heads(section);
    line(text, heads.iter().map(|head| escaped(&safe(head.title))));
    line(text, heads.iter().map(|head| if head.is_number { "---:" } else { "---" }.to_owned()));
    let schema = rows.schema();
    let cells = Cells::of(section, &schema, &rows)?;
    for row in 0..rows.num_rows() {
        line(text, cells.row(row).map(|cell| written(&cell)));
    }
    if let Some(totals) = totals(section) {
        let named = totals.into_iter().enumerate().map(|(place, total)| match total {
            Some(total) => format!("**{}**", escaped(&total)),
            None if place == 0 => format!("**{}**", totals_name(section)),
            None => String::new(),
        });
        line(text, named);
    }
    for note in notes(section) {
        let _ = write!(text, "\n{}\n", escaped(&note));
    }
    Ok(())
}

fn written(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) | Cell::Number { text, tone: None } => escaped(text),
        Cell::Gap(reason) => format!("*{}*", escaped(reason)),
        Cell::None => "—".to_owned(),
        Cell::Number { text, tone: Some(tone) } => format!("{} {}", tone.sign(), escaped(text)),
    }
}

fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    text.push('|');
    for cell in cells {
        let _ = write!(text, " {cell} |");
    }
    text.push('\n');
}

/// A text of which nothing is taken for Markdown.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '#' | '~' => safe.extend(['\\', letter]),
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            '\n' | '\r' | '\t' => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}
