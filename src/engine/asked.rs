//! Statements that ask about a query in place of running it: DESCRIBE, SUMMARIZE and EXPLAIN.
//!
//! The parser knows some of them only for tables, and one not at all. They are told by their first words, which are then
//! blanked or overwritten with FROM, so that every other word keeps its place in the text and errors find it.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::diagnose::Words;

/// What is asked about a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Its columns.
    Describe,
    /// What values its columns hold.
    Summarize,
    /// How it would be run.
    Explain,
    /// How it was run, and what that took.
    Profile,
}

/// What a statement asks, and the query that it asks about; `None` for any other statement.
///
/// `explain verbose`, `explain format …` and `explain (…)` are left to the engine.
pub fn asked(text: &str) -> Option<(Asked, String)> {
    let words = Words::of(text);
    let first = words.get(0)?;
    let is = |place: usize, keyword| words.get(place).is_some_and(|piece| piece.is_keyword(keyword));
    let is_query = |place: usize| {
        [Keyword::SELECT, Keyword::WITH, Keyword::VALUES, Keyword::FROM].into_iter().any(|keyword| is(place, keyword))
    };
    if is(0, Keyword::EXPLAIN) {
        let (asked, start) = if is(1, Keyword::ANALYZE) { (Asked::Profile, 2) } else { (Asked::Explain, 1) };
        return is_query(start)
            .then(|| (asked, overwritten(text, words.get(start).map_or(0, |word| word.at.start), "")));
    }
    let asked = match first.word()?.to_lowercase().as_str() {
        "describe" | "desc" => Asked::Describe,
        "summarize" => Asked::Summarize,
        _ => return None,
    };
    let start = if is(1, Keyword::TABLE) && words.get(2).is_some() { 2 } else { 1 };
    let begin = words.get(start)?;
    let is_relation = !is_query(start) && begin.token != Token::LParen;
    Some((asked, overwritten(text, begin.at.start, if is_relation { "from" } else { "" })))
}

/// The text with this word and blanks in place of its first bytes; line ends stay.
fn overwritten(text: &str, end: usize, word: &str) -> String {
    let (head, rest) = text.split_at(end);
    let start = head.len() - head.trim_start().len();
    let blank = |letter: char| if letter == '\n' { '\n' } else { ' ' };
    let blanks: String = head.chars().skip(start + word.len()).map(blank).collect();
    format!("{}{word}{blanks}{rest}", &head[..start])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_stays_where_it_was() {
        for (text, expected) in [
            ("describe t", Some((Asked::Describe, "from     t"))),
            ("DESC 'a.csv'", Some((Asked::Describe, "from 'a.csv'"))),
            ("describe table t", Some((Asked::Describe, "from           t"))),
            ("describe select 1", Some((Asked::Describe, "         select 1"))),
            ("summarize\n(select 1)", Some((Asked::Summarize, "         \n(select 1)"))),
            ("explain select 1", Some((Asked::Explain, "        select 1"))),
            (
                "explain analyze with a as (select 1) from a",
                Some((Asked::Profile, "                with a as (select 1) from a")),
            ),
            ("explain verbose select 1", None),
            ("explain format tree select 1", None),
            ("explain (analyze) select 1", None),
            ("select 1", None),
            ("summarize", None),
        ] {
            let found = asked(text);
            assert_eq!(found.as_ref().map(|(asked, text)| (*asked, text.as_str())), expected, "{text}");
        }
    }
}
