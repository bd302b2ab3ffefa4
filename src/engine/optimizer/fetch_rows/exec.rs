//! Reads rows whose positions its input gives.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{AsArray, RecordBatch, RecordBatchOptions, UInt32Array};
use datafusion::arrow::compute::{concat_batches, partition, take_record_batch};
use datafusion::arrow::datatypes::{Int64Type, SchemaRef, UInt32Type};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Statistics, internal_err};
use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet, RecordOutput,
};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, collect, collect_partitioned,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::positions::{Part, Rows};

/// What is to be done about rows that tie with the last one that is wanted.
#[derive(Clone, Debug)]
pub struct Ties {
    /// Columns, the first ones of the input, that tell rows apart.
    pub keys: usize,
    pub wanted: usize,
    /// Rows that the input gives at most.
    pub asked: usize,
    /// What gives the rows that are wanted, all made, where more tie than were asked for.
    pub whole: Arc<dyn ExecutionPlan>,
}

/// The rows at the positions that its input gives, in no order.
///
/// The input ends with the number of a file and of a row in it; other columns of it are those of the rows. With `ties` it is sorted by the
/// first ones, and some more rows are asked for than are wanted: those are read that are wanted, and those that have the same keys as the
/// last of these.
#[derive(Debug)]
pub struct FetchRowsExec {
    input: Arc<dyn ExecutionPlan>,
    rows: Arc<Rows>,
    ties: Option<Ties>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl FetchRowsExec {
    pub fn new(
        input: Arc<dyn ExecutionPlan>,
        rows: Rows,
        properties: EquivalenceProperties,
        ties: Option<Ties>,
    ) -> Self {
        let properties = Arc::new(PlanProperties::new(
            properties,
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        ));
        Self { input, rows: Arc::new(rows), ties, properties, metrics: ExecutionPlanMetricsSet::new() }
    }
}

impl DisplayAs for FetchRowsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FetchRowsExec: columns=[{}]", self.rows.columns().join(", "))?;
        match &self.ties {
            Some(Ties { asked, .. }) => write!(f, ", more than {asked} that tie by the second plan"),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for FetchRowsExec {
    fn name(&self) -> &'static str {
        "FetchRowsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        std::iter::once(&self.input).chain(self.ties.as_ref().map(|ties| &ties.whole)).collect()
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![Distribution::SinglePartition; self.children().len()]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let mut children = children.into_iter();
        let (input, whole) = (children.next(), children.next());
        let ties = self.ties.clone().zip(whole).map(|(ties, whole)| Ties { whole, ..ties });
        let (Some(input), true, None) = (input, ties.is_some() == self.ties.is_some(), children.next()) else {
            return internal_err!("rows are fetched for one input, or for that and another");
        };
        Ok(Arc::new(Self {
            input,
            rows: Arc::clone(&self.rows),
            ties,
            properties: Arc::clone(&self.properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, _: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(None); self.children().len()]
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let mut known = Statistics::new_unknown(&self.schema());
        // The last one knows how many rows are wanted.
        known.num_rows = inputs.last().map_or(Precision::Absent, |input| input.num_rows.to_inexact());
        Ok(Arc::new(known))
    }

    fn execute(&self, part: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let metrics = BaselineMetrics::new(&self.metrics, part);
        let read = MetricBuilder::new(&self.metrics).counter("bytes_scanned", part);
        let time = metrics.elapsed_compute().clone();
        let (input, rows, ties) = (Arc::clone(&self.input), Arc::clone(&self.rows), self.ties.clone());
        let memory = MemoryConsumer::new(format!("{}[{part}]", self.name())).register(context.memory_pool());
        let schema = self.schema();
        let found = async move {
            let found = concat_batches(&input.schema(), &collect(input, Arc::clone(&context)).await?)?;
            let Some(found) = wanted(found, ties.as_ref())? else {
                let Some(Ties { whole, .. }) = ties else {
                    return internal_err!("rows that tie without a plan for them");
                };
                return whole.execute(0, context);
            };
            let (found, positions) = in_order(&found)?;
            let scan = rows.scan(&positions, context.session_config().target_partitions())?;
            let fetched = collect_partitioned(Arc::clone(&scan), context).await?.concat();
            memory.try_grow(fetched.iter().map(RecordBatch::get_array_memory_size).sum())?;
            let of_scan = scan.metrics().unwrap_or_default();
            let sum = |name: &str| of_scan.sum_by_name(name).map_or(0, |sum| sum.as_usize());
            read.add(sum("bytes_scanned"));
            time.add_duration(Duration::from_nanos(sum("time_elapsed_processing") as u64));
            if fetched.iter().map(RecordBatch::num_rows).sum::<usize>() != positions.len() {
                return internal_err!("rows were found that are not there");
            }
            let made_of = Arc::clone(&schema);
            let batches = fetched.into_iter().scan(0, move |next, fetched| {
                // Whoever takes it counts it from here on.
                memory.shrink(fetched.get_array_memory_size());
                let these = *next..*next + fetched.num_rows();
                *next = these.end;
                let found = found.slice(these.start, these.len());
                Some(put_together(&found, &fetched, &positions[these], &rows.parts, &made_of))
            });
            Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(batches))) as SendableRecordBatchStream)
        };
        let rows = stream::once(found).try_flatten().map(move |batch| batch.record_output(&metrics));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}

/// Of the rows that were found, those that are to be read; `None` when more tie with the last one than were asked for.
fn wanted(found: RecordBatch, ties: Option<&Ties>) -> Result<Option<RecordBatch>> {
    let rows = found.num_rows();
    let Some(Ties { keys, wanted, asked, .. }) = ties.filter(|ties| ties.wanted < rows) else { return Ok(Some(found)) };
    let equal = partition(&found.columns()[..*keys])?.ranges();
    // Where the rows end that are equal to the last that is wanted.
    let end = equal.into_iter().map(|equal| equal.end).find(|end| end >= wanted).unwrap_or(rows);
    Ok((end < rows || rows < *asked).then(|| found.slice(0, end)))
}

/// Rows by file and place, and these positions.
fn in_order(found: &RecordBatch) -> Result<(RecordBatch, Vec<(u32, i64)>)> {
    let [.., files, rows] = found.columns() else { return internal_err!("rows without a position") };
    let (Some(files), Some(rows)) = (files.as_primitive_opt::<UInt32Type>(), rows.as_primitive_opt::<Int64Type>())
    else {
        return internal_err!("positions of other types");
    };
    let mut positions: Vec<_> =
        files.values().iter().copied().zip(rows.values().iter().copied()).zip(0_u32..).collect();
    positions.sort_unstable();
    let order = UInt32Array::from_iter_values(positions.iter().map(|(_, place)| *place));
    Ok((take_record_batch(found, &order)?, positions.into_iter().map(|(position, _)| position).collect()))
}

/// The rows of what was carried and what was read.
fn put_together(
    found: &RecordBatch,
    fetched: &RecordBatch,
    positions: &[(u32, i64)],
    parts: &[Part],
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let places = fetched.columns().last().and_then(|places| places.as_primitive_opt::<Int64Type>());
    if !places.is_some_and(|places| places.values().iter().eq(positions.iter().map(|(_, row)| row))) {
        return internal_err!("rows were found that are not where they were");
    }
    let columns = parts.iter().map(|part| match *part {
        Part::Carried(place) => Arc::clone(found.column(place)),
        Part::Fetched(place) => Arc::clone(fetched.column(place)),
    });
    let options = RecordBatchOptions::new().with_row_count(Some(found.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns.collect(), &options)?)
}
