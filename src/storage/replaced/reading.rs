//! What of a listing counts.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Instant;

use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path as ObjectPath;
use object_store::{ObjectMeta, ObjectStore};

use super::{
    AT_ONCE, FOLDER, Links, QUICK, Replaced, State, file_number, is_replaced, name_below, newest, read, record_number,
};
use crate::error::{Error, Result};
use crate::storage::{Location, explain, local};

/// Listings that are taken before somebody is told that the files never stand still.
const TRIES: u32 = 10;

/// Listings of a location until one is of one moment.
#[derive(Debug)]
pub struct Reading {
    began: Instant,
    /// Folders with their newest records from before the listing began.
    known: BTreeMap<ObjectPath, u64>,
    tries: u32,
}

impl Reading {
    /// To be made before the first listing begins.
    pub fn begin() -> Self {
        Self { began: Instant::now(), known: BTreeMap::new(), tries: 0 }
    }

    /// What counts of the objects that a listing found; `None` when all must be listed once more. `is_wanted` says of a file
    /// whether the listing would have found it.
    ///
    /// # Errors
    /// `InvalidData` for a damaged record; `Storage` when records cannot be read, or files are replaced all the time.
    pub async fn counting(
        &mut self,
        store: &dyn ObjectStore,
        location: &Location,
        found: Vec<ObjectMeta>,
        is_wanted: impl Fn(&ObjectPath) -> Result<bool>,
    ) -> Result<Option<Vec<ObjectMeta>>> {
        let links = Links::among(location, found.iter().map(|file| &file.location));
        let records = self.records(store, location, &found, &links).await?;
        if records.is_empty() {
            return Ok(Some(found));
        }
        let mut states = BTreeMap::new();
        let places: Vec<ObjectPath> = found.iter().filter_map(|file| links.place_of(&file.location)).collect();
        let paths: HashSet<&ObjectPath> = found.iter().map(|file| &file.location).chain(&places).collect();
        let mut is_of_one_moment = true;
        for (folder, (number, record)) in &records {
            let Some(state) = read(store, location, record).await? else {
                is_of_one_moment = false;
                continue;
            };
            let is_known = self.known.get(folder) == Some(number);
            is_of_one_moment &= is_known || is_whole(location, folder, &state, &paths, &links, &is_wanted)?;
            states.insert(folder.clone(), Settling::new(state));
        }
        if is_of_one_moment {
            return kept(store, location, found, &states, &links).await.map(Some);
        }
        self.tries += 1;
        if self.tries == TRIES {
            return Err(Error::storage(format!("the files of `{}` are being replaced all the time", location.written))
                .hint("run the statement again"));
        }
        self.known = records.into_iter().map(|(folder, (number, _))| (folder, number)).collect();
        self.began = Instant::now();
        Ok(None)
    }

    /// The newest records of the folders among those that were found, of the location itself, and of those above it and above the
    /// places to which links lead.
    async fn records(
        &self,
        store: &dyn ObjectStore,
        location: &Location,
        found: &[ObjectMeta],
        links: &Links,
    ) -> Result<BTreeMap<ObjectPath, (u64, ObjectMeta)>> {
        let mut records = records_among(found);
        // Those whose files have higher numbers than their records.
        let mut stale: HashSet<ObjectPath> = HashSet::new();
        for file in found {
            let Some(number) = file.location.filename().and_then(file_number) else { continue };
            let owners = owners(&records, &file.location);
            if owners.is_empty() {
                stale.insert(location.base.clone());
            }
            let older = owners.into_iter().filter(|(_, (newest, _))| *newest < number);
            stale.extend(older.map(|(folder, _)| folder.clone()));
        }
        if location.is_local() {
            // A look at the disk costs next to nothing; also at the folders above, of which this may be a part.
            let above = std::iter::once(&location.base).chain(links.ends()).flat_map(from_root);
            let has_records =
                |folder: &ObjectPath| local::path(&folder.clone().join(FOLDER)).is_some_and(|path| path.is_dir());
            stale.extend(above.filter(has_records));
            stale.extend(records.keys().cloned());
        } else if self.began.elapsed() > QUICK {
            stale.extend(records.keys().cloned());
            stale.insert(location.base.clone());
        }
        for folder in stale {
            if let Some(newest) = newest(store, location, &folder).await? {
                records.insert(folder, newest);
            }
        }
        Ok(records)
    }
}

