//! Field feedback: what people heard from accounts and partners, and what became of it.

use std::fmt::Arguments;
use std::ops::Range;

use super::World;
use super::accounts::{Account, Fate, Tone};
use super::calendar::{Day, MONTHS, SECOND, TODAY_DAY, midnight, month, month_start};
use super::offices::{OFFICES, office_id};
use super::partners;
use super::random::Random;
use super::story::{OVERDUE_SEVERE, QUIET_THEMES, SILENT_FEEDBACK_FROM, THEMES, theme_weights};
use super::text::{self, Mood};
use super::writer::{self, Column, Sink};
use crate::error::Result;

const STREAM: u64 = 61;
const PARTNERS: u64 = 6;

/// Notes per account and month.
const NOTES: f64 = 0.235;
const PARTNER_NOTES: f64 = 0.024;

/// For how many days before they left the quiet churners were heard to be unhappy.
const QUIET_DAYS: i32 = 120;

/// How often open feedback that is not severe is overdue; the severe bring the mean up to `OVERDUE`.
const OVERDUE_MILD: f64 = 0.11;

/// The sequence of a partner's notes starts here, so that ids never meet those of the account.
const PARTNER_SEQUENCE: usize = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Open,
    InProgress,
    Closed,
}

impl Status {
    fn name(self) -> &'static str {
        ["open", "in progress", "closed"][self as usize]
    }
}

/// One note.
pub(super) struct Row {
    account: u64,
    office: usize,
    sequence: usize,
    /// The partner interviewed, counted within the office; none when it was the account.
    partner: Option<u64>,
    template: &'static str,
    author: u64,
    stage: &'static str,
    captured_on: Day,
    captured_at: i64,
    text: String,
    theme: usize,
    mood: Mood,
    severity: i32,
    status: Status,
    owner: Option<u64>,
    due_on: Day,
    closed_at: Option<i64>,
}

/// Makes the notes on the accounts with these numbers, office by office: those of accounts, then those of partners.
pub(super) fn generate(world: &World, numbers: Range<u64>, sink: &mut Sink<'_, Row>) -> Result<()> {
    for office in 0..OFFICES.len() {
        let of_office = world.numbers_of(office);
        let numbers = numbers.start.max(of_office.start)..numbers.end.min(of_office.end);
        for number in numbers.clone() {
            let account = Account::new(world, number);
            account_notes(world, &account).into_iter().try_for_each(|row| sink.push(row))?;
        }
        for number in numbers {
            partner_notes(world, office, number).into_iter().try_for_each(|row| sink.push(row))?;
        }
    }
    Ok(())
}

fn account_notes(world: &World, account: &Account) -> Vec<Row> {
    let random = &mut Random::keyed(world.seed, &[STREAM, account.number]);
    let planted = planted(account, random);
    // From here on only the planted notes are heard.
    let usual_until = match account.fate {
        Fate::Silent => month_start(month(2026, 6)),
        Fate::Quiet => account.end() - QUIET_DAYS,
        _ => account.end(),
    };
    let mut rows = Vec::new();
    for month in (0..MONTHS).filter(|month| account.active_any(*month)) {
        for _ in 0..random.round(NOTES * account.activity) {
            let on = random.between(month_start(month), month_start(month + 1) - 1);
            if on >= account.started_on && on < usual_until {
                rows.push(usual(world, account, month, on, random));
            }
        }
    }
    rows.extend(planted.into_iter().enumerate().map(|(place, on)| bad(account, place, on, random)));
    number(rows, 1)
}

/// The days on which an account that is silent in its surveys was heard to be unhappy.
fn planted(account: &Account, random: &mut Random) -> Vec<Day> {
    match account.fate {
        Fate::Silent => {
            let length = (month_start(MONTHS) - SILENT_FEEDBACK_FROM) / 4;
            let days = 3 + random.between(0, 1);
            (0..days).map(|turn| SILENT_FEEDBACK_FROM + turn * length + random.between(0, length - 1)).collect()
        }
        Fate::Quiet => [100, 60, 20].into_iter().map(|before| account.end() - before + random.between(0, 15)).collect(),
        _ => Vec::new(),
    }
}

fn usual(world: &World, account: &Account, month: usize, on: Day, random: &mut Random) -> Row {
    let theme = random.weighted(&theme_weights(account.region(), month));
    let mood = match account.tone(month, on) {
        Tone::Low => Mood::Detractor,
        // What is heard in the field is no survey: a silent account sounds as others do until it turns.
        Tone::Usual | Tone::Fine => world.mood(account, month, 0.0, random),
    };
    let severity = match mood {
        Mood::Promoter => random.between(1, 2),
        Mood::Passive => random.between(1, 3),
        Mood::Detractor => 2 + random.weighted(&[0.25, 0.4, 0.25, 0.1]) as i32,
    };
    note(account.number, account.office, None, on, (theme, mood, severity), account.churned_on.is_some(), random)
}

fn bad(account: &Account, place: usize, on: Day, random: &mut Random) -> Row {
    let theme = QUIET_THEMES[place % QUIET_THEMES.len()];
    let severity = random.between(4, 5);
    let settled = account.churned_on.is_some();
    let row = note(account.number, account.office, None, on, (theme, Mood::Detractor, severity), settled, random);
    if settled { row } else { opened(row, random) }
}

/// The same note, not followed up by anybody.
fn opened(row: Row, random: &mut Random) -> Row {
    Row { status: Status::Open, closed_at: None, due_on: open_due_on(row.captured_on, true, random), ..row }
}

