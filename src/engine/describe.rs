//! DESCRIBE: the columns of a table or a query, without reading a row.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{BooleanArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, TableReference};
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan};

use super::kept::{self, DESCRIPTION};
use crate::lake::Lake;
use crate::lake::column::{Column, type_name};

/// One row per column: name, type, whether it may be null, and what the manifest says of it where the query passes it on.
pub fn columns(plan: &LogicalPlan, lake: &Lake) -> Result<RecordBatch> {
    // Names in FROM that stand for a table of the lake itself, and not for something else of its name.
    let (mut tables, mut aliases, mut filled) = (HashSet::new(), HashSet::new(), HashSet::new());
    plan.apply(|node| {
        match node {
            LogicalPlan::TableScan(scan) if scan.table_name.schema() != Some(kept::SCHEMA) => {
                tables.insert(scan.table_name.table().to_owned());
            }
            LogicalPlan::SubqueryAlias(alias) => {
                aliases.insert(alias.alias.table().to_owned());
            }
            other => fill(other, &mut filled),
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let declared = |table: Option<&str>, name: &str| -> Option<&Column> {
        let table = table.filter(|table| tables.contains(*table) && !aliases.contains(*table))?;
        let table = lake.tables.get(table)?;
        table.columns.iter().chain(&table.partition).find(|column| column.name == name)
    };
    let fields = || plan.schema().iter().map(|(table, field)| (table.map(TableReference::table), field));
    let about = |(table, field): (Option<&str>, &Arc<Field>)| declared(table, field.name()).cloned();
    let names: StringArray = fields().map(|(_, field)| Some(field.name().as_str())).collect();
    let types: StringArray = fields().map(|(_, field)| Some(type_name(field.data_type()))).collect();
    let is_filled = |table: Option<&str>| table.is_some_and(|table| filled.contains(table));
    let nullable: BooleanArray = fields()
        .map(|of| Some(about(of).map_or(of.1.is_nullable(), |column| column.nullable || is_filled(of.0))))
        .collect();
    // Columns of what the lake keeps say themselves what they are.
    let said = |field: &Arc<Field>| field.metadata().get(DESCRIPTION).cloned();
    let descriptions: StringArray =
        fields().map(|of| about(of).map_or_else(|| said(of.1), |column| column.description)).collect();
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let schema =
        vec![text("column"), text("type"), Field::new("nullable", DataType::Boolean, true), text("description")];
    let columns =
        vec![Arc::new(names) as _, Arc::new(types) as _, Arc::new(nullable) as _, Arc::new(descriptions) as _];
    Ok(RecordBatch::try_new(Arc::new(Schema::new(schema)), columns)?)
}

/// Adds the tables to whose columns a step of a plan adds nulls of its own: what the manifest says of those holds no longer.
fn fill(step: &LogicalPlan, tables: &mut HashSet<String>) {
    let mut add = |schema: &DFSchema| {
        tables.extend(schema.iter().filter_map(|(table, _)| Some(table?.table().to_owned())));
    };
    match step {
        LogicalPlan::Join(join) => {
            if matches!(join.join_type, JoinType::Left | JoinType::Full) {
                add(join.right.schema());
            }
            if matches!(join.join_type, JoinType::Right | JoinType::Full) {
                add(join.left.schema());
            }
        }
        LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.iter().any(is_grouping_set) => add(&aggregate.schema),
        _ => {}
    }
}

fn is_grouping_set(key: &Expr) -> bool {
    matches!(key, Expr::GroupingSet(_))
}
