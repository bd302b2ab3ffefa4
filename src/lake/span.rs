//! Spans of time as people write them: `30s`, `5min`, `35d`.

use std::time::Duration;

use crate::error::{Error, Result};

/// Units by their names, with the seconds that each has.
const UNITS: [(&[&str], f64); 6] = [
    (&["ms"], 0.001),
    (&["", "s"], 1.0),
    (&["m", "min"], 60.0),
    (&["h"], 3_600.0),
    (&["d"], 86_400.0),
    (&["w"], 604_800.0),
];

/// Reads a span of time: a number of seconds, or one with `ms`, `s`, `min`, `h`, `d` (24 hours) or `w`.
///
/// # Errors
/// `Usage` that shows how it is written; a span of no time is none.
pub fn parse(text: &str) -> Result<Duration> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = UNITS.iter().find(|(names, _)| names.contains(&unit.trim())).map(|(_, seconds)| seconds);
    let seconds = number.parse::<f64>().ok().zip(unit).map(|(number, unit)| number * unit);
    let span = seconds.filter(|&seconds| seconds > 0.0).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    span.ok_or_else(|| {
        Error::usage(format!("`{text}` is no span of time")).hint("write `30s`, `500ms`, `5min`, `1h` or `7d`")
    })
}

/// A span in the largest unit of days, hours, minutes and seconds that it fills, and the next one: `35d`, `4h 30min`.
pub fn shown(span: Duration) -> String {
    let mut left = span.as_secs();
    let mut parts = Vec::new();
    for (name, seconds) in [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)] {
        if left >= seconds {
            parts.push(format!("{}{name}", left / seconds));
            left %= seconds;
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_a_unit_or_are_seconds() {
        for (text, milliseconds) in [
            ("30s", 30_000),
            ("2", 2_000),
            ("500ms", 500),
            ("1.5min", 90_000),
            ("1h", 3_600_000),
            ("35d", 3_024_000_000),
            ("2w", 1_209_600_000),
        ] {
            assert_eq!(parse(text).expect("a span"), Duration::from_millis(milliseconds));
        }
        for text in ["", "0", "s", "-1s", "5 weeks", "1e9h", "1.2.3s"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_span_is_told_by_its_two_largest_units() {
        for (seconds, wanted) in
            [(0, "0s"), (59, "59s"), (3_600, "1h"), (16_200, "4h 30min"), (3_024_000, "35d"), (86_400 + 61, "1d")]
        {
            assert_eq!(shown(Duration::from_secs(seconds)), wanted);
        }
    }
}
