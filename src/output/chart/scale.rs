//! Scales: a range with round ends, and numbers as an axis writes them.

/// A range of values with round ticks in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    pub low: f64,
    pub high: f64,
    /// Round numbers from `low` to `high`.
    pub ticks: Vec<f64>,
}

impl Scale {
    /// The smallest range with round ends, in about so many steps, that holds all values. Values that are all the same get
    /// room on both sides.
    pub fn around(values: impl Iterator<Item = f64>, steps: usize) -> Self {
        let (low, high) =
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let (low, high) = match (low.is_finite(), low < high) {
            (false, _) => (0.0, 1.0),
            (true, true) => (low, high),
            (true, false) => (low - low.abs().max(1.0) / 2.0, low + low.abs().max(1.0) / 2.0),
        };
        let step = round_step((high - low) / steps.max(1) as f64);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let mut ticks = Vec::new();
        let mut tick = first;
        while tick <= last {
            // Added zero takes the sign off a zero.
            ticks.push(tick * step + 0.0);
            tick += 1.0;
        }
        Self { low: first * step, high: last * step, ticks }
    }

    /// How far a value is from the low to the high end, 0 to 1.
    pub fn share(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// The smallest of 1, 2, 2.5, 5 and 10 times a power of ten that is at least this wide.
fn round_step(width: f64) -> f64 {
    let power = 10_f64.powf(width.log10().floor());
    let factors = [1.0, 2.0, 2.5, 5.0, 10.0];
    power * factors.into_iter().find(|factor| power * factor >= width * (1.0 - 1e-9)).unwrap_or(10.0)
}

/// A number in at most six digits, without zeros that say nothing.
pub fn plain(value: f64) -> String {
    if value != 0.0 && !(1e-4..1e9).contains(&value.abs()) {
        return format!("{value:.2e}");
    }
    let whole = value.abs().log10().floor().max(0.0);
    // At least one digit before the point, so at most five behind it.
    let decimals = (5.0 - whole).clamp(0.0, 5.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 5")]
    let text = format!("{value:.*}", decimals as usize);
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_all_values() {
        let scale = Scale::around([3.0, 97.0].into_iter(), 5);
        assert_eq!(scale.ticks, [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        let scale = Scale::around([-12.5, 41.2].into_iter(), 4);
        assert_eq!(scale.ticks, [-20.0, 0.0, 20.0, 40.0, 60.0]);
        assert_eq!((scale.low, scale.high), (-20.0, 60.0));
        assert_eq!(Scale::around([0.1, 0.3].into_iter(), 4).ticks, [0.1, 3.0 * 0.05, 0.2, 0.25, 6.0 * 0.05]);
    }

    #[test]
    fn one_value_and_none_have_a_range_too() {
        let one = Scale::around([7.0].into_iter(), 4);
        assert!(one.low < 7.0 && 7.0 < one.high, "{one:?}");
        assert!((one.share(7.0) - 0.5).abs() < 0.2, "{one:?}");
        assert_eq!(Scale::around(std::iter::empty(), 2).ticks, [0.0, 0.5, 1.0]);
    }

    #[test]
    fn numbers_lose_zeros_that_say_nothing() {
        for (value, text) in
            [(41.2, "41.2"), (0.0, "0"), (-3.0, "-3"), (1234.56789, "1234.57"), (3.0 * 0.05, "0.15"), (1e12, "1.00e12")]
        {
            assert_eq!(plain(value), text);
        }
    }
}
