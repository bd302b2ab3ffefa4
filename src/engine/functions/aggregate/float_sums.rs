//! `sum`, `avg`, `var_*` and `stddev_*` of floating-point numbers, the same to the last digit whichever thread comes first.
//!
//! The engine adds as rows arrive, and what rounding cuts off depends on that order: the same query on the same files
//! prints other last digits from run to run. Here each sum carries what was cut off along. Other types go to the engine's
//! own functions, and sums of whole numbers to `whole_sums.rs`.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, UInt64Array};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type, UInt64Type};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::functions_aggregate::{average, stddev, sum, variance};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, EmitTo, Expr, GroupsAccumulator, Operator,
    ReversedUDAF, SetMonotonicity, Signature, StatisticsArgs,
};

use super::whole_sums::WholeSums;
use crate::statistics::sum::Sum;

/// The engine's function, with sums of floats of our own.
#[derive(Debug)]
struct FloatSums<T> {
    engine: Arc<AggregateUDF>,
    result: fn(&T) -> Option<f64>,
}

/// The functions.
pub fn all() -> [AggregateUDF; 6] {
    [
        WholeSums::around(FloatSums::of(sum::sum_udaf(), |total: &Total| total.sum())).into(),
        FloatSums::of(average::avg_udaf(), |total: &Total| Some(total.sum()? / total.count as f64)).into(),
        FloatSums::of(variance::var_samp_udaf(), |moments: &Moments| moments.variance(1)).into(),
        FloatSums::of(variance::var_pop_udaf(), |moments: &Moments| moments.variance(0)).into(),
        FloatSums::of(stddev::stddev_udaf(), |moments: &Moments| moments.variance(1).map(f64::sqrt)).into(),
        FloatSums::of(stddev::stddev_pop_udaf(), |moments: &Moments| moments.variance(0).map(f64::sqrt)).into(),
    ]
}

impl<T> FloatSums<T> {
    fn of(engine: Arc<AggregateUDF>, result: fn(&T) -> Option<f64>) -> Self {
        Self { engine, result }
    }
}

impl<T> PartialEq for FloatSums<T> {
    fn eq(&self, other: &Self) -> bool {
        self.engine == other.engine
    }
}

impl<T> Eq for FloatSums<T> {}

impl<T> Hash for FloatSums<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.engine.hash(state);
    }
}

/// Whether a call adds floats; distinct ones are the engine's, whose set of values comes in no order either.
fn adds_floats(arguments: &[FieldRef], is_distinct: bool) -> bool {
    !is_distinct && matches!(arguments, [argument] if *argument.data_type() == DataType::Float64)
}

impl<T: Tally> AggregateUDFImpl for FloatSums<T> {
    fn name(&self) -> &str {
        self.engine.name()
    }

    fn aliases(&self) -> &[String] {
        self.engine.aliases()
    }

    fn signature(&self) -> &Signature {
        self.engine.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.engine.return_type(types)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if adds_floats(args.expr_fields, args.is_distinct) {
            return Ok(Box::new(One { tally: T::default(), result: self.result }));
        }
        self.engine.accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        if !adds_floats(args.input_fields, args.is_distinct) {
            return self.engine.state_fields(args);
        }
        let field = |name: &str, data_type| Arc::new(Field::new(format_state_name(args.name, name), data_type, true));
        let parts = T::PARTS.iter().map(|part| field(part, DataType::Float64));
        Ok([field("count", DataType::UInt64)].into_iter().chain(parts).collect())
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        adds_floats(args.expr_fields, args.is_distinct) || self.engine.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        if adds_floats(args.expr_fields, args.is_distinct) {
            return Ok(Box::new(Groups { tallies: Vec::<T>::new(), result: self.result }));
        }
        self.engine.create_groups_accumulator(args)
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if adds_floats(args.expr_fields, args.is_distinct) {
            return self.accumulator(args);
        }
        self.engine.create_sliding_accumulator(args)
    }

