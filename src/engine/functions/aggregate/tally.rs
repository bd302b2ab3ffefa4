//! Counts answers on a scale, with weights or without: the machine under the scores.
//!
//! A score says which whole numbers an answer adds ([`Score::marks`]: itself, whether it is a promoter, ...) and what to
//! make of their sums. Everything else is here, once: which answers count, groups, windows, partitions.

use std::cmp::Ordering;
use std::fmt::Debug;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array};
use datafusion::arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::logical_expr::expr::{AggregateFunctionParams, WindowFunctionParams};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::scalar::ScalarValue;

use super::super::constant::{Constant, whole};
use super::super::headings;
use super::super::help::{Argument, Help, Takes};
use super::super::types::{self, Types};
use super::filter::passing;
use crate::error::Error;
use crate::lake::scale::Scale;
use crate::statistics::proportion::effective_size;
use crate::statistics::sum::Sum;

/// The arguments that the scores share.
pub const WEIGHT: Argument = Argument {
    name: "weight",
    takes: Takes::Column,
    types: Types::Number,
    default: Some("null"),
    what: "what each row weighs, 0 or more; an answer without a weight stays out; the literal null weighs nothing",
};
pub const MISSING: Argument = Argument {
    name: "missing",
    takes: Takes::Value,
    types: Types::Codes,
    default: Some("null"),
    what: "codes that stand for no answer, such as `11` or `[11, 99]`",
};
pub const CONFIDENCE: Argument = Argument {
    name: "confidence",
    takes: Takes::Value,
    types: Types::Number,
    default: Some("0.95"),
    what: "confidence of the interval, between 0 and 1",
};

/// The confidence where there is no interval: of no rows, and of a score that gives none.
const ANY_CONFIDENCE: f64 = 0.95;

/// A score made of `N` sums over answers.
pub trait Score<const N: usize>: Copy + Debug + Default + Eq + Hash + Send + Sync + 'static {
    const HELP: &'static Help;

    /// What an answer adds to the sums. The first is always 1, so that the first sum is the number of answers.
    fn marks(scale: Scale, score: i64) -> [i64; N];

    /// The type of the result.
    fn result() -> DataType;

    /// The results of groups.
    fn finish(tallies: impl Iterator<Item = Tally<N>>, confidence: f64) -> ArrayRef;
}

/// The sums of a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tally<const N: usize> {
    /// Sums over answers, each counted once. Whole numbers, so that no order of rows changes them.
    pub counts: [i64; N],
    /// The same with weights, when there are any.
    weighted: Option<Weighted<N>>,
}

/// Sums over weighted answers.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Weighted<const N: usize> {
    /// Answers with a weight above zero. When there are none, the sums are zero and not what rounding left of them.
    positive: i64,
    sums: [Sum; N],
    squared_weights: Sum,
}

impl<const N: usize> Default for Weighted<N> {
    fn default() -> Self {
        Self { positive: 0, sums: [Sum::default(); N], squared_weights: Sum::default() }
    }
}

impl<const N: usize> Weighted<N> {
    /// Takes an answer in, with `sign` 1, or out again, with -1.
    fn add(&mut self, marks: [i64; N], weight: f64, sign: i64) {
        self.positive += if weight > 0.0 { sign } else { 0 };
        if self.positive == 0 {
            *self = Self::default();
            return;
        }
        let sign = sign as f64;
        for (sum, mark) in self.sums.iter_mut().zip(marks) {
            sum.add(sign * weight * mark as f64);
        }
        self.squared_weights.add(sign * weight * weight);
    }
}

impl<const N: usize> Tally<N> {
    /// Answers, each counted once.
    pub fn n(&self) -> i64 {
        self.counts[0]
    }

    /// The mean of a mark over answers, weighted when there are weights; `None` without answers or without weight.
    pub fn mean(&self, mark: usize) -> Option<f64> {
        match &self.weighted {
            None => (self.n() > 0).then(|| self.counts[mark] as f64 / self.n() as f64),
            Some(weighted) if weighted.positive > 0 => Some(weighted.sums[mark].value() / weighted.sums[0].value()),
            Some(_) => None,
        }
    }

