//! The sheet with the charts of all sections, drawn by the spreadsheet itself from cells: change a cell, and its chart follows.
//!
//! A chart that draws columns as they are refers to the table's own cells; one with groups, or with steps, to cells beside each other
//! on a sheet of their own ([`Blocks`]). An empty cell is a gap.

use std::cmp::Ordering;

use rust_xlsxwriter::{
    Chart, ChartAxisCrossing, ChartAxisLabelPosition, ChartErrorBars, ChartErrorBarsType, ChartFont, ChartFormat,
    ChartLegendPosition, ChartLine, ChartLineDashType, ChartMarker, ChartMarkerType, ChartRange, ChartSeries,
    ChartSolidFill, ChartType, Color, Sparkline, Workbook, XlsxError,
};

use super::blocks::{Blocks, Cells};
use super::bridge::{Step, bridge};
use super::figure::Figure;
use super::refused;
use super::series::{Ends, Layout, Series, Source, series};
use super::sheet::Placed;
use super::style::{self, LINE_HEIGHT, fitting};
use super::values::Kind;
use crate::error::Result;
use crate::output::chart::Kind as ChartKind;
use crate::output::present::{Good, by_bands};
use crate::report::document::Document;

/// Pixels across a chart.
const WIDTH: u32 = 960;

/// The last column below a chart, and the letters of a line above it.
const COLUMNS: u16 = 8;
const LETTERS: usize = 130;

/// Pixels of a chart that stands, of a row of the sheet, and of a bar that lies.
const HEIGHT: u32 = 420;
const ROW: u32 = 20;
const BAR: u32 = 22;
const AROUND_BARS: u32 = 120;

/// Groups that have a colour each; of more, a group's name shows when it is pointed at.
const COLOURED: usize = style::SERIES.len();

/// Lines whose ends of intervals are drawn too; those of more cover each other.
const BANDS_MAX: usize = 3;

/// Something on the sheet of charts.
enum Drawn {
    Chart(Box<Chart>, u32),
    /// Small lines in cells, each with its name.
    Lines(Vec<(String, ChartRange)>),
}

/// Writes the sheet of charts and that of the cells they draw, where there are any.
///
/// # Errors
/// `Storage` when rows that were put aside cannot be read.
pub fn write(book: &mut Workbook, document: &Document, tables: &[Placed], name: &str, data: &str) -> Result<()> {
    let mut blocks = Blocks::new(data);
    let mut all: Vec<(String, Option<Drawn>)> = Vec::new();
    for (section, table) in document.sections.iter().zip(tables) {
        for figure in Figure::all(section)?.iter().filter(|figure| figure.kind != ChartKind::Heatmap) {
            let caption = format!("{} Its table is on the sheet \"{}\".", figure.words, table.sheet);
            blocks.part();
            let mut source = Source { table, blocks: &mut blocks };
            all.push((caption, Some(draw(figure, &mut source))));
        }
        all.extend(section.charts.left_out.iter().map(|why| (format!("{}: {why}", section.title), None)));
    }
    if all.is_empty() {
        return Ok(());
    }
    place(book, document, name, &all).map_err(refused)?;
    if blocks.is_empty() { Ok(()) } else { blocks.write(book).map_err(refused) }
}

fn place(
    book: &mut Workbook,
    document: &Document,
    name: &str,
    all: &[(String, Option<Drawn>)],
) -> Result<(), XlsxError> {
    let sheet = book.add_worksheet();
    sheet.set_name(name)?;
    sheet.set_screen_gridlines(false);
    sheet.set_column_width(0, 28)?.set_column_width(1, 40)?;
    sheet.set_paper_size(9).set_print_fit_to_pages(1, 0);
    sheet.write_string_with_format(0, 0, fitting(&document.title), &style::title())?;
    let mut row = 2;
    for (caption, drawn) in all {
        sheet.merge_range(row, 0, row, COLUMNS, &fitting(caption), &style::muted_prose())?;
        sheet.set_row_height(row, LINE_HEIGHT * style::lines(caption, LETTERS) as f64)?;
        row += 1;
        match drawn {
            None => row += 1,
            Some(Drawn::Chart(chart, height)) => {
                sheet.insert_chart(row, 0, chart)?;
                row += height.div_ceil(ROW) + 2;
            }
            Some(Drawn::Lines(lines)) => {
                for (name, range) in lines {
                    sheet.write_string(row, 0, fitting(name))?;
                    let line = Sparkline::new().set_range(range).show_last_point(true);
                    sheet.add_sparkline(row, 1, &line.set_sparkline_color(style::SERIES[0]))?;
                    row += 1;
                }
                row += 2;
            }
        }
    }
    Ok(())
}

