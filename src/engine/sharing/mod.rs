//! Runs a subplan that a statement holds more than once only once, for all who read it.
//!
//! A CTE, a view or a used query that is named twice stands in the engine's plan twice, and would be planned and run twice.
//! Here the copies become scans of one source (`find.rs`, `source.rs`), so that the rest of the statement is optimized
//! around them. When it is, each source's subplan is narrowed to the columns and rows that its readers still ask for and
//! planned on its own (`settle.rs`), and its readers become operators (`exec.rs`) that take its batches from one run
//! (`run.rs`).
//!
//! Only subplans that gather rows (group, window, sort out) are shared: those that merely read, filter and join would cost
//! more to keep than to run again (`weigh.rs` looks for those among the former). Subplans with a volatile function or with
//! columns of a query around them never are.

mod exec;
mod find;
mod run;
mod settle;
mod source;
mod weigh;

pub use exec::{Attach, SharedExec};
pub use find::ShareSubplans;
pub use settle::{Body, SharedReadPlanner, settle};
pub use weigh::is_better_run_again;
