//! Queries that use columns of the query around them, where the engine would answer for all rows at once.
//!
//! DataFusion 55.2 takes the condition on the columns around out of such a query and joins by it. A total of no rows, which has one row,
//! is then no row at all: `x not in (select max(…) …)` and `exists (select count(*) …)` are wrong where nothing matches. Here the one is a
//! comparison with the total, and the other is true. Windows run over the rows of all, conditions on a total (HAVING) and OFFSET are left
//! out: these are refused.

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::{
    Aggregate, Expr, FetchType, Filter, Limit, LogicalPlan, Operator, Projection, SkipType, Sort, Subquery,
    SubqueryAlias, binary_expr, lit,
};
use datafusion::optimizer::AnalyzerRule;

use crate::error::Error;

/// The rule. It comes after the engine has settled types.
#[derive(Debug)]
pub struct CorrelatedQueries;

impl AnalyzerRule for CorrelatedQueries {
    fn name(&self) -> &'static str {
        "correlated_queries"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| {
            // One in FROM, behind LATERAL.
            if let LogicalPlan::Subquery(query) = &node {
                check(query)?;
            }
            super::rewritten_where(node, is_query, |expr, _| answered(expr))
        })?;
        Ok(plan.data)
    }
}

fn is_query(expr: &Expr) -> bool {
    matches!(expr, Expr::InSubquery(_) | Expr::Exists(_) | Expr::ScalarSubquery(_))
}

/// A query as the engine answers it; other expressions as they are.
fn answered(expr: Expr) -> Result<Transformed<Expr>> {
    let (Expr::InSubquery(InSubquery { subquery: query, .. })
    | Expr::Exists(Exists { subquery: query, .. })
    | Expr::ScalarSubquery(query)) = &expr
    else {
        return Ok(Transformed::no(expr));
    };
    if query.outer_ref_columns.is_empty() {
        return Ok(Transformed::no(expr));
    }
    check(query)?;
    match (total(&query.subquery), expr) {
        (Some(Total::Conditional), _) => Err(refused(
            "HAVING on a total",
            "select the total and what it must fulfil as columns, and ask for these in the query around",
        )),
        (Some(Total::Always), Expr::InSubquery(InSubquery { expr, subquery, negated })) => {
            let operator = if negated { Operator::NotEq } else { Operator::Eq };
            Ok(Transformed::yes(binary_expr(*expr, operator, Expr::ScalarSubquery(subquery))))
        }
        (Some(Total::Always), Expr::Exists(Exists { negated, .. })) => Ok(Transformed::yes(lit(!negated))),
        (_, expr) => Ok(Transformed::no(expr)),
    }
}

/// Refuses what the engine would answer wrongly, with or without totals.
fn check(query: &Subquery) -> Result<()> {
    query.subquery.apply(|node| {
        let error = match node {
            LogicalPlan::Window(_) if uses_columns_around(node)? => refused(
                "a window",
                "calculate it in a query of its own, over `partition by` what is compared, and join that",
            ),
            LogicalPlan::Limit(limit) if skips(limit)? && uses_columns_around(node)? => refused(
                "OFFSET",
                "count the rows, as in `(select count(*) from …) > 2`, or number them in a query of its own and join that",
            ),
            _ => return Ok(TreeNodeRecursion::Continue),
        };
        Err(error)
    })?;
    Ok(())
}

fn refused(what: &str, hint: &str) -> DataFusionError {
    Error::query(format!("{what} cannot stand in a query that uses columns of the query around it")).hint(hint).into()
}

fn uses_columns_around(plan: &LogicalPlan) -> Result<bool> {
    plan.exists(|node| Ok(node.expressions().iter().any(Expr::contains_outer)))
}

fn skips(limit: &Limit) -> Result<bool> {
    Ok(!matches!(limit.get_skip_type()?, SkipType::Literal(0)))
}

/// A query of one row, which it has without any row to total.
enum Total {
    Always,
    /// It has that row where a condition holds.
    Conditional,
}

fn total(plan: &LogicalPlan) -> Option<Total> {
    match plan {
        LogicalPlan::Projection(Projection { input, .. })
        | LogicalPlan::SubqueryAlias(SubqueryAlias { input, .. })
        | LogicalPlan::Sort(Sort { input, .. }) => total(input),
        LogicalPlan::Limit(limit) => match limit.get_fetch_type() {
            Ok(FetchType::Literal(None | Some(1..))) => total(&limit.input),
            _ => None,
        },
        LogicalPlan::Filter(Filter { input, .. }) => total(input).map(|_| Total::Conditional),
        LogicalPlan::Aggregate(Aggregate { group_expr, .. }) if group_expr.is_empty() => Some(Total::Always),
        _ => None,
    }
}
