//! A change of which files of a folder count: announced, written, committed in one step, or given up.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use object_store::path::Path as ObjectPath;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::{
    AT_ONCE, Announced, FOLDER, Links, PAUSE, Replaced, State, Void, begins, file_number, is_replaced, is_settled,
    name_below, newest, read, reading, record_name, record_number, tail, version, whole,
};
use crate::error::{Error, Result};
use crate::storage::records::{Medium, sync_folder};
use crate::storage::{Location, Records, Staged, Stores, explain};

/// The lock on the disk, and the object in a bucket, by which a change is known to be alive.
const LOCK: &str = "lock";
const ALIVE: &str = "alive.json";

/// How often the object is written, and how old that of a change is which has ended.
const BEAT: Duration = Duration::from_secs(15);
const DEAD: TimeDelta = TimeDelta::minutes(2);

/// A change under way. Dropped before its end it is one that was killed, and the next one clears up behind it.
#[derive(Debug)]
pub struct Change {
    stores: Stores,
    location: Location,
    store: Arc<dyn ObjectStore>,
    records: Records,
    /// The number of its files.
    number: u64,
    /// That of the last record it has made.
    last: u64,
    /// An id that no other change has.
    by: String,
    /// What the next record says.
    state: State,
    /// What the last one said, but for the announcement.
    said: State,
    /// Its files: where they are written, and where they appear.
    files: Vec<(ObjectPath, ObjectPath)>,
    /// Where they are written in a bucket.
    staged: Option<Staged>,
    alive: Alive,
}

/// What shows others that a change is alive.
#[derive(Debug)]
enum Alive {
    /// Held to the end of the process at the latest.
    Lock(#[expect(dead_code, reason = "held, never read")] File),
    Beat {
        task: JoinHandle<()>,
        /// Locked while a beat is on its way.
        has_ended: Arc<Mutex<bool>>,
    },
}

impl Alive {
    /// Lets no beat come any more, waits for the one that is on its way, and takes the sign of life away.
    async fn end(&self, records: &Records) -> Result<()> {
        if let Self::Beat { has_ended, .. } = self {
            *has_ended.lock().await = true;
            records.delete(ALIVE).await?;
        }
        Ok(())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        if let Self::Beat { task, .. } = self {
            task.abort();
        }
    }
}

/// Replaced files that are still there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    pub files: usize,
    pub bytes: u64,
    /// When the last of them was replaced.
    pub since: Option<DateTime<Utc>>,
}

impl Waiting {
    /// The replaced files of a location, and whether its records want tidying: a change was killed, or files have waited for
    /// as long as they are kept.
    ///
    /// # Errors
    /// `InvalidData` for a damaged record; `Storage` when it cannot be read.
    pub async fn of(stores: &Stores, location: &Location, keep: TimeDelta, now: DateTime<Utc>) -> Result<(Self, bool)> {
        let store = stores.open(&location.store_url)?;
        let records = records(stores, location, Arc::clone(&store));
        let (_, state) = latest(store.as_ref(), location).await?;
        let is_over = |file: &Replaced| file.deleted_at.is_none() && now - file.since >= keep;
        let wants = state.announced.is_some()
            || state.replaced.iter().any(is_over)
            || state.clone().settled(now, &[]) != state
            || !records.under_way()?.is_empty();
        Ok((waiting(&state), wants))
    }
}

fn waiting(state: &State) -> Waiting {
    let there = || state.replaced.iter().filter(|file| file.deleted_at.is_none());
    Waiting {
        files: there().count(),
        bytes: there().map(|file| file.bytes).sum(),
        since: there().map(|file| file.since).max(),
    }
}

/// The records of a location.
fn records(stores: &Stores, location: &Location, store: Arc<dyn ObjectStore>) -> Records {
    let written = format!("{}/{FOLDER}", location.written.trim_end_matches('/'));
    let medium = if location.is_local() { Medium::Disk } else { Medium::Bucket };
    Records::at(stores, store, location.base.clone().join(FOLDER), written, medium)
}

