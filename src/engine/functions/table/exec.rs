//! Runs a table function: gathers its input under the memory limit, then calls it.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::utils::memory::get_record_batch_memory_size;
use datafusion::common::{Result, internal_err};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use datafusion::scalar::ScalarValue;
use futures::stream::{self, StreamExt, TryStreamExt};

use super::{Call, Given, TableFunction};

/// The operator.
#[derive(Debug)]
pub struct TableFunctionExec {
    function: Arc<dyn TableFunction>,
    given: Vec<Given>,
    values: Vec<(&'static str, ScalarValue)>,
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl TableFunctionExec {
    pub fn new(
        function: Arc<dyn TableFunction>,
        given: Vec<Given>,
        values: Vec<(&'static str, ScalarValue)>,
        input: Arc<dyn ExecutionPlan>,
        schema: SchemaRef,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        let metrics = ExecutionPlanMetricsSet::new();
        Self { function, given, values, input, properties: Arc::new(properties), metrics }
    }
}

impl DisplayAs for TableFunctionExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.given.iter().map(|given| format!("{} => {}", given.argument, given.field.name()));
        let values = self.values.iter().map(|(name, value)| format!("{name} => {value}"));
        let arguments = columns.chain(values).collect::<Vec<_>>().join(", ");
        write!(f, "TableFunctionExec: {}({arguments})", self.function.help().name)
    }
}

impl ExecutionPlan for TableFunctionExec {
    fn name(&self) -> &'static str {
        "TableFunctionExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![Distribution::SinglePartition]
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
        let Some(input) = children.pop().filter(|_| children.is_empty()) else {
            return internal_err!("a table function has one input");
        };
        let (function, given, values) = (Arc::clone(&self.function), self.given.clone(), self.values.clone());
        Ok(Arc::new(Self::new(function, given, values, input, self.schema())))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 || self.input.output_partitioning().partition_count() != 1 {
            return internal_err!("a table function runs in one partition");
        }
        let mut input = self.input.execute(0, Arc::clone(&context))?;
        let reservation = MemoryConsumer::new(self.function.help().name).register(context.memory_pool());
        let (function, given, values) = (Arc::clone(&self.function), self.given.clone(), self.values.clone());
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let (schema, rows_max) = (self.schema(), context.session_config().batch_size());
        let result = async move {
            let mut batches = Vec::new();
            while let Some(batch) = input.next().await.transpose()? {
                // As it comes, in one piece, and as the plain values that the function works on, which take twice that.
                reservation.try_grow(4 * get_record_batch_memory_size(&batch))?;
                batches.push(batch);
            }
            let timer = metrics.elapsed_compute().timer();
            let whole = concat_batches(&input.schema(), &batches)?;
            drop(batches);
            let columns = given.into_iter().zip(whole.columns().iter().cloned()).collect();
            let call = Call { help: function.help(), columns, values };
            let arrays = function.run(&call)?;
            let batches = slices(schema, arrays, rows_max)?;
            timer.done();
            for batch in &batches {
                metrics.record_output(batch.num_rows());
            }
            Ok::<_, DataFusionError>(batches)
        };
        let batches = stream::once(result).map_ok(|batches| stream::iter(batches.into_iter().map(Ok))).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }
}

/// The result in batches of at most so many rows.
fn slices(schema: SchemaRef, arrays: Vec<ArrayRef>, rows_max: usize) -> Result<Vec<RecordBatch>> {
    let whole = RecordBatch::try_new(schema, arrays)?;
    let starts = (0..whole.num_rows()).step_by(rows_max.max(1));
    Ok(starts.map(|start| whole.slice(start, rows_max.min(whole.num_rows() - start))).collect())
}
