//! What was typed -> what it means. Looks at the environment once, here.
//!
//! For each setting the option wins over the environment, and that over the manifest.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Handle;

use super::args::Global;
use crate::engine::{Engine, Limits, Mode};
use crate::error::{Error, Result};
use crate::lake::{Lake, MANIFEST, Root, discover, manifest, span};
use crate::output::Format;
use crate::query::results::Results;
use crate::query::run::{Given, assignment};
use crate::shell::interrupt::Interrupt;
use crate::shell::{Shell, Turned, View, screen};
use crate::storage::{Stores, Texts};

/// Variable that names the lake's folder.
const LAKE_VARIABLE: &str = "CXLAKE_LAKE";

/// The settings of this call.
#[derive(Debug)]
pub struct Settings {
    /// Where the lake is, not yet opened; `None` when there is no lake.
    lake: Option<Root>,
    /// Folder in which the call was made.
    folder: PathBuf,
    pub limits: Limits,
    mode: Mode,
    /// Whether results that were kept are neither taken nor kept.
    computes_anew: bool,
    view: View,
    output: Option<PathBuf>,
    given: Given,
}

impl Settings {
    /// Resolves what was typed. A report has forms of its own.
    ///
    /// # Errors
    /// `Usage` for a value that is none.
    pub fn resolve(typed: &Global, makes_a_report: bool) -> Result<Self> {
        let folder = std::env::current_dir()
            .map_err(|error| Error::storage(format!("the current folder cannot be used: {error}")).caused_by(error))?;
        let mut limits = Limits::of_machine();
        if let Some(threads) = typed.threads {
            limits.threads = usize::from(threads);
        }
        if let Some(memory) = &typed.memory_limit {
            limits.memory_bytes = Limits::parse_memory(memory)?;
        }
        let mut given = Given::new();
        for text in &typed.param {
            let (name, value) = assignment(text)?;
            given.entry(name).or_default().push(value);
        }
        Ok(Self {
            lake: lake_root(typed.lake.as_deref(), &folder),
            folder,
            limits,
            mode: if typed.read_only { Mode::ReadOnly } else { Mode::Full },
            computes_anew: typed.no_cache,
            view: View {
                format: typed.format.as_deref().filter(|_| !makes_a_report).map(Format::parse).transpose()?,
                csv_safe: typed.csv_safe,
                screen: screen(),
                rows_max: None,
                turned: Turned::Never,
                groups_digits: false,
                pages: true,
                fits: true,
                timeout: typed.timeout.as_deref().map(span::parse).transpose()?,
                timing: false,
                stats: typed.stats,
                quiet: typed.quiet,
            },
            output: typed.output.clone(),
            given,
        })
    }

    /// Whether there is a lake to open.
    pub fn has_lake(&self) -> bool {
        self.lake.is_some()
    }

    pub fn view(&self) -> &View {
        &self.view
    }

    /// Where results go; standard output, and for reports the current folder, when there is none.
    pub fn output(&self) -> Option<&Path> {
        self.output.as_deref()
    }

    pub fn given(&self) -> &Given {
        &self.given
    }

    /// The lake and its stores. They keep this call's runtime, since statements come and go with theirs.
    ///
    /// # Errors
    /// Those of the manifest; of reaching the bucket that it is in.
    pub async fn open(&self) -> Result<(Lake, Stores)> {
        let stores = Stores::new(Handle::current());
        let lake = match &self.lake {
            None => Lake::nowhere(self.folder.clone()),
            Some(Root::Folder(folder)) => discover::open(folder)?,
            Some(root @ Root::Address(address)) => {
                let texts = Texts::new(Arc::new(stores.clone()), root.clone());
                let Some(text) = texts.read(MANIFEST).await? else {
                    // What is wrong with the bucket itself comes first.
                    texts.names("toml").await?;
                    return Err(Error::not_found(format!("no lake at `{address}`: it has no `{MANIFEST}`"))
                        .hint(format!("put the manifest there, as `{address}/{MANIFEST}`")));
                };
                manifest::parse(&text, &root.join(MANIFEST).to_string(), root)?
            }
        };
        let stores = stores.declare(lake.stores.clone(), lake.cache_bytes_max);
        Ok((lake, stores))
    }

    /// Opens a session with the lake, or without one where there is none.
    ///
    /// # Errors
    /// Those of the manifest; `Interrupted` on Ctrl-C.
    pub async fn shell(&self, interrupt: Interrupt) -> Result<Shell> {
        let (lake, stores) = interrupt.guard(self.open()).await?;
        let results = (!self.computes_anew).then(|| Results::open(lake.results_bytes_max));
        let engine = Engine::open(Arc::new(lake), Arc::new(stores), self.folder.clone(), &self.limits, self.mode)?;
        let mut shell = Shell::new(engine, self.view.clone(), self.output.clone(), self.given.clone(), interrupt);
        if let Some(results) = results {
            shell.library = shell.library.keeping(results);
        }
        Ok(shell)
    }

    /// Opens a session with the lake.
    ///
    /// # Errors
    /// `Usage` when there is no lake; those of the manifest.
    pub async fn shell_in_lake(&self, interrupt: Interrupt) -> Result<Shell> {
        if !self.has_lake() {
            return Err(Error::usage("there is no lake here: no `cxlake.toml` in this folder or above it")
                .hint("name one with `--lake DIR`, or make one with `cxlake init DIR --sample`"));
        }
        self.shell(interrupt).await
    }
}

/// Where the lake is; a folder as short as it can be written from the folder of the call.
fn lake_root(typed: Option<&Path>, folder: &Path) -> Option<Root> {
    let variable = || std::env::var_os(LAKE_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    let named = typed.map(Path::to_owned).or_else(variable);
    let found = named.or_else(|| discover::nearest(folder))?;
    Some(Root::typed(found.strip_prefix(folder).unwrap_or(&found)))
}
