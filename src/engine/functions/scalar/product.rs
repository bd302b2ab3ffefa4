//! The product of decimals whose types have more than 38 digits together.
//!
//! The engine computes it in as many bits as hold 38 digits and some of those with 39, and prints the first 38. Here a product that has
//! more digits behind the point than wanted is rounded, and one that is too large is an error. Statements cannot call the function;
//! `engine/optimizer/decimals.rs` puts it in the place of `*`.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Decimal128Array};
use datafusion::arrow::compute::{cast, try_binary};
use datafusion::arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, i256};
use datafusion::arrow::error::ArrowError;
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

/// The first number that has 39 digits.
const TOO_LARGE: u128 = 10_u128.pow(38);

/// The function, for products with so many digits behind the point.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Product {
    scale: i8,
    signature: Signature,
}

impl Product {
    pub fn new(scale: i8) -> Self {
        Self { scale, signature: Signature::any(2, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Product {
    fn name(&self) -> &'static str {
        "product"
    }

    /// Columns are called what a multiplication without it would be called.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let [first, second] = take_function_args(self.name(), args)?;
        Ok(format!("{} * {}", first.schema_name(), second.schema_name()))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Decimal128(DECIMAL128_MAX_PRECISION, self.scale))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_one = matches!(args.args.as_slice(), [ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)]);
        let [first, second] = take_function_args(self.name(), ColumnarValue::values_to_arrays(&args.args)?)?;
        let found = products(&first, &second, self.scale)?;
        if is_one {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&found, 0)?));
        }
        Ok(ColumnarValue::Array(Arc::new(found)))
    }
}

fn products(first: &ArrayRef, second: &ArrayRef, scale: i8) -> Result<Decimal128Array> {
    let (first, first_scale) = decimals(first)?;
    let (second, second_scale) = decimals(second)?;
    let surplus = i16::from(first_scale) + i16::from(second_scale) - i16::from(scale);
    let surplus = u32::try_from(surplus).unwrap_or_default();
    let found: Decimal128Array = try_binary(&first, &second, |first: i128, second: i128| {
        product(first, second, surplus)
            .filter(|product| product.unsigned_abs() < TOO_LARGE)
            .ok_or_else(|| ArrowError::ArithmeticOverflow("a product of decimals".to_owned()))
    })?;
    Ok(found.with_precision_and_scale(DECIMAL128_MAX_PRECISION, scale)?)
}

/// Decimals of 128 bits, and the digits that they have behind the point.
fn decimals(numbers: &ArrayRef) -> Result<(Decimal128Array, i8)> {
    let (digits, scale) = match numbers.data_type() {
        DataType::Decimal32(digits, scale)
        | DataType::Decimal64(digits, scale)
        | DataType::Decimal128(digits, scale) => (*digits, *scale),
        _ => (DECIMAL128_MAX_PRECISION, 0),
    };
    let numbers = cast(numbers, &DataType::Decimal128(digits, scale))?;
    Ok((numbers.as_primitive::<Decimal128Type>().clone(), scale))
}

/// A product without its last digits, rounded; `None` where it does not fit.
fn product(first: i128, second: i128, surplus: u32) -> Option<i128> {
    if let (Some(product), Some(power)) = (first.checked_mul(second), 10_i128.checked_pow(surplus)) {
        if surplus == 0 {
            return Some(product);
        }
        let is_half = (product % power).unsigned_abs() >= power.unsigned_abs() / 2;
        return Some(product / power + if is_half { product.signum() } else { 0 });
    }
    let product = i256::from_i128(first).wrapping_mul(i256::from_i128(second));
    let power = i256::from_i128(10).wrapping_pow(surplus);
    let rest = product.wrapping_rem(power);
    let whole = product.wrapping_div(power).to_i128()?;
    let is_half = rest.wrapping_abs() >= power.wrapping_sub(rest.wrapping_abs());
    whole.checked_add(if is_half { first.signum() * second.signum() } else { 0 })
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::Int64Array;

    use super::*;

    fn numbers(scale: i8, numbers: Vec<Option<i128>>) -> ArrayRef {
        let numbers = Decimal128Array::from(numbers).with_precision_and_scale(38, scale);
        Arc::new(numbers.expect("a decimal type"))
    }

    #[test]
    fn a_product_is_rounded_away_from_zero_at_a_half() {
        for (first, second, surplus, expected) in [
            (495, 3, 0, 1_485),
            (5, 3, 1, 2),
            (-5, 3, 1, -2),
            (7, 2, 1, 1),
            (-7, 2, 1, -1),
            (4_950_000_000_000_000_000, 3_000_000_000_000_000_000, 18, 14_850_000_000_000_000_000),
            // Forty-one and more digits before they are rounded.
            (250_000_000_000_000_000_000, 100_000_000_000_000_000_000_000, 24, 25_000_000_000_000_000_000),
            (-250_000_000_000_000_000_000, 100_000_000_000_000_000_000_000, 43, -3),
            (1, 1, 45, 0),
        ] {
            assert_eq!(product(first, second, surplus), Some(expected), "{first} * {second} without {surplus} digits");
        }
    }

    #[test]
    fn a_product_of_39_digits_is_an_error_and_nulls_stay() {
        let first = numbers(0, vec![Some(10_i128.pow(19)), None]);
        let found = products(&first, &numbers(0, vec![Some(10_i128.pow(18)), Some(1)]), 0).expect("it fits");
        assert_eq!(found.iter().collect::<Vec<_>>(), [Some(10_i128.pow(37)), None]);
        for second in [10_i128.pow(19), 17 * 10_i128.pow(18), 10_i128.pow(37)] {
            products(&first, &numbers(0, vec![Some(second), None]), 0).expect_err("it does not fit");
        }
        let whole: ArrayRef = Arc::new(Int64Array::from(vec![3, 4]));
        let found = products(&numbers(18, vec![Some(5 * 10_i128.pow(18)), None]), &whole, 18).expect("it fits");
        assert_eq!(found.iter().collect::<Vec<_>>(), [Some(15 * 10_i128.pow(18)), None]);
    }
}
