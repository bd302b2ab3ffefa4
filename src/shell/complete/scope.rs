//! Which relations and columns a place of a statement can name.

use std::ops::Range;
use std::rc::Rc;

use arrow::datatypes::DataType;

use super::knowledge::{Column, Knowledge};
use super::query::{Branch, Clause, Cte, Query, Relation, Source};
use super::sentence::Sentence;
use crate::engine::functions::table::Output;
use crate::lake::column::type_name;

/// Queries inside of queries that are looked into.
const DEPTH_MAX: usize = 20;

pub type Columns = Rc<Vec<Column>>;

/// A relation that can be named, and its columns.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its alias, or else its name.
    pub name: String,
    /// The table's own name; empty for a query.
    pub table: String,
    pub columns: Columns,
    /// Columns that it shares with what stands before it.
    pub using: Vec<String>,
}

/// What can be named at a place.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The relations of the query around the place, and of those around that.
    pub levels: Vec<Vec<Known>>,
    pub ctes: Vec<(String, Columns)>,
    /// The part of the query in which the place is.
    pub branch: Branch,
    /// The clause, and the tokens behind its word.
    pub clause: Option<(Clause, Range<usize>)>,
    /// Columns of the query's own select list that have a name of their own.
    pub aliases: Vec<Column>,
    /// The opening brackets around the place, outermost first.
    pub brackets: Vec<usize>,
    /// The bracket of the innermost query; `None` for the statement's.
    pub query: Option<usize>,
}

/// What works the columns of queries out.
pub struct Resolver<'a> {
    pub sentence: &'a Sentence<'a>,
    pub knowledge: &'a Knowledge,
}

type Environment = Vec<(String, Columns)>;

