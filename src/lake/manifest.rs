//! The text of `cxlake.toml` into a [`Lake`], every error with its line.
//!
//! The structs here are the manifest's form: the JSON Schema that editors use and the table in `docs/manifest.md` are held
//! to them by tests. Credentials have no key, on purpose: a manifest is shared.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use chrono::{NaiveDate, Weekday};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use toml::Spanned;

use super::calendar::Calendar;
use super::column::{Column, ColumnType};
use super::document::{Document, InOrder};
use super::scale::Scales;
use super::{Lake, Table};
use crate::error::{Error, Result};

/// A lake: its name, its calendar, its tables.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    lake: LakeSection,
    /// Tables by their name in SQL.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, TableSection>")]
    table: BTreeMap<Spanned<String>, TableSection>,
}

/// What holds for the whole lake.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LakeSection {
    /// Name of the lake, for people.
    name: String,
    /// IANA time zone in which days begin.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    time_zone: Option<Spanned<String>>,
    /// Month in which the fiscal year starts, 1 to 12.
    #[serde(default)]
    #[schemars(with = "Option<u8>")]
    fiscal_year_start: Option<Spanned<i64>>,
    /// Day on which a week starts.
    #[serde(default)]
    week_start: WeekStart,
    /// ISO code of the money that saved queries report in.
    #[serde(default)]
    currency: Option<String>,
    /// Folder of the saved queries.
    #[serde(default)]
    queries: Option<String>,
    /// The day that counts as today, for a lake whose data stands still.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    today: Option<Spanned<toml::value::Datetime>>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum WeekStart {
    #[default]
    Monday,
    Sunday,
    Saturday,
}

/// A table: a name in SQL for one or more Parquet files.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TableSection {
    /// A file, a folder or a glob; relative to the manifest.
    #[schemars(with = "String")]
    path: Spanned<String>,
    /// What one row is, for people.
    #[serde(default)]
    description: Option<String>,
    /// Columns whose values are in the folder names, outermost first.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    partition: InOrder<Spanned<String>>,
    /// Columns that every file must have, with their types.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ColumnForm>")]
    columns: InOrder<Spanned<ColumnSection>>,
}

/// A column: its type, or a table with more.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the schema's view of a column; reading goes through `ColumnSection`")]
enum ColumnForm {
    Short(String),
    Long(ColumnSection),
}

/// A declared column.
#[derive(Debug, JsonSchema)]
struct ColumnSection {
    /// `text`, `int`, `float`, `decimal(p,s)`, `bool`, `date` or `timestamp`; a `?` behind it means nullable.
    #[serde(rename = "type")]
    kind: String,
    /// A file may lack the column or hold nulls in it.
    nullable: Option<bool>,
    /// What the column holds, for people.
    description: Option<String>,
}

/// Reads the text of a manifest.
///
/// `file` is the manifest as errors name it, `folder` the lake's root.
///
/// # Errors
/// `InvalidData` with the line: broken TOML, an unknown key, a value out of range, a column declared twice.
pub fn parse(text: &str, file: &str, folder: &Path) -> Result<Lake> {
    let document = Document { text, file, lines_above: 0 };
    let manifest: Manifest = document.parse()?;
    let tables = manifest
        .table
        .into_iter()
        .map(|(name, section)| Ok((name.get_ref().clone(), table(&document, name.into_inner(), section)?)))
        .collect::<Result<_>>()?;
    Ok(Lake {
        root: folder.to_owned(),
        calendar: calendar(&document, &manifest.lake)?,
        queries: folder.join(manifest.lake.queries.as_deref().unwrap_or("queries")),
        name: manifest.lake.name,
        currency: manifest.lake.currency,
        tables,
        scales: Scales::default(),
    })
}

/// The JSON Schema of the manifest, for editors.
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Manifest).to_value()
}

