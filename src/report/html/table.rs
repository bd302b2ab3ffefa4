//! The table of a section: signs beside colours, gaps hatched and named, totals from sums.

use std::fmt::Write as _;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;

use super::super::cells::{Cell, Cells, Head, heads, notes, totals, totals_name};
use super::super::document::Section;
use super::super::tone::Tone;
use super::text::escaped;
use crate::error::{Error, Result};
use crate::output::cell::{Column, columns, is_number, safe};
use crate::output::present::Presentation;

/// Letters of the longest text that stays on one line whatever its column's width: a moment has as many.
const WHOLE_MAX: usize = 20;

/// Writes the table of a section, with what it leaves out said below it. `labelled` is the id of its heading.
///
/// # Errors
/// `Storage` when rows that were put aside cannot be read.
pub fn write(html: &mut String, section: &Section, labelled: &str) -> Result<()> {
    if section.result.rows.count == 0 {
        html.push_str("<p class=\"note\">No rows: nothing in the data is what this section looks for.</p>\n");
        return Ok(());
    }
    let rows = section.result.rows.first(section.rows_max)?;
    let heads = heads(section);
    // Writing to a text cannot fail, here and below.
    let _ = writeln!(html, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"{labelled}\">");
    let _ = writeln!(html, "<table data-rows=\"{}\">", rows.num_rows());
    let _ = writeln!(html, "<caption class=\"hidden\">{}</caption>", escaped(&section.title));
    html.push_str("<thead><tr>");
    heads.iter().for_each(|column| head(html, column));
    html.push_str("</tr></thead>\n<tbody>\n");
    let schema = rows.schema();
    let cells = Cells::of(section, &schema, &rows)?;
    for row in 0..rows.num_rows() {
        html.push_str("<tr>");
        for (place, (value, head)) in cells.row(row).zip(&heads).enumerate() {
            cell(html, &value, head, place == 0);
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n");
    foot(html, section, &heads);
    html.push_str("</table>\n</div>\n");
    for note in notes(section) {
        let _ = writeln!(html, "<p class=\"note\">{}</p>", escaped(&note));
    }
    Ok(())
}

/// The rows of a chart as a table.
///
/// # Errors
/// `Internal` only.
pub fn of_chart(html: &mut String, rows: &RecordBatch, present: &Presentation, title: &str) -> Result<()> {
    let internal = |error: ArrowError| Error::internal(error.to_string());
    let columns: Vec<Column<'_>> =
        columns(rows, present).map_err(internal)?.into_iter().map(Column::keeping_lines).collect();
    let schema = rows.schema();
    let class = |place: usize| if is_number(schema.field(place).data_type()) { " class=\"number\"" } else { "" };
    let _ = writeln!(
        html,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">\n<table>",
        escaped(title)
    );
    html.push_str("<thead><tr>");
    for (place, field) in schema.fields().iter().enumerate() {
        let title = escaped(&safe(present.title(field.name())));
        let _ = write!(html, "<th scope=\"col\"{}>{title}</th>", class(place));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in 0..rows.num_rows() {
        html.push_str("<tr>");
        for (place, column) in columns.iter().enumerate() {
            let text = column.text(row);
            let class = if class(place).is_empty() { whole(&text) } else { class(place) };
            let _ = write!(html, "<td{class}>{}</td>", escaped(&text));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n</div>\n");
    Ok(())
}

fn head(html: &mut String, head: &Head<'_>) {
    let class = if head.is_number { " class=\"number\"" } else { "" };
    let about = head.style.and_then(|style| style.description.as_deref());
    let about = about.map(|about| format!(" title=\"{}\"", escaped(about))).unwrap_or_default();
    let _ = write!(html, "<th scope=\"col\"{class}{about}>{}</th>", escaped(&safe(head.title)));
}

/// A cell; the first of a row names it where it is no number.
fn cell(html: &mut String, cell: &Cell, head: &Head<'_>, is_first: bool) {
    let _ = match cell {
        Cell::Text(text) if is_first => write!(html, "<th scope=\"row\"{}>{}</th>", whole(text), escaped(text)),
        Cell::Text(text) => write!(html, "<td{}>{}</td>", whole(text), escaped(text)),
        Cell::Gap(reason) if head.is_number => write!(html, "<td class=\"number gap\">{}</td>", escaped(reason)),
        Cell::Gap(reason) if is_first => {
            write!(html, "<th scope=\"row\" class=\"gap\">{}</th>", escaped(reason))
        }
        Cell::Gap(reason) => write!(html, "<td class=\"gap\">{}</td>", escaped(reason)),
        Cell::None => write!(html, "<td class=\"number none\">—</td>"),
        Cell::Number { text, tone: None } => write!(html, "<td class=\"number\">{}</td>", escaped(text)),
        Cell::Number { text, tone: Some(tone) } => {
            write!(html, "<td class=\"number {}\">{}{}</td>", tone.class(), sign(*tone), escaped(text))
        }
    };
}

/// The class of a text that stays on one line: a day or an id, which would break at its hyphens.
fn whole(text: &str) -> &'static str {
    let is_whole = text.len() <= WHOLE_MAX && text.contains('-') && !text.contains(char::is_whitespace);
    if is_whole { " class=\"whole\"" } else { "" }
}

/// The sign of a tone, which says the same as its colour, and its word for those who hear the page.
fn sign(tone: Tone) -> String {
    let (sign, word) = (tone.sign(), tone.word());
    format!("<span class=\"sign\" aria-hidden=\"true\">{sign}</span><span class=\"hidden\">{word} </span>")
}

fn foot(html: &mut String, section: &Section, heads: &[Head<'_>]) {
    let Some(totals) = totals(section) else { return };
    html.push_str("<tfoot><tr>");
    for (place, (total, head)) in totals.into_iter().zip(heads).enumerate() {
        let _ = match total {
            Some(total) => write!(html, "<td class=\"number\">{}</td>", escaped(&total)),
            None if place == 0 && !head.is_number => {
                write!(html, "<th scope=\"row\">{}</th>", escaped(&totals_name(section)))
            }
            None => write!(html, "<td></td>"),
        };
    }
    html.push_str("</tr></tfoot>\n");
}
