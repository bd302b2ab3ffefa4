//! Reads the arguments of a call that are the same for all rows: confidence, codes of blanks, numbers of values.

use std::ops::RangeInclusive;
use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Schema};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::scalar::ScalarValue;

use super::help::{Argument, Help};
use super::types;
use crate::error::{Error, Result};

/// A constant argument of one call: what was given, or the default that the help names.
#[derive(Debug)]
pub struct Constant {
    help: &'static Help,
    argument: &'static Argument,
    value: ScalarValue,
}

impl Constant {
    /// The argument with this value; null stands for the default.
    ///
    /// # Errors
    /// `Query` when it has a type that the argument does not take.
    pub fn new(help: &'static Help, name: &str, value: ScalarValue) -> Result<Self> {
        let argument = help.position(name).map(|place| &help.arguments[place]);
        let argument = argument.ok_or_else(|| Error::internal(format!("`{name}` is no argument")))?;
        types::check_argument(help, argument, &value.data_type(), None)?;
        let value = if value.is_null() { default(argument) } else { value };
        Ok(Self { help, argument, value })
    }

    /// The argument among those of an aggregate or window function.
    ///
    /// # Errors
    /// `Query` when it is not the same for all rows, and as [`Constant::new`].
    pub fn of(help: &'static Help, name: &str, given: &[Arc<dyn PhysicalExpr>]) -> Result<Self> {
        match help.position(name).and_then(|place| given.get(place)) {
            None => Self::new(help, name, ScalarValue::Null),
            Some(expression) if collect_columns(expression).is_empty() => Self::new(help, name, evaluated(expression)?),
            Some(_) => Err(varies(help, name)),
        }
    }

    /// The argument among those of a scalar function.
    ///
    /// # Errors
    /// As [`Constant::of`].
    pub fn of_values(help: &'static Help, name: &str, given: &[ColumnarValue]) -> Result<Self> {
        match help.position(name).and_then(|place| given.get(place)) {
            None => Self::new(help, name, ScalarValue::Null),
            Some(ColumnarValue::Scalar(value)) => Self::new(help, name, value.clone()),
            Some(ColumnarValue::Array(_)) => Err(varies(help, name)),
        }
    }

    /// One number or several, without nulls; `None` when null is the default and nothing else was given.
    ///
    /// # Errors
    /// `Internal`, since the type was checked.
    pub fn numbers(&self) -> Result<Option<Vec<f64>>> {
        let internal = |error: String| Error::internal(error);
        let members = match &self.value {
            value if value.is_null() => return Ok(None),
            ScalarValue::List(list) => list.value(0),
            ScalarValue::LargeList(list) => list.value(0),
            ScalarValue::FixedSizeList(list) => list.value(0),
            value => value.to_array().map_err(|error| internal(error.to_string()))?,
        };
        let members = cast(&members, &DataType::Float64).map_err(|error| internal(error.to_string()))?;
        Ok(Some(members.as_primitive::<Float64Type>().iter().flatten().collect()))
    }

    /// One number.
    ///
    /// # Errors
    /// As [`Constant::numbers`].
    pub fn number(&self) -> Result<Option<f64>> {
        Ok(self.numbers()?.and_then(|numbers| numbers.first().copied()))
    }

    /// A whole number in this range.
    ///
    /// # Errors
    /// `Query` when it lies outside or has a fraction.
    pub fn whole(&self, range: RangeInclusive<i64>) -> Result<Option<i64>> {
        if self.value.is_null() {
            return Ok(None);
        }
        // Through a float, large numbers would lose digits.
        let number = match self.value.cast_to(&DataType::Int64) {
            Ok(ScalarValue::Int64(Some(number))) if self.value.data_type().is_integer() => Some(number),
            _ => self.number()?.and_then(whole),
        };
        match (number.filter(|number| range.contains(number)), range.into_inner()) {
            (Some(number), _) => Ok(Some(number)),
            (None, (low, i64::MAX)) => Err(self.refused(&format!("which is no whole number from {low}"))),
            (None, (low, high)) => Err(self.refused(&format!("which is no whole number from {low} to {high}"))),
        }
    }

    /// One of these words.
    ///
    /// # Errors
    /// `Query` when it is another.
    pub fn word<'a>(&self, words: &[&'a str]) -> Result<&'a str> {
        let text = self.value.try_as_str().flatten().unwrap_or_default().to_lowercase();
        words.iter().find(|word| **word == text).copied().ok_or_else(|| {
            let words: Vec<String> = words.iter().map(|word| format!("`'{word}'`")).collect();
            let error = Error::query(format!("`{}` of `{}` is `{text}`", self.argument.name, self.help.name));
            error.hint(format!("it takes {}", words.join(" or ")))
        })
    }

    /// A confidence.
    ///
    /// # Errors
    /// `Query` when it does not lie between 0 and 1.
    pub fn confidence(&self) -> Result<f64> {
        let confidence = self.number()?.filter(|confidence| *confidence > 0.0 && *confidence < 1.0);
        confidence
            .ok_or_else(|| self.refused("which is not between 0 and 1").hint("95 per cent is `confidence => 0.95`"))
    }

    /// An error for a value that is not what it should be.
    pub fn refused(&self, is: &str) -> Error {
        Error::query(format!("`{}` of `{}` is {}, {is}", self.argument.name, self.help.name, self.value))
    }
}

/// The value of an expression that names no column.
///
/// # Errors
/// Those of computing it.
pub fn evaluated(expression: &Arc<dyn PhysicalExpr>) -> Result<ScalarValue> {
    let one_row = RecordBatchOptions::new().with_row_count(Some(1));
    let value = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &one_row)
        .map_err(Into::into)
        .and_then(|row| expression.evaluate(&row)?.into_array(1))
        .and_then(|value| ScalarValue::try_from_array(&value, 0));
    value.map_err(|error| Error::query(format!("`{expression}` cannot be computed")).caused_by(error))
}

/// The default of an argument as its help has it.
pub fn default(argument: &Argument) -> ScalarValue {
    let text = argument.default.unwrap_or("null");
    let quoted = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    match (quoted, text.parse::<i64>(), text.parse::<f64>()) {
        (Some(text), ..) => ScalarValue::from(text),
        (_, Ok(number), _) => ScalarValue::from(number),
        (_, _, Ok(number)) => ScalarValue::from(number),
        _ => ScalarValue::Null,
    }
}

/// The whole number that a float stands for, where floats are exact.
pub fn whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "floats below 2^53 in size that are whole are exact in i64")]
    let exact = number as i64;
    (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(exact)
}

fn varies(help: &Help, name: &str) -> Error {
    let error = Error::query(format!("`{name}` of `{}` takes a constant, the same for all rows", help.name));
    error.hint("give a value or a parameter, and no column")
}
