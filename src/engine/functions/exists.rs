//! Writes EXISTS in the select list as a count of rows, which DataFusion 55.2 can run there; EXISTS and IN it knows as filters alone.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, LimitClause, Query, Select, SetExpr, Value, Visit, Visitor, visit_expressions,
};

use super::arguments::{each_outside_queries, flow, insert, parser};
use crate::error::{Error, Result};

const FOUND: &str = "coalesce((select count(*) > 0 from (values (0))), false)";
const NONE_FOUND: &str = "(not coalesce((select count(*) > 0 from (values (0))), false))";

/// Writes each EXISTS in the select list out. Queries in it have select lists of their own.
pub fn write_out(select: &mut Select) -> ControlFlow<Error> {
    for item in &mut select.projection {
        each_outside_queries(item, |expression| {
            let written = match expression {
                // It may be null, too, which a count cannot say.
                Expr::InSubquery { .. } => Err(Error::query("`in` with a query does not work in the select list")
                    .hint("write `exists (select 1 from … where y = x)`")),
                Expr::Exists { subquery, negated } => {
                    counted(subquery.clone(), if *negated { NONE_FOUND } else { FOUND })
                }
                _ => return ControlFlow::Continue(()),
            };
            flow(written.map(|written| *expression = written))
        })?;
    }
    ControlFlow::Continue(())
}

/// Whether a query has rows.
///
/// # Errors
/// `Query` for one whose rows are not those that it filters.
fn counted(mut query: Box<Query>, sql: &str) -> Result<Expr> {
    if makes_rows(&query) {
        return Err(Error::query("`exists` in the select list takes a query without groups, calls and queries within")
            .hint("write `exists (select 1 from … where y = x)`"));
    }
    if takes_some(&query) {
        query.limit_clause = None;
    }
    let mut expression =
        parser(sql).and_then(|mut parser| parser.parse_expr()).map_err(|error| Error::internal(error.to_string()))?;
    insert(&mut SetExpr::Query(query), &mut expression);
    Ok(expression)
}

/// Whether a query may have a row where it finds none, as `select count(*)` has: the engine joins the counts of what is found. Queries
/// within are not looked into, and refused.
fn makes_rows(query: &Query) -> bool {
    match query.body.as_ref() {
        _ if query.with.is_some() => true,
        SetExpr::Query(query) => makes_rows(query),
        SetExpr::Select(select) => {
            let calls = visit_expressions(&select.projection, |expression| match expression {
                Expr::Function(_) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            });
            let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(groups, _) if groups.is_empty());
            is_grouped || select.having.is_some() || calls.is_break() || has_queries(select)
        }
        _ => false,
    }
}

fn has_queries(select: &Select) -> bool {
    select.visit(&mut AnyQuery).is_break()
}

/// Breaks off at the first query that is no list of values.
struct AnyQuery;

impl Visitor for AnyQuery {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let is_listed = matches!(query.body.as_ref(), SetExpr::Values(_));
        if is_listed { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// Whether the limit of a query leaves a row where there is one.
fn takes_some(query: &Query) -> bool {
    let Some(LimitClause::LimitOffset { limit: Some(Expr::Value(rows)), offset: None, limit_by }) = &query.limit_clause
    else {
        return false;
    };
    limit_by.is_empty() && matches!(&rows.value, Value::Number(rows, _) if rows != "0")
}
