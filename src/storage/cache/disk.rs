//! A bounded folder of values by key, shared by every process of the user.
//!
//! Each value is a file of its own, named by the hash of its key, which appears whole by a rename; nothing is opened, read or
//! locked before a value is wanted, and processes need not know of each other. A file says which key it is for and carries a
//! checksum: one that is cut off, damaged or somebody else's is no value. Whoever has written a sixteenth of the bound looks at
//! the folder and removes what was used longest ago, so that with several processes at work it may pass the bound by as much
//! for each. Nothing here is an error: what cannot be kept is read from its store again.

use std::fs::{self, DirBuilder, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use tempfile::NamedTempFile;

/// First bytes of every file; the digit changes with what follows them.
const MAGIC: &[u8; 8] = b"cxlake 1";

/// Bytes before key and value: magic, length of the key, checksum of both.
const HEAD: usize = 24;

/// A folder of values.
#[derive(Debug)]
pub struct Disk {
    folder: Option<PathBuf>,
    bytes_max: u64,
    /// Bytes that may be written before the folder is looked at.
    room: Mutex<u64>,
}

/// A file of the folder.
struct Entry {
    used: SystemTime,
    bytes: u64,
    path: PathBuf,
}

impl Disk {
    /// Values in this folder, which need not be there; without one nothing is kept.
    pub fn new(folder: Option<PathBuf>, bytes_max: u64) -> Self {
        Self { folder, bytes_max, room: Mutex::new(0) }
    }

    pub fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    /// The value of a key, which counts as used now.
    pub fn get(&self, key: &str) -> Option<Bytes> {
        let mut file = File::open(self.path(key)?).ok()?;
        let mut whole = Vec::new();
        file.read_to_end(&mut whole).ok()?;
        let value = value(&whole, key)?;
        // On a disk that takes no times, values go in the order in which they were written.
        let _ = file.set_modified(SystemTime::now());
        Some(Bytes::from(whole).slice(value..))
    }

    /// Keeps a value; one that is there already is replaced.
    pub fn put(&self, key: &str, value: &[u8]) {
        let Some(path) = self.path(key) else { return };
        let bytes = (HEAD + key.len() + value.len()) as u64;
        if bytes > self.bytes_max {
            return;
        }
        self.make_room(bytes);
        // A full or read-only disk keeps nothing.
        let _ = write(&path, key, value);
    }

    fn path(&self, key: &str) -> Option<PathBuf> {
        let name = format!("{:016x}{:016x}", hash(&[key.as_bytes()]), hash(&[key.as_bytes(), MAGIC]));
        Some(self.folder.as_ref()?.join(&name[..2]).join(&name[2..]))
    }

    fn make_room(&self, bytes: u64) {
        let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        if *room < bytes {
            let held = self.trim(bytes);
            *room = (self.bytes_max - held).min(self.bytes_max / 16).max(bytes);
        }
        *room -= bytes;
    }

    /// Removes what was used longest ago, if so many bytes more would pass the bound; how many are held then.
    fn trim(&self, more: u64) -> u64 {
        let mut entries = self.folder.as_deref().map(entries).unwrap_or_default();
        let mut held: u64 = entries.iter().map(|entry| entry.bytes).sum();
        if held + more <= self.bytes_max {
            return held;
        }
        let wanted = (self.bytes_max / 8 * 7).min(self.bytes_max - more);
        entries.sort_by_key(|entry| entry.used);
        for entry in entries {
            if held <= wanted {
                break;
            }
            // Another process may have been first.
            let _ = fs::remove_file(&entry.path);
            held -= entry.bytes;
        }
        held.min(self.bytes_max)
    }
}

/// Where the value begins in a file that holds this key's.
fn value(whole: &[u8], key: &str) -> Option<usize> {
    let (head, rest) = whole.split_at_checked(HEAD)?;
    let number = |at: usize| Some(u64::from_le_bytes(head.get(at..at + 8)?.try_into().ok()?));
    let is_ours = head.starts_with(MAGIC) && number(8)? == key.len() as u64 && rest.starts_with(key.as_bytes());
    (is_ours && number(16)? == hash(&[rest])).then_some(HEAD + key.len())
}

fn write(path: &Path, key: &str, value: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    // Readable by the user alone, as temporary files are.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(MAGIC)?;
    file.write_all(&(key.len() as u64).to_le_bytes())?;
    file.write_all(&hash(&[key.as_bytes(), value]).to_le_bytes())?;
    file.write_all(key.as_bytes())?;
    file.write_all(value)?;
    file.persist(path)?;
    Ok(())
}

/// A hash of the parts in a row. Another build may have another one, which makes its files foreign to this.
fn hash(parts: &[&[u8]]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for part in parts {
        hasher.write(part);
    }
    parts.iter().map(|part| part.len()).sum::<usize>().hash(&mut hasher);
    hasher.finish()
}

fn entries(folder: &Path) -> Vec<Entry> {
    let folders = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = folders.filter_map(|folder| fs::read_dir(folder.path()).ok()).flatten().flatten();
    files
        .filter_map(|file| {
            let about = file.metadata().ok()?;
            let used = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            Some(Entry { used, bytes: about.len(), path: file.path() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(bytes_max: u64) -> (tempfile::TempDir, Disk) {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = Disk::new(Some(folder.path().join("values")), bytes_max);
        (folder, disk)
    }

    fn files(disk: &Disk) -> Vec<PathBuf> {
        entries(disk.folder.as_ref().expect("a folder")).into_iter().map(|entry| entry.path).collect()
    }

    #[test]
    fn what_is_put_is_there_for_others_and_nothing_is_touched_before() {
        let (folder, disk) = disk(1 << 20);
        assert_eq!(disk.get("a"), None);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
        disk.put("a", b"one");
        disk.put("b", b"");
        disk.put("a", b"two");
        let other = Disk::new(disk.folder.clone(), 1 << 20);
        assert_eq!(other.get("a").as_deref(), Some(&b"two"[..]));
        assert_eq!(other.get("b").as_deref(), Some(&b""[..]));
        assert_eq!(other.get("c"), None);
    }

    #[test]
    fn a_file_that_is_cut_off_damaged_or_of_another_key_is_no_value_and_is_written_again() {
        let (_folder, disk) = disk(1 << 20);
        disk.put("a", b"the value");
        let path = files(&disk).pop().expect("a file");
        let whole = fs::read(&path).expect("it is read");
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).expect("it is cut off");
            assert_eq!(disk.get("a"), None, "{length} bytes");
        }
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            fs::write(&path, damaged).expect("it is damaged");
            assert_eq!(disk.get("a"), None, "byte {place}");
        }
        disk.put("b", b"another");
        let of_another = files(&disk).into_iter().find(|other| *other != path).expect("a second file");
        fs::copy(of_another, &path).expect("it is copied");
        assert_eq!(disk.get("a"), None);
        disk.put("a", b"the value");
        assert_eq!(disk.get("a").as_deref(), Some(&b"the value"[..]));
    }

    #[test]
    fn what_was_used_longest_ago_goes_first_and_the_bound_holds() {
        let (_folder, disk) = disk(100_000);
        let value = vec![7; 5_000];
        for number in 0..60 {
            disk.put(&number.to_string(), &value);
            // The first is used again and again.
            assert!(disk.get("0").is_some(), "{number}");
            let held: u64 = entries(disk.folder.as_ref().expect("a folder")).iter().map(|entry| entry.bytes).sum();
            assert!(held <= 100_000, "{held}");
        }
        assert!(disk.get("59").is_some() && disk.get("1").is_none());
        disk.put("large", &vec![0; 200_000]);
        assert!(disk.get("large").is_none() && disk.get("59").is_some());
    }

    #[test]
    fn without_a_folder_or_where_none_can_be_made_nothing_is_kept() {
        let file = NamedTempFile::new().expect("a file");
        for disk in [Disk::new(None, 1 << 20), Disk::new(Some(file.path().to_owned()), 1 << 20)] {
            disk.put("a", b"one");
            assert_eq!(disk.get("a"), None);
        }
    }
}
