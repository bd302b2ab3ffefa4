//! What stands around the marks of a chart: its heading, its key, and its axes.

use super::scene::{Anchor, Canvas, Paint, Point, Scene, Shape, Stroke, Weight};

/// A named place on an axis.
#[derive(Clone, Debug)]
pub struct Tick {
    /// Where it lies on the canvas, along the axis.
    pub at: f64,
    pub name: String,
}

/// Writes the heading; gives the height below it.
pub fn heading(scene: &mut Scene, canvas: &Canvas, text: &str) -> f64 {
    let height = canvas.either(22.0, 1.0);
    let room = canvas.width / canvas.either(1.2, 1.0);
    let text = canvas.cut(text, room);
    let at = Point::new(0.0, canvas.either(10.0, 0.5));
    scene.add(Shape::Text { at, text, anchor: Anchor::Start, weight: Weight::Strong }, Paint::Ink);
    height
}

/// What a colour stands for, or the hatch where there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub name: String,
    pub paint: Option<Paint>,
}

impl Entry {
    pub fn new(name: impl Into<String>, paint: Paint) -> Self {
        Self { name: name.into(), paint: Some(paint) }
    }
}

/// Writes what the colours stand for behind what they tell apart, in as many lines as it takes; gives the height below it.
pub fn key(scene: &mut Scene, canvas: &Canvas, top: f64, title: &str, entries: &[Entry]) -> f64 {
    if entries.is_empty() {
        return top;
    }
    let (swatch, line) = (canvas.either(10.0, 1.0), canvas.either(18.0, 1.0));
    let (aside, apart) = (canvas.either(5.0, 1.0), canvas.either(16.0, 2.0));
    let mut at = Point::new(0.0, top);
    if !title.is_empty() {
        let title = canvas.cut(title, canvas.width / 2.0);
        scene.text(Point::new(0.0, top + canvas.line() / 2.0), title.clone(), Anchor::Start, Paint::Muted);
        at.x = canvas.wide(&title, Weight::Plain) + apart;
    }
    for Entry { name, paint } in entries {
        let name = canvas.cut(name, canvas.width - swatch - aside);
        let width = swatch + aside + canvas.wide(&name, Weight::Plain);
        if at.x > 0.0 && at.x + width > canvas.width {
            at = Point::new(0.0, at.y + line);
        }
        let middle = at.y + canvas.line() / 2.0;
        let corner = Point::new(at.x, middle - swatch / 2.0);
        match paint {
            Some(paint) => scene.add(Shape::Box { at: corner, width: swatch, height: swatch }, *paint),
            None => scene.add(Shape::Hatch { at: corner, width: swatch, height: swatch }, Paint::Gap),
        }
        scene.text(Point::new(at.x + swatch + aside, middle), name, Anchor::Start, Paint::Ink);
        at.x += width + apart;
    }
    at.y + line + canvas.either(2.0, 0.0)
}

/// The ticks that have room beside each other, from the first on: where every one is too much, every second, and so on.
pub fn thinned(ticks: Vec<Tick>, canvas: &Canvas) -> Vec<Tick> {
    let fits = |every: usize| {
        let kept: Vec<&Tick> = ticks.iter().step_by(every).collect();
        kept.windows(2).all(|pair| match pair {
            [one, other] => {
                let half = |tick: &Tick| canvas.wide(&tick.name, Weight::Plain) / 2.0;
                one.at + half(one) + canvas.gap() <= other.at - half(other)
            }
            _ => true,
        })
    };
    let every = (1..=ticks.len().max(1)).find(|&every| fits(every)).unwrap_or(1);
    ticks.into_iter().step_by(every).collect()
}

/// Where a text of this width begins that should have its middle here, and must stay on the canvas.
fn beginning(canvas: &Canvas, middle: f64, width: f64) -> f64 {
    (middle - width / 2.0).min(canvas.width - width).max(0.0)
}

/// An axis along the bottom, at `y` from `left` to `right`: its ticks, and its title at the right end; gives the height below it.
pub fn bottom(scene: &mut Scene, canvas: &Canvas, y: f64, ends: (f64, f64), ticks: &[Tick], title: &str) -> f64 {
    let (left, right) = ends;
    if !canvas.is_page() {
        scene.line(Point::new(left, y + 0.5), Point::new(right, y + 0.5), Stroke::Thin, Paint::Muted);
        for tick in ticks {
            scene.text(Point::new(tick.at.floor(), y + 0.5), "┴", Anchor::Start, Paint::Muted);
        }
    }
    let middle = y + canvas.either(12.0, 1.5);
    for tick in ticks {
        let from = beginning(canvas, tick.at, canvas.wide(&tick.name, Weight::Plain));
        let from = canvas.either(from, from.round());
        scene.text(Point::new(from, middle), tick.name.clone(), Anchor::Start, Paint::Muted);
    }
    if title.is_empty() || !canvas.is_page() {
        return y + canvas.either(22.0, 2.0);
    }
    let title = canvas.cut(title, canvas.width);
    let width = canvas.wide(&title, Weight::Plain);
    let from = beginning(canvas, f64::midpoint(left, right), width);
    scene.text(Point::new(from, middle + canvas.line()), title, Anchor::Start, Paint::Muted);
    y + 22.0 + canvas.line()
}
