//! Lines: one for each series over time, numbers or labels in order, with the band of its interval; named where they end.

use super::plane::{Plane, Sides};
use super::series::{Series, along, runs, series};
use crate::output::chart::axis::{self, Entry, Sign};
use crate::output::chart::column::{Column, Values};
use crate::output::chart::figure::Figure;
use crate::output::chart::scale::{Scale, ends};
use crate::output::chart::scene::{Anchor, Canvas, Paint, Point, Scene, Shape, Stroke, Weight};
use crate::output::chart::sentence::{joined, listed, missing};

/// Series whose bands are all drawn; of more, only the first one's.
const BANDS_MAX: usize = 2;

/// Series that are told of.
const TOLD: usize = 3;

/// Points of a series that tell their numbers.
const POINTS_MAX: usize = 60;

/// The lowest number by the highest below which the axis begins at zero.
const FROM_ZERO: f64 = 0.4;

/// Whether the interval of this series is drawn.
fn has_band(figure: &Figure, series: &[Series], place: usize) -> bool {
    let is_total = |series: &Series| series.paint == Some(Paint::Ink);
    let is_first = |series: &Series| series.paint == Some(Paint::Series(0));
    let first = series.iter().position(is_total).or_else(|| series.iter().position(is_first));
    figure.low.is_some() && figure.high.is_some() && (series.len() <= BANDS_MAX || Some(place) == first)
}

/// The range of what is drawn; from zero where that takes little of it.
fn range(figure: &Figure, series: &[Series], steps: usize) -> Scale {
    let banded = series.iter().enumerate().filter(|(place, _)| has_band(figure, series, *place));
    let bands = banded.flat_map(|(_, series)| series.rows.iter().filter_map(|&row| figure.interval(row)));
    let bands: Vec<f64> = bands.flat_map(|(low, high)| [low, high]).collect();
    let targets = figure.target.iter().flat_map(Column::present);
    let values: Vec<f64> = figure.up.present().chain(bands).chain(targets).collect();
    let (low, high) = ends(values.iter().copied());
    let zero = (low > 0.0 && low < high * FROM_ZERO).then_some(0.0);
    Scale::around(values.into_iter().chain(zero), steps)
}

pub fn lay_out(figure: &Figure, canvas: &Canvas) -> Scene {
    let mut scene = Scene { width: canvas.width, height: canvas.height, ..Scene::default() };
    let top = axis::heading(&mut scene, canvas, &figure.heading);
    let along = along(&figure.across);
    let series = series(figure);
    let rest = series.iter().filter(|series| series.paint.is_none()).count();
    let key = if rest > 0 { vec![Entry::new(counted(rest), Sign::Box(Paint::Gap))] } else { Vec::new() };
    let top = axis::key(&mut scene, canvas, top, "", &key);
    let named: Vec<(&Series, String)> = series.iter().filter_map(|of| Some((of, name(figure, of, canvas)?))).collect();
    let wide = |(_, name): &(&Series, String)| canvas.wide(name, Weight::Plain);
    let names_width = named.iter().map(wide).fold(0.0, f64::max);
    let sides = Sides {
        across: &figure.across,
        up: &figure.up,
        x: Scale::between(along.iter().flatten().copied()),
        y: range(figure, &series, Plane::steps(canvas)),
        names_width,
    };
    let plane = Plane::draw(&mut scene, canvas, top, sides);
    draw_target(&mut scene, figure, &plane, &along);
    for (_, of) in series.iter().enumerate().filter(|(place, _)| has_band(figure, &series, *place)) {
        draw_band(&mut scene, figure, of, &plane, &along);
    }
    // Those that are named lie above those that are not.
    for is_named in [false, true] {
        for of in series.iter().filter(|of| of.paint.is_some() == is_named) {
            draw_series(&mut scene, figure, of, &plane, &along);
        }
    }
    let end = |(series, name): (&Series, String)| {
        let at = |&row: &usize| Some(plane.at(along.get(row).copied().flatten()?, figure.up.number(row)?));
        Some(End { name, at: series.rows.iter().rev().find_map(at)?, paint: series.paint.unwrap_or(Paint::Muted) })
    };
    let ends: Vec<End> = named.into_iter().filter_map(end).collect();
    draw_names(&mut scene, canvas, &plane, &ends);
    scene
}

