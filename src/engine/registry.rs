//! The lake's stores as the engine asks for them: by address, when a plan first needs one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::object_store::ObjectStoreRegistry;
use object_store::ObjectStore;
use url::Url;

use crate::error::Error;
use crate::storage::Stores;

/// The stores of the lake, and those that one statement has for itself.
#[derive(Debug)]
pub struct Registry {
    stores: Arc<Stores>,
    added: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
}

impl Registry {
    pub fn new(stores: Arc<Stores>) -> Self {
        Self { stores, added: Mutex::default() }
    }

    fn added(&self) -> MutexGuard<'_, HashMap<String, Arc<dyn ObjectStore>>> {
        self.added.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What tells two stores apart: scheme and host.
fn key(url: &Url) -> String {
    url[..url::Position::BeforePath].to_owned()
}

impl ObjectStoreRegistry for Registry {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.added().insert(key(url), store)
    }

    fn deregister_store(&self, url: &Url) -> EngineResult<Arc<dyn ObjectStore>> {
        let removed = self.added().remove(&key(url));
        removed.ok_or_else(|| DataFusionError::from(Error::internal(format!("no store `{url}`"))))
    }

    fn get_store(&self, url: &Url) -> EngineResult<Arc<dyn ObjectStore>> {
        match self.added().get(&key(url)) {
            Some(store) => Ok(Arc::clone(store)),
            None => self.stores.open(url.as_str()).map_err(DataFusionError::from),
        }
    }
}
