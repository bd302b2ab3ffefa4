//! What a function says of itself: the one source of `cxlake functions`, `\doc` and `docs/functions.md`.

use std::sync::LazyLock;

use datafusion::common::HashMap;
use datafusion::logical_expr::{DocSection, Documentation};

use super::types::Types;

/// All there is to say about a function.
#[derive(Debug)]
pub struct Help {
    pub name: &'static str,
    pub kind: Kind,
    /// What it answers, in a sentence.
    pub summary: &'static str,
    pub arguments: &'static [Argument],
    /// What comes out: type, shape and unit.
    pub returns: &'static str,
    /// What nulls do, and when the result is null.
    pub nulls: &'static str,
    /// What it refuses; empty when it refuses nothing.
    pub errors: &'static str,
    /// Formula and where it comes from; empty where there is nothing to cite.
    pub source: &'static str,
    /// Statements that run on the sample lake.
    pub examples: &'static [&'static str],
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// One value for many rows; works over windows too.
    Aggregate,
    /// One value for each row, from the rows of its partition.
    Window,
    /// One value for each row, from that row alone.
    Scalar,
    /// Rows from rows, in FROM.
    Table,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Aggregate => "aggregate",
            Self::Window => "window",
            Self::Scalar => "scalar",
            Self::Table => "table",
        }
    }
}

/// One argument.
#[derive(Debug)]
pub struct Argument {
    pub name: &'static str,
    pub takes: Takes,
    pub types: Types,
    /// What stands for it when it is left out, as SQL; without one it must be given.
    pub default: Option<&'static str>,
    pub what: &'static str,
}

impl Argument {
    fn text(&self) -> String {
        let default = match self.default {
            Some(default) => format!(", default {default}"),
            None => String::new(),
        };
        format!("  {} ({}{default}): {}", self.name, self.types.name(), self.what)
    }
}

/// What may be given for an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A table, a view, a CTE or a query in parentheses; only the first argument of table functions.
    Relation,
    /// An expression with a value for each row.
    Column,
    /// As many of these as one likes; only the last without a default, and only of table functions.
    Columns,
    /// A constant.
    Value,
}

impl Help {
    /// The call with all arguments, such as `nps(score [, weight => null])`.
    pub fn syntax(&self) -> String {
        let mut text = format!("{}(", self.name);
        for (place, argument) in self.arguments.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            let dots = if argument.takes == Takes::Columns { ", ..." } else { "" };
            text += &match argument.default {
                None => format!("{comma}{}{dots}", argument.name),
                Some(_) if argument.takes == Takes::Columns => format!(" [{comma}{}, ...]", argument.name),
                Some(default) => format!(" [{comma}{} => {default}]", argument.name).replace("[, ", "[, "),
            };
        }
        text + ")"
    }

    /// All of it as a person reads it.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n\n{}\n", self.syntax(), self.summary);
        let mut section = |title: &str, lines: &str| {
            if !lines.is_empty() {
                text += &format!("\n{title}\n{lines}\n");
            }
        };
        let arguments: Vec<String> = self.arguments.iter().map(Argument::text).collect();
        section("Arguments", &arguments.join("\n"));
        let indented = |text: &str| if text.is_empty() { String::new() } else { format!("  {text}") };
        section("Returns", &indented(self.returns));
        section("Nulls", &indented(self.nulls));
        section("Errors", &indented(self.errors));
        section("Source", &indented(self.source));
        let examples: Vec<String> = self.examples.iter().map(|example| format!("  {example}")).collect();
        section("Examples", &examples.join("\n"));
        text
    }

    /// The same for the published reference.
    pub fn markdown(&self) -> String {
        let mut text = format!("\n### {}\n\n`{}`\n\n{}\n", self.name, self.syntax(), self.summary);
        if !self.arguments.is_empty() {
            text += "\n| argument | takes | default | meaning |\n|---|---|---|---|\n";
        }
        for argument in self.arguments {
            let default = argument.default.map_or_else(|| "required".to_owned(), |default| format!("`{default}`"));
            text += &format!("| `{}` | {} | {default} | {} |\n", argument.name, argument.types.name(), argument.what);
        }
        let parts =
            [("Returns", self.returns), ("Nulls", self.nulls), ("Errors", self.errors), ("Source", self.source)];
        for (title, part) in parts.into_iter().filter(|(_, part)| !part.is_empty()) {
            text += &format!("\n{title}: {part}\n");
        }
        for example in self.examples {
            text += &format!("\n```sql\n{example}\n```\n");
        }
        text
    }

    /// Whether it counts answers one by one, so that the different ones among them are no base.
    pub fn counts_answers(&self) -> bool {
        self.arguments.first().is_some_and(|first| matches!(first.types, Types::Answer | Types::Condition))
    }

    /// The place of an argument by its name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.arguments.iter().position(|argument| argument.name == name)
    }

    /// The same for the engine, which hands it to whoever lists its functions.
    pub fn documentation(&'static self) -> &'static Documentation {
        static ALL: LazyLock<HashMap<&'static str, Documentation>> =
            LazyLock::new(|| super::helps().into_iter().map(|help| (help.name, help.build())).collect());
        &ALL[self.name]
    }

    fn build(&self) -> Documentation {
        let section = DocSection { include: true, label: "Customer experience", description: None };
        let description = [self.summary, self.returns, self.nulls, self.errors, self.source];
        let description = description.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ");
        let documentation = Documentation::builder(section, description, self.syntax());
        let documentation = self
            .arguments
            .iter()
            .fold(documentation, |documentation, argument| documentation.with_argument(argument.name, argument.what));
        self.examples
            .iter()
            .fold(documentation, |documentation, example| documentation.with_sql_example(*example))
            .build()
    }
}
