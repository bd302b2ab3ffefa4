//! Plans calls of table functions: the relation and the columns in the statement's scope, the constants as constants.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, DFSchema, DFSchemaRef, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::expr::Alias;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{
    Expr, ExprSchemable, Extension, LogicalPlan, LogicalPlanBuilder, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, FunctionArg, FunctionArgExpr, Ident, TableFactor};
use datafusion_session::Session;

use super::super::help::{Argument, Takes};
use super::exec::TableFunctionExec;
use super::node::TableFunctionNode;
use super::{Given, TableFunction};
use crate::error::Error;
use crate::suggest;

/// Plans a call in FROM.
pub fn planner() -> Arc<dyn RelationPlanner> {
    Arc::new(Planner)
}

/// Makes a physical plan of it.
pub fn query_planner() -> Arc<dyn QueryPlanner + Send + Sync> {
    Arc::new(Planner)
}

#[derive(Debug)]
struct Planner;

impl RelationPlanner for Planner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let (function, alias, arguments) = match relation {
            TableFactor::Table { ref name, ref alias, args: Some(ref args), .. } => {
                let name = name.0.last().and_then(|part| part.as_ident()).map(|name| name.value.to_lowercase());
                let Some(function) = name.and_then(|name| find(&name)) else {
                    return Ok(RelationPlanning::Original(Box::new(relation)));
                };
                (function, alias.clone(), args.args.clone())
            }
            other => return Ok(RelationPlanning::Original(Box::new(other))),
        };
        // Without an alias the result goes by the name of the function, as elsewhere.
        let plan =
            LogicalPlanBuilder::from(call(&function, arguments, context)?).alias(function.help().name)?.build()?;
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, alias))))
    }
}

fn find(name: &str) -> Option<Arc<dyn TableFunction>> {
    super::all().into_iter().find(|function| function.help().name == name)
}

/// Plans one call.
fn call(
    function: &Arc<dyn TableFunction>,
    arguments: Vec<FunctionArg>,
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    let help = function.help();
    let usage = |message: String| {
        DataFusionError::External(Box::new(Error::query(message).hint(format!("it is called as `{}`", help.syntax()))))
    };
    let mut arguments = arguments.into_iter();
    let input = match arguments.next() {
        Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(SqlExpr::Subquery(subquery)))) => {
            context.plan(TableFactor::Derived { lateral: false, subquery, alias: None, sample: None })?
        }
        Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(given @ SqlExpr::BinaryOp { .. }))) => {
            let error = Error::query(format!("`{given}` is no table"));
            let hint = "a name with hyphens stands in double quotes: `\"nps-by-office\"`";
            return Err(DataFusionError::External(Box::new(error.hint(hint))));
        }
        _ => return Err(usage(format!("`{}` takes a table or a query in parentheses first", help.name))),
    };
    let schema = Arc::clone(input.schema());
    let mut columns: Vec<(&'static Argument, String, Expr)> = Vec::new();
    let mut rests: Vec<&'static Argument> = Vec::new();
    let mut values: Vec<(&'static Argument, Expr)> = Vec::new();
    let mut place = 1;
    for argument in arguments {
        let (target, given) = match argument {
            FunctionArg::Unnamed(given) => {
                let Some(target) = help.arguments.get(place) else {
                    return Err(usage(format!("`{}` takes fewer arguments", help.name)));
                };
                place += usize::from(target.takes != Takes::Columns);
                (target, given)
            }
            FunctionArg::Named { name, arg, .. }
            | FunctionArg::ExprNamed { name: SqlExpr::Identifier(name), arg, .. } => (
                named(help.name, help.arguments, &name).map_err(|error| DataFusionError::External(Box::new(error)))?,
                arg,
            ),
            FunctionArg::ExprNamed { .. } => return Err(usage("an argument's name is a word".to_owned())),
        };
        let is_given = columns.iter().any(|(known, ..)| known.name == target.name)
            || values.iter().any(|(known, _)| known.name == target.name);
        if target.takes != Takes::Columns && is_given {
            return Err(usage(format!("`{}` of `{}` is given twice", target.name, help.name)));
        }
        match given {
            FunctionArgExpr::Expr(given) if target.takes == Takes::Value => {
                let text = given.to_string();
                let known = matches!(given, SqlExpr::Identifier(_)).then(|| Err(not_constant(target, &text)));
                let value = known.unwrap_or_else(|| context.sql_to_expr(given, &schema))?;
                if !value.column_refs().is_empty() {
                    return Err(not_constant(target, &text));
                }
                values.push((target, value));
            }
            FunctionArgExpr::Expr(given) => {
                let text = given.to_string();
                let column = context.sql_to_expr(given, &schema)?;
                let is_of_many = |part: &Expr| matches!(part, Expr::AggregateFunction(_) | Expr::WindowFunction(_));
                if column.exists(|part| Ok(is_of_many(part)))? {
                    return Err(usage(format!(
                        "`{text}` is computed from many rows; compute it in the query given first"
                    )));
                }
                let name = if let Expr::Column(column) = &column { column.name.clone() } else { text };
                columns.push((target, name, column));
            }
            FunctionArgExpr::Wildcard if target.takes == Takes::Columns => rests.push(target),
            _ => return Err(usage(format!("`{}` takes no `*`", target.name))),
        }
    }
    for target in rests {
        let rest = rest(&schema, columns.iter().map(|(.., given)| given));
        columns.extend(rest.into_iter().map(|column| (target, column.name.clone(), Expr::Column(column))));
    }
    for argument in help.arguments.iter().skip(1) {
        let given = columns.iter().any(|(known, ..)| known.name == argument.name)
            || values.iter().any(|(known, _)| known.name == argument.name);
        match (argument.takes, argument.default) {
            _ if given => {}
            (_, None) => return Err(usage(format!("`{}` of `{}` is missing", argument.name, help.name))),
            (Takes::Value, Some(default)) => values.push((argument, Expr::Literal(constant(default)?, None))),
            _ => {}
        }
    }
    values.sort_by_key(|(argument, _)| help.position(argument.name));
    columns.sort_by_key(|(argument, ..)| help.position(argument.name));

    let mut given = Vec::with_capacity(columns.len());
    let mut projection = Vec::with_capacity(columns.len());
    for (place, (argument, name, column)) in columns.into_iter().enumerate() {
        // The type of a parameter is not known before it is bound.
        let data_type = column.get_type(&schema).unwrap_or(DataType::Null);
        given.push(Given { argument: argument.name, field: Arc::new(Field::new(name, data_type, true)) });
        // Two columns may have one name, and the node takes them by place.
        projection.push(Expr::Alias(Alias::new(column, None::<&str>, format!("{place}"))));
    }
    let input = LogicalPlanBuilder::from(input).project(projection)?.build()?;
    let values = values.into_iter().map(|(_, value)| value).collect();
    let node = TableFunctionNode::new(Arc::clone(function), given, values, input)?;
    Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
}

fn not_constant(argument: &Argument, text: &str) -> DataFusionError {
    let error = Error::query(format!("`{}` takes a constant, and `{text}` is none", argument.name));
    DataFusionError::External(Box::new(error.hint(format!("text stands in single quotes: `{} => '…'`", argument.name))))
}

/// The argument of this name.
fn named(function: &str, arguments: &'static [Argument], name: &Ident) -> Result<&'static Argument, Error> {
    let name = name.value.to_lowercase();
    let found = arguments.iter().skip(1).find(|argument| argument.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = arguments.iter().skip(1).map(|argument| argument.name).collect();
        let error = Error::query(format!("`{function}` has no argument `{name}`"));
        match suggest::nearest(&name, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("its arguments: {}", suggest::some(&names))),
        }
    })
}

