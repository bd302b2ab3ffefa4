//! Floats with one NaN, the one that stands above every number.
//!
//! Statements cannot call the function; `engine/optimizer/nans.rs` puts it around what may make another one and says why.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct OneNan {
    signature: Signature,
}

impl Default for OneNan {
    fn default() -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for OneNan {
    fn name(&self) -> &'static str {
        "one_nan"
    }

    /// Columns are called what they would be without it.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let [value] = take_function_args(self.name(), args)?;
        Ok(value.schema_name().to_string())
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let [kind] = take_function_args(self.name(), types)?;
        Ok(kind.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = take_function_args(self.name(), args.args)?;
        Ok(match value {
            ColumnarValue::Array(values) => ColumnarValue::Array(with_one_nan(&values)),
            ColumnarValue::Scalar(ScalarValue::Float64(Some(value))) if value.is_nan() => {
                ColumnarValue::Scalar(ScalarValue::Float64(Some(f64::NAN)))
            }
            ColumnarValue::Scalar(ScalarValue::Float32(Some(value))) if value.is_nan() => {
                ColumnarValue::Scalar(ScalarValue::Float32(Some(f32::NAN)))
            }
            other @ ColumnarValue::Scalar(_) => other,
        })
    }
}

/// The same floats, and mostly the same array.
fn with_one_nan(values: &ArrayRef) -> ArrayRef {
    match values.data_type() {
        DataType::Float64 => {
            let floats = values.as_primitive::<Float64Type>();
            if !floats.values().iter().any(|value| value.is_nan()) {
                return Arc::clone(values);
            }
            Arc::new(floats.unary::<_, Float64Type>(|value| if value.is_nan() { f64::NAN } else { value }))
        }
        DataType::Float32 => {
            let floats = values.as_primitive::<Float32Type>();
            if !floats.values().iter().any(|value| value.is_nan()) {
                return Arc::clone(values);
            }
            Arc::new(floats.unary::<_, Float32Type>(|value| if value.is_nan() { f32::NAN } else { value }))
        }
        _ => Arc::clone(values),
    }
}
