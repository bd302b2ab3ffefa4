//! Small lines without axes: a row for each series with where it ends and how it changed.

use super::series::{along, runs, series};
use crate::output::chart::axis;
use crate::output::chart::figure::Figure;
use crate::output::chart::scale::Scale;
use crate::output::chart::scene::{Anchor, Canvas, Paint, Point, Scene, Shape, Stroke, Weight};

/// Pixels of a row, and of the line in it.
const ROW: f64 = 28.0;
const LINE: f64 = 20.0;

/// The share of the width that names may take.
const NAMES: f64 = 0.35;

pub fn lay_out(figure: &Figure, canvas: &Canvas) -> Scene {
    let mut scene = Scene { width: canvas.width, ..Scene::default() };
    let top = axis::heading(&mut scene, canvas, &figure.heading);
    let (series, along) = (series(figure), along(&figure.across));
    let names: Vec<String> = series.iter().map(|of| canvas.cut(&of.name, canvas.width * NAMES)).collect();
    let wide = |text: &String| canvas.wide(text, Weight::Plain);
    let left = names.iter().map(wide).fold(0.0, f64::max) + canvas.gap();
    let ends: Vec<String> = series.iter().map(|of| end(figure, &of.rows)).collect();
    let right = canvas.width - ends.iter().map(wide).fold(0.0, f64::max) - 2.0 * canvas.gap();
    let right = right.max(left + canvas.either(40.0, 8.0));
    let x = Scale::between(along.iter().flatten().copied());
    let row_height = canvas.either(ROW, 1.0);
    for (place, ((of, name), end)) in series.iter().zip(&names).zip(ends).enumerate() {
        let middle = top + (place as f64 + 0.5) * row_height;
        let half = canvas.either(LINE / 2.0, 0.375);
        scene.text(Point::new(0.0, middle), name.clone(), Anchor::Start, Paint::Ink);
        // Each line has its own range: what it tells is its course, the number says how high it ends.
        let y = Scale::between(of.rows.iter().filter_map(|&row| figure.up.number(row)));
        let at = |row: usize| {
            let share = x.share(along.get(row).copied().flatten()?);
            let height = y.share(figure.up.number(row)?);
            Some(Point::new(left + share * (right - left), middle + half - height * 2.0 * half))
        };
        for run in runs(figure, of, &along) {
            let points: Vec<Point> = run.iter().filter_map(|&row| at(row)).collect();
            match points.as_slice() {
                [one] => scene.add(Shape::Speck(*one), Paint::Series(0)),
                _ => scene.add(Shape::Path(points, Stroke::Thick), Paint::Series(0)),
            }
        }
        if let Some(last) = of.rows.iter().rev().find_map(|&row| at(row)).filter(|_| canvas.is_page()) {
            scene.add(Shape::Dot(last), Paint::Series(0));
        }
        scene.text(Point::new(canvas.width, middle), end, Anchor::End, Paint::Ink);
    }
    scene.height = (top + series.len() as f64 * row_height).ceil();
    scene
}

/// The last number of a series and its change since the first one; why there is none, where its last row has none.
fn end(figure: &Figure, rows: &[usize]) -> String {
    let Some(&last) = rows.last() else { return String::new() };
    let Some(number) = figure.up.number(last) else { return figure.up.reason(last).to_owned() };
    match rows.iter().find_map(|&row| figure.up.number(row)) {
        Some(first) if rows.len() > 1 => {
            let change = figure.up.form.change(number - first);
            let plus = if number > first && !change.starts_with('+') { "+" } else { "" };
            format!("{} ({plus}{change})", figure.up.form.short(number))
        }
        _ => figure.up.form.short(number),
    }
}
