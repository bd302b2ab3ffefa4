//! What was read from buckets, kept for the next statement and the next call: footers of Parquet files, and blocks of data.
//!
//! Everything is kept by server, bucket, path and version, so that an object which is replaced has nothing to do with what is
//! kept of the one before. One folder of the user serves all lakes. Results of saved queries have a folder beside them; what
//! goes into it is decided above.

mod blocks;
mod disk;
mod turns;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use object_store::{ObjectMeta, ObjectStore};

use super::s3::Bucket;
use super::traffic::Traffic;
use blocks::{Blocks, Cached};
pub use disk::Disk;
use tokio::sync::MutexGuard;
use turns::Turns;

/// Share of the room on the disk that is for footers.
const FOOTERS: u64 = 4;

/// The caches of one program.
#[derive(Debug)]
pub struct Cache {
    footers: Disk,
    /// Whose footers are being read.
    readers: Turns,
    blocks: Option<Arc<Blocks>>,
    traffic: Arc<Traffic>,
}

impl Cache {
    /// A cache with at most so many bytes on the disk, or with 0 none at all. Nothing is touched before something is kept.
    pub fn new(bytes_max: u64, traffic: Arc<Traffic>) -> Self {
        let of_footers = bytes_max / FOOTERS;
        let disk = |name, bytes_max| Disk::new(folder(name).filter(|_| bytes_max > 0), bytes_max);
        let blocks = (bytes_max > 0).then(|| Arc::new(Blocks::new(disk("blocks", bytes_max - of_footers))));
        Self { footers: disk("footers", of_footers), readers: Turns::default(), blocks, traffic }
    }
}

/// The folder for results of saved queries, with so many bytes at most, or with 0 none at all. Nothing is touched before one is kept.
pub fn results(bytes_max: u64) -> Disk {
    Disk::new(folder("results").filter(|_| bytes_max > 0), bytes_max)
}

/// A folder below that of the user's caches.
fn folder(name: &str) -> Option<PathBuf> {
    Some(dirs::cache_dir()?.join("cxlake").join(name))
}

/// Objects of one location, read in the versions that a listing found, and from the cache where that has them.
#[derive(Clone, Debug)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    /// The bucket that they are in, and the cache; `None` on the disk.
    remote: Option<(Bucket, Arc<Cache>)>,
}

impl Objects {
    /// Objects on the disk.
    pub fn local(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, remote: None }
    }

    /// Objects of a bucket, which `pinned` reads in the versions that were listed.
    pub fn remote(bucket: Bucket, pinned: Arc<dyn ObjectStore>, listed: &[&ObjectMeta], cache: Arc<Cache>) -> Self {
        let store = match &cache.blocks {
            Some(blocks) => {
                let traffic = Arc::clone(&cache.traffic);
                Arc::new(Cached::new(pinned, bucket.clone(), listed, Arc::clone(blocks), traffic))
            }
            None => pinned,
        };
        Self { store, remote: Some((bucket, cache)) }
    }

    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// Waits for another scan that reads the footer of the same file; one statement may scan a table several times at once.
    pub async fn turn(&self, file: &ObjectMeta) -> Option<MutexGuard<'_, ()>> {
        let (bucket, cache) = self.remote.as_ref()?;
        Some(cache.readers.wait((bucket.to_string(), &file.location)).await)
    }

    /// The end of a file with its footer, as [`Self::keep_footer`] kept it; `None` where it did not.
    pub async fn footer(&self, file: &ObjectMeta) -> Option<Bytes> {
        let (bucket, cache) = self.remote.as_ref()?;
        let kept = cache.footers.get(&key(bucket, file).await?);
        cache.traffic.count(|counts| {
            counts.footers += 1;
            counts.footers_kept += u64::from(kept.is_some());
        });
        kept
    }

    /// Keeps the end of a file, with its footer, for other calls.
    pub async fn keep_footer(&self, file: &ObjectMeta, end: &[u8]) {
        let Some((bucket, cache)) = &self.remote else { return };
        if let Some(key) = key(bucket, file).await {
            cache.footers.put(&key, end);
        }
    }
}

/// What tells a version of an object from every other object.
async fn key(bucket: &Bucket, file: &ObjectMeta) -> Option<String> {
    // A bucket that cannot be reached says so when it is read.
    let bucket = bucket.address().await.ok()?;
    let version = match &file.e_tag {
        Some(tag) => format!("tag {tag}"),
        None => format!("time {}", file.last_modified.to_rfc3339()),
    };
    Some(format!("{bucket}\n{}\n{version}\n{}\n", file.location, file.size))
}
