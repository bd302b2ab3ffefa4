//! The text of a statement: where it stands, and where in it a word is.

use std::ops::Range;

use datafusion::common::{Location, Span};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{self, Token, Tokenizer};

use crate::error::{Error, Excerpt, Place};

/// The text of one statement and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct SqlText<'a> {
    pub text: &'a str,
    /// File as errors name it; `None` for what was typed.
    pub file: Option<&'a str>,
    /// Line of the file on which `text` starts.
    pub line: usize,
    /// Column of that line in which it starts, in characters from 1; `None` where that is not known.
    pub column: Option<usize>,
}

impl<'a> SqlText<'a> {
    /// A statement that was typed.
    pub fn typed(text: &'a str) -> Self {
        Self { text, file: None, line: 1, column: Some(1) }
    }

    /// Puts the statement's place on an error: these bytes of it where they are known, else its first line.
    pub fn place(&self, error: Error, wrong: Option<Range<usize>>) -> Error {
        let is_long = self.text.trim_end().contains('\n');
        let file = self.file.map(str::to_owned);
        let Some(wrong) = wrong else {
            let line = (file.is_some() || is_long).then_some(self.line);
            return if line.is_some() { error.placed(Place { file, line, ..Place::default() }) } else { error };
        };
        let start = self.text.floor_char_boundary(wrong.start);
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        let column = before[line_start..].chars().count();
        let end = self.text.floor_char_boundary(wrong.end).min(line_start + line.len()).max(start);
        let length = self.text[start..end].chars().count().max(1);
        let first = if line_start == 0 { self.column } else { self.column.map(|_| 1) };
        let shows_line = file.is_some() || is_long;
        error.placed(Place {
            file,
            line: shows_line.then(|| self.line + before.matches('\n').count()),
            column: first.map(|first| first + column),
            excerpt: Some(Excerpt { line: line.to_owned(), wrong: column..column + length }),
        })
    }

    /// Puts the statement's place on an error that names a word of it between backticks.
    pub fn place_named(&self, error: Error) -> Error {
        let wrong = Words::of(self.text).named_in(error.message());
        self.place(error, wrong)
    }

    /// The byte at this line and column, which count from 1.
    pub fn offset(&self, line: u64, column: u64) -> Option<usize> {
        Walk::of(self.text).offset(line, column)
    }

    /// The bytes of one of the engine's spans.
    pub fn range(&self, span: Span) -> Option<Range<usize>> {
        let at = |place: Location| self.offset(place.line, place.column);
        Some(at(span.start)?..at(span.end)?)
    }
}

/// A way through a text from its start, for places that come in their order.
struct Walk<'a> {
    text: &'a str,
    /// The byte at which the walk is, its line and its column, which count from 1.
    at: usize,
    line: u64,
    column: u64,
}

impl<'a> Walk<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, at: 0, line: 1, column: 1 }
    }

    /// The byte at this line and column, the end of the text beyond its last column; `None` for a line that the text
    /// does not have, and for places that lie behind.
    fn offset(&mut self, line: u64, column: u64) -> Option<usize> {
        while self.line < line {
            self.at += self.text[self.at..].find('\n')? + 1;
            (self.line, self.column) = (self.line + 1, 1);
        }
        let ahead = usize::try_from(column.checked_sub(self.column)?).ok().filter(|_| self.line == line)?;
        let rest = &self.text[self.at..];
        self.at += rest.char_indices().nth(ahead).map_or(rest.len(), |(at, _)| at);
        self.column = column;
        Some(self.at)
    }
}

/// The words and signs of a statement, without blanks and comments.
#[derive(Debug, Default)]
pub struct Words(Vec<Piece>);

#[derive(Debug)]
pub struct Piece {
    pub token: Token,
    pub at: Range<usize>,
}

impl Piece {
    /// The word as it is written, without quotes.
    pub fn word(&self) -> Option<&str> {
        match &self.token {
            Token::Word(word) => Some(&word.value),
            _ => None,
        }
    }

    pub fn is_keyword(&self, keyword: Keyword) -> bool {
        matches!(&self.token, Token::Word(word) if word.keyword == keyword)
    }

    fn is_text(&self, text: &str) -> bool {
        matches!(&self.token, Token::SingleQuotedString(value) if value == text)
    }
}

