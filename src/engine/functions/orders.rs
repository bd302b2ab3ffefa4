//! Leaves out of the order of an aggregate what stands in it already.
//!
//! DataFusion 55.2 leaves it out of the order alone, and then finds more values than keys: it panics, or refuses its own types.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, Function, FunctionArgumentClause, FunctionArguments, Ident, OrderBy, OrderByExpr, OrderByKind,
    Query, SetExpr, visit_expressions_mut,
};

use super::arguments::normalized;

/// Shortens the order within a call.
pub fn shorten_in_call(function: &mut Function) {
    let FunctionArguments::List(list) = &mut function.args else { return };
    for clause in &mut list.clauses {
        if let FunctionArgumentClause::OrderBy(order) = clause {
            shorten(order);
        }
    }
}

/// Shortens the order by which DISTINCT ON takes its rows, which the engine runs as an aggregate.
pub fn shorten_in_query(query: &mut Query) {
    if let SetExpr::Select(select) = query.body.as_ref()
        && matches!(select.distinct, Some(Distinct::On(_)))
        && let Some(OrderBy { kind: OrderByKind::Expressions(order), .. }) = &mut query.order_by
    {
        shorten(order);
    }
}

fn shorten(order: &mut Vec<OrderByExpr>) {
    let mut seen: Vec<Expr> = Vec::new();
    order.retain(|key| {
        let key = as_read(&key.expr);
        let is_new = !seen.contains(&key);
        if is_new {
            seen.push(key);
        }
        is_new
    });
}

/// An expression with its names as the engine reads them.
fn as_read(expression: &Expr) -> Expr {
    let mut expression = expression.clone();
    let read = |name: &mut Ident| *name = Ident::new(normalized(name));
    let _: ControlFlow<()> = visit_expressions_mut(&mut expression, |inner| {
        match inner {
            Expr::Identifier(name) => read(name),
            Expr::CompoundIdentifier(names) => names.iter_mut().for_each(read),
            _ => {}
        }
        ControlFlow::Continue(())
    });
    expression
}
