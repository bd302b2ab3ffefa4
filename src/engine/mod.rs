//! The engine with the lake in it: a DataFusion session, its limits, its tables.

mod asked;
mod catalog;
mod describe;
mod diagnose;
pub mod functions;
mod grounds;
mod inputs;
mod kept;
mod limits;
mod manifest_sql;
mod merged_names;
mod optimizer;
mod options;
mod planner;
mod profile;
mod quartiles;
mod registry;
mod rewriting;
mod scans;
mod session;
mod sharing;
mod summary;
mod tables;
mod views;

pub use asked::{Asked, asked};
pub use catalog::LAST;
pub use diagnose::SqlText;
pub use grounds::{Ground, Grounds};
pub use inputs::Input;
pub use kept::{DESCRIPTION, Kept};
pub use limits::{Limits, Mode, human_bytes};
pub use rewriting::TableFiles;
pub use scans::{Progress, Scanned, Scans};
pub use session::{Engine, FunctionSummary, Running};
pub use tables::{Facts, Files, TableFile, Tallied, Tally, Texts, WRITER, Whole};
