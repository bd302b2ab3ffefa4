//! The parts of a query: CTEs, clauses, and the relations of its FROM.

use std::ops::Range;

use super::sentence::{Sentence, string_value};
use super::words;
use crate::query::lexis::TokenKind;

/// A query: its CTEs, and the parts between UNION and its like.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pub ctes: Vec<Cte>,
    pub is_recursive: bool,
    pub branches: Vec<Branch>,
}

#[derive(Clone, Debug)]
pub struct Cte {
    pub name: String,
    pub columns: Vec<String>,
    /// Tokens between its brackets.
    pub body: Range<usize>,
}

/// One SELECT with its clauses.
#[derive(Clone, Debug, Default)]
pub struct Branch {
    pub range: Range<usize>,
    /// Clauses with the tokens behind their word.
    pub clauses: Vec<(Clause, Range<usize>)>,
    pub relations: Vec<Relation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clause {
    Select,
    From,
    Where,
    GroupBy,
    Having,
    Qualify,
    Window,
    OrderBy,
    Limit,
    Set,
    Update,
    Values,
    /// Words that the prompt knows nothing about.
    Other,
}

/// Something in FROM.
#[derive(Clone, Debug)]
pub struct Relation {
    pub source: Source,
    pub alias: Option<String>,
    /// Names that its columns are given.
    pub columns: Vec<String>,
    /// Columns that it shares with what stands before it.
    pub using: Vec<String>,
    pub first: usize,
}

#[derive(Clone, Debug)]
pub enum Source {
    /// A name, and the token of its last part.
    Table(String, usize),
    Path(String),
    /// Tokens of a query in brackets.
    Derived(Range<usize>),
    /// A function of this name, with the tokens of its arguments.
    Function(String, Range<usize>),
}

impl Sentence<'_> {
    /// Takes a query apart.
    pub fn query(&self, range: Range<usize>) -> Query {
        let mut query = Query::default();
        let mut at = range.start;
        if self.is(at, "with") {
            at += 1;
            if self.is(at, "recursive") {
                query.is_recursive = true;
                at += 1;
            }
            at = self.ctes(at..range.end, &mut query.ctes);
        }
        let mut start = at;
        let level: Vec<usize> = self.level(at..range.end).collect();
        for (place, &index) in level.iter().enumerate() {
            let is_set = self.is_any(index, &["union", "intersect", "except"]);
            let is_of_star = place > 0 && self.is_sign(level[place - 1], "*");
            if is_set && !is_of_star {
                query.branches.push(self.branch(start..index));
                start = index + 1;
                if self.is_any(start, &["all", "distinct"]) {
                    start += 1;
                }
            }
        }
        query.branches.push(self.branch(start..range.end));
        query
    }

    /// Reads `name (columns) as (body), …`; where it ends.
    fn ctes(&self, range: Range<usize>, ctes: &mut Vec<Cte>) -> usize {
        let mut at = range.start;
        while at < range.end {
            let Some(name) = self.name(at).filter(|_| !self.is(at, "select")) else { return at };
            at += 1;
            let mut columns = Vec::new();
            if self.is_sign(at, "(") {
                columns = self.names(self.inside(at));
                at = self.next(at);
            }
            if !self.is(at, "as") {
                return at;
            }
            at += 1;
            while self.is_any(at, &["not", "materialized"]) {
                at += 1;
            }
            if !self.is_sign(at, "(") {
                return at;
            }
            ctes.push(Cte { name, columns, body: self.inside(at) });
            at = self.next(at);
            if !self.is_sign(at, ",") {
                return at;
            }
            at += 1;
        }
        at
    }

    fn branch(&self, range: Range<usize>) -> Branch {
        let mut branch = Branch { range: range.clone(), ..Branch::default() };
        let level: Vec<usize> = self.level(range.clone()).collect();
        for (place, &index) in level.iter().enumerate() {
            let clause = match self.clause(&level, place) {
                Some(clause) if Some(index) != self.unfinished => clause,
                _ => continue,
            };
            if let Some((_, last)) = branch.clauses.last_mut() {
                last.end = index;
            }
            let words = if matches!(clause, Clause::GroupBy | Clause::OrderBy) { 2 } else { 1 };
            branch.clauses.push((clause, (index + words).min(range.end)..range.end));
        }
        for (_, from) in branch.clauses.iter().filter(|(clause, _)| matches!(clause, Clause::From | Clause::Update)) {
            self.relations(from.clone(), &mut branch.relations);
        }
        branch
    }

