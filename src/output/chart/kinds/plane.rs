//! A plane with an axis along the bottom and one up the side, for lines and points.

use super::rows::STEPS;
use crate::output::chart::axis::{self, Tick};
use crate::output::chart::column::{Column, Values};
use crate::output::chart::scale::{Scale, days};
use crate::output::chart::scene::{Anchor, Canvas, Paint, Point, Scene, Stroke, Weight};

/// Pixels and rows of a terminal between the ticks up the side.
const TICK_EVERY: f64 = 52.0;
const ROWS_EVERY: f64 = 4.0;

/// Rows that a plane takes of a terminal, and those that stay for what stands around it.
const ROWS: (f64, f64) = (5.0, 20.0);
const AROUND: f64 = 5.0;

/// What is along the two sides.
pub struct Sides<'a> {
    pub across: &'a Column,
    pub up: &'a Column,
    pub x: Scale,
    pub y: Scale,
    /// The width that names at the right end take.
    pub names_width: f64,
}

/// Where numbers lie on the canvas.
pub struct Plane {
    x: Scale,
    y: Scale,
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
    /// How far from its ends marks keep: half a dot of a terminal.
    inset: Point,
}

impl Plane {
    /// Ticks up the side that a canvas has room for.
    pub fn steps(canvas: &Canvas) -> usize {
        let height = if canvas.is_page() { canvas.height - 80.0 } else { terminal_rows(canvas) };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few")]
        let steps = (height / canvas.either(TICK_EVERY, ROWS_EVERY)) as usize;
        steps.max(1)
    }

    /// Draws both axes and what lies behind the marks.
    pub fn draw(scene: &mut Scene, canvas: &Canvas, top: f64, sides: Sides<'_>) -> Self {
        let Sides { across, up, x, y, names_width } = sides;
        let names = tick_names(up, &y);
        let widest = names.iter().fold(0.0_f64, |widest, name| widest.max(canvas.wide(name, Weight::Plain)));
        let names_width = if names_width > 0.0 { names_width + canvas.either(12.0, 1.0) } else { 0.0 };
        let inset = Point::new(canvas.either(0.0, 0.25), canvas.either(0.0, 0.125));
        let mut plane = Self { x, y, left: widest + canvas.either(8.0, 2.0), right: 0.0, top, bottom: 0.0, inset };
        if canvas.is_page() {
            let title = canvas.cut(&up.title, canvas.width);
            scene.text(Point::new(0.0, top + 8.0), title, Anchor::Start, Paint::Muted);
            plane.top = top + 28.0;
            plane.right = canvas.width - names_width.max(10.0);
            plane.bottom = (canvas.height - 22.0 - canvas.line()).max(plane.top + 60.0);
            plane.page_axes(scene, canvas, across, up, &names);
        } else {
            plane.right = (canvas.width - names_width - 1.0).max(plane.left + 10.0);
            plane.bottom = top + terminal_rows(canvas);
            plane.terminal_axes(scene, canvas, across, &names);
        }
        plane
    }

    fn page_axes(&self, scene: &mut Scene, canvas: &Canvas, across: &Column, up: &Column, names: &[String]) {
        for (&value, name) in self.y.ticks.iter().zip(names) {
            let y = self.down(value);
            let paint = if value == 0.0 && self.y.low < 0.0 { Paint::Muted } else { Paint::Grid };
            scene.line(Point::new(self.left, y), Point::new(self.right, y), Stroke::Thin, paint);
            scene.text(Point::new(self.left - 8.0, y), name.clone(), Anchor::End, Paint::Muted);
        }
        for &edge in up.bands.iter().filter(|&&edge| self.y.low < edge && edge < self.y.high) {
            let y = self.down(edge);
            scene.line(Point::new(self.left, y), Point::new(self.right, y), Stroke::Dashed, Paint::Muted);
        }
        for &edge in across.bands.iter().filter(|&&edge| self.x.low < edge && edge < self.x.high) {
            let x = self.across(edge);
            scene.line(Point::new(x, self.top), Point::new(x, self.bottom), Stroke::Dashed, Paint::Muted);
        }
        let ticks = self.ticks(across, canvas);
        let ends = (self.left, self.right);
        scene.line(Point::new(self.left, self.bottom), Point::new(self.right, self.bottom), Stroke::Thin, Paint::Muted);
        for tick in &ticks {
            let (from, to) = (Point::new(tick.at, self.bottom), Point::new(tick.at, self.bottom + 4.0));
            scene.line(from, to, Stroke::Thin, Paint::Muted);
        }
        let bottom = axis::bottom(scene, canvas, self.bottom, ends, &ticks, &across.title);
        scene.height = bottom.max(canvas.height);
    }

