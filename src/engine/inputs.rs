//! The files that a statement's scans read: what a result rests on.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use datafusion::common::Result as EngineResult;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use object_store::ObjectMeta;
use object_store::path::Path as ObjectPath;
use serde::{Deserialize, Serialize};

use super::scans::Scans;
use super::tables::ParquetTable;
use super::views::View;
use crate::storage::Location;

/// A file that was read, in the version that was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Input {
    /// The lake's table that it was read for; `None` for a file by path.
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

/// A file of a scan, which goes with it through the plan: of two tables in one folder its path alone does not say which one it
/// is read for.
#[derive(Debug)]
pub struct Found {
    /// Address of the store that it is in; a scan may read it by another one.
    store_url: String,
    location: ObjectPath,
    input: Input,
}

impl Found {
    /// A file at a location, read for this table of the lake.
    pub fn new(table: Option<&str>, location: &Location, file: &ObjectMeta, rows: Option<usize>) -> Self {
        let input = Input {
            table: table.map(str::to_owned),
            path: location.shown(&file.location),
            bytes: file.size,
            e_tag: file.e_tag.clone(),
            modified: file.last_modified,
            rows: rows.map(|rows| rows as u64),
        };
        Self { store_url: location.store_url.clone(), location: file.location.clone(), input }
    }
}

/// The files that the scans of one table opened.
#[derive(Debug, Default)]
pub struct Opened(Mutex<BTreeMap<ObjectPath, Arc<Found>>>);

impl Opened {
    /// Adds a file, in the place of an older version of it.
    pub fn add(&self, file: &Arc<Found>) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert(file.location.clone(), Arc::clone(file));
    }
}

/// Adds what is opened of the tables of a plan that is not optimized, and of the views in it.
pub fn tables(plan: &LogicalPlan, opened: &mut Vec<Arc<Opened>>) -> EngineResult<()> {
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Ok(table) = source_as_provider(&scan.source)
        {
            let table = table.as_ref() as &dyn Any;
            if let Some(view) = table.downcast_ref::<View>() {
                tables(view.plan(), opened)?;
            }
            opened.extend(table.downcast_ref::<ParquetTable>().map(|table| Arc::clone(table.files_opened())));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

impl Scans {
    /// The files of the lake's tables, and those by path, that the scans read, each once, by path. Those that a filter left out
    /// before any was opened are not among them.
    pub fn inputs(&self) -> Vec<Input> {
        if let Some(inputs) = self.kept_inputs() {
            return inputs.to_vec();
        }
        let mut found = BTreeMap::new();
        if let Some(plan) = self.plan() {
            walk(plan.as_ref(), &mut found);
        }
        // A count or a bound that the footers know takes the place of its scan in the plan. What the scan had opened for it is
        // read all the same, and what the partitions left out before that is not.
        for opened in self.opened() {
            for file in opened.0.lock().unwrap_or_else(PoisonError::into_inner).values() {
                add(file, &mut found);
            }
        }
        let mut inputs: Vec<Input> = found.into_values().collect();
        inputs.sort();
        inputs
    }
}

/// Files by their stores and their paths there: two stores may have files of one path.
type ByPlace = BTreeMap<(String, ObjectPath), Input>;

/// Adds a file once, however many scans and parts of scans read it; one that is read by path too is its table's.
fn add(file: &Found, found: &mut ByPlace) {
    let known = found.entry((file.store_url.clone(), file.location.clone())).or_insert_with(|| file.input.clone());
    if known.table.is_none() && file.input.table.is_some() {
        known.clone_from(&file.input);
    }
}

/// Adds the files of a plan.
fn walk(plan: &dyn ExecutionPlan, found: &mut ByPlace) {
    let scan = plan.downcast_ref::<DataSourceExec>();
    if let Some(config) = scan.and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>()) {
        let files = config.file_groups.iter().flat_map(FileGroup::files);
        for file in files.filter_map(|file| file.extension::<Arc<Found>>()) {
            add(file, found);
        }
    }
    for child in plan.children() {
        walk(child.as_ref(), found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(store_url: &str, table: Option<&str>) -> Found {
        let input = Input {
            table: table.map(str::to_owned),
            path: "t/a.parquet".to_owned(),
            bytes: 1,
            e_tag: None,
            modified: DateTime::default(),
            rows: None,
        };
        Found { store_url: store_url.to_owned(), location: "t/a.parquet".into(), input }
    }

    #[test]
    fn files_of_one_path_in_two_stores_are_two_inputs() {
        let mut found = ByPlace::new();
        for store in ["s3://one/", "s3://two/", "file:///", "s3://two/"] {
            add(&file(store, None), &mut found);
        }
        let stores: Vec<&str> = found.keys().map(|(store, _)| store.as_str()).collect();
        assert_eq!(stores, ["file:///", "s3://one/", "s3://two/"]);
    }

    #[test]
    fn a_file_that_is_read_for_its_table_and_by_path_is_an_input_of_the_table() {
        for tables in [[Some("t"), None], [None, Some("t")]] {
            let mut found = ByPlace::new();
            for table in tables {
                add(&file("file:///", table), &mut found);
            }
            let of: Vec<_> = found.values().map(|input| input.table.as_deref()).collect();
            assert_eq!(of, [Some("t")]);
        }
    }
}
