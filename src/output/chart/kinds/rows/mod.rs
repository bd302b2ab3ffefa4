//! Charts with a row for each label, one below the other, over an axis of numbers: bars, dots, bullets and bridges. Labels are as
//! long as they are and never stand on their side.

mod frame;
mod pieces;

use super::groups::Groups;
use crate::output::chart::axis::{self, Entry, Tick};
use crate::output::chart::column::Form;
use crate::output::chart::figure::Figure;
use crate::output::chart::scale::Scale;
use crate::output::chart::scene::{Anchor, Canvas, Paint, Point, Scene, Stroke, Weight};
use frame::Frame;
use pieces::Band;

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
        let edges = figure.up.bands.iter().map(|&edge| (edge, figure.up.form.edge(edge))).collect();
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
    let frame = Frame::of(rows, drawn, canvas, label_width);
    let edges = frame.edges(rows, canvas);
    let top = top + if edges.iter().any(|(_, name)| !name.is_empty()) { canvas.line() } else { 0.0 };
    let heights: Vec<f64> = drawn.iter().zip(&labels).map(|(row, lines)| row.height(lines.len(), canvas)).collect();
    let ticks = frame.ticks(rows, canvas);
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
            pieces::draw(&mut scene, rows, row, canvas, &frame, band);
        }
        y += height;
    }
    if canvas.is_page() || !rows.has_zero {
        y = axis::bottom(&mut scene, canvas, y, (frame.left, frame.right), &ticks, &rows.title);
    }
    if shown < rows.rows.len() {
        let rest = format!("… and {} more rows, which are not drawn", rows.rows.len() - shown);
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
            _ if has_swarm => pieces::swarm_height(canvas),
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
