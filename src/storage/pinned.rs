//! Objects in the versions that a listing found.
//!
//! A statement lists, reads footers, and reads data when it comes to it. An object that is replaced in between would give rows
//! of two versions; here it is an error. The server is asked for the listed version, and its answer is held against it, since
//! not every server heeds the question.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::path::Path as ObjectPath;
use object_store::{
    CopyOptions, Error as StoreError, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::error::Error;

/// A store in which some objects are of one version only.
#[derive(Debug)]
pub struct Pinned {
    inner: Arc<dyn ObjectStore>,
    listed: HashMap<ObjectPath, ObjectMeta>,
    /// Versions by what the first answer said, where the listing said nothing.
    seen: Mutex<HashMap<ObjectPath, String>>,
}

impl Pinned {
    /// The store, with these objects as they were listed.
    pub fn new<'a>(inner: Arc<dyn ObjectStore>, listed: impl IntoIterator<Item = &'a ObjectMeta>) -> Self {
        let listed = listed.into_iter().map(|meta| (meta.location.clone(), meta.clone())).collect();
        Self { inner, listed, seen: Mutex::default() }
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
}

/// A version without what tells a weak one and without quotes, which listings and answers of one server may differ in.
fn bare(tag: &str) -> &str {
    tag.trim_start_matches("W/").trim_matches('"')
}

fn changed(location: &ObjectPath) -> StoreError {
    let error = Error::storage(format!("`{location}` changed while it was read")).hint("run the statement again");
    StoreError::Generic { store: "pinned", source: Box::new(error) }
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
            Ok(_) | Err(StoreError::Precondition { .. } | StoreError::NotFound { .. }) => Err(changed(location)),
            Err(error) => Err(error),
        }
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
    use object_store::ObjectStoreExt;
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
}
