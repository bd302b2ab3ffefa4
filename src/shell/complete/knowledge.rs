//! What completion and highlighting know: plain data in memory, so that a key never waits for a disk or a network.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::engine::LAST;
use crate::engine::functions::table::Output;

/// Distinct values of a column above which they are no help in typing one.
pub const VALUES_MAX: usize = 100;

/// Everything that can be offered; what is not in here is not offered.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    tables: BTreeMap<String, Table>,
    /// Tables by the names of their columns, in small letters.
    by_column: BTreeMap<String, Vec<String>>,
    /// Tables of what the lake keeps, by their name in their schema.
    pub kept: BTreeMap<String, Table>,
    /// The last result, which is named and not offered.
    pub last: Option<Table>,
    /// Files that were read by path.
    paths: BTreeMap<String, Table>,
    pub queries: BTreeMap<String, Query>,
    functions: BTreeMap<String, Function>,
    pub settings: Vec<Setting>,
    pub commands: Vec<Command>,
    /// Forms of results, with what each is.
    pub formats: Vec<String>,
    /// Values given for `$name`.
    pub variables: BTreeMap<String, String>,
    /// Values of columns: of a table's under its name, of results under no name.
    values: BTreeMap<(String, String), Values>,
    /// Where relative paths start; without one no files are offered.
    pub folder: Option<PathBuf>,
}

/// A table of the lake, or a table or view of the session.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub remark: String,
    /// Empty where they are not known yet.
    pub columns: Vec<Column>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// The type as the manifest writes it; empty where it is not known.
    pub kind: String,
    /// The table and column that its values come from.
    pub origin: Option<(String, String)>,
}

#[derive(Clone, Debug, Default)]
pub struct Query {
    pub title: String,
    pub parameters: Vec<Parameter>,
}

#[derive(Clone, Debug, Default)]
pub struct Parameter {
    pub name: String,
    /// Type and default.
    pub remark: String,
    pub values: Vec<String>,
    /// A query for the values.
    pub values_sql: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Function {
    pub name: String,
    /// How it is called.
    pub call: String,
    /// Arguments that can be given by name, with their defaults.
    pub arguments: Vec<(String, Option<String>)>,
    /// One of the lake's own definitions.
    pub is_metric: bool,
    /// It stands in FROM.
    pub is_table: bool,
    /// It makes one value of many rows, or looks at those around its own: GROUP BY cannot hold it.
    pub is_of_rows: bool,
    /// Its first argument is a table.
    pub takes_table: bool,
    /// The columns of the rows that it gives.
    pub outputs: Vec<Output>,
}

#[derive(Clone, Debug, Default)]
pub struct Setting {
    pub name: String,
    pub value: String,
}

/// A `\` command: its name without `\`, what follows it, what it does.
#[derive(Clone, Debug, Default)]
pub struct Command {
    pub name: String,
    pub form: String,
    pub what: String,
}

/// The distinct values of a column that were seen.
#[derive(Clone, Debug)]
enum Values {
    Few(BTreeSet<String>),
    /// More than help.
    Many,
}

impl Knowledge {
    /// Adds a table, or takes in what is now known of it.
    pub fn add_table(&mut self, name: &str, mut table: Table) {
        for column in &mut table.columns {
            column.origin.get_or_insert_with(|| (name.to_owned(), column.name.clone()));
            let tables = self.by_column.entry(column.name.to_lowercase()).or_default();
            if !tables.iter().any(|known| known == name) {
                tables.push(name.to_owned());
            }
        }
        if table.remark.is_empty()
            && let Some(known) = self.tables.get(name)
        {
            table.remark.clone_from(&known.remark);
        }
        self.tables.insert(name.to_owned(), table);
    }

    /// Forgets the tables that are not among these.
    pub fn keep_tables(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.tables.retain(|name, _| is_kept(name));
        for tables in self.by_column.values_mut() {
            tables.retain(|name| is_kept(name));
        }
        self.by_column.retain(|_, tables| !tables.is_empty());
    }

    /// Adds a file by its path, which is no name to be offered.
    pub fn add_path(&mut self, path: &str, columns: Vec<Column>) {
        self.paths.insert(path.to_owned(), Table { remark: String::new(), columns });
    }

