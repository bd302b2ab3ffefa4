//! The candidates of each kind, for one place of a statement.

use std::collections::HashMap;

use super::Kind;
use super::knowledge::{Column, Function, Knowledge};
use super::query::{Clause, Query, Source};
use super::rank::{MAX, Shortlist};
use super::scope::{Known, Resolver, Scope};
use super::sentence::Sentence;
use super::words::{self, in_quotes, written};
use crate::engine::Kept;
use crate::query::lexis::TokenKind;

/// Tables that a column which is not in the statement is said to be of.
const TABLES_SHOWN: usize = 3;

/// What candidates are made from.
pub struct Offer<'a> {
    pub sentence: &'a Sentence<'a>,
    pub knowledge: &'a Knowledge,
    pub resolver: &'a Resolver<'a>,
    pub scope: &'a Scope,
    /// The token before what is typed.
    pub before: Option<usize>,
    /// A quoted name is being typed.
    pub is_quoted: bool,
    /// The quote of the string that is being typed is closed behind the cursor.
    pub is_closed: bool,
    /// A bracket stands behind the cursor.
    pub is_called: bool,
    pub list: Shortlist,
}

impl Offer<'_> {
    pub fn written(&self, name: &str) -> String {
        if self.is_quoted { in_quotes(name) } else { written(name) }
    }

    /// Words of the language, in the case in which words are typed here.
    pub fn keywords(&mut self, words: &[&str]) {
        if self.is_quoted {
            return;
        }
        let is_upper = self.is_upper();
        for word in words {
            let text = if is_upper { word.to_uppercase() } else { (*word).to_owned() };
            self.list.offer(&text, Kind::Keyword, || (text.clone(), String::new()));
        }
    }

    fn is_upper(&self) -> bool {
        let is_upper = |text: &str| text.chars().any(char::is_alphabetic) && !text.chars().any(char::is_lowercase);
        if self.list.typed().chars().any(char::is_alphabetic) {
            return is_upper(self.list.typed());
        }
        let before = self.before.map_or(0, |before| before + 1);
        let last = (0..before).rev().find(|&index| {
            self.sentence.kind(index) == Some(TokenKind::Word) && words::is_keyword(self.sentence.text_of(index))
        });
        last.is_some_and(|index| is_upper(self.sentence.text_of(index)))
    }

    /// Everything that FROM takes.
    pub fn relations(&mut self) {
        for (name, columns) in self.scope.ctes.iter().rev() {
            let text = self.written(name);
            let remark = format!("with, {}", counted(columns.len()));
            self.list.offer(name, Kind::Relation, || (text, remark));
        }
        for (name, table) in self.knowledge.tables() {
            let text = self.written(name);
            self.list.offer(name, Kind::Table, || (text, table.remark.clone()));
        }
        for function in self.knowledge.functions().filter(|function| function.is_table) {
            self.function(function);
        }
        if !self.list.typed().is_empty() && !self.is_quoted {
            let remark = "what the lake keeps of what was done".to_owned();
            self.list.offer(Kept::SCHEMA, Kind::Table, || (format!("{}.", Kept::SCHEMA), remark));
        }
    }

    fn function(&mut self, function: &Function) {
        if self.is_quoted {
            return;
        }
        let kind = if function.is_metric { Kind::Metric } else { Kind::Function };
        let takes_nothing = function.call.ends_with("()");
        let brackets = match self.is_called {
            true => "",
            false if takes_nothing => "()",
            false => "(",
        };
        self.list.offer(&function.name, kind, || (format!("{}{brackets}", function.name), function.call.clone()));
    }

    /// Everything that a value can begin with.
    pub fn values(&mut self) {
        self.arguments();
        for column in &self.scope.aliases {
            let text = self.written(&column.name);
            let in_list = matches!(
                self.scope.clause,
                Some((Clause::OrderBy | Clause::GroupBy | Clause::Having | Clause::Qualify, _))
            );
            if in_list {
                self.list.offer(&column.name, Kind::Alias, || (text, "select list".to_owned()));
            }
        }
        self.names();
        // Hundreds of functions, and words that are known by heart, are no help until the first letter is there.
        let typed = self.list.typed().to_lowercase();
        for function in self.knowledge.functions().filter(|function| !function.is_table) {
            if function.is_metric || !typed.is_empty() {
                self.function(function);
            }
        }
        let has_names = self.scope.levels.iter().any(|level| !level.is_empty());
        if !has_names && !typed.is_empty() {
            for (name, tables) in self.knowledge.columns_from(&typed).take(MAX) {
                let text = self.written(name);
                let more = if tables.len() > TABLES_SHOWN { ", …" } else { "" };
                let shown: Vec<&str> = tables.iter().take(TABLES_SHOWN).map(String::as_str).collect();
                self.list.offer(name, Kind::Elsewhere, || (text, format!("{}{more}", shown.join(", "))));
            }
        }
        if !has_names || !typed.is_empty() {
            self.keywords(&words::OPERANDS);
        }
    }

    /// The columns in scope, and the relations that they are of.
    pub fn names(&mut self) {
        if let Some(given) = self.table_argument() {
            // The arguments of such a function name nothing else.
            self.columns(&given, Kind::Column);
            return;
        }
        for (depth, level) in self.scope.levels.iter().enumerate() {
            let kind = if depth == 0 { Kind::Column } else { Kind::Outer };
            self.columns(level, kind);
        }
        for known in
            self.scope.levels.iter().flatten().filter(|known| !known.name.is_empty() && !known.columns.is_empty())
        {
            let text = self.written(&known.name);
            self.list.offer(&known.name, Kind::Relation, || (format!("{text}."), counted(known.columns.len())));
        }
    }

    /// The columns of one query's relations; a name that several have is offered with each of theirs before it.
    fn columns(&mut self, level: &[Known], kind: Kind) {
        let mut times: HashMap<&str, usize> = HashMap::new();
        for column in level.iter().flat_map(|known| known.columns.iter()) {
            *times.entry(&column.name).or_default() += 1;
        }
        for known in level {
            for column in known.columns.iter().filter(|column| !column.name.is_empty()) {
                let is_repeated = times.get(column.name.as_str()).is_some_and(|&times| times > 1);
                let is_shared = level.iter().any(|other| other.using.contains(&column.name));
                let is_ambiguous = is_repeated && !is_shared && !known.name.is_empty();
                let bare = self.written(&column.name);
                let text = match is_ambiguous {
                    true => format!("{}.{bare}", written(&known.name)),
                    false => bare,
                };
                self.list.offer(&column.name, kind, || (text, remark(column, &known.name)));
            }
        }
    }

    /// Behind `name.`: the columns of that relation, of the statement or else of the lake.
    pub fn qualified(&mut self) {
        let qualifier = self.before.and_then(|point| self.sentence.name(point.checked_sub(1)?));
        let Some(qualifier) = qualifier else { return };
        let known = self.scope.levels.iter().flatten().find(|known| known.name == qualifier);
        let columns = known.map(|known| known.columns.clone());
        let columns = columns.unwrap_or_else(|| self.resolver.named(&qualifier, &self.scope.ctes));
        for column in columns.iter() {
            let text = self.written(&column.name);
            self.list.offer(&column.name, Kind::Column, || (text, column.kind.clone()));
        }
        if qualifier == "information_schema" {
            for name in ["columns", "df_settings", "parameters", "routines", "schemata", "tables", "views"] {
                self.list.offer(name, Kind::Table, || (name.to_owned(), String::new()));
            }
        }
        if qualifier == Kept::SCHEMA && columns.is_empty() {
            for (name, table) in &self.knowledge.kept {
                self.list.offer(name, Kind::Table, || (name.clone(), table.remark.clone()));
            }
        }
        if ["public", "lake"].contains(&qualifier.as_str()) && columns.is_empty() {
            self.relations();
        }
    }

    /// The columns of the table that rows are inserted into.
    pub fn columns_of_target(&mut self) {
        let Some(name) = self.sentence.name(2) else { return };
        for column in self.resolver.named(&name, &Vec::new()).iter() {
            let text = self.written(&column.name);
            self.list.offer(&column.name, Kind::Column, || (text, column.kind.clone()));
        }
    }

    /// The function whose arguments are being typed, and the bracket behind its name.
    fn callee(&self) -> Option<(&Function, usize)> {
        let opening = *self.scope.brackets.last()?;
        let name = self.sentence.name(opening.checked_sub(1)?)?;
        Some((self.knowledge.function(&name)?, opening))
    }

    /// Whether the bracket opens the arguments of a function that begins with a table.
    pub fn takes_table(&self, opening: usize) -> bool {
        let name = opening.checked_sub(1).and_then(|word| self.sentence.name(word));
        name.and_then(|name| self.knowledge.function(&name)).is_some_and(|function| function.takes_table)
    }

    /// The relation that a table function around the place is given, whose columns its other arguments name.
    fn table_argument(&self) -> Option<Vec<Known>> {
        let around = self.scope.brackets.iter().rev().take_while(|&&opening| Some(opening) != self.scope.query);
        let opening = around.copied().find(|&opening| self.takes_table(opening))?;
        let first = self.sentence.parts(self.sentence.inside(opening)).into_iter().next()?;
        Some(self.resolver.named_in(first, &self.scope.ctes, 0))
    }

    /// Arguments by name, where one may begin and was not given yet.
    fn arguments(&mut self) {
        let Some((function, opening)) = self.callee() else { return };
        let begins = self.before.is_some_and(|before| self.sentence.is_sign(before, ",") || before == opening);
        let given: Vec<usize> = self.sentence.inside(opening).collect();
        let offered: Vec<(String, String)> = function
            .arguments
            .iter()
            .filter(|(name, default)| {
                let is_given =
                    given.iter().any(|&index| self.sentence.is(index, name) && self.sentence.is_sign(index + 1, "=>"));
                default.is_some() && begins && !is_given
            })
            .map(|(name, default)| (name.clone(), format!("default {}", default.as_deref().unwrap_or_default())))
            .collect();
        for (name, remark) in offered {
            self.list.offer(&name, Kind::Outer, || (format!("{name} => "), remark));
        }
    }

    pub fn settings(&mut self) {
        for setting in &self.knowledge.settings {
            self.list.offer(&setting.name, Kind::Setting, || (setting.name.clone(), setting.value.clone()));
        }
    }

    /// The value that a setting has, or those of a switch.
    pub fn value_of_setting(&mut self) {
        let before = self.before.unwrap_or_default();
        let name: String = (1..before).map(|index| self.sentence.text_of(index)).collect();
        let Some(setting) = self.knowledge.settings.iter().find(|setting| setting.name == name) else { return };
        match setting.value.as_str() {
            "true" | "false" => self.keywords(&["true", "false"]),
            value if !value.is_empty() => self.list.offer(value, Kind::Value, || (value.to_owned(), "now".to_owned())),
            _ => {}
        }
    }

    pub fn formats(&mut self) {
        self.keywords(&["parquet", "csv", "json", "arrow"]);
    }

    pub fn variables(&mut self) {
        for (name, value) in &self.knowledge.variables {
            let text = format!("${name}");
            self.list.offer(&text, Kind::Parameter, || (text.clone(), value.clone()));
        }
    }
}

/// The names of relations in a statement that nothing is known by, with where each stands: for colours.
pub fn tables<'a>(sentence: &'a Sentence<'a>, query: &'a Query) -> impl Iterator<Item = (&'a str, usize)> {
    let relations = query.branches.iter().flat_map(|branch| &branch.relations);
    relations.filter_map(|relation| match &relation.source {
        Source::Table(name, last) if !sentence.is_behind_point(*last) => Some((name.as_str(), *last)),
        _ => None,
    })
}

fn remark(column: &Column, relation: &str) -> String {
    match (column.kind.is_empty(), relation.is_empty()) {
        (true, _) => relation.to_owned(),
        (false, true) => column.kind.clone(),
        (false, false) => format!("{} · {relation}", column.kind),
    }
}

fn counted(columns: usize) -> String {
    match columns {
        0 => String::new(),
        1 => "1 column".to_owned(),
        more => format!("{more} columns"),
    }
}
