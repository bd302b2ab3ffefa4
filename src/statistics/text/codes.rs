//! Reason codes: which of a codebook's phrases and patterns a comment has.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use regex::{RegexSet, RegexSetBuilder};

use super::says_nothing;
use crate::error::{Error, Result};

/// The code of a comment that says something for which there is no code.
pub const OTHER: &str = "Other";

/// The code of a comment that says nothing.
pub const NONE: &str = "None";

/// One row of a codebook: code, kind and what it looks for.
pub type Row = (String, String, String);

/// A codebook, ready to be held against comments.
#[derive(Debug)]
pub struct Codebook {
    /// In order, each once.
    codes: Vec<String>,
    phrases: Phrases,
    patterns: Patterns,
}

/// Words that stand side by side.
#[derive(Debug)]
struct Phrases {
    finder: AhoCorasick,
    /// For each phrase the place of its code, and whether it begins and ends with a whole word.
    rules: Vec<(usize, [bool; 2])>,
}

/// Expressions, and for each the place of its code.
#[derive(Debug)]
struct Patterns {
    set: RegexSet,
    codes: Vec<usize>,
}

/// Rows as one text that is the same whatever their order was.
pub fn pack(rows: &BTreeSet<Row>) -> String {
    let rows: Vec<serde_json::Value> =
        rows.iter().map(|(code, kind, what)| serde_json::json!([code, kind, what])).collect();
    serde_json::Value::Array(rows).to_string()
}

/// The rows of a packed text.
///
/// # Errors
/// `InvalidData` when it is not one that [`pack`] made.
pub fn unpack(text: &str) -> Result<BTreeSet<Row>> {
    serde_json::from_str(text).map_err(|error| {
        Error::invalid("this text is no codebook")
            .hint("make it with `(select codebook(code, kind, match) from …)`")
            .caused_by(error)
    })
}

impl Codebook {
    /// Compiles a packed codebook. Codes are ordered by name, since a table's rows have no order.
    ///
    /// A phrase matches as whole words, with any blanks between them; a pattern matches anywhere. Case never counts.
    ///
    /// # Errors
    /// `InvalidData` for a kind that there is not, and for a pattern that cannot be read.
    pub fn compile(packed: &str) -> Result<Self> {
        let rows = unpack(packed)?;
        let mut codes: Vec<String> = rows.iter().map(|(code, ..)| code.clone()).collect();
        codes.dedup();
        let (mut phrases, mut patterns) = (Vec::new(), Vec::new());
        for (code, kind, what) in &rows {
            if what.trim().is_empty() {
                return Err(Error::invalid(format!(
                    "code `{code}` of the codebook has an empty {kind}, which all comments have"
                )));
            }
            let place = codes.partition_point(|known| known < code);
            match kind.as_str() {
                "phrase" => phrases.push((what.as_str(), place)),
                "pattern" => patterns.push((what.as_str(), place)),
                _ => {
                    return Err(Error::invalid(format!("code `{code}` of the codebook has the kind `{kind}`"))
                        .hint("a kind is `phrase` or `pattern`"));
                }
            }
        }
        let (phrases, patterns) = (Phrases::of(&phrases)?, Patterns::of(&patterns, &codes)?);
        Ok(Self { codes, phrases, patterns })
    }

    /// Gives the codes of a comment in order: [`NONE`] when it says nothing and [`OTHER`] when nothing fits.
    pub fn codes(&self, text: &str, mut give: impl FnMut(&str)) {
        if says_nothing(text) {
            return give(NONE);
        }
        let mut found = self.phrases.places(text);
        found.extend(self.patterns.set.matches(text).iter().map(|place| self.patterns.codes[place]));
        if found.is_empty() {
            return give(OTHER);
        }
        found.sort_unstable();
        found.dedup();
        for place in found {
            give(&self.codes[place]);
        }
    }
}

impl Phrases {
    fn of(phrases: &[(&str, usize)]) -> Result<Self> {
        let plain: Vec<String> = phrases.iter().map(|(what, _)| plain(what.trim())).collect();
        let finder =
            AhoCorasick::new(&plain).map_err(|error| Error::invalid(format!("the codebook is too large: {error}")))?;
        let edges = plain.iter().map(|what| [what.chars().next(), what.chars().next_back()]);
        let edges = edges.map(|ends| ends.map(|end| end.is_some_and(needs_edge)));
        Ok(Self { finder, rules: phrases.iter().map(|(_, code)| *code).zip(edges).collect() })
    }

    /// The places of the codes whose phrases a text has.
    fn places(&self, text: &str) -> Vec<usize> {
        let text = plain(text);
        let is_edge = |beside: Option<char>| !beside.is_some_and(is_of_word);
        let found = self.finder.find_overlapping_iter(&text).filter_map(|found| {
            let (code, [at_start, at_end]) = self.rules[found.pattern().as_usize()];
            let starts = !at_start || is_edge(text[..found.start()].chars().next_back());
            let ends = !at_end || is_edge(text[found.end()..].chars().next());
            (starts && ends).then_some(code)
        });
        found.collect()
    }
}

