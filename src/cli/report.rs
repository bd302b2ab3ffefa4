//! Errors on standard error: what, where, the words that are wrong, how to mend it.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthChar;

use crate::error::{Error, Excerpt, Kind};

/// Columns that an excerpt takes where standard error is no terminal.
const WIDTH: usize = 120;

/// Fewest columns that an excerpt takes; a terminal that is narrower breaks the line.
const WIDTH_MIN: usize = 40;

/// Columns kept free at the side of the words that are wrong, where a long line is cut.
const AROUND: usize = 16;

/// Stands for what was cut off.
const ELLIPSIS: char = '…';

/// Before each line of an excerpt.
const MARGIN: &str = "  | ";

/// Shows an error on standard error.
pub fn report(error: &Error, color: bool) {
    if error.kind() == Kind::ClosedPipe {
        return;
    }
    let stderr = std::io::stderr();
    let size = terminal_size::terminal_size_of(&stderr).filter(|_| stderr.is_terminal());
    let width = size.map_or(WIDTH, |(width, _)| usize::from(width.0).max(WIDTH_MIN));
    // Nothing is left to tell it to when standard error itself is closed.
    let _ = stderr.lock().write_all(rendered(error, width, color).as_bytes());
}

fn rendered(error: &Error, width: usize, color: bool) -> String {
    let paint = |style: Style, text: &str| if color { format!("{style}{text}{style:#}") } else { text.to_owned() };
    let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    let cyan = Style::new().bold().fg_color(Some(AnsiColor::Cyan.into()));
    let mut text = format!("{} {error}\n", paint(red, "error:"));
    if let Some(place) = error.place() {
        let shown = place.to_string();
        if !shown.is_empty() {
            let _ = writeln!(text, "  at {shown}");
        }
        if let Some(excerpt) = &place.excerpt {
            let (line, blanks, carets) = drawn(excerpt, width.saturating_sub(MARGIN.len()));
            let carets = paint(red, &"^".repeat(carets));
            let _ = writeln!(text, "{MARGIN}{line}\n{MARGIN}{}{carets}", " ".repeat(blanks));
        }
    }
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        let said = source.to_string();
        if !text.contains(said.trim()) {
            let _ = writeln!(text, "  because {}", said.trim());
        }
        cause = source.source();
    }
    if let Some(hint) = error.hint_text() {
        let _ = write!(text, "\n{} {hint}\n", paint(cyan, "hint:"));
    }
    text
}

/// The line as it fits, the blanks before the carets, and the carets.
fn drawn(excerpt: &Excerpt, width: usize) -> (String, usize, usize) {
    let letters: Vec<String> = excerpt.line.trim_end().chars().map(shown).collect();
    let widths: Vec<usize> =
        letters.iter().map(|letter| unicode_width::UnicodeWidthStr::width(letter.as_str())).collect();
    let wrong = excerpt.wrong.start.min(letters.len())..excerpt.wrong.end.min(letters.len());
    let total: usize = widths.iter().sum();
    let before: usize = widths[..wrong.start].iter().sum();
    let marked = widths[wrong.clone()].iter().sum::<usize>().max(1);
    if total.max(before + marked) <= width {
        return (letters.concat(), before, marked);
    }
    // Blanks that indent a line are the first to go; else what is wrong is shown with something around it.
    let indent = excerpt.line.chars().take_while(|letter| letter.is_whitespace()).count().min(wrong.start);
    let until_wrong = |start: usize| widths[start..wrong.start].iter().sum::<usize>();
    let mut start = indent;
    let needed = marked.min(width / 2) + AROUND;
    while start < wrong.start && until_wrong(start) + needed > width {
        start += 1;
    }
    let is_cut = start > indent;
    let mut line = if is_cut { ELLIPSIS.to_string() } else { String::new() };
    let mut used = usize::from(is_cut);
    let blanks = used + until_wrong(start);
    let mut end = start;
    while end < letters.len() && used + widths[end] < width {
        line += &letters[end];
        used += widths[end];
        end += 1;
    }
    if end < letters.len() {
        line.push(ELLIPSIS);
    }
    (line, blanks, marked.min(width.saturating_sub(blanks)).max(1))
}

/// A letter as an excerpt shows it: one that would drive the terminal or jump is shown as blanks or a sign.
fn shown(letter: char) -> String {
    match letter {
        '\t' => "    ".to_owned(),
        letter if letter.width().is_none() => char::REPLACEMENT_CHARACTER.to_string(),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER.to_string(),
        letter => letter.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carets(line: &str, word: &str, width: usize) -> String {
        let at = line.find(word).expect("the word");
        let start = line[..at].chars().count();
        let excerpt = Excerpt { line: line.to_owned(), wrong: start..start + word.chars().count() };
        let (line, blanks, marked) = drawn(&excerpt, width);
        format!("{line}\n{}{}", " ".repeat(blanks), "^".repeat(marked))
    }

    #[test]
    fn carets_stand_below_the_word_whatever_is_before_it() {
        assert_eq!(carets("select ab, cd", "cd", 80), "select ab, cd\n           ^^");
        assert_eq!(carets("\tselect '日本', cd", "cd", 80), "    select '日本', cd\n                   ^^");
        assert_eq!(carets("select 日本", "日本", 80), "select 日本\n       ^^^^");
    }

    #[test]
    fn a_long_line_is_cut_around_what_is_wrong() {
        let line = format!("select {}wrong{}", "a, ".repeat(40), ", b".repeat(40));
        let shown = carets(&line, "wrong", 50);
        assert!(shown.lines().all(|line| line.chars().count() <= 50), "{shown}");
        let at = shown.lines().nth(1).and_then(|line| line.find('^')).expect("carets");
        let letters: Vec<char> = shown.lines().next().unwrap_or_default().chars().collect();
        assert_eq!(letters[at..at + 5].iter().collect::<String>(), "wrong");
        assert!(shown.starts_with('…') && letters.last() == Some(&'…'), "{shown}");
        assert_eq!(carets(&format!("{}ab wrong", " ".repeat(60)), "wrong", 50), "ab wrong\n   ^^^^^");
    }

    #[test]
    fn the_end_of_a_text_is_marked_behind_it() {
        let excerpt = Excerpt { line: "select".to_owned(), wrong: 6..7 };
        assert_eq!(drawn(&excerpt, 80), ("select".to_owned(), 6, 1));
    }
}
