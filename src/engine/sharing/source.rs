//! What stands in a logical plan for a shared subplan: a table whose rows are those of the subplan.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, DFSchemaRef, Result, TableReference};
use datafusion::logical_expr::{
    Expr, LogicalPlan, Projection, TableProviderFilterPushDown, TableScan, TableScanBuilder, TableSource,
};

use super::find::varies;

/// A subplan and the columns under which its readers know it.
#[derive(Clone)]
pub struct SharedSource {
    /// Its number in the statement; a subplan reads only those with lower numbers.
    pub number: usize,
    /// Its name in plans that people read.
    pub label: String,
    pub body: Arc<LogicalPlan>,
    /// The subplan's columns, by place, with a name each of their own.
    schema: SchemaRef,
}

impl SharedSource {
    pub fn new(number: usize, body: LogicalPlan) -> Self {
        let name = match &body {
            LogicalPlan::SubqueryAlias(alias) => alias.alias.table(),
            _ => "subplan",
        };
        let label = format!("{name}@{number}");
        let mut seen = HashSet::new();
        let fields = body.schema().fields().iter().enumerate().map(|(place, field)| {
            let field = Field::clone(field);
            if seen.insert(field.name().clone()) {
                return field;
            }
            // No column of a statement has this letter in its name by chance.
            let name = format!("{}\u{b7}{place}", field.name());
            field.with_name(name)
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Self { number, label, body: Arc::new(body), schema }
    }

    /// The source of a scan, if it is a shared one.
    pub fn of(scan: &TableScan) -> Option<&Self> {
        (scan.source.as_ref() as &dyn std::any::Any).downcast_ref()
    }

    pub fn table(&self) -> TableReference {
        TableReference::bare(self.label.clone())
    }

    /// The subplan's column behind a column of the source.
    pub fn behind(&self, column: &Column) -> Result<Expr> {
        let place = self.schema.index_of(&column.name)?;
        Ok(Expr::Column(Column::from(self.body.schema().qualified_field(place))))
    }

    /// Some of the subplan's columns under the source's names.
    pub fn named(&self, places: &[usize]) -> Vec<Expr> {
        let columns = places.iter().map(|&place| {
            let column = Expr::Column(Column::from(self.body.schema().qualified_field(place)));
            column.alias(self.schema.field(place).name())
        });
        columns.collect()
    }

    /// A reader in the place of a copy of the subplan, with the copy's schema.
    pub fn read(&self, schema: &DFSchemaRef) -> Result<LogicalPlan> {
        let source = Arc::new(self.clone());
        let scan = LogicalPlan::TableScan(TableScanBuilder::new(self.table(), source).build()?);
        let columns = self.schema.fields().iter().zip(schema.iter()).map(|(field, (qualifier, original))| {
            let column = Expr::Column(Column::new(Some(self.table()), field.name()));
            column.alias_qualified(qualifier.cloned(), original.name())
        });
        let projection = Projection::try_new_with_schema(columns.collect(), Arc::new(scan), Arc::clone(schema))?;
        Ok(LogicalPlan::Projection(projection))
    }
}

impl TableSource for SharedSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// A reader hands its filters on, so that rows which nobody wants are not made, and applies them itself, because
    /// others may want those rows.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let verdict = |filter: &&Expr| {
            let is_bound = |part: &Expr| {
                varies(part)
                    || matches!(
                        part,
                        Expr::OuterReferenceColumn(..)
                            | Expr::ScalarSubquery(_)
                            | Expr::Exists(_)
                            | Expr::InSubquery(_)
                            | Expr::SetComparison(_)
                    )
            };
            Ok(if filter.exists(|part| Ok(is_bound(part)))? {
                TableProviderFilterPushDown::Unsupported
            } else {
                TableProviderFilterPushDown::Inexact
            })
        };
        filters.iter().map(verdict).collect()
    }
}
