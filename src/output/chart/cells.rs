//! A scene in characters: bars in eighths of a block, lines and points in Braille dots, two by four in each cell.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::scene::{Anchor, Mark, Paint, Point, Scene, Shape, Stroke};

/// Parts of a full block, from none to seven eighths.
const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// Bits of the eight dots of a Braille character, by row and column.
const DOTS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// The first of the Braille characters, which has no dots.
const BRAILLE: u32 = 0x2800;

/// Fills that can be told apart, for the first series.
const FILLS: [char; 4] = ['█', '▓', '▒', '░'];

/// Dots that can be told apart.
const DOT_LETTERS: [char; 6] = ['●', '○', '◆', '◇', '▲', '△'];

/// Shades from small to large.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];

/// Part of a cell that is nothing but rounding.
const NOTHING: f64 = 1e-6;

pub fn draw(scene: &Scene) -> String {
    let mut grid = Grid::new(cell(scene.width), cell(scene.height));
    for mark in &scene.marks {
        grid.mark(mark);
    }
    grid.text()
}

#[derive(Clone, Copy, PartialEq)]
enum Cell {
    Empty,
    Letter(char),
    /// Covered by the wide letter before it.
    Covered,
    Dots(u32),
}

struct Grid {
    columns: usize,
    rows: usize,
    cells: Vec<Cell>,
}

impl Grid {
    fn new(columns: usize, rows: usize) -> Self {
        Self { columns, rows, cells: vec![Cell::Empty; columns * rows] }
    }

    fn at(&mut self, column: usize, row: usize) -> Option<&mut Cell> {
        if column >= self.columns || row >= self.rows {
            return None;
        }
        self.cells.get_mut(row * self.columns + column)
    }

    fn put(&mut self, column: usize, row: usize, letter: char) {
        if let Some(cell) = self.at(column, row) {
            *cell = Cell::Letter(letter);
        }
    }

    fn mark(&mut self, mark: &Mark) {
        match &mark.shape {
            Shape::Box { at, width, height } => self.fill(*at, *width, *height, mark.paint),
            Shape::Hatch { at, width, height } => {
                for row in cell(at.y)..cell(at.y + height) {
                    (cell(at.x)..cell(at.x + width)).for_each(|column| self.put(column, row, '╱'));
                }
            }
            Shape::Line { from, to, stroke } => self.line(*from, *to, *stroke),
            Shape::Path(points, _) => {
                for pair in points.windows(2) {
                    if let [from, to] = pair {
                        self.dots(*from, *to);
                    }
                }
            }
            Shape::Area(points) => self.shade(points),
            Shape::Dot(at) => self.put(cell(at.x), cell(at.y), dot_letter(mark.paint)),
            // Braille has no colours: all groups but the first have a letter of their own.
            Shape::Speck(at) => match mark.paint {
                Paint::Series(1..) => self.put(cell(at.x), cell(at.y), dot_letter(mark.paint)),
                _ => self.dots(*at, *at),
            },
            Shape::Touch(_) => {}
            Shape::Arrow { at, is_up } => self.put(cell(at.x), cell(at.y), if *is_up { '▲' } else { '▼' }),
            Shape::Text { at, text, anchor, .. } => self.write(*at, text, *anchor),
        }
    }

    fn write(&mut self, at: Point, text: &str, anchor: Anchor) {
        let back = match anchor {
            Anchor::Start => 0,
            Anchor::Middle => text.width() / 2,
            Anchor::End => text.width(),
        };
        let mut column = cell(at.x).saturating_sub(back);
        for letter in text.chars() {
            let width = letter.width().unwrap_or(0);
            if width == 0 {
                continue;
            }
            self.put(column, cell(at.y), letter);
            for covered in 1..width {
                if let Some(cell) = self.at(column + covered, cell(at.y)) {
                    *cell = Cell::Covered;
                }
            }
            column += width;
        }
    }

