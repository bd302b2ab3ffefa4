//! The command line: what was typed -> what it means -> what it does.

pub mod args;
mod commands;
mod report;
mod settings;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tokio::runtime::Runtime;

use crate::error::{Error, Kind, Result};
use crate::shell::interrupt::EXIT_CODE;
use args::Args;
use report::report;
use settings::Settings;

/// How long the program waits at its end for work that was given up.
const FAREWELL: Duration = Duration::from_millis(500);

/// Runs the program.
pub fn run() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // A closed pipe behind `--help` is no reason to fail.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let color = args.global.color.unwrap_or_default().is_on(std::io::stderr().is_terminal());
    match start(args, color) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error, color);
            exit_code(&error)
        }
    }
}

fn start(args: Args, color: bool) -> Result<()> {
    let settings = Settings::resolve(&args.global, args.makes_a_report())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(settings.limits.threads)
        .enable_all()
        .build()
        .map_err(|error| Error::internal(format!("cannot start threads: {error}")).caused_by(error))?;
    let result = commands::dispatch(args, &settings, &runtime, color);
    farewell(runtime);
    result
}

/// Lets tasks that were given up drop what they hold, such as spilled files; one that computes on is left behind.
fn farewell(runtime: Runtime) {
    runtime.shutdown_timeout(FAREWELL);
}

fn exit_code(error: &Error) -> ExitCode {
    ExitCode::from(match error.kind() {
        Kind::ClosedPipe => 0,
        Kind::Usage => 2,
        Kind::Interrupted => EXIT_CODE,
        _ => 1,
    })
}
