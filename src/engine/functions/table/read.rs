//! Reads the columns of a call into plain values, with errors that name the column.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use datafusion::arrow::compute::{SortOptions, cast, take};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::row::{RowConverter, Rows, SortField};

use super::super::floats::canonical;
use super::Call;
use crate::error::{Error, Result};

/// A defect of ours, since the types were checked when the call was planned.
pub fn internal(error: ArrowError) -> Error {
    Error::internal("the columns of a table function cannot be read").caused_by(error)
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

/// The rows of columns in a form that compares as their values do, nulls last.
pub fn comparable(columns: &[ArrayRef]) -> Result<Rows> {
    let nulls_last = SortOptions { descending: false, nulls_first: false };
    let fields = columns.iter().map(|column| SortField::new_with_options(column.data_type().clone(), nulls_last));
    let columns: Vec<ArrayRef> = columns.iter().map(canonical).collect();
    let converter = RowConverter::new(fields.collect());
    converter.and_then(|converter| converter.convert_columns(&columns)).map_err(internal)
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
    let array = &canonical(array);
    let rows = comparable(std::slice::from_ref(array))?;
    let nulls = array.logical_nulls();
    let mut order: Vec<usize> =
        (0..array.len()).filter(|&row| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))).collect();
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
