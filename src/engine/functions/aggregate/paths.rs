//! Holds an aggregate's paths against a reference: whole, merged, grouped, grouped from single rows, and over frames.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, UInt64Array};
use datafusion::arrow::compute::{concat, take};
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::logical_expr::{AggregateUDF, EmitTo};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::{AggregateExprBuilder, AggregateFunctionExpr};
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::scalar::ScalarValue;

/// Numbers that look random and are the same in every run (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((bits ^ (bits >> 31)) % end as u64).expect("below an usize")
    }

    fn shuffled(&mut self, count: usize) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..count).collect();
        for place in (1..count).rev() {
            rows.swap(place, self.below(place + 1));
        }
        rows
    }
}

/// A call of a function on columns and constants.
pub fn call(function: &Arc<AggregateUDF>, columns: &[ArrayRef], constants: &[ScalarValue]) -> AggregateFunctionExpr {
    let fields =
        columns.iter().enumerate().map(|(at, column)| Field::new(format!("c{at}"), column.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let columns = (0..columns.len()).map(|at| Arc::new(Column::new(&format!("c{at}"), at)) as Arc<dyn PhysicalExpr>);
    let constants = constants.iter().map(|value| Arc::new(Literal::new(value.clone())) as Arc<dyn PhysicalExpr>);
    let arguments = columns.chain(constants).collect();
    AggregateExprBuilder::new(Arc::clone(function), arguments).schema(schema).alias("f").build().expect("a call")
}

/// Compares all paths with what the reference says of some rows; `same` says whether two results are one.
pub fn hold(
    function: &Arc<AggregateUDF>,
    columns: &[ArrayRef],
    constants: &[ScalarValue],
    random: &mut Random,
    reference: impl Fn(&[usize]) -> ScalarValue,
    same: impl Fn(&ScalarValue, &ScalarValue) -> bool,
) {
    let call = call(function, columns, constants);
    let count = columns[0].len();
    let at = |rows: &[usize]| -> Vec<ArrayRef> {
        let places: UInt64Array = rows.iter().map(|row| *row as u64).collect();
        let columns = columns.iter().map(|column| take(column, &places, None).expect("rows"));
        let constants = constants.iter().map(|value| value.to_array_of_size(rows.len()).expect("a column"));
        columns.chain(constants).collect()
    };
    let check = |got: &ScalarValue, rows: &[usize], path: &str| {
        let wanted = reference(rows);
        assert!(same(got, &wanted), "{} {path}: {got:?} in place of {wanted:?} for {rows:?}", function.name());
    };

    // Whole, in parts that are merged; read twice, as windows do.
    let mut all = call.create_accumulator().expect("an accumulator");
    for part in random.shuffled(count).chunks(count / 3 + 1) {
        let mut partial = call.create_accumulator().expect("an accumulator");
        part.chunks(7).for_each(|rows| partial.update_batch(&at(rows)).expect("an update"));
        let state = partial.state().expect("a state");
        let state: Vec<ArrayRef> = state.iter().map(|value| value.to_array().expect("an array")).collect();
        all.merge_batch(&state).expect("a merge");
    }
    let every: Vec<usize> = (0..count).collect();
    for _ in 0..2 {
        check(&all.evaluate().expect("a result"), &every, "merged");
    }
    assert!(all.size() > 0);

    grouped(&call, count, random, &at, &check);

    // Frames that move on.
    let mut frame = call.create_sliding_accumulator().expect("an accumulator");
    assert!(frame.supports_retract_batch());
    let (mut start, mut end) = (0, 0);
    while end < count {
        let next_end = (end + random.below(4)).min(count);
        frame.update_batch(&at(&(end..next_end).collect::<Vec<_>>())).expect("an update");
        end = next_end;
        let next_start = start + random.below(4).min(end - start);
        frame.retract_batch(&at(&(start..next_start).collect::<Vec<_>>())).expect("a retraction");
        start = next_start;
        check(&frame.evaluate().expect("a result"), &(start..end).collect::<Vec<_>>(), "sliding");
    }
}

fn grouped(
    call: &AggregateFunctionExpr,
    count: usize,
    random: &mut Random,
    at: &impl Fn(&[usize]) -> Vec<ArrayRef>,
    check: &impl Fn(&ScalarValue, &[usize], &str),
) {
    let total = random.below(count + 3) + 1;
    let group_of: Vec<usize> = (0..count).map(|_| random.below(total)).collect();
    let passes: Vec<Option<bool>> =
        (0..count).map(|_| [Some(true), Some(true), Some(false), None][random.below(4)]).collect();
    let mut all = call.create_groups_accumulator().expect("an accumulator");
    for (number, part) in random.shuffled(count).chunks(count / 4 + 1).enumerate() {
        let mut partial = call.create_groups_accumulator().expect("an accumulator");
        for rows in part.chunks(9) {
            let groups: Vec<usize> = rows.iter().map(|row| group_of[*row]).collect();
            let filter: BooleanArray = rows.iter().map(|row| passes[*row]).collect();
            if number == 0 {
                let state = partial.convert_to_state(&at(rows), Some(&filter)).expect("a state");
                all.merge_batch(&state, &groups, total).expect("a merge");
            } else {
                partial.update_batch(&at(rows), &groups, Some(&filter), total).expect("an update");
            }
        }
        if number == 0 {
            continue;
        }
        // The state leaves in two parts; each goes to its own groups.
        let first = random.below(total + 1);
        for (emit, groups) in [(EmitTo::First(first), 0..first), (EmitTo::All, first..total)] {
            let state = partial.state(emit).expect("a state");
            assert_eq!(state[0].len(), groups.len());
            all.merge_batch(&state, &groups.collect::<Vec<_>>(), total).expect("a merge");
        }
        assert!(partial.size() > 0);
    }
    let first = all.evaluate(EmitTo::First(random.below(total + 1))).expect("results");
    let rest = all.evaluate(EmitTo::All).expect("results");
    let results = concat(&[&first, &rest]).expect("results");
    for group in 0..total {
        let rows: Vec<usize> = (0..count).filter(|row| group_of[*row] == group && passes[*row] == Some(true)).collect();
        check(&ScalarValue::try_from_array(&results, group).expect("a result"), &rows, "grouped");
    }
}
