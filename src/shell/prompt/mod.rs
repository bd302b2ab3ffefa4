//! The prompt on a terminal: lines into items, with history, completion, colours and an editor.

mod editor;
mod helper;
mod highlight;
mod keys;
mod theme;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use rustyline::Editor;
use rustyline::config::{Behavior, BellStyle, ColorMode, CompletionType, Config, Configurer, EditMode};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use tokio::runtime::Handle;

use super::complete::knowledge::Command;
use super::complete::{Memory, fill_at_leisure};
use super::{Next, Shell, command, screen, tell};
use crate::error::{Error, Kind, Result};
use crate::lake::Root;
use crate::query::parameter::Parameter;
use crate::query::script::Start;
use crate::suggest;
use helper::Assistant;
use keys::ToEditor;

pub use highlight::Coloured;
pub use theme::Theme;

/// Statements that the history keeps.
const HISTORY_MAX: usize = 10_000;

/// What asks for a line.
const PROMPT: &str = "cxlake> ";

/// Rows of a result that the prompt shows.
const ROWS_MAX: usize = 40;

/// Candidates above which a list is asked for before it is shown.
const CANDIDATES_SHOWN: usize = 100;

/// Variable that chooses between the keys of emacs and of vi.
const EDIT_MODE: &str = "CXLAKE_EDIT_MODE";

/// Reads and runs until `\q` or the end of input. The caller's thread reads; `report` shows an error.
///
/// `has_color`: colours are wanted, as far as the terminal has them.
///
/// # Errors
/// `Storage` when the terminal cannot be read.
pub fn run(shell: &mut Shell, runtime: &Handle, has_color: bool, report: impl Fn(&Error)) -> Result<()> {
    let history = history_file();
    let memory = remembering(shell, runtime);
    let mut editor = editor(history.as_deref(), Assistant::new(memory.clone(), theme(has_color)), has_color)?;
    let to_editor = keys::bind(&mut editor);
    shell.view.rows_max.get_or_insert(ROWS_MAX);
    shell.at_prompt = true;
    shell.ask = Some(Box::new(ask));
    shell.history = editor.history().iter().cloned().collect();
    loop {
        // While a line is edited Ctrl-C is a key; one that comes behind it is meant for what the line does.
        shell.interrupt.forget();
        runtime.block_on(memory.refresh(&shell.engine, &shell.given));
        if let Some(assistant) = editor.helper() {
            assistant.begin();
        }
        let line = read(&mut editor, &to_editor)?;
        // The window may have changed since the last statement.
        shell.view.screen = screen();
        let text = match taken(line, &editor, shell, runtime) {
            Ok(Taken::Text(text)) => text,
            Ok(Taken::Nothing) => continue,
            Ok(Taken::End) => return Ok(()),
            Err(error) => {
                report(&error);
                continue;
            }
        };
        if is_farewell(&text) {
            return Ok(());
        }
        if let Some(error) = command::of_elsewhere(&text) {
            report(&error);
            continue;
        }
        remember(&mut editor, history.as_deref(), text.trim_end(), shell);
        let done = runtime.block_on(shell.script(&text, None, Start::default()));
        if text.trim_start().starts_with('\\') {
            // Saved queries may have changed, by a command or by whoever has the editor open.
            runtime.spawn(memory.clone().learn_queries(shell.engine.clone(), shell.library.clone()));
        }
        match done {
            Ok(Next::GoOn) => {}
            Ok(Next::Quit) => return Ok(()),
            // The terminal has shown `^C` somewhere on this line, perhaps behind how far the statement was.
            Err(error) if error.kind() == Kind::Interrupted => tell("\r\x1b[2K^C\ninterrupted"),
            Err(error) => report(&error),
        }
    }
}

/// How a line was left.
enum Line {
    Entered(String),
    /// To go on with it in the editor.
    ToEditor(String),
    GivenUp,
    End,
}

fn read(editor: &mut Editor<Assistant, FileHistory>, to_editor: &ToEditor) -> Result<Line> {
    match editor.readline(PROMPT) {
        Ok(text) => Ok(Line::Entered(text)),
        Err(ReadlineError::Interrupted) => Ok(to_editor.take().map_or(Line::GivenUp, Line::ToEditor)),
        Err(ReadlineError::Eof) => Ok(Line::End),
        Err(error) => Err(Error::storage(format!("cannot read from the terminal: {error}")).caused_by(error)),
    }
}

/// What is to be done about a line, when the editor has had it if it was to.
enum Taken {
    Text(String),
    Nothing,
    End,
}

