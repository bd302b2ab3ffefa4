//! Sums and means of nulls without a type, as a column has them that nobody answered: null, where the engine knows no such sum.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{AggregateFunction, WindowFunction};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, WindowFunctionDefinition, cast};
use datafusion::optimizer::AnalyzerRule;

/// The rule. It comes before the engine settles types.
#[derive(Debug)]
pub struct UntypedNulls;

impl AnalyzerRule for UntypedNulls {
    fn name(&self) -> &'static str {
        "untyped_nulls"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| {
            super::rewritten_where(node, adds, |expr, schema| Ok(typed(expr, schema)))
        })?;
        Ok(plan.data)
    }
}

fn adds(expr: &Expr) -> bool {
    let name = match expr {
        Expr::AggregateFunction(AggregateFunction { func, .. }) => func.name(),
        Expr::WindowFunction(window) => match &window.fun {
            WindowFunctionDefinition::AggregateUDF(function) => function.name(),
            WindowFunctionDefinition::WindowUDF(_) => return false,
        },
        _ => return false,
    };
    ["sum", "avg"].contains(&name)
}

/// A sum or mean of nulls as one of numbers that are null; other expressions as they are.
fn typed(mut expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    if !adds(&expr) {
        return Transformed::no(expr);
    }
    let arguments = match &mut expr {
        Expr::AggregateFunction(AggregateFunction { params, .. }) => &mut params.args,
        Expr::WindowFunction(window) => {
            let WindowFunction { params, .. } = window.as_mut();
            &mut params.args
        }
        _ => return Transformed::no(expr),
    };
    let mut is_other = false;
    for argument in arguments {
        if matches!(argument.get_type(schema), Ok(DataType::Null)) {
            *argument = cast(argument.clone(), DataType::Int64);
            is_other = true;
        }
    }
    if is_other { Transformed::yes(expr) } else { Transformed::no(expr) }
}
