//! Holds a column of the query around against one column of a subquery, and that against the others.
//!
//! DataFusion 55.2 groups a correlated subquery by the columns that are held against columns around it, and joins the groups. Of two
//! that are held against the same one, as in `where b.k = a.k and c.k = a.k`, it joins by one alone: rows of others are counted, and
//! rows around come several times.

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{BinaryExpr, Expr, Filter, LogicalPlan, Operator};
use datafusion::optimizer::AnalyzerRule;

/// The rule. It comes after the engine has settled types.
#[derive(Debug)]
pub struct Correlations;

impl AnalyzerRule for Correlations {
    fn name(&self) -> &'static str {
        "correlations"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Filter(filter) => match with_one_each(&filter.predicate) {
                Some(predicate) => Ok(Transformed::yes(LogicalPlan::Filter(Filter::try_new(predicate, filter.input)?))),
                None => Ok(Transformed::no(LogicalPlan::Filter(filter))),
            },
            other => Ok(Transformed::no(other)),
        })?;
        Ok(plan.data)
    }
}

/// A condition in which each outer value is held against one other; `None` where it is so already.
fn with_one_each(predicate: &Expr) -> Option<Expr> {
    let mut known: Vec<(&Expr, &Expr)> = Vec::new();
    let mut parts = Vec::new();
    let mut has_changed = false;
    for part in split_conjunction(predicate) {
        let Some((outer, inner)) = correlation(part) else {
            parts.push(part.clone());
            continue;
        };
        if let Some((_, first)) = known.iter().find(|(other, _)| *other == outer) {
            has_changed = true;
            parts.push((*first).clone().eq(inner.clone()));
        } else {
            known.push((outer, inner));
            parts.push(part.clone());
        }
    }
    if has_changed { conjunction(parts) } else { None }
}

/// The outer and the inner side of an equation between them.
fn correlation(part: &Expr) -> Option<(&Expr, &Expr)> {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = part else { return None };
    match (left.contains_outer(), right.contains_outer()) {
        (true, false) if left.column_refs().is_empty() => Some((left, right)),
        (false, true) if right.column_refs().is_empty() => Some((right, left)),
        _ => None,
    }
}