    /// 100 times the mean of one mark less that of another; `None` as for [`Tally::mean`]. Without weights it is rounded
    /// once, as `100.0 * (P - D) / n` in SQL.
    pub fn points(&self, first: usize, second: usize) -> Option<f64> {
        match &self.weighted {
            None => (self.n() > 0).then(|| 100.0 * (self.counts[first] - self.counts[second]) as f64 / self.n() as f64),
            Some(_) => self.mean(first).zip(self.mean(second)).map(|(first, second)| 100.0 * (first - second)),
        }
    }

    /// How many unweighted answers tell as much as these; `None` without answers or without weight.
    pub fn effective(&self) -> Option<f64> {
        match &self.weighted {
            None => (self.n() > 0).then_some(self.n() as f64),
            Some(weighted) => effective_size(weighted.sums[0].value(), weighted.squared_weights.value()),
        }
    }
}

/// A score as the engine calls it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ScoreFunction<S, const N: usize> {
    score: PhantomData<S>,
    scale: Scale,
    signature: Signature,
}

impl<S: Score<N>, const N: usize> ScoreFunction<S, N> {
    pub fn new(scale: Scale) -> Self {
        Self { score: PhantomData, scale, signature: Signature::user_defined(Volatility::Immutable) }
    }

    fn call(&self, arguments: &AccumulatorArgs<'_>) -> Result<Call> {
        Call::new(S::HELP, self.scale, arguments)
    }
}

/// The place of the weight among arguments of these types, when one is given that can be a number.
fn weight_place<'a>(help: &Help, types: impl ExactSizeIterator<Item = &'a DataType>) -> Option<usize> {
    let place = help.position("weight")?;
    types.enumerate().find(|(at, given)| *at == place && !given.is_null()).map(|(at, _)| at)
}

impl<S: Score<N>, const N: usize> AggregateUDFImpl for ScoreFunction<S, N> {
    fn name(&self) -> &str {
        S::HELP.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn schema_name(&self, call: &AggregateFunctionParams) -> Result<String> {
        headings::aggregate(self, S::HELP, call)
    }

    fn window_function_schema_name(&self, call: &WindowFunctionParams) -> Result<String> {
        headings::window(self, S::HELP, call)
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types::coerced(S::HELP, given))
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        types::check(S::HELP, given)?;
        Ok(S::result())
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Single::<S, N>::new(self.call(&arguments)?)))
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let named =
            |name: String, r#type| Arc::new(Field::new(format_state_name(arguments.name, &name), r#type, false));
        let mut fields: Vec<FieldRef> = (0..N).map(|mark| named(format!("count_{mark}"), DataType::Int64)).collect();
        let types = arguments.input_fields.iter().map(|field| field.data_type());
        if weight_place(S::HELP, types).is_some() {
            fields.push(named("positive".to_owned(), DataType::Int64));
            let sums = (0..N).map(|mark| format!("weighted_{mark}")).chain(["squared_weights".to_owned()]);
            for sum in sums {
                fields.push(named(sum.clone(), DataType::Float64));
                fields.push(named(format!("{sum}_cut_off"), DataType::Float64));
            }
        }
        Ok(fields)
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::<S, N>::new(self.call(&arguments)?)))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    /// What no rows give: for the counts that is 0, and a subquery without rows must say the same.
    fn default_value(&self, _: &DataType) -> Result<ScalarValue> {
        let nothing = Tally { counts: [0; N], weighted: None };
        ScalarValue::try_from_array(&S::finish(std::iter::once(nothing), ANY_CONFIDENCE), 0)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(S::HELP.documentation())
    }
}

/// One call of a score, with its constants read.
#[derive(Clone, Debug)]
struct Call {
    help: &'static Help,
    scale: Scale,
    /// Place of the weight among the arguments.
    weight: Option<usize>,
    /// Whether the weight is a column of nothing but nulls, which has no type, so that no answer has a weight.
    weighs_nothing: bool,
    /// Codes that stand for no answer; and those of them that whole numbers can be.
    blanks: Vec<f64>,
    whole_blanks: Vec<i64>,
    confidence: f64,
}

