//! Objects in the versions that a listing found.
//!
//! A statement lists, reads footers, and reads data when it comes to it. An object that is replaced in between would give rows
//! of two versions; here it is an error. The server is asked for the listed version, and its answer is held against it, since
//! not every server heeds the question. On the disk every read opens the file anew, and what it opened is held against the listing.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::path::Path as ObjectPath;
use object_store::{
    CopyOptions, Error as StoreError, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    OBJECT_STORE_COALESCE_DEFAULT, ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result, coalesce_ranges,
};

use super::local;
use crate::error::Error;

/// A store in which some objects are of one version only.
#[derive(Debug)]
pub struct Pinned {
    inner: Arc<dyn ObjectStore>,
    listed: HashMap<ObjectPath, ObjectMeta>,
    /// Versions by what the first answer said, where the listing said nothing.
    seen: Mutex<HashMap<ObjectPath, String>>,
    /// Whether the store is the local disk, where all ranges of a read come from a file that is opened once.
    is_disk: bool,
}

impl Pinned {
    /// The store, with these objects as they were listed.
    pub fn new<'a>(inner: Arc<dyn ObjectStore>, listed: impl IntoIterator<Item = &'a ObjectMeta>) -> Self {
        let listed = listed.into_iter().map(|meta| (meta.location.clone(), meta.clone())).collect();
        Self { inner, listed, seen: Mutex::default(), is_disk: false }
    }

    /// The local disk, with these files as they were listed.
    pub fn on_disk<'a>(listed: impl IntoIterator<Item = &'a ObjectMeta>) -> Self {
        Self { is_disk: true, ..Self::new(local::store(), listed) }
    }

    /// The version that is wanted, if any is known.
    fn version(&self, location: &ObjectPath) -> Option<String> {
        let listed = self.listed.get(location).and_then(|meta| meta.e_tag.clone());
        listed.or_else(|| self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(location).cloned())
    }

    /// Whether an answer is about the version that was listed.
    fn is_listed(&self, answer: &ObjectMeta) -> bool {
        let Some(listed) = self.listed.get(&answer.location) else { return true };
        let is_version = match (&listed.e_tag, &answer.e_tag) {
            (_, None) => true,
            (Some(listed), Some(answer)) => bare(listed) == bare(answer),
            (None, Some(tag)) => {
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                let first = seen.entry(answer.location.clone()).or_insert_with(|| tag.clone());
                // An answer tells the time in whole seconds.
                first == tag && listed.last_modified.timestamp() == answer.last_modified.timestamp()
            }
        };
        is_version && listed.size == answer.size
    }

    fn changed(&self, location: &ObjectPath) -> StoreError {
        let shown = if self.is_disk { local::shown(location) } else { location.to_string() };
        let error = Error::storage(format!("`{shown}` changed while it was read")).hint("run the statement again");
        StoreError::Generic { store: "pinned", source: Box::new(error) }
    }
}

/// A version without what tells a weak one and without quotes, which listings and answers of one server may differ in.
fn bare(tag: &str) -> &str {
    tag.trim_start_matches("W/").trim_matches('"')
}

/// The bytes of a range in a file of so many bytes.
fn read(file: &mut File, size: u64, range: &Range<u64>) -> io::Result<Bytes> {
    // A damaged footer may ask for any range.
    let length = range.end.checked_sub(range.start).filter(|_| range.end <= size);
    let length = length.and_then(|length| usize::try_from(length).ok()).ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut bytes = vec![0; length];
    file.seek(SeekFrom::Start(range.start))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes.into())
}

impl fmt::Display for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Pinned {
    async fn get_opts(&self, location: &ObjectPath, options: GetOptions) -> Result<GetResult> {
        let if_match = options.if_match.clone().or_else(|| self.version(location));
        match self.inner.get_opts(location, GetOptions { if_match, ..options }).await {
            Ok(answer) if self.is_listed(&answer.meta) => Ok(answer),
            Ok(_) | Err(StoreError::Precondition { .. } | StoreError::NotFound { .. }) => Err(self.changed(location)),
            Err(error) => Err(error),
        }
    }