fn calendar(document: &Document<'_>, section: &LakeSection) -> Result<Calendar> {
    let mut calendar = Calendar {
        week_start: match section.week_start {
            WeekStart::Monday => Weekday::Mon,
            WeekStart::Sunday => Weekday::Sun,
            WeekStart::Saturday => Weekday::Sat,
        },
        ..Calendar::default()
    };
    if let Some(zone) = &section.time_zone {
        calendar.zone = zone.get_ref().parse::<Tz>().map_err(|_| {
            document
                .error_at(zone.span().start, format!("unknown time zone `{}`", zone.get_ref()))
                .hint("use a name of the IANA database, such as `Europe/Berlin`")
        })?;
    }
    if let Some(month) = &section.fiscal_year_start {
        calendar.fiscal_year_start =
            u32::try_from(*month.get_ref()).ok().filter(|month| (1..=12).contains(month)).ok_or_else(|| {
                document
                    .error_at(month.span().start, format!("`fiscal_year_start` is {}, not a month", month.get_ref()))
                    .hint("write 1 for January to 12 for December")
            })?;
    }
    if let Some(today) = &section.today {
        calendar.today = Some(only_day(today.get_ref()).ok_or_else(|| {
            document
                .error_at(today.span().start, format!("`today` is `{}`, not a day", today.get_ref()))
                .hint("write a day such as `2026-10-06`, without quotes and time")
        })?);
    }
    Ok(calendar)
}

fn only_day(value: &toml::value::Datetime) -> Option<NaiveDate> {
    let date = value.date.filter(|_| value.time.is_none())?;
    NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
}

fn table(document: &Document<'_>, name: String, section: TableSection) -> Result<Table> {
    let path = section.path.get_ref();
    if path.trim().is_empty() {
        return Err(document.error_at(section.path.span().start, format!("table `{name}` has an empty path")));
    }
    if path.contains("://") {
        return Err(document
            .error_at(section.path.span().start, format!("table `{name}` is at `{path}`, which is not a local path"))
            .hint("this version reads local files"));
    }
    let columns = section
        .columns
        .0
        .into_iter()
        .map(|(name, column)| declared(document, name, column))
        .collect::<Result<Vec<_>>>()?;
    let mut partition = Vec::new();
    for (key, kind) in section.partition.0 {
        if columns.iter().any(|column| column.name == key) {
            let message = format!("table `{name}` declares `{key}` as a column and as a partition");
            return Err(document
                .error_at(kind.span().start, message)
                .hint("its value is in the folder name; take it out of `columns`"));
        }
        let parsed = ColumnType::parse(kind.get_ref()).map_err(|error| place(document, error, kind.span().start))?;
        partition.push(Column { name: key, kind: parsed, nullable: true, description: None });
    }
    Ok(Table { path: path.clone(), description: section.description, name, columns, partition })
}

fn declared(document: &Document<'_>, name: String, section: Spanned<ColumnSection>) -> Result<Column> {
    let start = section.span().start;
    let section = section.into_inner();
    let (word, marked) = match section.kind.trim().strip_suffix('?') {
        Some(word) => (word, true),
        None => (section.kind.trim(), false),
    };
    let kind = ColumnType::parse(word).map_err(|error| place(document, error, start))?;
    let nullable = section.nullable.unwrap_or(marked);
    Ok(Column { name, kind, nullable, description: section.description })
}

fn place(document: &Document<'_>, error: Error, offset: usize) -> Error {
    error.at(document.file, Some(document.line(offset)))
}

impl<'de> Deserialize<'de> for ColumnSection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Long {
            #[serde(rename = "type")]
            kind: String,
            nullable: Option<bool>,
            description: Option<String>,
        }

        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = ColumnSection;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a type such as \"text\", or a table with `type`")
            }

            fn visit_str<E>(self, kind: &str) -> Result<Self::Value, E> {
                Ok(ColumnSection { kind: kind.to_owned(), nullable: None, description: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let Long { kind, nullable, description } = Long::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ColumnSection { kind, nullable, description })
            }
        }

        deserializer.deserialize_any(Either)
    }
}
