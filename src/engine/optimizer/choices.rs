//! Chooses values by the bits of conditions where CASE has nothing to calculate: `case when nps >= 9 then 1 when nps <= 6 then -1 else 0 end`.
//!
//! The engine evaluates a branch for its rows alone, since it could fail for others. Here no value can fail, and no condition but the first,
//! which is asked of all rows anyway.

use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::{BinaryExpr, Case, Cast, Expr, ExprSchemable, LogicalPlan, Operator, ScalarUDF};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use datafusion::scalar::ScalarValue;

use super::super::functions::scalar::{Choice, ShortTextIs};
use super::super::options;

/// The rule. It comes after the engine's, which know CASE.
#[derive(Debug)]
pub struct Choices;

impl OptimizerRule for Choices {
    fn name(&self) -> &'static str {
        "choices"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let calculates = matches!(plan, LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_));
        if !calculates || !options::of(&config.options()).choices {
            return Ok(Transformed::no(plan));
        }
        super::rewritten_where(plan, |expr| matches!(expr, Expr::Case(_)), chosen)
    }
}

fn chosen(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::Case(Case { expr: None, when_then_expr: branches, else_expr }) = &expr else {
        return Ok(Transformed::no(expr));
    };
    if !branches[1..].iter().all(|(condition, _)| is_free(condition, schema)) {
        return Ok(Transformed::no(expr));
    }
    let of = expr.get_type(schema)?;
    let Ok(none) = ScalarValue::try_from(&of) else { return Ok(Transformed::no(expr)) };
    let typed = |value: &Expr| match value {
        Expr::Literal(value, _) if value.is_null() => Expr::Literal(none.clone(), None),
        other => other.clone(),
    };
    let otherwise = else_expr.as_deref().cloned().unwrap_or_else(|| Expr::Literal(ScalarValue::Null, None));
    let values = branches.iter().map(|(_, value)| value.as_ref()).chain([&otherwise]);
    let values: Vec<Expr> = values.map(typed).collect();
    let (otherwise, chosen) = (&values[branches.len()], &values[..branches.len()]);

    // The engine makes nulls of a column's values without a look at them.
    let makes_nulls = matches!((chosen, otherwise), ([Expr::Column(_)], Expr::Literal(value, _)) if value.is_null());
    let among_columns = Choice::is_among_columns(&of);
    let can_be_chosen = |value: &Expr| match value {
        Expr::Literal(..) => true,
        other => among_columns && is_free(other, schema),
    };
    if makes_nulls
        || !values.iter().all(|value| can_be_chosen(value) && value.get_type(schema).is_ok_and(|its| its == of))
    {
        return Ok(Transformed::no(expr));
    }
    let conditions = branches.iter().map(|(condition, _)| condition.as_ref().clone());
    let arguments = conditions.zip(chosen).flat_map(|(condition, value)| [condition, value.clone()]);
    let function = ScalarUDF::from(Choice::new(of.clone(), expr.nullable(schema)?));
    Ok(Transformed::yes(function.call(arguments.chain([otherwise.clone()]).collect())))
}

/// Whether an expression costs next to nothing and cannot fail.
fn is_free(expr: &Expr, schema: &DFSchema) -> bool {
    let is_step = |part: &Expr| match part {
        Expr::Column(_)
        | Expr::Literal(..)
        | Expr::Not(_)
        | Expr::Between(_)
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_) => true,
        Expr::InList(list) => list.list.iter().all(|value| matches!(value, Expr::Literal(..))),
        Expr::Cast(Cast { expr, field }) => {
            expr.get_type(schema).is_ok_and(|from| super::has_room(field.data_type(), &from))
        }
        Expr::ScalarFunction(call) => call.func.inner().is::<ShortTextIs>() || call.func.inner().is::<Choice>(),
        Expr::BinaryExpr(BinaryExpr { op, .. }) if super::is_condition(*op) => true,
        Expr::BinaryExpr(BinaryExpr { op: Operator::Plus | Operator::Minus | Operator::Multiply, .. }) => {
            part.get_type(schema).is_ok_and(|of| of.is_floating() || of.is_integer())
        }
        Expr::BinaryExpr(BinaryExpr { op: Operator::Divide, .. }) => {
            part.get_type(schema).is_ok_and(|of| of.is_floating())
        }
        _ => false,
    };
    !expr.exists(|part| Ok(!is_step(part))).unwrap_or(true)
}