fn partner_notes(world: &World, office: usize, number: u64) -> Vec<Row> {
    let random = &mut Random::keyed(world.seed, &[PARTNERS, number]);
    let mut rows = Vec::new();
    for month in 0..MONTHS {
        let (first, last) = (month_start(month), month_start(month + 1) - 1);
        if first < OFFICES[office].opened_on || !random.chance(PARTNER_NOTES) {
            continue;
        }
        let on = random.between(first, last);
        let theme = random.weighted(&theme_weights(OFFICES[office].region, month));
        let mood = world.office_mood(office, month, 0.0, random);
        let severity = if mood == Mood::Detractor { random.between(2, 4) } else { random.between(1, 3) };
        let partner = Some(1 + random.below(partners::PER_OFFICE));
        rows.push(note(number, office, partner, on, (theme, mood, severity), false, random));
    }
    self::number(rows, PARTNER_SEQUENCE)
}

/// Gives the notes their sequence in the order in which they were taken.
fn number(mut rows: Vec<Row>, first: usize) -> Vec<Row> {
    rows.sort_by_key(|row| row.captured_at);
    rows.iter_mut().enumerate().for_each(|(place, row)| row.sequence = first + place);
    rows
}

/// A note with its follow-up; nothing stays open when the matter is `settled`, the account having left.
fn note(
    account: u64,
    office: usize,
    partner: Option<u64>,
    on: Day,
    (theme, mood, severity): (usize, Mood, i32),
    settled: bool,
    random: &mut Random,
) -> Row {
    let captured_at = midnight(on) + i64::from(random.between(8 * 60, 18 * 60)) * 60 * SECOND;
    let severe = mood == Mood::Detractor && severity >= 4;
    let status = if settled { Status::Closed } else { status(on, random) };
    let closed = status == Status::Closed;
    let closed_on = on + random.between(1, 25.min(TODAY_DAY - 1 - on));
    Row {
        account,
        office,
        sequence: 0,
        partner,
        template: template(partner.is_some(), random),
        author: 1 + random.below(9),
        stage: random.pick(&["onboarding", "adoption", "support", "expansion", "renewal"]),
        captured_on: on,
        captured_at,
        text: text::note(mood, theme, partner.is_some(), random),
        theme,
        mood,
        severity,
        status,
        owner: (severity > 1 && !random.chance(0.1)).then(|| 1 + random.below(9)),
        due_on: if closed { on + due_days(severe) } else { open_due_on(on, severe, random) },
        closed_at: closed.then(|| midnight(closed_on) + i64::from(random.between(8 * 60, 18 * 60)) * 60 * SECOND),
    }
}

fn template(partner: bool, random: &mut Random) -> &'static str {
    if partner { "partner interview" } else { ["customer interview", "ad hoc"][random.weighted(&[0.55, 0.45])] }
}

/// Most of what is older than four months is closed, least of the last days'.
fn status(on: Day, random: &mut Random) -> Status {
    let weights = match TODAY_DAY - on {
        121.. => [0.05, 0.05, 0.9],
        _ => [0.4, 0.25, 0.35],
    };
    [Status::Open, Status::InProgress, Status::Closed][random.weighted(&weights)]
}

fn due_days(severe: bool) -> i32 {
    if severe { 14 } else { 30 }
}

/// When feedback that is still open is due: in the past at the rate that the story gives, else today or later.
fn open_due_on(on: Day, severe: bool, random: &mut Random) -> Day {
    let overdue = random.chance(if severe { OVERDUE_SEVERE } else { OVERDUE_MILD });
    if overdue && on + 7 < TODAY_DAY {
        return (on + due_days(severe)).min(TODAY_DAY - 1 - random.between(0, 5));
    }
    (on + due_days(severe)).max(TODAY_DAY + random.between(0, 40))
}

/// Hands over the id of an office's partner.
pub(super) fn partner_id(office: usize, partner: u64, out: &mut dyn FnMut(Arguments<'_>)) {
    out(format_args!("P{:02}{partner:02}", office + 1));
}

/// The columns of the table.
pub(super) fn columns(world: &World, rows: &[Row]) -> Vec<Column> {
    vec![
        writer::format("feedback_id", rows, |row, out| {
            out(format_args!("F{}-{:03}", world.account_id(row.account), row.sequence));
        }),
        writer::text("template", rows, |row| row.template),
        writer::format("author", rows, |row, out| out(format_args!("FE-{:02}{}", row.office + 1, row.author))),
        writer::format_or_null("account_id", rows, |row, out| {
            if row.partner.is_none() {
                out(format_args!("{}", world.account_id(row.account)));
            }
        }),
        writer::format_or_null("partner_id", rows, |row, out| {
            if let Some(partner) = row.partner {
                partner_id(row.office, partner, out);
            }
        }),
        writer::text("office_id", rows, |row| office_id(row.office)),
        writer::text("journey_stage", rows, |row| row.stage),
        writer::time("captured_at", rows, |row| row.captured_at),
        writer::text("text", rows, |row| &row.text),
        writer::text("theme", rows, |row| THEMES[row.theme].0),
        writer::text("sentiment", rows, |row| ["positive", "neutral", "negative"][row.mood as usize]),
        writer::int("severity", rows, |row| row.severity),
        writer::text("status", rows, |row| row.status.name()),
        writer::format_or_null("follow_up_owner", rows, |row, out| {
            if let Some(owner) = row.owner {
                out(format_args!("CX-{:02}{owner}", row.office + 1));
            }
        }),
        writer::date("due_on", rows, |row| row.due_on),
        writer::time_or_null("closed_at", rows, |row| row.closed_at),
    ]
}
