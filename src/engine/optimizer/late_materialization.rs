//! Late materialization, decided scan by scan: where few rows will pass a condition, its columns are read first and the others only
//! for the rows that pass.
//!
//! The engine does that for all scans of a session or for none, and not by default: where many rows pass, reading in two steps costs
//! more than it saves. What a filter leaves and how wide the other columns are is in the footers, which are at hand when a scan is
//! planned. The filter above the scan stays, so that a wrong guess costs time and nothing else.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::physical_plan::{FileScanConfig, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::logical_expr::Operator;
use datafusion::parquet::file::metadata::RowGroupMetaData;
use datafusion::parquet::file::statistics::Statistics as Numbers;
use datafusion::physical_expr::expressions::{
    BinaryExpr, Column, DynamicFilterPhysicalExpr, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr, Literal, NotExpr,
};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr, split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::scalar::ScalarValue;

use super::super::functions::scalar::OfDistinctTexts;
use super::super::options;
use super::stored::{self, ROWS_OF_PAGE, chunks, distinct, known_values};

/// What a sort for the first rows is taken to leave: it knows more of them with every batch.
const SHARE_OF_FIRST: f64 = 0.01;

/// What unpacking a page takes of its decoding; it is unpacked as a whole when one of its rows is wanted.
const UNPACKING: f64 = 0.6;

/// Rows that are decoded for each row that is wanted: those lie scattered.
const SCATTER: f64 = 4.0;

/// Share of the decoding that may be left.
const LEFT_MAX: f64 = 0.7;

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
    plan.map_children(|child| decided(child, for_first))
}

/// A condition of a filter.
struct Condition {
    /// Of the rows, that it leaves.
    share: f64,
    columns: HashSet<String>,
    /// That its columns take as they are stored.
    bytes: f64,
}

/// The scan with its filter before its other columns, where that pays.
fn late(scan: &DataSourceExec, for_first: bool) -> Option<DataSourceExec> {
    let config = scan.data_source().downcast_ref::<FileScanConfig>()?;
    let source = config.file_source().downcast_ref::<ParquetSource>()?;
    let predicate = config.file_source().filter()?;
    let row_groups = stored::row_groups(config);
    if row_groups.is_empty() {
        return None;
    }
    let bytes = |name: &String| -> f64 {
        row_groups.iter().flat_map(|group| chunks(group, name)).map(|chunk| chunk.compressed_size() as f64).sum()
    };
    let mut conditions: Vec<Condition> = split_conjunction(&predicate)
        .into_iter()
        .map(|condition| {
            let share = if condition.is::<DynamicFilterPhysicalExpr>() {
                if for_first { SHARE_OF_FIRST } else { 1.0 }
            } else {
                share(condition, &row_groups).unwrap_or(1.0)
            };
            let columns: HashSet<String> =
                collect_columns(condition).iter().map(|column| column.name().to_owned()).collect();
            Condition { share, bytes: columns.iter().map(bytes).sum(), columns }
        })
        .collect();
    // The order in which the reader takes them. One that can fail may be guarded by one that is written before it.
    let in_any_order = split_conjunction(&predicate).into_iter().all(never_fails);
    if in_any_order {
        conditions.sort_by(|a, b| a.bytes.total_cmp(&b.bytes));
    }
    let decoded =
        |share: f64| UNPACKING * (share * ROWS_OF_PAGE).min(1.0) + (1.0 - UNPACKING) * (share * SCATTER).min(1.0);
    let (mut left, mut late, mut read) = (1.0_f64, 0.0, HashSet::new());
    for condition in conditions {
        late += condition.columns.difference(&read).map(bytes).sum::<f64>() * decoded(left);
        // Conditions tend to mean the same rows, so that shares are not multiplied.
        left = left.min(condition.share);
        read.extend(condition.columns);
    }
    let projected = config.projected_schema().ok()?;
    let others: f64 =
        projected.fields().iter().map(|field| field.name()).filter(|name| !read.contains(*name)).map(bytes).sum();
    let all = others + read.iter().map(bytes).sum::<f64>();
    if late + others * decoded(left) > all * LEFT_MAX {
        return None;
    }
    let source = source.clone().with_pushdown_filters(true).with_reorder_filters(in_any_order);
    let config = FileScanConfigBuilder::from(config.clone()).with_source(Arc::new(source)).build();
    Some(scan.clone().with_data_source(Arc::new(config)))
}

/// Whether a condition is made of comparisons alone, which hold or do not.
fn never_fails(condition: &Arc<dyn PhysicalExpr>) -> bool {
    let call = condition.downcast_ref::<ScalarFunctionExpr>();
    if let Some(function) = call.and_then(|call| call.fun().inner().downcast_ref::<OfDistinctTexts>()) {
        return never_fails(function.calculated().0);
    }
    let is_one = condition.is::<Column>()
        || condition.is::<Literal>()
        || condition.is::<DynamicFilterPhysicalExpr>()
        || condition.is::<InListExpr>()
        || condition.is::<IsNotNullExpr>()
        || condition.is::<IsNullExpr>()
        || condition.is::<LikeExpr>()
        || condition.is::<NotExpr>()
        || condition.downcast_ref::<BinaryExpr>().is_some_and(|binary| {
            let op = binary.op();
            op.supports_propagation() || op.is_logic_operator()
        });
    is_one && condition.children().into_iter().all(never_fails)
}

/// The share of rows that a condition leaves, about; `None` where that cannot be told.
fn share(condition: &Arc<dyn PhysicalExpr>, row_groups: &[&RowGroupMetaData]) -> Option<f64> {
    if let Some(known) = condition.downcast_ref::<IsNotNullExpr>() {
        let column = known.arg().downcast_ref::<Column>()?;
        return known_values(column.name(), row_groups);
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
    let literal = left.downcast_ref::<Literal>().or_else(|| right.downcast_ref::<Literal>())?;
    let op = if left.is::<Literal>() { comparison.op().swap()? } else { *comparison.op() };
    let known = known_values(column.name(), row_groups)?;
    match op {
        Operator::Eq => Some(known / distinct(column.name(), row_groups)),
        Operator::Lt | Operator::LtEq => Some(known * below(column.name(), literal, row_groups)?),
        Operator::Gt | Operator::GtEq => Some(known * (1.0 - below(column.name(), literal, row_groups)?)),
        _ => None,
    }
}

/// The share of a number column's range that lies below a number.
fn below(name: &str, literal: &Literal, row_groups: &[&RowGroupMetaData]) -> Option<f64> {
    let number = match literal.value() {
        ScalarValue::TimestampMicrosecond(Some(number), _) | ScalarValue::TimestampNanosecond(Some(number), _) => {
            *number as f64
        }
        value => match value.cast_to(&DataType::Float64).ok()? {
            ScalarValue::Float64(Some(number)) => number,
            _ => return None,
        },
    };
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for chunk in row_groups.iter().flat_map(|group| chunks(group, name)) {
        let (low, high) = match chunk.statistics()? {
            Numbers::Int32(numbers) => (f64::from(*numbers.min_opt()?), f64::from(*numbers.max_opt()?)),
            Numbers::Int64(numbers) => (*numbers.min_opt()? as f64, *numbers.max_opt()? as f64),
            Numbers::Double(numbers) => (*numbers.min_opt()?, *numbers.max_opt()?),
            _ => return None,
        };
        (least, most) = (least.min(low), most.max(high));
    }
    (least < most).then(|| ((number - least) / (most - least)).clamp(0.0, 1.0))
}
