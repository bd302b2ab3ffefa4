//! Bars: one for each row, from zero to its number.

use super::rows::{Piece, Rows, STEPS};
use crate::output::chart::figure::Figure;
use crate::output::chart::scale::Scale;
use crate::output::chart::sentence::{joined, missing, outside_bands, ranked};

pub fn rows(figure: &Figure) -> Rows {
    let scale = Scale::around(figure.up.present().chain([0.0]), STEPS);
    Rows::of(figure, scale, |_, number, paint| (vec![Piece::Bar { from: 0.0, to: number, paint }], number))
}

pub fn sentence(figure: &Figure) -> String {
    let (numbers, reasons) = figure.without_total();
    let bands = outside_bands(numbers.iter().map(|(_, number)| *number), &figure.up);
    joined([ranked(figure), bands, missing(&reasons, numbers.len() + reasons.len())])
}
