//! Follow-ups: the calls that answered surveys ask for, and whether anybody made them.
//!
//! They are made from the same answers as the surveys table, which is why each has one there.

use std::ops::Range;

use super::World;
use super::accounts::Account;
use super::calendar::{Day, MONTHS, SECOND, TODAY_DAY, midnight, month_of, month_start};
use super::contacts;
use super::offices::office_id;
use super::random::Random;
use super::story::{self, QUIET_FROM};
use super::surveys;
use super::writer::{self, Column, Sink};
use crate::error::Result;

const STREAM: u64 = 74;

/// The share of the promoters who are asked for a reference.
const PROMOTERS_ASKED: f64 = 1.0 / 3.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    CallDetractor,
    ActivatePromoter,
}

impl Kind {
    fn name(self) -> &'static str {
        ["call detractor", "activate promoter"][self as usize]
    }

    fn due_days(self) -> i32 {
        [14, 30][self as usize]
    }

    /// What came of a call, with how often.
    fn outcomes(self) -> [(&'static str, f64); 2] {
        match self {
            Self::CallDetractor => [("issue solved", 0.62), ("issue open", 0.38)],
            Self::ActivatePromoter => [("reference agreed", 0.45), ("declined", 0.55)],
        }
    }
}

/// How a follow-up goes: in time, late, tried in vain, not at all.
const COURSES: [f64; 4] = [0.8, 0.09, 0.08, 0.03];
const COURSES_STALLED: [f64; 4] = [0.12, 0.0, 0.05, 0.83];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Open,
    Done,
    NotReached,
}

impl Status {
    fn name(self) -> &'static str {
        ["open", "done", "not reached"][self as usize]
    }
}

/// One follow-up.
pub(super) struct Row {
    answer: surveys::Row,
    kind: Kind,
    opened_at: i64,
    due_on: Day,
    contacted_at: Option<i64>,
    status: Status,
    outcome: Option<&'static str>,
    owner: u64,
}

/// Makes the follow-ups of the accounts with these numbers.
pub(super) fn generate(world: &World, numbers: Range<u64>, sink: &mut Sink<'_, Row>) -> Result<()> {
    for number in numbers {
        let account = Account::new(world, number);
        // An answer of the last twelve months may be to a request from the month before them.
        for month in (QUIET_FROM - 1..MONTHS).filter(|month| account.active_any(*month)) {
            let answers = surveys::requests(world, &account, month);
            answers.into_iter().filter_map(|row| follow_up(world, &account, row)).try_for_each(|row| sink.push(row))?;
        }
    }
    Ok(())
}

fn follow_up(world: &World, account: &Account, answer: surveys::Row) -> Option<Row> {
    let answered_at = answer.answer.answered_at.filter(|at| *at >= midnight(month_start(QUIET_FROM)))?;
    let random = &mut Random::keyed(world.seed, &[STREAM, account.number, answer.month as u64, answer.sequence as u64]);
    let kind = match answer.answer.nps? {
        ..=6 => Kind::CallDetractor,
        9.. if random.chance(PROMOTERS_ASKED) => Kind::ActivatePromoter,
        _ => return None,
    };
    let answered_on = (answered_at / (86_400 * SECOND)) as Day;
    let due_on = answered_on + kind.due_days();
    let stalled = kind == Kind::CallDetractor && story::follow_ups_stall(account.office, month_of(answered_on));
    let course = random.weighted(if stalled { &COURSES_STALLED } else { &COURSES });
    let planned = match course {
        0 => Some(random.between(answered_on + 1, due_on - 1)),
        1 => Some(due_on + random.between(1, 15)),
        _ => None,
    };
    let gone_on = contacts::left_on(world, account, answer.contact).unwrap_or(account.end());
    let contacted_on = planned.filter(|on| *on < gone_on);
    let gone = gone_on < TODAY_DAY && contacted_on.is_none();
    let status = match contacted_on {
        Some(_) => Status::Done,
        None if gone || (course == 2 && due_on < TODAY_DAY) => Status::NotReached,
        None => Status::Open,
    };
    let outcomes = kind.outcomes();
    let outcome = outcomes[random.weighted(&outcomes.map(|(_, weight)| weight))].0;
    Some(Row {
        answer,
        kind,
        // Opened before eight on the next morning, when the first call may be made.
        opened_at: answered_at + i64::from(random.between(600, 6 * 3600)) * SECOND,
        due_on,
        contacted_at: contacted_on.map(|on| midnight(on) + i64::from(random.between(8 * 60, 18 * 60)) * 60 * SECOND),
        status,
        outcome: contacted_on.map(|_| outcome),
        owner: 1 + random.below(9),
    })
}

/// The columns of the table.
pub(super) fn columns(world: &World, rows: &[Row]) -> Vec<Column> {
    vec![
        writer::format("follow_up_id", rows, |row, out| {
            let (answer, account) = (&row.answer, world.account_id(row.answer.account));
            out(format_args!("U{account}-{:02}{:02}", answer.month, answer.sequence));
        }),
        writer::format("response_id", rows, |row, out| surveys::response_id(world, &row.answer, out)),
        writer::format("account_id", rows, |row, out| out(format_args!("{}", world.account_id(row.answer.account)))),
        writer::format("contact_id", rows, |row, out| {
            surveys::contact_id(world, row.answer.account, row.answer.contact, out);
        }),
        writer::text("office_id", rows, |row| office_id(row.answer.office)),
        writer::text("kind", rows, |row| row.kind.name()),
        writer::time("opened_at", rows, |row| row.opened_at),
        writer::date("due_on", rows, |row| row.due_on),
        writer::time_or_null("contacted_at", rows, |row| row.contacted_at),
        writer::text("status", rows, |row| row.status.name()),
        writer::text_or_null("outcome", rows, |row| row.outcome),
        writer::format("owner", rows, |row, out| {
            out(format_args!("CX-{:02}{}", row.answer.office + 1, row.owner));
        }),
    ]
}
