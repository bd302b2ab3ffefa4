//! Adds, subtracts and multiplies whole numbers without losing any of their digits.
//!
//! The engine computes in the type of both sides, and what has no room there wraps around in silence: of two unsigned numbers,
//! as `rank()` and many files have them, 1 - 2 is 18,446,744,073,709,551,615, and 50,000 * 50,000 in 32 bits is less than 0. Here
//! all of them are computed in 64 bits, unsigned ones of 64 as decimals, and what 64 bits do not hold is an error.

use std::ops::RangeInclusive;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Case, Cast};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, ScalarUDF};
use datafusion::optimizer::AnalyzerRule;
use datafusion::scalar::ScalarValue;

use super::super::functions::scalar::WholeNumbers;

/// The decimals that hold every unsigned number of 64 bits.
const UNSIGNED: DataType = DataType::Decimal128(20, 0);

/// The rule that gives both sides a type with room. It comes before the engine settles types.
#[derive(Debug)]
pub struct RoomForWholeNumbers;

/// The rule that puts in what tells of numbers without room. It comes after the engine has settled types, and changes none.
#[derive(Debug)]
pub struct CheckedWholeNumbers;

impl AnalyzerRule for RoomForWholeNumbers {
    fn name(&self) -> &'static str {
        "room_for_whole_numbers"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| super::rewritten_where(node, is_computed, with_room))?;
        Ok(plan.data)
    }
}

impl AnalyzerRule for CheckedWholeNumbers {
    fn name(&self) -> &'static str {
        "checked_whole_numbers"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| super::rewritten_where(node, is_computed, checked))?;
        Ok(plan.data)
    }
}

fn is_computed(expr: &Expr) -> bool {
    matches!(expr, Expr::BinaryExpr(BinaryExpr { op: Operator::Plus | Operator::Minus | Operator::Multiply, .. }))
}

/// An operation on whole numbers in a type with room for what comes out; other expressions as they are.
fn with_room(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = &expr else { return Ok(Transformed::no(expr)) };
    if !is_computed(&expr) {
        return Ok(Transformed::no(expr));
    }
    let (Ok(first), Ok(second)) = (left.get_type(schema), right.get_type(schema)) else {
        return Ok(Transformed::no(expr));
    };
    let wanted = match (&first, &second) {
        (DataType::UInt64, DataType::UInt64) => UNSIGNED,
        // The engine computes these with decimals.
        (DataType::UInt64, other) | (other, DataType::UInt64) if other.is_signed_integer() => {
            return Ok(Transformed::no(expr));
        }
        (DataType::UInt64, other) | (other, DataType::UInt64) if other.is_integer() => UNSIGNED,
        (first, second) if first.is_integer() && second.is_integer() => DataType::Int64,
        _ => return Ok(Transformed::no(expr)),
    };
    if first == wanted && second == wanted {
        return Ok(Transformed::no(expr));
    }
    let side = |side: &Expr| Ok(Box::new(side.clone().cast_to(&wanted, schema)?));
    let (left, right): (Result<_>, Result<_>) = (side(left), side(right));
    Ok(Transformed::yes(Expr::BinaryExpr(BinaryExpr { left: left?, op: *op, right: right? })))
}

/// An operation on whole numbers that may be beyond 64 bits as one that tells; other expressions as they are.
fn checked(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = &expr else { return Ok(Transformed::no(expr)) };
    if !is_computed(&expr) || expr.get_type(schema)? != DataType::Int64 {
        return Ok(Transformed::no(expr));
    }
    let (first, second) = (left.get_type(schema)?, right.get_type(schema)?);
    let has_room = values(&expr, schema).is_some_and(|values| fits(&values));
    if first != DataType::Int64 || second != DataType::Int64 || has_room {
        return Ok(Transformed::no(expr));
    }
    let sides = vec![left.as_ref().clone(), right.as_ref().clone()];
    Ok(Transformed::yes(ScalarUDF::from(WholeNumbers::new(*op)).call(sides)))
}

type Values = RangeInclusive<i128>;

fn fits(values: &Values) -> bool {
    i64::try_from(*values.start()).is_ok() && i64::try_from(*values.end()).is_ok()
}

