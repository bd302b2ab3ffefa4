//! Finds the first rows of an order by the columns of the order and the filters alone, and reads the others for those rows.
//!
//! `select * ... order by answered_at desc limit 100` has no use for the texts of millions of rows. The scan gives their places with what
//! the sort needs, and once the first are known their pages are opened, few of all. Where the first key has so many values that few rows
//! share one, the keys behind it are read for those rows only; should more tie than were asked for, the rows are found by all keys.

mod exec;
mod positions;

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::Field;
use datafusion::common::config::ConfigOptions;
use datafusion::common::internal_err;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::ExecutionPlanProperties;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning};

use super::super::options;
use super::stored::{self, FOOTERS_READ, ROWS_OF_PAGE, chunks, distinct, known_values};
pub use exec::FetchRowsExec;
use exec::Ties;
use positions::{Part, Positions, Rows};

/// Rows that are asked for beyond those that are wanted, to see where those that tie with the last one end.
const ROWS_BEYOND: usize = 1_000;

/// Share of the decoding that may be left.
const LEFT_MAX: f64 = 0.7;

/// The rule. It comes before the sorts tell scans what they have found.
#[derive(Debug)]
pub struct FetchRows;

impl PhysicalOptimizerRule for FetchRows {
    fn name(&self) -> &'static str {
        "fetch_rows"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        if !options::of(config).fetch_rows {
            return Ok(plan);
        }
        let found =
            plan.transform_down(|plan| match sorted_first(&plan).map(|found| found.rewritten()).transpose()? {
                Some(Some(rewritten)) => Ok(Transformed::new(rewritten, true, TreeNodeRecursion::Jump)),
                _ => Ok(Transformed::no(plan)),
            })?;
        Ok(found.data)
    }
}

/// A sort for the first rows of a scan.
struct SortedFirst<'a> {
    order: &'a LexOrdering,
    /// The columns of the table that it is by.
    keys: Vec<usize>,
    rows: usize,
    /// What gives the columns of `input`.
    base: &'a Arc<dyn ExecutionPlan>,
    /// Whether parts are sorted apart and merged.
    in_parts: bool,
    /// What is calculated of the columns of `input` before the sort.
    calculated: &'a [ProjectionExpr],
    input: Chain<'a>,
}

fn sorted_first(plan: &Arc<dyn ExecutionPlan>) -> Option<SortedFirst<'_>> {
    let (sort, in_parts) = match plan.downcast_ref::<SortPreservingMergeExec>() {
        Some(merge) => {
            let sort = merge.input().downcast_ref::<SortExec>()?;
            if merge.fetch() != sort.fetch() || merge.expr() != sort.expr() || !sort.preserve_partitioning() {
                return None;
            }
            (sort, true)
        }
        None => (plan.downcast_ref::<SortExec>()?, false),
    };
    let is_whole = in_parts || sort.input().output_partitioning().partition_count() == 1;
    let (calculated, base, input) = match (Chain::of(sort.input()), sort.input().downcast_ref::<ProjectionExec>()) {
        (None, Some(projection)) => (projection.expr(), projection.input(), Chain::of(projection.input())),
        (chain, _) => (&[][..], sort.input(), chain),
    };
    let input = input.filter(|_| is_whole)?;
    let keys = sort.expr().iter().map(|key| {
        let place = key.expr.downcast_ref::<Column>()?.index();
        let place = match calculated {
            [] => place,
            calculated => calculated.get(place)?.expr.downcast_ref::<Column>()?.index(),
        };
        input.columns.get(place).copied()
    });
    let keys = keys.collect::<Option<_>>()?;
    Some(SortedFirst { order: sort.expr(), keys, rows: sort.fetch()?, base, in_parts, calculated, input })
}

/// An order of the first columns of a plan.
fn over_first<'a>(
    order: impl IntoIterator<Item = &'a PhysicalSortExpr>,
    plan: &dyn ExecutionPlan,
) -> Result<LexOrdering> {
    let schema = plan.schema();
    let keys = order.into_iter().zip(0..).map(|(key, place)| {
        PhysicalSortExpr::new(Arc::new(Column::new(schema.field(place).name(), place)), key.options)
    });
    match LexOrdering::new(keys) {
        Some(order) if order.len() <= schema.fields().len() => Ok(order),
        _ => internal_err!("an order of nothing"),
    }
}

