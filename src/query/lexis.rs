//! The lexical rules of SQL: where strings, quoted names and comments begin and end, and the words between them.
//!
//! Every text has tokens, however broken it is: what is not closed goes on to its end. Grammar is no matter here.

/// A word, a string or a sign of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    /// Bytes of the text.
    pub start: usize,
    pub end: usize,
    /// Whether a string, a quoted name or a comment ends where the token does, and not just where the text does.
    pub is_closed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A keyword or a name without quotes.
    Word,
    /// A name in quotes.
    Name,
    /// A string, its quotes with it.
    Text,
    Number,
    /// `$name`.
    Variable,
    Comment,
    /// An operator, a bracket, a comma.
    Sign,
}

impl Token {
    pub fn text<'a>(&self, source: &'a str) -> &'a str {
        &source[self.start..self.end]
    }

    /// Whether what is typed at this place becomes a part of the token.
    pub fn holds(&self, place: usize) -> bool {
        self.start < place && (place < self.end || (place == self.end && !self.is_closed))
    }
}

/// Operators of more than one letter.
const SIGNS: [&str; 13] = ["::", "=>", "<=>", "<=", ">=", "<>", "!=", "||", "->>", "->", "==", "!~", "**"];

/// The tokens of a text in order; blanks are left out.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        if letter.is_whitespace() {
            at += letter.len_utf8();
            continue;
        }
        let token = token(text, at, letter);
        at = token.end;
        tokens.push(token);
    }
    tokens
}

fn token(text: &str, start: usize, first: char) -> Token {
    let rest = &text[start..];
    let bytes = rest.as_bytes();
    let word = || rest.find(|letter: char| !is_part_of_word(letter)).unwrap_or(rest.len());
    let (kind, length, is_closed) = match first {
        '\'' => quoted(TokenKind::Text, string(bytes, b'\'', false), bytes, b'\''),
        'e' | 'E' if bytes.get(1) == Some(&b'\'') => {
            let length = 1 + string(&bytes[1..], b'\'', true);
            quoted(TokenKind::Text, length, bytes, b'\'')
        }
        '"' | '`' => quoted(TokenKind::Name, string(bytes, bytes[0], false), bytes, bytes[0]),
        '-' | '/' if comment(rest) > 0 => {
            let length = comment(rest);
            // A line comment goes on at its end, whatever is typed.
            (TokenKind::Comment, length, rest.starts_with("/*") && length >= 4 && rest[..length].ends_with("*/"))
        }
        '$' => match dollar_string(rest) {
            Some(length) => (TokenKind::Text, length, length < rest.len() || is_closed_dollar(rest)),
            None => {
                (TokenKind::Variable, 1 + rest[1..].find(|l: char| !is_part_of_word(l)).unwrap_or(rest.len() - 1), true)
            }
        },
        letter if letter.is_ascii_digit() => (TokenKind::Number, number(rest), true),
        letter if letter.is_alphabetic() || letter == '_' => (TokenKind::Word, word(), true),
        letter => {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            (TokenKind::Sign, sign.map_or(letter.len_utf8(), |sign| sign.len()), true)
        }
    };
    Token { kind, start, end: start + length, is_closed }
}

/// Whether a letter goes on with a word.
pub fn is_part_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Whether the quotes of what was found are closed: the last one counts, unless it is the first or one of a doubled pair.
fn quoted(kind: TokenKind, length: usize, bytes: &[u8], quote: u8) -> (TokenKind, usize, bool) {
    let from = bytes.iter().position(|&byte| byte == quote).unwrap_or(0);
    let is_whole = length < bytes.len() || {
        // At the end of the text it is closed when one more letter behind it would be no part of it.
        let mut longer = bytes[from..].to_vec();
        longer.push(b' ');
        from + string(&longer, quote, from > 0) <= bytes.len()
    };
    (kind, length, is_whole)
}

fn is_closed_dollar(rest: &str) -> bool {
    let tag = rest[1..].find('$').map_or("", |end| &rest[..end + 2]);
    !tag.is_empty() && rest.len() >= 2 * tag.len() && rest.ends_with(tag)
}

/// Length of a number; a point counts when a digit follows it.
fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'_').count();
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end += 1 + digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            end += 1 + sign + digits(end + 1 + sign);
        }
    }
    end
}

/// Length of the comment that the text starts with; zero when it starts with something else.
pub(super) fn comment(text: &str) -> usize {
    if text.starts_with("--") {
        return text.find('\n').unwrap_or(text.len());
    }
    if !text.starts_with("/*") {
        return 0;
    }
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// Length of a quoted string; a doubled quote stands for itself.
pub(super) fn string(bytes: &[u8], quote: u8, backslashes: bool) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if backslashes => at += 2,
            byte if byte == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Whether the quote behind this text opens an `E'…'` string, in which a backslash escapes.
pub(super) fn is_escape_string(before: &[u8]) -> bool {
    match before {
        [.., letter, b'e' | b'E'] => !letter.is_ascii_alphanumeric() && *letter != b'_',
        [b'e' | b'E'] => true,
        _ => false,
    }
}

/// Length of a `$$…$$` or `$tag$…$tag$` string; `None` for a parameter such as `$name`.
pub(super) fn dollar_string(text: &str) -> Option<usize> {
    let tag_end = text[1..].find(|letter: char| !letter.is_alphanumeric() && letter != '_')? + 1;
    let tag = text.get(..=tag_end).filter(|tag| tag.ends_with('$'))?;
    let body = &text[tag.len()..];
    Some(body.find(tag).map_or(text.len(), |end| tag.len() + end + tag.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<&str> {
        tokens(text).iter().map(|token| token.text(text)).collect()
    }

    #[test]
    fn a_text_is_parted_into_words_strings_names_and_signs() {
        assert_eq!(
            parts("select a.\"b c\", 1.5e3::int from 'x''y' -- no\nwhere $p <> E'it\\'s' and é_1=2;"),
            [
                "select",
                "a",
                ".",
                "\"b c\"",
                ",",
                "1.5e3",
                "::",
                "int",
                "from",
                "'x''y'",
                "-- no",
                "where",
                "$p",
                "<>",
                "E'it\\'s'",
                "and",
                "é_1",
                "=",
                "2",
                ";"
            ]
        );
    }

    #[test]
    fn what_is_not_closed_goes_on_to_the_end_and_says_so() {
        for open in ["'abc", "'abc''", "'", "\"a b", "/* x", "-- x", "$$ a", "$t$ a $$", "E'a\\'", "/*/"] {
            let token = tokens(open)[0];
            assert!(token.end == open.len() && !token.is_closed && token.holds(open.len()), "{open}: {token:?}");
        }
        for closed in ["'abc'", "''", "'a'''", "\"a\"", "/* x */", "$$a$$", "$t$ a $t$", "E'\\''", "E'\\\\'"] {
            let token = tokens(closed)[0];
            assert!(token.end == closed.len() && token.is_closed && !token.holds(closed.len()), "{closed}: {token:?}");
        }
    }
}
