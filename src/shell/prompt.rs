//! The prompt on a terminal: lines into items, with history.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use rustyline::completion::Completer;
use rustyline::config::{Behavior, Config, Configurer};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Editor, Helper};
use tokio::runtime::Handle;

use super::{Next, Shell, screen, tell};
use crate::error::{Error, Kind, Result};
use crate::query::parameter::Parameter;
use crate::query::script::{self, Start};
use crate::suggest;

/// Statements that the history keeps.
const HISTORY_MAX: usize = 10_000;

/// Rows of a result that the prompt shows.
const ROWS_MAX: usize = 40;

/// Reads and runs until `\q` or the end of input. The caller's thread reads; `report` shows an error.
///
/// # Errors
/// `Storage` when the terminal cannot be read.
pub fn run(shell: &mut Shell, runtime: &Handle, report: impl Fn(&Error)) -> Result<()> {
    let history = history_file();
    let mut editor = editor(history.as_deref())?;
    shell.view.rows_max.get_or_insert(ROWS_MAX);
    shell.at_prompt = true;
    shell.ask = Some(Box::new(ask));
    shell.history = editor.history().iter().cloned().collect();
    loop {
        // While a line is edited Ctrl-C is a key; one that comes behind it is meant for what the line does.
        shell.interrupt.forget();
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
        // The window may have changed since the last statement.
        shell.view.screen = screen();
        if is_farewell(&text) {
            return Ok(());
        }
        remember(&mut editor, history.as_deref(), text.trim_end(), shell);
        match runtime.block_on(shell.script(&text, None, Start::default())) {
            Ok(Next::GoOn) => {}
            Ok(Next::Quit) => return Ok(()),
            // The terminal has shown `^C` somewhere on this line, perhaps behind how far the statement was.
            Err(error) if error.kind() == Kind::Interrupted => tell("\r\x1b[2K^C\ninterrupted"),
            Err(error) => report(&error),
        }
    }
}

fn editor(history: Option<&Path>) -> Result<Editor<Lines, FileHistory>> {
    let failed = |error: ReadlineError| Error::storage(format!("cannot open the terminal: {error}")).caused_by(error);
    // When results go to a file, the prompt must not: it is then drawn on the terminal itself.
    let behavior = if std::io::stdout().is_terminal() { Behavior::Stdio } else { Behavior::PreferTerm };
    let config = Config::builder().auto_add_history(false).bracketed_paste(true).behavior(behavior).build();
    let mut editor = Editor::with_config(config).map_err(failed)?;
    editor.set_max_history_size(HISTORY_MAX).map_err(failed)?;
    editor.set_helper(Some(Lines));
    if let Some(file) = history
        && let Err(error) = editor.load_history(file)
    {
        tell(&format!("note: cannot read the history in `{}`: {error}", file.display()));
    }
    Ok(editor)
}

/// The history's file in the user's state folder; both are private, since statements hold customers' names.
fn history_file() -> Option<PathBuf> {
    let folder = dirs::state_dir().or_else(dirs::data_local_dir)?.join("cxlake");
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder).ok()?;
    let file = folder.join("history");
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let opened = options.open(&file).ok()?;
    #[cfg(unix)]
    if let Err(error) = opened.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600)) {
        tell(&format!("note: others may read the history in `{}`: {error}", file.display()));
    }
    Some(file)
}

/// Adds a statement to the history and to its file at once, so that several prompts can share it.
fn remember(editor: &mut Editor<Lines, FileHistory>, file: Option<&Path>, text: &str, shell: &mut Shell) {
    shell.history.push(text.to_owned());
    let added = editor.add_history_entry(text);
    let Some(file) = file.filter(|_| matches!(added, Ok(true))) else { return };
    if let Err(error) = editor.append_history(file) {
        shell.note(&format!("note: cannot write the history to `{}`: {error}", file.display()));
    }
}

/// Asks for the value of a parameter on a line of its own, which no history keeps.
fn ask(parameter: &Parameter) -> Option<String> {
    let mut editor = rustyline::DefaultEditor::new().ok()?;
    if let Some(description) = &parameter.description {
        tell(&format!("{}: {description}", parameter.name));
    }
    let values: Vec<String> = parameter.listed().into_iter().flatten().map(|allowed| allowed.value).collect();
    if !values.is_empty() {
        tell(&format!("one of {}", suggest::list(values.iter().map(String::as_str))));
    }
    let answer = editor.readline(&format!("{} = ", parameter.name)).ok()?;
    let answer = answer.trim();
    (!answer.is_empty()).then(|| answer.to_owned())
}

/// Whether the text is a word that people leave other prompts with; as SQL it would only ask for more lines.
fn is_farewell(text: &str) -> bool {
    let word = text.trim().trim_end_matches(';').trim_end();
    ["exit", "quit"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Decides when a line is a whole item.
struct Lines;

impl Validator for Lines {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        Ok(match is_farewell(text) || script::is_complete(text) {
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
