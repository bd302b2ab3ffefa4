//! What a person or a script tells cxlake to do, one item after the other.
//!
//! A [`Shell`] is the session's front: it runs statements, saved queries and `\` commands and shows what they give. The
//! prompt and the command line both drive it, so that everything works the same in `-c`, `-f`, standard input and at the
//! prompt.

mod checks;
mod command;
pub mod complete;
mod delivery;
mod draw;
mod explain;
pub mod interrupt;
mod kept;
mod look;
mod pager;
mod progress;
pub mod prompt;
mod result;
mod save;
mod stats;
mod watch;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::engine::{Engine, Running};
use crate::error::{Error, Result};
use crate::output::Format;
use crate::output::present::Presentation;
use crate::query::check;
use crate::query::parameter::Parameter;
use crate::query::run::{self, Given};
use crate::query::saved::Library;
use crate::query::script::{self, Item, Start};
use crate::storage::{Counts, Texts};
use complete::Memory;
use interrupt::Interrupt;
use kept::Last;
use look::counted;
pub use look::{Listing, Reach, metric_text, query_text, reports};

/// How results are shown.
#[derive(Clone, Debug)]
pub struct View {
    /// `None` takes the table, or what the output file's ending says.
    pub format: Option<Format>,
    /// Whether texts that a spreadsheet would take for a formula get a `'` before them in CSV and TSV.
    pub csv_safe: bool,
    /// Columns and rows of the terminal; `None` when standard output is none.
    pub screen: Option<Screen>,
    /// Rows of a table at most; `None` shows all.
    pub rows_max: Option<usize>,
    /// Whether a table is turned, a line for each value.
    pub turned: Turned,
    /// Thousands set apart in numbers that have no format of their own.
    pub groups_digits: bool,
    /// Results that are longer than the screen go through a pager.
    pub pages: bool,
    /// Tables are fitted to the screen's width; a pager can show wider ones.
    pub fits: bool,
    /// Statements that run longer are stopped.
    pub timeout: Option<Duration>,
    /// Say how long each statement took.
    pub timing: bool,
    /// Say what each statement asked of buckets, read and left out.
    pub stats: bool,
    /// Say nothing but results and errors.
    pub quiet: bool,
}

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    pub width: usize,
    pub height: usize,
}

/// When a table has a line for each value instead of one for each row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Turned {
    #[default]
    Never,
    Always,
    /// When its columns do not fit the screen.
    WhereTooWide,
}

/// What was asked last, so that it can be asked again.
#[derive(Clone, Debug)]
enum Asked {
    Statement { text: String, file: Option<String>, start: Start },
    Saved { name: String, given: Given },
}

/// Asks the user for the value of a parameter; `None` when there is no answer.
pub type Ask = Box<dyn FnMut(&Parameter) -> Option<String>>;

/// The front of a session.
pub struct Shell {
    pub engine: Engine,
    pub library: Library,
    pub view: View,
    /// The file for the result; standard output when there is none.
    pub output: Option<PathBuf>,
    /// The file for the next result alone.
    next_output: Option<PathBuf>,
    /// Values for `$name` in statements.
    pub given: Given,
    /// The clock.
    pub now: fn() -> DateTime<Utc>,
    pub interrupt: Interrupt,
    /// Whether somebody sits at a prompt, and what they can be asked.
    pub at_prompt: bool,
    pub ask: Option<Ask>,
    /// Whether statements come one by one, so that nobody knows what will be asked of a result.
    pub is_streamed: bool,
    /// What was entered at the prompt, oldest first.
    pub history: Vec<String>,
    /// Whether results are kept, so that `_` and `\last` give them again.
    keeps: bool,
    /// The last statement or saved query, and what it gave when that was small enough to keep.
    asked: Option<Asked>,
    last: Last,
    /// Files that are being read, one within the other.
    including: Vec<PathBuf>,
    /// What a prompt learns from the statements that run; none without a prompt.
    memory: Option<Memory>,
    /// Results written so far.
    delivered: u64,
    /// Requests of the statements so far.
    counted: Counts,
}

/// Whether to go on with the next item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    GoOn,
    Quit,
}

