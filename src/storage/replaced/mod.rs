//! Which files of a folder count while some of them are being replaced by others.
//!
//! A bucket knows no transaction over several objects, and neither does a disk. What both know is an object that one alone
//! creates. So a folder whose files are replaced has a folder `_cxlake` in it with *records*, `files-00000001.json` and so on.
//! A record is the whole truth of its moment: the one with the highest number holds, those before it are history. The next
//! number is created by one alone ([`PutMode::Create`](object_store::PutMode)), which is the one step in which files change
//! places. A record says which files of the folder do *not* count; every other file does, whoever put it there, so that a
//! file which arrives meanwhile is neither lost nor doubled, and a folder without records is a folder of files. Where folders
//! with records lie in each other, a file counts when none of them says that it does not; but a change knows its own records
//! alone, and replaces nothing while those of a folder above or below it say something. On the disk a file is in the folders above
//! the place where it lies, too, when a link to a folder leads to it ([`Links`]).
//!
//! A change ([`Change`]) creates a record that announces its number, writes files that carry it in their names
//! (`optimized-00000001-….parquet`), with letters of its id, and do not count for that, and creates the next record, in which
//! they do and the ones that they replace do not. Those stay for readers at work until a grace has passed, and are deleted by a
//! later change. A change that ended otherwise left a number that is announced; the next one declares it void for good before
//! it deletes what it left. Files of that number by another id were copied here from elsewhere, and count.
//! When nothing is announced, void or replaced any more, the record is [`SETTLED`], which readers know by its size: the files are
//! then what any program sees, and copies of them are as good as they are.
//!
//! A listing is no picture of one moment. [`reading::Reading`] takes one for it only when it can be none of two moments:
//! - A file whose number is higher than that of the record in the listing was written by a change that the record does not know:
//!   the records are listed again, and the newest one holds.
//! - A record names the files that it added. One that is not in the listing came after the listing had passed its place, and all is
//!   listed again; what is then still missing was deleted by somebody else.
//! - A whole change could lie between two pages of a listing, and its deletions too. On the disk the records are looked at once more
//!   behind every listing. In a bucket that would be a request more for every table, and is done behind listings of more than
//!   [`QUICK`] alone; a change leaves [`PAUSE`] between its commit and its first deletion.
//!
//! Entries of a record are kept for [`LISTING`] behind the deletion of what they name. A replaced file is told by its path and
//! version; one of the same size in another version, as copies of a folder have it, by its last bytes, the footer, and where
//! these are the same by all of its bytes. A file that was written anew under its name is new, and counts.
//!
//! Two changes of one folder: the second one sees that the first is alive: on the disk by the lock that it holds, in a bucket by
//! an object that it writes anew every few seconds and deletes at its end. This is for courtesy alone. When it errs, both go on,
//! and the one whose number was declared void finds another's record where it wanted to create its own.

mod change;
mod links;
mod reading;

use std::io::Write;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};

use super::{Location, explain};
use crate::error::{Error, Result};
use crate::hash::Hash;

pub use change::{Change, Waiting};
pub use links::Links;
pub use reading::Reading;

/// Folder of the records in the folder of a table.
pub const FOLDER: &str = "_cxlake";

/// What names of records begin and end with.
const RECORD: (&str, &str) = ("files-", ".json");

/// What names of files begin with that a change has written.
const OURS: &str = "optimized-";

/// Digits of a number in names, and letters of the id behind it.
const DIGITS: usize = 8;
const LETTERS: usize = 8;

/// A record that says nothing; what is longer says something.
const SETTLED: &[u8] = b"{}\n";

/// A listing that takes longer may be of two moments, and is held against the records once more.
const QUICK: Duration = Duration::from_secs(2);

/// Time between a commit in a bucket and the first deletion, at least.
const PAUSE: Duration = Duration::from_secs(5);

/// Longer than any listing takes.
const LISTING: TimeDelta = TimeDelta::hours(1);

/// How long a change that was given up may still write something.
const VOID: TimeDelta = TimeDelta::days(1);

/// Bytes at the end of a file by which a copy of it is known.
const TAIL: u64 = 64 << 10;

/// Requests at once.
const AT_ONCE: usize = 16;

