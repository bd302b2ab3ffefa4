//! Survey requests and their answers, one file per month of sending.

use std::fmt::Arguments;
use std::ops::Range;

use super::World;
use super::accounts::{Account, Fate, Segment, Tone};
use super::calendar::{SECOND, midnight, month_start};
use super::offices::{OFFICES, office_id};
use super::random::{Random, hash};
use super::story::{self, QUIET_FROM, theme_weights};
use super::text::{self, Mood};
use super::writer::{self, Column, Sink};
use crate::error::Result;

const STREAM: u64 = 2;
const PHASE: u64 = 20;

/// Days from a request to the latest answer.
const ANSWER_DAYS: i32 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Relationship,
    Transactional,
    Pulse,
    Milestone,
    Executive,
}

impl Type {
    fn name(self) -> &'static str {
        ["relationship", "transactional", "pulse", "milestone", "executive"][self as usize]
    }

    fn touchpoints(self) -> &'static [&'static str] {
        match self {
            Self::Relationship => &["account review", "email survey"],
            Self::Transactional => &["support ticket", "invoice", "delivery", "training", "phone call"],
            Self::Pulse => &["in-app", "email survey"],
            Self::Milestone => &["go-live", "quarterly review", "renewal meeting"],
            Self::Executive => &["executive interview", "steering committee"],
        }
    }

    fn asks_nps(self) -> bool {
        matches!(self, Self::Relationship | Self::Executive | Self::Pulse)
    }

    fn asks_csat(self) -> bool {
        matches!(self, Self::Relationship | Self::Transactional | Self::Milestone)
    }
}

const STAGES: [&str; 5] = ["onboarding", "adoption", "support", "expansion", "renewal"];
const STAGE_WEIGHTS: [[f64; 5]; 5] = [
    [1.0, 4.0, 1.0, 2.0, 3.0],
    [1.0, 2.0, 6.0, 0.5, 0.5],
    [1.0, 5.0, 2.0, 1.0, 1.0],
    [4.0, 2.0, 0.0, 2.0, 3.0],
    [0.0, 2.0, 0.0, 3.0, 4.0],
];

/// What somebody is at an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Executive,
    Manager,
    User,
    Procurement,
}

impl Role {
    /// The role of this contact, counted within the account from 0.
    pub(super) fn of(seed: u64, account: u64, contact: u64) -> Self {
        match contact {
            0 => [Self::Manager, Self::User, Self::Manager, Self::Executive]
                [(hash(seed, &[STREAM, account]) % 4) as usize],
            1 => Self::User,
            2 => Self::Executive,
            _ => Self::Procurement,
        }
    }

    pub(super) fn name(self) -> &'static str {
        ["executive", "manager", "user", "procurement"][self as usize]
    }

    /// How far this role scores from the account's mean, in NPS points.
    fn leaning(self) -> f64 {
        [-11.0, 2.0, 10.0, -1.0][self as usize]
    }
}

/// One request.
pub(super) struct Row {
    pub(super) account: u64,
    pub(super) office: usize,
    pub(super) contact: u64,
    role: Role,
    kind: Type,
    pub(super) month: usize,
    pub(super) sequence: usize,
    stage: &'static str,
    touchpoint: &'static str,
    sent_at: i64,
    weight: f64,
    language: &'static str,
    pub(super) answer: Answer,
}

/// What came back; nothing at all by default.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) answered_at: Option<i64>,
    pub(super) nps: Option<i32>,
    csat: Option<i32>,
    ces: Option<i32>,
    comment: Option<String>,
}

/// Makes the requests of a month to the accounts with these numbers.
pub(super) fn generate(world: &World, month: usize, numbers: Range<u64>, sink: &mut Sink<'_, Row>) -> Result<()> {
    for number in numbers {
        let account = Account::new(world, number);
        if account.active_any(month) {
            requests(world, &account, month).into_iter().try_for_each(|row| sink.push(row))?;
        }
    }
    Ok(())
}

