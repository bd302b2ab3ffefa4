//! Makes one zero of the two that floats have where the engine tells them apart.
//!
//! `=` and GROUP BY take -0.0, which `round(-0.4)` gives, for 0.0. Lists of IN with more than three values, CASE with a value behind it,
//! and the keys of windows go by bits. Zero is added there, by which -0.0 becomes 0.0. Keys that are columns stay as they are: what is
//! calculated has such zeros, and what is stored hardly ever.

use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{InList, WindowFunction};
use datafusion::logical_expr::{Case, Expr, ExprSchemable, LogicalPlan, lit};
use datafusion::optimizer::AnalyzerRule;
use datafusion::scalar::ScalarValue;

/// The rule. It comes after the engine has settled types.
#[derive(Debug)]
pub struct Zeros;

impl AnalyzerRule for Zeros {
    fn name(&self) -> &'static str {
        "zeros"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan =
            plan.transform_up_with_subqueries(|node| super::rewritten_where(node, goes_by_bits, with_one_zero))?;
        Ok(plan.data)
    }
}

fn goes_by_bits(expr: &Expr) -> bool {
    matches!(expr, Expr::InList(_) | Expr::Case(Case { expr: Some(_), .. }) | Expr::WindowFunction(_))
}

fn with_one_zero(mut expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let keys: Vec<&mut Expr> = match &mut expr {
        // A list of other constants has no zero to find, and statistics of files are held against it.
        Expr::InList(InList { expr, list, .. }) if list.iter().any(may_be_zero) => {
            std::iter::once(expr.as_mut()).chain(list.iter_mut().filter(|value| may_be_zero(value))).collect()
        }
        Expr::Case(Case { expr: Some(value), when_then_expr: branches, .. }) => {
            let whens = branches.iter_mut().map(|(when, _)| when.as_mut()).filter(|when| may_be_zero(when));
            std::iter::once(value.as_mut()).chain(whens).collect()
        }
        Expr::WindowFunction(window) => {
            let WindowFunction { params, .. } = window.as_mut();
            let orders = params.order_by.iter_mut().map(|sort| &mut sort.expr);
            params.partition_by.iter_mut().chain(orders).filter(|key| !matches!(key, Expr::Column(_))).collect()
        }
        _ => vec![],
    };
    let mut is_other = false;
    for key in keys {
        let kind = key.get_type(schema)?;
        if kind.is_floating() {
            *key = key.clone() + lit(ScalarValue::new_zero(&kind)?);
            is_other = true;
        }
    }
    Ok(if is_other { Transformed::yes(expr) } else { Transformed::no(expr) })
}

/// Whether a value is no constant, or a zero.
fn may_be_zero(value: &Expr) -> bool {
    match value {
        Expr::Literal(ScalarValue::Float64(Some(value)), _) => *value == 0.0,
        Expr::Literal(ScalarValue::Float32(Some(value)), _) => *value == 0.0,
        Expr::Literal(..) => false,
        _ => true,
    }
}