impl Shell {
    pub fn new(engine: Engine, view: View, output: Option<PathBuf>, given: Given, interrupt: Interrupt) -> Self {
        let texts = Texts::new(Arc::clone(engine.stores()), engine.lake().queries.clone());
        let library = Library::new(texts);
        Self {
            engine,
            library,
            view,
            output,
            next_output: None,
            given,
            now: Utc::now,
            interrupt,
            at_prompt: false,
            ask: None,
            is_streamed: false,
            history: Vec::new(),
            keeps: false,
            asked: None,
            last: Last::None,
            including: Vec::new(),
            memory: None,
            delivered: 0,
            counted: Counts::default(),
        }
    }

    /// Runs a text of statements and commands that starts here in `file`; stops at the first that fails.
    ///
    /// # Errors
    /// Those of the item that failed, with its line in `file`.
    pub async fn script(&mut self, text: &str, file: Option<&str>, start: Start) -> Result<Next> {
        // What a script never looks back at need not be kept.
        self.keeps |= self.at_prompt || self.is_streamed || text.contains('_') || text.contains('\\');
        for item in script::split(text, start) {
            if self.item(item, file).await? == Next::Quit {
                return Ok(Next::Quit);
            }
        }
        Ok(Next::GoOn)
    }

    async fn item(&mut self, item: Item<'_>, file: Option<&str>) -> Result<Next> {
        let (command, line) = match item {
            Item::Statement { text, start, command } => {
                if let Some(error) = text.lines().next().and_then(command::of_elsewhere) {
                    (Err(error), start.line)
                } else {
                    let asked = Asked::Statement { text: text.to_owned(), file: file.map(str::to_owned), start };
                    let Some(command) = command else { return self.run(asked).await.map(|()| Next::GoOn) };
                    self.asked = Some(asked);
                    (command::behind(self, command).await, start.line)
                }
            }
            Item::Command { text, line } => (command::run(self, text).await, line),
        };
        command.map_err(|error| match file {
            Some(file) => error.at(file, Some(line)),
            None => error,
        })
    }

    /// Runs the statements and commands of a file.
    ///
    /// # Errors
    /// `Usage` when there is no such file, or files name each other; those of what fails in it.
    pub async fn include(&mut self, file: &Path) -> Result<Next> {
        let path = self.engine.folder().join(file);
        let path = path.canonicalize().unwrap_or(path);
        if self.including.contains(&path) {
            return Err(Error::usage(format!("`{}` is read by a file that it reads itself", file.display())));
        }
        let (text, name) = read_text(&path, &file.display().to_string())?;
        self.including.push(path);
        let done = Box::pin(self.script(&text, Some(&name), Start::default())).await;
        self.including.pop();
        done
    }

    /// Says what was entered at the prompt, the last so many.
    ///
    /// # Errors
    /// `Usage` for a number that is none.
    fn tell_history(&self, last: Option<&str>) -> Result<()> {
        let count: usize = match last {
            Some(text) => text.parse().map_err(|_| Error::usage(format!("`{text}` is no number")))?,
            None => 20,
        };
        for entered in self.history.iter().skip(self.history.len().saturating_sub(count)) {
            tell(entered);
        }
        Ok(())
    }

    /// Runs a saved query and shows its result, below a note of what ran. At a prompt a parameter without a value is asked for.
    ///
    /// # Errors
    /// Those of the query; `Interrupted` on Ctrl-C.
    pub async fn saved(&mut self, name: &str, mut given: Given) -> Result<()> {
        if let Some(mut ask) = self.ask.take() {
            let missing = run::missing(&self.library, name, &given).await;
            for parameter in missing.iter().flatten() {
                if let Some(value) = ask(parameter) {
                    given.insert(parameter.name.clone(), vec![value]);
                }
            }
            self.ask = Some(ask);
            missing?;
        }
        self.run(Asked::Saved { name: name.to_owned(), given }).await
    }

    /// Shows a listing of ours as if a statement had returned it.
    ///
    /// # Errors
    /// Those of writing.
    pub async fn listing(&mut self, listing: Listing) -> Result<()> {
        self.write(Running::done(listing.batch), Presentation::listing()).await?;
        for note in listing.notes {
            self.note(&note);
        }
        Ok(())
    }

