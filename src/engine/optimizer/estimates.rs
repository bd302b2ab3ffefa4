//! How many rows a join makes, for the choice which side of the next one is kept in memory.
//!
//! The engine divides by the distinct values of the keys, which footers rarely know; without them it takes a join for the product of
//! both sides, and the join above it keeps the wrong one. Tables of a lake are joined over keys that one side holds once: a fact and
//! what it is about. So here the smaller side holds each key once where nothing is known of it.

use std::sync::Arc;

use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::error::Result;
use datafusion::logical_expr::JoinType;
use datafusion::physical_expr::PhysicalExprRef;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::operator_statistics::{
    ExtendedStatistics, StatisticsProvider, StatisticsRegistry, StatisticsResult,
};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

/// The engine's estimates, with ours for joins.
pub fn estimates() -> StatisticsRegistry {
    let mut registry = StatisticsRegistry::default_with_builtin_providers();
    registry.register(Arc::new(KeyedJoins));
    registry
}

/// Joins over keys of which nothing is known.
#[derive(Debug)]
struct KeyedJoins;

impl StatisticsProvider for KeyedJoins {
    fn compute_statistics(&self, plan: &dyn ExecutionPlan, inputs: &[ExtendedStatistics]) -> Result<StatisticsResult> {
        let (Some(join), [left, right]) = (plan.downcast_ref::<HashJoinExec>(), inputs) else {
            return Ok(StatisticsResult::Delegate);
        };
        let known = |side: &Statistics, key: &PhysicalExprRef| {
            let column = key.downcast_ref::<Column>()?;
            side.column_statistics.get(column.index())?.distinct_count.get_value().copied()
        };
        let (left, right) = (left.base(), right.base());
        let all_known = join
            .on()
            .iter()
            .all(|(a, b)| known(left, a).is_some_and(|n| n > 0) && known(right, b).is_some_and(|n| n > 0));
        let (Some(left), Some(right)) = (left.num_rows.get_value(), right.num_rows.get_value()) else {
            return Ok(StatisticsResult::Delegate);
        };
        let rows = match join.join_type() {
            _ if all_known || join.on().is_empty() => return Ok(StatisticsResult::Delegate),
            JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => *left.max(right),
            JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => *left,
            JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => *right,
        };
        let known = StatisticsContext::new().compute(plan, &StatisticsArgs::new())?;
        let statistics = Statistics { num_rows: Precision::Inexact(rows), ..Statistics::clone(&known) };
        Ok(StatisticsResult::Computed(statistics.into()))
    }
}
