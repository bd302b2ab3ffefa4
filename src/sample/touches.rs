//! Touches: how often each account was in contact with the company in a month, by function and channel.
//!
//! These are the touches that were logged with an account; the offices' own counts, which cost per touch is reckoned
//! with, hold prospects and the crowd too and are far larger.

use std::ops::Range;

use super::World;
use super::accounts::{Account, Fate};
use super::calendar::{month_of_year, month_start};
use super::costs::SEASON;
use super::offices::office_id;
use super::random::Random;
use super::story::{Function, TOUCHES_FALL};
use super::writer::{self, Column, Sink};
use crate::error::Result;

const STREAM: u64 = 4;

/// Function and channel, with the usual number of touches and the minutes that each takes.
const CHANNELS: [(Function, &str, f64, f64); 12] = [
    (Function::Marketing, "email", 7.0, 2.0),
    (Function::Marketing, "event", 2.5, 90.0),
    (Function::Marketing, "web", 6.0, 4.0),
    (Function::Sales, "call", 4.0, 18.0),
    (Function::Sales, "email", 5.0, 6.0),
    (Function::Sales, "meeting", 2.5, 50.0),
    (Function::Experience, "call", 3.0, 25.0),
    (Function::Experience, "email", 4.0, 7.0),
    (Function::Experience, "meeting", 2.5, 55.0),
    (Function::Support, "call", 4.0, 14.0),
    (Function::Support, "ticket", 6.0, 22.0),
    (Function::Support, "web", 5.0, 8.0),
];

const STAGES: [[&str; 3]; 4] = [
    ["awareness", "onboarding", "expansion"],
    ["evaluation", "expansion", "renewal"],
    ["onboarding", "adoption", "renewal"],
    ["onboarding", "adoption", "support"],
];

/// The touches of an account in a function and channel.
pub(super) struct Row {
    account: u64,
    office: usize,
    channel: usize,
    stage: &'static str,
    touches: i32,
    minutes: i32,
}

/// Makes the rows of a month for the accounts with these numbers that were customers on each of its days.
pub(super) fn generate(world: &World, month: usize, numbers: Range<u64>, sink: &mut Sink<'_, Row>) -> Result<()> {
    for number in numbers {
        let account = Account::new(world, number);
        if !account.active_all(month) {
            continue;
        }
        let random = &mut Random::keyed(world.seed, &[STREAM, number, month as u64]);
        let busy = account.activity * SEASON[month_of_year(month)] * falling(&account, month);
        for channel in 0..CHANNELS.len() {
            if random.chance((0.6 * account.activity).min(0.9)) {
                row(&account, channel, busy, random).map_or(Ok(()), |row| sink.push(row))?;
            }
        }
    }
    Ok(())
}

/// A half in the last three months of those who are about to leave without a word, otherwise 1.
fn falling(account: &Account, month: usize) -> f64 {
    let leaving = match account.fate {
        Fate::Silent => month >= TOUCHES_FALL,
        Fate::Quiet => month_start(month) >= account.end() - 120,
        _ => false,
    };
    if leaving { 0.5 } else { 1.0 }
}

fn row(account: &Account, channel: usize, busy: f64, random: &mut Random) -> Option<Row> {
    let (function, _, usual, minutes) = CHANNELS[channel];
    let spread = 0.5 + random.unit();
    let touches = random.round(usual * busy * spread);
    let minutes = (f64::from(touches) * minutes * random.noise(0.15)).round() as i32;
    let stage = random.pick(&STAGES[function as usize]);
    (touches > 0).then_some(Row { account: account.number, office: account.office, channel, stage, touches, minutes })
}

/// The columns of the table.
pub(super) fn columns(world: &World, rows: &[Row]) -> Vec<Column> {
    vec![
        writer::format("account_id", rows, |row, out| out(format_args!("{}", world.account_id(row.account)))),
        writer::text("office_id", rows, |row| office_id(row.office)),
        writer::text("function", rows, |row| CHANNELS[row.channel].0.name()),
        writer::text("channel", rows, |row| CHANNELS[row.channel].1),
        writer::text("journey_stage", rows, |row| row.stage),
        writer::int("touches", rows, |row| row.touches),
        writer::int("minutes", rows, |row| row.minutes),
    ]
}