fn draw(figure: &Figure<'_>, source: &mut Source<'_>) -> Drawn {
    let (mut chart, height) = match figure.kind {
        ChartKind::Bar | ChartKind::StackedBar => bars(figure, source),
        ChartKind::Bullet => bullets(figure, source),
        ChartKind::Waterfall => steps(figure, source),
        ChartKind::Dot => (dots(figure, source), HEIGHT),
        ChartKind::Line => (lines(figure, source), HEIGHT),
        ChartKind::Scatter | ChartKind::Heatmap => (points(figure, source), HEIGHT),
        ChartKind::Sparkline => {
            let names = Layout::of(figure, false).names;
            let lines = series(figure, source, false).groups.into_iter().map(|(values, _)| values);
            return Drawn::Lines(names.into_iter().zip(lines).collect());
        }
    };
    chart.title().set_name(&words(&figure.title)).set_font(ChartFont::new().set_size(12).set_color(style::INK));
    axes(&mut chart, figure);
    chart.set_width(WIDTH).set_height(height);
    chart.set_alt_text(alt_text(&format!("{}. {}", figure.title, figure.words)));
    Drawn::Chart(Box::new(chart), height)
}

/// Letters of what is said of a chart to those who do not see it; all of it stands above the chart.
const ALT_MAX: usize = 255;

/// As many whole sentences as a chart can have.
fn alt_text(text: &str) -> String {
    if text.encode_utf16().count() <= ALT_MAX {
        return text.to_owned();
    }
    let mut used = 0;
    let fits = |letter: &char| {
        used += letter.len_utf16();
        used < ALT_MAX
    };
    let kept: String = text.chars().take_while(fits).collect();
    match kept.rfind(". ") {
        Some(end) => kept[..=end].to_owned(),
        None => format!("{kept}…"),
    }
}

/// What the axes say. Where bars lie, labels are on the axis that stands.
fn axes(chart: &mut Chart, figure: &Figure<'_>) {
    for (column, is_across) in [(&figure.across, true), (&figure.up, false)] {
        let is_x = is_across != figure.lies;
        let axis = if is_x { chart.x_axis() } else { chart.y_axis() };
        axis.set_name(&words(&column.title)).set_name_font(ChartFont::new().set_size(10).set_color(style::MUTED));
        // Where numbers lie on both sides of zero, labels stay at the edge; the low edge of what is turned round is the far one.
        if is_across || !figure.lies {
            axis.set_label_position(ChartAxisLabelPosition::Low);
        }
        if !is_across || figure.kind == ChartKind::Scatter {
            axis.set_major_gridlines(true).set_major_gridlines_line(ChartLine::new().set_color(style::LINE));
        } else {
            axis.set_major_gridlines(false);
        }
        // A bar is as long as its number only where its axis begins at zero.
        if let Some((low, high)) = bars_between(figure).filter(|_| !is_across) {
            if low >= 0.0 {
                axis.set_min(0);
            } else if high <= 0.0 {
                axis.set_max(0);
            }
        }
        // A spreadsheet chooses its axis for the numbers alone, and would cut their intervals off.
        if let Some([low, high]) = intervals_between(figure).filter(|_| !is_across) {
            axis.set_min(low).set_max(high);
        }
        if let Some(pattern) = column.pattern.as_deref().filter(|_| column.is_measured()) {
            let are_months = column.kind == Kind::Day && column.labels.iter().all(|label| label.ends_with("-01"));
            axis.set_num_format(if are_months { "mmm yyyy" } else { pattern });
        }
    }
}

/// The lowest and the highest end of bars; `None` where a chart has none.
fn bars_between(figure: &Figure<'_>) -> Option<(f64, f64)> {
    let ends: Vec<f64> = match figure.kind {
        ChartKind::Bar | ChartKind::StackedBar | ChartKind::Bullet => {
            figure.up.numbers.iter().flatten().copied().collect()
        }
        ChartKind::Waterfall => bridge(figure).iter().map(|step| step.ends.1).collect(),
        ChartKind::Line | ChartKind::Dot | ChartKind::Heatmap | ChartKind::Scatter | ChartKind::Sparkline => {
            return None;
        }
    };
    Some((ends.iter().copied().fold(f64::INFINITY, f64::min), ends.iter().copied().fold(f64::NEG_INFINITY, f64::max)))
}