    async fn get_ranges(&self, location: &ObjectPath, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        if !self.is_disk {
            return coalesce_ranges(ranges, |range| self.get_range(location, range), OBJECT_STORE_COALESCE_DEFAULT)
                .await;
        }
        if let Some(bytes) = self.listed.get(location).and_then(|listed| local::in_memory(listed, ranges)) {
            return Ok(bytes);
        }
        let answer = self.get_opts(location, GetOptions::default()).await?;
        let GetResultPayload::File(mut file, path) = answer.payload else { return Err(self.changed(location)) };
        let (size, ranges) = (answer.meta.size, ranges.to_vec());
        let bytes = move || ranges.iter().map(|range| read(&mut file, size, range)).collect::<io::Result<Vec<Bytes>>>();
        tokio::task::spawn_blocking(bytes).await?.map_err(|error| {
            let error = Error::storage(format!("cannot read `{}`: {error}", path.display())).caused_by(error);
            StoreError::Generic { store: "pinned", source: Box::new(error) }
        })
    }

    async fn put_opts(&self, location: &ObjectPath, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &ObjectPath,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<ObjectPath>>,
    ) -> BoxStream<'static, Result<ObjectPath>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&ObjectPath>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&ObjectPath>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &ObjectPath, to: &ObjectPath, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    #[tokio::test]
    async fn an_object_that_is_replaced_or_deleted_after_the_listing_is_an_error() {
        let store = Arc::new(InMemory::new());
        let path = ObjectPath::from("a");
        for second in [Some("other"), Some("longer than before"), None] {
            store.put(&path, PutPayload::from_static(b"first")).await.expect("it is put");
            let listed = store.head(&path).await.expect("it is there");
            for listed in [listed.clone(), ObjectMeta { e_tag: None, ..listed }] {
                store.put(&path, PutPayload::from_static(b"first")).await.expect("it is put");
                let listed =
                    ObjectMeta { e_tag: listed.e_tag.and(store.head(&path).await.expect("there").e_tag), ..listed };
                let pinned = Pinned::new(Arc::clone(&store) as _, [&listed]);
                assert_eq!(pinned.get_range(&path, 0..2).await.expect("it is as listed"), "fi");
                match second {
                    Some(text) => drop(store.put(&path, text.into()).await.expect("it is replaced")),
                    None => store.delete(&path).await.expect("it is deleted"),
                }
                let error = pinned.get_range(&path, 2..4).await.expect_err("it is another");
                assert!(error.to_string().contains("`a` changed while it was read"), "{error}");
            }
        }
    }

    #[tokio::test]
    async fn a_file_on_the_disk_that_is_replaced_or_deleted_after_the_listing_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a b");
        std::fs::write(&file, "first").expect("it is written");
        let path = ObjectPath::from_absolute_path(&file).expect("a path");
        let listed = local::store().head(&path).await.expect("it is there");
        let pinned = Pinned::on_disk([&listed]);
        assert_eq!(pinned.get_ranges(&path, &[3..5, 0..2]).await.expect("it is as listed"), ["st", "fi"]);
        assert!(pinned.get_ranges(&path, &[0..2, 3..1 << 60]).await.is_err(), "it has no such bytes");
        let other = folder.path().join("other");
        std::fs::write(&other, "other").expect("it is written");
        std::fs::rename(&other, &file).expect("it is replaced");
        for _ in 0..2 {
            let ranges = pinned.get_ranges(&path, &[3..5, 0..2]).await.expect_err("it is another");
            let range = pinned.get_range(&path, 0..2).await.expect_err("it is another");
            for error in [ranges, range] {
                let said = format!("`{}` changed while it was read", file.display());
                assert!(error.to_string().contains(&said), "{error}");
            }
            // Then there is none at all.
            let _ = std::fs::remove_file(&file);
        }
    }
}
