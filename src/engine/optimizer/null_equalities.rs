//! Keeps joins in which nulls are equal as they are.
//!
//! Of one join DataFusion 55.2 says for all of its keys whether nulls are equal. It takes neighbouring inner joins apart, with the
//! conditions above them, and puts them together in another order, in which all compare as the topmost did; and it makes keys of
//! equations that stand beside an `is not distinct from`. Nulls were then equal in other joins, or unequal in this one.

use std::sync::Arc;

use datafusion::common::NullEquality;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::{Join, LogicalPlan};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// A rule of the engine, held away from such joins.
#[derive(Debug)]
pub struct NullEqualities {
    rule: Arc<dyn OptimizerRule + Send + Sync>,
}

impl NullEqualities {
    /// Wraps the two rules; lets the others through as they are.
    pub fn around_joins(rule: Arc<dyn OptimizerRule + Send + Sync>) -> Arc<dyn OptimizerRule + Send + Sync> {
        match rule.name() {
            "eliminate_cross_join" | "extract_equijoin_predicate" => Arc::new(Self { rule }),
            _ => rule,
        }
    }
}

impl OptimizerRule for NullEqualities {
    fn name(&self) -> &str {
        self.rule.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.rule.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let has_equal_nulls = match self.apply_order() {
            // It looks at one join at a time.
            Some(_) => equates_nulls(&plan),
            None => plan.exists(|node| Ok(equates_nulls(node)))?,
        };
        if has_equal_nulls { Ok(Transformed::no(plan)) } else { self.rule.rewrite(plan, config) }
    }
}

fn equates_nulls(node: &LogicalPlan) -> bool {
    matches!(node, LogicalPlan::Join(Join { null_equality: NullEquality::NullEqualsNull, .. }))
}
