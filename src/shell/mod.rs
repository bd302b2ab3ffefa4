//! What a person or a script tells cxlake to do, one item after the other.
//!
//! A [`Shell`] is the session's front: it runs statements, saved queries and `\` commands and shows what they give. The
//! prompt and the command line both drive it, so that everything works the same in `-c`, `-f`, standard input and at the
//! prompt.

mod command;
pub mod complete;
mod delivery;
pub mod interrupt;
mod look;
pub mod prompt;
mod stats;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::UInt64Type;
use datafusion::logical_expr::LogicalPlan;
use futures::TryStreamExt;

use crate::engine::{Engine, Running, Scans, SqlText};
use crate::error::{Error, Kind, Result};
use crate::output::present::{Presentation, grouped};
use crate::output::{Format, Style, Written, drain};
use crate::query::check;
use crate::query::run::{self, Given};
use crate::query::saved::Library;
use crate::query::script::{self, Item};
use crate::storage::{Counts, Texts};
use crate::suggest;
use complete::Memory;
use delivery::Delivery;
use interrupt::Interrupt;

use look::counted;
pub use look::{Listing, metric_text, query_text};

/// How results are shown.
#[derive(Clone, Debug)]
pub struct View {
    /// `None` takes the table, or what the output file's ending says.
    pub format: Option<Format>,
    /// Columns of the terminal; `None` when standard output is none.
    pub width: Option<usize>,
    /// Rows of a table at most; `None` shows all.
    pub rows_max: Option<usize>,
    /// Say how long each statement took.
    pub timing: bool,
    /// Say what each statement asked of buckets, read and left out.
    pub stats: bool,
    /// Say nothing but results and errors.
    pub quiet: bool,
}

