//! What joins join by. Those that pair every row with every other without a word are refused, and those that there are not.

use datafusion::sql::sqlparser::ast::{Join, JoinConstraint, JoinOperator, TableFactor, TableWithJoins};

use super::super::diagnose::no_asof_join;
use crate::error::{Error, Result};

/// Looks at the joins of a table in FROM.
///
/// # Errors
/// `Query` for a join without ON or USING that is not written as a cross join.
pub fn check(table: &mut TableWithJoins) -> Result<()> {
    for Join { relation, join_operator, .. } in &mut table.joins {
        let is_lateral = is_lateral(relation);
        match join_operator {
            JoinOperator::AsOf { .. } => return Err(no_asof_join()),
            JoinOperator::Join(_) | JoinOperator::Inner(_) if is_lateral => continue,
            _ => {}
        }
        if constraint(join_operator).is_some_and(|constraint| *constraint == JoinConstraint::None) {
            let hint = if is_lateral {
                "write `on true`: it is made anew for each row before it"
            } else {
                "write `on a.id = b.id`, or `cross join` for every row with every other"
            };
            return Err(Error::query("a `join` says with ON or USING which rows belong together").hint(hint));
        }
    }
    Ok(())
}

/// What a join joins by; `None` for those that join by nothing, and for those that the engine does not have.
pub fn constraint(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match operator {
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
        | JoinOperator::RightAnti(constraint) => Some(constraint),
        _ => None,
    }
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
