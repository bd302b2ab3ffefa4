//! The last line of a table: sums, and ratios of sums.
//!
//! A rate has no sum, and the mean of rates lets small rows count as much as large ones. So a query says what the total of a
//! column is as an expression over the sums of columns, `cost / touches`, and documents and spreadsheets compute the same.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type};

use super::cell;
use super::present::NumberFormat;
use crate::error::{Error, Result};

/// What the total of a column is.
#[derive(Clone, Debug, PartialEq)]
pub enum Total {
    /// The sum of a column.
    Sum(String),
    Number(f64),
    Of(Box<Total>, Sign, Box<Total>),
}

/// What is done with two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Plus,
    Minus,
    Times,
    By,
}

impl Sign {
    const ALL: [(Self, char); 4] = [(Self::Plus, '+'), (Self::Minus, '-'), (Self::Times, '*'), (Self::By, '/')];

    fn of(letter: char) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == letter).map(|(sign, _)| *sign)
    }

    fn letter(self) -> char {
        Self::ALL.iter().find(|(sign, _)| *sign == self).map_or('?', |(_, letter)| *letter)
    }

    fn binds(self) -> u8 {
        if matches!(self, Self::Plus | Self::Minus) { 1 } else { 2 }
    }
}

/// Whether a whole number has more digits than a spreadsheet keeps.
fn is_long(value: i128) -> bool {
    value.unsigned_abs() >= u128::from(DIGITS_MAX)
}

/// The value of a total.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// The sum of exact numbers: this, over ten to the power of that.
    Exact(i128, u32),
    Float(f64),
}

impl Value {
    pub fn number(self) -> f64 {
        match self {
            Self::Exact(unscaled, scale) => unscaled as f64 / 10_f64.powi(i32::try_from(scale).unwrap_or(i32::MAX)),
            Self::Float(value) => value,
        }
    }

    /// Whether it is a whole number of more digits than a spreadsheet keeps.
    pub fn is_long(self) -> bool {
        matches!(self, Self::Exact(unscaled, 0) if is_long(unscaled))
    }

    /// The value in a column's format; without one an exact value has all of its digits, and another those of the column's type.
    pub fn text(self, number: Option<&NumberFormat>, data_type: &DataType) -> String {
        match (self, number) {
            (Self::Exact(unscaled, scale), Some(number)) => number.exact(unscaled, scale),
            (Self::Float(value), Some(number)) => number.float(value),
            (Self::Exact(unscaled, scale), None) => match u8::try_from(scale) {
                Ok(decimals) => NumberFormat::digits(decimals).exact(unscaled, scale),
                Err(_) => cell::number(self.number(), data_type),
            },
            (Self::Float(value), None) => cell::number(value, data_type),
        }
    }
}

impl Total {
    /// Reads `sum`, or an expression over the sums of columns; `own` is the column whose total it is.
    ///
    /// # Errors
    /// `InvalidData` that says what is understood.
    pub fn parse(text: &str, own: &str) -> Result<Self> {
        if text.trim() == "sum" {
            return Ok(Self::Sum(own.to_owned()));
        }
        let mut words = Words { rest: text };
        let total = words.terms(0);
        match total.filter(|_| words.rest.trim().is_empty()) {
            Some(total) => Ok(total),
            None => Err(Error::invalid(format!("`{text}` is no total"))
                .hint("write `sum`, or columns with `+ - * /` and brackets, such as `cost / touches`; each stands for its sum")),
        }
    }

