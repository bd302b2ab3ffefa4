//! The manifest's checks, run and shown as a statement is.

use std::time::Instant;

use uuid::Uuid;

use super::interrupt;
use super::{Shell, counted};
use crate::engine::Running;
use crate::error::{Error, Result};
use crate::output::present::Presentation;
use crate::quality::{self, Outcome, Verdict};

impl Shell {
    /// Runs the checks of these tables, or of all, shows what they found, and keeps it for `cxlake.checks`.
    ///
    /// # Errors
    /// `InvalidData` when one of error severity failed or one could not run; `NotFound` for a table that is not there.
    pub async fn check_tables(&mut self, tables: Vec<String>) -> Result<()> {
        let (engine, now) = (self.engine.clone(), (self.now)());
        let work = interrupt::detached(async move {
            let outcomes = quality::run(&engine, &tables, now).await?;
            let kept = match outcomes.is_empty() {
                true => Ok(()),
                false => quality::keep(&engine, &outcomes, Uuid::now_v7(), now).await,
            };
            let running = Running::done(quality::table(&outcomes)?);
            Ok(((outcomes, kept), running))
        });
        let ((outcomes, kept), running) = self.within(Instant::now(), Box::pin(work)).await?;
        self.write(running, Presentation::listing()).await?;
        self.note(&summary(&outcomes));
        if let Err(error) = kept {
            self.note(&format!("not kept in `cxlake.checks`: {error}"));
        }
        match outcomes.iter().filter(|outcome| outcome.is_error()).count() {
            0 => Ok(()),
            errors => {
                Err(Error::invalid(format!("{errors} of {} did not hold", counted(outcomes.len() as u64, "check"))))
            }
        }
    }
}

/// How many checks there were, and how they ended.
fn summary(outcomes: &[Outcome]) -> String {
    if outcomes.is_empty() {
        return "no checks are declared; `[[table.NAME.check]]` in `cxlake.toml` declares one".to_owned();
    }
    let ended = |verdict: Verdict, is_error: bool| {
        let of = |outcome: &&Outcome| outcome.verdict == verdict && outcome.is_error() == is_error;
        outcomes.iter().filter(of).count()
    };
    let ends = [
        (ended(Verdict::Passed, false), "passed"),
        (ended(Verdict::Failed, false), "failed as a warning"),
        (ended(Verdict::Failed, true), "failed"),
        (ended(Verdict::CouldNotRun, true), "could not run"),
    ];
    let ends = ends.iter().filter(|(count, _)| *count > 0).map(|(count, end)| format!("{count} {end}"));
    format!("{}: {}", counted(outcomes.len() as u64, "check"), ends.collect::<Vec<_>>().join(", "))
}
