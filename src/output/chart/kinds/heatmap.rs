//! Heat maps: a cell for each pair of labels with its number, tinted by how far it is from the middle, and on which side.
//!
//! The middle is 1 for ratios whose bands lie around it, by ratio; zero where numbers carry signs; else the middle of the bands, or the
//! median. Half of what lies beyond a few is the same tint, so that one cell out of line leaves the others apart.

use std::cmp::Ordering;
use std::collections::HashSet;

use crate::output::chart::axis::{self, Entry, Sign};
use crate::output::chart::column::Column;
use crate::output::chart::figure::Figure;
use crate::output::chart::scene::{Anchor, Canvas, Paint, Point, Scene, Shape, Weight};
use crate::output::chart::sentence::{counted, extremes, joined, missing_for, outside_bands};
use crate::output::present::{Good, by_bands};

/// Strongest tint.
const STRONGEST: f64 = 4.0;

/// The share of cells whose distance from the middle is not beyond the strongest tint.
const WITHIN: f64 = 0.95;

/// Pixels of a cell, and of its least width.
const CELL: f64 = 22.0;
const CELL_MIN: f64 = 14.0;
const CELL_MAX: f64 = 120.0;

/// What is said of a cell of which there is no row.
const NO_ROW: &str = "no row";

/// Rows and columns that are drawn in a page; the rest is counted.
const ROWS_MAX: usize = 120;
const COLUMNS_MAX: usize = 40;

/// Characters of the widest label, and of what stands for a cell without a value.
const LABEL_MAX: f64 = 18.0;
const HATCH: f64 = 3.0;

/// Where colours change sides.
struct Middle {
    at: f64,
    is_ratio: bool,
    /// The distance of the strongest tint.
    far: f64,
    /// What is at hand for the key: the numbers between which nothing is out of line.
    bands: Option<(f64, f64)>,
}

impl Middle {
    fn of(numbers: &Column) -> Self {
        let bands = numbers.bands.first().copied().zip(numbers.bands.last().copied());
        let is_ratio = bands.is_some_and(|(low, high)| low > 0.0 && low < 1.0 && high > 1.0);
        let at = match bands {
            _ if is_ratio => 1.0,
            Some((low, high)) => f64::midpoint(low, high),
            None if numbers.form.is_signed() => 0.0,
            None => median(numbers),
        };
        let mut middle = Self { at, is_ratio, far: 1.0, bands };
        // A ratio of zero is farther than all others, and would leave them without a tint.
        let told = numbers.present().filter(|number| !is_ratio || *number > 0.0);
        let mut distances: Vec<f64> = told.map(|number| middle.distance(number).abs()).collect();
        distances.sort_by(f64::total_cmp);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
        let place = ((distances.len() as f64 * WITHIN).ceil() as usize).saturating_sub(1);
        let far = distances.get(place).copied().filter(|far| *far > 0.0);
        middle.far = far.or_else(|| distances.last().copied().filter(|far| *far > 0.0)).unwrap_or(1.0);
        middle
    }

    fn distance(&self, number: f64) -> f64 {
        match self.is_ratio {
            // What is not above zero is as far below as can be.
            true if number <= 0.0 => f64::MIN,
            true => number.ln(),
            false => number - self.at,
        }
    }

    /// The side and strength of a number: -4 to 4.
    #[expect(clippy::cast_possible_truncation, reason = "clamped to a few")]
    fn step(&self, number: f64) -> i8 {
        (self.distance(number) / self.far * STRONGEST).clamp(-STRONGEST, STRONGEST).round() as i8
    }

    /// Whether a number out of the bands is above them.
    fn is_out(&self, number: f64) -> Option<bool> {
        let (low, high) = self.bands?;
        by_bands(number, &[low, high]).filter(|side| side.is_ne()).map(Ordering::is_gt)
    }
}

fn median(numbers: &Column) -> f64 {
    let mut sorted: Vec<f64> = numbers.present().collect();
    sorted.sort_by(f64::total_cmp);
    let at = |place: usize| sorted.get(place).copied().unwrap_or_default();
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.saturating_sub(1)), at(middle)) }
}