impl Call {
    fn new(help: &'static Help, mut scale: Scale, arguments: &AccumulatorArgs<'_>) -> Result<Self> {
        let constant = |name| Constant::of(help, name, arguments.exprs);
        if help.position("top").is_some()
            && let Some(top) = constant("top")?.whole(1..=scale.high - scale.low)?
        {
            scale.top_from = scale.high - top + 1;
        }
        let blanks = match help.position("missing") {
            Some(_) => constant("missing")?.numbers()?.unwrap_or_default(),
            None => vec![],
        };
        let whole_blanks = blanks.iter().filter_map(|blank| whole(*blank)).collect();
        let confidence = match help.position("confidence") {
            Some(_) => constant("confidence")?.confidence()?,
            None => ANY_CONFIDENCE,
        };
        let weight = weight_place(help, arguments.expr_fields.iter().map(|field| field.data_type()));
        let weight_given = help.position("weight").and_then(|place| arguments.exprs.get(place));
        let weighs_nothing = weight.is_none() && weight_given.is_some_and(|given| !collect_columns(given).is_empty());
        Ok(Self { help, scale, weight, weighs_nothing, blanks, whole_blanks, confidence })
    }

    /// The answers of a batch that count: with a score, that is no blank, with a weight, and passed by the filter.
    /// Of the others nothing is looked at.
    ///
    /// # Errors
    /// `InvalidData` for a score that is no whole number and for a weight that cannot be one.
    fn answers(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Answers> {
        let mut counted = filter.map(passing);
        let mut only = |nulls: Option<&NullBuffer>| counted = NullBuffer::union(counted.as_ref(), nulls);
        let score = &values[0];
        only(score.nulls());
        if self.weighs_nothing {
            only(Some(&NullBuffer::new_null(score.len())));
        }
        let weights = self.weight.map(|place| values[place].as_primitive::<Float64Type>());
        only(weights.and_then(Array::nulls));
        let scores = match score.data_type() {
            DataType::Boolean => score.as_boolean().values().iter().map(i64::from).collect(),
            DataType::Float64 => {
                let scores = score.as_primitive::<Float64Type>().values();
                if !self.blanks.is_empty() {
                    let is_blank = |score: f64| self.blanks.iter().any(|blank| same(*blank, score));
                    only(Some(&answered(scores.len(), |row| !is_blank(scores[row]))));
                }
                self.whole(scores, counted.as_ref())?
            }
            _ => {
                let scores = score.as_primitive::<Int64Type>().values();
                if !self.whole_blanks.is_empty() {
                    only(Some(&answered(scores.len(), |row| !self.whole_blanks.contains(&scores[row]))));
                }
                scores.clone()
            }
        };
        let answers = Answers { scores, weights: weights.map(|weights| weights.values().clone()), counted };
        if let Some(weights) = &answers.weights {
            let wrong = |weight: f64| !(weight.is_finite() && weight >= 0.0);
            if let Some(row) = (0..weights.len()).find(|row| wrong(weights[*row]) && answers.counts(*row)) {
                let error = Error::invalid(format!(
                    "`{}` got the weight {}; a weight is 0 or more",
                    self.help.name, weights[row]
                ));
                return Err(error.hint("null leaves the answer out").into());
            }
        }
        if !answers.within(self.scale) {
            let outside = |row: &usize| !(self.scale.low..=self.scale.high).contains(&answers.scores[*row]);
            let row = (0..answers.scores.len()).find(|row| outside(row) && answers.counts(*row));
            let score = row.map_or(0, |row| answers.scores[row]);
            let Scale { low, high, .. } = self.scale;
            let error = Error::invalid(format!("`{}` got the score {score}, outside {low} to {high}", self.help.name));
            return Err(error.hint(self.say_so(&score.to_string())).into());
        }
        Ok(answers)
    }

    /// The whole numbers that floats stand for.
    fn whole(&self, scores: &[f64], counted: Option<&NullBuffer>) -> Result<ScalarBuffer<i64>> {
        let mut wholes = Vec::with_capacity(scores.len());
        for (row, score) in scores.iter().enumerate() {
            let found = whole(*score);
            if found.is_none() && counted.is_none_or(|counted| counted.is_valid(row)) {
                let Scale { low, high, .. } = self.scale;
                if score.fract() == 0.0 {
                    let message = format!("`{}` got the score {score:?}, outside {low} to {high}", self.help.name);
                    return Err(Error::invalid(message).hint(self.say_so(&format!("{score:?}"))).into());
                }
                let error = Error::invalid(format!("`{}` got the score {score}, no whole number", self.help.name));
                return Err(error.hint(format!("answers are whole numbers from {low} to {high}")).into());
            }
            wholes.push(found.unwrap_or(0));
        }
        Ok(wholes.into())
    }

    /// Bytes on the heap.
    fn size(&self) -> usize {
        size_of_val(self.blanks.as_slice()) + size_of_val(self.whole_blanks.as_slice())
    }

    /// How to say that a code is a blank.
    fn say_so(&self, code: &str) -> String {
        let codes: Vec<String> = self.blanks.iter().map(f64::to_string).chain([code.to_owned()]).collect();
        format!("if {code} marks a blank, say so: `{}(score, missing => [{}])`", self.help.name, codes.join(", "))
    }
}

/// Rows that a test passes.
fn answered(rows: usize, test: impl Fn(usize) -> bool) -> NullBuffer {
    NullBuffer::new(BooleanBuffer::collect_bool(rows, test))
}

/// Whether two floats are one code; not a number, which some tools write for blanks, is one as well.
fn same(blank: f64, score: f64) -> bool {
    (blank.is_nan() && score.is_nan()) || blank.partial_cmp(&score).is_some_and(Ordering::is_eq)
}

/// The answers of a batch.
struct Answers {
    scores: ScalarBuffer<i64>,
    weights: Option<ScalarBuffer<f64>>,
    /// Rows that count; without it, all do.
    counted: Option<NullBuffer>,
}

impl Answers {
    fn counts(&self, row: usize) -> bool {
        self.counted.as_ref().is_none_or(|counted| counted.is_valid(row))
    }

