//! A cell for each pair of labels: its number, and a shade from the smallest to the largest. Missing cells are hatched.

use std::collections::HashMap;

use unicode_width::UnicodeWidthStr;

use super::bars::cut;
use super::{Column, Size};
use crate::error::{Error, Result};

/// Shades from small to large.
const SHADES: [&str; 5] = [" ", "░", "▒", "▓", "█"];

/// What stands for a cell without a value.
const MISSING: &str = "╱╱╱";

/// Characters of the widest label of a row or column.
const LABEL_MAX: usize = 18;

/// # Errors
/// `Usage` when two rows have the same pair of labels.
pub fn draw(x: &Column<'_>, y: &Column<'_>, values: &Column<'_>, size: Size) -> Result<String> {
    let (columns, rows) = (distinct(&x.labels), distinct(&y.labels));
    let mut cells = HashMap::new();
    for (place, number) in values.numbers.iter().enumerate() {
        let pair = (y.labels[place].as_str(), x.labels[place].as_str());
        if cells.insert(pair, *number).is_some() {
            return Err(Error::usage(format!("two rows have `{}` and `{}`", pair.0, pair.1))
                .hint("a heat map has one cell for each pair: group by both in the statement"));
        }
    }
    let present = || values.numbers.iter().flatten().copied();
    let low = present().fold(f64::INFINITY, f64::min);
    let span = present().fold(f64::NEG_INFINITY, f64::max) - low;

    let texts = || present().map(|number| (values.format)(number).width());
    let cell_width = texts().max().unwrap_or(0).max(MISSING.width() - 2) + 2;
    let head_width = rows.iter().map(|label| label.width().min(LABEL_MAX)).max().unwrap_or(0);
    let widths: Vec<usize> = columns.iter().map(|label| label.width().min(LABEL_MAX).max(cell_width)).collect();

    let mut text = format!("{} by {} and {}\n", values.title, y.title, x.title);
    let mut shown = 0;
    let mut used = head_width;
    while shown < columns.len() && used + 1 + widths[shown] <= size.width {
        used += 1 + widths[shown];
        shown += 1;
    }
    let mut line = |head: &str, cells: Vec<String>| {
        let head = cut(head, LABEL_MAX);
        let blanks = " ".repeat(head_width - head.width());
        let cells = cells.iter().zip(&widths).map(|(cell, &width)| {
            let cell = cut(cell, width);
            " ".repeat(1 + width - cell.width()) + &cell
        });
        text += format!("{head}{blanks}{}", cells.collect::<String>()).trim_end();
        text.push('\n');
    };
    line("", columns[..shown].iter().map(|&label| label.to_owned()).collect());
    for row in rows {
        let cell = |column: &&str| match cells.get(&(row, *column)).copied().flatten() {
            Some(number) => {
                let shade = if span > 0.0 { shade((number - low) / span) } else { SHADES[2] };
                format!("{} {shade}", (values.format)(number))
            }
            None => MISSING.to_owned(),
        };
        line(row, columns[..shown].iter().map(cell).collect());
    }
    if shown < columns.len() {
        text += &format!("… too narrow for: {}\n", columns[shown..].join(", "));
    }
    Ok(text)
}

/// The labels in the order in which they come first.
fn distinct(labels: &[String]) -> Vec<&str> {
    let mut seen = std::collections::HashSet::new();
    labels.iter().map(String::as_str).filter(|label| seen.insert(*label)).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 0 to 1")]
fn shade(share: f64) -> &'static str {
    let place = (share * SHADES.len() as f64) as usize;
    SHADES[place.min(SHADES.len() - 1)]
}
