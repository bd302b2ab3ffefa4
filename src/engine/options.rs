//! Settings of our own, which SET changes under `cxlake.`: each switches a rule off, to see what it does.

use datafusion::common::config::{ConfigExtension, ConfigOptions};
use datafusion::common::extensions_options;

extensions_options! {
    /// Rules of our own.
    pub struct Options {
        /// Runs a subplan that a statement holds more than once only once.
        pub share_subplans: bool, default = true
        /// Takes the first row of each key without sorting the others.
        pub latest_per_key: bool, default = true
        /// Counts distinct values of many groups with one table of values.
        pub distinct_counts: bool, default = true
        /// Keeps the values of several quantiles of a column once.
        pub quantile_sets: bool, default = true
        /// Joins three and more relations in the order that makes the fewest rows.
        pub join_order: bool, default = true
        /// Reads files in the order in which they are sorted where all of their rows are to be sorted.
        pub sorted_scans: bool, default = true
        /// Reads the columns of a filter first where it leaves few rows.
        pub late_materialization: bool, default = true
    }
}

impl ConfigExtension for Options {
    const PREFIX: &'static str = "cxlake";
}

/// The settings of a session; as they come where none are set.
pub fn of(options: &ConfigOptions) -> Options {
    options.extensions.get::<Options>().cloned().unwrap_or_default()
}
