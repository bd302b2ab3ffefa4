//! Groups rows that lie side by side before their group is looked up: files sorted by account hold the rows of one account together.
//!
//! The engine looks the key of each row up in a table of all groups, though it is the key of the row before. Here one group is made of
//! each run of rows with equal keys. Those with equal keys are then put together, so many at a time, until it shows that few have equals:
//! the second half of the grouping puts all of them together anyway. Files seldom say how they are sorted, so each part of the input is
//! asked by its first rows; where they make no runs, the grouping runs as the engine has it.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{concat, partition, take_arrays};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Statistics, internal_datafusion_err, internal_err};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::{PhysicalExpr, PhysicalExprRef};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet, RecordOutput, Time,
};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, InputOrderMode, PlanProperties};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};

use super::super::options;
use super::compact_views::own_texts;

/// Rows of a run, on average, from which on runs are made.
const ROWS_OF_RUN: usize = 4;

/// Groups of runs whose equals are put together at a time.
const GROUPS_AT_A_TIME: usize = 1 << 16;

/// The rule. It comes last, since others look for groupings.
#[derive(Debug)]
pub struct GroupRuns;

impl PhysicalOptimizerRule for GroupRuns {
    fn name(&self) -> &'static str {
        "group_runs"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        if !options::of(config).group_runs {
            return Ok(plan);
        }
        let found = plan.transform_up(|node| {
            let half = node.downcast_ref::<AggregateExec>().filter(|half| takes_groups(half));
            Ok(match half {
                Some(half) => Transformed::yes(Arc::new(GroupRunsExec::new(Arc::new(half.clone())))),
                None => Transformed::no(node),
            })
        })?;
        Ok(found.data)
    }
}

/// Whether a grouping can be given groups in the place of rows.
fn takes_groups(aggregate: &AggregateExec) -> bool {
    // Each dictionary would be kept for the few keys that are taken from it.
    let is_plain_type = |of: &DataType| !of.is_nested() && !matches!(of, DataType::Dictionary(..));
    let schema = aggregate.input_schema();
    let is_plain = |key: &PhysicalExprRef| key.data_type(&schema).is_ok_and(|of| is_plain_type(&of));
    super::is_first_half(aggregate)
        && *aggregate.input_order_mode() == InputOrderMode::Linear
        && aggregate.group_expr().input_exprs().iter().all(is_plain)
        && aggregate.aggr_expr().iter().all(|call| call.groups_accumulator_supported())
}

/// The first half of a grouping, over rows or over runs of them. Plans show it as the grouping that it is.
#[derive(Debug)]
struct GroupRunsExec {
    half: Arc<AggregateExec>,
    /// What runs in its place, for what is measured there.
    running: Running,
    metrics: ExecutionPlanMetricsSet,
}

/// Groupings that run.
type Running = Arc<Mutex<Vec<Arc<dyn ExecutionPlan>>>>;

impl GroupRunsExec {
    fn new(half: Arc<AggregateExec>) -> Self {
        Self { half, running: Running::default(), metrics: ExecutionPlanMetricsSet::new() }
    }
}

impl DisplayAs for GroupRunsExec {
    fn fmt_as(&self, kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.half.fmt_as(kind, f)
    }
}

impl ExecutionPlan for GroupRunsExec {
    fn name(&self) -> &str {
        self.half.name()
    }

    fn downcast_delegate(&self) -> Option<&dyn ExecutionPlan> {
        Some(self.half.as_ref())
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.half.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.half.children()
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.half.apply_expressions(visit)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let half = replace_children_if_necessary(Arc::clone(&self.half) as Arc<dyn ExecutionPlan>, children)?;
        let Some(half) = half.downcast_ref::<AggregateExec>() else { return internal_err!("a grouping that is none") };
        Ok(Arc::new(Self::new(Arc::new(half.clone()))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        let mut metrics = self.metrics.clone_inner();
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        for measured in running.iter().filter_map(|half| half.metrics()) {
            // What comes out is counted where all of it does.
            let within = measured.iter().filter(|metric| !metric.value().name().starts_with("output"));
            within.for_each(|metric| metrics.push(Arc::clone(metric)));
        }
        Some(metrics)
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        self.half.child_stats_requests(partition)
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        self.half.statistics_from_inputs(inputs, args)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = self.half.input().execute(partition, Arc::clone(&context))?;
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let runs = Runs {
            half: Arc::clone(&self.half),
            calls: vec![],
            keys: vec![],
            groups: 0,
            batch_size: context.session_config().batch_size(),
            count: MetricBuilder::new(&self.metrics).counter("runs", partition),
            time: metrics.elapsed_compute().clone(),
        };
        let running = Running::clone(&self.running);
        let groups = stream::once(grouped(rows, runs, running, context)).try_flatten();
        let groups = groups.map(move |batch| batch.record_output(&metrics));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), groups)))
    }
}

