//! Rows below each other, a line for each value: for rows that are wider than the screen.

use std::io::Write;

use unicode_width::UnicodeWidthStr;

/// Where titles and values stand.
pub struct Records {
    /// Characters of the widest title.
    titles: usize,
    /// Characters of a line between rows.
    rule: usize,
    /// Rows written so far.
    rows: u64,
}

impl Records {
    /// For these titles, on a terminal of this width.
    pub fn new(titles: &[String], width: Option<usize>) -> Self {
        let widest = titles.iter().map(|title| title.width()).max().unwrap_or(0);
        Self { titles: widest, rule: width.unwrap_or(60).min(60), rows: 0 }
    }

    /// Writes one row. A value of several lines keeps them, each at the place where values stand.
    pub fn row(&mut self, out: &mut impl Write, titles: &[String], cells: &[String]) -> std::io::Result<()> {
        self.rows += 1;
        let head = format!("── row {} ", self.rows);
        writeln!(out, "{head}{}", "─".repeat(self.rule.saturating_sub(head.width())))?;
        for (title, cell) in titles.iter().zip(cells) {
            let blanks = " ".repeat(self.titles.saturating_sub(title.width()));
            writeln!(out, "{}", format!("{title}{blanks}  {cell}").trim_end())?;
        }
        Ok(())
    }
}
