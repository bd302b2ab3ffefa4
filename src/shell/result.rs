//! Statements and saved queries run, and what they give is shown, written, counted and kept.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::UInt64Type;
use datafusion::logical_expr::LogicalPlan;
use futures::TryStreamExt;

use super::delivery::Delivery;
use super::kept::{Keeper, Kept, Last};
use super::pager::{self, Paged};
use super::progress::Line;
use super::{Asked, Shell, Turned, View, counted, explain, interrupt, tell};
use crate::engine::{Running, Scans, SqlText, human_bytes};
use crate::error::{Error, Kind, Result};
use crate::output::present::{Presentation, grouped};
use crate::output::{Format, Style, Written, drain};
use crate::query::script::Start;
use crate::query::{results, run};
use crate::suggest;

/// Something that was asked and runs.
struct Started {
    running: Running,
    present: Presentation,
    /// Whether it writes elsewhere and gives counts, not rows.
    writes: bool,
}

/// What becomes of output that is longer than the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Longer {
    /// It goes through the user's pager, if there is one.
    IsPaged,
    Scrolls,
}

impl Shell {
    /// Runs what is asked and shows its result.
    ///
    /// # Errors
    /// Those of planning, running and writing; `Interrupted` on Ctrl-C.
    pub(super) async fn run(&mut self, asked: Asked) -> Result<()> {
        self.asked = Some(asked.clone());
        let began = Instant::now();
        let line = Line::begin(self);
        let Started { running, present, writes } = self.start(asked, &line, began).await?;
        if writes {
            let counted = self.count(running, &line, began).await;
            // What it wrote so far is given up before the program may end.
            self.engine.stores().settle().await;
            return counted;
        }
        self.show(running, present, &line, began).await
    }

    /// Runs what was asked last and shows its result again.
    ///
    /// # Errors
    /// `Usage` when nothing was asked; those of running it.
    pub(super) async fn again(&mut self) -> Result<()> {
        let asked = self.asked.clone().ok_or_else(nothing_asked)?;
        self.run(asked).await
    }

    /// What was asked last, run again and held whole, for what draws it.
    ///
    /// # Errors
    /// `Usage` when nothing was asked, or when it only writes; `Exhausted` when its result is too large to hold.
    pub(super) async fn held(&mut self) -> Result<Kept> {
        let asked = self.asked.clone().ok_or_else(nothing_asked)?;
        let began = Instant::now();
        let line = Line::begin(self);
        let Started { running, present, writes } = self.start(asked, &line, began).await?;
        if writes {
            return Err(Error::usage("the statement gives no rows to draw"));
        }
        let mut keeper = Keeper::new(self.engine.memory_bytes_max());
        let Running { schema, batches, .. } = running;
        let kept = batches.try_for_each(|batch| {
            keeper.take(&batch);
            std::future::ready(Ok(()))
        });
        self.within(began, kept).await?;
        line.end();
        self.keep(schema, present, keeper)?;
        self.kept()
    }

    /// Shows the last result again, all of its rows.
    ///
    /// # Errors
    /// `Usage` when there is none, or it was too large to keep; those of writing.
    pub(super) async fn last(&mut self) -> Result<()> {
        let Kept { schema, batches, present } = self.kept()?;
        let batches = Box::pin(futures::stream::iter(batches.into_iter().map(Ok)));
        let running = Running { schema, batches, scans: Scans::default() };
        let change = |view: &mut View| {
            view.rows_max = None;
            // A pager scrolls to the side.
            view.fits = !(view.pages && pager::is_there());
        };
        let show = async |shell: &mut Self| shell.show(running, present, &Line::default(), Instant::now()).await;
        self.with(change, show).await
    }

    /// Does something with another view, and puts the one before it back.
    pub(super) async fn with(
        &mut self,
        change: impl FnOnce(&mut View),
        work: impl AsyncFnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let before = self.view.clone();
        change(&mut self.view);
        let done = work(self).await;
        self.view = before;
        done
    }

