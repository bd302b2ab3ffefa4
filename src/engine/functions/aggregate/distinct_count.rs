//! `count(distinct x)` of texts, dates and moments for many groups in two tables: one of values, one of pairs of group and value.
//!
//! Statements cannot call it by a name of its own; `engine/optimizer/distinct_counts.rs` puts it where the engine would keep a table of
//! values for each group.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::mem::{size_of, size_of_val, take};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, UInt64Array};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::{filter, take as take_rows};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::common::utils::take_function_args;
use datafusion::common::{exec_datafusion_err, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility};
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;
use datafusion::scalar::ScalarValue;

use super::emit::leaving;
use super::filter::passing;

#[derive(Debug, PartialEq, Eq, Hash)]
pub struct DistinctCount {
    signature: Signature,
}

impl Default for DistinctCount {
    fn default() -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl DistinctCount {
    /// Whether values of a type are counted here. Numbers are the engine's: its tables for them are as good.
    pub fn takes(data_type: &DataType) -> bool {
        matches!(
            data_type,
            DataType::Utf8
                | DataType::LargeUtf8
                | DataType::Utf8View
                | DataType::Date32
                | DataType::Date64
                | DataType::Timestamp(_, _)
        )
    }
}

impl AggregateUDFImpl for DistinctCount {
    fn name(&self) -> &'static str {
        "count_distinct"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn default_value(&self, _: &DataType) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(0)))
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let [value] = take_function_args(self.name(), arguments.input_fields)?;
        let list = DataType::List(item(value.data_type()));
        Ok(vec![Arc::new(Field::new(format_state_name(arguments.name, "values"), list, false))])
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        internal_err!("count_distinct is of groups alone")
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let [value] = take_function_args(self.name(), arguments.expr_fields)?;
        Ok(Box::new(Counts::new(value.data_type())?))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

fn item(data_type: &DataType) -> FieldRef {
    Arc::new(Field::new_list_field(data_type.clone(), true))
}

/// Hashes a pair of numbers, of which neither is chosen by anybody.
#[derive(Debug, Default)]
struct PairHasher(u64);

