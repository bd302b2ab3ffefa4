//! Scalar functions: a value for each row, from that row alone.

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::help::Help;

/// What each says of itself.
pub const HELPS: &[&Help] = &[];

/// All of them.
pub fn all() -> Vec<Arc<ScalarUDF>> {
    vec![]
}
