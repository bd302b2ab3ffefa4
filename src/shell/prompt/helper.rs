//! What the line editor asks while a statement is typed: candidates, colours, ghost text, and whether it is complete.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::ops::Range;

use rustyline::completion::{Candidate, Completer};
use rustyline::config::CompletionType;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter, HistoryHinter};
use rustyline::line_buffer::LineBuffer;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Changeset, Context, Helper};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::highlight::Coloured;
use super::theme::{Paint, Theme};
use super::{PROMPT, is_farewell};
use crate::query::lexis::{is_part_of_word, tokens};
use crate::query::script;
use crate::shell::command;
use crate::shell::complete::{self, Kind, Memory};

/// Widest column of candidates, before their remarks.
const NAMES_MAX: usize = 40;

/// What parts a candidate from its remark in a list.
const GAP: &str = "  ";

/// Answers the line editor from memory.
pub struct Assistant {
    memory: Memory,
    /// `None` where nothing is coloured.
    theme: Option<Theme>,
    coloured: RefCell<Coloured>,
    /// The line is being entered, so that nothing marks the cursor any more.
    is_entered: Cell<bool>,
}

impl Assistant {
    pub fn new(memory: Memory, theme: Option<Theme>) -> Self {
        Self { memory, theme, coloured: RefCell::default(), is_entered: Cell::new(false) }
    }

    /// Begins a new line: what is known may have changed.
    pub fn begin(&self) {
        self.coloured.take();
        self.is_entered.set(false);
    }

    /// Does something with the text's colours, which are worked out once for each text.
    fn with_coloured<T>(&self, text: &str, work: impl FnOnce(&Coloured) -> T) -> T {
        let mut coloured = self.coloured.borrow_mut();
        if !coloured.is_of(text) {
            *coloured = Coloured::new(text, &self.memory.knowledge());
        }
        work(&coloured)
    }
}

/// A candidate as the line editor shows it.
pub struct Shown {
    display: String,
    replacement: String,
}

impl Candidate for Shown {
    fn display(&self) -> &str {
        &self.display
    }

    fn replacement(&self) -> &str {
        &self.replacement
    }
}

impl Completer for Assistant {
    type Candidate = Shown;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Shown>)> {
        let completion = complete::complete(line, pos, &self.memory.knowledge());
        let (columns, rows) = terminal_size::terminal_size().map_or((80, 24), |(width, height)| (width.0, height.0));
        // Beside long lists there is no room for remarks.
        let has_remarks = completion.candidates.len() < usize::from(rows);
        let mut shown = shown(completion.candidates, usize::from(columns), has_remarks);
        if let [(only, Kind::Keyword)] = shown.as_mut_slice()
            && !only.replacement.ends_with('(')
        {
            only.replacement.push(' ');
        }
        let mut shown: Vec<Shown> = shown.into_iter().map(|(shown, _)| shown).collect();
        set_apart(&mut shown, line, pos, usize::from(columns));
        Ok((completion.start, shown))
    }

    fn update(&self, line: &mut LineBuffer, start: usize, elected: &str, changes: &mut Changeset) {
        let (end, elected) = fitted(line.as_str(), start..line.pos(), elected);
        line.replace(start..end, elected, changes);
    }
}

/// Where the text ends that a candidate takes the place of, and as much of the candidate as does not stand behind that already.
fn fitted<'e>(line: &str, typed: Range<usize>, elected: &'e str) -> (usize, &'e str) {
    let pos = typed.end;
    let added = elected.strip_prefix(&line[typed.clone()]);
    if let Some(added) = added.filter(|added| line[pos..].starts_with(*added)) {
        return (pos + added.len(), elected);
    }
    let end = complete::end_of_word(line, pos);
    let word = &line[pos..end];
    // A name in quotes is one word, whatever is in it.
    if word.ends_with('"') && elected.ends_with('"') {
        return (end, elected);
    }
    let mut ends = elected.match_indices(word).map(|(at, _)| at + word.len());
    let is_word = |at: &usize| *at >= typed.len() + word.len() && !elected[*at..].starts_with(is_part_of_word);
    let (end, part) = match ends.find(is_word) {
        Some(at) if begins_with(&line[end..], &elected[at..]) => (end, &elected[..at]),
        Some(_) => (end, elected),
        None => (pos, elected),
    };
    let has_blank = line[end..].starts_with(char::is_whitespace);
    (end, if has_blank { part.trim_end_matches(' ') } else { part })
}

