//! Charts with a row for each label, one below the other, over an axis of numbers: bars, dots, bullets and bridges. Labels are as
//! long as they are and never stand on their side.

use crate::output::chart::axis::{self, Entry, Tick};
use crate::output::chart::column::Form;
use crate::output::chart::figure::Figure;
use crate::output::chart::scale::Scale;
use crate::output::chart::scene::{Anchor, Canvas, Paint, Point, Scene, Shape, Stroke, Weight};

use super::groups::Groups;

/// What is drawn in a row, in the numbers of the axis.
#[derive(Clone, Debug)]
pub enum Piece {
    Bar {
        from: f64,
        to: f64,
        paint: Paint,
    },
    /// An interval around a value.
    Range {
        low: f64,
        high: f64,
        paint: Paint,
    },
    Dot {
        at: f64,
        paint: Paint,
    },
    /// What the value should be.
    Target(f64),
    /// A band behind the value.
    Zone {
        from: f64,
        to: f64,
        paint: Paint,
    },
    /// Many values of one label, beside each other where they are close.
    Swarm(Vec<(f64, Paint, String)>),
    /// Text in the middle of a bar, where it has room.
    Inside {
        from: f64,
        to: f64,
        text: String,
    },
    /// From this row to the next, at a value.
    Link(f64),
}

/// A row with its label.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub label: String,
    /// Whether it only names the rows below.
    pub is_heading: bool,
    pub pieces: Vec<Piece>,
    /// The value in words, and the number beside which it stands.
    pub value: Option<(String, f64)>,
    /// Why there is no value.
    pub missing: Option<String>,
    pub tip: String,
}

/// A whole chart of them.
#[derive(Clone, Debug)]
pub struct Rows {
    pub heading: String,
    /// What is along the bottom.
    pub title: String,
    /// What the colours tell apart, and what each stands for.
    pub key_title: String,
    pub key: Vec<Entry>,
    pub rows: Vec<Row>,
    pub scale: Scale,
    pub form: Form,
    /// Numbers to hold the rows against, with what they are.
    pub edges: Vec<(f64, String)>,
    /// Whether values stand in a column of their own at the right.
    pub has_value_column: bool,
    /// Whether everything begins at zero, which then is a line.
    pub has_zero: bool,
}

/// Rows that are drawn in a page; the rest is counted.
const ROWS_MAX: usize = 120;

/// Pixels of a bar.
const BAR: f64 = 14.0;

/// Half the height of a swarm and the distance between its specks.
const SWARM: f64 = 26.0;
const SPECK: f64 = 6.0;

/// Lines that a label can have.
const LABEL_LINES: usize = 2;

/// Steps of an axis, about.
pub const STEPS: usize = 6;

impl Rows {
    /// A row for each row of the figure, in its order but for the total, which comes first; in groups, where it has some.
    /// `pieces` draws a number in a colour, and says beside which number its text stands.
    pub fn of(figure: &Figure, scale: Scale, pieces: impl Fn(usize, f64, Paint) -> (Vec<Piece>, f64)) -> Self {
        let groups = Groups::of(figure);
        let (totals, others): (Vec<usize>, Vec<usize>) = (0..figure.rows).partition(|&row| figure.is_total(row));
        let mut rows = Vec::new();
        let mut group = None;
        for row in totals.into_iter().chain(others) {
            let name = figure.by.as_ref().map_or("", |by| by.label(row));
            let is_total = figure.is_total(row);
            let mut label = figure.across.label(row).to_owned();
            match &groups {
                Groups::Headings if !is_total && group != Some(name) => {
                    group = Some(name);
                    rows.push(Row { label: name.to_owned(), is_heading: true, ..Row::default() });
                }
                Groups::Named if !is_total => label = format!("{label} ({name})"),
                _ => {}
            }
            let mut drawn = Row { label, tip: figure.tip(row), ..Row::default() };
            match figure.up.number(row) {
                None => drawn.missing = Some(figure.up.reason(row).to_owned()),
                Some(number) => {
                    let paint = match &groups {
                        _ if is_total => Paint::Ink,
                        Groups::Coloured { paints, .. } => paints.get(row).copied().unwrap_or(Paint::Muted),
                        _ => figure.judged(number),
                    };
                    let (pieces, beside) = pieces(row, number, paint);
                    drawn.pieces = pieces;
                    drawn.value = Some((figure.up.form.short(number), beside));
                }
            }
            rows.push(drawn);
        }
        let key = if let Groups::Coloured { key, .. } = groups { key } else { Vec::new() };
        let edges = figure.up.bands.iter().map(|&edge| (edge, figure.up.form.exact(edge))).collect();
        Self {
            heading: figure.heading.clone(),
            title: figure.up.title.clone(),
            key_title: figure.by.as_ref().filter(|_| !key.is_empty()).map(|by| by.title.clone()).unwrap_or_default(),
            key,
            rows,
            scale,
            form: figure.up.form.clone(),
            edges,
            has_value_column: false,
            has_zero: true,
        }
    }
}

