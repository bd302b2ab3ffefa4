//! Bullets: each number as a bar against its target, over the bands of its column.

use super::rows::{Piece, Rows, STEPS};
use crate::output::chart::column::Column;
use crate::output::chart::figure::Figure;
use crate::output::chart::scale::Scale;
use crate::output::chart::scene::Paint;
use crate::output::chart::sentence::{joined, listed, missing, ranked};
use crate::output::present::Good;

/// Bands from the first to the last, the deeper the farther from good.
const BANDS: [Paint; 3] = [Paint::Tint(-2), Paint::Tint(0), Paint::Tint(2)];

pub fn rows(figure: &Figure) -> Rows {
    let targets = figure.target.iter().flat_map(Column::present);
    let edges = figure.up.bands.iter().copied();
    let scale = Scale::around(figure.up.present().chain(targets).chain(edges).chain([0.0]), STEPS);
    let (low, high) = (scale.low, scale.high);
    let mut rows = Rows::of(figure, scale, |row, number, paint| {
        let mut pieces = zones(figure, low, high);
        pieces.push(Piece::Bar {
            from: 0.0,
            to: number,
            paint: if paint == Paint::Ink { paint } else { met(figure, row) },
        });
        let target = figure.target.as_ref().and_then(|target| target.number(row));
        pieces.extend(target.map(Piece::Target));
        (pieces, number)
    });
    // Zones reach to the end of the axis: a value beside its bar would stand on them.
    rows.has_value_column = true;
    if let Some(target) = &figure.target {
        rows.title = format!("{}; the upright line is {}", figure.up.title, target.title);
    }
    rows
}

fn zones(figure: &Figure, low: f64, high: f64) -> Vec<Piece> {
    let bands = &figure.up.bands;
    if bands.is_empty() {
        return vec![Piece::Zone { from: low, to: high, paint: Paint::Tint(0) }];
    }
    let edges: Vec<f64> = [low].into_iter().chain(bands.iter().copied()).chain([high]).collect();
    let last = edges.len().saturating_sub(2);
    let zone = |(place, pair): (usize, &[f64])| {
        let step = match (place, figure.up.good) {
            (_, None) => 1,
            (0, _) => 0,
            (place, _) if place == last => 2,
            _ => 1,
        };
        let step = if figure.up.good == Some(Good::Down) { 2 - step } else { step };
        let paint = BANDS.get(step).copied().unwrap_or(Paint::Tint(0));
        match pair {
            [from, to] => Some(Piece::Zone { from: *from, to: *to, paint }),
            _ => None,
        }
    };
    edges.windows(2).enumerate().filter_map(zone).collect()
}

/// The colour of a bar by whether it has reached its target.
fn met(figure: &Figure, row: usize) -> Paint {
    match reached(figure, row) {
        Some(true) => Paint::Good,
        Some(false) => Paint::Bad,
        None => Paint::Series(0),
    }
}

/// Whether the row's number is on the good side of its target.
fn reached(figure: &Figure, row: usize) -> Option<bool> {
    let (number, target) = (figure.up.number(row)?, figure.target.as_ref()?.number(row)?);
    Some(match figure.up.good.unwrap_or(Good::Up) {
        Good::Up => number >= target,
        Good::Down => number <= target,
    })
}

pub fn sentence(figure: &Figure) -> String {
    let judged: Vec<(usize, bool)> = (0..figure.rows).filter_map(|row| Some((row, reached(figure, row)?))).collect();
    let met = judged.iter().filter(|(_, is_met)| *is_met).count();
    let short: Vec<String> =
        judged.iter().filter(|(_, is_met)| !is_met).map(|(row, _)| figure.across.label(*row).to_owned()).collect();
    let targets = (!judged.is_empty()).then(|| match short.as_slice() {
        [] => format!("All {met} reach their target."),
        short if short.len() <= 5 => format!("{met} of {} reach their target; {} do not.", judged.len(), listed(short)),
        _ => format!("{met} of {} reach their target.", judged.len()),
    });
    let (numbers, reasons) = figure.without_total();
    joined([ranked(figure), targets, missing(&reasons, numbers.len() + reasons.len())])
}