    /// The last result.
    ///
    /// # Errors
    /// `Usage` when there is none; `Exhausted` when it was too large to keep.
    pub(super) fn kept(&self) -> Result<Kept> {
        match &self.last {
            Last::Kept(kept) => Ok(kept.clone()),
            Last::None => Err(Error::usage("there is no result yet")),
            Last::TooLarge(bytes_max) => Err(too_large(*bytes_max)),
        }
    }

    /// Plans and starts what is asked; a note of a saved query says what ran.
    async fn start(&mut self, asked: Asked, line: &Line, began: Instant) -> Result<Started> {
        let (engine, library, now) = (self.engine.clone(), self.library.clone(), (self.now)());
        let memory = self.memory.clone();
        let ((started, notes), running) = match asked {
            Asked::Statement { text, file, start } => {
                let given = self.given.clone();
                let work = Box::pin(interrupt::detached(async move {
                    let Start { line, column } = start;
                    let sql = SqlText { text: &text, file: file.as_deref(), line, column: Some(column) };
                    let (plan, running) = run::statement(&engine, &sql, &given).await?;
                    if let Some(memory) = memory {
                        memory.learn(&plan);
                    }
                    let writes = matches!(plan, LogicalPlan::Copy(_) | LogicalPlan::Dml(_));
                    Ok((((Presentation::default(), writes), Vec::new()), running))
                }));
                self.within(began, work).await?
            }
            Asked::Saved { name, given } => {
                let work = Box::pin(interrupt::detached(async move {
                    let saved = results::saved(&engine, &library, &name, &given, now).await?;
                    let bound = saved.bound.iter().map(|bound| format!("  {} = {}", bound.name, bound.shown));
                    let notes = [saved.query.title].into_iter().chain(bound).chain([String::new()]).collect();
                    Ok((((saved.present, false), notes), saved.running))
                }));
                self.within(began, work).await?
            }
        };
        line.watch(running.scans.clone());
        line.beside(|| notes.iter().for_each(|note| self.note(note)));
        let (present, writes) = started;
        Ok(Started { running, present, writes })
    }

    /// Does the work unless Ctrl-C or the time limit comes first.
    pub(super) async fn within<T>(&self, began: Instant, work: impl Future<Output = Result<T>>) -> Result<T> {
        let Some(timeout) = self.view.timeout else { return self.interrupt.guard(work).await };
        let limited = async {
            tokio::time::timeout_at((began + timeout).into(), work).await.unwrap_or_else(|_| {
                Err(Error::new(Kind::Exhausted, format!("stopped at its time limit of {} s", timeout.as_secs_f64()))
                    .hint("set another with `\\timeout 5min` or `--timeout 5min`, none with `\\timeout off`"))
            })
        };
        self.interrupt.guard(limited).await
    }

    /// Shows a result and how many rows it has.
    async fn show(&mut self, running: Running, present: Presentation, line: &Line, began: Instant) -> Result<()> {
        let scans = running.scans.clone();
        if scans.explain() && self.is_read_by_people() {
            let Running { schema, batches, .. } = running;
            let batches: Vec<_> = self.within(began, batches.try_collect()).await?;
            line.end();
            let plan = concat_batches(&schema, &batches)
                .map_err(|error| Error::internal(error.to_string()).caused_by(error))?;
            self.listing(explain::tree(&plan)?).await?;
            self.timing(began);
            self.stats(&scans, explain::rows(&plan), began);
            return Ok(());
        }
        if running.schema.fields().is_empty() {
            // DDL and SET have no result; running them to the end is all there is to do.
            let rest = running.batches.try_for_each(|_| std::future::ready(Ok(())));
            self.within(began, rest).await?;
            line.end();
            self.timing(began);
            self.stats(&scans, 0, began);
            return Ok(());
        }
        let present = if scans.look_around() { Presentation::listing() } else { present };
        let written = self.write_until(running, present, line, Some(began)).await?;
        line.end();
        if !self.close_next_output(&counted(written.rows, "row")) && self.view.screen.is_some() && self.output.is_none()
        {
            self.note(&self.summary(written));
        }
        self.timing(began);
        self.stats(&scans, written.rows, began);
        Ok(())
    }