/// The columns of the relation that no argument names.
fn rest<'a>(schema: &DFSchemaRef, taken: impl Iterator<Item = &'a Expr>) -> Vec<Column> {
    let taken: Vec<&Column> = taken.flat_map(Expr::column_refs).collect();
    schema.columns().into_iter().filter(|column| !taken.contains(&column)).collect()
}

/// A default as the help has it.
fn constant(text: &str) -> Result<ScalarValue> {
    if text == "null" {
        return Ok(ScalarValue::Null);
    }
    if let Some(text) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        return Ok(ScalarValue::from(text));
    }
    if let Ok(number) = text.parse::<i64>() {
        return Ok(ScalarValue::from(number));
    }
    match text.parse::<f64>() {
        Ok(number) => Ok(ScalarValue::from(number)),
        Err(_) => plan_err!("`{text}` is no constant"),
    }
}

#[async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(&self, plan: &LogicalPlan, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(Self)]);
        planner.create_physical_plan(plan, session).await
    }
}

#[async_trait]
impl ExtensionPlanner for Planner {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        planning: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(node) = node.as_any().downcast_ref::<TableFunctionNode>() else { return Ok(None) };
        let [input] = inputs else { return plan_err!("a table function has one input") };
        let names = node.function.help().arguments.iter().filter(|argument| argument.takes == Takes::Value);
        let none = RecordBatch::try_new_with_options(
            Arc::new(Schema::empty()),
            vec![],
            &RecordBatchOptions::new().with_row_count(Some(1)),
        )?;
        let mut values = Vec::with_capacity(node.values.len());
        for (argument, value) in names.zip(&node.values) {
            let physical = planner.create_physical_expr(value, &DFSchema::empty(), session, planning)?;
            let value = physical.evaluate(&none)?.into_array(1)?;
            let value = ScalarValue::try_from_array(&value, 0)?;
            let default = argument.default.filter(|_| value.is_null());
            values.push((argument.name, default.map_or(Ok(value), constant)?));
        }
        let schema = Arc::clone(UserDefinedLogicalNodeCore::schema(node).inner());
        let (function, given) = (Arc::clone(&node.function), node.given.clone());
        Ok(Some(Arc::new(TableFunctionExec::new(function, given, values, Arc::clone(input), schema))))
    }
}
