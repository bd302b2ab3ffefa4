//! The engine's errors in the analyst's words, with the place in the text that they wrote.
//!
//! A file for each family of mistakes: `syntax.rs` what cannot be read, `names.rs` what is not there, `groups.rs` grouping
//! and windows, `clauses.rs` clauses and subqueries, `values.rs` types and values. Each looks at the engine's message for
//! what it knows and tells it anew; what none of them knows goes through `wording.rs`, which takes the engine's own words
//! out. `text.rs` finds the words in the statement.

mod clauses;
mod groups;
mod names;
mod syntax;
mod text;
mod values;
mod wording;

use std::ops::Range;

use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;

use super::limits::human_bytes;
use crate::error::{Error, Kind};
use crate::storage::explain;
pub use clauses::{no_asof_join, no_sample, no_similar_to};
pub use text::{SqlText, Words};
pub use wording::in_words;

/// The names that a misspelt one is held against.
#[derive(Debug)]
pub struct Known {
    pub tables: Vec<String>,
    /// Declared columns of the lake's tables, with their table.
    pub columns: Vec<(String, String)>,
    pub functions: Vec<String>,
    pub aggregates: Vec<String>,
    /// How functions are called, by name.
    pub calls: Vec<(String, String)>,
    pub settings: Vec<String>,
}

/// What is known of a mistake beside the engine's message.
struct Clues<'a> {
    words: Words,
    /// The bytes of the statement that are wrong.
    wrong: Option<Range<usize>>,
    /// What the engine adds to its message.
    notes: Vec<String>,
    known: &'a Known,
}

impl Clues<'_> {
    /// Takes these bytes for wrong, unless the engine knew better.
    fn mark(&mut self, wrong: Option<Range<usize>>) {
        if self.wrong.is_none() {
            self.wrong = wrong;
        }
    }
}

/// Turns an engine's error into ours. An error of ours that went through the engine comes out as it went in.
pub fn from_engine(error: DataFusionError, sql: Option<&SqlText<'_>>, known: &Known, memory_bytes: u64) -> Error {
    let diagnostic = error.diagnostic();
    let span = diagnostic.and_then(|diagnostic| diagnostic.span);
    let mut clues = Clues {
        words: sql.map(|sql| Words::of(sql.text)).unwrap_or_default(),
        wrong: sql.zip(span).and_then(|(sql, span)| sql.range(span)),
        notes: diagnostic
            .map(|found| found.notes.iter().map(|note| note.message.clone()).collect())
            .unwrap_or_default(),
        known,
    };
    let error = match ours(error) {
        Ok(error) if error.kind() == Kind::Query => {
            clues.mark(clues.words.named_in(error.message()));
            return placed(error, sql, clues.wrong);
        }
        // What is wrong with a file or its data has its own place.
        Ok(error) => return error,
        Err(error) => error,
    };
    let told = match error.find_root() {
        DataFusionError::SQL(parser, _) => match sql {
            Some(sql) => syntax::tell(parser, sql, &mut clues),
            None => Error::query(parser.to_string()),
        },
        DataFusionError::ResourcesExhausted(message) => {
            return placed(exhausted(message, memory_bytes), sql, None);
        }
        DataFusionError::SchemaError(schema, _) => names::schema(schema, &mut clues),
        DataFusionError::ObjectStore(error) => return explain(error.as_ref(), "cannot read"),
        DataFusionError::IoError(error) => return Error::storage(format!("cannot read: {error}")),
        other => reworded(other, &mut clues),
    };
    placed(told, sql, clues.wrong)
}

/// The error where it lies in the statement.
fn placed(error: Error, sql: Option<&SqlText<'_>>, wrong: Option<Range<usize>>) -> Error {
    match sql {
        Some(sql) => sql.place(error, wrong),
        None => error,
    }
}

/// Tells an error anew by what the engine says of it.
fn reworded(error: &DataFusionError, clues: &mut Clues<'_>) -> Error {
    let message = first_paragraph(&plain(error));
    let told = names::tell(&message, clues)
        .or_else(|| groups::tell(&message, clues))
        .or_else(|| clauses::tell(&message, clues))
        .or_else(|| values::tell(&message, clues))
        .or_else(|| names::wrong_value(&message, clues));
    told.unwrap_or_else(|| {
        let said = begun_small(in_words(&message));
        match error {
            DataFusionError::Internal(_) => Error::internal(said),
            _ => Error::query(said),
        }
    })
}

