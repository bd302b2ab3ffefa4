//! Where a result is delivered: standard output, through a pager or not, a file, or an object of a bucket.

use std::io::{self, Write};
use std::path::Path;

use super::pager::Paged;
use crate::error::{Error, Result};
use crate::lake::Root;
use crate::output::target::Target;
use crate::storage::{Stores, Upload};

/// A place for a result, which appears there when it is complete.
pub enum Delivery {
    Local(Target),
    Paged(Paged),
    Bucket(Upload),
}

impl Delivery {
    /// Opens the place before the rows are there, so that a wrong one fails at once.
    ///
    /// # Errors
    /// Those of opening a file or beginning an object; `Usage` for a store that is not declared.
    pub async fn open(path: Option<&Path>, folder: &Path, stores: &Stores, pager: Option<Paged>) -> Result<Self> {
        let Some(path) = path else {
            return Ok(pager.map_or_else(|| Self::Local(Target::stdout()), Self::Paged));
        };
        let written = path.to_string_lossy();
        match stores.output(&Root::Folder(folder.to_owned()), &written)? {
            Some(address) => Ok(Self::Bucket(Upload::begin(stores, &address).await?)),
            None => Ok(Self::Local(Target::file(written.strip_prefix("file://").map_or(path, Path::new))?)),
        }
    }

    /// Whether a write found that the reader has gone.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Local(target) if target.is_closed())
    }

    /// Lets the result appear.
    ///
    /// # Errors
    /// `Storage` when disk or server refuse.
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Local(target) => target.commit(),
            Self::Paged(paged) => {
                paged.finish().map_err(|error| Error::storage(format!("cannot write: {error}")).caused_by(error))
            }
            Self::Bucket(upload) => upload.commit().await,
        }
    }

    /// Leaves nothing behind a failure; gives the error that is to be told, which is what went wrong with the place, if that is why.
    pub async fn discard(self, failure: Error) -> Error {
        match self {
            Self::Local(_) | Self::Paged(_) => failure,
            Self::Bucket(upload) => upload.discard().await.unwrap_or(failure),
        }
    }
}

impl Write for Delivery {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Local(target) => target.write(bytes),
            Self::Paged(paged) => paged.write(bytes),
            Self::Bucket(upload) => upload.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Local(target) => target.flush(),
            Self::Paged(paged) => paged.flush(),
            Self::Bucket(upload) => upload.flush(),
        }
    }
}
