//! Locations on the local disk.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectMeta, ObjectStore};
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

/// The most that is read of a file in place of handing it to a thread that may wait.
const AT_ONCE: u64 = 1 << 20;

/// Ranges of a file in the version that was listed, where the system holds all of them in its memory: they are copied sooner than another
/// thread could be woken up. `None` where the disk has to be waited for, and for whatever else needs a second look.
#[cfg(target_os = "linux")]
pub fn in_memory(listed: &ObjectMeta, ranges: &[Range<u64>]) -> Option<Vec<Bytes>> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
    use rustix::io::{ReadWriteFlags, preadv2};

    let lengths = ranges.iter().map(|range| range.end.checked_sub(range.start));
    let lengths = lengths.collect::<Option<Vec<u64>>>()?;
    if lengths.iter().try_fold(0, |sum: u64, length| sum.checked_add(*length))? > AT_ONCE {
        return None;
    }
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = openat2(CWD, path(&listed.location)?, flags, Mode::empty(), ResolveFlags::CACHED).ok()?;
    let file = std::fs::File::from(file);
    if version(&file.metadata().ok()?) != listed.e_tag {
        return None;
    }
    let read = |(range, length): (&Range<u64>, u64)| {
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        let into = &mut [io::IoSliceMut::new(&mut bytes)];
        let read = preadv2(&file, into, range.start, ReadWriteFlags::NOWAIT).ok()?;
        (read == bytes.len()).then(|| bytes.into())
    };
    ranges.iter().zip(lengths).map(read).collect()
}

/// The version of a file as listings have it.
#[cfg(target_os = "linux")]
fn version(file: &std::fs::Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt;

    let modified = file.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(format!("{:x}-{:x}-{:x}", file.ino(), modified.as_micros(), file.len()))
}

/// As on Linux, where alone systems say what they hold.
#[cfg(not(target_os = "linux"))]
pub fn in_memory(_: &ObjectMeta, _: &[Range<u64>]) -> Option<Vec<Bytes>> {
    None
}

/// The location of a local path.
pub fn open(folder: &Path, written: &str) -> Result<Location> {
    let path = absolute(folder, written)?;
    match std::fs::metadata(&path) {
        Ok(found) if found.is_dir() => return location(written, &path, Shape::Folder),
        Ok(_) => return location(written, &path, Shape::File),
        Err(_) if written.contains(WILDCARDS) => {}
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(Error::not_found(format!("no file or folder at `{written}`")));
        }
        Err(error) => {
            return Err(Error::storage(format!("cannot look at `{written}`: {error}")).caused_by(error));
        }
    }
    let (start, rest) = start(folder, written)?;
    let (above, pattern) = split_glob(&rest);
    // The folder may have no name: that in which the program runs.
    let base = plain(&start.join(".").join(above), written)?;
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

/// The path from the root of the disk.
fn absolute(folder: &Path, written: &str) -> Result<PathBuf> {
    let (start, rest) = start(folder, written)?;
    plain(&start.join(rest), written)
}

/// The folder at which what was written starts, and what was written below it, `~` and `file://` understood.
fn start(folder: &Path, written: &str) -> Result<(PathBuf, PathBuf)> {
    if written.starts_with("file://") {
        let url = Url::parse(written)
            .map_err(|error| Error::usage(format!("`{written}` is no valid address: {error}")).caused_by(error))?;
        let path = url.to_file_path().map_err(|()| Error::usage(format!("`{written}` is no local path")))?;
        return Ok((PathBuf::new(), path));
    }
    Ok(match (written.strip_prefix("~/"), dirs::home_dir()) {
        (Some(rest), Some(home)) => (home, rest.into()),
        _ => (folder.to_owned(), written.into()),
    })
}

/// The path from the root of the disk, without `.` and `..`.
fn plain(path: &Path, written: &str) -> Result<PathBuf> {
    let path = std::path::absolute(path)
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
    (parts[..first].iter().collect(), without_dots(&pattern).to_string_lossy().into_owned())
}

