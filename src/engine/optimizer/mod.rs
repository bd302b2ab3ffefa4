//! Optimizer rules of our own, one file per rule.

mod exact_sums;
mod unambiguous;

use std::sync::Arc;

use datafusion::optimizer::{Analyzer, AnalyzerRule, Optimizer, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;

use exact_sums::ExactSums;
use unambiguous::Unambiguous;

use super::sharing::{Attach, ShareSubplans};
use super::views::OpenViews;

/// The engine's physical rules, in its order, with ours put in.
pub fn physical_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let rules = PhysicalOptimizer::new().rules.into_iter().map(Unambiguous::around_pushdown);
    rules.chain([Arc::new(Attach) as Arc<dyn PhysicalOptimizerRule + Send + Sync>]).collect()
}

/// The engine's rules that settle names and types, in its order, and ours after them.
pub fn analyzer_rules() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    let ours: [Arc<dyn AnalyzerRule + Send + Sync>; 2] = [Arc::new(OpenViews), Arc::new(ShareSubplans)];
    Analyzer::new().rules.into_iter().chain(ours).collect()
}

/// The engine's logical rules, in its order, with ours put in.
pub fn logical_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    Optimizer::new().rules.into_iter().map(ExactSums::around_distinct).collect()
}