/// Round numbers around all intervals of dots and points; `None` where a chart has none.
fn intervals_between(figure: &Figure<'_>) -> Option<[f64; 2]> {
    let (Some(low), Some(high)) = (&figure.low, &figure.high) else { return None };
    if !matches!(figure.kind, ChartKind::Dot | ChartKind::Scatter) {
        return None;
    }
    let all = || [low, high, &figure.up].into_iter().flat_map(|column| column.numbers.iter().flatten().copied());
    around(all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max))
}

/// The round numbers below and above these, half a power of ten apart or a few of them.
fn around(low: f64, high: f64) -> Option<[f64; 2]> {
    let scale = 2.0 * 10_f64.powf(-(high - low).log10().floor());
    let ends = [(low * scale).floor() / scale, (high * scale).ceil() / scale];
    (low < high && ends.iter().all(|end| end.is_finite())).then_some(ends)
}

/// A text that a chart does not take for the address of cells.
fn words(text: &str) -> String {
    text.trim_start_matches('=').replace('!', "! ")
}

/// The colour of a group.
fn colour(group: usize, colours: &[usize]) -> Color {
    match colours.get(group).and_then(|colour| style::SERIES.get(*colour)) {
        Some(colour) if colours.len() <= COLOURED => Color::RGB(*colour),
        _ => Color::RGB(style::MUTED),
    }
}

fn fill(colour: Color) -> ChartFormat {
    let mut format = ChartFormat::new();
    format.set_solid_fill(ChartSolidFill::new().set_color(colour)).set_no_border();
    format
}

fn line(colour: Color, width: f64) -> ChartFormat {
    let mut format = ChartFormat::new();
    format.set_line(ChartLine::new().set_color(colour).set_width(width));
    format
}

fn marker(kind: ChartMarkerType, size: u8, colour: Color) -> ChartMarker {
    let mut marker = ChartMarker::new();
    marker.set_type(kind).set_size(size).set_format(&mut fill(colour));
    marker
}

/// One group says what it is at its axis, many are too many for a key.
fn key(chart: &mut Chart, groups: usize) {
    match groups {
        2..=COLOURED => chart.legend().set_position(ChartLegendPosition::Top),
        _ => chart.legend().set_hidden(),
    };
}

/// Bars; those that lie have the first on top.
fn bars(figure: &Figure<'_>, source: &mut Source<'_>) -> (Chart, u32) {
    let is_stacked = figure.kind == ChartKind::StackedBar;
    let mut chart = Chart::new(match (figure.lies, is_stacked) {
        (true, false) => ChartType::Bar,
        (true, true) => ChartType::BarStacked,
        (false, false) => ChartType::Column,
        (false, true) => ChartType::ColumnStacked,
    });
    let Series { across, groups, colours, is_apart, .. } = series(figure, source, false);
    let count = groups.len();
    for (group, (values, name)) in groups.iter().enumerate() {
        let bars = chart.add_series();
        bars.set_categories(&across).set_values(values).set_name(name).set_gap(40);
        bars.set_format(&mut fill(colour(group, &colours)));
        if is_stacked || is_apart {
            bars.set_overlap(100);
        }
        if count == 1 {
            judge(bars, figure);
        }
    }
    key(&mut chart, count);
    // Bars of groups beside each other need a line each.
    let places = if is_stacked || is_apart { figure.rows.min(figure.across.distinct().0.len()) } else { figure.rows };
    (laid(chart, figure), height(figure, places))
}

/// Bars of one group by whether they are good news: by bands, or by their side of zero. The bar of all together stands apart.
fn judge(bars: &mut ChartSeries, figure: &Figure<'_>) {
    let style = figure.up.style;
    let good = style.and_then(|style| style.good);
    let paint = |is_good: bool| if is_good { style::GOOD } else { style::BAD };
    let bands = style.map(|style| style.bands.as_slice()).unwrap_or_default();
    let has_sides = figure.up.numbers.iter().flatten().any(|number| *number < 0.0);
    let colour = |label: &String, number: Option<f64>| match (good, number.map(|number| by_bands(number, bands))) {
        _ if Some(label) == figure.total.as_ref() => style::INK,
        (Some(_), Some(Some(Ordering::Equal))) => style::MUTED,
        (Some(good), Some(Some(side))) => paint((good == Good::Up) == side.is_gt()),
        (Some(good), Some(None)) if has_sides => paint((good == Good::Up) == number.is_some_and(|number| number > 0.0)),
        _ => style::SERIES[0],
    };
    let rows = figure.across.labels.iter().zip(&figure.up.numbers);
    let colours: Vec<u32> = rows.map(|(label, number)| colour(label, *number)).collect();
    if colours.iter().any(|colour| *colour != style::SERIES[0]) {
        bars.set_point_colors(&colours);
    }
}

