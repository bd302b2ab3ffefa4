//! How a saved query wants its columns shown: titles and number formats.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::total::Total;
use crate::error::{Error, Result};

/// Titles and formats by column name; columns that are not in it are shown as they are.
#[derive(Clone, Debug, Default)]
pub struct Presentation {
    columns: BTreeMap<String, ColumnStyle>,
    reader: Reader,
    groups_digits: bool,
}

/// Who reads, which decides what stands for a null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reader {
    /// Somebody who wrote the SQL and must tell null from empty.
    #[default]
    Analyst,
    /// Somebody who never wrote it.
    Report,
    /// Somebody who looks around.
    Listing,
}

/// How one column is shown.
#[derive(Clone, Debug, Default)]
pub struct ColumnStyle {
    pub title: Option<String>,
    /// What the column holds.
    pub description: Option<String>,
    pub number: Option<NumberFormat>,
    pub good: Option<Good>,
    /// Edges between good, middling and bad, ascending.
    pub bands: Vec<f64>,
    /// Column that says why a value is missing.
    pub missing: Option<String>,
    /// What stands below the column in a report.
    pub total: Option<Total>,
}

/// The direction in which a number is good news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Good {
    Up,
    Down,
}

/// Where a number lies by the edges of bands: below the first, above the last, or between them, as one on an edge does; `None` where
/// there are no bands.
pub fn by_bands(number: f64, bands: &[f64]) -> Option<Ordering> {
    let (low, high) = (*bands.first()?, *bands.last()?);
    Some(match number {
        number if number < low => Ordering::Less,
        number if number > high => Ordering::Greater,
        _ => Ordering::Equal,
    })
}

impl Presentation {
    /// For a saved query.
    pub fn report(columns: BTreeMap<String, ColumnStyle>) -> Self {
        Self { columns, reader: Reader::Report, groups_digits: false }
    }

    /// For a listing of cxlake's own.
    pub fn listing() -> Self {
        Self { reader: Reader::Listing, ..Self::default() }
    }

    /// The same, with thousands set apart in numbers that have no format of their own.
    #[must_use]
    pub fn grouping_digits(self, groups_digits: bool) -> Self {
        Self { groups_digits, ..self }
    }

    /// The same, with columns of these names shown as one column is, under their own titles.
    #[must_use]
    pub fn spread<'a>(&self, column: &str, names: impl Iterator<Item = &'a str>) -> Self {
        let number = self.number(column);
        let style = || ColumnStyle { number: number.cloned(), ..ColumnStyle::default() };
        let mut spread = self.clone();
        spread.columns.extend(names.map(|name| (name.to_owned(), style())));
        spread
    }

    pub fn groups_digits(&self) -> bool {
        self.groups_digits
    }

    pub fn is_listing(&self) -> bool {
        self.reader == Reader::Listing
    }

    /// The title of a column.
    pub fn title<'a>(&'a self, name: &'a str) -> &'a str {
        self.columns.get(name).and_then(|style| style.title.as_deref()).unwrap_or(name)
    }

    /// How a column is shown, where the query says so.
    pub fn style(&self, name: &str) -> Option<&ColumnStyle> {
        self.columns.get(name)
    }

    /// The number format of a column.
    pub fn number(&self, name: &str) -> Option<&NumberFormat> {
        self.columns.get(name)?.number.as_ref()
    }

    /// What stands where there is no value.
    pub fn null(&self) -> &'static str {
        match self.reader {
            Reader::Analyst => "NULL",
            Reader::Report => "—",
            Reader::Listing => "",
        }
    }
}

/// A number format as spreadsheets write it: `0`, `0.00`, `#,##0.0`, `0%`, `+0.0`, or `currency` for `#,##0.00`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberFormat {
    decimals: u8,
    grouped: bool,
    percent: bool,
    /// A plus before numbers above zero.
    signed: bool,
    pub currency: bool,
}

impl NumberFormat {
    /// Reads a pattern.
    ///
    /// # Errors
    /// `InvalidData` that shows the patterns which are understood.
    pub fn parse(pattern: &str) -> Result<Self> {
        if pattern == "currency" {
            return Ok(Self { decimals: 2, grouped: true, percent: false, signed: false, currency: true });
        }
        let unsigned = pattern.strip_prefix('+').unwrap_or(pattern);
        let number = unsigned.strip_suffix('%').unwrap_or(unsigned);
        let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
        let known = matches!(whole, "0" | "#,##0") && decimals.chars().all(|digit| digit == '0');
        let digits = u8::try_from(decimals.len()).ok().filter(|&digits| digits <= 9);
        let Some(digits) = digits.filter(|_| known && !number.ends_with('.')) else {
            return Err(Error::invalid(format!("unknown number format `{pattern}`"))
                .hint("write `0`, `0.00`, `#,##0`, `#,##0.0`, `0%`, `0.0%`, one with `+` before it, or `currency`"));
        };
        Ok(Self {
            decimals: digits,
            grouped: whole == "#,##0",
            percent: unsigned.ends_with('%'),
            signed: pattern.starts_with('+'),
            currency: false,
        })
    }

