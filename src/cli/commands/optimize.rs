//! `cxlake optimize TABLE`: rewrites a table's files to its declared layout, in one step for its readers.

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::sync::Notify;

use super::super::settings::Settings;
use super::generate::progress;
use super::print;
use crate::error::{Error, Kind, Result};
use crate::lake::span;
use crate::optimize::{carry_out, look};
use crate::shell::interrupt::{Interrupt, apart};

/// How long replaced files stay, unless it is said.
const KEEP: Duration = Duration::from_hours(1);

pub async fn run(
    table: &str,
    keep: Option<&str>,
    only_looks: bool,
    settings: &Settings,
    interrupt: Interrupt,
) -> Result<()> {
    let shell = settings.shell_in_lake(interrupt).await?;
    if shell.engine.is_read_only() && !only_looks {
        return Err(Error::usage("read-only: `cxlake optimize` writes files")
            .hint("leave `--read-only` out, or look with `--dry-run`"));
    }
    let keep = match keep {
        None => KEEP,
        Some("0" | "0s") => Duration::ZERO,
        Some(keep) => span::parse(keep)?,
    };
    let keep = TimeDelta::from_std(keep).map_err(|_| Error::usage("replaced files cannot be kept for so long"))?;
    let (engine, name) = (shell.engine.clone(), table.to_owned());
    let work = apart(async move { look(&engine, &name, keep, Utc::now()).await });
    let plan = shell.interrupt.guard(work).await?;
    print(&plan.before())?;
    if only_looks || plan.is_idle() {
        return Ok(());
    }
    let bar = progress(plan.rows(), shell.view.quiet || !plan.rewrites());
    let (engine, shown, plan) = (shell.engine.clone(), bar.clone(), Arc::new(plan));
    let planned = Arc::clone(&plan);
    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    let work = apart(async move {
        let tell = Arc::new(move |rows| shown.inc(rows));
        carry_out(&engine, &planned, tell, &stopped).await
    });
    let mut work = std::pin::pin!(work);
    let mut done = shell.interrupt.guard(work.as_mut()).await;
    if done.as_ref().is_err_and(|error| error.kind() == Kind::Interrupted) {
        stop.notify_one();
        done = work.await;
    }
    bar.finish_and_clear();
    print(&done?.after(table, keep, &plan))
}
