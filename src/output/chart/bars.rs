//! A bar for each row, from a common zero: to the right above it, to the left below it.

use unicode_width::UnicodeWidthStr;

use super::{Column, Size};

/// Parts of a full block, from none to seven eighths.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Labels are not given more than this share of the width.
const LABELS_SHARE: usize = 3;

pub fn draw(x: &Column<'_>, y: &Column<'_>, size: Size) -> String {
    let labels: Vec<String> = x.labels.iter().map(|label| cut(label, size.width / LABELS_SHARE)).collect();
    let label_width = labels.iter().map(|label| label.width()).max().unwrap_or(0);
    let values: Vec<Option<String>> = y.numbers.iter().map(|number| number.map(|number| (y.format)(number))).collect();
    let value_width = values.iter().flatten().map(|value| value.width()).max().unwrap_or(0);
    let room = size.width.saturating_sub(label_width + value_width + 3).max(8);

    let low = y.numbers.iter().flatten().fold(0.0_f64, |low, &number| low.min(number));
    let high = y.numbers.iter().flatten().fold(0.0_f64, |high, &number| high.max(number));
    let span = if high > low { high - low } else { 1.0 };
    // Characters left of zero; none where nothing is below it.
    let left = if low < 0.0 { characters(-low / span, room).max(1) } else { 0 };

    let mut text = format!("{} by {}\n", y.title, x.title);
    for ((label, number), value) in labels.iter().zip(&y.numbers).zip(&values) {
        let blanks = " ".repeat(label_width - label.width());
        let bar = match number {
            None => format!("{}(none)", " ".repeat(left)),
            Some(number) if *number < 0.0 => {
                let length = characters(-number / span, room).clamp(1, left);
                format!("{}{}", " ".repeat(left - length), "█".repeat(length))
            }
            Some(number) => format!("{}{}", " ".repeat(left), block(number / span, room, left)),
        };
        let gap = " ".repeat(room.saturating_sub(bar.width()));
        let value = value.as_deref().unwrap_or_default();
        text += format!("{label}{blanks} {}{bar}{gap} {value:>value_width$}", axis(left)).trim_end();
        text.push('\n');
    }
    text
}

/// The line of zero, where all bars go to the right.
fn axis(left: usize) -> &'static str {
    if left == 0 { "│" } else { "" }
}

/// A bar of this share of the room, in eighths of a character, where so many characters are taken; a value that is not zero
/// shows at least as a hair.
fn block(share: f64, room: usize, taken: usize) -> String {
    let eighths = characters(share, room * 8).max(usize::from(share > 0.0)).min(room.saturating_sub(taken) * 8);
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 0 to 1 of a screen's width")]
fn characters(share: f64, room: usize) -> usize {
    (share.clamp(0.0, 1.0) * room as f64).round() as usize
}

/// The label, cut where it is too wide.
pub fn cut(label: &str, width: usize) -> String {
    if label.width() <= width {
        return label.to_owned();
    }
    let mut text = String::new();
    for letter in label.chars() {
        if text.width() + 2 > width {
            break;
        }
        text.push(letter);
    }
    text + "…"
}
