//! SQL that a manifest holds, beside the saved queries: queries that only read, and conditions on the rows of one.

use datafusion::common::TableReference;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::scalar::ScalarValue;

use super::diagnose::SqlText;
use super::functions::arguments;
use super::session::{Engine, is_query};
use crate::error::{Error, Result};
use crate::lake::column::type_name;

impl Engine {
    /// All rows and columns of a table.
    ///
    /// # Errors
    /// Those of opening the table.
    pub async fn plan_table(&self, name: &str) -> Result<LogicalPlan> {
        let frame = self.context.table(TableReference::bare(name)).await;
        Ok(frame.map_err(|error| self.explain(error, None))?.into_unoptimized_plan())
    }

    /// Plans a statement that must be a query.
    ///
    /// # Errors
    /// As [`plan`](Self::plan); `Query` for a statement that changes anything.
    pub async fn plan_query(&self, sql: &SqlText<'_>, parameters: &[(String, ScalarValue)]) -> Result<LogicalPlan> {
        let plan = self.plan(sql, parameters).await?;
        if is_query(&plan) {
            return Ok(plan);
        }
        Err(sql.place(Error::query("only a query can stand here"), None).hint("write `select …`"))
    }

    /// A condition on the rows of `plan`, with `parameters` bound where it has `$name`.
    ///
    /// It may call functions and metrics, and sees one row: no aggregate, no window, no other table.
    ///
    /// # Errors
    /// `Query` with the place in its text; `Usage` for a parameter without a value.
    pub fn condition(
        &self,
        plan: &LogicalPlan,
        sql: &SqlText<'_>,
        parameters: &[(String, ScalarValue)],
    ) -> Result<Expr> {
        let state = self.context.state();
        let explain = |error| self.explain(error, Some(sql));
        let dialect = state.config_options().sql_parser.dialect;
        let mut parsed = state.sql_to_expr_with_alias(sql.text, &dialect).map_err(explain)?;
        arguments::complete_expression(&mut parsed.expr, &self.lake().metrics)
            .map_err(|error| sql.place_named(error))?;
        let planned = state.create_logical_expr_from_sql_expr(parsed, plan.schema()).map_err(explain)?;
        if planned.exists(|inner| Ok(spans_rows(inner))).unwrap_or_default() {
            let error = Error::query("the expression looks at more than one row");
            return Err(sql.place(error, None).hint("leave aggregates and OVER out, or say it as a query"));
        }
        let bound = planned.transform(|inner| match inner {
            Expr::Placeholder(Placeholder { id, .. }) => match value(&id, parameters) {
                Some(value) => Ok(Transformed::yes(Expr::Literal(value.clone(), None))),
                None => Err(sql.place_named(no_value(&id)).into()),
            },
            other => Ok(Transformed::no(other)),
        });
        let condition = bound.map_err(explain)?.data;
        let kind = condition.get_type(plan.schema()).map_err(explain)?;
        if kind != arrow::datatypes::DataType::Boolean {
            let error =
                Error::query(format!("the expression gives {}, which is neither true nor false", type_name(&kind)));
            return Err(sql.place(error, None).hint("write a condition, such as `cost >= 0`"));
        }
        Ok(condition)
    }
}

fn no_value(id: &str) -> Error {
    let name = id.trim_start_matches('$');
    let error = Error::usage(format!("parameter `${name}` has no value"));
    error.hint(format!("declare `{name}` under `params`, with a default"))
}

fn spans_rows(expression: &Expr) -> bool {
    matches!(expression, Expr::AggregateFunction(_) | Expr::WindowFunction(_))
}

fn value<'a>(id: &str, parameters: &'a [(String, ScalarValue)]) -> Option<&'a ScalarValue> {
    let name = id.trim_start_matches('$');
    parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}
