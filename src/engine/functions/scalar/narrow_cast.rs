//! A cast of decimals that cuts digits off, as a call.
//!
//! Statements cannot call the function; `engine/optimizer/narrow_casts.rs` puts it in the place of such casts and says why.

use datafusion::arrow::compute::CastOptions;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::format::DEFAULT_CAST_OPTIONS;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

/// The function, for one type.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct NarrowCast {
    to: DataType,
    /// Whether what has no room is null.
    is_try: bool,
    signature: Signature,
}

impl NarrowCast {
    pub fn new(to: DataType, is_try: bool) -> Self {
        Self { to, is_try, signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for NarrowCast {
    fn name(&self) -> &'static str {
        if self.is_try { "try_cast_to" } else { "cast_to" }
    }

    /// Columns are called what they would be without it.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let [value] = take_function_args(self.name(), args)?;
        Ok(value.schema_name().to_string())
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.to.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = take_function_args(self.name(), &args.args)?;
        value.cast_to(&self.to, Some(&CastOptions { safe: self.is_try, ..DEFAULT_CAST_OPTIONS }))
    }
}
