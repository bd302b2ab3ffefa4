//! The engine with the lake in it: a DataFusion session, its limits, its tables.

mod catalog;
mod diagnose;
pub mod functions;
mod limits;
mod optimizer;
mod planner;
mod registry;
mod scans;
mod session;
mod sharing;
mod tables;
mod views;

pub use diagnose::SqlText;
pub use limits::{Limits, Mode, human_bytes};
pub use scans::{Scanned, Scans};
pub use session::{Engine, FunctionSummary, Running};
pub use tables::{Files, Texts};
