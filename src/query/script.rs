//! Splits text into statements and `\` commands, each with its line.
//!
//! Only the lexical rules of SQL count here, never its grammar: a statement ends at a `;` outside strings, quoted names and
//! comments, or where the text ends. A bad statement therefore cannot swallow the one behind it, and a prompt that waits
//! for more can always be left.

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// SQL without its `;`, and where it starts; columns count characters from 1. `command` is the `\` command that it ends
    /// with in the place of a `;`, without its `\`.
    Statement { text: &'a str, start: Start, command: Option<&'a str> },
    /// A line that starts with `\`, without it.
    Command { text: &'a str, line: usize },
}

/// A place in a text; lines and columns count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    pub line: usize,
    pub column: usize,
}

impl Default for Start {
    fn default() -> Self {
        Self { line: 1, column: 1 }
    }
}

impl Start {
    /// The place behind a text that starts here.
    pub fn behind(self, text: &str) -> Self {
        let lines = text.bytes().filter(|&byte| byte == b'\n').count();
        let last = text.rsplit('\n').next().unwrap_or(text).chars().count();
        Self { line: self.line + lines, column: if lines == 0 { self.column + last } else { last + 1 } }
    }
}

/// The items of a text that starts here, in order; blanks and comments between them are left out.
pub fn split(text: &str, start: Start) -> Items<'_> {
    Items { rest: text, at: start }
}

/// Length of what the text starts with in whole items: a statement that may go on, and a line without its end, stay out.
pub fn whole_items(text: &str) -> usize {
    let mut whole = 0;
    loop {
        let start = whole + blank(&text[whole..]);
        let rest = &text[start..];
        let end = match rest.starts_with('\\') {
            true => start,
            false => match statement_end(rest) {
                (length, End::Semicolon) => {
                    whole = start + length + 1;
                    continue;
                }
                (length, End::Command) => start + length,
                (_, End::Text) => return whole,
            },
        };
        match text[end..].find('\n') {
            Some(line) => whole = end + line + 1,
            None => return whole,
        }
    }
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
            rest = &rest[line_end(rest)..];
            continue;
        }
        match statement_end(rest) {
            (end, End::Semicolon) => rest = &rest[end + 1..],
            (end, End::Command) => rest = &rest[end..],
            (_, End::Text) => return false,
        }
    }
}

/// Iterator of [`split`].
#[derive(Clone, Debug)]
pub struct Items<'a> {
    rest: &'a str,
    at: Start,
}

impl<'a> Items<'a> {
    /// Takes `length` bytes off the rest and keeps count of lines and columns.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.at = self.at.behind(taken);
        self.rest = rest;
        taken
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        loop {
            self.take(blank(self.rest));
            let start = self.at;
            if self.rest.is_empty() {
                return None;
            }
            if self.rest.starts_with('\\') {
                let text = self.take(line_end(self.rest));
                return Some(Item::Command { text: text[1..].trim_end(), line: start.line });
            }
            let (end, by) = statement_end(self.rest);
            let text = self.take(end);
            let command = match by {
                End::Text => None,
                End::Semicolon => {
                    self.take(1);
                    None
                }
                End::Command => Some(self.take(line_end(self.rest))[1..].trim_end()),
            };
            if !text.trim().is_empty() {
                return Some(Item::Statement { text: text.trim_end(), start, command });
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

/// Length of the line that the text starts with.
fn line_end(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

/// What ends a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Semicolon,
    /// A `\`, which SQL has only in strings.
    Command,
    /// Nothing: there may be more to come.
    Text,
}

/// Where the statement ends that the text starts with, and by what.
fn statement_end(text: &str) -> (usize, End) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        at += match bytes[at] {
            b';' => return (at, End::Semicolon),
            b'\\' => return (at, End::Command),
            b'\'' => string(&bytes[at..], b'\'', is_escape_string(&bytes[..at])),
            quote @ (b'"' | b'`') => string(&bytes[at..], quote, false),
            b'-' | b'/' => comment(&text[at..]).max(1),
            b'$' => dollar_string(&text[at..]).unwrap_or(1),
            _ => 1,
        };
    }
    (text.len(), End::Text)
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
        split(text, Start::default())
            .map(|item| match item {
                Item::Statement { text, start, .. } => (text, start.line),
                Item::Command { text, line } => (text, line),
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
        let columns = split(text, Start::default()).map(|item| match item {
            Item::Statement { start, .. } => start.column,
            Item::Command { .. } => 0,
        });
        assert_eq!(columns.collect::<Vec<_>>(), [1, 14]);
    }

    #[test]
    fn a_command_is_its_line_and_may_hold_any_quote() {
        let text = "select 1;\n  \\run x name=O'Brien\nselect 2;";
        let items: Vec<Item<'_>> = split(text, Start::default()).collect();
        assert_eq!(items[1], Item::Command { text: "run x name=O'Brien", line: 2 });
        assert_eq!(items[2], Item::Statement { text: "select 2", start: Start { line: 3, column: 1 }, command: None });
    }

    #[test]
    fn a_command_may_end_a_statement() {
        let items: Vec<Item<'_>> = split("select '\\'\n  \\g json\nselect 2", Start::default()).collect();
        let first = Item::Statement { text: "select '\\'", start: Start::default(), command: Some("g json") };
        assert_eq!(
            items,
            [first, Item::Statement { text: "select 2", start: Start { line: 3, column: 1 }, command: None }]
        );
    }

    #[test]
    fn whole_items_end_where_nothing_can_be_added_to_them() {
        for (text, whole) in [
            ("select 1; select", "select 1;"),
            ("select 1", ""),
            ("select ';\n", ""),
            ("-- note\nselect 1;\n\\d\nselect", "-- note\nselect 1;\n\\d\n"),
            ("\\run a", ""),
            ("select 1 \\g js", ""),
            ("select 1 \\g json\n;", "select 1 \\g json\n;"),
            ("select 1;\n\n", "select 1;"),
        ] {
            assert_eq!(&text[..whole_items(text)], whole, "{text}");
        }
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