impl Resolver<'_> {
    /// What can be named at a place.
    pub fn scope(&self, place: usize) -> Scope {
        let sentence = self.sentence;
        let mut scope = Scope { brackets: sentence.around(place), ..Scope::default() };
        let mut range = sentence.main();
        let mut outer: Vec<Vec<Known>> = Vec::new();
        let mut environment = Environment::new();
        let mut brackets = scope.brackets.clone().into_iter();
        loop {
            let query = sentence.query(range.clone());
            let inner = brackets.by_ref().find(|&bracket| {
                bracket >= range.start && is_body(&query, bracket) || sentence.is_query(&sentence.inside(bracket))
            });
            let body = |bracket: usize| query.ctes.iter().position(|cte| cte.body.start == bracket + 1);
            if let Some(index) = inner.and_then(body) {
                // A CTE knows those before it, and itself where it may.
                for cte in query.ctes.iter().take(index + usize::from(query.is_recursive)) {
                    let columns = self.cte(&query, cte, &environment);
                    environment.push((cte.name.clone(), columns));
                }
                outer.clear();
                range = query.ctes[index].body.clone();
                scope.query = inner;
                continue;
            }
            for cte in &query.ctes {
                let columns = self.cte(&query, cte, &environment);
                environment.push((cte.name.clone(), columns));
            }
            let is_here = |branch: &&Branch| {
                branch.range.start < sentence.end() && sentence.tokens[branch.range.start].start <= place
            };
            let branch = query.branches.iter().rfind(is_here).or(query.branches.first()).cloned().unwrap_or_default();
            let level = self.relations(&branch, &environment, 0);
            let Some(bracket) = inner else {
                scope.clause = clause_at(sentence, &branch, place);
                let clause = scope.clause.as_ref().map(|(clause, _)| *clause);
                let level = if clause == Some(Clause::OrderBy) && query.branches.len() > 1 {
                    vec![self.returned(range, &environment)]
                } else {
                    scope.aliases = self.aliases(&branch, &level, clause);
                    level
                };
                scope.branch = branch;
                scope.levels = std::iter::once(level).chain(outer.into_iter().rev()).collect();
                scope.ctes = environment;
                return scope;
            };
            let is_derived = |relation: &Relation| match &relation.source {
                Source::Derived(inside) => inside.start == bracket + 1,
                Source::Function(_, arguments) => arguments.contains(&bracket),
                _ => false,
            };
            let is_lateral = bracket > 0 && sentence.is(bracket - 1, "lateral");
            match branch.relations.iter().any(is_derived) && !is_lateral {
                true => outer.clear(),
                false => outer.push(level),
            }
            range = sentence.inside(bracket);
            scope.query = Some(bracket);
        }
    }

    fn cte(&self, query: &Query, cte: &Cte, environment: &Environment) -> Columns {
        let mut environment = environment.clone();
        if query.is_recursive {
            let named = cte.columns.iter().map(|name| plain(name)).collect();
            environment.push((cte.name.clone(), Rc::new(named)));
        }
        renamed(self.output(cte.body.clone(), &environment, 1), &cte.columns)
    }

    /// The columns that a query returns, as far as they have names.
    pub fn output(&self, range: Range<usize>, environment: &Environment, depth: usize) -> Columns {
        if depth > DEPTH_MAX || range.is_empty() {
            return Columns::default();
        }
        let query = self.sentence.query(range);
        let mut environment = environment.clone();
        for cte in &query.ctes {
            let columns = self.cte(&query, cte, &environment);
            environment.push((cte.name.clone(), columns));
        }
        let Some(branch) = query.branches.first() else { return Columns::default() };
        let level = self.relations(branch, &environment, depth);
        match branch.clauses.iter().find(|(clause, _)| *clause == Clause::Select) {
            Some((_, list)) => Rc::new(self.list(list.clone(), &level)),
            None => Rc::new(level.iter().flat_map(|known| known.columns.iter().cloned()).collect()),
        }
    }

    /// What a query returns: all that can be sorted by behind UNION and its like.
    fn returned(&self, range: Range<usize>, environment: &Environment) -> Known {
        let columns = self.output(range, environment, 0);
        Known { name: String::new(), table: String::new(), columns, using: Vec::new() }
    }

    fn relations(&self, branch: &Branch, environment: &Environment, depth: usize) -> Vec<Known> {
        branch.relations.iter().map(|relation| self.relation(relation, environment, depth)).collect()
    }

    fn relation(&self, relation: &Relation, environment: &Environment, depth: usize) -> Known {
        let (name, columns) = match &relation.source {
            Source::Table(name, _) => (name.clone(), self.named(name, environment)),
            Source::Path(path) => {
                let columns = self.knowledge.path(path).map(|file| Rc::new(file.columns.clone()));
                (String::new(), columns.unwrap_or_default())
            }
            Source::Derived(inside) => (String::new(), self.output(inside.clone(), environment, depth + 1)),
            Source::Function(name, arguments) => {
                (name.clone(), self.of_function(name, arguments.clone(), environment, depth + 1))
            }
        };
        Known {
            name: relation.alias.clone().unwrap_or_else(|| name.clone()),
            table: name,
            columns: renamed(columns, &relation.columns),
            using: relation.using.clone(),
        }
    }

    /// The relations that are named in a part of a FROM, or of the arguments of a function there.
    pub fn named_in(&self, part: Range<usize>, environment: &Environment, depth: usize) -> Vec<Known> {
        let mut found = Vec::new();
        self.sentence.relations(part, &mut found);
        found.iter().map(|relation| self.relation(relation, environment, depth)).collect()
    }

    /// The columns of what a function in FROM gives.
    fn of_function(&self, name: &str, arguments: Range<usize>, environment: &Environment, depth: usize) -> Columns {
        if ["generate_series", "range"].contains(&name) {
            return Rc::new(vec![plain("value")]);
        }
        let Some(function) = self.knowledge.function(name).filter(|_| depth <= DEPTH_MAX) else {
            return Columns::default();
        };
        let parts = self.sentence.parts(arguments);
        let level = parts.first().map_or_else(Vec::new, |first| self.named_in(first.clone(), environment, depth));
        let columns = |output: &Output| match output {
            Output::Own(field) => vec![Column { kind: type_name(field.data_type()), ..plain(field.name()) }],
            Output::Given(places, kind) => {
                let given = parts.iter().skip(places.start).take(places.len());
                let given = given.flat_map(|part| self.item(part.clone(), &level));
                let typed = |column: Column| match kind {
                    DataType::Null => column,
                    kind => Column { kind: type_name(kind), ..column },
                };
                given.map(typed).collect()
            }
        };
        Rc::new(function.outputs.iter().flat_map(columns).collect())
    }

    /// The columns of a CTE or table of this name.
    pub fn named(&self, name: &str, environment: &Environment) -> Columns {
        match environment.iter().rfind(|(known, _)| known == name) {
            Some((_, columns)) => Rc::clone(columns),
            None => self.table(name),
        }
    }

    fn table(&self, name: &str) -> Columns {
        let table = self.knowledge.table(name).map(|(_, table)| table).or_else(|| self.knowledge.kept.get(name));
        table.map_or_else(Columns::default, |table| Rc::new(table.columns.clone()))
    }

    /// The columns of a select list.
    fn list(&self, range: Range<usize>, level: &[Known]) -> Vec<Column> {
        self.items(range).into_iter().flat_map(|item| self.item(item, level)).collect()
    }

    /// The items of a select list.
    fn items(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut start = range.start;
        while self.sentence.is_any(start, &["distinct", "all"]) {
            start += 1;
        }
        if self.sentence.is(start, "on") && self.sentence.is_sign(start + 1, "(") {
            start = self.sentence.next(start + 1);
        }
        self.sentence.parts(start.min(range.end)..range.end)
    }

    /// The columns that one item of a select list stands for.
    fn item(&self, part: Range<usize>, level: &[Known]) -> Vec<Column> {
        let sentence = self.sentence;
        if part.is_empty() {
            return Vec::new();
        }
        if sentence.is_sign(part.start, "*") {
            let all = level.iter().flat_map(|known| known.columns.iter());
            return all.filter(|column| !self.left_out(part.clone()).contains(&column.name)).cloned().collect();
        }
        let last = part.end - 1;
        if sentence.is_sign(last, "*") && part.len() == 3 && sentence.is_sign(part.start + 1, ".") {
            let name = sentence.name(part.start);
            let of = level.iter().find(|known| Some(&known.name) == name.as_ref());
            return of.map_or_else(Vec::new, |known| known.columns.to_vec());
        }
        if sentence.is_behind_point(last) && part.len() <= 3 || part.len() == 1 {
            return self.column(part, level).into_iter().collect();
        }
        let is_marked = part.len() > 2 && sentence.is(last - 1, "as");
        let stands_alone = part.len() > 1
            && !sentence.is_behind_point(last)
            && !sentence.is_any(last, &["end", "null", "true", "false"])
            && (is_marked || ends_value(sentence, last - 1));
        let Some(name) = sentence.name(last).filter(|_| stands_alone) else { return Vec::new() };
        let value = part.start..if is_marked { last - 1 } else { last };
        let of = self.column(value, level);
        let (kind, origin) = of.map_or_else(Default::default, |column| (column.kind, column.origin));
        vec![Column { name, kind, origin }]
    }

    /// Columns that `* exclude (…)` leaves out.
    fn left_out(&self, part: Range<usize>) -> Vec<String> {
        let is_list = self.sentence.is_any(part.start + 1, &["exclude", "except"]);
        let opening = part.start + 2;
        match is_list && self.sentence.is_sign(opening, "(") {
            true => self.sentence.names(self.sentence.inside(opening)),
            false if is_list => self.sentence.name(opening).into_iter().collect(),
            false => Vec::new(),
        }
    }

    /// The column that a name, or two with a point between them, stand for.
    pub fn column(&self, part: Range<usize>, level: &[Known]) -> Option<Column> {
        let (relation, name) = match part.len() {
            1 => (None, self.sentence.name(part.start)?),
            3 if self.sentence.is_sign(part.start + 1, ".") => {
                (Some(self.sentence.name(part.start)?), self.sentence.name(part.start + 2)?)
            }
            _ => return None,
        };
        let mut relations =
            level.iter().filter(|known| relation.as_ref().is_none_or(|relation| *relation == known.name));
        let found = relations.find_map(|known| known.columns.iter().find(|column| column.name == name));
        Some(found.cloned().unwrap_or_else(|| plain(&name)))
    }

    /// What the select list gives names to that can stand in the clause: aliases, which are no columns of the relations.
    fn aliases(&self, branch: &Branch, level: &[Known], clause: Option<Clause>) -> Vec<Column> {
        let list = branch.clauses.iter().find(|(clause, _)| *clause == Clause::Select);
        let items = list.map_or_else(Vec::new, |(_, list)| self.items(list.clone()));
        let can_stand = |item: &Range<usize>| clause != Some(Clause::GroupBy) || !self.is_of_rows(item);
        let named = items.into_iter().filter(can_stand).flat_map(|item| self.item(item, level));
        let is_known = |name: &str| level.iter().any(|known| known.columns.iter().any(|column| column.name == name));
        named.filter(|column| !is_known(&column.name)).collect()
    }

    /// Whether a value is worked out from many rows; what queries inside of it call does not count.
    fn is_of_rows(&self, value: &Range<usize>) -> bool {
        let sentence = self.sentence;
        let mut at = value.start;
        while at < value.end {
            let is_bracket = sentence.is_sign(at, "(");
            let called = at.checked_sub(1).filter(|_| is_bracket).and_then(|word| sentence.name(word));
            if called.and_then(|name| self.knowledge.function(&name)).is_some_and(|function| function.is_of_rows) {
                return true;
            }
            at = if is_bracket && sentence.is_query(&sentence.inside(at)) { sentence.next(at) } else { at + 1 };
        }
        false
    }
}

