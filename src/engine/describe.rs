//! DESCRIBE: the columns of a table or a query, without reading a row.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{BooleanArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::LogicalPlan;

use super::kept::{self, DESCRIPTION};
use crate::lake::Lake;
use crate::lake::column::{Column, type_name};

/// One row per column: name, type, whether it may be null, and what the manifest says of it where the query passes it on.
pub fn columns(plan: &LogicalPlan, lake: &Lake) -> Result<RecordBatch> {
    // Names in FROM that stand for a table of the lake itself, and not for something else of its name.
    let (mut tables, mut aliases) = (HashSet::new(), HashSet::new());
    plan.apply(|node| {
        match node {
            LogicalPlan::TableScan(scan) if scan.table_name.schema() != Some(kept::SCHEMA) => {
                tables.insert(scan.table_name.table().to_owned());
            }
            LogicalPlan::SubqueryAlias(alias) => {
                aliases.insert(alias.alias.table().to_owned());
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let declared = |table: Option<&str>, name: &str| -> Option<&Column> {
        let table = table.filter(|table| tables.contains(*table) && !aliases.contains(*table))?;
        let table = lake.tables.get(table)?;
        table.columns.iter().chain(&table.partition).find(|column| column.name == name)
    };
    let fields =
        || plan.schema().iter().map(|(table, field)| (table.map(datafusion::common::TableReference::table), field));
    let about = |(table, field): (Option<&str>, &Arc<Field>)| declared(table, field.name()).cloned();
    let names: StringArray = fields().map(|(_, field)| Some(field.name().as_str())).collect();
    let types: StringArray = fields().map(|(_, field)| Some(type_name(field.data_type()))).collect();
    let nullable: BooleanArray =
        fields().map(|of| Some(about(of).map_or(of.1.is_nullable(), |column| column.nullable))).collect();
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
