//! Reads the arguments of a call that are the same for all rows: confidence, codes of blanks, numbers of values.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Schema};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::utils::collect_columns;

use super::help::Help;
use crate::error::Error;

/// Our error as the engine carries it.
pub fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// The numbers of a constant argument, one or a list; `None` when it is left out or null, and null members are skipped.
///
/// # Errors
/// `Query` when it is no constant or no number.
pub fn numbers(help: &'static Help, name: &str, given: &[Arc<dyn PhysicalExpr>]) -> Result<Option<Vec<f64>>> {
    let Some(expression) = help.position(name).and_then(|place| given.get(place)) else { return Ok(None) };
    let refused = |what: &str| {
        let error = Error::query(format!("`{name}` of `{}` takes {what}", help.name));
        external(error.hint(format!("it is called as `{}`", help.syntax())))
    };
    if !collect_columns(expression).is_empty() {
        return Err(refused("a constant, the same for all rows"));
    }
    let one_row = RecordBatchOptions::new().with_row_count(Some(1));
    let one_row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &one_row)?;
    let value = expression.evaluate(&one_row)?.into_array(1)?;
    let members: ArrayRef = match value.data_type() {
        _ if value.is_null(0) => return Ok(None),
        DataType::List(_) => value.as_list::<i32>().value(0),
        DataType::LargeList(_) => value.as_list::<i64>().value(0),
        DataType::FixedSizeList(..) => value.as_fixed_size_list().value(0),
        _ => value,
    };
    if !members.data_type().is_numeric() && !members.data_type().is_null() {
        return Err(refused("numbers"));
    }
    let members = cast(&members, &DataType::Float64)?;
    Ok(Some(members.as_primitive::<Float64Type>().iter().flatten().collect()))
}

/// One number of a constant argument; `None` when it is left out or null.
///
/// # Errors
/// As [`numbers`], and for a list.
pub fn number(help: &'static Help, name: &str, given: &[Arc<dyn PhysicalExpr>]) -> Result<Option<f64>> {
    match numbers(help, name, given)?.as_deref() {
        None => Ok(None),
        Some([number]) => Ok(Some(*number)),
        Some(_) => {
            let error = Error::query(format!("`{name}` of `{}` takes one number", help.name));
            Err(external(error.hint(format!("it is called as `{}`", help.syntax()))))
        }
    }
}

/// A confidence, by default 0.95.
///
/// # Errors
/// `Query` when it does not lie between 0 and 1.
pub fn checked_confidence(help: &'static Help, given: Option<f64>) -> Result<f64> {
    let confidence = given.unwrap_or(0.95);
    if confidence > 0.0 && confidence < 1.0 {
        return Ok(confidence);
    }
    let error = Error::query(format!("`{}` got the confidence {confidence}, not between 0 and 1", help.name));
    Err(external(error.hint("95 per cent is `confidence => 0.95`")))
}