/// The front of a session.
pub struct Shell {
    pub engine: Engine,
    pub library: Library,
    pub view: View,
    /// The file for the result; standard output when there is none.
    pub output: Option<PathBuf>,
    /// Values for `$name` in statements.
    pub given: Given,
    /// The clock.
    pub now: fn() -> DateTime<Utc>,
    pub interrupt: Interrupt,
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
            given,
            now: Utc::now,
            interrupt,
            memory: None,
            delivered: 0,
            counted: Counts::default(),
        }
    }

    /// Runs a text of statements and commands; stops at the first that fails.
    ///
    /// # Errors
    /// Those of the item that failed, with its line in `file`.
    pub async fn script(&mut self, text: &str, file: Option<&str>) -> Result<Next> {
        for item in script::split(text) {
            if self.item(item, file).await? == Next::Quit {
                return Ok(Next::Quit);
            }
        }
        Ok(Next::GoOn)
    }

    async fn item(&mut self, item: Item<'_>, file: Option<&str>) -> Result<Next> {
        match item {
            Item::Statement { text, line } => {
                self.statement(SqlText { text, file, line }).await?;
                Ok(Next::GoOn)
            }
            Item::Command { text, line } => command::run(self, text).await.map_err(|error| match file {
                Some(file) => error.at(file, Some(line)),
                None => error,
            }),
        }
    }

    /// Runs a statement and shows its result.
    ///
    /// # Errors
    /// Those of planning, running and writing; `Interrupted` on Ctrl-C.
    pub async fn statement(&mut self, sql: SqlText<'_>) -> Result<()> {
        let started = Instant::now();
        let (engine, given) = (self.engine.clone(), self.given.clone());
        let (text, file, line) = (sql.text.to_owned(), sql.file.map(str::to_owned), sql.line);
        let work = interrupt::detached(async move {
            let sql = SqlText { text: &text, file: file.as_deref(), line };
            run::statement(&engine, &sql, &given).await
        });
        let (plan, running) = self.interrupt.guard(work).await?;
        if let Some(memory) = &self.memory {
            memory.learn(&plan);
        }
        if matches!(plan, LogicalPlan::Copy(_) | LogicalPlan::Dml(_)) {
            let counted = self.count(running, started).await;
            // What it wrote so far is given up before the program may end.
            self.engine.stores().settle().await;
            return counted;
        }
        self.show(running, Presentation::default(), started).await
    }

    /// Runs a saved query and shows its result, below a note of what ran.
    ///
    /// # Errors
    /// Those of the query; `Interrupted` on Ctrl-C.
    pub async fn saved(&mut self, name: &str, given: Given) -> Result<()> {
        let started = Instant::now();
        let (engine, library, now) = (self.engine.clone(), self.library.clone(), (self.now)());
        let name = name.to_owned();
        let work = interrupt::detached(async move {
            let saved = run::saved(&engine, &library, &name, &given, now).await?;
            Ok(((saved.query.title, saved.bound, saved.present), saved.running))
        });
        let ((title, bound, present), running) = self.interrupt.guard(work).await?;
        self.note(&title);
        for bound in &bound {
            self.note(&format!("  {} = {}", bound.name, bound.shown));
        }
        self.note("");
        self.show(running, present, started).await
    }

    /// Shows a listing of ours as if a statement had returned it.
    ///
    /// # Errors
    /// Those of writing.
    pub async fn listing(&mut self, listing: Listing) -> Result<()> {
        let schema = listing.batch.schema();
        let batches = Box::pin(futures::stream::iter([Ok(listing.batch)]));
        self.write(Running { schema, batches, scans: Scans::default() }, Presentation::listing()).await?;
        for note in listing.notes {
            self.note(&note);
        }
        Ok(())
    }

    /// The tables of the lake and of the session, as a listing.
    ///
    /// # Errors
    /// `Internal` only.
    pub fn tables(&self) -> Result<Listing> {
        look::tables(&self.engine)
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

    /// Says something beside the results, unless nothing is to be said.
    pub fn note(&self, text: &str) {
        if !self.view.quiet {
            tell(text);
        }
    }

    /// Shows a result and how many rows it has.
    async fn show(&mut self, running: Running, present: Presentation, started: Instant) -> Result<()> {
        let scans = running.scans.clone();
        if running.schema.fields().is_empty() {
            // DDL and SET have no result; running them to the end is all there is to do.
            let rest = running.batches.try_for_each(|_| std::future::ready(Ok(())));
            self.interrupt.guard(rest).await?;
            self.timing(started);
            self.stats(&scans, 0, started);
            return Ok(());
        }
        let written = self.write(running, present).await?;
        let on_terminal = self.view.width.is_some() && self.output.is_none();
        if on_terminal {
            self.note(&summary(written));
        }
        self.timing(started);
        self.stats(&scans, written.rows, started);
        Ok(())
    }

    fn timing(&self, started: Instant) {
        if self.view.timing {
            tell(&format!("{:.3} s", started.elapsed().as_secs_f64()));
        }
    }

    /// Writes a result where it belongs. The file is made before the rows are, so that a wrong path fails at once.
    async fn write(&mut self, running: Running, present: Presentation) -> Result<Written> {
        let path = self.output.clone();
        let of_file = path.as_deref().and_then(Format::of_file);
        let format = match (self.view.format.or(of_file), &path) {
            (Some(format), _) => format,
            (None, None) => Format::Table,
            // The target says what is wrong with it.
            (None, Some(path)) if path.is_dir() => Format::Table,
            (None, Some(path)) => return Err(unknown_ending(path)),
        };
        if path.is_some() && self.delivered > 0 {
            return Err(Error::usage("`--output` takes one result, and this is the second")
                .hint("write one statement with a result, or use `copy (…) to 'file'` for each"));
        }
        if path.is_none() && format.is_binary() && self.view.width.is_some() {
            return Err(Error::usage("this format would garble the terminal")
                .hint("write it to a file with `--output`, or pipe it on"));
        }
        let (folder, stores) = (self.engine.folder().to_owned(), Arc::clone(self.engine.stores()));
        let mut target = self.interrupt.guard(Delivery::open(path.as_deref(), &folder, &stores)).await?;
        let at_prompt = self.view.width.is_some();
        if self.delivered > 0 && format.is_for_people() && !at_prompt {
            // One that has gone is noticed when the rows are written.
            let _ = writeln!(target);
        }
        let to_terminal = path.is_none();
        let style = Style {
            format,
            width: self.view.width.filter(|_| to_terminal),
            rows_max: self.view.rows_max.filter(|_| to_terminal),
            present,
        };
        let running = match &self.memory {
            Some(memory) => memory.watch(running),
            None => running,
        };
        let drained = self.interrupt.guard(drain(&running.schema, running.batches, &mut target, &style)).await;
        if target.is_closed() {
            return Err(Error::new(Kind::ClosedPipe, "the reader of the output has gone"));
        }
        let written = match drained {
            Ok(written) => written,
            Err(failure) => return Err(target.discard(failure).await),
        };
        target.commit().await?;
        self.delivered += 1;
        Ok(written)
    }

    /// Runs a statement that writes elsewhere, and says how many rows it wrote.
    async fn count(&mut self, running: Running, started: Instant) -> Result<()> {
        let scans = running.scans.clone();
        let batches: Vec<_> = self.interrupt.guard(running.batches.try_collect()).await?;
        let counts = batches.iter().filter_map(|batch| batch.columns().first()?.as_primitive_opt::<UInt64Type>());
        let rows: u64 = counts.flat_map(|counts| counts.iter().flatten()).sum();
        self.note(&format!("{} written", counted(rows, "row")));
        self.timing(started);
        self.stats(&scans, rows, started);
        Ok(())
    }
}

fn unknown_ending(path: &Path) -> Error {
    let endings = Format::ALL.iter().flat_map(|(_, _, endings)| endings.iter().copied());
    Error::usage(format!("cannot tell from its name which form `{}` should have", path.display()))
        .hint(format!("say it with `--format`, or use one of these endings: {}", suggest::list(endings)))
}

/// Says how much of a result was shown.
fn summary(written: Written) -> String {
    if written.shown < written.rows {
        let shown = grouped(&written.shown.to_string());
        return format!("{shown} of {} shown", counted(written.rows, "row"));
    }
    counted(written.rows, "row")
}

/// Columns of the terminal that standard output is; `None` when it is none.
pub fn terminal_width() -> Option<usize> {
    let is_terminal = std::io::stdout().is_terminal();
    let size = terminal_size::terminal_size_of(std::io::stdout()).filter(|_| is_terminal);
    size.map(|(terminal_size::Width(width), _)| usize::from(width)).or(is_terminal.then_some(80))
}

/// Writes a line to standard error; one that nobody reads is no reason to fail.
pub fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
