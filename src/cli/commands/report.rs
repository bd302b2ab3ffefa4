//! `cxlake report`: a report as files, or whether one that was published still holds.

use std::path::Path;

use super::super::settings::Settings;
use super::{print, tell};
use crate::error::{Error, Result};
use crate::lake::Root;
use crate::lake::run::new_id;
use crate::report::{self, Form, Order, find, make, place, verify};
use crate::shell::interrupt::Interrupt;
use crate::shell::reports;

/// Lists the reports of the lake.
pub async fn list(settings: &Settings, interrupt: Interrupt) -> Result<()> {
    let mut shell = settings.shell_in_lake(interrupt).await?;
    let listing = reports(shell.engine.lake())?;
    shell.listing(listing).await
}

/// Makes a report in the forms that are asked for.
pub async fn run(
    name: &str,
    forms: Option<&str>,
    csv_safe: bool,
    settings: &Settings,
    interrupt: Interrupt,
) -> Result<()> {
    let forms = forms.unwrap_or("html").split(',').map(|form| Form::parse(form.trim())).collect::<Result<Vec<_>>>()?;
    let shell = settings.shell_in_lake(interrupt).await?;
    let started_at = (shell.now)();
    let order = Order {
        name: name.to_owned(),
        given: settings.given().clone(),
        forms,
        csv_safe,
        run_id: new_id(started_at),
        started_at,
        now: started_at,
        banner: None,
    };
    let (engine, library) = (shell.engine.clone(), shell.library.clone());
    let destination = settings.output().map_or_else(|| ".".to_owned(), |output| output.to_string_lossy().into_owned());
    let root = Root::Folder(engine.folder().to_owned());
    // On threads of its own, so that one query which computes without a pause still lets Ctrl-C through.
    let work = tokio::spawn(async move {
        let made = make(&engine, &library, &order).await?;
        place(engine.stores(), &root, &made.files, &destination).await
    });
    let stop = work.abort_handle();
    let done = shell.interrupt.guard(async { work.await.map_err(panicked)? }).await;
    if done.is_err() {
        stop.abort();
    }
    for written in done? {
        shell.note(&written);
    }
    Ok(())
}

/// Checks these reports, or all, without running them.
pub async fn check(names: &[String], settings: &Settings, interrupt: Interrupt, color: bool) -> Result<()> {
    let shell = settings.shell_in_lake(interrupt).await?;
    let (engine, library) = (&shell.engine, &shell.library);
    let names: Vec<&str> = match names {
        [] => engine.lake().reports.keys().map(String::as_str).collect(),
        names => names.iter().map(String::as_str).collect(),
    };
    let mut verdicts = Vec::new();
    for name in names {
        let verdict = async {
            let report = find(engine, library, name).await?;
            Ok((name.to_owned(), report::check(engine, library, &report, (shell.now)()).await))
        };
        verdicts.push(shell.interrupt.guard(verdict).await?);
    }
    tell(&verdicts, "reports", color)
}

/// Runs a published report again and says whether the same came out.
pub async fn verified(file: &Path, settings: &Settings, interrupt: Interrupt) -> Result<()> {
    let shell = settings.shell_in_lake(interrupt).await?;
    let path = shell.engine.folder().join(file);
    let work = verify(&shell.engine, &shell.library, &path, (shell.now)());
    let verdict = shell.interrupt.guard(work).await?;
    print(&format!("{}\n", verdict.about))?;
    for change in &verdict.changes {
        print(&format!("  {change}\n"))?;
    }
    match (verdict.same_numbers, verdict.same_inputs) {
        (true, true) => print("The same files give the same numbers.\n"),
        (true, false) => print("The files have changed, and give the same numbers.\n"),
        (false, true) => Err(Error::invalid("the same files give other numbers")
            .hint("the report, its queries or cxlake itself have changed since; the lines above say which")),
        (false, false) => Err(Error::invalid("the files have changed, and give other numbers")),
    }
}

fn panicked(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("the report ended in a panic: {error}"))
}