/// Bars that lie begin at the top, with the numbers' axis below them.
fn laid(mut chart: Chart, figure: &Figure<'_>) -> Chart {
    if figure.lies {
        chart.y_axis().set_reverse().set_crossing(ChartAxisCrossing::Max);
    }
    chart
}

fn height(figure: &Figure<'_>, places: usize) -> u32 {
    let places = u32::try_from(places).unwrap_or(u32::MAX);
    if figure.lies { (AROUND_BARS + BAR.saturating_mul(places)).clamp(240, 1_600) } else { HEIGHT }
}

/// Numbers against what they should be, which is a dash across the bar.
fn bullets(figure: &Figure<'_>, source: &mut Source<'_>) -> (Chart, u32) {
    let mut chart = Chart::new(ChartType::Column);
    let across = source.column(&figure.across, figure.rows).0;
    let bars = chart.add_series();
    let (values, name) = source.column(&figure.up, figure.rows);
    bars.set_categories(&across).set_values(&values).set_name(&name).set_gap(60);
    bars.set_format(&mut fill(Color::RGB(style::SERIES[0])));
    if let Some(target) = &figure.target {
        let mut marks = Chart::new(ChartType::Line);
        let series = marks.add_series();
        let (values, name) = source.column(target, figure.rows);
        series.set_categories(&across).set_values(&values).set_name(&name);
        series.set_format(ChartFormat::new().set_no_line());
        series.set_marker(&marker(ChartMarkerType::LongDash, 16, Color::RGB(style::INK)));
        chart.combine(&marks);
    }
    chart.legend().set_position(ChartLegendPosition::Top);
    (chart, HEIGHT)
}

/// A dot for each row, with a line through its interval.
fn dots(figure: &Figure<'_>, source: &mut Source<'_>) -> Chart {
    let mut chart = Chart::new(ChartType::Line);
    let Series { across, groups, colours, ends, .. } = series(figure, source, false);
    let count = groups.len();
    for (group, (values, name)) in groups.iter().enumerate() {
        let dots = chart.add_series();
        dots.set_categories(&across).set_values(values).set_name(name);
        dots.set_format(ChartFormat::new().set_no_line());
        dots.set_marker(&marker(ChartMarkerType::Circle, 8, colour(group, &colours)));
        if let Some(ends) = ends.get(group) {
            dots.set_y_error_bars(&interval(ends, colour(group, &colours)));
        }
    }
    key(&mut chart, count);
    chart
}

fn interval(ends: &Ends, colour: Color) -> ChartErrorBars {
    let mut bars = ChartErrorBars::new();
    bars.set_type(ChartErrorBarsType::Custom(ends.above.clone(), ends.below.clone())).set_end_cap(false);
    bars.set_format(&mut line(colour, 1.5));
    bars
}

/// Dots along a line that has a number with none beside it, as a line through one point is not seen; otherwise none.
fn dots_along(has_lone: bool, colour: Color) -> ChartMarker {
    if has_lone {
        return marker(ChartMarkerType::Circle, 5, colour);
    }
    let mut none = ChartMarker::new();
    none.set_none();
    none
}

/// A line for each group, with thin ones at the ends of its interval.
fn lines(figure: &Figure<'_>, source: &mut Source<'_>) -> Chart {
    let is_number = figure.across.kind == Kind::Number;
    let mut chart = Chart::new(if is_number { ChartType::ScatterStraight } else { ChartType::Line });
    let Series { across, groups, ends, has_lone, .. } = series(figure, source, false);
    let count = groups.len();
    // As in a page, lines have colours in their order.
    let colours: Vec<usize> = (0..count).collect();
    let mut series =
        |(values, name): &(ChartRange, ChartRange), format: &mut ChartFormat, dots: &ChartMarker, is_end: bool| {
            let series = chart.add_series();
            series.set_categories(&across).set_values(values).set_name(name).set_format(format);
            series.set_marker(dots).delete_from_legend(is_end);
        };
    for (group, (numbers, has_lone)) in groups.iter().zip(has_lone).enumerate() {
        let colour = colour(group, &colours);
        series(numbers, &mut line(colour, 2.25), &dots_along(has_lone, colour), false);
    }
    for (group, ends) in ends.iter().enumerate().filter(|_| count <= BANDS_MAX) {
        for end in [&ends.low, &ends.high] {
            let mut thin = ChartFormat::new();
            let dashed = ChartLineDashType::SquareDot;
            thin.set_line(ChartLine::new().set_color(colour(group, &colours)).set_width(0.75).set_dash_type(dashed));
            series(end, &mut thin, ChartMarker::new().set_none(), true);
        }
    }
    if figure.across.kind == Kind::Day {
        chart.x_axis().set_date_axis(true);
    }
    key(&mut chart, count);
    chart
}

