//! `date_part` and `extract` of a duration, which is what a timestamp less another is.
//!
//! DataFusion 55.2 gives the whole duration in the unit of the part, in 32 bits and without fractions: 1538 hours, and milliseconds that
//! begin again below zero. Here the parts are those of Postgres: whole days, and of the rest hours, minutes and seconds. All parts of a
//! negative duration are negative.

use std::str::FromStr;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::compute::kernels::cast_utils::IntervalUnit;
use datafusion::arrow::datatypes::{DataType, FieldRef, Float64Type, Int32Type, Int64Type, TimeUnit};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, exec_err};
use datafusion::functions::utils::make_scalar_function;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult};
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use super::in_utc;

/// `date_part` in the place of the engine's.
pub fn date_part() -> ScalarUDF {
    let [_, in_utc] = in_utc::all();
    DurationParts(Arc::new(in_utc)).into()
}

/// What `extract` calls. The engine's own planner would call the engine's `date_part`, whatever is registered, so this one goes before it.
pub fn extract_planner() -> Arc<dyn ExprPlanner> {
    Arc::new(Extract(date_part()))
}

#[derive(Debug)]
struct Extract(ScalarUDF);

impl ExprPlanner for Extract {
    fn plan_extract(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(self.0.call(args)))
    }
}

/// A function that is right about all but durations.
#[derive(Debug, PartialEq, Eq, Hash)]
struct DurationParts(Arc<ScalarUDF>);

impl ScalarUDFImpl for DurationParts {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn aliases(&self) -> &[String] {
        self.0.aliases()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.0.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.0.return_field_from_args(args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some((part, unit)) = asked(&args.args) else { return self.0.invoke_with_args(args) };
        let found = |durations: &[ArrayRef]| -> Result<ArrayRef> {
            let [durations] = take_function_args(self.name(), durations)?;
            part.of(durations, unit)
        };
        make_scalar_function(found, vec![])(&args.args[1..])
    }

    fn preimage(&self, args: &[Expr], literal: &Expr, context: &SimplifyContext) -> Result<PreimageResult> {
        self.0.preimage(args, literal, context)
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        self.0.output_ordering(inputs)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.0.documentation()
    }
}

/// The part that a call asks of a duration, and the unit of that; `None` for all else, and for parts that nothing has.
fn asked(args: &[ColumnarValue]) -> Option<(Part, TimeUnit)> {
    let [ColumnarValue::Scalar(part), duration] = args else { return None };
    let DataType::Duration(unit) = duration.data_type() else { return None };
    Some((Part::named(part.try_as_str().flatten()?)?, unit))
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
    Epoch,
    /// What dates alone have.
    OfDates,
}

impl Part {
    fn named(name: &str) -> Option<Self> {
        let name = name.trim_matches(['\'', '"']).to_lowercase();
        match name.as_str() {
            "epoch" => return Some(Self::Epoch),
            "qtr" | "quarter" => return Some(Self::Quarter),
            "dow" | "doy" | "isodow" | "isoyear" => return Some(Self::OfDates),
            _ => {}
        }
        match IntervalUnit::from_str(&name).ok()? {
            IntervalUnit::Century | IntervalUnit::Decade => None,
            IntervalUnit::Year => Some(Self::Year),
            IntervalUnit::Month => Some(Self::Month),
            IntervalUnit::Week => Some(Self::Week),
            IntervalUnit::Day => Some(Self::Day),
            IntervalUnit::Hour => Some(Self::Hour),
            IntervalUnit::Minute => Some(Self::Minute),
            IntervalUnit::Second => Some(Self::Second),
            IntervalUnit::Millisecond => Some(Self::Millisecond),
            IntervalUnit::Microsecond => Some(Self::Microsecond),
            IntervalUnit::Nanosecond => Some(Self::Nanosecond),
        }
    }

