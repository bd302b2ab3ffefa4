//! Tables: which there are, how large and how new, and what their columns hold. No row is read.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringArray};
use arrow::datatypes::Field;
use chrono::{DateTime, Utc};

use super::{Listing, counted, listing, text};
use crate::engine::{DESCRIPTION, Engine, Facts, Files, Kept, human_bytes};
use crate::error::Result;
use crate::lake::Table;
use crate::lake::column::type_name;

/// Footers that a list of tables reads at most, for the numbers of rows.
const FOOTERS_MAX: usize = 1000;

/// How far a list of tables goes for what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The local disk, and of a large lake only some footers.
    Near,
    /// Buckets too, and every footer.
    Everywhere,
}

/// What is known of a table without opening it, or after its footers were read.
#[derive(Default)]
struct Known {
    rows: Option<u64>,
    files: Option<u64>,
    bytes: Option<u64>,
    newest: Option<DateTime<Utc>>,
}

/// One row per table: its rows, size and age where that is known, where its files are, what one row is.
///
/// For people `is_for_people` gives sizes as they say them, else in bytes.
///
/// # Errors
/// `Internal` only: what cannot be listed is left blank, and says why when it is named.
pub async fn tables(engine: &Engine, reach: Reach, is_for_people: bool) -> Result<Listing> {
    let names = engine.table_names();
    let mut known = Vec::with_capacity(names.len());
    let mut footers_left = FOOTERS_MAX;
    for name in &names {
        known.push(look_at(engine, name, reach, &mut footers_left).await);
    }
    let declared = |name: &String| engine.lake().tables.get(name);
    let path = |name| declared(name).map_or("(this session)", |table| table.path.as_str());
    let paths: StringArray = names.iter().map(|name| Some(path(name))).collect();
    let partitions: StringArray = names.iter().map(|name| declared(name).and_then(partition_names)).collect();
    let descriptions: StringArray =
        names.iter().map(|name| declared(name).and_then(|table| table.description.as_deref())).collect();
    let written: StringArray = known.iter().map(|known| known.newest.map(minute)).collect();
    let size: (&str, ArrayRef) = match is_for_people {
        true => ("size", Arc::new(known.iter().map(|known| known.bytes.map(human_bytes)).collect::<StringArray>())),
        false => ("bytes", counts(known.iter().map(|known| known.bytes))),
    };
    listing([
        ("table", text(names)),
        ("rows", counts(known.iter().map(|known| known.rows))),
        size,
        ("written", Arc::new(written)),
        ("files", counts(known.iter().map(|known| known.files))),
        ("partition", Arc::new(partitions)),
        ("path", Arc::new(paths)),
        ("description", Arc::new(descriptions)),
    ])
}

async fn look_at(engine: &Engine, name: &str, reach: Reach, footers_left: &mut usize) -> Known {
    let everywhere = reach == Reach::Everywhere;
    let Ok(Some(listed)) = engine.table_listed(name, everywhere).await else { return Known::default() };
    let files = u64::try_from(listed.files).ok();
    let mut known = Known { rows: None, files, bytes: Some(listed.bytes), newest: listed.newest };
    if listed.files > 0 && (everywhere || listed.files <= *footers_left) {
        *footers_left = footers_left.saturating_sub(listed.files);
        known.rows = engine.table_files(name).await.ok().flatten().map(|files| files.rows);
    }
    known
}

/// Views and tables that this session made.
///
/// # Errors
/// Those of opening one.
pub async fn made(engine: &Engine) -> Result<Listing> {
    let made = engine.made_here();
    let mut columns = Vec::with_capacity(made.len());
    for (name, _) in &made {
        columns.push(u64::try_from(engine.table_schema(name).await?.fields().len()).ok());
    }
    let kinds = made.iter().map(|(_, is_view)| if *is_view { "view" } else { "table" }.to_owned()).collect();
    listing([
        ("name", text(made.iter().map(|(name, _)| name.clone()).collect())),
        ("kind", text(kinds)),
        ("columns", counts(columns.into_iter())),
    ])
}

fn counts(values: impl Iterator<Item = Option<u64>>) -> ArrayRef {
    Arc::new(values.map(|value| i64::try_from(value?).ok()).collect::<Int64Array>())
}

fn minute(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M").to_string()
}

fn partition_names(table: &Table) -> Option<String> {
    let names: Vec<&str> = table.partition.iter().map(|column| column.name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// One row per column of a table with what the footers say of it, and a note of its files.
///
/// # Errors
/// `NotFound` with the nearest name; those of opening the table.
pub async fn table(engine: &Engine, name: &str) -> Result<Listing> {
    if name == Kept::SCHEMA && !engine.table_names().iter().any(|known| known == name) {
        return kept();
    }
    let schema = engine.table_schema(name).await?;
    let declared = engine.lake().tables.get(name);
    let facts = engine.table_facts(name).await?;
    let about = |column: &str| {
        let mut columns = declared.into_iter().flat_map(|table| table.columns.iter().chain(&table.partition));
        columns.find(|known| known.name == column)
    };
    let fields = || schema.fields().iter();
    let fact = |of: fn(&Facts) -> Option<&str>| -> ArrayRef {
        Arc::new((0..schema.fields().len()).map(|place| facts.get(place).and_then(of)).collect::<StringArray>())
    };
    let said = |field: &Field| field.metadata().get(DESCRIPTION).cloned();
    let nullable: BooleanArray =
        fields().map(|field| about(field.name()).map(|column| column.nullable).or(Some(field.is_nullable()))).collect();
    let descriptions: StringArray = fields()
        .map(|field| about(field.name()).and_then(|column| column.description.clone()).or_else(|| said(field)))
        .collect();
    let mut listing = listing([
        ("column", text(fields().map(|field| field.name().clone()).collect())),
        ("type", text(fields().map(|field| type_name(field.data_type())).collect())),
        ("nullable", Arc::new(nullable)),
        ("nulls", counts((0..schema.fields().len()).map(|place| facts.get(place)?.nulls))),
        ("min", fact(|facts| facts.min.as_deref())),
        ("max", fact(|facts| facts.max.as_deref())),
        ("description", Arc::new(descriptions)),
    ])?;
    if let (Some(table), Some(files)) = (declared, engine.table_files(name).await?) {
        listing.notes.push(about_files(table, &files));
    }
    Ok(listing)
}

/// The tables of what the lake keeps.
fn kept() -> Result<Listing> {
    let column = |of: fn(&Kept) -> String| text(Kept::all().iter().map(of).collect());
    listing([
        ("table", column(Kept::full_name)),
        ("columns", counts(Kept::all().iter().map(|kept| u64::try_from(kept.columns().len()).ok()))),
        ("description", column(|kept| kept.description.to_owned())),
    ])
}

fn about_files(table: &Table, files: &Files) -> String {
    let mut text = format!(
        "{}: {} in {}, {}",
        table.path,
        counted(files.rows, "row"),
        counted(files.count as u64, "file"),
        human_bytes(files.bytes)
    );
    if let Some(newest) = files.newest {
        let _ = write!(text, ", newest written {} UTC", minute(newest));
    }
    if files.others > 0 {
        let _ = write!(text, "; {} other files there are no Parquet", files.others);
    }
    text
}
