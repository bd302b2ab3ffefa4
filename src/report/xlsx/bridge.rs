//! The steps of a bridge, as the charts of pages have them.

use super::figure::Figure;

/// How far sums may be from a total, by the size of what is added: the last digits of cents and of fractions.
const TOLERANCE: f64 = 1e-6;

/// A piece of a bridge: what it is called, and from where to where it goes; nowhere when its number is missing.
pub struct Step {
    pub name: String,
    pub ends: Option<(f64, f64)>,
    pub is_total: bool,
}

/// The steps of a bridge. Where the first number and those between add up to the last, first and last are totals; otherwise every
/// row is a step from zero, and their sum stands at the end.
pub fn bridge(figure: &Figure<'_>) -> Vec<Step> {
    let total = figure.total.as_deref();
    let rows: Vec<(&str, Option<f64>)> = (figure.across.labels.iter().map(String::as_str))
        .zip(figure.up.numbers.iter().copied())
        .filter(|(label, _)| Some(*label) != total)
        .collect();
    let sum = |rows: &[(&str, Option<f64>)]| rows.iter().filter_map(|(_, number)| *number).sum::<f64>();
    let size: f64 = rows.iter().filter_map(|(_, number)| *number).map(f64::abs).sum();
    let (is_led, last) = match rows.as_slice() {
        [(_, Some(_)), _, .., (last, Some(end))] if (sum(&rows[..rows.len() - 1]) - end).abs() <= TOLERANCE * size => {
            (true, ((*last).to_owned(), *end))
        }
        _ => (false, (total.unwrap_or("Sum").to_owned(), sum(&rows))),
    };
    let mut at = 0.0;
    let between = if is_led { &rows[..rows.len() - 1] } else { &rows[..] };
    let mut steps: Vec<Step> = (between.iter().enumerate())
        .map(|(place, (name, number))| {
            let ends = number.map(|number| (at, at + number));
            at = ends.map_or(at, |(_, end)| end);
            Step { name: (*name).to_owned(), ends, is_total: is_led && place == 0 }
        })
        .collect();
    let (name, end) = last;
    steps.push(Step { name, ends: Some((0.0, end)), is_total: true });
    steps
}