/// Where things stand across.
struct Frame {
    left: f64,
    right: f64,
    /// The place of zero, where it is a line.
    zero: Option<f64>,
}

impl Frame {
    fn x(&self, scale: &Scale, value: f64) -> f64 {
        let Some(zero) = self.zero else { return self.left + scale.share(value) * (self.right - self.left) };
        match value {
            value if value < 0.0 && scale.low < 0.0 => zero - (zero - self.left) * (value / scale.low).min(1.0),
            value if value > 0.0 && scale.high > 0.0 => zero + (self.right - zero) * (value / scale.high).min(1.0),
            _ => zero,
        }
    }
}

/// Where a row stands downwards.
#[derive(Clone, Copy)]
struct Band {
    middle: f64,
    height: f64,
}

pub fn lay_out(rows: &Rows, canvas: &Canvas) -> Scene {
    let mut scene = Scene { width: canvas.width, ..Scene::default() };
    let top = axis::heading(&mut scene, canvas, &rows.heading);
    let top = axis::key(&mut scene, canvas, top, &rows.key_title, &rows.key);
    let shown = if canvas.is_page() { rows.rows.len().min(ROWS_MAX) } else { rows.rows.len() };
    let drawn = rows.rows.get(..shown).unwrap_or_default();

    let label_max = canvas.width * canvas.either(0.36, 0.34);
    let labels: Vec<Vec<String>> = drawn.iter().map(|row| wrapped(canvas, &row.label, label_max)).collect();
    let label_width = (labels.iter().zip(drawn).filter(|(_, row)| !row.is_heading))
        .flat_map(|(lines, _)| lines)
        .fold(0.0_f64, |widest, line| widest.max(canvas.wide(line, Weight::Plain)));
    let frame = frame(rows, drawn, canvas, label_width);
    let edges = edges(rows, &frame, canvas);
    let top = top + if edges.iter().any(|(_, name)| !name.is_empty()) { canvas.line() } else { 0.0 };
    let heights: Vec<f64> = drawn.iter().zip(&labels).map(|(row, lines)| row.height(lines.len(), canvas)).collect();
    let ticks = scale_ticks(rows, &frame, canvas);
    let bottom = top + heights.iter().sum::<f64>();
    behind(&mut scene, rows, canvas, &frame, (top, bottom), &ticks);
    hold_against(&mut scene, canvas, (top, bottom), &edges);

    let mut y = top;
    for ((row, lines), &height) in drawn.iter().zip(&labels).zip(&heights) {
        let band = Band { middle: y + height / 2.0, height };
        if row.is_heading {
            let at = Point::new(0.0, band.middle + canvas.either(3.0, 0.0));
            scene.text(at, canvas.cut(&row.label, canvas.width), Anchor::Start, Paint::Muted);
        } else {
            write_label(&mut scene, canvas, lines, label_width, band);
            draw(&mut scene, rows, row, canvas, &frame, band);
        }
        y += height;
    }
    if canvas.is_page() || !rows.has_zero {
        y = axis::bottom(&mut scene, canvas, y, (frame.left, frame.right), &ticks, &rows.title);
    }
    if shown < rows.rows.len() {
        let rest = format!("… and {} more rows, which are in the table", rows.rows.len() - shown);
        scene.text(Point::new(0.0, y + canvas.line() / 2.0), rest, Anchor::Start, Paint::Muted);
        y += canvas.line();
    }
    scene.height = y.ceil();
    scene
}

