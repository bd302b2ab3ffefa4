//! One of several values for each row, by conditions: CASE where all values are at hand for all rows.
//!
//! The engine takes the rows of each branch apart, calculates its value for them, and puts them together again. Where values are columns
//! and literals nothing is calculated, and the bits of the conditions choose. Statements cannot call the function;
//! `engine/optimizer/choices.rs` puts it in the place of CASE.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayData, ArrayRef, UInt32Array, make_array};
use datafusion::arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{ArrowNativeType, DataType, Field, FieldRef};
use datafusion::common::cast::as_boolean_array;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

/// Rows whose bits are in one word.
const IN_A_WORD: usize = 64;

/// The function: a condition and a value for each branch, and the value where none of the conditions is true.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Choice {
    of: DataType,
    nullable: bool,
    signature: Signature,
}

impl Choice {
    pub fn new(of: DataType, nullable: bool) -> Self {
        Self { of, nullable, signature: Signature::variadic_any(Volatility::Immutable) }
    }

    /// Whether values of the type may be columns; of all others, only literals are chosen among.
    pub fn is_among_columns(of: &DataType) -> bool {
        !matches!(of, DataType::Interval(_)) && matches!(of.primitive_width(), Some(1 | 2 | 4 | 8 | 16))
    }

    fn among<N: ArrowNativeType>(
        &self,
        branches: &[Vec<u64>],
        values: &[ColumnarValue],
        rows: usize,
    ) -> Result<ArrayRef> {
        let values = values.iter().map(Values::<N>::new).collect::<Result<Vec<_>>>()?;
        let chosen = ArrayData::builder(self.of.clone())
            .len(rows)
            .add_buffer(Buffer::from_vec(numbers(branches, &values, rows)))
            .nulls(nulls(branches, &values, rows));
        Ok(make_array(chosen.build()?))
    }

    fn among_literals(&self, branches: &[Vec<u64>], values: &[ColumnarValue], rows: usize) -> Result<ArrayRef> {
        let literals = values.iter().map(|value| match value {
            ColumnarValue::Scalar(literal) => literal.cast_to(&self.of),
            ColumnarValue::Array(_) => internal_err!("a choice among columns of {}", self.of),
        });
        let literals = ScalarValue::iter_to_array(literals.collect::<Result<Vec<_>>>()?)?;
        let places: Vec<Values<u32>> = (0..).zip(values).map(|(place, _)| Values::All(place)).collect();
        Ok(take(&literals, &UInt32Array::from(numbers(branches, &places, rows)), None)?)
    }
}

impl ScalarUDFImpl for Choice {
    fn name(&self) -> &'static str {
        "choose"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.of.clone())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.name(), self.of.clone(), self.nullable)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let pairs = args.args.chunks_exact(2);
        let values: Vec<ColumnarValue> = pairs.clone().map(|pair| &pair[1]).chain(pairs.remainder()).cloned().collect();
        let branches = pairs.map(|pair| is_true(&pair[0], rows)).collect::<Result<Vec<_>>>()?;
        let chosen = match self.of.primitive_width().filter(|_| Self::is_among_columns(&self.of)) {
            Some(1) => self.among::<u8>(&branches, &values, rows),
            Some(2) => self.among::<u16>(&branches, &values, rows),
            Some(4) => self.among::<u32>(&branches, &values, rows),
            Some(8) => self.among::<u64>(&branches, &values, rows),
            Some(16) => self.among::<i128>(&branches, &values, rows),
            _ => self.among_literals(&branches, &values, rows),
        };
        chosen.map(ColumnarValue::Array)
    }
}

/// The values of a branch, as numbers of so many bytes.
enum Values<N> {
    None,
    All(N),
    Each(ArrayData),
}

impl<N: ArrowNativeType> Values<N> {
    fn new(value: &ColumnarValue) -> Result<Self> {
        Ok(match value {
            ColumnarValue::Array(values) => Self::Each(values.to_data()),
            ColumnarValue::Scalar(value) if value.is_null() => Self::None,
            ColumnarValue::Scalar(value) => Self::All(value.to_array()?.to_data().buffer(0)[0]),
        })
    }