/// The newest record, 0 for none, and what it says.
async fn latest(store: &dyn ObjectStore, location: &Location) -> Result<(u64, State)> {
    loop {
        let Some((number, record)) = newest(store, location, &location.base).await? else {
            return Ok((0, State::default()));
        };
        if let Some(state) = read(store, location, &record).await? {
            return Ok((number, state));
        }
    }
}

impl Change {
    /// Announces a change of the files in a folder, and clears up behind one that was killed.
    ///
    /// # Errors
    /// `Usage` where nothing may be written; `Storage` when another change is under way, and when the server cannot create an
    /// object for one alone.
    pub async fn begin(stores: &Stores, location: &Location, now: DateTime<Utc>) -> Result<Self> {
        let store = stores.open(&location.store_url)?;
        if !location.is_local() {
            stores.writable(&format!("{}{}", location.store_url, location.base))?;
        }
        let place = location.base.clone().join(FOLDER);
        let records = records(stores, location, Arc::clone(&store));
        let lock = location.on_disk(&place).map(|folder| lock(&folder, location)).transpose()?;
        let (before, mut state) = latest(store.as_ref(), location).await?;
        let alive = if let Some(lock) = lock {
            Alive::Lock(lock)
        } else {
            // Behind its commit a change is announced no more, and still deletes.
            if is_alive(store.as_ref(), &place, now).await? {
                return Err(busy(location));
            }
            beat(&records).await?
        };
        let dead = state.announced.take();
        state.void.extend(dead.map(|dead| Void { number: dead.number, by: Some(dead.by), since: now }));
        let staged = (!location.is_local()).then(|| Staged::new(Arc::clone(&store), stores.clone()));
        let mut change = Self {
            stores: stores.clone(),
            location: location.clone(),
            store,
            records,
            number: before,
            last: before,
            by: Uuid::now_v7().simple().to_string(),
            said: state.clone(),
            state,
            files: Vec::new(),
            staged,
            alive,
        };
        let announced = change.announce(now).await;
        match announced {
            Ok(true) => Ok(change),
            // The sign of life is the other one's, too.
            Ok(false) => Err(busy(location)),
            Err(error) => {
                let _ = change.alive.end(&change.records).await;
                Err(error)
            }
        }
    }

    /// Announces the change behind the records that there are; `false` when another one came first.
    async fn announce(&mut self, now: DateTime<Utc>) -> Result<bool> {
        let before = self.last;
        let objects = objects(self.store.as_ref(), &self.location).await?;
        let number = objects.iter().filter_map(|file| file_number(file.location.filename()?)).max();
        self.number = number.unwrap_or_default().max(before) + 1;
        self.last = self.number;
        let announced = Announced { number: self.number, by: self.by.clone(), since: now };
        let announced = State { announced: Some(announced), ..self.state.clone() };
        if !self.records.create(&record_name(self.number), announced.bytes()?).await? {
            return Ok(false);
        }
        if !self.is_newest(before).await? {
            self.records.delete(&record_name(self.number)).await?;
            return Ok(false);
        }
        self.check_alone(&announced).await?;
        for void in &self.state.void {
            self.delete_left(void).await?;
        }
        Ok(true)
    }

    /// The store that files are written to.
    pub fn store(&self) -> Arc<dyn ObjectStore> {
        match &self.staged {
            Some(staged) => staged.store(),
            None => Arc::clone(&self.store),
        }
    }

    /// Why the store did not take what was written, if it did not.
    pub fn refusal(&self) -> Option<Error> {
        self.staged.as_ref().and_then(Staged::refusal)
    }

    /// Where the next file in a folder is to be written.
    pub fn file(&mut self, folder: &ObjectPath) -> ObjectPath {
        let name = format!("{}{:04}.parquet", begins(self.number, &self.by), self.files.len() + 1);
        let last = folder.clone().join(name.as_str());
        // Half a file on the disk would be one to whoever does not know of records.
        let written =
            if self.staged.is_some() { last.clone() } else { folder.clone().join(format!(".{name}").as_str()) };
        self.files.push((written.clone(), last));
        written
    }

