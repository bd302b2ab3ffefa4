//! The engine's errors in the analyst's words, with the line of the text they wrote.

use datafusion::arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

use super::limits::human_bytes;
use crate::error::{Error, Kind};
use crate::storage::explain;
use crate::suggest;

/// The text of one statement and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct SqlText<'a> {
    pub text: &'a str,
    /// File as errors name it; `None` for what was typed.
    pub file: Option<&'a str>,
    /// Line of the file on which `text` starts.
    pub line: usize,
}

impl<'a> SqlText<'a> {
    /// A statement that was typed.
    pub fn typed(text: &'a str) -> Self {
        Self { text, file: None, line: 1 }
    }

    /// The line of the file that this byte of the text is on.
    pub fn line_of(&self, offset: usize) -> usize {
        let end = offset.min(self.text.len());
        self.line + self.text.as_bytes()[..end].iter().filter(|&&byte| byte == b'\n').count()
    }

    /// Puts the statement's place on an error: `line` where it is known, else the statement's first.
    pub fn place(&self, error: Error, line: Option<usize>) -> Error {
        let line = line.unwrap_or(self.line);
        match self.file {
            Some(file) => error.at(file, Some(line)),
            None if self.text.trim_end().contains('\n') => error.at("line", Some(line)),
            None => error,
        }
    }
}

/// What the engine says before the name and types of a call that fits no function.
const NO_FUNCTION: &str = "No function matches the given name and argument types '";

/// The names that a misspelt one is held against.
#[derive(Debug)]
pub struct Known {
    pub tables: Vec<String>,
    pub functions: Vec<String>,
}

/// Turns an engine's error into ours. An error of ours that went through the engine comes out as it went in.
pub fn from_engine(error: DataFusionError, sql: Option<&SqlText<'_>>, known: &Known, memory_bytes: u64) -> Error {
    let span_line = error.diagnostic().and_then(|diagnostic| diagnostic.span).map(|span| span.start.line);
    let line = sql.zip(span_line).map(|(sql, line)| sql.line + usize::try_from(line).unwrap_or(1).saturating_sub(1));
    let error = match ours(error) {
        // A wrong call of a function of ours knows no line; what is wrong with a file or its data has its own place.
        Ok(error) if error.kind() == Kind::Query => {
            return match sql {
                Some(sql) => sql.place(error, line),
                None => error,
            };
        }
        Ok(error) => return error,
        Err(error) => error,
    };
    let (line, error) = match error.find_root() {
        DataFusionError::SQL(parser, _) => {
            let (message, parsed) = syntax(&parser.to_string());
            let line = sql.zip(parsed).map(|(sql, line)| sql.line + line - 1);
            (line, Error::query(message))
        }
        DataFusionError::ResourcesExhausted(message) => (None, exhausted(message, memory_bytes)),
        DataFusionError::SchemaError(schema, _) => (line, column(schema)),
        DataFusionError::Plan(message) => (line, planning(message, known)),
        // A call with the wrong types comes as an internal error of the engine, and is none.
        DataFusionError::Internal(message) if message.contains(NO_FUNCTION) => (line, planning(message, known)),
        DataFusionError::ObjectStore(error) => (None, explain(error.as_ref(), "cannot read")),
        DataFusionError::IoError(error) => (None, Error::storage(format!("cannot read: {error}"))),
        DataFusionError::Internal(message) => (line, Error::internal(first_paragraph(message))),
        other => (line, Error::query(first_paragraph(&plain(other)))),
    };
    match sql {
        Some(sql) if error.kind() != Kind::Exhausted => sql.place(error, line),
        _ => error,
    }
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

/// The parser's message without its location, and the line from it.
fn syntax(message: &str) -> (String, Option<usize>) {
    let message = message.trim_start_matches("sql parser error: ").trim_start_matches("ParserError(\"");
    let (what, place) = message.split_once(" at Line: ").unwrap_or((message, ""));
    let line = place.split(',').next().and_then(|line| line.trim().parse().ok());
    let what = what.replace("Expected: ", "expected ").replace(", found: ", ", found ");
    (format!("syntax error: {}", what.trim_end_matches(['"', ')'])), line)
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

fn column(error: &SchemaError) -> Error {
    let SchemaError::FieldNotFound { field, valid_fields } = error else {
        return Error::query(first_paragraph(&error.to_string()));
    };
    let names: Vec<&str> = valid_fields.iter().map(|column| column.name.as_str()).collect();
    let error = Error::query(format!("no column `{}`", field.flat_name().replace('"', "")));
    match suggest::nearest(&field.name, names.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if names.is_empty() => error.hint("no table is named in FROM"),
        None => error.hint(format!("columns here: {}", suggest::some(&names))),
    }
}

fn planning(message: &str, known: &Known) -> Error {
    let quoted = message.split('\'').nth(1).unwrap_or_default();
    let is_missing = message.starts_with("table '") && message.contains("not found");
    if is_missing || message.starts_with("No table named '") {
        let name = quoted.rsplit('.').next().unwrap_or(quoted);
        let error = Error::not_found(format!("table `{name}` is not in this lake"));
        if name == "codebook" {
            return error.hint(
                "`reason_codes` takes its codes from it: columns version, code, kind (phrase or pattern) and match",
            );
        }
        return match suggest::nearest(name, known.tables.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`? `cxlake tables` or `\\d` lists all")),
            None => error.hint("`cxlake tables` or `\\d` lists all"),
        };
    }
    if let Some(call) = message.split(NO_FUNCTION).nth(1) {
        let call = call.split('\'').next().unwrap_or_default();
        return Error::query(format!("`{}` does not take these types", in_words(call)))
            .hint("cast the argument, as in `cast(x as double)`; text is no number even when it looks like one");
    }
    let in_from = message.starts_with("table function '");
    if in_from || message.starts_with("Invalid function '") {
        // Known after all: a window function, which is none without its window.
        if !in_from && known.functions.iter().any(|name| name == quoted) {
            return Error::query(format!("`{quoted}` works on a window"))
                .hint(format!("write `{quoted}(…) over (partition by …)`, or `over ()` for all rows"));
        }
        let where_to = if in_from { " for FROM" } else { "" };
        let error = Error::query(format!("no function{where_to} `{quoted}`"));
        return match suggest::nearest(quoted, known.functions.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        };
    }
    Error::query(first_paragraph(message))
}

/// A call such as `sum(Utf8View)` with the types as manifests call them.
fn in_words(call: &str) -> String {
    let types = [("Utf8View", "text"), ("LargeUtf8", "text"), ("Utf8", "text"), ("Int64", "int"), ("Float64", "float")];
    types.iter().fold(call.to_owned(), |call, (engine, word)| call.replace(engine, word))
}

/// The engine's message without the words that it puts before each kind.
fn plain(error: &DataFusionError) -> String {
    match error {
        DataFusionError::ArrowError(inner, _) => inner.to_string(),
        other => other.message().into_owned(),
    }
}

fn first_paragraph(message: &str) -> String {
    let text = message.split("\n\nbacktrace:").next().unwrap_or(message);
    text.trim().trim_end_matches('.').to_owned()
}
