//! Bridges: how steps lead from a first to a last total.
//!
//! Where the first number and those between add up to the last, first and last are totals. Otherwise every row is a step from
//! zero, and their sum stands at the end: under the total's own label, if a row has that. A step without a number is refused before
//! ([`Figure`]).

use super::rows::{Piece, Row, Rows, STEPS};
use crate::output::chart::axis::{Entry, Sign};
use crate::output::chart::figure::Figure;
use crate::output::chart::scale::Scale;
use crate::output::chart::scene::Paint;
use crate::output::chart::sentence::{joined, listed};
use crate::output::present::Good;

/// How far sums may be from a total, by the size of what is added: the last digits of cents and of fractions.
const TOLERANCE: f64 = 1e-6;

/// What the sum of steps is called that no row names.
const SUM: &str = "Sum";

struct Bridge {
    /// The row at the beginning, where that is a total.
    first: Option<usize>,
    /// Rows that add up, in their order.
    steps: Vec<usize>,
    /// The label of the last total and its number.
    last: (String, f64),
}

/// The number of a row; all but the total have one.
fn number(figure: &Figure, row: usize) -> f64 {
    figure.up.number(row).unwrap_or_default()
}

impl Bridge {
    fn of(figure: &Figure) -> Self {
        let number = |row: usize| number(figure, row);
        let rows: Vec<usize> = (0..figure.rows).filter(|&row| !figure.is_total(row)).collect();
        let size = figure.up.present().fold(0.0, |size, number| size + number.abs());
        if let [first, steps @ .., last] = rows.as_slice()
            && !steps.is_empty()
            && (number(*first) + steps.iter().map(|&row| number(row)).sum::<f64>() - number(*last)).abs()
                <= TOLERANCE * size
        {
            let last = (figure.across.label(*last).to_owned(), number(*last));
            return Self { first: Some(*first), steps: steps.to_vec(), last };
        }
        let sum = rows.iter().map(|&row| number(row)).sum();
        let name = (0..figure.rows).find(|&row| figure.is_total(row)).map_or(SUM, |row| figure.across.label(row));
        Self { first: None, steps: rows, last: (name.to_owned(), sum) }
    }
}

/// The colour of a step by its sign: good or bad where the column says which is which, else one that says neither.
fn paint(figure: &Figure, step: f64) -> Paint {
    match figure.up.good {
        _ if step == 0.0 => Paint::Muted,
        Some(good) if (good == Good::Up) == (step > 0.0) => Paint::Good,
        Some(_) => Paint::Bad,
        None if step > 0.0 => Paint::Series(3),
        None => Paint::Series(5),
    }
}

/// The text of a step, with its sign.
fn signed(text: String, step: f64) -> String {
    if step > 0.0 && !text.starts_with('+') { format!("+{text}") } else { text }
}

pub fn rows(figure: &Figure) -> Rows {
    let bridge = Bridge::of(figure);
    let (name, end) = &bridge.last;
    let mut rows = Vec::new();
    let mut ends = vec![*end];
    let mut so_far = 0.0;
    if let Some(first) = bridge.first {
        so_far = number(figure, first);
        rows.push(total(figure, figure.across.label(first), so_far, Some(so_far)));
        ends.push(so_far);
    }
    for &row in &bridge.steps {
        let step = number(figure, row);
        let (from, to) = (so_far, so_far + step);
        let beside = if from.max(to) > 0.0 { from.max(to) } else { from.min(to) };
        rows.push(Row {
            label: figure.across.label(row).to_owned(),
            tip: figure.tip(row),
            pieces: vec![Piece::Bar { from, to, paint: paint(figure, step) }, Piece::Link(to)],
            value: Some((signed(figure.up.form.short(step), step), beside)),
            ..Row::default()
        });
        so_far = to;
        ends.push(to);
    }
    rows.push(total(figure, name, *end, None));
    let scale = Scale::around(ends.into_iter().chain([0.0]), STEPS);
    Rows {
        heading: figure.heading.clone(),
        title: figure.up.title.clone(),
        key_title: String::new(),
        key: key(figure, &bridge.steps),
        rows,
        scale,
        form: figure.up.form.clone(),
        edges: Vec::new(),
        has_value_column: false,
        has_zero: true,
    }
}

/// Which colour rises and which falls, where there are both.
fn key(figure: &Figure, steps: &[usize]) -> Vec<Entry> {
    let any = |is: fn(f64) -> bool| steps.iter().any(|&row| is(number(figure, row)));
    if !any(|step| step > 0.0) || !any(|step| step < 0.0) {
        return Vec::new();
    }
    [("rises", 1.0), ("falls", -1.0)].map(|(name, step)| Entry::new(name, Sign::Box(paint(figure, step)))).to_vec()
}

fn total(figure: &Figure, name: &str, number: f64, link: Option<f64>) -> Row {
    let bar = Piece::Bar { from: 0.0, to: number, paint: Paint::Ink };
    Row {
        label: name.to_owned(),
        pieces: [bar].into_iter().chain(link.map(Piece::Link)).collect(),
        value: Some((figure.up.form.short(number), number)),
        tip: format!("{name}: {} {}", figure.up.title, figure.up.form.exact(number)),
        ..Row::default()
    }
}

pub fn sentence(figure: &Figure) -> String {
    let bridge = Bridge::of(figure);
    let exact = |number: f64| figure.up.form.exact(number);
    let written = |step: f64| signed(exact(step), step);
    let mut steps: Vec<(&str, f64)> = (bridge.steps.iter())
        .map(|&row| (figure.across.label(row), number(figure, row)))
        .filter(|(_, step)| *step != 0.0)
        .collect();
    steps.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()));
    let parts: Vec<String> = steps.iter().take(3).map(|(name, step)| format!("{name} {}", written(*step))).collect();
    let (name, end) = &bridge.last;
    let way = match bridge.first {
        Some(first) => {
            let from = number(figure, first);
            let first = figure.across.label(first);
            format!(
                "{}: from {first} ({}) to {name} ({}), a change of {}.",
                figure.up.title,
                exact(from),
                exact(*end),
                written(end - from)
            )
        }
        None => format!("{}: {} steps add up to {} ({name}).", figure.up.title, bridge.steps.len(), exact(*end)),
    };
    let largest = match parts.as_slice() {
        [] => None,
        [one] => Some(format!("The only step is {one}.")),
        parts => Some(format!("The largest steps are {}.", listed(parts))),
    };
    joined([Some(way), largest])
}
