//! Settings of our own, which SET changes under `cxlake.`: each switches a rule off, to see what it does.

use std::any::Any;

use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::common::extensions_options;
use datafusion::error::Result as EngineResult;

extensions_options! {
    /// Rules of our own.
    pub struct Options {
        /// Runs a subplan that a statement holds more than once only once.
        pub share_subplans: bool, default = true
        /// Takes the first row of each key without sorting the others.
        pub latest_per_key: bool, default = true
        /// Counts distinct values of many groups with one table of values.
        pub distinct_counts: bool, default = true
        /// Chooses the values of CASE by the bits of its conditions where it calculates nothing.
        pub choices: bool, default = true
        /// Calculates what a text alone decides once for each distinct text of a batch.
        pub distinct_texts: bool, default = true
        /// Keeps the values of several quantiles of a column once.
        pub quantile_sets: bool, default = true
        /// Joins three and more relations in the order that makes the fewest rows.
        pub join_order: bool, default = true
        /// Groups a fact before it is joined with what it is about.
        pub eager_aggregation: bool, default = true
        /// Groups rows that lie side by side before their group is looked up.
        pub group_runs: bool, default = true
        /// Reads files in the order in which they are sorted where all of their rows are to be sorted.
        pub sorted_scans: bool, default = true
        /// Finds the first rows of an order before it reads the columns that neither order nor filter needs.
        pub fetch_rows: bool, default = true
        /// Reads the columns of a filter first where it leaves few rows.
        pub late_materialization: bool, default = true
    }
}

/// The options as a session holds them, listed by the names that SET and SHOW take.
#[derive(Clone, Debug, Default)]
pub struct Settings(Options);

impl ConfigExtension for Settings {
    const PREFIX: &'static str = "cxlake";
}

impl ExtensionOptions for Settings {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> EngineResult<()> {
        self.0.set(key, value)
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        let full = |entry: ConfigEntry| ConfigEntry { key: format!("{}.{}", Self::PREFIX, entry.key), ..entry };
        self.0.entries().into_iter().map(full).collect()
    }
}

/// The options of a session; as they come where none are set.
pub fn of(options: &ConfigOptions) -> Options {
    options.extensions.get::<Settings>().map(|settings| settings.0.clone()).unwrap_or_default()
}
