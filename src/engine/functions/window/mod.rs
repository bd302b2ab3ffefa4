//! Window functions: a value for each row, from the rows of its partition.

mod peers;
mod robust_z;

use std::sync::Arc;

use datafusion::logical_expr::WindowUDF;

use super::help::Help;

/// What each says of itself.
pub const HELPS: &[&Help] = &[&peers::COUNT_HELP, &peers::MEDIAN_HELP, &robust_z::HELP];

/// All of them.
pub fn all() -> Vec<Arc<WindowUDF>> {
    vec![
        Arc::new(peers::ExcludingSelf::count().into()),
        Arc::new(peers::ExcludingSelf::median().into()),
        Arc::new(robust_z::RobustZ::new().into()),
    ]
}