    /// Calls `add` with each row, its score, and 1 when the answer counts; for one that does not, with 0 and 0.
    ///
    /// Adding nothing is cheaper than a processor's wrong guess which way a branch goes.
    #[inline]
    fn each(&self, mut add: impl FnMut(usize, i64, i64)) {
        let Some(counted) = self.counted.as_ref().filter(|counted| counted.null_count() > 0) else {
            self.scores.iter().enumerate().for_each(|(row, score)| add(row, *score, 1));
            return;
        };
        let mut row = 0;
        for (scores, mut bits) in self.scores.chunks(64).zip(counted.inner().bit_chunks().iter_padded()) {
            for score in scores {
                let counts = i64::from(bits & 1 == 1);
                add(row, score & -counts, counts);
                bits >>= 1;
                row += 1;
            }
        }
    }

    /// Calls `add` with the row, score and weight of each answer that counts, when there are weights.
    #[inline]
    fn each_weighted(&self, mut add: impl FnMut(usize, i64, f64)) {
        let Some(weights) = &self.weights else { return };
        self.each(|row, score, counts| {
            if counts == 1 {
                add(row, score, weights[row]);
            }
        });
    }

    /// Whether all scores that count lie on the scale.
    #[expect(clippy::needless_bitwise_bool, reason = "without branches the loop is faster")]
    fn within(&self, scale: Scale) -> bool {
        let mut within = true;
        self.each(|_, score, counts| within &= (score >= scale.low) & (score <= scale.high) | (counts == 0));
        within
    }
}

/// What a row adds: its marks when it counts, nothing when not.
#[inline]
fn masked<S: Score<N>, const N: usize>(scale: Scale, score: i64, counts: i64) -> [i64; N] {
    S::marks(scale, score).map(|mark| mark & -counts)
}

#[inline]
fn add<const N: usize>(sums: &mut [i64; N], marks: [i64; N]) {
    sums.iter_mut().zip(marks).for_each(|(sum, mark)| *sum += mark);
}

/// The tally of all rows, or of the rows of a window's frame.
#[derive(Debug)]
struct Single<S, const N: usize> {
    score: PhantomData<S>,
    call: Call,
    tally: Tally<N>,
}

impl<S: Score<N>, const N: usize> Single<S, N> {
    fn new(call: Call) -> Self {
        let weighted = call.weight.map(|_| Weighted::default());
        Self { score: PhantomData, call, tally: Tally { counts: [0; N], weighted } }
    }