/// The folders on the way from the root to a folder, with both.
fn from_root(folder: &ObjectPath) -> impl Iterator<Item = ObjectPath> {
    (0..=folder.parts_count()).map(|parts| folder.parts().take(parts).collect())
}

/// The newest records among files, by the folders that they are of.
pub(super) fn records_among(found: &[ObjectMeta]) -> BTreeMap<ObjectPath, (u64, ObjectMeta)> {
    let mut records: BTreeMap<ObjectPath, (u64, ObjectMeta)> = BTreeMap::new();
    for file in found {
        let Some((folder, number)) = record_of(file) else { continue };
        let newest = records.entry(folder).or_insert_with(|| (number, file.clone()));
        if newest.0 < number {
            *newest = (number, file.clone());
        }
    }
    records
}

/// The folder that a record is of, and its number.
fn record_of(file: &ObjectMeta) -> Option<(ObjectPath, u64)> {
    let number = record_number(file.location.filename()?)?;
    let parts: Vec<_> = file.location.parts().collect();
    let (folder, above) = parts.split_last().and_then(|(_, above)| above.split_last())?;
    (folder.as_ref() == FOLDER).then(|| (above.iter().cloned().collect(), number))
}

/// Those of the folders that a file is in.
fn owners<'a, T>(folders: &'a BTreeMap<ObjectPath, T>, file: &ObjectPath) -> Vec<(&'a ObjectPath, &'a T)> {
    let parts: Vec<_> = file.parts().collect();
    let folder = |length: usize| folders.get_key_value(&parts[..length].iter().cloned().collect::<ObjectPath>());
    (0..parts.len()).filter_map(folder).collect()
}