/// The requests to one account, in the order of sending.
pub(super) fn requests(world: &World, account: &Account, month: usize) -> Vec<Row> {
    let random = &mut Random::keyed(world.seed, &[STREAM, account.number, month as u64]);
    let mut rows = Vec::new();
    for contact in 0..account.contacts {
        let role = Role::of(world.seed, account.number, contact);
        let turn = hash(world.seed, &[PHASE, account.number, contact]) as usize;
        let asked = [
            (Type::Relationship, (turn + month).is_multiple_of(4)),
            (Type::Transactional, random.chance(0.33 * account.activity)),
            (Type::Pulse, random.chance(0.25)),
            (Type::Milestone, random.chance(0.05)),
            (Type::Executive, role == Role::Executive && random.chance(0.15)),
        ];
        for (kind, _) in asked.into_iter().filter(|(_, asked)| *asked) {
            request(world, account, (contact, role), kind, month, random, &mut rows);
        }
    }
    rows.sort_by_key(|row| row.sent_at);
    rows.iter_mut().enumerate().for_each(|(place, row)| row.sequence = place + 1);
    rows
}

/// Adds one request, or two rows when the same contact answered it twice.
fn request(
    world: &World,
    account: &Account,
    (contact, role): (u64, Role),
    kind: Type,
    month: usize,
    random: &mut Random,
    rows: &mut Vec<Row>,
) {
    let sent_on = random.between(month_start(month), month_start(month + 1) - 1);
    if sent_on < account.started_on || sent_on + ANSWER_DAYS >= account.end() {
        return;
    }
    let sent_at = midnight(sent_on) + i64::from(random.between(8 * 3600, 18 * 3600)) * SECOND;
    let local = text::language(OFFICES[account.office].country);
    let mut row = Row {
        account: account.number,
        office: account.office,
        contact,
        role,
        kind,
        month,
        sequence: 0,
        stage: STAGES[random.weighted(&STAGE_WEIGHTS[kind as usize])],
        touchpoint: random.pick(kind.touchpoints()),
        sent_at,
        weight: weight(account.segment, role),
        language: if random.chance(0.6) { local } else { "en" },
        answer: Answer::default(),
    };
    let tone = account.tone(month, sent_on);
    if answers(account, kind, tone, month, random) {
        row.answer = answer(world, account, &row, tone, random);
        let twice = kind.asks_nps() && sent_on < month_start(month) + 20 && random.chance(0.015);
        if twice {
            let mut again = answer(world, account, &row, tone, random);
            again.answered_at = row.answer.answered_at.map(|at| at + i64::from(random.between(60, 36 * 3600)) * SECOND);
            rows.push(Row { answer: again, ..row });
        }
    }
    rows.push(row);
}

/// Large accounts and executives count for more.
fn weight(segment: Segment, role: Role) -> f64 {
    let weights = if role == Role::Executive { [1.8, 1.2, 0.9] } else { [1.5, 1.0, 0.75] };
    weights[segment as usize]
}

fn answers(account: &Account, kind: Type, tone: Tone, month: usize, random: &mut Random) -> bool {
    if account.fate == Fate::Uncovered && month >= QUIET_FROM {
        return false;
    }
    // An account with a planted tone must be heard, and each contact has a relationship survey every four months.
    (tone != Tone::Usual && kind == Type::Relationship)
        || random.chance(story::answer_rate(OFFICES[account.office].name))
}

fn answer(world: &World, account: &Account, row: &Row, tone: Tone, random: &mut Random) -> Answer {
    let mood = match tone {
        Tone::Usual => world.mood(account, row.month, row.role.leaning(), random),
        Tone::Fine => Mood::Promoter,
        Tone::Low if random.chance(0.88) => Mood::Detractor,
        Tone::Low => Mood::Passive,
    };
    let days = if random.chance(0.7) { 1 } else { ANSWER_DAYS };
    let blank = if tone == Tone::Usual { 0.06 } else { 0.0 };
    let nps = score(row.kind.asks_nps(), blank, random).then(|| nps(mood, tone, random));
    let csat = score(row.kind.asks_csat(), blank, random).then(|| csat(mood, random));
    let ces = score(row.kind == Type::Transactional, blank, random).then(|| ces(mood, random));
    let theme = random.weighted(&theme_weights(account.region(), row.month)[..8]);
    let comment = random.chance(0.3).then(|| text::comment(mood, theme, row.language, random));
    Answer {
        answered_at: Some(row.sent_at + i64::from(random.between(600, days * 86_400)) * SECOND),
        nps,
        csat,
        ces,
        comment,
    }
}

