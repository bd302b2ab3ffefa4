//! What `at time zone` is said of.
//!
//! In DataFusion 55.2 `now()` and its like give a time without a zone, which `at time zone` takes for the time on a clock there. They are
//! moments, whose zone is UTC, and are made so here.

use datafusion::sql::sqlparser::ast::{BinaryOperator, DataType, Expr, TimezoneInfo, TypedString};

use super::arguments::parser;
use crate::error::{Error, Result};

/// Functions that give a moment.
const MOMENTS: [&str; 8] = [
    "current_timestamp",
    "from_unixtime",
    "now",
    "to_timestamp",
    "to_timestamp_micros",
    "to_timestamp_millis",
    "to_timestamp_nanos",
    "to_timestamp_seconds",
];

/// Says of a moment before `at time zone` that it is one.
///
/// # Errors
/// `Internal`, when our own text cannot be read.
pub fn write_out(expr: &mut Expr) -> Result<()> {
    let Expr::AtTimeZone { timestamp, .. } = expr else { return Ok(()) };
    if is_moment(timestamp) {
        let written = format!("arrow_cast({timestamp}, 'Timestamp(Nanosecond, Some(\"+00:00\"))')");
        let parsed = parser(&written).and_then(|mut parser| parser.parse_expr());
        **timestamp = parsed.map_err(|error| Error::internal(error.to_string()))?;
    }
    Ok(())
}

fn is_moment(expr: &Expr) -> bool {
    let has_zone = |of: &DataType| matches!(of, DataType::Timestamp(_, TimezoneInfo::Tz | TimezoneInfo::WithTimeZone));
    match expr {
        Expr::Nested(inner) => is_moment(inner),
        Expr::BinaryOp { left, op: BinaryOperator::Plus | BinaryOperator::Minus, .. } => is_moment(left),
        Expr::Function(function) => MOMENTS.iter().any(|name| function.name.to_string().eq_ignore_ascii_case(name)),
        Expr::TypedString(TypedString { data_type, .. }) | Expr::Cast { data_type, .. } => has_zone(data_type),
        _ => false,
    }
}
