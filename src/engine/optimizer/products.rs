//! Multiplies decimals without losing digits before the point.
//!
//! A product of decimals has as many digits as both together. Where their types allow for more than 38, the engine computes it in as
//! many bits as hold 38 digits and some numbers of 39, and prints the first 38 of those. Here that is an error, and so is a product of
//! types that leave little room before the point, since sums of it would soon wrap around.

use datafusion::arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType};
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, ScalarUDF};
use datafusion::optimizer::AnalyzerRule;

use super::super::functions::scalar::Product;
use crate::error::Error;

/// Digits before the point that a product must have room for.
const BEFORE_THE_POINT: i16 = 18;

/// The rule. It comes after the engine has settled types, and changes none.
#[derive(Debug)]
pub struct Products;

impl AnalyzerRule for Products {
    fn name(&self) -> &'static str {
        "products"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| super::rewritten_where(node, is_product, checked))?;
        Ok(plan.data)
    }
}

fn is_product(expr: &Expr) -> bool {
    matches!(expr, Expr::BinaryExpr(BinaryExpr { op: Operator::Multiply, .. }))
}

/// A product that may have too many digits as one that tells; other expressions as they are.
fn checked(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Multiply, right }) = &expr else {
        return Ok(Transformed::no(expr));
    };
    let (DataType::Decimal128(first, first_scale), DataType::Decimal128(second, second_scale)) =
        (left.get_type(schema)?, right.get_type(schema)?)
    else {
        return Ok(Transformed::no(expr));
    };
    let DataType::Decimal128(_, scale) = expr.get_type(schema)? else { return Ok(Transformed::no(expr)) };
    if first.saturating_add(second) <= DECIMAL128_MAX_PRECISION {
        return Ok(Transformed::no(expr));
    }
    if i16::from(DECIMAL128_MAX_PRECISION) - i16::from(scale) < BEFORE_THE_POINT {
        let types = format!("`decimal({first},{first_scale})` and `decimal({second},{second_scale})`");
        let error = Error::query(format!(
            "a product of {types} has {scale} digits behind the point, and too little room before it"
        ));
        return Err(error
            .hint("multiply numbers with fewer: `cast(x as decimal(18,4))`, or `cast(x as double)`")
            .into());
    }
    let sides = vec![left.as_ref().clone(), right.as_ref().clone()];
    Ok(Transformed::yes(ScalarUDF::from(Product::new(scale)).call(sides)))
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{Field, Schema};
    use datafusion::logical_expr::col;

    use super::*;

    #[test]
    fn a_product_that_may_have_too_many_digits_is_checked_under_its_name_and_in_its_type() {
        let columns =
            [("cents", DataType::Decimal128(18, 2)), ("wide", DataType::Decimal128(38, 18)), ("n", DataType::Int64)];
        let fields: Vec<Field> = columns.into_iter().map(|(name, kind)| Field::new(name, kind, true)).collect();
        let schema = DFSchema::try_from(Schema::new(fields)).expect("names are different");
        for (product, is_checked) in [
            (col("cents") * col("cents"), false),
            (col("n") * col("n"), false),
            (col("cents") + col("wide"), false),
            (col("wide") * col("cents"), true),
        ] {
            let found = checked(product.clone(), &schema).expect("there is room");
            assert_eq!(found.transformed, is_checked, "{product}");
            assert_eq!(found.data.schema_name().to_string(), product.schema_name().to_string());
            let kind = |expr: &Expr| expr.get_type(&schema).expect("a type");
            assert_eq!(kind(&found.data), kind(&product), "{product}");
        }
        checked(col("wide") * col("wide"), &schema).expect_err("36 of 38 digits are behind the point");
    }
}