/// What a record says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    /// The number of the change under way. Its files do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    announced: Option<Announced>,
    /// Changes that were given up. Their files never count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    void: Vec<Void>,
    /// When files changed places last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    committed_at: Option<DateTime<Utc>>,
    /// Files that came with that, by their paths in the folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    added: Vec<String>,
    /// Files that do not count any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replaced: Vec<Replaced>,
}

/// A change under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Announced {
    number: u64,
    /// An id that no other change has.
    by: String,
    since: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Void {
    number: u64,
    /// The id of the change. Records of old do not have it: there the number alone decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    since: DateTime<Utc>,
}

/// A file that does not count any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Replaced {
    /// Its path in the folder.
    path: String,
    bytes: u64,
    version: String,
    /// A hash of its last bytes.
    tail: String,
    /// A hash of all its bytes. Records of old do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whole: Option<String>,
    since: DateTime<Utc>,
    /// When it was deleted, or found to be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deleted_at: Option<DateTime<Utc>>,
}

impl State {
    fn parse(bytes: &[u8], shown: &str) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|error| {
            Error::invalid(format!("the record `{shown}` is damaged: {error}"))
                .hint("it says which files of the folder count; restore it, or delete the folder `_cxlake` when only the files that are to count lie there")
                .caused_by(error)
        })
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        if *self == Self::default() {
            return Ok(SETTLED.to_vec());
        }
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|error| Error::internal(error.to_string()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The same without what no reader at work can need any more. `there` are files of the folder: a change stays void as long as
    /// one of its files is among them.
    fn settled(mut self, now: DateTime<Utc>, there: &[ObjectMeta]) -> Self {
        self.replaced.retain(|file| file.deleted_at.is_none_or(|at| now - at < LISTING));
        self.void.retain(|void| {
            let begins = void.begins();
            let is_of_it = |file: &ObjectMeta| file.location.filename().is_some_and(|name| name.starts_with(&begins));
            now - void.since < VOID || there.iter().any(is_of_it)
        });
        if self.committed_at.is_some_and(|at| now - at >= LISTING) {
            self.committed_at = None;
            self.added.clear();
        }
        self
    }

    /// Whether a file of this name is of a change that is under way or was given up. One of another change that has the same
    /// number was copied here without its records.
    fn is_void(&self, name: &str) -> bool {
        self.announced.as_ref().is_some_and(|change| name.starts_with(&begins(change.number, &change.by)))
            || self.void.iter().any(|void| name.starts_with(&void.begins()))
    }
}

impl Void {
    /// What names of its files begin with.
    fn begins(&self) -> String {
        match &self.by {
            Some(by) => begins(self.number, by),
            None => format!("{OURS}{:0DIGITS$}-", self.number),
        }
    }
}

/// What names of the files of a change begin with.
fn begins(number: u64, by: &str) -> String {
    let letters = by.get(by.len().saturating_sub(LETTERS)..).unwrap_or(by);
    format!("{OURS}{number:0DIGITS$}-{letters}-")
}

/// The number in a record's name.
fn record_number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(RECORD.0)?.strip_suffix(RECORD.1)?;
    (digits.len() == DIGITS).then(|| digits.parse().ok()).flatten()
}

fn record_name(number: u64) -> String {
    format!("{}{number:0DIGITS$}{}", RECORD.0, RECORD.1)
}

/// The number in the name of a file that a change has written.
fn file_number(name: &str) -> Option<u64> {
    let (digits, _) = name.strip_prefix(OURS)?.split_once('-')?;
    (digits.len() == DIGITS).then(|| digits.parse().ok()).flatten()
}

/// What tells a version of a file from others.
fn version(file: &ObjectMeta) -> String {
    file.e_tag.clone().unwrap_or_else(|| file.last_modified.to_rfc3339())
}

/// A file below a folder as records name it: as the disk or the bucket has it, so that a folder can be copied with its records.
fn name_below(location: &Location, folder: &ObjectPath, file: &ObjectPath) -> Option<String> {
    let parts: Vec<String> = file.prefix_match(folder)?.map(|part| location.plain(part.as_ref())).collect();
    Some(parts.join("/"))
}