/// Our own error as the engine carries it.
impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        Self::External(Box::new(error))
    }
}

/// Our own error out of the engine's wrappings, or the engine's error back.
fn ours(error: DataFusionError) -> Result<Error, DataFusionError> {
    match error {
        DataFusionError::External(inner) => match inner.downcast::<Error>() {
            Ok(error) => Ok(*error),
            Err(inner) => match inner.downcast::<DataFusionError>() {
                Ok(error) => ours(*error),
                Err(inner) => Err(DataFusionError::External(inner)),
            },
        },
        DataFusionError::Context(text, inner) => ours(*inner).map_err(|inner| inner.context(text)),
        DataFusionError::Diagnostic(diagnostic, inner) => {
            ours(*inner).map_err(|inner| DataFusionError::Diagnostic(diagnostic, Box::new(inner)))
        }
        DataFusionError::ArrowError(inner, backtrace) => match *inner {
            ArrowError::ExternalError(inner) => ours(DataFusionError::External(inner)),
            inner => Err(DataFusionError::ArrowError(Box::new(inner), backtrace)),
        },
        DataFusionError::Shared(inner) => match find_ours(&inner) {
            Some(error) => Ok(error),
            None => Err(DataFusionError::Shared(inner)),
        },
        other => match find_ours(&other) {
            Some(error) => Ok(error),
            None => Err(other),
        },
    }
}

/// A copy of our own error from the chain of a shared one.
fn find_ours(error: &(dyn std::error::Error + 'static)) -> Option<Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<Error>() {
            return Some(error.copied());
        }
        next = error.source();
    }
    None
}

fn exhausted(message: &str, memory_bytes: u64) -> Error {
    let consumer = message.split(" for ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or("the statement");
    let who = consumer.split(['[', '#']).next().unwrap_or(consumer);
    let disk = message.contains("disk space");
    if disk {
        return Error::new(Kind::Exhausted, first_paragraph(message)).hint("make room in the temporary folder");
    }
    Error::new(
        Kind::Exhausted,
        format!("the memory limit of {} does not hold this statement ({who} needs more)", human_bytes(memory_bytes)),
    )
    .caused_by(first_paragraph(message))
    .hint("raise it with `--memory-limit`, or take fewer threads with `--threads`")
}

/// What the engine puts before a message to say of which kind it is, or through which of its parts it came.
const KINDS: [&str; 14] = [
    "Arrow error: ",
    "Schema error: ",
    "External error: ",
    "Execution error: ",
    "Error during planning: ",
    "Internal error: ",
    "Invalid argument error: ",
    "Cast error: ",
    "Parser error: ",
    "Compute error: ",
    "Parquet error: ",
    "Csv error: ",
    "Json error: ",
    "This feature is not implemented: ",
];

/// The engine's message without the words that it puts before each kind.
fn plain(error: &DataFusionError) -> String {
    let message = match error {
        DataFusionError::ArrowError(inner, _) => inner.to_string(),
        other => other.message().into_owned(),
    };
    let mut said = message.as_str();
    while let Some(rest) = KINDS.iter().find_map(|kind| said.strip_prefix(kind)) {
        said = rest;
    }
    said.to_owned()
}

fn first_paragraph(message: &str) -> String {
    let text = message.split("\n\nbacktrace:").next().unwrap_or(message);
    text.trim().trim_end_matches('.').to_owned()
}

/// The message with a small letter at its beginning, unless it begins with a word in capitals.
fn begun_small(message: String) -> String {
    let mut letters = message.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && !second.is_uppercase() => {
            first.to_lowercase().chain(message.chars().skip(1)).collect()
        }
        _ => message,
    }
}

/// What stands between two parts of a message; an empty `end` takes all that follows.
fn between<'a>(message: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let rest = message.split_once(start)?.1;
    if end.is_empty() { Some(rest) } else { rest.split_once(end).map(|(found, _)| found) }
}
