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

pub use column::on_one_line;
pub use palette::{palette_css, series_colours};

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
    /// `Usage` when there are no rows, a column is not there, holds no numbers where numbers are needed, a heat map has two rows for a
    /// cell, a line two values at a place, a stacked bar more groups than there are colours, or a step of a waterfall no value.
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Float64Array, StringArray};

    use super::*;
    use crate::output::present::{ColumnStyle, Good, NumberFormat};

    fn rows(numbers: &[Option<f64>]) -> RecordBatch {
        let count = numbers.len();
        let labels = (0..count).map(|row| format!("office {row} <&\"'>\u{1b}[31m é 東京"));
        let days = (0..count).map(|row| 20_000 + 31 * i32::try_from(row).expect("a few"));
        let groups = (0..count).map(|row| format!("group {}", row % 2));
        let ends =
            |away: f64| numbers.iter().map(|number| number.map(|number| number + away)).collect::<Float64Array>();
        let columns: [(&str, ArrayRef); 7] = [
            ("label", Arc::new(StringArray::from_iter_values(labels))),
            ("day", Arc::new(Date32Array::from_iter_values(days))),
            ("group", Arc::new(StringArray::from_iter_values(groups))),
            ("low", Arc::new(ends(-1.0))),
            ("high", Arc::new(ends(1.0))),
            ("other", Arc::new(ends(5.0))),
            ("number", Arc::new(numbers.iter().copied().collect::<Float64Array>())),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.map(|(name, values)| (name, values, true))).expect("rows")
    }

    fn spec(kind: Kind) -> Spec {
        let named = |name: &str| Some(name.to_owned());
        let (x, y, color) = match kind {
            Kind::Heatmap => ("group", "label", "number"),
            Kind::Line | Kind::Sparkline => ("day", "number", "group"),
            Kind::Scatter => ("other", "number", "group"),
            _ => ("label", "number", "group"),
        };
        let (low, high, target) = (named("low"), named("high"), named("other"));
        let kind = Some(kind);
        Spec {
            kind,
            x: named(x),
            y: named(y),
            color: named(color),
            low,
            high,
            target,
            label: named("label"),
            ..Spec::default()
        }
    }

    #[test]
    fn every_kind_draws_whatever_numbers_there_are() {
        let odd: [Vec<Option<f64>>; 10] = [
            vec![None],
            vec![None, None, None],
            vec![Some(7.0)],
            vec![Some(0.0), Some(0.0)],
            vec![Some(-3.0), None, Some(-1.0)],
            vec![Some(1e18), Some(1e18 + 256.0), Some(1e18 + 512.0)],
            vec![Some(1e-12), Some(3e-12)],
            vec![Some(f64::MAX), Some(f64::MIN), Some(1.0)],
            vec![Some(f64::NAN), Some(f64::INFINITY), Some(2.0), Some(300.0), Some(5.0)],
            (0..300).map(|row| (row % 7 > 0).then(|| f64::from(row) - 20.0)).collect(),
        ];
        for numbers in odd {
            for (kind, name) in Kind::ALL {
                let drawn = Drawing::of(&rows(&numbers), &Presentation::default(), &spec(kind));
                // Steps add up only when all of them are there.
                if kind == Kind::Waterfall
                    && numbers.iter().any(|number| number.is_none_or(|number| number.is_nan() || number.abs() >= 1e300))
                {
                    assert!(drawn.is_err(), "{numbers:?}");
                    continue;
                }
                let drawing = drawn.expect(name);
                let svg = drawing.svg("here", PAGE);
                roxmltree::Document::parse(&svg).expect(name);
                assert!(!svg.contains("NaN") && !svg.contains("\"inf") && !svg.contains("\"-inf"), "{name}: {svg}");
                let text = drawing.text(Size { width: 60, height: 20 });
                assert!(!text.contains('\u{1b}') && !drawing.sentence().contains('\u{1b}'), "{name}: {text}");
                let lines = text.lines().map(unicode_width::UnicodeWidthStr::width);
                assert!(lines.max().unwrap_or(0) <= 60, "{name}:\n{text}");
            }
        }
    }

    #[test]
    fn a_waterfall_without_one_of_its_steps_is_refused_with_the_reason() {
        let drawn =
            |numbers: &[Option<f64>]| Drawing::of(&rows(numbers), &Presentation::default(), &spec(Kind::Waterfall));
        let refused = drawn(&[Some(100.0), None, Some(10.0), Some(130.0)]).expect_err("a step is missing");
        assert!(refused.to_string().starts_with("the step `office 1 "), "{refused}");
        assert!(refused.to_string().ends_with("` of a waterfall has no value"), "{refused}");
        let whole = drawn(&[Some(100.0), Some(20.0), Some(10.0), Some(130.0)]).expect("all steps");
        assert!(whole.sentence().contains("(130.0), a change of +30.0."), "{}", whole.sentence());
    }

    #[test]
    fn a_number_on_the_edge_of_a_band_is_not_beyond_it() {
        let style = ColumnStyle { good: Some(Good::Down), bands: vec![0.8, 1.25], ..ColumnStyle::default() };
        let present = Presentation::report(BTreeMap::from([("number".to_owned(), style)]));
        let named = |name: &str| Some(name.to_owned());
        let spec = Spec { kind: Some(Kind::Bar), x: named("label"), y: named("number"), ..Spec::default() };
        for (number, told, is_bad) in [
            (1.25, "Above 1.25: 0 of 2; below 0.8: 0.", false),
            (1.26, "Above 1.25: 1 of 2; below 0.8: 0.", true),
            (0.8, "Above 1.25: 0 of 2; below 0.8: 0.", false),
        ] {
            let drawing = Drawing::of(&rows(&[Some(number), Some(1.0)]), &present, &spec).expect("bars");
            assert!(drawing.sentence().ends_with(told), "{}", drawing.sentence());
            assert_eq!(drawing.svg("here", PAGE).contains("var(--cx-bad"), is_bad, "{number}");
        }
    }

    /// Numbers in this format.
    fn formatted(pattern: &str) -> Presentation {
        let number = NumberFormat::parse(pattern).ok();
        let style = ColumnStyle { number, ..ColumnStyle::default() };
        Presentation::report(BTreeMap::from([("number".to_owned(), style)]))
    }

    #[test]
    fn shares_that_are_written_alike_are_all_the_same_and_change_by_points() {
        let drawn = |kind: Kind, numbers: &[f64]| {
            let numbers: Vec<Option<f64>> = numbers.iter().copied().map(Some).collect();
            Drawing::of(&rows(&numbers), &formatted("0%"), &spec(kind)).expect("a chart")
        };
        let sentence = drawn(Kind::Bar, &[0.101, 0.104, 0.098]).sentence();
        assert!(sentence.ends_with(": all 3 are 10%."), "{sentence}");
        let svg = drawn(Kind::Sparkline, &[0.2, 0.5, 0.25, 0.49]).svg("here", PAGE);
        assert!(svg.contains(">25% (+5 points)</text>") && svg.contains(">49% (-1 point)</text>"), "{svg}");
    }

    #[test]
    fn pieces_below_zero_have_their_numbers_too() {
        let drawing = Drawing::of(&rows(&[Some(-17.0), Some(13.0)]), &Presentation::default(), &spec(Kind::StackedBar));
        let svg = drawing.expect("bars").svg("here", PAGE);
        assert!(svg.contains(">-17</text>") && svg.contains(">13</text>"), "{svg}");
    }

    #[test]
    fn a_stacked_bar_of_more_groups_than_colours_is_refused() {
        let drawn = |groups: i32| {
            let names: ArrayRef = Arc::new(StringArray::from_iter_values((0..groups).map(|group| format!("g{group}"))));
            let labels: ArrayRef = Arc::new(StringArray::from_iter_values((0..groups).map(|_| "one")));
            let numbers: ArrayRef = Arc::new(Float64Array::from_iter_values((0..groups).map(f64::from)));
            let columns = [("label", labels), ("group", names), ("number", numbers)];
            let spec = Spec { low: None, high: None, target: None, label: None, ..spec(Kind::StackedBar) };
            Drawing::of(&RecordBatch::try_from_iter(columns).expect("rows"), &Presentation::default(), &spec)
        };
        assert!(drawn(8).is_ok());
        let refused = drawn(9).expect_err("two would look alike");
        assert_eq!(refused.to_string(), "stacked bars have 8 colours, and `group` has 9 groups");
        assert_eq!(refused.kind(), crate::error::Kind::Usage);
    }

    #[test]
    fn ratios_of_zero_leave_the_others_their_tints() {
        let style = ColumnStyle { bands: vec![0.8, 1.25], ..ColumnStyle::default() };
        let present = Presentation::report(BTreeMap::from([("number".to_owned(), style)]));
        let numbers: Vec<Option<f64>> = (0..12).map(|row| Some(if row < 2 { 0.0 } else { f64::from(row) })).collect();
        let svg = Drawing::of(&rows(&numbers), &present, &spec(Kind::Heatmap)).expect("a map").svg("here", PAGE);
        assert!(svg.contains("var(--cx-d4,") && svg.contains("var(--cx-d-4,"), "{svg}");
    }

    #[test]
    fn steps_are_good_or_bad_only_where_the_column_says_which() {
        let drawn = |good: Option<Good>| {
            let style = ColumnStyle { good, ..ColumnStyle::default() };
            let present = Presentation::report(BTreeMap::from([("number".to_owned(), style)]));
            let steps = rows(&[Some(100.0), Some(30.0), Some(-10.0), Some(120.0)]);
            Drawing::of(&steps, &present, &spec(Kind::Waterfall)).expect("a bridge").svg("here", PAGE)
        };
        let judges = |svg: &str| ["good", "bad"].map(|name| svg.contains(&format!("var(--cx-{name},")));
        assert_eq!(judges(&drawn(Some(Good::Down))), [true, true]);
        assert_eq!(judges(&drawn(None)), [false, false]);
        assert!(drawn(None).contains(">rises</text>"));
    }

    #[test]
    fn a_name_beside_a_point_leaves_room_for_wider_fonts() {
        let name = "a point with a rather long name";
        let labels: ArrayRef = Arc::new(StringArray::from(vec!["first", name]));
        let numbers = || -> ArrayRef { Arc::new(Float64Array::from(vec![1.0, 9.0])) };
        let points = RecordBatch::try_from_iter([("x", numbers()), ("y", numbers()), ("label", labels)]).expect("rows");
        let named = |name: &str| Some(name.to_owned());
        let spec =
            Spec { kind: Some(Kind::Scatter), x: named("x"), y: named("y"), label: named("label"), ..Spec::default() };
        let svg = Drawing::of(&points, &Presentation::default(), &spec).expect("points").svg("here", PAGE);
        let document = roxmltree::Document::parse(&svg).expect("XML");
        let number = |node: roxmltree::Node<'_, '_>, name: &str| -> f64 {
            node.attribute(name).and_then(|text| text.parse().ok()).expect("a number")
        };
        let of = |tag: &'static str| {
            document.descendants().filter(move |node| node.has_tag_name(("http://www.w3.org/2000/svg", tag)))
        };
        let text = of("text").find(|node| node.text() == Some(name)).map(|node| number(node, "x")).expect("its name");
        let point = of("circle").map(|node| number(node, "cx")).fold(0.0, f64::max);
        let width = advances::pixels(name, scene::Weight::Plain);
        assert!(point - text > 1.1 * width, "{text} to {point}, {width} wide: {svg}");
    }

    #[test]
    fn tips_and_sentences_have_numbers_as_tables_do() {
        let money: ArrayRef = Arc::new(
            Decimal128Array::from(vec![123_456_789_012, 234_567_834]).with_precision_and_scale(18, 2).expect("it fits"),
        );
        let labels: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
        let rows = RecordBatch::try_from_iter([("label", labels), ("money", money)]).expect("rows");
        let drawing = Drawing::of(&rows, &Presentation::default(), &Spec::default()).expect("bars");
        assert_eq!(drawing.sentence(), "money by label: highest for a (1234567890.12), lowest for b (2345678.34).");
        assert!(drawing.svg("here", PAGE).contains("<title>a: money 1234567890.12</title>"));
    }

    #[test]
    fn a_chart_in_a_page_keeps_its_names_apart_and_takes_the_colours_of_the_page() {
        let drawing = Drawing::of(&rows(&[Some(2.0), None]), &Presentation::default(), &spec(Kind::Bar)).expect("bars");
        let svg = drawing.svg("sales-1", PAGE);
        let document = roxmltree::Document::parse(&svg).expect("XML");
        let ids: Vec<&str> = document.descendants().filter_map(|node| node.attribute("id")).collect();
        assert_eq!(ids, ["sales-1-title", "sales-1-desc", "sales-1-gap"]);
        assert_eq!(document.root_element().attribute("aria-labelledby"), Some("sales-1-title sales-1-desc"));
        let css = palette_css();
        for name in svg.split("var(").skip(1).filter_map(|rest| rest.split(',').next()) {
            assert_eq!(css.matches(&format!("{name}:")).count(), 2, "{name}");
        }
        assert!(!svg.contains("<style"), "{svg}");
    }

    #[test]
    fn the_table_of_a_chart_has_its_columns_and_all_rows() {
        let drawing = Drawing::of(&rows(&[Some(2.0), None]), &Presentation::default(), &spec(Kind::Dot)).expect("dots");
        let schema = drawing.table().schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(names, ["label", "number", "group", "low", "high", "other"]);
        assert_eq!(drawing.table().num_rows(), 2);
    }

    #[test]
    fn a_picture_is_as_wide_as_asked_and_no_wider_than_can_be_painted() {
        let drawing = Drawing::of(&rows(&[Some(2.0), None]), &Presentation::default(), &spec(Kind::Bar)).expect("bars");
        let picture = resvg::tiny_skia::Pixmap::decode_png(&drawing.png(PAGE, 300).expect("a PNG")).expect("a PNG");
        assert_eq!(picture.width(), 300);
        assert!(drawing.png(PAGE, 300).expect("a PNG") == drawing.png(PAGE, 300).expect("a PNG"));
        assert!(drawing.png(PAGE, 0).is_err() && drawing.png(PAGE, 20_000).is_err());
    }
}
