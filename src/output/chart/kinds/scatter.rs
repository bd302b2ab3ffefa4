//! Points between two axes, in the colour of their group; those that lie apart are named.

use std::collections::{BTreeMap, HashSet};

use super::plane::{Plane, Sides};
use crate::output::chart::axis::{self, Entry, Sign};
use crate::output::chart::column::Column;
use crate::output::chart::figure::{COLOURED, Figure};
use crate::output::chart::palette::series_colours;
use crate::output::chart::scale::Scale;
use crate::output::chart::scene::{Anchor, Canvas, Paint, Point, Scene, Shape, Stroke, Weight};
use crate::output::chart::sentence::{joined, missing};

/// Points that are all named, where there is room; of more, so many that lie apart.
const NAMED_MAX: usize = 20;
const NAMED_OF_MANY: usize = 6;

/// Points that are all drawn; of more, those that lie so close to one of their colour that nobody could tell are left out.
const TOLD_MAX: usize = 2_000;
const CLOSE: f64 = 1.5;

/// The most that a name may take of the width.
const NAME_SHARE: f64 = 0.45;

/// The width that is left for a name, by the measured one: a page's font may be wider, and would cover the point beside it.
const NAME_ROOM: f64 = 1.12;

/// A row with both numbers.
struct Spot {
    row: usize,
    x: f64,
    y: f64,
}

fn spots(figure: &Figure) -> Vec<Spot> {
    (0..figure.rows)
        .filter_map(|row| Some(Spot { row, x: figure.across.number(row)?, y: figure.up.number(row)? }))
        .collect()
}

/// What points are called: by their label, or by their group where each has one of its own.
fn names(figure: &Figure) -> Option<&Column> {
    let own = figure.by.as_ref().filter(|by| by.distinct().0.len() == figure.rows && figure.rows > 1);
    figure.label.as_ref().or(own)
}

/// The key of groups and the colour of each row: the largest groups have one, the others share that of what is only there.
fn colours(figure: &Figure, spots: &[Spot]) -> (Vec<Entry>, Vec<Paint>) {
    let plain = || (Vec::new(), vec![Paint::Series(0); figure.rows]);
    let Some(by) = figure.by.as_ref().filter(|by| names(figure).is_none_or(|names| names.place != by.place)) else {
        return plain();
    };
    let (groups, places) = by.distinct();
    let mut counts: Vec<(usize, usize)> = (0..groups.len()).map(|group| (group, 0)).collect();
    for spot in spots {
        if let Some((_, count)) = places.get(spot.row).and_then(|&place| counts.get_mut(place)) {
            *count += 1;
        }
    }
    counts.retain(|(_, count)| *count > 0);
    counts.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(&other.0)));
    let coloured = if counts.len() > COLOURED { COLOURED - 1 } else { counts.len() };
    let (large, small) = counts.split_at(coloured);
    let name = |group: usize| groups.get(group).map_or("", |name| *name);
    let colours = series_colours(&large.iter().map(|(group, _)| name(*group)).collect::<Vec<&str>>());
    let mut key: Vec<Entry> = (large.iter().zip(&colours))
        .map(|((group, count), colour)| {
            Entry::new(format!("{} ({count})", name(*group)), Sign::Dot(Paint::Series(*colour)))
        })
        .collect();
    if !small.is_empty() {
        let count: usize = small.iter().map(|(_, count)| count).sum();
        key.push(Entry::new(format!("{} others ({count})", small.len()), Sign::Dot(Paint::Gap)));
    }
    let colour = |place: &usize| colours.get(large.iter().position(|(group, _)| group == place)?).copied();
    let paint = |place: &usize| colour(place).map_or(Paint::Gap, Paint::Series);
    (key, places.iter().map(paint).collect())
}

