//! `arg_max` and `arg_min`: the value of the row with the largest or smallest key.
//!
//! Of rows with the same key the largest (`arg_max`) or smallest (`arg_min`) value is taken, so that a result never
//! depends on the order of rows. `arg_min` is `arg_max` in reversed order; only the encodings know which it is.
//!
//! Keys and values of fixed width become whole numbers in their order (`words`) and are compared in one loop. All others
//! become bytes in their order (arrow's row format); there the winners of a batch are found by key first, and only their
//! values are encoded. The state of a group is its value and key as they came, so a state is a row like any other.

mod encoded;
mod sliding;
mod words;

use std::fmt::Debug;
use std::mem::size_of_val;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::{SortOptions, nullif};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::utils::take_function_args;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{AggregateFunctionParams, WindowFunctionParams};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::super::headings;
use super::super::help::{Argument, Help, Kind, Takes};
use super::super::types::Types;
use super::emit::leaving;
use super::filter::passing;
use encoded::{ByteKeys, Encoded, WordKeys};
use sliding::Sliding;
use words::{Width, Word, Words, width};

pub use encoded::Slots;

const NULLS: &str = "Rows without a value or without a key are left out, so the result is the latest value that is known; null when \
                     no row is left. To get the value of the row with the extreme key even when it is null, wrap it: \
                     `struct(csat)` as the value.";
const VALUE: Argument = Argument {
    name: "value",
    takes: Takes::Column,
    types: Types::Any,
    default: None,
    what: "what is wanted of the row; several columns as `named_struct('nps', nps, 'csat', csat)`",
};

pub static ARG_MAX_HELP: Help = Help {
    name: "arg_max",
    kind: Kind::Aggregate,
    summary: "The value of the row with the largest key, such as the latest answer of an account. Ties on the key go to the \
              largest value, whatever the order of rows; the order is that of ORDER BY, with NaN above every number.",
    arguments: &[
        VALUE,
        Argument {
            name: "key",
            takes: Takes::Column,
            types: Types::Any,
            default: None,
            what: "the row with the largest is taken",
        },
    ],
    returns: "The type of the value.",
    nulls: NULLS,
    errors: "",
    source: "The meaning of DuckDB's `arg_max`, except that DuckDB takes the first of tied rows that it comes across.",
    examples: &[
        "select account_id, arg_max(nps, answered_at) as latest_nps from surveys group by account_id order by account_id limit 5",
        "select office_id, arg_max(named_struct('account', account, 'revenue', annual_revenue), annual_revenue) as largest \
         from accounts group by office_id order by office_id limit 5",
    ],
};

pub static ARG_MIN_HELP: Help = Help {
    name: "arg_min",
    kind: Kind::Aggregate,
    summary: "The value of the row with the smallest key, such as the first answer of an account. Ties on the key go to the \
              smallest value, whatever the order of rows; the order is that of ORDER BY, with NaN above every number.",
    arguments: &[
        VALUE,
        Argument {
            name: "key",
            takes: Takes::Column,
            types: Types::Any,
            default: None,
            what: "the row with the smallest is taken",
        },
    ],
    returns: "The type of the value.",
    nulls: NULLS,
    errors: "",
    source: "The meaning of DuckDB's `arg_min`, except that DuckDB takes the first of tied rows that it comes across.",
    examples: &[
        "select account_id, arg_min(nps, answered_at) as first_nps from surveys group by account_id order by account_id limit 5",
    ],
};

/// Which end of the order is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum End {
    Largest,
    Smallest,
}

impl End {
    /// The order in which the wanted end comes last.
    fn options(self) -> SortOptions {
        SortOptions { descending: self == Self::Smallest, nulls_first: true }
    }
}

/// Both functions.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ArgExtreme {
    end: End,
    signature: Signature,
}

impl ArgExtreme {
    pub fn max() -> Self {
        Self::new(End::Largest)
    }

    pub fn min() -> Self {
        Self::new(End::Smallest)
    }

    fn new(end: End) -> Self {
        Self { end, signature: Signature::user_defined(Volatility::Immutable) }
    }

    fn help(&self) -> &'static Help {
        match self.end {
            End::Largest => &ARG_MAX_HELP,
            End::Smallest => &ARG_MIN_HELP,
        }
    }

    fn groups(&self, arguments: &AccumulatorArgs<'_>) -> Result<Box<dyn Groups>> {
        let [value, key] = take_function_args(self.name(), arguments.expr_fields)?;
        groups(self.end, value.data_type(), key.data_type())
    }
}

