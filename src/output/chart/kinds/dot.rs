//! Dots: one for each row with its interval; those of a label together where rows share labels, as a swarm where they are many.

use super::groups::Groups;
use super::rows::{Piece, Row, Rows, STEPS};
use crate::output::chart::axis::{Entry, Sign};
use crate::output::chart::column::Column;
use crate::output::chart::figure::Figure;
use crate::output::chart::scale::Scale;
use crate::output::chart::scene::Paint;
use crate::output::chart::sentence::{joined, listed, missing, outside_bands, ranked};

/// Dots of a label from which on they are a swarm.
const SWARM_FROM: usize = 6;

pub fn rows(figure: &Figure) -> Rows {
    let ends = |column: &Option<Column>| column.iter().flat_map(Column::present).collect::<Vec<f64>>();
    let values = figure.up.present().chain(ends(&figure.low)).chain(ends(&figure.high));
    let scale = Scale::around(values, STEPS);
    let mut rows = Rows::of(figure, scale, |row, number, paint| {
        let range = figure.interval(row).map(|(low, high)| Piece::Range { low, high, paint });
        (range.into_iter().chain([Piece::Dot { at: number, paint }]).collect(), number)
    });
    rows.has_zero = false;
    rows.has_value_column = true;
    if rows.scale.low < 0.0 && rows.scale.high > 0.0 {
        rows.edges.push((0.0, String::new()));
    }
    rows.edges.extend(
        reference(figure)
            .filter(|(value, _)| *value != 0.0)
            .map(|(value, name)| (value, format!("{name} {}", figure.up.form.short(value)))),
    );
    if shares_labels(figure) {
        rows.rows = together(figure, &mut rows.key);
        rows.has_value_column = false;
    }
    rows
}

/// Whether several rows have the same label, and no headings tell them apart.
fn shares_labels(figure: &Figure) -> bool {
    figure.across.distinct().0.len() < figure.rows && !matches!(Groups::of(figure), Groups::Headings)
}

/// A row for each label with all its dots.
fn together(figure: &Figure, key: &mut Vec<Entry>) -> Vec<Row> {
    let (labels, places) = figure.across.distinct();
    let paints = match Groups::of(figure) {
        Groups::Coloured { paints, .. } => paints,
        _ => vec![Paint::Series(0); figure.rows],
    };
    let row = |(place, label): (usize, &&str)| {
        let of_label: Vec<usize> = (0..figure.rows).filter(|row| places.get(*row) == Some(&place)).collect();
        let dots: Vec<(f64, Paint, String)> = (of_label.iter())
            .filter_map(|&row| Some((figure.up.number(row)?, *paints.get(row)?, figure.tip(row))))
            .collect();
        let reason = of_label.first().map(|&row| figure.up.reason(row).to_owned());
        let pieces = if dots.len() >= SWARM_FROM {
            let numbers = dots.iter().map(|(number, ..)| *number).collect();
            vec![Piece::Swarm(dots), Piece::Target(median(numbers))]
        } else {
            dots.iter().map(|(at, paint, _)| Piece::Dot { at: *at, paint: *paint }).collect()
        };
        let missing = reason.filter(|_| pieces.is_empty());
        Row { label: label.to_string(), pieces, missing, tip: (*label).to_owned(), ..Row::default() }
    };
    let rows: Vec<Row> = labels.iter().enumerate().map(row).collect();
    if rows.iter().any(|row| row.pieces.iter().any(|piece| matches!(piece, Piece::Swarm(_)))) {
        key.push(Entry::new("median", Sign::Line));
    }
    rows
}

/// The middle of numbers, of which there is one at least.
fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    let at = |place: usize| numbers.get(place).copied().unwrap_or_default();
    if numbers.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.saturating_sub(1)), at(middle)) }
}

/// What intervals are held against: the total's number, or zero where numbers are differences.
fn reference(figure: &Figure) -> Option<(f64, String)> {
    figure.low.as_ref().and(figure.high.as_ref())?;
    let total = (0..figure.rows)
        .find(|&row| figure.is_total(row))
        .and_then(|row| Some((figure.up.number(row)?, figure.across.label(row).to_owned())));
    total.or_else(|| figure.up.form.is_signed().then(|| (0.0, "0".to_owned())))
}

pub fn sentence(figure: &Figure) -> String {
    let (numbers, reasons) = figure.without_total();
    let bands = outside_bands(numbers.iter().map(|(_, number)| *number), &figure.up);
    let missing = missing(&reasons, numbers.len() + reasons.len());
    if shares_labels(figure) && numbers.len() >= SWARM_FROM * 2 {
        return joined([Some(medians(figure)), bands, missing]);
    }
    joined([ranked(figure), outside(figure), bands, missing])
}

/// How many intervals lie wholly on one side of what they are held against.
fn outside(figure: &Figure) -> Option<String> {
    let (value, name) = reference(figure)?;
    let intervals = || (0..figure.rows).filter(|&row| !figure.is_total(row)).filter_map(|row| figure.interval(row));
    let (above, below) =
        (intervals().filter(|(low, _)| *low > value).count(), intervals().filter(|(_, high)| *high < value).count());
    let all = intervals().count();
    (all > 0).then(|| format!("Intervals wholly above {name}: {above} of {all}; wholly below: {below}."))
}

/// The middle of each label's dots.
fn medians(figure: &Figure) -> String {
    let (labels, places) = figure.across.distinct();
    let middle = |(place, label): (usize, &&str)| {
        let numbers: Vec<f64> = (0..figure.rows)
            .filter(|row| places.get(*row) == Some(&place))
            .filter_map(|row| figure.up.number(row))
            .collect();
        let count = numbers.len();
        (count > 0).then(|| format!("{} for {label} ({count} values)", figure.up.form.exact(median(numbers))))
    };
    let middles: Vec<String> = labels.iter().enumerate().filter_map(middle).collect();
    format!("The median of {} is {}.", figure.up.title, listed(&middles))
}
