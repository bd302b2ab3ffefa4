//! What a result rests on: the lake's tables, in the versions of their files that its scans listed.
//!
//! A result whose grounds still hold would be computed again to the same. Where that cannot be said for sure there are no
//! grounds: other tables, files by path, functions that give another value the next time, files that changed just now.

use std::any::Any;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use datafusion::catalog::TableProvider;
use datafusion::common::Result as EngineResult;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};
use futures::future::join_all;
use serde::{Deserialize, Serialize};

use super::functions::table::TableFunctionNode;
use super::session::is_query;
use super::tables::{Look, ParquetTable, Wanted};
use super::views::View;
use crate::lake::Lake;
use crate::storage::Stores;

/// How long a file must have been left alone: disks tell times in steps, of up to two seconds on old ones, and a file that is
/// written twice within a step looks the same as one that was written once.
const SETTLED: Duration = Duration::from_secs(2);

/// One listing of a table that a result rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ground {
    table: String,
    levels: usize,
    wanted: Wanted,
    /// Hash of the files and their versions.
    digest: String,
}

/// The tables of a statement that is planned.
pub struct Grounds {
    tables: Vec<Arc<dyn TableProvider>>,
}

impl Grounds {
    /// The tables of these plans, as they were written: not optimized, which would put values in the places of functions.
    /// `None` when the results rest on anything else.
    pub fn of<'a>(plans: impl IntoIterator<Item = &'a LogicalPlan>) -> Option<Self> {
        let mut tables = Vec::new();
        let are_known = plans.into_iter().all(|plan| gather(plan, &mut tables).is_ok_and(|found| found.is_continue()));
        are_known.then_some(Self { tables })
    }

    /// What the scans saw, once all have run to their ends; `began` is a moment before the first of them. `None` when a file
    /// changed since, or so shortly before that it may have been missed.
    pub async fn settled(&self, stores: &Stores, began: SystemTime) -> Option<Vec<Ground>> {
        let mut grounds = Vec::new();
        for table in self.tables.iter().filter_map(parquet) {
            let (name, location) = (table.name()?, table.location());
            for Look { levels, wanted, files } in table.looks().all() {
                let files = files?;
                // A bucket gives the versions that were listed or none.
                if location.is_local() && Look::again(stores, location, levels, &wanted).await.ok()?? != files {
                    return None;
                }
                let versions = location.versions(stores, &files).await?;
                if versions.changed_at.is_some_and(|changed| changed + SETTLED > began) {
                    return None;
                }
                grounds.push(Ground { table: name.to_owned(), levels, wanted, digest: versions.digest });
            }
        }
        grounds.sort_by(|a, b| (&a.table, a.levels, &a.wanted).cmp(&(&b.table, b.levels, &b.wanted)));
        grounds.dedup();
        // A table that two scans saw differently was changed between them.
        let differs = |pair: &[Ground]| (&pair[0].table, &pair[0].wanted) == (&pair[1].table, &pair[1].wanted);
        (!grounds.windows(2).any(differs)).then_some(grounds)
    }
}

impl Ground {
    /// Whether all grounds hold: the same files lie there, in the same versions.
    pub async fn all_hold(grounds: &[Self], lake: &Lake, stores: &Stores) -> bool {
        let holding = grounds.iter().map(|ground| ground.holds(lake, stores));
        join_all(holding).await.into_iter().all(|holds| holds == Some(true))
    }

    /// `None` when it cannot be told.
    async fn holds(&self, lake: &Lake, stores: &Stores) -> Option<bool> {
        let location = stores.locate(&lake.root, &lake.tables.get(&self.table)?.path).ok()?;
        let files = Look::again(stores, &location, self.levels, &self.wanted).await.ok()??;
        Some(location.versions(stores, &files).await?.digest == self.digest)
    }
}

fn parquet(table: &Arc<dyn TableProvider>) -> Option<&ParquetTable> {
    (table.as_ref() as &dyn Any).downcast_ref()
}

/// Adds the tables of a plan; breaks off at what nobody can vouch for.
fn gather(plan: &LogicalPlan, tables: &mut Vec<Arc<dyn TableProvider>>) -> EngineResult<ControlFlow<()>> {
    let mut flow = ControlFlow::Continue(());
    plan.apply_with_subqueries(|node| {
        let is_known = match node {
            LogicalPlan::TableScan(scan) => add(&source_as_provider(&scan.source)?, tables)?,
            LogicalPlan::Extension(extension) => extension.node.as_any().is::<TableFunctionNode>(),
            node => is_query(node),
        };
        let mut is_fixed = true;
        node.apply_expressions(|expression| {
            expression.apply(|inner| {
                is_fixed &= is_immutable(inner);
                Ok(if is_fixed { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
            })
        })?;
        if is_known && is_fixed {
            return Ok(TreeNodeRecursion::Continue);
        }
        flow = ControlFlow::Break(());
        Ok(TreeNodeRecursion::Stop)
    })?;
    Ok(flow)
}

/// Whether a table is one of the lake's, or a view of such.
fn add(table: &Arc<dyn TableProvider>, tables: &mut Vec<Arc<dyn TableProvider>>) -> EngineResult<bool> {
    if let Some(view) = (table.as_ref() as &dyn Any).downcast_ref::<View>() {
        return Ok(gather(view.plan(), tables)?.is_continue());
    }
    let is_of_lake = parquet(table).is_some_and(|table| table.name().is_some());
    if is_of_lake && !tables.iter().any(|known| Arc::ptr_eq(known, table)) {
        tables.push(Arc::clone(table));
    }
    Ok(is_of_lake)
}

/// Whether an expression, apart from those in it, gives the same value at any time.
fn is_immutable(expression: &Expr) -> bool {
    let volatility = match expression {
        Expr::ScalarFunction(call) => call.func.signature().volatility,
        Expr::HigherOrderFunction(call) => call.func.signature().volatility,
        Expr::AggregateFunction(call) => call.func.signature().volatility,
        Expr::WindowFunction(call) => call.fun.signature().volatility,
        Expr::ScalarVariable(..) => return false,
        _ => return true,
    };
    volatility == Volatility::Immutable
}
