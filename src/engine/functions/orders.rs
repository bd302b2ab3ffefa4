//! Leaves out of the order of an aggregate what stands in it already.
//!
//! DataFusion 55.2 leaves it out of the order alone, and then finds more values than keys: it panics, or refuses its own types.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, Function, FunctionArgumentClause, FunctionArguments, Ident, OrderBy, OrderByKind, Query, Select,
    SetExpr, visit_expressions_mut,
};

use super::arguments::{alias, normalized, qualifier};

/// Shortens the order within a call; `relation` is all that FROM has, where that is one.
pub fn shorten_in_call(function: &mut Function, relation: Option<&str>) {
    let FunctionArguments::List(list) = &mut function.args else { return };
    for clause in &mut list.clauses {
        if let FunctionArgumentClause::OrderBy(order) = clause {
            shorten(order, |key| as_read(&key.expr, relation, &[]));
        }
    }
}

/// Shortens the order by which DISTINCT ON takes its rows, which the engine runs as an aggregate, and its own list.
pub fn shorten_in_query(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    if !matches!(select.distinct, Some(Distinct::On(_))) {
        return;
    }
    let relation = sole_relation(select);
    let aliases: Vec<String> = select.projection.iter().filter_map(alias).collect();
    if let Some(Distinct::On(columns)) = &mut select.distinct {
        shorten(columns, |column| as_read(column, relation.as_deref(), &aliases));
    }
    if let Some(OrderBy { kind: OrderByKind::Expressions(order), .. }) = &mut query.order_by {
        shorten(order, |key| as_read(&key.expr, relation.as_deref(), &aliases));
    }
}

/// The name of the one relation in FROM.
pub fn sole_relation(select: &Select) -> Option<String> {
    match select.from.as_slice() {
        [table] if table.joins.is_empty() => qualifier(&table.relation),
        _ => None,
    }
}

fn shorten<T>(list: &mut Vec<T>, read: impl Fn(&T) -> Expr) {
    let mut seen: Vec<Expr> = Vec::new();
    list.retain(|key| {
        let key = read(key);
        let is_new = !seen.contains(&key);
        if is_new {
            seen.push(key);
        }
        is_new
    });
}

/// An expression with its names as the engine reads them: a column of the one relation is the same with and without its name,
/// unless an alias hides it.
pub fn as_read(expression: &Expr, relation: Option<&str>, aliases: &[String]) -> Expr {
    let mut expression = expression.clone();
    let read = |name: &mut Ident| *name = Ident::new(normalized(name));
    let _: ControlFlow<()> = visit_expressions_mut(&mut expression, |inner| {
        match inner {
            Expr::Identifier(name) => read(name),
            Expr::CompoundIdentifier(names) => {
                names.iter_mut().for_each(read);
                if let [first, column] = names.as_slice()
                    && Some(first.value.as_str()) == relation
                    && !aliases.contains(&column.value)
                {
                    *inner = Expr::Identifier(column.clone());
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    expression
}