/// The record of the highest number that a folder has.
async fn newest(
    store: &dyn ObjectStore,
    location: &Location,
    folder: &ObjectPath,
) -> Result<Option<(u64, ObjectMeta)>> {
    let place = folder.clone().join(FOLDER);
    let listed = match store.list_with_delimiter(Some(&place)).await {
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        listed => listed.map_err(|error| explain(&error, &format!("cannot list `{}`", location.written)))?,
    };
    let numbered =
        listed.objects.into_iter().filter_map(|file| Some((record_number(file.location.filename()?)?, file)));
    Ok(numbered.max_by_key(|(number, _)| *number))
}

/// Whether a record says nothing.
fn is_settled(record: &ObjectMeta) -> bool {
    record.size == SETTLED.len() as u64
}

/// What a record says; `None` when it has gone, for a newer one.
async fn read(store: &dyn ObjectStore, location: &Location, record: &ObjectMeta) -> Result<Option<State>> {
    if is_settled(record) {
        return Ok(Some(State::default()));
    }
    let read = async { store.get(&record.location).await?.bytes().await };
    match read.await {
        Ok(bytes) => State::parse(&bytes, &location.shown(&record.location)).map(Some),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(explain(&error, &format!("cannot read `{}`", location.shown(&record.location)))),
    }
}

/// A hash of the last bytes of a file.
async fn tail(store: &dyn ObjectStore, file: &ObjectMeta) -> object_store::Result<String> {
    let bytes = store.get_range(&file.location, file.size.saturating_sub(TAIL)..file.size).await?;
    Ok(Hash::of(&bytes))
}

/// A hash of all bytes of a file.
async fn whole(store: &dyn ObjectStore, file: &ObjectMeta) -> object_store::Result<String> {
    let mut bytes = store.get(&file.location).await?.into_stream();
    let mut hash = Hash::default();
    while let Some(piece) = bytes.try_next().await? {
        // Writing to a hash cannot fail.
        let _ = hash.write_all(&piece);
    }
    Ok(hash.digits())
}

/// Whether a file is the one that was replaced.
async fn is_replaced(store: &dyn ObjectStore, file: &ObjectMeta, entry: &Replaced) -> object_store::Result<bool> {
    if file.size != entry.bytes {
        return Ok(false);
    }
    if version(file) == entry.version {
        return Ok(true);
    }
    // All is read where the end does not tell them apart alone: values can change in place without a trace in the footer.
    if tail(store, file).await? != entry.tail {
        return Ok(false);
    }
    match &entry.whole {
        Some(known) => Ok(whole(store, file).await? == *known),
        None => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_void_change_is_known_by_its_id_and_in_records_of_old_by_its_number() {
        let state = |by: &str| {
            let record = format!(r#"{{"void": [{{"number": 7, {by}"since": "2026-11-01T00:00:00Z"}}]}}"#);
            State::parse(record.as_bytes(), "record").expect("a record")
        };
        let (new, old) = (state(r#""by": "0192aaaabbbbcccc433a574f", "#), state(""));
        for (name, by_id, by_number) in [
            ("optimized-00000007-433a574f-0001.parquet", true, true),
            ("optimized-00000007-12345678-0001.parquet", false, true),
            ("optimized-00000008-433a574f-0001.parquet", false, false),
            ("other.parquet", false, false),
        ] {
            assert_eq!((new.is_void(name), old.is_void(name)), (by_id, by_number), "{name}");
        }
    }

    #[test]
    fn a_change_stays_void_for_a_day_and_as_long_as_a_file_of_it_is_there() {
        let now = Utc::now();
        let file = |name: &str| ObjectMeta {
            location: ObjectPath::from(format!("t/k=1/{name}")),
            last_modified: now,
            size: 1,
            e_tag: None,
            version: None,
        };
        let settled = |since: DateTime<Utc>, there: &[ObjectMeta]| {
            let void = vec![Void { number: 7, by: Some("433a574f".to_owned()), since }];
            State { void, ..State::default() }.settled(now, there).void.len()
        };
        let left = file("optimized-00000007-433a574f-0001.parquet");
        let another = file("optimized-00000007-12345678-0001.parquet");
        assert_eq!(settled(now, &[]), 1);
        assert_eq!(settled(now - VOID, &[another]), 0);
        assert_eq!(settled(now - VOID, &[left]), 1);
    }
}
