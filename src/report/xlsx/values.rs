//! Values of a result as the typed cells of a sheet.

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Field, Float64Type, TimeUnit, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDateTime, TimeZone};

use crate::error::{Error, Result};
use crate::output::cell;
use crate::output::present::Presentation;
use crate::output::total::DIGITS_MAX;

/// What a cell holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Nothing,
    Number(f64),
    /// A day or a moment as a spreadsheet counts it: days since the end of 1899.
    Serial(f64),
    Flag(bool),
    Text(String),
}

/// What the cells of a column hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Number,
    Day,
    /// A moment, in this zone.
    Moment(String),
    Flag,
    Text,
}

impl Kind {
    pub fn of(data_type: &DataType) -> Self {
        match data_type {
            data_type if cell::is_number(data_type) => Self::Number,
            DataType::Date32 | DataType::Date64 => Self::Day,
            DataType::Timestamp(_, zone) => Self::Moment(zone.as_deref().unwrap_or("UTC").to_owned()),
            DataType::Boolean => Self::Flag,
            _ => Self::Text,
        }
    }
}

/// Days between the day from which a spreadsheet counts and that from which we count.
const EPOCH: f64 = 25_569.0;

/// Days that spreadsheets know alike: from the first of March 1900, before which some count a day that never was, to the end of 9999.
const DAYS: std::ops::Range<f64> = 61.0..2_958_466.0;

/// The values of a column.
pub struct Values<'a> {
    values: &'a ArrayRef,
    typed: Typed,
    texts: cell::Column<'a>,
}

enum Typed {
    /// Numbers, and whether they are whole, so that every digit counts.
    Numbers {
        numbers: ArrayRef,
        are_whole: bool,
    },
    Days(ArrayRef),
    Moments(ArrayRef, Option<Tz>),
    Flags,
    Texts,
}

impl<'a> Values<'a> {
    /// The values of a column.
    ///
    /// # Errors
    /// `Internal` for a type that has no text.
    pub fn of(field: &Field, values: &'a ArrayRef, present: &'a Presentation) -> Result<Self> {
        let texts = cell::Column::new(field, values, present).map_err(internal)?.keeping_lines();
        let typed = match Kind::of(field.data_type()) {
            Kind::Number => Typed::Numbers {
                numbers: cast(values, &DataType::Float64).map_err(internal)?,
                are_whole: is_whole(field.data_type()),
            },
            Kind::Day => Typed::Days(cast(values, &DataType::Date32).map_err(internal)?),
            Kind::Moment(zone) => {
                let zone = zone.parse().ok().filter(|_| matches!(field.data_type(), DataType::Timestamp(_, Some(_))));
                let data_type = match field.data_type() {
                    DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
                    other => other.clone(),
                };
                Typed::Moments(cast(values, &data_type).map_err(internal)?, zone)
            }
            Kind::Flag => Typed::Flags,
            Kind::Text => Typed::Texts,
        };
        Ok(Self { values, typed, texts })
    }

    pub fn value(&self, row: usize) -> Value {
        if self.values.is_null(row) {
            return Value::Nothing;
        }
        let typed = match &self.typed {
            Typed::Numbers { numbers, are_whole } => {
                let number = numbers.as_primitive::<Float64Type>().value(row);
                let fits = number.is_finite() && !(*are_whole && number.abs() >= DIGITS_MAX as f64);
                fits.then_some(Value::Number(number))
            }
            Typed::Days(days) => {
                let day = f64::from(days.as_primitive::<Date32Type>().value(row)) + EPOCH;
                DAYS.contains(&day).then_some(Value::Serial(day))
            }
            Typed::Moments(moments, zone) => {
                let micros = moments.as_primitive::<TimestampMicrosecondType>().value(row);
                serial(micros, zone.as_ref()).filter(|moment| DAYS.contains(moment)).map(Value::Serial)
            }
            Typed::Flags => Some(Value::Flag(self.values.as_boolean().value(row))),
            Typed::Texts => None,
        };
        // What is neither a number nor a moment to a spreadsheet is shown as the page shows it.
        typed.unwrap_or_else(|| Value::Text(self.texts.text(row)))
    }

    pub fn text(&self, row: usize) -> String {
        self.texts.text(row)
    }
}

/// Whether all numbers of this type are whole.
fn is_whole(data_type: &DataType) -> bool {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale <= 0,
        data_type => data_type.is_integer(),
    }
}

/// A moment as a spreadsheet counts it, on the clocks of a zone.
fn serial(micros: i64, zone: Option<&Tz>) -> Option<f64> {
    let moment: NaiveDateTime = DateTime::from_timestamp_micros(micros)?.naive_utc();
    let local = zone.map_or(moment, |zone| zone.from_utc_datetime(&moment).naive_local());
    let day = local.date().signed_duration_since(DateTime::UNIX_EPOCH.date_naive()).num_days();
    let within = local.time().signed_duration_since(chrono::NaiveTime::MIN).num_milliseconds();
    Some(day as f64 + EPOCH + within as f64 / 86_400_000.0)
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::internal(error.to_string())
}

/// The numbers of a column, as a chart takes them.
pub fn numbers(values: &ArrayRef) -> Vec<Option<f64>> {
    let Ok(numbers) = cast(values, &DataType::Float64) else { return vec![None; values.len()] };
    numbers.as_primitive::<Float64Type>().iter().map(|number| number.filter(|number| number.is_finite())).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray, TimestampNanosecondArray,
    };

    use super::*;

    fn values(array: impl Array + 'static) -> Vec<Value> {
        let array: ArrayRef = Arc::new(array);
        let field = Field::new("value", array.data_type().clone(), true);
        let present = Presentation::default();
        let column = Values::of(&field, &array, &present).expect("values");
        (0..array.len()).map(|row| column.value(row)).collect()
    }

    #[test]
    fn values_keep_their_types() {
        assert_eq!(values(BooleanArray::from(vec![Some(true), None])), [Value::Flag(true), Value::Nothing]);
        assert_eq!(values(StringArray::from(vec!["=1+1"])), [Value::Text("=1+1".to_owned())]);
        let numbers = Float64Array::from(vec![1.5, f64::NAN]);
        assert_eq!(values(numbers), [Value::Number(1.5), Value::Text("NaN".to_owned())]);
        let whole = Int64Array::from(vec![7, 1_234_567_890_123_456_789]);
        assert_eq!(values(whole), [Value::Number(7.0), Value::Text("1234567890123456789".to_owned())]);
        let decimals = |scale: i8| {
            let decimals = Decimal128Array::from(vec![7, 12_345_678_901_234_567]);
            values(decimals.with_precision_and_scale(38, scale).expect("it fits"))
        };
        assert_eq!(decimals(0), [Value::Number(7.0), Value::Text("12345678901234567".to_owned())]);
        assert!(matches!(decimals(2)[..], [Value::Number(_), Value::Number(_)]));
    }

    #[test]
    fn days_and_moments_are_counted_as_spreadsheets_do() {
        let days = Date32Array::from(vec![20_454, -30_000]);
        assert_eq!(values(days), [Value::Serial(46_023.0), Value::Text("1887-11-12".to_owned())]);
        let noon = 1_767_268_800_000_000_000;
        let moments = TimestampNanosecondArray::from(vec![noon]);
        assert_eq!(values(moments.clone()), [Value::Serial(46_023.5)]);
        let there = moments.with_timezone("America/New_York");
        assert_eq!(values(there), [Value::Serial(46_023.0 + 7.0 / 24.0)]);
    }
}
