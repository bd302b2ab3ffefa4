//! A document into the files of a form: one for people, one for each section for programs that know only tables.

use std::io::Write;

use serde_json::json;

use super::document::{Document, Section};
use super::facts::{bound, in_words};
use super::provenance::{Provenance, StampRecord, json as text};
use super::{Draft, Form, MadeFile, Order, cannot, html, markdown, xlsx};
use crate::error::Result;
use crate::output::total::Value;
use crate::output::{Format, chart};

/// Writes the files of a form.
///
/// # Errors
/// `Storage` when the disk refuses.
pub async fn write(document: &Document, form: Form, order: &Order) -> Result<Vec<MadeFile>> {
    let whole = |text: String| {
        let mut draft = Draft::new(format!("{}.{}", document.name, form.name()), form.media_type())?;
        draft.file.write_all(text.as_bytes()).map_err(cannot)?;
        Ok(vec![draft.finish()?])
    };
    match form {
        Form::Html => whole(html::page(document, &order.given)?),
        Form::Markdown => {
            let mut files = whole(markdown::text(document, &order.given)?)?;
            files.extend(pictures(document)?);
            Ok(files)
        }
        Form::Json => Ok(vec![json(document, order).await?]),
        Form::Csv => tables(document, form, Format::Csv, order).await,
        Form::Parquet => tables(document, form, Format::Parquet, order).await,
        Form::Xlsx => {
            let mut draft = Draft::new(format!("{}.{}", document.name, form.name()), form.media_type())?;
            xlsx::write(document, &order.given, &mut draft.file)?;
            Ok(vec![draft.finish()?])
        }
    }
}

/// The charts that a Markdown document shows, a file each.
fn pictures(document: &Document) -> Result<Vec<MadeFile>> {
    let drawings = document.sections.iter().zip(1..).flat_map(|(section, number)| {
        section.charts.drawings.iter().zip(1..).map(move |(drawing, place)| (drawing, number, place))
    });
    let written = drawings.map(|(drawing, section, place)| {
        let mut draft = Draft::new(markdown::picture(document, section, place), "image/svg+xml")?;
        draft.file.write_all(drawing.standalone_svg(chart::PAGE).as_bytes()).map_err(cannot)?;
        draft.finish()
    });
    written.collect()
}

/// A file for each section, all rows and columns of it.
async fn tables(document: &Document, form: Form, format: Format, order: &Order) -> Result<Vec<MadeFile>> {
    let mut files: Vec<MadeFile> = Vec::new();
    for section in &document.sections {
        let stem = match document.sections.as_slice() {
            [_] => document.name.clone(),
            _ => format!("{}-{}", document.name, section.result.query.name),
        };
        let numbers = std::iter::once(String::new()).chain((2..).map(|number| format!("-{number}")));
        let mut names = numbers.map(|number| format!("{stem}{number}.{}", form.name()));
        let name = names.find(|name| files.iter().all(|file| file.name != *name));
        let mut draft = Draft::new(name.unwrap_or(stem), form.media_type())?;
        section.result.rows.write(&mut draft.file, format, order.csv_safe).await?;
        files.push(draft.finish()?);
    }
    Ok(files)
}

/// The document as one JSON object.
async fn json(document: &Document, order: &Order) -> Result<MadeFile> {
    let mut draft = Draft::new(format!("{}.json", document.name), Form::Json.media_type())?;
    let out = &mut draft.file;
    let facts: serde_json::Map<_, _> =
        bound(document).into_iter().map(|(name, value)| (in_words(&name), value.into())).collect();
    let head = json!({
        "report": document.name,
        "title": document.title,
        "audience": document.audience,
        "lake": document.lake,
        "today": document.today.to_string(),
        "banner": document.banner,
        "parameters": facts,
        "checks": document.checks,
    });
    // The rows of sections can be many: they are written as they come, between what is known before and after them.
    let head = text(&head)?;
    write!(out, "{},\n\"sections\":[", head.strip_suffix('}').unwrap_or_default()).map_err(cannot)?;
    for (place, section) in document.sections.iter().enumerate() {
        let comma = if place > 0 { "," } else { "" };
        write!(out, "{comma}\n{},\n\"rows\":", text(&about(section))?.strip_suffix('}').unwrap_or_default())
            .map_err(cannot)?;
        section.result.rows.write(&mut *out, Format::Json, false).await?;
        out.write_all(b"}").map_err(cannot)?;
    }
    let provenance = Provenance::of(document);
    // All that differs between two runs over the same files stands on the last line.
    let stamp = StampRecord::of(document, &order.given);
    writeln!(out, "],\n\"provenance\":{},\n\"run\":{}}}", text(&provenance)?, text(&stamp)?).map_err(cannot)?;
    draft.finish()
}

/// A total as a number of JSON, with every digit that it can have.
fn total(value: Value) -> serde_json::Value {
    let whole = match value {
        Value::Exact(unscaled, 0) => i64::try_from(unscaled).ok(),
        Value::Exact(..) | Value::Float(_) => None,
    };
    whole.map_or_else(|| value.number().into(), Into::into)
}

/// What is known of a section beside its rows.
fn about(section: &Section) -> serde_json::Value {
    let answer = &section.result;
    let schema = &answer.rows.schema;
    let columns: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| {
            let style = answer.present.style(field.name());
            json!({
                "name": field.name(),
                "title": answer.present.title(field.name()),
                "type": field.data_type().to_string(),
                "description": style.and_then(|style| style.description.clone()),
                "total": answer.total(field.name()).map(total),
            })
        })
        .collect();
    let gaps: Vec<_> = answer
        .gaps
        .iter()
        .map(|gap| json!({ "column": gap.column, "reason": gap.reason, "count": gap.count }))
        .collect();
    json!({
        "title": section.title,
        "query": answer.query.name,
        "description": answer.query.description.split_whitespace().collect::<Vec<_>>().join(" "),
        "columns": columns,
        "missing": gaps,
    })
}
