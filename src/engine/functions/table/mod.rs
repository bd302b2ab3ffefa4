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
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::scalar::ScalarValue;

pub use node::TableFunctionNode;
pub use planner::{extension, planner};

use super::constant::Constant;
use super::help::{Help, Takes};
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

/// A column of a result, as far as it is known without a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// One that every result has.
    Own(Field),
    /// Those that are given for the arguments at these places, in this type or, where it is null, their own.
    Given(Range<usize>, DataType),
}

/// The columns of the results of the function of this name, in their order.
pub fn outputs(name: &str) -> Vec<Output> {
    let Some(function) = planner::find(name) else { return Vec::new() };
    let arguments = function.help().arguments;
    let are_columns = |place: &usize| matches!(arguments[*place].takes, Takes::Column | Takes::Columns);
    // No column of a function's own is named as a number is, which tells those that are handed on.
    let given = (0..arguments.len()).filter(are_columns).map(|place| Given {
        argument: arguments[place].name,
        field: Arc::new(Field::new(place.to_string(), DataType::Null, true)),
    });
    let fields = function.fields(&given.collect::<Vec<_>>()).unwrap_or_default();
    let output = |field: Field| match field.name().parse::<usize>() {
        Ok(place) if arguments[place].takes == Takes::Columns => {
            Output::Given(place..usize::MAX, field.data_type().clone())
        }
        Ok(place) => Output::Given(place..place + 1, field.data_type().clone()),
        Err(_) => Output::Own(field),
    };
    fields.into_iter().map(output).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_says_its_columns_and_which_of_them_it_is_given() {
        for (name, given, first) in [
            ("crosstab", vec![(1..2, DataType::Utf8), (2..3, DataType::Utf8)], "n"),
            ("key_drivers", vec![], "driver"),
            ("segments", vec![(1..2, DataType::Null)], "segment"),
            ("themes", vec![(2..usize::MAX, DataType::Null)], "rank"),
        ] {
            let outputs = outputs(name);
            let count = given.len();
            let given: Vec<Output> = given.into_iter().map(|(places, kind)| Output::Given(places, kind)).collect();
            assert_eq!(outputs[..count], given, "{name}");
            assert!(matches!(&outputs[count], Output::Own(field) if field.name() == first), "{name}");
        }
        assert_eq!(HELPS.len(), 4, "all of them");
        assert!(outputs("nps").is_empty());
    }
}
