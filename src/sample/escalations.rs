//! Escalations: the matters that accounts took beyond their usual contact.

use std::ops::Range;

use super::World;
use super::accounts::{Account, Fate, Tone};
use super::calendar::{Day, MONTHS, SECOND, TODAY_DAY, midnight, month_end, month_of, month_start};
use super::offices::office_id;
use super::random::Random;
use super::story::{self, LOW_DAYS};
use super::writer::{self, Column, Sink};
use crate::error::Result;

const STREAM: u64 = 73;

/// Escalations per account and month.
const ESCALATIONS: f64 = 0.075;

const STAGES: [&str; 5] = ["onboarding", "adoption", "support", "expansion", "renewal"];

/// One escalation.
pub(super) struct Row {
    account: u64,
    office: usize,
    sequence: usize,
    opened_at: i64,
    closed_at: Option<i64>,
    severity: i32,
    cause: &'static str,
    stage: &'static str,
    owner: u64,
    status: &'static str,
    reopened: bool,
}

/// Makes the escalations of the accounts with these numbers.
pub(super) fn generate(world: &World, numbers: Range<u64>, sink: &mut Sink<'_, Row>) -> Result<()> {
    for number in numbers {
        let account = Account::new(world, number);
        of_account(world, &account).into_iter().try_for_each(|row| sink.push(row))?;
    }
    Ok(())
}

fn of_account(world: &World, account: &Account) -> Vec<Row> {
    let random = &mut Random::keyed(world.seed, &[STREAM, account.number]);
    let mut rows = Vec::new();
    for month in (0..MONTHS).filter(|month| account.active_any(*month)) {
        for _ in 0..random.round(ESCALATIONS * account.activity) {
            let on = random.between(month_start(month), month_end(month));
            // Those who leave without a word do not escalate, and the loud have their own below.
            let silent = account.fate == Fate::Silent || account.tone(month, on) != Tone::Usual;
            if on >= account.started_on && on < account.end() && !silent {
                let severity = 1 + random.weighted(&[0.2, 0.3, 0.3, 0.15, 0.05]) as i32;
                rows.push(escalation(account, on, severity, random));
            }
        }
    }
    if account.fate == Fate::Loud {
        for _ in 0..random.between(3, 4) {
            let on = account.end() - random.between(15, LOW_DAYS - 3);
            let severity = random.between(4, 5);
            rows.push(escalation(account, on, severity, random));
        }
    }
    rows.sort_by_key(|row| row.opened_at);
    rows.iter_mut().enumerate().for_each(|(place, row)| row.sequence = place + 1);
    rows
}

fn escalation(account: &Account, on: Day, severity: i32, random: &mut Random) -> Row {
    let reopened = random.chance(0.09);
    let days = story::days_to_close(account.region(), month_of(on)) * (0.3 + 1.4 * random.unit());
    let days = if reopened { 1.6 * days } else { days };
    let closed_on = on + 1 + random.round(days);
    // What is open when an account leaves is closed with it.
    let closed_on = account.churned_on.map_or(closed_on, |churned_on| closed_on.min(churned_on));
    let closed = closed_on < TODAY_DAY;
    Row {
        account: account.number,
        office: account.office,
        sequence: 0,
        opened_at: daytime(on, random),
        closed_at: closed.then(|| daytime(closed_on, random)),
        severity,
        cause: story::CAUSES[random.weighted(&story::cause_weights(account.office))].0,
        stage: random.pick(&STAGES),
        owner: 1 + random.below(9),
        status: match closed {
            true => "closed",
            false => ["open", "in progress"][random.weighted(&[0.35, 0.65])],
        },
        reopened,
    }
}

fn daytime(on: Day, random: &mut Random) -> i64 {
    midnight(on) + i64::from(random.between(8 * 60, 18 * 60)) * 60 * SECOND
}

/// The columns of the table.
pub(super) fn columns(world: &World, rows: &[Row]) -> Vec<Column> {
    vec![
        writer::format("escalation_id", rows, |row, out| {
            out(format_args!("E{}-{:02}", world.account_id(row.account), row.sequence));
        }),
        writer::format("account_id", rows, |row, out| out(format_args!("{}", world.account_id(row.account)))),
        writer::text("office_id", rows, |row| office_id(row.office)),
        writer::time("opened_at", rows, |row| row.opened_at),
        writer::time_or_null("closed_at", rows, |row| row.closed_at),
        writer::int("severity", rows, |row| row.severity),
        writer::text("root_cause", rows, |row| row.cause),
        writer::text("journey_stage", rows, |row| row.stage),
        writer::format("owner", rows, |row, out| out(format_args!("CX-{:02}{}", row.office + 1, row.owner))),
        writer::text("status", rows, |row| row.status),
        writer::boolean("is_reopened", rows, |row| row.reopened),
    ]
}
