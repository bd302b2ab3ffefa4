//! Splits text into statements and `\` commands, each with its line.
//!
//! Only the lexical rules of SQL count here, never its grammar: a statement ends at a `;` outside strings, quoted names and
//! comments, or where the text ends. A bad statement therefore cannot swallow the one behind it, and a prompt that waits
//! for more can always be left.

use super::lexis::{comment, dollar_string, is_escape_string, string};

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
    #[must_use]
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

/// What a place of a text belongs to, from the end of what comes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// A statement, from byte to byte, without its `;`; blanks and comments before it are in it.
    Statement { start: usize, end: usize },
    /// A command, from its `\\` to the end of its line.
    Command { start: usize, end: usize },
}

/// All of a text, item by item, each from the end of the one before.
pub fn spans(text: &str) -> impl Iterator<Item = Around> {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let start = next?;
        let first = start + blank(&text[start..]);
        let rest = &text[first..];
        if rest.starts_with('\\') && first > start {
            // What comes before a command is a statement that is not there yet.
            next = Some(first);
            return Some(Around::Statement { start, end: first });
        }
        if rest.starts_with('\\') {
            let end = first + line_end(rest);
            next = (end < text.len()).then_some(end + 1);
            return Some(Around::Command { start: first, end });
        }
        let (length, by) = statement_end(rest);
        let end = first + length;
        next = match by {
            End::Semicolon => Some(end + 1),
            End::Command => Some(end),
            End::Text => None,
        };
        let around = Around::Statement { start, end };
        Some(around)
    })
}

/// What is at this place; between two items it is the second one.
pub fn around(text: &str, place: usize) -> Around {
    let mut last = Around::Statement { start: 0, end: 0 };
    for around in spans(text) {
        let (Around::Statement { end, .. } | Around::Command { end, .. }) = around;
        let is_before_command = text[end..].starts_with('\\') && place > end;
        if place <= end && !is_before_command {
            return around;
        }
        last = around;
    }
    last
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
    fn a_place_belongs_to_the_item_around_it() {
        let text = "select 1; \\d x\n-- note\nselect 2";
        let (second, third) = (text.find('\\').expect("it is there"), text.find('\n').expect("it is there") + 1);
        assert_eq!(around(text, 0), Around::Statement { start: 0, end: 8 });
        assert_eq!(around(text, 8), Around::Statement { start: 0, end: 8 });
        assert_eq!(around(text, 9), Around::Statement { start: 9, end: second });
        assert_eq!(around(text, third - 1), Around::Command { start: second, end: third - 1 });
        assert_eq!(around(text, text.len()), Around::Statement { start: third, end: text.len() });
        assert_eq!(around("select 1;", 9), Around::Statement { start: 9, end: 9 });
        assert_eq!(around("", 0), Around::Statement { start: 0, end: 0 });
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
