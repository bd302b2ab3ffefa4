//! Writes INTERSECT ALL and EXCEPT ALL out: rows that are alike are numbered on either side, and compared with their numbers.
//!
//! DataFusion 55.2 does not count them: INTERSECT ALL kept a row as often as it was there if the other side had it at all, and EXCEPT
//! ALL left all of it out.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, Query, Select, SelectItem, SetExpr, SetOperator, SetQuantifier, TableFactor, Visit, Visitor,
    visit_expressions_mut,
};

use super::arguments::{insert, normalized, qualifier, query};
use crate::error::Result;

/// The rows of a side, each with a number among those that are like it. The columns need no names for it.
const NUMBERED: &str = "select * exclude (\"rows alike\"), unnest(range(0, \"rows alike\")) as \"row alike\" \
    from (select *, count(*) as \"rows alike\" from (values (0)) group by all)";

const WITHOUT_NUMBER: &str = "select * exclude (\"row alike\") from (values (0))";

/// Writes those of a query out.
///
/// # Errors
/// `Internal`, when our own text cannot be read.
pub fn write_out(query: &mut Query) -> Result<()> {
    let mut names = Names::default();
    if matches!(*query.body, SetExpr::SetOperation { .. }) && query.order_by.is_some() {
        let _: ControlFlow<()> = query.body.visit(&mut names);
        if let Some(select) = first_select(&mut query.body) {
            names.headings = headings(select);
        }
    }
    if write_out_body(&mut query.body)? {
        let _: ControlFlow<()> = visit_expressions_mut(&mut query.order_by, |expression| {
            names.unqualify(expression);
            ControlFlow::Continue(())
        });
    }
    Ok(())
}

/// Whether the body itself was one of those.
fn write_out_body(body: &mut SetExpr) -> Result<bool> {
    let SetExpr::SetOperation { op, set_quantifier, left, right } = body else { return Ok(false) };
    let counts = *set_quantifier == SetQuantifier::All && matches!(op, SetOperator::Intersect | SetOperator::Except);
    if counts {
        name_columns(right);
    }
    write_out_body(left)?;
    write_out_body(right)?;
    if !counts {
        return Ok(false);
    }
    wrap(left, NUMBERED)?;
    wrap(right, NUMBERED)?;
    *set_quantifier = SetQuantifier::None;
    wrap(body, WITHOUT_NUMBER)?;
    Ok(true)
}

/// Names the columns of a right side, whose names do not count, and may be alike until a query is made of it.
fn name_columns(side: &mut SetExpr) {
    let Some(select) = first_select(side) else { return };
    for (place, item) in select.projection.iter_mut().enumerate() {
        if let SelectItem::UnnamedExpr(expr) = item {
            let alias = Ident::with_quote('"', format!("column {}", place + 1));
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
        }
    }
}

/// The SELECT that gives the columns their names, unless an order that sees nothing else goes by those.
pub fn first_select(body: &mut SetExpr) -> Option<&mut Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::SetOperation { left, .. } => first_select(left),
        SetExpr::Query(query) => {
            let is_ordered = query.order_by.is_some() && !matches!(*query.body, SetExpr::Select(_));
            if is_ordered { None } else { first_select(&mut query.body) }
        }
        _ => None,
    }
}

/// What the columns of a SELECT are called, as far as it says so.
fn headings(select: &Select) -> Vec<String> {
    let heading = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(normalized(alias)),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(normalized(name)),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(names)) => names.last().map(normalized),
        _ => None,
    };
    select.projection.iter().filter_map(heading).collect()
}

/// The names of a body that its order may go by.
#[derive(Default)]
struct Names {
    relations: BTreeSet<String>,
    headings: Vec<String>,
}

impl Names {
    /// Leaves the relation out of a column's name, of which there is none around what was written out. It stays, and is not
    /// found, where it tells two columns apart.
    fn unqualify(&self, expression: &mut Expr) {
        if let Expr::CompoundIdentifier(names) = expression
            && let [relation, column, fields @ ..] = names.as_slice()
            && self.relations.contains(&normalized(relation))
            && self.headings.iter().filter(|heading| **heading == normalized(column)).count() < 2
        {
            *expression = if fields.is_empty() {
                Expr::Identifier(column.clone())
            } else {
                Expr::CompoundIdentifier(names[1..].to_vec())
            };
        }
    }
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        self.relations.extend(qualifier(factor));
        ControlFlow::Continue(())
    }
}

fn wrap(body: &mut SetExpr, sql: &str) -> Result<()> {
    let mut query = query(sql)?;
    insert(body, &mut query);
    *body = *query.body;
    Ok(())
}
