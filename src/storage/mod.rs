//! A path -> the objects it stands for, on the local disk or in a bucket.
//!
//! Floors above see [`Stores`], a [`Location`], its store's address and the objects in it; which kind of storage it is, how it
//! is reached, and who may read it, is decided in this folder alone.

mod cache;
mod local;
mod narrow;
mod pinned;
mod records;
mod replaced;
pub mod s3;
mod staged;
mod stores;
mod texts;
mod traffic;
mod upload;
mod versions;

use futures::TryStreamExt;
use glob::{MatchOptions, Pattern};
use object_store::path::Path as ObjectPath;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::error::{Error, Result};

pub use cache::{Disk, Objects, results};
pub use records::Records;
use replaced::Reading;
pub use replaced::{Change, Links, Waiting};
pub use staged::Staged;
pub use stores::Stores;
pub use texts::Texts;
pub use traffic::Counts;
pub use upload::Upload;
pub use versions::Versions;

/// Letters that make a path a glob.
const WILDCARDS: [char; 3] = ['*', '?', '['];

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
    /// A path in a bucket that looks like a file, and may be a folder with a point in its name.
    Either,
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
    /// Folders whose files were not looked at.
    pub folders_left_out: usize,
}

impl Location {
    /// Whether the location is on the local disk.
    pub fn is_local(&self) -> bool {
        self.store_url == local::STORE
    }