/// What stands at the end of a series: its name where there are several, and in a page the last number.
fn name(figure: &Figure, series: &Series, canvas: &Canvas) -> Option<String> {
    series.paint?;
    let last = series.rows.iter().rev().find_map(|&row| figure.up.number(row))?;
    let last = canvas.is_page().then(|| figure.up.form.short(last));
    let name = figure.by.as_ref().map(|_| canvas.cut(&series.name, canvas.either(canvas.width * 0.25, 20.0)));
    let parts: Vec<String> = name.into_iter().chain(last).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Where a line ends.
struct End {
    name: String,
    at: Point,
    paint: Paint,
}

fn draw_target(scene: &mut Scene, figure: &Figure, plane: &Plane, along: &[Option<f64>]) {
    let Some(target) = &figure.target else { return };
    let mut points: Vec<(f64, f64)> =
        along.iter().zip(&target.numbers).filter_map(|(x, number)| Some(((*x)?, (*number)?))).collect();
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    points.dedup_by(|one, other| one.0.total_cmp(&other.0).is_eq());
    for pair in points.windows(2) {
        if let [(x, y), (next_x, next_y)] = pair {
            scene.line(plane.at(*x, *y), plane.at(*next_x, *next_y), Stroke::Dashed, Paint::Muted);
        }
    }
}

fn draw_band(scene: &mut Scene, figure: &Figure, series: &Series, plane: &Plane, along: &[Option<f64>]) {
    let Some(paint) = series.paint else { return };
    for run in runs(figure, series, along) {
        let end = |row: &usize, side: fn((f64, f64)) -> f64| {
            let x = along.get(*row).copied().flatten()?;
            Some(plane.at(x, figure.interval(*row).map(side)?))
        };
        let upper = run.iter().filter_map(|row| end(row, |(_, high)| high));
        let lower = run.iter().rev().filter_map(|row| end(row, |(low, _)| low));
        let around: Vec<Point> = upper.chain(lower).collect();
        if around.len() > 2 {
            scene.add(Shape::Area(around), paint);
        }
    }
}

fn draw_series(scene: &mut Scene, figure: &Figure, series: &Series, plane: &Plane, along: &[Option<f64>]) {
    let paint = series.paint.unwrap_or(Paint::Gap);
    let point = |row: usize| {
        let x = along.get(row).copied().flatten()?;
        Some(plane.at(x, figure.up.number(row)?))
    };
    let runs = runs(figure, series, along);
    for run in &runs {
        let points: Vec<Point> = run.iter().filter_map(|&row| point(row)).collect();
        if let [one] = points.as_slice() {
            scene.add(Shape::Speck(*one), paint);
        } else {
            let stroke = if series.paint.is_some() { Stroke::Thick } else { Stroke::Thin };
            scene.add(Shape::Path(points, stroke), paint);
        }
    }
    // Each point tells its number; the last one is seen.
    let rows: Vec<usize> = runs.into_iter().flatten().collect();
    if rows.len() <= POINTS_MAX && series.paint.is_some() {
        for &row in &rows {
            if let Some(at) = point(row) {
                scene.add_told(Shape::Touch(at), paint, figure.tip(row));
            }
        }
    }
    if let Some(at) = rows.last().and_then(|&row| point(row)).filter(|_| series.paint.is_some()) {
        scene.add(Shape::Dot(at), paint);
    }
}

/// Names and last numbers at the ends of lines: moved apart at the right, where most of them end, and beside the end of those that end before.
fn draw_names(scene: &mut Scene, canvas: &Canvas, plane: &Plane, ends: &[End]) {
    let (early, late): (Vec<&End>, Vec<&End>) =
        ends.iter().partition(|end| canvas.is_page() && end.at.x < plane.right - 1.0);
    let wanted: Vec<f64> = late.iter().map(|end| end.at.y).collect();
    let heights = apart(&wanted, canvas.either(15.0, 1.0), (plane.top, plane.bottom));
    let x = plane.right + canvas.either(10.0, 1.0);
    for (end, y) in late.into_iter().zip(heights) {
        if canvas.is_page() && (y - end.at.y).abs() > 4.0 {
            scene.line(Point::new(end.at.x + 5.0, end.at.y), Point::new(x - 1.0, y), Stroke::Thin, end.paint);
        }
        scene.text(Point::new(canvas.either(x, x.floor()), y), end.name.clone(), Anchor::Start, end.paint);
    }
    for End { name, at, paint } in early {
        let is_low = at.y + canvas.line() > plane.bottom;
        let at = Point::new(at.x + 7.0, if is_low { at.y - canvas.line() / 2.0 } else { at.y });
        scene.add(Shape::Text { at, text: name.clone(), anchor: Anchor::Start, weight: Weight::Haloed }, *paint);
    }
}

/// Heights near those that are wanted, so far from each other, between two ends as long as there is room.
fn apart(wanted: &[f64], distance: f64, (top, bottom): (f64, f64)) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    let at = |place: usize| wanted.get(place).copied().unwrap_or_default();
    order.sort_by(|one, other| at(*one).total_cmp(&at(*other)));
    let mut placed: Vec<f64> = Vec::new();
    let mut free = top + distance / 2.0;
    for &place in &order {
        let y = at(place).max(free);
        placed.push(y);
        free = y + distance;
    }
    // From the bottom up, what was pushed out comes back.
    let mut limit = bottom - distance / 2.0;
    for y in placed.iter_mut().rev() {
        *y = y.min(limit);
        limit = *y - distance;
    }
    let mut heights = vec![0.0; wanted.len()];
    for (place, y) in order.into_iter().zip(placed) {
        if let Some(height) = heights.get_mut(place) {
            *height = y;
        }
    }
    heights
}

