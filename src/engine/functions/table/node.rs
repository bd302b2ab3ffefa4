//! A call of a table function in a logical plan: a projection to the columns that it takes, with the function over it.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::Field;
use datafusion::common::{DFSchema, DFSchemaRef, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};

use super::super::help::Takes;
use super::super::types;
use super::{Given, TableFunction};

/// The node. Its input has exactly the columns of `given`, in their order.
#[derive(Clone, Debug)]
pub struct TableFunctionNode {
    pub function: Arc<dyn TableFunction>,
    pub given: Vec<Given>,
    /// The constants, in the order of the help's constant arguments; parameters may still be in them.
    pub values: Vec<Expr>,
    pub input: LogicalPlan,
    schema: DFSchemaRef,
}

impl TableFunctionNode {
    /// # Errors
    /// Those of the function, when it cannot take the columns.
    pub fn new(
        function: Arc<dyn TableFunction>,
        given: Vec<Given>,
        values: Vec<Expr>,
        input: LogicalPlan,
    ) -> Result<Self> {
        let help = function.help();
        for given in &given {
            let argument = help.position(given.argument).map(|place| &help.arguments[place]);
            let (name, data_type) = (given.field.name(), given.field.data_type());
            argument.map_or(Ok(()), |argument| types::check_argument(help, argument, data_type, Some(name)))?;
        }
        let fields = function.fields(&given)?;
        let fields = fields.into_iter().map(|field: Field| (None, Arc::new(field))).collect();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, std::collections::HashMap::new())?);
        Ok(Self { function, given, values, input, schema })
    }

    /// What makes two calls the same call.
    fn key(&self) -> (&'static str, &[Given], &[Expr], &LogicalPlan) {
        (self.function.help().name, &self.given, &self.values, &self.input)
    }
}

impl PartialEq for TableFunctionNode {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for TableFunctionNode {}

impl PartialOrd for TableFunctionNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let order = (self.function.help().name, &self.values, &self.input).partial_cmp(&(
            other.function.help().name,
            &other.values,
            &other.input,
        ));
        // Calls that differ in their columns alone have no order.
        order.filter(|order| order.is_ne() || self == other)
    }
}

impl Hash for TableFunctionNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl UserDefinedLogicalNodeCore for TableFunctionNode {
    fn name(&self) -> &'static str {
        self.function.help().name
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.values.clone()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.given.iter().map(|given| format!("{} => {}", given.argument, given.field.name()));
        let constants = self.function.help().arguments.iter().filter(|argument| argument.takes == Takes::Value);
        let values = constants
            .zip(&self.values)
            .map(|(argument, value)| format!("{} => {}", argument.name, value.clone().unalias()));
        write!(f, "TableFunction: {}({})", self.name(), columns.chain(values).collect::<Vec<_>>().join(", "))
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop().filter(|_| inputs.is_empty()) else {
            return internal_err!("a table function has one input");
        };
        // A column's type may become known only now, when a parameter in it is bound.
        let given = self.given.iter().zip(input.schema().fields()).map(|(given, field)| {
            let field = given.field.as_ref().clone().with_data_type(field.data_type().clone());
            Given { argument: given.argument, field: Arc::new(field) }
        });
        Self::new(Arc::clone(&self.function), given.collect(), exprs, input)
    }
}
