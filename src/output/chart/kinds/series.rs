//! The lines of a chart: which rows each has, which of them have a colour, and where each has gaps.

use std::collections::BTreeMap;

use crate::output::chart::column::{Column, Values};
use crate::output::chart::figure::{COLOURED, Figure};
use crate::output::chart::scene::Paint;

/// A series: its rows from left to right.
pub struct Series {
    pub name: String,
    pub rows: Vec<usize>,
    /// Its colour; none for those that are only there to be seen.
    pub paint: Option<Paint>,
}

/// Where rows lie along the bottom: by number or day, or by the place of their label.
pub fn along(column: &Column) -> Vec<Option<f64>> {
    if column.values != Values::Labels {
        return column.numbers.clone();
    }
    column.distinct().1.into_iter().map(|place| Some(place as f64)).collect()
}

/// The series in the order in which they come; the total and those that end farthest from the middle have a colour.
pub fn series(figure: &Figure) -> Vec<Series> {
    let along = along(&figure.across);
    let (names, places) = match &figure.by {
        Some(by) => by.distinct(),
        None => (vec![figure.up.title.as_str()], vec![0; figure.rows]),
    };
    let mut series: Vec<Series> =
        names.iter().map(|name| Series { name: (*name).to_owned(), rows: Vec::new(), paint: None }).collect();
    for (row, &place) in places.iter().enumerate() {
        if let Some(series) = series.get_mut(place) {
            series.rows.push(row);
        }
    }
    let key = |row: &usize| along.get(*row).copied().flatten().unwrap_or(f64::NEG_INFINITY);
    for series in &mut series {
        series.rows.sort_by(|one, other| key(one).total_cmp(&key(other)));
    }
    paint(figure, &mut series);
    series
}

fn paint(figure: &Figure, series: &mut [Series]) {
    let last = |series: &Series| series.rows.iter().rev().find_map(|&row| figure.up.number(row));
    let mut lasts: Vec<f64> = series.iter().filter_map(last).collect();
    lasts.sort_by(f64::total_cmp);
    let middle = lasts.get(lasts.len() / 2).copied().unwrap_or_default();
    let mut order: Vec<usize> = (0..series.len()).collect();
    let rank = |place: &usize| {
        let of = series.get(*place);
        let is_total = of.is_some_and(|series| figure.total.as_deref() == Some(series.name.as_str()));
        let away = of.and_then(last).map_or(0.0, |last| (last - middle).abs());
        let points = of.map_or(0, |series| series.rows.len());
        (is_total, points, away)
    };
    if series.len() > COLOURED {
        order.sort_by(|one, other| {
            let (one, other) = (rank(one), rank(other));
            other.0.cmp(&one.0).then(other.1.cmp(&one.1)).then(other.2.total_cmp(&one.2))
        });
    } else {
        order.sort_by_key(|place| !rank(place).0);
    }
    let mut colours = 0;
    for place in order.into_iter().take(COLOURED) {
        let Some(series) = series.get_mut(place) else { continue };
        // The total is no series among the others, and has the colour that totals have everywhere.
        if figure.total.as_deref() == Some(series.name.as_str()) {
            series.paint = Some(Paint::Ink);
        } else {
            series.paint = Some(Paint::Series(colours));
            colours += 1;
        }
    }
}

/// The runs of a series without a gap: rows that follow each other where the chart has places, all with a number.
pub fn runs(figure: &Figure, series: &Series, along: &[Option<f64>]) -> Vec<Vec<usize>> {
    // Where series share their places, one that others have and this one lacks is a gap in it.
    let mut places: BTreeMap<u64, usize> = BTreeMap::new();
    let mut sorted: Vec<f64> = along.iter().flatten().copied().collect();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    for (place, value) in sorted.into_iter().enumerate() {
        places.insert(value.to_bits(), place);
    }
    let is_shared = along.iter().flatten().count() * 2 >= places.len() * 3;
    let place = |row: usize| along.get(row).copied().flatten().and_then(|value| places.get(&value.to_bits()).copied());
    let mut runs: Vec<Vec<usize>> = Vec::new();
    let mut before: Option<usize> = None;
    for &row in &series.rows {
        let here = place(row).filter(|_| figure.up.number(row).is_some());
        if let Some(at) = here {
            match runs.last_mut() {
                Some(run) if before.is_some_and(|before| !is_shared || at <= before + 1) => run.push(row),
                _ => runs.push(vec![row]),
            }
        }
        before = here;
    }
    runs
}
