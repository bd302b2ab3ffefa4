//! Completion of SQL: which kind of thing can stand at a place of a statement.

use super::offer::Offer;
use super::query::Clause;
use super::rank::Shortlist;
use super::scope::{Resolver, Scope, ends_value};
use super::sentence::{Sentence, is_closed, string_value, unquoted};
use super::words;
use super::{Completion, Knowledge};
use crate::query::lexis::{Token, TokenKind, tokens};

/// What is being typed, and where it starts.
struct Typed {
    /// Where its token starts, and where what takes its place does.
    first: usize,
    start: usize,
    text: String,
    shape: Shape,
}

impl Typed {
    /// Takes in what stands before a point: the names of settings are full of them.
    fn take_in_points(&mut self, sentence: &Sentence<'_>) {
        let touching = |start: usize| {
            (1..sentence.end()).find(|&index| {
                let is_part = sentence.is_sign(index, ".") || sentence.kind(index) == Some(TokenKind::Word);
                is_part && sentence.tokens[index].end == start
            })
        };
        while let Some(index) = touching(self.start) {
            self.text.insert_str(0, sentence.text_of(index));
            self.start = sentence.tokens[index].start;
            self.first = self.start;
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Bare,
    InName,
    InString,
}

/// What can be typed at a place of a statement.
pub fn complete(text: &str, place: usize, knowledge: &Knowledge) -> Completion {
    let nothing = Completion { start: place, ..Completion::default() };
    let Some(mut typed) = typed(text, place) else { return nothing };
    let sentence = Sentence::new(text, Some(place));
    if sentence.is_any(0, &["set", "reset", "show"]) && typed.shape == Shape::Bare {
        typed.take_in_points(&sentence);
    }
    let resolver = Resolver { sentence: &sentence, knowledge };
    let before = sentence.tokens.iter().rposition(|token| token.end <= typed.first);
    let scope = resolver.scope(typed.start.min(place));
    let offer = Offer {
        sentence: &sentence,
        knowledge,
        resolver: &resolver,
        scope: &scope,
        before,
        is_quoted: typed.shape == Shape::InName,
        is_closed: is_closed(&text[place..], '\''),
        is_called: text[sentence.end_of_word(place)..].starts_with('('),
        list: Shortlist::new(&typed.text),
    };
    let (candidates, looked_at) = match typed.shape {
        Shape::InString => offer.in_string(),
        Shape::Bare | Shape::InName => Spot { sentence: &sentence, scope: &scope, before }.fill(offer),
    };
    Completion { start: typed.start, candidates, looked_at }
}

/// What is being typed; `None` in comments and numbers.
fn typed(text: &str, place: usize) -> Option<Typed> {
    let touches = |token: &&Token| token.start < place && place <= token.end;
    let all = tokens(text);
    let Some(token) = all.iter().find(|token| token.holds(place)).or_else(|| all.iter().find(touches)) else {
        return Some(Typed { first: place, start: place, text: String::new(), shape: Shape::Bare });
    };
    let part = &text[token.start..place];
    let holds = token.holds(place);
    match token.kind {
        TokenKind::Comment if holds => None,
        TokenKind::Number => None,
        TokenKind::Text if holds => {
            let quote = part.find('\'')? + 1;
            Some(Typed {
                first: token.start,
                start: token.start + quote,
                text: string_value(part),
                shape: Shape::InString,
            })
        }
        TokenKind::Name if holds => {
            Some(Typed { first: token.start, start: token.start, text: unquoted(part), shape: Shape::InName })
        }
        TokenKind::Word | TokenKind::Variable => {
            Some(Typed { first: token.start, start: token.start, text: part.to_owned(), shape: Shape::Bare })
        }
        _ => Some(Typed { first: place, start: place, text: String::new(), shape: Shape::Bare }),
    }
}

/// A place of a statement outside of strings and comments.
struct Spot<'a> {
    sentence: &'a Sentence<'a>,
    scope: &'a Scope,
    /// The token before what is typed.
    before: Option<usize>,
}

impl Spot<'_> {
    /// Offers what can stand here.
    fn fill(&self, mut offer: Offer<'_>) -> (Vec<super::Candidate>, usize) {
        let sentence = self.sentence;
        if offer.list.typed().starts_with('$') {
            offer.variables();
            return offer.list.finish();
        }
        let Some(before) = self.before else {
            offer.keywords(&words::STARTS);
            return offer.list.finish();
        };
        if sentence.is_sign(before, ".") {
            offer.qualified();
            return offer.list.finish();
        }
        let opening = self.scope.brackets.last().copied();
        let bounds = self.bounds_of_frame(before, opening);
        match () {
            () if self.of_statement(before, &mut offer) => {}
            () if self.is_relation(before) => offer.relations(),
            () if sentence.is_sign(before, "::") || self.is_type(before, opening) => offer.keywords(&words::TYPES),
            () if sentence.is_sign(before, "(") && self.of_bracket(before, &mut offer) => {}
            () if self.is_in_using(opening) => offer.shared_columns(),
            () if self.is_insert_list(opening) => offer.columns_of_target(),
            () if sentence.is(before, "as") || sentence.is_any(before, &["limit", "offset", "fetch"]) => {}
            () if sentence.is(before, "not") => {
                offer.keywords(&["in (", "like", "ilike", "between", "exists (", "null"]);
                offer.values();
            }
            () if !sentence.is_behind_point(before) && self.has_second(before) => {
                offer.keywords(words::second(&sentence.text_of(before).to_ascii_lowercase()));
            }
            () if before > 0
                && sentence.is(before, "all")
                && sentence.is_any(before - 1, &["union", "intersect", "except"]) =>
            {
                offer.keywords(&words::AFTER_SET);
            }
            () if !bounds.is_empty() => offer.keywords(bounds),
            () if self.follows_value(before) => self.behind_value(opening, &mut offer),
            () => {
                let is_condition = self.is_in_on();
                if is_condition {
                    offer.keys();
                }
                // With nothing typed a condition is about keys and columns.
                match is_condition && offer.list.typed().is_empty() {
                    true => offer.names(),
                    false => offer.values(),
                }
                if self.begins_groups(before + 1) {
                    offer.keywords(&["all"]);
                }
            }
        }
        offer.list.finish()
    }

