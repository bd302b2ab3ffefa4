//! Operations: what each office's own measures of quality say of its touchpoints, month by month.
//!
//! A score follows what the office's customers think, but for the cells that [`story::watermelon`] names.

use super::World;
use super::calendar::{Day, MONTHS, month_of_year, month_start};
use super::costs::SEASON;
use super::offices::{OFFICES, office_id};
use super::random::Random;
use super::story;
use super::writer::{self, Column, Sink};
use crate::error::Result;

const STREAM: u64 = 76;
const LASTING: u64 = 760;

/// A touchpoint and how it is measured inside.
struct Touchpoint {
    name: &'static str,
    measure: &'static str,
    target: f64,
    /// Cases per employee and month.
    cases: f64,
}

const fn touchpoint(name: &'static str, measure: &'static str, target: f64, cases: f64) -> Touchpoint {
    Touchpoint { name, measure, target, cases }
}

/// The touchpoints of transactional surveys and a few more.
static TOUCHPOINTS: [Touchpoint; 8] = [
    touchpoint("support ticket", "solved at first contact", 72.0, 4.0),
    touchpoint("invoice", "correct at first issue", 94.0, 1.2),
    touchpoint("delivery", "on the agreed day", 88.0, 0.8),
    touchpoint("training", "held as planned", 90.0, 0.2),
    touchpoint("phone call", "answered within 30 seconds", 80.0, 6.0),
    touchpoint("in-app", "requests served without an error", 95.0, 30.0),
    touchpoint("go-live", "live on the agreed day", 82.0, 0.1),
    touchpoint("quarterly review", "held on time with an agenda", 85.0, 0.15),
];

/// The NPS of customers at which a measure is on its target.
const ON_TARGET: f64 = 24.0;

/// One office, touchpoint and month.
pub(super) struct Row {
    office: usize,
    touchpoint: &'static Touchpoint,
    period: Day,
    score: f64,
    volume: i32,
}

/// Makes all rows, month by month.
pub(super) fn generate(world: &World, sink: &mut Sink<'_, Row>) -> Result<()> {
    for month in 0..MONTHS {
        for office in (0..OFFICES.len()).filter(|office| OFFICES[*office].opened_on <= month_start(month)) {
            let rows = TOUCHPOINTS.iter().enumerate().map(|(place, of)| row(world, month, office, place as u64, of));
            rows.into_iter().try_for_each(|row| sink.push(row))?;
        }
    }
    Ok(())
}

fn row(world: &World, month: usize, office: usize, place: u64, touchpoint: &'static Touchpoint) -> Row {
    let at = &OFFICES[office];
    let random = &mut Random::keyed(world.seed, &[STREAM, month as u64, office as u64, place]);
    let lasting = Random::keyed(world.seed, &[LASTING, office as u64, place]).normal();
    // The nearer a target is to 100, the less a measure moves.
    let room = (100.0 - touchpoint.target) / 20.0;
    let above = match story::watermelon(at.name, touchpoint.name) {
        Some(above) => above + 0.5 * random.normal(),
        None => 0.2 * (world.points(office, month) - ON_TARGET) + 0.8 * lasting + 0.9 * random.normal(),
    };
    let volume = f64::from(at.fte) * f64::from(world.scale) * touchpoint.cases;
    Row {
        office,
        touchpoint,
        period: month_start(month),
        score: ((touchpoint.target + room * above).clamp(0.0, 99.9) * 10.0).round() / 10.0,
        volume: (volume * SEASON[month_of_year(month)] * random.noise(0.06)).round() as i32,
    }
}

/// The columns of the table.
pub(super) fn columns(rows: &[Row]) -> Vec<Column> {
    vec![
        writer::text("office_id", rows, |row| office_id(row.office)),
        writer::text("touchpoint", rows, |row| row.touchpoint.name),
        writer::date("period", rows, |row| row.period),
        writer::text("measure", rows, |row| row.touchpoint.measure),
        writer::float("score", rows, |row| row.score),
        writer::float("target", rows, |row| row.touchpoint.target),
        writer::int("volume", rows, |row| row.volume),
    ]
}
