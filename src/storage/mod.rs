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

use std::collections::HashSet;

use futures::TryStreamExt;
use glob::{MatchOptions, Pattern};
use object_store::path::{Error as PathError, Path as ObjectPath};
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
        if let Some(file) = self.named(store).await.map_err(failed)? {
            return Ok(Listing { files: vec![file], ..Listing::default() });
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

    /// The file that was named outright, if the location is one.
    async fn named(&self, store: &dyn ObjectStore) -> object_store::Result<Option<ObjectMeta>> {
        let path = match &self.shape {
            Shape::File | Shape::Either => Some(self.base.clone()),
            Shape::Glob(pattern) if !self.is_local() && looks_like_a_file(pattern) => {
                ObjectPath::parse(format!("{}/{pattern}", self.base)).ok()
            }
            Shape::Folder | Shape::Glob(_) => None,
        };
        let Some(path) = path else { return Ok(None) };
        match store.head(&path).await {
            // A server says of what is not there that it is forbidden where only some folders may be listed.
            Err(_) if matches!(self.shape, Shape::Glob(_)) => Ok(None),
            Err(object_store::Error::NotFound { .. }) if matches!(self.shape, Shape::Either) => Ok(None),
            found => found.map(Some),
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
        let markers = folder_markers(&found);
        for file in found.into_iter().filter(|file| file.size > 0 || !markers.contains(file.location.as_ref())) {
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

/// Whether a glob in a bucket may be the name of one file. Next to no name has a `*`, and most globs have.
fn looks_like_a_file(pattern: &Pattern) -> bool {
    let pattern = pattern.as_str();
    !pattern.contains('*') && pattern.rsplit('/').next().is_some_and(|name| name.contains('.'))
}

/// Paths at which an object of no bytes only shows a folder: others lie below it, or one that has bytes lies there, too. In the
/// bucket its name ends with a slash, which paths don't have.
fn folder_markers(found: &[ObjectMeta]) -> HashSet<String> {
    let empty: HashSet<&str> = found.iter().filter(|file| file.size == 0).map(|file| file.location.as_ref()).collect();
    if empty.is_empty() {
        return HashSet::new();
    }
    let taken = found.iter().flat_map(|file| {
        let path: &str = file.location.as_ref();
        let folders = path.match_indices('/').map(move |(end, _)| &path[..end]);
        folders.chain((file.size > 0).then_some(path))
    });
    taken.filter(|path| empty.contains(path)).map(str::to_owned).collect()
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
        Some(object_store::Error::InvalidPath {
            source: PathError::EmptySegment { path } | PathError::BadSegment { path, .. },
        }) => {
            let name = path.escape_debug();
            Error::storage(during(format!("the bucket has an object `{name}` whose name no path can have")))
                .hint("rename or delete it, or name a folder that does not hold it")
        }
        _ => Error::storage(during(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use object_store::PutPayload;
    use object_store::memory::InMemory;
    use tokio::runtime::Handle;

    use super::*;
    use crate::lake::Root;

    fn located(written: &str) -> Location {
        let stores = Stores::new(Handle::current());
        stores.locate(&Root::Address("s3://lake".to_owned()), written).expect("a location")
    }

    #[tokio::test]
    async fn an_empty_object_that_shows_a_folder_does_not_count_and_one_that_is_a_file_does() {
        let object = |path: &str, size: u64| ObjectMeta {
            location: ObjectPath::parse(path).expect("a path"),
            last_modified: chrono::DateTime::UNIX_EPOCH,
            size,
            e_tag: None,
            version: None,
        };
        let found = [
            object("t/folder.parquet/", 0),
            object("t/folder.parquet/part-0.parquet", 5),
            object("t/part-1.parquet/", 0),
            object("t/part-1.parquet", 5),
            object("t/other.parquet/_SUCCESS", 0),
            object("t/other.parquet/", 0),
            object("t/empty.parquet", 0),
            object("t/empty.parquet-2", 5),
        ];
        let listing = located("t/").counting(found.to_vec(), &["parquet"]);
        let files: Vec<(&str, u64)> = listing.files.iter().map(|file| (file.location.as_ref(), file.size)).collect();
        assert_eq!(files, [("t/empty.parquet", 0), ("t/folder.parquet/part-0.parquet", 5), ("t/part-1.parquet", 5)]);
        assert_eq!(listing.others, 1);
    }

    #[tokio::test]
    async fn a_file_in_a_bucket_whose_name_has_wildcards_is_found_by_it() {
        let store = InMemory::new();
        for name in ["a?b.csv", "axb.csv", "c[1].csv", "c1.csv", "d1.csv"] {
            store
                .put(&ObjectPath::parse(name).expect("a path"), PutPayload::from_static(b"x"))
                .await
                .expect("it is put");
        }
        for (written, wanted) in [
            ("a?b.csv", "a?b.csv"),
            ("a[?]b.csv", "a?b.csv"),
            ("c[1].csv", "c[1].csv"),
            ("[c][1].csv", "c1.csv"),
            ("?1.csv", "c1.csv d1.csv"),
            ("c*.csv", "c1.csv c[1].csv"),
        ] {
            let listing = located(written).list(&store, &["csv"]).await.expect("a listing");
            let files: Vec<&str> = listing.files.iter().map(|file| file.location.as_ref()).collect();
            assert_eq!(files.join(" "), wanted, "{written}");
        }
    }
}
