//! Account revenue: what each account brought in a month and what serving it cost.
//!
//! Contract revenue ends at the account's annual revenue and is followed back from there: it changes in the month of
//! renewal and half a year later, and falls month by month before somebody leaves.

use std::ops::Range;

use super::World;
use super::accounts::{Account, Fate};
use super::calendar::{MONTHS, month_of};
use super::offices::office_id;
use super::random::Random;
use super::story::{LOUD_CONTRACTION, MARGINS, QUIET_CONTRACTION, YEARLY_GROWTH};
use super::writer::{self, Column, Sink};
use crate::error::Result;

const STREAM: u64 = 72;
const GROWTH: u64 = 720;
const MARGIN: u64 = 721;

/// How far the accounts of a segment are from its growth, as a standard deviation.
const GROWTH_SPREAD: f64 = 0.09;

/// How often an account of each segment buys services in a month.
const SERVICES: [f64; 3] = [0.7, 0.4, 0.2];

/// The revenue of an account in a month.
pub(super) struct Row {
    account: u64,
    office: usize,
    recurring_cents: i64,
    services_cents: i64,
    cost_cents: i64,
}

/// Makes the rows of a month for the accounts with these numbers.
pub(super) fn generate(world: &World, month: usize, numbers: Range<u64>, sink: &mut Sink<'_, Row>) -> Result<()> {
    for number in numbers {
        let account = Account::new(world, number);
        if account.active_any(month) {
            sink.push(row(world, &account, month))?;
        }
    }
    Ok(())
}

fn row(world: &World, account: &Account, month: usize) -> Row {
    let random = &mut Random::keyed(world.seed, &[STREAM, account.number, month as u64]);
    let segment = account.segment as usize;
    let recurring = recurring_cents(world.seed, account, month);
    let bought = random.chance(SERVICES[segment]);
    let share = random.unit();
    let services = if bought { recurring * (0.05 + 0.35 * share * share) } else { 0.0 };
    let lasting = Random::keyed(world.seed, &[MARGIN, account.number]).normal();
    let margin = MARGINS[segment] + 0.04 * lasting + 0.015 * random.normal();
    Row {
        account: account.number,
        office: account.office,
        recurring_cents: recurring.round() as i64,
        services_cents: services.round() as i64,
        cost_cents: ((recurring + services) * (1.0 - margin)).round() as i64,
    }
}

fn recurring_cents(seed: u64, account: &Account, month: usize) -> f64 {
    let last = last_month(account);
    let latest = account.revenue_cents as f64 / 12.0 * Random::keyed(seed, &[STREAM, account.number]).noise(0.01);
    let since: f64 = (month + 1..=last).map(|later| step(seed, account, later)).product();
    latest / since * contraction(account.fate, last - month)
}

/// The last month with revenue.
fn last_month(account: &Account) -> usize {
    account.churned_on.map_or(MONTHS - 1, month_of)
}

/// By how much contract revenue changes from the month before this one.
fn step(seed: u64, account: &Account, month: usize) -> f64 {
    let share = match (month + 12 * MONTHS - month_of(account.renews_on)) % 12 {
        0 => 0.6,
        6 => 0.4,
        _ => return 1.0,
    };
    // A step every half year, so every step has a key of its own.
    let drawn = Random::keyed(seed, &[GROWTH, account.number, month as u64]).normal();
    1.0 + share * (YEARLY_GROWTH[account.segment as usize] + GROWTH_SPREAD * drawn)
}

/// What is left of an account's contract this many months before its last one.
fn contraction(fate: Fate, before: usize) -> f64 {
    let (months, lost) = match fate {
        Fate::Loud => (6, LOUD_CONTRACTION),
        Fate::Silent | Fate::Quiet => (3, QUIET_CONTRACTION),
        Fate::Usual | Fate::Uncovered => return 1.0,
    };
    1.0 - lost * (before..months).len() as f64 / months as f64
}

/// The columns of the table.
pub(super) fn columns(world: &World, rows: &[Row]) -> Vec<Column> {
    vec![
        writer::format("account_id", rows, |row, out| out(format_args!("{}", world.account_id(row.account)))),
        writer::text("office_id", rows, |row| office_id(row.office)),
        writer::money_or_null("recurring_revenue", rows, |row| Some(row.recurring_cents)),
        writer::money_or_null("services_revenue", rows, |row| Some(row.services_cents)),
        writer::money_or_null("direct_cost", rows, |row| Some(row.cost_cents)),
        writer::text("currency", rows, |_| super::CURRENCY),
    ]
}
