//! Lines: one for each series over time, numbers or labels in order, with the band of its interval; named where they end.

use std::collections::BTreeMap;

use super::plane::{Plane, Sides};
use crate::output::chart::axis::{self, Entry};
use crate::output::chart::column::{Column, Values};
use crate::output::chart::figure::{COLOURED, Figure};
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

/// A series: its rows from left to right.
pub struct Series {
    pub name: String,
    pub rows: Vec<usize>,
    /// Its colour; none for those that are only there to be seen.
    pub paint: Option<Paint>,
}

/// Where rows lie along the bottom: by number or day, or by the place of their label.
pub fn along(column: &Column) -> Vec<Option<f64>> {
    if column.values != Values::Labels {
        return column.numbers.clone();
    }
    column.distinct().1.into_iter().map(|place| Some(place as f64)).collect()
}

/// The series in the order in which they come; the total and those that end farthest from the middle have a colour.
pub fn series(figure: &Figure) -> Vec<Series> {
    let along = along(&figure.across);
    let (names, places) = match &figure.by {
        Some(by) => by.distinct(),
        None => (vec![figure.up.title.as_str()], vec![0; figure.rows]),
    };
    let mut series: Vec<Series> =
        names.iter().map(|name| Series { name: (*name).to_owned(), rows: Vec::new(), paint: None }).collect();
    for (row, &place) in places.iter().enumerate() {
        if let Some(series) = series.get_mut(place) {
            series.rows.push(row);
        }
    }
    let key = |row: &usize| along.get(*row).copied().flatten().unwrap_or(f64::NEG_INFINITY);
    for series in &mut series {
        series.rows.sort_by(|one, other| key(one).total_cmp(&key(other)));
    }
    paint(figure, &mut series);
    series
}

fn paint(figure: &Figure, series: &mut [Series]) {
    let last = |series: &Series| series.rows.iter().rev().find_map(|&row| figure.up.number(row));
    let mut lasts: Vec<f64> = series.iter().filter_map(last).collect();
    lasts.sort_by(f64::total_cmp);
    let middle = lasts.get(lasts.len() / 2).copied().unwrap_or_default();
    let mut order: Vec<usize> = (0..series.len()).collect();
    let rank = |place: &usize| {
        let of = series.get(*place);
        let is_total = of.is_some_and(|series| figure.total.as_deref() == Some(series.name.as_str()));
        let away = of.and_then(last).map_or(0.0, |last| (last - middle).abs());
        let points = of.map_or(0, |series| series.rows.len());
        (is_total, points, away)
    };
    if series.len() > COLOURED {
        order.sort_by(|one, other| {
            let (one, other) = (rank(one), rank(other));
            other.0.cmp(&one.0).then(other.1.cmp(&one.1)).then(other.2.total_cmp(&one.2))
        });
    } else {
        order.sort_by_key(|place| !rank(place).0);
    }
    for (colour, place) in order.into_iter().take(COLOURED).enumerate() {
        if let Some(series) = series.get_mut(place) {
            series.paint = Some(Paint::Series(colour));
        }
    }
}

/// The runs of a series without a gap: rows that follow each other where the chart has places, all with a number.
pub fn runs(figure: &Figure, series: &Series, along: &[Option<f64>]) -> Vec<Vec<usize>> {
    // A place that other series have and this one lacks is a gap in it.
    let mut places: BTreeMap<u64, usize> = BTreeMap::new();
    let mut sorted: Vec<f64> = along.iter().flatten().copied().collect();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    for (place, value) in sorted.into_iter().enumerate() {
        places.insert(value.to_bits(), place);
    }
    let place = |row: usize| along.get(row).copied().flatten().and_then(|value| places.get(&value.to_bits()).copied());
    let mut runs: Vec<Vec<usize>> = Vec::new();
    let mut before: Option<usize> = None;
    for &row in &series.rows {
        let here = place(row).filter(|_| figure.up.number(row).is_some());
        if let Some(at) = here {
            match runs.last_mut() {
                Some(run) if before.is_some_and(|before| at <= before + 1) => run.push(row),
                _ => runs.push(vec![row]),
            }
        }
        before = here;
    }
    runs
}

/// Whether the interval of this series is drawn.
fn has_band(figure: &Figure, series: &[Series], place: usize) -> bool {
    let first = series.iter().position(|series| series.paint == Some(Paint::Series(0)));
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
    let named: Vec<&Series> = series.iter().filter(|series| series.paint.is_some() && figure.by.is_some()).collect();
    let rest = series.iter().filter(|series| series.paint.is_none()).count();
    let key = if rest > 0 { vec![Entry::new(counted(rest), Paint::Gap)] } else { Vec::new() };
    let top = axis::key(&mut scene, canvas, top, "", &key);
    let name = |series: &Series| canvas.cut(&series.name, canvas.either(canvas.width * 0.25, 20.0));
    let names_width =
        named.iter().fold(0.0_f64, |widest, &series| widest.max(canvas.wide(&name(series), Weight::Plain)));
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
    draw_names(&mut scene, figure, canvas, &plane, &along, &named, &name);
    scene
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
        match points.as_slice() {
            [one] => scene.add(Shape::Speck(*one), paint),
            _ => {
                let stroke = if series.paint.is_some() { Stroke::Thick } else { Stroke::Thin };
                scene.add(Shape::Path(points, stroke), paint);
            }
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

/// Names at the ends of lines, moved apart where they would lie on each other.
fn draw_names(
    scene: &mut Scene,
    figure: &Figure,
    canvas: &Canvas,
    plane: &Plane,
    along: &[Option<f64>],
    named: &[&Series],
    name: &impl Fn(&Series) -> String,
) {
    let last = |series: &Series| {
        series
            .rows
            .iter()
            .rev()
            .find_map(|&row| Some(plane.at(along.get(row).copied().flatten()?, figure.up.number(row)?)))
    };
    let ends: Vec<(&Series, Point)> = named.iter().filter_map(|&series| Some((series, last(series)?))).collect();
    let wanted: Vec<f64> = ends.iter().map(|(_, at)| at.y).collect();
    let heights = apart(&wanted, canvas.either(15.0, 1.0), (plane.top, plane.bottom));
    let x = plane.right + canvas.either(10.0, 1.0);
    for ((series, at), y) in ends.into_iter().zip(heights) {
        let paint = series.paint.unwrap_or(Paint::Muted);
        if canvas.is_page() && ((y - at.y).abs() > 4.0 || at.x < plane.right - 1.0) {
            let corner = Point::new((x - 4.0).max(at.x), y);
            scene.line(Point::new(at.x + 5.0, at.y), corner, Stroke::Thin, paint);
        }
        scene.text(Point::new(canvas.either(x, x.floor()), y), name(series), Anchor::Start, paint);
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
    told.sort_by_key(|series| if let Some(Paint::Series(place)) = series.paint { place } else { usize::MAX });
    let detail = if series.len() == 1 { Detail::WithEnds } else { Detail::FromTo };
    let ways: Vec<String> = told.iter().filter_map(|series| way(figure, series, detail)).take(TOLD).collect();
    let all = match ways.as_slice() {
        [] => None,
        _ if series.len() == 1 => Some(format!("{}.", ways.join(""))),
        _ => Some(format!("{} by {}: {}.", figure.up.title, figure.across.title, ways.join("; "))),
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