/// Whether a text begins with the words and signs of another one, whatever blanks are between them.
fn begins_with(text: &str, other: &str) -> bool {
    let mut there = tokens(text).into_iter().map(|token| token.text(text));
    let wanted = tokens(other);
    !wanted.is_empty() && wanted.iter().all(|token| there.next() == Some(token.text(other)))
}

/// Gives a list of candidates lines of its own. The line editor writes it from the cursor on, over the lines below, and then draws
/// what is typed as many rows further up as the cursor was below the first: over the end of the list. Breaks before the
/// first candidate and behind the one that is written last make room for both.
fn set_apart(shown: &mut [Shown], line: &str, pos: usize, columns: usize) {
    let (above, all) = (rows(&line[..pos], columns), rows(line, columns));
    let widest = shown.iter().map(|shown| shown.display.width()).max().unwrap_or(0);
    // As the line editor lays them out: down the columns.
    let side_by_side = (columns / (widest + 2).min(columns).max(1)).max(1);
    let per_column = shown.len().div_ceil(side_by_side).max(1);
    let last =
        (0..side_by_side).map(|column| column * per_column + per_column - 1).take_while(|&last| last < shown.len());
    if let Some(last) = last.last().filter(|_| shown.len() > 1) {
        shown[last].display.push_str(&"\n".repeat(above));
        shown[0].display.insert_str(0, &"\n".repeat(all - above));
    }
}

/// Rows of the screen above the one in which a text ends, behind the prompt.
fn rows(text: &str, columns: usize) -> usize {
    let mut column = PROMPT.width();
    let mut rows = 0;
    for letter in text.graphemes(true) {
        if letter == "\n" {
            (rows, column) = (rows + 1, 0);
            continue;
        }
        column += letter.width();
        if column > columns {
            (rows, column) = (rows + 1, letter.width());
        }
    }
    rows + usize::from(column == columns)
}

/// Candidates with their remarks in a column, none wider than the terminal.
fn shown(candidates: Vec<complete::Candidate>, columns: usize, has_remarks: bool) -> Vec<(Shown, Kind)> {
    let on_one_line = |text: &str| text.replace(char::is_control, " ");
    let longest = candidates.iter().map(|candidate| on_one_line(&candidate.shown).width()).max().unwrap_or(0);
    let longest = longest.min(NAMES_MAX);
    let display = |candidate: &complete::Candidate| {
        let name = on_one_line(&candidate.shown);
        if candidate.remark.is_empty() || !has_remarks {
            return cut(&name, columns.saturating_sub(2));
        }
        let blanks = " ".repeat(longest.saturating_sub(name.width()));
        cut(&format!("{name}{blanks}{GAP}{}", on_one_line(&candidate.remark)), columns.saturating_sub(2))
    };
    candidates
        .into_iter()
        .map(|candidate| (Shown { display: display(&candidate), replacement: candidate.text }, candidate.kind))
        .collect()
}

/// As much of a text as has room.
fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    for letter in text.chars() {
        let next = format!("{kept}{letter}");
        if next.width() + 1 > columns {
            break;
        }
        kept = next;
    }
    kept + "…"
}

/// The rest of a statement of the history that begins like this one.
pub struct Ghost {
    /// The rest of its line, and how many more there are.
    display: String,
    rest: String,
}

impl Hint for Ghost {
    fn display(&self) -> &str {
        &self.display
    }

    fn completion(&self) -> Option<&str> {
        Some(&self.rest)
    }
}

impl Hinter for Assistant {
    type Hint = Ghost;

