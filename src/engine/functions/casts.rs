//! Tells apart what differs in a cast alone.
//!
//! DataFusion 55.2 leaves casts out of the names of what it groups by and aggregates, and refuses `sum(x)` beside
//! `sum(cast(x as double))`, whatever they are called in the select list. Here such casts are calls of `coalesce`, which it takes out
//! again once everything has its name.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, GroupByExpr, Query, SetExpr, visit_expressions, visit_expressions_mut};

use super::arguments::coalesce;

/// Looks at the calls and keys of a query.
pub fn tell_apart(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let mut named: Vec<Expr> = match &select.group_by {
        GroupByExpr::Expressions(keys, _) => keys.clone(),
        GroupByExpr::All(_) => vec![],
    };
    let mut has_cast = false;
    let mut see = |expr: &Expr| {
        has_cast = has_cast || matches!(expr, Expr::Cast { .. });
        if matches!(expr, Expr::Function(_)) {
            named.push(expr.clone());
        }
        ControlFlow::<Infallible>::Continue(())
    };
    // Nothing breaks them off.
    let _ = visit_expressions(select.as_ref(), &mut see);
    let _ = visit_expressions(&query.order_by, &mut see);
    if !has_cast {
        return;
    }

    // What there is by one name, and of each value that is cast in it, which casts of it.
    let mut by_name: BTreeMap<String, BTreeMap<String, Expr>> = BTreeMap::new();
    for expr in named {
        by_name.entry(bare(&expr)).or_default().insert(expr.to_string(), expr);
    }
    let mut casts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for expr in by_name.values().filter(|named| named.len() > 1).flat_map(BTreeMap::values) {
        let _ = visit_expressions(expr, |part| {
            if let Expr::Cast { expr: value, .. } = part {
                casts.entry(bare(value)).or_default().insert(part.to_string());
            }
            ControlFlow::<Infallible>::Continue(())
        });
    }
    if casts.is_empty() {
        return;
    }
    // Two casts of one value differ in how often they are wrapped.
    let mut write = |expr: &mut Expr| {
        if let Expr::Cast { expr: value, .. } = expr {
            let (value, written) = (bare(value), expr.to_string());
            let place = casts.get(&value).and_then(|casts| casts.iter().position(|cast| *cast == written));
            for _ in 0..place.map_or(0, |place| place + 1) {
                *expr = coalesce(vec![expr.clone()]);
            }
        }
        ControlFlow::<Infallible>::Continue(())
    };
    let _ = visit_expressions_mut(select.as_mut(), &mut write);
    let _ = visit_expressions_mut(&mut query.order_by, &mut write);
}

/// What an expression says without its casts, which is what the engine calls it.
fn bare(expr: &Expr) -> String {
    let mut bare = expr.clone();
    let _ = visit_expressions_mut(&mut bare, |part| {
        if let Expr::Cast { expr: value, .. } = part {
            *part = value.as_ref().clone();
        }
        ControlFlow::<Infallible>::Continue(())
    });
    bare.to_string().to_lowercase()
}
