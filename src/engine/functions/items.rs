//! Heads what is selected without a name as it is written, and lets an order go by it.
//!
//! The engine's own names are `round(avg(surveys.nps),Int64(2))` and the like. And DataFusion 55.2 does not know such a column again:
//! `order by 2` of a query with groups is refused where it is calculated of aggregates, and so are an order by what DISTINCT keeps
//! and one by a column that is selected with a cast.

use std::collections::HashSet;

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, Ident, OrderBy, OrderByExpr, OrderByKind, Query, Select, SelectItem, SetExpr, Spanned, Value,
};

use super::arguments::alias;
use super::orders::{as_read, sole_relation};
use super::set_operations::first_select;
use crate::error::{Error, Result};

/// Looks at an item of a select list.
///
/// # Errors
/// `Query` for a number with `_` in it, which would be read as a shorter one and its name: `1_000` as `1 as _000`.
pub fn check(item: &SelectItem) -> Result<()> {
    let SelectItem::ExprWithAlias { expr, alias } = item else { return Ok(()) };
    let digits = alias.value.strip_prefix('_').filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
    let is_behind = alias.quote_style.is_none() && expr.span().end == alias.span.start && alias.span.start.line > 0;
    match digits {
        Some(digits) if is_behind => {
            Err(Error::query(format!("`_{digits}` behind a number is a name, and no part of it"))
                .hint("write numbers without `_`, and names behind `as`"))
        }
        _ => Ok(()),
    }
}

/// Names the items of a select list that have no name and are no columns.
pub fn name(select: &mut Select) {
    let mut taken: HashSet<String> = select.projection.iter().filter_map(alias).collect();
    for item in &mut select.projection {
        let SelectItem::UnnamedExpr(expr) = item else { continue };
        if has_name(expr) {
            continue;
        }
        let written = expr.to_string();
        let mut name = written.clone();
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{written}_{number}");
            number += 1;
        }
        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::with_quote('"', name) };
    }
}

/// Whether the engine names an item as users would: a column, and those that `unnest` makes of a struct.
fn has_name(expr: &Expr) -> bool {
    match expr {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => true,
        Expr::Nested(expr) => has_name(expr),
        Expr::Function(function) => function.name.to_string().eq_ignore_ascii_case("unnest"),
        _ => false,
    }
}

/// Writes the keys of an order that are calculated as items of the select list are as the numbers of these, and `order by all` as
/// the numbers of all.
pub fn number_keys(query: &mut Query) {
    let Some(OrderBy { kind: OrderByKind::Expressions(keys), .. }) = &mut query.order_by else { return };
    let is_set = !matches!(*query.body, SetExpr::Select(_));
    let Some(select) = first_select(&mut query.body) else { return };
    let relation = sole_relation(select);
    let read = |expr: &Expr| as_read(expr, relation.as_deref(), &[]);
    // Behind a `*` the numbers are not known.
    let items = select.projection.iter().map_while(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(read(expr)),
        _ => None,
    });
    let items: Vec<Expr> = items.collect();
    if let [OrderByExpr { expr: Expr::Identifier(all), options, .. }] = keys.as_slice()
        && all.quote_style.is_none()
        && all.value.eq_ignore_ascii_case("all")
        && items.len() == select.projection.len()
    {
        let options = *options;
        *keys = (0..items.len()).map(|place| OrderByExpr { expr: number(place), options, with_fill: None }).collect();
        return;
    }
    // DISTINCT ON orders rows before they are selected, and the columns of a set have their names alone.
    if is_set || matches!(select.distinct, Some(Distinct::On(_))) {
        return;
    }
    for OrderByExpr { expr: key, .. } in keys {
        if matches!(key, Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_)) {
            continue;
        }
        let written = read(key);
        if let Some(place) = items.iter().position(|item| *item == written) {
            *key = number(place);
        }
    }
}

fn number(place: usize) -> Expr {
    Expr::value(Value::Number((place + 1).to_string(), false))
}
