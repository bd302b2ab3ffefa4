//! Optimizer rules of our own, one file per rule.

mod unambiguous;

use std::sync::Arc;

use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;

use unambiguous::Unambiguous;

/// The engine's physical rules, in its order, with ours put in.
pub fn physical_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    PhysicalOptimizer::new().rules.into_iter().map(Unambiguous::around_pushdown).collect()
}