/// The tint of a step: what is good is blue, and high where nothing is said to be good.
fn tint(numbers: &Column, step: i8) -> Paint {
    Paint::Tint(if numbers.good == Some(Good::Down) { -step } else { step })
}

pub fn lay_out(figure: &Figure, canvas: &Canvas) -> Scene {
    let mut scene = Scene { width: canvas.width, ..Scene::default() };
    let Some(numbers) = &figure.by else { return scene };
    let top = axis::heading(&mut scene, canvas, &figure.heading);
    match canvas.is_page() {
        true => page(&mut scene, figure, numbers, canvas, top),
        false => terminal(&mut scene, figure, numbers, canvas, top),
    }
    scene
}

/// What the tints and the hatch stand for.
fn key(numbers: &Column, middle: &Middle, absent: usize) -> Vec<Entry> {
    let short = |number: f64| numbers.form.edge(number);
    let (below, above) = (Sign::Box(tint(numbers, -3)), Sign::Box(tint(numbers, 3)));
    let mut key = match middle.bands {
        _ if numbers.present().next().is_none() => Vec::new(),
        Some((low, high)) => vec![
            Entry::new(format!("below {}", short(low)), below),
            Entry::new(format!("{} to {}", short(low), short(high)), Sign::Box(Paint::Tint(0))),
            Entry::new(format!("above {}", short(high)), above),
        ],
        None if middle.at == 0.0 => vec![Entry::new("below 0", below), Entry::new("above 0", above)],
        None => {
            let at = short(middle.at);
            vec![Entry::new(format!("below the median, {at}"), below), Entry::new("above it", above)]
        }
    };
    key.extend(reasons(numbers, absent).map(|name| Entry::new(name, Sign::Hatch)));
    key
}

/// What is hatched, with why: `not reported (5), partial (2)`.
fn reasons(numbers: &Column, absent: usize) -> Option<String> {
    let gaps = (0..numbers.numbers.len()).filter(|&row| numbers.number(row).is_none());
    let mut counts = counted(gaps.map(|row| numbers.reason(row)));
    if absent > 0 {
        counts.push((NO_ROW, absent));
    }
    let named: Vec<String> = counts.iter().map(|(reason, count)| format!("{reason} ({count})")).collect();
    (!named.is_empty()).then(|| named.join(", "))
}

fn page(scene: &mut Scene, figure: &Figure, numbers: &Column, canvas: &Canvas, top: f64) {
    let middle = Middle::of(numbers);
    let ((columns, across), (rows, down)) = (figure.across.distinct(), figure.up.distinct());
    let absent = rows.len() * columns.len() - figure.rows;
    let rest = (rows.len().saturating_sub(ROWS_MAX), columns.len().saturating_sub(COLUMNS_MAX));
    let (rows, columns) = (first(&rows, ROWS_MAX), first(&columns, COLUMNS_MAX));
    let is_shown = |column: usize, line: usize| column < columns.len() && line < rows.len();
    let top = axis::key(scene, canvas, top, "", &key(numbers, &middle, absent));
    let plain = |text: &str| canvas.wide(text, Weight::Plain);
    let label_width = rows.iter().fold(0.0_f64, |widest, row| widest.max(plain(row))).min(canvas.width * 0.3);
    let left = label_width + canvas.gap();
    let width = ((canvas.width - left) / columns.len() as f64).clamp(CELL_MIN, CELL_MAX);
    for (place, column) in columns.iter().enumerate() {
        let at = Point::new(left + (place as f64 + 0.5) * width, top + canvas.line() / 2.0);
        scene.text(at, canvas.cut(column, width - 2.0), Anchor::Middle, Paint::Muted);
    }
    let top = top + canvas.line() + 4.0;
    for (place, row) in rows.iter().enumerate() {
        let at = Point::new(label_width, top + (place as f64 + 0.5) * CELL);
        scene.text(at, canvas.cut(row, label_width), Anchor::End, Paint::Ink);
    }
    let field = Field { left, top, width };
    for (column, line) in missing_pairs(&across, &down, columns.len(), rows.len()) {
        scene.add_told(field.hatch(column, line), Paint::Gap, NO_ROW.to_owned());
    }
    let cells = across.iter().copied().zip(down.iter().copied()).enumerate();
    for (row, (column, line)) in cells.filter(|(_, (column, line))| is_shown(*column, *line)) {
        let told = |value: &str| format!("{}: {value}", figure.tip_of_cell(row));
        match numbers.number(row) {
            None => scene.add_told(field.hatch(column, line), Paint::Gap, told(numbers.reason(row))),
            Some(number) => {
                let paint = tint(numbers, middle.step(number));
                scene.add_told(field.filled(column, line), paint, told(numbers.label(row)));
                let text = numbers.form.short(number);
                write_cell(scene, canvas, text, middle.is_out(number), field.center(column, line), width);
            }
        }
    }
    let mut bottom = top + rows.len() as f64 * CELL + 4.0;
    if rest != (0, 0) {
        let text = format!("… and {} more rows and {} more columns, which are not drawn", rest.0, rest.1);
        scene.text(Point::new(0.0, bottom + canvas.line() / 2.0), text, Anchor::Start, Paint::Muted);
        bottom += canvas.line();
    }
    scene.height = bottom.ceil();
    scene.width = canvas.width.max(left + columns.len() as f64 * width);
}

