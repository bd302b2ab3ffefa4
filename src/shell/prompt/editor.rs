//! `\e` and Ctrl-X Ctrl-E: statements in the editor of one's choice.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};

/// Opens the editor on a text: what was saved, or `None` when it was left without saving.
///
/// # Errors
/// `Usage` when the editor cannot be started or ends with a failure, `Storage` when its file cannot be written or read.
pub fn on_text(text: &str) -> Result<Option<String>> {
    let failed =
        |error: std::io::Error| Error::storage(format!("cannot make a file to edit: {error}")).caused_by(error);
    // Statements hold customers' names: the file is readable by the user alone, and goes when it is closed.
    let mut file = tempfile::Builder::new().prefix("cxlake-").suffix(".sql").tempfile().map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    if !text.is_empty() && !text.ends_with('\n') {
        file.write_all(b"\n").map_err(failed)?;
    }
    // With a time long past, a save shows even on a disk that tells the time in seconds.
    file.as_file().set_modified(SystemTime::UNIX_EPOCH + Duration::from_hours(24)).map_err(failed)?;
    on_file(file.path())
}

/// Opens the editor on a file: what was saved, or `None` when it was left without saving.
///
/// # Errors
/// As [`on_text`].
pub fn on_file(path: &Path) -> Result<Option<String>> {
    let state = || {
        let failed = |error: std::io::Error| {
            Error::storage(format!("cannot read `{}`: {error}", path.display())).caused_by(error)
        };
        let modified = path.metadata().and_then(|about| about.modified()).map_err(failed)?;
        Ok::<_, Error>((modified, std::fs::read_to_string(path).map_err(failed)?))
    };
    let before = state()?;
    let editor = chosen();
    let status = command(&editor, path).status().map_err(|error| {
        Error::usage(format!("cannot start the editor `{}`: {error}", editor.display()))
            .hint("set EDITOR to the one to use")
    })?;
    if !status.success() {
        return Err(Error::usage(format!("the editor `{}` failed, and nothing is run", editor.display()))
            .hint("set EDITOR to the one to use"));
    }
    let after = state()?;
    Ok((after != before).then_some(after.1))
}

fn chosen() -> OsString {
    let named = ["VISUAL", "EDITOR"].into_iter().filter_map(std::env::var_os).find(|value| !value.is_empty());
    named.unwrap_or_else(|| if cfg!(windows) { "notepad" } else { "vi" }.into())
}

/// The editor's variable is a line of the shell: `code --wait`.
#[cfg(unix)]
fn command(editor: &OsString, path: &Path) -> Command {
    let mut line = editor.clone();
    line.push(" \"$1\"");
    let mut command = Command::new("sh");
    command.arg("-c").arg(line).arg("cxlake").arg(path);
    command
}

#[cfg(not(unix))]
fn command(editor: &OsString, path: &Path) -> Command {
    let mut command = Command::new(editor);
    command.arg(path);
    command
}