    /// The columns whose sums it takes.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::Sum(column) => vec![column],
            Self::Number(_) => Vec::new(),
            Self::Of(left, _, right) => left.columns().into_iter().chain(right.columns()).collect(),
        }
    }

    /// Its value; `None` where a sum is of nothing, or something is divided by nothing.
    pub fn value(&self, sums: &Sums) -> Option<Value> {
        match self {
            Self::Sum(column) => sums.value(column),
            _ => self.number(sums).filter(|value| value.is_finite()).map(Value::Float),
        }
    }

    fn number(&self, sums: &Sums) -> Option<f64> {
        Some(match self {
            Self::Sum(column) => sums.value(column)?.number(),
            Self::Number(value) => *value,
            Self::Of(left, sign, right) => {
                let (left, right) = (left.number(sums)?, right.number(sums)?);
                match sign {
                    Sign::Plus => left + right,
                    Sign::Minus => left - right,
                    Sign::Times => left * right,
                    Sign::By => left / right,
                }
            }
        })
    }

    /// The same as a spreadsheet writes it, with what stands for the sum of a column; `None` where it has none of a column.
    pub fn formula(&self, sum: &impl Fn(&str) -> Option<String>) -> Option<String> {
        self.written(0, sum)
    }

    fn written(&self, around: u8, sum: &impl Fn(&str) -> Option<String>) -> Option<String> {
        Some(match self {
            Self::Sum(column) => sum(column)?,
            Self::Number(value) => value.to_string(),
            Self::Of(left, sign, right) => {
                let binds = sign.binds();
                let text = format!("{}{}{}", left.written(binds, sum)?, sign.letter(), right.written(binds + 1, sum)?);
                if binds < around { format!("({text})") } else { text }
            }
        })
    }
}

/// The text of a total, word by word.
struct Words<'a> {
    rest: &'a str,
}

impl Words<'_> {
    /// Terms that are bound more tightly than this.
    fn terms(&mut self, binds: u8) -> Option<Total> {
        let mut left = self.term()?;
        while let Some(sign) = self.rest.trim_start().chars().next().and_then(Sign::of).filter(|s| s.binds() > binds) {
            self.rest = &self.rest.trim_start()[1..];
            let right = self.terms(sign.binds())?;
            left = Total::Of(Box::new(left), sign, Box::new(right));
        }
        Some(left)
    }

    fn term(&mut self) -> Option<Total> {
        self.rest = self.rest.trim_start();
        if let Some(inner) = self.rest.strip_prefix('(') {
            self.rest = inner;
            let total = self.terms(0)?;
            self.rest = self.rest.trim_start().strip_prefix(')')?;
            return Some(total);
        }
        let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.');
        let end = self.rest.find(|letter| !is_part(letter)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word.chars().next()? {
            '0'..='9' | '.' => word.parse().ok().map(Total::Number),
            _ => Some(Total::Sum(word.to_owned())),
        }
    }
}

/// Sums of the columns that totals take.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    columns: BTreeMap<String, Running>,
    /// The columns of whole numbers of which one has more digits than every program keeps.
    long: BTreeSet<String>,
}

/// Whole numbers from here on have digits that a spreadsheet would change.
pub const DIGITS_MAX: u64 = 1_000_000_000_000_000;

#[derive(Clone, Debug)]
enum Running {
    /// Nothing but nulls so far.
    Nothing,
    Exact(i128, u32),
    Float {
        sum: f64,
        /// What rounding cut off of it (Neumaier).
        cut_off: f64,
    },
}

