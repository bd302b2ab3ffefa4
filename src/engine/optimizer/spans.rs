//! Compares spans of time by how long they are.
//!
//! The engine makes intervals of both sides, a difference of moments being nanoseconds alone, and compares field by field: three days
//! are then more than any difference. A span that is written out becomes a duration in the unit of the other side; where that is
//! not possible, the lengths of both are compared.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, ScalarUDF, Sort, lit};
use datafusion::optimizer::AnalyzerRule;
use datafusion::scalar::ScalarValue;

use super::super::functions::scalar::{SpanLength, nanoseconds};
use super::in_utc::in_unit;

/// The rule. It comes before the engine settles types, which is when it makes intervals of both sides.
#[derive(Debug)]
pub struct Spans;

impl AnalyzerRule for Spans {
    fn name(&self) -> &'static str {
        "spans"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| {
            super::rewritten_where(node, |expr| super::sides(expr).is_some(), compared)?.transform_data(|node| {
                Ok(match node {
                    LogicalPlan::Sort(sort) => sorted(sort),
                    other => Transformed::no(other),
                })
            })
        })?;
        Ok(plan.data)
    }
}

/// A comparison by length; other expressions as they are.
fn compared(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Some(sides) = super::sides(&expr) else { return Ok(Transformed::no(expr)) };
    let Some(comparable) = comparable(&sides, schema) else { return Ok(Transformed::no(expr)) };
    // The sides are its children, in this order.
    let mut comparable = comparable.into_iter();
    expr.map_children(|side| Ok(Transformed::yes(comparable.next().unwrap_or(side))))
}

/// A sort by the lengths of intervals.
fn sorted(mut sort: Sort) -> Transformed<LogicalPlan> {
    let mut is_other = false;
    for key in &mut sort.expr {
        if matches!(key.expr.get_type(sort.input.schema()), Ok(DataType::Interval(_))) {
            key.expr = length(key.expr.clone());
            is_other = true;
        }
    }
    let sort = LogicalPlan::Sort(sort);
    if is_other { Transformed::yes(sort) } else { Transformed::no(sort) }
}

/// Spans as what compares by length; `None` where there is no interval among them, or something else.
fn comparable(sides: &[&Expr], schema: &DFSchema) -> Option<Vec<Expr>> {
    let kinds: Vec<DataType> = sides.iter().map(|side| side.get_type(schema).ok()).collect::<Option<_>>()?;
    let is_span = |kind: &DataType| matches!(kind, DataType::Interval(_) | DataType::Duration(_) | DataType::Null);
    if !kinds.iter().all(is_span) || !kinds.iter().any(|kind| matches!(kind, DataType::Interval(_))) {
        return None;
    }
    let sides = || sides.iter().zip(&kinds);
    let unit = kinds.iter().find_map(|kind| if let DataType::Duration(unit) = kind { Some(*unit) } else { None });
    let durations = unit.and_then(|unit| sides().map(|(side, kind)| duration(side, kind, unit)).collect());
    durations.or_else(|| {
        let lengths =
            sides().map(|(side, kind)| if kind.is_null() { (*side).clone() } else { length((*side).clone()) });
        Some(lengths.collect())
    })
}

/// A side that is a duration in a unit, or a literal that can be one.
fn duration(side: &Expr, kind: &DataType, unit: TimeUnit) -> Option<Expr> {
    match (super::unaliased(side), kind) {
        (_, DataType::Null) => Some(side.clone()),
        (_, DataType::Duration(of)) => (*of == unit).then(|| side.clone()),
        (Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _), _) => {
            in_unit(nanoseconds(*interval), unit).map(lit)
        }
        _ => None,
    }
}

fn length(span: Expr) -> Expr {
    ScalarUDF::from(SpanLength::default()).call(vec![span])
}