    /// Lets all files appear, which do not count yet; gives them in the order in which they were asked for.
    ///
    /// # Errors
    /// `Storage` when they cannot be completed.
    pub async fn appear(&mut self) -> Result<Vec<ObjectMeta>> {
        if let Some(staged) = self.staged.take() {
            staged.commit().await?;
        }
        let mut appeared = Vec::with_capacity(self.files.len());
        for (written, last) in &self.files {
            let failed = |error: object_store::Error| {
                explain(&error, &format!("cannot complete `{}`", self.location.shown(last)))
            };
            if written != last {
                self.sync(written)?;
                self.store.rename(written, last).await.map_err(failed)?;
            }
            appeared.push(self.store.head(last).await.map_err(failed)?);
        }
        Ok(appeared)
    }

    /// Lets files take the place of others, in one step.
    ///
    /// # Errors
    /// `Storage` when a file to be replaced has changed or gone since it was listed, and when the change was declared void.
    pub async fn commit(&mut self, added: &[ObjectMeta], replaced: &[ObjectMeta]) -> Result<()> {
        self.check_unchanged(replaced).await?;
        let entries: Vec<_> = replaced.iter().map(|file| self.entry(file).boxed()).collect();
        let mut entries: Vec<Replaced> = stream::iter(entries).buffered(AT_ONCE).try_collect().await?;
        // So that the hashes are of what was listed.
        self.check_unchanged(replaced).await?;
        // Reading all that is replaced may have taken long; readers are given their time from here on.
        let now = Utc::now();
        for entry in &mut entries {
            entry.since = now;
            self.state.added.retain(|path| *path != entry.path);
        }
        let names = added.iter().map(|file| self.name(file)).collect::<Result<Vec<_>>>()?;
        self.state.added.extend(names);
        self.state.replaced.extend(entries);
        self.state.committed_at = Some(now);
        for file in added {
            self.sync_folder(&file.location)?;
        }
        self.record().await?;
        self.files.clear();
        Ok(())
    }

    /// Deletes the files that were replaced as long ago as they are kept; gives what was deleted.
    ///
    /// # Errors
    /// `Storage` when one cannot be deleted.
    pub async fn delete_replaced(&mut self, keep: TimeDelta, now: DateTime<Utc>) -> Result<Waiting> {
        let is_over = |file: &Replaced| file.deleted_at.is_none() && now - file.since >= keep;
        if !self.state.replaced.iter().any(is_over) {
            return Ok(Waiting::default());
        }
        if !self.location.is_local()
            && let Some(committed_at) = self.state.committed_at
        {
            let passed = (Utc::now() - committed_at).to_std().unwrap_or_default();
            tokio::time::sleep(PAUSE.saturating_sub(passed)).await;
        }
        let mut deleted = Waiting::default();
        for place in 0..self.state.replaced.len() {
            let entry = self.state.replaced[place].clone();
            if !is_over(&entry) {
                continue;
            }
            let path = self.location.below(&self.location.base, &entry.path)?;
            let deleting = async {
                let file = self.store.head(&path).await?;
                // One that was written anew under the name is not the one that was replaced.
                let is_it = is_replaced(self.store.as_ref(), &file, &entry).await?;
                if is_it {
                    self.store.delete(&path).await?;
                }
                Ok(is_it)
            };
            match deleting.await {
                Ok(true) => {
                    deleted.files += 1;
                    deleted.bytes += entry.bytes;
                }
                Ok(false) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(explain(&error, &format!("cannot delete `{}`", self.location.shown(&path)))),
            }
            self.state.replaced[place].deleted_at = Some(Utc::now());
        }
        Ok(deleted)
    }

