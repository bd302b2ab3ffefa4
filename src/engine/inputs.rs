//! The files that a statement's scans read: what a result rests on.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use serde::{Deserialize, Serialize};

use super::scans::Scans;
use super::session::Engine;
use super::tables::StoredAt;

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
            let of = tables.iter().filter(|(_, location)| {
                file.store == location.store_url && file.location.prefix_matches(&location.base)
            });
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
    /// Address of the store that it is in.
    store: String,
    location: object_store::path::Path,
    input: Input,
}

/// Adds the files of a plan, each once, by its store and its path there: two stores may have files of one path.
fn add(plan: &dyn ExecutionPlan, found: &mut BTreeMap<(String, String), Found>) {
    let scan = plan.downcast_ref::<DataSourceExec>();
    if let Some(config) = scan.and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>()) {
        for file in config.file_groups.iter().flat_map(FileGroup::files) {
            let meta = &file.object_meta;
            let store = file.extension::<StoredAt>().map_or(config.object_store_url.as_str(), |at| at.0.as_str());
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
            let key = (store.to_owned(), meta.location.to_string());
            found.entry(key).or_insert_with(|| Found {
                store: store.to_owned(),
                location: meta.location.clone(),
                input,
            });
        }
    }
    for child in plan.children() {
        add(child.as_ref(), found);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::datatypes::Schema;
    use datafusion::datasource::listing::PartitionedFile;
    use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
    use datafusion::datasource::table_schema::TableSchema;
    use datafusion::execution::object_store::ObjectStoreUrl;
    use object_store::ObjectMeta;

    use super::*;

    fn scan(store: &str, at: Option<StoredAt>) -> Arc<DataSourceExec> {
        let location = "t/a.parquet".into();
        let meta = ObjectMeta { location, last_modified: DateTime::default(), size: 1, e_tag: None, version: None };
        let file = PartitionedFile::new_from_meta(meta);
        let file = match at {
            Some(at) => file.with_extension(at),
            None => file,
        };
        let store = ObjectStoreUrl::parse(store).expect("an address");
        let source = ParquetSource::new(TableSchema::from(Arc::new(Schema::empty())));
        let config =
            FileScanConfigBuilder::new(store, Arc::new(source)).with_file_groups(vec![FileGroup::new(vec![file])]);
        DataSourceExec::from_data_source(config.build())
    }

    #[test]
    fn files_of_one_path_in_two_stores_are_two_inputs() {
        let mut found = BTreeMap::new();
        for store in ["s3://one/", "s3://two/", "file:///", "s3://two/"] {
            add(scan(store, None).as_ref(), &mut found);
        }
        assert_eq!(found.len(), 3);
        let at = || Some(StoredAt("s3://two/".to_owned()));
        add(scan("scan://1/", at()).as_ref(), &mut found);
        add(scan("scan://2/", at()).as_ref(), &mut found);
        let stores: Vec<&str> = found.values().map(|file| file.store.as_str()).collect();
        assert_eq!(stores, ["file:///", "s3://one/", "s3://two/"]);
    }
}