impl AggregateUDFImpl for ArgExtreme {
    fn name(&self) -> &str {
        self.help().name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn schema_name(&self, call: &AggregateFunctionParams) -> Result<String> {
        headings::aggregate(self, self.help(), call)
    }

    fn window_function_schema_name(&self, call: &WindowFunctionParams) -> Result<String> {
        headings::window(self, self.help(), call)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        take_function_args::<2, _>(self.name(), types)?;
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let [value, _] = take_function_args(self.name(), types)?;
        Ok(value.clone())
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let [value, key] = take_function_args(self.name(), arguments.input_fields)?;
        let field = |field: &FieldRef, name| {
            Arc::new(Field::new(format_state_name(arguments.name, name), field.data_type().clone(), true))
        };
        Ok(vec![field(value, "value"), field(key, "key")])
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Whole { groups: self.groups(&arguments)?, zeros: vec![] }))
    }

    fn create_sliding_accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let [value, key] = take_function_args(self.name(), arguments.expr_fields)?;
        Ok(Box::new(Sliding::new(self.end, value.data_type(), key.data_type())?))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Grouped(self.groups(&arguments)?)))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(self.help().documentation())
    }
}

/// The best row of each group so far.
trait Groups: Debug + Send + Sync {
    /// Holds rows against the best of their groups. `rows` are those that have value and key and pass the filter.
    fn update(&mut self, value: &ArrayRef, key: &ArrayRef, groups: &[usize], rows: Option<&NullBuffer>) -> Result<()>;

    /// Makes room for groups.
    fn grow(&mut self, groups: usize);

    fn len(&self) -> usize;

    /// Values and keys of the first `count` groups; null where a group has no row.
    fn rows(&self, count: usize) -> Result<[ArrayRef; 2]>;

    /// Forgets the first `count` groups; the others move up.
    fn forget(&mut self, count: usize);

    /// Bytes held.
    fn size(&self) -> usize;
}

fn groups(end: End, value: &DataType, key: &DataType) -> Result<Box<dyn Groups>> {
    let types = (value.clone(), key.clone());
    Ok(match (width(value), width(key)) {
        (Some(Width::Narrow), Some(Width::Narrow)) => Box::new(Words::<i64, i64>::new(end, types)),
        (Some(Width::Narrow), Some(Width::Wide)) => Box::new(Words::<i64, i128>::new(end, types)),
        (Some(Width::Wide), Some(Width::Narrow)) => Box::new(Words::<i128, i64>::new(end, types)),
        (Some(Width::Wide), Some(Width::Wide)) => Box::new(Words::<i128, i128>::new(end, types)),
        (None, Some(Width::Narrow)) => Box::new(Encoded::new(end, value, WordKeys::<i64>::new(end, key))?),
        (None, Some(Width::Wide)) => Box::new(Encoded::new(end, value, WordKeys::<i128>::new(end, key))?),
        (_, None) => Box::new(Encoded::new(end, value, ByteKeys::new(end, key)?)?),
    })
}

/// Whether values of a type are whole numbers in their order, those of [`words`] or decimals of 128 bits.
pub fn in_words(data_type: &DataType) -> bool {
    width(data_type).is_some()
}

/// The values of an array of up to 64 bits as whole numbers in their order; any number where it is null.
pub fn words(array: &ArrayRef) -> Result<Vec<i64>> {
    i64::encode(array, End::Largest)
}

/// The rows that have both value and key and pass the filter; `None` when all do.
fn known(value: &ArrayRef, key: &ArrayRef, filter: Option<&BooleanArray>) -> Option<NullBuffer> {
    let both = NullBuffer::union(value.logical_nulls().as_ref(), key.logical_nulls().as_ref());
    NullBuffer::union(both.as_ref(), filter.map(passing).as_ref()).filter(|rows| rows.null_count() > 0)
}

/// For many groups.
#[derive(Debug)]
struct Grouped(Box<dyn Groups>);

impl Grouped {
    fn take(&mut self, emit_to: EmitTo) -> Result<[ArrayRef; 2]> {
        let count = leaving(emit_to, self.0.len());
        let rows = self.0.rows(count)?;
        self.0.forget(count);
        Ok(rows)
    }
}

impl GroupsAccumulator for Grouped {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let [value, key] = take_function_args("arg_max", values)?;
        self.0.grow(total_num_groups);
        self.0.update(value, key, group_indices, known(value, key, opt_filter).as_ref())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.update_batch(states, group_indices, None, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let [value, _] = self.take(emit_to)?;
        Ok(value)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.take(emit_to).map(Vec::from)
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let [value, key] = take_function_args("arg_max", values)?;
        let Some(filter) = opt_filter else { return Ok(values.to_vec()) };
        // Without its key a row is left out, as one that does not pass is.
        let failing = BooleanArray::new(!passing(filter).inner(), None);
        Ok(vec![Arc::clone(value), nullif(key, &failing)?])
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.0.size()
    }
}

