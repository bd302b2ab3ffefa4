//! One value as a person reads it.

use arrow::array::{Array, AsArray, Decimal128Array, Float64Array, Int64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Field, Float64Type, Int64Type};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, DurationFormat, FormatOptions, array_value_to_string};

use super::present::{NumberFormat, Presentation, grouped_number};

/// Turns the values of one column into text.
pub struct Column<'a> {
    values: &'a dyn Array,
    formatter: ArrayFormatter<'a>,
    numbers: Option<(&'a NumberFormat, Numbers)>,
    groups_digits: bool,
    keeps_lines: bool,
    null: &'static str,
}

/// The values of a column that has a number format.
enum Numbers {
    Floats(Float64Array),
    /// Unscaled numbers, and digits behind the point.
    Decimals(Decimal128Array, u32),
    /// Whole numbers; null where one is too large.
    Whole(Int64Array),
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
        let number = present.number(field.name());
        let numbers = match number {
            Some(number) => Numbers::of(values)?.map(|numbers| (number, numbers)),
            None => None,
        };
        Ok(Self {
            values,
            formatter: ArrayFormatter::try_new(values, &OPTIONS)?,
            numbers,
            groups_digits: number.is_none() && present.groups_digits() && is_number(field.data_type()),
            keeps_lines: false,
            null: present.null(),
        })
    }

    /// The same for a document, which can show lines and tabs of a text as they are.
    #[must_use]
    pub fn keeping_lines(self) -> Self {
        Self { keeps_lines: true, ..self }
    }

    /// The value of a row; control characters are shown as escapes, so that a comment cannot drive the terminal.
    pub fn text(&self, row: usize) -> String {
        let mut text = String::new();
        self.write(row, &mut text);
        text
    }

    /// Writes what [`Self::text`] returns behind a text.
    pub fn write(&self, row: usize, into: &mut String) {
        if self.values.is_null(row) {
            return into.push_str(self.null);
        }
        if let Some((number, numbers)) = &self.numbers
            && numbers.write(row, number, into)
        {
            return;
        }
        let start = into.len();
        if let Err(error) = self.formatter.value(row).write(into) {
            into.truncate(start);
            into.push_str(&format!("ERROR: {error}"));
        }
        let text = &into[start..];
        let changed = if self.groups_digits {
            grouped_number(text)
        } else if !text.contains(drives) {
            return;
        } else if self.keeps_lines {
            shown(&text.replace("\r\n", "\n"), |letter| drives(letter) && !matches!(letter, '\n' | '\t'))
        } else {
            safe(text)
        };
        into.truncate(start);
        into.push_str(&changed);
    }
}

impl Numbers {
    /// `None` for values that number formats don't know.
    fn of(values: &dyn Array) -> Result<Option<Self>, ArrowError> {
        Ok(Some(match values.data_type() {
            DataType::Float64 | DataType::Float32 => {
                Self::Floats(cast(values, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
            }
            DataType::Decimal128(_, scale) => match u32::try_from(*scale) {
                Ok(scale) => Self::Decimals(values.as_primitive::<Decimal128Type>().clone(), scale),
                Err(_) => return Ok(None),
            },
            data_type if data_type.is_integer() => {
                Self::Whole(cast(values, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
            }
            _ => return Ok(None),
        }))
    }

    /// Writes the number of a row behind a text; whether it could.
    fn write(&self, row: usize, number: &NumberFormat, into: &mut String) -> bool {
        match self {
            Self::Floats(values) => number.write_float(values.value(row), into),
            Self::Decimals(values, scale) => number.write_exact(values.value(row), *scale, into),
            Self::Whole(values) if values.is_null(row) => return false,
            Self::Whole(values) => number.write_exact(i128::from(values.value(row)), 0, into),
        }
        true
    }
}

/// The columns of a batch, ready to be turned into text.
pub fn columns<'a>(batch: &'a RecordBatch, present: &'a Presentation) -> Result<Vec<Column<'a>>, ArrowError> {
    let schema = batch.schema_ref();
    schema.fields().iter().zip(batch.columns()).map(|(field, values)| Column::new(field, values, present)).collect()
}

/// A number that was reckoned, as a column of this type without a number format would show it.
pub fn number(value: f64, data_type: &DataType) -> String {
    if data_type.is_integer() && value.fract() == 0.0 {
        return format!("{value:.0}");
    }
    if let DataType::Decimal32(_, scale)
    | DataType::Decimal64(_, scale)
    | DataType::Decimal128(_, scale)
    | DataType::Decimal256(_, scale) = data_type
        && let Ok(scale) = u8::try_from(*scale)
    {
        return NumberFormat::digits(scale).float(value);
    }
    let shown = if data_type.is_floating() { data_type } else { &DataType::Float64 };
    // The digits behind the fifteenth are those of rounding.
    let value = format!("{value:.14e}").parse().unwrap_or(value);
    let text = cast(&Float64Array::from(vec![value]), shown).and_then(|values| array_value_to_string(&values, 0));
    text.unwrap_or_else(|_| value.to_string())
}

/// Whether values of this type are read from the right.
pub fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

/// Whether a character would drive the terminal, or turn the direction of the text.
fn drives(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text with control characters, and those that turn its direction, shown as escapes.
pub fn safe(text: &str) -> String {
    if !text.contains(drives) {
        return text.to_owned();
    }
    shown(text, drives)
}

/// The text with these characters shown as escapes.
fn shown(text: &str, escapes: impl Fn(char) -> bool) -> String {
    text.chars()
        .map(|letter| if escapes(letter) { letter.escape_default().to_string() } else { letter.to_string() })
        .collect()
}

#[cfg(test)]
mod tests {
    use arrow::array::StringArray;

    use super::*;

    #[test]
    fn a_document_shows_lines_and_tabs_as_they_are_and_nothing_else_that_drives() {
        let values = StringArray::from(vec!["one\r\ntwo\tthree\u{1b}[31m\u{202e}"]);
        let (field, present) = (Field::new("text", DataType::Utf8, true), Presentation::default());
        let column = || Column::new(&field, &values, &present).expect("texts");
        assert_eq!(column().text(0), "one\\r\\ntwo\\tthree\\u{1b}[31m\\u{202e}");
        assert_eq!(column().keeping_lines().text(0), "one\ntwo\tthree\\u{1b}[31m\\u{202e}");
    }
}
