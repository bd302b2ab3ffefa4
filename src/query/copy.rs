//! COPY that appears whole or not at all.
//!
//! The engine writes where it is told to, row by row, and leaves what it has when the statement fails. Here it is told to write
//! into a folder of its own beside the target, and what it wrote is moved into place when it is complete; in a bucket, into
//! uploads that are completed then. One file goes to its place as `--output` does.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::dml::CopyTo;
use futures::StreamExt;
use object_store::ObjectStore;
use object_store::path::Path as ObjectPath;
use tempfile::TempDir;
use url::Url;

use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::lake::Root;
use crate::output::target::Target;
use crate::output::{self, Format};
use crate::storage;

/// What a COPY writes, until it is complete. Dropped before that, it leaves nothing.
pub enum Staged {
    OnDisk(Box<Folder>),
    InBucket(Box<Objects>),
}

impl Staged {
    /// Puts what was written in its place.
    ///
    /// # Errors
    /// `Storage` when disk or server refuse.
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::OnDisk(folder) => folder.commit(),
            Self::InBucket(objects) => objects.commit().await,
        }
    }

    /// What disk or bucket said against it, if they did; the engine says less of it, or takes it for a defect of its own.
    pub fn refusal(&self) -> Option<Error> {
        match self {
            Self::OnDisk(folder) => folder.staged.refusal(),
            Self::InBucket(objects) => objects.staged.refusal(),
        }
    }
}

/// Turns a COPY into one that writes to where nobody looks; other plans pass as they are.
///
/// # Errors
/// `Usage` for a folder that holds something already, since a second run would double its rows, where nothing may be written,
/// and for partition columns that are to stay in the files; `Query` for columns that the form cannot hold; `Storage` when the
/// target's folder or bucket cannot be written to.
pub async fn stage(plan: LogicalPlan, engine: &Engine) -> Result<(LogicalPlan, Option<Staged>)> {
    let LogicalPlan::Copy(copy) = plan else { return Ok((plan, None)) };
    let (partitions, kept): (Vec<FieldRef>, Vec<FieldRef>) =
        copy.input.schema().fields().iter().cloned().partition(|field| copy.partition_by.contains(field.name()));
    if let Ok(format) = Format::parse(&copy.file_type.get_ext()) {
        output::check(&Arc::new(Schema::new(kept.clone())), format)?;
    }
    if !copy.partition_by.is_empty() {
        check_partitions(&partitions, &kept)?;
        refuse_kept_partitions(&copy, engine)?;
    }
    let folder = engine.folder();
    if let Some(address) = engine.stores().output(&Root::Folder(folder.to_owned()), &copy.output_url)? {
        let (copy, objects) = in_bucket(copy, &address, engine).await?;
        return Ok((LogicalPlan::Copy(copy), Some(Staged::InBucket(Box::new(objects)))));
    }
    let path = copy.output_url.strip_prefix("file://").unwrap_or(&copy.output_url);
    let target = std::path::absolute(folder.join(path))
        .map_err(|error| Error::usage(format!("`{path}` is no path: {error}")).caused_by(error))?;
    let (copy, folder) = on_disk(copy, target, engine)?;
    Ok((LogicalPlan::Copy(copy), Some(Staged::OnDisk(Box::new(folder)))))
}

/// Refuses partitions that no table can be declared by, and files without a column.
fn check_partitions(partitions: &[FieldRef], kept: &[FieldRef]) -> Result<()> {
    for field in partitions {
        let kind = field.data_type();
        let values = if let DataType::Dictionary(_, values) = kind { values.as_ref() } else { kind };
        let is_name = values.is_string()
            || values.is_numeric()
            || matches!(
                values,
                DataType::Null | DataType::Boolean | DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)
            );
        if !is_name {
            return Err(Error::usage(format!(
                "column `{}` cannot name folders: its values are of no type of partitions",
                field.name()
            ))
            .hint("partition by a text, a number, a bool, a date or a timestamp"));
        }
    }
    if kept.is_empty() {
        return Err(Error::usage("all columns are in `partitioned by`, and none is left for the files")
            .hint("leave one out, or select one twice: `k, k as k_kept`"));
    }
    Ok(())
}

/// The option by which the engine leaves partition columns in the files, and the setting behind `datafusion.`.
const KEEPS_PARTITIONS: &str = "execution.keep_partition_by_columns";

/// Refuses to leave partition columns in the files: a null of theirs would be written as the text that its folder is named by.
fn refuse_kept_partitions(copy: &CopyTo, engine: &Engine) -> Result<()> {
    let is_it = |name: &str| name.strip_prefix("datafusion.") == Some(KEEPS_PARTITIONS);
    let setting = || engine.settings().into_iter().find(|(name, _)| is_it(name)).map(|(_, value)| value);
    if copy.options.get(KEEPS_PARTITIONS).cloned().or_else(setting).is_none_or(|value| value.trim() != "true") {
        return Ok(());
    }
    Err(Error::usage("COPY leaves partition columns out of the files, and was told to keep them")
        .hint("select them twice to have them in the files too: `k, k as k_kept`"))
}

fn not_empty(target: &str) -> Error {
    Error::usage(format!("`{target}` is not empty")).hint(
        "COPY would add to what is there, and a second run would double it; choose a new folder or empty this one",
    )
}

/// Objects that a COPY writes.
pub struct Objects {
    staged: storage::Staged,
    added: Added,
    /// The folder that they are in, which was empty, also as it was written; `None` for a single object.
    folder: Option<(ObjectPath, String)>,
}

/// The store that one COPY has for itself, under an address of its own.
struct Added {
    engine: Engine,
    address: Url,
}

