//! Cost per touch: what each office spent on each function and category in a month, as its finance team posted it.
//!
//! A cell is one office, function, category and month; at scale n it has n postings, each as large as the one at
//! scale 1, so that totals grow and rates stay.

use std::ops::Range;

use super::World;
use super::calendar::{SECOND, midnight, month_of_year, month_start};
use super::offices::{COUNT, OFFICES, office_id};
use super::random::{Random, hash};
use super::story::{self, Function, Reported};
use super::writer::{self, Column, Sink};
use crate::error::Result;

const STREAM: u64 = 3;
const OFFICE_NOISE: u64 = 30;
const MONTH_NOISE: u64 = 31;
const POSTING: u64 = 32;
const CATEGORIES: usize = 3;

/// How far the offices of a region lie from its rate at most.
const RATE_SPREAD: f64 = 0.14;

/// How many cells a month has when every office reports.
pub(super) const CELLS: u64 = (COUNT * 4 * CATEGORIES) as u64;

/// The categories of each function, with their share of its touches and of its cost.
const SPLIT: [[(&str, f64, f64); CATEGORIES]; 4] = [
    [("campaigns", 0.35, 0.4), ("content", 0.5, 0.25), ("events", 0.15, 0.35)],
    [("account management", 0.45, 0.4), ("new business", 0.3, 0.45), ("travel", 0.25, 0.15)],
    [("programs", 0.3, 0.35), ("research", 0.25, 0.25), ("training", 0.45, 0.4)],
    [("field visits", 0.1, 0.3), ("service desk", 0.65, 0.45), ("self-service tools", 0.25, 0.25)],
];

/// Touches by calendar month, January first.
pub(super) const SEASON: [f64; 12] = [0.95, 0.97, 1.04, 1.02, 1.02, 1.0, 0.94, 0.9, 1.05, 1.08, 1.06, 0.92];

/// One posting.
pub(super) struct Row {
    office: usize,
    function: Function,
    category: &'static str,
    touches: Option<i64>,
    cents: Option<i64>,
    estimate: bool,
    posted_at: i64,
}

/// What all postings of a cell share.
struct Cell {
    office: usize,
    function: Function,
    category: &'static str,
    reported: Reported,
    touches: f64,
    cents_per_touch: f64,
    estimate: bool,
    stream: u64,
}

/// Makes these postings of a month; they are counted as if every office had reported.
pub(super) fn generate(world: &World, month: usize, postings: Range<u64>, sink: &mut Sink<'_, Row>) -> Result<()> {
    let scale = u64::from(world.scale);
    let mut at = postings.start;
    while at < postings.end {
        let number = at / scale;
        let end = postings.end.min((number + 1) * scale);
        if let Some(cell) = cell(world.seed, month, number) {
            (at..end).try_for_each(|posting| sink.push(row(world.seed, month, &cell, posting % scale)))?;
        }
        at = end;
    }
    Ok(())
}

/// The cell with this number; none when nothing arrived.
fn cell(seed: u64, month: usize, number: u64) -> Option<Cell> {
    let place = number as usize;
    let (office, function, category) = (place / 12, Function::ALL[place / CATEGORIES % 4], place % CATEGORIES);
    let at = &OFFICES[office];
    let reported = story::reported(at.name, function, month);
    let arrived = match reported {
        Reported::Missing => false,
        Reported::FirstCategory => category == 0,
        _ => at.opened_on <= month_start(month),
    };
    if !arrived {
        return None;
    }
    let (category, touch_share, cost_share) = SPLIT[function as usize][category];
    let volume = volume(seed, office, function, month);
    let mut random = Random::keyed(seed, &[STREAM, month as u64, number]);
    let latest = month + 1 == super::MONTHS;
    Some(Cell {
        office,
        function,
        category,
        reported,
        touches: volume * touch_share,
        cents_per_touch: 100.0 * rate(seed, office, function, month) * cost_share / touch_share,
        estimate: random.chance(if latest { story::ESTIMATED_LAST_MONTH } else { 0.002 }),
        stream: number,
    })
}

/// Touches of an office in a function and month.
fn volume(seed: u64, office: usize, function: Function, month: usize) -> f64 {
    let lasting = Random::keyed(seed, &[OFFICE_NOISE, office as u64, function as u64, 1]).noise(0.08);
    let passing = Random::keyed(seed, &[MONTH_NOISE, office as u64, function as u64, month as u64, 1]).noise(0.05);
    let heads = f64::from(OFFICES[office].fte);
    heads * function.touches_per_head() * SEASON[month_of_year(month)] * lasting * passing
}

/// What a touch costs in an office, function and month, in USD.
fn rate(seed: u64, office: usize, function: Function, month: usize) -> f64 {
    let outlier = story::outlier(office, function, month);
    // An office that is out of line is so by the factor that the story names, without noise of its own.
    let lasting = outlier.unwrap_or_else(|| lasting(seed, office, function));
    let passing = Random::keyed(seed, &[MONTH_NOISE, office as u64, function as u64, month as u64]).noise(0.05);
    let drift = 1.0 + 0.003 * month as f64;
    function.base_rate() * story::region_factor(OFFICES[office].region, function) * lasting * passing * drift
}

/// How far an office's rate is from its region's, for good. The offices of a region are spread evenly around 1, in a
/// random order: drawn one by one, so few of them would move the region's median.
fn lasting(seed: u64, office: usize, function: Function) -> f64 {
    let draw = |office: usize| hash(seed, &[OFFICE_NOISE, office as u64, function as u64]);
    let region = OFFICES[office].region;
    let peers: Vec<u64> = (0..COUNT).filter(|peer| OFFICES[*peer].region == region).map(draw).collect();
    let below = peers.iter().filter(|peer| **peer < draw(office)).count() as f64;
    1.0 + RATE_SPREAD * (2.0 * (below + 0.5) / peers.len() as f64 - 1.0)
}

fn row(seed: u64, month: usize, cell: &Cell, posting: u64) -> Row {
    let mut random = Random::keyed(seed, &[POSTING, month as u64, cell.stream, posting]);
    let touches = (cell.touches * random.noise(0.04)).round();
    let cents = (touches * cell.cents_per_touch * random.noise(0.02)).round() as i64;
    let posted_on = month_start(month + 1) + random.between(0, 4);
    let (touches, cents) = match cell.reported {
        Reported::Zero => (Some(0), Some(0)),
        Reported::NoTouches => (None, Some(cents)),
        Reported::NoCost => (Some(touches as i64), None),
        Reported::Whole | Reported::Missing | Reported::FirstCategory => (Some(touches as i64), Some(cents)),
    };
    Row {
        office: cell.office,
        function: cell.function,
        category: cell.category,
        touches,
        cents,
        estimate: cell.estimate,
        posted_at: midnight(posted_on) + i64::from(random.between(7 * 60, 19 * 60)) * 60 * SECOND,
    }
}

/// The columns of the table.
pub(super) fn columns(rows: &[Row]) -> Vec<Column> {
    vec![
        writer::text("office_id", rows, |row| office_id(row.office)),
        writer::text("function", rows, |row| row.function.name()),
        writer::text("category", rows, |row| row.category),
        writer::long_or_null("touches", rows, |row| row.touches),
        writer::money_or_null("cost", rows, |row| row.cents),
        writer::text("currency", rows, |_| super::CURRENCY),
        writer::boolean("is_estimate", rows, |row| row.estimate),
        writer::time("posted_at", rows, |row| row.posted_at),
    ]
}
