//! Takes the first row of each key without sorting: `row_number() over (partition by k order by t desc) = 1`.
//!
//! The engine sorts all rows by key and time, numbers them and throws away all but the first of each key. One pass over the rows that
//! remembers the best row of each key leaves the same, as long as nothing else is asked of the number. `distinct on (k) … order by …`
//! and `first_value(… order by t)` ask for the same row column by column.
//!
//! Rows that tie on all of the order are anyone's choice in SQL; here it is the least of their wanted columns, from run to run the
//! same. `rank() = 1` keeps all that tie, and is left as it is.

use std::sync::Arc;

use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, ScalarValue};
use datafusion::error::Result;
use datafusion::functions::core::expr_ext::FieldAccessor;
use datafusion::logical_expr::expr::{AggregateFunction, NullTreatment, Sort};
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{
    Aggregate, AggregateUDF, BinaryExpr, Expr, ExprSchemable, Filter, LogicalPlan, Operator, Projection, Window,
    WindowFunctionDefinition, lit,
};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use super::super::functions::aggregate::FirstRow;
use super::super::functions::structs::at_place;
use super::super::options;
use super::unaliased;

/// The rule. It comes after the engine's, so that only columns which somebody reads are kept of a row.
#[derive(Debug)]
pub struct LatestPerKey;

impl OptimizerRule for LatestPerKey {
    fn name(&self) -> &'static str {
        "latest_per_key"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        if !options::of(&config.options()).latest_per_key {
            return Ok(Transformed::no(plan));
        }
        let rewritten = match &plan {
            LogicalPlan::Filter(filter) => numbered(filter)?,
            LogicalPlan::Aggregate(aggregate) => firsts(aggregate)?,
            _ => None,
        };
        Ok(rewritten.map_or_else(|| Transformed::no(plan), Transformed::yes))
    }
}

/// A filter that keeps the first of numbered rows, without the numbers.
fn numbered(filter: &Filter) -> Result<Option<LogicalPlan>> {
    let (projection, below) = match filter.input.as_ref() {
        LogicalPlan::Projection(projection) => (Some(projection), projection.input.as_ref()),
        other => (None, other),
    };
    let LogicalPlan::Window(window) = below else { return Ok(None) };
    let Some((number, params)) = row_number(window) else { return Ok(None) };
    let conjuncts = split_conjunction(&filter.predicate);
    // What the filter calls the number.
    let called = match projection {
        None => Some(number.clone()),
        Some(projection) => projection
            .expr
            .iter()
            .zip(projection.schema.columns())
            .find_map(|(expr, column)| (*unaliased(expr) == Expr::Column(number.clone())).then_some(column)),
    };
    let Some(called) = called else { return Ok(None) };
    let (first, others): (Vec<&Expr>, Vec<&Expr>) = conjuncts.into_iter().partition(|expr| is_first(expr, &called));
    if first.is_empty() {
        return Ok(None);
    }

    let wanted: Vec<Column> = match projection {
        None => window.schema.columns(),
        Some(projection) => {
            let read: std::collections::HashSet<&Column> = projection.expr.iter().flat_map(Expr::column_refs).collect();
            window.schema.columns().into_iter().filter(|column| read.contains(column)).collect()
        }
    };
    let kept: Vec<Column> = wanted
        .iter()
        .filter(|column| **column != number && !params.partition_by.contains(&Expr::Column((*column).clone())))
        .cloned()
        .collect();
    let values = kept.iter().cloned().map(Expr::Column).collect();
    let mut keys: Vec<Expr> = vec![];
    for key in params.partition_by {
        // Windows tell one zero from the other, groupings do not.
        if key.get_type(window.input.schema())?.is_floating() {
            return Ok(None);
        }
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    let Some(first) = First::new(&window.input, &keys, params.order_by, values)? else { return Ok(None) };

    let output = wanted.into_iter().map(|column| {
        let Column { relation, name, .. } = column.clone();
        if column == number {
            lit(ScalarValue::UInt64(Some(1))).alias_qualified(relation, name)
        } else if let Some(place) = kept.iter().position(|kept| *kept == column) {
            first.values[place].clone().alias_qualified(relation, name)
        } else {
            Expr::Column(column)
        }
    });
    let output = output.collect();
    let mut plan = LogicalPlan::Projection(Projection::try_new(output, Arc::new(first.plan))?);
    if let Some(projection) = projection {
        let schema = Arc::clone(&projection.schema);
        plan =
            LogicalPlan::Projection(Projection::try_new_with_schema(projection.expr.clone(), Arc::new(plan), schema)?);
    }
    Ok(Some(match conjunction(others.into_iter().cloned()) {
        Some(others) => LogicalPlan::Filter(Filter::try_new(others, Arc::new(plan))?),
        None => plan,
    }))
}

/// How rows are numbered.
struct Numbering<'a> {
    partition_by: &'a [Expr],
    order_by: &'a [Sort],
}

/// The column of the one number that a window gives its rows.
fn row_number(window: &Window) -> Option<(Column, Numbering<'_>)> {
    let [expr] = window.window_expr.as_slice() else { return None };
    let Expr::WindowFunction(call) = unaliased(expr) else { return None };
    let WindowFunctionDefinition::WindowUDF(function) = &call.fun else { return None };
    let params = &call.params;
    let is_plain = function.name() == "row_number" && params.filter.is_none() && !params.partition_by.is_empty();
    let column = window.schema.columns().pop()?;
    is_plain.then_some((column, Numbering { partition_by: &params.partition_by, order_by: &params.order_by }))
}

