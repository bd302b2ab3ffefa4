//! Gives what a value is compared with by ANY and ALL a name of its own.
//!
//! DataFusion 55.2 asks whether there are rows for which the comparison holds, and names both sides as they are called: in
//! `x >= all (select x …)` of the same table it compared the column with itself. `= any` and `<> all` are memberships, which it runs faster.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Ident, Query, SelectItem, SetExpr};

use super::arguments::{insert, query};
use crate::error::{Error, Result};

const NAME: &str = "what is compared";

/// Writes a comparison with a query out.
///
/// # Errors
/// `Internal`, when our own text cannot be read; `Query` for `^`, which is a power elsewhere, and here would be the bits in which two
/// whole numbers differ, below `*` and `+` in rank.
pub fn write_out(expression: &mut Expr) -> Result<()> {
    if let Expr::BinaryOp { op: BinaryOperator::BitwiseXor, .. } = expression {
        return Err(Error::query("`^` is not taken: it means a power in some dialects and other bits in others")
            .hint("write `power(a, b)`"));
    }
    let (left, right, membership) = match expression {
        Expr::AnyOp { left, compare_op, right, .. } => (left, right, *compare_op == BinaryOperator::Eq),
        Expr::AllOp { left, compare_op, right } => (left, right, *compare_op == BinaryOperator::NotEq),
        _ => return Ok(()),
    };
    let Expr::Subquery(subquery) = right.as_mut() else { return Ok(()) };
    if !membership {
        return name(subquery);
    }
    let (member, subquery) = (left.clone(), subquery.clone());
    *expression = Expr::InSubquery { expr: member, subquery, negated: matches!(expression, Expr::AllOp { .. }) };
    Ok(())
}

/// Names the one column of a query.
fn name(subquery: &mut Query) -> Result<()> {
    if subquery.order_by.is_none()
        && let SetExpr::Select(select) = subquery.body.as_mut()
        && let [item] = select.projection.as_mut_slice()
        && let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item
    {
        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::with_quote('"', NAME) };
        return Ok(());
    }
    let mut named = query(&format!("select * from (values (0)) as compared(\"{NAME}\")"))?;
    let mut body = SetExpr::Query(Box::new(subquery.clone()));
    insert(&mut body, &mut named);
    *subquery = named;
    Ok(())
}