/// Where cells lie on a page.
struct Field {
    left: f64,
    top: f64,
    width: f64,
}

impl Field {
    /// The corner and the sides of a cell, less a hair of the surface around it.
    fn inner(&self, column: usize, line: usize) -> (Point, f64, f64) {
        let (x, y) = (self.left + column as f64 * self.width, self.top + line as f64 * CELL);
        (Point::new(x + 0.5, y + 0.5), self.width - 1.0, CELL - 1.0)
    }

    fn hatch(&self, column: usize, line: usize) -> Shape {
        let (at, width, height) = self.inner(column, line);
        Shape::Hatch { at, width, height }
    }

    fn filled(&self, column: usize, line: usize) -> Shape {
        let (at, width, height) = self.inner(column, line);
        Shape::Box { at, width, height }
    }

    fn center(&self, column: usize, line: usize) -> Point {
        let (at, width, height) = self.inner(column, line);
        Point::new(at.x + width / 2.0, at.y + height / 2.0)
    }
}

/// The number in its cell, and before it an arrow where it is beyond the bands; each only where it has room.
fn write_cell(scene: &mut Scene, canvas: &Canvas, text: String, out: Option<bool>, center: Point, width: f64) {
    let text_width = canvas.wide(&text, Weight::Plain);
    if text_width + 4.0 <= width {
        scene.text(center, text, Anchor::Middle, Paint::Ink);
    }
    if let Some(is_up) = out.filter(|_| text_width + 28.0 <= width) {
        let at = Point::new(center.x - text_width / 2.0 - 9.0, center.y);
        scene.add(Shape::Arrow { at, is_up }, Paint::Ink);
    }
}

