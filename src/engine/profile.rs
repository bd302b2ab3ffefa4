//! A physical plan as a table: one row per operator, with what it took once it has run.
//!
//! The columns are for programs; who prints a tree makes it of them.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::common::stats::Precision;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::metrics::{MetricValue, MetricsSet};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::{ExecutionPlan, displayable};

use super::diagnose::in_words;
use super::sharing::SharedExec;

/// Nanoseconds of a millisecond.
const NANOS: f64 = 1e6;

/// Columns of counts, and the metrics that are summed in each.
const COUNTS: [(&str, &[&str]); 4] = [
    ("rows", &["output_rows"]),
    ("memory_bytes", &["mem_used", "build_mem_used", "peak_mem_used", "stream_memory_usage"]),
    ("spill_bytes", &["spilled_bytes"]),
    ("read_bytes", &["bytes_scanned"]),
];

/// Columns of what a scan read and left out, and the metrics that say so.
const PRUNED: [(&str, &str, &str); 2] = [
    ("files", "files_pruned", "files_ranges_pruned_statistics"),
    ("row_groups", "row_groups_pruned", "row_groups_pruned_statistics"),
];

/// An operator of a plan.
struct Operator {
    depth: i64,
    name: String,
    detail: String,
    estimate: Option<i64>,
    metrics: Option<MetricsSet>,
    is_scan: bool,
}

/// The columns of [`table`].
pub fn schema(is_measured: bool) -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    let count = |name: &str| Field::new(name, DataType::Int64, true);
    let share = |name: &str| Field::new(name, DataType::Float64, true);
    let mut fields = vec![text("operator"), Field::new("depth", DataType::Int64, false), count("rows_estimated")];
    if is_measured {
        fields.extend([share("time_ms"), share("time_share")]);
        fields.extend(COUNTS.iter().map(|(name, _)| count(name)));
        fields.extend(PRUNED.iter().flat_map(|(kept, pruned, _)| [count(kept), count(pruned)]));
    }
    fields.push(text("detail"));
    Arc::new(Schema::new(fields))
}

/// One row per operator, each below the one that reads it and one deeper; a shared subplan stands below its first reader.
///
/// `tables` are the lake's, by whose names scans are told.
pub fn table(plan: &Arc<dyn ExecutionPlan>, tables: &[String], is_measured: bool) -> Result<RecordBatch> {
    let mut operators = Vec::new();
    add(plan, 0, tables, &mut operators);
    let counts =
        |of: &dyn Fn(&Operator) -> Option<i64>| Arc::new(operators.iter().map(of).collect::<Int64Array>()) as ArrayRef;
    let texts = |of: fn(&Operator) -> &str| {
        Arc::new(operators.iter().map(|operator| Some(of(operator))).collect::<StringArray>())
    };
    let mut columns: Vec<ArrayRef> = vec![
        texts(|operator| &operator.name),
        counts(&|operator| Some(operator.depth)),
        counts(&|operator| operator.estimate),
    ];
    if is_measured {
        let times: Vec<Option<f64>> = operators.iter().map(own_time).collect();
        let total: f64 = times.iter().flatten().sum();
        let share = |time: &Option<f64>| time.filter(|_| total > 0.0).map(|time| time / total);
        columns.push(Arc::new(times.iter().map(|time| time.map(|time| time / NANOS)).collect::<Float64Array>()));
        columns.push(Arc::new(times.iter().map(share).collect::<Float64Array>()));
        for (_, names) in COUNTS {
            columns.push(counts(&|operator| sum(operator.metrics.as_ref()?, names)));
        }
        for (_, _, name) in PRUNED {
            columns.push(counts(&|operator| pruned(operator.metrics.as_ref()?, name).map(|(kept, _)| kept)));
            columns.push(counts(&|operator| pruned(operator.metrics.as_ref()?, name).map(|(_, left_out)| left_out)));
        }
    }
    columns.push(texts(|operator| &operator.detail));
    Ok(RecordBatch::try_new(schema(is_measured), columns)?)
}

