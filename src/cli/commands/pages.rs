//! `cxlake completions` and `cxlake man`: what shells and manuals know of the command line, from its own definition.

use clap::CommandFactory;
use clap_complete::aot::{Shell, generate};
use clap_mangen::Man;

use super::super::args::{Args, Completed};
use super::print;
use crate::error::{Error, Result};
use crate::suggest;

/// Prints the script with which a shell completes the command line.
pub fn completions(shell: Completed) -> Result<()> {
    let shell = match shell {
        Completed::Bash => Shell::Bash,
        Completed::Zsh => Shell::Zsh,
        Completed::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    generate(shell, &mut Args::command(), "cxlake", &mut script);
    print(&String::from_utf8_lossy(&script))
}

/// Prints the manual page of the program or of a subcommand.
pub fn man(command: Option<&str>) -> Result<()> {
    let mut program = Args::command();
    program.build();
    let names: Vec<String> = program.get_subcommands().map(|known| known.get_name().to_owned()).collect();
    let described = match command {
        None => program,
        Some(name) => program.find_subcommand(name).cloned().ok_or_else(|| {
            let error = Error::usage(format!("no subcommand `{name}`"));
            error.hint(format!("these have a page: {}", suggest::list(names.iter().map(String::as_str))))
        })?,
    };
    let mut page = Vec::new();
    Man::new(described)
        .render(&mut page)
        .map_err(|error| Error::internal(format!("the manual page cannot be made: {error}")))?;
    print(&String::from_utf8_lossy(&page))
}
