//! The command line: what was typed -> what it means -> what it does.

pub mod args;
mod commands;
mod settings;

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tokio::runtime::Runtime;

use crate::error::{Error, Kind, Result};
use crate::shell::interrupt::EXIT_CODE;
use args::Args;
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
    let settings = Settings::resolve(&args.global)?;
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

/// Shows an error on standard error: what, where, how to mend it.
pub fn report(error: &Error, color: bool) {
    if error.kind() == Kind::ClosedPipe {
        return;
    }
    // Nothing is left to tell it to when standard error itself is closed.
    let _ = std::io::stderr().write_all(rendered(error, color).as_bytes());
}

fn rendered(error: &Error, color: bool) -> String {
    use anstyle::{AnsiColor, Style};
    let paint = |style: Style, text: &str| if color { format!("{style}{text}{style:#}") } else { text.to_owned() };
    let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    let cyan = Style::new().bold().fg_color(Some(AnsiColor::Cyan.into()));
    let mut text = format!("{} {error}\n", paint(red, "error:"));
    if let Some(place) = error.place() {
        let place = if place.file == "line" { format!("line {}", place.line.unwrap_or(1)) } else { place.to_string() };
        let _ = writeln!(text, "  at {place}");
    }
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        let said = source.to_string();
        if !text.contains(said.trim()) {
            let _ = writeln!(text, "  because {}", said.trim());
        }
        cause = source.source();
    }
    if let Some(hint) = error.hint_text() {
        let _ = write!(text, "\n{} {hint}\n", paint(cyan, "hint:"));
    }
    text
}
