//! Keeps the rewrite of `count(distinct x)` into two groupings away from sums of decimals.
//!
//! DataFusion 55.2 sums twice in that rewrite, and the second sum of a decimal is wider than the plan says: the statement
//! then fails on a comparison of two decimals, or not, depending on what else it selects. Such a statement keeps its one
//! grouping, which is right and a little slower.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// The engine's rule, held away from sums of decimals.
#[derive(Debug)]
pub struct ExactSums {
    rule: Arc<dyn OptimizerRule + Send + Sync>,
}

impl ExactSums {
    /// Wraps the rule that splits distinct counts; lets the others through as they are.
    pub fn around_distinct(rule: Arc<dyn OptimizerRule + Send + Sync>) -> Arc<dyn OptimizerRule + Send + Sync> {
        if rule.name() == "single_distinct_aggregation_to_group_by" { Arc::new(Self { rule }) } else { rule }
    }
}

impl OptimizerRule for ExactSums {
    fn name(&self) -> &str {
        self.rule.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.rule.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match &plan {
            LogicalPlan::Aggregate(aggregate) if sums_decimals(aggregate)? => Ok(Transformed::no(plan)),
            _ => self.rule.rewrite(plan, config),
        }
    }
}

fn sums_decimals(aggregate: &Aggregate) -> Result<bool> {
    for expression in &aggregate.aggr_expr {
        if let Expr::AggregateFunction(AggregateFunction { func, .. }) = expression
            && func.name() == "sum"
            && matches!(
                expression.get_type(aggregate.input.schema())?,
                DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..)
            )
        {
            return Ok(true);
        }
    }
    Ok(false)
}
