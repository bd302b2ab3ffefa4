//! A report as one page: nothing outside it is asked for, and without script everything is there.

mod table;
mod text;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use super::document::{Document, Section};
use super::facts::{checks_passed, coverage, failed_in_words, of_section, parameters, period};
use super::provenance::{Provenance, StampRecord, json};
use crate::engine::human_bytes;
use crate::error::Result;
use crate::output::chart::{self, Drawing};
use crate::query::run::Given;
use text::{element, escaped, markdown};

const STYLE: &str = include_str!("page.css");
/// What a drawing says of itself in a file.
const NAMESPACE: &str = " xmlns=\"http://www.w3.org/2000/svg\"";

const SCRIPT: &str = include_str!("page.js");

/// Ids of the two elements that programs read.
pub const PROVENANCE: &str = "cxlake-provenance";
pub const STAMP: &str = "cxlake-run";

/// The page.
///
/// # Errors
/// `Storage` when rows that were put aside cannot be read.
pub fn page(document: &Document, given: &Given) -> Result<String> {
    let mut html = String::with_capacity(64 << 10);
    head(&mut html, document);
    header(&mut html, document);
    html.push_str("<main>\n");
    if let Some(text) = &document.text {
        html.push_str(&markdown(text));
    }
    for (place, section) in document.sections.iter().enumerate() {
        self::section(&mut html, section, place + 1)?;
    }
    html.push_str("</main>\n");
    footer(&mut html, document, given)?;
    html.push_str("</body>\n</html>\n");
    Ok(html)
}

