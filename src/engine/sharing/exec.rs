//! The operator that reads a shared subplan, and the rule that shows the subplan below its first reader.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, Statistics, internal_datafusion_err, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::StreamExt;

use super::run::Run;

/// A shared subplan: planned once, run once, read by several.
pub struct Shared {
    label: String,
    plan: OnceLock<Arc<dyn ExecutionPlan>>,
    statistics: OnceLock<Arc<Statistics>>,
    readers: AtomicUsize,
    /// Whether some reader shows the subplan below it.
    is_shown: AtomicBool,
    run: Mutex<Option<Arc<Run>>>,
    /// What the run keeps on disk.
    metrics: ExecutionPlanMetricsSet,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shared({})", self.label)
    }
}

impl Shared {
    pub fn new(label: String) -> Self {
        Self {
            label,
            plan: OnceLock::new(),
            statistics: OnceLock::new(),
            readers: AtomicUsize::new(0),
            is_shown: AtomicBool::new(false),
            run: Mutex::new(None),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    pub fn label(&self) -> &str {
        &self.label
    }

    /// Sets the subplan's physical plan, before any reader is planned.
    pub fn set_plan(&self, plan: Arc<dyn ExecutionPlan>) {
        self.plan.get_or_init(|| plan);
    }

    /// The run, begun by the first who asks.
    fn run(&self, plan: &dyn ExecutionPlan, context: &TaskContext) -> Arc<Run> {
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = || {
            let readers = self.readers.load(Ordering::Relaxed);
            Arc::new(Run::new(readers, &self.label, plan, context, &self.metrics))
        };
        Arc::clone(run.get_or_insert_with(begin))
    }
}

/// Reads a shared subplan.
#[derive(Clone, Debug)]
pub struct SharedExec {
    shared: Arc<Shared>,
    plan: Arc<dyn ExecutionPlan>,
    /// Its number among the readers.
    reader: usize,
    /// The subplan stands below it. While plans are optimized it stands below nobody: each reader would get a copy.
    shows_plan: bool,
    metrics: ExecutionPlanMetricsSet,
}

impl SharedExec {
    /// One more reader.
    ///
    /// # Errors
    /// `Internal` when the subplan is not planned yet.
    pub fn try_new(shared: Arc<Shared>) -> Result<Self> {
        let plan = shared.plan.get().cloned();
        let plan = plan.ok_or_else(|| internal_datafusion_err!("the shared subplan `{}` has no plan", shared.label))?;
        let reader = shared.readers.fetch_add(1, Ordering::Relaxed);
        Ok(Self { shared, plan, reader, shows_plan: false, metrics: ExecutionPlanMetricsSet::new() })
    }

    /// What the subplan is called, the same for all its readers.
    pub fn label(&self) -> &str {
        self.shared.label()
    }
}

impl DisplayAs for SharedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let readers = self.shared.readers.load(Ordering::Relaxed);
        write!(f, "SharedExec: {}, readers={readers}", self.shared.label)
    }
}

impl ExecutionPlan for SharedExec {
    fn name(&self) -> &'static str {
        "SharedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.plan.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        if self.shows_plan { vec![&self.plan] } else { vec![] }
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match children.as_slice() {
            [] if !self.shows_plan => Ok(self),
            [plan] if self.shows_plan && Arc::ptr_eq(plan, &self.plan) => Ok(self),
            _ => internal_err!("a shared subplan is planned once, for all its readers"),
        }
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true; self.children().len()]
    }

    fn metrics(&self) -> Option<MetricsSet> {
        let mut metrics = self.metrics.clone_inner();
        if self.shows_plan {
            // They belong to all readers, and are shown with the subplan.
            self.shared.metrics.clone_inner().iter().for_each(|metric| metrics.push(Arc::clone(metric)));
        }
        Some(metrics)
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        if args.partition().is_some() {
            return StatisticsContext::new().compute(self.plan.as_ref(), args);
        }
        if let Some(statistics) = self.shared.statistics.get() {
            return Ok(Arc::clone(statistics));
        }
        let statistics = StatisticsContext::new().compute(self.plan.as_ref(), args)?;
        Ok(Arc::clone(self.shared.statistics.get_or_init(|| statistics)))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let run = self.shared.run(self.plan.as_ref(), &context);
        let batches = run.read(self.reader, partition, self.plan.as_ref(), &context)?;
        let batches = batches.map(move |batch| batch.record_output(&metrics));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }
}

/// The last rule: puts every shared subplan below the first of its readers, where EXPLAIN and the metrics find it.
#[derive(Debug)]
pub struct Attach;

impl PhysicalOptimizerRule for Attach {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let attached = plan.transform_up(|node| {
            let Some(reader) = (node.as_ref() as &dyn std::any::Any).downcast_ref::<SharedExec>() else {
                return Ok(Transformed::no(node));
            };
            if reader.shared.is_shown.swap(true, Ordering::Relaxed) {
                return Ok(Transformed::no(node));
            }
            Ok(Transformed::yes(Arc::new(SharedExec { shows_plan: true, ..reader.clone() }) as Arc<dyn ExecutionPlan>))
        })?;
        Ok(attached.data)
    }

    fn name(&self) -> &'static str {
        "attach_shared_subplans"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