    /// Ends the change; says which replaced files wait for their deletion.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub async fn end(mut self, now: DateTime<Utc>) -> Result<Waiting> {
        let there = match self.state.void.is_empty() {
            true => Vec::new(),
            false => objects(self.store.as_ref(), &self.location).await?,
        };
        self.state = std::mem::take(&mut self.state).settled(now, &there);
        if self.last == self.number || self.state != self.said {
            self.record().await?;
        }
        self.clear_up(now).await?;
        Ok(waiting(&self.state))
    }

    /// Gives the change up: its files go, and it is void. Where nothing was written, or all that was counts, it just ends.
    ///
    /// # Errors
    /// `Storage` when they cannot be deleted; the next change tries it again.
    pub async fn give_up(mut self, now: DateTime<Utc>) -> Result<()> {
        drop(self.staged.take());
        self.stores.settle().await;
        if self.files.is_empty() {
            return self.end(now).await.map(|_| ());
        }
        if self.last == self.number {
            self.state = self.said.clone();
            let void = Void { number: self.number, by: Some(self.by.clone()), since: now };
            self.state.void.push(void.clone());
            // A commit whose answer was lost may have been one: then this record cannot be made, and its files stay.
            self.record().await?;
            self.delete_left(&void).await?;
        }
        self.clear_up(now).await
    }

    fn name(&self, file: &ObjectMeta) -> Result<String> {
        name_below(&self.location, &self.location.base, &file.location)
            .ok_or_else(|| Error::internal(format!("`{}` is not in the folder", file.location)))
    }

    /// A file to be replaced as the record has it.
    async fn entry(&self, file: &ObjectMeta) -> Result<Replaced> {
        let failed = |error| explain(&error, &format!("cannot read `{}`", self.location.shown(&file.location)));
        let (path, store) = (self.name(file)?, self.store.as_ref());
        let tail = tail(store, file).await.map_err(failed)?;
        let whole = Some(whole(store, file).await.map_err(failed)?);
        Ok(Replaced {
            path,
            bytes: file.size,
            version: version(file),
            tail,
            whole,
            since: Utc::now(),
            deleted_at: None,
        })
    }

    /// Makes the next record.
    async fn record(&mut self) -> Result<()> {
        let next = self.last + 1;
        let is_ours = self.records.create(&record_name(next), self.state.bytes()?).await?;
        if !is_ours || !self.is_newest(self.last).await? {
            return Err(Error::storage(format!(
                "another `cxlake optimize` of `{}` has taken over",
                self.location.written
            ))
            .hint("this one was not heard of for minutes; the files that count are whole, run it again"));
        }
        self.last = next;
        self.said = self.state.clone();
        Ok(())
    }

    /// Whether the only record behind that of a number is one of ours. Numbers that were taken and deleted again are told by this.
    async fn is_newest(&self, before: u64) -> Result<bool> {
        let names = self.records.list("").await?;
        let behind: Vec<u64> =
            names.iter().filter_map(|name| record_number(name)).filter(|number| *number > before).collect();
        Ok(behind.len() == 1)
    }

    /// Makes sure that no records of a folder above or below say something: a change knows its own records alone, and would
    /// take files that were replaced there for files that count, or replace them once more. Of two changes that begin at the
    /// same moment each sees that the other one is announced.
    async fn check_apart(&self, there: &[ObjectMeta]) -> Result<()> {
        let (store, base) = (self.store.as_ref(), &self.location.base);
        let links = Links::among(&self.location, []);
        for folder in std::iter::once(base).chain(links.ends()) {
            for parts in 0..folder.parts_count() {
                let above: ObjectPath = folder.parts().take(parts).collect();
                // Rights may end at the folder itself.
                let found = newest(store, &self.location, &above).await.ok().flatten();
                if found.is_some_and(|(_, record)| !is_settled(&record)) {
                    return Err(self.entangled("above it", &above));
                }
            }
        }
        let records = reading::records_among(there);
        let below = records.iter().find(|(folder, (_, record))| *folder != base && !is_settled(record));
        below.map_or(Ok(()), |(folder, _)| Err(self.entangled("in it", folder)))
    }

    fn entangled(&self, place: &str, folder: &ObjectPath) -> Error {
        let written = &self.location.written;
        let shown = match self.location.on_disk(folder) {
            Some(path) => path.display().to_string(),
            None => format!("{}{folder}", self.location.store_url),
        };
        Error::storage(format!("`{written}` cannot be optimized: files are being replaced in `{shown}`, a folder {place}"))
            .hint("of tables that lie in each other one is optimized at a time; optimize the other one until its replaced files have gone, and once more an hour later")
    }

    /// Makes sure that the server creates an object for one alone.
    async fn check_alone(&self, announced: &State) -> Result<()> {
        if self.location.is_local() {
            return Ok(());
        }
        let announced = announced.announced.clone().map(|change| Announced { by: "probe".to_owned(), ..change });
        let other = State { announced, ..self.said.clone() };
        if !self.records.create(&record_name(self.number), other.bytes()?).await? {
            return Ok(());
        }
        self.records.delete(&record_name(self.number)).await?;
        Err(Error::storage(format!("`{}` cannot be optimized: its server ignores If-None-Match", self.location.written))
            .hint("of two writers at once the later one would win there; copy the table to another place, optimize it, and copy it back"))
    }

    /// Holds files that are to be replaced against what is there now: each must be as it was listed, and count.
    ///
    /// # Errors
    /// `Storage` when one has changed, gone, or been replaced by another change, and when the records of a folder above or below
    /// this one say something.
    pub async fn check_unchanged(&self, listed: &[ObjectMeta]) -> Result<()> {
        let there = objects(self.store.as_ref(), &self.location).await?;
        self.check_apart(&there).await?;
        let there: std::collections::HashMap<&ObjectPath, &ObjectMeta> =
            there.iter().map(|file| (&file.location, file)).collect();
        for file in listed {
            let shown = self.location.shown(&file.location);
            let changed = match there.get(&file.location) {
                None => "has gone",
                Some(now) if version(now) != version(file) || now.size != file.size => "has changed",
                Some(_) if self.is_replaced_already(file)? => "has been replaced by another `cxlake optimize`",
                Some(_) => continue,
            };
            return Err(Error::storage(format!("`{shown}` {changed} since it was read"))
                .hint("nothing was replaced; run it again when nobody writes to the files of the table"));
        }
        Ok(())
    }

    fn is_replaced_already(&self, file: &ObjectMeta) -> Result<bool> {
        let (name, version) = (self.name(file)?, version(file));
        Ok(self.state.replaced.iter().any(|entry| entry.path == name && entry.version == version))
    }

    /// Deletes what a change has left that was given up.
    async fn delete_left(&self, void: &Void) -> Result<()> {
        let begins = void.begins();
        if let Some(folder) = self.location.on_disk(&self.location.base) {
            // Its files under way have names that the store does not list.
            return delete_on_disk(&folder, &begins).map_err(|error| {
                Error::storage(format!("cannot clear up in `{}`: {error}", self.location.written)).caused_by(error)
            });
        }
        for file in objects(self.store.as_ref(), &self.location).await? {
            if file.location.filename().is_some_and(|name| name.starts_with(&begins)) {
                let shown = self.location.shown(&file.location);
                let deleted = self.store.delete(&file.location).await;
                deleted.map_err(|error| explain(&error, &format!("cannot delete `{shown}`")))?;
            }
        }
        Ok(())
    }

    /// Deletes records that no reader at work can need any more, those of which a change that was killed has written a part, and the
    /// sign of life.
    async fn clear_up(&self, now: DateTime<Utc>) -> Result<()> {
        let place = self.location.base.clone().join(FOLDER);
        let listed = self.store.list_with_delimiter(Some(&place)).await;
        let listed = listed.map_err(|error| explain(&error, &format!("cannot list `{}`", self.location.written)))?;
        for file in listed.objects {
            let Some(name) = file.location.filename() else { continue };
            let is_old = now - file.last_modified >= super::LISTING;
            if record_number(name).is_some_and(|number| number < self.last && is_old) {
                self.records.delete(name).await?;
            }
        }
        // No listing shows them. On the disk the lock says that nobody else is writing.
        for file in self.records.under_way()? {
            std::fs::remove_file(&file).map_err(|error| {
                Error::storage(format!("cannot clear up in `{}`: {error}", self.location.written)).caused_by(error)
            })?;
        }
        self.alive.end(&self.records).await
    }

    /// Has the disk keep a file whatever happens to the machine.
    fn sync(&self, file: &ObjectPath) -> Result<()> {
        let Some(path) = self.location.on_disk(file) else { return Ok(()) };
        let synced = File::open(path).and_then(|file| file.sync_all());
        synced.map_err(|error| {
            Error::storage(format!("cannot write `{}`: {error}", self.location.shown(file))).caused_by(error)
        })
    }

    /// The same for the name of a file: a record that outlives it would count what is not there.
    fn sync_folder(&self, file: &ObjectPath) -> Result<()> {
        let Some(path) = self.location.on_disk(file) else { return Ok(()) };
        path.parent().map_or(Ok(()), sync_folder).map_err(|error| {
            Error::storage(format!("cannot write `{}`: {error}", self.location.shown(file))).caused_by(error)
        })
    }
}

