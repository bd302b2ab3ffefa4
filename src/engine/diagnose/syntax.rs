//! Statements that cannot be read: what the parser found in place of what it expected.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::text::Piece;
use super::{Clues, SqlText, clauses};
use crate::error::Error;
use crate::suggest;

/// Words with which a statement begins.
const STATEMENTS: [&str; 14] = [
    "select",
    "with",
    "from",
    "values",
    "explain",
    "describe",
    "summarize",
    "show",
    "set",
    "reset",
    "create",
    "drop",
    "copy",
    "insert",
];

/// Words with which a part of a query begins, or that join two.
const CLAUSES: [&str; 20] = [
    "select", "from", "where", "group", "order", "by", "having", "qualify", "limit", "offset", "union", "join", "left",
    "inner", "on", "using", "and", "or", "as", "window",
];

/// Quotes that word processors put in place of those of SQL.
const CURLY: [char; 4] = ['“', '”', '‘', '’'];

/// What the parser says, in words.
pub fn tell(error: &ParserError, sql: &SqlText<'_>, clues: &mut Clues<'_>) -> Error {
    let (ParserError::TokenizerError(message) | ParserError::ParserError(message)) = error else {
        return Error::query("the statement is nested too deeply");
    };
    let (what, place) = message.split_once(" at Line: ").unwrap_or((message, ""));
    let mut place = place.split(", Column: ").map(|number| number.trim().parse().ok());
    let at = place.next().flatten().zip(place.next().flatten()).and_then(|(line, column)| sql.offset(line, column));
    if let Some(error) = unclosed(what, at, sql, clues) {
        return error;
    }
    let place = at.and_then(|at| clues.words.starting_at(at));
    if let Some(error) = elsewhere(what, place, clues) {
        return error;
    }
    let Some((expected, found)) = what.strip_prefix("Expected: ").and_then(|what| what.split_once(", found: ")) else {
        let piece = place.and_then(|place| clues.words.get(place));
        clues.wrong = piece.map(|piece| piece.at.clone()).or(at.map(|at| at..at + 1));
        return Error::query(format!("syntax error: {}", super::wording::in_words(what)));
    };
    let end = sql.text.trim_end().len();
    clues.wrong = match place.and_then(|place| clues.words.get(place)) {
        Some(piece) => Some(piece.at.clone()),
        None => Some(at.map_or(end..end + 1, |at| at..at + 1)),
    };
    let is_sign = expected.chars().all(|letter| letter.is_ascii_punctuation());
    let expected = if is_sign { format!("`{expected}`") } else { expected.to_owned() };
    let found = if found == "EOF" { "the end of the statement".to_owned() } else { format!("`{found}`") };
    let error = Error::query(format!("syntax error: expected {expected}, found {found}"));
    match advice(&expected, place, sql, clues) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// A quote that is opened and never closed.
fn unclosed(what: &str, at: Option<usize>, sql: &SqlText<'_>, clues: &mut Clues<'_>) -> Option<Error> {
    let is_text = what.starts_with("Unterminated string literal");
    let is_name = what.starts_with("Expected close delimiter");
    let is_comment = what.starts_with("Unexpected EOF while in a multi-line comment");
    if !is_text && !is_name && !is_comment {
        return None;
    }
    let opened = if is_comment { sql.text.rfind("/*") } else { at };
    clues.wrong = opened.map(|at| at..at + 1);
    Some(if is_text {
        Error::query("syntax error: a `'` opens a text that is never closed")
            .hint("a `'` within a text is doubled: `'O''Brien'`")
    } else if is_name {
        Error::query("syntax error: a quote opens a name that is never closed")
            .hint("names stand in double quotes, texts in single quotes")
    } else {
        Error::query("syntax error: a `/*` opens a comment that is never closed")
    })
}

/// What other databases have and there is not here, where the parser stops at it.
fn elsewhere(what: &str, place: Option<usize>, clues: &mut Clues<'_>) -> Option<Error> {
    let word = |place: usize| clues.words.get(place).and_then(Piece::word).unwrap_or_default().to_lowercase();
    match (word(0).as_str(), place) {
        ("pivot", Some(0)) => return Some(clauses::relation("Pivot", clues)),
        ("unpivot", Some(0)) => return Some(clauses::relation("Unpivot", clues)),
        ("copy", Some(place)) => return copying(place, clues),
        _ => {}
    }
    if what.starts_with("Expecting number or byte length") {
        clues.mark(clues.words.keyword(Keyword::TABLESAMPLE));
        return Some(clauses::no_sample("tablesample"));
    }
    if what.starts_with("Expected: MATCH_CONDITION")
        || (what.starts_with("Expected: JOIN") && clues.words.has(Keyword::ASOF))
    {
        clues.mark(clues.words.keyword(Keyword::ASOF));
        return Some(clauses::no_asof_join());
    }
    let place = place?;
    let materialized = place + usize::from(word(place) == "not");
    if word(materialized) == "materialized" && place.checked_sub(1).is_some_and(|before| word(before) == "as") {
        let start = clues.words.get(place)?.at.start;
        clues.mark(clues.words.get(materialized).map(|last| start..last.at.end));
        return Some(
            Error::query("there is no MATERIALIZED")
                .hint("leave it out: a CTE that is read more than once is kept where that costs less"),
        );
    }
    if word(place) == "using" && word(place + 1) == "sample" {
        clues.mark(clues.words.get(place + 1).map(|piece| piece.at.clone()));
        return Some(clauses::no_sample("using sample"));
    }
    (what.starts_with("No infix parser for token") && word(place) == "div").then(|| {
        clues.mark(clues.words.get(place).map(|piece| piece.at.clone()));
        Error::query("there is no `div`").hint(clauses::WHOLE_DIVISION)
    })
}

/// A COPY that reads, or that has its options as other databases write them.
fn copying(place: usize, clues: &mut Clues<'_>) -> Option<Error> {
    let found = clues.words.get(place)?;
    let at = found.at.clone();
    let before = |back: usize| place.checked_sub(back).and_then(|place| clues.words.get(place));
    let path = if before(1).is_some_and(|piece| piece.is_keyword(Keyword::WITH)) { 2 } else { 1 };
    let is_behind_path = before(path).is_some_and(|piece| matches!(piece.token, Token::SingleQuotedString(_)))
        && before(path + 1).is_some_and(|piece| piece.is_keyword(Keyword::TO));
    let error = if found.is_keyword(Keyword::FROM) && place == 2 {
        let table = clues.words.get(1).and_then(Piece::word).unwrap_or("t");
        Error::query("COPY writes files and reads none").hint(format!("write `create table {table} as from 'x.csv'`"))
    } else if is_behind_path {
        Error::query("COPY has its options behind OPTIONS")
            .hint("write `copy t to 'x.csv' options (delimiter '|', has_header true)`")
    } else {
        return None;
    };
    clues.mark(Some(at));
    Some(error)
}

/// How to mend it; may move what is marked to the word that is to blame.
fn advice(expected: &str, place: Option<usize>, sql: &SqlText<'_>, clues: &mut Clues<'_>) -> Option<String> {
    let found = place.and_then(|place| clues.words.get(place));
    let before = match place {
        Some(place) => place.checked_sub(1).and_then(|place| clues.words.get(place)),
        None => clues.words.last(),
    };
    if expected == "an SQL statement" {
        let near = suggest::nearest(found?.word()?, STATEMENTS)?;
        return Some(format!("did you mean `{near}`?"));
    }
    if sql.text.contains(CURLY) {
        return Some("these are quotes of a word processor: texts stand in `'`, names in `\"`".to_owned());
    }
    let is_from = |piece: &Piece| piece.is_keyword(Keyword::FROM);
    let narrows = [Keyword::WHERE, Keyword::GROUP, Keyword::HAVING];
    if clues.words.get(0).is_some_and(is_from)
        && found.is_some_and(|piece| narrows.iter().any(|keyword| piece.is_keyword(*keyword)))
    {
        return Some("`from t` alone stands for all of it: write `select * from t where …`".to_owned());
    }
    if found.is_some_and(|piece| piece.token == Token::RParen) && expected.starts_with("end of statement") {
        return Some("this `)` has no `(` before it".to_owned());
    }
    if before.is_some_and(|piece| piece.is_keyword(Keyword::TABLE)) {
        return Some("`table` is a word of SQL; as a name it stands in double quotes: `\"table\"`".to_owned());
    }
    // The word itself or the one before it may be a clause misspelt, which was taken for a name.
    for piece in [found, before].into_iter().flatten() {
        if let Some(near) = misspelt(piece) {
            let hint = format!("did you mean `{near}`?");
            clues.wrong = Some(piece.at.clone());
            return Some(hint);
        }
    }
    if found.is_some_and(|piece| piece.is_keyword(Keyword::ORDER) || piece.is_keyword(Keyword::GROUP)) {
        return Some("write `order by` or `group by`".to_owned());
    }
    if let Some(opened) = unclosed_parenthesis(clues).filter(|_| expected.contains(')') || place.is_none()) {
        clues.wrong = Some(opened..opened + 1);
        return Some("this `(` is not closed".to_owned());
    }
    let is_value = |piece: &Piece| {
        matches!(piece.token, Token::Word(_) | Token::Number(..) | Token::SingleQuotedString(_) | Token::RParen)
    };
    let may_lack_comma = expected.starts_with("end of statement") || expected == "`)`";
    (may_lack_comma && found.is_some_and(is_value) && before.is_some_and(is_value))
        .then(|| "is a comma or an operator missing before it?".to_owned())
}

/// The clause that a word most likely is, when it is none as it stands.
fn misspelt(piece: &Piece) -> Option<&'static str> {
    let Token::Word(word) = &piece.token else { return None };
    if word.quote_style.is_some() || word.value.len() < 4 || word.keyword != Keyword::NoKeyword {
        return None;
    }
    let near = CLAUSES.iter().copied().filter(|clause| clause.len() > 3);
    let near = near.map(|clause| (strsim::damerau_levenshtein(&word.value.to_lowercase(), clause), clause)).min()?;
    (near.0 <= 1 || (near.0 == 2 && near.1.len() > 5)).then_some(near.1)
}

/// The byte of the last parenthesis that is opened and not closed.
fn unclosed_parenthesis(clues: &Clues<'_>) -> Option<usize> {
    let mut open = Vec::new();
    for (_, piece) in clues.words.iter() {
        match piece.token {
            Token::LParen => open.push(piece.at.start),
            Token::RParen => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}
