//! Aggregates that need all values of a group at once.
//!
//! Values are kept flat, in the order in which they came, with the group of each beside them, in place of a buffer for each group.
//! They are sorted by group when groups leave.

use std::fmt::Debug;
use std::mem::{size_of, size_of_val, take};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, LargeListArray};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::datatypes::{ArrowNativeType, DataType, Field, FieldRef, Float64Type};
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::function::StateFieldsArgs;
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use datafusion::scalar::ScalarValue;

use super::emit::leaving;
use super::filter::passing;
use crate::statistics::order::ascending;

/// Samples of a block. What grows by blocks is never copied into a larger place, which would take twice the memory while it lasts.
const BLOCK: usize = 1 << 16;

/// What is computed of samples of `N` numbers each.
pub trait Statistic<const N: usize>: Debug + Clone + Send + Sync + 'static {
    /// Whether a sample counts.
    ///
    /// # Errors
    /// `InvalidData` naming the number that it refuses.
    fn counts(&self, sample: &[f64; N]) -> Result<bool>;

    /// The statistic, whatever the order of the samples; `None` without any.
    fn of(&self, samples: &mut [[f64; N]]) -> Option<f64>;
}

/// A statistic over all samples, or over those that differ.
#[derive(Clone, Debug)]
struct Over<S> {
    statistic: S,
    is_distinct: bool,
}

impl<S> Over<S> {
    fn of<const N: usize>(&self, samples: &mut [[f64; N]]) -> Option<f64>
    where
        S: Statistic<N>,
    {
        if !self.is_distinct {
            return self.statistic.of(samples);
        }
        let order = |a: &[f64; N], b: &[f64; N]| {
            let pairs = a.iter().zip(b);
            pairs.map(|(a, b)| ascending(a, b)).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        };
        samples.sort_unstable_by(order);
        let mut different = samples.to_vec();
        different.dedup_by(|a, b| order(a, b).is_eq());
        self.statistic.of(&mut different)
    }

    /// Gives each sample that counts, with its row.
    fn each<const N: usize>(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
        mut take: impl FnMut(usize, [f64; N]) -> Result<()>,
    ) -> Result<()>
    where
        S: Statistic<N>,
    {
        let columns = columns::<N>(values)?;
        let counted = columns.iter().fold(filter.map(passing), |counted: Option<NullBuffer>, column| {
            NullBuffer::union(counted.as_ref(), column.nulls())
        });
        for row in 0..columns.first().map_or(0, Array::len) {
            if counted.as_ref().is_none_or(|counted| counted.is_valid(row)) {
                let sample = columns.map(|column| column.value(row));
                if self.statistic.counts(&sample)? {
                    take(row, sample)?;
                }
            }
        }
        Ok(())
    }
}

fn columns<const N: usize>(values: &[ArrayRef]) -> Result<[&Float64Array; N]> {
    let columns: Vec<&Float64Array> =
        values.iter().take(N).map(arrow::array::AsArray::as_primitive::<Float64Type>).collect();
    <[&Float64Array; N]>::try_from(columns).map_err(|_| exec_datafusion_err!("an argument is missing"))
}

/// The columns of a state: for each number of a sample a list.
pub fn state_fields(arguments: &StateFieldsArgs<'_>, names: &[&str]) -> Vec<FieldRef> {
    let list = DataType::LargeList(item());
    names.iter().map(|name| Arc::new(Field::new(format_state_name(arguments.name, name), list.clone(), true))).collect()
}

fn item() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Float64, true))
}

/// Lists of samples as state columns.
fn lists<const N: usize>(samples: Vec<[f64; N]>, lengths: impl IntoIterator<Item = usize>) -> Result<Vec<ArrayRef>> {
    let offsets = OffsetBuffer::<i64>::from_lengths(lengths);
    let columns: Vec<Vec<f64>> = if N == 1 {
        vec![samples.into_flattened()]
    } else {
        (0..N).map(|column| samples.iter().map(|sample| sample[column]).collect()).collect()
    };
    columns
        .into_iter()
        .map(|values| {
            let values = Arc::new(Float64Array::from(values));
            Ok(Arc::new(LargeListArray::try_new(item(), offsets.clone(), values, None)?) as ArrayRef)
        })
        .collect()
}

/// Gives each sample of state columns with its row.
fn each_of_state<const N: usize>(
    states: &[ArrayRef],
    mut take: impl FnMut(usize, [f64; N]) -> Result<()>,
) -> Result<()> {
    let lists: Vec<&LargeListArray> = states.iter().map(arrow::array::AsArray::as_list::<i64>).collect();
    let values: Vec<ArrayRef> = lists.iter().map(|list| Arc::clone(list.values())).collect();
    let columns = columns::<N>(&values)?;
    let Some(first) = lists.first() else { return Ok(()) };
    for row in (0..first.len()).filter(|row| first.is_valid(*row)) {
        for place in 0..first.value_length(row).as_usize() {
            let mut sample = [0.0; N];
            for (number, (list, column)) in sample.iter_mut().zip(lists.iter().zip(columns)) {
                *number = column.value(list.value_offsets()[row].as_usize() + place);
            }
            take(row, sample)?;
        }
    }
    Ok(())
}