/// All objects in the folder.
async fn objects(store: &dyn ObjectStore, location: &Location) -> Result<Vec<ObjectMeta>> {
    let listed = store.list(Some(&location.base)).try_collect().await;
    listed.map_err(|error| explain(&error, &format!("cannot list `{}`", location.written)))
}

fn busy(location: &Location) -> Error {
    Error::storage(format!("another `cxlake optimize` is at work on `{}`", location.written))
        .hint("wait for its end; behind one that was killed a bucket is free again after two minutes, a disk at once")
}

/// Takes the lock of a folder on the disk, which the machine gives back when its owner ends in whatever way.
fn lock(folder: &Path, location: &Location) -> Result<File> {
    let failed = |error: std::io::Error| {
        Error::storage(format!("cannot write in `{}`: {error}", location.written)).caused_by(error)
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let lock = File::options().create(true).truncate(false).write(true).open(folder.join(LOCK)).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(busy(location)),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

async fn is_alive(store: &dyn ObjectStore, place: &ObjectPath, now: DateTime<Utc>) -> Result<bool> {
    match store.head(&place.clone().join(ALIVE)).await {
        Ok(alive) => Ok(now - alive.last_modified < DEAD),
        Err(object_store::Error::NotFound { .. }) => Ok(false),
        Err(error) => Err(explain(&error, "cannot see whether another `cxlake optimize` is at work")),
    }
}

/// Shows a bucket that the change is alive, from now on.
async fn beat(records: &Records) -> Result<Alive> {
    records.put(ALIVE, "{}\n").await?;
    let records = records.clone();
    let has_ended = Arc::new(Mutex::new(false));
    let ended = Arc::clone(&has_ended);
    let task = tokio::spawn(async move {
        loop {
            tokio::time::sleep(BEAT).await;
            let has_ended = ended.lock().await;
            if *has_ended {
                return;
            }
            // One beat more or less is nothing; a bucket that is gone fails the work itself.
            let _ = records.put(ALIVE, "{}\n").await;
        }
    });
    Ok(Alive::Beat { task, has_ended })
}

/// Deletes the files below a folder whose names begin so, also those that are hidden. What lies behind links is not of the folder.
fn delete_on_disk(folder: &Path, begins: &str) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            delete_on_disk(&entry.path(), begins)?;
        } else if kind.is_file() && entry.file_name().to_string_lossy().trim_start_matches('.').starts_with(begins) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn files_are_deleted_in_all_folders_and_not_behind_links() {
        let folder = tempfile::tempdir().expect("a folder");
        let (table, elsewhere) = (folder.path().join("t"), folder.path().join("elsewhere"));
        let inner = table.join("k=3");
        for folder in [&table, &inner, &elsewhere] {
            std::fs::create_dir(folder).expect("the folder is made");
            for name in ["x-1.parquet", ".x-2.parquet", "y-1.parquet"] {
                File::create(folder.join(name)).expect("the file is made");
            }
        }
        symlink(&elsewhere, table.join("k=1")).expect("it is linked");
        symlink(folder.path().join("nowhere"), table.join("k=2")).expect("it is linked");
        delete_on_disk(&table, "x-").expect("they are deleted");
        let names = |folder: &Path| {
            let entries = std::fs::read_dir(folder).expect("the folder is there");
            let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names(&table), ["k=1", "k=2", "k=3", "y-1.parquet"]);
        assert_eq!(names(&inner), ["y-1.parquet"]);
        assert_eq!(names(&elsewhere), [".x-2.parquet", "x-1.parquet", "y-1.parquet"]);
    }
}