    /// So many digits behind the point, and nothing else.
    pub fn digits(decimals: u8) -> Self {
        Self { decimals, grouped: false, percent: false, signed: false, currency: false }
    }

    pub fn is_percent(&self) -> bool {
        self.percent
    }

    /// Whether the sign of a number says something, so that it is always written.
    pub fn is_signed(&self) -> bool {
        self.signed
    }

    /// Digits behind the point of the unscaled number; per cent moves the point by two.
    fn places(&self) -> u32 {
        u32::from(self.decimals) + if self.percent { 2 } else { 0 }
    }

    /// The number nearest to zero that is not written as one.
    pub fn half_of_last_digit(&self) -> f64 {
        0.5 / 10_f64.powi(i32::try_from(self.places()).unwrap_or_default())
    }

    /// The same as a spreadsheet writes it.
    pub fn pattern(&self) -> String {
        let whole = if self.grouped { "#,##0" } else { "0" };
        let point = if self.decimals > 0 { "." } else { "" };
        let percent = if self.percent { "%" } else { "" };
        let plain = format!("{whole}{point}{}{percent}", "0".repeat(usize::from(self.decimals)));
        // Above zero, below it, and zero, which has no sign.
        if self.signed { format!("+{plain};-{plain};{plain}") } else { plain }
    }

    /// A binary floating point number in this format, rounded as the shortest decimal that stands for it.
    pub fn float(&self, value: f64) -> String {
        let mut text = String::new();
        self.write_float(value, &mut text);
        text
    }

    /// An exact number, `unscaled` / 10^`scale`, in this format; rounded half away from zero.
    pub fn exact(&self, unscaled: i128, scale: u32) -> String {
        let mut text = String::new();
        self.write_exact(unscaled, scale, &mut text);
        text
    }

    /// Writes what [`Self::float`] returns behind a text.
    pub fn write_float(&self, value: f64, into: &mut String) {
        if !value.is_finite() {
            return into.push_str(&value.to_string());
        }
        match shortest(value) {
            Some((unscaled, scale)) => self.write_exact(unscaled, scale, into),
            None => self.write_long(value, into),
        }
    }

    /// Writes a number that has more digits than an exact one can have.
    fn write_long(&self, value: f64, into: &mut String) {
        let value = if self.percent { value * 100.0 } else { value };
        self.dress(&format!("{:.*}", usize::from(self.decimals), value), into);
    }

    /// Writes what [`Self::exact`] returns behind a text.
    pub fn write_exact(&self, unscaled: i128, scale: u32, into: &mut String) {
        let wanted = self.places();
        let shifted = match 10_i128.checked_pow(scale.abs_diff(wanted)) {
            Some(1) => Some(unscaled),
            Some(divisor) if scale > wanted => Some(rounded(unscaled, divisor)),
            Some(factor) => unscaled.checked_mul(factor),
            // Far less than half of the last digit.
            None if scale > wanted => Some(0),
            None => None,
        };
        let Some(shifted) = shifted else {
            return self.write_long(unscaled as f64 / 10_f64.powf(f64::from(scale)), into);
        };
        let decimals = usize::from(self.decimals);
        let mut digits = match u64::try_from(shifted.unsigned_abs()) {
            Ok(narrow) => format!("{narrow:0>width$}", width = decimals + 1),
            Err(_) => format!("{:0>width$}", shifted.unsigned_abs(), width = decimals + 1),
        };
        if decimals > 0 {
            digits.insert(digits.len() - decimals, '.');
        }
        if shifted < 0 {
            digits.insert(0, '-');
        }
        self.dress(&digits, into);
    }

