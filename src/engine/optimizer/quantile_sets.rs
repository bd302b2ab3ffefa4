//! Keeps the values of a column once where a statement asks for several quantiles of it.
//!
//! A quantile needs all values of its group, and the engine keeps them for each call: a median and a ninetieth percentile of twenty
//! million costs are forty million numbers in memory.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::functions::core::expr_ext::FieldAccessor;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{Aggregate, AggregateUDF, Expr, ExprSchemable, LogicalPlan, Projection};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use datafusion::scalar::ScalarValue;

use super::super::functions::aggregate::{Quantile, QuantileSet};
use super::super::functions::structs::at_place;
use super::super::options;
use super::unaliased;

#[derive(Debug)]
pub struct QuantileSets;

impl OptimizerRule for QuantileSets {
    fn name(&self) -> &'static str {
        "quantile_sets"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        if !options::of(&config.options()).quantile_sets || aggregate.group_expr.is_empty() {
            return Ok(Transformed::no(plan));
        }
        Ok(together(aggregate)?.map_or_else(|| Transformed::no(plan), Transformed::yes))
    }
}

/// A quantile of a value: which, and of which rows.
struct Asked {
    value: Expr,
    filter: Option<Box<Expr>>,
    quantile: Quantile,
}

impl Asked {
    fn by(expr: &Expr, input: &LogicalPlan) -> Result<Option<Self>> {
        let Expr::AggregateFunction(AggregateFunction { func, params }) = unaliased(expr) else { return Ok(None) };
        let quantile = match (func.name(), params.args.as_slice()) {
            ("median", [_]) => Quantile::median(),
            ("percentile_cont", [_, Expr::Literal(ScalarValue::Float64(Some(share)), _)])
                if (0.0..=1.0).contains(share) =>
            {
                let is_descending = params.order_by.first().is_some_and(|sort| !sort.asc);
                Quantile { share: share.to_bits(), is_descending }
            }
            _ => return Ok(None),
        };
        let Some(value) = params.args.first() else { return Ok(None) };
        let is_plain = !params.distinct && !value.is_volatile();
        if !is_plain || value.get_type(input.schema())? != DataType::Float64 {
            return Ok(None);
        }
        Ok(Some(Self { value: value.clone(), filter: params.filter.clone(), quantile }))
    }

    fn is_of_the_same(&self, other: &Self) -> bool {
        self.value == other.value && self.filter == other.filter
    }
}

/// The grouping with one call for all quantiles of the same values; `None` where no two are.
fn together(aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    let asked: Vec<Option<Asked>> =
        aggregate.aggr_expr.iter().map(|expr| Asked::by(expr, &aggregate.input)).collect::<Result<_>>()?;
    let mut sets: Vec<Vec<usize>> = Vec::new();
    for (place, quantile) in asked.iter().enumerate() {
        let Some(quantile) = quantile else { continue };
        let of_the_same =
            |set: &&mut Vec<usize>| asked[set[0]].as_ref().is_some_and(|first| first.is_of_the_same(quantile));
        match sets.iter_mut().find(of_the_same) {
            Some(set) => set.push(place),
            None => sets.push(vec![place]),
        }
    }
    sets.retain(|set| set.len() > 1);
    if sets.is_empty() {
        return Ok(None);
    }

    let stays = |place: usize| !sets.iter().flatten().any(|joined| *joined == place);
    let staying: Vec<usize> = (0..asked.len()).filter(|place| stays(*place)).collect();
    let mut calls: Vec<Expr> = staying.iter().map(|place| aggregate.aggr_expr[*place].clone()).collect();
    for set in &sets {
        let quantiles: Vec<&Asked> = set.iter().filter_map(|place| asked[*place].as_ref()).collect();
        let params = AggregateFunctionParams {
            args: quantiles.iter().take(1).map(|quantile| quantile.value.clone()).collect(),
            distinct: false,
            filter: quantiles[0].filter.clone(),
            order_by: vec![],
            null_treatment: None,
        };
        let func = QuantileSet::new(quantiles.iter().map(|asked| asked.quantile).collect());
        let func = Arc::new(AggregateUDF::from(func));
        // Two sets of one value and other rows would have one name.
        let call = Expr::AggregateFunction(AggregateFunction { func, params });
        let name = format!("{} {}", call.schema_name(), set[0]);
        calls.push(call.alias(name));
    }
    let grouped = Aggregate::try_new(Arc::clone(&aggregate.input), aggregate.group_expr.clone(), calls)?;
    let columns = grouped.schema.columns();
    let keys = columns.len() - staying.len() - sets.len();
    let output = aggregate.schema.columns().into_iter().enumerate().map(|(place, column)| {
        let Some(place) = place.checked_sub(keys) else { return Expr::Column(column) };
        if let Some(found) = staying.iter().position(|stays| *stays == place) {
            return Expr::Column(columns[keys + found].clone());
        }
        let of_set = sets
            .iter()
            .enumerate()
            .find_map(|(number, set)| Some((number, set.iter().position(|joined| *joined == place)?)));
        match of_set {
            Some((number, quantile)) => Expr::Column(columns[keys + staying.len() + number].clone())
                .field(at_place(quantile))
                .alias_qualified(column.relation, column.name),
            None => Expr::Column(column),
        }
    });
    let output = output.collect();
    Ok(Some(LogicalPlan::Projection(Projection::try_new(output, Arc::new(LogicalPlan::Aggregate(grouped)))?)))
}
