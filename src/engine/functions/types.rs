//! The types of arguments: which each takes, what it is cast to before a function sees it, what is said of the others.
//!
//! [`coerced`] lets every type pass, since the engine puts an error of `coerce_types` into words of its own. [`check`]
//! refuses what does not fit in `return_type`, whose errors come out as they are.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};

use super::help::{Argument, Help};
use crate::error::{Error, Result};

/// The types that an argument takes; null fits all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Types {
    Table,
    Any,
    /// An answer on a scale: a whole number of any type. Each is counted, so that there is no DISTINCT over them.
    Answer,
    /// Whether something holds, counted like answers.
    Condition,
    Number,
    /// A number without a fraction, of any type.
    Whole,
    Numbers,
    /// One number or several.
    Codes,
    Text,
    Texts,
    NumberOrBool,
    NumberBoolOrText,
    /// A struct that another function gives; the function itself knows which.
    Statistics,
}

impl Types {
    /// As the help has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Any => "any",
            Self::Answer | Self::Number => "number",
            Self::Condition => "bool",
            Self::Whole => "int",
            Self::Numbers => "list of numbers",
            Self::Codes => "number or list of numbers",
            Self::Text => "text",
            Self::Texts => "list of text",
            Self::NumberOrBool => "number or bool",
            Self::NumberBoolOrText => "number, bool or text",
            Self::Statistics => "struct",
        }
    }

    /// As a sentence has it.
    fn in_words(self) -> &'static str {
        match self {
            Self::Table => "a table",
            Self::Any => "anything",
            Self::Answer | Self::Number => "a number",
            Self::Condition => "a condition",
            Self::Whole => "a whole number",
            Self::Numbers => "a list of numbers",
            Self::Codes => "a number or a list of numbers",
            Self::Text => "text",
            Self::Texts => "a list of text",
            Self::NumberOrBool => "a number or bool",
            Self::NumberBoolOrText => "a number, bool or text",
            Self::Statistics => "a struct",
        }
    }

    fn takes(self, given: &DataType) -> bool {
        let given = plain(given);
        match self {
            _ if given.is_null() => true,
            Self::Table | Self::Any | Self::Statistics => true,
            Self::Answer | Self::Number | Self::Whole => given.is_numeric(),
            Self::Condition => given == &DataType::Boolean,
            Self::NumberOrBool => given.is_numeric() || given == &DataType::Boolean,
            Self::NumberBoolOrText => given.is_numeric() || given == &DataType::Boolean || given.is_string(),
            Self::Text => given.is_string(),
            Self::Numbers => item(given).is_some_and(|item| Self::Number.takes(item)),
            Self::Codes => Self::Number.takes(given) || Self::Numbers.takes(given),
            Self::Texts => item(given).is_some_and(|item| Self::Text.takes(item)),
        }
    }

    /// The one type in which a function gets all those that fit.
    fn cast(self, given: &DataType) -> DataType {
        let list = |item| DataType::List(Arc::new(Field::new_list_field(item, true)));
        match self {
            // Whole numbers stay what they are, where they fit: counting them is faster.
            Self::Answer => match plain(given) {
                DataType::UInt64 => DataType::Float64,
                given if given.is_integer() || given.is_null() => DataType::Int64,
                _ => DataType::Float64,
            },
            Self::Condition => DataType::Boolean,
            Self::Number => DataType::Float64,
            Self::Numbers => list(DataType::Float64),
            Self::Text => DataType::Utf8View,
            Self::Texts => list(DataType::Utf8View),
            _ => given.clone(),
        }
    }

    /// How to give what fits in place of this type.
    fn hint(self, given: &DataType) -> Option<&'static str> {
        match self {
            Self::Condition => Some("compare the column with something, as in `score >= 4`"),
            Self::NumberOrBool if plain(given).is_string() => {
                Some("make a number of it, as in `case when x = '…' then 1 else 0 end`, or leave it out")
            }
            Self::Answer | Self::Number if plain(given).is_string() => {
                Some("text is no number even when it looks like one: cast it, as in `cast(x as double)`")
            }
            Self::Numbers if item(given).is_none() => Some("a list stands in brackets, as in `[1, 2]`"),
            Self::Texts if item(given).is_none() => Some("a list stands in brackets, as in `['low', 'high']`"),
            _ => None,
        }
    }
}

/// The types that arguments are cast to. A null that stands for a default stays what it is, and so does what does not fit.
pub fn coerced(help: &Help, given: &[DataType]) -> Vec<DataType> {
    let cast = |(place, given): (usize, &DataType)| match help.arguments.get(place) {
        Some(argument) if given.is_null() && argument.default.is_some() => given.clone(),
        Some(argument) if argument.types.takes(given) => argument.types.cast(given),
        _ => given.clone(),
    };
    given.iter().enumerate().map(cast).collect()
}

/// Refuses arguments of other types than the function takes.
///
/// # Errors
/// `Query` naming function, argument and what was given.
pub fn check<'a>(help: &Help, given: impl IntoIterator<Item = &'a DataType>) -> Result<()> {
    help.arguments.iter().zip(given).try_for_each(|(argument, given)| check_argument(help, argument, given, None))
}

/// Refuses one argument of another type than the function takes. `column`: its name, where the user knows it by one.
///
/// # Errors
/// As [`check`].
pub fn check_argument(help: &Help, argument: &Argument, given: &DataType, column: Option<&str>) -> Result<()> {
    if argument.types.takes(given) {
        return Ok(());
    }
    let is = match column {
        Some(name) => format!("`{name}` is {}", word(given)),
        None => format!("was given {}", word(given)),
    };
    let takes = argument.types.in_words();
    let error = Error::query(format!("`{}` of `{}` takes {takes}, and {is}", argument.name, help.name));
    match argument.types.hint(given) {
        Some(hint) => Err(error.hint(hint)),
        None => Err(error.hint(format!("it is called as `{}`", help.syntax()))),
    }
}

/// A type as manifests call it, where they have a word for it.
pub fn word(data_type: &DataType) -> String {
    match plain(data_type) {
        given if given.is_integer() => "int".to_owned(),
        given if given.is_floating() => "float".to_owned(),
        given if given.is_decimal() => "decimal".to_owned(),
        given if given.is_string() => "text".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::Interval(_) => "interval".to_owned(),
        DataType::Struct(_) => "struct".to_owned(),
        given => match item(given) {
            Some(item) => format!("list of {}", word(item)),
            None => given.to_string().to_lowercase(),
        },
    }
}

/// Whether a type is text.
pub fn is_text(data_type: &DataType) -> bool {
    plain(data_type).is_string()
}

/// The type under a dictionary.
fn plain(given: &DataType) -> &DataType {
    match given {
        DataType::Dictionary(_, value) => plain(value),
        other => other,
    }
}

/// The type of a list's items.
fn item(given: &DataType) -> Option<&DataType> {
    match given {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => Some(item.data_type()),
        _ => None,
    }
}
