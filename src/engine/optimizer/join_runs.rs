//! Leaves out rows that repeat the row before them, where a join only asks whether there is one: EXISTS, IN and their opposites over
//! files that hold the rows of one account together.
//!
//! The engine looks for the partners of every row. Files seldom say how they are sorted, so each part of the input is asked by its first
//! rows; where they do not repeat each other, all pass as they are.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::{partition, take_arrays};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, Statistics, internal_err};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{PhysicalExpr, PhysicalExprRef};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::StreamExt;

use super::super::options;
use super::group_runs::{firsts, has_runs};

/// The rule. It comes last, since others look for what is below joins.
#[derive(Debug)]
pub struct JoinRuns;

impl PhysicalOptimizerRule for JoinRuns {
    fn name(&self) -> &'static str {
        "join_runs"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        if !options::of(config).group_runs {
            return Ok(plan);
        }
        let found = plan.transform_up(|node| {
            let Some(asked) = node.downcast_ref::<HashJoinExec>().and_then(asked) else {
                return Ok(Transformed::no(node));
            };
            let mut children: Vec<_> = node.children().into_iter().map(Arc::clone).collect();
            children[asked] = without_repeats(Arc::clone(&children[asked]))?;
            Ok(Transformed::yes(replace_children_if_necessary(node, children)?))
        })?;
        Ok(found.data)
    }
}

/// The side of which a join only asks whether its keys are there, and which has nothing but them.
fn asked(join: &HashJoinExec) -> Option<usize> {
    let (place, side) = match join.join_type() {
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => (1, join.right()),
        JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => (0, join.left()),
        _ => return None,
    };
    let keys = join.on().iter().map(|(left, right)| if place == 0 { left } else { right });
    let keys: Vec<usize> =
        keys.filter_map(|key: &PhysicalExprRef| Some(key.downcast_ref::<Column>()?.index())).collect();
    let is_all = (0..side.schema().fields().len()).all(|column| keys.contains(&column));
    let is_plain = side.schema().fields().iter().all(|field| !field.data_type().is_nested());
    (is_all && is_plain && join.filter().is_none()).then_some(place)
}

/// The side without rows that repeat the one before, before they are handed from thread to thread.
fn without_repeats(side: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    // A limit counts its rows.
    if (side.is::<RepartitionExec>() || side.is::<CoalescePartitionsExec>()) && side.fetch().is_none() {
        let children = side.children().into_iter().map(|child| without_repeats(Arc::clone(child)));
        let children = children.collect::<Result<_>>()?;
        return replace_children_if_necessary(side, children);
    }
    Ok(Arc::new(JoinRunsExec { input: side, metrics: ExecutionPlanMetricsSet::new() }))
}

/// The rows of its input, without most of those that repeat the one before.
#[derive(Debug)]
struct JoinRunsExec {
    input: Arc<dyn ExecutionPlan>,
    metrics: ExecutionPlanMetricsSet,
}

impl DisplayAs for JoinRunsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinRunsExec")
    }
}

impl ExecutionPlan for JoinRunsExec {
    fn name(&self) -> &'static str {
        "JoinRunsExec"
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
            return internal_err!("one input is looked through");
        };
        Ok(Arc::new(Self { input, metrics: ExecutionPlanMetricsSet::new() }))
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let [input] = inputs else { return internal_err!("one input is looked through") };
        // At most as many rows.
        Ok(Arc::new(Statistics::clone(input).to_inexact()))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let mut runs = None;
        let rows = self.input.execute(partition, context)?.map(move |batch| {
            let batch = batch?;
            let _timer = metrics.elapsed_compute().timer();
            passed(batch, &mut runs).record_output(&metrics)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}

/// The first row of each run of equal rows, if the first rows of the input make runs; that is noted.
fn passed(batch: RecordBatch, runs: &mut Option<bool>) -> Result<RecordBatch> {
    let is_worth_it = match *runs {
        Some(known) => known,
        // A batch without rows says nothing.
        None if batch.num_rows() == 0 => false,
        None => *runs.insert(has_runs(batch.columns())?),
    };
    if !is_worth_it {
        return Ok(batch);
    }
    let firsts = firsts(&partition(batch.columns())?.ranges())?;
    Ok(RecordBatch::try_new(batch.schema(), take_arrays(batch.columns(), &firsts, None)?)?)
}