fn add(plan: &Arc<dyn ExecutionPlan>, depth: i64, tables: &[String], operators: &mut Vec<Operator>) {
    let line = displayable(plan.as_ref()).one_line().to_string();
    let line = line.trim();
    let detail = line.split_once(':').filter(|(name, _)| !name.contains(' ')).map_or("", |(_, detail)| detail.trim());
    let estimate = StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new());
    operators.push(Operator {
        depth,
        name: named(plan.as_ref(), detail, tables),
        detail: in_words(detail),
        estimate: estimate.ok().and_then(|statistics| match statistics.num_rows {
            Precision::Exact(rows) | Precision::Inexact(rows) => i64::try_from(rows).ok(),
            Precision::Absent => None,
        }),
        metrics: plan.metrics(),
        is_scan: plan.is::<DataSourceExec>(),
    });
    for child in plan.children() {
        add(child, depth + 1, tables, operators);
    }
}

/// What an operator is called: `hash join (inner)`, `aggregate (partial)`, `scan surveys`.
fn named(plan: &dyn ExecutionPlan, detail: &str, tables: &[String]) -> String {
    if let Some(scan) = plan.downcast_ref::<DataSourceExec>() {
        return match scan.data_source().downcast_ref::<FileScanConfig>() {
            Some(files) => format!("scan {}", read_from(files, tables)),
            None => "rows in memory".to_owned(),
        };
    }
    if let Some(shared) = plan.downcast_ref::<SharedExec>() {
        let (label, is_first) = (shared.label(), !plan.children().is_empty());
        return if is_first { format!("shared {label}") } else { format!("shared {label}, see above") };
    }
    let mut name = String::new();
    let engine = plan.name().split('(').next().unwrap_or_default().trim_end_matches("Exec");
    for letter in engine.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push(' ');
        }
        name.extend(letter.to_lowercase());
    }
    if name.ends_with("window agg") {
        return "window".to_owned();
    }
    let of = |key: &str| Some(detail.split_once(key)?.1.split([',', ' ']).next()?.to_lowercase());
    let kind = match name.as_str() {
        "aggregate" => of("mode=").map(|mode| mode.trim_end_matches("partitioned").to_owned()),
        name if name.ends_with("join") => of("join_type="),
        "sort" if detail.starts_with("TopK") => Some("top".to_owned()),
        _ => None,
    };
    match kind.filter(|kind| !kind.is_empty()) {
        Some(kind) => format!("{name} ({kind})"),
        None => name,
    }
}

/// What a scan reads: the table whose folder holds its files, else the folder or the file.
fn read_from(scan: &FileScanConfig, tables: &[String]) -> String {
    let mut files = scan.file_groups.iter().flat_map(datafusion_datasource::file_groups::FileGroup::files);
    let Some(first) = files.next() else { return "no files".to_owned() };
    let location = &first.object_meta.location;
    let parts: Vec<String> = location.parts().map(|part| part.as_ref().to_owned()).collect();
    let folders = &parts[..parts.len().saturating_sub(1)];
    let folder = folders.iter().rev().find(|part| !part.contains('='));
    let is_one = files.all(|file| file.object_meta.location == *location);
    match folder {
        Some(folder) if !is_one || tables.contains(folder) => folder.clone(),
        _ => parts.last().cloned().unwrap_or_default(),
    }
}

/// Nanoseconds that an operator itself worked, over all threads; `None` when it does not say.
fn own_time(operator: &Operator) -> Option<f64> {
    let metrics = operator.metrics.as_ref()?;
    let named = |name: &str| metrics.sum_by_name(name).map(|value| value.as_usize());
    let own = if operator.is_scan {
        // Opening and waiting are not in it; decoding is.
        named("time_elapsed_processing").or_else(|| metrics.elapsed_compute())
    } else {
        metrics.elapsed_compute().or_else(|| named("join_time"))
    };
    let moved = named("repartition_time").unwrap_or(0);
    own.map(|own| (own + moved) as f64)
}

fn sum(metrics: &MetricsSet, names: &[&str]) -> Option<i64> {
    let found = metrics.iter().filter(|metric| names.contains(&metric.value().name()));
    let values: Vec<usize> = found.map(|metric| metric.value().as_usize()).collect();
    (!values.is_empty()).then(|| i64::try_from(values.iter().sum::<usize>()).unwrap_or(i64::MAX))
}

/// What is read and what was left out.
fn pruned(metrics: &MetricsSet, wanted: &str) -> Option<(i64, i64)> {
    let mut found = None;
    for metric in metrics.iter() {
        let MetricValue::PruningMetrics { name, pruning_metrics } = metric.value() else { continue };
        if name == wanted {
            let (kept, left_out) = found.unwrap_or((0, 0));
            let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
            found = Some((kept + count(pruning_metrics.matched()), left_out + count(pruning_metrics.pruned())));
        }
    }
    found
}
