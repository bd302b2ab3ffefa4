//! Copies the texts of a join's result together before the next join keeps them.
//!
//! A column of texts points into buffers, and a batch that leaves a join points into all buffers of the side that was kept, however few
//! of its texts it has. The engine puts the batches of a side that it keeps in one, and with them their buffers one after the other:
//! batches times buffers, and after four such joins more than there is memory for. So between two joins every batch gets a buffer of
//! its own with just its texts.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Statistics, internal_err};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::StreamExt;

/// Buffers that a column of a batch may point into before its texts are copied.
const BUFFERS_MAX: usize = 4;

/// The rule. It comes after those that move nodes.
#[derive(Debug)]
pub struct CompactViews;

impl PhysicalOptimizerRule for CompactViews {
    fn name(&self) -> &'static str {
        "compact_views"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let compact = plan.transform_up(|node| {
            if !keeps_left(node.as_ref()) {
                return Ok(Transformed::no(node));
            }
            let mut children: Vec<_> = node.children().into_iter().map(Arc::clone).collect();
            let Some(kept) =
                children.first_mut().filter(|kept| comes_from_join(kept.as_ref()) && has_views(kept.as_ref()))
            else {
                return Ok(Transformed::no(node));
            };
            *kept = Arc::new(CompactViewsExec { input: Arc::clone(kept) });
            Ok(Transformed::yes(replace_children_if_necessary(node, children)?))
        })?;
        Ok(compact.data)
    }
}

/// Whether a node keeps all rows of its first child in memory as they are.
fn keeps_left(node: &dyn ExecutionPlan) -> bool {
    node.is::<HashJoinExec>() || node.is::<NestedLoopJoinExec>() || node.is::<CrossJoinExec>()
}

/// Whether batches of a node point into buffers that a join kept.
fn comes_from_join(node: &dyn ExecutionPlan) -> bool {
    // A grouping makes texts anew.
    keeps_left(node)
        || (!node.is::<AggregateExec>() && node.children().into_iter().any(|child| comes_from_join(child.as_ref())))
}

fn has_views(node: &dyn ExecutionPlan) -> bool {
    node.schema().fields().iter().any(|field| matches!(field.data_type(), DataType::Utf8View | DataType::BinaryView))
}

/// The rows of its input, each batch with texts of its own.
#[derive(Debug)]
struct CompactViewsExec {
    input: Arc<dyn ExecutionPlan>,
}

impl DisplayAs for CompactViewsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CompactViewsExec")
    }
}

impl ExecutionPlan for CompactViewsExec {
    fn name(&self) -> &'static str {
        "CompactViewsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("one input is compacted");
        };
        Ok(Arc::new(Self { input }))
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let [input] = inputs else { return internal_err!("one input is compacted") };
        Ok(Arc::clone(input))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let batches = self.input.execute(partition, context)?.map(|batch| compacted(&batch?));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }
}

fn compacted(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = batch.columns().iter().map(|column| own_texts(column, BUFFERS_MAX)).collect();
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

/// A column with texts of its own, if it points into more buffers than so many.
pub(super) fn own_texts(column: &ArrayRef, buffers_max: usize) -> ArrayRef {
    match column.data_type() {
        DataType::Utf8View if column.as_string_view().data_buffers().len() > buffers_max => {
            Arc::new(column.as_string_view().gc())
        }
        DataType::BinaryView if column.as_binary_view().data_buffers().len() > buffers_max => {
            Arc::new(column.as_binary_view().gc())
        }
        _ => Arc::clone(column),
    }
}