    fn simplify_expr_op_literal(
        &self,
        function: &AggregateFunction,
        argument: &Expr,
        operator: Operator,
        literal: &Expr,
        argument_is_left: bool,
    ) -> Result<Option<Expr>> {
        self.engine.inner().simplify_expr_op_literal(function, argument, operator, literal, argument_is_left)
    }

    fn value_from_stats(&self, args: &StatisticsArgs<'_>) -> Option<ScalarValue> {
        self.engine.inner().value_from_stats(args)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.engine.inner().order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.engine.inner().set_monotonicity(data_type)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.engine.documentation()
    }
}

/// What is kept of the values.
trait Tally: Clone + fmt::Debug + Default + Send + Sync + 'static {
    /// Names of the numbers that it can be sent as, beside the count.
    const PARTS: &'static [&'static str];

    fn add(&mut self, value: f64);

    fn remove(&mut self, value: f64);

    /// The count and the parts.
    fn state(&self) -> (u64, impl AsRef<[f64]>);

    fn merge(&mut self, count: u64, part: impl Fn(usize) -> f64);
}

/// How many values are NaN, infinite and negative infinite. A sum that took one of them in could not give it back.
#[derive(Clone, Copy, Debug, Default)]
struct NotFinite([u64; 3]);

impl NotFinite {
    fn count_of(&mut self, value: f64) -> &mut u64 {
        let [nan, positive, negative] = &mut self.0;
        match value {
            value if value.is_nan() => nan,
            value if value > 0.0 => positive,
            _ => negative,
        }
    }

    /// What they add up to, whatever is added to them; `None` where there are none.
    fn sum(self) -> Option<f64> {
        match self.0 {
            [0, 0, 0] => None,
            [0, _, 0] => Some(f64::INFINITY),
            [0, 0, _] => Some(f64::NEG_INFINITY),
            _ => Some(f64::NAN),
        }
    }
}

/// How many values, and the sum of those that are finite.
#[derive(Clone, Debug, Default)]
struct Total {
    count: u64,
    sum: Sum,
    /// On the heap, since hardly any group has one and there may be many groups.
    not_finite: Option<Box<NotFinite>>,
}

impl Total {
    fn sum(&self) -> Option<f64> {
        (self.count > 0).then(|| self.not_finite().sum().unwrap_or_else(|| self.sum.value()))
    }

    fn not_finite(&self) -> NotFinite {
        self.not_finite.as_deref().copied().unwrap_or_default()
    }
}

impl Tally for Total {
    const PARTS: &'static [&'static str] = &["sum", "cut off"];

    fn add(&mut self, value: f64) {
        self.count += 1;
        if value.is_finite() {
            self.sum.add(value);
        } else {
            *self.not_finite.get_or_insert_default().count_of(value) += 1;
        }
    }

    fn remove(&mut self, value: f64) {
        self.count -= 1;
        if value.is_finite() {
            self.sum.add(-value);
        } else {
            *self.not_finite.get_or_insert_default().count_of(value) -= 1;
        }
    }

    /// Values that are not finite are sent as what they add up to: what is merged gives none back.
    fn state(&self) -> (u64, impl AsRef<[f64]>) {
        let [sum, cut_off] = self.sum.parts();
        (self.count, [self.not_finite().sum().unwrap_or(sum), cut_off])
    }

    fn merge(&mut self, count: u64, part: impl Fn(usize) -> f64) {
        self.count += count;
        let sum = part(0);
        if sum.is_finite() {
            self.sum.merge([sum, part(1)]);
        } else {
            *self.not_finite.get_or_insert_default().count_of(sum) += 1;
        }
    }
}

/// How many values, the sum of those that are finite and that of their squares.
#[derive(Clone, Debug, Default)]
struct Moments {
    total: Total,
    squares: Sum,
}

