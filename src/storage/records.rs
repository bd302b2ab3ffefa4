//! The small objects in which a lake keeps what was done: runs and their claims, checks, alerts.
//!
//! They lie in the lake's own folder (`[lake] records`), on the disk or in a bucket. An object is written whole: who reads one
//! never sees half of it, and on the disk it is there before its name is, whatever happens to the machine. Names are letters,
//! digits, `-`, `_` and `.`, in folders set apart by `/`.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path as ObjectPath;
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use uuid::Uuid;

use super::{Stores, explain, local};
use crate::error::{Error, Result};
use crate::lake::Lake;

/// Objects that are read at once.
const AT_ONCE: usize = 16;

/// How often, and after which pause, an object is created again where the server says neither yes nor no.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(50);

/// The records of a lake.
#[derive(Clone, Debug)]
pub struct Records {
    stores: Stores,
    store: Arc<dyn ObjectStore>,
    /// The folder with the records, as the store has it.
    base: ObjectPath,
    /// The same in a bucket, for which writing must be allowed.
    address: Option<String>,
    /// The same as its user writes it.
    written: String,
    /// What they lie on.
    medium: Medium,
}

/// What no name of an object has, and that of a file that is being written.
const UNDER_WAY: char = '#';

/// What records lie on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    Disk,
    /// A bucket, whose server sees to it that what it has taken stays.
    Bucket,
}

/// What becomes of an object that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum There {
    Stays,
    IsReplaced,
}

impl Records {
    /// The records of a lake; nothing is read yet, and the folder need not be there.
    ///
    /// # Errors
    /// `Usage` when the path is none.
    pub fn open(stores: &Stores, lake: &Lake) -> Result<Self> {
        let written = lake.records.clone();
        let address = stores.address(&lake.root, &written);
        let medium = if address.is_some() { Medium::Bucket } else { Medium::Disk };
        let (store, base) = match (&address, &lake.root) {
            (Some(address), _) => {
                let (_, path) = crate::lake::store::take_apart(address)?;
                let base = ObjectPath::parse(&path)
                    .map_err(|error| Error::usage(format!("`{written}` is no valid address: {error}")))?;
                (stores.open(address)?, base)
            }
            (None, root) => (local::store(), local::folder(root, &written)?),
        };
        Ok(Self { stores: stores.clone(), store, base, address, written, medium })
    }

    /// Records in a folder of a store; whether it may be written to is asked elsewhere.
    pub fn at(stores: &Stores, store: Arc<dyn ObjectStore>, base: ObjectPath, written: String, medium: Medium) -> Self {
        Self { stores: stores.clone(), store, base, address: None, written, medium }
    }

