//! Whether a number is good or bad news, and on which side it lies.

use std::cmp::Ordering;

use crate::output::present::{ColumnStyle, Good, by_bands};

/// What a number says beside its value. Every form shows it by a sign as well as by a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tone {
    side: Side,
    /// `None` where neither side is good.
    is_good: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Above,
    Below,
}

impl Tone {
    /// The tone of a number: outside the bands of its column, or, where the column has none and always writes the sign, by its
    /// sign. `None` where there is nothing to say, as of what is written as zero.
    pub fn of(number: f64, style: &ColumnStyle) -> Option<Self> {
        let format = style.number.as_ref().filter(|format| style.good.is_some() && format.is_signed());
        let by_sign = match format {
            Some(format) if number.abs() >= format.half_of_last_digit() => number.partial_cmp(&0.0)?,
            _ => Ordering::Equal,
        };
        let side = match by_bands(number, &style.bands).unwrap_or(by_sign) {
            Ordering::Less => Side::Below,
            Ordering::Greater => Side::Above,
            Ordering::Equal => return None,
        };
        let is_good = style.good.map(|good| (good == Good::Up) == (side == Side::Above));
        Some(Self { side, is_good })
    }

    pub fn sign(self) -> &'static str {
        match self.side {
            Side::Above => "▲",
            Side::Below => "▼",
        }
    }

    /// What is said of it in words.
    pub fn word(self) -> &'static str {
        match (self.side, self.is_good) {
            (Side::Above, Some(true)) => "high, good:",
            (Side::Above, Some(false)) => "high, bad:",
            (Side::Above, None) => "high:",
            (Side::Below, Some(true)) => "low, good:",
            (Side::Below, Some(false)) => "low, bad:",
            (Side::Below, None) => "low:",
        }
    }

    /// The class of its cell in a page.
    pub fn class(self) -> &'static str {
        match self.is_good {
            Some(true) => "good",
            Some(false) => "bad",
            None => "out",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::present::NumberFormat;

    fn tone(number: f64, good: Option<Good>, bands: &[f64], format: &str) -> Option<(&'static str, &'static str)> {
        let number_format = NumberFormat::parse(format).ok();
        let style = ColumnStyle { good, bands: bands.to_vec(), number: number_format, ..ColumnStyle::default() };
        Tone::of(number, &style).map(|tone| (tone.sign(), tone.class()))
    }

    #[test]
    fn bands_say_which_side_and_the_column_which_is_good() {
        let bands = [0.8, 1.25];
        assert_eq!(tone(0.5, Some(Good::Down), &bands, "0.00"), Some(("▼", "good")));
        assert_eq!(tone(7.0, Some(Good::Down), &bands, "0.00"), Some(("▲", "bad")));
        assert_eq!(tone(1.25, Some(Good::Down), &bands, "0.00"), None);
        assert_eq!(tone(7.0, None, &bands, "0.00"), Some(("▲", "out")));
    }

    #[test]
    fn without_bands_only_a_number_that_is_written_with_its_sign_has_a_tone() {
        assert_eq!(tone(-2.0, Some(Good::Up), &[], "+0.0"), Some(("▼", "bad")));
        assert_eq!(tone(-2.0, Some(Good::Up), &[], "0.0"), None);
        assert_eq!(tone(0.0, Some(Good::Up), &[], "+0.0"), None);
        assert_eq!(tone(2.0, None, &[], "+0.0"), None);
    }

    #[test]
    fn what_is_written_as_zero_has_no_tone() {
        for (format, zero, first) in
            [("+#,##0", 0.49, 0.5), ("+0.0", -0.049, -0.05), ("+0%", 0.0049, 0.005), ("+0.0%", -0.000_49, -0.0005)]
        {
            let number_format = NumberFormat::parse(format).expect("a known pattern");
            let is_zero =
                |number: f64| !number_format.float(number).contains(|letter: char| ('1'..='9').contains(&letter));
            assert!(is_zero(zero) && !is_zero(first), "{format}");
            assert_eq!(tone(zero, Some(Good::Up), &[], format), None, "{format}");
            assert!(tone(first, Some(Good::Up), &[], format).is_some(), "{format}");
        }
        assert_eq!(tone(0.01, Some(Good::Up), &[0.0, 0.001], "+0.0"), Some(("▲", "good")));
    }
}
