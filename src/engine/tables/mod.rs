//! Table providers: one file per way in which a table's rows are stored.

mod arrow;
mod by_path;
mod contract;
mod csv;
mod csv_errors;
mod dictionary;
mod facts;
mod filter;
mod footer;
mod json;
mod looks;
pub mod lookup;
mod parquet;
mod partition;
mod plain;
mod reader;
mod whole;

pub use by_path::{is_path, open as open_path};
pub use csv::distinct_names;
pub use dictionary::Texts;
pub use facts::Facts;
pub use looks::{Look, Wanted};
pub use parquet::{Files, Listed, ParquetTable, with_footers};
pub use partition::with_folder_names;
pub use reader::Footer;
pub use whole::{TableFile, Tallied, Tally, WRITER, Whole};