    /// Records in memory, for tests of what is kept in them.
    ///
    /// # Panics
    /// When the machine has no threads left.
    #[cfg(test)]
    pub fn in_memory() -> Self {
        // No bucket is ever reached, and so nothing is run there.
        static RUNTIME: std::sync::OnceLock<tokio::runtime::Runtime> = std::sync::OnceLock::new();
        let runtime = RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().expect("a runtime"));
        Self {
            stores: Stores::new(runtime.handle().clone()),
            store: Arc::new(object_store::memory::InMemory::new()),
            base: ObjectPath::from("records"),
            address: None,
            written: "records".to_owned(),
            medium: Medium::Bucket,
        }
    }

    /// Where an object lies, for errors.
    pub fn shown(&self, name: &str) -> String {
        format!("{}/{name}", self.written.trim_end_matches('/'))
    }

    /// Creates an object; `false` when somebody else has created it before. Of all who try, on any number of machines, one alone
    /// is told `true`. An answer of the server that is lost leaves it open who that was, so what is written is held against what
    /// is there: `bytes` must be the caller's own, by an id that nobody else has.
    ///
    /// # Errors
    /// `Storage` when it cannot be written, `Usage` when the store is for reading.
    pub async fn create(&self, name: &str, bytes: impl Into<Bytes>) -> Result<bool> {
        self.check_writable()?;
        let (place, bytes) = (self.place(name)?, bytes.into());
        let failed = |error: StoreError| explain(&error, &format!("cannot write `{}`", self.shown(name)));
        if let Some(file) = self.on_disk(&place) {
            return match self.write(name, file, bytes.clone(), There::Stays).await? {
                true => Ok(true),
                // Nobody deletes it but who has done with it, and then it was another's.
                false => Ok(self.read(name).await? == Some(bytes)),
            };
        }
        for tried in 1..=TRIES {
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            match self.store.put_opts(&place, bytes.clone().into(), options).await {
                Ok(_) => return Ok(true),
                Err(StoreError::AlreadyExists { .. }) => {}
                Err(error) => return Err(failed(error)),
            }
            if let Some(there) = self.read(name).await? {
                return Ok(there == bytes);
            }
            // Of requests at the same moment a server may refuse all, and hold none to have been first.
            tokio::time::sleep(PAUSE * tried).await;
        }
        Err(Error::storage(format!("cannot write `{}`: its server neither takes it nor has it", self.shown(name))))
    }

    /// Writes an object, in the place of one that may be there.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub async fn put(&self, name: &str, bytes: impl Into<Bytes>) -> Result<()> {
        self.check_writable()?;
        let (place, bytes) = (self.place(name)?, bytes.into());
        if let Some(file) = self.on_disk(&place) {
            return self.write(name, file, bytes, There::IsReplaced).await.map(|_| ());
        }
        let written = self.store.put(&place, bytes.into()).await;
        written.map_err(|error| explain(&error, &format!("cannot write `{}`", self.shown(name)))).map(|_| ())
    }

    /// An object; `None` where there is none.
    ///
    /// # Errors
    /// `Storage` when it cannot be read.
    pub async fn read(&self, name: &str) -> Result<Option<Bytes>> {
        let place = self.place(name)?;
        let read = async { self.store.get(&place).await?.bytes().await };
        match read.await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(explain(&error, &format!("cannot read `{}`", self.shown(name)))),
        }
    }

    /// The names of all objects below a folder, sorted; none where there is no folder.
    ///
    /// # Errors
    /// `Storage` when it cannot be listed.
    pub async fn list(&self, folder: &str) -> Result<Vec<String>> {
        let found: Vec<_> = self
            .store
            .list(Some(&self.place(folder)?))
            .try_collect()
            .await
            .map_err(|error| self.unlisted(&error, folder))?;
        let mut names: Vec<String> = found.iter().filter_map(|object| self.name(&object.location)).collect();
        names.sort();
        Ok(names)
    }

    /// The names of the folders right below a folder, sorted, each without what is above it.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn folders(&self, folder: &str) -> Result<Vec<String>> {
        let place = self.place(folder)?;
        let found = match self.store.list_with_delimiter(Some(&place)).await {
            Err(StoreError::NotFound { .. }) => return Ok(Vec::new()),
            found => found.map_err(|error| self.unlisted(&error, folder))?,
        };
        let mut names: Vec<String> =
            found.common_prefixes.iter().filter_map(|path| path.filename().map(str::to_owned)).collect();
        names.sort();
        Ok(names)
    }

    /// The objects below a folder with their names, sorted by name.
    ///
    /// # Errors
    /// `Storage` when they cannot be listed or read.
    pub async fn all(&self, folder: &str) -> Result<Vec<(String, Bytes)>> {
        let reading = self.list(folder).await?.into_iter().map(async |name| {
            let bytes = self.read(&name).await?;
            // One that has gone since the listing is none.
            Ok(bytes.map(|bytes| (name, bytes)))
        });
        let read: Vec<Option<(String, Bytes)>> = stream::iter(reading).buffered(AT_ONCE).try_collect().await?;
        Ok(read.into_iter().flatten().collect())
    }

    /// Deletes an object; that there is none is no error.
    ///
    /// # Errors
    /// `Storage` when it cannot be deleted.
    pub async fn delete(&self, name: &str) -> Result<()> {
        self.check_writable()?;
        match self.store.delete(&self.place(name)?).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(explain(&error, &format!("cannot delete `{}`", self.shown(name)))),
        }
    }

    /// The files of the folder itself, on the disk, that are being written, or were when their writer was killed.
    ///
    /// # Errors
    /// `Storage` when it cannot be listed.
    pub fn under_way(&self) -> Result<Vec<PathBuf>> {
        let Some(folder) = self.on_disk(&self.base) else { return Ok(Vec::new()) };
        match under_way(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            listed => listed
                .map_err(|error| Error::storage(format!("cannot list `{}`: {error}", self.written)).caused_by(error)),
        }
    }

    /// Where this machine's disk has an object; `None` for one in a bucket.
    fn on_disk(&self, place: &ObjectPath) -> Option<PathBuf> {
        if self.medium == Medium::Disk { local::path(place) } else { None }
    }

    /// Writes an object on the disk; `false` when one is there that stays.
    async fn write(&self, name: &str, file: PathBuf, bytes: Bytes, there: There) -> Result<bool> {
        // Whoever waits for the disk holds up nobody else.
        let written = tokio::task::spawn_blocking(move || write_on_disk(&file, &bytes, there)).await;
        let written = written.map_err(|error| Error::internal(error.to_string()).caused_by(error))?;
        written
            .map_err(|error| Error::storage(format!("cannot write `{}`: {error}", self.shown(name))).caused_by(error))
    }

    fn place(&self, name: &str) -> Result<ObjectPath> {
        ObjectPath::parse(format!("{}/{name}", self.base))
            .map_err(|error| Error::internal(format!("`{name}` is no name of a record: {error}")).caused_by(error))
    }

    /// The name of an object that a listing found; `None` for the folder itself, which a bucket's browser shows by an object.
    fn name(&self, place: &ObjectPath) -> Option<String> {
        let parts: Vec<_> = place.prefix_match(&self.base)?.collect();
        let name = parts.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("/");
        (!name.is_empty()).then_some(name)
    }

    fn unlisted(&self, error: &StoreError, folder: &str) -> Error {
        explain(error, &format!("cannot list `{}`", self.shown(folder)))
    }

    fn check_writable(&self) -> Result<()> {
        match &self.address {
            Some(address) => self.stores.writable(address).map(|_| ()),
            None => Ok(()),
        }
    }
}

