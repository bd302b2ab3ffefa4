//! Calculates and compares without losing what the engine's types lose: `decimals.rs` and `spans.rs` say what.
//!
//! It comes before the engine settles types, and goes through a statement as the engine does then: from the inputs up, with the types that
//! each step has become.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ExprSchema};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::coerce_plan_expr_for_schema;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, RecursiveQuery, Union, Values};
use datafusion::optimizer::AnalyzerRule;

use super::{decimals, spans};

/// The rule.
#[derive(Debug)]
pub struct Calculations;

impl AnalyzerRule for Calculations {
    fn name(&self) -> &'static str {
        "calculations"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(calculated(plan, &DFSchema::empty())?.data)
    }
}

/// A plan with its calculations written anew; `outer` has the columns that a subquery sees outside of it.
fn calculated(plan: LogicalPlan, outer: &DFSchema) -> Result<Transformed<LogicalPlan>> {
    let mut is_other = false;
    plan.transform_up(|node| {
        if !is_other && !calculates(&node)? {
            return Ok(Transformed::no(node));
        }
        let mut schema = merge_schema(&node.inputs());
        schema.merge(outer);
        let node = node
            .map_subqueries(|subquery| calculated(subquery, &schema))?
            .transform_data(|node| super::rewritten(node, |expr| rewritten(expr, &schema, outer)))?
            .transform_data(|node| {
                Ok(match node {
                    LogicalPlan::Sort(sort) => spans::sorted(sort),
                    other => Transformed::no(other),
                })
            })?;
        is_other |= node.transformed;
        if is_other { node.map_data(with_types) } else { Ok(node) }
    })
}

/// Whether a step may have to be written anew.
fn calculates(node: &LogicalPlan) -> Result<bool> {
    let mut found = matches!(node, LogicalPlan::Sort(_));
    node.apply_expressions(|expr| {
        found = found || expr.exists(|part| Ok(is_concerned(part)))?;
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

fn is_concerned(expr: &Expr) -> bool {
    match expr {
        Expr::BinaryExpr(BinaryExpr { op, .. }) => {
            matches!(op, Operator::Multiply | Operator::Divide) || op.supports_propagation()
        }
        Expr::Between(_)
        | Expr::InList(_)
        | Expr::ScalarSubquery(_)
        | Expr::Exists(_)
        | Expr::InSubquery(_)
        | Expr::SetComparison(_)
        | Expr::OuterReferenceColumn(..) => true,
        _ => false,
    }
}

fn rewritten(expr: Expr, schema: &DFSchema, outer: &DFSchema) -> Result<Transformed<Expr>> {
    match expr {
        // It says itself of which type the column was.
        Expr::OuterReferenceColumn(field, column) => Ok(match outer.field_from_column(&column) {
            Ok(now) if now.data_type() != field.data_type() => {
                Transformed::yes(Expr::OuterReferenceColumn(Arc::clone(now), column))
            }
            _ => Transformed::no(Expr::OuterReferenceColumn(field, column)),
        }),
        other => spans::compared(other, schema)?.transform_data(|expr| Ok(decimals::calculated(expr, schema))),
    }
}

/// A step with the types that its expressions and inputs have become.
fn with_types(node: LogicalPlan) -> Result<LogicalPlan> {
    match node {
        LogicalPlan::Union(union) => Union::try_new_with_loose_types(union.inputs).map(LogicalPlan::Union),
        // Its steps read rows of the types that it began with.
        LogicalPlan::RecursiveQuery(query) => {
            let as_it_was = |term: Arc<LogicalPlan>| {
                coerce_plan_expr_for_schema(Arc::unwrap_or_clone(term), &query.schema).map(Arc::new)
            };
            let (first, next) = (as_it_was(query.static_term)?, as_it_was(query.recursive_term)?);
            RecursiveQuery::try_new(query.name, first, next, query.is_distinct).map(LogicalPlan::RecursiveQuery)
        }
        LogicalPlan::Values(Values { schema, values }) => {
            let row = |row: Vec<Expr>| {
                let cells = row.into_iter().zip(schema.fields());
                cells
                    .map(|(cell, field)| cell.cast_to(field.data_type(), &DFSchema::empty()))
                    .collect::<Result<Vec<_>>>()
            };
            let values = values.into_iter().map(row).collect::<Result<Vec<_>>>()?;
            Ok(LogicalPlan::Values(Values { schema, values }))
        }
        other => other.recompute_schema(),
    }
}