    /// Takes answers in, with `sign` 1, or out again, with -1.
    fn add(&mut self, values: &[ArrayRef], sign: i64) -> Result<()> {
        let answers = self.call.answers(values, None)?;
        let scale = self.call.scale;
        let mut counts = [0; N];
        answers.each(|_, score, counted| add(&mut counts, masked::<S, N>(scale, score, counted)));
        add(&mut self.tally.counts, counts.map(|count| sign * count));
        if let Some(weighted) = &mut self.tally.weighted {
            answers.each_weighted(|_, score, weight| weighted.add(S::marks(scale, score), weight, sign));
        }
        Ok(())
    }
}

impl<S: Score<N>, const N: usize> Accumulator for Single<S, N> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(values, 1)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(values, -1)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&S::finish(std::iter::once(self.tally), self.call.confidence), 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let columns = state_columns(&[self.tally.counts], self.tally.weighted.as_ref().map(std::slice::from_ref));
        columns.iter().map(|column| ScalarValue::try_from_array(column, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let weighted = self.tally.weighted.as_mut().map(std::slice::from_mut);
        merge(std::slice::from_mut(&mut self.tally.counts), weighted, states, |_| 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.call.size()
    }
}

/// The tallies of groups.
struct Groups<S, const N: usize> {
    score: PhantomData<S>,
    call: Call,
    counts: Vec<[i64; N]>,
    /// As long as `counts` when there are weights.
    weighted: Option<Vec<Weighted<N>>>,
}

impl<S: Score<N>, const N: usize> Groups<S, N> {
    fn new(call: Call) -> Self {
        let weighted = call.weight.map(|_| Vec::new());
        Self { score: PhantomData, call, counts: Vec::new(), weighted }
    }

    fn resize(&mut self, groups: usize) {
        self.counts.resize(groups, [0; N]);
        if let Some(weighted) = &mut self.weighted {
            weighted.resize(groups, Weighted::default());
        }
    }

    /// Takes answers in, each to the group of its row.
    #[inline]
    fn add(&mut self, answers: &Answers, group: impl Fn(usize) -> usize) {
        let (scale, counts) = (self.call.scale, &mut self.counts);
        answers.each(|row, score, counted| add(&mut counts[group(row)], masked::<S, N>(scale, score, counted)));
        if let Some(weighted) = &mut self.weighted {
            answers.each_weighted(|row, score, weight| weighted[group(row)].add(S::marks(scale, score), weight, 1));
        }
    }
}

impl<S: Score<N>, const N: usize> GroupsAccumulator for Groups<S, N> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.resize(total_num_groups);
        let answers = self.call.answers(values, opt_filter)?;
        self.add(&answers, |row| group_indices[row]);
        Ok(())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.resize(total_num_groups);
        merge(&mut self.counts, self.weighted.as_deref_mut(), values, |row| group_indices[row])
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let counts = emit_to.take_needed(&mut self.counts).into_iter();
        let confidence = self.call.confidence;
        let Some(weighted) = &mut self.weighted else {
            return Ok(S::finish(counts.map(|counts| Tally { counts, weighted: None }), confidence));
        };
        let weighted = emit_to.take_needed(weighted).into_iter().map(Some);
        Ok(S::finish(counts.zip(weighted).map(|(counts, weighted)| Tally { counts, weighted }), confidence))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let counts = emit_to.take_needed(&mut self.counts);
        let weighted = self.weighted.as_mut().map(|weighted| emit_to.take_needed(weighted));
        Ok(state_columns(&counts, weighted.as_deref()))
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let answers = self.call.answers(values, opt_filter)?;
        let mut alone = Self::new(self.call.clone());
        alone.resize(answers.scores.len());
        alone.add(&answers, |row| row);
        alone.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        let weighted = self.weighted.as_ref().map_or(0, |weighted| weighted.capacity() * size_of::<Weighted<N>>());
        self.call.size() + self.counts.capacity() * size_of::<[i64; N]>() + weighted
    }
}