/// A point for each row.
fn points(figure: &Figure<'_>, source: &mut Source<'_>) -> Chart {
    let mut chart = Chart::new(ChartType::Scatter);
    let Series { across, groups, colours, ends, .. } = series(figure, source, true);
    let count = groups.len();
    for (group, (values, name)) in groups.iter().enumerate() {
        let points = chart.add_series();
        points.set_categories(&across).set_values(values).set_name(name);
        points.set_marker(&marker(ChartMarkerType::Circle, 6, colour(group, &colours)));
        if let Some(ends) = ends.get(group) {
            points.set_y_error_bars(&interval(ends, colour(group, &colours)));
        }
    }
    key(&mut chart, count);
    chart
}

/// A bridge: pieces on columns that are not seen. A piece that crosses zero has a part on either side.
fn steps(figure: &Figure<'_>, source: &mut Source<'_>) -> (Chart, u32) {
    let steps = bridge(figure);
    let pattern = figure.up.pattern.as_deref();
    let names = Cells::Texts(steps.iter().map(|step| step.name.clone()).collect());
    let across = source.cells(&figure.across.title, names, None).0;
    let mut chart = Chart::new(ChartType::ColumnStacked);
    let (up, down) = match figure.up.style.and_then(|style| style.good) {
        Some(Good::Up) => (style::GOOD, style::BAD),
        Some(Good::Down) => (style::BAD, style::GOOD),
        None => (style::SERIES[3], style::SERIES[5]),
    };
    let base = steps.iter().map(|step| {
        let (from, to) = step.ends;
        Some(if from.min(to) > 0.0 { from.min(to) } else { from.max(to).min(0.0) })
    });
    let mut pieces = vec![("Below".to_owned(), base.collect::<Vec<_>>(), None)];
    let kinds = [("Total", style::INK), ("Rises", up), ("Falls", down)];
    for (name, colour) in kinds {
        let of_kind = |step: &Step| match step.ends {
            _ if step.is_total => name == "Total",
            (from, to) => name == if to >= from { "Rises" } else { "Falls" },
        };
        let part = |side: fn(f64) -> f64| -> Vec<Option<f64>> {
            let length = |step: &Step| {
                let (from, to) = step.ends;
                of_kind(step).then(|| side(from.max(to)) - side(from.min(to)))
            };
            // What lies below zero is stacked downwards.
            steps.iter().map(|step| length(step).filter(|length| *length != 0.0)).collect()
        };
        let above = part(|end| end.max(0.0));
        let below: Vec<_> = part(|end| end.min(0.0)).into_iter().map(|length| length.map(|length| -length)).collect();
        for (ending, numbers) in [("", above), (" below zero", below)] {
            if numbers.iter().any(Option::is_some) {
                pieces.push((format!("{name}{ending}"), numbers, Some(colour)));
            }
        }
    }
    for (name, numbers, colour) in pieces {
        let (values, heading) = source.numbers(&name, numbers, pattern);
        let piece = chart.add_series();
        piece.set_categories(&across).set_values(&values).set_name(&heading).set_gap(30).set_overlap(100);
        match colour {
            Some(colour) => piece.set_format(&mut fill(Color::RGB(colour))),
            None => piece.set_format(ChartFormat::new().set_no_fill().set_no_border()),
        };
        if colour.is_none() || name.ends_with("zero") {
            piece.delete_from_legend(true);
        }
    }
    chart.legend().set_position(ChartLegendPosition::Top);
    (chart, HEIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_go_from_a_round_number_to_another() {
        assert_eq!(around(-12.0, 73.0), Some([-15.0, 75.0]));
        assert_eq!(around(0.21, 0.34), Some([0.2, 0.35]));
        assert_eq!(around(3.0, 3.0), None);
        assert_eq!(around(f64::INFINITY, f64::NEG_INFINITY), None);
    }

    #[test]
    fn a_chart_is_told_in_whole_sentences() {
        assert_eq!(alt_text("Cost. All is well."), "Cost. All is well.");
        let long = format!("Cost. {}. More.", "word ".repeat(60).trim_end());
        assert_eq!(alt_text(&long), "Cost.");
        assert_eq!(alt_text(&"x".repeat(300)), format!("{}…", "x".repeat(254)));
    }
}
