//! Calculates with moments in UTC as with numbers.
//!
//! The engine asks the calendar of the zone for every row when days are added to a moment or its date is wanted. In UTC a day is always
//! as long as another: so many days are a duration, and the date of a moment is a division.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, IntervalMonthDayNano, TimeUnit};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Cast, Expr, ExprSchemable, LogicalPlan, Operator, ScalarUDF, lit};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use datafusion::scalar::ScalarValue;

use super::super::functions::scalar::{DayInUtc, is_utc, nanoseconds, unit_length};

/// Values of an IN that the engine takes apart into comparisons.
const FEW: usize = 3;

/// The rule. It comes after the engine's, which know intervals and use them to read less; of dates of moments they know by
/// [`DayInUtc`] as much.
#[derive(Debug)]
pub struct InUtc {
    day: Arc<ScalarUDF>,
}

impl InUtc {
    pub fn new() -> Self {
        Self { day: Arc::new(DayInUtc::default().into()) }
    }

    fn rewritten(&self, expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
        match &expr {
            Expr::Cast(Cast { expr: moment, field })
                if *field.data_type() == DataType::Date32 && is_utc(&moment.get_type(schema)?) =>
            {
                return Ok(Transformed::yes(self.day.call(vec![moment.as_ref().clone()])));
            }
            Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::Plus | Operator::Minus), right }) => {
                let added = |moment: &Expr, interval: &Expr| -> Result<Option<Expr>> {
                    let Expr::Literal(interval, _) = interval else { return Ok(None) };
                    Ok(match moment.get_type(schema)? {
                        kind @ DataType::Timestamp(unit, Some(_)) if is_utc(&kind) => duration(interval, unit).map(lit),
                        _ => None,
                    })
                };
                if let Some(duration) = added(left, right)? {
                    let right = Box::new(duration);
                    return Ok(Transformed::yes(Expr::BinaryExpr(BinaryExpr { left: left.clone(), op: *op, right })));
                }
            }
            _ => {}
        }
        Ok(Transformed::no(expr))
    }
}

impl OptimizerRule for InUtc {
    fn name(&self) -> &'static str {
        "in_utc"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        // What a scan is to filter is matched against the file's columns by the engine.
        if matches!(plan, LogicalPlan::TableScan(_)) {
            return Ok(Transformed::no(plan));
        }
        let schema = merge_schema(&plan.inputs());
        if !matches!(plan, LogicalPlan::Filter(_)) {
            return super::rewritten(plan, |expr| self.rewritten(expr, &schema));
        }
        plan.map_expressions(|expr| {
            expr.transform_down(|part| {
                if leaves_files_out(&part) {
                    return Ok(Transformed::new(part, false, TreeNodeRecursion::Jump));
                }
                self.rewritten(part, &schema)
            })
        })
    }
}

/// Whether files are left out by a day as the engine knows it, and would not be by [`DayInUtc`], which stands for a range of moments
/// beside few dates alone.
fn leaves_files_out(part: &Expr) -> bool {
    match part {
        Expr::InList(InList { expr, list, .. }) => is_day(expr) && list.len() > FEW,
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if op.supports_propagation() => {
            let is_moment =
                |other: &Expr| matches!(other, Expr::Literal(value, _) if value.data_type() != DataType::Date32);
            is_day(left) && is_moment(right) || is_moment(left) && is_day(right)
        }
        _ => false,
    }
}

fn is_day(expr: &Expr) -> bool {
    match expr {
        Expr::Cast(Cast { expr, field }) => *field.data_type() == DataType::Date32 || is_day(expr),
        _ => false,
    }
}

/// An interval of days and less as a duration in a unit; `None` for months, whose lengths differ, and for parts of the unit.
fn duration(interval: &ScalarValue, unit: TimeUnit) -> Option<ScalarValue> {
    let interval = match interval {
        ScalarValue::IntervalMonthDayNano(Some(interval)) if interval.months == 0 => *interval,
        ScalarValue::IntervalDayTime(Some(interval)) => {
            IntervalMonthDayNano::new(0, interval.days, i64::from(interval.milliseconds) * 1_000_000)
        }
        _ => return None,
    };
    in_unit(nanoseconds(interval), unit)
}

/// Nanoseconds as a duration in a unit; `None` for parts of it.
pub(super) fn in_unit(nanoseconds: i128, unit: TimeUnit) -> Option<ScalarValue> {
    let length = unit_length(unit);
    let count = i64::try_from(nanoseconds / length).ok().filter(|_| nanoseconds % length == 0)?;
    Some(match unit {
        TimeUnit::Second => ScalarValue::DurationSecond(Some(count)),
        TimeUnit::Millisecond => ScalarValue::DurationMillisecond(Some(count)),
        TimeUnit::Microsecond => ScalarValue::DurationMicrosecond(Some(count)),
        TimeUnit::Nanosecond => ScalarValue::DurationNanosecond(Some(count)),
    })
}
