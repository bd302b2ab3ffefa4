//! `date_trunc` and `date_part` of moments in UTC, which need no calendar of a time zone, and the day of a moment.
//!
//! The engine asks the zone's calendar for every row, whichever zone it is; without one it only calculates. In UTC both come to
//! the same, so that here the zone is taken off before the call and put back after it. Weeks, months, quarters and years are not even
//! calculated for each row: most rows lie in a period that was met before. Other zones are left to the engine.

use std::num::TryFromIntError;
use std::sync::Arc;

use chrono::{Datelike, Days, Months, NaiveDate};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Date32Array, PrimitiveArray, make_array};
use datafusion::arrow::datatypes::{
    ArrowTimestampType, DataType, Field, FieldRef, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion::functions::datetime;
use datafusion::functions::utils::make_scalar_function;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

/// What a zone without offsets and clock changes is called.
const NAMES: [&str; 5] = ["UTC", "+00:00", "Z", "Etc/UTC", "+00"];

/// Whether a type is of moments in UTC, or of those without a zone.
pub fn is_utc(data_type: &DataType) -> bool {
    match data_type {
        DataType::Timestamp(_, zone) => zone.as_ref().is_none_or(|zone| NAMES.contains(&zone.as_ref())),
        _ => false,
    }
}

/// The engine's function, called without the zone where that is UTC.
#[derive(Debug, PartialEq, Eq, Hash)]
struct InUtc(Arc<ScalarUDF>);

/// The functions, in the place of the engine's.
pub fn all() -> [ScalarUDF; 2] {
    [datetime::date_trunc(), datetime::date_part()].map(|engine| InUtc(engine).into())
}

impl ScalarUDFImpl for InUtc {
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

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [ColumnarValue::Scalar(unit), ColumnarValue::Array(moments)] = args.args.as_slice() else {
            return self.0.invoke_with_args(args);
        };
        if self.name() == "date_trunc"
            && is_utc(moments.data_type())
            && let Some(period) = unit.try_as_str().flatten().and_then(Period::named)
            && let Some(found) = truncated(moments, period)?
        {
            return Ok(ColumnarValue::Array(found));
        }
        let zone = match moments.data_type() {
            DataType::Timestamp(_, Some(zone)) if is_utc(moments.data_type()) => Arc::clone(zone),
            _ => return self.0.invoke_with_args(args),
        };
        let wanted = args.return_field.data_type().clone();
        if let ColumnarValue::Array(moments) = &mut args.args[1] {
            *moments = with_zone(moments, None)?;
            args.arg_fields[1] = retyped(&args.arg_fields[1], moments.data_type());
        }
        if let DataType::Timestamp(unit, Some(_)) = &wanted {
            args.return_field = retyped(&args.return_field, &DataType::Timestamp(*unit, None));
        }
        match (self.0.invoke_with_args(args)?, wanted) {
            (ColumnarValue::Array(found), DataType::Timestamp(..)) => {
                Ok(ColumnarValue::Array(with_zone(&found, Some(zone))?))
            }
            (found, _) => Ok(found),
        }
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

/// The same moments, said to be in another zone; nothing is copied.
fn with_zone(moments: &ArrayRef, zone: Option<Arc<str>>) -> Result<ArrayRef> {
    let DataType::Timestamp(unit, _) = moments.data_type() else { return Ok(Arc::clone(moments)) };
    let data = moments.to_data().into_builder().data_type(DataType::Timestamp(*unit, zone));
    Ok(make_array(data.build()?))
}

fn retyped(field: &FieldRef, data_type: &DataType) -> FieldRef {
    Arc::new(Field::clone(field).with_data_type(data_type.clone()))
}

/// What is longer than a day and has no fixed length, or no start that a division finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Period {
    Week,
    Month,
    Quarter,
    Year,
}

impl Period {
    fn named(name: &str) -> Option<Self> {
        match name.to_lowercase().as_str() {
            "week" => Some(Self::Week),
            "month" => Some(Self::Month),
            "quarter" => Some(Self::Quarter),
            "year" => Some(Self::Year),
            _ => None,
        }
    }

    /// The first day of the period in which a day lies, and that of the next one, in days since 1970; `None` beyond the calendar.
    fn around(self, day: i64) -> Option<(i64, i64)> {
        let date = NaiveDate::from_epoch_days(i32::try_from(day).ok()?)?;
        let months = |count| {
            let first = NaiveDate::from_ymd_opt(date.year(), date.month0() / count * count + 1, 1)?;
            Some((first, first.checked_add_months(Months::new(count))?))
        };
        let (first, next) = match self {
            Self::Week => {
                let first = date.checked_sub_days(Days::new(date.weekday().num_days_from_monday().into()))?;
                (first, first.checked_add_days(Days::new(7))?)
            }
            Self::Month => months(1)?,
            Self::Quarter => months(3)?,
            Self::Year => months(12)?,
        };
        Some((first.to_epoch_days().into(), next.to_epoch_days().into()))
    }
}

/// Periods that were met, each at a place that its days share with few others.
const PLACES: u8 = 128;

/// The first moments of the periods in which moments lie; `None` where one lies beyond the calendar, or beyond what the unit reaches.
fn truncated(moments: &ArrayRef, period: Period) -> Result<Option<ArrayRef>> {
    match moments.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => Ok(of_unit::<TimestampSecondType>(moments, period)),
        DataType::Timestamp(TimeUnit::Millisecond, _) => Ok(of_unit::<TimestampMillisecondType>(moments, period)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => Ok(of_unit::<TimestampMicrosecondType>(moments, period)),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => Ok(of_unit::<TimestampNanosecondType>(moments, period)),
        other => exec_err!("{other} is not of moments"),
    }
}

fn of_unit<T: ArrowTimestampType>(moments: &ArrayRef, period: Period) -> Option<ArrayRef> {
    let day_length = day_length(T::UNIT);
    let moments = moments.as_primitive::<T>();
    let mut met = [(0_i64, 0_i64); PLACES as usize];
    let mut found = Vec::with_capacity(moments.len());
    for (row, moment) in moments.values().iter().enumerate() {
        let day = moment.div_euclid(day_length);
        let place = &mut met[usize::try_from(day.rem_euclid(7 * i64::from(PLACES)) / 7).unwrap_or_default()];
        if day < place.0 || day >= place.1 {
            *place = match period.around(day) {
                Some(around) => around,
                // What stands below a null is no moment.
                None if moments.is_null(row) => (0, 0),
                None => return None,
            };
        }
        match place.0.checked_mul(day_length) {
            Some(first) => found.push(first),
            None if moments.is_null(row) => found.push(0),
            None => return None,
        }
    }
    let found = PrimitiveArray::<T>::new(found.into(), moments.nulls().cloned());
    Some(Arc::new(found.with_data_type(moments.data_type().clone())))
}

fn day_length(unit: TimeUnit) -> i64 {
    let seconds = 86_400;
    match unit {
        TimeUnit::Second => seconds,
        TimeUnit::Millisecond => seconds * 1_000,
        TimeUnit::Microsecond => seconds * 1_000_000,
        TimeUnit::Nanosecond => seconds * 1_000_000_000,
    }
}

/// The day of a moment in UTC: what `cast(moment as date)` is there. Statements cannot call it; `engine/optimizer/in_utc.rs` puts it
/// in the place of the cast.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct DayInUtc {
    signature: Signature,
}

