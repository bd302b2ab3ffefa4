//! The quartiles of values of which few are distinct, exact.
//!
//! A summary keeps no column in memory. Scores, counts and dates repeat, though: rows are counted for each value, and while the
//! values are few, nothing is lost by that. A sketch would blur them, and differently in every run.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array, ListArray, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, UInt64Type};
use datafusion::common::cast::{as_float64_array, as_list_array};
use datafusion::common::{HashMap, Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

use crate::statistics::order;

/// Name of each quartile, and how many quarters of the rows lie below it.
pub const QUARTILES: [(&str, u64); 3] = [("q25", 1), ("q50", 2), ("q75", 3)];

/// Distinct values that are counted at most; they take a megabyte or two.
const VALUES_MAX: usize = 1 << 16;

/// The aggregate function: a struct of the quartiles, null where the values are too many. Statements cannot call it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Quartiles {
    signature: Signature,
}

impl Quartiles {
    pub fn new() -> Self {
        Self { signature: Signature::exact(vec![DataType::Float64], Volatility::Immutable) }
    }
}

fn fields() -> Fields {
    QUARTILES.iter().map(|(name, _)| Field::new(*name, DataType::Float64, true)).collect()
}

impl AggregateUDFImpl for Quartiles {
    fn name(&self) -> &'static str {
        "quartiles"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(fields()))
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let name = format_state_name(arguments.name, "counts");
        Ok(vec![Arc::new(Field::new_list(name, Field::new_list_field(DataType::UInt64, true), true))])
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Counts { rows: Some(HashMap::default()) }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

#[derive(Debug)]
struct Counts {
    /// Rows by the bits of their value; `None` once the values are too many.
    rows: Option<HashMap<u64, u64>>,
}

impl Counts {
    fn add(&mut self, value: f64, count: u64) {
        let Some(rows) = &mut self.rows else { return };
        // There are two zeros, and the sum is the same one for both.
        *rows.entry((value + 0.0).to_bits()).or_default() += count;
        if rows.len() > VALUES_MAX {
            self.rows = None;
        }
    }
}

impl Accumulator for Counts {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in as_float64_array(&values[0])?.iter().flatten() {
            self.add(value, 1);
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for state in as_list_array(&states[0])?.iter() {
            let Some(state) = state else {
                self.rows = None;
                return Ok(());
            };
            for pair in state.as_primitive::<UInt64Type>().values().chunks_exact(2) {
                self.add(f64::from_bits(pair[0]), pair[1]);
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let pairs = |rows: &HashMap<u64, u64>| -> Vec<Option<u64>> {
            rows.iter().flat_map(|(value, count)| [Some(*value), Some(*count)]).collect()
        };
        let list = ListArray::from_iter_primitive::<UInt64Type, _, _>([self.rows.as_ref().map(pairs)]);
        Ok(vec![ScalarValue::List(Arc::new(list))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let values = self.rows.iter().flatten().map(|(value, count)| (f64::from_bits(*value), *count));
        let mut values: Vec<(f64, u64)> = values.collect();
        values.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let found =
            QUARTILES.map(|(_, quarters)| Arc::new(Float64Array::from(vec![quartile(&values, quarters)])) as ArrayRef);
        Ok(ScalarValue::Struct(Arc::new(StructArray::try_new(fields(), found.into(), None)?)))
    }

    fn size(&self) -> usize {
        let capacity = self.rows.as_ref().map_or(0, HashMap::capacity);
        size_of_val(self) + capacity * size_of::<(u64, u64)>()
    }
}

/// The value below which so many quarters of the rows lie, as by `percentile_cont`; of ascending values and how many rows each has.
fn quartile(values: &[(f64, u64)], quarters: u64) -> Option<f64> {
    let rows: u64 = values.iter().map(|(_, count)| count).sum();
    let at = |row: u64| {
        let mut below = 0;
        let found = values.iter().find(|(_, count)| {
            below += count;
            below > row
        });
        found.map(|(value, _)| *value)
    };
    // Four times the number of the row, which is between two rows as a rule.
    let place = quarters * rows.checked_sub(1)?;
    let low = at(place / 4)?;
    let high = at(place / 4 + 1).unwrap_or(low);
    order::quantile(&[low, high], (place % 4) as f64 / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The quartiles of values that were counted in two parts.
    fn quartiles(values: &[f64]) -> Vec<Option<f64>> {
        let mut whole = Counts { rows: Some(HashMap::default()) };
        for part in values.chunks(values.len().div_ceil(2).max(1)) {
            let mut counts = Counts { rows: Some(HashMap::default()) };
            counts.update_batch(&[Arc::new(Float64Array::from(part.to_vec()))]).expect("floats");
            let state: Vec<ArrayRef> =
                counts.state().expect("a state").iter().map(|state| state.to_array().expect("an array")).collect();
            whole.merge_batch(&state).expect("states");
        }
        let ScalarValue::Struct(found) = whole.evaluate().expect("a result") else { panic!("no struct") };
        let value = |column: &ArrayRef| as_float64_array(column).expect("floats").iter().next().flatten();
        found.columns().iter().map(value).collect()
    }

    #[test]
    fn quartiles_of_repeated_values_are_those_of_all_values() {
        let samples = [vec![], vec![3.0], vec![1.0, 2.0, 4.0], vec![-0.0, 0.0, 9.0, 9.0, 9.0, 10.0, 0.5]];
        for mut sample in samples {
            let found = quartiles(&sample);
            sample.sort_by(f64::total_cmp);
            assert_eq!(found, [0.25, 0.5, 0.75].map(|share| order::quantile(&sample, share)), "{sample:?}");
        }
    }

    #[test]
    fn values_beyond_those_that_are_counted_have_no_exact_quartiles() {
        let most: Vec<f64> = (0..=65_534_u32).map(f64::from).collect();
        assert_eq!(quartiles(&most), [Some(16_383.5), Some(32_767.0), Some(49_150.5)]);
        // Both halves together have too many, and each of them.
        for last in [65_536_u32, 140_000] {
            let too_many: Vec<f64> = (0..=last).map(f64::from).collect();
            assert_eq!(quartiles(&too_many), [None, None, None]);
        }
    }
}
