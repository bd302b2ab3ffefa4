//! Objects in blocks of one size: those that are kept are not asked for again, neighbours that are not are asked for at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use foyer_memory::{Cache, CacheBuilder};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as ObjectPath;
use object_store::{
    Attributes, CopyOptions, Error as StoreError, GetOptions, GetRange, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result,
};

use super::super::s3::Bucket;
use super::super::traffic::Traffic;
use super::disk::Disk;
use super::key;
use super::turns::Turns;
use crate::error::Error;

/// Bytes of a block. Small blocks keep little that nobody asked for, large ones are fewer files.
const BLOCK: u64 = BLOCK_BYTES as u64;
const BLOCK_BYTES: usize = 256 << 10;

/// Blocks between two that are missing which are asked for with them: a request costs more than a megabyte.
const GAP: u64 = 4;

/// Blocks that one request asks for at most; longer ranges come in several requests at once.
const RUN: u64 = 32;

/// Requests of one read under way at once.
const AT_ONCE: usize = 8;

/// Bytes of blocks that are kept in memory, so that they need not be read from the disk again and are kept where there is none.
const MEMORY: usize = 32 << 20;

/// The blocks that are kept.
pub struct Blocks {
    memory: Cache<String, Bytes>,
    disk: Disk,
    /// Whose blocks are being fetched.
    fetchers: Turns,
    /// Bytes that one scan keeps at most: a scan larger than the cache would drive out all there is, itself included.
    scan_max: u64,
}

impl Blocks {
    pub fn new(disk: Disk) -> Self {
        let scan_max = disk.bytes_max() / 2;
        let memory = CacheBuilder::new(MEMORY).with_weighter(|_: &String, block: &Bytes| block.len()).build();
        Self { memory, disk, fetchers: Turns::default(), scan_max }
    }

    fn get(&self, key: &str) -> Option<Bytes> {
        if let Some(block) = self.memory.get(key) {
            return Some(block.value().clone());
        }
        let block = self.disk.get(key)?;
        self.memory.insert(key.to_owned(), block.clone());
        Some(block)
    }

    fn put(&self, key: String, block: Bytes) {
        self.disk.put(&key, &block);
        self.memory.insert(key, block);
    }
}

impl fmt::Debug for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocks").field("disk", &self.disk).finish_non_exhaustive()
    }
}

/// A store whose listed objects are read in blocks.
#[derive(Debug)]
pub struct Cached {
    /// Reads the versions that were listed.
    inner: Arc<dyn ObjectStore>,
    bucket: Bucket,
    listed: HashMap<ObjectPath, ObjectMeta>,
    blocks: Arc<Blocks>,
    /// Bytes that were kept of this scan.
    kept: AtomicU64,
    traffic: Arc<Traffic>,
}

impl Cached {
    pub fn new(
        inner: Arc<dyn ObjectStore>,
        bucket: Bucket,
        listed: &[&ObjectMeta],
        blocks: Arc<Blocks>,
        traffic: Arc<Traffic>,
    ) -> Self {
        let listed = listed.iter().map(|&file| (file.location.clone(), file.clone())).collect();
        Self { inner, bucket, listed, blocks, kept: AtomicU64::new(0), traffic }
    }

    /// The bytes of each range.
    async fn read(&self, file: &ObjectMeta, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let Some(key) = key(&self.bucket, file).await else {
            return self.inner.get_ranges(&file.location, ranges).await;
        };
        let numbers: BTreeSet<u64> = ranges
            .iter()
            .filter(|range| !range.is_empty())
            .flat_map(|range| range.start / BLOCK..range.end.div_ceil(BLOCK))
            .collect();
        let missing = |blocks: &BTreeMap<u64, Bytes>| {
            let missing = numbers.iter().copied().filter(|number| !blocks.contains_key(number));
            missing.collect::<BTreeSet<u64>>()
        };
        let mut blocks = self.kept_of(&key, numbers.clone()).await?;
        let mut turn = None;
        if let Some(first) = missing(&blocks).first() {
            // Another scan of the statement may be fetching the same.
            turn = Some(self.blocks.fetchers.wait((&key, first)).await);
            blocks.extend(self.kept_of(&key, missing(&blocks)).await?);
        }
        self.traffic.count(|counts| {
            counts.blocks += numbers.len() as u64;
            counts.blocks_kept += blocks.len() as u64;
        });
        let missing: Vec<u64> = missing(&blocks).into_iter().collect();
        let runs: Vec<Range<u64>> =
            runs(&missing).into_iter().map(|run| run.start * BLOCK..(run.end * BLOCK).min(file.size)).collect();
        let fetched: Vec<(u64, Bytes)> = stream::iter(runs)
            .map(|run| async move {
                let bytes = self.inner.get_range(&file.location, run.clone()).await?;
                match bytes.len() as u64 == run.end - run.start {
                    true => Ok((run.start, bytes)),
                    false => Err(short(file)),
                }
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let mut new = Vec::new();
        for (start, bytes) in fetched {
            let parts = (start / BLOCK..).zip((0..bytes.len()).step_by(BLOCK_BYTES));
            // A copy of each block: a slice would hold all that came with it for as long as the block is kept.
            new.extend(
                parts.map(|(number, at)| {
                    (number, Bytes::copy_from_slice(&bytes[at..bytes.len().min(at + BLOCK_BYTES)]))
                }),
            );
        }
        blocks.extend(new.iter().cloned());
        self.keep(key, new).await?;
        drop(turn);
        ranges.iter().map(|range| assembled(&blocks, range).ok_or_else(|| short(file))).collect()
    }

    /// The blocks of these numbers that are kept.
    async fn kept_of(&self, key: &str, numbers: BTreeSet<u64>) -> Result<BTreeMap<u64, Bytes>> {
        let (blocks, key) = (Arc::clone(&self.blocks), key.to_owned());
        let read = move || {
            let block = |number| Some((number, blocks.get(&format!("{key}{number}"))?));
            numbers.into_iter().filter_map(block).collect()
        };
        tokio::task::spawn_blocking(read).await.map_err(|source| StoreError::JoinError { source })
    }

    async fn keep(&self, key: String, new: Vec<(u64, Bytes)>) -> Result<()> {
        let bytes: usize = new.iter().map(|(_, block)| block.len()).sum();
        if new.is_empty() || self.kept.fetch_add(bytes as u64, Ordering::Relaxed) > self.blocks.scan_max {
            return Ok(());
        }
        let blocks = Arc::clone(&self.blocks);
        let write = move || new.into_iter().for_each(|(number, block)| blocks.put(format!("{key}{number}"), block));
        tokio::task::spawn_blocking(write).await.map_err(|source| StoreError::JoinError { source })
    }
}

/// Numbers in runs that are asked for at once.
fn runs(numbers: &[u64]) -> Vec<Range<u64>> {
    let mut runs: Vec<Range<u64>> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some(run) if number <= run.end + GAP && number < run.start + RUN => run.end = number + 1,
            _ => runs.push(number..number + 1),
        }
    }
    runs
}