fn taken(line: Line, editor: &Editor<Assistant, FileHistory>, shell: &Shell, runtime: &Handle) -> Result<Taken> {
    let text = match line {
        Line::Entered(text) => match asked_to_edit(&text) {
            Some(what) => edit(what, editor, shell, runtime)?,
            None => Some(text),
        },
        Line::ToEditor(text) if text.trim().is_empty() => edit(ToEdit::Last, editor, shell, runtime)?,
        Line::ToEditor(text) => edit(ToEdit::Text(&text), editor, shell, runtime)?,
        Line::GivenUp => None,
        Line::End => return Ok(Taken::End),
    };
    Ok(text.filter(|text| !text.trim().is_empty()).map_or(Taken::Nothing, Taken::Text))
}

/// What the prompt knows of the lake, and goes on learning in the background.
fn remembering(shell: &mut Shell, runtime: &Handle) -> Memory {
    let memory = Memory::of(&shell.engine, commands());
    shell.memory = Some(memory.clone());
    runtime.spawn(fill_at_leisure(memory.clone(), shell.engine.clone(), shell.library.clone()));
    memory
}

/// The `\` commands, as completion lists them.
pub fn commands() -> Vec<Command> {
    let known = |known: &command::Command| Command {
        name: known.name.to_owned(),
        form: known.form.to_owned(),
        what: known.what.to_owned(),
    };
    command::all().map(known).collect()
}

fn theme(has_color: bool) -> Option<Theme> {
    let (theme, note) = Theme::of_environment();
    if let Some(note) = note {
        tell(&note);
    }
    has_color.then_some(theme)
}

fn edit_mode() -> EditMode {
    let named = std::env::var(EDIT_MODE).unwrap_or_default();
    match named.to_lowercase().as_str() {
        "vi" | "vim" => EditMode::Vi,
        "" | "emacs" => EditMode::Emacs,
        _ => {
            tell(&format!("note: {EDIT_MODE} is `{named}`; `emacs` and `vi` are known"));
            EditMode::Emacs
        }
    }
}

/// What is to be taken to the editor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ToEdit<'a> {
    Last,
    Text(&'a str),
    Query(&'a str),
}

/// What a line asks to edit: `\e` the last statement, `\e NAME` a saved query.
fn asked_to_edit(text: &str) -> Option<ToEdit<'_>> {
    let rest = text.trim().strip_prefix("\\e")?;
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) || rest.contains('\n') {
        return None;
    }
    match rest.trim().trim_end_matches(';') {
        "" => Some(ToEdit::Last),
        name => Some(ToEdit::Query(name)),
    }
}

/// Opens the editor: what is to be run, or nothing when nothing was saved.
fn edit(
    what: ToEdit<'_>,
    editor: &Editor<Assistant, FileHistory>,
    shell: &Shell,
    runtime: &Handle,
) -> Result<Option<String>> {
    let saved = match what {
        ToEdit::Text(text) => editor::on_text(text)?,
        ToEdit::Last => editor::on_text(&last_statement(editor))?,
        ToEdit::Query(name) => {
            shell.check_allowed("no saved query is edited")?;
            // One whose file is wrong is there to be mended.
            match runtime.block_on(shell.library.query(name)) {
                Err(error) if error.kind() != Kind::InvalidData => return Err(error),
                _ => {}
            }
            let Root::Folder(folder) = &shell.engine.lake().queries else {
                return Err(Error::usage(format!("`{name}` is in a bucket and cannot be edited there")));
            };
            let is_saved = editor::on_file(&folder.join(format!("{name}.sql")))?.is_some();
            is_saved.then(|| format!("\\run {name}"))
        }
    };
    match &saved {
        Some(text) => shell.note(text.trim_end()),
        None => shell.note("nothing was saved, and nothing is run"),
    }
    Ok(saved)
}

/// The last statement of the history, of an earlier prompt if need be; commands are none.
fn last_statement(editor: &Editor<Assistant, FileHistory>) -> String {
    let mut statements = editor.history().iter().filter(|text| !text.trim_start().starts_with('\\'));
    statements.next_back().cloned().unwrap_or_default()
}

fn editor(history: Option<&Path>, assistant: Assistant, has_color: bool) -> Result<Editor<Assistant, FileHistory>> {
    let failed = |error: ReadlineError| Error::storage(format!("cannot open the terminal: {error}")).caused_by(error);
    // When results go to a file, the prompt must not: it is then drawn on the terminal itself.
    let behavior = if std::io::stdout().is_terminal() { Behavior::Stdio } else { Behavior::PreferTerm };
    let config = Config::builder()
        .auto_add_history(false)
        .bracketed_paste(true)
        .behavior(behavior)
        .edit_mode(edit_mode())
        .color_mode(if has_color { ColorMode::Forced } else { ColorMode::Disabled })
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .completion_prompt_limit(CANDIDATES_SHOWN)
        .bell_style(BellStyle::None)
        .build();
    let mut editor = Editor::with_config(config).map_err(failed)?;
    editor.set_max_history_size(HISTORY_MAX).map_err(failed)?;
    editor.set_helper(Some(assistant));
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
fn remember(editor: &mut Editor<Assistant, FileHistory>, file: Option<&Path>, text: &str, shell: &mut Shell) {
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
