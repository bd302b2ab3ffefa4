//! The stores of a lake: a path as it was written -> where it lies, and the store that holds it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use object_store::path::Path as ObjectPath;
use object_store::{MultipartUpload, ObjectMeta, ObjectStore};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::cache::{Cache, Objects};
use super::pinned::Pinned;
use super::s3::Bucket;
use super::traffic::{Counts, Traffic};
use super::{Location, Shape, WILDCARDS, glob, local};
use crate::error::{Error, Result};
use crate::lake::store::{self, Store};
use crate::lake::{Root, is_address};

/// How long giving up an upload may take, and its beginning when nobody waits for it any more.
pub(super) const GIVING_UP: Duration = Duration::from_secs(5);

/// The stores of a lake. Making them costs nothing; a bucket is reached by its first request.
#[derive(Clone, Debug)]
pub struct Stores {
    declared: BTreeMap<String, Store>,
    /// Buckets by name, once they are asked for.
    buckets: Arc<Mutex<HashMap<String, Bucket>>>,
    /// Uploads that are being begun or given up.
    unsettled: Arc<Mutex<Vec<JoinHandle<()>>>>,
    traffic: Arc<Traffic>,
    /// Room on the disk for what is read from buckets, and the cache once a bucket is read from.
    cache_bytes_max: u64,
    cache: OnceLock<Arc<Cache>>,
    /// Where requests run. Statements come and go with threads of their own, connections and credentials stay.
    runtime: Handle,
}

impl Stores {
    /// Stores of which no manifest says anything; `runtime` must outlive them.
    pub fn new(runtime: Handle) -> Self {
        Self {
            declared: BTreeMap::new(),
            buckets: Arc::default(),
            unsettled: Arc::default(),
            traffic: Arc::default(),
            cache_bytes_max: 0,
            cache: OnceLock::new(),
            runtime,
        }
    }

    /// The same with what a manifest says of its stores, and with so many bytes of the disk for what is read from them. A bucket that was reached to read the manifest stays reached.
    #[must_use]
    pub fn declare(self, declared: BTreeMap<String, Store>, cache_bytes_max: u64) -> Self {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.retain(|bucket, _| declared.values().all(|store| store.bucket != *bucket));
        drop(buckets);
        Self { declared, cache_bytes_max, ..self }
    }

    /// What was asked of all stores so far.
    pub fn counts(&self) -> Counts {
        self.traffic.so_far()
    }

    /// The declared stores.
    pub fn declared(&self) -> impl Iterator<Item = &Store> {
        self.declared.values()
    }

    /// The location of a path that was written in a manifest or a statement; relative paths start at `root`.
    ///
    /// # Errors
    /// `NotFound` when nothing is there on the disk, `Usage` when a glob is malformed.
    pub fn locate(&self, root: &Root, written: &str) -> Result<Location> {
        if let Some(address) = self.address(root, written) {
            return in_bucket(&address, written);
        }
        match root {
            Root::Folder(folder) => local::open(folder, written),
            Root::Address(_) => local::open(Path::new("/"), written),
        }
    }

    /// The address of what was written, if it is in a bucket.
    pub fn address(&self, root: &Root, written: &str) -> Option<String> {
        if is_address(written) {
            return Some(written.to_owned());
        }
        let is_local = written.starts_with("file://") || written.starts_with(['/', '~']);
        match (store::named(written), root) {
            (Some((name, below)), _) if self.declared.contains_key(name) => Some(self.declared[name].address(below)),
            (_, Root::Address(address)) if !is_local => Some(format!("{address}/{written}")),
            _ => None,
        }
    }

    /// The address of an output, if it goes into a bucket.
    ///
    /// # Errors
    /// `Usage` for a kind of storage that is not known and for a store that is not declared.
    pub fn output(&self, root: &Root, written: &str) -> Result<Option<String>> {
        store::check_place("the output", written, &self.declared)?;
        Ok(self.address(root, written))
    }

    /// The store of an address; every address in a bucket has the same one.
    ///
    /// # Errors
    /// `InvalidData` when it is no address of a bucket.
    pub fn bucket(&self, address: &str) -> Result<Bucket> {
        let (bucket, _) = store::take_apart(address)?;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = buckets.entry(bucket.clone()).or_insert_with(|| {
            let declared = self.declared.values().find(|store| store.bucket == bucket);
            let store = declared.cloned().unwrap_or_else(|| Store::undeclared(&bucket));
            Bucket::new(store, Arc::clone(&self.traffic), self.runtime.clone())
        });
        Ok(opened.clone())
    }