impl Drop for Added {
    fn drop(&mut self) {
        self.engine.remove_store(&self.address);
    }
}

impl Objects {
    async fn commit(self) -> Result<()> {
        drop(self.added);
        match &self.folder {
            Some((folder, written)) => self.staged.commit_in(folder, written).await,
            // It may have taken the place of an older one.
            None => self.staged.commit().await,
        }
    }
}

impl Added {
    fn new(staged: &storage::Staged, path: &ObjectPath, is_folder: bool, engine: &Engine) -> Result<Self> {
        static COPIES: AtomicU64 = AtomicU64::new(0);
        let address = staged_address(COPIES.fetch_add(1, Ordering::Relaxed), path, is_folder)?;
        engine.add_store(&address, staged.store());
        Ok(Self { engine: engine.clone(), address })
    }
}

async fn in_bucket(copy: CopyTo, address: &str, engine: &Engine) -> Result<(CopyTo, Objects)> {
    let (bucket, path) = engine.stores().writable(address)?;
    let is_folder = !copy.partition_by.is_empty()
        || address.ends_with('/')
        || !path.filename().is_some_and(|name| name.contains('.'));
    if is_folder && let Some(first) = bucket.list(Some(&path)).next().await {
        first.map_err(|error| storage::explain(&error, &format!("cannot list `{address}`")))?;
        return Err(not_empty(&copy.output_url));
    }
    let staged = storage::Staged::new(Arc::new(bucket), engine.stores().as_ref().clone());
    let added = Added::new(&staged, &path, is_folder, engine)?;
    let output_url = added.address.to_string();
    let folder = is_folder.then_some((path, copy.output_url));
    let objects = Objects { staged, added, folder };
    Ok((CopyTo { output_url, ..copy }, objects))
}

/// An address whose path is this one, whatever signs are in it.
fn staged_address(copies: u64, path: &ObjectPath, is_folder: bool) -> Result<Url> {
    let wrong = || Error::internal(format!("`{path}` makes no address"));
    let mut address = Url::parse(&format!("staged://copy-{copies}/")).map_err(|_| wrong())?;
    let mut segments = address.path_segments_mut().map_err(|()| wrong())?;
    segments.pop_if_empty().extend(path.parts()).extend(is_folder.then_some(""));
    drop(segments);
    Ok(address)
}

/// A folder beside the target that a COPY writes into.
pub struct Folder {
    staged: storage::Staged,
    added: Added,
    written: PathBuf,
    target: PathBuf,
    /// Where one file goes; `None` for files in a folder.
    place: Option<Target>,
    /// Holds `written`; gone when this is dropped.
    around: TempDir,
}

fn on_disk(copy: CopyTo, target: PathBuf, engine: &Engine) -> Result<(CopyTo, Folder)> {
    // A named pipe is none for want of an ending.
    let is_device = target.metadata().is_ok_and(|found| !found.is_dir() && !found.is_file());
    let is_folder =
        !copy.partition_by.is_empty() || copy.output_url.ends_with('/') || target.extension().is_none() && !is_device;
    if is_folder && std::fs::read_dir(&target).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(not_empty(&copy.output_url));
    }
    let above = target.parent().unwrap_or(Path::new("/"));
    if !above.is_dir() {
        return Err(Error::storage(format!(
            "cannot write `{}`: there is no folder `{}`",
            copy.output_url,
            above.display()
        )));
    }
    let place = if is_folder { None } else { Some(Target::file(&target)?) };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".cxlake-");
    // Behind a link the file lies elsewhere, and a device among files that nobody may add to.
    let around = match place.as_ref().map_or(Some(above), Target::folder) {
        Some(beside) => builder.tempdir_in(beside),
        None => builder.tempdir(),
    };
    let around = around.map_err(|error| refused(&target, error))?;
    let name = match target.file_name() {
        Some(name) if !is_device => name.to_owned(),
        // By its ending the engine knows that one file is asked for.
        _ => format!("copy.{}", copy.file_type.get_ext()).into(),
    };
    let written = around.path().join(name);
    let path = ObjectPath::from_absolute_path(&written)
        .map_err(|error| Error::usage(format!("cannot address `{}`: {error}", target.display())).caused_by(error))?;
    let staged = storage::Staged::on_disk(engine.stores().as_ref().clone(), &target.to_string_lossy());
    // The engine would take a plain path apart at the signs of a glob.
    let added = Added::new(&staged, &path, is_folder, engine)?;
    let output_url = added.address.to_string();
    Ok((CopyTo { output_url, ..copy }, Folder { staged, added, written, target, place, around }))
}

fn refused(target: &Path, error: std::io::Error) -> Error {
    if error.kind() == ErrorKind::BrokenPipe {
        return Error::new(Kind::ClosedPipe, "the reader of the output has gone");
    }
    Error::storage(format!("cannot write `{}`: {error}", target.display())).caused_by(error)
}

impl Folder {
    fn commit(self) -> Result<()> {
        drop((self.staged, self.added));
        let is_written = self.written.exists();
        let moved = match self.place {
            Some(_) if !is_written => {
                return Err(Error::internal(format!("`{}` was not written", self.target.display())));
            }
            Some(place) => place.adopt(&self.written),
            // A folder without rows is never made; an empty one that is there gives way to the new one.
            None if !is_written => Ok(()),
            None if self.written.is_dir() && self.target.is_dir() => {
                std::fs::remove_dir(&self.target).and_then(|()| std::fs::rename(&self.written, &self.target))
            }
            None => std::fs::rename(&self.written, &self.target),
        };
        moved.and_then(|()| self.around.close()).map_err(|error| refused(&self.target, error))
    }
}
