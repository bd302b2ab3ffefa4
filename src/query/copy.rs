//! COPY that appears whole or not at all.
//!
//! The engine writes where it is told to, row by row, and leaves what it has when the statement fails. Here it is told to write
//! into a folder of its own beside the target, and what it wrote is moved into place when it is complete.

use std::path::{Path, PathBuf};

use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::dml::CopyTo;
use tempfile::TempDir;

use crate::error::{Error, Result};

/// What a COPY writes, until it is complete. Dropped before that, it leaves nothing.
#[derive(Debug)]
pub struct Staged {
    written: PathBuf,
    target: PathBuf,
    /// Holds `written`; gone when this is dropped.
    folder: TempDir,
}

/// Turns a COPY to the local disk into one that writes beside its target; other plans pass as they are.
///
/// `from` is the folder in which relative paths start.
///
/// # Errors
/// `Usage` for a folder that holds something already, since a second run would double its rows; `Storage` when the target's
/// folder cannot be written to.
pub fn stage(plan: LogicalPlan, from: &Path) -> Result<(LogicalPlan, Option<Staged>)> {
    let LogicalPlan::Copy(copy) = plan else { return Ok((plan, None)) };
    let Some(target) = local(&copy.output_url, from) else { return Ok((LogicalPlan::Copy(copy), None)) };
    let shown = target.display();
    let is_folder = !copy.partition_by.is_empty() || copy.output_url.ends_with('/') || target.extension().is_none();
    if is_folder && std::fs::read_dir(&target).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::usage(format!("`{}` is not empty", copy.output_url)).hint(
            "COPY would add to what is there, and a second run would double it; choose a new folder or empty this one",
        ));
    }
    let above = target.parent().unwrap_or(Path::new("/"));
    if !above.is_dir() {
        return Err(Error::storage(format!(
            "cannot write `{}`: there is no folder `{}`",
            copy.output_url,
            above.display()
        )));
    }
    let folder = tempfile::Builder::new()
        .prefix(".cxlake-")
        .tempdir_in(above)
        .map_err(|error| Error::storage(format!("cannot write `{shown}`: {error}")).caused_by(error))?;
    let name = target.file_name().map_or_else(|| "copy".into(), ToOwned::to_owned);
    let written = folder.path().join(name);
    let slash = if is_folder { "/" } else { "" };
    let output_url = format!("{}{slash}", written.display());
    let staged = Staged { written, target, folder };
    Ok((LogicalPlan::Copy(CopyTo { output_url, ..copy }), Some(staged)))
}

impl Staged {
    /// Moves what was written into place.
    ///
    /// # Errors
    /// `Storage` when the disk refuses.
    pub fn commit(self) -> Result<()> {
        // A folder without rows is never made; an empty one that is there gives way to the new one.
        let is_folder = self.written.is_dir();
        let result = if !self.written.exists() {
            Ok(())
        } else if is_folder && self.target.is_dir() {
            std::fs::remove_dir(&self.target).and_then(|()| std::fs::rename(&self.written, &self.target))
        } else {
            std::fs::rename(&self.written, &self.target)
        };
        result.and_then(|()| self.folder.close()).map_err(|error| {
            Error::storage(format!("cannot write `{}`: {error}", self.target.display())).caused_by(error)
        })
    }
}

/// The path on the local disk that COPY names; `None` for another store.
fn local(url: &str, from: &Path) -> Option<PathBuf> {
    let path = match url.strip_prefix("file://") {
        Some(path) => path,
        None if url.contains("://") => return None,
        None => url,
    };
    std::path::absolute(from.join(path)).ok()
}
