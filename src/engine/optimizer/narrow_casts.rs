//! Keeps casts of decimals that cut digits off where they are.
//!
//! The engine takes a cast away from a column that is held against a constant, and casts the constant: `cast(price as int) = 2` becomes
//! `price = 2.00`, which 2.20 is not. It does so with whatever it sees to be a cast, and a call is none.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Cast, TryCast};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, ScalarUDF};
use datafusion::optimizer::AnalyzerRule;

use super::super::functions::scalar::NarrowCast;

/// The rule. It comes after the engine has settled types, and changes none.
#[derive(Debug)]
pub struct NarrowCasts;

impl AnalyzerRule for NarrowCasts {
    fn name(&self) -> &'static str {
        "narrow_casts"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| super::rewritten_where(node, is_cast, called))?;
        Ok(plan.data)
    }
}

fn is_cast(expr: &Expr) -> bool {
    let to = match expr {
        Expr::Cast(Cast { field, .. }) | Expr::TryCast(TryCast { field, .. }) => field.data_type(),
        _ => return false,
    };
    to.is_integer() || scale(to).is_some()
}

/// A cast of a decimal that cuts digits off as a call; other expressions as they are.
fn called(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let (value, to, is_try) = match &expr {
        Expr::Cast(Cast { expr, field }) => (expr, field.data_type(), false),
        Expr::TryCast(TryCast { expr, field }) => (expr, field.data_type(), true),
        _ => return Ok(Transformed::no(expr)),
    };
    let kept = if to.is_integer() { Some(0) } else { scale(to) };
    let has_more = kept.zip(scale(&value.get_type(schema)?)).is_some_and(|(kept, digits)| digits > kept);
    if !has_more {
        return Ok(Transformed::no(expr));
    }
    let call = ScalarUDF::from(NarrowCast::new(to.clone(), is_try)).call(vec![value.as_ref().clone()]);
    Ok(Transformed::yes(call))
}

/// The digits behind the point of a decimal.
fn scale(kind: &DataType) -> Option<i8> {
    match kind {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Some(*scale),
        _ => None,
    }
}
