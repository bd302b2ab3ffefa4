//! Aggregate functions: many rows to one value, vectorised for many groups, and over windows.

use std::sync::Arc;

use datafusion::logical_expr::AggregateUDF;

use super::help::Help;
use crate::lake::scale::Scales;

/// What each says of itself.
pub const HELPS: &[&Help] = &[];

/// All of them.
pub fn all(_scales: &Scales) -> Vec<Arc<AggregateUDF>> {
    vec![]
}