fn head(html: &mut String, document: &Document) {
    // A page that may load nothing cannot tell anybody that it was read, whatever a text in it holds.
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(SCRIPT)
    );
    html.push_str("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    // Writing to a text cannot fail, here and below.
    let _ = writeln!(html, "<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">");
    let _ = writeln!(html, "<meta name=\"generator\" content=\"cxlake {}\">", env!("CARGO_PKG_VERSION"));
    element(html, "title", &document.title);
    let _ = writeln!(html, "<style>\n{}{STYLE}</style>\n</head>\n<body>", chart::palette_css());
}

fn header(html: &mut String, document: &Document) {
    html.push_str("<header>\n");
    element(html, "h1", &document.title);
    let audience = document.audience.as_ref().map(|audience| format!(" · for {audience}")).unwrap_or_default();
    element(html, "p", &format!("{} · as of {}{audience}", document.lake, document.today));
    if let Some(banner) = &document.banner {
        let _ = writeln!(html, "<div class=\"banner\" role=\"note\">{}</div>", escaped(banner));
    }
    html.push_str("<dl class=\"facts\">\n");
    for (name, value) in period(document).into_iter().chain(coverage(document)) {
        fact(html, &name, &value);
    }
    checks(html, document);
    html.push_str(
        "</dl>\n<details class=\"prints\"><summary>All parameters as they ran</summary>\n<dl class=\"facts\">\n",
    );
    for (name, value) in parameters(document) {
        fact(html, &name, &value);
    }
    html.push_str("</dl>\n</details>\n</header>\n");
}

/// What the checks of the tables that were read found: how many passed, and each that did not.
fn checks(html: &mut String, document: &Document) {
    let Some(passed) = checks_passed(document) else { return };
    let _ = write!(html, "<dt>Checks</dt><dd><ul><li>{}</li>", escaped(&passed));
    for outcome in document.checks_not_passed() {
        let class = if outcome.is_error() { " class=\"failed\"" } else { "" };
        let _ = write!(html, "<li{class}>{}</li>", escaped(&failed_in_words(outcome)));
    }
    html.push_str("</ul></dd>\n");
}

fn fact(html: &mut String, name: &str, value: &str) {
    let _ = writeln!(html, "<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(value));
}

fn section(html: &mut String, section: &Section, number: usize) -> Result<()> {
    let id = format!("s{number}");
    let _ = writeln!(html, "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{}</h2>", escaped(&section.title));
    // A line may break between parameters; a value stays with its name.
    let ran: Vec<String> = of_section(section).map(|(name, value)| format!("{name}:\u{a0}{value}")).collect();
    if !ran.is_empty() {
        let _ = writeln!(html, "<p class=\"note\">{}</p>", escaped(&ran.join(" · ")));
    }
    if let Some(text) = &section.text {
        html.push_str(&markdown(text));
    }
    charts(html, section, &id)?;
    if section.has_table {
        table::write(html, section, &id)?;
    }
    how_counted(html, section);
    html.push_str("</section>\n");
    Ok(())
}

/// The charts, each with what it says and with its numbers for those who do not see it.
fn charts(html: &mut String, section: &Section, id: &str) -> Result<()> {
    for (place, drawing) in section.charts.drawings.iter().enumerate() {
        // A page knows what a drawing is, and needs no address to say so.
        let svg = drawing.svg(&format!("{id}c{}", place + 1), chart::PAGE).replacen(NAMESPACE, "", 1);
        // A narrow screen moves a chart to and fro: scaled down, its text could not be read.
        let named = escaped(drawing.title());
        let _ = writeln!(html, "<figure>\n<div class=\"chart\" tabindex=\"0\" role=\"group\" aria-label=\"{named}\">");
        let _ = writeln!(html, "{svg}\n</div>\n<figcaption>{}</figcaption>", escaped(&drawing.sentence()));
        if !(section.has_table && covers(section, drawing)) {
            html.push_str("<details><summary>The numbers of this chart</summary>\n");
            table::of_chart(html, drawing.table(), &section.result.present, drawing.title())?;
            html.push_str("</details>\n");
        }
        html.push_str("</figure>\n");
    }
    for left_out in &section.charts.left_out {
        let _ = writeln!(html, "<p class=\"note\">{}</p>", escaped(left_out));
    }
    Ok(())
}

/// Whether the table of the section has all that a chart shows.
fn covers(section: &Section, drawing: &Drawing) -> bool {
    let shown: Vec<&str> = section.column_names().collect();
    let drawn = drawing.table().schema();
    section.rows_left_out() == 0 && drawn.fields().iter().all(|field| shown.contains(&field.name().as_str()))
}

/// What the query counts over which base, and what the columns hold.
fn how_counted(html: &mut String, section: &Section) {
    let present = &section.result.present;
    let about: Vec<(&str, &str)> = section
        .column_names()
        .filter(|_| section.has_table)
        .filter_map(|name| Some((present.title(name), present.style(name)?.description.as_deref()?)))
        .collect();
    html.push_str("<details class=\"prints\"><summary>How this is counted</summary>\n");
    html.push_str(&markdown(&section.result.query.description));
    if !about.is_empty() {
        html.push_str("<dl class=\"facts\">\n");
        about.into_iter().for_each(|(title, about)| fact(html, title, about));
        html.push_str("</dl>\n");
    }
    html.push_str("</details>\n");
}

fn footer(html: &mut String, document: &Document, given: &Given) -> Result<()> {
    html.push_str("<footer>\n<h2>Where the numbers come from</h2>\n");
    html.push_str("<details class=\"prints\"><summary>Files that were read</summary>\n");
    html.push_str(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Files that were read\">\n<table>\n",
    );
    html.push_str("<thead><tr><th scope=\"col\">File</th><th scope=\"col\">Table</th><th scope=\"col\" class=\"number\">Rows</th>");
    html.push_str("<th scope=\"col\" class=\"number\">Size</th><th scope=\"col\">Written</th><th scope=\"col\">Version</th></tr></thead>\n<tbody>\n");
    let provenance = Provenance::of(document);
    for input in &provenance.inputs {
        let rows = input.rows.map_or_else(|| "not known".to_owned(), |rows| rows.to_string());
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td class=\"number\">{rows}</td><td class=\"number\">{}</td><td>{}</td><td>{}</td></tr>",
            escaped(&input.path),
            escaped(input.table.as_deref().unwrap_or_default()),
            human_bytes(input.bytes),
            escaped(&input.modified),
            escaped(input.e_tag.as_deref().unwrap_or_default()),
        );
    }
    html.push_str("</tbody>\n</table>\n</div>\n</details>\n");
    for source in &document.sources {
        let _ = writeln!(html, "<details><summary>SQL of {}</summary>", escaped(&source.name));
        let _ = writeln!(html, "<pre tabindex=\"0\">{}</pre></details>", escaped(source.sql.trim()));
    }
    let _ = writeln!(
        html,
        "<p>Made by cxlake {}. <code>cxlake report verify FILE</code> runs this report again and says whether the same files give the same numbers.</p>",
        env!("CARGO_PKG_VERSION")
    );
    // All that differs between two runs over the same files.
    let stamp = StampRecord::of(document, given);
    let _ = writeln!(
        html,
        "<p class=\"muted\" id=\"{STAMP}\" data-stamp=\"{}\">Run {} of {}</p>",
        escaped(&json(&stamp)?),
        stamp.run,
        stamp.at
    );
    let _ = writeln!(
        html,
        "<script type=\"application/json\" id=\"{PROVENANCE}\">{}</script>",
        json(&provenance)?.replace('<', "\\u003c")
    );
    let _ = writeln!(html, "<script>{SCRIPT}</script>\n</footer>");
    Ok(())
}