fn is_body(query: &Query, bracket: usize) -> bool {
    query.ctes.iter().any(|cte| cte.body.start == bracket + 1)
}

/// Whether a value can end with this token.
pub fn ends_value(sentence: &Sentence<'_>, index: usize) -> bool {
    use crate::query::lexis::TokenKind as K;
    match sentence.kind(index) {
        Some(K::Word) => sentence.is_behind_point(index) || !sentence.is_any(index, &super::words::EXPECT_VALUE),
        Some(K::Sign) => match sentence.text_of(index) {
            ")" | "]" => true,
            "*" => {
                index == 0
                    || sentence.is_any(index - 1, &["select", "distinct", "all"])
                    || [",", "(", "."].iter().any(|sign| sentence.is_sign(index - 1, sign))
            }
            _ => false,
        },
        Some(_) => true,
        None => false,
    }
}

fn clause_at(sentence: &Sentence<'_>, branch: &Branch, place: usize) -> Option<(Clause, Range<usize>)> {
    let has_begun = |(_, range): &&(Clause, Range<usize>)| {
        range.start > 0 && sentence.tokens.get(range.start - 1).is_some_and(|word| word.end < place)
    };
    branch.clauses.iter().rfind(has_begun).cloned()
}

fn plain(name: &str) -> Column {
    Column { name: name.to_owned(), kind: String::new(), origin: None }
}

fn renamed(columns: Columns, names: &[String]) -> Columns {
    if names.is_empty() {
        return columns;
    }
    let count = columns.len().max(names.len());
    let column = |index: usize| {
        let mut column = columns.get(index).cloned().unwrap_or_else(|| plain(""));
        if let Some(name) = names.get(index) {
            column.name.clone_from(name);
        }
        column
    };
    Rc::new((0..count).map(column).collect())
}
