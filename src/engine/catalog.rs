//! The names that SQL can use: the lake's tables, what the session made, and files by path.
//!
//! A lake table is opened when a statement names it, so that a lake of five hundred tables starts as fast as one of five.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::context::SessionState;
use datafusion_session::SessionStore;

use super::limits::{Mode, human_bytes};
use super::tables::{self, ParquetTable};
use crate::error::{Error, Result};
use crate::lake::{Lake, Root, Table};
use crate::storage::{Location, Stores};

/// Tables by name.
pub type Tables = BTreeMap<String, Arc<dyn TableProvider>>;

/// The lake as a schema of the engine.
pub struct LakeSchema {
    lake: Arc<Lake>,
    stores: Arc<Stores>,
    /// Folder in which a relative path in FROM starts.
    folder: PathBuf,
    mode: Mode,
    session: Arc<SessionStore>,
    /// Tables and views that statements of this session made.
    made: Mutex<Tables>,
    last: Mutex<Last>,
}

/// Name under which the last result can be read.
pub const LAST: &str = "_";

/// The last result of the session.
#[derive(Clone, Default)]
pub enum Last {
    /// There was none yet, or results are not kept here.
    #[default]
    None,
    Kept(Arc<dyn TableProvider>),
    /// It had more than these bytes.
    TooLarge(u64),
}

impl LakeSchema {
    pub fn new(lake: Arc<Lake>, stores: Arc<Stores>, folder: PathBuf, mode: Mode, session: Arc<SessionStore>) -> Self {
        Self { lake, stores, folder, mode, session, made: Mutex::default(), last: Mutex::default() }
    }

    pub fn stores(&self) -> &Arc<Stores> {
        &self.stores
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn made(&self) -> MutexGuard<'_, Tables> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the last result in, for statements that name it `_`.
    pub fn keep(&self, last: Last) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = last;
    }

    fn last(&self) -> Result<Arc<dyn TableProvider>> {
        match &*self.last.lock().unwrap_or_else(PoisonError::into_inner) {
            Last::Kept(table) => Ok(Arc::clone(table)),
            Last::None => Err(Error::query("`_` is the last result, and there is none yet")),
            Last::TooLarge(bytes) => {
                let bytes = human_bytes(*bytes);
                Err(Error::query(format!("`_` is the last result, which had more than {bytes} and was not kept"))
                    .hint("keep it by `create table NAME as select …`, or name its columns and rows more narrowly"))
            }
        }
    }

    /// The lake's table of this name; upper case counts only where two names differ in nothing else.
    fn declared(&self, name: &str) -> Option<&Table> {
        let tables = &self.lake.tables;
        tables.get(name).or_else(|| tables.values().find(|table| table.name.eq_ignore_ascii_case(name)))
    }

    /// Opens a table of the lake.
    ///
    /// # Errors
    /// From its location and its files, each naming the table.
    pub async fn open(&self, table: &Table) -> Result<ParquetTable> {
        let state = self.state()?;
        let named = |error: Error| {
            let hint = format!("table `{}` is declared with this path in `cxlake.toml`", table.name);
            error.hint(hint)
        };
        let location = self.stores.locate(&self.lake.root, &table.path).map_err(named)?;
        ParquetTable::open(&state, Arc::clone(&self.stores), location, table.columns.clone(), table.partition.clone())
            .await
            .map(|opened| opened.declared(table))
            .map_err(named)
    }

    /// Where a table of the lake is.
    ///
    /// # Errors
    /// `InvalidData` for a location that cannot be understood.
    pub fn locate(&self, table: &Table) -> Result<Location> {
        self.stores.locate(&self.lake.root, &table.path)
    }

    /// Tables and views that statements of this session made, with what each is.
    pub fn made_here(&self) -> Vec<(String, TableType)> {
        self.made().iter().map(|(name, table)| (name.clone(), table.table_type())).collect()
    }

    /// The session as it is now.
    pub fn state(&self) -> Result<SessionState> {
        let session = self.session.get_session().upgrade();
        let state = session.and_then(|session| session.read().as_any().downcast_ref::<SessionState>().cloned());
        state.ok_or_else(|| Error::internal("the session is gone"))
    }

    async fn find(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if let Some(made) = self.made().get(name) {
            return Ok(Some(Arc::clone(made)));
        }
        if let Some(table) = self.declared(name) {
            return Ok(Some(Arc::new(self.open(table).await?)));
        }
        if name == LAST {
            return self.last().map(Some);
        }
        if !tables::is_path(name) {
            return Ok(None);
        }
        if self.mode == Mode::ReadOnly {
            return Err(Error::usage(format!("read-only: files by path, such as `{name}`, are not read"))
                .hint("only the tables of the lake are open with `--read-only`"));
        }
        let location = self.stores.locate(&Root::Folder(self.folder.clone()), name)?;
        tables::open_path(&self.state()?, &self.stores, location).await.map(Some)
    }
}

impl fmt::Debug for LakeSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LakeSchema").field("lake", &self.lake.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl SchemaProvider for LakeSchema {
    fn table_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.lake.tables.keys().chain(self.made().keys()).cloned().collect();
        names.sort();
        names.dedup();
        names
    }

    async fn table(&self, name: &str) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        self.find(name).await.map_err(DataFusionError::from)
    }

    async fn table_type(&self, name: &str) -> EngineResult<Option<TableType>> {
        let made = self.made().get(name).map(|table| table.table_type());
        Ok(made.or_else(|| self.declared(name).map(|_| TableType::Base)))
    }

    fn register_table(
        &self,
        name: String,
        table: Arc<dyn TableProvider>,
    ) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        if self.lake.tables.contains_key(&name) {
            let error = Error::usage(format!("`{name}` is a table of the lake"));
            return Err(error.hint("give yours another name").into());
        }
        Ok(self.made().insert(name, table))
    }

    fn deregister_table(&self, name: &str) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        Ok(self.made().remove(name))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.made().contains_key(name) || self.declared(name).is_some() || name == LAST || tables::is_path(name)
    }
}

/// A schema with a few views laid over it.
#[derive(Debug)]
pub struct Overlay {
    pub views: Tables,
    pub below: Arc<dyn SchemaProvider>,
}

#[async_trait]
impl SchemaProvider for Overlay {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.below.table_names();
        names.extend(self.views.keys().cloned());
        names
    }

    async fn table(&self, name: &str) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        match self.views.get(name) {
            Some(view) => Ok(Some(Arc::clone(view))),
            None => self.below.table(name).await,
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        self.views.contains_key(name) || self.below.table_exist(name)
    }
}