/// The groups of some rows, in the way that the first of them speak for.
async fn grouped(
    mut rows: SendableRecordBatchStream,
    runs: Runs,
    running: Running,
    context: Arc<TaskContext>,
) -> Result<BoxStream<'static, Result<RecordBatch>>> {
    // Batches without rows say nothing.
    let first = loop {
        match rows.next().await.transpose()? {
            Some(batch) if batch.num_rows() == 0 => {}
            first => break first,
        }
    };
    let is_worth_it = match &first {
        Some(first) => has_runs(&keys(&runs.half, first)?)?,
        None => false,
    };
    // They are asked again at their end.
    let rows = stream::iter(first.map(Ok)).chain(rows).fuse().boxed();
    if is_worth_it {
        let merged = Merged { runs, rows, kept: vec![], merging: None, are_alike: true, running, context };
        return Ok(stream::try_unfold(merged, Merged::next).boxed());
    }
    let rows = as_plan(runs.half.input().schema(), rows)?;
    let half = replace_children_if_necessary(runs.half as Arc<dyn ExecutionPlan>, vec![rows])?;
    Ok(run(half, &running, context)?.boxed())
}

/// Runs a grouping, and keeps it for what is measured there.
fn run(
    half: Arc<dyn ExecutionPlan>,
    running: &Running,
    context: Arc<TaskContext>,
) -> Result<SendableRecordBatchStream> {
    let groups = half.execute(0, context)?;
    running.lock().unwrap_or_else(PoisonError::into_inner).push(half);
    Ok(groups)
}

/// Groups of runs, those with equal keys put together, so many at a time; where few of them have equals, as they are.
struct Merged {
    runs: Runs,
    rows: BoxStream<'static, Result<RecordBatch>>,
    kept: Vec<RecordBatch>,
    merging: Option<Merging>,
    are_alike: bool,
    running: Running,
    context: Arc<TaskContext>,
}

/// Groups that are being put together: how many there were, and came out.
struct Merging {
    groups: SendableRecordBatchStream,
    before: usize,
    after: usize,
}

impl Merged {
    async fn next(mut self) -> Result<Option<(RecordBatch, Self)>> {
        loop {
            if let Some(merging) = &mut self.merging {
                if let Some(batch) = merging.groups.try_next().await? {
                    merging.after += batch.num_rows();
                    return Ok(Some((batch, self)));
                }
                self.are_alike = merging.after * 2 <= merging.before;
                self.merging = None;
            }
            match self.runs.next(&mut self.rows).await? {
                Some(batch) if self.are_alike => self.kept.push(batch),
                Some(batch) => return Ok(Some((batch, self))),
                None if self.kept.is_empty() => return Ok(None),
                None => self.merge()?,
            }
            if self.kept.iter().map(RecordBatch::num_rows).sum::<usize>() >= GROUPS_AT_A_TIME {
                self.merge()?;
            }
        }
    }

    /// Begins to put together what was kept.
    fn merge(&mut self) -> Result<()> {
        let half = &self.runs.half;
        let kept = std::mem::take(&mut self.kept);
        let before = kept.iter().map(RecordBatch::num_rows).sum();
        let merged = AggregateExec::try_new(
            AggregateMode::PartialReduce,
            half.group_expr().as_final(),
            half.aggr_expr().to_vec(),
            vec![None; half.aggr_expr().len()],
            as_plan(half.schema(), stream::iter(kept.into_iter().map(Ok)).boxed())?,
            half.input_schema(),
        )?;
        let groups = run(Arc::new(merged), &self.running, Arc::clone(&self.context))?;
        self.merging = Some(Merging { groups, before, after: 0 });
        Ok(())
    }
}

fn keys(half: &AggregateExec, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
    half.group_expr().input_exprs().iter().map(|key| key.evaluate(batch)?.into_array(batch.num_rows())).collect()
}

/// Whether rows that lie side by side are equal often enough.
pub(super) fn has_runs(rows: &[ArrayRef]) -> Result<bool> {
    Ok(partition(rows)?.len() * ROWS_OF_RUN <= rows.first().map_or(0, |column| column.len()))
}

