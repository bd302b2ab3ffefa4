//! A table's path -> the objects it stands for.
//!
//! Floors above see a [`Location`], its store's address and the objects in it; which kind of storage it is, and who
//! may read it, is decided in this folder alone.

mod local;

use futures::TryStreamExt;
use glob::{MatchOptions, Pattern};
use object_store::path::Path as ObjectPath;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::error::{Error, Result};

/// Files of one table: where they lie and which of them count.
#[derive(Clone, Debug)]
pub struct Location {
    /// Address under which the engine knows the store.
    pub store_url: String,
    /// The path as it was written, for errors.
    pub written: String,
    /// The file, or the folder below which all files lie.
    pub base: ObjectPath,
    shape: Shape,
}

/// What a path stands for.
#[derive(Clone, Debug)]
enum Shape {
    File,
    Folder,
    /// Files whose path below the base matches.
    Glob(Pattern),
}

/// Objects found at a location.
#[derive(Debug, Default)]
pub struct Listing {
    /// Files that count, by path.
    pub files: Vec<ObjectMeta>,
    /// Files that lie there but have another extension.
    pub others: usize,
}

impl Location {
    /// The location of a path that was written in a manifest or a statement; relative paths start at `folder`.
    ///
    /// # Errors
    /// `NotFound` when nothing is there, `Usage` when a glob is malformed.
    pub fn open(folder: &std::path::Path, written: &str) -> Result<Self> {
        local::open(folder, written)
    }

    /// Whether the path names one file.
    pub fn is_file(&self) -> bool {
        matches!(self.shape, Shape::File)
    }

    /// Lists the files, sorted by path.
    ///
    /// Names that start with `.` or `_` are somebody's temporary files and stay out. In a folder or a glob without an
    /// extension only files with one of `extensions` count; a file named outright counts whatever it is called.
    ///
    /// # Errors
    /// `Storage` when the store cannot be listed.
    pub async fn list(&self, store: &dyn ObjectStore, extensions: &[&str]) -> Result<Listing> {
        let failed = |error: object_store::Error| {
            Error::storage(format!("cannot list `{}`: {error}", self.written)).caused_by(error)
        };
        if self.is_file() {
            let file = store.head(&self.base).await.map_err(failed)?;
            return Ok(Listing { files: vec![file], others: 0 });
        }
        let found: Vec<ObjectMeta> = store.list(Some(&self.base)).try_collect().await.map_err(failed)?;
        let mut listing = Listing::default();
        for file in found {
            match self.verdict(&file, extensions) {
                Verdict::Counts => listing.files.push(file),
                Verdict::Other => listing.others += 1,
                Verdict::Hidden => {}
            }
        }
        listing.files.sort_by(|a, b| a.location.cmp(&b.location));
        Ok(listing)
    }

    fn verdict(&self, file: &ObjectMeta, extensions: &[&str]) -> Verdict {
        let Some(below) = file.location.prefix_match(&self.base) else { return Verdict::Hidden };
        let parts: Vec<String> = below.map(|part| part.as_ref().to_owned()).collect();
        if parts.iter().any(|part| part.starts_with(['.', '_'])) {
            return Verdict::Hidden;
        }
        let has_extension = || {
            let name = file.location.filename().unwrap_or_default().to_lowercase();
            extensions.iter().any(|extension| name.ends_with(&format!(".{extension}")))
        };
        let counts = match &self.shape {
            Shape::Glob(pattern) if !pattern.matches_with(&local::decoded(&parts.join("/")), STRICT) => {
                return Verdict::Hidden;
            }
            Shape::Glob(pattern) => has_extension() || pattern.as_str().contains('.'),
            Shape::Folder | Shape::File => has_extension(),
        };
        if counts { Verdict::Counts } else { Verdict::Other }
    }

    /// A file of the location as its user would write it.
    pub fn shown(&self, file: &ObjectPath) -> String {
        match &self.shape {
            Shape::File => self.written.clone(),
            Shape::Folder => {
                let below = file.prefix_match(&self.base).into_iter().flatten();
                let below: Vec<String> = below.map(|part| local::decoded(part.as_ref())).collect();
                format!("{}/{}", self.written.trim_end_matches('/'), below.join("/"))
            }
            Shape::Glob(_) => local::shown(file),
        }
    }
}

/// `*` stays within one folder, `**` crosses folders.
const STRICT: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

enum Verdict {
    Counts,
    /// Lies there with another extension.
    Other,
    /// Is not part of the location.
    Hidden,
}