/// The least and the largest whole number that an expression can be, as far as its own parts say; `None` where it is none.
fn values(expr: &Expr, schema: &DFSchema) -> Option<Values> {
    let of_type = || of_type(&expr.get_type(schema).ok()?);
    match expr {
        Expr::Alias(alias) => values(&alias.expr, schema),
        Expr::Literal(value, _) if value.is_null() => Some(0..=0),
        Expr::Literal(ScalarValue::Int64(Some(value)), _) => Some(i128::from(*value)..=i128::from(*value)),
        Expr::Cast(Cast { expr, .. }) => {
            let (inner, all) = (values(expr, schema), of_type()?);
            // What has no room in the other type is an error there.
            Some(inner.map_or(all.clone(), |inner| *inner.start().max(all.start())..=*inner.end().min(all.end())))
        }
        Expr::Case(Case { when_then_expr, else_expr, .. }) => {
            let chosen = when_then_expr.iter().map(|(_, then)| then).chain(else_expr);
            let mut chosen = chosen.map(|chosen| values(chosen, schema));
            let first = chosen.next()??;
            chosen.try_fold(first, |all, other| {
                let other = other?;
                Some(*all.start().min(other.start())..=*all.end().max(other.end()))
            })
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_computed(expr) => {
            let (first, second) = (values(left, schema)?, values(right, schema)?);
            let combined = |one: &i128, other: &i128| match op {
                Operator::Plus => one.checked_add(*other),
                Operator::Minus => one.checked_sub(*other),
                _ => one.checked_mul(*other),
            };
            let pairs = [
                (first.start(), second.start()),
                (first.start(), second.end()),
                (first.end(), second.start()),
                (first.end(), second.end()),
            ];
            let ends = pairs.map(|(one, other)| combined(one, other));
            let ends: Option<Vec<i128>> = ends.into_iter().collect();
            let ends = ends.unwrap_or_else(|| vec![i128::MIN, i128::MAX]);
            Some(*ends.iter().min()?..=*ends.iter().max()?)
        }
        _ => of_type(),
    }
}

fn of_type(kind: &DataType) -> Option<Values> {
    match kind {
        DataType::Boolean => Some(0..=1),
        DataType::Int8 => Some(i8::MIN.into()..=i8::MAX.into()),
        DataType::Int16 => Some(i16::MIN.into()..=i16::MAX.into()),
        DataType::Int32 => Some(i32::MIN.into()..=i32::MAX.into()),
        DataType::Int64 => Some(i64::MIN.into()..=i64::MAX.into()),
        DataType::UInt8 => Some(0..=u8::MAX.into()),
        DataType::UInt16 => Some(0..=u16::MAX.into()),
        DataType::UInt32 => Some(0..=u32::MAX.into()),
        DataType::UInt64 => Some(0..=u64::MAX.into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{Field, Schema};
    use datafusion::logical_expr::{cast, col, lit, when};

    use super::*;

    fn schema() -> DFSchema {
        let columns = [("small", DataType::Int32), ("n", DataType::Int64), ("u", DataType::UInt64)];
        let fields: Vec<Field> = columns.into_iter().map(|(name, kind)| Field::new(name, kind, true)).collect();
        DFSchema::try_from(Schema::new(fields)).expect("names are different")
    }

    #[test]
    fn only_what_may_be_beyond_64_bits_is_checked_under_its_name_and_in_its_type() {
        let schema = schema();
        let wide = |name: &str| cast(col(name), DataType::Int64);
        let chosen =
            when(col("n").gt(lit(0_i64)), lit(1_i64)).otherwise(lit(ScalarValue::Int64(None))).expect("a case");
        for (operation, is_checked) in [
            (col("n") + lit(1_i64), true),
            (col("n") - lit(1_i64), true),
            (col("n") * lit(1_i64), false),
            (wide("small") * wide("small") + wide("small"), false),
            (wide("small") * wide("small") * lit(3_i64), true),
            (chosen.clone() + chosen, false),
            (lit(i64::MAX) + lit(1_i64), true),
            (col("u") - col("u"), false),
        ] {
            let found = checked(operation.clone(), &schema).expect("types that are known");
            assert_eq!(found.transformed, is_checked, "{operation}");
            assert_eq!(found.data.schema_name().to_string(), operation.schema_name().to_string());
            let kind = |expr: &Expr| expr.get_type(&schema).expect("a type");
            assert_eq!(kind(&found.data), kind(&operation), "{operation}");
        }
    }

    #[test]
    fn both_sides_are_given_room() {
        let schema = schema();
        for (operation, kind) in [
            (col("small") * col("small"), DataType::Int64),
            (col("u") - col("u"), DataType::Decimal128(21, 0)),
            (col("u") - cast(col("small"), DataType::UInt8), DataType::Decimal128(21, 0)),
            (col("n") - col("n"), DataType::Int64),
        ] {
            let found = with_room(operation, &schema).expect("types that are known").data;
            assert_eq!(found.get_type(&schema).expect("a type"), kind, "{found}");
        }
    }
}