    /// What belongs to statements that are no queries; whether that is all.
    fn of_statement(&self, before: usize, offer: &mut Offer<'_>) -> bool {
        let sentence = self.sentence;
        let words: Vec<String> = (0..=before).map(|index| sentence.text_of(index).to_ascii_lowercase()).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let next = words::after_start(&words);
        if !next.is_empty() {
            offer.keywords(next);
            if words == ["show"] {
                offer.settings();
            }
            return true;
        }
        match words.as_slice() {
            ["set" | "reset"] => offer.settings(),
            ["set", .., "=" | "to"] => offer.value_of_setting(),
            ["describe" | "desc" | "summarize" | "table" | "update"]
            | ["show", "columns", "from"]
            | ["drop", "table" | "view"]
            | ["drop", .., "exists"]
            | ["insert", "into"]
            | ["delete", "from"] => offer.relations(),
            ["reset" | "show" | "set" | "drop", ..] | ["create", .., "table" | "view"] => {}
            ["copy"] => {
                offer.relations();
                offer.keywords(&["("]);
            }
            ["create", .., "stored" | "copy", "as"] | ["copy", .., "stored", "as"] => offer.formats(),
            ["copy", .., last] if self.scope.brackets.is_empty() => match *last {
                "to" | "as" | "options" | "by" => {}
                _ => offer.keywords(&["to", "stored as", "partitioned by (", "options ("]),
            },
            ["create", "external", "table", _, ..]
                if self.scope.brackets.is_empty() && *words.last().unwrap_or(&"") != "as" =>
            {
                offer.keywords(&["stored as", "location", "partitioned by (", "with order (", "options ("]);
            }
            ["create", .., "as"] if self.scope.brackets.is_empty() && !words.contains(&"select") => {
                offer.keywords(&["select", "with", "values"]);
            }
            ["create", .., "table" | "view" | "exists", _] => offer.keywords(&["as"]),
            ["insert", "into", _] => offer.keywords(&["select", "with", "values", "("]),
            ["update", _] => offer.keywords(&["set"]),
            _ => return false,
        }
        true
    }

