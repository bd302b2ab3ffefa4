//! What was listed of a table, so that somebody else can list the same and compare.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use object_store::ObjectMeta;

use super::parquet::EXTENSIONS;
use crate::error::{Error, Result};
use crate::storage::{Location, Stores};

/// Folders below a table by their names from it downwards, and whether what is in them was wanted.
pub type Wanted = BTreeMap<String, bool>;

/// Files of a listing that is remembered; longer ones take more to compare than a statement may take.
const FILES_MAX: usize = 20_000;

/// A listing of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Levels of folders of which only the wanted ones were listed.
    pub levels: usize,
    pub wanted: Wanted,
    /// What was found; `None` when it was too much to remember.
    pub files: Option<Vec<ObjectMeta>>,
}

impl Look {
    /// Lists the same once more: the files that are there now. `None` when there are folders of which nobody knows whether
    /// they are wanted, or folders are gone.
    ///
    /// # Errors
    /// `Storage` when they cannot be listed.
    pub async fn again(
        stores: &Stores,
        location: &Location,
        levels: usize,
        wanted: &Wanted,
    ) -> Result<Option<Vec<ObjectMeta>>> {
        let asked = Mutex::new(0);
        let known = |folders: &[String]| {
            *asked.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            wanted.get(&folders.join("/")).copied().ok_or_else(|| Error::not_found("a folder that was not there"))
        };
        let store = stores.open(&location.store_url)?;
        let listing = match location.list_where(store.as_ref(), &EXTENSIONS, levels, known).await {
            Err(error) if error.kind() == crate::error::Kind::NotFound => return Ok(None),
            listing => listing?,
        };
        let asked = asked.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok((asked == wanted.len()).then_some(listing.files))
    }
}

/// The listings of a table, in the order in which they were made.
#[derive(Debug, Default)]
pub struct Looks(Mutex<Vec<Look>>);

impl Looks {
    pub fn add(&self, levels: usize, wanted: Wanted, files: &[ObjectMeta]) {
        let files = (files.len() <= FILES_MAX).then(|| files.to_vec());
        let look = Look { levels, wanted, files };
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !looks.contains(&look) {
            looks.push(look);
        }
    }

    pub fn all(&self) -> Vec<Look> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