/// What is told of a series.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    FromTo,
    /// The highest and the lowest too.
    WithEnds,
}

pub fn sentence(figure: &Figure) -> String {
    let series = series(figure);
    let mut told: Vec<&Series> = series.iter().filter(|series| series.paint.is_some()).collect();
    told.sort_by_key(|series| if let Some(Paint::Series(place)) = series.paint { place + 1 } else { 0 });
    let detail = if series.len() == 1 { Detail::WithEnds } else { Detail::FromTo };
    let ways: Vec<String> = told.iter().filter_map(|series| way(figure, series, detail)).take(TOLD).collect();
    let all = match ways.as_slice() {
        [] => None,
        _ => Some(format!("{}: {}.", figure.heading, ways.join("; "))),
    };
    let more = (series.len() > ways.len()).then(|| format!("{} series in all.", series.len()));
    let rows = || {
        (0..figure.rows).filter(|&row| figure.across.values == Values::Labels || figure.across.number(row).is_some())
    };
    let reasons: Vec<&str> =
        rows().filter(|&row| figure.up.number(row).is_none()).map(|row| figure.up.reason(row)).collect();
    joined([all, more, missing(&reasons, rows().count())])
}

/// `1 other`, `3 others`.
fn counted(count: usize) -> String {
    if count == 1 { "1 other".to_owned() } else { format!("{count} others") }
}

/// How a series went: from its first to its last number, with the highest and lowest between.
fn way(figure: &Figure, series: &Series, detail: Detail) -> Option<String> {
    let numbers: Vec<(usize, f64)> =
        series.rows.iter().filter_map(|&row| Some((row, figure.up.number(row)?))).collect();
    let written = |number: f64| figure.up.form.exact(number);
    let at = |row: usize| figure.across.label(row);
    match numbers.as_slice() {
        [] => None,
        [(row, number)] => Some(format!("{} is {} in {}", series.name, written(*number), at(*row))),
        [(first, from), .., (last, to)] => {
            let way = format!(
                "{} went from {} in {} to {} in {}",
                series.name,
                written(*from),
                at(*first),
                written(*to),
                at(*last)
            );
            if detail == Detail::FromTo {
                return Some(way);
            }
            let order = |one: &&(usize, f64), other: &&(usize, f64)| one.1.total_cmp(&other.1);
            let (high, low) = (numbers.iter().max_by(order)?, numbers.iter().min_by(order)?);
            let within = listed(&[
                format!("highest in {} ({})", at(high.0), written(high.1)),
                format!("lowest in {} ({})", at(low.0), written(low.1)),
            ]);
            Some(format!("{way}, {within}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_moved_apart_and_stay_between_the_ends() {
        assert_eq!(apart(&[10.0, 50.0], 10.0, (0.0, 100.0)), [10.0, 50.0]);
        assert_eq!(apart(&[50.0, 50.0, 48.0], 10.0, (0.0, 100.0)), [58.0, 68.0, 48.0]);
        assert_eq!(apart(&[99.0, 98.0], 10.0, (0.0, 100.0)), [95.0, 85.0]);
    }
}
