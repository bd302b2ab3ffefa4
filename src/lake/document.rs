//! TOML text into a value, with errors that carry file and line and name the nearest known key.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};

use crate::error::{Error, Result};
use crate::suggest;

/// A TOML text and where it came from.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    pub text: &'a str,
    /// File as errors name it.
    pub file: &'a str,
    /// Lines of the file above the first line of `text`.
    lines_above: usize,
    /// The byte of each line's end. Lines are asked for by the hundred, and counting them each time took most of opening a lake.
    ends: Vec<usize>,
}

impl<'a> Document<'a> {
    pub fn new(text: &'a str, file: &'a str, lines_above: usize) -> Self {
        let ends = text.match_indices('\n').map(|(end, _)| end).collect();
        Self { text, file, lines_above, ends }
    }

    /// The document as a `T`; unknown keys are errors where `T` denies them.
    ///
    /// # Errors
    /// `InvalidData` with the line of the offending key or value.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        toml::from_str(self.text).map_err(|error| {
            let (message, hint) = explain(error.message());
            let place = error.span().map(|span| self.line(span.start));
            let error = Error::invalid(message).at(self.file, place);
            match hint {
                Some(hint) => error.hint(hint),
                None => error,
            }
        })
    }

    /// An error about the text at this byte offset.
    pub fn error_at(&self, offset: usize, message: impl Into<String>) -> Error {
        Error::invalid(message).at(self.file, Some(self.line(offset)))
    }

    /// The line of the file that this byte of the text is on.
    pub fn line(&self, offset: usize) -> usize {
        self.lines_above + 1 + self.ends.partition_point(|&end| end < offset)
    }

    /// The line on which the text of a string starts, which begins with its quotes at this byte: TOML drops a line break behind three
    /// of them.
    pub fn line_of_text(&self, offset: usize) -> usize {
        let text = self.text.get(offset..).unwrap_or_default();
        let quotes = ["\"\"\"\n", "\"\"\"\r\n", "'''\n", "'''\r\n"];
        self.line(offset) + usize::from(quotes.iter().any(|quotes| text.starts_with(quotes)))
    }
}

/// A TOML table as pairs in the order in which they were written.
#[derive(Debug)]
pub struct InOrder<V>(pub Vec<(String, V)>);

impl<V> Default for InOrder<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for InOrder<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for Pairs<V> {
            type Value = InOrder<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(InOrder(pairs))
            }
        }

        deserializer.deserialize_map(Pairs(PhantomData))
    }
}

/// The texts of a TOML value: one, or those of an array; `None` for a table.
pub fn texts(value: &toml::Value) -> Option<Vec<String>> {
    match value {
        toml::Value::Array(items) => {
            items.iter().map(texts).collect::<Option<Vec<_>>>().map(|texts| texts.into_iter().flatten().collect())
        }
        toml::Value::String(text) => Some(vec![text.clone()]),
        toml::Value::Integer(number) => Some(vec![number.to_string()]),
        toml::Value::Float(number) => Some(vec![number.to_string()]),
        toml::Value::Boolean(flag) => Some(vec![flag.to_string()]),
        toml::Value::Datetime(moment) => Some(vec![moment.to_string()]),
        toml::Value::Table(_) => None,
    }
}

/// The parser's message in the words of a manifest's author, and a hint where one can be given.
fn explain(message: &str) -> (String, Option<String>) {
    let first_line = message.lines().next().unwrap_or_default();
    if let Some(rest) = first_line.strip_prefix("unknown field ") {
        return unknown_key(rest, "key");
    }
    if let Some(rest) = first_line.strip_prefix("unknown variant ") {
        return unknown_key(rest, "value");
    }
    if let Some(field) = first_line.strip_prefix("missing field ") {
        return (format!("key {field} is missing"), None);
    }
    if let Some((found, expected)) =
        first_line.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "))
    {
        return (format!("expected {expected}, found {found}"), None);
    }
    (message.lines().collect::<Vec<_>>().join("; "), None)
}

/// From `` `x`, expected one of `a`, `b` `` to a message about `x` and a hint from `a` and `b`.
fn unknown_key(rest: &str, what: &str) -> (String, Option<String>) {
    let mut names = rest.split('`').skip(1).step_by(2);
    let unknown = names.next().unwrap_or_default();
    let known: Vec<&str> = names.collect();
    let hint = match suggest::nearest(unknown, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => format!("no {what} is known here"),
        None => format!("known here: {}", suggest::list(known)),
    };
    (format!("unknown {what} `{unknown}`"), Some(hint))
}