    /// The file of this path, where one of it was read.
    pub fn path(&self, path: &str) -> Option<&Table> {
        self.paths.get(path)
    }

    pub fn tables(&self) -> impl Iterator<Item = (&str, &Table)> {
        self.tables.iter().map(|(name, table)| (name.as_str(), table))
    }

    /// The table of this name, or the last result; upper case counts only where two names differ in nothing else.
    pub fn table(&self, name: &str) -> Option<(&str, &Table)> {
        let found = self.tables.get_key_value(name);
        let found = found.or_else(|| self.tables.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)));
        let last = self.last.as_ref().filter(|_| name == LAST).map(|last| (LAST, last));
        found.map(|(name, table)| (name.as_str(), table)).or(last)
    }

    /// The columns of any table whose names begin so, in small letters, with the tables that have them.
    pub fn columns_from<'a>(&'a self, typed: &'a str) -> impl Iterator<Item = (&'a str, &'a [String])> {
        let found = self.by_column.range(typed.to_owned()..).take_while(move |(name, _)| name.starts_with(typed));
        found.map(|(name, tables)| (name.as_str(), tables.as_slice()))
    }

    pub fn add_function(&mut self, function: Function) {
        self.functions.insert(function.name.clone(), function);
    }

    pub fn functions(&self) -> impl Iterator<Item = &Function> {
        self.functions.values()
    }

    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.get(name).or_else(|| self.functions.get(&name.to_lowercase()))
    }

    /// Takes in values of a column of a table, or with an empty name of a column of some result.
    pub fn add_values(&mut self, table: &str, column: &str, values: impl IntoIterator<Item = String>) {
        let known = self.values.entry((table.to_owned(), column.to_owned()));
        let known = known.or_insert_with(|| Values::Few(BTreeSet::new()));
        for value in values {
            let Values::Few(few) = known else { return };
            few.insert(value);
            if few.len() > VALUES_MAX {
                *known = Values::Many;
            }
        }
    }

    /// Says that a column has more values than help.
    pub fn has_many_values(&mut self, table: &str, column: &str) {
        self.values.insert((table.to_owned(), column.to_owned()), Values::Many);
    }

    /// The values that were seen of a column: those of its table, else those that results had under its name.
    pub fn values(&self, origin: Option<&(String, String)>, column: &str) -> impl Iterator<Item = &str> {
        let own = origin.and_then(|origin| self.values.get(origin));
        let found = own.or_else(|| self.values.get(&(String::new(), column.to_owned())));
        let few = match found {
            Some(Values::Few(few)) => Some(few),
            _ => None,
        };
        few.into_iter().flatten().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_known_by_their_table_else_by_the_name_of_a_results_column_and_only_while_they_are_few() {
        let mut knowledge = Knowledge::default();
        let origin = ("offices".to_owned(), "region".to_owned());
        knowledge.add_values("", "region", ["Elsewhere".to_owned()]);
        assert_eq!(knowledge.values(Some(&origin), "region").collect::<Vec<_>>(), ["Elsewhere"]);
        knowledge.add_values("offices", "region", ["NA".to_owned(), "APAC".to_owned(), "NA".to_owned()]);
        assert_eq!(knowledge.values(Some(&origin), "region").collect::<Vec<_>>(), ["APAC", "NA"]);
        assert_eq!(knowledge.values(None, "region").collect::<Vec<_>>(), ["Elsewhere"]);
        knowledge.add_values("offices", "region", (0..=VALUES_MAX).map(|number| number.to_string()));
        assert_eq!(knowledge.values(Some(&origin), "region").count(), 0);
    }

    #[test]
    fn a_table_that_is_gone_is_forgotten_with_its_columns() {
        let mut knowledge = Knowledge::default();
        let column = |name: &str| Column { name: name.to_owned(), kind: String::new(), origin: None };
        for table in ["a", "b"] {
            knowledge.add_table(table, Table { remark: String::new(), columns: vec![column("x"), column(table)] });
        }
        knowledge.keep_tables(|name| name == "a");
        let known: Vec<_> = knowledge.columns_from("").collect();
        assert_eq!(known, [("a", ["a".to_owned()].as_slice()), ("x", ["a".to_owned()].as_slice())]);
    }
}
