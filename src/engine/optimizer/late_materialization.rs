//! Late materialization, decided scan by scan: where few rows will pass a condition, its columns are read first and the others only
//! for the rows that pass.
//!
//! The engine does that for all scans of a session or for none, and not by default: where many rows pass, reading in two steps costs
//! more than it saves. What a filter leaves and how wide the other columns are is in the footers, which are at hand when a scan is
//! planned. The filter above the scan stays, so that a wrong guess costs time and nothing else.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::datasource::physical_plan::{FileScanConfig, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::logical_expr::Operator;
use datafusion::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use datafusion::physical_expr::expressions::{
    BinaryExpr, Column, DynamicFilterPhysicalExpr, InListExpr, IsNotNullExpr, Literal,
};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;

use super::super::options;
use super::super::tables::Footer;

/// Share of the rows that a filter may leave.
const SHARE_MAX: f64 = 0.05;

/// What a sort for the first rows is taken to leave: it knows more of them with every batch.
const SHARE_OF_FIRST: f64 = 0.01;

/// Bytes of the other columns for each byte of the columns that are read first, at least.
const WIDTH_MIN: f64 = 0.5;

/// Footers that are looked at.
const FOOTERS_READ: usize = 4;

/// Bytes that a value takes in a dictionary as it is stored, about.
const BYTES_OF_VALUE: f64 = 4.0;

/// The rule. It comes last: filters are where they belong by then.
#[derive(Debug)]
pub struct LateMaterialization;

impl PhysicalOptimizerRule for LateMaterialization {
    fn name(&self) -> &'static str {
        "late_materialization"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        if !options::of(config).late_materialization {
            return Ok(plan);
        }
        Ok(decided(plan, false)?.data)
    }
}

/// Decides for the scans of a plan. `for_first`: only the first rows in some order are wanted of it.
fn decided(plan: Arc<dyn ExecutionPlan>, for_first: bool) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    if let Some(scan) = plan.downcast_ref::<DataSourceExec>() {
        return Ok(match late(scan, for_first) {
            Some(scan) => Transformed::yes(Arc::new(scan)),
            None => Transformed::no(plan),
        });
    }
    let keeps_rows = plan.is::<FilterExec>()
        || plan.is::<ProjectionExec>()
        || plan.is::<CoalescePartitionsExec>()
        || plan.is::<RepartitionExec>()
        || plan.is::<CooperativeExec>();
    let sorts_first = plan.downcast_ref::<SortExec>().is_some_and(|sort| sort.fetch().is_some());
    let for_first = sorts_first || (for_first && keeps_rows);
    let mut changed = false;
    let mut children = Vec::new();
    for child in plan.children() {
        let child = decided(Arc::clone(child), for_first)?;
        changed |= child.transformed;
        children.push(child.data);
    }
    if changed {
        Ok(Transformed::yes(replace_children_if_necessary(plan, children)?))
    } else {
        Ok(Transformed::no(plan))
    }
}