    /// Lists the files, sorted by path.
    ///
    /// Names that start with `.` or `_` are somebody's temporary files and stay out. In a folder or a glob without an
    /// extension only files with one of `extensions` count; a file named outright counts whatever it is called.
    ///
    /// # Errors
    /// `Storage` when the store cannot be listed, or something on the disk not be looked at; `NotFound` when a file that is named
    /// outright is not there.
    pub async fn list(&self, store: &dyn ObjectStore, extensions: &[&str]) -> Result<Listing> {
        let failed = |error: object_store::Error| explain(&error, &format!("cannot list `{}`", self.written));
        if matches!(self.shape, Shape::File | Shape::Either) {
            match store.head(&self.base).await {
                Ok(file) => return Ok(Listing { files: vec![file], ..Listing::default() }),
                Err(object_store::Error::NotFound { .. }) if matches!(self.shape, Shape::Either) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let mut reading = Reading::begin();
        loop {
            let found: Vec<ObjectMeta> = store.list(Some(&self.base)).try_collect().await.map_err(failed)?;
            if let Some(found) = reading.counting(store, self, found, |_| Ok(true)).await? {
                if self.is_local() {
                    let location = self.clone();
                    let extensions: Vec<String> = extensions.iter().map(ToString::to_string).collect();
                    let seen = tokio::task::spawn_blocking(move || local::see_all(&location, &extensions)).await;
                    seen.map_err(|error| Error::internal(error.to_string()))??;
                }
                return Ok(self.counting(found, extensions));
            }
        }
    }

    /// A file below a folder of the location, by its path as the disk or the bucket has it.
    ///
    /// # Errors
    /// `InvalidData` when it is no path.
    fn below(&self, folder: &ObjectPath, name: &str) -> Result<ObjectPath> {
        let path = match self.on_disk(folder) {
            // The store encodes names in ways of its own.
            Some(folder) => ObjectPath::from_absolute_path(folder.join(name)),
            None => ObjectPath::parse(format!("{folder}/{name}")),
        };
        path.map_err(|error| Error::invalid(format!("`{name}` is no path: {error}")).caused_by(error))
    }

    /// Whether all files below the base count, whatever their names.
    pub fn is_folder(&self) -> bool {
        matches!(self.shape, Shape::Folder | Shape::Either)
    }

    /// What counts of the objects that were found, sorted by path.
    fn counting(&self, found: Vec<ObjectMeta>, extensions: &[&str]) -> Listing {
        let mut listing = Listing::default();
        for file in found {
            match self.verdict(&file, extensions) {
                Verdict::Counts => listing.files.push(file),
                Verdict::Other => listing.others += 1,
                Verdict::Hidden => {}
            }
        }
        listing.files.sort_by(|a, b| a.location.cmp(&b.location));
        listing
    }

    fn verdict(&self, file: &ObjectMeta, extensions: &[&str]) -> Verdict {
        let Some(below) = file.location.prefix_match(&self.base) else { return Verdict::Hidden };
        let parts: Vec<String> = below.map(|part| part.as_ref().to_owned()).collect();
        // A bucket's browser shows a folder by an object of no bytes, whose name ends with a slash.
        if parts.is_empty() || parts.iter().any(|part| part.starts_with(['.', '_'])) {
            return Verdict::Hidden;
        }
        if let Shape::Glob(pattern) = &self.shape
            && !pattern.matches_with(&self.plain(&parts.join("/")), STRICT)
        {
            return Verdict::Hidden;
        }
        let counts = self.takes(file.location.filename().unwrap_or_default(), extensions);
        if counts { Verdict::Counts } else { Verdict::Other }
    }

    /// Whether a file counts by its name.
    fn takes(&self, name: &str, extensions: &[impl AsRef<str>]) -> bool {
        let name = name.to_lowercase();
        matches!(&self.shape, Shape::Glob(pattern) if pattern.as_str().contains('.'))
            || extensions.iter().any(|extension| name.ends_with(&format!(".{}", extension.as_ref())))
    }

    /// Whether something of these names from the base downwards, or what is in it, may be part of the location.
    fn may_hold(&self, names: &[String]) -> bool {
        if names.last().is_some_and(|name| name.starts_with(['.', '_'])) {
            return false;
        }
        let Shape::Glob(pattern) = &self.shape else { return true };
        let mut patterns = pattern.as_str().split('/');
        for name in names {
            match patterns.next() {
                None => return false,
                Some("**") => return true,
                Some(part) if Pattern::new(part).is_ok_and(|part| !part.matches_with(name, STRICT)) => return false,
                Some(_) => {}
            }
        }
        true
    }

    /// A path of the store as the disk or the bucket has it. The local store encodes some letters, a bucket's keys are as they are.
    pub fn plain(&self, path: &str) -> String {
        if self.is_local() { local::decoded(path) } else { path.to_owned() }
    }

    /// A file of the location where this machine's disk has it; `None` for one in a bucket.
    pub fn on_disk(&self, file: &ObjectPath) -> Option<std::path::PathBuf> {
        if self.is_local() { local::path(file) } else { None }
    }

    /// A file of the location as its user would write it.
    pub fn shown(&self, file: &ObjectPath) -> String {
        match &self.shape {
            Shape::File => self.written.clone(),
            Shape::Either if *file == self.base => self.written.clone(),
            Shape::Folder | Shape::Either => {
                let below = file.prefix_match(&self.base).into_iter().flatten();
                let below: Vec<String> = below.map(|part| self.plain(part.as_ref())).collect();
                format!("{}/{}", self.written.trim_end_matches('/'), below.join("/"))
            }
            Shape::Glob(_) if self.is_local() => local::shown(file),
            Shape::Glob(_) => format!("{}{file}", self.store_url),
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

fn glob(written: &str, pattern: &str) -> Result<Shape> {
    let pattern = Pattern::new(pattern)
        .map_err(|error| Error::usage(format!("`{written}` is no valid glob: {error}")).caused_by(error))?;
    Ok(Shape::Glob(pattern))
}

/// The store's error among the causes of an error.
pub fn of_store<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a object_store::Error> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref() {
            return Some(found);
        }
        next = cause.source();
    }
    None
}

/// A store's error in our words: what a store of ours said about it, else its own message. `doing` says what failed, and is
/// empty where that is plain.
pub fn explain(error: &(dyn std::error::Error + 'static), doing: &str) -> Error {
    let during = |what: String| if doing.is_empty() { what } else { format!("{doing}: {what}") };
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(said) = cause.downcast_ref::<Error>() {
            let error = Error::new(said.kind(), during(said.to_string()));
            return match said.hint_text() {
                Some(hint) => error.hint(hint),
                None => error,
            };
        }
        next = cause.source();
    }
    match error.downcast_ref::<object_store::Error>() {
        Some(object_store::Error::NotFound { path, .. }) => Error::not_found(during(format!("there is no `{path}`"))),
        _ => Error::storage(during(error.to_string())),
    }
}
