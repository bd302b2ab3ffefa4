//! The pieces of one row on the canvas.

use super::frame::Frame;
use super::{Piece, Row, Rows};
use crate::output::chart::scene::{Anchor, Canvas, Paint, Point, Scene, Shape, Stroke, Weight};

/// Pixels of a bar.
const BAR: f64 = 14.0;

/// Half the height of a swarm and the distance between its specks.
const SWARM: f64 = 26.0;
const SPECK: f64 = 6.0;

/// Where a row stands downwards.
#[derive(Clone, Copy)]
pub struct Band {
    pub middle: f64,
    pub height: f64,
}

pub fn draw(scene: &mut Scene, rows: &Rows, row: &Row, canvas: &Canvas, frame: &Frame, band: Band) {
    if let Some(reason) = &row.missing {
        return draw_missing(scene, row, reason, canvas, frame, band);
    }
    let x = |value: f64| frame.x(&rows.scale, value);
    let has_zones = row.pieces.iter().any(|piece| matches!(piece, Piece::Zone { .. }));
    let bar = canvas.either(if has_zones { 8.0 } else { BAR }, 1.0);
    let told = |scene: &mut Scene, shape, paint| scene.add_told(shape, paint, row.tip.clone());
    // Between the pieces of a bar the surface shows.
    let bars = row.pieces.iter().filter(|piece| matches!(piece, Piece::Bar { .. })).count();
    let hair = canvas.either(if bars > 1 { 1.0 } else { 0.0 }, 0.0);
    let span = |from: f64, to: f64, high: f64, hair: f64| {
        let (from, to) = (x(from.min(to)), x(from.max(to)));
        Shape::Box { at: Point::new(from, band.middle - high / 2.0), width: (to - from - hair).max(0.0), height: high }
    };
    for piece in &row.pieces {
        match piece {
            Piece::Zone { from, to, paint } => scene.add(span(*from, *to, canvas.either(18.0, 1.0), 0.0), *paint),
            Piece::Bar { from, to, paint } => told(scene, span(*from, *to, bar, hair), *paint),
            Piece::Range { low, high, paint } => draw_range(scene, canvas, (x(*low), x(*high)), band.middle, *paint),
            Piece::Dot { at, paint } => told(scene, Shape::Dot(Point::new(x(*at), band.middle)), *paint),
            Piece::Target(at) => {
                let half = canvas.either(9.0, 0.5);
                let (from, to) = (Point::new(x(*at), band.middle - half), Point::new(x(*at), band.middle + half));
                scene.line(from, to, Stroke::Thick, Paint::Ink);
            }
            Piece::Swarm(values) => draw_swarm(scene, canvas, values, &x, band.middle),
            Piece::Inside { from, to, text } => {
                let (from, to) = (x(*from), x(*to));
                if canvas.wide(text, Weight::Plain) + canvas.gap() <= (to - from).abs() {
                    let middle = Point::new(f64::midpoint(from, to), band.middle);
                    scene.text(middle, text.clone(), Anchor::Middle, Paint::Surface);
                }
            }
            Piece::Link(at) if canvas.is_page() => {
                let from = Point::new(x(*at), band.middle + bar / 2.0);
                scene.line(from, Point::new(x(*at), band.middle + band.height - bar / 2.0), Stroke::Thin, Paint::Muted);
            }
            Piece::Link(_) => {}
        }
    }
    if let Some((text, beside)) = &row.value {
        let (x, anchor) = match rows.has_value_column || !canvas.is_page() {
            true => (canvas.width, Anchor::End),
            false if *beside < 0.0 => (x(*beside) - 6.0, Anchor::End),
            false => (x(*beside) + 6.0, Anchor::Start),
        };
        let at = Point::new(x, band.middle);
        scene.add(Shape::Text { at, text: text.clone(), anchor, weight: Weight::Haloed }, Paint::Ink);
    }
}

/// The whole range is hatched, since the value could be anywhere, and says why.
fn draw_missing(scene: &mut Scene, row: &Row, reason: &str, canvas: &Canvas, frame: &Frame, band: Band) {
    let from = frame.zero.unwrap_or(frame.left);
    if !canvas.is_page() {
        let text = canvas.cut(&format!("({reason})"), canvas.width - from.floor());
        return scene.text(Point::new(from.floor(), band.middle), text, Anchor::Start, Paint::Muted);
    }
    let (at, width) = (Point::new(frame.left, band.middle - BAR / 2.0), frame.right - frame.left);
    scene.add_told(Shape::Hatch { at, width, height: BAR }, Paint::Gap, row.tip.clone());
    // Some of the hatch stays to be seen.
    let reason = canvas.cut(reason, width / 2.0);
    let text_width = canvas.wide(&reason, Weight::Plain);
    let x = (from + 6.0).min(frame.right - text_width - 6.0);
    let at = Point::new(x - 4.0, band.middle - canvas.line() / 2.0);
    scene.add(Shape::Box { at, width: text_width + 8.0, height: canvas.line() }, Paint::Surface);
    scene.text(Point::new(x, band.middle), reason, Anchor::Start, Paint::Muted);
}

fn draw_range(scene: &mut Scene, canvas: &Canvas, (low, high): (f64, f64), y: f64, paint: Paint) {
    scene.line(
        Point::new(low, y),
        Point::new(high, y),
        if canvas.is_page() { Stroke::Thick } else { Stroke::Thin },
        paint,
    );
    for (x, end) in [(low, "├"), (high, "┤")] {
        match canvas.is_page() {
            true => scene.line(Point::new(x, y - 4.0), Point::new(x, y + 4.0), Stroke::Thin, paint),
            false => scene.text(Point::new(x.floor(), y), end, Anchor::Start, paint),
        }
    }
}

/// The height of a row with a swarm.
pub fn swarm_height(canvas: &Canvas) -> f64 {
    canvas.either(2.0 * SWARM + 12.0, 3.0)
}

/// Values beside each other where they are close: in the middle first, then by turns above and below.
fn draw_swarm(
    scene: &mut Scene,
    canvas: &Canvas,
    values: &[(f64, Paint, String)],
    x: &impl Fn(f64) -> f64,
    middle: f64,
) {
    let (width, half) = (canvas.either(SPECK, 0.5), canvas.either(SWARM, 1.25));
    let step = canvas.either(SPECK, 0.25);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few in half a row")]
    let lanes = (half / step) as usize * 2 + 1;
    let mut taken: std::collections::BTreeMap<i64, usize> = std::collections::BTreeMap::new();
    for (value, paint, tip) in values {
        let at = x(*value);
        #[expect(clippy::cast_possible_truncation, reason = "a place on the canvas")]
        let before = taken.entry((at / width).floor() as i64).or_default();
        let lane = *before % lanes;
        *before += 1;
        let away = lane.div_ceil(2) as f64 * step * if lane.is_multiple_of(2) { 1.0 } else { -1.0 };
        scene.add_told(Shape::Speck(Point::new(at, middle + away)), *paint, tip.clone());
    }
}
