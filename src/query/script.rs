//! Splits text into statements and `\` commands, each with its line.
//!
//! Only the lexical rules of SQL count here, never its grammar: a statement ends at a `;` outside strings, quoted names and
//! comments, or where the text ends. A bad statement therefore cannot swallow the one behind it, and a prompt that waits
//! for more can always be left.

use super::lexis::{comment, dollar_string, is_escape_string, string};

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// SQL without its `;`.
    Statement { text: &'a str, line: usize },
    /// A line that starts with `\`, without it.
    Command { text: &'a str, line: usize },
}

/// The items of a text, in order; blanks and comments between them are left out.
pub fn split(text: &str) -> Items<'_> {
    Items { rest: text, line: 1 }
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
        let (around, end) = match rest.starts_with('\\') {
            true => {
                let end = first + rest.find('\n').unwrap_or(rest.len());
                (Around::Command { start: first, end }, end)
            }
            false => {
                let end = first + statement_end(rest).0;
                (Around::Statement { start, end }, end)
            }
        };
        next = (end < text.len()).then_some(end + 1);
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
    line: usize,
}

impl<'a> Items<'a> {
    /// Takes `length` bytes off the rest and keeps count of lines.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.line += taken.bytes().filter(|&byte| byte == b'\n').count();
        self.rest = rest;
        taken
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        loop {
            self.take(blank(self.rest));
            let line = self.line;
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
                return Some(Item::Statement { text: text.trim_end(), line });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(text: &str) -> Vec<(&str, usize)> {
        split(text)
            .map(|item| match item {
                Item::Statement { text, line } | Item::Command { text, line } => (text, line),
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
    }

    #[test]
    fn a_command_is_its_line_and_may_hold_any_quote() {
        let text = "select 1;\n  \\run x name=O'Brien\nselect 2;";
        let items: Vec<Item<'_>> = split(text).collect();
        assert_eq!(items[1], Item::Command { text: "run x name=O'Brien", line: 2 });
        assert_eq!(items[2], Item::Statement { text: "select 2", line: 3 });
    }

    #[test]
    fn empty_statements_are_nothing() {
        assert_eq!(statements(" ;; -- nothing\n ; "), []);
    }

    #[test]
    fn a_place_belongs_to_the_item_around_it() {
        let text = "select 1; \\d x\n-- note\nselect 2";
        let (second, third) = (text.find('\\').expect("it is there"), text.find("\n").expect("it is there") + 1);
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