/// The bytes of a range; `None` when a block of it is missing or too short.
fn assembled(blocks: &BTreeMap<u64, Bytes>, range: &Range<u64>) -> Option<Bytes> {
    let part = |number: u64| {
        let start = number * BLOCK;
        let from = usize::try_from(range.start.max(start) - start).ok()?;
        let to = usize::try_from(range.end.min(start + BLOCK) - start).ok()?;
        let block = blocks.get(&number)?;
        (from <= to && to <= block.len()).then(|| block.slice(from..to))
    };
    let numbers = range.start / BLOCK..range.end.div_ceil(BLOCK);
    if range.is_empty() {
        return Some(Bytes::new());
    }
    if numbers.end - numbers.start == 1 {
        return part(numbers.start);
    }
    let mut whole = BytesMut::with_capacity(usize::try_from(range.end - range.start).ok()?);
    for number in numbers {
        whole.extend_from_slice(&part(number)?);
    }
    Some(whole.freeze())
}

fn short(file: &ObjectMeta) -> StoreError {
    let error = Error::storage(format!("`{}` is shorter than its listing says", file.location));
    StoreError::Generic { store: "cache", source: Box::new(error.hint("run the statement again")) }
}

impl fmt::Display for Cached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Cached {
    async fn get_opts(&self, location: &ObjectPath, options: GetOptions) -> Result<GetResult> {
        match (self.listed.get(location), &options) {
            (Some(file), GetOptions { range: Some(GetRange::Bounded(range)), head: false, .. })
                if range.end <= file.size =>
            {
                let bytes = self.read(file, std::slice::from_ref(range)).await?;
                Ok(GetResult {
                    payload: GetResultPayload::Stream(stream::iter(bytes.into_iter().map(Ok)).boxed()),
                    meta: file.clone(),
                    range: range.clone(),
                    attributes: Attributes::default(),
                })
            }
            _ => self.inner.get_opts(location, options).await,
        }
    }

    async fn get_ranges(&self, location: &ObjectPath, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        match self.listed.get(location) {
            Some(file) if ranges.iter().all(|range| range.end <= file.size) => self.read(file, ranges).await,
            _ => self.inner.get_ranges(location, ranges).await,
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
    use super::*;

    #[test]
    fn missing_neighbours_are_one_request_and_long_runs_several() {
        assert_eq!(runs(&[]), []);
        assert_eq!(runs(&[3, 4, 9, 15, 16]), [3..10, 15..17]);
        assert_eq!(runs(&(0..70).collect::<Vec<_>>()), [0..32, 32..64, 64..70]);
    }

    #[test]
    fn a_range_is_put_together_from_its_blocks() {
        let block = |byte: u8, length: u64| Bytes::from(vec![byte; usize::try_from(length).expect("small")]);
        let blocks = BTreeMap::from([(0, block(0, BLOCK)), (1, block(1, BLOCK)), (2, block(2, 10))]);
        let of = |range: Range<u64>| assembled(&blocks, &range);
        assert_eq!(of(5..7).as_deref(), Some(&[0, 0][..]));
        assert_eq!(of(BLOCK - 1..BLOCK + 1).as_deref(), Some(&[0, 1][..]));
        assert_eq!(of(BLOCK - 1..2 * BLOCK + 3).map(|bytes| bytes.len() as u64), Some(BLOCK + 4));
        assert_eq!(of(2 * BLOCK..2 * BLOCK + 10).as_deref(), Some(&[2; 10][..]));
        assert_eq!(of(7..7).as_deref(), Some(&[][..]));
        assert_eq!(of(2 * BLOCK..2 * BLOCK + 11), None);
        assert_eq!(of(3 * BLOCK..3 * BLOCK + 1), None);
    }
}