    /// The clause that begins with a word.
    fn clause(&self, level: &[usize], place: usize) -> Option<Clause> {
        let index = level[place];
        if self.kind(index) != Some(TokenKind::Word) || self.is_behind_point(index) {
            return None;
        }
        let follows = |word: &str| self.is(index + 1, word);
        Some(match self.text_of(index).to_ascii_lowercase().as_str() {
            "select" => Clause::Select,
            "from" if !self.is_comparison(index) => Clause::From,
            "where" => Clause::Where,
            "group" if follows("by") => Clause::GroupBy,
            "having" => Clause::Having,
            "qualify" => Clause::Qualify,
            "window" => Clause::Window,
            "order" if follows("by") => Clause::OrderBy,
            "limit" | "offset" | "fetch" => Clause::Limit,
            "set" => Clause::Set,
            "update" => Clause::Update,
            "values" => Clause::Values,
            "into" | "returning" => Clause::Other,
            _ => return None,
        })
    }

    /// Reads the relations of a FROM.
    pub fn relations(&self, range: Range<usize>, found: &mut Vec<Relation>) {
        let mut at = range.start;
        let mut is_expected = true;
        while at < range.end.min(self.end()) {
            if self.is_sign(at, ",") || self.is(at, "join") {
                is_expected = true;
                at += 1;
            } else if is_expected && self.is_any(at, &["lateral", "only"]) {
                at += 1;
            } else if is_expected {
                is_expected = false;
                at = self.relation(at, range.end, found);
            } else if self.is(at, "using") && self.is_sign(at + 1, "(") {
                if let Some(last) = found.last_mut() {
                    last.using = self.names(self.inside(at + 1));
                }
                at = self.next(at + 1);
            } else {
                at = self.next(at);
            }
        }
    }

    /// Reads one relation with its alias; where it ends.
    fn relation(&self, first: usize, end: usize, found: &mut Vec<Relation>) -> usize {
        let mut at = first;
        let source = match self.kind(at) {
            Some(TokenKind::Text) => {
                at += 1;
                Source::Path(string_value(self.text_of(first)))
            }
            Some(TokenKind::Sign) if self.is_sign(at, "(") => {
                let inside = self.inside(at);
                at = self.next(at);
                if !self.is_query(&inside) {
                    self.relations(inside, found);
                    return at;
                }
                Source::Derived(inside)
            }
            Some(TokenKind::Word | TokenKind::Name) if !self.goes_on(at) => {
                while self.is_sign(at + 1, ".")
                    && self.name(at + 2).is_some()
                    && self.tokens[at + 1].end == self.tokens[at + 2].start
                {
                    at += 2;
                }
                let name = self.name(at).unwrap_or_default();
                let last = at;
                at += 1;
                match self.is_sign(at, "(") {
                    true => {
                        let inside = self.inside(at);
                        at = self.next(at);
                        Source::Function(name, inside)
                    }
                    false => Source::Table(name, last),
                }
            }
            _ => return if self.goes_on(at) { at } else { self.next(at) },
        };
        let mut relation = Relation { source, alias: None, columns: Vec::new(), using: Vec::new(), first };
        let is_marked = self.is(at, "as");
        let name = at + usize::from(is_marked);
        let is_alias = name < end && Some(name) != self.unfinished && (is_marked || !self.goes_on(name));
        if let Some(alias) = self.name(name).filter(|_| is_alias) {
            relation.alias = Some(alias);
            at = name + 1;
            if self.is_sign(at, "(") {
                relation.columns = self.names(self.inside(at));
                at = self.next(at);
            }
        } else if is_marked {
            at = name;
        }
        found.push(relation);
        at
    }

    /// Whether a word goes on with the statement, and so names nothing.
    fn goes_on(&self, index: usize) -> bool {
        self.is_any(index, &words::GO_ON)
    }
}