/// Whether a question was asked and not left blank.
fn score(asked: bool, blank: f64, random: &mut Random) -> bool {
    asked && !random.chance(blank)
}

fn nps(mood: Mood, tone: Tone, random: &mut Random) -> i32 {
    match mood {
        _ if tone == Tone::Fine => random.between(8, 9),
        Mood::Promoter => random.between(9, 10),
        Mood::Passive => random.between(7, 8),
        Mood::Detractor if tone == Tone::Low => random.weighted(&[8.0, 6.0, 8.0, 14.0, 20.0, 24.0, 20.0]) as i32,
        Mood::Detractor => random.weighted(&[6.0, 3.0, 4.0, 7.0, 11.0, 29.0, 40.0]) as i32,
    }
}

fn csat(mood: Mood, random: &mut Random) -> i32 {
    1 + match mood {
        Mood::Promoter => random.weighted(&[0.0, 0.0, 0.0, 0.3, 0.7]),
        Mood::Passive => random.weighted(&[0.0, 0.0, 0.35, 0.6, 0.05]),
        Mood::Detractor => random.weighted(&[0.25, 0.5, 0.25, 0.0, 0.0]),
    } as i32
}

fn ces(mood: Mood, random: &mut Random) -> i32 {
    1 + match mood {
        Mood::Promoter => random.weighted(&[0.0, 0.0, 0.0, 0.0, 0.15, 0.4, 0.45]),
        Mood::Passive => random.weighted(&[0.0, 0.0, 0.1, 0.3, 0.45, 0.15, 0.0]),
        Mood::Detractor => random.weighted(&[0.2, 0.35, 0.3, 0.15, 0.0, 0.0, 0.0]),
    } as i32
}

/// Hands over the id of a request.
pub(super) fn response_id(world: &World, row: &Row, out: &mut dyn FnMut(Arguments<'_>)) {
    out(format_args!("R{}-{:02}{:02}", world.account_id(row.account), row.month, row.sequence));
}

/// Hands over the id of an account's contact.
pub(super) fn contact_id(world: &World, account: u64, contact: u64, out: &mut dyn FnMut(Arguments<'_>)) {
    out(format_args!("C{}-{}", world.account_id(account), contact + 1));
}

/// The columns of the table.
pub(super) fn columns(world: &World, rows: &[Row]) -> Vec<Column> {
    vec![
        writer::format("response_id", rows, |row, out| response_id(world, row, out)),
        writer::text("survey_type", rows, |row| row.kind.name()),
        writer::format("account_id", rows, |row, out| out(format_args!("{}", world.account_id(row.account)))),
        writer::format("contact_id", rows, |row, out| contact_id(world, row.account, row.contact, out)),
        writer::text("contact_role", rows, |row| row.role.name()),
        writer::text("office_id", rows, |row| office_id(row.office)),
        writer::text("journey_stage", rows, |row| row.stage),
        writer::text("touchpoint", rows, |row| row.touchpoint),
        writer::time("sent_at", rows, |row| row.sent_at),
        writer::time_or_null("answered_at", rows, |row| row.answer.answered_at),
        writer::int_or_null("nps", rows, |row| row.answer.nps),
        writer::int_or_null("csat", rows, |row| row.answer.csat),
        writer::int_or_null("ces", rows, |row| row.answer.ces),
        writer::float("weight", rows, |row| row.weight),
        writer::text_or_null("comment", rows, |row| row.answer.comment.as_deref()),
        writer::text("language", rows, |row| row.language),
    ]
}
