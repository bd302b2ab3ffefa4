//! Reads what a call was given into plain values, with errors that name the column or the option.

use std::ops::RangeInclusive;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::row::{RowConverter, Rows, SortField};
use datafusion::scalar::ScalarValue;

use super::{Call, Given};
use crate::error::{Error, Result};

/// A defect of ours, since the types were checked when the call was planned.
pub fn internal(error: ArrowError) -> Error {
    Error::internal(error.to_string())
}

/// Whether a column of this type can be read by [`numbers`].
pub fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric() || matches!(data_type, DataType::Boolean | DataType::Null)
}

/// Refuses a column that [`numbers`] cannot read.
///
/// # Errors
/// `Query` naming the column and its type.
pub fn check_number(function: &str, given: &Given) -> Result<()> {
    let (name, data_type) = (given.field.name(), given.field.data_type());
    if is_number(data_type) {
        return Ok(());
    }
    let error = Error::query(format!(
        "`{name}` is {}, and `{function}` takes numbers as its {}",
        in_words(data_type),
        given.argument
    ));
    Err(error.hint(format!("leave `{name}` out, or make a number of it: `case when … then 1 else 0 end`")))
}

/// A type as manifests call it.
fn in_words(data_type: &DataType) -> String {
    match data_type {
        DataType::Date32 | DataType::Date64 => "a date".to_owned(),
        DataType::Timestamp(..) => "a timestamp".to_owned(),
        other if is_text(other) => "text".to_owned(),
        other => format!("of type {other}"),
    }
}

pub fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_text(values),
        other => other.is_string(),
    }
}

/// A column of numbers, with true as 1 and false as 0; `None` where it is null.
///
/// # Errors
/// `InvalidData` for NaN and infinity, which are neither a number nor a blank.
pub fn numbers(name: &str, array: &ArrayRef) -> Result<Vec<Option<f64>>> {
    let array = cast(array, &DataType::Float64).map_err(internal)?;
    let values: Vec<Option<f64>> = array.as_primitive::<Float64Type>().iter().collect();
    match values.iter().flatten().find(|value| !value.is_finite()) {
        Some(value) => Err(Error::invalid(format!("`{name}` has the value {value}, which is no number"))
            .hint(format!("if it marks a blank, make it null: `case when isnan({name}) then null else {name} end`"))),
        // Minus zero is zero.
        None => Ok(values.into_iter().map(|value| value.map(|value| value + 0.0)).collect()),
    }
}

/// The column of weights, when one was given.
///
/// # Errors
/// `InvalidData` for a weight below 0.
pub fn weights(call: &Call) -> Result<Option<Vec<Option<f64>>>> {
    let Some((name, array)) = call.columns("weight").next() else { return Ok(None) };
    let values = numbers(name, array)?;
    match values.iter().flatten().find(|value| **value < 0.0) {
        Some(value) => Err(Error::invalid(format!("the weight `{name}` has the value {value}, below 0"))),
        None => Ok(Some(values)),
    }
}

/// A constant that is a number or a list of numbers; `None` when it is null.
///
/// # Errors
/// `Query` for anything else.
pub fn codes(call: &Call, argument: &str) -> Result<Option<Vec<f64>>> {
    let value = call.value(argument)?;
    let array = match value {
        value if value.is_null() => return Ok(None),
        ScalarValue::List(list) => list.value(0),
        ScalarValue::LargeList(list) => list.value(0),
        ScalarValue::FixedSizeList(list) => list.value(0),
        other => other.to_array().map_err(|error| Error::internal(error.to_string()))?,
    };
    if !is_number(array.data_type()) {
        return Err(Error::query(format!("`{argument}` takes a number or a list of numbers, and not `{value}`"))
            .hint(format!("such as `{argument} => [0, 6]`")));
    }
    Ok(Some(numbers(argument, &array)?.into_iter().flatten().collect()))
}

/// A constant that is a whole number in this range.
///
/// # Errors
/// `Query` for anything else.
pub fn integer(call: &Call, argument: &str, range: RangeInclusive<u32>) -> Result<u32> {
    let value = call.value(argument)?;
    // Through a float would make 4 of 4.5.
    let whole = if value.data_type().is_integer() { value.cast_to(&DataType::UInt32).ok() } else { None };
    if let Some(ScalarValue::UInt32(Some(number))) = whole
        && range.contains(&number)
    {
        return Ok(number);
    }
    let hint = match (*range.start(), *range.end()) {
        (low, u32::MAX) => format!("it takes a whole number from {low}"),
        (low, high) => format!("it takes a whole number from {low} to {high}"),
    };
    Err(Error::query(format!("`{argument} => {value}` is out of range")).hint(hint))
}

/// A constant that is one of these words.
///
/// # Errors
/// `Query` for anything else.
pub fn word<'a>(call: &Call, argument: &str, words: &[&'a str]) -> Result<&'a str> {
    let value = call.value(argument)?;
    let text = value.try_as_str().flatten().unwrap_or_default().to_lowercase();
    words.iter().find(|word| **word == text).copied().ok_or_else(|| {
        let words = words.iter().map(|word| format!("`'{word}'`")).collect::<Vec<_>>().join(" or ");
        Error::query(format!("`{argument} => {value}` is not known")).hint(format!("it takes {words}"))
    })
}

/// The rows of a column in a form that compares as its values do.
pub fn comparable(array: &ArrayRef) -> Result<Rows> {
    let converter = RowConverter::new(vec![SortField::new(array.data_type().clone())]);
    converter.and_then(|converter| converter.convert_columns(&[array.clone()])).map_err(internal)
}

/// The different values of a column.
#[derive(Debug)]
pub struct Values {
    /// As text, in the order of the values: 2 before 10.
    pub texts: Vec<String>,
    /// Which of them each row has; `None` where it is null.
    pub of_rows: Vec<Option<usize>>,
}

/// Finds the different values of a column.
pub fn values(array: &ArrayRef) -> Result<Values> {
    let rows = comparable(array)?;
    let mut order: Vec<usize> = (0..array.len()).filter(|&row| array.is_valid(row)).collect();
    // Every row of the null type is null, though it has no bitmap that says so.
    order.retain(|_| array.data_type() != &DataType::Null);
    order.sort_unstable_by(|&a, &b| rows.row(a).cmp(&rows.row(b)));
    let mut firsts: Vec<u64> = Vec::new();
    let mut of_rows = vec![None; array.len()];
    let mut before: Option<usize> = None;
    for row in order {
        if before.is_none_or(|before| rows.row(before) != rows.row(row)) {
            firsts.push(row as u64);
        }
        before = Some(row);
        of_rows[row] = Some(firsts.len() - 1);
    }
    let firsts = take(array, &UInt64Array::from(firsts), None).map_err(internal)?;
    let texts = cast(&firsts, &DataType::Utf8).map_err(internal)?;
    let texts = texts.as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned()).collect();
    Ok(Values { texts, of_rows })
}

/// Refuses a column whose name is one of the result's own.
///
/// # Errors
/// `Query` naming the column.
pub fn check_names(given: &[&str], own: &[&str]) -> Result<()> {
    for (place, name) in given.iter().enumerate() {
        if own.contains(name) || given[..place].contains(name) {
            return Err(Error::query(format!("the result would have two columns `{name}`"))
                .hint(format!("rename it first: `(select {name} as its_{name}, … from …)`")));
        }
    }
    Ok(())
}
