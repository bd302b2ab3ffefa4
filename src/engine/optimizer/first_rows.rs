//! Reads first what may hold the first rows of an order, where a filter lies between the sort for them and the scan.
//!
//! A sort that knows its first rows asks the scan for none that come behind them, and whole files are left out when those with the
//! first rows are read before them. The engine reorders files and row groups so, by what their footers say, but not below a filter.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalSortExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, SortOrderPushdownResult};

/// The rule. It comes beside the engine's own, and is switched with it.
#[derive(Debug)]
pub struct FirstRows;

impl PhysicalOptimizerRule for FirstRows {
    fn name(&self) -> &'static str {
        "first_rows"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        if !config.optimizer.enable_sort_pushdown {
            return Ok(plan);
        }
        plan.transform_up(|plan| {
            let Some(sort) = plan.downcast_ref::<SortExec>().filter(|sort| sort.fetch().is_some()) else {
                return Ok(Transformed::no(plan));
            };
            Ok(match sought(sort.input(), sort.expr())? {
                Some(input) => Transformed::yes(replace_children_if_necessary(plan, vec![input])?),
                None => Transformed::no(plan),
            })
        })
        .data()
    }
}

/// The plan with its scan in the order in which rows are sought, as far as it can be.
fn sought(plan: &Arc<dyn ExecutionPlan>, order: &[PhysicalSortExpr]) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    // What keeps some rows only is to keep those that it kept before.
    if plan.fetch().is_some() {
        return Ok(None);
    }
    if let Some(scan) = plan.downcast_ref::<DataSourceExec>() {
        let config = scan.data_source().downcast_ref::<FileScanConfig>();
        // A scan in a bucket says how it is parted: it waits in many places at once.
        if config.is_none_or(|config| config.output_partitioning.is_some()) {
            return Ok(None);
        }
        return Ok(match scan.try_pushdown_sort(order)? {
            SortOrderPushdownResult::Exact { inner } | SortOrderPushdownResult::Inexact { inner } => Some(inner),
            SortOrderPushdownResult::Unsupported => None,
        });
    }
    let [child] = plan.children()[..] else { return Ok(None) };
    let below = |place: usize| -> Option<usize> {
        if let Some(filter) = plan.downcast_ref::<FilterExec>() {
            filter.projection().as_ref().map_or(Some(place), |columns| columns.get(place).copied())
        } else if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
            projection.expr().get(place)?.expr.downcast_ref::<Column>().map(Column::index)
        } else {
            (plan.is::<CoalescePartitionsExec>() || plan.is::<RepartitionExec>()).then_some(place)
        }
    };
    let schema = child.schema();
    let keys = order.iter().map_while(|key| {
        let place = below(key.expr.downcast_ref::<Column>()?.index())?;
        Some(PhysicalSortExpr::new(Arc::new(Column::new(schema.field(place).name(), place)), key.options))
    });
    let keys: Vec<PhysicalSortExpr> = keys.collect();
    if keys.is_empty() {
        return Ok(None);
    }
    let Some(child) = sought(child, &keys)? else { return Ok(None) };
    Ok(Some(replace_children_if_necessary(Arc::clone(plan), vec![child])?))
}
