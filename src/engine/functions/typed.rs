//! What functions ask of their arguments: numbers and constants, with errors that name function and argument.

use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::plan_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::scalar::ScalarValue;

use super::help::Help;
use crate::error::Error;

/// An error of ours on its way through the engine.
pub fn refuse(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// The type that a number of any kind is computed with.
///
/// # Errors
/// For what is no number; the engine says it in words of its own, which name the call.
pub fn number(data_type: &DataType) -> Result<DataType> {
    if data_type.is_numeric() || data_type.is_null() {
        return Ok(DataType::Float64);
    }
    plan_err!("{data_type} is no number")
}

/// As [`number`], for an argument with a default, for which null stands.
///
/// # Errors
/// As [`number`].
pub fn number_or_default(data_type: &DataType) -> Result<DataType> {
    if data_type.is_null() { Ok(DataType::Null) } else { number(data_type) }
}

/// The type that a list of numbers of any kind is computed with.
///
/// # Errors
/// As [`number`].
pub fn numbers(data_type: &DataType) -> Result<DataType> {
    let item = match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            number(item.data_type())?
        }
        DataType::Null => DataType::Float64,
        _ => return plan_err!("{data_type} is no list of numbers"),
    };
    Ok(DataType::List(Arc::new(Field::new_list_field(item, true))))
}

/// The value of an argument that must be a constant; null when it is left out.
///
/// # Errors
/// `Query` when it depends on a row.
pub fn constant(help: &'static Help, place: usize, expressions: &[Arc<dyn PhysicalExpr>]) -> Result<ScalarValue> {
    let Some(expression) = expressions.get(place) else { return Ok(ScalarValue::Null) };
    let one_row = RecordBatchOptions::new().with_row_count(Some(1));
    let nothing = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &one_row)?;
    match expression.evaluate(&nothing) {
        Ok(ColumnarValue::Scalar(value)) => Ok(value),
        _ => Err(refuse(
            Error::query(format!("`{}` of `{}` differs from row to row", help.arguments[place].name, help.name))
                .hint("give a constant or a parameter"),
        )),
    }
}

/// A constant that is a number; `None` when it is null or left out.
///
/// # Errors
/// As [`constant`].
pub fn constant_number(
    help: &'static Help,
    place: usize,
    expressions: &[Arc<dyn PhysicalExpr>],
) -> Result<Option<f64>> {
    match constant(help, place, expressions)?.cast_to(&DataType::Float64)? {
        ScalarValue::Float64(number) => Ok(number),
        _ => Ok(None),
    }
}
