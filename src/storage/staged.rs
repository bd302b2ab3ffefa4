//! Objects that appear together when a statement is done, or not at all.
//!
//! A bucket knows no rename. What it knows is an upload in parts, which nobody sees before it is completed: every object that
//! a statement writes is such an upload, and all are completed when the statement has ended well. On the disk somebody else moves
//! what is written to its place; here is only heard what the disk says.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt, TryFutureExt, TryStreamExt};
use object_store::path::Path as ObjectPath;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, UploadPart,
};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::stores::GIVING_UP;
use super::{Stores, explain, local};
use crate::error::{Error, Result};

/// Uploads that are completed at once.
const AT_ONCE: usize = 16;

/// The objects that one statement writes. Dropped before [`Staged::commit`], it leaves none.
#[derive(Debug)]
pub struct Staged(Staging);

impl Staged {
    /// Objects for this store.
    pub fn new(inner: Arc<dyn ObjectStore>, stores: Stores) -> Self {
        Self(Staging { inner, stores, whole: Arc::default(), refusal: Arc::default(), on_disk: None })
    }

    /// Files on this machine's disk, which are there at once, in a folder that nobody looks at; `written` is where they are to go,
    /// as errors name it.
    pub fn on_disk(stores: Stores, written: &str) -> Self {
        let (inner, on_disk) = (local::store(), Some(written.into()));
        Self(Staging { inner, stores, whole: Arc::default(), refusal: Arc::default(), on_disk })
    }

    /// The store that the statement writes to.
    pub fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::new(self.0.clone())
    }

    /// Why the store did not take what was written, if it did not.
    pub fn refusal(&self) -> Option<Error> {
        self.0.refusal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Lets all objects appear.
    ///
    /// # Errors
    /// `Storage` when an upload cannot be completed; those that were not yet are given up.
    pub async fn commit(self) -> Result<()> {
        completed(self.0.take()).await.1
    }

    /// Lets all objects appear in a folder that was empty, or none of them; `written` is the folder as its user writes it.
    ///
    /// # Errors
    /// `Storage` when an upload cannot be completed; it says so when objects are left that cannot be deleted.
    pub async fn commit_in(self, folder: &ObjectPath, written: &str) -> Result<()> {
        let uploads = self.0.take();
        let all = uploads.len();
        let (begun, completed) = completed(uploads).await;
        let Err(error) = completed else { return Ok(()) };
        // A completion without an answer may have been one, and none may come behind the deletion.
        self.0.stores.settle().await;
        let deleting = self.0.inner.delete_stream(stream::iter(begun.into_iter().map(Ok)).boxed());
        let deleted: Vec<_> = deleting.collect().await;
        if deleted.iter().all(Result::is_ok) {
            return Err(error);
        }
        let there = self.0.inner.list(Some(folder)).try_collect::<Vec<_>>().await;
        let there = match there.map(|there| there.len()) {
            Ok(0) => return Err(error),
            Ok(there) => format!("{there} of {all} objects of `{written}` are there"),
            Err(_) => format!("some of {all} objects of `{written}` may be there"),
        };
        Err(Error::new(error.kind(), error.to_string()).hint(format!("{there}; delete them before you run it again")))
    }
}

/// Completes uploads until one cannot be: those whose completion is under way come to their end, the others are given up. Gives
/// the paths at which an object may have appeared, and the first failure.
async fn completed(uploads: Vec<Open>) -> (Vec<ObjectPath>, Result<()>) {
    let has_failed = Arc::new(AtomicBool::new(false));
    let completing = uploads.into_iter().map(|upload| {
        let has_failed = Arc::clone(&has_failed);
        let complete = async move {
            if has_failed.load(Ordering::Relaxed) {
                return None;
            }
            let path = upload.path.clone();
            let completed = upload.complete().await;
            if completed.is_err() {
                has_failed.store(true, Ordering::Relaxed);
            }
            Some((path, completed))
        };
        complete.boxed()
    });
    let completing: Vec<_> = completing.collect();
    let ended = stream::iter(completing).buffer_unordered(AT_ONCE).filter_map(std::future::ready);
    let ended: Vec<(ObjectPath, object_store::Result<()>)> = ended.collect().await;
    let (begun, completed): (Vec<_>, Vec<_>) = ended.into_iter().unzip();
    let completed = completed.into_iter().collect::<object_store::Result<()>>();
    (begun, completed.map_err(|error| explain(&error, "cannot complete what was written")))
}

impl Drop for Staged {
    fn drop(&mut self) {
        // The engine may hold the store for longer than this.
        drop(self.0.take());
    }
}

/// An upload that is given up when it is dropped before its end.
#[derive(Debug)]
struct Open {
    path: ObjectPath,
    /// `None` at its end.
    upload: Option<Box<dyn MultipartUpload>>,
    /// Its parts that are on their way.
    parts: Vec<JoinHandle<()>>,
    stores: Stores,
}

impl Open {
    /// Sends a part on the program's own runtime: one that was begun ends, also when nobody waits for it any more.
    fn send(&mut self, data: PutPayload) -> UploadPart {
        let Some(upload) = &mut self.upload else { return Box::pin(std::future::ready(Err(ended()))) };
        let part = upload.put_part(data);
        let (say, said) = oneshot::channel();
        self.parts.retain(|part| !part.is_finished());
        self.parts.push(self.stores.runtime().spawn(async move {
            // Nobody may be waiting.
            let _ = say.send(part.await);
        }));
        Box::pin(async move { said.await.unwrap_or_else(|_| Err(ended())) })
    }