    fn hint(&self, line: &str, pos: usize, context: &Context<'_>) -> Option<Ghost> {
        // Without a colour of its own it could not be told from what is typed.
        self.theme.filter(|_| !line.trim().is_empty())?;
        let rest = HistoryHinter::new().hint(line, pos, context)?;
        let mut lines = rest.split('\n');
        let first = lines.next().unwrap_or_default();
        let display = match lines.count() {
            0 => first.to_owned(),
            1 => format!("{first} … 1 more line"),
            more => format!("{first} … {more} more lines"),
        };
        Some(Ghost { display, rest })
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        let Some(theme) = self.theme else { return Cow::Borrowed(line) };
        let cursor = Some(pos).filter(|_| !self.is_entered.get());
        Cow::Owned(self.with_coloured(line, |coloured| coloured.painted(theme, cursor)))
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        self.theme.map_or(Cow::Borrowed(prompt), |theme| theme.paint(Paint::Prompt, prompt).into())
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        self.theme.map_or(Cow::Borrowed(hint), |theme| theme.paint(Paint::Faint, hint).into())
    }

    fn highlight_candidate<'c>(&self, candidate: &'c str, _: CompletionType) -> Cow<'c, str> {
        match (self.theme, candidate.split_once(GAP)) {
            (Some(theme), Some((name, remark))) => {
                format!("{name}{}", theme.paint(Paint::Faint, &format!("{GAP}{remark}"))).into()
            }
            _ => Cow::Borrowed(candidate),
        }
    }

    fn highlight_char(&self, line: &str, pos: usize, kind: CmdKind) -> bool {
        self.is_entered.set(kind == CmdKind::ForcedRefresh);
        match kind {
            CmdKind::MoveCursor => self.with_coloured(line, |coloured| coloured.has_pair(pos)),
            // A letter may change the colours of all that comes behind it.
            CmdKind::Other | CmdKind::ForcedRefresh => true,
        }
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        Ok(match is_farewell(text) || command::of_elsewhere(text).is_some() || script::is_complete(text) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

impl Helper for Assistant {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_candidate_would_type_twice_is_typed_once() {
        // What is typed begins at the `^` and ends at the `|`.
        for (line, elected, expected) in [
            ("select 1 from t ^whe|re a > 3", "where ", "select 1 from t where a > 3"),
            ("select 1 from t ^whe|re\n a > 3", "where ", "select 1 from t where\n a > 3"),
            ("^sel|ect 1", "select ", "select 1"),
            ("^sel| 1", "select ", "select 1"),
            ("^sel|* from t", "select ", "select * from t"),
            ("^sel|nps from t", "select ", "select nps from t"),
            ("select 1 from t ^gro|up  by a", "group by ", "select 1 from t group  by a"),
            ("select 1 from t ^order| a", "order by ", "select 1 from t order by a"),
            ("select ^row_num|ber() over ()", "row_number", "select row_number() over ()"),
            ("select ^extr|act(month from a)", "extract(", "select extract(month from a)"),
            ("select a ^ov|er(order by b)", "over (", "select a over(order by b)"),
            ("select ^vey|s from t", "surveys", "select surveys from t"),
            ("select ^off|ices from t", "office", "select offices from t"),
            ("select ^nps|s from t", "nps", "select npss from t"),
            ("select 1 as a from ^sur| x", "surveys", "select 1 as a from surveys x"),
            ("select ^\"Op|\" from x", "\"Opened On\"", "select \"Opened On\" from x"),
            ("select ^\"Op|ened On\" from x", "\"Opened On\"", "select \"Opened On\" from x"),
            ("select ^\"Op|en\" from x", "\"Opened On\"", "select \"Opened On\" from x"),
            ("select ^\"off|\" from x", "\"office", "select \"office\" from x"),
            ("select ^\"Op| from x", "\"Opened On\"", "select \"Opened On\" from x"),
            ("select * from '^data/no|tes.parquet'", "data/notes.parquet", "select * from 'data/notes.parquet'"),
            ("\\run monthly ^mon|ths=3", "months=", "\\run monthly months=3"),
        ] {
            let (start, pos) = (line.find('^').expect("a start"), line.find('|').expect("a cursor") - 1);
            let text = line.replace(['^', '|'], "");
            let (end, part) = fitted(&text, start..pos, elected);
            assert_eq!(format!("{}{part}{}", &text[..start], &text[end..]), expected, "{line}");
        }
    }
}
