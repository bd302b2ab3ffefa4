//! Takes rows in the order in which they lie, where a sort over a scan asks for it and the files say that they are sorted.
//!
//! The engine can read in order too, when a table declares it for all of its scans; groupings and joins are then read by fewer threads
//! and win nothing. Here a scan is read in order where a sort asks for all of its rows, and the rows meet again in a merge.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::compute::SortOptions;
use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, Partitioning, PhysicalSortExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use super::super::options;
use super::super::tables::{Footer, WRITER};

/// What sorting takes of one thread, in times of what reading takes: so many threads may wait for one that reads.
const READING_TO_SORTING: usize = 4;

/// Runs of sorted files that are merged at most.
const RUNS_MAX: usize = 64;

/// The share of rows that a filter must leave: few are sorted sooner than all are read in order.
const SHARE_MIN: f64 = 0.1;

/// The rule. It comes when sorts are where they belong, and before the engine reorders row groups for those that are left.
#[derive(Debug)]
pub struct SortedScans;

impl PhysicalOptimizerRule for SortedScans {
    fn name(&self) -> &'static str {
        "sorted_scans"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        if !options::of(config).sorted_scans {
            return Ok(plan);
        }
        let threads = config.execution.target_partitions;
        plan.transform_up(|plan| {
            let Some(sort) = plan.downcast_ref::<SortExec>().filter(|sort| sort.fetch().is_none()) else {
                return Ok(Transformed::no(plan));
            };
            Ok(match without(sort, threads)? {
                Some(sorted) => Transformed::yes(sorted),
                None => Transformed::no(plan),
            })
        })
        .data()
    }
}

/// What a sort makes, without sorting.
fn without(sort: &SortExec, threads: usize) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(input) = in_order(sort.input(), threads)? else { return Ok(None) };
    if !input.equivalence_properties().ordering_satisfy(sort.expr().iter().cloned())? {
        return Ok(None);
    }
    let is_parted = input.output_partitioning().partition_count() > 1;
    Ok(Some(if is_parted && !sort.preserve_partitioning() {
        Arc::new(SortPreservingMergeExec::new(sort.expr().clone(), input))
    } else {
        input
    }))
}

/// The plan with its scan read in order, where all between keeps the order.
fn in_order(plan: &Arc<dyn ExecutionPlan>, threads: usize) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if let Some(scan) = plan.downcast_ref::<DataSourceExec>() {
        return ordered(scan, threads);
    }
    let parted = plan.downcast_ref::<RepartitionExec>();
    let parting = parted.map(RepartitionExec::partitioning);
    let is_by_key = matches!(parting, Some(Partitioning::Hash(..)));
    let keeps_order = plan.is::<FilterExec>() || plan.is::<ProjectionExec>() || plan.is::<CooperativeExec>();
    if !(keeps_order || is_by_key) || (plan.is::<FilterExec>() && leaves_few(plan)?) {
        return Ok(None);
    }
    let [child] = plan.children()[..] else { return Ok(None) };
    let Some(child) = in_order(child, threads)? else { return Ok(None) };
    Ok(Some(match parting {
        Some(parting) => Arc::new(RepartitionExec::try_new(child, parting.clone())?.with_preserve_order()),
        None => replace_children_if_necessary(Arc::clone(plan), vec![child])?,
    }))
}

/// Whether a filter leaves few of its rows, as far as that is known.
fn leaves_few(filter: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let rows = |plan: &Arc<dyn ExecutionPlan>| -> Result<Option<usize>> {
        Ok(StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new())?.num_rows.get_value().copied())
    };
    let [input] = filter.children()[..] else { return Ok(true) };
    let (Some(left), Some(all)) = (rows(filter)?, rows(input)?) else { return Ok(true) };
    Ok((left as f64) < all as f64 * SHARE_MIN)
}

/// The scan, file after file where they follow each other, side by side where they overlap.
fn ordered(scan: &DataSourceExec, threads: usize) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(config) = scan.data_source().downcast_ref::<FileScanConfig>() else { return Ok(None) };
    // A scan in a bucket says how it is parted: it waits in many places at once, which reading in order would end.
    if config.limit.is_some() || config.output_partitioning.is_some() {
        return Ok(None);
    }
    // Files may be cut into ranges for the threads.
    let files: BTreeMap<_, PartitionedFile> = config
        .file_groups
        .iter()
        .flat_map(FileGroup::iter)
        .map(|file| (file.object_meta.location.clone(), PartitionedFile { range: None, ..file.clone() }))
        .collect();
    let files: Vec<PartitionedFile> = files.into_values().collect();
    let Some(order) = order_of(config, &files) else { return Ok(None) };
    let schema = config.file_source().table_schema().table_schema();
    let runs = FileScanConfig::split_groups_by_statistics(schema, &[FileGroup::new(files)], &order)?;
    if runs.len() > RUNS_MAX || runs.len() * READING_TO_SORTING < threads {
        return Ok(None);
    }
    let config = FileScanConfigBuilder::from(config.clone())
        .with_file_groups(runs)
        .with_output_ordering(nulls_where_sql_has_them(&order).into_iter().chain([order]).collect())
        .build();
    Ok(Some(Arc::new(scan.clone().with_data_source(Arc::new(config)))))
}