    async fn complete(mut self) -> object_store::Result<()> {
        if let Some(upload) = &mut self.upload {
            upload.complete().await?;
        }
        self.upload = None;
        Ok(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(upload) = self.upload.take() {
            self.stores.give_up(upload, std::mem::take(&mut self.parts));
        }
    }
}

/// A store in which nothing appears that is written.
#[derive(Clone, Debug)]
struct Staging {
    inner: Arc<dyn ObjectStore>,
    stores: Stores,
    /// Uploads with all their parts.
    whole: Arc<Mutex<Vec<Open>>>,
    /// The first error in writing.
    refusal: Arc<Mutex<Option<Error>>>,
    /// Where files on the disk are to go; `None` in a bucket, where uploads are held back.
    on_disk: Option<Arc<str>>,
}

impl Staging {
    /// Keeps an error in writing an object, which the engine may replace by one of its own.
    fn refused(&self, location: &ObjectPath, error: object_store::Error) -> object_store::Error {
        let mut refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        refusal.get_or_insert_with(|| match &self.on_disk {
            Some(written) => of_disk(&error, &format!("cannot write `{written}`")),
            None => explain(&error, &format!("cannot write `{}/{location}`", self.inner)),
        });
        error
    }

    fn keep(&self, upload: Open) {
        self.whole.lock().unwrap_or_else(PoisonError::into_inner).push(upload);
    }

    fn take(&self) -> Vec<Open> {
        std::mem::take(&mut *self.whole.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins an upload on the program's own runtime: of one that was begun the id must be known, also when nobody waits for it
    /// any more, or it could not be given up.
    async fn begin(&self, location: &ObjectPath, options: PutMultipartOptions) -> object_store::Result<Held> {
        let (inner, stores, path) = (Arc::clone(&self.inner), self.stores.clone(), location.clone());
        let (mut say, said) = oneshot::channel();
        self.stores.spawn(async move {
            let forgotten = async {
                say.closed().await;
                sleep(GIVING_UP).await;
            };
            tokio::select! {
                begun = inner.put_multipart_opts(&path, options) => {
                    let open = begun.map(|upload| Open { path, upload: Some(upload), parts: Vec::new(), stores });
                    // Where nobody is waiting, it is dropped, and so given up.
                    let _ = say.send(open);
                }
                () = forgotten => {}
            }
        });
        let begun = said.await.unwrap_or_else(|_| Err(ended()));
        let open = begun.map_err(|error| self.refused(location, error))?;
        Ok(Held { open: Some(open), staging: self.clone() })
    }
}

/// An upload whose completion only puts it aside.
#[derive(Debug)]
struct Held {
    /// `None` once it is put aside.
    open: Option<Open>,
    staging: Staging,
}

/// A file whose errors are kept.
#[derive(Debug)]
struct Heard {
    upload: Box<dyn MultipartUpload>,
    path: ObjectPath,
    staging: Staging,
}

/// What the disk itself says; the store around it says which of its calls that was.
fn of_disk(error: &object_store::Error, doing: &str) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(next) = cause {
        if let Some(said) = next.downcast_ref::<io::Error>() {
            return Error::storage(format!("{doing}: {said}"));
        }
        cause = next.source();
    }
    explain(error, doing)
}

fn ended() -> object_store::Error {
    object_store::Error::Generic { store: "staged", source: "the upload has ended".into() }
}

#[async_trait]
impl MultipartUpload for Held {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        match &mut self.open {
            Some(open) => {
                let (part, staging, path) = (open.send(data), self.staging.clone(), open.path.clone());
                part.map_err(move |error| staging.refused(&path, error)).boxed()
            }
            None => Box::pin(std::future::ready(Err(ended()))),
        }
    }

    async fn complete(&mut self) -> object_store::Result<PutResult> {
        self.staging.keep(self.open.take().ok_or_else(ended)?);
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn abort(&mut self) -> object_store::Result<()> {
        // To be dropped is to be given up.
        self.open = None;
        Ok(())
    }
}

#[async_trait]
impl MultipartUpload for Heard {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (part, staging, path) = (self.upload.put_part(data), self.staging.clone(), self.path.clone());
        part.map_err(move |error| staging.refused(&path, error)).boxed()
    }

    async fn complete(&mut self) -> object_store::Result<PutResult> {
        let completed = self.upload.complete().await;
        completed.map_err(|error| self.staging.refused(&self.path, error))
    }

    async fn abort(&mut self) -> object_store::Result<()> {
        self.upload.abort().await
    }
}

impl fmt::Display for Staging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "staged for {}", self.inner)
    }
}

#[async_trait]
impl ObjectStore for Staging {
    async fn put_opts(
        &self,
        location: &ObjectPath,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        if self.on_disk.is_some() {
            let put = self.inner.put_opts(location, payload, options).await;
            return put.map_err(|error| self.refused(location, error));
        }
        let mut upload = self.begin(location, PutMultipartOptions::default()).await?;
        if payload.content_length() > 0 {
            upload.put_part(payload).await?;
        }
        upload.complete().await
    }

    async fn put_multipart_opts(
        &self,
        location: &ObjectPath,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        if self.on_disk.is_some() {
            let begun = self.inner.put_multipart_opts(location, options).await;
            let upload = begun.map_err(|error| self.refused(location, error))?;
            return Ok(Box::new(Heard { upload, path: location.clone(), staging: self.clone() }));
        }
        Ok(Box::new(self.begin(location, options).await?))
    }

    async fn get_opts(&self, location: &ObjectPath, options: GetOptions) -> object_store::Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<ObjectPath>>,
    ) -> BoxStream<'static, object_store::Result<ObjectPath>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&ObjectPath>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&ObjectPath>) -> object_store::Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &ObjectPath, to: &ObjectPath, options: CopyOptions) -> object_store::Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
