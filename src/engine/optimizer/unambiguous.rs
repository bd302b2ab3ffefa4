//! Keeps physical filter pushdown away from plans in which a column's name is not unique.
//!
//! DataFusion 55.2 looks columns up by name when it pushes a filter through a projection or into a join's side. Where both
//! sides of a join have a key of one name and the join was turned round, `left.id is null` ends up as a filter on the
//! right side's `id`, and rows are lost without a word (apache/datafusion#21246 and its kin). The rule is therefore run only
//! on those parts of a plan in whose inner schemas every name comes once; there it is right, and that is where scans are.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;

/// The engine's rule, held to the parts of a plan where names are unique.
#[derive(Debug)]
pub struct Unambiguous {
    rule: Arc<dyn PhysicalOptimizerRule + Send + Sync>,
}

impl Unambiguous {
    /// Wraps the rules that push filters down; lets the others through as they are.
    pub fn around_pushdown(
        rule: Arc<dyn PhysicalOptimizerRule + Send + Sync>,
    ) -> Arc<dyn PhysicalOptimizerRule + Send + Sync> {
        if rule.name().starts_with("FilterPushdown") { Arc::new(Self { rule }) } else { rule }
    }

    /// Runs the rule on the largest parts of the plan in which it is right.
    fn apply(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        // Nothing comes in from above the part's root, so that only what lies below it must be unambiguous.
        if plan.children().into_iter().all(is_unambiguous) {
            return self.rule.optimize(plan, config);
        }
        let children = plan.children().into_iter().map(|child| self.apply(Arc::clone(child), config));
        let children = children.collect::<Result<Vec<_>>>()?;
        replace_children_if_necessary(plan, children)
    }
}

impl PhysicalOptimizerRule for Unambiguous {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        self.apply(plan, config)
    }

    fn name(&self) -> &str {
        self.rule.name()
    }

    fn schema_check(&self) -> bool {
        self.rule.schema_check()
    }
}

/// Whether every name comes once in every schema of the plan, and means the same column in every branch of a union.
fn is_unambiguous(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let schema = plan.schema();
    let mut seen = HashSet::new();
    let names_are_unique = schema.fields().iter().all(|field| seen.insert(field.name()));
    // A union has the names of its first branch and takes the others by place, where the rule takes them by name.
    let is_union = plan.children().len() > 1 && ["UnionExec", "InterleaveExec"].contains(&plan.name());
    let same_names = |child: &Arc<dyn ExecutionPlan>| {
        let child = child.schema();
        child.fields().iter().zip(schema.fields()).all(|(below, above)| below.name() == above.name())
    };
    names_are_unique
        && (!is_union || plan.children().into_iter().all(same_names))
        && plan.children().into_iter().all(is_unambiguous)
}