/// Samples with the group of each.
#[derive(Debug)]
struct Block<const N: usize> {
    samples: Vec<[f64; N]>,
    groups: Vec<u32>,
}

impl<const N: usize> Block<N> {
    fn with_capacity(capacity: usize) -> Self {
        Self { samples: Vec::with_capacity(capacity), groups: Vec::with_capacity(capacity) }
    }
}

/// The samples of many groups.
#[derive(Debug)]
pub struct GroupedSamples<S, const N: usize> {
    over: Over<S>,
    /// All full but the last.
    blocks: Vec<Block<N>>,
    /// Groups that there are.
    count: usize,
}

impl<S: Statistic<N>, const N: usize> GroupedSamples<S, N> {
    pub fn new(statistic: S, is_distinct: bool) -> Self {
        Self { over: Over { statistic, is_distinct }, blocks: vec![], count: 0 }
    }

    /// Takes groups out: their samples, and where those of each begin and end.
    pub fn take(&mut self, emit_to: EmitTo) -> (Vec<[f64; N]>, Vec<usize>) {
        let count = leaving(emit_to, self.count);
        let mut ends = vec![0; count + 1];
        for group in self.blocks.iter().flat_map(|block| &block.groups) {
            if let Some(end) = ends.get_mut(*group as usize + 1) {
                *end += 1;
            }
        }
        for place in 1..ends.len() {
            ends[place] += ends[place - 1];
        }
        let mut next = ends.clone();
        let mut sorted = vec![[0.0; N]; ends[count]];
        for block in take(&mut self.blocks) {
            for (group, sample) in block.groups.into_iter().zip(block.samples) {
                let place = group as usize;
                if place < count {
                    sorted[next[place]] = sample;
                    next[place] += 1;
                } else {
                    push(&mut self.blocks, u32::try_from(place - count).unwrap_or(group), sample);
                }
            }
        }
        self.count -= count;
        (sorted, ends)
    }
}

fn push<const N: usize>(blocks: &mut Vec<Block<N>>, group: u32, sample: [f64; N]) {
    if blocks.last().is_none_or(|block| block.samples.len() == BLOCK) {
        // The first one grows: most calls are of few samples.
        blocks.push(Block::with_capacity(if blocks.is_empty() { 0 } else { BLOCK }));
    }
    if let Some(block) = blocks.last_mut() {
        block.groups.push(group);
        block.samples.push(sample);
    }
}

fn group_number(group: usize) -> Result<u32> {
    u32::try_from(group).map_err(|_| exec_datafusion_err!("more than {} groups", u32::MAX))
}

impl<S: Statistic<N>, const N: usize> GroupsAccumulator for GroupedSamples<S, N> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.count = self.count.max(total_num_groups);
        let blocks = &mut self.blocks;
        self.over.each(values, opt_filter, |row, sample| {
            push(blocks, group_number(group_indices[row])?, sample);
            Ok(())
        })
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.count = self.count.max(total_num_groups);
        each_of_state(states, |row, sample| {
            push(&mut self.blocks, group_number(group_indices[row])?, sample);
            Ok(())
        })
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (mut samples, ends) = self.take(emit_to);
        let results = ends.windows(2).map(|ends| self.over.of(&mut samples[ends[0]..ends[1]]));
        Ok(Arc::new(results.collect::<Float64Array>()))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (samples, ends) = self.take(emit_to);
        lists(samples, ends.windows(2).map(|ends| ends[1] - ends[0]))
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut samples = vec![];
        let mut lengths = vec![0; values.first().map_or(0, Array::len)];
        self.over.each(values, opt_filter, |row, sample| {
            lengths[row] = 1;
            samples.push(sample);
            Ok(())
        })?;
        lists::<N>(samples, lengths)
    }

    fn size(&self) -> usize {
        let of_block = |block: &Block<N>| {
            block.samples.capacity() * size_of::<[f64; N]>() + block.groups.capacity() * size_of::<u32>()
        };
        size_of_val(self) + self.blocks.iter().map(of_block).sum::<usize>()
    }
}

/// The samples of all rows, or of a frame.
#[derive(Debug)]
pub struct Samples<S, const N: usize> {
    over: Over<S>,
    /// In the order in which they came, which is that in which they leave a frame.
    samples: Vec<[f64; N]>,
}

impl<S: Statistic<N>, const N: usize> Samples<S, N> {
    pub fn new(statistic: S, is_distinct: bool) -> Self {
        Self { over: Over { statistic, is_distinct }, samples: vec![] }
    }
}

