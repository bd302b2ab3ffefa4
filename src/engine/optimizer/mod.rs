//! Optimizer rules of our own, one file per rule.

mod exact_sums;
mod unambiguous;

use std::sync::Arc;

use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;

use exact_sums::ExactSums;
use unambiguous::Unambiguous;

/// The engine's physical rules, in its order, with ours put in.
pub fn physical_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    PhysicalOptimizer::new().rules.into_iter().map(Unambiguous::around_pushdown).collect()
}

/// The engine's logical rules, in its order, with ours put in.
pub fn logical_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    Optimizer::new().rules.into_iter().map(ExactSums::around_distinct).collect()
}
