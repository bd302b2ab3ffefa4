//! The text of `cxlake.toml` into a [`Lake`], every error with its line.
//!
//! The structs here are the manifest's form: the JSON Schema that editors use and the table in `docs/manifest.md` are held
//! to them by tests. Credentials have no key, on purpose: a manifest is shared.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{NaiveDate, Weekday};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use toml::Spanned;

use super::alert::AlertSection;
use super::calendar::Calendar;
use super::check::{self, CheckSection, CompleteSection, FreshSection};
use super::column::{Column, ColumnType};
use super::document::{Document, InOrder};
use super::layout;
use super::metric::{self, Formula, Metric};
use super::report::{self, ReportSection};
use super::scale::{Scale, Scales};
use super::schedule::{self, Around, ScheduleSection, SchedulerSection, in_manifest};
use super::smtp::{self, SmtpSection};
use super::store::{self, Store, StoreSection};
use super::{Lake, Root, Table};
use crate::error::{Error, Result};

/// Megabytes of this machine's disk for what is read from buckets, unless the manifest says otherwise.
pub const CACHE_MB: u64 = 1024;

/// Megabytes of it for results of saved queries, unless the manifest says otherwise.
pub const RESULTS_MB: u64 = 512;

/// Folder of the records, unless the manifest says otherwise.
pub const RECORDS: &str = ".cxlake";

/// A lake: its name, its calendar, its tables.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    lake: LakeSection,
    /// What is kept on this machine's disk.
    #[serde(default)]
    cache: CacheSection,
    /// Buckets by the name that paths begin with.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, StoreSection>")]
    store: BTreeMap<Spanned<String>, StoreSection>,
    /// Tables by their name in SQL.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, TableSection>")]
    table: BTreeMap<Spanned<String>, TableSection>,
    /// Definitions that statements and queries share, by their name in SQL.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, MetricSection>")]
    metric: BTreeMap<Spanned<String>, MetricSection>,
    /// Documents made of saved queries, by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ReportSection>")]
    report: BTreeMap<Spanned<String>, ReportSection>,
    /// The server that takes mail.
    #[serde(default)]
    smtp: Option<SmtpSection>,
    /// What runs when, and where it goes.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ScheduleSection>")]
    schedule: BTreeMap<Spanned<String>, ScheduleSection>,
    /// Alerts by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, AlertSection>")]
    alert: BTreeMap<Spanned<String>, AlertSection>,
    /// What holds for all schedules.
    #[serde(default)]
    scheduler: SchedulerSection,
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
    /// Folder of what the lake keeps of what was done, its runs among it: relative to the manifest, at `s3://bucket/…`, or in a
    /// store as `STORE:path`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    records: Option<Spanned<String>>,
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

/// What is kept on this machine's disk.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CacheSection {
    /// Megabytes that what was read from buckets may take; 0 keeps nothing of it.
    #[serde(default)]
    disk_mb: Option<u32>,
    /// Megabytes that results of saved queries may take; 0 keeps none.
    #[serde(default)]
    results_mb: Option<u32>,
}

/// A table: a name in SQL for one or more Parquet files.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TableSection {
    /// A file, a folder or a glob; relative to the manifest, at `s3://bucket/…`, or in a store as `STORE:path`.
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
    /// Columns whose values together are there once, and never null: what one row is about.
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>")]
    key: Option<Spanned<Vec<Spanned<String>>>>,
    /// How old its newest row may be.
    #[serde(default)]
    #[schemars(with = "Option<FreshSection>")]
    fresh: Option<Spanned<FreshSection>>,
    /// What its rows are held to by `cxlake check`.
    #[serde(default)]
    check: Vec<CheckSection>,
    /// Which combinations of columns must have a row.
    #[serde(default)]
    complete: Option<CompleteSection>,
    /// Columns that `cxlake optimize` sorts its files by, the first one first; ` desc` behind one turns its order round.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    sort: Vec<Spanned<String>>,
    /// Columns whose single values are looked for; `cxlake optimize` gives them bloom filters.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    identifiers: Vec<Spanned<String>>,
}

