//! Says of `IN (SELECT …)` that it is unknown where it is.
//!
//! DataFusion 55.2 heeds nulls where a NOT IN is a condition of its own, but for constants and for queries that use columns around them.
//! There, and below OR, NOT and CASE, it asks for each row whether there is
//! an equal one, and takes a no for false: `x not in (select y …) or …` lets rows through whose x is null, and all others where a y is
//! null. Here what is not found is null in those rows, for which two queries without the row's values say whether there is such a y,
//! and any y at all.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, ExprSchema, JoinType};
use datafusion::error::Result;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, Filter, LogicalPlan, LogicalPlanBuilder, Operator, Subquery, binary_expr, lit,
    not, scalar_subquery,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::scalar::ScalarValue;

use crate::error::Error;

/// The rule. It comes after the engine has settled types.
#[derive(Debug)]
pub struct Memberships;

impl AnalyzerRule for Memberships {
    fn name(&self) -> &'static str {
        "memberships"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Filter(filter) if has_membership(&filter.predicate)? => {
                let predicate = conditions(filter.predicate, filter.input.schema())?;
                Ok(Transformed::yes(LogicalPlan::Filter(Filter::try_new(predicate, filter.input)?)))
            }
            // A condition of rows of both sides.
            LogicalPlan::Join(mut join) if join.join_type == JoinType::Inner => {
                let filter = match join.filter.take() {
                    Some(filter) if has_membership(&filter)? => conditions(filter, &join.schema)?,
                    filter => {
                        join.filter = filter;
                        return Ok(Transformed::no(LogicalPlan::Join(join)));
                    }
                };
                join.filter = Some(filter);
                Ok(Transformed::yes(LogicalPlan::Join(join)))
            }
            other => Ok(Transformed::no(other)),
        })?;
        Ok(plan.data)
    }
}

fn has_membership(expr: &Expr) -> Result<bool> {
    expr.exists(|part| Ok(is_membership(part)))
}

fn is_membership(expr: &Expr) -> bool {
    matches!(expr, Expr::InSubquery(_))
}

/// What rows of this shape are to fulfil, part by part.
fn conditions(predicate: Expr, rows: &DFSchema) -> Result<Expr> {
    let parts = split_conjunction_owned(predicate).into_iter().map(|part| condition(part, rows));
    // There is at least one part.
    Ok(conjunction(parts.collect::<Result<Vec<_>>>()?).unwrap_or_else(|| lit(true)))
}

/// A condition of its own. The engine heeds nulls in a NOT IN of nothing else, if it asks for columns of the rows and the query is the
/// same for all of them; others it answers wrongly or not at all.
fn condition(part: Expr, input: &DFSchema) -> Result<Expr> {
    let (membership, is_negated) = match &part {
        Expr::InSubquery(membership) => (membership, membership.negated),
        Expr::Not(negated) => match negated.as_ref() {
            Expr::InSubquery(membership) => (membership, !membership.negated),
            _ => return asserted(part, input),
        },
        _ => return asserted(part, input),
    };
    if !is_negated {
        return Ok(part);
    }
    if !membership.subquery.outer_ref_columns.is_empty() {
        return none_may_be(membership, input);
    }
    if membership.expr.column_refs().is_empty() { asserted(part, input) } else { Ok(part) }
}

/// Whether the member is null, or something that it is held against.
fn may_be_unknown(membership: &InSubquery, input: &DFSchema) -> Result<bool> {
    let (_, value) = membership.subquery.subquery.schema().qualified_field(0);
    Ok(value.is_nullable() || membership.expr.nullable(input)?)
}

/// Whether the query, which uses columns of the row, has no row that is the member or that may be it.
fn none_may_be(membership: &InSubquery, input: &DFSchema) -> Result<Expr> {
    let rows = Arc::clone(&membership.subquery.subquery);
    let value = Expr::Column(Column::from(rows.schema().qualified_field(0)));
    let member = membership.expr.as_ref().clone().transform_up(|part| match part {
        Expr::Column(column) => {
            let field = Arc::clone(input.field_from_column(&column)?);
            Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column)))
        }
        other => Ok(Transformed::no(other)),
    })?;
    let may_be = value.clone().eq(member.data.clone()).or(value.is_null()).or(member.data.is_null());
    let rows = LogicalPlanBuilder::from(rows).filter(may_be)?.build()?;
    let subquery = Subquery {
        outer_ref_columns: rows.all_out_ref_exprs(),
        subquery: Arc::new(rows),
        spans: membership.subquery.spans.clone(),
    };
    Ok(Expr::Exists(Exists { subquery, negated: true }))
}

/// What is true or not, where false and unknown come to the same, and so they do in the sides of AND and OR.
fn asserted(expr: Expr, input: &DFSchema) -> Result<Expr> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
            Ok(binary_expr(asserted(*left, input)?, op, asserted(*right, input)?))
        }
        Expr::InSubquery(InSubquery { negated: false, .. }) => Ok(expr),
        other => Ok(other.transform_up(|part| with_unknown(part, input))?.data),
    }
}

/// A membership that is null where it is unknown; other expressions as they are.
fn with_unknown(expr: Expr, input: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::InSubquery(membership) = expr else { return Ok(Transformed::no(expr)) };
    if !may_be_unknown(&membership, input)? {
        return Ok(Transformed::no(Expr::InSubquery(membership)));
    }
    let InSubquery { expr: member, subquery, negated } = membership;
    let rows = Arc::clone(&subquery.subquery);
    let value = Expr::Column(Column::from(rows.schema().qualified_field(0)));
    if !subquery.outer_ref_columns.is_empty() {
        // Queries for its nulls would have to be joined to the row.
        let error = Error::query(
            "IN with a query that uses columns around it does not work below NOT, and NOT IN not below OR",
        );
        return Err(error.hint("write `exists (select 1 from … where y = x)`, or `not exists (…)`").into());
    }
    let has_null = is_any(&rows, Some(value.is_null()))?;
    let is_unknown = has_null.or(member.as_ref().clone().is_null().and(is_any(&rows, None)?));
    let is_found = Expr::InSubquery(InSubquery { expr: member, subquery, negated: false });
    let is_member = is_found.or(lit(ScalarValue::Boolean(None)).and(is_unknown));
    Ok(Transformed::yes(if negated { not(is_member) } else { is_member }))
}

/// Whether there is any row, or any of a kind.
fn is_any(rows: &Arc<LogicalPlan>, kind: Option<Expr>) -> Result<Expr> {
    let mut rows = LogicalPlanBuilder::from(Arc::clone(rows));
    if let Some(kind) = kind {
        rows = rows.filter(kind)?;
    }
    let counted = rows.limit(0, Some(1))?.aggregate(Vec::<Expr>::new(), vec![count(lit(1_i64))])?.build()?;
    Ok(scalar_subquery(Arc::new(counted)).gt(lit(0_i64)))
}