/// Whether a listing has all files that a record added, but for those in folders that it was not to look at.
fn is_whole(
    location: &Location,
    folder: &ObjectPath,
    state: &State,
    paths: &HashSet<&ObjectPath>,
    links: &Links,
    is_wanted: &impl Fn(&ObjectPath) -> Result<bool>,
) -> Result<bool> {
    if state.added.is_empty() {
        return Ok(true);
    }
    let there: HashSet<String> = paths.iter().filter_map(|path| name_below(location, folder, path)).collect();
    for name in &state.added {
        if there.contains(name) {
            continue;
        }
        let path = location.below(folder, name)?;
        for path in links.paths_to(&path).iter().chain([&path]) {
            if path.prefix_match(&location.base).is_some() && is_wanted(path)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// What a folder's record says, laid out for looking up.
struct Settling {
    state: State,
    replaced: HashMap<String, Vec<usize>>,
}

impl Settling {
    fn new(state: State) -> Self {
        let mut replaced: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, file) in state.replaced.iter().enumerate() {
            replaced.entry(file.path.clone()).or_default().push(place);
        }
        Self { state, replaced }
    }

    fn replaced(&self, name: &str) -> impl Iterator<Item = &Replaced> {
        self.replaced.get(name).into_iter().flatten().map(|place| &self.state.replaced[*place])
    }
}

async fn kept(
    store: &dyn ObjectStore,
    location: &Location,
    found: Vec<ObjectMeta>,
    states: &BTreeMap<ObjectPath, Settling>,
    links: &Links,
) -> Result<Vec<ObjectMeta>> {
    let judged = found.into_iter().map(async |file| {
        let counts = counts(store, location, &file, states, links).await;
        let counts = counts.map_err(|error| explain(&error, &format!("cannot read `{}`", location.written)))?;
        Ok::<_, Error>(counts.then_some(file))
    });
    let judged: Vec<Option<ObjectMeta>> = stream::iter(judged).buffered(AT_ONCE).try_collect().await?;
    Ok(judged.into_iter().flatten().collect())
}

async fn counts(
    store: &dyn ObjectStore,
    location: &Location,
    file: &ObjectMeta,
    states: &BTreeMap<ObjectPath, Settling>,
    links: &Links,
) -> object_store::Result<bool> {
    let place = links.place_of(&file.location);
    for path in std::iter::once(&file.location).chain(&place) {
        for (folder, settling) in owners(states, path) {
            if file.location.filename().is_some_and(|name| settling.state.is_void(name)) {
                return Ok(false);
            }
            let Some(name) = name_below(location, folder, path) else { continue };
            for entry in settling.replaced(&name) {
                match is_replaced(store, file, entry).await {
                    Ok(true) => return Ok(false),
                    // It has gone since the listing; who reads it will say so.
                    Ok(false) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::TryStreamExt;
    use object_store::memory::InMemory;
    use object_store::{ObjectStoreExt, PutPayload};

    use super::super::{Announced, Replaced, Void, record_name, version};
    use super::*;
    use crate::lake::Root;
    use crate::storage::Stores;

    /// A folder in a bucket, whose moments are told apart.
    struct Bucket {
        store: Arc<InMemory>,
        location: Location,
    }

    impl Bucket {
        fn new() -> Self {
            let stores = Stores::new(tokio::runtime::Handle::current());
            let location = stores.locate(&Root::Address("s3://lake".to_owned()), "t/").expect("a location");
            Self { store: Arc::new(InMemory::new()), location }
        }

        async fn put(&self, name: &str, bytes: impl Into<PutPayload>) {
            let path = ObjectPath::parse(format!("t/{name}")).expect("a path");
            self.store.put(&path, bytes.into()).await.expect("it is put");
        }

        async fn record(&self, number: u64, state: &State) {
            self.put(&format!("{FOLDER}/{}", record_name(number)), state.bytes().expect("bytes")).await;
        }

        async fn listed(&self) -> Vec<ObjectMeta> {
            self.store.list(Some(&self.location.base)).try_collect().await.expect("a listing")
        }

        /// The names of files that count in what was listed; `None` where all must be listed again.
        async fn counting(&self, reading: &mut Reading, found: Vec<ObjectMeta>) -> Option<Vec<String>> {
            let kept = reading
                .counting(self.store.as_ref(), &self.location, found, |_| Ok(true))
                .await
                .expect("it is read")?;
            let names = kept.iter().filter_map(|file| name_below(&self.location, &self.location.base, &file.location));
            let mut names: Vec<String> = names.filter(|name| !name.contains(FOLDER)).collect();
            names.sort();
            Some(names)
        }
    }

    fn alone(test: impl Future<Output = ()>) {
        tokio::runtime::Runtime::new().expect("a runtime").block_on(test);
    }

    const OLD: &str = "old.parquet";
    const NEW: &str = "optimized-00000001-x-0001.parquet";

    fn announced() -> State {
        let by = "x".to_owned();
        State { announced: Some(Announced { number: 1, by, since: chrono::Utc::now() }), ..State::default() }
    }

    fn committed(old: &ObjectMeta) -> State {
        let now = chrono::Utc::now();
        let (path, tail) = (OLD.to_owned(), String::new());
        let (bytes, version) = (old.size, version(old));
        let replaced = Replaced { path, bytes, version, tail, whole: None, since: now, deleted_at: None };
        State { committed_at: Some(now), added: vec![NEW.to_owned()], replaced: vec![replaced], ..State::default() }
    }

    #[test]
    fn the_old_file_counts_up_to_the_commit_and_the_new_one_behind_it() {
        alone(async {
            let bucket = Bucket::new();
            bucket.put(OLD, "old").await;
            let old = bucket.listed().await.remove(0);
            bucket.record(1, &announced()).await;
            bucket.put(NEW, "new").await;
            let counting = async || bucket.counting(&mut Reading::begin(), bucket.listed().await).await;
            assert_eq!(counting().await, Some(vec![OLD.to_owned()]));
            bucket.record(2, &committed(&old)).await;
            assert_eq!(counting().await, Some(vec![NEW.to_owned()]));
            bucket.put(OLD, "other").await;
            assert_eq!(counting().await, Some(vec![OLD.to_owned(), NEW.to_owned()]), "it is another file");
            let void = Void { number: 1, by: Some("x".to_owned()), since: chrono::Utc::now() };
            bucket.record(3, &State { void: vec![void], ..State::default() }).await;
            assert_eq!(counting().await, Some(vec![OLD.to_owned()]));
        });
    }

    #[test]
    fn a_listing_that_had_passed_the_new_files_place_is_taken_again_once() {
        alone(async {
            let bucket = Bucket::new();
            bucket.put(OLD, "old").await;
            let old = bucket.listed().await;
            bucket.put(NEW, "new").await;
            bucket.record(2, &committed(&old[0])).await;
            let mut found = bucket.listed().await;
            found.retain(|file| file.location.filename() != Some(NEW));
            let mut reading = Reading::begin();
            assert_eq!(bucket.counting(&mut reading, found.clone()).await, None);
            // What is missing in a listing that began behind the commit was deleted by somebody.
            assert_eq!(bucket.counting(&mut reading, found).await, Some(Vec::new()));
            assert_eq!(bucket.counting(&mut reading, bucket.listed().await).await, Some(vec![NEW.to_owned()]));
        });
    }

    #[test]
    fn a_listing_that_had_passed_the_records_is_held_against_the_newest() {
        alone(async {
            let bucket = Bucket::new();
            bucket.put(OLD, "old").await;
            let old = bucket.listed().await;
            bucket.put(NEW, "new").await;
            let both = bucket.listed().await;
            bucket.record(1, &announced()).await;
            assert_eq!(bucket.counting(&mut Reading::begin(), both.clone()).await, Some(vec![OLD.to_owned()]));
            bucket.record(2, &committed(&old[0])).await;
            assert_eq!(bucket.counting(&mut Reading::begin(), both).await, Some(vec![NEW.to_owned()]));
        });
    }

    #[test]
    fn where_folders_with_records_lie_in_each_other_each_says_what_does_not_count() {
        alone(async {
            let bucket = Bucket::new();
            bucket.put(OLD, "old").await;
            bucket.put("k=1/inner.parquet", "inner").await;
            bucket.put(NEW, "new").await;
            bucket.put("k=1/new.parquet", "new").await;
            let old = |path: &str, listed: &[ObjectMeta]| {
                let file = listed.iter().find(|file| file.location.as_ref().ends_with(path)).expect("it is listed");
                let entry = committed(file).replaced.remove(0);
                Replaced { path: path.to_owned(), ..entry }
            };
            let listed = bucket.listed().await;
            let outer = vec![old(OLD, &listed), old("k=1/inner.parquet", &listed)];
            bucket.record(2, &State { replaced: outer, ..State::default() }).await;
            let inner = format!("k=1/{FOLDER}/{}", record_name(2));
            let names = async || bucket.counting(&mut Reading::begin(), bucket.listed().await).await.expect("names");
            assert_eq!(names().await, ["k=1/new.parquet", NEW]);
            bucket.put(&inner, State::default().bytes().expect("bytes")).await;
            assert_eq!(names().await, ["k=1/new.parquet", NEW]);
            let state = State { replaced: vec![old("new.parquet", &listed)], ..State::default() };
            bucket.put(&inner, state.bytes().expect("bytes")).await;
            assert_eq!(names().await, [NEW]);
        });
    }

    #[test]
    fn a_file_of_another_change_counts_whatever_is_announced_or_void_under_its_number() {
        alone(async {
            let bucket = Bucket::new();
            let copied = "optimized-00000001-433a574f-0001.parquet";
            bucket.put(NEW, "left").await;
            bucket.put(copied, "copied").await;
            let counting = async || bucket.counting(&mut Reading::begin(), bucket.listed().await).await;
            bucket.record(1, &announced()).await;
            assert_eq!(counting().await, Some(vec![copied.to_owned()]));
            let void = Void { number: 1, by: Some("x".to_owned()), since: chrono::Utc::now() };
            bucket.record(2, &State { void: vec![void], ..State::default() }).await;
            assert_eq!(counting().await, Some(vec![copied.to_owned()]));
        });
    }

    #[test]
    fn files_that_were_copied_without_their_records_count() {
        alone(async {
            let bucket = Bucket::new();
            bucket.put(NEW, "new").await;
            assert_eq!(bucket.counting(&mut Reading::begin(), bucket.listed().await).await, Some(vec![NEW.to_owned()]));
        });
    }
}
