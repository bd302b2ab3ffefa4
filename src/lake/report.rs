//! `[report.NAME]`: saved queries as a document for people who never open a prompt.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::document::{Document, InOrder, texts};
use crate::error::{Error, Result};
use crate::suggest;

/// Rows of a section that a document for people shows, unless the section says otherwise.
pub const ROWS: usize = 500;

/// Texts of parameters, by name.
pub type Params = BTreeMap<String, Vec<String>>;

/// A report: a title and sections.
#[derive(Clone, Debug)]
pub struct Report {
    pub name: String,
    pub title: String,
    /// Markdown above the sections.
    pub text: Option<String>,
    /// Whom it is for.
    pub audience: Option<String>,
    /// Values for the parameters of all sections that have one of the name.
    pub params: Params,
    pub sections: Vec<Section>,
}

/// A saved query in a report.
#[derive(Clone, Debug)]
pub struct Section {
    pub query: String,
    /// Heading; the query's title where there is none.
    pub title: Option<String>,
    /// Markdown above the charts.
    pub text: Option<String>,
    pub params: Params,
    /// Columns that the table shows, in this order; all when empty.
    pub columns: Vec<String>,
    /// Rows that documents for people show; files for programs have all.
    pub rows: usize,
    pub has_charts: bool,
    pub has_table: bool,
    /// File and line that name the query; `None` for a query that is a report by itself.
    pub place: Option<(String, usize)>,
}

/// The forms that a report can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    Html,
    Xlsx,
    Csv,
    Markdown,
    Json,
    Parquet,
}

impl Form {
    /// Every form, with its name, which is also the ending of its files, and its media type.
    const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Html, "html", "text/html; charset=utf-8"),
        (Self::Xlsx, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (Self::Csv, "csv", "text/csv; charset=utf-8"),
        (Self::Markdown, "md", "text/markdown; charset=utf-8"),
        (Self::Json, "json", "application/json"),
        (Self::Parquet, "parquet", "application/vnd.apache.parquet"),
    ];

    fn entry(self) -> (&'static str, &'static str) {
        let found = Self::ALL.iter().find(|(form, ..)| *form == self);
        found.map_or(("", ""), |(_, name, media_type)| (name, media_type))
    }

    /// Its name, which is also the ending of its files.
    pub fn name(self) -> &'static str {
        self.entry().0
    }

    pub fn media_type(self) -> &'static str {
        self.entry().1
    }

    /// The form of this name.
    ///
    /// # Errors
    /// `Usage` with the nearest name.
    pub fn parse(name: &str) -> Result<Self> {
        let names = || Self::ALL.iter().map(|(_, name, _)| *name);
        let wanted = if name == "markdown" { "md" } else { name };
        Self::ALL.iter().find(|(_, known, _)| *known == wanted).map(|(form, ..)| *form).ok_or_else(|| {
            let hint = match suggest::nearest(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("forms of a report: {}", suggest::list(names())),
            };
            Error::usage(format!("a report has no form `{name}`")).hint(hint)
        })
    }
}

impl Report {
    /// A saved query as a report by itself.
    pub fn of_query(name: &str, title: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            text: None,
            audience: None,
            params: Params::new(),
            sections: vec![Section {
                query: name.to_owned(),
                title: None,
                text: None,
                params: Params::new(),
                columns: Vec::new(),
                rows: ROWS,
                has_charts: true,
                has_table: true,
                place: None,
            }],
        }
    }
}

/// A report: saved queries as a document.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportSection {
    /// Heading of the document.
    title: String,
    /// Markdown above the sections.
    #[serde(default)]
    text: Option<String>,
    /// Whom it is for.
    #[serde(default)]
    audience: Option<String>,
    /// Values for parameters of the sections' queries; a section's own, and those of the call, come first.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    params: InOrder<Spanned<toml::Value>>,
    /// Its sections, one or more.
    #[schemars(with = "Vec<PartSection>")]
    section: Vec<Spanned<PartSection>>,
}

/// A section of a report.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PartSection {
    /// Name of a saved query.
    query: String,
    /// Heading; the query's title where there is none.
    #[serde(default)]
    title: Option<String>,
    /// Markdown above the charts.
    #[serde(default)]
    text: Option<String>,
    /// Values for parameters of the query.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    params: InOrder<Spanned<toml::Value>>,
    /// Columns that the table shows, in this order; all where there are none.
    #[serde(default)]
    columns: Vec<String>,
    /// Rows that documents for people show at most, 500 unless said; files for programs have all.
    #[serde(default)]
    rows: Option<u32>,
    /// Whether the charts of the query are drawn.
    #[serde(default = "yes")]
    charts: bool,
    /// Whether the table is shown.
    #[serde(default = "yes")]
    table: bool,
}

fn yes() -> bool {
    true
}

/// The reports of a manifest.
///
/// # Errors
/// `InvalidData` with the line: a name that is no name of a file, no sections, a value that is none.
pub fn declared(
    document: &Document<'_>,
    sections: BTreeMap<Spanned<String>, ReportSection>,
) -> Result<BTreeMap<String, Report>> {
    let reports = sections.into_iter().map(|(name, section)| {
        let start = name.span().start;
        let name = name.into_inner();
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        if name.is_empty() || !name.chars().all(is_plain) {
            return Err(document
                .error_at(start, format!("report `{name}` cannot name a file"))
                .hint("letters, digits, `-` and `_`"));
        }
        if section.section.is_empty() {
            return Err(document
                .error_at(start, format!("report `{name}` has no sections"))
                .hint(format!("add `[[report.{name}.section]]` with `query = \"…\"`")));
        }
        let report = Report {
            title: section.title,
            text: section.text,
            audience: section.audience,
            params: params(document, section.params)?,
            sections: section.section.into_iter().map(|part| self::section(document, part)).collect::<Result<_>>()?,
            name: name.clone(),
        };
        Ok((name, report))
    });
    reports.collect()
}

fn section(document: &Document<'_>, part: Spanned<PartSection>) -> Result<Section> {
    let start = part.span().start;
    let part = part.into_inner();
    if !part.charts && !part.table {
        return Err(document.error_at(start, "a section without charts and without a table shows nothing"));
    }
    Ok(Section {
        title: part.title,
        text: part.text,
        params: params(document, part.params)?,
        columns: part.columns,
        rows: part.rows.map_or(ROWS, |rows| rows as usize),
        has_charts: part.charts,
        has_table: part.table,
        place: Some((document.file.to_owned(), document.line(start))),
        query: part.query,
    })
}

/// Values of parameters as texts.
///
/// # Errors
/// `InvalidData` with the line of one that is a table or a day with a time.
pub fn params(document: &Document<'_>, values: InOrder<Spanned<toml::Value>>) -> Result<Params> {
    let texts = values.0.into_iter().map(|(name, value)| match texts(value.get_ref()) {
        Some(texts) => Ok((name, texts)),
        None => Err(document
            .error_at(value.span().start, format!("the value of parameter `{name}` is no plain value"))
            .hint("a text, a number, true, false, a day, or a list of them")),
    });
    texts.collect()
}