    /// Whether results are laid out for people.
    pub(super) fn is_read_by_people(&self) -> bool {
        let of_file = self.target().and_then(Format::of_file);
        self.view.format.or(of_file).is_none_or(Format::is_for_people)
    }

    /// Says how much of a result was shown, and how to come by the rest.
    fn summary(&self, written: Written) -> String {
        let rows = counted(written.rows, "row");
        if written.shown >= written.rows {
            return rows;
        }
        let rest = match self.last {
            Last::Kept(_) => "`\\last` shows all",
            Last::None | Last::TooLarge(_) => "too large to keep; `\\g FILE` writes all",
        };
        format!("{} of {rows} shown, {rest}", grouped(&written.shown.to_string()))
    }

    fn timing(&self, began: Instant) {
        if self.view.timing {
            tell(&format!("{:.3} s", began.elapsed().as_secs_f64()));
        }
    }

    /// Writes rows that are there where a result belongs.
    ///
    /// # Errors
    /// Those of writing.
    pub(super) async fn write(&mut self, running: Running, present: Presentation) -> Result<Written> {
        let written = self.write_until(running, present, &Line::default(), None).await?;
        self.close_next_output(&counted(written.rows, "row"));
        Ok(written)
    }

    /// Leaves the file of the next result, where there is one, to which what was written just now went, and says so.
    /// What comes then is shown again.
    pub(super) fn close_next_output(&mut self, what: &str) -> bool {
        let Some(path) = self.next_output.take() else { return false };
        self.note(&format!("{what} written to {}", path.display()));
        true
    }

    /// Opens the place of the next result.
    ///
    /// # Errors
    /// Those of opening a file or beginning an object.
    pub(super) async fn open(&self, longer: Longer) -> Result<Delivery> {
        let path = self.target();
        let is_paged = longer == Longer::IsPaged && path.is_none() && self.at_prompt && self.view.pages;
        let screen = self.view.screen.filter(|_| is_paged);
        let pager = screen.and_then(|screen| Paged::new(screen.height, &self.interrupt));
        let opening = Delivery::open(path, self.engine.folder(), self.engine.stores(), pager);
        self.interrupt.guard(opening).await
    }

    /// Writes a result where it belongs, and keeps one that was asked for at `began`. The file is made before the rows
    /// are, so that a wrong path fails at once.
    async fn write_until(
        &mut self,
        running: Running,
        present: Presentation,
        line: &Line,
        began: Option<Instant>,
    ) -> Result<Written> {
        let path = self.target().map(Path::to_owned);
        let format = self.format(path.as_deref())?;
        let screen = self.view.screen.filter(|_| path.is_none());
        let longer = if format.is_table() { Longer::IsPaged } else { Longer::Scrolls };
        let mut target = self.open(longer).await?;
        if self.delivered > 0 && path.is_none() && format.is_for_people() && self.view.screen.is_none() {
            // One that has gone is noticed when the rows are written.
            let _ = writeln!(target);
        }
        let style = Style {
            format,
            width: screen.filter(|_| self.view.fits).map(|screen| screen.width),
            // Listings of our own are as long as they are.
            rows_max: self.view.rows_max.filter(|_| screen.is_some() && began.is_some()),
            turns: self.view.turned == Turned::WhereTooWide,
            csv_safe: self.view.csv_safe,
            present: present.clone().grouping_digits(self.view.groups_digits),
        };
        let Running { schema, batches, .. } = match &self.memory {
            Some(memory) => memory.watch(running),
            None => running,
        };
        let mut keeper = (self.keeps && began.is_some()).then(|| Keeper::new(self.engine.memory_bytes_max()));
        let to_screen = screen.is_some();
        let batches = batches.inspect_ok(|batch| {
            if to_screen {
                line.end();
            }
            if let Some(keeper) = &mut keeper {
                keeper.take(batch);
            }
        });
        let work = drain(&schema, batches, &mut target, &style);
        let drained = match began {
            Some(began) => self.within(began, work).await,
            None => self.interrupt.guard(work).await,
        };
        if target.is_closed() {
            return Err(Error::new(Kind::ClosedPipe, "the reader of the output has gone"));
        }
        let written = match drained {
            Ok(written) => written,
            Err(failure) => return Err(target.discard(failure).await),
        };
        line.end();
        target.commit().await?;
        self.delivered += 1;
        if let Some(keeper) = keeper {
            self.keep(schema, present, keeper)?;
        }
        Ok(written)
    }

