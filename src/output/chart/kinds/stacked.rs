//! Stacked bars: one for each label, of a piece for each group, from zero outwards.

use super::rows::{Piece, Row, Rows, STEPS};
use crate::output::chart::axis::{Entry, Sign};
use crate::output::chart::column::Column;
use crate::output::chart::figure::Figure;
use crate::output::chart::palette::series_colours;
use crate::output::chart::scale::Scale;
use crate::output::chart::scene::Paint;
use crate::output::chart::sentence::{extremes, joined, missing};

/// The pieces of one label: places of rows in the order of their groups.
fn bars(figure: &Figure) -> Vec<(String, Vec<usize>)> {
    let (labels, places) = figure.across.distinct();
    let groups = figure.by.as_ref().map(|by| by.distinct().1).unwrap_or_default();
    let bar = |(place, label): (usize, &&str)| {
        let mut rows: Vec<usize> = (0..figure.rows).filter(|row| places.get(*row) == Some(&place)).collect();
        rows.sort_by_key(|&row| groups.get(row).copied().unwrap_or_default());
        ((*label).to_owned(), rows)
    };
    labels.iter().enumerate().map(bar).collect()
}

pub fn rows(figure: &Figure) -> Rows {
    let (names, groups) = figure.by.as_ref().map(Column::distinct).unwrap_or_default();
    let colours = series_colours(&names);
    let paint = |group: usize| Paint::Series(colours.get(group).copied().unwrap_or_default());
    let bars = bars(figure);
    let mut ends = vec![0.0];
    let mut rows = Vec::new();
    for (label, of_bar) in &bars {
        let (mut above, mut below) = (0.0, 0.0);
        let mut row = Row { label: label.clone(), ..Row::default() };
        let mut reasons = Vec::new();
        for &place in of_bar {
            let Some(number) = figure.up.number(place) else {
                reasons.push(figure.up.reason(place));
                continue;
            };
            let side = if number < 0.0 { &mut below } else { &mut above };
            let (from, to) = (*side, *side + number);
            *side = to;
            let paint = paint(groups.get(place).copied().unwrap_or_default());
            row.pieces.push(Piece::Bar { from, to, paint });
            row.pieces.push(Piece::Inside { from, to, text: figure.up.form.short(number) });
        }
        ends.extend([above, below]);
        if row.pieces.is_empty() {
            row.missing = reasons.first().map(|&reason| reason.to_owned());
        } else if !reasons.is_empty() {
            row.value = Some((format!("{} of {} missing", reasons.len(), of_bar.len()), above));
        }
        row.tip = told(figure, label, of_bar);
        rows.push(row);
    }
    let key = names.iter().enumerate().map(|(place, name)| Entry::new(*name, Sign::Box(paint(place)))).collect();
    Rows {
        heading: figure.heading.clone(),
        title: figure.up.title.clone(),
        key_title: figure.by.as_ref().map(|by| by.title.clone()).unwrap_or_default(),
        key,
        rows,
        scale: fitted(figure, &ends),
        form: figure.up.form.clone(),
        edges: Vec::new(),
        has_value_column: false,
        has_zero: true,
    }
}

/// Shares that add up to one end there, and not at the next tick because of a sum's last digit.
fn fitted(figure: &Figure, ends: &[f64]) -> Scale {
    let snap = |end: &f64| if figure.up.form.is_percent() && (end - 1.0).abs() < 1e-6 { 1.0 } else { *end };
    Scale::around(ends.iter().map(snap), STEPS)
}

fn told(figure: &Figure, label: &str, rows: &[usize]) -> String {
    let part = |&row: &usize| {
        let value = if figure.up.number(row).is_some() { figure.up.label(row) } else { figure.up.reason(row) };
        let name = figure.by.as_ref().map_or(figure.up.title.as_str(), |by| by.label(row));
        format!("{name} {value}")
    };
    format!("{label}: {}", rows.iter().map(part).collect::<Vec<String>>().join(", "))
}

pub fn sentence(figure: &Figure) -> String {
    let reasons: Vec<&str> =
        (0..figure.rows).filter(|&row| figure.up.number(row).is_none()).map(|row| figure.up.reason(row)).collect();
    let (names, groups) = figure.by.as_ref().map(Column::distinct).unwrap_or_default();
    let group = |(place, name): (usize, &&str)| {
        let values: Vec<(String, f64)> = (0..figure.rows)
            .filter(|row| groups.get(*row) == Some(&place))
            .filter_map(|row| Some((figure.across.label(row).to_owned(), figure.up.number(row)?)))
            .collect();
        let said = extremes(&values, &figure.up)?;
        Some(format!("{name} {said}"))
    };
    let groups: Vec<String> = names.iter().enumerate().filter_map(group).take(3).collect();
    let all = format!("{}: {}.", figure.heading, groups.join("; "));
    joined([Some(all), missing(&reasons, figure.rows)])
}