impl Default for DayInUtc {
    fn default() -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for DayInUtc {
    fn name(&self) -> &'static str {
        "day_in_utc"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Date32)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let found = |moments: &[ArrayRef]| -> Result<ArrayRef> {
            let [moments] = take_function_args(self.name(), moments)?;
            Ok(Arc::new(match moments.data_type() {
                DataType::Timestamp(TimeUnit::Second, _) => days::<TimestampSecondType>(moments)?,
                DataType::Timestamp(TimeUnit::Millisecond, _) => days::<TimestampMillisecondType>(moments)?,
                DataType::Timestamp(TimeUnit::Microsecond, _) => days::<TimestampMicrosecondType>(moments)?,
                DataType::Timestamp(TimeUnit::Nanosecond, _) => days::<TimestampNanosecondType>(moments)?,
                other => return exec_err!("{other} is not of moments"),
            }))
        };
        make_scalar_function(found, vec![])(&args.args)
    }

    /// The moments of a day: files are left out by what they say of moments. Dates in their place would also be cast back to moments
    /// where the engine estimates how many rows a filter leaves, which it refuses when there are more of those than before.
    fn preimage(&self, args: &[Expr], literal: &Expr, context: &SimplifyContext) -> Result<PreimageResult> {
        let ([moment @ Expr::Column(_)], Expr::Literal(ScalarValue::Date32(Some(day)), _)) = (args, literal) else {
            return Ok(PreimageResult::None);
        };
        let moments = context.get_data_type(moment)?;
        let day = i64::from(*day);
        let (Some(first), Some(next)) = (start(day, &moments), start(day + 1, &moments)) else {
            return Ok(PreimageResult::None);
        };
        Ok(PreimageResult::Range { expr: moment.clone(), interval: Box::new(Interval::try_new(first, next)?) })
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        Ok(inputs.first().map_or(SortProperties::Unordered, |moment| moment.sort_properties))
    }
}

