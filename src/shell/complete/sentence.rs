//! The shape of a statement, however broken: its brackets, queries, clauses and the relations of its FROMs.
//!
//! A grammar would give up on a statement that is being typed; here words that cannot be placed are passed over.

use std::ops::Range;

use crate::query::lexis::{Token, TokenKind, is_part_of_word, tokens};

/// A statement as tokens, with the brackets that belong together.
#[derive(Clone, Debug)]
pub struct Sentence<'a> {
    pub text: &'a str,
    /// All but comments.
    pub tokens: Vec<Token>,
    /// For each opening bracket where its inside ends, and whether a closing one stands there.
    ends: Vec<(usize, bool)>,
    /// The word that is being typed, which is not yet what it seems.
    pub unfinished: Option<usize>,
}

impl<'a> Sentence<'a> {
    /// `place`: where something is being typed.
    pub fn new(text: &'a str, place: Option<usize>) -> Self {
        let mut tokens = place.map_or_else(|| tokens(text), |place| tokens_around(text, place));
        tokens.retain(|token| token.kind != TokenKind::Comment);
        let mut ends = vec![(tokens.len(), false); tokens.len()];
        let mut open = Vec::new();
        for (index, token) in tokens.iter().enumerate() {
            match token.text(text) {
                "(" => open.push(index),
                ")" => {
                    if let Some(opening) = open.pop() {
                        ends[opening] = (index, true);
                    }
                }
                _ => {}
            }
        }
        let is_typed = |token: &Token| place.is_some_and(|place| token.start < place && place <= token.end);
        let unfinished = tokens.iter().position(|token| is_typed(token) && token.kind == TokenKind::Word);
        let mut sentence = Self { text, tokens, ends, unfinished };
        for opening in open.into_iter().rev() {
            sentence.ends[opening] = (sentence.end_of_open(opening), false);
        }
        sentence
    }

    /// Where the inside of a bracket ends that nothing closes yet: at the words that go on with the query around it.
    fn end_of_open(&self, opening: usize) -> usize {
        let inside = opening + 1..self.end();
        let before = opening.checked_sub(1);
        let has_from = ["extract", "trim", "substring", "overlay", "position"];
        let has_clauses = ["over", "group", "filter", "as"];
        let is_own = |words: &[&str]| before.is_some_and(|before| self.is_any(before, words));
        if self.is_query(&inside) || is_own(&has_from) {
            return self.end();
        }
        let words: &[&str] = if is_own(&has_clauses) { &["from"] } else { &["from", "where", "having", "limit"] };
        let goes_on = |index: &usize| Some(*index) != self.unfinished && self.is_any(*index, words);
        self.level(inside).find(goes_on).unwrap_or(self.end())
    }

    pub fn end(&self) -> usize {
        self.tokens.len()
    }