/// Tallies as columns between partitions, as [`ScoreFunction::state_fields`] names them.
fn state_columns<const N: usize>(counts: &[[i64; N]], weighted: Option<&[Weighted<N>]>) -> Vec<ArrayRef> {
    let ints = |column: Vec<i64>| Arc::new(Int64Array::from(column)) as ArrayRef;
    let floats = |column: Vec<f64>| Arc::new(Float64Array::from(column)) as ArrayRef;
    let mut columns: Vec<ArrayRef> =
        (0..N).map(|mark| ints(counts.iter().map(|counts| counts[mark]).collect())).collect();
    if let Some(weighted) = weighted {
        columns.push(ints(weighted.iter().map(|sums| sums.positive).collect()));
        let parts = |of: &dyn Fn(&Weighted<N>) -> Sum| {
            let parts = weighted.iter().map(|sums| of(sums).parts());
            let (sums, cut_off): (Vec<f64>, Vec<f64>) = parts.map(|[sum, cut_off]| (sum, cut_off)).unzip();
            [floats(sums), floats(cut_off)]
        };
        columns.extend((0..N).flat_map(|mark| parts(&|sums| sums.sums[mark])));
        columns.extend(parts(&|sums| sums.squared_weights));
    }
    columns
}

/// Adds tallies that came as columns.
fn merge<const N: usize>(
    counts: &mut [[i64; N]],
    weighted: Option<&mut [Weighted<N>]>,
    states: &[ArrayRef],
    group: impl Fn(usize) -> usize,
) -> Result<()> {
    let (of_counts, of_weights) =
        states.split_at_checked(N).ok_or_else(|| internal_datafusion_err!("a tally has {N} counts"))?;
    for (mark, column) in of_counts.iter().enumerate() {
        let column = column.as_primitive::<Int64Type>().values();
        column.iter().enumerate().for_each(|(row, count)| counts[group(row)][mark] += count);
    }
    let Some(weighted) = weighted else { return Ok(()) };
    let Some((positive, parts)) = of_weights.split_first().filter(|(_, parts)| parts.len() == 2 * (N + 1)) else {
        return Err(internal_datafusion_err!("a weighted tally has its sums"));
    };
    let positive = positive.as_primitive::<Int64Type>().values();
    positive.iter().enumerate().for_each(|(row, count)| weighted[group(row)].positive += count);
    for (mark, parts) in parts.chunks_exact(2).enumerate() {
        let [sums, cut_off] = [&parts[0], &parts[1]].map(|part| part.as_primitive::<Float64Type>().values());
        for (row, parts) in sums.iter().zip(cut_off).enumerate() {
            let weighted = &mut weighted[group(row)];
            let sum = weighted.sums.get_mut(mark).unwrap_or(&mut weighted.squared_weights);
            sum.merge([*parts.0, *parts.1]);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::StructArray;
    use datafusion::logical_expr::AggregateUDF;
    use datafusion::scalar::ScalarValue as Value;

    use super::super::ces::CesStats;
    use super::super::nps::{Nps, NpsStats};
    use super::super::paths::{Random, hold};
    use super::*;
    use crate::lake::scale::Scales;

    fn call(weighted: bool) -> Call {
        Call {
            help: NpsStats::HELP,
            scale: Scales::default().nps,
            weight: weighted.then_some(1),
            weighs_nothing: false,
            blanks: vec![11.0, 99.0],
            whole_blanks: vec![11, 99],
            confidence: 0.95,
        }
    }

    fn field<'a>(results: &'a StructArray, name: &str) -> &'a ArrayRef {
        results.column_by_name(name).expect("a field")
    }

    const MEASURES: [&str; 6] = ["nps", "n_effective", "promoter_share", "detractor_share", "low", "high"];

    /// What `nps_stats` has to say of scores and weights: n, promoters, passives and detractors, then nps, n_effective
    /// and the shares, counted one by one.
    fn plainly(answers: &[(Option<i64>, Option<f64>)]) -> ([i64; 4], [Option<f64>; 4]) {
        let (mut counts, mut sums, mut squares) = ([0; 4], [0.0; 4], 0.0);
        for (score, weight) in answers {
            let Some((score, weight)) = score.filter(|score| *score <= 10).zip(*weight) else { continue };
            squares += weight * weight;
            for (place, is_in) in [true, score > 8, score == 7 || score == 8, score < 7].into_iter().enumerate() {
                counts[place] += i64::from(is_in);
                sums[place] += if is_in { weight } else { 0.0 };
            }
        }
        let [all, promoters, _, detractors] = sums;
        let measures = [100.0 * (promoters - detractors) / all, all * all / squares, promoters / all, detractors / all];
        (counts, measures.map(|measure| (all > 0.0).then_some(measure)))
    }

    /// A result as counts and measures, of which the interval is only asked whether it is there.
    fn found(result: &Value) -> ([i64; 4], [Option<f64>; 6]) {
        let Value::Struct(result) = result else { panic!("no struct: {result}") };
        let count = |name| field(result, name).as_primitive::<Int64Type>().value(0);
        let measure = |name| field(result, name).as_primitive::<Float64Type>().iter().next().flatten();
        (["n", "promoters", "passives", "detractors"].map(count), MEASURES.map(measure))
    }

    fn same(result: &Value, wanted: &Value) -> bool {
        let ((counts, measures), (wanted_counts, wanted)) = (found(result), found(wanted));
        let near = |found: Option<f64>, wanted: Option<f64>| match (found, wanted) {
            (Some(found), Some(wanted)) => (found - wanted).abs() < 1e-9 * wanted.abs().max(1.0),
            (found, wanted) => found.is_none() && wanted.is_none(),
        };
        let pairs = || measures.into_iter().zip(wanted);
        counts == wanted_counts
            && pairs().take(4).all(|(found, wanted)| near(found, wanted))
            && pairs().skip(4).all(|(found, wanted)| found.is_some() == wanted.is_some())
    }

    /// A wanted result in the shape of the function's.
    fn wanted((counts, measures): ([i64; 4], [Option<f64>; 4])) -> Value {
        let [nps, n_effective, promoters, detractors] = measures;
        let DataType::Struct(fields) = NpsStats::result() else { panic!("a struct") };
        let row = (counts, [nps, nps, nps, n_effective, promoters, detractors]);
        Value::try_from_array(&super::super::super::structs::structs(&fields, std::iter::once(Some(row))), 0)
            .expect("a value")
    }

    #[test]
    fn every_path_gives_what_counting_answers_one_by_one_gives() {
        let missing =
            Value::List(Value::new_list_nullable(&[Value::from(11_i64), Value::from(99_i64)], &DataType::Int64));
        for seed in 0..120 {
            let random = &mut Random(seed);
            let (is_weighted, is_float) = (seed % 2 == 0, seed % 3 == 0);
            let (blanks, count) = (random.below(4), 1 + random.below(300));
            let scores: Vec<Option<i64>> = (0..count)
                .map(|_| match random.below(14) {
                    _ if random.below(4) < blanks => None,
                    12 => Some(99),
                    13 => None,
                    score => i64::try_from(score).ok(),
                })
                .collect();
            let weights: Vec<Option<f64>> = (0..count)
                .map(|_| match random.below(6) {
                    _ if !is_weighted => Some(1.0),
                    0 => None,
                    1 => Some(0.0),
                    _ => Some(random.below(1000) as f64 / 7.0),
                })
                .collect();
            let column: ArrayRef = if is_float {
                Arc::new(scores.iter().map(|score| score.map(|score| score as f64)).collect::<Float64Array>())
            } else {
                Arc::new(Int64Array::from(scores.clone()))
            };
            let reference = |rows: &[usize]| {
                wanted(plainly(&rows.iter().map(|row| (scores[*row], weights[*row])).collect::<Vec<_>>()))
            };
            let function = Arc::new(AggregateUDF::from(ScoreFunction::<NpsStats, 3>::new(Scales::default().nps)));
            if is_weighted {
                let given = [column, Arc::new(Float64Array::from(weights.clone())) as ArrayRef];
                hold(&function, &given, std::slice::from_ref(&missing), random, reference, same);
            } else {
                hold(&function, &[column], &[Value::Null, missing.clone()], random, reference, same);
            }
        }
    }

    #[test]
    fn weighted_scores_are_the_same_to_the_last_digit_in_any_parts() {
        let random = &mut Random(7);
        let scores: Vec<i64> = (0..999).map(|_| i64::try_from(random.below(11)).expect("small")).collect();
        let weights: Vec<f64> = scores.iter().map(|_| random.below(1_000_000) as f64 / 7e3).collect();
        let made = |size: usize| {
            let mut whole = Single::<Nps, 3>::new(call(true));
            for (scores, weights) in scores.chunks(size).zip(weights.chunks(size)) {
                let mut one = Single::<Nps, 3>::new(call(true));
                let columns: Vec<ArrayRef> =
                    vec![Arc::new(Int64Array::from(scores.to_vec())), Arc::new(Float64Array::from(weights.to_vec()))];
                one.update_batch(&columns).expect("answers");
                let states = one.state().expect("a state").into_iter();
                let states: Vec<ArrayRef> = states.map(|state| state.to_array().expect("a column")).collect();
                whole.merge_batch(&states).expect("states");
            }
            whole.evaluate().expect("a result")
        };
        for size in [1, 2, 7, 100, 500] {
            assert_eq!(made(size), made(999), "parts of {size}");
        }
    }

    #[test]
    fn a_frame_whose_weights_have_left_has_no_score_of_what_rounding_left() {
        let mut single = Single::<Nps, 3>::new(call(true));
        let row = |weight| -> Vec<ArrayRef> {
            vec![Arc::new(Int64Array::from(vec![9])), Arc::new(Float64Array::from(vec![weight]))]
        };
        for weight in [1e17, 0.1, 0.0] {
            single.update_batch(&row(weight)).expect("an update");
        }
        single.retract_batch(&row(1e17)).expect("a retraction");
        assert_eq!(single.evaluate().expect("a result"), ScalarValue::Float64(Some(100.0)));
        single.retract_batch(&row(0.1)).expect("a retraction");
        assert_eq!(single.evaluate().expect("a result"), ScalarValue::Float64(None));
        assert_eq!(single.tally.n(), 1);
    }

    #[test]
    fn tens_of_billions_of_answers_are_counted() {
        let counts = |counts: [i64; 3]| counts.map(|count| Arc::new(Int64Array::from(vec![count; 4])) as ArrayRef);
        let mut total = Groups::<NpsStats, 3>::new(call(false));
        let state = counts([9_000_000_000, 6_000_000_000, 1_500_000_000]);
        total.merge_batch(&state, &[0, 0, 0, 0], 1).expect("a merge");
        let results = total.evaluate(EmitTo::All).expect("results");
        let result = Value::try_from_array(&results, 0).expect("a value");
        let measures = [Some(50.0), Some(36e9), Some(2.0 / 3.0), Some(1.0 / 6.0)];
        let counts = [36_000_000_000, 24_000_000_000, 6_000_000_000, 6_000_000_000];
        assert!(same(&result, &wanted((counts, measures))), "{result}");

        let mut total = Single::<CesStats, 4>::new(Call { help: CesStats::HELP, ..call(false) });
        let state = [4_000_000_000, 2_000_000_000, 16_000_000_000, 72_000_000_000];
        let state = state.map(|count| Arc::new(Int64Array::from(vec![count])) as ArrayRef);
        total.merge_batch(&state).expect("a merge");
        let results = total.evaluate().expect("a result").to_array().expect("an array");
        let measure = |name| field(results.as_struct(), name).as_primitive::<Float64Type>().value(0);
        // Half say 4 - sqrt(2) and half 4 + sqrt(2) would: the variance is 2.
        assert!((measure("mean") - 4.0).abs() < 1e-12);
        let half = 1.959_963_984_540_054 * (2.0 / 4e9_f64).sqrt();
        assert!((measure("high") - measure("mean") - half).abs() < 1e-9, "{}", measure("high"));
    }
}
