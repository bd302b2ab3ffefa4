//! Optimizer rules of our own, one file per rule.

mod choices;
mod compact_views;
mod correlated_queries;
mod correlations;
mod days_and_moments;
mod days_between;
mod distinct_counts;
mod distinct_texts;
mod eager_aggregation;
mod estimates;
mod exact_sums;
mod fetch_rows;
mod first_rows;
mod group_runs;
mod in_utc;
mod join_order;
mod join_runs;
mod late_materialization;
mod latest_per_key;
mod memberships;
mod nans;
mod narrow_casts;
mod null_equalities;
mod products;
mod quantile_sets;
mod roundings;
mod short_texts;
mod sorted_scans;
mod spans;
mod standing_filters;
mod stored;
mod stored_structs;
mod unambiguous;
mod untyped_nulls;
mod whole_numbers;
mod zeros;

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Between, InList};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};
use datafusion::optimizer::utils::NamePreserver;
use datafusion::optimizer::{Analyzer, AnalyzerRule, Optimizer, OptimizerRule};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};

use choices::Choices;
use compact_views::CompactViews;
use correlated_queries::CorrelatedQueries;
use correlations::Correlations;
use days_and_moments::DaysAndMoments;
use days_between::DaysBetween;
use distinct_counts::DistinctCounts;
use distinct_texts::DistinctTexts;
use eager_aggregation::EagerAggregation;
pub use estimates::estimates;
use exact_sums::ExactSums;
use fetch_rows::FetchRows;
pub use fetch_rows::FetchRowsExec;
use first_rows::FirstRows;
use group_runs::GroupRuns;
use in_utc::InUtc;
use join_order::JoinOrder;
use join_runs::JoinRuns;
use late_materialization::LateMaterialization;
use latest_per_key::LatestPerKey;
use memberships::Memberships;
use nans::Nans;
use narrow_casts::NarrowCasts;
use null_equalities::NullEqualities;
use products::Products;
use quantile_sets::QuantileSets;
use roundings::Roundings;
use short_texts::ShortTexts;
use sorted_scans::SortedScans;
use spans::Spans;
use standing_filters::StandingFilters;
use stored_structs::StoredStructs;
use unambiguous::Unambiguous;
use untyped_nulls::UntypedNulls;
use whole_numbers::{CheckedWholeNumbers, RoomForWholeNumbers};
use zeros::Zeros;

use super::sharing::{Attach, ShareSubplans};
use super::views::OpenViews;

/// The engine's rule that settles types.
const TYPES: &str = "type_coercion";

/// The engine's physical rules, in its order, with ours put in.
pub fn physical_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let before = |rule: &dyn PhysicalOptimizerRule| -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
        match rule.name() {
            // The order of joins comes before their sides.
            "join_selection" => vec![Arc::new(JoinOrder)],
            "LimitedDistinctAggregation" => vec![Arc::new(EagerAggregation)],
            // Scans below the sorts that are left are told to read row groups in another order.
            "PushdownSort" => vec![Arc::new(SortedScans), Arc::new(FetchRows), Arc::new(FirstRows)],
            _ => vec![],
        }
    };
    let rules = PhysicalOptimizer::new()
        .rules
        .into_iter()
        .flat_map(|rule| before(rule.as_ref()).into_iter().chain([Unambiguous::around_pushdown(rule)]));
    let ours: [Arc<dyn PhysicalOptimizerRule + Send + Sync>; 5] = [
        Arc::new(CompactViews),
        Arc::new(LateMaterialization),
        Arc::new(GroupRuns),
        Arc::new(JoinRuns),
        Arc::new(Attach),
    ];
    rules.chain(ours).collect()
}

/// The engine's rules that settle names and types, in its order, with ours put in, and ours after them.
pub fn analyzer_rules() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    let ours: [Arc<dyn AnalyzerRule + Send + Sync>; 11] = [
        Arc::new(OpenViews),
        Arc::new(NarrowCasts),
        Arc::new(Nans),
        Arc::new(CorrelatedQueries),
        Arc::new(Zeros),
        Arc::new(Products),
        Arc::new(CheckedWholeNumbers),
        Arc::new(DaysBetween),
        Arc::new(Memberships),
        Arc::new(Correlations),
        Arc::new(ShareSubplans),
    ];
    settling_rules().into_iter().chain(ours).collect()
}

/// The engine's rules that settle names and types, and ours before types are settled: what a view is settled by.
pub fn settling_rules() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    let before = |rule: &dyn AnalyzerRule| -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
        match rule.name() {
            TYPES => {
                vec![
                    Arc::new(Spans),
                    Arc::new(DaysAndMoments),
                    Arc::new(Roundings),
                    Arc::new(RoomForWholeNumbers),
                    Arc::new(UntypedNulls),
                ]
            }
            _ => vec![],
        }
    };
    Analyzer::new().rules.into_iter().flat_map(|rule| before(rule.as_ref()).into_iter().chain([rule])).collect()
}

/// A statement as it is before its types are settled, for what settles them by rules of its own.
///
/// # Errors
/// Those of an expression without a type.
pub fn before_types(plan: LogicalPlan) -> Result<LogicalPlan> {
    let mut rules = settling_rules().into_iter().take_while(|rule| rule.name() != TYPES);
    rules.try_fold(plan, |plan, rule| rule.analyze(plan, &ConfigOptions::default()))
}