/// For all rows together, and for windows that only grow.
#[derive(Debug)]
struct Whole {
    groups: Box<dyn Groups>,
    /// The group of every row.
    zeros: Vec<usize>,
}

impl Accumulator for Whole {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [value, key] = take_function_args("arg_max", values)?;
        self.zeros.resize(self.zeros.len().max(value.len()), 0);
        self.groups.grow(1);
        self.groups.update(value, key, &self.zeros[..value.len()], known(value, key, None).as_ref())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.groups.grow(1);
        let [value, _] = self.groups.rows(1)?;
        ScalarValue::try_from_array(&value, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.groups.grow(1);
        self.groups.rows(1)?.iter().map(|column| ScalarValue::try_from_array(column, 0)).collect()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.groups.size() + size_of_val(&self.zeros[..])
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::make_comparator;
    use datafusion::arrow::array::{Decimal128Array, Float64Array, Int64Array, NullArray, StringArray, StructArray};
    use datafusion::arrow::compute::cast;
    use datafusion::arrow::datatypes::{Fields, TimeUnit};
    use datafusion::logical_expr::AggregateUDF;

    use super::super::paths::{Random, call, hold};
    use super::*;

    /// Columns of few different values, some null, by type.
    fn columns(count: usize, random: &mut Random) -> Vec<ArrayRef> {
        let mut pick = |choices: usize| -> Vec<Option<i64>> {
            let picks = (0..count).map(|_| i64::try_from(random.below(choices + 1)).expect("small") - 1);
            picks.map(|pick| (pick >= 0).then_some(pick)).collect()
        };
        let ints = Int64Array::from(pick(5));
        let int = |data_type: &DataType| cast(&ints, data_type).expect("a cast");
        let floats = [f64::NEG_INFINITY, -1.5, 0.0, 2.0, f64::INFINITY, f64::NAN];
        let floats: Float64Array =
            pick(6).iter().map(|pick| pick.map(|pick| floats[usize::try_from(pick).expect("a place")])).collect();
        let extremes = [i64::MIN, i64::MAX, 0, -1];
        let extremes: Int64Array =
            pick(4).iter().map(|pick| pick.map(|pick| extremes[usize::try_from(pick).expect("a place")])).collect();
        let words = ["", "a", "aa", "b", "a rather long text that does not fit into a view"];
        let words: StringArray =
            pick(5).iter().map(|pick| pick.map(|pick| words[usize::try_from(pick).expect("a place")])).collect();
        let bits: BooleanArray = pick(2).iter().map(|pick| pick.map(|pick| pick == 1)).collect();
        let wide: Decimal128Array =
            pick(3).iter().map(|pick| pick.map(|pick| (i128::from(pick) - 1) * i128::MAX / 2)).collect();
        let fields = Fields::from(vec![Field::new("n", DataType::Int64, true), Field::new("t", DataType::Utf8, true)]);
        let structs = StructArray::new(
            fields,
            vec![Arc::new(Int64Array::from(pick(2))), Arc::new(words.clone())],
            extremes.nulls().cloned(),
        );
        let list = DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)));
        vec![
            Arc::new(extremes),
            int(&DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))),
            int(&DataType::UInt64),
            int(&DataType::Int8),
            int(&DataType::Date32),
            int(&DataType::Decimal32(5, 2)),
            Arc::new(wide.with_precision_and_scale(38, 2).expect("a type")),
            Arc::new(floats),
            Arc::new(bits),
            cast(&words, &DataType::Utf8View).expect("a cast"),
            cast(&words, &DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))).expect("a cast"),
            Arc::new(words),
            Arc::new(structs),
            cast(&ints, &list).expect("a cast"),
        ]
    }

    /// The value of the best row, found by comparing each with the best so far.
    fn naive(end: End, value: &ArrayRef, key: &ArrayRef, rows: &[usize]) -> ScalarValue {
        let compare = |array: &ArrayRef| make_comparator(array, array, end.options()).expect("a comparison");
        let (by_key, by_value) = (compare(key), compare(value));
        let known = known(value, key, None);
        let rows = rows.iter().copied().filter(|row| known.as_ref().is_none_or(|known| known.is_valid(*row)));
        match rows.max_by(|a, b| by_key(*a, *b).then(by_value(*a, *b))) {
            Some(best) => ScalarValue::try_from_array(value, best).expect("a value"),
            None => ScalarValue::try_from(value.data_type()).expect("a null"),
        }
    }

    fn same(a: &ScalarValue, b: &ScalarValue) -> bool {
        a == b
            || (matches!(a, ScalarValue::Float64(Some(a)) if a.is_nan())
                && matches!(b, ScalarValue::Float64(Some(b)) if b.is_nan()))
    }

    #[test]
    fn every_path_finds_the_row_that_comparing_finds_for_every_pair_of_types() {
        let mut random = Random(1);
        for count in [1, 2, 40] {
            let columns = columns(count, &mut random);
            for value in &columns {
                for key in &columns {
                    for function in [ArgExtreme::max(), ArgExtreme::min()] {
                        let end = function.end;
                        let function = Arc::new(AggregateUDF::from(function));
                        let given = [Arc::clone(value), Arc::clone(key)];
                        hold(&function, &given, &[], &mut random, |rows| naive(end, value, key, rows), same);
                    }
                }
            }
        }
    }

    #[test]
    fn many_groups_and_rows_agree_too() {
        let mut random = Random(2);
        let columns = columns(3000, &mut random);
        for (value, key) in [(0, 1), (11, 1), (12, 11)] {
            let given = [Arc::clone(&columns[value]), Arc::clone(&columns[key])];
            let function = Arc::new(AggregateUDF::from(ArgExtreme::max()));
            hold(&function, &given, &[], &mut random, |rows| naive(End::Largest, &given[0], &given[1], rows), same);
        }
    }

    #[test]
    fn nan_of_either_sign_is_above_every_number_and_zeros_are_one_key() {
        let result = |function: ArgExtreme, value: ArrayRef, key: ArrayRef| {
            let call = call(&Arc::new(function.into()), &[Arc::clone(&value), Arc::clone(&key)], &[]);
            let mut whole = call.create_accumulator().expect("an accumulator");
            whole.update_batch(&[Arc::clone(&value), Arc::clone(&key)]).expect("an update");
            let mut sliding = call.create_sliding_accumulator().expect("an accumulator");
            sliding.update_batch(&[value, key]).expect("an update");
            let results = [whole.evaluate().expect("a result"), sliding.evaluate().expect("a result")];
            results.map(|result| result.to_string())
        };
        let key: ArrayRef = Arc::new(Float64Array::from(vec![f64::INFINITY, -f64::NAN, f64::NEG_INFINITY]));
        let names: ArrayRef = Arc::new(StringArray::from(vec!["inf", "nan", "-inf"]));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        assert_eq!(result(ArgExtreme::max(), Arc::clone(&names), Arc::clone(&key)), ["nan", "nan"]);
        assert_eq!(result(ArgExtreme::min(), names, Arc::clone(&key)), ["-inf", "-inf"]);
        assert_eq!(result(ArgExtreme::max(), Arc::clone(&numbers), key), ["2", "2"]);
        let zeros: ArrayRef = Arc::new(Float64Array::from(vec![0.0, -0.0, -0.0]));
        assert_eq!(result(ArgExtreme::max(), Arc::clone(&numbers), Arc::clone(&zeros)), ["3", "3"]);
        assert_eq!(result(ArgExtreme::min(), numbers, zeros), ["1", "1"]);
    }

    #[test]
    fn a_null_for_a_column_leaves_no_row() {
        let nothing: ArrayRef = Arc::new(NullArray::new(3));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        let mut random = Random(3);
        for given in [[Arc::clone(&nothing), Arc::clone(&numbers)], [Arc::clone(&numbers), nothing]] {
            let null = ScalarValue::try_from(given[0].data_type()).expect("a null");
            let function = Arc::new(AggregateUDF::from(ArgExtreme::max()));
            hold(&function, &given, &[], &mut random, |_| null.clone(), same);
        }
    }

    #[test]
    fn the_size_grows_with_what_is_held_and_shrinks_when_groups_leave() {
        let text: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(1000); 50]));
        let groups: Vec<usize> = (0..50).collect();
        let call = call(&Arc::new(ArgExtreme::max().into()), &[Arc::clone(&text), Arc::clone(&text)], &[]);
        let mut held = call.create_groups_accumulator().expect("an accumulator");
        held.update_batch(&[Arc::clone(&text), text], &groups, None, 50).expect("an update");
        let full = held.size();
        assert!(full > 2 * 50 * 1000, "{full}");
        held.evaluate(EmitTo::First(25)).expect("results");
        assert!(held.size() < full * 2 / 3, "{} of {full}", held.size());
    }
}
