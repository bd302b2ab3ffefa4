//! Makes physical plans of statements: the engine's planner with our own nodes, shared subplans first.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::error::Result;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use datafusion_session::Session;

use super::functions::table;
use super::sharing::{self, Body, SharedReadPlanner};

#[derive(Debug)]
pub struct Planner;

#[async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(&self, plan: &LogicalPlan, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let planner =
            DefaultPhysicalPlanner::with_extension_planners(vec![table::extension(), Arc::new(SharedReadPlanner)]);
        let mut alone = HashSet::new();
        'settling: loop {
            let Some(settled) = sharing::settle(plan, session, &alone)? else {
                return planner.create_physical_plan(plan, session).await;
            };
            for Body { number, shared, plan } in settled.bodies {
                let plan = planner.create_physical_plan(&plan, session).await?;
                if sharing::is_better_run_again(plan.as_ref(), session)? {
                    alone.insert(number);
                    continue 'settling;
                }
                shared.set_plan(plan);
            }
            return planner.create_physical_plan(&settled.plan, session).await;
        }
    }
}
