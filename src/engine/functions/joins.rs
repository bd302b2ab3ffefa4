//! Refuses joins that pair every row with every other without a word, and those that there are not.

use datafusion::sql::sqlparser::ast::{JoinConstraint, JoinOperator, TableFactor, TableWithJoins};

use super::super::diagnose::no_asof_join;
use crate::error::{Error, Result};

/// Looks at the joins of a table in FROM.
///
/// # Errors
/// `Query` for a join without ON or USING that is not written as a cross join.
pub fn check(table: &TableWithJoins) -> Result<()> {
    for join in &table.joins {
        let constraint = match &join.join_operator {
            JoinOperator::AsOf { .. } => return Err(no_asof_join()),
            JoinOperator::Join(_) | JoinOperator::Inner(_) if is_lateral(&join.relation) => continue,
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)
            | JoinOperator::FullOuter(constraint)
            | JoinOperator::LeftSemi(constraint)
            | JoinOperator::RightSemi(constraint)
            | JoinOperator::LeftAnti(constraint)
            | JoinOperator::RightAnti(constraint) => constraint,
            _ => continue,
        };
        if *constraint == JoinConstraint::None {
            let hint = if is_lateral(&join.relation) {
                "write `on true`: it is made anew for each row before it"
            } else {
                "write `on a.id = b.id`, or `cross join` for every row with every other"
            };
            return Err(Error::query("a `join` says with ON or USING which rows belong together").hint(hint));
        }
    }
    Ok(())
}

/// Whether it is made anew for each row before it.
fn is_lateral(factor: &TableFactor) -> bool {
    matches!(
        factor,
        TableFactor::Derived { lateral: true, .. }
            | TableFactor::Function { lateral: true, .. }
            | TableFactor::UNNEST { .. }
    )
}
