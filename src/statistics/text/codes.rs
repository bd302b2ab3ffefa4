//! Reason codes: which of a codebook's phrases and patterns a comment has.

use std::collections::BTreeSet;

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
    phrases: Rules,
    patterns: Rules,
}

/// Expressions, and for each the place of its code.
#[derive(Debug)]
struct Rules {
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
        let (mut phrases, mut patterns) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for (code, kind, what) in &rows {
            if what.trim().is_empty() {
                return Err(Error::invalid(format!(
                    "code `{code}` of the codebook has an empty {kind}, which all comments have"
                )));
            }
            let place = codes.partition_point(|known| known < code);
            match kind.as_str() {
                "phrase" => {
                    phrases.0.push(phrase(what));
                    phrases.1.push(place);
                }
                "pattern" => {
                    if let Err(error) = expression(std::slice::from_ref(what)) {
                        let reason = reason(&error);
                        let message = format!(
                            "code `{code}` of the codebook has the pattern `{what}`, which cannot be read: {reason}"
                        );
                        return Err(Error::invalid(message)
                            .hint("it is read as Rust's regex crate does: no look-around, no back-references"));
                    }
                    patterns.0.push(what.clone());
                    patterns.1.push(place);
                }
                _ => {
                    return Err(Error::invalid(format!("code `{code}` of the codebook has the kind `{kind}`"))
                        .hint("a kind is `phrase` or `pattern`"));
                }
            }
        }
        let rules = |(texts, codes): (Vec<String>, Vec<usize>)| {
            let set =
                expression(&texts).map_err(|error| Error::invalid(format!("the codebook is too large: {error}")))?;
            Ok(Rules { set, codes })
        };
        Ok(Self { codes, phrases: rules(phrases)?, patterns: rules(patterns)? })
    }

    /// Gives the codes of a comment in order: [`NONE`] when it says nothing and [`OTHER`] when nothing fits.
    pub fn codes(&self, text: &str, mut give: impl FnMut(&str)) {
        if says_nothing(text) {
            return give(NONE);
        }
        let places = |rules: &Rules| {
            let found = rules.set.matches(text);
            found.iter().map(|place| rules.codes[place]).collect::<Vec<usize>>()
        };
        let mut found = places(&self.phrases);
        found.extend(places(&self.patterns));
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

fn expression(texts: &[String]) -> std::result::Result<RegexSet, regex::Error> {
    // Tables of the automaton for large codebooks; the crate's default of 2 MB is for single expressions.
    RegexSetBuilder::new(texts).case_insensitive(true).size_limit(64 << 20).dfa_size_limit(16 << 20).build()
}

/// The last line of the crate's message, which draws a picture above it.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// An expression for a phrase as whole words. Edges are letters that are not there rather than `\b`, which would be
/// slow in any comment with a letter beyond ASCII.
fn phrase(what: &str) -> String {
    let words: Vec<String> = what.split_whitespace().map(regex::escape).collect();
    let words = words.join(r"\s+").replace(['\'', '’'], "['’]");
    let what = what.trim();
    let before = if what.chars().next().is_some_and(needs_edge) { r"(?:^|\W)" } else { "" };
    let after = if what.chars().next_back().is_some_and(needs_edge) { r"(?:\W|$)" } else { "" };
    format!("{before}{words}{after}")
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
