//! One column of a result as a chart needs it: labels, numbers, how they are written, and why one is missing.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};

use super::scale::{month, plain};
use crate::error::{Error, Result};
use crate::output::cell;
use crate::output::present::{Good, NumberFormat, Presentation, grouped, grouped_number};

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    Labels,
    Numbers,
    /// Days and moments; their numbers are days since 1970.
    Times,
}

/// A column of what is drawn, a value for each row.
#[derive(Clone, Debug)]
pub struct Column {
    pub place: usize,
    pub title: String,
    pub values: Values,
    /// The values as tables show them; of firsts of months their names.
    pub labels: Vec<String>,
    /// None where the value is missing or no number.
    pub numbers: Vec<Option<f64>>,
    pub form: Form,
    pub good: Option<Good>,
    /// Edges between good, middling and bad, ascending.
    pub bands: Vec<f64>,
    /// The place of the column that says why values are missing, and what it says for each row.
    reasons: Option<(usize, Vec<String>)>,
}

/// What is said of a missing value where no column says why.
pub const NO_VALUE: &str = "no value";

/// Numbers from here on are drawn no more than what is no number: their distances are infinite.
const FAR: f64 = 1e300;

/// Milliseconds of a day.
const DAY: f64 = 86_400_000.0;

impl Column {
    /// The column at this place of the rows.
    ///
    /// # Errors
    /// `Internal` when its values cannot be turned into text.
    pub fn of(rows: &RecordBatch, place: usize, present: &Presentation) -> Result<Self> {
        let schema = rows.schema();
        let field = schema.field(place);
        let style = present.style(field.name());
        let values = rows.column(place);
        let reasons = style.and_then(|style| {
            let place = schema.index_of(style.missing.as_deref()?).ok()?;
            Some((place, strings(rows.column(place))?))
        });
        let (values, numbers) = numbers(values);
        let labels = match months(values, &numbers) {
            Some(months) => months,
            None => texts(rows, place, present)?,
        };
        Ok(Self {
            place,
            title: cell::safe(present.title(field.name())),
            values,
            labels,
            numbers,
            form: Form {
                number: present.number(field.name()).cloned(),
                data_type: field.data_type().clone(),
                groups: present.groups_digits(),
            },
            good: style.and_then(|style| style.good),
            bands: style.map(|style| style.bands.clone()).unwrap_or_default(),
            reasons,
        })
    }

    pub fn number(&self, row: usize) -> Option<f64> {
        self.numbers.get(row).copied().flatten()
    }

    pub fn label(&self, row: usize) -> &str {
        self.labels.get(row).map_or("", String::as_str)
    }

    /// Why the row has no value.
    pub fn reason(&self, row: usize) -> &str {
        let reason = self.reasons.as_ref().and_then(|(_, reasons)| reasons.get(row));
        reason.map(String::as_str).filter(|reason| !reason.is_empty()).unwrap_or(NO_VALUE)
    }

    /// The place of the column that says why values are missing.
    pub fn reasons(&self) -> Option<usize> {
        self.reasons.as_ref().map(|(place, _)| *place)
    }

    /// The numbers that are there.
    pub fn present(&self) -> impl Iterator<Item = f64> + '_ {
        self.numbers.iter().flatten().copied()
    }

    /// The different labels in the order in which they come first, times from early to late, and for each row the place of its
    /// label among them.
    pub fn distinct(&self) -> (Vec<&str>, Vec<usize>) {
        let mut rows: Vec<usize> = (0..self.labels.len()).collect();
        if self.values == Values::Times {
            rows.sort_by(|&one, &other| {
                let time = |row| self.number(row).unwrap_or(f64::INFINITY);
                time(one).total_cmp(&time(other))
            });
        }
        let mut labels: Vec<&str> = Vec::new();
        let mut known = HashMap::new();
        for row in rows {
            known.entry(self.label(row)).or_insert_with(|| {
                labels.push(self.label(row));
                labels.len() - 1
            });
        }
        let places = self.labels.iter().filter_map(|label| known.get(label.as_str()).copied()).collect();
        (labels, places)
    }
}

/// How the numbers of a column are written in a chart.
#[derive(Clone, Debug)]
pub struct Form {
    number: Option<NumberFormat>,
    data_type: DataType,
    groups: bool,
}

/// Steps in which long numbers are shortened.
const SHORT: [(f64, &str); 3] = [(1e9, "B"), (1e6, "M"), (1e3, "k")];

/// Numbers from here on are shortened; below, every digit that the format asks for can be read.
const LONG_FROM: f64 = 10_000.0;

impl Form {
    /// The number as tables show it.
    pub fn exact(&self, value: f64) -> String {
        match &self.number {
            Some(number) => number.float(value),
            None => self.grouped(cell::number(value, &self.data_type)),
        }
    }

