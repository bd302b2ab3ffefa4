//! Table providers: one file per way in which a table's rows are stored.

mod by_path;
mod contract;
mod csv;
mod dictionary;
mod filter;
mod footer;
mod parquet;
mod partition;
mod reader;

pub use by_path::{is_path, open as open_path};
pub use dictionary::Texts;
pub use parquet::{Files, ParquetTable};
