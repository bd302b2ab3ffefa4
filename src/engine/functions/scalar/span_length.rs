//! How long a span of time is, in nanoseconds.
//!
//! The engine compares intervals field by field: any number of months is more than any number of days. Compared by their length, a month
//! is thirty days and a day 24 hours, as in DuckDB and Postgres. Statements cannot call the function; `engine/optimizer/spans.rs`
//! puts it around what is compared.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Decimal128Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, DurationNanosecondType, Int64Type, IntervalMonthDayNano,
    IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, exec_err};
use datafusion::functions::utils::make_scalar_function;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

const DAY: i128 = 86_400_000_000_000;

/// The length of an interval in nanoseconds.
pub fn nanoseconds(interval: IntervalMonthDayNano) -> i128 {
    let days = i128::from(interval.months) * 30 + i128::from(interval.days);
    days * DAY + i128::from(interval.nanoseconds)
}

/// Nanoseconds in a unit.
pub fn unit_length(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

/// The function: intervals and durations as decimals, which no length overflows.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SpanLength {
    signature: Signature,
}

impl Default for SpanLength {
    fn default() -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for SpanLength {
    fn name(&self) -> &'static str {
        "span_length"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let found = |spans: &[ArrayRef]| -> Result<ArrayRef> {
            let [spans] = take_function_args(self.name(), spans)?;
            Ok(Arc::new(lengths(spans)?))
        };
        make_scalar_function(found, vec![])(&args.args)
    }
}

fn lengths(spans: &ArrayRef) -> Result<Decimal128Array> {
    let found = match spans.data_type() {
        DataType::Duration(TimeUnit::Nanosecond) => {
            spans.as_primitive::<DurationNanosecondType>().unary::<_, Decimal128Type>(i128::from)
        }
        DataType::Duration(unit) => {
            let unit = unit_length(*unit);
            let counts = cast(spans, &DataType::Int64)?;
            counts.as_primitive::<Int64Type>().unary::<_, Decimal128Type>(|count| i128::from(count) * unit)
        }
        DataType::Interval(_) => {
            let intervals = cast(spans, &DataType::Interval(IntervalUnit::MonthDayNano))?;
            intervals.as_primitive::<IntervalMonthDayNanoType>().unary::<_, Decimal128Type>(nanoseconds)
        }
        other => return exec_err!("{other} is no span of time"),
    };
    Ok(found.with_precision_and_scale(DECIMAL128_MAX_PRECISION, 0)?)
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{
        DurationMicrosecondArray, DurationNanosecondArray, DurationSecondArray, IntervalDayTimeArray,
        IntervalMonthDayNanoArray, IntervalYearMonthArray,
    };
    use datafusion::arrow::datatypes::IntervalDayTime;

    use super::*;

    #[test]
    fn a_month_is_thirty_days_and_a_day_is_24_hours_in_every_type() {
        let hour = 3_600_000_000_000_i64;
        let spans: [ArrayRef; 6] = [
            Arc::new(IntervalMonthDayNanoArray::from(vec![
                Some(IntervalMonthDayNano::new(1, 0, 0)),
                Some(IntervalMonthDayNano::new(0, 29, 24 * hour)),
                None,
            ])),
            Arc::new(IntervalYearMonthArray::from(vec![Some(1), Some(1), None])),
            Arc::new(IntervalDayTimeArray::from(vec![
                Some(IntervalDayTime::new(30, 0)),
                Some(IntervalDayTime::new(29, 86_400_000)),
                None,
            ])),
            Arc::new(DurationSecondArray::from(vec![Some(30 * 86_400), Some(30 * 86_400), None])),
            Arc::new(DurationMicrosecondArray::from(vec![Some(720 * hour / 1_000), Some(720 * hour / 1_000), None])),
            Arc::new(DurationNanosecondArray::from(vec![Some(720 * hour), Some(720 * hour), None])),
        ];
        for spans in spans {
            let found: Vec<Option<i128>> = lengths(&spans).expect("they are spans").iter().collect();
            assert_eq!(found, [Some(30 * DAY), Some(30 * DAY), None], "{}", spans.data_type());
        }
    }
}
