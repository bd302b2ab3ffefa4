//! Small texts of a lake, its manifest and its saved queries, wherever they lie.

use std::path::Path;
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt};

use super::{Stores, explain};
use crate::error::{Error, Result};
use crate::lake::{Root, store};

/// A folder of texts.
#[derive(Clone, Debug)]
pub struct Texts {
    stores: Arc<Stores>,
    root: Root,
}

impl Texts {
    /// The texts in this folder; nothing is read yet.
    pub fn new(stores: Arc<Stores>, root: Root) -> Self {
        Self { stores, root }
    }

    /// Where the texts lie, for errors.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// A text as errors name it.
    pub fn shown(&self, name: &str) -> String {
        self.root.join(name).to_string()
    }

    /// The names of the files with this ending, in no order; none where there is no folder.
    ///
    /// # Errors
    /// `Storage` when the folder cannot be read.
    pub async fn names(&self, ending: &str) -> Result<Vec<String>> {
        let mut names = match &self.root {
            Root::Folder(folder) => on_disk(folder)?,
            Root::Address(address) => self.in_bucket(address).await?,
        };
        names.retain(|name| Path::new(name).extension().is_some_and(|found| found == ending));
        Ok(names)
    }

    /// The text of a file; `None` where there is none.
    ///
    /// # Errors
    /// `Storage` when it cannot be read, `InvalidData` when it is not UTF-8.
    pub async fn read(&self, name: &str) -> Result<Option<String>> {
        let shown = self.shown(name);
        let bytes = match &self.root {
            Root::Folder(folder) => match std::fs::read(folder.join(name)) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                read => {
                    read.map_err(|error| Error::storage(format!("cannot read `{shown}`: {error}")).caused_by(error))?
                }
            },
            Root::Address(address) => {
                let (bucket, path) = self.bucket(&format!("{address}/{name}"))?;
                let read = async { bucket.get(&path).await?.bytes().await };
                match read.await {
                    Err(object_store::Error::NotFound { .. }) => return Ok(None),
                    read => read.map_err(|error| explain(&error, &format!("cannot read `{shown}`")))?.into(),
                }
            }
        };
        let text = String::from_utf8(bytes).map_err(|_| Error::invalid(format!("`{shown}` is not UTF-8")))?;
        Ok(Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)))
    }

    fn bucket(&self, address: &str) -> Result<(super::s3::Bucket, ObjectPath)> {
        let (_, path) = store::take_apart(address)?;
        let path = ObjectPath::parse(&path)
            .map_err(|error| Error::usage(format!("`{address}` is no valid address: {error}")))?;
        Ok((self.stores.bucket(address)?, path))
    }

    async fn in_bucket(&self, address: &str) -> Result<Vec<String>> {
        let (bucket, folder) = self.bucket(address)?;
        let found: Vec<_> = bucket
            .list(Some(&folder))
            .try_collect()
            .await
            .map_err(|error| explain(&error, &format!("cannot list `{address}`")))?;
        let below = |path: &ObjectPath| {
            path.prefix_match(&folder).map(|parts| parts.map(|part| part.as_ref().to_owned()).collect())
        };
        let names =
            found.iter().filter_map(|file| below(&file.location)).filter(|parts: &Vec<String>| parts.len() == 1);
        Ok(names.flatten().collect())
    }
}

fn on_disk(folder: &Path) -> Result<Vec<String>> {
    let failed = |error: std::io::Error| {
        Error::storage(format!("cannot read the folder `{}`: {error}", folder.display())).caused_by(error)
    };
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    entries.map(|entry| Ok(entry.map_err(failed)?.file_name().to_string_lossy().into_owned())).collect()
}
