//! One value as a person reads it.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Decimal128Type, Field, Float32Type, Float64Type, Int64Type};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, DurationFormat, FormatOptions};

use super::present::{NumberFormat, Presentation, grouped_number};

/// Turns the values of one column into text.
pub struct Column<'a> {
    values: &'a dyn Array,
    formatter: ArrayFormatter<'a>,
    number: Option<&'a NumberFormat>,
    groups_digits: bool,
    null: &'static str,
}

/// How values are written where nothing else is asked for.
static OPTIONS: FormatOptions<'static> = FormatOptions::new()
    .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
    .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f %Z"))
    .with_duration_format(DurationFormat::Pretty)
    .with_null("NULL");

impl<'a> Column<'a> {
    /// The column of a batch, shown as the presentation asks.
    pub fn new(field: &Field, values: &'a dyn Array, present: &'a Presentation) -> Result<Self, ArrowError> {
        Ok(Self {
            values,
            formatter: ArrayFormatter::try_new(values, &OPTIONS)?,
            number: present.number(field.name()),
            groups_digits: present.groups_digits() && is_number(field.data_type()),
            null: present.null(),
        })
    }

    /// The value of a row; control characters are shown as escapes, so that a comment cannot drive the terminal.
    pub fn text(&self, row: usize) -> String {
        if self.values.is_null(row) {
            return self.null.to_owned();
        }
        let text = match self.number {
            Some(number) => {
                formatted(self.values, row, number).unwrap_or_else(|| self.formatter.value(row).to_string())
            }
            None if self.groups_digits => grouped_number(&self.formatter.value(row).to_string()),
            None => self.formatter.value(row).to_string(),
        };
        safe(&text)
    }
}

/// The columns of a batch, ready to be turned into text.
pub fn columns<'a>(batch: &'a RecordBatch, present: &'a Presentation) -> Result<Vec<Column<'a>>, ArrowError> {
    let schema = batch.schema_ref();
    schema.fields().iter().zip(batch.columns()).map(|(field, values)| Column::new(field, values, present)).collect()
}

/// Whether values of this type are read from the right.
pub fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

fn formatted(values: &dyn Array, row: usize, number: &NumberFormat) -> Option<String> {
    Some(match values.data_type() {
        DataType::Float64 => number.float(values.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 => number.float(f64::from(values.as_primitive::<Float32Type>().value(row))),
        DataType::Decimal128(_, scale) => {
            let unscaled = values.as_primitive::<Decimal128Type>().value(row);
            number.exact(unscaled, u32::try_from(*scale).ok()?)
        }
        data_type if data_type.is_integer() => {
            let wide = arrow::compute::cast(&values.slice(row, 1), &DataType::Int64).ok()?;
            let wide = wide.as_primitive::<Int64Type>();
            (!wide.is_null(0)).then(|| number.exact(i128::from(wide.value(0)), 0))?
        }
        _ => return None,
    })
}

/// The text with control characters, and those that turn its direction, shown as escapes.
pub fn safe(text: &str) -> String {
    let drives =
        |letter: char| letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(drives) {
        return text.to_owned();
    }
    text.chars()
        .map(|letter| if drives(letter) { letter.escape_default().to_string() } else { letter.to_string() })
        .collect()
}
