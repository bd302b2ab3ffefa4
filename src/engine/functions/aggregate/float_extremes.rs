//! `min` and `max` of floats in groups, by the order that sorts have: NaN above everything else.
//!
//! DataFusion 55.2 compares with `<`, by which a NaN gives way to whatever comes after it, and starts from the largest finite number,
//! which hides an infinite one. Statistics of files do not count NaN, and are not asked. Of other types, and without groups, the
//! functions are the engine's.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray,
};
use datafusion::arrow::compute::nullif;
use datafusion::arrow::datatypes::{DataType, FieldRef, Float16Type, Float32Type, Float64Type};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator, ReversedUDAF,
    SetMonotonicity, Signature, StatisticsArgs,
};

use super::super::floats::canonical;
use super::filter::passing;

/// The functions.
pub fn all() -> [AggregateUDF; 2] {
    [FloatExtreme(min_udaf()).into(), FloatExtreme(max_udaf()).into()]
}

/// The engine's function, which finds extremes of floats in groups as those without groups are found.
#[derive(Debug, PartialEq, Eq, Hash)]
struct FloatExtreme(Arc<AggregateUDF>);

impl FloatExtreme {
    fn is_max(&self) -> bool {
        self.0.name() == "max"
    }
}

impl AggregateUDFImpl for FloatExtreme {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.0.return_type(types)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.0.accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.0.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.0.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        match args.return_field.data_type() {
            DataType::Float16 => Ok(Box::new(Groups::<Float16Type>::new(self.is_max()))),
            DataType::Float32 => Ok(Box::new(Groups::<Float32Type>::new(self.is_max()))),
            DataType::Float64 => Ok(Box::new(Groups::<Float64Type>::new(self.is_max()))),
            _ => self.0.create_groups_accumulator(args),
        }
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.0.create_sliding_accumulator(args)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.0.coerce_types(types)
    }

    fn is_descending(&self) -> Option<bool> {
        self.0.is_descending()
    }

    fn value_from_stats(&self, args: &StatisticsArgs<'_>) -> Option<ScalarValue> {
        if args.return_type.is_floating() { None } else { self.0.value_from_stats(args) }
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.0.order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        self.0.reverse_udf()
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.0.inner().set_monotonicity(data_type)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.0.documentation()
    }
}

/// The extreme of each group, if it has any value.
#[derive(Debug)]
struct Groups<T: ArrowPrimitiveType> {
    is_max: bool,
    found: Vec<Option<T::Native>>,
}

impl<T: ArrowPrimitiveType> Groups<T> {
    fn new(is_max: bool) -> Self {
        Self { is_max, found: vec![] }
    }
}

/// The values of those rows that count.
fn values<T: ArrowPrimitiveType>(columns: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<PrimitiveArray<T>> {
    let [column] = columns else { return internal_err!("an extreme has one argument") };
    let column = canonical(column);
    let column = match filter {
        Some(filter) => nullif(&column, &BooleanArray::from(!passing(filter).inner()))?,
        None => column,
    };
    Ok(column.as_primitive::<T>().clone())
}

impl<T: ArrowPrimitiveType + Send + Sync> GroupsAccumulator for Groups<T> {
    fn update_batch(
        &mut self,
        columns: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        groups_all: usize,
    ) -> Result<()> {
        self.found.resize(groups_all, None);
        for (value, &group) in values::<T>(columns, filter)?.iter().zip(groups) {
            let Some(value) = value else { continue };
            let found = &mut self.found[group];
            if found.is_none_or(|found| if self.is_max { value.is_gt(found) } else { value.is_lt(found) }) {
                *found = Some(value);
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], groups_all: usize) -> Result<()> {
        self.update_batch(states, groups, None, groups_all)
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit)?])
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let found = emit.take_needed(&mut self.found);
        Ok(Arc::new(found.into_iter().collect::<PrimitiveArray<T>>()))
    }

    fn convert_to_state(&self, columns: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        Ok(vec![Arc::new(values::<T>(columns, filter)?)])
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.found.capacity() * size_of::<Option<T::Native>>()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Array, Float64Array};

    use super::super::paths::{Random, hold};
    use super::*;

    #[test]
    fn every_path_finds_the_first_and_the_last_as_sorts_have_them() {
        let mut random = Random(23);
        for count in [1, 7, 100, 300] {
            let value = |random: &mut Random| match random.below(9) {
                0 => Some(f64::NAN),
                1 => Some(f64::INFINITY),
                2 => Some(f64::NEG_INFINITY),
                3 => None,
                _ => Some(random.below(100) as f64 - 50.5),
            };
            let column: Float64Array = (0..count).map(|_| value(&mut random)).collect();
            for function in all().map(Arc::new) {
                let whole = |rows: &[usize]| {
                    let known = rows.iter().filter(|row| column.is_valid(**row)).map(|row| column.value(*row));
                    let least_first = |one: &f64, other: &f64| one.total_cmp(other);
                    let is_max = function.name() == "max";
                    ScalarValue::Float64(if is_max { known.max_by(least_first) } else { known.min_by(least_first) })
                };
                hold(&function, &[Arc::new(column.clone())], &[], &mut random, whole, |one, other| one == other);
            }
        }
    }
}