/// The scan with its filter before its other columns, where that pays.
fn late(scan: &DataSourceExec, for_first: bool) -> Option<DataSourceExec> {
    let config = scan.data_source().downcast_ref::<FileScanConfig>()?;
    let source = config.file_source().downcast_ref::<ParquetSource>()?;
    let predicate = config.file_source().filter()?;
    let files = config.file_groups.iter().flat_map(|group| group.files());
    let footers: Vec<&ParquetMetaData> = files
        .filter_map(|file| file.extension::<Footer>())
        .take(FOOTERS_READ)
        .map(|footer| footer.0.as_ref())
        .collect();
    if footers.is_empty() {
        return None;
    }
    let row_groups: Vec<&RowGroupMetaData> = footers.iter().flat_map(|footer| footer.row_groups()).collect();
    let shares = split_conjunction(&predicate).into_iter().filter_map(|condition| {
        let share = if condition.is::<DynamicFilterPhysicalExpr>() {
            for_first.then_some(SHARE_OF_FIRST)?
        } else {
            share(condition, &row_groups)?
        };
        Some((share, condition))
    });
    let (share, condition) = shares.min_by(|(a, _), (b, _)| a.total_cmp(b))?;
    if share > SHARE_MAX {
        return None;
    }
    let read_first: HashSet<String> =
        collect_columns(condition).iter().map(|column| column.name().to_owned()).collect();
    let projected = config.projected_schema().ok()?;
    let others = projected.fields().iter().map(|field| field.name()).filter(|name| !read_first.contains(*name));
    let bytes = |name: &String| -> f64 {
        row_groups.iter().flat_map(|group| chunks(group, name)).map(|chunk| chunk.compressed_size() as f64).sum()
    };
    let others: f64 = others.map(bytes).sum();
    let first: f64 = read_first.iter().map(bytes).sum();
    if others < WIDTH_MIN * first {
        return None;
    }
    let source = source.clone().with_pushdown_filters(true).with_reorder_filters(true);
    let config = FileScanConfigBuilder::from(config.clone()).with_source(Arc::new(source)).build();
    Some(scan.clone().with_data_source(Arc::new(config)))
}

/// The share of rows that a condition leaves, about; `None` where that cannot be told.
fn share(condition: &Arc<dyn PhysicalExpr>, row_groups: &[&RowGroupMetaData]) -> Option<f64> {
    if let Some(known) = condition.downcast_ref::<IsNotNullExpr>() {
        let column = known.arg().downcast_ref::<Column>()?;
        let (mut nulls, mut rows) = (0.0, 0.0);
        for group in row_groups {
            for chunk in chunks(group, column.name()) {
                nulls += chunk.statistics()?.null_count_opt()? as f64;
                rows += chunk.num_values() as f64;
            }
        }
        return (rows > 0.0).then(|| 1.0 - nulls / rows);
    }
    if let Some(list) = condition.downcast_ref::<InListExpr>() {
        let column = list.expr().downcast_ref::<Column>()?;
        let is_constant = list.list().iter().all(|value| value.is::<Literal>());
        return (is_constant && !list.negated())
            .then(|| list.list().len() as f64 / distinct(column.name(), row_groups));
    }
    let comparison = condition.downcast_ref::<BinaryExpr>()?;
    let (left, right) = (comparison.left(), comparison.right());
    let column = match (left.downcast_ref::<Column>(), right.downcast_ref::<Column>()) {
        (Some(column), None) if right.is::<Literal>() => column,
        (None, Some(column)) if left.is::<Literal>() => column,
        _ => return None,
    };
    (*comparison.op() == Operator::Eq).then(|| 1.0 / distinct(column.name(), row_groups))
}

/// How many values a column has, about and rather too few: as many as its largest dictionary holds, and as there are rows where a
/// dictionary was given up.
fn distinct(name: &str, row_groups: &[&RowGroupMetaData]) -> f64 {
    let of_chunk = |(group, chunk): (&RowGroupMetaData, &ColumnChunkMetaData)| match chunk.dictionary_page_offset() {
        Some(start) => (chunk.data_page_offset() - start) as f64 / BYTES_OF_VALUE,
        None => group.num_rows() as f64,
    };
    let all = row_groups.iter().flat_map(|group| chunks(group, name).map(move |chunk| (*group, chunk)));
    all.map(of_chunk).fold(1.0, f64::max)
}

/// What is stored of a column in a row group: one chunk, or one for each field of a nested column.
fn chunks<'a>(group: &'a RowGroupMetaData, name: &'a str) -> impl Iterator<Item = &'a ColumnChunkMetaData> {
    let of_name =
        move |chunk: &&ColumnChunkMetaData| chunk.column_path().parts().first().is_some_and(|part| part == name);
    group.columns().iter().filter(of_name)
}
