//! Counts distinct texts, dates and moments of many groups with two tables in place of one for each group.
//!
//! Where a statement counts the distinct values of one column and nothing else is against it, the engine groups twice, which is good.
//! With a second column it keeps a table for each group, and adds row by row. The rule comes after the engine's, so that it finds
//! those alone.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{Aggregate, AggregateUDF, Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use super::super::functions::aggregate::DistinctCount;
use super::super::options;

#[derive(Debug)]
pub struct DistinctCounts;

impl OptimizerRule for DistinctCounts {
    fn name(&self) -> &'static str {
        "distinct_counts"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        if !options::of(&config.options()).distinct_counts || aggregate.group_expr.is_empty() {
            return Ok(Transformed::no(plan));
        }
        let function = Arc::new(AggregateUDF::from(DistinctCount::default()));
        let mut changed = false;
        let mut expressions = Vec::with_capacity(aggregate.aggr_expr.len());
        for expression in &aggregate.aggr_expr {
            let counted = counted(expression, aggregate, &function)?;
            changed |= counted.is_some();
            expressions.push(counted.unwrap_or_else(|| expression.clone()));
        }
        if !changed {
            return Ok(Transformed::no(plan));
        }
        let schema = Arc::clone(&aggregate.schema);
        let aggregate = Aggregate::try_new_with_schema(
            Arc::clone(&aggregate.input),
            aggregate.group_expr.clone(),
            expressions,
            schema,
        )?;
        Ok(Transformed::yes(LogicalPlan::Aggregate(aggregate)))
    }
}

/// The call with our function, called as it was; `None` for others.
fn counted(expression: &Expr, aggregate: &Aggregate, function: &Arc<AggregateUDF>) -> Result<Option<Expr>> {
    let (call, name) = match expression {
        Expr::Alias(alias) => (alias.expr.as_ref(), alias.name.clone()),
        other => (other, other.schema_name().to_string()),
    };
    let Expr::AggregateFunction(AggregateFunction { func, params }) = call else { return Ok(None) };
    let [value] = params.args.as_slice() else { return Ok(None) };
    let is_plain = func.name() == "count" && params.distinct && params.order_by.is_empty();
    if !is_plain || !DistinctCount::takes(&value.get_type(aggregate.input.schema())?) {
        return Ok(None);
    }
    let params = AggregateFunctionParams { distinct: false, ..params.clone() };
    Ok(Some(Expr::AggregateFunction(AggregateFunction { func: Arc::clone(function), params }).alias(name)))
}
