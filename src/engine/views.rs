//! Used queries as views that stay closed until the whole statement is planned.
//!
//! The engine puts a view's plan in the place of its name at once: what stands in a view of a view is then bound to
//! parameters and settled in its types again at each level, once for every place that names it. Here each view is settled
//! on its own, once, and a statement names it as a table until the engine's rules for names and types are through.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Result, internal_err};
use datafusion::datasource::source_as_provider;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, SubqueryAlias, TableType};
use datafusion::optimizer::{Analyzer, AnalyzerRule};
use datafusion::physical_plan::ExecutionPlan;

use super::optimizer::settling_rules;

/// A statement under a name, its names and types settled and the views in it open.
#[derive(Debug)]
pub struct View {
    plan: Arc<LogicalPlan>,
}

impl View {
    /// # Errors
    /// Those of the engine's rules for names and types.
    pub fn settle(plan: LogicalPlan, state: &SessionState) -> Result<Self> {
        let plan = Analyzer::with_rules(settling_rules()).execute_and_check(plan, state.config_options(), |_, _| {})?;
        Ok(Self { plan: Arc::new(opened(plan)?) })
    }

    pub fn plan(&self) -> &LogicalPlan {
        &self.plan
    }
}

#[async_trait]
impl TableProvider for View {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.plan.schema().inner())
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        _: &dyn Session,
        _: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        internal_err!("a view was not opened")
    }
}

/// The rule that puts the plans of views in the places of their names.
#[derive(Debug)]
pub struct OpenViews;

impl AnalyzerRule for OpenViews {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        opened(plan)
    }

    fn name(&self) -> &'static str {
        "open_views"
    }
}

fn opened(plan: LogicalPlan) -> Result<LogicalPlan> {
    let plan = plan.transform_up_with_subqueries(|node| {
        let LogicalPlan::TableScan(scan) = &node else { return Ok(Transformed::no(node)) };
        let Ok(provider) = source_as_provider(&scan.source) else { return Ok(Transformed::no(node)) };
        let Some(view) = (provider.as_ref() as &dyn std::any::Any).downcast_ref::<View>() else {
            return Ok(Transformed::no(node));
        };
        let alias = SubqueryAlias::try_new(Arc::clone(&view.plan), scan.table_name.clone())?;
        Ok(Transformed::yes(LogicalPlan::SubqueryAlias(alias)))
    })?;
    Ok(plan.data)
}