impl Sums {
    /// Sums of these columns, of no rows yet.
    pub fn of<'a>(columns: impl IntoIterator<Item = &'a str>) -> Self {
        let columns = columns.into_iter().map(|column| (column.to_owned(), Running::Nothing)).collect();
        Self { columns, long: BTreeSet::new() }
    }

    /// Takes rows in; nulls count as nothing.
    ///
    /// # Errors
    /// `InvalidData` for a column that is not there or holds no numbers, and for a sum beyond 38 digits.
    pub fn add(&mut self, rows: &RecordBatch) -> Result<()> {
        for (name, running) in &mut self.columns {
            let not_numbers = || Error::invalid(format!("a total takes the sum of `{name}`, which holds no numbers"));
            let values = rows.column_by_name(name).ok_or_else(not_numbers)?;
            match values.data_type() {
                data_type if data_type.is_integer() => {
                    let wide = cast(values, &DataType::Decimal128(38, 0)).map_err(|_| not_numbers())?;
                    let wide = wide.as_primitive::<Decimal128Type>();
                    running.exact(wide.iter().flatten(), 0, name)?;
                    if wide.iter().flatten().any(is_long) {
                        self.long.insert(name.clone());
                    }
                }
                DataType::Decimal128(_, scale) => {
                    let scale = u32::try_from(*scale).map_err(|_| not_numbers())?;
                    let decimals = values.as_primitive::<Decimal128Type>();
                    running.exact(decimals.iter().flatten(), scale, name)?;
                    if scale == 0 && decimals.iter().flatten().any(is_long) {
                        self.long.insert(name.clone());
                    }
                }
                data_type if data_type.is_numeric() => {
                    let floats = cast(values, &DataType::Float64).map_err(|_| not_numbers())?;
                    floats.as_primitive::<Float64Type>().iter().flatten().for_each(|value| running.float(value));
                }
                _ => return Err(not_numbers()),
            }
        }
        Ok(())
    }

    /// Whether a column has whole numbers of more digits than a spreadsheet keeps.
    pub fn are_long(&self, column: &str) -> bool {
        self.long.contains(column)
    }

    fn value(&self, column: &str) -> Option<Value> {
        match self.columns.get(column)? {
            Running::Nothing => None,
            Running::Exact(sum, scale) => Some(Value::Exact(*sum, *scale)),
            // From an infinite sum nothing was cut off.
            Running::Float { sum, cut_off } => Some(Value::Float(if sum.is_finite() { sum + cut_off } else { *sum })),
        }
    }
}

impl Running {
    fn exact(&mut self, values: impl Iterator<Item = i128>, scale: u32, name: &str) -> Result<()> {
        for value in values {
            let before = if let Self::Exact(sum, _) = self { *sum } else { 0 };
            let sum = before.checked_add(value);
            let sum = sum.ok_or_else(|| Error::invalid(format!("the total of `{name}` has more than 38 digits")))?;
            *self = Self::Exact(sum, scale);
        }
        Ok(())
    }

    fn float(&mut self, value: f64) {
        let (before, mut cut_off) = match self {
            Self::Float { sum, cut_off } => (*sum, *cut_off),
            _ => (0.0, 0.0),
        };
        let sum = before + value;
        cut_off += if before.abs() >= value.abs() { (before - sum) + value } else { (value - sum) + before };
        *self = Self::Float { sum, cut_off };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int64Array};

    use super::*;

    fn rows() -> RecordBatch {
        let cost =
            Decimal128Array::from(vec![Some(10_05), None, Some(-1)]).with_precision_and_scale(18, 2).expect("fits");
        let columns: [(&str, ArrayRef); 4] = [
            ("cost", Arc::new(cost)),
            ("touches", Arc::new(Int64Array::from(vec![3, 4, 0]))),
            ("score", Arc::new(Float64Array::from(vec![0.1, 0.2, 1e16]))),
            ("none", Arc::new(Int64Array::from(vec![None, None, None]))),
        ];
        RecordBatch::try_from_iter(columns).expect("columns of one length")
    }

    fn value(text: &str) -> Option<Value> {
        let total = Total::parse(text, "cost").expect("a total");
        let mut sums = Sums::of(total.columns());
        sums.add(&rows()).expect("numbers");
        total.value(&sums)
    }

    #[test]
    fn sums_are_exact_and_leave_nulls_out() {
        assert_eq!(value("sum"), Some(Value::Exact(1004, 2)));
        assert_eq!(value("touches"), Some(Value::Exact(7, 0)));
        assert_eq!(value("none"), None);
    }

