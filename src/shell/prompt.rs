//! The prompt on a terminal: lines into items, with history.

use std::path::PathBuf;

use rustyline::completion::Completer;
use rustyline::config::{Config, Configurer};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Editor, Helper};
use tokio::runtime::Handle;

use super::{Next, Shell, tell};
use crate::error::{Error, Kind, Result};
use crate::query::script;

/// Statements that the history keeps.
const HISTORY_MAX: usize = 10_000;

/// Rows of a result that the prompt shows.
const ROWS_MAX: usize = 200;

/// Reads and runs until `\q` or the end of input. The caller's thread reads; `report` shows an error.
///
/// # Errors
/// `Storage` when the terminal cannot be read.
pub fn run(shell: &mut Shell, runtime: &Handle, report: impl Fn(&Error)) -> Result<()> {
    let mut editor = editor()?;
    let history = history_file();
    shell.view.rows_max.get_or_insert(ROWS_MAX);
    loop {
        let text = match editor.readline("cxlake> ") {
            Ok(text) => text,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => {
                return Err(Error::storage(format!("cannot read from the terminal: {error}")).caused_by(error));
            }
        };
        if text.trim().is_empty() {
            continue;
        }
        remember(&mut editor, history.as_deref(), text.trim_end(), shell);
        match runtime.block_on(shell.script(&text, None)) {
            Ok(Next::GoOn) => {}
            Ok(Next::Quit) => return Ok(()),
            Err(error) if error.kind() == Kind::Interrupted => tell("interrupted"),
            Err(error) => report(&error),
        }
    }
}

fn editor() -> Result<Editor<Lines, FileHistory>> {
    let failed = |error: ReadlineError| Error::storage(format!("cannot open the terminal: {error}")).caused_by(error);
    let config = Config::builder().auto_add_history(false).bracketed_paste(true).build();
    let mut editor = Editor::with_config(config).map_err(failed)?;
    editor.set_max_history_size(HISTORY_MAX).map_err(failed)?;
    editor.set_helper(Some(Lines));
    if let Some(file) = history_file().filter(|file| file.exists())
        && let Err(error) = editor.load_history(&file)
    {
        tell(&format!("note: cannot read the history in `{}`: {error}", file.display()));
    }
    Ok(editor)
}

/// The history's file in the user's state folder; made private, since statements hold customers' names.
fn history_file() -> Option<PathBuf> {
    let folder = dirs::state_dir().or_else(dirs::data_local_dir)?.join("cxlake");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}

/// Adds a statement to the history and to its file at once, so that several prompts can share it.
fn remember(editor: &mut Editor<Lines, FileHistory>, file: Option<&std::path::Path>, text: &str, shell: &Shell) {
    let added = editor.add_history_entry(text);
    let Some(file) = file.filter(|_| matches!(added, Ok(true))) else { return };
    if let Err(error) = editor.append_history(file) {
        shell.note(&format!("note: cannot write the history to `{}`: {error}", file.display()));
    }
}

/// Decides when a line is a whole item.
struct Lines;

impl Validator for Lines {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match script::is_complete(context.input()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

impl Completer for Lines {
    type Candidate = String;
}

impl Hinter for Lines {
    type Hint = String;
}

impl Highlighter for Lines {}

impl Helper for Lines {}
