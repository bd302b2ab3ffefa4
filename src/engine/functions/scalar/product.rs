//! The product of decimals whose types have more than 38 digits together, or an error where it has more itself.
//!
//! Statements cannot call the function; `engine/optimizer/products.rs` puts it in the place of `*` and says why.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Decimal128Array};
use datafusion::arrow::compute::try_binary;
use datafusion::arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType};
use datafusion::arrow::error::ArrowError;
use datafusion::common::Result;
use datafusion::common::cast::as_decimal128_array;
use datafusion::common::utils::take_function_args;
use datafusion::functions::utils::make_scalar_function;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

/// The first number that has 39 digits.
const TOO_LARGE: u128 = 10_u128.pow(38);

/// The function, for products with so many digits behind the point as both factors together.
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
        let found = |sides: &[ArrayRef]| -> Result<ArrayRef> {
            let [first, second] = take_function_args(self.name(), sides)?;
            Ok(Arc::new(products(first, second, self.scale)?))
        };
        make_scalar_function(found, vec![])(&args.args)
    }
}

fn products(first: &ArrayRef, second: &ArrayRef, scale: i8) -> Result<Decimal128Array> {
    let (first, second) = (as_decimal128_array(first)?, as_decimal128_array(second)?);
    let found: Decimal128Array = try_binary(first, second, |first: i128, second: i128| {
        let product = first.checked_mul(second).filter(|product| product.unsigned_abs() < TOO_LARGE);
        product.ok_or_else(|| ArrowError::ArithmeticOverflow("a product of decimals".to_owned()))
    })?;
    Ok(found.with_precision_and_scale(DECIMAL128_MAX_PRECISION, scale)?)
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::Array;

    use super::*;

    #[test]
    fn a_product_of_39_digits_is_an_error_and_nulls_stay() {
        let numbers = |numbers: Vec<Option<i128>>| -> ArrayRef {
            let numbers = Decimal128Array::from(numbers).with_precision_and_scale(38, 2);
            Arc::new(numbers.expect("a decimal type"))
        };
        let first = numbers(vec![Some(10_i128.pow(19)), None]);
        let found = products(&first, &numbers(vec![Some(10_i128.pow(18)), Some(1)]), 4).expect("it fits");
        assert_eq!(found.iter().collect::<Vec<_>>(), [Some(10_i128.pow(37)), None]);
        assert_eq!(found.data_type(), &DataType::Decimal128(38, 4));
        // Of 39 digits some fit into the bits, others do not.
        for second in [10_i128.pow(19), 17 * 10_i128.pow(18), 10_i128.pow(37)] {
            products(&first, &numbers(vec![Some(second), None]), 4).expect_err("it does not fit");
        }
    }
}