impl<S: Statistic<N>, const N: usize> Accumulator for Samples<S, N> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let samples = &mut self.samples;
        self.over.each(values, None, |_, sample| {
            samples.push(sample);
            Ok(())
        })
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let mut leaving = 0;
        self.over.each::<N>(values, None, |_, _| {
            leaving += 1;
            Ok(())
        })?;
        self.samples.drain(..leaving);
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        each_of_state(states, |_, sample| {
            self.samples.push(sample);
            Ok(())
        })
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        // A copy: a window asks again, with other rows.
        Ok(ScalarValue::Float64(self.over.of(&mut self.samples.clone())))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let lists = lists(self.samples.clone(), [self.samples.len()])?;
        lists.iter().map(|list| ScalarValue::try_from_array(list, 0)).collect()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.samples.capacity() * size_of::<[f64; N]>()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::AsArray;
    use datafusion::logical_expr::AggregateUDF;

    use super::super::mad::Mad;
    use super::super::paths::{Random, hold};
    use super::super::weighted_median::WeightedMedian;
    use super::*;

    /// Numbers with ties and nulls, the extremes among them.
    fn values(count: usize, random: &mut Random) -> ArrayRef {
        let some = [-3.5, 0.0, 1.0, 1.0, 2.0, 7.25, 1e300, -1e300, f64::NAN, f64::INFINITY];
        // The odd ones now and then: with them in every sample there would be little to compare.
        let most = if random.below(3) == 0 { some.len() } else { 6 };
        let picks = (0..count).map(|_| some.get(random.below(most + 1)).filter(|_| random.below(6) > 0).copied());
        Arc::new(picks.collect::<Float64Array>())
    }

    fn same(a: &ScalarValue, b: &ScalarValue) -> bool {
        let (ScalarValue::Float64(a), ScalarValue::Float64(b)) = (a, b) else { return false };
        match (a, b) {
            (Some(a), Some(b)) => {
                a.total_cmp(b).is_eq() || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-12 * a.abs()
            }
            (a, b) => a.is_none() && b.is_none(),
        }
    }

    /// The middle of sorted numbers, by its definition.
    fn middle(mut numbers: Vec<f64>) -> Option<f64> {
        numbers.sort_by(ascending);
        let count = numbers.len();
        let upper = *numbers.get(count / 2)?;
        Some(if count % 2 == 1 { upper } else { numbers[count / 2 - 1] / 2.0 + upper / 2.0 })
    }

    #[test]
    fn mad_is_on_every_path_the_middle_of_distances() {
        let mut random = Random(4);
        let function = Arc::new(AggregateUDF::from(Mad::new()));
        for count in [1, 2, 3, 8, 60, 61] {
            for scale in [ScalarValue::Null, ScalarValue::Float64(Some(1.4826))] {
                let column = values(count, &mut random);
                let naive = |rows: &[usize]| {
                    let all = column.as_primitive::<Float64Type>();
                    let known: Vec<f64> =
                        rows.iter().filter(|row| all.is_valid(**row)).map(|row| all.value(*row)).collect();
                    let distances = middle(known.clone())
                        .and_then(|centre| middle(known.iter().map(|value| (value - centre).abs()).collect()));
                    let factor = if scale.is_null() { 1.0 } else { 1.4826 };
                    ScalarValue::Float64(distances.map(|mad| mad * factor))
                };
                hold(&function, &[Arc::clone(&column)], std::slice::from_ref(&scale), &mut random, naive, same);
            }
        }
    }

    #[test]
    fn the_weighted_median_is_on_every_path_that_of_values_repeated_by_weight() {
        let mut random = Random(5);
        let function = Arc::new(AggregateUDF::from(WeightedMedian::new()));
        for count in [1, 2, 3, 8, 60, 61, 61, 61] {
            let column = values(count, &mut random);
            // Tenths, so that sums round; null and 0 among them.
            let tenths: Vec<Option<u8>> =
                (0..count).map(|_| u8::try_from(random.below(5)).ok().filter(|_| random.below(6) > 0)).collect();
            let weights: ArrayRef = Arc::new(
                tenths.iter().map(|tenths| tenths.map(|tenths| f64::from(tenths) / 10.0)).collect::<Float64Array>(),
            );
            let naive = |rows: &[usize]| {
                let all = column.as_primitive::<Float64Type>();
                let known = rows.iter().filter(|row| all.is_valid(**row));
                let repeated = known.flat_map(|row| vec![all.value(*row); usize::from(tenths[*row].unwrap_or(0))]);
                ScalarValue::Float64(middle(repeated.collect()))
            };
            hold(&function, &[Arc::clone(&column), Arc::clone(&weights)], &[], &mut random, naive, same);
        }
    }

    #[test]
    fn distinct_counts_each_sample_once() {
        let over = Over { statistic: Once, is_distinct: true };
        assert_eq!(over.of(&mut [[1.0], [f64::NAN], [1.0], [2.0], [f64::NAN]]), Some(3.0));
    }

    /// The number of samples.
    #[derive(Clone, Debug)]
    struct Once;

    impl Statistic<1> for Once {
        fn counts(&self, _: &[f64; 1]) -> Result<bool> {
            Ok(true)
        }

        fn of(&self, samples: &mut [[f64; 1]]) -> Option<f64> {
            Some(samples.len() as f64)
        }
    }
}
