//! Window functions: a value for each row, from the rows of its partition.

use std::sync::Arc;

use datafusion::logical_expr::WindowUDF;

use super::help::Help;

/// What each says of itself.
pub const HELPS: &[&Help] = &[];

/// All of them.
pub fn all() -> Vec<Arc<WindowUDF>> {
    vec![]
}