impl Patterns {
    fn of(patterns: &[(&str, usize)], codes: &[String]) -> Result<Self> {
        let expression = |texts: &[&str]| {
            // Tables of the automaton for large codebooks; the crate's default of 2 MB is for single expressions.
            RegexSetBuilder::new(texts).case_insensitive(true).size_limit(64 << 20).dfa_size_limit(16 << 20).build()
        };
        let texts: Vec<&str> = patterns.iter().map(|(what, _)| *what).collect();
        let set = expression(&texts).map_err(|error| {
            // Only one by one do they say which of them it is.
            let wrong = patterns.iter().find_map(|(what, code)| Some((what, code, expression(&[*what]).err()?)));
            let Some((what, code, error)) = wrong else {
                return Error::invalid(format!("the codebook is too large: {error}"));
            };
            let (code, reason) = (&codes[*code], reason(&error));
            Error::invalid(format!(
                "code `{code}` of the codebook has the pattern `{what}`, which cannot be read: {reason}"
            ))
            .hint("it is read as Rust's regex crate does: no look-around, no back-references")
        })?;
        Ok(Self { set, codes: patterns.iter().map(|(_, code)| *code).collect() })
    }
}

/// The last line of the crate's message, which draws a picture above it.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// A text in small letters, with one blank between words and one kind of apostrophe.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            _ if letter.is_whitespace() => {
                if !plain.ends_with(' ') {
                    plain.push(' ');
                }
            }
            '’' => plain.push('\''),
            _ => plain.extend(letter.to_lowercase()),
        }
    }
    plain
}

/// Whether a letter is part of a word; an accent of its own belongs to the letter before it.
fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || matches!(letter, '\u{0300}'..='\u{036F}')
}

/// Whether a word ends beside this letter only where no other letter follows. Scripts without blanks between words
/// have no such edges.
fn needs_edge(letter: char) -> bool {
    let without_blanks = matches!(letter, '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}'
        | '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}');
    letter.is_alphanumeric() && !without_blanks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(rows: &[(&str, &str, &str)]) -> Result<Codebook> {
        let owned =
            |(code, kind, what): &(&str, &str, &str)| ((*code).to_owned(), (*kind).to_owned(), (*what).to_owned());
        Codebook::compile(&pack(&rows.iter().map(owned).collect()))
    }

    fn codes(rows: &[(&str, &str, &str)], text: &str) -> Vec<String> {
        let codebook = compile(rows).unwrap();
        let mut found = Vec::new();
        codebook.codes(text, |code| found.push(code.to_owned()));
        found
    }

    const ROWS: [(&str, &str, &str); 6] = [
        ("RESP", "phrase", "response time"),
        ("RESP", "pattern", r"\bwait(ed|ing)?\b"),
        ("BILL", "phrase", "请求书"),
        ("BILL", "phrase", "請求書"),
        ("BILL", "phrase", "don't pay"),
        ("PRICE", "pattern", r"\bpric(e|es|ing)\b"),
    ];

    #[test]
    fn several_codes_come_in_order_and_each_once() {
        assert_eq!(codes(&ROWS, "The PRICE is fine, but we waited: the Response\n Time is bad"), ["PRICE", "RESP"]);
        assert_eq!(codes(&ROWS, "Great team"), [OTHER]);
        assert_eq!(codes(&ROWS, " N/A "), [NONE]);
    }

    #[test]
    fn a_phrase_is_whole_words_where_a_script_has_such() {
        assert_eq!(codes(&ROWS, "response times"), [OTHER]);
        assert_eq!(codes(&ROWS, "response time"), ["RESP"]);
        assert_eq!(codes(&ROWS, "(response time)"), ["RESP"]);
        assert_eq!(codes(&ROWS, "請求書がまた間違っていました。"), ["BILL"]);
        assert_eq!(codes(&ROWS, "we don’t pay"), ["BILL"]);
        // One that overlaps another, an edge of digits, an accent of its own, a line that begins with it.
        let rows = [("A", "phrase", "late again"), ("B", "phrase", "again late"), ("C", "phrase", "cafe")];
        assert_eq!(codes(&rows, "late again late"), ["A", "B"]);
        assert_eq!(codes(&rows, "late again2, cafe\u{301}s"), [OTHER]);
        assert_eq!(codes(&rows, "CAFE:"), ["C"]);
    }

    #[test]
    fn what_cannot_be_compiled_names_code_and_pattern() {
        let error = compile(&[("BAD", "pattern", "(open")]).unwrap_err();
        assert_eq!(
            error.message(),
            "code `BAD` of the codebook has the pattern `(open`, which cannot be read: unclosed group"
        );
        let error = compile(&[("BAD", "regex", "x")]).unwrap_err();
        assert_eq!(error.message(), "code `BAD` of the codebook has the kind `regex`");
        assert!(compile(&[("BAD", "phrase", " ")]).is_err());
    }

    #[test]
    fn the_packed_text_comes_back_as_it_went_in() {
        let rows: BTreeSet<Row> = [
            ("b".to_owned(), "phrase".to_owned(), "\"x\",\n".to_owned()),
            ("a".to_owned(), String::new(), "y".to_owned()),
        ]
        .into();
        assert_eq!(unpack(&pack(&rows)).unwrap(), rows);
        assert!(unpack("hello").is_err());
    }
}
