//! SQL functions of our own: one file per function or close family, each with its help.
//!
//! The arithmetic is in `crate::statistics`, which knows no engine; here it is made vectorised, typed and documented.

pub mod aggregate;
pub mod arguments;
pub mod help;
pub mod scalar;
pub mod table;
pub mod window;

use datafusion::execution::SessionStateBuilder;

use crate::lake::scale::Scales;
use help::Help;

/// What every function of ours says of itself, by name.
pub fn helps() -> Vec<&'static Help> {
    let mut helps = [aggregate::HELPS, window::HELPS, scalar::HELPS, table::HELPS].concat();
    helps.sort_by_key(|help| help.name);
    helps
}

/// Puts all functions into a session.
pub fn register(builder: SessionStateBuilder, scales: &Scales) -> SessionStateBuilder {
    let mut builder = builder.with_relation_planners(vec![table::planner()]).with_query_planner(table::query_planner());
    builder.aggregate_functions().get_or_insert_default().extend(aggregate::all(scales));
    builder.window_functions().get_or_insert_default().extend(window::all());
    builder.scalar_functions().get_or_insert_default().extend(scalar::all());
    builder
}