    /// The part of each duration, in the type that the engine has for it.
    fn of(self, durations: &ArrayRef, unit: TimeUnit) -> Result<ArrayRef> {
        let counts = cast(durations, &DataType::Int64)?;
        let counts = counts.as_primitive::<Int64Type>();
        let per_second = per_second(unit);
        // Of the minute that is not full.
        let nanoseconds = |count: i64| count % (60 * per_second) * (1_000_000_000 / per_second);
        match self {
            // Days are not made months.
            Self::Year | Self::Month => whole(counts, |_| 0),
            Self::Quarter => whole(counts, |_| 1),
            Self::Week => whole(counts, |count| count / per_second / 604_800),
            Self::Day => whole(counts, |count| count / per_second / 86_400),
            Self::Hour => whole(counts, |count| count / per_second % 86_400 / 3_600),
            Self::Minute => whole(counts, |count| count / per_second % 3_600 / 60),
            Self::Second => whole(counts, |count| count / per_second % 60),
            Self::Millisecond => whole(counts, |count| nanoseconds(count) / 1_000_000),
            Self::Microsecond => whole(counts, |count| nanoseconds(count) / 1_000),
            Self::Nanosecond => Ok(Arc::new(counts.unary::<_, Int64Type>(nanoseconds))),
            Self::Epoch => Ok(Arc::new(counts.unary::<_, Float64Type>(|count| count as f64 / per_second as f64))),
            Self::OfDates => exec_err!("a duration has weeks, days, hours, minutes and seconds, and no such part"),
        }
    }
}

/// A part that is a whole number of 32 bits, as the engine has it.
fn whole(counts: &Int64Array, part: impl Fn(i64) -> i64) -> Result<ArrayRef> {
    let found = counts.try_unary::<_, Int32Type, _>(|count| i32::try_from(part(count)));
    let Ok(found) = found else { return exec_err!("a duration of more days than can be counted") };
    Ok(Arc::new(found))
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{
        DurationMicrosecondArray, DurationMillisecondArray, DurationNanosecondArray, DurationSecondArray,
    };

    use super::*;

    fn found(part: &str, durations: &ArrayRef, unit: TimeUnit) -> Vec<Option<i32>> {
        let found = Part::named(part).expect("a part").of(durations, unit).expect("it fits");
        found.as_primitive::<Int32Type>().iter().collect()
    }

    #[test]
    fn a_duration_has_the_same_parts_in_every_unit() {
        let seconds = 5_538_645_i64;
        let counts = |per_second: i64| vec![Some(seconds * per_second), None, Some(-seconds * per_second)];
        let all: [(ArrayRef, TimeUnit); 4] = [
            (Arc::new(DurationSecondArray::from(counts(1))), TimeUnit::Second),
            (Arc::new(DurationMillisecondArray::from(counts(1_000))), TimeUnit::Millisecond),
            (Arc::new(DurationMicrosecondArray::from(counts(1_000_000))), TimeUnit::Microsecond),
            (Arc::new(DurationNanosecondArray::from(counts(1_000_000_000))), TimeUnit::Nanosecond),
        ];
        let parts = [
            ("years", 0),
            ("month", 0),
            ("WEEK", 9),
            ("day", 64),
            ("hour", 2),
            ("min", 30),
            ("second", 45),
            ("millisecond", 45_000),
            ("'microsecond'", 45_000_000),
        ];
        for (durations, unit) in &all {
            for (part, wanted) in parts {
                assert_eq!(found(part, durations, *unit), [Some(wanted), None, Some(-wanted)], "{part} of {unit:?}");
            }
            assert_eq!(found("quarter", durations, *unit), [Some(1), None, Some(1)]);
        }
    }

    #[test]
    fn the_longest_durations_have_parts_or_an_error() {
        let durations: ArrayRef = Arc::new(DurationSecondArray::from(vec![i64::MAX, i64::MIN]));
        assert_eq!(found("second", &durations, TimeUnit::Second), [Some(7), Some(-8)]);
        assert!(Part::Day.of(&durations, TimeUnit::Second).is_err());
        assert!(Part::named("century").is_none());
    }
}