/// Writes a file under a name that no listing shows, and gives it its own name when all of its bytes are on the disk: without
/// that a machine that loses its power may keep the name and lose the bytes.
fn write_on_disk(file: &Path, bytes: &[u8], there: There) -> io::Result<bool> {
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it names no file"));
    };
    make_folder(folder)?;
    let mut prefix = name.to_owned();
    // The store takes a name that ends in this and digits for that of a file under way.
    prefix.push(format!("{UNDER_WAY}{}", Uuid::now_v7().as_u128()));
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).rand_bytes(0);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut under_way = builder.tempfile_in(folder)?;
    under_way.write_all(bytes)?;
    under_way.as_file().sync_all()?;
    match there {
        There::IsReplaced => {
            under_way.persist(file).map_err(|error| error.error)?;
        }
        There::Stays => match std::fs::hard_link(under_way.path(), file) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            linked => linked?,
        },
    }
    sync_folder(folder)?;
    Ok(true)
}

fn under_way(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().contains(UNDER_WAY) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Makes a folder and those above it that are missing, each with its name on the disk.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().unwrap_or(Path::new("/"));
    if above != folder {
        make_folder(above)?;
    }
    match std::fs::create_dir(folder) {
        // Another was sooner.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made.and_then(|()| sync_folder(above)),
    }
}