/// A metric: an SQL expression used like a function, or the scale of `nps`, `csat` or `ces`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MetricSection {
    /// What it means, for people.
    #[serde(default)]
    description: Option<String>,
    /// Names that its SQL has for what it is called with.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    arguments: Vec<Spanned<String>>,
    /// An SQL expression over the arguments.
    #[serde(default)]
    sql: Option<String>,
    /// Where the definition comes from: a book, an address, a decision.
    #[serde(default)]
    source: Option<String>,
    /// Only for `nps`, `csat` and `ces`: the values of the score and which of them count.
    #[serde(default)]
    #[schemars(with = "Option<ScaleSection>")]
    scale: Option<Spanned<ScaleSection>>,
}

/// The values of a score.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ScaleSection {
    /// The lowest value.
    low: i64,
    /// The highest value.
    high: i64,
    /// The lowest value that counts as good: a promoter, satisfied, easy.
    top_from: i64,
    /// Only for `nps`: the highest value of a detractor.
    #[serde(default)]
    bottom_to: Option<i64>,
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
/// `file` is the manifest as errors name it, `root` where the lake lies.
///
/// # Errors
/// `InvalidData` with the line: broken TOML, an unknown key, a value out of range, a column declared twice.
pub fn parse(text: &str, file: &str, root: &Root) -> Result<Lake> {
    let document = Document::new(text, file, 0);
    let manifest: Manifest = document.parse()?;
    let folder = match root {
        Root::Folder(folder) => Some(folder.as_path()),
        Root::Address(_) => None,
    };
    let stores = store::declared(&document, manifest.store, folder)?;
    let tables = manifest
        .table
        .into_iter()
        .map(|(name, section)| Ok((name.get_ref().clone(), table(&document, name.into_inner(), section, &stores)?)))
        .collect::<Result<BTreeMap<String, Table>>>()?;
    let (scales, metrics) = metrics(&document, manifest.metric)?;
    let calendar = calendar(&document, &manifest.lake)?;
    let smtp = smtp::declared(&document, manifest.smtp)?;
    let around =
        Around { document: &document, zone: calendar.zone, tables: &tables, stores: &stores, smtp: smtp.as_ref() };
    let (schedules, scheduler) = schedule::declared(around, manifest.schedule, manifest.alert, manifest.scheduler)?;
    Ok(Lake {
        root: root.clone(),
        text: text.to_owned(),
        calendar,
        records: records(&document, manifest.lake.records.as_ref(), &stores)?,
        queries: root.join(manifest.lake.queries.as_deref().unwrap_or("queries")),
        cache_bytes_max: manifest.cache.disk_mb.map_or(CACHE_MB, u64::from) << 20,
        results_bytes_max: manifest.cache.results_mb.map_or(RESULTS_MB, u64::from) << 20,
        name: manifest.lake.name,
        currency: manifest.lake.currency,
        reports: report::declared(&document, manifest.report)?,
        stores,
        tables,
        scales,
        metrics,
        smtp,
        schedules,
        scheduler,
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

/// Where the records lie, in a place that there is.
fn records(
    document: &Document<'_>,
    section: Option<&Spanned<String>>,
    stores: &BTreeMap<String, Store>,
) -> Result<String> {
    let Some(path) = section else { return Ok(RECORDS.to_owned()) };
    if path.get_ref().trim().is_empty() {
        return Err(document.error_at(path.span().start, "`records` is an empty path"));
    }
    check_place(document, "the folder of the records", path, stores)?;
    Ok(path.get_ref().clone())
}

/// Refuses a path in a kind of storage that is not known, or in a store that is not declared. `what` lies there.
fn check_place(
    document: &Document<'_>,
    what: &str,
    path: &Spanned<String>,
    stores: &BTreeMap<String, Store>,
) -> Result<()> {
    in_manifest(document, path, |path| store::check_place(what, path, stores))
}

fn table(
    document: &Document<'_>,
    name: String,
    section: TableSection,
    stores: &BTreeMap<String, Store>,
) -> Result<Table> {
    let path = section.path.get_ref();
    if path.trim().is_empty() {
        return Err(document.error_at(section.path.span().start, format!("table `{name}` has an empty path")));
    }
    check_place(document, &format!("table `{name}`"), &section.path, stores)?;
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
    let layout = layout::declared(document, &name, (&columns, &partition), section.sort, section.identifiers)?;
    let checks = check::declared(
        document,
        (&name, &columns, &partition),
        section.key,
        section.fresh,
        section.check,
        section.complete,
    )?;
    Ok(Table { path: path.clone(), description: section.description, name, columns, partition, checks, layout })
}

/// The scales, and the metrics that follow from them with those that the manifest adds.
fn metrics(
    document: &Document<'_>,
    sections: BTreeMap<Spanned<String>, MetricSection>,
) -> Result<(Scales, BTreeMap<String, Metric>)> {
    let mut scales = Scales::default();
    let mut added = Vec::new();
    for (name, section) in sections {
        let start = name.span().start;
        let name = name.into_inner();
        let error = |message: String| document.error_at(start, message);
        match (section.scale, section.sql) {
            (Some(scale), None) => {
                let at = scale.span().start;
                let target = match name.as_str() {
                    "nps" => &mut scales.nps,
                    "csat" => &mut scales.csat,
                    "ces" => &mut scales.ces,
                    _ => {
                        return Err(error(format!("metric `{name}` has a scale"))
                            .hint("only `nps`, `csat` and `ces` have one; give others `sql`"));
                    }
                };
                let scale = checked(*scale.get_ref(), name == "nps")
                    .map_err(|message| document.error_at(at, format!("the scale of `{name}`: {message}")))?;
                *target = scale;
            }
            (None, Some(sql)) => added.push((start, name, section.description, section.arguments, sql, section.source)),
            _ => {
                return Err(error(format!("metric `{name}` needs `sql`")).hint(
                    "write an expression, such as `sql = \"status = 'active'\"`; `nps`, `csat` and `ces` take `scale`",
                ));
            }
        }
    }
    let mut metrics = metric::of_scales(&scales);
    for (start, name, description, arguments, sql, source) in added {
        let error = |message: String| document.error_at(start, message);
        if !is_word(&name) {
            return Err(
                error(format!("metric `{name}` is no word")).hint("small letters, digits and `_`, a letter first")
            );
        }
        if metrics.contains_key(&name) {
            return Err(error(format!("metric `{name}` follows from a scale"))
                .hint("set the scale of `nps`, `csat` or `ces`, or take another name"));
        }
        let mut names: Vec<String> = Vec::new();
        for argument in arguments {
            let at = argument.span().start;
            let argument = argument.into_inner();
            if !is_word(&argument) || names.contains(&argument) {
                return Err(document
                    .error_at(at, format!("argument `{argument}` of metric `{name}` is no word, or comes twice")));
            }
            names.push(argument);
        }
        let metric = Metric {
            description: description.unwrap_or_default(),
            arguments: names,
            formula: Formula::Sql(sql),
            source,
            place: Some((document.file.to_owned(), document.line(start))),
            name: name.clone(),
        };
        metrics.insert(name, metric);
    }
    Ok((scales, metrics))
}

/// A scale that makes sense, or what is wrong with it.
fn checked(section: ScaleSection, has_bottom: bool) -> Result<Scale, &'static str> {
    let ScaleSection { low, high, top_from, bottom_to } = section;
    if low >= high || high - low > 1_000 {
        return Err("`low` must be below `high`, and at most 1,000 below it");
    }
    if !(low..=high).contains(&top_from) {
        return Err("`top_from` lies outside `low` to `high`");
    }
    match bottom_to {
        Some(_) if !has_bottom => return Err("`bottom_to` belongs to `nps` alone"),
        Some(bottom) if !(low..top_from).contains(&bottom) => {
            return Err("`bottom_to` lies outside `low` to `top_from`");
        }
        None if has_bottom => return Err("`bottom_to` is missing: the highest score of a detractor"),
        _ => {}
    }
    Ok(Scale { low, high, top_from, bottom_to })
}

/// Whether it can be written in SQL without quotes.
fn is_word(name: &str) -> bool {
    name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
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
