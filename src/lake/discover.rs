//! Finds the lake: the folder asked for, else the nearest `cxlake.toml` upward.

use std::path::{Path, PathBuf};

use super::{Lake, MANIFEST, Root, manifest};
use crate::error::{Error, Result};

/// The lake in this folder.
///
/// # Errors
/// `NotFound` when there is no manifest in it; `InvalidData` when the manifest is wrong.
pub fn open(folder: &Path) -> Result<Lake> {
    let file = folder.join(MANIFEST);
    if folder.is_file() {
        return Err(Error::usage(format!("`{}` is a file, not the folder of a lake", folder.display())));
    }
    if !file.is_file() {
        return Err(Error::not_found(format!("no lake in `{}`: it has no `{MANIFEST}`", folder.display()))
            .hint(format!("`cxlake init {}` makes one", folder.display())));
    }
    let text = std::fs::read_to_string(&file)
        .map_err(|error| Error::storage(format!("cannot read `{}`: {error}", file.display())).caused_by(error))?;
    manifest::parse(&text, &file.display().to_string(), &Root::Folder(folder.to_owned()))
}

/// The nearest folder with a manifest, from `start` upward.
pub fn nearest(start: &Path) -> Option<PathBuf> {
    start.ancestors().find(|folder| folder.join(MANIFEST).is_file()).map(Path::to_owned)
}