/// The first moment of a day, so many of which passed since 1970; `None` beyond what the unit reaches.
fn start(day: i64, moments: &DataType) -> Option<ScalarValue> {
    let DataType::Timestamp(unit, zone) = moments else { return None };
    let moment = Some(day.checked_mul(day_length(*unit))?);
    let zone = zone.clone();
    Some(match unit {
        TimeUnit::Second => ScalarValue::TimestampSecond(moment, zone),
        TimeUnit::Millisecond => ScalarValue::TimestampMillisecond(moment, zone),
        TimeUnit::Microsecond => ScalarValue::TimestampMicrosecond(moment, zone),
        TimeUnit::Nanosecond => ScalarValue::TimestampNanosecond(moment, zone),
    })
}

fn days<T: ArrowTimestampType>(moments: &ArrayRef) -> Result<Date32Array> {
    let day_length = day_length(T::UNIT);
    let day = |moment: i64| i32::try_from(moment.div_euclid(day_length));
    let moments = moments.as_primitive::<T>();
    moments.try_unary(day).map_err(|_: TryFromIntError| exec_datafusion_err!("a moment beyond the calendar"))
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{TimestampMicrosecondArray, TimestampNanosecondArray};
    use datafusion::arrow::buffer::NullBuffer;
    use datafusion::arrow::compute::cast;
    use datafusion::arrow::datatypes::Schema;
    use datafusion::common::DFSchema;
    use datafusion::common::config::ConfigOptions;
    use datafusion::logical_expr::{col, lit};

    use super::*;

    fn call(function: &ScalarUDF, unit: &str, moments: &ArrayRef) -> ArrayRef {
        called(function, unit, moments).expect("it runs")
    }

    fn called(function: &ScalarUDF, unit: &str, moments: &ArrayRef) -> Result<ArrayRef> {
        let unit = ScalarValue::from(unit);
        let fields = [
            Arc::new(Field::new("unit", DataType::Utf8, false)),
            Arc::new(Field::new("moment", moments.data_type().clone(), true)),
        ];
        let values = [Some(&unit), None];
        let return_field = function
            .return_field_from_args(ReturnFieldArgs { arg_fields: &fields, scalar_arguments: &values })
            .expect("the call is right");
        let args = ScalarFunctionArgs {
            args: vec![ColumnarValue::Scalar(unit.clone()), ColumnarValue::Array(Arc::clone(moments))],
            arg_fields: fields.to_vec(),
            number_rows: moments.len(),
            return_field: Arc::clone(&return_field),
            config_options: Arc::new(ConfigOptions::default()),
        };
        let found = function.invoke_with_args(args).and_then(|found| found.into_array(moments.len()))?;
        assert_eq!(found.data_type(), return_field.data_type(), "{}({unit:?})", function.name());
        Ok(found)
    }

    #[test]
    fn answers_are_those_of_the_engine_in_every_zone() {
        let moments: Vec<Option<i64>> = (0..20_000_i64)
            .map(|row| (row % 17 != 0).then(|| (row - 10_000) * 251_987_654_321 + row * row * 7919))
            .collect();
        for zone in [Some("UTC"), Some("+00:00"), None, Some("America/New_York")] {
            let moments: ArrayRef =
                Arc::new(TimestampMicrosecondArray::from(moments.clone()).with_timezone_opt(zone).slice(3, 19_990));
            for (ours, engine) in all().iter().zip([datetime::date_trunc(), datetime::date_part()]) {
                for unit in ["year", "quarter", "month", "week", "day", "hour", "minute", "second"] {
                    assert_eq!(&call(ours, unit, &moments), &call(&engine, unit, &moments), "{unit} in {zone:?}");
                }
            }
        }
    }

    #[test]
    fn a_period_that_begins_before_the_first_nanosecond_is_refused_by_the_engine() {
        let [ours, _] = all();
        for zone in [Some("UTC"), None] {
            // A row that is null is no moment, whatever stands below it.
            let moments = |is_valid: bool| -> ArrayRef {
                let nulls = NullBuffer::from(vec![is_valid, true]);
                let moments = TimestampNanosecondArray::new(vec![i64::MIN, 0].into(), Some(nulls));
                Arc::new(moments.with_timezone_opt(zone))
            };
            for unit in ["year", "quarter", "month", "week"] {
                let said = called(&ours, unit, &moments(true)).expect_err("it is out of range").to_string();
                assert!(said.contains("out of range"), "{unit}: {said}");
                let engine = call(&datetime::date_trunc(), unit, &moments(false));
                assert_eq!(&call(&ours, unit, &moments(false)), &engine, "{unit}");
            }
        }
    }

    #[test]
    fn the_day_of_a_moment_is_what_a_cast_says() {
        let moments = (0..20_000_i64).map(|row| (row % 17 != 0).then(|| (row - 10_000) * 251_987_654_321));
        let moments: ArrayRef = Arc::new(moments.collect::<TimestampMicrosecondArray>().with_timezone("UTC"));
        let days = days::<TimestampMicrosecondType>(&moments).expect("all are in the calendar");
        assert_eq!(&(Arc::new(days) as ArrayRef), &cast(&moments, &DataType::Date32).expect("a cast"));
    }

    #[test]
    fn a_day_is_the_moments_from_its_start_to_that_of_the_next_one() {
        let column = Field::new("t", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true);
        let schema = DFSchema::try_from(Schema::new(vec![column])).expect("one name");
        let context = SimplifyContext::builder().with_schema(Arc::new(schema)).build();
        let day = lit(ScalarValue::Date32(Some(-1)));
        let preimage = |moment: Expr| DayInUtc::default().preimage(&[moment], &day, &context).expect("types are known");
        let PreimageResult::Range { expr, interval } = preimage(col("t")) else { panic!("a column has a range") };
        let moment = |moment| ScalarValue::TimestampMicrosecond(Some(moment), Some("UTC".into()));
        assert_eq!(expr, col("t"));
        assert_eq!((interval.lower(), interval.upper()), (&moment(-86_400_000_000), &moment(0)));
        // It would stand there twice.
        assert!(matches!(preimage(col("t") + col("t")), PreimageResult::None));
        assert_eq!(start(200_000, &DataType::Timestamp(TimeUnit::Nanosecond, None)), None);
    }
}