    /// The edge of a band, which may have more digits than the column's values.
    pub fn edge(&self, value: f64) -> String {
        match &self.number {
            Some(number) => number.float(value),
            None => self.grouped(plain(value)),
        }
    }

    /// The number without digits behind the point from 1,000 on, and in three digits where it is long: 16.4M. A share stays as it is,
    /// and so does a whole number that has no format; others without one have six digits at most.
    pub fn short(&self, value: f64) -> String {
        let number = match &self.number {
            Some(number) if !number.is_percent() => number,
            None if !self.data_type.is_integer() || value.fract() != 0.0 => return self.grouped(plain(value)),
            _ => return self.exact(value),
        };
        let size = value.abs();
        if size < 999.5 {
            return number.float(value);
        }
        if size < LONG_FROM {
            return signed(grouped(&format!("{:.0}", size.round())), value, number.is_signed());
        }
        let (unit, name) = SHORT.into_iter().find(|(unit, _)| size >= *unit * 0.9995).unwrap_or((1.0, ""));
        let share = size / unit;
        let digits = match share {
            share if share >= 99.95 => 0,
            share if share >= 9.995 => 1,
            _ => 2,
        };
        signed(format!("{share:.digits$}{name}"), value, number.is_signed())
    }

    /// The difference of two numbers, as [`Self::short`] has it; of shares in points, since a per cent of a share is another number.
    pub fn change(&self, value: f64) -> String {
        let change = self.short(value);
        let Some(points) = change.strip_suffix('%').filter(|_| self.is_percent()) else { return change };
        let is_one = points.trim_start_matches(['+', '-']) == "1";
        format!("{points} {}", if is_one { "point" } else { "points" })
    }

    /// How the ticks of an axis are written, whose step is this and whose largest number that.
    pub fn tick(&self, value: f64, step: f64, largest: f64) -> String {
        let is_percent = self.number.as_ref().is_some_and(NumberFormat::is_percent);
        let is_signed = self.number.as_ref().is_some_and(NumberFormat::is_signed);
        let (unit, name) = match is_percent {
            true => (0.01, "%"),
            false if largest >= LONG_FROM => SHORT.into_iter().find(|(unit, _)| largest >= *unit).unwrap_or((1.0, "")),
            false => (1.0, ""),
        };
        if value == 0.0 {
            return if is_percent { "0%".to_owned() } else { "0".to_owned() };
        }
        let decimals = decimals(step / unit);
        let digits = format!("{:.decimals$}", value.abs() / unit);
        let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
        let whole = if self.number.is_some() || self.groups { grouped(whole) } else { whole.to_owned() };
        signed(format!("{whole}{rest}{name}"), value, is_signed)
    }

    fn grouped(&self, text: String) -> String {
        if self.groups { grouped_number(&text) } else { text }
    }

    /// Whether numbers are written with a sign, which says that zero is the middle.
    pub fn is_signed(&self) -> bool {
        self.number.as_ref().is_some_and(NumberFormat::is_signed)
    }

    pub fn is_percent(&self) -> bool {
        self.number.as_ref().is_some_and(NumberFormat::is_percent)
    }
}

/// A number's digits with its sign.
fn signed(digits: String, value: f64, has_plus: bool) -> String {
    match value {
        value if value < 0.0 => format!("-{digits}"),
        value if value > 0.0 && has_plus => format!("+{digits}"),
        _ => digits,
    }
}

/// Digits behind the point that tell numbers apart which are so far from each other: none for 5, one for 2.5, two for 0.25.
fn decimals(step: f64) -> usize {
    (0..6)
        .find(|&digits| {
            let scaled = step * 10_f64.powi(digits);
            (scaled - scaled.round()).abs() < 1e-6 * scaled
        })
        .map_or(6, |digits| usize::try_from(digits).unwrap_or_default())
}

/// The values of a column as tables show them, each on one line.
fn texts(rows: &RecordBatch, place: usize, present: &Presentation) -> Result<Vec<String>> {
    let schema = rows.schema();
    let field = schema.field(place);
    let texts = cell::Column::new(field, rows.column(place), present)
        .map_err(|error| Error::internal(format!("column `{}` cannot be drawn: {error}", field.name())))?
        .keeping_lines();
    Ok((0..rows.num_rows()).map(|row| on_one_line(&texts.text(row))).collect())
}

/// A text as a label: line breaks and tabs are one space, other control characters are shown as escapes.
pub fn on_one_line(text: &str) -> String {
    let parts = text.split(|letter: char| letter.is_control() && letter.is_whitespace());
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    cell::safe(&parts.join(" "))
}

