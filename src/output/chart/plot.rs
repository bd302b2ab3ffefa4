//! Lines and points on a grid of Braille dots, two by four in each character, between axes with round numbers.

use unicode_width::UnicodeWidthStr;

use super::bars::cut;
use super::scale::Scale;
use super::{Column, Size};

/// What stands for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Point,
    /// A line to the next row of its series, unless a value is missing between them.
    Line,
}

/// Bits of the eight dots of a Braille character, by row and column.
const DOTS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// Characters of the widest name of a series.
const NAME_MAX: usize = 20;

pub fn draw(x: &Column<'_>, y: &Column<'_>, by: Option<&Column<'_>>, mark: Mark, size: Size) -> String {
    let rows = size.height.saturating_sub(5).clamp(5, 20);
    let scale = Scale::around(y.numbers.iter().flatten().copied(), rows / 4);
    let ticks: Vec<String> = scale.ticks.iter().map(|&tick| (y.format)(tick)).collect();
    let axis_width = ticks.iter().map(|tick| tick.width()).max().unwrap_or(0);
    let series = series(x, by);
    let name_width = series.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    let columns = size.width.saturating_sub(axis_width + name_width + 3).max(10);

    let across = across(x);
    let mut grid = Grid::new(columns, rows);
    let mut names = vec![String::new(); rows];
    for (name, places) in &series {
        let mut before: Option<(usize, usize)> = None;
        let mut last = None;
        for &place in places {
            let dot = across[place].zip(y.numbers[place]).map(|(share, number)| grid.dot(share, scale.share(number)));
            match (mark, before, dot) {
                (Mark::Line, Some(from), Some(to)) => grid.line(from, to),
                (_, _, Some(to)) => grid.set(to),
                _ => {}
            }
            last = dot.or(last);
            before = dot;
        }
        if let Some((_, row)) = last {
            place_name(&mut names, row / 4, name);
        }
    }
    let mut text = match by {
        Some(by) => format!("{} by {} and {}\n", y.title, x.title, by.title),
        None => format!("{} by {}\n", y.title, x.title),
    };
    for (row, name) in names.iter().enumerate() {
        let tick = scale.ticks.iter().position(|&tick| grid.dot(0.0, scale.share(tick)).1 / 4 == row);
        let tick = tick.map_or("", |place| ticks[place].as_str());
        let edge = if tick.is_empty() { "│" } else { "┤" };
        let blanks = " ".repeat(axis_width - tick.width());
        text += format!("{blanks}{tick} {edge}{} {name}", grid.row(row)).trim_end();
        text.push('\n');
    }
    text += &format!("{} └{}\n", " ".repeat(axis_width), "─".repeat(columns));
    let (first, last) = ends(x, &across);
    let gap = " ".repeat(columns.saturating_sub(first.width() + last.width()).max(1));
    text += format!("{}  {first}{gap}{last}", " ".repeat(axis_width)).trim_end();
    text.push('\n');
    text
}

/// For each row how far it is from the left to the right end: by its number where all labels are numbers or times, else by
/// the place of its label.
fn across(x: &Column<'_>) -> Vec<Option<f64>> {
    if x.numbers.iter().any(Option::is_some) {
        let low = x.numbers.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        let high = x.numbers.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
        let span = if high > low { high - low } else { 1.0 };
        return x.numbers.iter().map(|number| number.map(|number| (number - low) / span)).collect();
    }
    let mut order: Vec<&str> = Vec::new();
    let places: Vec<usize> = (x.labels.iter())
        .map(|label| {
            order.iter().position(|known| known == label).unwrap_or_else(|| {
                order.push(label);
                order.len() - 1
            })
        })
        .collect();
    let last = order.len().saturating_sub(1).max(1) as f64;
    places.into_iter().map(|place| Some(place as f64 / last)).collect()
}

/// The labels at the left and the right end.
fn ends<'a>(x: &'a Column<'_>, across: &[Option<f64>]) -> (&'a str, &'a str) {
    let label = |place: Option<usize>| place.map_or("", |place| x.labels[place].as_str());
    let known = || (0..across.len()).filter(|&place| across[place].is_some());
    let order = |a: &usize, b: &usize| across[*a].partial_cmp(&across[*b]).unwrap_or(std::cmp::Ordering::Equal);
    (label(known().min_by(order)), label(known().max_by(order)))
}

/// The rows of each series, from left to right, with the name of each.
fn series(x: &Column<'_>, by: Option<&Column<'_>>) -> Vec<(String, Vec<usize>)> {
    let mut series: Vec<(String, Vec<usize>)> = Vec::new();
    for place in 0..x.labels.len() {
        let name = by.map_or_else(String::new, |by| cut(&by.labels[place], NAME_MAX));
        match series.iter_mut().find(|(known, _)| *known == name) {
            Some((_, places)) => places.push(place),
            None => series.push((name, vec![place])),
        }
    }
    let across = across(x);
    for (_, places) in &mut series {
        places.sort_by(|a, b| across[*a].partial_cmp(&across[*b]).unwrap_or(std::cmp::Ordering::Equal));
    }
    series
}

/// Writes the name of a series at the end of its line, or on the nearest row that is free.
fn place_name(names: &mut [String], row: usize, name: &str) {
    let mut rows: Vec<usize> = (0..names.len()).collect();
    rows.sort_by_key(|other| other.abs_diff(row));
    match rows.into_iter().find(|&row| names[row].is_empty()) {
        Some(row) => name.clone_into(&mut names[row]),
        // More series than rows: names share the row.
        None => names[row] += &format!(", {name}"),
    }
}

struct Grid {
    columns: usize,
    rows: usize,
    cells: Vec<u32>,
}

impl Grid {
    fn new(columns: usize, rows: usize) -> Self {
        Self { columns, rows, cells: vec![0; columns * rows] }
    }

    /// The dot at these shares from the left and from the bottom: its column and row, counted from the top.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shares of 0 to 1 of a small grid")]
    fn dot(&self, across: f64, up: f64) -> (usize, usize) {
        let column = (across * (self.columns * 2 - 1) as f64).round() as usize;
        let row = ((1.0 - up) * (self.rows * 4 - 1) as f64).round() as usize;
        (column, row)
    }

    fn set(&mut self, (column, row): (usize, usize)) {
        self.cells[row / 4 * self.columns + column / 2] |= DOTS[row % 4][column % 2];
    }

    /// Sets the dots from one to another, both included.
    fn line(&mut self, from: (usize, usize), to: (usize, usize)) {
        let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1)).max(1);
        let between = |from: usize, to: usize, step: usize| {
            // Rounded to the nearest dot.
            (from * (steps - step) + to * step + steps / 2) / steps
        };
        for step in 0..=steps {
            self.set((between(from.0, to.0, step), between(from.1, to.1, step)));
        }
    }

    fn row(&self, row: usize) -> String {
        let cells = &self.cells[row * self.columns..(row + 1) * self.columns];
        let letter = |&dots: &u32| if dots == 0 { ' ' } else { char::from_u32(0x2800 + dots).unwrap_or(' ') };
        cells.iter().map(letter).collect()
    }
}
