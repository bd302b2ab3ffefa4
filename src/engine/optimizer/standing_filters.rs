//! Leaves a filter above a step below which it would let other rows through.
//!
//! DataFusion 55.2 moves a filter below a step that hands all its columns through, and so one without columns below any. Of
//! `random() < 0.5` above groups, half of their rows would be left in place of half of the groups. `what = 'touches'` above a UNION
//! with a constant in each branch becomes `'cost' = 'touches'` in one of them, and below a sum without groups that is no filter: such a
//! sum has a row of no rows, too.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{Expr, Filter, LogicalPlan};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// The engine's rule, held away from such filters.
#[derive(Debug)]
pub struct StandingFilters {
    rule: Arc<dyn OptimizerRule + Send + Sync>,
}

impl StandingFilters {
    /// Wraps the rule that moves filters down; lets the others through as they are.
    pub fn around_pushdown(rule: Arc<dyn OptimizerRule + Send + Sync>) -> Arc<dyn OptimizerRule + Send + Sync> {
        if rule.name() == "push_down_filter" { Arc::new(Self { rule }) } else { rule }
    }
}

impl OptimizerRule for StandingFilters {
    fn name(&self) -> &str {
        self.rule.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.rule.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Filter(first) = &plan else { return self.rule.rewrite(plan, config) };
        // The rule takes filters that follow each other as one.
        let mut parts = split_conjunction(&first.predicate);
        let mut input = &first.input;
        while let LogicalPlan::Filter(next) = input.as_ref() {
            parts.splice(0..0, split_conjunction(&next.predicate));
            input = &next.input;
        }
        let (standing, moving): (Vec<&Expr>, Vec<&Expr>) = parts.into_iter().partition(|part| stands(part, input));
        let Some(standing) = conjunction(standing.into_iter().cloned()) else {
            return self.rule.rewrite(plan, config);
        };
        let Some(moving) = conjunction(moving.into_iter().cloned()) else { return Ok(Transformed::no(plan)) };
        let moved = Filter::try_new(moving, Arc::clone(input))?;
        match self.rule.rewrite(LogicalPlan::Filter(moved), config)? {
            moved if moved.transformed => {
                Ok(Transformed::yes(LogicalPlan::Filter(Filter::try_new(standing, Arc::new(moved.data))?)))
            }
            _ => Ok(Transformed::no(plan)),
        }
    }
}

/// Whether a part of a filter is to stay above this step.
fn stands(part: &Expr, step: &LogicalPlan) -> bool {
    let is_constant = || part.column_refs().is_empty();
    match step {
        LogicalPlan::Aggregate(aggregate) => {
            let groups = &aggregate.group_expr;
            let has_row_of_nothing = groups.is_empty() || groups.iter().any(|key| matches!(key, Expr::GroupingSet(_)));
            part.is_volatile() || has_row_of_nothing && is_constant()
        }
        // A table function may have rows of nothing as well.
        LogicalPlan::Extension(_) => part.is_volatile() || is_constant(),
        LogicalPlan::Window(_) | LogicalPlan::Distinct(_) | LogicalPlan::Join(_) | LogicalPlan::Unnest(_) => {
            part.is_volatile()
        }
        _ => false,
    }
}