impl Words {
    /// The words of a statement; none when it has a quote that is not closed.
    pub fn of(text: &str) -> Self {
        let mut walk = Walk::of(text);
        let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize_with_location().unwrap_or_default();
        let tokens = tokens.into_iter().filter(|piece| !matches!(piece.token, Token::Whitespace(_) | Token::EOF));
        let mut place = |place: tokenizer::Location| walk.offset(place.line, place.column);
        Self(
            tokens
                .filter_map(|piece| {
                    Some(Piece { at: place(piece.span.start)?..place(piece.span.end)?, token: piece.token })
                })
                .collect(),
        )
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (usize, &Piece)> + Clone {
        self.0.iter().enumerate()
    }

    pub fn get(&self, place: usize) -> Option<&Piece> {
        self.0.get(place)
    }

    pub fn last(&self) -> Option<&Piece> {
        self.0.last()
    }

    /// The place of the piece that starts at this byte.
    pub fn starting_at(&self, byte: usize) -> Option<usize> {
        self.0.iter().position(|piece| piece.at.start == byte)
    }

    /// Places of a name, in any case.
    pub fn places<'a>(&'a self, name: &'a str) -> impl Iterator<Item = usize> + 'a {
        let is_it = move |piece: &Piece| piece.word().is_some_and(|word| word.eq_ignore_ascii_case(name));
        self.iter().filter(move |(_, piece)| is_it(piece)).map(|(place, _)| place)
    }

    /// Places of a table: of its name, or of its path in single quotes.
    pub fn tables<'a>(&'a self, table: &'a str) -> impl Iterator<Item = usize> + 'a {
        let is_it = move |piece: &Piece| {
            piece.is_text(table) || piece.word().is_some_and(|word| word.eq_ignore_ascii_case(table))
        };
        self.iter().filter(move |(_, piece)| is_it(piece)).map(|(place, _)| place)
    }

    pub fn has(&self, keyword: Keyword) -> bool {
        self.0.iter().any(|piece| piece.is_keyword(keyword))
    }

    /// Where a name is, when it is there once.
    pub fn name(&self, name: &str) -> Option<Range<usize>> {
        self.only(self.places(name))
    }

    /// Where a function is called, when it is called once.
    pub fn call(&self, name: &str) -> Option<Range<usize>> {
        self.only(self.places(name).filter(|&place| self.is_called(place)))
    }

    /// Where a text in single quotes is, when it is there once.
    pub fn text(&self, text: &str) -> Option<Range<usize>> {
        self.only(self.iter().filter(|(_, piece)| piece.is_text(text)).map(|(place, _)| place))
    }

    /// Where a keyword is, when it is there once.
    pub fn keyword(&self, keyword: Keyword) -> Option<Range<usize>> {
        self.only(self.iter().filter(|(_, piece)| piece.is_keyword(keyword)).map(|(place, _)| place))
    }

    /// Where one of these signs is, when one of them is there once.
    pub fn sign(&self, signs: &[Token]) -> Option<Range<usize>> {
        self.only(self.iter().filter(|(_, piece)| signs.contains(&piece.token)).map(|(place, _)| place))
    }

    /// Where one of these words or signs is written, in any case, when one of them is there once.
    pub fn written(&self, texts: &[&str]) -> Option<Range<usize>> {
        let is_it = |piece: &Piece| {
            let written = piece.token.to_string();
            texts.iter().any(|text| written.eq_ignore_ascii_case(text))
        };
        self.only(self.iter().filter(|(_, piece)| is_it(piece)).map(|(place, _)| place))
    }

    pub fn is_called(&self, place: usize) -> bool {
        self.get(place + 1).is_some_and(|next| next.token == Token::LParen)
    }

    /// Where the first thing is that a message names between backticks: a call, else a word or a text.
    pub fn named_in(&self, message: &str) -> Option<Range<usize>> {
        let named = || message.split('`').skip(1).step_by(2);
        let call = named().find_map(|name| self.call(name));
        call.or_else(|| named().find_map(|name| self.name(name).or_else(|| self.text(name))))
    }

    fn only(&self, mut places: impl Iterator<Item = usize>) -> Option<Range<usize>> {
        let first = places.next()?;
        places.next().is_none().then(|| self.0[first].at.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_where_they_are_and_only_when_there_is_one() {
        let words = Words::of("select é, sum(a) -- a\nfrom \"a b\" where x = 'a'");
        assert_eq!(words.call("SUM"), Some(11..14));
        assert_eq!(words.name("a"), Some(15..16));
        assert_eq!(words.name("a b"), Some(28..33));
        assert_eq!(words.text("a"), Some(44..47));
        assert_eq!(words.written(&["FROM", "into"]), Some(23..27));
        assert_eq!(Words::of("select a, a").name("a"), None);
        let text = "select 'é\n', b --\n\n/* x\n */ from\n\"c\nd\" e";
        let places: Vec<&str> = Words::of(text).iter().map(|(_, piece)| &text[piece.at.clone()]).collect();
        assert_eq!(places, ["select", "'é\n'", ",", "b", "from", "\"c\nd\"", "e"]);
    }

    #[test]
    fn a_place_counts_in_the_file_and_its_excerpt_in_the_line() {
        let sql = SqlText { text: "select 1,\n  ab from t", file: Some("a.sql"), line: 7, column: Some(5) };
        let error = sql.place(Error::query("x"), Some(12..14));
        let place = error.place().expect("a place");
        assert_eq!(place.to_string(), "a.sql:8:3");
        assert_eq!(place.excerpt, Some(Excerpt { line: "  ab from t".to_owned(), wrong: 2..4 }));
        let error = sql.place(Error::query("x"), Some(7..8));
        assert_eq!(error.place().map(ToString::to_string).as_deref(), Some("a.sql:7:12"));
    }
}