pub fn lay_out(figure: &Figure, canvas: &Canvas) -> Scene {
    let mut scene = Scene { width: canvas.width, height: canvas.height, ..Scene::default() };
    let spots = spots(figure);
    let (key, paints) = colours(figure, &spots);
    let top = axis::heading(&mut scene, canvas, &figure.heading);
    let key_title = figure.by.as_ref().map_or("", |by| by.title.as_str());
    let top = axis::key(&mut scene, canvas, top, key_title, &key);
    let column = |of: fn(&Spot) -> f64| spots.iter().map(of).collect::<Vec<f64>>();
    let intervals = spots.iter().filter_map(|spot| figure.interval(spot.row));
    let up: Vec<f64> = column(|spot| spot.y).into_iter().chain(intervals.flat_map(|(low, high)| [low, high])).collect();
    let sides = Sides {
        across: &figure.across,
        up: &figure.up,
        x: Scale::of_points(&column(|spot| spot.x), super::rows::STEPS),
        y: Scale::of_points(&up, Plane::steps(canvas)),
        names_width: 0.0,
    };
    let plane = Plane::draw(&mut scene, canvas, top, sides);
    let paint = |row: usize| paints.get(row).copied().unwrap_or(Paint::Gap);
    for spot in &spots {
        if let Some((low, high)) = figure.interval(spot.row) {
            let (low, high) = (plane.at(spot.x, low), plane.at(spot.x, high));
            scene.line(low, high, Stroke::Thin, paint(spot.row));
        }
    }
    // Those of no group of their own lie below.
    let mut taken = HashSet::new();
    for is_above in [false, true] {
        for spot in spots.iter().filter(|spot| (paint(spot.row) != Paint::Gap) == is_above) {
            let (at, paint) = (plane.at(spot.x, spot.y), paint(spot.row));
            #[expect(clippy::cast_possible_truncation, reason = "a place on the canvas")]
            let place = ((at.x / CLOSE).round() as i64, (at.y / CLOSE).round() as i64, paint);
            if spots.len() <= TOLD_MAX || taken.insert(place) {
                scene.add_told(Shape::Speck(at), paint, figure.tip(spot.row));
            }
        }
    }
    if let Some(names) = names(figure) {
        write_names(&mut scene, canvas, &plane, names, &spots);
    }
    scene
}

/// A place that a text takes.
#[derive(Clone, Copy)]
struct Taken {
    from: Point,
    to: Point,
}

impl Taken {
    fn meets(&self, other: &Self) -> bool {
        self.from.x < other.to.x && other.from.x < self.to.x && self.from.y < other.to.y && other.from.y < self.to.y
    }
}

/// Names of the points that lie farthest from the middle, each where it meets no other name and no point; those that meet
/// one on every side have none.
fn write_names(scene: &mut Scene, canvas: &Canvas, plane: &Plane, names: &Column, spots: &[Spot]) {
    let places: Vec<(usize, Point)> = spots.iter().map(|spot| (spot.row, plane.at(spot.x, spot.y))).collect();
    let middle = Point::new(f64::midpoint(plane.left, plane.right), f64::midpoint(plane.top, plane.bottom));
    let (wide, high) = (plane.right - plane.left, plane.bottom - plane.top);
    let away = |at: &Point| ((at.x - middle.x) / wide).powi(2) + ((at.y - middle.y) / high).powi(2);
    let mut order: Vec<&(usize, Point)> = places.iter().collect();
    order.sort_by(|one, other| away(&other.1).total_cmp(&away(&one.1)));
    let many = if spots.len() > NAMED_MAX { NAMED_OF_MANY } else { NAMED_MAX };
    let reach = Point::new(canvas.either(4.0, 0.5), canvas.either(4.0, 0.5));
    let around = |at: &Point| Taken {
        from: Point::new(at.x - reach.x, at.y - reach.y),
        to: Point::new(at.x + reach.x, at.y + reach.y),
    };
    let mut taken: Vec<Taken> = places.iter().map(|(_, at)| around(at)).collect();
    let mut written = 0;
    for (row, at) in order {
        let name = canvas.cut(names.label(*row), canvas.width * NAME_SHARE);
        let width = canvas.wide(&name, Weight::Plain) * canvas.either(NAME_ROOM, 1.0);
        let half = canvas.line() / 2.0;
        let aside = canvas.either(7.0, 1.0);
        let lefts = [
            (at.x + aside, at.y),
            (at.x - aside - width, at.y),
            (at.x - width / 2.0, at.y - 2.0 * half),
            (at.x - width / 2.0, at.y + 2.0 * half),
        ];
        let free = lefts.into_iter().find_map(|(x, y)| {
            let place = Taken { from: Point::new(x, y - half + 1e-6), to: Point::new(x + width, y + half - 1e-6) };
            let is_inside = place.from.x >= plane.left
                && place.to.x <= canvas.width
                && place.from.y >= plane.top - half
                && place.to.y <= plane.bottom;
            (is_inside && !taken.iter().any(|other| other.meets(&place))).then_some(place)
        });
        let Some(place) = free else { continue };
        taken.push(place);
        let y = f64::midpoint(place.from.y, place.to.y);
        let at = Point::new(canvas.either(place.from.x, place.from.x.round()), y);
        scene.add(Shape::Text { at, text: name, anchor: Anchor::Start, weight: Weight::Haloed }, Paint::Muted);
        written += 1;
        if written == many {
            break;
        }
    }
}

