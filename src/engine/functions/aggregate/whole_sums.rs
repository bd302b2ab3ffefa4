//! `sum` of whole numbers, or an error where 64 bits do not hold it.
//!
//! The engine's wraps around in silence. Sums of other types, and of distinct numbers, go on to the function that it is around.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::nullif;
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type, UInt64Type};
use datafusion::common::{DataFusionError, Result, ScalarValue, internal_err};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, EmitTo, Expr, GroupsAccumulator, Operator,
    ReversedUDAF, SetMonotonicity, Signature, StatisticsArgs,
};

use super::filter::passing;
use crate::error::Error;

/// A function that sums, and what sums whole numbers in its place.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct WholeSums(Arc<AggregateUDF>);

impl WholeSums {
    pub fn around(sum: impl Into<AggregateUDF>) -> Self {
        Self(Arc::new(sum.into()))
    }
}

impl AggregateUDFImpl for WholeSums {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn aliases(&self) -> &[String] {
        self.0.aliases()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    /// Of nulls without a type, too, which `optimizer/untyped_nulls.rs` gives one.
    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        if let [DataType::Null] = types { Ok(DataType::Int64) } else { self.0.return_type(types) }
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match args.return_field.data_type() {
            DataType::Int64 if !args.is_distinct => Ok(Box::new(One::<Int64Type>::default())),
            DataType::UInt64 if !args.is_distinct => Ok(Box::new(One::<UInt64Type>::default())),
            _ => self.0.accumulator(args),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.0.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.0.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        match args.return_field.data_type() {
            DataType::Int64 => Ok(Box::new(Groups::<Int64Type>::default())),
            DataType::UInt64 => Ok(Box::new(Groups::<UInt64Type>::default())),
            _ => self.0.create_groups_accumulator(args),
        }
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match args.return_field.data_type() {
            DataType::Int64 | DataType::UInt64 if !args.is_distinct => self.accumulator(args),
            _ => self.0.create_sliding_accumulator(args),
        }
    }

    fn simplify_expr_op_literal(
        &self,
        function: &AggregateFunction,
        argument: &Expr,
        operator: Operator,
        literal: &Expr,
        argument_is_left: bool,
    ) -> Result<Option<Expr>> {
        self.0.inner().simplify_expr_op_literal(function, argument, operator, literal, argument_is_left)
    }

    fn value_from_stats(&self, args: &StatisticsArgs<'_>) -> Option<ScalarValue> {
        self.0.inner().value_from_stats(args)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.0.inner().order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        self.0.inner().reverse_expr()
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.0.inner().set_monotonicity(data_type)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.0.inner().documentation()
    }
}

fn beyond() -> DataFusionError {
    Error::query("a sum of whole numbers is beyond 64 bits")
        .hint("sum them as decimals, `sum(cast(x as decimal(38,0)))`, or as `cast(x as double)`")
        .into()
}

fn column<T: ArrowPrimitiveType>(columns: &[ArrayRef]) -> Result<&PrimitiveArray<T>> {
    let [column] = columns else { return internal_err!("a sum has one argument") };
    Ok(column.as_primitive())
}

/// One sum, of all rows or of the frame of a window.
#[derive(Debug)]
struct One<T: ArrowPrimitiveType> {
    sum: i128,
    count: usize,
    _of: PhantomData<T>,
}

impl<T: ArrowPrimitiveType> Default for One<T> {
    fn default() -> Self {
        Self { sum: 0, count: 0, _of: PhantomData }
    }
}

impl<T> One<T>
where
    T: ArrowPrimitiveType,
    T::Native: Into<i128>,
{
    /// The sum of a batch; so few numbers of 64 bits have room in 128.
    fn of(values: &PrimitiveArray<T>) -> i128 {
        match values.null_count() {
            0 => values.values().iter().map(|value| (*value).into()).sum(),
            _ => values.iter().flatten().map(Into::into).sum(),
        }
    }
}

impl<T> Accumulator for One<T>
where
    T: ArrowPrimitiveType + fmt::Debug + Send + Sync,
    T::Native: Into<i128> + TryFrom<i128>,
{
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let values = column::<T>(columns)?;
        self.sum += Self::of(values);
        self.count += values.len() - values.null_count();
        Ok(())
    }

