//! What the line editor asks while a statement is typed: candidates, colours, ghost text, and whether it is complete.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

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
            && !line[pos..].starts_with(char::is_whitespace)
            && !only.replacement.ends_with('(')
        {
            only.replacement.push(' ');
        }
        let mut shown: Vec<Shown> = shown.into_iter().map(|(shown, _)| shown).collect();
        set_apart(&mut shown, line, pos, usize::from(columns));
        Ok((completion.start, shown))
    }

    fn update(&self, line: &mut LineBuffer, start: usize, elected: &str, changes: &mut Changeset) {
        // In the middle of a word what is behind the cursor may already be the end of the candidate.
        let behind = &line.as_str()[line.pos()..];
        let word = behind.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(behind.len());
        let is_there = elected.len() > line.pos() - start && elected.ends_with(&behind[..word]);
        let end = if is_there { line.pos() + word } else { line.pos() };
        line.replace(start..end, elected, changes);
    }
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
