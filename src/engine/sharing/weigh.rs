//! Whether a subplan that several read is better run once or by each of them.

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use datafusion_session::Session;

/// Part of the memory limit that a subplan's rows may take, by the estimate, when they could be had again for little.
const KEPT_SHARE: usize = 4;

/// Bytes that a value without a fixed width is taken for.
const TEXT_BYTES: usize = 24;

/// Whether each reader should run the subplan itself.
///
/// That is so when its rows come out as they are read, so that nobody has to wait for them, and would fill a good part of the
/// session's memory while a slower reader is waited for. Without an estimate it is run once.
///
/// # Errors
/// Those of estimating.
pub fn is_better_run_again(plan: &dyn ExecutionPlan, session: &dyn Session) -> Result<bool> {
    let MemoryLimit::Finite(limit) = session.runtime_env().memory_pool.memory_limit() else { return Ok(false) };
    if plan.pipeline_behavior() != EmissionType::Incremental {
        return Ok(false);
    }
    let statistics = StatisticsContext::new().compute(plan, &StatisticsArgs::new())?;
    let rows = statistics.num_rows.get_value().copied().unwrap_or_default();
    Ok(rows.saturating_mul(row_bytes(&plan.schema())) > limit / KEPT_SHARE)
}

fn row_bytes(schema: &SchemaRef) -> usize {
    schema.fields().iter().map(|field| field.data_type().primitive_width().unwrap_or(TEXT_BYTES)).sum()
}