    /// A box of whole cells, but for its right end, which is drawn in eighths. What is drawn at all shows at least as a hair.
    fn fill(&mut self, at: Point, width: f64, height: f64, paint: Paint) {
        if width <= NOTHING {
            return;
        }
        let letter = match paint {
            Paint::Surface => ' ',
            Paint::Series(place) => FILLS[place % FILLS.len()],
            Paint::Bad => FILLS[2],
            Paint::Gap => FILLS[3],
            Paint::Tint(step) => {
                // Half as many on each side of the middle, those farthest from it first.
                let away = (step.clamp(-4, 4).abs() + 1) / 2 * step.signum();
                SHADES[usize::try_from(away + 2).unwrap_or_default().min(SHADES.len() - 1)]
            }
            _ => FILLS[0],
        };
        let end = at.x + width;
        let is_whole = |x: f64| (x - x.round()).abs() < NOTHING;
        // What ends at a cell's edge and begins within one hangs to the left.
        let hangs = is_whole(end) && !is_whole(at.x);
        let last = cell(end.round());
        let first = if hangs { cell(at.x.round()).min(last.saturating_sub(1)) } else { cell(at.x.round()) };
        for row in cell(at.y)..cell(at.y + height).max(cell(at.y) + 1) {
            if letter != FILLS[0] || hangs {
                (first..last.max(first + 1)).for_each(|column| self.put(column, row, letter));
                continue;
            }
            let eighths = cell(((end - first as f64) * 8.0).round()).max(1);
            (first..first + eighths / 8).for_each(|column| self.put(column, row, letter));
            if !eighths.is_multiple_of(8) {
                self.put(first + eighths / 8, row, EIGHTHS[eighths % 8]);
            }
        }
    }

    fn line(&mut self, from: Point, to: Point, stroke: Stroke) {
        // Sides run to the right, and downwards.
        let (from, to) = if from.y > to.y || from.x > to.x { (to, from) } else { (from, to) };
        let is_level = (from.y - to.y).abs() < NOTHING;
        let is_upright = (from.x - to.x).abs() < NOTHING;
        match stroke {
            Stroke::Dashed if is_upright => {
                for row in cell(from.y)..cell(to.y) {
                    if self.at(cell(from.x), row).is_some_and(|cell| *cell == Cell::Empty) {
                        self.put(cell(from.x), row, '┊');
                    }
                }
            }
            _ if is_upright => {
                let letter = if stroke == Stroke::Thick { '┃' } else { '│' };
                (cell(from.y)..cell(to.y).max(cell(from.y) + 1)).for_each(|row| self.put(cell(from.x), row, letter));
            }
            _ if is_level => (cell(from.x)..=cell(to.x)).for_each(|column| self.put(column, cell(from.y), '─')),
            _ => self.dots(from, to),
        }
    }

    /// Sets the dots from one point to another, both included. Dots never hide a letter.
    fn dots(&mut self, from: Point, to: Point) {
        let dot = |at: Point| (cell(at.x * 2.0), cell(at.y * 4.0));
        let (from, to) = (dot(from), dot(to));
        let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1)).max(1);
        let between = |from: usize, to: usize, step: usize| {
            // Rounded to the nearest dot.
            (from * (steps - step) + to * step + steps / 2) / steps
        };
        for step in 0..=steps {
            let (column, row) = (between(from.0, to.0, step), between(from.1, to.1, step));
            let bit = DOTS[row % 4][column % 2];
            if let Some(cell) = self.at(column / 2, row / 4) {
                *cell = match *cell {
                    Cell::Dots(dots) => Cell::Dots(dots | bit),
                    Cell::Letter(letter) if DOT_LETTERS.contains(&letter) => Cell::Letter(letter),
                    _ => Cell::Dots(bit),
                };
            }
        }
    }

    /// Shades the cells whose middle lies inside of a line around.
    fn shade(&mut self, points: &[Point]) {
        for row in 0..self.rows {
            for column in 0..self.columns {
                let middle = Point::new(column as f64 + 0.5, row as f64 + 0.5);
                if is_inside(points, middle)
                    && let Some(cell) = self.at(column, row)
                    && *cell == Cell::Empty
                {
                    *cell = Cell::Letter(FILLS[3]);
                }
            }
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for row in self.cells.chunks(self.columns.max(1)) {
            let line: String = (row.iter())
                .filter_map(|cell| match *cell {
                    Cell::Empty => Some(' '),
                    Cell::Letter(letter) => Some(letter),
                    Cell::Covered => None,
                    Cell::Dots(dots) => char::from_u32(BRAILLE + dots),
                })
                .collect();
            text += line.trim_end();
            text.push('\n');
        }
        text
    }
}

/// The letter for a dot in this colour.
fn dot_letter(paint: Paint) -> char {
    match paint {
        Paint::Series(place) => DOT_LETTERS[place % DOT_LETTERS.len()],
        _ => DOT_LETTERS[0],
    }
}

/// Whether a point lies inside: a ray from it crosses the line around an odd number of times.
fn is_inside(around: &[Point], at: Point) -> bool {
    let sides = around.iter().zip(around.iter().cycle().skip(1));
    let crossed = sides.filter(|(one, other)| {
        (one.y > at.y) != (other.y > at.y) && at.x < (other.x - one.x) * (at.y - one.y) / (other.y - one.y) + one.x
    });
    crossed.count() % 2 == 1
}

/// The cell, or the dot, in which a place lies.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "places on a screen")]
fn cell(place: f64) -> usize {
    (place + NOTHING).max(0.0).floor() as usize
}
