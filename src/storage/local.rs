//! Locations on the local disk.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use url::Url;

use super::{Location, Shape, WILDCARDS, glob};
use crate::error::{Error, Result};
use crate::lake::Root;

/// Address of the local disk as a store.
pub const STORE: &str = "file:///";

/// The local disk.
pub fn store() -> Arc<dyn ObjectStore> {
    Arc::new(LocalFileSystem::new())
}

/// The location of a local path.
pub fn open(folder: &Path, written: &str) -> Result<Location> {
    let path = absolute(folder, written)?;
    if path.is_dir() {
        return location(written, &path, Shape::Folder);
    }
    if path.exists() {
        return location(written, &path, Shape::File);
    }
    if !written.contains(WILDCARDS) {
        return Err(Error::not_found(format!("no file or folder at `{written}`")));
    }
    let (base, pattern) = split_glob(&path);
    if !base.is_dir() {
        return Err(Error::not_found(format!("no folder for the glob `{written}`")));
    }
    location(written, &base, glob(written, &pattern)?)
}

fn location(written: &str, base: &Path, shape: Shape) -> Result<Location> {
    let base = ObjectPath::from_absolute_path(base)
        .map_err(|error| Error::storage(format!("cannot address `{written}`: {error}")).caused_by(error))?;
    Ok(Location { store_url: STORE.to_owned(), written: written.to_owned(), base, shape })
}

/// The address of a folder that need not be there yet.
pub fn folder(root: &Root, written: &str) -> Result<ObjectPath> {
    let start = match root {
        Root::Folder(folder) => folder.as_path(),
        Root::Address(_) => Path::new("/"),
    };
    ObjectPath::from_absolute_path(absolute(start, written)?)
        .map_err(|error| Error::usage(format!("cannot address `{written}`: {error}")).caused_by(error))
}

/// The path from the root of the disk, `~` and `file://` understood, without `.` and `..`.
fn absolute(folder: &Path, written: &str) -> Result<PathBuf> {
    let path = if written.starts_with("file://") {
        let url = Url::parse(written)
            .map_err(|error| Error::usage(format!("`{written}` is no valid address: {error}")).caused_by(error))?;
        url.to_file_path().map_err(|()| Error::usage(format!("`{written}` is no local path")))?
    } else if let (Some(rest), Some(home)) = (written.strip_prefix("~/"), dirs::home_dir()) {
        home.join(rest)
    } else {
        folder.join(written)
    };
    let path = std::path::absolute(&path)
        .map_err(|error| Error::storage(format!("cannot address `{written}`: {error}")).caused_by(error))?;
    Ok(without_dots(&path))
}

/// Takes `.` and `..` out by the letter; a store's address has neither.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// The folder above the first part with a wildcard, and the pattern below it.
fn split_glob(path: &Path) -> (PathBuf, String) {
    let parts: Vec<Component<'_>> = path.components().collect();
    let is_wild = |part: &Component<'_>| part.as_os_str().to_string_lossy().contains(WILDCARDS);
    let first = parts.iter().position(is_wild).unwrap_or(parts.len());
    let pattern: PathBuf = parts[first..].iter().collect();
    (parts[..first].iter().collect(), pattern.to_string_lossy().into_owned())
}

/// A file by its path from the root of the disk.
pub fn shown(file: &ObjectPath) -> String {
    format!("/{}", decoded(file.as_ref()))
}

/// A file where the disk has it.
pub fn path(file: &ObjectPath) -> Option<PathBuf> {
    LocalFileSystem::new().path_to_filesystem(file).ok()
}

/// A path as the disk has it, without the root.
pub fn decoded(path: &str) -> String {
    ObjectPath::parse(path)
        .ok()
        .and_then(|path| LocalFileSystem::new().path_to_filesystem(&path).ok())
        .map_or_else(|| path.to_owned(), |path| path.to_string_lossy().trim_start_matches('/').to_owned())
}
