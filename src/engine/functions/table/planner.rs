//! Plans calls of table functions: the relation and the columns in the statement's scope, the constants as constants.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DFSchemaRef, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::Alias;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{
    Expr, ExprSchemable, Extension, LogicalPlan, LogicalPlanBuilder, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, FunctionArg, FunctionArgExpr, Ident, TableFactor};
use datafusion_session::Session;

use super::super::constant;
use super::super::help::{Argument, Help, Takes};
use super::exec::TableFunctionExec;
use super::node::TableFunctionNode;
use super::{Given, TableFunction};
use crate::error::Error;
use crate::suggest;

/// Plans a call in FROM.
pub fn planner() -> Arc<dyn RelationPlanner> {
    Arc::new(Planner)
}

/// Makes an operator of it.
pub fn extension() -> Arc<dyn ExtensionPlanner + Send + Sync> {
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

/// The function of this name.
pub fn find(name: &str) -> Option<Arc<dyn TableFunction>> {
    super::all().into_iter().find(|function| function.help().name == name)
}

/// Plans one call.
fn call(
    function: &Arc<dyn TableFunction>,
    arguments: Vec<FunctionArg>,
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    let help = function.help();
    let mut arguments = arguments.into_iter();
    let input = relation(help, arguments.next(), context)?;
    let mut read = Read { help, schema: Arc::clone(input.schema()), columns: vec![], rests: vec![], values: vec![] };
    let mut place = 1;
    for argument in arguments {
        let (target, given) = match argument {
            FunctionArg::Unnamed(given) => {
                let Some(target) = help.arguments.get(place) else {
                    return Err(misused(help, format!("`{}` is given more arguments than it takes", help.name)));
                };
                place += usize::from(target.takes != Takes::Columns);
                (target, given)
            }
            FunctionArg::Named { name, arg, .. }
            | FunctionArg::ExprNamed { name: SqlExpr::Identifier(name), arg, .. } => (named(help, &name)?, arg),
            FunctionArg::ExprNamed { .. } => return Err(misused(help, "an argument's name is a word")),
        };
        read.argument(target, given, context)?;
    }
    read.complete()?;

    let mut given = Vec::with_capacity(read.columns.len());
    let mut projection = Vec::with_capacity(read.columns.len());
    for (place, (argument, name, column)) in read.columns.into_iter().enumerate() {
        // The type of a parameter is not known before it is bound.
        let data_type = column.get_type(&read.schema).unwrap_or(DataType::Null);
        given.push(Given { argument: argument.name, field: Arc::new(Field::new(name, data_type, true)) });
        // Two columns may have one name, and the node takes them by place.
        projection.push(Expr::Alias(Alias::new(column, None::<&str>, format!("{place}"))));
    }
    let input = LogicalPlanBuilder::from(input).project(projection)?.build()?;
    if let Some(outer) = outer_column(&input)? {
        let error = Error::query(format!("`{}` cannot use `{outer}` of the query around it", help.name));
        return Err(error.hint("call it once for each value, as in a saved query with a parameter").into());
    }
    let values = read.values.into_iter().map(|(_, value)| value).collect();
    let node = TableFunctionNode::new(Arc::clone(function), given, values, input)?;
    Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
}

/// A column of a query around this plan that the plan uses.
fn outer_column(plan: &LogicalPlan) -> Result<Option<String>> {
    let mut found = None;
    plan.apply(|node| {
        // A lateral join inside the plan: what it refers to is on the other side of the join.
        if matches!(node, LogicalPlan::Subquery(_)) {
            return Ok(TreeNodeRecursion::Jump);
        }
        node.apply_expressions(|expression| {
            expression.apply(|part| match part {
                Expr::OuterReferenceColumn(_, column) => {
                    found = Some(column.flat_name());
                    Ok(TreeNodeRecursion::Stop)
                }
                _ => Ok(TreeNodeRecursion::Continue),
            })
        })
    })?;
    Ok(found)
}

/// Plans the first argument.
fn relation(
    help: &Help,
    argument: Option<FunctionArg>,
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    match argument {
        Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(SqlExpr::Subquery(subquery)))) => {
            context.plan(TableFactor::Derived { lateral: false, subquery, alias: None, sample: None })
        }
        Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(given @ SqlExpr::BinaryOp { .. }))) => {
            let hint = "a name with hyphens stands in double quotes, such as `\"nps-by-office\"`";
            Err(Error::query(format!("`{given}` is no table")).hint(hint).into())
        }
        _ => Err(misused(help, format!("`{}` takes a table or a query in parentheses first", help.name))),
    }
}