/// Looks at everything that may be part of a location. Its listing passes over links to what is not there, and over what lies in
/// a folder that may be listed and not searched.
///
/// # Errors
/// `Storage` that names what cannot be looked at.
pub fn see_all(location: &Location, extensions: &[String]) -> Result<()> {
    let base = path(&location.base).unwrap_or_else(|| PathBuf::from(shown(&location.base)));
    let mut folders = vec![(base, Vec::new())];
    while let Some((folder, above)) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(_) if is_gone(&folder) => continue,
            Err(error) => return Err(unseen(location, &folder, error)),
        };
        let mut is_searched = false;
        for entry in entries {
            let entry = entry.map_err(|error| unseen(location, &folder, error))?;
            let kind = entry.file_type().map_err(|error| unseen(location, &entry.path(), error))?;
            let mut names: Vec<String> = above.clone();
            names.push(entry.file_name().to_string_lossy().into_owned());
            // Of the files of a folder one tells whether they can be looked at.
            if !location.may_hold(&names) || (kind.is_file() && std::mem::replace(&mut is_searched, true)) {
                continue;
            }
            let path = entry.path();
            match std::fs::metadata(&path) {
                Ok(found) if found.is_dir() => folders.push((path, names)),
                Ok(_) => {}
                // Somebody deletes files while they are listed.
                Err(_) if is_gone(&path) => {}
                // What the link names would not count. A folder's name may have points, too, behind the `=` of a partition.
                Err(_) if is_other_file(location, &names, extensions) => {}
                Err(error) => return Err(unseen(location, &path, error)),
            }
        }
    }
    Ok(())
}

/// Whether nothing is there, not even a link.
fn is_gone(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Whether the last of these names is that of a file that does not count.
fn is_other_file(location: &Location, names: &[String], extensions: &[String]) -> bool {
    let is_other = |name: &String| name.contains('.') && !name.contains('=') && !location.takes(name, extensions);
    names.last().is_some_and(is_other)
}

fn unseen(location: &Location, path: &Path, error: io::Error) -> Error {
    let file = ObjectPath::from_absolute_path(path);
    let shown = file.map_or_else(|_| path.display().to_string(), |file| location.shown(&file));
    match std::fs::read_link(path) {
        Ok(target) if error.kind() == ErrorKind::NotFound => Error::storage(format!(
            "cannot list `{}`: `{shown}` is a link to `{}`, which is not there",
            location.written,
            target.display()
        ))
        .hint("is its disk not mounted? delete the link when nobody needs it"),
        _ => Error::storage(format!("cannot list `{}`: cannot look at `{shown}`: {error}", location.written))
            .caused_by(error),
    }
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use object_store::ObjectStoreExt;

    use super::*;

    #[tokio::test]
    async fn what_is_read_at_once_is_what_was_listed() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a b");
        std::fs::write(&file, vec![b'x'; 2 << 20]).expect("it is written");
        let at = ObjectPath::from_absolute_path(&file).expect("a path");
        let listed = store().head(&at).await.expect("it is there");
        assert_eq!(
            version(&std::fs::metadata(&file).expect("it is there")),
            listed.e_tag,
            "versions are written as in listings"
        );

        // Not every file system says what is in memory.
        let read = in_memory(&listed, &[2..5, 0..1]);
        assert!(read.is_none_or(|read| read == ["xxx", "x"]));
        let beyond = (2 << 20) - 1..(2 << 20) + 1;
        let backward = Range { start: 5, end: 2 };
        for other in [0..AT_ONCE, beyond, backward, 0..u64::MAX] {
            assert_eq!(in_memory(&listed, &[0..1, other.clone()]), None, "{other:?}");
        }
        std::fs::write(folder.path().join("other"), vec![b'y'; 2 << 20]).expect("it is written");
        std::fs::rename(folder.path().join("other"), &file).expect("it is replaced");
        assert_eq!(in_memory(&listed, &[0..1, 1..2]), None);
    }
}
