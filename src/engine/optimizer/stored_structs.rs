//! Moves fields of structs towards the scans only in statements that scan files with structs.
//!
//! There it pays: one field is read in the place of all. Elsewhere structs are what functions such as `nps_stats` make, and
//! nothing is gained, while DataFusion 55.2 refuses some of its own plans: above several joins two moved fields may get one
//! name, and those of a CTE that is read twice the name of a table that is not there.

use std::any::Any;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::datasource::source_as_provider;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, ExpressionPlacement, LogicalPlan};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use crate::engine::tables::ParquetTable;

/// One of the engine's two rules for it.
#[derive(Debug)]
pub struct StoredStructs {
    rule: Arc<dyn OptimizerRule + Send + Sync>,
}

impl StoredStructs {
    /// Wraps the rules that move fields; lets the others through as they are.
    pub fn around_moves(rule: Arc<dyn OptimizerRule + Send + Sync>) -> Arc<dyn OptimizerRule + Send + Sync> {
        match rule.name() {
            "extract_leaf_expressions" | "push_down_leaf_projections" => Arc::new(Self { rule }),
            _ => rule,
        }
    }
}

impl OptimizerRule for StoredStructs {
    fn name(&self) -> &str {
        self.rule.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.rule.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        // Of a rule that is asked for every node, most have nothing to move; the whole plan below them is not looked through.
        let may_move = self.apply_order().is_none() || super::has_expression(&plan, moves)?;
        if may_move && scans_structs(&plan)? { self.rule.rewrite(plan, config) } else { Ok(Transformed::no(plan)) }
    }
}

/// Whether it is a field, or one that was moved below its step before.
fn moves(expr: &Expr) -> bool {
    let is_moved = matches!(expr, Expr::Alias(alias) if alias.name.starts_with("__datafusion_extracted"));
    is_moved || expr.placement() == ExpressionPlacement::MoveTowardsLeafNodes
}

fn scans_structs(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Ok(table) = source_as_provider(&scan.source)
            && (table.as_ref() as &dyn Any).is::<ParquetTable>()
        {
            found |= scan.source.schema().fields().iter().any(|field| matches!(field.data_type(), DataType::Struct(_)));
        }
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}
