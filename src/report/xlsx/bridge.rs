//! The steps of a bridge, as the charts of pages have them.

use super::figure::Figure;

/// How far sums may be from a total, by the size of what is added: the last digits of cents and of fractions.
const TOLERANCE: f64 = 1e-6;

/// A piece of a bridge: what it is called, and from where to where it goes.
pub struct Step {
    pub name: String,
    pub ends: (f64, f64),
    pub is_total: bool,
}

/// The steps of a bridge, which all have a number. Where the first and those between add up to the last, first and last are totals;
/// otherwise every row is a step from zero, and their sum stands at the end.
pub fn bridge(figure: &Figure<'_>) -> Vec<Step> {
    let total = figure.total.as_deref();
    let rows: Vec<(&str, f64)> = (figure.across.labels.iter().map(String::as_str))
        .zip(figure.up.numbers.iter().copied())
        .filter(|(label, _)| Some(*label) != total)
        .filter_map(|(label, number)| Some((label, number?)))
        .collect();
    let sum = |rows: &[(&str, f64)]| rows.iter().map(|(_, number)| number).sum::<f64>();
    let size: f64 = rows.iter().map(|(_, number)| number.abs()).sum();
    let (is_led, last) = match rows.as_slice() {
        [_, _, .., (last, end)] if (sum(&rows[..rows.len() - 1]) - end).abs() <= TOLERANCE * size => {
            (true, ((*last).to_owned(), *end))
        }
        _ => (false, (total.unwrap_or("Sum").to_owned(), sum(&rows))),
    };
    let mut at = 0.0;
    let between = if is_led { &rows[..rows.len() - 1] } else { &rows[..] };
    let mut steps: Vec<Step> = (between.iter().enumerate())
        .map(|(place, (name, number))| {
            let ends = (at, at + number);
            at = ends.1;
            Step { name: (*name).to_owned(), ends, is_total: is_led && place == 0 }
        })
        .collect();
    let (name, end) = last;
    steps.push(Step { name, ends: (0.0, end), is_total: true });
    steps
}
