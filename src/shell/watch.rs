//! `\watch`: the same statement again and again.

use std::time::Duration;

use super::{Shell, tell};
use crate::error::{Error, Result};

impl Shell {
    /// Runs what was asked last every so often, until Ctrl-C, an error, or so many times.
    ///
    /// # Errors
    /// Those of running it; `Interrupted` on Ctrl-C.
    pub(super) async fn watch(&mut self, every: Duration, times: Option<u64>) -> Result<()> {
        if self.asked.is_none() {
            return self.again().await;
        }
        let mut run = 0;
        loop {
            run += 1;
            self.note(&format!("{} (every {} s)", (self.now)().format("%Y-%m-%d %H:%M:%S UTC"), every.as_secs_f64()));
            self.again().await?;
            if times == Some(run) {
                return Ok(());
            }
            if self.at_prompt {
                tell("");
            }
            let pause = async {
                tokio::time::sleep(every).await;
                Ok(())
            };
            self.interrupt.guard(pause).await?;
        }
    }
}

/// Reads a span of time: a number of seconds, or one with `ms`, `s`, `min` or `h`.
///
/// # Errors
/// `Usage` that shows how it is written.
pub fn span(text: &str) -> Result<Duration> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim() {
        "ms" => Some(0.001),
        "" | "s" => Some(1.0),
        "m" | "min" => Some(60.0),
        "h" => Some(3600.0),
        _ => None,
    };
    let seconds = number.parse::<f64>().ok().zip(unit).map(|(number, unit)| number * unit);
    let span = seconds.filter(|&seconds| seconds > 0.0).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    span.ok_or_else(|| {
        Error::usage(format!("`{text}` is no span of time")).hint("write `30s`, `500ms`, `5min` or `1h`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_a_unit_or_are_seconds() {
        for (text, milliseconds) in
            [("30s", 30_000), ("2", 2_000), ("500ms", 500), ("1.5min", 90_000), ("1h", 3_600_000)]
        {
            assert_eq!(span(text).expect("a span"), Duration::from_millis(milliseconds));
        }
        for text in ["", "0", "s", "-1s", "5 weeks", "1e9h", "1.2.3s"] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
