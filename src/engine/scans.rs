//! What the scans of a statement read and what they left out, told by its physical plan once it has run.

use std::fmt;
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::analyze::AnalyzeExec;
use datafusion::physical_plan::metrics::{MetricValue, MetricsSet};

use super::asked::Asked;
use super::inputs::{Input, Opened};
use super::optimizer::FetchRowsExec;

/// The scans of one statement.
#[derive(Clone, Default)]
pub struct Scans {
    plan: Option<Arc<dyn ExecutionPlan>>,
    /// What is opened of the statement's tables, whether or not its plan still has their scans.
    opened: Arc<[Arc<Opened>]>,
    /// What is asked in place of the statement's rows.
    asked: Option<Asked>,
    /// Rows that the scans will go over, once somebody wants to know.
    rows_all: Arc<OnceLock<Option<usize>>>,
    /// When rows that nothing was scanned for were computed, and the files that they were computed from.
    kept: Option<(DateTime<Utc>, Arc<[Input]>)>,
}

/// Sums over all scans of a statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Files, or parts of files that are read side by side.
    pub files: usize,
    pub files_pruned: usize,
    pub row_groups: usize,
    pub row_groups_pruned: usize,
    /// Rows that left the scans.
    pub rows: usize,
}

/// How far a statement is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Rows that its scans have given, and those that they went over without giving.
    pub rows: usize,
    /// Rows that its scans will go over, by the files' statistics; `None` where these do not say.
    pub rows_all: Option<usize>,
    /// Bytes read from files.
    pub bytes: usize,
    /// Bytes written aside for want of memory.
    pub spilled_bytes: usize,
}

impl Scans {
    pub fn new(plan: Arc<dyn ExecutionPlan>) -> Self {
        Self { plan: Some(plan), ..Self::default() }
    }

    /// The scans of a statement over these tables.
    #[must_use]
    pub(super) fn over(self, opened: Vec<Arc<Opened>>) -> Self {
        Self { opened: opened.into(), ..self }
    }

    /// Of rows that were computed then from these files, and kept.
    pub fn kept(computed_at: DateTime<Utc>, inputs: Vec<Input>) -> Self {
        Self { kept: Some((computed_at, inputs.into())), ..Self::default() }
    }

    /// When the rows were computed, where they were kept since.
    pub fn computed_at(&self) -> Option<DateTime<Utc>> {
        self.kept.as_ref().map(|(computed_at, _)| *computed_at)
    }

    /// The files that rows which were kept were computed from.
    pub(super) fn kept_inputs(&self) -> Option<&[Input]> {
        self.kept.as_ref().map(|(_, inputs)| inputs.as_ref())
    }

    /// The statement's plan; `None` for rows that no statement computed.
    pub(super) fn plan(&self) -> Option<&Arc<dyn ExecutionPlan>> {
        self.plan.as_ref()
    }

    /// What is opened of the statement's tables.
    pub(super) fn opened(&self) -> &[Arc<Opened>] {
        &self.opened
    }

    /// The scans of a statement that is asked about.
    #[must_use]
    pub fn asked(self, asked: Asked) -> Self {
        Self { asked: Some(asked), ..self }
    }

    /// Whether the statement is an EXPLAIN ANALYZE, which asks for what it took.
    pub fn are_asked_for(&self) -> bool {
        self.asked == Some(Asked::Profile) || self.plan.as_ref().is_some_and(|plan| plan.is::<AnalyzeExec>())
    }

    /// Whether the rows are a listing of columns, for people who look around.
    pub fn look_around(&self) -> bool {
        matches!(self.asked, Some(Asked::Describe | Asked::Summarize))
    }

    /// Whether the rows are those of a plan.
    pub fn explain(&self) -> bool {
        matches!(self.asked, Some(Asked::Explain | Asked::Profile))
    }

    /// What was scanned so far.
    pub fn so_far(&self) -> Scanned {
        let mut scanned = Scanned::default();
        if let Some(plan) = &self.plan {
            add(plan.as_ref(), &mut scanned);
        }
        scanned
    }
}

impl Scans {
    /// How far the statement is at the moment; `None` before it is planned.
    pub fn progress(&self) -> Option<Progress> {
        let plan = self.plan.as_ref()?;
        // What the plan expects is the same at every look, and takes a look at all its files.
        let rows_all = *self.rows_all.get_or_init(|| rows_all(plan.as_ref()).filter(|&all| all > 0));
        let mut progress = Progress { rows_all, ..Progress::default() };
        advance(plan.as_ref(), &mut progress);
        Some(progress)
    }
}

/// Rows of all scans of a plan; `None` where one does not know.
fn rows_all(plan: &dyn ExecutionPlan) -> Option<usize> {
    let children = plan.children();
    if children.is_empty() {
        let statistics = plan.downcast_ref::<DataSourceExec>()?.data_source().partition_statistics(None).ok()?;
        return statistics.num_rows.get_value().copied();
    }
    // What it runs instead where that does not do is not expected.
    let expected = if plan.is::<FetchRowsExec>() { 1 } else { children.len() };
    children.into_iter().take(expected).map(|child| rows_all(child.as_ref())).sum()
}

fn advance(plan: &dyn ExecutionPlan, progress: &mut Progress) {
    let children = plan.children();
    let metrics = plan.metrics();
    let count = |wanted: &str| {
        let sum = metrics.as_ref().and_then(|metrics| metrics.sum_by_name(wanted));
        sum.map_or(0, |value| value.as_usize())
    };
    progress.spilled_bytes += count("spilled_bytes");
    if children.is_empty() {
        progress.bytes += count("bytes_scanned");
        let rows = metrics.as_ref().and_then(MetricsSet::output_rows).unwrap_or_default();
        progress.rows += rows + count("pushdown_rows_pruned");
    }
    for child in children {
        advance(child.as_ref(), progress);
    }
}

impl fmt::Debug for Scans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.so_far().fmt(f)
    }
}

fn add(plan: &dyn ExecutionPlan, scanned: &mut Scanned) {
    if let Some(metrics) = plan.metrics().filter(|_| plan.is::<DataSourceExec>()) {
        scanned.rows += metrics.output_rows().unwrap_or_default();
        for metric in metrics.iter() {
            let MetricValue::PruningMetrics { name, pruning_metrics } = metric.value() else { continue };
            match name.as_ref() {
                "files_ranges_pruned_statistics" => {
                    scanned.files += pruning_metrics.matched();
                    scanned.files_pruned += pruning_metrics.pruned();
                }
                "row_groups_pruned_statistics" => {
                    scanned.row_groups += pruning_metrics.matched();
                    scanned.row_groups_pruned += pruning_metrics.pruned();
                }
                // These look at the row groups that the statistics left.
                "row_groups_pruned_bloom_filter" | "limit_pruned_row_groups" => {
                    scanned.row_groups = scanned.row_groups.saturating_sub(pruning_metrics.pruned());
                    scanned.row_groups_pruned += pruning_metrics.pruned();
                }
                _ => {}
            }
        }
    }
    for child in plan.children() {
        add(child.as_ref(), scanned);
    }
}