    /// Sign, separators and per cent around plain digits.
    fn dress(&self, digits: &str, into: &mut String) {
        let is_zero = !digits.bytes().any(|digit| (b'1'..=b'9').contains(&digit));
        let (minus, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
        into.push_str(match minus {
            _ if is_zero => "",
            "" if self.signed => "+",
            minus => minus,
        });
        let (whole, decimals) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
        if self.grouped {
            group(whole, into);
        } else {
            into.push_str(whole);
        }
        into.push_str(decimals);
        if self.percent {
            into.push('%');
        }
    }
}

/// The shortest decimal that stands for a number: this, over ten to the power of that. `None` for more than 38 digits.
fn shortest(value: f64) -> Option<(i128, u32)> {
    let text = value.to_string();
    let (whole, behind) = text.split_once('.').unwrap_or((text.as_str(), ""));
    Some((format!("{whole}{behind}").parse().ok()?, u32::try_from(behind.len()).ok()?))
}

fn rounded(value: i128, divisor: i128) -> i128 {
    let half = divisor / 2;
    if value < 0 { (value - half) / divisor } else { (value + half) / divisor }
}

/// Digits with a comma between thousands.
pub fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    group(digits, &mut text);
    text
}

/// Writes digits behind a text, with a comma between thousands.
fn group(digits: &str, into: &mut String) {
    let (first, rest) = digits.split_at(digits.len() % 3);
    into.push_str(first);
    for (place, thousand) in rest.as_bytes().chunks(3).enumerate() {
        if place > 0 || !first.is_empty() {
            into.push(',');
        }
        into.extend(thousand.iter().copied().map(char::from));
    }
}

/// A plain number with a comma between thousands; digits behind the point and an exponent stay as they are.
pub fn grouped_number(number: &str) -> String {
    let (minus, digits) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let whole = digits.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = digits.split_at(whole);
    format!("{minus}{}{rest}", grouped(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(pattern: &str) -> NumberFormat {
        NumberFormat::parse(pattern).expect("a known pattern")
    }

    #[test]
    fn numbers_are_dressed_as_their_pattern_says() {
        assert_eq!(format("currency").float(1_234_567.891), "1,234,567.89");
        assert_eq!(format("0%").float(0.256), "26%");
        assert_eq!(format("+0.0").float(3.04), "+3.0");
        assert_eq!(format("+0.0").float(-0.04), "0.0");
        assert_eq!(format("#,##0").float(-1234.5), "-1,235");
        assert_eq!(format("0.00").float(f64::NAN), "NaN");
    }

    #[test]
    fn a_float_is_rounded_half_away_from_zero_as_the_decimal_that_it_is_written_as() {
        for (pattern, value, text) in [
            ("0", 2.5, "3"),
            ("0", -2.5, "-3"),
            ("0%", 0.125, "13%"),
            ("0.0%", 0.2805, "28.1%"),
            ("0.00", 1.005, "1.01"),
            ("0.00", 1e-300, "0.00"),
            ("0.00", 4e-3, "0.00"),
            ("#,##0", 1e21, "1,000,000,000,000,000,000,000"),
        ] {
            assert_eq!(format(pattern).float(value), text, "{value}");
        }
        assert_eq!(format("0").exact(25, 1), format("0").float(2.5));
        assert_eq!(NumberFormat::digits(21).exact(50_000_000_000_000_000_000, 21), "0.050000000000000000000");
        assert!(format("0.00").float(f64::MAX).ends_with(".00"));
    }

    #[test]
    fn a_number_on_an_edge_lies_between_the_bands_ends() {
        let bands = [0.8, 1.0, 1.25];
        for (number, side) in [
            (0.79, Ordering::Less),
            (0.8, Ordering::Equal),
            (1.0, Ordering::Equal),
            (1.25, Ordering::Equal),
            (1.26, Ordering::Greater),
        ] {
            assert_eq!(by_bands(number, &bands), Some(side), "{number}");
        }
        assert_eq!(by_bands(1.0, &[]), None);
    }

    #[test]
    fn exact_numbers_keep_every_digit_and_round_half_away_from_zero() {
        assert_eq!(format("currency").exact(999_999_999_999_999_995, 3), "1,000,000,000,000,000.00");
        assert_eq!(format("currency").exact(-12_345, 2), "-123.45");
        assert_eq!(format("0").exact(-25, 1), "-3");
        assert_eq!(format("0.00").exact(5, 0), "5.00");
        assert_eq!(format("0%").exact(1, 0), "100%");
        assert_eq!(format("0.0%").exact(12_345, 4), "123.5%");
    }

    #[test]
    fn plain_numbers_are_grouped_before_the_point_only() {
        for (plain, wanted) in [
            ("1234567.891", "1,234,567.891"),
            ("-1234", "-1,234"),
            ("12", "12"),
            ("1.5e20", "1.5e20"),
            ("NaN", "NaN"),
            ("-inf", "-inf"),
        ] {
            assert_eq!(grouped_number(plain), wanted);
        }
    }

    #[test]
    fn an_unknown_pattern_is_refused() {
        for pattern in ["", "0.", "0,0", "%", "00", "0.0x", "currency2"] {
            assert!(NumberFormat::parse(pattern).is_err(), "{pattern}");
        }
    }
}
