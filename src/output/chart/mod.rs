//! Charts of results. A [`Spec`] says what is drawn of which columns; a [`Drawing`] of rows gives it as SVG, as a PNG or as
//! characters, with a sentence that says what it shows and the table of what it draws.
//!
//! A chart is laid out once for its canvas as a [`scene`], and each form draws that. What is the same is drawn the same: nothing here
//! asks for a clock, a locale or a font of the machine. A missing value is never drawn as zero: it is hatched, or a gap, and named.

mod advances;
mod axis;
mod cells;
mod column;
mod figure;
mod kinds;
mod palette;
mod png;
mod scale;
mod scene;
mod sentence;
mod svg;

use std::path::Path;

use arrow::array::RecordBatch;
use schemars::JsonSchema;
use serde::Deserialize;

use super::present::Presentation;
use crate::error::{Error, Result};
use crate::suggest;
use figure::Figure;
use scene::{Canvas, Medium, Scene};

pub use palette::palette_css;
pub use scale::plain;

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A bar for each row, from zero.
    Bar,
    /// A bar for each label, of a piece for each series.
    StackedBar,
    /// A line for each series, with a band between `low` and `high`.
    Line,
    /// A dot for each row, with a line from `low` to `high`.
    Dot,
    /// A cell for each pair of labels.
    Heatmap,
    /// A point for each row between two axes.
    Scatter,
    /// A bar for each row against its `target` and the bands of its column.
    Bullet,
    /// How steps lead from a first to a last total.
    Waterfall,
    /// A small line for each series, without axes.
    Sparkline,
}

impl Kind {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Bar, "bar"),
        (Self::StackedBar, "stacked_bar"),
        (Self::Line, "line"),
        (Self::Dot, "dot"),
        (Self::Heatmap, "heatmap"),
        (Self::Scatter, "scatter"),
        (Self::Bullet, "bullet"),
        (Self::Waterfall, "waterfall"),
        (Self::Sparkline, "sparkline"),
    ];

    /// The kind of this name, or of one that begins so: `heat`, `stacked`.
    pub fn parse(name: &str) -> Option<Self> {
        let exact = Self::ALL.iter().find(|(_, known)| *known == name);
        let begun = || Self::ALL.iter().find(|(_, known)| name.len() >= SHORTEST && known.starts_with(name));
        exact.or_else(begun).map(|(kind, _)| *kind)
    }

    /// The names, for help texts.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(_, name)| *name)
    }
}

/// Letters that the beginning of a kind's name must have to stand for it.
const SHORTEST: usize = 4;

/// A chart of a result. Columns that are not named are chosen: the first that fits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spec {
    pub kind: Option<Kind>,
    /// Heading; where there is none, what is drawn by what.
    pub title: Option<String>,
    /// One of the two sides: labels of bars, what lies along the bottom, or the columns of a heat map.
    pub x: Option<String>,
    /// The other side: numbers, or the rows of a heat map.
    pub y: Option<String>,
    /// A series for each value; of a heat map the numbers.
    pub color: Option<String>,
    /// The ends of an interval around the numbers.
    pub low: Option<String>,
    pub high: Option<String>,
    /// What the numbers should be.
    pub target: Option<String>,
    /// What points are called.
    pub label: Option<String>,
    /// The label that stands for all the others together.
    pub total: Option<String>,
}

/// Units that a chart may take: pixels of a page, or characters of a terminal. Charts with a row for each label take the height that they
/// need.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub width: usize,
    pub height: usize,
}

/// The forms of a picture in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picture {
    Svg,
    Png,
}

impl Picture {
    /// The form that a file's extension stands for.
    pub fn of_file(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_lowercase().as_str() {
            "svg" => Some(Self::Svg),
            "png" => Some(Self::Png),
            _ => None,
        }
    }
}

/// What a chart in a page has where nothing else is asked for.
pub const PAGE: Size = Size { width: 720, height: 380 };

/// A chart of rows.
#[derive(Debug)]
pub struct Drawing {
    figure: Figure,
    table: RecordBatch,
}

impl Drawing {
    /// The chart of these rows; every column that is drawn must be among them.
    ///
    /// # Errors
    /// `Usage` when there are no rows, a column is not there, holds no numbers where numbers are needed, or a heat map has two
    /// rows for a cell.
    pub fn of(rows: &RecordBatch, present: &Presentation, spec: &Spec) -> Result<Self> {
        if rows.num_rows() == 0 {
            return Err(Error::usage("there are no rows to draw"));
        }
        let figure = Figure::of(rows, present, spec)?;
        let table = rows
            .project(&figure.places())
            .map_err(|error| Error::internal(format!("columns of a chart cannot be taken: {error}")))?;
        Ok(Self { figure, table })
    }

    /// The heading.
    pub fn title(&self) -> &str {
        &self.figure.heading
    }

    /// One or two sentences that say what the chart shows: which is highest and lowest, what changed, what is outside of the bands,
    /// how much is missing and why.
    pub fn sentence(&self) -> String {
        kinds::sentence(&self.figure)
    }

    /// The columns that are drawn, with those that say why a value is missing, in the result's own types: what a reader gets who sees no
    /// pictures.
    pub fn table(&self) -> &RecordBatch {
        &self.table
    }

    /// An SVG element to stand in a page, in pixels of its natural size; its colours are the custom properties of [`palette_css`],
    /// each with its light colour where a page has none. Identifiers begin with `id`, which must be unlike others in the page.
    pub fn svg(&self, id: &str, size: Size) -> String {
        svg::inline(&self.scene(Medium::Page, size), id, self)
    }

    /// An SVG file that follows the reader's choice of light and dark.
    pub fn standalone_svg(&self, size: Size) -> String {
        svg::file(&self.scene(Medium::Page, size), self)
    }

    /// A PNG on white of so many pixels across, laid out for a page of this size.
    ///
    /// # Errors
    /// `Internal` when it cannot be painted; `Usage` for a picture without width or a very large one.
    pub fn png(&self, size: Size, width_px: u32) -> Result<Vec<u8>> {
        png::paint(&self.scene(Medium::Page, size), self, width_px)
    }

    /// Lines of characters.
    pub fn text(&self, size: Size) -> String {
        cells::draw(&self.scene(Medium::Cells, size))
    }

    fn scene(&self, medium: Medium, size: Size) -> Scene {
        let canvas = Canvas { medium, width: size.width as f64, height: size.height as f64 };
        kinds::lay_out(&self.figure, &canvas)
    }
}

/// The place of a column, found by its name.
///
/// # Errors
/// `Usage` with the nearest name when there is none.
pub fn place(rows: &RecordBatch, name: &str) -> Result<usize> {
    let schema = rows.schema();
    let names = || schema.fields().iter().map(|field| field.name().as_str());
    let same = |known: &str| known == name || known.eq_ignore_ascii_case(name);
    if let Some(place) = names().position(same) {
        return Ok(place);
    }
    let error = Error::usage(format!("the result has no column `{name}`"));
    Err(match suggest::nearest(name, names()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("its columns: {}", suggest::list(names()))),
    })
}