/// Has the disk keep the names in a folder whatever happens to the machine.
///
/// # Errors
/// Those of the disk. Where folders cannot be opened, and on file systems that do not know how, it is left to them.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    let Ok(folder) = File::open(folder) else { return Ok(()) };
    match folder.sync_all() {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::runtime::Runtime;

    use super::*;

    /// On the disk, and in memory, which stands for a bucket.
    fn each(test: impl AsyncFn(Records)) {
        let runtime = Runtime::new().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let stores = Stores::new(runtime.handle().clone());
        let on_disk = Records::open(&stores, &Lake::nowhere(folder.path().to_owned())).expect("records");
        let in_memory = Records::in_memory();
        runtime.block_on(async {
            test(on_disk).await;
            test(in_memory).await;
        });
    }

    #[test]
    fn what_is_written_is_read_listed_and_deleted() {
        each(async |records| {
            assert_eq!(records.list("").await.expect("a listing"), Vec::<String>::new());
            assert_eq!(records.folders("runs").await.expect("a listing"), Vec::<String>::new());
            for name in ["runs/2026-11/b.json", "runs/2026-11/a.json", "runs/2026-10/c.json", "runs-not/x.json"] {
                records.put(name, name.as_bytes().to_vec()).await.expect("it is written");
            }
            records.put("runs/2026-11/a.json", "again").await.expect("it is written");
            let all = records.all("runs").await.expect("all");
            let shown: Vec<(&str, &[u8])> = all.iter().map(|(name, bytes)| (name.as_str(), bytes.as_ref())).collect();
            let wanted: [(&str, &[u8]); 3] = [
                ("runs/2026-10/c.json", b"runs/2026-10/c.json"),
                ("runs/2026-11/a.json", b"again"),
                ("runs/2026-11/b.json", b"runs/2026-11/b.json"),
            ];
            assert_eq!(shown, wanted);
            assert_eq!(records.folders("runs").await.expect("a listing"), ["2026-10", "2026-11"]);
            records.delete("runs/2026-10/c.json").await.expect("it is deleted");
            records.delete("runs/2026-10/c.json").await.expect("it is gone already");
            assert_eq!(records.read("runs/2026-10/c.json").await.expect("it is looked for"), None);
        });
    }

    #[test]
    fn of_many_who_create_an_object_one_alone_has_done_so() {
        each(async |records| {
            for round in 0..50 {
                let name = format!("claims/{round}");
                let created = AtomicUsize::new(0);
                stream::iter(0..8)
                    .for_each_concurrent(8, async |claimer| {
                        let is_mine = records.create(&name, format!("claimer {claimer}")).await.expect("an answer");
                        created.fetch_add(usize::from(is_mine), Ordering::SeqCst);
                    })
                    .await;
                assert_eq!(created.into_inner(), 1);
            }
        });
    }

    #[test]
    fn who_creates_the_same_bytes_again_is_told_that_they_are_his() {
        each(async |records| {
            assert!(records.create("claims/x", "mine").await.expect("an answer"));
            assert!(records.create("claims/x", "mine").await.expect("an answer"));
            assert!(!records.create("claims/x", "another's").await.expect("an answer"));
        });
    }

    #[test]
    fn what_is_being_written_on_the_disk_is_not_listed_and_leaves_nothing_behind() {
        let runtime = Runtime::new().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let stores = Stores::new(runtime.handle().clone());
        let records = Records::open(&stores, &Lake::nowhere(folder.path().to_owned())).expect("records");
        runtime.block_on(async {
            assert!(records.create("open/s/x", "one").await.expect("an answer"));
            assert!(!records.create("open/s/x", "other").await.expect("an answer"));
            records.put("open/s/x", "two").await.expect("it is written");
            let place = folder.path().join(".cxlake/open/s");
            let names =
                || std::fs::read_dir(&place).expect("a folder").map(|entry| entry.expect("an entry").file_name());
            assert_eq!(names().collect::<Vec<_>>(), ["x"]);
            // As a process leaves it that was killed before its bytes were on the disk.
            std::fs::write(place.join(format!("y#{}", Uuid::now_v7().as_u128())), "").expect("it is written");
            assert_eq!(records.list("open").await.expect("a listing"), ["open/s/x"]);
        });
    }

    #[test]
    fn what_a_writer_left_that_was_killed_is_found_and_nothing_else() {
        let runtime = Runtime::new().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let stores = Stores::new(runtime.handle().clone());
        let records = Records::open(&stores, &Lake::nowhere(folder.path().to_owned())).expect("records");
        assert_eq!(records.under_way().expect("no folder yet"), [] as [PathBuf; 0]);
        runtime.block_on(async {
            records.put("x", "one").await.expect("it is written");
            records.put("in/y", "two").await.expect("it is written");
        });
        let left = folder.path().join(".cxlake/z#123");
        std::fs::write(&left, "").expect("it is written");
        assert_eq!(records.under_way().expect("a listing"), [left]);
    }

    #[test]
    fn records_lie_where_the_manifest_says() {
        let runtime = Runtime::new().expect("a runtime");
        let stores = Stores::new(runtime.handle().clone());
        let lake = Lake::nowhere(Path::new("/lakes/cx").to_owned());
        let base = |records: &str| {
            let lake = Lake { records: records.to_owned(), ..lake.clone() };
            Records::open(&stores, &lake).map(|records| records.base.to_string())
        };
        assert_eq!(base(".cxlake").expect("a folder"), "lakes/cx/.cxlake");
        assert_eq!(base("../kept/").expect("a folder"), "lakes/kept");
        assert_eq!(base("s3://bucket/kept/here").expect("an address"), "kept/here");
    }
}
