//! Rounds decimals to as many places as are known when types are settled.
//!
//! DataFusion 55.2 gives a rounded decimal the places that are asked for where those are a literal, and else the places that it had. It
//! wraps the literal in a cast as it settles types and folds the cast later: the call has another type then than the statement around
//! it was settled with, and a branch of a CASE was shown at ten or a hundred times its value. Here the places are folded first, to a
//! literal that needs no cast.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, LogicalPlan, lit};
use datafusion::optimizer::AnalyzerRule;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;

/// The rule. It comes before the engine settles types.
#[derive(Debug)]
pub struct Roundings;

impl AnalyzerRule for Roundings {
    fn name(&self) -> &'static str {
        "roundings"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| {
            super::rewritten_where(node, is_rounding, |expr, _| Ok(with_known_places(expr)))
        })?;
        Ok(plan.data)
    }
}

fn is_rounding(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == "round" && args.len() == 2)
}

/// A call of `round` whose places are a literal of the type that it takes, where they are constant; other expressions as they are.
fn with_known_places(mut expr: Expr) -> Transformed<Expr> {
    if is_rounding(&expr)
        && let Expr::ScalarFunction(ScalarFunction { args, .. }) = &mut expr
        && let Some(places) = args.get_mut(1)
        && let Some(known) = known(places)
    {
        *places = known;
        return Transformed::yes(expr);
    }
    Transformed::no(expr)
}

/// Constant places as a literal; `None` for those of a row, and for what is no whole number, which the engine refuses.
fn known(places: &Expr) -> Option<Expr> {
    let simplifier = ExprSimplifier::new(SimplifyContext::default());
    let places = simplifier.coerce(places.clone(), &DFSchema::empty()).ok()?;
    match simplifier.simplify(places).ok()? {
        Expr::Literal(places, _) if places.data_type().is_integer() || places.data_type().is_null() => {
            places.cast_to(&DataType::Int32).ok().map(lit)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::functions::math::expr_fn::round;
    use datafusion::logical_expr::{cast, col};
    use datafusion::scalar::ScalarValue;

    use super::*;

    #[test]
    fn places_that_are_constant_become_a_literal_of_the_type_that_round_takes() {
        for (places, known) in [
            (lit(2_i64), Some(2)),
            (lit(-1_i64), Some(-1)),
            (lit(1_i64) + lit(1_i64), Some(2)),
            (cast(lit(3_i64), DataType::Int16), Some(3)),
        ] {
            let found = with_known_places(round(vec![col("cost"), places]));
            assert_eq!(found.data, round(vec![col("cost"), lit(ScalarValue::Int32(known))]));
        }
        let none = with_known_places(round(vec![col("cost"), lit(ScalarValue::Null)]));
        assert_eq!(none.data, round(vec![col("cost"), lit(ScalarValue::Int32(None))]));
    }

    #[test]
    fn places_of_a_row_and_those_that_the_engine_refuses_stay() {
        for places in [col("places"), lit(1.5), lit("1"), lit(99_999_999_999_i64)] {
            let rounding = round(vec![col("cost"), places]);
            let found = with_known_places(rounding.clone());
            assert!(!found.transformed);
            assert_eq!(found.data, rounding);
        }
        assert!(!with_known_places(round(vec![col("cost")])).transformed);
    }
}