/// The same order with nulls where SQL has them when nobody says: first in descending columns. There are none.
fn nulls_where_sql_has_them(order: &LexOrdering) -> Option<LexOrdering> {
    let options = |descending| SortOptions { descending, nulls_first: descending };
    LexOrdering::new(
        order.iter().map(|key| PhysicalSortExpr::new(Arc::clone(&key.expr), options(key.options.descending))),
    )
}

/// The order in which the rows of each file lie, as far as its columns have no nulls.
fn order_of(config: &FileScanConfig, files: &[PartitionedFile]) -> Option<LexOrdering> {
    let orders: Option<Vec<_>> = files.iter().map(|file| told(&file.extension::<Footer>()?.0)).collect();
    let mut orders = orders?.into_iter();
    let first = orders.next()?;
    let common = orders.fold(first, |mut common, other| {
        let same = common.iter().zip(&other).take_while(|(one, other)| one == other).count();
        common.truncate(same);
        common
    });
    let schema = config.file_source().table_schema().file_schema();
    let columns = common.into_iter().map_while(|(name, options)| {
        let place = schema.index_of(&name).ok()?;
        // Least and greatest values, by which files follow each other, leave nulls out, and numbers that are none.
        let has_all = |file: &PartitionedFile| {
            file.statistics.as_ref().is_some_and(|known| {
                let known = &known.column_statistics[place];
                let has_bounds = known.min_value.get_value().is_some() && known.max_value.get_value().is_some();
                known.null_count == Precision::Exact(0) && has_bounds
            })
        };
        let is_known = !schema.field(place).data_type().is_floating() && files.iter().all(has_all);
        is_known.then(|| PhysicalSortExpr::new(Arc::new(Column::new(&name, place)), options))
    });
    LexOrdering::new(columns)
}

/// The order that a footer tells of all rows of its file.
fn told(footer: &ParquetMetaData) -> Option<Vec<(String, SortOptions)>> {
    let file = footer.file_metadata();
    let is_whole = file.created_by().is_some_and(|writer| writer.starts_with(WRITER));
    let (first, others) = footer.row_groups().split_first()?;
    let told = first.sorting_columns()?;
    let is_same = others.iter().all(|group| group.sorting_columns() == Some(told));
    let is_one_run = others.is_empty() || (is_whole && is_same);
    if !is_one_run {
        return None;
    }
    let columns = told.iter().map_while(|column| {
        let path = file.schema_descr().column(usize::try_from(column.column_idx).ok()?).path().clone();
        let [name] = path.parts() else { return None };
        let options = SortOptions { descending: column.descending, nulls_first: column.nulls_first };
        Some((name.clone(), options))
    });
    Some(columns.collect())
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Int64Array, RecordBatch};
    use datafusion::parquet::arrow::ArrowWriter;
    use datafusion::parquet::file::metadata::SortingColumn;
    use datafusion::parquet::file::properties::WriterProperties;

    use super::*;

    /// The footer of a file of four rows.
    fn footer(writer: &str, rows_of_group: usize, sorting: Option<&SortingColumn>) -> ParquetMetaData {
        let rows: Int64Array = (0..4).collect();
        let batch = RecordBatch::try_from_iter([("n", Arc::new(rows) as _)]).expect("a column");
        let properties = WriterProperties::builder()
            .set_created_by(writer.to_owned())
            .set_max_row_group_row_count(Some(rows_of_group))
            .set_sorting_columns(sorting.map(|column| vec![column.clone()]))
            .build();
        let mut file = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).expect("a writer");
        file.write(&batch).expect("rows");
        file.finish().expect("a footer")
    }

    #[test]
    fn an_order_holds_for_a_whole_file_where_it_has_one_row_group_or_is_of_our_writer() {
        let by_n = SortingColumn { column_idx: 0, descending: true, nulls_first: false };
        let order = Some(vec![("n".to_owned(), SortOptions { descending: true, nulls_first: false })]);
        let ours = format!("{WRITER}1.2.3");
        assert_eq!(told(&footer(&ours, 2, Some(&by_n))), order);
        assert_eq!(told(&footer("another", 4, Some(&by_n))), order);
        assert_eq!(told(&footer("another", 2, Some(&by_n))), None);
        assert_eq!(told(&footer(&ours, 2, None)), None);
    }
}