    /// The objects that a listing found at a location, for reading: as they were listed, and from the cache where it has them.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn objects(&self, location: &Location, listed: &[&ObjectMeta]) -> Result<Objects> {
        if location.is_local() {
            return Ok(Objects::local(Arc::new(Pinned::on_disk(listed.iter().copied()))));
        }
        let bucket = self.bucket(&location.store_url)?;
        let cache = self.cache.get_or_init(|| Arc::new(Cache::new(self.cache_bytes_max, Arc::clone(&self.traffic))));
        let pinned = Pinned::new(Arc::new(bucket.clone()), listed.iter().copied());
        Ok(Objects::remote(bucket, Arc::new(pinned), listed, Arc::clone(cache)))
    }

    /// The store of objects that a listing found at a location, read as they were listed, and not from the cache.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn as_listed(&self, location: &Location, listed: &[ObjectMeta]) -> Result<Arc<dyn ObjectStore>> {
        Ok(Arc::new(match location.is_local() {
            true => Pinned::on_disk(listed),
            false => Pinned::new(self.open(&location.store_url)?, listed),
        }))
    }

    /// The store of a location's or a statement's address, local or in a bucket.
    ///
    /// # Errors
    /// `Usage` when the address is of a kind that is not known.
    pub fn open(&self, address: &str) -> Result<Arc<dyn ObjectStore>> {
        if address.starts_with("file://") {
            return Ok(local::store());
        }
        match address.split_once("://") {
            Some((scheme, _)) if !is_address(address) => Err(Error::usage(format!("`{scheme}://` is not known"))
                .hint("files are local, or in a bucket at `s3://bucket/folder/`")),
            _ => Ok(Arc::new(self.bucket(address)?)),
        }
    }
}

impl Stores {
    /// The bucket and the path in it that a statement wants to write to.
    ///
    /// # Errors
    /// `Usage` for a store that the manifest does not let be written to.
    pub fn writable(&self, address: &str) -> Result<(Bucket, ObjectPath)> {
        let (bucket, path) = store::take_apart(address)?;
        if let Some(store) = self.declared.values().find(|store| store.bucket == bucket && !store.write) {
            return Err(Error::usage(format!("cannot write `{address}`: store `{}` is for reading", store.name))
                .hint(format!("if statements may write there, set `write = true` in `[store.{}]`", store.name)));
        }
        let path = ObjectPath::parse(&path)
            .map_err(|error| Error::usage(format!("`{address}` is no valid address: {error}")).caused_by(error))?;
        Ok((self.bucket(address)?, path))
    }

    /// Where an upload that is written to from outside any statement runs.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Gives an upload up, so that the server need not keep its parts, when those on their way have ended: a part that a server
    /// takes in behind the end of its upload stays there.
    pub fn give_up(&self, mut upload: Box<dyn MultipartUpload>, parts: Vec<JoinHandle<()>>) {
        self.spawn(async move {
            // A server that cannot be reached keeps the parts until its own rules remove them; nobody ever sees them.
            let _ = timeout(GIVING_UP, join_all(parts)).await;
            let _ = timeout(GIVING_UP, upload.abort()).await;
        });
    }

    /// Begins or ends an upload on the program's own runtime; [`Self::settle`] waits for it also when nobody else does any more.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let task = self.runtime.spawn(work);
        let mut unsettled = self.unsettled.lock().unwrap_or_else(PoisonError::into_inner);
        unsettled.retain(|task| !task.is_finished());
        unsettled.push(task);
    }

    /// Waits until every upload that was given up is gone.
    pub async fn settle(&self) {
        loop {
            let unsettled = std::mem::take(&mut *self.unsettled.lock().unwrap_or_else(PoisonError::into_inner));
            if unsettled.is_empty() {
                return;
            }
            for task in unsettled {
                // It has its own limit, and a panic in it is told by the runtime. One that has begun an upload for nobody leaves
                // behind one that gives it up.
                let _ = task.await;
            }
        }
    }
}

/// The location of an address.
fn in_bucket(address: &str, written: &str) -> Result<Location> {
    let (bucket, path) = store::take_apart(address)?;
    let is_wild = |part: &str| part.contains(WILDCARDS);
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let wild = parts.iter().position(|part| is_wild(part)).unwrap_or(parts.len());
    let base = parts[..wild].join("/");
    let shape = match parts.len() {
        all if wild < all => glob(written, &parts[wild..].join("/"))?,
        _ if !address.ends_with('/') && parts.last().is_some_and(|name| name.contains('.')) => Shape::Either,
        _ => Shape::Folder,
    };
    let base = ObjectPath::parse(&base)
        .map_err(|error| Error::usage(format!("`{written}` is no valid address: {error}")).caused_by(error))?;
    Ok(Location { store_url: format!("{}{bucket}/", store::SCHEME), written: written.to_owned(), base, shape })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_on_the_disk_are_read_as_they_were_listed() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("it is written");
        write("a.csv", "first");
        let stores = Stores::new(Handle::current());
        let location = stores.locate(&Root::Folder(folder.path().to_owned()), "a.csv").expect("it is there");
        let store = stores.open(&location.store_url).expect("the disk");
        let files = location.list(store.as_ref(), &["csv"]).await.expect("a listing").files;
        let objects = stores.objects(&location, &files.iter().collect::<Vec<_>>()).expect("a store");
        let listed = stores.as_listed(&location, &files).expect("a store");
        write("b.csv", "other");
        std::fs::rename(folder.path().join("b.csv"), folder.path().join("a.csv")).expect("it is replaced");
        for store in [objects.store(), &listed] {
            let error = store.get_ranges(&files[0].location, &[0..1, 2..3]).await.expect_err("it is another");
            assert!(error.to_string().contains("changed while it was read"), "{error}");
        }
    }
}
