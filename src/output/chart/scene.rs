//! A chart as it is laid out: a short list of marks in the units of the canvas, in the order in which they are drawn.
//!
//! Colours are named by what they mean; what draws the scene knows how each looks.

use unicode_width::UnicodeWidthStr;

use super::advances;

/// What a chart is laid out for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// Pixels of a page, y downwards.
    Page,
    /// Cells of a terminal.
    Cells,
}

/// The place that a chart may take, in the units of its medium. Charts with a row for each label become as high as they need.
#[derive(Clone, Copy, Debug)]
pub struct Canvas {
    pub medium: Medium,
    pub width: f64,
    pub height: f64,
}

impl Canvas {
    /// One of two measures: that of a page, or that of a terminal.
    pub fn either(&self, page: f64, cells: f64) -> f64 {
        match self.medium {
            Medium::Page => page,
            Medium::Cells => cells,
        }
    }

    pub fn is_page(&self) -> bool {
        self.medium == Medium::Page
    }

    /// The height of a line of text.
    pub fn line(&self) -> f64 {
        self.either(16.0, 1.0)
    }

    /// A distance between things that stand side by side.
    pub fn gap(&self) -> f64 {
        self.either(8.0, 1.0)
    }

    /// How wide a text is.
    pub fn wide(&self, text: &str, weight: Weight) -> f64 {
        match self.medium {
            Medium::Page => advances::pixels(text, weight),
            Medium::Cells => text.width() as f64,
        }
    }

    /// The text, cut where it is wider than this.
    pub fn cut(&self, text: &str, room: f64) -> String {
        if self.wide(text, Weight::Plain) <= room {
            return text.to_owned();
        }
        let mut kept = String::new();
        for letter in text.chars() {
            kept.push(letter);
            kept.push('…');
            let is_wide = self.wide(&kept, Weight::Plain) > room;
            kept.pop();
            if is_wide {
                kept.pop();
                break;
            }
        }
        kept.truncate(kept.trim_end().len());
        kept + "…"
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

impl Point {
    pub fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }
}

/// What a colour means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Paint {
    Ink,
    Muted,
    Grid,
    Surface,
    /// Where there is no value.
    Gap,
    Good,
    Bad,
    /// One of several, counted from 0; after [`Paint::SERIES`] they begin again.
    Series(usize),
    /// How far from the middle and on which side, -4 to 4; text in ink can be read on it.
    Tint(i8),
}

impl Paint {
    /// Series that have a colour of their own.
    pub const SERIES: usize = 8;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Plain,
    /// A heading.
    Strong,
    /// Plain, with the surface around it, so that lines behind it do not cross it.
    Haloed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stroke {
    Thin,
    Thick,
    Dashed,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    Box {
        at: Point,
        width: f64,
        height: f64,
    },
    /// A box of slanting lines: what is missing.
    Hatch {
        at: Point,
        width: f64,
        height: f64,
    },
    Line {
        from: Point,
        to: Point,
        stroke: Stroke,
    },
    /// A line through points.
    Path(Vec<Point>, Stroke),
    /// What lies inside of a line around, pale.
    Area(Vec<Point>),
    /// One of a few, with a place of its own.
    Dot(Point),
    /// One of many, which may lie on each other.
    Speck(Point),
    /// A place on a line that tells its number, and is not seen.
    Touch(Point),
    /// A sign for too high (upwards) or too low.
    Arrow {
        at: Point,
        is_up: bool,
    },
    /// Text whose line has its middle at this height.
    Text {
        at: Point,
        text: String,
        anchor: Anchor,
        weight: Weight,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    pub shape: Shape,
    pub paint: Paint,
    /// What it stands for, told when somebody points at it.
    pub tip: Option<String>,
}

/// Marks on a canvas of this size.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    pub width: f64,
    pub height: f64,
    pub marks: Vec<Mark>,
}

impl Scene {
    pub fn add(&mut self, shape: Shape, paint: Paint) {
        self.marks.push(Mark { shape, paint, tip: None });
    }

    pub fn add_told(&mut self, shape: Shape, paint: Paint, tip: String) {
        self.marks.push(Mark { shape, paint, tip: Some(tip) });
    }

    pub fn text(&mut self, at: Point, text: impl Into<String>, anchor: Anchor, paint: Paint) {
        self.add(Shape::Text { at, text: text.into(), anchor, weight: Weight::Plain }, paint);
    }

    pub fn line(&mut self, from: Point, to: Point, stroke: Stroke, paint: Paint) {
        self.add(Shape::Line { from, to, stroke }, paint);
    }
}