/// The first so many labels.
fn first<'a>(labels: &'a [&'a str], count: usize) -> &'a [&'a str] {
    labels.get(..count.min(labels.len())).unwrap_or_default()
}

fn terminal(scene: &mut Scene, figure: &Figure, numbers: &Column, canvas: &Canvas, top: f64) {
    let middle = Middle::of(numbers);
    let ((columns, across), (rows, down)) = (figure.across.distinct(), figure.up.distinct());
    let plain = |text: &str| canvas.wide(text, Weight::Plain);
    let texts = || numbers.present().map(|number| plain(&numbers.form.short(number)));
    // A number, a blank and its shade.
    let cell = texts().fold(HATCH - 2.0, f64::max) + 2.0;
    let label_width = rows.iter().fold(0.0_f64, |widest, row| widest.max(plain(row))).min(LABEL_MAX);
    let widths: Vec<f64> = columns.iter().map(|column| plain(column).min(LABEL_MAX).max(cell)).collect();
    let mut ends = Vec::new();
    let mut end = label_width;
    for width in &widths {
        end += 1.0 + width;
        if end > canvas.width {
            break;
        }
        ends.push(end);
    }
    for ((column, &end), &width) in columns.iter().zip(&ends).zip(&widths) {
        scene.text(Point::new(end, top + 0.5), canvas.cut(column, width), Anchor::End, Paint::Muted);
    }
    for (place, row) in rows.iter().enumerate() {
        let at = Point::new(0.0, top + place as f64 + 1.5);
        scene.text(at, canvas.cut(row, label_width), Anchor::Start, Paint::Ink);
    }
    let field = |end: f64, line: usize| Shape::Hatch {
        at: Point::new(end - HATCH, top + line as f64 + 1.0),
        width: HATCH,
        height: 1.0,
    };
    for (column, line) in missing_pairs(&across, &down, ends.len(), rows.len()) {
        if let Some(&end) = ends.get(column) {
            scene.add(field(end, line), Paint::Gap);
        }
    }
    for (row, (&column, &line)) in across.iter().zip(&down).enumerate() {
        let Some(&end) = ends.get(column) else { continue };
        let y = top + line as f64 + 1.0;
        let Some(number) = numbers.number(row) else {
            scene.add(field(end, line), Paint::Gap);
            continue;
        };
        scene.text(Point::new(end - 2.0, y + 0.5), numbers.form.short(number), Anchor::End, Paint::Ink);
        let at = Point::new(end - 1.0, y);
        // Shades are deeper for larger numbers, good or not.
        scene.add(Shape::Box { at, width: 1.0, height: 1.0 }, Paint::Tint(middle.step(number)));
    }
    let mut bottom = top + 1.0 + rows.len() as f64;
    let mut note = |text: String| {
        scene.text(Point::new(0.0, bottom + 0.5), text, Anchor::Start, Paint::Muted);
        bottom += 1.0;
    };
    let absent = rows.len() * columns.len() - figure.rows;
    if let Some(reasons) = reasons(numbers, absent).filter(|_| numbers.reasons().is_some()) {
        note(format!("╱╱╱ {reasons}"));
    }
    if let Some(rest) = columns.get(ends.len()..).filter(|rest| !rest.is_empty()) {
        note(format!("… too narrow for: {}", rest.join(", ")));
    }
    scene.height = bottom;
}

/// The cells of which the result has no row, among so many columns and rows that are drawn.
fn missing_pairs(across: &[usize], down: &[usize], columns: usize, rows: usize) -> Vec<(usize, usize)> {
    let known: HashSet<(usize, usize)> = across.iter().copied().zip(down.iter().copied()).collect();
    let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
    cells.filter(|cell| !known.contains(cell)).collect()
}

pub fn sentence(figure: &Figure) -> String {
    let Some(numbers) = &figure.by else { return String::new() };
    let is_total = |row: usize| {
        let total = figure.total.as_deref();
        total.is_some_and(|total| figure.across.label(row) == total || figure.up.label(row) == total)
    };
    let cells = || (0..figure.rows).filter(|&row| !is_total(row));
    let values: Vec<(String, f64)> =
        cells().filter_map(|row| Some((figure.tip_of_cell(row), numbers.number(row)?))).collect();
    let mut reasons = counted(cells().filter(|&row| numbers.number(row).is_none()).map(|row| numbers.reason(row)));
    let absent = figure.across.distinct().0.len() * figure.up.distinct().0.len() - figure.rows;
    if absent > 0 {
        reasons.push((NO_ROW, absent));
    }
    let all = values.len() + reasons.iter().map(|(_, count)| count).sum::<usize>();
    let ends = extremes(&values, numbers);
    joined([
        ends.map(|ends| format!("{}: {ends}.", figure.heading)),
        outside_bands(values.iter().map(|(_, number)| *number), numbers),
        missing_for(&reasons, all),
    ])
}