/// Whether a condition says that a number is the first: `= 1`, `<= 1` or `< 2`.
fn is_first(expr: &Expr, number: &Column) -> bool {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = expr else { return false };
    let (column, op, value) = match (left.as_ref(), right.as_ref()) {
        (Expr::Column(column), Expr::Literal(value, _)) => (column, *op, value),
        (Expr::Literal(value, _), Expr::Column(column)) => match op.swap() {
            Some(op) => (column, op, value),
            None => return false,
        },
        _ => return false,
    };
    let limit = match op {
        Operator::Eq | Operator::LtEq => 1,
        Operator::Lt => 2,
        _ => return false,
    };
    column == number && *value == ScalarValue::UInt64(Some(limit))
}

/// Values of the first row of each group, all in one order and nothing else, taken from that row together.
fn firsts(aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    if aggregate.group_expr.is_empty() || aggregate.aggr_expr.is_empty() {
        return Ok(None);
    }
    if aggregate.group_expr.iter().any(|expr| matches!(expr, Expr::GroupingSet(_))) {
        return Ok(None);
    }
    let mut order: Option<Vec<Sort>> = None;
    let mut values = Vec::with_capacity(aggregate.aggr_expr.len());
    for expr in &aggregate.aggr_expr {
        let Some((value, by)) = first_value(expr) else { return Ok(None) };
        if order.as_ref().is_some_and(|order| *order != by) {
            return Ok(None);
        }
        order = Some(by);
        values.push(value);
    }
    let order = order.unwrap_or_default();
    let Some(first) = First::new(&aggregate.input, &aggregate.group_expr, &order, values)? else { return Ok(None) };
    let groups = first.plan.schema().columns();
    let keys = aggregate.group_expr.len();
    let output = aggregate.schema.columns().into_iter().enumerate().map(|(place, column)| {
        if place < keys {
            Expr::Column(groups[place].clone())
        } else {
            first.values[place - keys].clone().alias_qualified(column.relation, column.name)
        }
    });
    let output = output.collect();
    Ok(Some(LogicalPlan::Projection(Projection::try_new(output, Arc::new(first.plan))?)))
}

/// The value and order of a call of `first_value`, or of `last_value` in its order turned round.
fn first_value(expr: &Expr) -> Option<(Expr, Vec<Sort>)> {
    let Expr::AggregateFunction(AggregateFunction { func, params }) = unaliased(expr) else { return None };
    let [value] = params.args.as_slice() else { return None };
    let keeps_nulls = !matches!(params.null_treatment, Some(NullTreatment::IgnoreNulls));
    if params.distinct || params.filter.is_some() || params.order_by.is_empty() || !keeps_nulls {
        return None;
    }
    let turned = |sort: &Sort| Sort { expr: sort.expr.clone(), asc: !sort.asc, nulls_first: !sort.nulls_first };
    match func.name() {
        "first_value" => Some((value.clone(), params.order_by.clone())),
        "last_value" => Some((value.clone(), params.order_by.iter().map(turned).collect())),
        _ => None,
    }
}

/// A grouping that keeps the first row of each group.
struct First {
    plan: LogicalPlan,
    /// The values of the row.
    values: Vec<Expr>,
}

impl First {
    /// `None` for orders and values that cannot be compared as they would have to be.
    fn new(input: &Arc<LogicalPlan>, keys: &[Expr], order: &[Sort], values: Vec<Expr>) -> Result<Option<Self>> {
        let schema = input.schema();
        // All rows of a group have its keys in common, and what an order has said once it need not say again.
        let is_said = |place: usize| {
            let expr = &order[place].expr;
            keys.contains(expr) || order[..place].iter().any(|before| before.expr == *expr)
        };
        let order: Vec<&Sort> = (0..order.len()).filter(|place| !is_said(*place)).map(|place| &order[place]).collect();
        let types = |exprs: &mut dyn Iterator<Item = &Expr>| -> Result<Vec<DataType>> {
            exprs.map(|expr| expr.get_type(schema)).collect()
        };
        let by = types(&mut order.iter().map(|sort| &sort.expr))?;
        if !FirstRow::takes(&by, &types(&mut values.iter())?) {
            return Ok(None);
        }
        let volatile = |expr: &Expr| expr.is_volatile();
        if order.iter().any(|sort| volatile(&sort.expr)) || keys.iter().chain(&values).any(volatile) {
            return Ok(None);
        }
        let count = values.len();
        let rows: Vec<Expr> = if values.is_empty() {
            Vec::new()
        } else {
            let options = |sort: &&Sort| SortOptions { descending: !sort.asc, nulls_first: sort.nulls_first };
            let function = AggregateUDF::from(FirstRow::new(order.iter().map(options).collect()));
            vec![function.call(order.iter().map(|sort| sort.expr.clone()).chain(values).collect())]
        };
        let aggregate = Aggregate::try_new(Arc::clone(input), keys.to_vec(), rows)?;
        let row = aggregate.schema.columns().into_iter().nth(keys.len());
        let of_row = |row| (0..count).map(move |place| Expr::Column(Column::clone(&row)).field(at_place(place)));
        let values = row.into_iter().flat_map(of_row).collect();
        Ok(Some(Self { plan: LogicalPlan::Aggregate(aggregate), values }))
    }
}
