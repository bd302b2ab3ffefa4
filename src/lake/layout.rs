//! How the files of a table are to be laid out: what they are sorted by, and which columns are looked up by single values.

use std::fmt;

use toml::Spanned;

use super::column::{self, Column};
use super::document::Document;
use crate::error::{Error, Result};

/// The declared layout of a table; both lists may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// What files are sorted by, the first column first.
    pub sort: Vec<SortKey>,
    /// Columns whose single values are looked for.
    pub identifiers: Vec<String>,
}

/// A column that files are sorted by. Nulls come last in either direction, as statements of the lake have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    pub column: String,
    pub descending: bool,
}

impl SortKey {
    /// The column and direction that a manifest's text names: `sent_at`, `sent_at asc` or `sent_at desc`.
    fn parse(text: &str) -> Self {
        let text = text.trim();
        let (column, descending) = match text.rsplit_once(char::is_whitespace) {
            Some((column, word)) if word.eq_ignore_ascii_case("desc") => (column, true),
            Some((column, word)) if word.eq_ignore_ascii_case("asc") => (column, false),
            _ => (text, false),
        };
        Self { column: column.trim_end().to_owned(), descending }
    }
}

impl fmt::Display for SortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.column, if self.descending { " desc" } else { "" })
    }
}

/// Reads the layout of a table. Its columns are held against those that it declares and those in its folder names; a table
/// that declares none leaves that to its files.
///
/// # Errors
/// `InvalidData` with the line: a column that is not declared, that is a partition, or that comes twice.
pub fn declared(
    document: &Document<'_>,
    table: &str,
    (columns, partition): (&[Column], &[Column]),
    sort: Vec<Spanned<String>>,
    identifiers: Vec<Spanned<String>>,
) -> Result<Layout> {
    let mut layout = Layout::default();
    let check = |what: &str, start: usize, column: &str, is_twice: bool| -> Result<()> {
        let wrong = |message: String| -> Error { document.error_at(start, message) };
        if is_twice {
            return Err(wrong(format!("{what} of table `{table}` names `{column}` twice")));
        }
        if partition.iter().any(|known| known.name == column) {
            return Err(wrong(format!("{what} of table `{table}` names `{column}`, which is a partition"))
                .hint("its value is the same in a whole folder; take it out"));
        }
        column::check_declared(columns, column, &format!("{what} of table `{table}`"))
            .map_err(|error| error.at(document.file, Some(document.line(start))))
    };
    for text in sort {
        let key = SortKey::parse(text.get_ref());
        let is_twice = layout.sort.iter().any(|known| known.column == key.column);
        check("`sort`", text.span().start, &key.column, is_twice)?;
        layout.sort.push(key);
    }
    for text in identifiers {
        let column = text.get_ref().trim().to_owned();
        check("`identifiers`", text.span().start, &column, layout.identifiers.contains(&column))?;
        layout.identifiers.push(column);
    }
    Ok(layout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_is_told_from_a_name() {
        let parsed = |text: &str| SortKey::parse(text).to_string();
        assert_eq!(parsed("sent_at"), "sent_at");
        assert_eq!(parsed(" sent_at  DESC "), "sent_at desc");
        assert_eq!(parsed("sent_at asc"), "sent_at");
        assert_eq!(parsed("sent at"), "sent at");
    }
}