/// The engine's logical rules, in its order, with ours put in.
pub fn logical_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let rules = Optimizer::new().rules.into_iter();
    let rules = rules.map(ExactSums::around_distinct).map(StandingFilters::around_pushdown);
    let rules = rules.map(StoredStructs::around_moves).map(NullEqualities::around_joins);
    let ours: [Arc<dyn OptimizerRule + Send + Sync>; 7] = [
        Arc::new(InUtc::new()),
        Arc::new(DistinctTexts),
        Arc::new(ShortTexts),
        Arc::new(Choices),
        Arc::new(DistinctCounts),
        Arc::new(QuantileSets),
        Arc::new(LatestPerKey),
    ];
    rules.chain(ours).collect()
}

/// Rewrites the expressions of a plan, each from its innermost parts, under the names that they have.
fn rewritten(
    plan: LogicalPlan,
    mut rewrite: impl FnMut(Expr) -> Result<Transformed<Expr>>,
) -> Result<Transformed<LogicalPlan>> {
    renamed(plan, |expr| expr.transform_up(&mut rewrite))
}

/// Replaces the expressions of a plan under the names that they have.
fn renamed(
    plan: LogicalPlan,
    mut replace: impl FnMut(Expr) -> Result<Transformed<Expr>>,
) -> Result<Transformed<LogicalPlan>> {
    let names = NamePreserver::new(&plan);
    let mut named = |expr: Expr| {
        let name = names.save(&expr);
        Ok(replace(expr)?.update_data(|expr| name.restore(expr)))
    };
    plan.map_expressions(|expr| match expr {
        // It has no name of its own; the keys in it have.
        Expr::GroupingSet(_) => expr.map_children(&mut named),
        other => named(other),
    })
}

/// The same of a step that has such an expression, with the columns that it is given.
fn rewritten_where(
    node: LogicalPlan,
    is_such: impl Fn(&Expr) -> bool,
    mut rewrite: impl FnMut(Expr, &DFSchema) -> Result<Transformed<Expr>>,
) -> Result<Transformed<LogicalPlan>> {
    if !has_expression(&node, is_such)? {
        return Ok(Transformed::no(node));
    }
    let schema = merge_schema(&node.inputs());
    rewritten(node, |expr| rewrite(expr, &schema))
}

/// Whether such an expression is somewhere in those of a step.
fn has_expression(node: &LogicalPlan, is_such: impl Fn(&Expr) -> bool) -> Result<bool> {
    let mut found = false;
    node.apply_expressions(|expr| {
        found = found || expr.exists(|part| Ok(is_such(part)))?;
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// What is called by an alias.
fn unaliased(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unaliased(&alias.expr),
        other => other,
    }
}

/// Whether an operator compares values or puts conditions together.
fn is_condition(op: Operator) -> bool {
    use Operator::{And, Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq, Or};
    matches!(op, And | Or | Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// What a comparison holds against each other, in the order of its children; `None` for what is none.
fn sides(expr: &Expr) -> Option<Vec<&Expr>> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if op.supports_propagation() => Some(vec![left, right]),
        Expr::Between(Between { expr, low, high, .. }) => Some(vec![expr, low, high]),
        Expr::InList(InList { expr, list, .. }) => Some(std::iter::once(expr.as_ref()).chain(list).collect()),
        _ => None,
    }
}

/// Whether any number of a type can be cast to the other.
fn has_room(to: &DataType, from: &DataType) -> bool {
    match (from, to) {
        (from, to) if to.is_floating() => from.is_numeric(),
        (DataType::Boolean, to) => to.is_integer(),
        (DataType::Decimal128(digits, scale), DataType::Decimal128(to_digits, to_scale)) => {
            scale <= to_scale && i16::from(*digits) - i16::from(*scale) <= i16::from(*to_digits) - i16::from(*to_scale)
        }
        (from, to) if from.is_integer() && to.is_integer() => {
            from.is_signed_integer() == to.is_signed_integer() && from.primitive_width() <= to.primitive_width()
        }
        _ => false,
    }
}

/// Whether a grouping is the first half of one, over plain keys, whose halves can be put together in other ways.
fn is_first_half(aggregate: &AggregateExec) -> bool {
    let groups = aggregate.group_expr();
    *aggregate.mode() == AggregateMode::Partial
        && groups.is_single()
        && !groups.is_empty()
        && aggregate.limit_options().is_none()
        && aggregate.aggr_expr().iter().all(|call| has_small_state(call))
}

/// Whether what a call keeps of a group is a few values, which can be put together with those of the same group elsewhere, in any order.
fn has_small_state(call: &AggregateFunctionExpr) -> bool {
    const NAMES: [&str; 14] = [
        "arg_max",
        "arg_min",
        "avg",
        "bool_and",
        "bool_or",
        "count",
        "first_row",
        "max",
        "min",
        "stddev",
        "stddev_pop",
        "sum",
        "var",
        "var_pop",
    ];
    NAMES.contains(&call.fun().name()) && !call.is_distinct() && call.order_bys().is_empty()
}
