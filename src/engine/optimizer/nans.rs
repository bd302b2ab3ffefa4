//! Makes one NaN of the many that floats have.
//!
//! Processors of one kind give 0/0 a sign, by which it stands below every number and not above, as NaN does in files and by name:
//! `rate < 0.5` holds for an office without invitations, and an order begins with it. What may make such a NaN is given the other one.

use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, ScalarUDF};
use datafusion::optimizer::AnalyzerRule;
use datafusion::scalar::ScalarValue;

use super::super::functions::scalar::OneNan;

/// Functions that give no number for some numbers.
const PARTIAL: [&str; 12] =
    ["acos", "acosh", "asin", "atanh", "cos", "ln", "log", "log10", "log2", "power", "sin", "sqrt"];

/// The rule. It comes after the engine has settled types, and changes none.
#[derive(Debug)]
pub struct Nans;

impl AnalyzerRule for Nans {
    fn name(&self) -> &'static str {
        "nans"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| super::rewritten_where(node, may_make_one, with_one))?;
        Ok(plan.data)
    }
}

fn may_make_one(expr: &Expr) -> bool {
    match expr {
        Expr::BinaryExpr(BinaryExpr { op: Operator::Divide | Operator::Modulo, right, .. }) => {
            // By another number than zero, what is no number was none before.
            !matches!(super::unaliased(right), Expr::Literal(value, _) if !is_zero(value))
        }
        Expr::Negative(value) => !matches!(super::unaliased(value), Expr::Literal(..)),
        Expr::ScalarFunction(ScalarFunction { func, .. }) => PARTIAL.contains(&func.name()),
        _ => false,
    }
}

fn is_zero(value: &ScalarValue) -> bool {
    match value {
        ScalarValue::Float64(Some(value)) => *value == 0.0,
        ScalarValue::Float32(Some(value)) => *value == 0.0,
        _ => true,
    }
}

fn with_one(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    if !may_make_one(&expr) || !expr.get_type(schema)?.is_floating() {
        return Ok(Transformed::no(expr));
    }
    Ok(Transformed::yes(ScalarUDF::from(OneNan::default()).call(vec![expr])))
}
