//! The files that a statement's scans read: what a result rests on.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use serde::{Deserialize, Serialize};

use super::scans::Scans;
use super::session::Engine;

/// A file that was read, in the version that was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Input {
    /// The lake's table that it belongs to; `None` for a file by path.
    pub table: Option<String>,
    /// As its user would write it.
    pub path: String,
    pub bytes: u64,
    /// What the store calls the version, which changes with the content.
    pub e_tag: Option<String>,
    pub modified: DateTime<Utc>,
    /// Rows of the whole file, whatever of them was wanted; `None` where its statistics do not say.
    pub rows: Option<u64>,
}

impl Scans {
    /// The files of the lake's tables, and those by path, that the scans read, each once, by path. Those that a filter left out
    /// before any was opened are not among them.
    pub fn inputs(&self, engine: &Engine) -> Vec<Input> {
        if let Some(inputs) = self.kept_inputs() {
            return inputs.to_vec();
        }
        let mut found = BTreeMap::new();
        if let Some(plan) = self.plan() {
            add(plan.as_ref(), &mut found);
        }
        let tables: Vec<_> = engine.table_locations().collect();
        let inputs = found.into_values().map(|file| {
            let of = tables.iter().filter(|(_, location)| file.location.prefix_matches(&location.base));
            // Of tables that lie in each other, the innermost.
            let of = of.max_by_key(|(_, location)| location.base.parts().count());
            Input {
                table: of.map(|(name, _)| name.clone()),
                path: of.map_or_else(|| file.location.to_string(), |(_, location)| location.shown(&file.location)),
                ..file.input
            }
        });
        let mut inputs: Vec<Input> = inputs.collect();
        inputs.sort();
        inputs
    }
}

/// A file of a plan, before it is known whose it is.
struct Found {
    location: object_store::path::Path,
    input: Input,
}

fn add(plan: &dyn ExecutionPlan, found: &mut BTreeMap<String, Found>) {
    let scan = plan.downcast_ref::<DataSourceExec>();
    if let Some(config) = scan.and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>()) {
        for file in config.file_groups.iter().flat_map(FileGroup::files) {
            let meta = &file.object_meta;
            let rows = file.statistics.as_ref().and_then(|known| known.num_rows.get_value().copied());
            let input = Input {
                table: None,
                path: String::new(),
                bytes: meta.size,
                e_tag: meta.e_tag.clone(),
                modified: meta.last_modified,
                rows: rows.map(|rows| rows as u64),
            };
            // A file that is read in parts, or twice, is one.
            found.entry(meta.location.to_string()).or_insert_with(|| Found { location: meta.location.clone(), input });
        }
    }
    for child in plan.children() {
        add(child.as_ref(), found);
    }
}
