//! Statements from `-c`, `-f` and standard input, or the prompt.

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::super::args::Args;
use super::super::{report, settings::Settings};
use crate::error::{Error, Kind, Result};
use crate::query::script::{self, Start};
use crate::shell::interrupt::Interrupt;
use crate::shell::{self, Next, Shell};

/// What errors call standard input.
const STDIN: &str = "stdin";

/// Lines of standard input that are read before they are needed.
const LINES_AHEAD: usize = 256;

pub fn run(args: &Args, settings: &Settings, interrupt: Interrupt, runtime: &Runtime, color: bool) -> Result<()> {
    let mut shell = runtime.block_on(settings.shell(interrupt))?;
    if args.command.is_empty() && args.file.is_empty() && std::io::stdin().is_terminal() {
        shell.note(&welcome(settings, shell.engine.lake().name.as_str()));
        let report = |error: &Error| report(error, color);
        if !args.no_init && runtime.block_on(begin(&mut shell, report)) == Next::Quit {
            return Ok(());
        }
        return shell::prompt::run(&mut shell, runtime.handle(), color, report);
    }
    shell.is_streamed = args.command.len() + args.file.len() > 1;
    for text in &args.command {
        if runtime.block_on(shell.script(text, None, Start::default()))? == Next::Quit {
            return Ok(());
        }
    }
    let from_stdin = args.command.is_empty() && args.file.is_empty();
    let stdin = from_stdin.then(|| PathBuf::from("-"));
    for file in args.file.iter().chain(&stdin) {
        let next = match file == Path::new("-") {
            true => runtime.block_on(streamed(&mut shell))?,
            false => runtime.block_on(shell.include(file))?,
        };
        if next == Next::Quit {
            return Ok(());
        }
    }
    Ok(())
}

/// Runs the user's init file, where there is one; what is wrong with it is said, and the prompt comes all the same.
async fn begin(shell: &mut Shell, report: impl Fn(&Error)) -> Next {
    let Some(file) = dirs::config_dir().map(|folder| folder.join("cxlake").join("init.sql")) else { return Next::GoOn };
    if !file.exists() {
        return Next::GoOn;
    }
    shell.include(&file).await.unwrap_or_else(|error| {
        report(&error);
        Next::GoOn
    })
}

/// Runs the statements on standard input, each as soon as it is whole, so that who writes them sees each result before
/// the next.
async fn streamed(shell: &mut Shell) -> Result<Next> {
    let (send, mut lines) = mpsc::channel(LINES_AHEAD);
    // A thread of its own, which the end of the program need not wait for.
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let read = stdin.read_until(b'\n', &mut line);
            let is_end = !matches!(read, Ok(1..));
            if send.blocking_send(read.map(|_| line)).is_err() || is_end {
                return;
            }
        }
    });
    shell.is_streamed = true;
    let (mut text, mut start, mut number) = (String::new(), Start::default(), 1);
    let interrupt = shell.interrupt.clone();
    loop {
        let line = interrupt.guard(async { Ok(lines.recv().await) }).await?;
        let line = line
            .transpose()
            .map_err(|error| Error::new(Kind::Storage, format!("cannot read `{STDIN}`: {error}")).caused_by(error))?;
        let line = line.filter(|line| !line.is_empty());
        let is_end = line.is_none();
        let line = shell::utf8(line.unwrap_or_default(), STDIN, number)?;
        number += 1;
        // What is not the end of anything need not be looked through again.
        let may_end = line.contains([';', '\\']);
        text += &line;
        let whole = match is_end {
            true => text.len(),
            false if may_end => script::whole_items(&text),
            false => 0,
        };
        let rest = text.split_off(whole);
        let next = shell.script(&text, Some(STDIN), start).await?;
        if next == Next::Quit || is_end {
            return Ok(next);
        }
        start = start.behind(&text);
        text = rest;
    }
}

fn welcome(settings: &Settings, lake: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    if settings.has_lake() {
        return format!("cxlake {version}, lake `{lake}`. `\\?` lists commands, `\\d` tables.");
    }
    format!(
        "cxlake {version}, without a lake: there is no `cxlake.toml` in this folder or above it.\n\
         Files can be read by path (select * from 'file.parquet'). `cxlake init DIR --sample` makes a lake to try."
    )
}
