//! Sums, differences and products of whole numbers, or an error where one has more than 64 bits.
//!
//! Statements cannot call the function; `engine/optimizer/whole_numbers.rs` puts it in the place of `+`, `-` and `*` and says why.

use datafusion::arrow::compute::kernels::numeric::{add, mul, sub};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, Operator, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr_common::datum::apply;

/// The function, for one of the three operators.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct WholeNumbers {
    operator: Operator,
    signature: Signature,
}

impl WholeNumbers {
    pub fn new(operator: Operator) -> Self {
        Self { operator, signature: Signature::any(2, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for WholeNumbers {
    fn name(&self) -> &'static str {
        match self.operator {
            Operator::Plus => "add",
            Operator::Minus => "subtract",
            _ => "multiply",
        }
    }

    /// Columns are called what the operator itself would call them.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let [first, second] = take_function_args(self.name(), args)?;
        Ok(format!("{} {} {}", first.schema_name(), self.operator, second.schema_name()))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [first, second] = take_function_args(self.name(), &args.args)?;
        match self.operator {
            Operator::Plus => apply(first, second, add),
            Operator::Minus => apply(first, second, sub),
            Operator::Multiply => apply(first, second, mul),
            other => internal_err!("`{other}` is no operator of whole numbers that is looked after"),
        }
    }
}