impl Hasher for PairHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(self.0 ^ u64::from(*byte)));
    }

    fn write_u64(&mut self, pair: u64) {
        let mixed = pair.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

/// Which values which groups have.
enum Pairs {
    /// For each value, by its number, a bit for each group: a look at a value is one look at memory.
    FewGroups(Vec<u64>),
    /// Group and number of the value, 32 bits each.
    ManyGroups(HashSet<u64, BuildHasherDefault<PairHasher>>),
}

/// Groups that have bits.
const FEW: usize = 64;

impl Pairs {
    /// Adds a value to a group, and says whether it was not there. The group is below the number that was made room for.
    fn insert(&mut self, group: usize, number: usize) -> Result<bool> {
        match self {
            Self::FewGroups(values) => {
                if number >= values.len() {
                    values.resize((number + 1).next_power_of_two(), 0);
                }
                let bit = 1 << group;
                let is_new = values[number] & bit == 0;
                values[number] |= bit;
                Ok(is_new)
            }
            Self::ManyGroups(pairs) => Ok(pairs.insert(pair(group, number)?)),
        }
    }

    /// Makes room for groups.
    fn grow(&mut self, groups: usize) -> Result<()> {
        if groups > FEW && matches!(self, Self::FewGroups(_)) {
            *self = Self::ManyGroups(self.sorted()?.into_iter().collect());
        }
        Ok(())
    }

    /// All pairs, by group.
    fn sorted(&self) -> Result<Vec<u64>> {
        let mut all: Vec<u64> = match self {
            Self::ManyGroups(pairs) => pairs.iter().copied().collect(),
            Self::FewGroups(values) => {
                let of_value = |(number, groups): (usize, &u64)| {
                    let groups = *groups;
                    (0..FEW).filter(move |group| groups & (1 << group) != 0).map(move |group| pair(group, number))
                };
                let held = values.iter().enumerate().filter(|(_, groups)| **groups != 0);
                held.flat_map(of_value).collect::<Result<_>>()?
            }
        };
        all.sort_unstable();
        Ok(all)
    }

    fn size(&self) -> usize {
        match self {
            Self::FewGroups(values) => values.capacity() * size_of::<u64>(),
            Self::ManyGroups(pairs) => pairs.capacity() * (size_of::<u64>() + 1),
        }
    }
}

impl Default for Pairs {
    fn default() -> Self {
        Self::FewGroups(vec![])
    }
}

/// The values that each group has.
struct Counts {
    data_type: DataType,
    values: Box<dyn GroupValues>,
    pairs: Pairs,
    /// How many values each group has.
    counts: Vec<i64>,
    /// Numbers of the values of a batch; kept for its room.
    numbers: Vec<usize>,
}

impl Counts {
    fn new(data_type: &DataType) -> Result<Self> {
        Ok(Self {
            data_type: data_type.clone(),
            values: interner(data_type)?,
            pairs: Pairs::default(),
            counts: vec![],
            numbers: vec![],
        })
    }

    /// Adds values to groups; nulls are not counted.
    fn add(&mut self, values: &ArrayRef, groups: &[usize], condition: Option<&BooleanArray>) -> Result<()> {
        match counted(values, condition)? {
            (kept, Some(rows)) => {
                let groups: Vec<usize> = rows.valid_indices().map(|row| groups[row]).collect();
                self.add_known(&kept, &groups)
            }
            (kept, None) => self.add_known(&kept, groups),
        }
    }

    fn add_known(&mut self, values: &ArrayRef, groups: &[usize]) -> Result<()> {
        let mut numbers = take(&mut self.numbers);
        self.values.intern(std::slice::from_ref(values), &mut numbers)?;
        for (group, number) in groups.iter().zip(&numbers) {
            if self.pairs.insert(*group, *number)? {
                self.counts[*group] += 1;
            }
        }
        self.numbers = numbers;
        Ok(())
    }

    fn grow(&mut self, groups: usize) -> Result<()> {
        self.counts.resize(groups.max(self.counts.len()), 0);
        self.pairs.grow(self.counts.len())
    }

    /// Takes the first groups out: the values of each, and how many it has.
    fn take(&mut self, emit_to: EmitTo) -> Result<(ArrayRef, Vec<i64>)> {
        let count = leaving(emit_to, self.counts.len());
        let staying = self.counts.split_off(count);
        let counts = std::mem::replace(&mut self.counts, vec![0; staying.len()]);
        let pairs = take(&mut self.pairs).sorted()?;
        self.pairs.grow(self.counts.len())?;
        let Some(values) = self.values.emit(EmitTo::All)?.pop() else {
            return internal_err!("values without a column");
        };
        let (gone, staying) = pairs.split_at(pairs.partition_point(|pair| pair >> 32 < count as u64));
        let numbers = |pairs: &[u64]| pairs.iter().map(|pair| pair & u64::from(u32::MAX)).collect::<UInt64Array>();
        let taken = take_rows(&values, &numbers(gone), None)?;
        if !staying.is_empty() {
            let kept = take_rows(&values, &numbers(staying), None)?;
            let groups = staying.iter().map(|pair| usize::try_from(pair >> 32).map(|group| group - count));
            let groups = groups.collect::<std::result::Result<Vec<usize>, _>>();
            self.add_known(&kept, &groups.map_err(|error| exec_datafusion_err!("{error}"))?)?;
        }
        Ok((taken, counts))
    }
}

/// The values that are known and pass the condition, and the rows that they are of; `None` for all rows.
fn counted(values: &ArrayRef, condition: Option<&BooleanArray>) -> Result<(ArrayRef, Option<NullBuffer>)> {
    let rows = NullBuffer::union(condition.map(passing).as_ref(), values.logical_nulls().as_ref());
    match rows.filter(|rows| rows.null_count() > 0) {
        Some(rows) => Ok((filter(values, &BooleanArray::new(rows.inner().clone(), None))?, Some(rows))),
        None => Ok((Arc::clone(values), None)),
    }
}

fn interner(data_type: &DataType) -> Result<Box<dyn GroupValues>> {
    let schema = Schema::new(vec![Field::new("value", data_type.clone(), true)]);
    new_group_values(Arc::new(schema), &GroupOrdering::None)
}

fn pair(group: usize, number: usize) -> Result<u64> {
    let half = |number: usize| u32::try_from(number).map_err(|_| exec_datafusion_err!("more than {} values", u32::MAX));
    Ok(u64::from(half(group)?) << 32 | u64::from(half(number)?))
}

impl GroupsAccumulator for Counts {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let [values] = take_function_args("count_distinct", values)?;
        self.grow(total_num_groups)?;
        self.add(values, group_indices, opt_filter)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        let [lists] = take_function_args("count_distinct", states)?;
        self.grow(total_num_groups)?;
        let lists = lists.as_list::<i32>();
        let mut groups = Vec::with_capacity(lists.values().len());
        for (row, group) in group_indices.iter().enumerate() {
            let length = if lists.is_valid(row) { lists.value_length(row) } else { 0 };
            groups.resize(groups.len() + usize::try_from(length).unwrap_or_default(), *group);
        }
        let offsets = lists.value_offsets();
        let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { return Ok(()) };
        let (first, last) = (usize::try_from(*first).unwrap_or_default(), usize::try_from(*last).unwrap_or_default());
        self.add(&lists.values().slice(first, last - first), &groups, None)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let counts = match emit_to {
            EmitTo::All => {
                // Nobody asks for the values any more.
                self.pairs = Pairs::default();
                self.values = interner(&self.data_type)?;
                take(&mut self.counts)
            }
            EmitTo::First(_) => self.take(emit_to)?.1,
        };
        Ok(Arc::new(Int64Array::from(counts)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (values, counts) = self.take(emit_to)?;
        let lengths = counts.iter().map(|count| usize::try_from(*count).unwrap_or_default());
        let offsets = OffsetBuffer::from_lengths(lengths);
        Ok(vec![Arc::new(ListArray::try_new(item(&self.data_type), offsets, values, None)?)])
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let [values] = take_function_args("count_distinct", values)?;
        let (kept, rows) = counted(values, opt_filter)?;
        let is_counted = |row: usize| rows.as_ref().is_none_or(|rows| rows.is_valid(row));
        let offsets = OffsetBuffer::from_lengths((0..values.len()).map(|row| usize::from(is_counted(row))));
        Ok(vec![Arc::new(ListArray::try_new(item(&self.data_type), offsets, kept, None)?)])
    }

    fn size(&self) -> usize {
        size_of_val(self)
            + self.values.size()
            + self.pairs.size()
            + (self.counts.capacity() + self.numbers.capacity()) * size_of::<u64>()
    }
}