    /// Puts the values into the rows that a condition is true for.
    fn put_into(&self, rows: &mut [N], is_true: &[u64]) {
        let words = is_true.iter().zip(rows.chunks_mut(IN_A_WORD));
        match self {
            Self::None => {}
            Self::All(value) => {
                for (&bits, rows) in words.filter(|(bits, _)| **bits != 0) {
                    rows.iter_mut()
                        .enumerate()
                        .for_each(|(bit, row)| *row = if bits >> bit & 1 == 1 { *value } else { *row });
                }
            }
            Self::Each(values) => {
                for ((&bits, rows), values) in words.zip(values.buffer(0).chunks(IN_A_WORD)) {
                    match bits {
                        0 => {}
                        u64::MAX => rows.copy_from_slice(&values[..rows.len()]),
                        _ => rows.iter_mut().zip(values).enumerate().for_each(|(bit, (row, value))| {
                            *row = if bits >> bit & 1 == 1 { *value } else { *row };
                        }),
                    }
                }
            }
        }
    }

    fn is_some(&self, words: usize) -> Vec<u64> {
        match self {
            Self::None => vec![0; words],
            Self::All(_) => vec![u64::MAX; words],
            Self::Each(values) => values.nulls().map_or_else(|| vec![u64::MAX; words], |nulls| bits(nulls.inner())),
        }
    }
}

/// For which rows a condition is true, as bits.
fn is_true(condition: &ColumnarValue, rows: usize) -> Result<Vec<u64>> {
    let condition = condition.to_array(rows)?;
    let condition = as_boolean_array(&condition)?;
    Ok(match condition.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => bits(condition.values()),
        Some(nulls) => bits(&(condition.values() & nulls.inner())),
    })
}

fn bits(of: &BooleanBuffer) -> Vec<u64> {
    of.bit_chunks().iter_padded().take(of.len().div_ceil(IN_A_WORD)).collect()
}

/// The numbers chosen; what stands where a null is chosen is anything.
fn numbers<N: ArrowNativeType>(branches: &[Vec<u64>], values: &[Values<N>], rows: usize) -> Vec<N> {
    // Where nothing else is chosen a null is, and the last branch can be everywhere.
    let last = values.iter().rposition(|values| !matches!(values, Values::None)).unwrap_or(0);
    let mut chosen = match &values[last] {
        Values::None => vec![N::default(); rows],
        Values::All(value) => vec![*value; rows],
        Values::Each(values) => values.buffer(0)[..rows].to_vec(),
    };
    // The first condition that is true decides, so it comes last.
    for (is_true, values) in branches.iter().zip(values).take(last).rev() {
        values.put_into(&mut chosen, is_true);
    }
    chosen
}

