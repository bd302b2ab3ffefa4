//! The quotient of decimals and whole numbers, as a double.
//!
//! The engine keeps four digits more than the dividend has and cuts off the rest, so that small shares become 0. Here all digits of a
//! double are kept, as in DuckDB; a division by zero stays an error. Statements cannot call the function; `engine/optimizer/decimals.rs`
//! puts it in the place of `/`.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::compute::{cast, try_binary};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Float64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Quotient {
    signature: Signature,
}

impl Default for Quotient {
    fn default() -> Self {
        Self { signature: Signature::any(2, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Quotient {
    fn name(&self) -> &'static str {
        "quotient"
    }

    /// Columns are called what a division without it would be called.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let [dividend, divisor] = take_function_args(self.name(), args)?;
        Ok(format!("{} / {}", dividend.schema_name(), divisor.schema_name()))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_one = matches!(args.args.as_slice(), [ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)]);
        let [dividends, divisors] = take_function_args(self.name(), ColumnarValue::values_to_arrays(&args.args)?)?;
        let found = quotients(&dividends, &divisors)?;
        if is_one {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&found, 0)?));
        }
        Ok(ColumnarValue::Array(Arc::new(found)))
    }
}

fn quotients(dividends: &ArrayRef, divisors: &ArrayRef) -> Result<Float64Array> {
    let (dividends, dividend_scale) = unscaled(dividends)?;
    let (divisors, divisor_scale) = unscaled(divisors)?;
    // Whole numbers are exact as doubles where they have no more than 15 digits, and so is their quotient to its last digit.
    let power = |places: i32| 10_f64.powi(places.max(0));
    let more = power(i32::from(divisor_scale) - i32::from(dividend_scale));
    let less = power(i32::from(dividend_scale) - i32::from(divisor_scale));
    let found: Float64Array = try_binary(&dividends, &divisors, |dividend: f64, divisor: f64| {
        if divisor == 0.0 { Err(ArrowError::DivideByZero) } else { Ok(dividend * more / (divisor * less)) }
    })?;
    Ok(found)
}

/// Numbers without their points, and the digits that stand behind those.
fn unscaled(numbers: &ArrayRef) -> Result<(Float64Array, i8)> {
    if let DataType::Decimal128(_, scale) = numbers.data_type() {
        let numbers = numbers.as_primitive::<Decimal128Type>();
        return Ok((numbers.unary::<_, Float64Type>(|number| number as f64), *scale));
    }
    Ok((cast(numbers, &DataType::Float64)?.as_primitive::<Float64Type>().clone(), 0))
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Decimal128Array, Int64Array};

    use super::*;

    fn decimals(scale: i8, numbers: Vec<Option<i128>>) -> ArrayRef {
        let numbers = Decimal128Array::from(numbers).with_precision_and_scale(38, scale);
        Arc::new(numbers.expect("a decimal type"))
    }

    #[test]
    fn quotients_are_those_of_the_decimals_and_nulls_stay() {
        // 0.30 / 0.1 is 3; of the doubles that are nearest to them it is less.
        let found = quotients(
            &decimals(2, vec![Some(30), Some(1200), None, Some(-1)]),
            &decimals(1, vec![Some(1), Some(70), Some(0), Some(30)]),
        );
        let found: Vec<Option<f64>> = found.expect("none is divided by zero").iter().collect();
        assert_eq!(found, [Some(3.0), Some(12.0 / 7.0), None, Some(-1.0 / 300.0)]);
        let whole: ArrayRef = Arc::new(Int64Array::from(vec![Some(12), None]));
        let found = quotients(&whole, &decimals(2, vec![Some(558_512_345), Some(0)])).expect("no zero divides");
        assert_eq!(found.iter().collect::<Vec<_>>(), [Some(1_200.0 / 558_512_345.0), None]);
    }

    #[test]
    fn a_division_by_zero_is_an_error_and_none_by_a_null_is() {
        let said = quotients(&decimals(2, vec![Some(1)]), &decimals(2, vec![Some(0)])).expect_err("zero divides");
        assert!(said.to_string().contains("Divide by zero"), "{said}");
        let found = quotients(&decimals(2, vec![Some(1)]), &decimals(2, vec![None])).expect("nothing divides");
        assert_eq!(found.null_count(), 1);
    }
}