    fn terminal_axes(&self, scene: &mut Scene, canvas: &Canvas, across: &Column, names: &[String]) {
        let edge = self.left - 1.0;
        scene.line(Point::new(edge, self.top), Point::new(edge, self.bottom), Stroke::Thin, Paint::Muted);
        for (&value, name) in self.y.ticks.iter().zip(names) {
            let y = self.down(value);
            scene.text(Point::new(edge - 1.0, y), name.clone(), Anchor::End, Paint::Muted);
            scene.text(Point::new(edge, y), "┤", Anchor::Start, Paint::Muted);
        }
        let ticks = self.ticks(across, canvas);
        let bottom = axis::bottom(scene, canvas, self.bottom, (self.left, self.right), &ticks, "");
        scene.text(Point::new(edge, self.bottom + 0.5), "└", Anchor::Start, Paint::Muted);
        scene.height = bottom;
    }

    /// The ticks along the bottom.
    fn ticks(&self, across: &Column, canvas: &Canvas) -> Vec<Tick> {
        let tick = |(value, name): (f64, String)| Tick { at: self.across(value), name };
        let named: Vec<Tick> = match across.values {
            Values::Labels => {
                let labels = across.distinct().0.into_iter().enumerate();
                labels.map(|(place, label)| tick((place as f64, label.to_owned()))).collect()
            }
            Values::Times => {
                let values: Vec<f64> = across.present().collect();
                let widest = canvas.wide("Sep 2026", Weight::Plain) + canvas.gap();
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few")]
                let ticks_max = ((self.right - self.left) / widest) as usize + 1;
                days(&values, ticks_max).into_iter().map(tick).collect()
            }
            Values::Numbers => {
                // A scale without ticks of its own gets round ones.
                let round =
                    if self.x.ticks.is_empty() { Scale::around(across.present(), STEPS) } else { self.x.clone() };
                let (step, largest) = (round.step(), round.largest());
                let inside = round.ticks.iter().filter(|&&value| self.x.low <= value && value <= self.x.high);
                inside.map(|&value| tick((value, tick_name(across, &round, value, step, largest)))).collect()
            }
        };
        axis::thinned(named, canvas)
    }

    pub fn at(&self, x: f64, y: f64) -> Point {
        Point::new(self.across(x), self.down(y))
    }

    fn across(&self, x: f64) -> f64 {
        self.left + self.inset.x + self.x.share(x) * (self.right - self.left - 2.0 * self.inset.x)
    }

    fn down(&self, y: f64) -> f64 {
        self.bottom - self.inset.y - self.y.share(y) * (self.bottom - self.top - 2.0 * self.inset.y)
    }
}

fn terminal_rows(canvas: &Canvas) -> f64 {
    (canvas.height - AROUND).clamp(ROWS.0, ROWS.1)
}

/// The names of the ticks of a scale.
fn tick_names(column: &Column, scale: &Scale) -> Vec<String> {
    let (step, largest) = (scale.step(), scale.largest());
    scale.ticks.iter().map(|&value| tick_name(column, scale, value, step, largest)).collect()
}

/// On a scale by ratio each tick stands for itself: there is no step whose digits all have.
fn tick_name(column: &Column, scale: &Scale, value: f64, step: f64, largest: f64) -> String {
    if scale.is_log { column.form.tick(value, value, value) } else { column.form.tick(value, step, largest) }
}
