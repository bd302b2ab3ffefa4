//! Money: what each office's country pays in, and what that is worth in USD month by month.

use super::World;
use super::calendar::{Day, MONTHS, month, month_end, month_start};
use super::random::Random;
use super::story::CURRENCY_MOVES;
use super::writer::{self, Column, Sink};
use crate::error::Result;

const STREAM: u64 = 79;

/// Country, its name and its currency.
pub(super) const COUNTRIES: [(&str, &str, &str); 14] = [
    ("CA", "Canada", "CAD"),
    ("DE", "Germany", "EUR"),
    ("ES", "Spain", "EUR"),
    ("FR", "France", "EUR"),
    ("GB", "United Kingdom", "GBP"),
    ("IE", "Ireland", "EUR"),
    ("IN", "India", "INR"),
    ("IT", "Italy", "EUR"),
    ("JP", "Japan", "JPY"),
    ("NL", "Netherlands", "EUR"),
    ("PL", "Poland", "PLN"),
    ("SE", "Sweden", "SEK"),
    ("SG", "Singapore", "SGD"),
    ("US", "United States", "USD"),
];

/// Currencies, with what one unit is worth in USD before the first month.
pub(super) const CURRENCIES: [(&str, f64); 9] = [
    ("CAD", 0.735),
    ("EUR", 1.085),
    ("GBP", 1.285),
    ("INR", 0.0118),
    ("JPY", 0.0068),
    ("PLN", 0.252),
    ("SEK", 0.0955),
    ("SGD", 0.758),
    ("USD", 1.0),
];

/// The rates of a currency in a month.
pub(super) struct Rate {
    currency: &'static str,
    month: usize,
    average: f64,
    closing: f64,
}

/// Makes the rates, currency by currency.
pub(super) fn generate_rates(world: &World, sink: &mut Sink<'_, Rate>) -> Result<()> {
    for (place, (currency, first)) in CURRENCIES.into_iter().enumerate() {
        let random = &mut Random::keyed(world.seed, &[STREAM, place as u64]);
        let mut before = first;
        for month in 0..MONTHS {
            let closing = before * (1.0 + step(currency, month, random));
            let average = f64::midpoint(before, closing) * if currency == "USD" { 1.0 } else { random.noise(0.0005) };
            sink.push(Rate { currency, month, average: rounded(average), closing: rounded(closing) })?;
            before = closing;
        }
    }
    Ok(())
}

/// By how much a currency moves in a month: as the story plans, else a little up or down.
fn step(currency: &str, at: usize, random: &mut Random) -> f64 {
    let drawn = random.normal();
    let planned = CURRENCY_MOVES.iter().find(|(name, _)| *name == currency).map(|(_, total)| total);
    match planned {
        _ if currency == "USD" => 0.0,
        // The plan runs from the average of January to that of September, which is eight months.
        Some(total) if at >= month(2026, 1) => total / 8.0 + 0.0004 * drawn,
        _ => 0.008 * drawn,
    }
}

/// Eight places after the point: the smallest units are worth less than a cent.
fn rounded(rate: f64) -> f64 {
    (rate * 1e8).round() / 1e8
}

/// The columns of the rates.
pub(super) fn rate_columns(rows: &[Rate]) -> Vec<Column> {
    let closing_on = |row: &Rate| -> Day { month_end(row.month) };
    vec![
        writer::text("currency", rows, |row| row.currency),
        writer::date("period", rows, |row| month_start(row.month)),
        writer::float("average_rate", rows, |row| row.average),
        writer::float("closing_rate", rows, |row| row.closing),
        writer::date("closing_on", rows, closing_on),
    ]
}

/// One row of [`COUNTRIES`].
pub(super) type Country = (&'static str, &'static str, &'static str);

/// Makes the countries.
pub(super) fn generate_countries(sink: &mut Sink<'_, Country>) -> Result<()> {
    COUNTRIES.into_iter().try_for_each(|country| sink.push(country))
}

/// The columns of the countries.
pub(super) fn country_columns(rows: &[Country]) -> Vec<Column> {
    vec![
        writer::text("country", rows, |row| row.0),
        writer::text("name", rows, |row| row.1),
        writer::text("currency", rows, |row| row.2),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::offices::OFFICES;
    use std::collections::BTreeSet;

    #[test]
    fn every_office_has_a_country_and_every_country_a_currency() {
        let of_offices: BTreeSet<&str> = OFFICES.iter().map(|office| office.country).collect();
        assert_eq!(COUNTRIES.iter().map(|country| country.0).collect::<BTreeSet<_>>(), of_offices);
        let paid: BTreeSet<&str> = COUNTRIES.iter().map(|country| country.2).collect();
        assert_eq!(CURRENCIES.iter().map(|currency| currency.0).collect::<BTreeSet<_>>(), paid);
    }
}