    /// The file for the next result.
    pub(super) fn target(&self) -> Option<&Path> {
        self.next_output.as_deref().or(self.output.as_deref())
    }

    /// The form of the next result.
    fn format(&self, path: Option<&Path>) -> Result<Format> {
        let of_file = path.and_then(Format::of_file);
        let format = match (self.view.format.or(of_file), path) {
            (Some(format), _) => format,
            (None, None) => Format::Table,
            // The target says what is wrong with it.
            (None, Some(path)) if path.is_dir() => Format::Table,
            (None, Some(path)) => return Err(unknown_ending(path)),
        };
        if self.next_output.is_none() && path.is_some() && self.delivered > 0 {
            return Err(Error::usage("`--output` takes one result, and this is the second")
                .hint("write one statement with a result, or use `copy (…) to 'file'` for each"));
        }
        if path.is_none() && format.is_binary() && self.view.screen.is_some() {
            return Err(Error::usage("this format would garble the terminal")
                .hint("write it to a file with `--output` or `\\o FILE`, or pipe it on"));
        }
        Ok(if format == Format::Table && self.view.turned == Turned::Always { Format::Vertical } else { format })
    }

    fn keep(&mut self, schema: arrow::datatypes::SchemaRef, present: Presentation, keeper: Keeper) -> Result<()> {
        let bytes_max = keeper.bytes_max;
        self.last = Last::TooLarge(bytes_max);
        if let Some(batches) = keeper.whole() {
            self.engine.keep_last(&schema, batches.clone())?;
            self.last = Last::Kept(Kept { schema, batches, present });
        } else {
            self.engine.leave_last(bytes_max);
        }
        Ok(())
    }

    /// Runs a statement that writes elsewhere, and says how many rows it wrote.
    async fn count(&mut self, running: Running, line: &Line, began: Instant) -> Result<()> {
        let scans = running.scans.clone();
        let batches: Vec<_> = self.within(began, running.batches.try_collect()).await?;
        let counts = batches.iter().filter_map(|batch| batch.columns().first()?.as_primitive_opt::<UInt64Type>());
        let rows: u64 = counts.flat_map(|counts| counts.iter().flatten()).sum();
        line.end();
        self.note(&format!("{} written", counted(rows, "row")));
        self.timing(began);
        self.stats(&scans, rows, began);
        Ok(())
    }
}

fn nothing_asked() -> Error {
    Error::usage("there is no statement before this")
}

fn too_large(bytes_max: u64) -> Error {
    Error::new(Kind::Exhausted, format!("the result has more than {} and is not held", human_bytes(bytes_max)))
        .hint("ask for fewer rows or columns, or keep it by `create table NAME as select …`")
}

pub(super) fn unknown_ending(path: &Path) -> Error {
    let endings = Format::ALL.iter().flat_map(|(_, _, endings)| endings.iter().copied());
    Error::usage(format!("cannot tell from its name which form `{}` should have", path.display()))
        .hint(format!("say it with `--format`, or use one of these endings: {}", suggest::list(endings)))
}
