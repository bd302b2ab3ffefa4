//! Compares texts with short ones as numbers where the comparison decides what is calculated: `case when function = 'support' …`.
//!
//! Conditions on rows are left as they are: statistics of files are held against them.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, ScalarUDF};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use datafusion::scalar::ScalarValue;

use super::super::functions::scalar::ShortTextIs;

/// The rule. It comes after the engine's, which know comparisons.
#[derive(Debug)]
pub struct ShortTexts;

impl OptimizerRule for ShortTexts {
    fn name(&self) -> &'static str {
        "short_texts"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        if !matches!(plan, LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_)) {
            return Ok(Transformed::no(plan));
        }
        let schema = merge_schema(&plan.inputs());
        super::rewritten(plan, |expr| as_numbers(expr, &schema))
    }
}

fn as_numbers(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::Eq | Operator::NotEq), right }) = &expr else {
        return Ok(Transformed::no(expr));
    };
    let Expr::Literal(ScalarValue::Utf8View(Some(text)), _) = right.as_ref() else { return Ok(Transformed::no(expr)) };
    match ShortTextIs::new(text) {
        Some(function) if left.get_type(schema)? == DataType::Utf8View => {
            let is_it = ScalarUDF::from(function).call(vec![left.as_ref().clone()]);
            Ok(Transformed::yes(if *op == Operator::Eq { is_it } else { !is_it }))
        }
        _ => Ok(Transformed::no(expr)),
    }
}