/// The first rows of runs.
pub(super) fn firsts(runs: &[Range<usize>]) -> Result<UInt32Array> {
    let firsts = runs.iter().map(|run| u32::try_from(run.start));
    let firsts = firsts.collect::<std::result::Result<Vec<_>, _>>();
    Ok(firsts.map_err(|_| internal_datafusion_err!("a batch of more rows than are counted"))?.into())
}

/// A call of an aggregate function, and what it has of the groups so far.
struct Call {
    function: Arc<AggregateFunctionExpr>,
    filter: Option<PhysicalExprRef>,
    groups: Box<dyn GroupsAccumulator>,
}

/// Groups made of runs, until there are enough for a batch.
struct Runs {
    half: Arc<AggregateExec>,
    calls: Vec<Call>,
    /// The keys of the groups, by the batch of rows that they are from.
    keys: Vec<Vec<ArrayRef>>,
    groups: usize,
    batch_size: usize,
    count: Count,
    time: Time,
}

impl Runs {
    /// The next groups.
    async fn next(&mut self, rows: &mut BoxStream<'static, Result<RecordBatch>>) -> Result<Option<RecordBatch>> {
        let calls = self.half.aggr_expr().iter().zip(self.half.filter_expr()).map(|(function, filter)| {
            let groups = function.create_groups_accumulator()?;
            Ok(Call { function: Arc::clone(function), filter: filter.clone(), groups })
        });
        self.calls = calls.collect::<Result<_>>()?;
        while self.groups < self.batch_size {
            match rows.try_next().await? {
                Some(batch) => self.add(&batch)?,
                None if self.groups == 0 => return Ok(None),
                None => break,
            }
        }
        self.batch().map(Some)
    }

    fn add(&mut self, rows: &RecordBatch) -> Result<()> {
        let time = self.time.clone();
        let _timer = time.timer();
        let keys = keys(&self.half, rows)?;
        let ranges = partition(&keys)?.ranges();
        let mut group_of_row = vec![0; rows.num_rows()];
        for (group, range) in (self.groups..).zip(&ranges) {
            group_of_row[range.clone()].fill(group);
        }
        self.groups += ranges.len();
        for call in &mut self.calls {
            let values = call.function.expressions();
            let values = values.iter().map(|value| value.evaluate(rows)?.into_array(rows.num_rows()));
            let filter =
                call.filter.as_ref().map(|filter| filter.evaluate(rows)?.into_array(rows.num_rows())).transpose()?;
            let filter: Option<&BooleanArray> = filter.as_ref().map(AsArray::as_boolean);
            call.groups.update_batch(&values.collect::<Result<Vec<_>>>()?, &group_of_row, filter, self.groups)?;
        }
        // Few keys of many batches are kept, so they do not hold on to what they were read with.
        let keys = take_arrays(&keys, &firsts(&ranges)?, None)?;
        self.keys.push(keys.iter().map(|keys| own_texts(keys, 0)).collect());
        Ok(())
    }

    /// The groups so far, as a batch.
    fn batch(&mut self) -> Result<RecordBatch> {
        let time = self.time.clone();
        let _timer = time.timer();
        let parts = std::mem::take(&mut self.keys);
        self.count.add(self.groups);
        self.groups = 0;
        let mut columns = vec![];
        for key in 0..self.half.group_expr().num_group_exprs() {
            let parts: Vec<_> = parts.iter().map(|keys| keys[key].as_ref()).collect();
            columns.push(concat(&parts)?);
        }
        for call in &mut self.calls {
            columns.extend(call.groups.state(EmitTo::All)?);
        }
        Ok(RecordBatch::try_new(self.half.schema(), columns)?)
    }
}

/// Batches as the input of an operator.
fn as_plan(schema: SchemaRef, batches: BoxStream<'static, Result<RecordBatch>>) -> Result<Arc<dyn ExecutionPlan>> {
    let batches = RecordBatchStreamAdapter::new(Arc::clone(&schema), batches);
    let once = Once { schema: Arc::clone(&schema), batches: Mutex::new(Some(Box::pin(batches))) };
    Ok(Arc::new(StreamingTableExec::try_new(schema, vec![Arc::new(once)], None, [], false, None)?))
}

/// Batches that are read once.
struct Once {
    schema: SchemaRef,
    batches: Mutex<Option<SendableRecordBatchStream>>,
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner).take();
        batches.unwrap_or_else(|| {
            let again = stream::once(async { internal_err!("an input that is read twice") });
            Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), again))
        })
    }
}