    fn retract_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let values = column::<T>(columns)?;
        self.sum -= Self::of(values);
        self.count -= values.len() - values.null_count();
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sum = match self.count {
            0 => None,
            _ => Some(T::Native::try_from(self.sum).map_err(|_| beyond())?),
        };
        ScalarValue::new_primitive::<T>(sum, &T::DATA_TYPE)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// The sum of each group.
#[derive(Debug)]
struct Groups<T: ArrowPrimitiveType> {
    sums: Vec<T::Native>,
    /// Whether a group has any number; `None` as long as all have.
    known: Option<Vec<bool>>,
}

impl<T: ArrowPrimitiveType> Default for Groups<T> {
    fn default() -> Self {
        Self { sums: vec![], known: None }
    }
}

impl<T: ArrowPrimitiveType + Send + Sync> GroupsAccumulator for Groups<T> {
    fn update_batch(
        &mut self,
        columns: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        groups_all: usize,
    ) -> Result<()> {
        let values = column::<T>(columns)?;
        let passing = filter.map(passing);
        let counted = NullBuffer::union(values.nulls(), passing.as_ref()).filter(|counted| counted.null_count() > 0);
        let groups_before = self.sums.len();
        self.sums.resize(groups_all, T::Native::ZERO);
        // New groups are numbered as their first rows come.
        let with_row = groups.iter().fold(groups_before, |next, group| next + usize::from(*group == next));
        if (counted.is_some() || with_row < groups_all) && self.known.is_none() {
            self.known = Some(vec![true; groups_before]);
        }
        if let Some(known) = &mut self.known {
            known.resize(groups_all, false);
        }
        let mut add = |group: usize, value: T::Native| -> Result<()> {
            self.sums[group] = self.sums[group].add_checked(value).map_err(|_| beyond())?;
            Ok(())
        };
        let values = values.values();
        let Some(known) = &mut self.known else {
            return groups.iter().zip(values).try_for_each(|(group, value)| add(*group, *value));
        };
        let mut count = |row: usize| {
            known[groups[row]] = true;
            add(groups[row], values[row])
        };
        match counted {
            Some(counted) => counted.valid_indices().try_for_each(count),
            None => (0..groups.len()).try_for_each(&mut count),
        }
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], groups_all: usize) -> Result<()> {
        self.update_batch(states, groups, None, groups_all)
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit)?])
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let sums = emit.take_needed(&mut self.sums);
        let known = self.known.as_mut().map(|known| emit.take_needed(known).into());
        Ok(Arc::new(PrimitiveArray::<T>::new(sums.into(), known)))
    }

    fn convert_to_state(&self, columns: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let [values] = columns else { return internal_err!("a sum has one argument") };
        let values = match filter {
            Some(filter) => nullif(values, &BooleanArray::from(!passing(filter).inner()))?,
            None => Arc::clone(values),
        };
        Ok(vec![values])
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.sums.capacity() * size_of::<T::Native>() + self.known.as_ref().map_or(0, Vec::capacity)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Int64Array, UInt64Array};
    use datafusion::functions_aggregate::sum::sum_udaf;

    use super::super::paths::{Random, hold};
    use super::*;

    #[test]
    fn every_path_finds_the_sum() {
        let function = Arc::new(AggregateUDF::from(WholeSums(sum_udaf())));
        let mut random = Random(29);
        for count in [1, 7, 100, 300] {
            let numbers: Vec<Option<i64>> = (0..count)
                .map(|_| (random.below(5) > 0).then(|| i64::try_from(random.below(2_000)).expect("a small number")))
                .collect();
            let sum = |rows: &[usize]| rows.iter().filter_map(|row| numbers[*row]).reduce(|one, other| one + other);
            let signed: Int64Array = numbers.iter().map(|number| number.map(|number| number - 1_000)).collect();
            let signed_sum = |rows: &[usize]| {
                let known = rows.iter().filter(|row| numbers[**row].is_some()).count();
                let known = i64::try_from(known).expect("a small number");
                ScalarValue::Int64(sum(rows).map(|sum| sum - 1_000 * known))
            };
            hold(&function, &[Arc::new(signed)], &[], &mut random, signed_sum, |one, other| one == other);
            let unsigned = numbers.iter().map(|number| number.map(i64::unsigned_abs)).collect::<UInt64Array>();
            let unsigned_sum = |rows: &[usize]| ScalarValue::UInt64(sum(rows).map(i64::unsigned_abs));
            hold(&function, &[Arc::new(unsigned)], &[], &mut random, unsigned_sum, |one, other| one == other);
        }
    }

    #[test]
    fn what_64_bits_do_not_hold_is_an_error_in_groups_and_without() {
        let most: ArrayRef = Arc::new(Int64Array::from(vec![i64::MAX, 0, 1]));
        let mut one = One::<Int64Type>::default();
        one.update_batch(&[Arc::clone(&most)]).expect("128 bits hold it");
        one.evaluate().expect_err("64 do not");
        one.retract_batch(&[most.slice(2, 1)]).expect("a smaller sum");
        assert_eq!(one.evaluate().expect("it fits"), ScalarValue::Int64(Some(i64::MAX)));
        let mut groups = Groups::<Int64Type>::default();
        groups.update_batch(&[Arc::clone(&most)], &[0, 1, 1], None, 2).expect("in two groups it fits");
        groups.merge_batch(&[most], &[1, 1, 1], 2).expect_err("in one it does not");
    }
}
