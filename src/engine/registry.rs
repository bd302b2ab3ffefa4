//! The lake's stores as the engine asks for them: by address, when a plan first needs one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::object_store::{ObjectStoreRegistry, ObjectStoreUrl};
use datafusion::execution::runtime_env::RuntimeEnv;
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

/// A store for one scan, under an address that nobody else knows. It is taken away with the last plan that holds this.
#[derive(Debug)]
pub struct Lent {
    address: ObjectStoreUrl,
    registry: Arc<dyn ObjectStoreRegistry>,
}

impl Lent {
    /// # Errors
    /// `Internal` when the address cannot be made.
    pub fn new(runtime: &RuntimeEnv, store: Arc<dyn ObjectStore>) -> EngineResult<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let address = ObjectStoreUrl::parse(format!("scan://{}/", NUMBER.fetch_add(1, Ordering::Relaxed)))?;
        let registry = Arc::clone(&runtime.object_store_registry);
        registry.register_store(address.as_ref(), store);
        Ok(Self { address, registry })
    }

    pub fn address(&self) -> &ObjectStoreUrl {
        &self.address
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // One that is not there needs no taking away.
        let _ = self.registry.deregister_store(self.address.as_ref());
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
