//! The extreme row of a frame that moves.
//!
//! Only rows that may still win are kept: each is worse than the one that entered before it, so the first is the best.
//! A row enters and leaves once, and costs no look at the others.

use std::collections::VecDeque;
use std::mem::{size_of, size_of_val};

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::utils::take_function_args;
use datafusion::error::Result;
use datafusion::logical_expr::Accumulator;
use datafusion::scalar::ScalarValue;

use super::super::super::floats::canonical;
use super::{End, known};

#[derive(Debug)]
pub struct Sliding {
    types: [DataType; 2],
    /// Key, then value; the larger the bytes, the nearer to the wanted end.
    converter: RowConverter,
    /// Places and bytes of the rows that may still win.
    rows: VecDeque<(usize, Box<[u8]>)>,
    /// Bytes of the rows together.
    bytes: usize,
    /// Rows that have come, and rows that have gone.
    entered: usize,
    left: usize,
}

impl Sliding {
    pub fn new(end: End, value: &DataType, key: &DataType) -> Result<Self> {
        let fields = [key, value].map(|data_type| SortField::new_with_options(data_type.clone(), end.options()));
        Ok(Self {
            types: [value.clone(), key.clone()],
            converter: RowConverter::new(fields.to_vec())?,
            rows: VecDeque::new(),
            bytes: 0,
            entered: 0,
            left: 0,
        })
    }

    fn enter(&mut self, bytes: &[u8], place: usize) {
        while let Some((place, last)) = self.rows.pop_back() {
            if &*last > bytes {
                self.rows.push_back((place, last));
                break;
            }
            self.bytes -= last.len();
        }
        self.bytes += bytes.len();
        self.rows.push_back((place, bytes.into()));
    }
}

impl Accumulator for Sliding {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [value, key] = take_function_args("arg_max", values)?;
        let known = known(value, key, None);
        let encoded = self.converter.convert_columns(&[canonical(key), canonical(value)])?;
        for (row, bytes) in encoded.iter().enumerate() {
            if known.as_ref().is_none_or(|known| known.is_valid(row)) {
                self.enter(bytes.as_ref(), self.entered + row);
            }
        }
        self.entered += value.len();
        Ok(())
    }

    /// Frames lose their rows in the order in which they came, so that their number says which.
    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [value, _] = take_function_args("arg_max", values)?;
        self.left += value.len();
        while let Some((place, bytes)) = self.rows.pop_front() {
            if place >= self.left {
                self.rows.push_front((place, bytes));
                break;
            }
            self.bytes -= bytes.len();
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.state().map(|mut state| state.swap_remove(0))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let Some((_, bytes)) = self.rows.front() else {
            return self.types.iter().map(ScalarValue::try_from).collect();
        };
        let parser = self.converter.parser();
        let columns = self.converter.convert_rows([parser.parse(bytes)])?;
        let typed = columns.iter().rev().zip(&self.types);
        typed.map(|(column, data_type)| ScalarValue::try_from_array(&cast(column, data_type)?, 0)).collect()
    }

    fn size(&self) -> usize {
        let slots = self.rows.capacity() * size_of::<(usize, Box<[u8]>)>();
        size_of_val(self) + self.converter.size() + self.bytes + slots
    }
}