impl Moments {
    /// The variance over the count less so many.
    fn variance(&self, less: u64) -> Option<f64> {
        let degrees = self.total.count.checked_sub(less).filter(|degrees| *degrees > 0)?;
        if self.total.not_finite().sum().is_some() {
            return Some(f64::NAN);
        }
        let count = self.total.count as f64;
        let [sum, sum_cut_off] = self.total.sum.parts();
        // What is left of the squares without those of the mean. Both are large where the values are far from zero, so that
        // this takes their cut-off digits, too.
        let mut rest = self.squares;
        rest.add_product(-sum / count, sum);
        // The quotient above was rounded; this is what it lacks.
        let lacking = (-sum / count).mul_add(count, sum) / count;
        rest.add(-lacking * sum);
        rest.add(-2.0 * sum * sum_cut_off / count);
        // Of equal values rounding may leave a trace below zero. What is no number stays none.
        let rest = rest.value();
        Some(if rest < 0.0 { 0.0 } else { rest } / degrees as f64)
    }
}

impl Tally for Moments {
    const PARTS: &'static [&'static str] = &["sum", "cut off", "squares", "squares cut off"];

    fn add(&mut self, value: f64) {
        self.total.add(value);
        if value.is_finite() {
            self.squares.add_product(value, value);
        }
    }

    fn remove(&mut self, value: f64) {
        self.total.remove(value);
        if value.is_finite() {
            self.squares.add_product(-value, value);
        }
    }

    fn state(&self) -> (u64, impl AsRef<[f64]>) {
        let (count, total) = self.total.state();
        let (total, [squares, cut_off]) = (total.as_ref(), self.squares.parts());
        (count, [total[0], total[1], squares, cut_off])
    }

    fn merge(&mut self, count: u64, part: impl Fn(usize) -> f64) {
        self.total.merge(count, &part);
        self.squares.merge([part(2), part(3)]);
    }
}

/// Columns of the state: the count and the parts.
struct States<'a> {
    counts: &'a UInt64Array,
    parts: Vec<&'a Float64Array>,
}

impl<'a> States<'a> {
    fn of(columns: &'a [ArrayRef]) -> Result<Self> {
        let [counts, parts @ ..] = columns else { return internal_err!("a state of sums has no columns") };
        let parts = parts.iter().map(AsArray::as_primitive::<Float64Type>).collect();
        Ok(Self { counts: counts.as_primitive::<UInt64Type>(), parts })
    }

    fn merge_into(&self, tally: &mut impl Tally, row: usize) {
        tally.merge(self.counts.value(row), |part| self.parts[part].value(row));
    }

    /// The columns for these tallies.
    fn columns<T: Tally>(tallies: &[T]) -> Vec<ArrayRef> {
        let counts = UInt64Array::from_iter_values(tallies.iter().map(|tally| tally.state().0));
        let part = |place: usize| {
            let values = tallies.iter().map(|tally| tally.state().1.as_ref()[place]);
            Arc::new(Float64Array::from_iter_values(values)) as ArrayRef
        };
        [Arc::new(counts) as ArrayRef].into_iter().chain((0..T::PARTS.len()).map(part)).collect()
    }
}

fn floats(columns: &[ArrayRef]) -> Result<&Float64Array> {
    let [column] = columns else { return internal_err!("a sum has one argument") };
    Ok(column.as_primitive::<Float64Type>())
}

/// One tally, over a window too.
#[derive(Debug)]
struct One<T> {
    tally: T,
    result: fn(&T) -> Option<f64>,
}

