//! Struct results: whole numbers that count, and floats that measure.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, StructArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Field, Fields};

/// Name of a field that is found by its place, in structs that no statement sees.
pub fn at_place(place: usize) -> String {
    format!("c{place}")
}

/// Fields of these names: counts, then measures.
pub fn fields(counts: &[&str], measures: &[&str]) -> Fields {
    let counts = counts.iter().map(|name| Field::new(*name, DataType::Int64, true));
    counts.chain(measures.iter().map(|name| Field::new(*name, DataType::Float64, true))).collect()
}

/// A struct for each row, with the fields of [`fields`]. Where it is null its fields are, too, since taking a field does
/// not look at the struct's nulls.
pub fn structs<const C: usize, const M: usize>(
    fields: &Fields,
    rows: impl Iterator<Item = Option<([i64; C], [Option<f64>; M])>>,
) -> ArrayRef {
    let rows: Vec<_> = rows.collect();
    let count = |at: usize| rows.iter().map(|row| row.map(|(counts, _)| counts[at])).collect::<Int64Array>();
    let measure =
        |at: usize| rows.iter().map(|row| row.and_then(|(_, measures)| measures[at])).collect::<Float64Array>();
    let counts = (0..C).map(|at| Arc::new(count(at)) as ArrayRef);
    let measures = (0..M).map(|at| Arc::new(measure(at)) as ArrayRef);
    let nulls = rows.iter().map(Option::is_some).collect::<NullBuffer>();
    let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
    Arc::new(StructArray::new(fields.clone(), counts.chain(measures).collect(), nulls))
}