    #[test]
    fn columns_of_long_whole_numbers_are_known_and_their_sums_exact() {
        let long = Int64Array::from(vec![12_345_678_901_234_567, 1]);
        let columns: [(&str, ArrayRef); 2] =
            [("long", Arc::new(long)), ("short", Arc::new(Int64Array::from(vec![999_999_999_999_999, 1])))];
        let mut sums = Sums::of(["long", "short"]);
        sums.add(&RecordBatch::try_from_iter(columns).expect("columns of one length")).expect("numbers");
        assert_eq!([sums.are_long("long"), sums.are_long("short")], [true, false]);
        assert_eq!(sums.value("long"), Some(Value::Exact(12_345_678_901_234_568, 0)));
        assert_eq!([sums.value("long"), sums.value("short")].map(|sum| sum.is_some_and(Value::is_long)), [true, true]);
        assert!(!Value::Exact(12_345_678_901_234_567, 2).is_long() && !Value::Float(1e18).is_long());
    }

    #[test]
    fn a_sum_over_infinity_is_what_the_sum_is() {
        let sum = |values: &[f64]| {
            let values: ArrayRef = Arc::new(Float64Array::from(values.to_vec()));
            let mut sums = Sums::of(["score"]);
            sums.add(&RecordBatch::try_from_iter([("score", values)]).expect("a column")).expect("numbers");
            sums.value("score").map(|value| value.text(None, &DataType::Float64))
        };
        assert_eq!(sum(&[1.0, f64::INFINITY, 2.0]).as_deref(), Some("inf"));
        assert_eq!(sum(&[f64::NEG_INFINITY, 1.0]).as_deref(), Some("-inf"));
        assert_eq!(sum(&[f64::NEG_INFINITY, f64::INFINITY]).as_deref(), Some("NaN"));
        assert_eq!(sum(&[1e16, 1.0, -1e16]).as_deref(), Some("1.0"));
    }

    #[test]
    fn without_a_format_a_total_has_the_digits_of_its_column() {
        let cents = DataType::Decimal128(18, 2);
        assert_eq!(Value::Exact(123_691_356_846, 2).text(None, &cents), "1236913568.46");
        assert_eq!(Value::Exact(-5, 2).text(None, &cents), "-0.05");
        assert_eq!(Value::Exact(12_345_678_901_234_567_890, 0).text(None, &DataType::Int64), "12345678901234567890");
        assert_eq!(Value::Float(247_382_713.692).text(None, &cents), "247382713.69");
        assert_eq!(Value::Float(1.0 / 3.0).text(None, &DataType::Float64), "0.333333333333333");
        assert_eq!(Value::Float(2.0).text(None, &DataType::Int64), "2");
    }

    #[test]
    fn a_ratio_is_of_sums_and_nothing_over_nothing_is_nothing() {
        assert_eq!(value("cost / touches"), Some(Value::Float(10.04 / 7.0)));
        assert_eq!(value("cost / (touches - 7)"), None);
        assert_eq!(value("cost / none"), None);
    }

    #[test]
    fn signs_bind_as_in_a_spreadsheet() {
        let formula = |text: &str| {
            let sum = |name: &str| Some(format!("SUM({name})"));
            Total::parse(text, "own").expect("a total").formula(&sum).expect("a formula")
        };
        assert_eq!(formula("a - b - c"), "SUM(a)-SUM(b)-SUM(c)");
        assert_eq!(formula("a - (b - c)"), "SUM(a)-(SUM(b)-SUM(c))");
        assert_eq!(formula("100 * (a - b) / c"), "100*(SUM(a)-SUM(b))/SUM(c)");
        assert_eq!(formula("a + b * c"), "SUM(a)+SUM(b)*SUM(c)");
    }

    #[test]
    fn what_is_no_total_is_refused() {
        for text in ["", "a /", "a b", "(a", "a)", "1x", "avg"] {
            let parsed = Total::parse(text, "own");
            assert_eq!(parsed.is_err(), text != "avg", "{text}: {parsed:?}");
        }
    }
}
