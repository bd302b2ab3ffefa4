//! Writes INTERSECT ALL and EXCEPT ALL out: rows that are alike are numbered on either side, and compared with their numbers.
//!
//! DataFusion 55.2 does not count them: INTERSECT ALL kept a row as often as it was there if the other side had it at all, and EXCEPT
//! ALL left all of it out.

use datafusion::sql::sqlparser::ast::{SetExpr, SetOperator, SetQuantifier};

use super::arguments::{insert, query};
use crate::error::Result;

/// The rows of a side, each with a number among those that are like it. The columns need no names for it.
const NUMBERED: &str = "select * exclude (\"rows alike\"), unnest(range(0, \"rows alike\")) as \"row alike\" \
    from (select *, count(*) as \"rows alike\" from (values (0)) group by all)";

const WITHOUT_NUMBER: &str = "select * exclude (\"row alike\") from (values (0))";

/// Writes those of a query's body out.
///
/// # Errors
/// `Internal`, when our own text cannot be read.
pub fn write_out(body: &mut SetExpr) -> Result<()> {
    let SetExpr::SetOperation { op, set_quantifier, left, right } = body else { return Ok(()) };
    write_out(left)?;
    write_out(right)?;
    if *set_quantifier != SetQuantifier::All || !matches!(op, SetOperator::Intersect | SetOperator::Except) {
        return Ok(());
    }
    wrap(left, NUMBERED)?;
    wrap(right, NUMBERED)?;
    *set_quantifier = SetQuantifier::None;
    wrap(body, WITHOUT_NUMBER)
}

fn wrap(body: &mut SetExpr, sql: &str) -> Result<()> {
    let mut query = query(sql)?;
    insert(body, &mut query);
    *body = *query.body;
    Ok(())
}