    pub fn text_of(&self, index: usize) -> &'a str {
        self.tokens.get(index).map_or("", |token| token.text(self.text))
    }

    pub fn kind(&self, index: usize) -> Option<TokenKind> {
        self.tokens.get(index).map(|token| token.kind)
    }

    pub fn is_sign(&self, index: usize, sign: &str) -> bool {
        self.kind(index) == Some(TokenKind::Sign) && self.text_of(index) == sign
    }

    /// Whether a word of the language stands there; behind a point it is a name.
    pub fn is(&self, index: usize, word: &str) -> bool {
        self.kind(index) == Some(TokenKind::Word)
            && self.text_of(index).eq_ignore_ascii_case(word)
            && !self.is_behind_point(index)
    }

    pub fn is_any(&self, index: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(index, word))
    }

    /// Whether a point stands right before it.
    pub fn is_behind_point(&self, index: usize) -> bool {
        index > 0 && self.is_sign(index - 1, ".") && self.tokens[index - 1].end == self.tokens[index].start
    }

    /// Whether a word is the FROM of IS [NOT] DISTINCT FROM, which compares.
    pub fn is_comparison(&self, from: usize) -> bool {
        from > 1 && self.is(from, "from") && self.is(from - 1, "distinct") && self.is_any(from - 2, &["is", "not"])
    }

    /// Where the word ends that the place is in, or the name in quotes with the quote that closes it.
    pub fn end_of_word(&self, place: usize) -> usize {
        let is_around = |token: &&Token| token.start < place && place < token.end && token.kind == TokenKind::Name;
        let rest = &self.text[place..];
        let word = || rest.find(|letter: char| !is_part_of_word(letter)).unwrap_or(rest.len());
        self.tokens.iter().find(is_around).map_or_else(|| place + word(), |name| name.end)
    }

    /// The name that a word stands for, in small letters, or that is in the quotes.
    pub fn name(&self, index: usize) -> Option<String> {
        let text = self.text_of(index);
        match self.kind(index)? {
            TokenKind::Word => Some(text.to_lowercase()),
            TokenKind::Name => Some(unquoted(text)),
            _ => None,
        }
    }

    /// The token behind this one, and behind its brackets when it opens some.
    pub fn next(&self, index: usize) -> usize {
        match self.is_sign(index, "(") {
            true => (self.ends[index].0 + usize::from(self.ends[index].1)).max(index + 1),
            false => index + 1,
        }
    }

    /// Tokens inside of the brackets that open here.
    pub fn inside(&self, opening: usize) -> Range<usize> {
        opening + 1..self.ends[opening].0.max(opening + 1)
    }

    /// Tokens of a range that are in no brackets inside of it.
    pub fn level(&self, range: Range<usize>) -> impl Iterator<Item = usize> {
        let end = range.end.min(self.end());
        let first = (range.start < end).then_some(range.start);
        std::iter::successors(first, move |&index| Some(self.next(index)).filter(|&next| next < end))
    }

    /// The opening brackets around a place, outermost first.
    pub fn around(&self, place: usize) -> Vec<usize> {
        let holds = |&index: &usize| {
            let end = self.tokens.get(self.ends[index].0).map_or(usize::MAX, |closing| closing.start);
            self.tokens[index].end <= place && place <= end
        };
        (0..self.end()).filter(|&index| self.is_sign(index, "(")).filter(holds).collect()
    }

    pub fn is_query(&self, range: &Range<usize>) -> bool {
        range.start < range.end && self.is_any(range.start, &["select", "with", "from", "values"])
    }

    /// The main query of the statement, behind words such as EXPLAIN or CREATE VIEW … AS.
    pub fn main(&self) -> Range<usize> {
        let starts = ["select", "with", "from", "values", "update"];
        let is_show = self.is(0, "show") || self.is(0, "set");
        let first = self.level(0..self.end()).find(|&index| self.is_any(index, &starts));
        first.filter(|_| !is_show).unwrap_or(self.end())..self.end()
    }

    /// Names between commas.
    pub fn names(&self, range: Range<usize>) -> Vec<String> {
        self.level(range).filter(|&index| Some(index) != self.unfinished).filter_map(|index| self.name(index)).collect()
    }

    /// The ranges between the commas of a range.
    pub fn parts(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut start = range.start;
        let mut parts = Vec::new();
        for index in self.level(range.clone()) {
            if self.is_sign(index, ",") {
                parts.push(start..index);
                start = index + 1;
            }
        }
        parts.push(start..range.end);
        parts
    }
}

/// The tokens of a text in which a string or a name is being typed whose other quote may still be missing: what comes behind
/// the place is then not in it.
fn tokens_around(text: &str, place: usize) -> Vec<Token> {
    let mut all = tokens(text);
    let typed = all.iter().position(|token| token.holds(place));
    let is_quoted = |token: &Token| matches!(token.kind, TokenKind::Text | TokenKind::Name);
    let Some(typed) = typed.filter(|&typed| is_quoted(&all[typed])) else { return all };
    let quote = if all[typed].kind == TokenKind::Name { '"' } else { '\'' };
    if is_closed(&text[place..], quote) {
        return all;
    }
    all.truncate(typed + 1);
    all[typed].end = place;
    let behind = tokens(&text[place..]).into_iter();
    all.extend(behind.map(|token| Token { start: token.start + place, end: token.end + place, ..token }));
    all
}

/// Whether a quote that was opened before is closed in the rest of the text: then quotes there are odd.
pub fn is_closed(rest: &str, quote: char) -> bool {
    rest.matches(quote).count() % 2 == 1
}

/// What stands between the quotes of a name.
pub fn unquoted(text: &str) -> String {
    let Some(quote) = text.chars().next() else { return String::new() };
    let inside = &text[quote.len_utf8()..];
    inside.strip_suffix(quote).unwrap_or(inside).replace(&format!("{quote}{quote}"), &quote.to_string())
}

/// What a string stands for.
pub fn string_value(text: &str) -> String {
    let text = text.strip_prefix(['e', 'E']).unwrap_or(text);
    unquoted(text)
}
