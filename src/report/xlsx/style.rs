//! How a workbook looks: colours, formats of cells and of numbers, names of sheets and tables.

use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, FormatPattern};
use unicode_width::UnicodeWidthStr;

use crate::output::present::{ColumnStyle, NumberFormat};
use crate::report::tone::Tone;

pub const INK: u32 = 0x1b_1f24;
pub const MUTED: u32 = 0x5a_6169;
pub const LINE: u32 = 0xe3_e6ea;
pub const GOOD: u32 = 0x00_72b2;
pub const BAD: u32 = 0xc0_4f00;
/// Ends and middle of a scale between bad and good.
pub const TINTS: [u32; 3] = [0xf0_a35e, 0xf4_f5f6, 0x66_a5db];
/// Series of charts, told apart by every kind of colour blindness.
pub const SERIES: [u32; 8] = [0x00_72b2, 0xc0_4f00, 0x14_532d, 0x92_36e0, 0x80_6e53, 0x2b_1a86, 0x86_005f, 0x33_2521];

const RAISED: u32 = 0xee_f0f4;
const GAP: u32 = 0xb4_bbc7;
const WARN: u32 = 0xff_f4d6;

/// Formats of a day and of a moment.
pub const DAY: &str = "yyyy-mm-dd";
pub const MOMENT: &str = "yyyy-mm-dd hh:mm:ss";

pub fn title() -> Format {
    Format::new().set_bold().set_font_size(14).set_font_color(INK)
}

pub fn strong() -> Format {
    top().set_bold()
}

pub fn muted() -> Format {
    Format::new().set_font_color(MUTED)
}

/// A value at the top of its row, whatever else makes the row high.
pub fn top() -> Format {
    Format::new().set_align(FormatAlign::Top)
}

/// Running text that breaks into lines.
pub fn prose() -> Format {
    top().set_text_wrap()
}

pub fn muted_prose() -> Format {
    prose().set_font_color(MUTED)
}

pub fn banner() -> Format {
    prose().set_bold().set_background_color(WARN)
}

/// SQL.
pub fn code() -> Format {
    Format::new().set_font_name("Consolas").set_font_size(10)
}

/// The side of a column at which its values begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Left,
    /// The left, away from the numbers that end there.
    Indented,
    Right,
}

/// The format on this side of a cell.
pub fn beside(format: Format, side: Side) -> Format {
    match side {
        Side::Left => format.set_align(FormatAlign::Left),
        Side::Indented => format.set_align(FormatAlign::Left).set_indent(1),
        Side::Right => format.set_align(FormatAlign::Right),
    }
}

/// A heading of a table; `aside` for a column that the report itself does not show.
pub fn heading(side: Side, aside: bool) -> Format {
    let format = beside(Format::new(), side)
        .set_text_wrap()
        .set_align(FormatAlign::VerticalCenter)
        .set_background_color(RAISED)
        .set_border_bottom(FormatBorder::Medium)
        .set_border_bottom_color(INK);
    if aside { format.set_italic().set_font_color(MUTED) } else { format.set_bold() }
}

/// A total in this number format.
pub fn total(pattern: Option<&str>) -> Format {
    let format = Format::new().set_bold().set_border_top(FormatBorder::Thin).set_border_top_color(INK);
    pattern.map_or_else(|| format.clone(), |pattern| format.clone().set_num_format(pattern))
}

/// A value that is missing: hatched.
pub fn gap() -> Format {
    Format::new()
        .set_pattern(FormatPattern::LightUp)
        .set_foreground_color(GAP)
        .set_background_color(0xff_ffff)
        .set_font_color(MUTED)
        .set_align(FormatAlign::Top)
}

/// A value out of its bands: a colour, and a sign at the left of the cell that says the same.
pub fn toned(tone: Tone, pattern: Option<&str>) -> Format {
    let format = Format::new().set_num_format(signed(pattern.unwrap_or("General"), tone.sign()));
    match tone.class() {
        "good" => format.set_font_color(0x00_5f86).set_background_color(0xe3_f1f8),
        "bad" => format.set_font_color(0xa0_3b00).set_background_color(0xfd_ece0),
        _ => format.set_bold(),
    }
}

/// A number format with a sign before the number, at the left of the cell. A minus would stand before a sign that is not in the
/// format's part for negative numbers.
fn signed(pattern: &str, sign: &str) -> String {
    let negative = format!("-{pattern}");
    let parts: Vec<&str> = pattern.split(';').collect();
    let parts = if parts.len() == 1 { vec![pattern, &negative] } else { parts };
    parts.iter().map(|part| format!("\"{sign}\"* {part}")).collect::<Vec<_>>().join(";")
}

/// The number format of a column, where its query or its type says one.
pub fn pattern(style: Option<&ColumnStyle>, scale: Option<i8>) -> Option<String> {
    let asked = style.and_then(|style| style.number.as_ref()).map(NumberFormat::pattern);
    asked.or_else(|| {
        let decimals = usize::try_from(scale?).ok()?;
        Some(if decimals == 0 { "0".to_owned() } else { format!("0.{}", "0".repeat(decimals)) })
    })
}

/// Names of sheets and tables, each given once.
#[derive(Debug, Default)]
pub struct Names {
    taken: Vec<String>,
}

/// Letters that the name of a sheet may have.
const SHEET_MAX: usize = 31;