fn nulls<N: ArrowNativeType>(branches: &[Vec<u64>], values: &[Values<N>], rows: usize) -> Option<NullBuffer> {
    let has_none = |values: &Values<N>| match values {
        Values::None => true,
        Values::All(_) => false,
        Values::Each(values) => values.null_count() > 0,
    };
    if !values.iter().any(has_none) {
        return None;
    }
    let words = rows.div_ceil(IN_A_WORD);
    let mut values = values.iter().rev();
    let mut chosen = values.next().map_or_else(Vec::new, |otherwise| otherwise.is_some(words));
    for (is_true, values) in branches.iter().rev().zip(values) {
        for ((chosen, is_true), is_some) in chosen.iter_mut().zip(is_true).zip(values.is_some(words)) {
            *chosen = *is_true & is_some | !is_true & *chosen;
        }
    }
    Some(NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(chosen), 0, rows)))
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{BooleanArray, Int64Array, StringArray};

    use super::*;

    /// What is chosen of numbers, one by one.
    fn one_by_one(branches: &[(BooleanArray, Int64Array)], otherwise: &Int64Array) -> Int64Array {
        let value = |values: &Int64Array, row: usize| (!values.is_null(row)).then(|| values.value(row));
        let chosen = |row: usize| {
            let first = branches.iter().find(|(condition, _)| !condition.is_null(row) && condition.value(row));
            value(first.map_or(otherwise, |(_, values)| values), row)
        };
        (0..otherwise.len()).map(chosen).collect()
    }

    /// Numbers that look like chance, and are the same each time.
    fn numbers(seed: i64, rows: usize, below: i64) -> impl Iterator<Item = i64> {
        let next = move |number: &i64| {
            Some(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
        };
        std::iter::successors(Some(seed * 7919 + 1), next)
            .skip(3)
            .take(rows)
            .map(move |number| (number >> 33).rem_euclid(below))
    }

    #[test]
    fn the_first_true_condition_chooses_and_nulls_are_false() {
        for (seed, rows) in (0..).zip([0_usize, 1, 63, 64, 65, 128, 1000, 8192]) {
            // Slices begin in the middle of a word of bits; conditions are true for runs of rows as well.
            let condition = |seed: i64, run: usize| {
                let bits = numbers(seed, (rows + 3).div_ceil(run), 3).map(|bit| (bit < 2).then_some(bit == 1));
                let bits: BooleanArray = bits.flat_map(|bit| std::iter::repeat_n(bit, run)).take(rows + 3).collect();
                bits.slice(3, rows)
            };
            let values = |seed: i64| {
                let values: Int64Array = numbers(seed, rows + 5, 9).map(|value| (value > 1).then_some(value)).collect();
                values.slice(5, rows)
            };
            let branches = [(condition(seed, 1), values(seed + 1)), (condition(seed + 2, 100), values(seed + 3))];
            for otherwise in [values(seed + 4), Int64Array::new_null(rows), Int64Array::from(vec![7; rows])] {
                let expected = one_by_one(&branches, &otherwise);
                let arguments = branches.iter().flat_map(|(condition, values)| -> [ArrayRef; 2] {
                    [Arc::new(condition.clone()), Arc::new(values.clone())]
                });
                let mut arguments: Vec<ColumnarValue> = arguments.map(ColumnarValue::Array).collect();
                let literal = match otherwise.iter().next() {
                    Some(None) if otherwise.null_count() == rows => Some(ScalarValue::Int64(None)),
                    Some(Some(7)) if otherwise.iter().all(|value| value == Some(7)) => {
                        Some(ScalarValue::Int64(Some(7)))
                    }
                    _ => None,
                };
                arguments
                    .push(literal.map_or_else(|| ColumnarValue::Array(Arc::new(otherwise)), ColumnarValue::Scalar));
                assert_eq!(chosen(DataType::Int64, arguments, rows).as_ref(), &expected as &dyn Array);
            }
        }
    }

    #[test]
    fn literals_of_any_type_are_chosen_among() {
        let conditions = [
            BooleanArray::from(vec![Some(true), Some(false), None, Some(false)]),
            BooleanArray::from(vec![true, true, false, true]),
        ];
        let text = |text: Option<&str>| ColumnarValue::Scalar(ScalarValue::Utf8(text.map(str::to_owned)));
        let [first, second] = conditions.map(|condition| ColumnarValue::Array(Arc::new(condition)));
        let found = chosen(DataType::Utf8, vec![first, text(Some("a")), second, text(None), text(Some("c"))], 4);
        assert_eq!(found.as_ref(), &StringArray::from(vec![Some("a"), None, Some("c"), None]) as &dyn Array);
    }

    fn chosen(of: DataType, args: Vec<ColumnarValue>, number_rows: usize) -> ArrayRef {
        let function = Choice::new(of.clone(), true);
        let arg_fields = args.iter().map(|value| Arc::new(Field::new("x", value.data_type(), true))).collect();
        let return_field = Arc::new(Field::new("x", of, true));
        let config_options = Arc::default();
        let args = ScalarFunctionArgs { args, arg_fields, number_rows, return_field, config_options };
        function.invoke_with_args(args).and_then(|value| value.into_array(number_rows)).expect("a choice")
    }
}
