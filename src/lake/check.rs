//! What a table's rows are held to: `key`, `[[table.X.check]]`, `fresh` and `complete`, as plain data.
//!
//! Nothing here runs. That a column exists and that SQL can be read is found out when the check runs.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::column::{self, Column};
use super::document::{Document, InOrder};
use super::parameter::ParameterSection;
use super::span;
use crate::error::{Error, Result};

/// Names of the checks that have a key of their own.
pub const FRESH: &str = "fresh";
pub const KEY: &str = "key";
pub const COMPLETE: &str = "complete";

/// How much a failed check weighs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It is told.
    Warn,
    /// The work fails.
    #[default]
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Warn => "warn",
            Self::Error => "error",
        })
    }
}

/// Everything that one table is held to.
#[derive(Clone, Debug, Default)]
pub struct Checks {
    /// The manifest as errors name it.
    pub file: String,
    pub key: Option<Key>,
    pub fresh: Option<Fresh>,
    /// In the order of the manifest.
    pub checks: Vec<Check>,
    pub complete: Option<Complete>,
}

impl Checks {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.names().count()
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let own = [(FRESH, self.fresh.is_some()), (KEY, self.key.is_some()), (COMPLETE, self.complete.is_some())];
        let own = own.into_iter().filter_map(|(name, is_there)| is_there.then_some(name));
        own.chain(self.checks.iter().map(|check| check.name.as_str()))
    }

    /// The place of a check among those of the manifest.
    pub fn place(&self, name: &str) -> usize {
        self.checks.iter().take_while(|check| check.name != name).count()
    }
}

/// A check of the manifest's author.
#[derive(Clone, Debug)]
pub struct Check {
    /// Unique in its table.
    pub name: String,
    /// What it means when it fails, for people.
    pub description: Option<String>,
    pub severity: Severity,
    pub rule: Rule,
    pub parameters: Vec<Parameter>,
    /// Line of the manifest on which its SQL starts.
    pub line: usize,
}

/// What a check says.
#[derive(Clone, Debug)]
pub enum Rule {
    /// An SQL expression that is true for every row; a row for which it is false or null fails.
    Assert(String),
    /// A query whose rows are the failures.
    Sql(String),
}

/// A parameter of a check, and its line in the manifest.
#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: String,
    pub section: ParameterSection,
    pub line: usize,
}

/// Columns whose values together are there once, and never null: what one row is about.
#[derive(Clone, Debug)]
pub struct Key {
    /// One at least.
    pub columns: Vec<String>,
    pub line: usize,
}

/// How old the newest value of a column may be.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// A date or timestamp; a date is its midnight in the lake's time zone.
    pub column: String,
    /// From more than this on it is told.
    pub warn: Option<Duration>,
    /// From more than this on it is an error.
    pub error: Option<Duration>,
    pub line: usize,
}

/// Which combinations of columns must have a row.
#[derive(Clone, Debug)]
pub struct Complete {
    pub keys: Vec<String>,
    /// A query that returns every combination, in columns of the keys' names.
    pub expected: String,
    pub severity: Severity,
    pub parameters: Vec<Parameter>,
    /// Line of the manifest on which `expected` starts.
    pub line: usize,
}

/// A check of a table: an `assert` or `sql`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckSection {
    /// Name of the check, unique in its table.
    #[schemars(with = "String")]
    name: Spanned<String>,
    /// What it means when it fails, for people.
    #[serde(default)]
    description: Option<String>,
    /// An SQL expression that is true for every row; a row for which it is false or null fails.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    assert: Option<Spanned<String>>,
    /// A query whose rows are the failures.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    sql: Option<Spanned<String>>,
    /// `error` (the default) fails `cxlake check`, `warn` is told.
    #[serde(default)]
    severity: Severity,
    /// Parameters by name, as in the header of a saved query, each with a default; `$name` in the SQL.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ParameterSection>")]
    params: InOrder<Spanned<ParameterSection>>,
}

/// How old the newest value of a column may be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreshSection {
    /// A column with dates or timestamps; its newest value counts.
    #[schemars(with = "String")]
    column: Spanned<String>,
    /// Older than this it is told, such as `35d`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    warn: Option<Spanned<String>>,
    /// Older than this it fails `cxlake check`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    error: Option<Spanned<String>>,
}

/// Which combinations of columns must have a row.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteSection {
    /// Columns of the table.
    #[schemars(with = "Vec<String>")]
    keys: Spanned<Vec<String>>,
    /// A query that returns every combination of the keys that must have a row.
    #[schemars(with = "String")]
    expected: Spanned<String>,
    /// `error` (the default) fails `cxlake check`, `warn` is told.
    #[serde(default)]
    severity: Severity,
    /// Parameters by name, as in the header of a saved query, each with a default; `$name` in the SQL.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ParameterSection>")]
    params: InOrder<Spanned<ParameterSection>>,
}

/// The checks of a table.
///
/// # Errors
/// `InvalidData` with the line: a key with a column that the table does not have, two checks of one name, one with neither or both of
/// `assert` and `sql`, a span that is none, a parameter without a default.
pub fn declared(
    document: &Document<'_>,
    table: (&str, &[Column], &[Column]),
    key: Option<Spanned<Vec<Spanned<String>>>>,
    fresh: Option<Spanned<FreshSection>>,
    checks: Vec<CheckSection>,
    complete: Option<CompleteSection>,
) -> Result<Checks> {
    let key = key.map(|columns| self::key(document, table, columns)).transpose()?;
    let (table, ..) = table;
    let fresh = fresh.map(|section| self::fresh(document, table, section)).transpose()?;
    let complete = complete.map(|section| self::complete(document, table, section)).transpose()?;
    let mut declared: Vec<Check> = Vec::new();
    for section in checks {
        let at = section.name.span().start;
        let check = check(document, table, section)?;
        if declared.iter().any(|known| known.name == check.name) {
            let message = format!("table `{table}` has two checks `{}`", check.name);
            return Err(document.error_at(at, message).hint("give each a name of its own"));
        }
        declared.push(check);
    }
    Ok(Checks { file: document.file.to_owned(), key, fresh, checks: declared, complete })
}

