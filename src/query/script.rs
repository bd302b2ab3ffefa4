//! Splits text into statements and `\` commands, each with its line.
//!
//! Only the lexical rules of SQL count here, never its grammar: a statement ends at a `;` outside strings, quoted names and
//! comments, or where the text ends. A bad statement therefore cannot swallow the one behind it, and a prompt that waits
//! for more can always be left.

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// SQL without its `;`, and where it starts; columns count characters from 1.
    Statement { text: &'a str, line: usize, column: usize },
    /// A line that starts with `\`, without it.
    Command { text: &'a str, line: usize },
}

/// The items of a text, in order; blanks and comments between them are left out.
pub fn split(text: &str) -> Items<'_> {
    Items { rest: text, line: 1, column: 1 }
}

/// Whether a prompt can run this text, or must ask for more lines.
pub fn is_complete(text: &str) -> bool {
    let mut rest = text;
    loop {
        rest = &rest[blank(rest)..];
        if rest.is_empty() {
            return true;
        }
        if rest.starts_with('\\') {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
            continue;
        }
        match statement_end(rest) {
            (end, true) => rest = &rest[end + 1..],
            (_, false) => return false,
        }
    }
}

/// Iterator of [`split`].
#[derive(Clone, Debug)]
pub struct Items<'a> {
    rest: &'a str,
    line: usize,
    column: usize,
}

impl<'a> Items<'a> {
    /// Takes `length` bytes off the rest and keeps count of lines and columns.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.line += taken.bytes().filter(|&byte| byte == b'\n').count();
        self.column = match taken.rfind('\n') {
            Some(end) => taken[end..].chars().count(),
            None => self.column + taken.chars().count(),
        };
        self.rest = rest;
        taken
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        loop {
            self.take(blank(self.rest));
            let (line, column) = (self.line, self.column);
            if self.rest.is_empty() {
                return None;
            }
            if self.rest.starts_with('\\') {
                let text = self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
                return Some(Item::Command { text: text[1..].trim_end(), line });
            }
            let (end, closed) = statement_end(self.rest);
            let text = self.take(end);
            if closed {
                self.take(1);
            }
            if !text.trim().is_empty() {
                return Some(Item::Statement { text: text.trim_end(), line, column });
            }
        }
    }
}

/// Length of the blanks and comments that the text starts with.
fn blank(text: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let spaces = rest.len() - rest.trim_start().len();
        let comment = comment(&rest[spaces..]);
        at += spaces + comment;
        if comment == 0 {
            return at;
        }
    }
}

/// Length of the comment that the text starts with; zero when it starts with something else.
fn comment(text: &str) -> usize {
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

/// Where the statement ends that the text starts with, and whether a `;` is there.
fn statement_end(text: &str) -> (usize, bool) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        at += match bytes[at] {
            b';' => return (at, true),
            b'\'' => string(&bytes[at..], b'\'', is_escape_string(&bytes[..at])),
            quote @ (b'"' | b'`') => string(&bytes[at..], quote, false),
            b'-' | b'/' => comment(&text[at..]).max(1),
            b'$' => dollar_string(&text[at..]).unwrap_or(1),
            _ => 1,
        };
    }
    (text.len(), false)
}

/// Length of a quoted string; a doubled quote stands for itself.
fn string(bytes: &[u8], quote: u8, backslashes: bool) -> usize {
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
fn is_escape_string(before: &[u8]) -> bool {
    match before {
        [.., letter, b'e' | b'E'] => !letter.is_ascii_alphanumeric() && *letter != b'_',
        [b'e' | b'E'] => true,
        _ => false,
    }
}

/// Length of a `$$…$$` or `$tag$…$tag$` string; `None` for a parameter such as `$name`.
fn dollar_string(text: &str) -> Option<usize> {
    let tag_end = text[1..].find(|letter: char| !letter.is_alphanumeric() && letter != '_')? + 1;
    let tag = text.get(..=tag_end).filter(|tag| tag.ends_with('$'))?;
    let body = &text[tag.len()..];
    Some(body.find(tag).map_or(text.len(), |end| tag.len() + end + tag.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(text: &str) -> Vec<(&str, usize)> {
        split(text)
            .map(|item| match item {
                Item::Statement { text, line, .. } | Item::Command { text, line } => (text, line),
            })
            .collect()
    }

    #[test]
    fn the_last_statement_needs_no_semicolon() {
        assert_eq!(statements("select 1;\nselect 2"), [("select 1", 1), ("select 2", 2)]);
    }

    #[test]
    fn semicolons_and_quotes_in_strings_names_and_comments_end_nothing() {
        for whole in [
            "select ';', 'it''s; fine'",
            "select \";\" from t",
            "select 1 -- it's; a comment\n + 2",
            "select /* it's; /* nested */ ; */ 1",
            "select $$ ; ' $$, $tag$ ; $$ $tag$",
            "select E'it\\'s; fine'",
            "select 5 - 3 / 2",
            "select $office; ".trim_end_matches("; "),
        ] {
            assert_eq!(statements(&format!("{whole};\nselect 2;")).first(), Some(&(whole, 1)), "{whole}");
            assert_eq!(statements(&format!("{whole};\nselect 2;")).len(), 2, "{whole}");
        }
    }

    #[test]
    fn lines_are_those_of_the_statement_and_not_of_the_comment_above_it() {
        let text = "-- first\n\nselect\n1;\n/* second */ select 2;\n\n";
        assert_eq!(statements(text), [("select\n1", 3), ("select 2", 5)]);
        let columns = split(text).map(|item| match item {
            Item::Statement { column, .. } => column,
            Item::Command { .. } => 0,
        });
        assert_eq!(columns.collect::<Vec<_>>(), [1, 14]);
    }

    #[test]
    fn a_command_is_its_line_and_may_hold_any_quote() {
        let text = "select 1;\n  \\run x name=O'Brien\nselect 2;";
        let items: Vec<Item<'_>> = split(text).collect();
        assert_eq!(items[1], Item::Command { text: "run x name=O'Brien", line: 2 });
        assert_eq!(items[2], Item::Statement { text: "select 2", line: 3, column: 1 });
    }

    #[test]
    fn empty_statements_are_nothing() {
        assert_eq!(statements(" ;; -- nothing\n ; "), []);
    }

    #[test]
    fn a_prompt_waits_only_while_a_statement_is_open() {
        for complete in ["", "  -- note", "select 1;", "\\d", "select 1; \\timing", "select ';';", "select 1; -- done"]
        {
            assert!(is_complete(complete), "{complete}");
        }
        for open in ["select 1", "select ';", "select 1; select 2", "select /* ;"] {
            assert!(!is_complete(open), "{open}");
        }
    }
}
