//! The header of a saved query: TOML in `--` comment lines between two `-- +++` fences, so that the file stays SQL.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::error::{Error, Result};
use crate::lake::document::{Document, InOrder};
use crate::lake::parameter::ParameterSection;
use crate::output::chart::{Kind, Spec};
use crate::output::present::Good;

/// The line that opens and closes a header.
const FENCE: &str = "-- +++";

/// What a saved query says of itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Name by which it is run; the same as the file's, without `.sql`.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// What it answers, as a heading.
    pub title: String,
    /// What it counts, over which base, and what to watch for.
    pub description: String,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Columns of which every combination comes at most once; checked in every run.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub grain: Vec<Spanned<String>>,
    /// Saved queries that this one builds on; each is a view of that name in it.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub uses: Vec<Spanned<String>>,
    /// Parameters by name; `$name` in the SQL.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ParameterSection>")]
    pub params: InOrder<Spanned<ParameterSection>>,
    /// How columns are shown.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ColumnSection>")]
    pub columns: InOrder<Spanned<ColumnSection>>,
    /// Charts of the result.
    #[serde(default)]
    #[schemars(with = "Vec<ChartSection>")]
    pub chart: Vec<Spanned<ChartSection>>,
}

/// How a column is shown.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnSection {
    /// Heading; the column's name where there is none.
    pub title: Option<String>,
    /// What the column holds.
    pub description: Option<String>,
    /// Number format: `0`, `0.00`, `#,##0`, `0%`, `+0.0`, or `currency`.
    pub format: Option<String>,
    /// What it is counted in, such as `days`; stands behind the heading.
    pub unit: Option<String>,
    /// Which way is good.
    pub good: Option<Good>,
    /// Edges between good, middling and bad.
    pub bands: Option<Vec<f64>>,
    /// Column that says why a value is missing.
    pub missing: Option<String>,
    /// What stands below the column in a report: `sum`, or columns with `+ - * /` and brackets, each for its sum.
    pub total: Option<String>,
}

/// A chart of the result.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChartSection {
    /// What is drawn.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Heading; where there is none, what is drawn by what.
    pub title: Option<String>,
    /// Column along the bottom.
    pub x: String,
    /// Column along the side.
    pub y: String,
    /// Column that gives the colour.
    pub color: Option<String>,
    /// Columns with the lower and upper end of an interval.
    pub low: Option<String>,
    pub high: Option<String>,
    /// Column with what the number should be.
    pub target: Option<String>,
    /// Column with what a point of a scatter is called.
    pub label: Option<String>,
    /// Label of the row that stands for all the others together: it is drawn apart, and is never called the highest or lowest.
    pub total: Option<String>,
}

impl ChartSection {
    /// The columns that the chart draws, with the key that names each.
    pub fn columns(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let optional = [
            ("color", &self.color),
            ("low", &self.low),
            ("high", &self.high),
            ("target", &self.target),
            ("label", &self.label),
        ];
        let optional = optional.into_iter().filter_map(|(key, column)| Some((key, column.as_deref()?)));
        [("x", self.x.as_str()), ("y", self.y.as_str())].into_iter().chain(optional)
    }

    /// The chart as it is drawn.
    pub fn spec(&self) -> Spec {
        let Self { kind, title, x, y, color, low, high, target, label, total } = self.clone();
        Spec { kind: Some(kind), title, x: Some(x), y: Some(y), color, low, high, target, label, total }
    }
}

/// A file taken apart: its header as TOML, with line breaks where the file has them, and where its SQL starts.
#[derive(Debug)]
pub struct Parts {
    pub toml: String,
    /// Lines of the file above the first header line.
    pub lines_above: usize,
    /// Byte of the file at which the SQL starts, and its line.
    pub sql_start: usize,
    pub sql_line: usize,
}

/// Takes a saved query's file apart.
///
/// # Errors
/// `InvalidData` when a fence is missing or a header line is no comment.
pub fn take_apart(text: &str, file: &str) -> Result<Parts> {
    let mut toml = String::new();
    let mut opened: Option<usize> = None;
    let mut offset = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        offset += line.len();
        let trimmed = line.trim_end();
        match opened {
            None if trimmed == FENCE => opened = Some(index + 1),
            None if trimmed.is_empty() => {}
            None => {
                return Err(Error::invalid("the query has no header")
                    .at(file, Some(index + 1))
                    .hint(format!("start the file with a `{FENCE}` line, TOML in `--` lines, and another `{FENCE}`")));
            }
            Some(lines_above) if trimmed == FENCE => {
                return Ok(Parts { toml, lines_above, sql_start: offset, sql_line: index + 2 });
            }
            Some(_) => {
                let content = trimmed.strip_prefix("--").ok_or_else(|| {
                    Error::invalid("the header is not closed, or this line of it is no `--` comment")
                        .at(file, Some(index + 1))
                        .hint(format!("close the header with a `{FENCE}` line"))
                })?;
                toml.push_str(content.strip_prefix(' ').unwrap_or(content));
                toml.push('\n');
            }
        }
    }
    match opened {
        Some(line) => Err(Error::invalid("the header is not closed")
            .at(file, Some(line))
            .hint(format!("close it with a `{FENCE}` line"))),
        None => Err(Error::invalid("the file is empty").at(file, None)),
    }
}

impl Parts {
    /// The header's text as a document whose errors carry the file's lines.
    pub fn document<'a>(&'a self, file: &'a str) -> Document<'a> {
        Document::new(&self.toml, file, self.lines_above)
    }
}

/// The JSON Schema of a header, for editors.
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Header).to_value()
}
