//! Takes one date from another as numbers of days.
//!
//! DataFusion 55.2 gives the difference of dates as a whole number of days, but reckons its bounds in a filter as a length of time,
//! and refuses to hold that against a number. A date is a number of days itself: so many since 1970.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, cast};
use datafusion::optimizer::AnalyzerRule;

/// The rule. It comes after the engine has settled types, and changes none.
#[derive(Debug)]
pub struct DaysBetween;

impl AnalyzerRule for DaysBetween {
    fn name(&self) -> &'static str {
        "days_between"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| {
            super::rewritten_where(node, is_difference, |expr, rows| Ok(counted(expr, rows)))
        })?;
        Ok(plan.data)
    }
}

fn is_difference(expr: &Expr) -> bool {
    matches!(expr, Expr::BinaryExpr(BinaryExpr { op: Operator::Minus, .. }))
}

/// A difference of dates as one of numbers; other expressions as they are.
fn counted(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Minus, right }) = &expr else {
        return Transformed::no(expr);
    };
    let is_date = |side: &Expr| matches!(side.get_type(schema), Ok(DataType::Date32));
    if !is_date(left) || !is_date(right) {
        return Transformed::no(expr);
    }
    let days = |date: &Expr| cast(cast(date.clone(), DataType::Int32), DataType::Int64);
    Transformed::yes(days(left) - days(right))
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{Field, Schema};
    use datafusion::logical_expr::{col, lit};

    use super::*;

    #[test]
    fn a_difference_of_dates_is_counted_under_its_name_and_in_its_type() {
        let columns = [("start", DataType::Date32), ("finish", DataType::Date32), ("n", DataType::Int64)];
        let fields: Vec<Field> = columns.into_iter().map(|(name, kind)| Field::new(name, kind, true)).collect();
        let schema = DFSchema::try_from(Schema::new(fields)).expect("names are different");
        for (difference, is_of_dates) in [(col("finish") - col("start"), true), (col("n") - lit(1_i64), false)] {
            let found = counted(difference.clone(), &schema);
            assert_eq!(found.transformed, is_of_dates, "{difference}");
            assert_eq!(found.data.schema_name().to_string(), difference.schema_name().to_string());
            let kind = |expr: &Expr| expr.get_type(&schema).expect("a type");
            assert_eq!(kind(&found.data), kind(&difference), "{difference}");
        }
    }
}
