//! Table functions: rows from rows, called in FROM with a relation first.
//!
//! `from key_drivers((select ...), nps, price, quality)`: the relation may be a table, a view, a CTE or a query in
//! parentheses, planned in the scope of the statement, so that parameters and CTEs work in it. A function says with its
//! help which columns and constants it takes and gets them evaluated; it never sees a plan.

mod crosstab;
mod exec;
mod key_drivers;
mod node;
mod planner;
mod read;
mod segments;
mod themes;

use std::fmt::Debug;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{Field, FieldRef};
use datafusion::scalar::ScalarValue;

pub use node::TableFunctionNode;
pub use planner::{extension, planner};

use super::constant::Constant;
use super::help::Help;
use crate::error::Result;

/// What each says of itself.
pub const HELPS: &[&Help] = &[&crosstab::HELP, &key_drivers::HELP, &segments::HELP, &themes::HELP];

/// All of them.
pub fn all() -> Vec<Arc<dyn TableFunction>> {
    vec![
        Arc::new(crosstab::Crosstab),
        Arc::new(key_drivers::KeyDrivers),
        Arc::new(segments::Segments),
        Arc::new(themes::Themes),
    ]
}

/// A function from a relation to a relation. Its result must not depend on the order of the rows it is given.
pub trait TableFunction: Debug + Send + Sync {
    fn help(&self) -> &'static Help;

    /// The columns of the result, from the columns given: the name of the argument with the column's name and type.
    ///
    /// # Errors
    /// `Query` when a column has a type that the function cannot take.
    fn fields(&self, given: &[Given]) -> Result<Vec<Field>>;

    /// The result's columns, in the order and with the types of [`TableFunction::fields`].
    ///
    /// # Errors
    /// `InvalidData` naming the value or option that it refuses.
    fn run(&self, call: &Call) -> Result<Vec<ArrayRef>>;
}

/// A column given for an argument.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Given {
    /// The argument that it is given for.
    pub argument: &'static str,
    /// Name of the column, as a reader of the result knows it, and its type.
    pub field: FieldRef,
}

/// What a call was given, all rows at once.
#[derive(Debug)]
pub struct Call {
    pub help: &'static Help,
    pub columns: Vec<(Given, ArrayRef)>,
    /// The constants, by argument.
    pub values: Vec<(&'static str, ScalarValue)>,
}

impl Call {
    /// The column given for this argument; `None` when an optional one was left out.
    pub fn column(&self, argument: &str) -> Option<&ArrayRef> {
        self.columns(argument).next().map(|(_, array)| array)
    }

    /// All columns given for this argument, with their names.
    pub fn columns(&self, argument: &str) -> impl Iterator<Item = (&str, &ArrayRef)> {
        let given = self.columns.iter().filter(move |(given, _)| given.argument == argument);
        given.map(|(given, array)| (given.field.name().as_str(), array))
    }

    /// The constant given for this argument, or its default.
    ///
    /// # Errors
    /// `Query` when it has a type that the argument does not take.
    pub fn constant(&self, argument: &str) -> Result<Constant> {
        let found = self.values.iter().find(|(name, _)| *name == argument);
        Constant::new(self.help, argument, found.map_or(ScalarValue::Null, |(_, value)| value.clone()))
    }
}
