//! What tells the files of a listing from all that could lie in their places.

use std::fmt::Write as _;
use std::path::Path;
use std::time::SystemTime;

use object_store::ObjectMeta;

use super::{Location, Stores};
use crate::hash::Hash;

/// The versions of some files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions {
    /// Hash of paths and versions.
    pub digest: String,
    /// When the last of them changed in any way, on the disk; `None` in a bucket, whose server names a new version with each change.
    pub changed_at: Option<SystemTime>,
}

impl Location {
    /// The version of a file on the disk; `None` for one in a bucket, and where the system does not say when files changed.
    pub fn version_on_disk(&self, file: &ObjectMeta) -> Option<String> {
        Some(on_disk(&self.on_disk(&file.location)?)?.0)
    }

    /// The versions of files that a listing of this location found. On the disk the files are looked at again, for what a
    /// listing does not say: a file can be written anew with its size and its time put back, but not when it last changed.
    ///
    /// `None` where versions cannot be told for sure: an object without a tag, a file that is gone, a system that does not say
    /// when files changed, a server that cannot be reached.
    pub async fn versions(&self, stores: &Stores, files: &[ObjectMeta]) -> Option<Versions> {
        let mut text = String::new();
        let mut changed_at = None;
        if !self.is_local() {
            // Two servers may have a bucket of one name.
            text += &stores.bucket(&self.store_url).ok()?.address().await.ok()?;
        }
        for file in files {
            let modified = file.last_modified.timestamp_nanos_opt()?;
            // Writing to a text cannot fail.
            let _ = write!(text, "\n{}\n{} {modified} ", file.location, file.size);
            match self.is_local() {
                true => {
                    let (about, changed) = on_disk(&self.on_disk(&file.location)?)?;
                    text += &about;
                    changed_at = changed_at.max(Some(changed));
                }
                false => text += file.e_tag.as_ref()?,
            }
        }
        Some(Versions { digest: Hash::of(text.as_bytes()), changed_at })
    }
}

/// The version of a file on the disk, links followed, and when it changed.
#[cfg(unix)]
fn on_disk(path: &Path) -> Option<(String, SystemTime)> {
    use std::os::unix::fs::MetadataExt;
    use std::time::Duration;

    let file = std::fs::metadata(path).ok()?;
    let since = Duration::new(file.ctime().try_into().ok()?, file.ctime_nsec().try_into().ok()?);
    let changed = SystemTime::UNIX_EPOCH.checked_add(since)?.max(file.modified().ok()?);
    let about = format!(
        "{} {} {}.{} {}.{}",
        file.ino(),
        file.size(),
        file.mtime(),
        file.mtime_nsec(),
        file.ctime(),
        file.ctime_nsec()
    );
    Some((about, changed))
}

#[cfg(not(unix))]
fn on_disk(_: &Path) -> Option<(String, SystemTime)> {
    None
}
