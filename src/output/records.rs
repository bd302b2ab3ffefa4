//! Rows below each other, a line for each value: for rows that are wider than the screen.

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

    /// Writes one row behind a text. A value of several lines keeps them, each at the place where values stand.
    pub fn row(&mut self, titles: &[String], cells: &[String], into: &mut String) {
        self.rows += 1;
        let head = format!("── row {} ", self.rows);
        into.push_str(&head);
        into.push_str(&"─".repeat(self.rule.saturating_sub(head.width())));
        into.push('\n');
        for (title, cell) in titles.iter().zip(cells) {
            let start = into.len();
            into.push_str(title);
            into.push_str(&" ".repeat(self.titles.saturating_sub(title.width()) + 2));
            into.push_str(cell);
            into.truncate(start + into[start..].trim_end().len());
            into.push('\n');
        }
    }
}
