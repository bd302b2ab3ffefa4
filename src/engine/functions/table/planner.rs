//! Plans calls of table functions: the relation and the columns in the statement's scope, the constants as constants.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{Field, Schema};
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
        let plan = call(function, arguments, context)?;
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, alias))))
    }
}

fn find(name: &str) -> Option<Arc<dyn TableFunction>> {
    super::all().into_iter().find(|function| function.help().name == name)
}

/// Plans one call.
fn call(
    function: Arc<dyn TableFunction>,
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
        _ => return Err(usage(format!("`{}` takes a table or a query in parentheses first", help.name))),
    };
    let schema = Arc::clone(input.schema());
    let mut columns: Vec<(&'static Argument, Expr)> = Vec::new();
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
            | FunctionArg::ExprNamed { name: SqlExpr::Identifier(name), arg, .. } => {
                (named(help.arguments, &name).map_err(|error| DataFusionError::External(Box::new(error)))?, arg)
            }
            FunctionArg::ExprNamed { .. } => return Err(usage("an argument's name is a word".to_owned())),
        };
        let into = if target.takes == Takes::Value { &mut values } else { &mut columns };
        if target.takes != Takes::Columns && into.iter().any(|(known, _)| known.name == target.name) {
            return Err(usage(format!("`{}` is given twice", target.name)));
        }
        match given {
            FunctionArgExpr::Expr(given) => {
                let schema = if target.takes == Takes::Value { &DFSchema::empty() } else { schema.as_ref() };
                into.push((target, context.sql_to_expr(given, schema)?));
            }
            FunctionArgExpr::Wildcard if target.takes == Takes::Columns => {
                let rest = rest(&schema, columns.iter().map(|(_, given)| given));
                columns.extend(rest.into_iter().map(|given| (target, given)));
            }
            _ => return Err(usage(format!("`{}` takes no `*`", target.name))),
        }
    }
    for argument in help.arguments.iter().skip(1) {
        let given = columns.iter().chain(&values).any(|(known, _)| known.name == argument.name);
        match (argument.takes, argument.default) {
            _ if given => {}
            (_, None) => return Err(usage(format!("`{}` of `{}` is missing", argument.name, help.name))),
            (Takes::Value, Some(default)) => values.push((argument, Expr::Literal(constant(default)?, None))),
            _ => {}
        }
    }
    values.sort_by_key(|(argument, _)| help.position(argument.name));
    columns.sort_by_key(|(argument, _)| help.position(argument.name));

    let mut given = Vec::with_capacity(columns.len());
    let mut projection = Vec::with_capacity(columns.len());
    for (place, (argument, column)) in columns.into_iter().enumerate() {
        let name = column.qualified_name().1;
        let field = Field::new(name, column.get_type(&schema)?, true);
        given.push(Given { argument: argument.name, field: Arc::new(field) });
        // Two columns may have one name, and the node takes them by place.
        projection.push(Expr::Alias(Alias::new(column, None::<&str>, format!("{place}"))));
    }
    let input = LogicalPlanBuilder::from(input).project(projection)?.build()?;
    let values = values.into_iter().map(|(_, value)| value).collect();
    let node = TableFunctionNode::new(function, given, values, input)?;
    Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
}

/// The argument of this name.
fn named(arguments: &'static [Argument], name: &Ident) -> Result<&'static Argument, Error> {
    let name = name.value.to_lowercase();
    let found = arguments.iter().skip(1).find(|argument| argument.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = arguments.iter().skip(1).map(|argument| argument.name).collect();
        let error = Error::query(format!("no argument `{name}`"));
        match suggest::nearest(&name, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("its arguments: {}", suggest::some(&names))),
        }
    })
}

/// The columns of the relation that no argument names.
fn rest<'a>(schema: &DFSchemaRef, taken: impl Iterator<Item = &'a Expr>) -> Vec<Expr> {
    let taken: Vec<&Column> = taken.flat_map(Expr::column_refs).collect();
    schema.columns().into_iter().filter(|column| !taken.contains(&column)).map(Expr::Column).collect()
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
            values.push((argument.name, ScalarValue::try_from_array(&value, 0)?));
        }
        let schema = Arc::clone(UserDefinedLogicalNodeCore::schema(node).inner());
        let (function, given) = (Arc::clone(&node.function), node.given.clone());
        Ok(Some(Arc::new(TableFunctionExec::new(function, given, values, Arc::clone(input), schema))))
    }
}