/// What lies between a sort and a scan, if rows only pass it or do not, in the columns of the scan.
struct Chain<'a> {
    scan: &'a FileScanConfig,
    /// For each column that comes out, its place in the table.
    columns: Vec<usize>,
    /// From the scan upwards.
    steps: Vec<Step<'a>>,
}

enum Step<'a> {
    /// With a condition over the columns of the table.
    Filter(&'a FilterExec, Arc<dyn PhysicalExpr>),
    Spread(&'a Partitioning),
    Gather,
}

impl<'a> Chain<'a> {
    fn of(plan: &'a Arc<dyn ExecutionPlan>) -> Option<Self> {
        // A limit counts the rows that come.
        if plan.fetch().is_some() {
            return None;
        }
        if let Some(scan) = plan.downcast_ref::<DataSourceExec>() {
            let scan = scan.data_source().downcast_ref::<FileScanConfig>()?;
            let projection = scan.file_source().projection()?;
            let columns = projection.iter().map(|column| Some(column.expr.downcast_ref::<Column>()?.index()));
            return Some(Self { scan, columns: columns.collect::<Option<_>>()?, steps: Vec::new() });
        }
        let [child] = plan.children()[..] else { return None };
        let mut chain = Self::of(child)?;
        if let Some(filter) = plan.downcast_ref::<FilterExec>() {
            chain.steps.push(Step::Filter(filter, chain.in_table(filter.predicate())?));
            if let Some(kept) = filter.projection() {
                chain.columns = kept.iter().map(|&place| chain.columns[place]).collect();
            }
        } else if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
            let columns = projection.expr().iter().map(|column| {
                let place = column.expr.downcast_ref::<Column>()?.index();
                chain.columns.get(place).copied()
            });
            chain.columns = columns.collect::<Option<_>>()?;
        } else if let Some(spread) = plan.downcast_ref::<RepartitionExec>() {
            matches!(spread.partitioning(), Partitioning::RoundRobinBatch(_))
                .then(|| chain.steps.push(Step::Spread(spread.partitioning())))?;
        } else {
            plan.is::<CoalescePartitionsExec>().then(|| chain.steps.push(Step::Gather))?;
        }
        Some(chain)
    }

    /// An expression over what comes out, over the columns of the table.
    fn in_table(&self, expr: &Arc<dyn PhysicalExpr>) -> Option<Arc<dyn PhysicalExpr>> {
        in_places(expr, |place| self.columns.get(place).copied())
    }
}

/// An expression with its columns in other places; `None` where one has no other.
fn in_places(expr: &Arc<dyn PhysicalExpr>, place: impl Fn(usize) -> Option<usize>) -> Option<Arc<dyn PhysicalExpr>> {
    let mut has_all = true;
    let moved = Arc::clone(expr).transform_up(|part| {
        let Some(column) = part.downcast_ref::<Column>() else { return Ok(Transformed::no(part)) };
        let Some(place) = place(column.index()) else {
            has_all = false;
            return Ok(Transformed::no(part));
        };
        Ok(Transformed::yes(Arc::new(Column::new(column.name(), place)) as Arc<dyn PhysicalExpr>))
    });
    Some(moved.ok()?.data).filter(|_| has_all)
}