    /// Whether a relation is to be named.
    fn is_relation(&self, before: usize) -> bool {
        let sentence = self.sentence;
        if sentence.is(before, "from") {
            return !sentence.is_comparison(before) && !self.is_in_call("extract") && !self.is_in_call("trim");
        }
        let in_from = self.clause() == Some(Clause::From) && self.is_at_query();
        sentence.is_any(before, &["join", "into", "lateral"])
            || in_from && sentence.is_sign(before, ",")
            || in_from && sentence.is_sign(before, "(") && self.scope.brackets.is_empty()
    }

    fn clause(&self) -> Option<Clause> {
        self.scope.clause.as_ref().map(|(clause, _)| *clause)
    }

    /// Whether no brackets but those of the query are around.
    fn is_at_query(&self) -> bool {
        self.scope.brackets.last().copied() == self.scope.query
    }

    fn is_in_call(&self, name: &str) -> bool {
        self.scope.brackets.last().is_some_and(|&opening| opening > 0 && self.sentence.is(opening - 1, name))
    }

    fn is_type(&self, before: usize, opening: Option<usize>) -> bool {
        let is_cast =
            opening.is_some_and(|opening| opening > 0 && self.sentence.is_any(opening - 1, &["cast", "try_cast"]));
        is_cast && self.sentence.is(before, "as")
    }

    /// What can stand first in brackets that hold no values; whether that is all.
    fn of_bracket(&self, opening: usize, offer: &mut Offer<'_>) -> bool {
        let sentence = self.sentence;
        let Some(word) = opening.checked_sub(1) else {
            offer.keywords(&["select", "with", "values"]);
            return true;
        };
        match () {
            () if self.opens_window(opening) => offer.keywords(&words::WINDOW),
            () if sentence.is(word, "filter") => offer.keywords(&["where"]),
            () if sentence.is(word, "group") => offer.keywords(&["order by"]),
            () if sentence.is_any(word, &["exists", "copy"]) || sentence.is(word, "as") => {
                offer.keywords(&["select", "with", "values"]);
            }
            () if sentence.is_any(word, &["from", "join"]) => {
                offer.keywords(&["select", "with", "values"]);
                offer.relations();
            }
            () if sentence.is(word, "extract") => offer.keywords(&words::UNITS),
            () if offer.takes_table(opening) => offer.relations(),
            () if sentence.is(word, "in") => {
                offer.keywords(&["select"]);
                offer.values();
            }
            () => return false,
        }
        true
    }

    /// Whether a bracket holds a window: behind OVER, or behind a name in WINDOW.
    fn opens_window(&self, opening: usize) -> bool {
        let follows = |word: &str| opening > 0 && self.sentence.is(opening - 1, word);
        follows("over") || self.clause() == Some(Clause::Window) && follows("as")
    }