fn check(document: &Document<'_>, table: &str, section: CheckSection) -> Result<Check> {
    let start = section.name.span().start;
    let name = section.name.into_inner();
    let wrong = |message: String| document.error_at(start, message);
    if name.trim().is_empty() || [FRESH, KEY, COMPLETE].contains(&name.as_str()) {
        return Err(wrong(format!("a check of table `{table}` cannot be named `{name}`")).hint(
            "`fresh`, `key` and `complete` are the checks that are declared so; say in a word or two what must hold",
        ));
    }
    let (rule, sql) = match (section.assert, section.sql) {
        (Some(assert), None) => {
            let at = assert.span().start;
            (Rule::Assert(assert.into_inner()), at)
        }
        (None, Some(sql)) => {
            let at = sql.span().start;
            (Rule::Sql(sql.into_inner()), at)
        }
        (Some(_), Some(_)) => {
            return Err(wrong(format!("check `{name}` of table `{table}` has both `assert` and `sql`"))
                .hint("make two checks of it"));
        }
        (None, None) => {
            return Err(wrong(format!("check `{name}` of table `{table}` has neither `assert` nor `sql`")).hint(
                "write `assert = \"cost >= 0\"`, which must be true for every row, or `sql` whose rows are the failures",
            ));
        }
    };
    Ok(Check {
        name,
        description: section.description,
        severity: section.severity,
        rule,
        parameters: parameters(document, section.params)?,
        line: document.line_of_text(sql),
    })
}

fn key(
    document: &Document<'_>,
    (table, columns, partition): (&str, &[Column], &[Column]),
    names: Spanned<Vec<Spanned<String>>>,
) -> Result<Key> {
    let start = names.span().start;
    let mut key = Key { columns: vec![], line: document.line(start) };
    for name in names.into_inner() {
        let (start, name) = (name.span().start, name.into_inner());
        if key.columns.contains(&name) {
            return Err(document.error_at(start, format!("`key` of table `{table}` names `{name}` twice")));
        }
        if !partition.iter().any(|known| known.name == name) {
            column::check_declared(columns, &name, &format!("`key` of table `{table}`"))
                .map_err(|error| invalid(&error).at(document.file, Some(document.line(start))))?;
        }
        key.columns.push(name);
    }
    if key.columns.is_empty() {
        return Err(document
            .error_at(start, format!("`key` of table `{table}` names no column"))
            .hint("name the columns whose values together are there once, such as `key = [\"account_id\"]`"));
    }
    Ok(key)
}

fn fresh(document: &Document<'_>, table: &str, section: Spanned<FreshSection>) -> Result<Fresh> {
    let start = section.span().start;
    let section = section.into_inner();
    let span = |text: Option<Spanned<String>>| {
        let read = |text: Spanned<String>| {
            let line = document.line(text.span().start);
            span::parse(text.get_ref()).map_err(|error| invalid(&error).at(document.file, Some(line)))
        };
        text.map(read).transpose()
    };
    let (warn, error) = (span(section.warn)?, span(section.error)?);
    match (warn, error) {
        (None, None) => {
            return Err(document
                .error_at(start, format!("`fresh` of table `{table}` says nothing of how old it may be"))
                .hint("give `warn`, `error` or both, such as `error = \"45d\"`"));
        }
        (Some(warn), Some(error)) if warn >= error => {
            return Err(document
                .error_at(start, format!("`fresh` of table `{table}`: `warn` is not before `error`"))
                .hint("what is an error was a warning first; make `warn` the shorter span"));
        }
        _ => {}
    }
    Ok(Fresh { line: document.line(section.column.span().start), column: section.column.into_inner(), warn, error })
}

fn complete(document: &Document<'_>, table: &str, section: CompleteSection) -> Result<Complete> {
    let (start, expected) = (section.keys.span().start, section.expected.span().start);
    let keys = section.keys.into_inner();
    let is_twice = |(place, key): (usize, &String)| keys[..place].contains(key);
    if keys.is_empty() || keys.iter().enumerate().any(is_twice) {
        let message = format!("`keys` of `complete` of table `{table}` are none, or name a column twice");
        return Err(document
            .error_at(start, message)
            .hint("name the columns whose combinations must each have a row, such as `keys = [\"office_id\"]`"));
    }
    Ok(Complete {
        keys,
        expected: section.expected.into_inner(),
        severity: section.severity,
        parameters: parameters(document, section.params)?,
        line: document.line_of_text(expected),
    })
}

/// The parameters of a check, each with a value, since nobody is there to give one.
fn parameters(document: &Document<'_>, params: InOrder<Spanned<ParameterSection>>) -> Result<Vec<Parameter>> {
    let declared = params.0.into_iter().map(|(name, section)| {
        let start = section.span().start;
        let section = section.into_inner();
        if section.default.is_none() {
            return Err(document
                .error_at(start, format!("parameter `{name}` of a check has no `default`"))
                .hint("nobody gives a check its values; a relative date such as `last_complete(month)` moves on"));
        }
        Ok(Parameter { name, section, line: document.line(start) })
    });
    declared.collect()
}

/// A wrong value in a manifest is to be mended there.
fn invalid(error: &Error) -> Error {
    let mended = Error::invalid(error.message());
    error.hint_text().into_iter().fold(mended, Error::hint)
}