pub fn sentence(figure: &Figure) -> String {
    let spots = spots(figure);
    let left_out = figure.rows - spots.len();
    let reasons: Vec<&str> = (0..figure.rows)
        .filter_map(|row| match (figure.up.number(row), figure.across.number(row)) {
            (None, _) => Some(figure.up.reason(row)),
            (_, None) => Some(figure.across.reason(row)),
            _ => None,
        })
        .collect();
    let name = |spot: &Spot| match names(figure) {
        Some(names) => format!(" ({})", names.label(spot.row)),
        None => String::new(),
    };
    let side = |column: &Column, of: fn(&Spot) -> f64| {
        let order = |one: &&Spot, other: &&Spot| of(one).total_cmp(&of(other));
        let (low, high) = (spots.iter().min_by(order)?, spots.iter().max_by(order)?);
        let end = |spot: &Spot| format!("{}{}", column.form.exact(of(spot)), name(spot));
        if spots.len() == 1 {
            return Some(format!("{} {}", column.title, end(low)));
        }
        Some(format!("{} from {} to {}", column.title, end(low), end(high)))
    };
    let sides = side(&figure.across, |spot| spot.x).zip(side(&figure.up, |spot| spot.y));
    let points = if spots.len() == 1 { "1 point".to_owned() } else { format!("{} points", spots.len()) };
    let ends = sides.map(|(across, up)| format!("{points}: {across}, {up}."));
    let groups = figure.by.as_ref().filter(|_| !colours(figure, &spots).0.is_empty()).map(|by| {
        let key = colours(figure, &spots).0;
        let names: Vec<String> = key.into_iter().map(|entry| entry.name).collect();
        format!("{}: {}.", by.title, names.join(", "))
    });
    let left_out = if left_out > 0 { missing(&reasons, figure.rows) } else { None };
    joined([ends, told_correlation(figure, &spots), groups, left_out])
}

/// How far the two numbers go together, where there are enough of both. What goes the other way within the groups comes from how far
/// these lie apart, and would mislead.
fn told_correlation(figure: &Figure, spots: &[Spot]) -> Option<String> {
    const ENOUGH: usize = 10;
    if spots.len() < ENOUGH {
        return None;
    }
    let all = correlation(&deviations(spots.iter()))?;
    if let Some(by) = &figure.by {
        let places = by.distinct().1;
        let mut groups: BTreeMap<Option<usize>, Vec<&Spot>> = BTreeMap::new();
        for spot in spots {
            groups.entry(places.get(spot.row).copied()).or_default().push(spot);
        }
        let within: Vec<(f64, f64)> = groups.values().flat_map(|spots| deviations(spots.iter().copied())).collect();
        if correlation(&within).is_some_and(|within| within * all < 0.0) {
            return None;
        }
    }
    Some(format!("Their correlation is {all:+.2}."))
}

/// How far each point lies from the middle of all.
fn deviations<'a>(spots: impl ExactSizeIterator<Item = &'a Spot> + Clone) -> Vec<(f64, f64)> {
    let count = spots.len() as f64;
    let mean = |of: fn(&Spot) -> f64| spots.clone().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|spot| spot.x), mean(|spot| spot.y));
    spots.map(|spot| (spot.x - x, spot.y - y)).collect()
}

/// The correlation of numbers by how far they are from their middle; `None` where one of the two does not vary.
fn correlation(deviations: &[(f64, f64)]) -> Option<f64> {
    let sum = |of: fn(&(f64, f64)) -> f64| deviations.iter().map(of).sum::<f64>();
    let both = sum(|(x, y)| x * y);
    let size = (sum(|(x, _)| x.powi(2)) * sum(|(_, y)| y.powi(2))).sqrt();
    (size > 0.0).then(|| both / size)
}