/// What the values are, and the numbers among them that can be drawn.
fn numbers(values: &dyn Array) -> (Values, Vec<Option<f64>>) {
    let none = || vec![None; values.len()];
    let kind = values.data_type();
    if kind.is_numeric() {
        let Ok(numbers) = cast(values, &DataType::Float64) else { return (Values::Labels, none()) };
        let numbers = numbers.as_primitive::<Float64Type>();
        return (Values::Numbers, numbers.iter().map(|number| number.filter(|number| number.abs() < FAR)).collect());
    }
    if !matches!(kind, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)) {
        return (Values::Labels, none());
    }
    let moments = cast(values, &DataType::Timestamp(TimeUnit::Millisecond, None))
        .and_then(|moments| cast(&moments, &DataType::Int64));
    let Ok(moments) = moments else { return (Values::Labels, none()) };
    let days = moments.as_primitive::<Int64Type>().iter().map(|moment| moment.map(|moment| moment as f64 / DAY));
    (Values::Times, days.collect())
}

/// The names of months, where all times are firsts of them.
fn months(values: Values, numbers: &[Option<f64>]) -> Option<Vec<String>> {
    let months = numbers.iter().map(|number| month(number.filter(|_| values == Values::Times)?));
    months.collect()
}

/// The texts of a column, empty where there is none.
fn strings(values: &dyn Array) -> Option<Vec<String>> {
    let texts = cast(values, &DataType::Utf8).ok()?;
    let texts = texts.as_string_opt::<i32>()?;
    Some(texts.iter().map(|text| on_one_line(text.unwrap_or_default())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(pattern: &str) -> Form {
        Form { number: Some(NumberFormat::parse(pattern).expect("a known pattern")), ..unformatted(DataType::Float64) }
    }

    fn unformatted(data_type: DataType) -> Form {
        Form { number: None, data_type, groups: false }
    }

    #[test]
    fn a_number_without_a_format_is_told_as_tables_show_it() {
        for (data_type, value, text) in [
            (DataType::Float64, 40.0, "40.0"),
            (DataType::Float64, 1_234_567_890.12, "1234567890.12"),
            (DataType::Float32, f64::from(0.1_f32), "0.1"),
            (DataType::Decimal128(18, 2), 1_236_913_568.4, "1236913568.40"),
            (DataType::Int64, 1_234_567_890.0, "1234567890"),
            (DataType::Int64, 2.5, "2.5"),
        ] {
            assert_eq!(unformatted(data_type).exact(value), text);
        }
        let grouping = Form { groups: true, ..unformatted(DataType::Float64) };
        assert_eq!(grouping.exact(1_234_567.5), "1,234,567.5");
    }

    #[test]
    fn a_label_has_one_line() {
        let labels = ["one\r\ntwo\n", "a\tb", "  as it is", "\u{1b}[31m"].map(on_one_line);
        assert_eq!(labels, ["one two", "a b", "  as it is", "\\u{1b}[31m"]);
    }

    #[test]
    fn long_numbers_are_shortened_to_three_digits() {
        for (pattern, value, text) in [
            ("currency", 16_356_316.81, "16.4M"),
            ("currency", -2_649.98, "-2,650"),
            ("currency", 94.117, "94.12"),
            ("currency", 999.96, "1,000"),
            ("+#,##0", 457_499.2, "+457k"),
            ("#,##0", 9_999.0, "9,999"),
            ("#,##0", 1_234.5, "1,235"),
            ("+#,##0.00", -3_816.59, "-3,817"),
            ("#,##0", 999_600.0, "1.00M"),
            ("0.0%", 0.275, "27.5%"),
            ("+0.0", 66.66, "+66.7"),
        ] {
            assert_eq!(form(pattern).short(value), text);
        }
        assert_eq!(unformatted(DataType::Int64).short(123_456.0), "123456");
        assert_eq!(unformatted(DataType::Float64).short(1.0 / 3.0), "0.33333");
    }

    #[test]
    fn shares_differ_by_points() {
        assert_eq!([0.05, -0.01].map(|change| form("0%").change(change)), ["5 points", "-1 point"]);
        assert_eq!(form("+0.0%").change(0.05), "+5.0 points");
        assert_eq!(form("+0.0").change(0.05), "+0.1");
    }

    #[test]
    fn ticks_have_the_digits_of_their_step() {
        assert_eq!(form("0.0%").tick(0.2, 0.2, 1.0), "20%");
        assert_eq!(form("0%").tick(0.025, 0.025, 0.1), "2.5%");
        assert_eq!(form("+0.0").tick(20.0, 20.0, 80.0), "+20");
        assert_eq!(form("+0.0").tick(0.0, 20.0, 80.0), "0");
        assert_eq!(form("currency").tick(5e6, 5e6, 2e7), "5M");
        assert_eq!(form("currency").tick(2.5e6, 2.5e6, 1e7), "2.5M");
        assert_eq!(form("#,##0").tick(5000.0, 1000.0, 8000.0), "5,000");
        assert_eq!(unformatted(DataType::Float64).tick(0.25, 0.25, 1.0), "0.25");
    }
}
