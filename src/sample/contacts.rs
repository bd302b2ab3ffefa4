//! Contacts: the people at the accounts whose opinion is asked for, and those of them who left.
//!
//! Nobody answers a survey after having left, so the last answer is looked up for the few who leave.

use std::ops::Range;

use super::World;
use super::accounts::{Account, Fate};
use super::calendar::{Day, MONTHS, SECOND, day, month_start};
use super::offices::OFFICES;
use super::random::Random;
use super::story::{LEAVING_SPONSORS, LEAVING_USUAL};
use super::surveys::{self, Role};
use super::text;
use super::writer::{self, Column, Sink};
use crate::error::Result;

const STREAM: u64 = 71;
const LEAVING: u64 = 710;

const TITLES: [&[&str]; 4] = [
    &["Chief Information Officer", "Chief Operating Officer", "Chief Financial Officer", "Managing Director"],
    &["Operations Manager", "Service Delivery Manager", "IT Manager", "Program Manager", "Head of Applications"],
    &["Business Analyst", "Systems Analyst", "Application Specialist", "Team Lead", "Controller"],
    &["Procurement Manager", "Strategic Buyer", "Vendor Manager", "Category Manager"],
];

/// One contact of an account, counted within it from 0.
pub(super) struct Row {
    account: u64,
    contact: u64,
    role: Role,
    title: &'static str,
    language: &'static str,
    decides: bool,
    since: Day,
    left_on: Option<Day>,
}

/// Makes the contacts of the accounts with these numbers.
pub(super) fn generate(world: &World, numbers: Range<u64>, sink: &mut Sink<'_, Row>) -> Result<()> {
    for number in numbers {
        let account = Account::new(world, number);
        (0..account.contacts).try_for_each(|contact| sink.push(row(world, &account, contact)))?;
    }
    Ok(())
}

fn row(world: &World, account: &Account, contact: u64) -> Row {
    let random = &mut Random::keyed(world.seed, &[STREAM, account.number, contact]);
    let role = Role::of(world.seed, account.number, contact);
    let local = text::language(OFFICES[account.office].country);
    Row {
        account: account.number,
        contact,
        role,
        title: random.pick(TITLES[role as usize]),
        language: if random.chance(0.6) { local } else { "en" },
        // The first contact always decides, so that every account has somebody who does.
        decides: contact == 0 || random.chance([0.9, 0.15, 0.0, 0.3][role as usize]),
        since: since(account, random),
        left_on: left_on(world, account, contact),
    }
}

/// A contact is known before the first survey that could reach it.
fn since(account: &Account, random: &mut Random) -> Day {
    let latest = month_start(0).max(account.started_on);
    if random.chance(0.4) { account.started_on } else { random.between(account.started_on, latest) }
}

/// The day on which this contact left its company, when it did so while the account was a customer.
pub(super) fn left_on(world: &World, account: &Account, contact: u64) -> Option<Day> {
    let random = &mut Random::keyed(world.seed, &[LEAVING, account.number, contact]);
    let quiet = matches!(account.fate, Fate::Silent | Fate::Quiet);
    let sponsor = quiet && Role::of(world.seed, account.number, contact) == Role::Executive;
    if !random.chance(if sponsor { LEAVING_SPONSORS } else { LEAVING_USUAL }) {
        return None;
    }
    let planned = match account.fate {
        Fate::Silent => random.between(day(2026, 7, 1), day(2026, 9, 30)),
        Fate::Quiet => account.end() - random.between(20, 120),
        _ => random.between(account.started_on.max(month_start(3)), account.end() - 1),
    };
    let left_on = last_answer(world, account, contact).map_or(planned, |last| planned.max(last + 1));
    (left_on < account.end()).then_some(left_on)
}

/// The day of this contact's last answer.
fn last_answer(world: &World, account: &Account, contact: u64) -> Option<Day> {
    (0..MONTHS).rev().filter(|month| account.active_any(*month)).find_map(|month| {
        let rows = surveys::requests(world, account, month);
        let answers = rows.iter().filter(|row| row.contact == contact).filter_map(|row| row.answer.answered_at);
        answers.max().map(|at| (at / (86_400 * SECOND)) as Day)
    })
}

/// The columns of the table.
pub(super) fn columns(world: &World, rows: &[Row]) -> Vec<Column> {
    vec![
        writer::format("contact_id", rows, |row, out| surveys::contact_id(world, row.account, row.contact, out)),
        writer::format("account_id", rows, |row, out| out(format_args!("{}", world.account_id(row.account)))),
        writer::text("role", rows, |row| row.role.name()),
        writer::text("title", rows, |row| row.title),
        writer::text("language", rows, |row| row.language),
        writer::boolean("is_decision_maker", rows, |row| row.decides),
        writer::date("since", rows, |row| row.since),
        writer::date_or_null("left_on", rows, |row| row.left_on),
    ]
}
