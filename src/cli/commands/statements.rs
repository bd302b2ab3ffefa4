//! Statements from `-c`, `-f` and standard input, or the prompt.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use tokio::runtime::Runtime;

use super::super::{report, settings::Settings};
use crate::error::{Error, Result};
use crate::shell::interrupt::Interrupt;
use crate::shell::{self, Next};

/// What errors call standard input.
const STDIN: &str = "stdin";

pub fn run(
    commands: &[String],
    files: &[PathBuf],
    settings: &Settings,
    interrupt: Interrupt,
    runtime: &Runtime,
    color: bool,
) -> Result<()> {
    let mut shell = runtime.block_on(settings.shell(interrupt))?;
    if commands.is_empty() && files.is_empty() && std::io::stdin().is_terminal() {
        shell.note(&welcome(settings, shell.engine.lake().name.as_str()));
        return shell::prompt::run(&mut shell, runtime.handle(), color, |error| report(error, color));
    }
    for text in commands {
        if runtime.block_on(shell.script(text, None))? == Next::Quit {
            return Ok(());
        }
    }
    let from_stdin = commands.is_empty() && files.is_empty();
    let stdin = from_stdin.then(|| PathBuf::from("-"));
    for file in files.iter().chain(&stdin) {
        let (text, name) = read(file)?;
        if runtime.block_on(shell.script(&text, Some(&name)))? == Next::Quit {
            return Ok(());
        }
    }
    Ok(())
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

/// The text of a file and what errors call it; `-` is standard input.
fn read(file: &Path) -> Result<(String, String)> {
    let is_stdin = file == Path::new("-");
    let name = if is_stdin { STDIN.to_owned() } else { file.display().to_string() };
    let mut bytes = Vec::new();
    let result = match is_stdin {
        true => std::io::stdin().read_to_end(&mut bytes).map(|_| ()),
        false => std::fs::read(file).map(|read| bytes = read),
    };
    result.map_err(|error| {
        let message = format!("cannot read `{name}`: {error}");
        match error.kind() {
            std::io::ErrorKind::NotFound => Error::usage(format!("no file `{name}`")),
            _ => Error::storage(message).caused_by(error),
        }
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|&&byte| byte == b'\n').count() + 1;
        Error::invalid("the text is not UTF-8").at(&name, Some(line))
    })?;
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    Ok((text, name))
}