/// Labels end at the axis in a page, and begin at the margin in a terminal.
fn write_label(scene: &mut Scene, canvas: &Canvas, lines: &[String], label_width: f64, band: Band) {
    let (x, anchor) = if canvas.is_page() { (label_width, Anchor::End) } else { (0.0, Anchor::Start) };
    for (place, line) in lines.iter().enumerate() {
        let from_middle = place as f64 - (lines.len() - 1) as f64 / 2.0;
        let y = band.middle + from_middle * canvas.either(14.0, 1.0);
        scene.text(Point::new(x, y), line.clone(), anchor, Paint::Ink);
    }
}

impl Row {
    fn height(&self, lines: usize, canvas: &Canvas) -> f64 {
        let has_swarm = self.pieces.iter().any(|piece| matches!(piece, Piece::Swarm(_)));
        match lines {
            _ if has_swarm => canvas.either(2.0 * SWARM + 12.0, 3.0),
            1 => canvas.either(22.0, 1.0),
            lines => canvas.either(8.0 + 14.0 * lines as f64, lines as f64),
        }
    }
}

/// The label in lines of this width, the last one cut where there is more of it.
fn wrapped(canvas: &Canvas, label: &str, room: f64) -> Vec<String> {
    let fits = |text: &str| canvas.wide(text, Weight::Plain) <= room;
    if !canvas.is_page() || fits(label) {
        return vec![canvas.cut(label, room)];
    }
    let mut lines: Vec<String> = Vec::new();
    for word in label.split_whitespace() {
        match lines.last_mut() {
            Some(line) if fits(&format!("{line} {word}")) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    let rest = lines.split_off(lines.len().min(LABEL_LINES - 1)).join(" ");
    lines.push(rest);
    lines.into_iter().map(|line| canvas.cut(&line, room)).collect()
}

fn frame(rows: &Rows, drawn: &[Row], canvas: &Canvas, label_width: f64) -> Frame {
    let scale = &rows.scale;
    let texts = || drawn.iter().filter_map(|row| row.value.as_ref());
    let wide = |text: &str| canvas.wide(text, Weight::Plain);
    let value_width = texts().fold(0.0_f64, |widest, (text, _)| widest.max(wide(text)));
    let left = label_width + canvas.gap();
    let share = if scale.low < 0.0 { -scale.low / (scale.high.max(0.0) - scale.low) } else { 0.0 };
    if !canvas.is_page() {
        let has_line = rows.has_zero && scale.low >= 0.0;
        let left = left + if has_line { 1.0 } else { 0.0 };
        let right = (canvas.width - value_width - 1.0).max(left + 8.0);
        return match rows.has_zero {
            true => {
                let below = if share > 0.0 { (share * (right - left)).round().max(1.0) } else { 0.0 };
                Frame { left, right, zero: Some(left + below) }
            }
            // Values lie in the middle of their cells.
            false => Frame { left: left + 0.5, right: right - 0.5, zero: None },
        };
    }
    let margin = if rows.has_value_column { value_width + 12.0 } else { 0.0 };
    let right = canvas.width - 14.0 - margin;
    let framed = |left: f64, right: f64| {
        let zero = rows.has_zero.then_some(left + share * (right - left));
        Frame { left, right, zero }
    };
    let mut frame = framed(left, right);
    if rows.has_value_column {
        return frame;
    }
    // Values stand outside of the bars: room for them is taken from both ends until all fit.
    for _ in 0..4 {
        let over = |value: &(String, f64)| frame.x(scale, value.1) + 6.0 + wide(&value.0) - canvas.width;
        let over = texts().filter(|value| value.1 >= 0.0).map(over).fold(0.0, f64::max);
        let under = |value: &(String, f64)| left + wide(&value.0) + 6.0 - frame.x(scale, value.1);
        let under = texts().filter(|value| value.1 < 0.0).map(under).fold(0.0, f64::max);
        frame = framed(frame.left + under, (frame.right - over).max(frame.left + under + 40.0));
    }
    frame
}

fn scale_ticks(rows: &Rows, frame: &Frame, canvas: &Canvas) -> Vec<Tick> {
    let (step, largest) = (rows.scale.step(), rows.scale.largest());
    let tick = |&value: &f64| Tick { at: frame.x(&rows.scale, value), name: rows.form.tick(value, step, largest) };
    axis::thinned(rows.scale.ticks.iter().map(tick).collect(), canvas)
}

/// The numbers to hold rows against that are on the axis; names that have no room beside the one before are left out.
fn edges(rows: &Rows, frame: &Frame, canvas: &Canvas) -> Vec<(f64, String)> {
    let is_on = |value: f64| rows.scale.low < value && value < rows.scale.high;
    let mut edges: Vec<(f64, String)> = (rows.edges.iter())
        .filter(|(value, _)| is_on(*value))
        .map(|(value, name)| (frame.x(&rows.scale, *value), name.clone()))
        .collect();
    edges.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut taken = f64::NEG_INFINITY;
    for (x, name) in &mut edges {
        let half = canvas.wide(name, Weight::Plain) / 2.0;
        if *x - half < taken || !canvas.is_page() {
            name.clear();
        } else {
            taken = *x + half + canvas.gap();
        }
    }
    edges
}

/// Grid and zero.
fn behind(scene: &mut Scene, rows: &Rows, canvas: &Canvas, frame: &Frame, ends: (f64, f64), ticks: &[Tick]) {
    let (top, bottom) = ends;
    let mut upright = |x: f64, paint| scene.line(Point::new(x, top), Point::new(x, bottom), Stroke::Thin, paint);
    if canvas.is_page() {
        ticks.iter().for_each(|tick| upright(tick.at, Paint::Grid));
    }
    if let Some(zero) = frame.zero {
        match canvas.is_page() {
            true => upright(zero, Paint::Muted),
            // Where bars go both ways, a cell for the line would stand between them.
            false if rows.scale.low >= 0.0 => upright(zero - 1.0, Paint::Muted),
            false => {}
        }
    }
}

/// Lines to hold rows against, with their names above.
fn hold_against(scene: &mut Scene, canvas: &Canvas, ends: (f64, f64), edges: &[(f64, String)]) {
    let (top, bottom) = ends;
    for (x, name) in edges {
        scene.line(Point::new(*x, top), Point::new(*x, bottom), Stroke::Dashed, Paint::Muted);
        if !name.is_empty() {
            let half = canvas.wide(name, Weight::Plain) / 2.0;
            let x = x.min(canvas.width - half).max(half);
            scene.text(Point::new(x, top - canvas.line() / 2.0), name.clone(), Anchor::Middle, Paint::Muted);
        }
    }
}

fn draw(scene: &mut Scene, rows: &Rows, row: &Row, canvas: &Canvas, frame: &Frame, band: Band) {
    if let Some(reason) = &row.missing {
        return draw_missing(scene, row, reason, canvas, frame, band);
    }
    let x = |value: f64| frame.x(&rows.scale, value);
    let has_zones = row.pieces.iter().any(|piece| matches!(piece, Piece::Zone { .. }));
    let bar = canvas.either(if has_zones { 8.0 } else { BAR }, 1.0);
    let told = |scene: &mut Scene, shape, paint| scene.add_told(shape, paint, row.tip.clone());
    let span = |from: f64, to: f64, high: f64| {
        let (from, to) = (x(from.min(to)), x(from.max(to)));
        Shape::Box { at: Point::new(from, band.middle - high / 2.0), width: to - from, height: high }
    };
    for piece in &row.pieces {
        match piece {
            Piece::Zone { from, to, paint } => scene.add(span(*from, *to, canvas.either(18.0, 1.0)), *paint),
            Piece::Bar { from, to, paint } => told(scene, span(*from, *to, bar), *paint),
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
                if canvas.wide(text, Weight::Plain) + canvas.gap() <= to - from {
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
    let reason = canvas.cut(reason, width - 12.0);
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
        let away = lane.div_ceil(2) as f64 * step * if lane % 2 == 0 { 1.0 } else { -1.0 };
        scene.add_told(Shape::Speck(Point::new(at, middle + away)), *paint, tip.clone());
    }
}