/// The arguments of a call as far as they have been read.
struct Read {
    help: &'static Help,
    /// The columns of the relation.
    schema: DFSchemaRef,
    columns: Vec<(&'static Argument, String, Expr)>,
    /// Arguments that were given `*`.
    rests: Vec<&'static Argument>,
    values: Vec<(&'static Argument, Expr)>,
}

impl Read {
    fn has(&self, argument: &Argument) -> bool {
        self.columns.iter().any(|(known, ..)| known.name == argument.name)
            || self.values.iter().any(|(known, _)| known.name == argument.name)
    }

    /// Takes what was given for an argument.
    fn argument(
        &mut self,
        target: &'static Argument,
        given: FunctionArgExpr,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<()> {
        if target.takes != Takes::Columns && self.has(target) {
            return Err(misused(self.help, format!("`{}` of `{}` is given twice", target.name, self.help.name)));
        }
        match given {
            FunctionArgExpr::Expr(given) if target.takes == Takes::Value => {
                let text = given.to_string();
                if matches!(given, SqlExpr::Identifier(_)) {
                    return Err(not_constant(target, &text));
                }
                let value = context.sql_to_expr(given, &self.schema)?;
                if !value.column_refs().is_empty() || value.contains_outer() {
                    return Err(not_constant(target, &text));
                }
                self.values.push((target, value));
            }
            FunctionArgExpr::Expr(given) => {
                let text = given.to_string();
                let column = context.sql_to_expr(given, &self.schema)?;
                // Null stands for the default, which is to have no such column.
                if target.default.is_some() && matches!(column, Expr::Literal(ScalarValue::Null, _)) {
                    return Ok(());
                }
                let is_of_many = |part: &Expr| matches!(part, Expr::AggregateFunction(_) | Expr::WindowFunction(_));
                if column.exists(|part| Ok(is_of_many(part)))? {
                    let message = format!("`{text}` is computed from many rows; compute it in the query given first");
                    return Err(misused(self.help, message));
                }
                let name = if let Expr::Column(column) = &column { column.name.clone() } else { text };
                self.columns.push((target, name, column));
            }
            FunctionArgExpr::Wildcard if target.takes == Takes::Columns => self.rests.push(target),
            _ => return Err(misused(self.help, format!("`{}` takes no `*`", target.name))),
        }
        Ok(())
    }

    /// Puts in what `*` and the defaults stand for, and all in the order of the help.
    fn complete(&mut self) -> Result<()> {
        for target in std::mem::take(&mut self.rests) {
            let taken: Vec<&Column> = self.columns.iter().flat_map(|(.., given)| given.column_refs()).collect();
            let rest: Vec<Column> =
                self.schema.columns().into_iter().filter(|column| !taken.contains(&column)).collect();
            self.columns.extend(rest.into_iter().map(|column| (target, column.name.clone(), Expr::Column(column))));
        }
        for argument in self.help.arguments.iter().skip(1).filter(|argument| !self.has(argument)).collect::<Vec<_>>() {
            match (argument.takes, argument.default) {
                (_, None) => {
                    let message = format!("`{}` of `{}` is missing", argument.name, self.help.name);
                    return Err(misused(self.help, message));
                }
                (Takes::Value, Some(_)) => {
                    self.values.push((argument, Expr::Literal(constant::default(argument), None)));
                }
                _ => {}
            }
        }
        self.values.sort_by_key(|(argument, _)| self.help.position(argument.name));
        self.columns.sort_by_key(|(argument, ..)| self.help.position(argument.name));
        Ok(())
    }
}

/// An error of how the function was called.
fn misused(help: &Help, message: impl Into<String>) -> DataFusionError {
    Error::query(message).hint(format!("it is called as `{}`", help.syntax())).into()
}

fn not_constant(argument: &Argument, text: &str) -> DataFusionError {
    let error = Error::query(format!("`{}` takes a constant, and `{text}` is none", argument.name));
    error.hint(format!("text stands in single quotes: `{} => '…'`", argument.name)).into()
}

/// The argument of this name.
fn named(help: &'static Help, name: &Ident) -> Result<&'static Argument> {
    let name = name.value.to_lowercase();
    let found = help.arguments.iter().skip(1).find(|argument| argument.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = help.arguments.iter().skip(1).map(|argument| argument.name).collect();
        let error = Error::query(format!("`{}` has no argument `{name}`", help.name));
        match suggest::nearest(&name, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")).into(),
            None => error.hint(format!("its arguments: {}", suggest::some(&names))).into(),
        }
    })
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
        let mut values = Vec::with_capacity(node.values.len());
        for (argument, value) in names.zip(&node.values) {
            let physical = planner.create_physical_expr(value, &DFSchema::empty(), session, planning)?;
            values.push((argument.name, constant::evaluated(&physical)?));
        }
        let schema = Arc::clone(UserDefinedLogicalNodeCore::schema(node).inner());
        let (function, given) = (Arc::clone(&node.function), node.given.clone());
        Ok(Some(Arc::new(TableFunctionExec::new(function, given, values, Arc::clone(input), schema))))
    }
}
