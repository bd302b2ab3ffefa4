//! Dates beside moments, and beside hours.
//!
//! The engine makes nanoseconds of a date and the moment that it is compared with, and no date after 2262 can be one: 9999-12-31 is the
//! usual end of what holds until further notice. Here the date takes the unit of the moment; of nanoseconds, as `now()` has them, both
//! take microseconds. A moment that is written out, `'9999-12-31'` or `timestamp '9999-12-31'`, takes the unit of the other side as well.
//! And a date with hours added is a moment, of which the engine made a date again.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, cast, lit};
use datafusion::optimizer::AnalyzerRule;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::scalar::ScalarValue;

/// Days from 1970 to the last that is nanoseconds of 64 bits, and as many before.
const DAYS_OF_NANOSECONDS: i32 = 106_750;

/// The rule. It comes before the engine settles types.
#[derive(Debug)]
pub struct DaysAndMoments;

impl AnalyzerRule for DaysAndMoments {
    fn name(&self) -> &'static str {
        "days_and_moments"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| super::rewritten_where(node, is_either, with_moments))?;
        Ok(plan.data)
    }
}

fn is_either(expr: &Expr) -> bool {
    addends(expr).is_some() || super::sides(expr).is_some()
}

/// A comparison or sum whose dates are moments where they have to be; other expressions as they are.
fn with_moments(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let (sum, comparison) = (addends(&expr), super::sides(&expr));
    let has_sum = sum.is_some();
    let Some(sides) = sum.or(comparison) else { return Ok(Transformed::no(expr)) };
    let kinds: Option<Vec<DataType>> = sides.iter().map(|side| side.get_type(schema).ok()).collect();
    let Some(kinds) = kinds else { return Ok(Transformed::no(expr)) };
    if !has_sum && let Some(unit) = of_written(&sides, &kinds) {
        return expr.map_children(|side| match written(&side) {
            Some(text) => Ok(Transformed::yes(cast(lit(text), unit.clone()))),
            None => Ok(Transformed::no(side)),
        });
    }
    let wanted = if has_sum { of_sum(&sides, &kinds) } else { of_comparison(&sides, &kinds) };
    let Some(wanted) = wanted else { return Ok(Transformed::no(expr)) };
    // The sides are its children, in this order.
    let mut kinds = kinds.into_iter();
    expr.map_children(|side| match kinds.next() {
        Some(kind) if is_date(&kind) || (is_moment(&kind) && kind != wanted) => {
            Ok(Transformed::yes(cast(side, wanted.clone())))
        }
        _ => Ok(Transformed::no(side)),
    })
}

/// The sides of a sum or difference.
fn addends(expr: &Expr) -> Option<Vec<&Expr>> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Plus | Operator::Minus, right }) => Some(vec![left, right]),
        _ => None,
    }
}

fn is_date(kind: &DataType) -> bool {
    matches!(kind, DataType::Date32 | DataType::Date64)
}

fn is_moment(kind: &DataType) -> bool {
    matches!(kind, DataType::Timestamp(..))
}

/// The text of a moment that is written out.
fn written(side: &Expr) -> Option<&str> {
    let text = match super::unaliased(side) {
        Expr::Cast(Cast { expr, field })
            if matches!(field.data_type(), DataType::Timestamp(TimeUnit::Nanosecond, None)) =>
        {
            super::unaliased(expr)
        }
        other => other,
    };
    match text {
        Expr::Literal(value, _) => value.try_as_str().flatten(),
        _ => None,
    }
}

/// The moments that those which are written out are compared with; `None` where none are, where these have digits that the others
/// lack, and where the engine's nanoseconds will do.
fn of_written(sides: &[&Expr], kinds: &[DataType]) -> Option<DataType> {
    let texts: Vec<&str> = sides.iter().filter_map(|side| written(side)).collect();
    let mut others = sides.iter().zip(kinds).filter(|(side, _)| written(side).is_none()).map(|(_, kind)| kind);
    let other = others.next().filter(|first| others.all(|kind| kind == *first))?;
    let DataType::Timestamp(unit, zone) = other else { return None };
    let is_utc = zone.as_deref().is_none_or(|zone| ["UTC", "+00:00"].contains(&zone));
    let digits = match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => return None,
    };
    let has_few = |text: &&str| {
        text.split_once('.').is_none_or(|(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count() <= digits)
    };
    (is_utc && !texts.is_empty() && texts.iter().all(has_few)).then(|| other.clone())
}

/// The moments that a date is added to hours as; `None` for days, months and all else.
fn of_sum(sides: &[&Expr], kinds: &[DataType]) -> Option<DataType> {
    let has_hours = |side: &&Expr| match super::unaliased(side) {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(span)), _) => span.nanoseconds != 0,
        Expr::Literal(ScalarValue::IntervalDayTime(Some(span)), _) => span.milliseconds != 0,
        _ => false,
    };
    (kinds.iter().any(is_date) && sides.iter().any(has_hours))
        .then_some(DataType::Timestamp(TimeUnit::Microsecond, None))
}

/// The moments that dates and moments are compared as; `None` where there are not both, or something else, or where the engine's will do.
fn of_comparison(sides: &[&Expr], kinds: &[DataType]) -> Option<DataType> {
    let is_time = |kind: &DataType| is_date(kind) || is_moment(kind) || kind.is_null();
    if !kinds.iter().all(is_time) || !kinds.iter().any(is_date) {
        return None;
    }
    let mut moments = kinds.iter().filter(|kind| is_moment(kind));
    let moment = moments.next().filter(|first| moments.all(|other| other == *first))?;
    let DataType::Timestamp(TimeUnit::Nanosecond, zone) = moment else { return Some(moment.clone()) };
    let is_late = |(side, kind): (&&Expr, &DataType)| is_date(kind) && !is_known_to_fit(side);
    let wanted = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
    sides.iter().zip(kinds).any(is_late).then_some(wanted)
}

/// Whether a date is a constant that can be nanoseconds.
fn is_known_to_fit(side: &Expr) -> bool {
    let simplifier = ExprSimplifier::new(SimplifyContext::default());
    let known = simplifier.simplify(side.clone());
    match known.as_ref().map(super::unaliased) {
        Ok(Expr::Literal(value, _)) => match value.cast_to(&DataType::Date32) {
            Ok(ScalarValue::Date32(Some(day))) => day.abs() <= DAYS_OF_NANOSECONDS,
            _ => value.is_null(),
        },
        _ => false,
    }
}
