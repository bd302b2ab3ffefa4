//! The subcommands, one file each.

mod check;
mod doctor;
mod functions;
mod generate;
mod init;
mod metrics;
mod optimize;
mod pages;
mod queries;
mod report;
mod run;
mod schedule;
mod statements;
mod tables;

use std::io::Write;

use tokio::runtime::Runtime;

use super::args::{
    Args, Command, FunctionsAction, MetricsAction, QueriesAction, ReportAction, ScheduleAction, TablesAction,
};
use super::report::report as report_error;
use super::settings::Settings;
use crate::error::{Error, Kind, Result};
use crate::shell::interrupt::Interrupt;

/// Does what was asked for.
///
/// # Errors
/// Those of the subcommand.
pub fn dispatch(args: Args, settings: &Settings, runtime: &Runtime, color: bool) -> Result<()> {
    if args.subcommand.is_some() && !(args.command.is_empty() && args.file.is_empty()) {
        return Err(Error::usage("`-c` and `-f` do not go with a subcommand").hint("make two calls of it"));
    }
    let interrupt = Interrupt::install(runtime.handle());
    match args.subcommand {
        None => statements::run(&args, settings, interrupt, runtime, color),
        Some(Command::Run { name }) => runtime.block_on(run::run(&name, settings, interrupt)),
        Some(Command::Queries { action }) => {
            let action = action.unwrap_or(QueriesAction::List);
            runtime.block_on(queries::run(action, settings, interrupt, color))
        }
        Some(Command::Report { name: Some(name), .. }) => {
            let (forms, csv_safe) = (args.global.format.as_deref(), args.global.csv_safe);
            runtime.block_on(report::run(&name, forms, csv_safe, settings, interrupt))
        }
        Some(Command::Report { action: Some(ReportAction::Verify { file }), .. }) => {
            runtime.block_on(report::verified(&file, settings, interrupt))
        }
        Some(Command::Report { action: Some(ReportAction::Check { names }), .. }) => {
            runtime.block_on(report::check(&names, settings, interrupt, color))
        }
        Some(Command::Report { .. }) => runtime.block_on(report::list(settings, interrupt)),
        Some(Command::Tables { action }) => {
            let action = action.unwrap_or(TablesAction::List);
            runtime.block_on(tables::run(action, settings, interrupt))
        }
        Some(Command::Schedule { action }) => {
            let action = action.unwrap_or(ScheduleAction::List);
            runtime.block_on(schedule::run(action, settings, interrupt))
        }
        Some(Command::Metrics { action }) => {
            let action = action.unwrap_or(MetricsAction::List);
            runtime.block_on(metrics::run(action, settings, interrupt))
        }
        Some(Command::Optimize { table, dry_run, keep }) => {
            runtime.block_on(optimize::run(&table, keep.as_deref(), dry_run, settings, interrupt))
        }
        Some(Command::Check { tables }) => runtime.block_on(check::run(tables, settings, interrupt)),
        Some(Command::Functions { action }) => {
            let action = action.unwrap_or(FunctionsAction::List);
            runtime.block_on(functions::run(action, settings, interrupt))
        }
        Some(Command::Completions { shell }) => pages::completions(shell),
        Some(Command::Man { command }) => pages::man(command.as_deref()),
        Some(Command::Doctor { store }) => runtime.block_on(doctor::run(store.as_deref(), settings, interrupt)),
        Some(Command::Init { dir, sample: false }) => init::run(&dir, settings),
        Some(Command::Init { dir, sample: true }) => {
            runtime.block_on(generate::run(&dir, 1, None, settings, interrupt))
        }
        Some(Command::Generate { dir, scale, seed }) => {
            runtime.block_on(generate::run(&dir, scale, seed, settings, interrupt))
        }
    }
}

/// Says of each thing that was checked whether it is right and what is wrong with it, and fails when one is not.
fn tell(verdicts: &[(String, Vec<Error>)], what: &str, color: bool) -> Result<()> {
    let mut wrong = 0;
    for (name, errors) in verdicts {
        print(&format!("{:<6}{name}\n", if errors.is_empty() { "ok" } else { "wrong" }))?;
        for error in errors {
            report_error(error, color);
        }
        wrong += usize::from(!errors.is_empty());
    }
    match wrong {
        0 => Ok(()),
        wrong => Err(Error::invalid(format!("{wrong} of {} {what} are wrong", verdicts.len()))),
    }
}

/// Writes text for people to standard output.
fn print(text: &str) -> Result<()> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => Error::new(Kind::ClosedPipe, "the reader of the output has gone"),
        _ => Error::storage(format!("cannot write: {error}")).caused_by(error),
    })
}
