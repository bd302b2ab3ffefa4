//! Text as an argument: which types are text, and their values.

use datafusion::arrow::array::{Array, ArrayRef, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::as_string_view_array;
use datafusion::error::{DataFusionError, Result};

use crate::error::Error;

/// Whether a type is text; the type of a bare null is, too.
pub fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}

/// The type that a text argument is cast to before a function sees it. What is no text stays as it is: [`check`]
/// refuses it, where the engine keeps our error.
pub fn coerced(given: &DataType) -> DataType {
    if is_text(given) { DataType::Utf8View } else { given.clone() }
}

/// Refuses arguments that are no text.
///
/// # Errors
/// `Query` naming the argument and its type.
pub fn check(function: &str, arguments: &[&str], given: &[DataType]) -> Result<()> {
    match arguments.iter().zip(given).find(|(_, given)| !is_text(given)) {
        Some((argument, given)) => Err(DataFusionError::External(Box::new(refused(function, argument, given)))),
        None => Ok(()),
    }
}

/// What is said of an argument that is no text.
pub fn refused(function: &str, argument: &str, given: &DataType) -> Error {
    Error::query(format!("`{argument}` of `{function}` is text, and was given {}", word(given)))
        .hint("name a column of text")
}

/// The values of a column of any text type.
///
/// # Errors
/// When the column is no text.
pub fn values(column: &ArrayRef) -> Result<StringViewArray> {
    match column.data_type() {
        DataType::Utf8View => as_string_view_array(column).cloned(),
        _ => as_string_view_array(&cast(column, &DataType::Utf8View)?).cloned(),
    }
}

/// A type as manifests call it, where they have a word for it.
fn word(data_type: &DataType) -> String {
    match data_type {
        given if given.is_integer() => "int".to_owned(),
        given if given.is_floating() => "float".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        other => other.to_string().to_lowercase(),
    }
}