impl Names {
    /// A name for a sheet that is like this text.
    pub fn sheet(&mut self, text: &str) -> String {
        let plain: String = text
            .chars()
            .map(|letter| if letter.is_control() || ":\\/?*[]".contains(letter) { ' ' } else { letter })
            .collect();
        let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        let plain = plain.trim_matches('\'');
        // A spreadsheet keeps this name for itself.
        let plain = if plain.is_empty() || plain.eq_ignore_ascii_case("history") { "Section" } else { plain };
        self.first_free(|number| {
            let ending = if number == 1 { String::new() } else { format!(" ({number})") };
            let room = SHEET_MAX - ending.len();
            let mut name = String::new();
            let mut used = 0;
            for letter in plain.chars() {
                used += letter.len_utf16();
                if used > room {
                    break;
                }
                name.push(letter);
            }
            // What is cut ends with a word where that leaves enough of it.
            let is_cut = plain.get(name.len()..).is_some_and(|rest| rest.starts_with(|next| next != ' '));
            if let Some(end) = name.rfind(' ').filter(|&end| is_cut && end >= SHEET_MAX / 2) {
                name.truncate(end);
            }
            format!("{}{ending}", name.trim_end_matches([' ', '\'', ',']))
        })
    }

    /// A name for a table of this query.
    pub fn table(&mut self, query: &str) -> String {
        let plain: String =
            query.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
        self.first_free(|number| if number == 1 { format!("q_{plain}") } else { format!("q_{plain}_{number}") })
    }

    fn first_free(&mut self, name: impl Fn(usize) -> String) -> String {
        let mut number = 1;
        let mut free = name(number);
        while self.taken.contains(&free.to_lowercase()) {
            number += 1;
            free = name(number);
        }
        self.taken.push(free.to_lowercase());
        free
    }
}

/// Points of a line of text, and lines that a row can be high.
pub const LINE_HEIGHT: f64 = 15.0;
pub const LINES_MAX: usize = 27;

/// Lines that a text takes in so many characters, broken between words.
pub fn lines(text: &str, width: usize) -> usize {
    let of_line = |line: &str| {
        let (mut lines, mut used) = (1, 0);
        for word in line.split_whitespace().map(UnicodeWidthStr::width) {
            if used > 0 && used + 1 + word > width {
                lines += 1;
                used = word;
            } else {
                used += word + usize::from(used > 0);
            }
        }
        // A word that is longer than a line breaks where the line ends.
        lines + used.saturating_sub(1) / width.max(1)
    };
    text.split('\n').map(of_line).sum::<usize>().min(LINES_MAX)
}

/// Letters that a cell can hold.
const CELL_MAX: usize = 32_767;

/// The text as a cell can hold it; one that is too long ends with how long it is.
pub fn fitting(text: &str) -> std::borrow::Cow<'_, str> {
    // No text has more letters than bytes.
    if text.len() <= CELL_MAX || text.encode_utf16().count() <= CELL_MAX {
        return text.into();
    }
    let ending = format!("… (the first of {} letters)", text.chars().count());
    let mut room = CELL_MAX - ending.encode_utf16().count();
    let fits = |letter: &char| {
        let left = room.checked_sub(letter.len_utf16());
        room = left.unwrap_or_default();
        left.is_some()
    };
    let kept: String = text.chars().take_while(fits).collect();
    format!("{kept}{ending}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_have_names_that_spreadsheets_take() {
        let mut names = Names::default();
        let given: Vec<String> = [
            "Cost per touch",
            "cost PER touch",
            "What moved the Net Promoter Score: mix and rate",
            "What moved the Net Promoter Score: offices",
            "a/b\\c?d*e[f]g:h",
            "'quoted'",
            "History",
            "***",
            "日本語日本語日本語日本語日本語日本語日本語",
        ]
        .iter()
        .map(|text| names.sheet(text))
        .collect();
        let wanted = [
            "Cost per touch",
            "cost PER touch (2)",
            "What moved the Net Promoter",
            "What moved the Net Promoter (2)",
            "a b c d e f g h",
            "quoted",
            "Section",
            "Section (2)",
            "日本語日本語日本語日本語日本語日本語日本語",
        ];
        assert_eq!(given, wanted);
        assert!(given.iter().all(|name| name.encode_utf16().count() <= SHEET_MAX));
    }

    #[test]
    fn colours_are_those_of_charts_in_pages() {
        let css = crate::output::chart::palette_css();
        let series = (1..).zip(SERIES).map(|(place, colour)| (format!("s{place}"), colour));
        let others = [("ink", INK), ("muted", MUTED), ("grid", LINE), ("good", GOOD), ("bad", BAD)];
        let tints = ["d-4", "d0", "d4"].into_iter().zip(TINTS);
        for (name, colour) in
            others.into_iter().chain(tints).map(|(name, colour)| (name.to_owned(), colour)).chain(series)
        {
            assert!(css.contains(&format!("--cx-{name}:#{colour:06x};")), "{name}");
        }
    }

    #[test]
    fn a_sign_stands_before_the_number_in_every_part_of_a_format() {
        assert_eq!(signed("0.00", "▲"), "\"▲\"* 0.00;\"▲\"* -0.00");
        assert_eq!(signed("+0;-0;0", "▼"), "\"▼\"* +0;\"▼\"* -0;\"▼\"* 0");
    }

    #[test]
    fn lines_break_between_words_and_in_words_that_are_too_long() {
        assert_eq!(["", "one", "one two", "one two three"].map(|text| lines(text, 8)), [1, 1, 1, 2]);
        assert_eq!(["a\nb", "abcdefghij", "a abcdefghij"].map(|text| lines(text, 8)), [2, 2, 3]);
        assert_eq!(lines(&"word ".repeat(1_000), 8), LINES_MAX);
    }

    #[test]
    fn a_text_that_no_cell_can_hold_ends_with_how_long_it_is() {
        let long = "x".repeat(40_000);
        let cut = fitting(&long);
        assert_eq!(cut.encode_utf16().count(), CELL_MAX);
        assert!(cut.ends_with("x… (the first of 40000 letters)"));
        assert_eq!(fitting("short"), "short");
    }
}