impl<T: Tally> Accumulator for One<T> {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        floats(columns)?.iter().flatten().for_each(|value| self.tally.add(value));
        Ok(())
    }

    fn retract_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        floats(columns)?.iter().flatten().for_each(|value| self.tally.remove(value));
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let states = States::of(states)?;
        (0..states.counts.len()).for_each(|row| states.merge_into(&mut self.tally, row));
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let (counts, parts) = self.tally.state();
        let parts = parts.as_ref().iter().map(|part| ScalarValue::from(*part));
        Ok([ScalarValue::from(counts)].into_iter().chain(parts).collect())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64((self.result)(&self.tally)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// A tally for every group.
#[derive(Debug)]
struct Groups<T> {
    tallies: Vec<T>,
    result: fn(&T) -> Option<f64>,
}

impl<T: Tally> GroupsAccumulator for Groups<T> {
    fn update_batch(
        &mut self,
        columns: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        groups_all: usize,
    ) -> Result<()> {
        self.tallies.resize(groups_all, T::default());
        let values = floats(columns)?;
        if filter.is_none() && values.null_count() == 0 {
            for (&group, &value) in groups.iter().zip(values.values()) {
                self.tallies[group].add(value);
            }
            return Ok(());
        }
        for (row, &group) in groups.iter().enumerate() {
            if is_in(values, filter, row) {
                self.tallies[group].add(values.value(row));
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], groups_all: usize) -> Result<()> {
        self.tallies.resize(groups_all, T::default());
        let states = States::of(states)?;
        for (row, &group) in groups.iter().enumerate() {
            states.merge_into(&mut self.tallies[group], row);
        }
        Ok(())
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(States::columns(&emit.take_needed(&mut self.tallies)))
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let tallies = emit.take_needed(&mut self.tallies);
        Ok(Arc::new(tallies.iter().map(self.result).collect::<Float64Array>()))
    }

    fn convert_to_state(&self, columns: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let values = floats(columns)?;
        let tally = |row| {
            let mut tally = T::default();
            if is_in(values, filter, row) {
                tally.add(values.value(row));
            }
            tally
        };
        Ok(States::columns(&(0..values.len()).map(tally).collect::<Vec<T>>()))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.tallies.capacity() * size_of::<T>()
    }
}

/// Whether a row counts.
fn is_in(values: &Float64Array, filter: Option<&BooleanArray>, row: usize) -> bool {
    values.is_valid(row) && filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

#[cfg(test)]
mod tests {
    use super::super::paths::{Random, hold};
    use super::*;

    /// Sizes that differ by ten orders of magnitude, some blank.
    fn values(random: &mut Random, count: usize) -> Float64Array {
        let value = |random: &mut Random| {
            let size = 10_f64.powi(i32::try_from(random.below(11)).expect("small") - 5);
            let part = random.below(2_000_000) as f64 / 1e6 - 1.0;
            (random.below(5) > 0).then_some(part * size)
        };
        (0..count).map(|_| value(random)).collect()
    }

    /// What a function makes of values that come in this order, in so many parts.
    fn made(function: &Arc<AggregateUDF>, values: &[f64], parts: usize) -> ScalarValue {
        let column = |values: &[f64]| Arc::new(Float64Array::from(values.to_vec())) as ArrayRef;
        let call = super::super::paths::call(function, &[column(values)], &[]);
        let mut whole = call.create_accumulator().expect("an accumulator");
        for part in values.chunks(values.len().div_ceil(parts)) {
            let mut one = call.create_accumulator().expect("an accumulator");
            one.update_batch(&[column(part)]).expect("values");
            let state = one.state().expect("a state").into_iter();
            let state: Vec<ArrayRef> = state.map(|value| value.to_array().expect("a column")).collect();
            whole.merge_batch(&state).expect("states");
        }
        whole.evaluate().expect("a result")
    }

    #[test]
    fn the_last_digit_is_the_same_in_any_order() {
        let mut random = Random(20);
        for function in all().map(Arc::new) {
            let column = values(&mut random, 1000);
            let mut rows: Vec<f64> = column.iter().flatten().collect();
            let expected = made(&function, &rows, 1);
            for parts in [2, 3, 7, 100] {
                for place in (1..rows.len()).rev() {
                    rows.swap(place, random.below(place + 1));
                }
                assert_eq!(made(&function, &rows, parts), expected, "{} in {parts}", function.name());
            }
        }
    }

    #[test]
    fn what_is_made_of_no_number_is_none() {
        for function in all().map(Arc::new) {
            for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                let ScalarValue::Float64(Some(made)) = made(&function, &[1.0, odd, 2.0], 1) else { panic!("no float") };
                let is_spread = function.name().starts_with("var") || function.name().starts_with("stddev");
                assert!(
                    if is_spread { made.is_nan() } else { !made.is_finite() },
                    "{} of {odd}: {made}",
                    function.name()
                );
            }
        }
    }

    #[test]
    fn every_path_gives_what_all_rows_at_once_give() {
        let mut random = Random(21);
        for count in [1, 2, 7, 100, 1000] {
            // Eighths, whose sums and squares are exact: a frame that lets go of large values has no trace of them.
            let value = |random: &mut Random| (random.below(5) > 0).then(|| random.below(16_000) as f64 / 8.0 - 1000.0);
            let column: Float64Array = (0..count).map(|_| value(&mut random)).collect();
            for function in all().map(Arc::new) {
                let whole = |rows: &[usize]| {
                    let kept = rows.iter().filter(|row| column.is_valid(**row)).map(|row| column.value(*row));
                    let kept: Vec<f64> = kept.collect();
                    if kept.is_empty() { ScalarValue::Float64(None) } else { made(&function, &kept, 1) }
                };
                hold(&function, &[Arc::new(column.clone()) as ArrayRef], &[], &mut random, whole, |a, b| a == b);
            }
        }
    }

    #[test]
    fn a_value_that_is_not_finite_leaves_with_its_row_on_every_path() {
        let mut random = Random(22);
        for count in [1, 7, 100, 300] {
            let value = |random: &mut Random| match random.below(12) {
                0 => Some(f64::NAN),
                1 => Some(f64::INFINITY),
                2 => Some(f64::NEG_INFINITY),
                3 => None,
                _ => Some(random.below(16_000) as f64 / 8.0 - 1000.0),
            };
            let column: Float64Array = (0..count).map(|_| value(&mut random)).collect();
            for function in all().map(Arc::new) {
                let is_spread = function.name().starts_with("var") || function.name().starts_with("stddev");
                let whole = |rows: &[usize]| {
                    let kept = rows.iter().filter(|row| column.is_valid(**row)).map(|row| column.value(*row));
                    let (finite, odd): (Vec<f64>, Vec<f64>) = kept.partition(|value| value.is_finite());
                    let needed = if function.name().ends_with("pop") || !is_spread { 1 } else { 2 };
                    ScalarValue::Float64(match odd.as_slice() {
                        _ if finite.len() + odd.len() < needed => None,
                        [] => return made(&function, &finite, 1),
                        _ if is_spread => Some(f64::NAN),
                        odd => Some(odd.iter().sum()),
                    })
                };
                // Neither the sign nor the payload of a NaN says anything.
                let same = |one: &ScalarValue, other: &ScalarValue| one.to_string() == other.to_string();
                hold(&function, &[Arc::new(column.clone()) as ArrayRef], &[], &mut random, whole, same);
            }
        }
    }

    #[test]
    fn variances_are_right_far_from_zero() {
        for far in [0.0, 1e6, 1e9, -1e12] {
            let mut moments = Moments::default();
            for value in [4.0, 7.0, 13.0, 16.0] {
                moments.add(far + value);
            }
            assert_eq!(moments.variance(1), Some(30.0), "{far}");
            assert_eq!(moments.variance(0), Some(22.5), "{far}");
        }
        let mut moments = Moments::default();
        moments.add(0.1);
        assert_eq!((moments.variance(1), moments.variance(0)), (None, Some(0.0)));
        moments.add(0.1);
        moments.add(0.1);
        assert_eq!(moments.variance(1), Some(0.0));
        moments.remove(0.1);
        moments.remove(0.1);
        moments.remove(0.1);
        assert_eq!(moments.variance(0), None);
    }

    #[test]
    fn what_is_no_finite_number_stays_so() {
        for (values, expected) in [
            (vec![f64::INFINITY, 1.0], f64::INFINITY),
            (vec![f64::MAX, f64::MAX], f64::INFINITY),
            (vec![f64::INFINITY, f64::NEG_INFINITY], f64::NAN),
        ] {
            let mut total = Total::default();
            for value in values {
                total.add(value);
            }
            let found = total.sum().expect("a sum");
            assert!(found.total_cmp(&expected).is_eq() || (found.is_nan() && expected.is_nan()), "{found} {expected}");
        }
    }
}