    /// The tables of the lake and of the session, as a listing.
    ///
    /// # Errors
    /// `Interrupted` on Ctrl-C.
    pub async fn tables(&self, reach: Reach) -> Result<Listing> {
        self.interrupt.guard(look::tables(&self.engine, reach, self.is_read_by_people())).await
    }

    /// What statements of this session made, as a listing.
    ///
    /// # Errors
    /// Those of opening one.
    pub async fn made(&self) -> Result<Listing> {
        self.interrupt.guard(look::made(&self.engine)).await
    }

    /// The columns of a table, with a note of its files.
    ///
    /// # Errors
    /// Those of opening the table.
    pub async fn table(&self, name: &str) -> Result<Listing> {
        self.interrupt.guard(look::table(&self.engine, name)).await
    }

    /// The saved queries, as a listing.
    ///
    /// # Errors
    /// Those of reading their files.
    pub async fn queries(&self) -> Result<Listing> {
        self.interrupt.guard(look::queries(&self.library)).await
    }

    /// The functions, as a listing.
    ///
    /// # Errors
    /// `Internal` only.
    pub fn functions(&self) -> Result<Listing> {
        look::functions(&self.engine)
    }

    /// The metrics, as a listing.
    ///
    /// # Errors
    /// `InvalidData` when one is wrong; those of reading the saved queries.
    pub async fn metrics(&self) -> Result<Listing> {
        self.interrupt.guard(look::metrics(&self.engine, &self.library)).await
    }

    /// What is wrong with each of these saved queries.
    ///
    /// # Errors
    /// `Interrupted` on Ctrl-C.
    pub async fn check(&self, names: &[String]) -> Result<Vec<(String, Vec<Error>)>> {
        let now = (self.now)();
        let mut verdicts = Vec::new();
        for name in names {
            let verdict = async { Ok(check::query(&self.engine, &self.library, name, now).await) };
            verdicts.push((name.clone(), self.interrupt.guard(verdict).await?));
        }
        Ok(verdicts)
    }

    /// Refuses what a session does not do that is for reading the tables of the lake: `what` says what that is. Files that
    /// whoever starts the program names are read and written there, too.
    ///
    /// # Errors
    /// `Usage` with `--read-only`.
    fn check_allowed(&self, what: &str) -> Result<()> {
        if self.engine.is_read_only() {
            return Err(Error::usage(format!("read-only: {what}")).hint("leave `--read-only` out to allow it"));
        }
        Ok(())
    }

    /// Says something beside the results, unless nothing is to be said.
    pub fn note(&self, text: &str) {
        if !self.view.quiet {
            tell(text);
        }
    }
}

/// The text of a file, called `name` in errors.
///
/// # Errors
/// `Usage` when there is none; `InvalidData` with its line when it is not UTF-8.
pub fn read_text(file: &Path, name: &str) -> Result<(String, String)> {
    let bytes = std::fs::read(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::usage(format!("no file `{name}`")),
        _ => Error::storage(format!("cannot read `{name}`: {error}")).caused_by(error),
    })?;
    Ok((utf8(bytes, name, 1)?, name.to_owned()))
}

/// The bytes as text, without a mark at its start; the first line has this number.
///
/// # Errors
/// `InvalidData` with the line that is not UTF-8.
pub fn utf8(bytes: Vec<u8>, name: &str, line: usize) -> Result<String> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let lines = error.as_bytes()[..valid].iter().filter(|&&byte| byte == b'\n').count();
        Error::invalid("the text is not UTF-8").at(name, Some(line + lines))
    })?;
    // A mark is one at the start of a file alone.
    Ok(text.strip_prefix('\u{feff}').filter(|_| line == 1).map(str::to_owned).unwrap_or(text))
}

/// The terminal that standard output is; `None` when it is none.
pub fn screen() -> Option<Screen> {
    let size = terminal_size::terminal_size_of(std::io::stdout());
    let size = size.map(|(width, height)| Screen { width: usize::from(width.0), height: usize::from(height.0) });
    std::io::stdout().is_terminal().then(|| size.unwrap_or(Screen { width: 80, height: 24 }))
}

/// Writes a line to standard error; one that nobody reads is no reason to fail.
pub fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