    /// What a frame can begin with behind `rows between`, or end with behind the AND that follows.
    fn bounds_of_frame(&self, before: usize, opening: Option<usize>) -> &'static [&'static str] {
        let sentence = self.sentence;
        let Some(opening) = opening.filter(|&opening| self.opens_window(opening)) else { return &[] };
        let begins =
            |index: usize| sentence.is(index, "between") && sentence.is_any(index - 1, &["rows", "range", "groups"]);
        match () {
            () if begins(before) => &words::FRAME_START,
            () if sentence.is(before, "and") && (opening + 1..before).any(begins) => &words::FRAME_END,
            () => &[],
        }
    }

    /// Whether a token is the first behind GROUP BY.
    fn begins_groups(&self, index: usize) -> bool {
        matches!(&self.scope.clause, Some((Clause::GroupBy, range)) if range.start == index)
    }

    fn is_in_using(&self, opening: Option<usize>) -> bool {
        opening.is_some_and(|opening| opening > 0 && self.sentence.is(opening - 1, "using"))
    }

    /// Whether the brackets list the columns of what is inserted into.
    fn is_insert_list(&self, opening: Option<usize>) -> bool {
        let target = opening.and_then(|opening| self.sentence.level(0..opening).take(3).last());
        self.sentence.is(0, "insert") && opening.is_some_and(|opening| Some(opening - 1) == target && opening == 3)
    }

    fn has_second(&self, before: usize) -> bool {
        let word = self.sentence.text_of(before).to_ascii_lowercase();
        let is_call = before + 1 < self.sentence.end() && self.sentence.is_sign(before + 1, "(");
        !words::second(&word).is_empty() && !is_call && self.sentence.is(before, &word)
    }

    fn follows_value(&self, before: usize) -> bool {
        let is_relation = self.clause() == Some(Clause::From) && self.is_at_query() && !self.is_in_on();
        let is_all = self.sentence.is(before, "all") && self.begins_groups(before);
        ends_value(self.sentence, before) || is_all || is_relation && !self.sentence.is_any(before, &["on"])
    }

    /// Whether the place is in the condition of a join.
    fn is_in_on(&self) -> bool {
        let Some((Clause::From, range)) = &self.scope.clause else { return false };
        let place = self.before.map_or(0, |before| before + 1);
        let last = self.sentence.level(range.start..place);
        let last = last
            .filter(|&index| self.sentence.is_any(index, &["on", "join"]) || self.sentence.is_sign(index, ","))
            .last();
        last.is_some_and(|index| self.sentence.is(index, "on"))
    }

    /// Offers what can stand behind a value or a relation.
    fn behind_value(&self, opening: Option<usize>, offer: &mut Offer<'_>) {
        let sentence = self.sentence;
        let from = opening.map_or(0, |opening| opening + 1);
        let before = self.before.map_or(0, |before| before + 1);
        let count = |word: &str| (from..before).filter(|&index| sentence.is(index, word)).count();
        if count("case") > count("end") {
            offer.keywords(&words::CASES);
        }
        if !self.is_at_query() {
            if opening.is_some_and(|opening| self.opens_window(opening)) {
                offer.keywords(&words::WINDOW[1..]);
                offer.keywords(&words::FRAME);
                offer.keywords(&words::AFTER_ORDER[..4]);
            } else {
                offer.keywords(&words::OPERATORS);
                offer.keywords(&["order by"]);
                offer.keywords(&words::AFTER_ORDER[..4]);
            }
            if opening.is_some_and(|opening| opening > 0 && sentence.is(opening - 1, "extract")) {
                offer.keywords(&["from"]);
            }
            return;
        }
        match self.clause() {
            Some(Clause::Select) => {
                offer.keywords(&words::AFTER_SELECT);
                offer.keywords(&words::OPERATORS);
                offer.keywords(&words::SETS);
            }
            Some(Clause::From | Clause::Update) => {
                if self.is_in_on() {
                    offer.keywords(&words::OPERATORS);
                }
                if !self.is_in_on() && offer.is_joined() {
                    offer.keywords(&["on", "using ("]);
                }
                offer.keywords(&words::JOINS);
                offer.keywords(&words::AFTER_FROM);
                offer.keywords(&words::SETS);
                if self.scope.branch.clauses.iter().all(|(clause, _)| *clause != Clause::Select) {
                    offer.keywords(&["select", "set"]);
                }
            }
            Some(Clause::Where | Clause::Having | Clause::Qualify | Clause::Set) => {
                offer.keywords(&words::OPERATORS);
                offer.keywords(&words::AFTER_WHERE);
                offer.keywords(&["having", "qualify"]);
                offer.keywords(&words::SETS);
            }
            Some(Clause::GroupBy) => {
                offer.keywords(&words::AFTER_GROUP);
                offer.keywords(&words::SETS);
            }
            Some(Clause::OrderBy) => offer.keywords(&words::AFTER_ORDER),
            Some(Clause::Limit) => offer.keywords(&["offset"]),
            _ => {
                // Behind the CTEs, or a word that may become a statement.
                let is_with = sentence.is(sentence.main().start, "with");
                offer.keywords(if is_with { &["as (", "select"] } else { &[] });
            }
        }
    }
}
