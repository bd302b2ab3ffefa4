//! Struct results made of floats, where a row has all of them or is null.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, StructArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Field, Fields};

/// Fields of these names.
pub fn fields(names: &[&str]) -> Fields {
    names.iter().map(|name| Field::new(*name, DataType::Float64, true)).collect()
}

/// A struct for each row. Its fields are null with it, since taking a field does not look at the struct's nulls.
pub fn structs<const N: usize>(fields: &Fields, rows: impl Iterator<Item = Option<[f64; N]>>) -> ArrayRef {
    let rows: Vec<Option<[f64; N]>> = rows.collect();
    let column = |place: usize| rows.iter().map(|row| row.map(|values| values[place])).collect::<Float64Array>();
    let columns = (0..N).map(|place| Arc::new(column(place)) as ArrayRef).collect();
    let nulls = NullBuffer::from_iter(rows.iter().map(Option::is_some));
    Arc::new(StructArray::new(fields.clone(), columns, Some(nulls)))
}