impl SortedFirst<'_> {
    /// The same rows, found by few columns; `None` where that does not pay, or cannot be.
    fn rewritten(&self) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let keys = self.keys.as_slice();
        let Some(found_by) = (1..=keys.len()).map(|read| &keys[..read]).find(|keys| self.tells_apart(keys)) else {
            return Ok(None);
        };
        if !self.pays(&self.read(found_by)) {
            return Ok(None);
        }
        let Some(positions) = Positions::of(self.input.scan)? else { return Ok(None) };

        // The first rows with all of their keys, and with their positions.
        let Some(mut first) = self.first(&positions, keys, self.rows)? else { return Ok(None) };
        let known = self.carried(keys);
        if found_by.len() < keys.len() {
            let asked = self.rows + ROWS_BEYOND;
            let Some(quick) = self.first(&positions, found_by, asked)? else { return Ok(None) };
            let carried = self.carried(found_by);
            let schema = first.schema();
            let otherwise = Ties { keys: found_by.len(), wanted: self.rows, asked, whole: first };
            let properties = EquivalenceProperties::new(schema);
            let rows = self.fetched(&positions, &carried, &known, true)?;
            let tied = FetchRowsExec::new(quick, rows, properties, Some(otherwise));
            first = Arc::new(SortExec::new(over_first(self.order, &tied)?, Arc::new(tied)).with_fetch(Some(self.rows)));
        }
        let mut properties = self.base.equivalence_properties().clone();
        properties.clear_orderings();
        properties.clear_per_partition_constants();
        let rows = self.fetched(&positions, &known, &self.input.columns, false)?;
        let mut fetched: Arc<dyn ExecutionPlan> = Arc::new(FetchRowsExec::new(first, rows, properties, None));
        if !self.calculated.is_empty() {
            fetched = Arc::new(ProjectionExec::try_new(self.calculated.to_vec(), fetched)?);
        }
        Ok(Some(Arc::new(SortExec::new(self.order.clone(), fetched).with_fetch(Some(self.rows)))))
    }

    /// The first rows by some of the keys: these columns, those of filters that are wanted, and the rows' positions.
    fn first(&self, positions: &Positions, keys: &[usize], rows: usize) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let read = self.read(keys);
        let mut node = positions.scan(self.input.scan, &read)?;
        let last = self.input.steps.iter().rposition(|step| matches!(step, Step::Filter(..)));
        // What filters alone read goes with the last of them.
        let carried = self.carried(keys);
        let kept: Vec<usize> = (0..read.len() + 2)
            .filter(|&place| read.get(place).is_none_or(|column| carried.contains(column)))
            .collect();
        for (place, step) in self.input.steps.iter().enumerate() {
            node = match step {
                Step::Filter(filter, condition) => {
                    let condition = in_places(condition, |column| read.iter().position(|&read| read == column));
                    let Some(condition) = condition else { return Ok(None) };
                    let filter = FilterExecBuilder::new(condition, node)
                        .with_default_selectivity(filter.default_selectivity())
                        .with_batch_size(filter.batch_size())
                        .apply_projection((last == Some(place)).then(|| kept.clone()))?;
                    Arc::new(filter.build()?)
                }
                Step::Spread(partitioning) => {
                    Arc::new(RepartitionExec::try_new(node, Partitioning::clone(partitioning))?)
                }
                Step::Gather => Arc::new(CoalescePartitionsExec::new(node)),
            };
        }
        let order = over_first(self.order.iter().take(keys.len()), node.as_ref())?;
        let sort = SortExec::new(order.clone(), node).with_fetch(Some(rows)).with_preserve_partitioning(self.in_parts);
        Ok(Some(if self.in_parts {
            Arc::new(SortPreservingMergeExec::new(order, Arc::new(sort)).with_fetch(Some(rows)))
        } else {
            Arc::new(sort)
        }))
    }

    /// What is read beside columns that are known, to make others of both.
    fn fetched(&self, positions: &Positions, known: &[usize], made: &[usize], with_positions: bool) -> Result<Rows> {
        let mut others: Vec<usize> = made.iter().copied().filter(|column| !known.contains(column)).collect();
        others.sort_unstable();
        others.dedup();
        let place = |of: &[usize], column: &usize| of.iter().position(|known| known == column);
        let parts = made.iter().filter_map(|column| {
            place(known, column).map(Part::Carried).or_else(|| place(&others, column).map(Part::Fetched))
        });
        let of_positions = [known.len(), known.len() + 1].map(Part::Carried);
        let parts = parts.chain(of_positions.into_iter().filter(|_| with_positions)).collect();
        positions.rows(self.input.scan, &others, parts)
    }

    /// What the first rows by some keys carry with them: the keys, and what filters read if it is wanted.
    fn carried(&self, keys: &[usize]) -> Vec<usize> {
        let mut carried = self.read(keys);
        carried.retain(|column| self.input.columns.contains(column));
        carried
    }

    fn field(&self, column: usize) -> &Field {
        self.input.scan.file_source().table_schema().table_schema().field(column)
    }

    /// Whether few rows have the same values of the first keys, or there are no others.
    fn tells_apart(&self, keys: &[usize]) -> bool {
        if keys.len() == self.order.len() {
            return true;
        }
        let row_groups = stored::row_groups(self.input.scan);
        let values: f64 = keys.iter().map(|&key| distinct(self.field(key).name(), &row_groups)).product();
        let rows = self.input.scan.statistics().num_rows.get_value().map_or(f64::INFINITY, |&rows| rows as f64);
        let is_known = keys.iter().zip(self.order).all(|(&key, order)| {
            !order.options.nulls_first
                || known_values(self.field(key).name(), &row_groups).is_some_and(|known| known >= 1.0)
        });
        let is_plain = keys.iter().all(|&key| !self.field(key).data_type().is_nested());
        is_known && is_plain && rows / values <= ROWS_BEYOND as f64
    }

    /// The columns that the rows are found by: those of the order, then those of the filters.
    fn read(&self, keys: &[usize]) -> Vec<usize> {
        let mut read = keys.to_vec();
        let conditions = self.input.steps.iter().filter_map(|step| match step {
            Step::Filter(_, condition) => Some(condition),
            _ => None,
        });
        let of_filters: BTreeSet<usize> = conditions.flat_map(collect_columns).map(|column| column.index()).collect();
        read.extend(of_filters.into_iter().filter(|column| !keys.contains(column)));
        read
    }

    /// Whether finding the rows and opening their pages is to unpack much less than all, by what footers say of the first files.
    fn pays(&self, read: &[usize]) -> bool {
        let row_groups = stored::row_groups(self.input.scan);
        let files = self.input.scan.file_groups.iter().map(FileGroup::len).sum::<usize>().max(1);
        let rows = self.rows as f64 * (files.min(FOOTERS_READ) as f64 / files as f64);
        let touched = |parts: f64| (rows / parts.max(1.0)).min(1.0);
        let columns: BTreeSet<usize> = self.input.columns.iter().copied().collect();
        let (mut found, mut fetched, mut all) = (0.0, 0.0, 0.0);
        for column in columns.union(&read.iter().copied().collect()) {
            let name = self.field(*column).name();
            let chunks: Vec<_> =
                row_groups.iter().flat_map(|group| chunks(group, name).map(move |chunk| (*group, chunk))).collect();
            let bytes: f64 = chunks.iter().map(|(_, chunk)| chunk.uncompressed_size() as f64).sum();
            let dictionaries: f64 = chunks.iter().map(|(_, chunk)| dictionary(chunk)).sum::<f64>().min(bytes);
            let pages: f64 = chunks.iter().map(|(group, _)| pages(group)).sum();
            all += bytes;
            if read.contains(column) {
                found += bytes;
            } else {
                let of_groups = touched(row_groups.len() as f64);
                fetched += dictionaries * of_groups + (bytes - dictionaries) * touched(pages);
            }
        }
        all > 0.0 && found + fetched <= all * LEFT_MAX
    }
}

/// Bytes of a dictionary, as they are when unpacked, about.
fn dictionary(chunk: &ColumnChunkMetaData) -> f64 {
    let packed = chunk.dictionary_page_offset().map_or(0, |start| chunk.data_page_offset() - start);
    packed as f64 * chunk.uncompressed_size() as f64 / (chunk.compressed_size() as f64).max(1.0)
}

/// Pages of a column in a row group, about.
fn pages(group: &RowGroupMetaData) -> f64 {
    (group.num_rows() as f64 / ROWS_OF_PAGE).ceil()
}
