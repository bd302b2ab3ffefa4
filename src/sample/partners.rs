//! Partner surveys: what the partners of each office answer, every other month.
//!
//! Partners belong to offices and not to accounts, so there are as many at any scale.

use super::World;
use super::calendar::{MONTHS, SECOND, midnight, month_end, month_start};
use super::feedback::partner_id;
use super::offices::{OFFICES, office_id};
use super::random::{Random, hash};
use super::story::{THEMES, partner_theme_weights};
use super::text::{self, Mood};
use super::writer::{self, Column, Sink};
use crate::error::Result;

const STREAM: u64 = 75;
const PHASE: u64 = 750;

/// Partners of each office.
pub(super) const PER_OFFICE: u64 = 6;

/// One invitation.
pub(super) struct Row {
    office: usize,
    /// Counted within the office from 1.
    partner: u64,
    month: usize,
    sent_at: i64,
    answer: Answer,
    language: &'static str,
}

/// What came back; nothing at all by default.
#[derive(Default)]
struct Answer {
    answered_at: Option<i64>,
    nps: Option<i32>,
    csat: Option<i32>,
    theme: Option<usize>,
    comment: Option<String>,
}

/// Makes the invitations of all partners, office by office.
pub(super) fn generate(world: &World, sink: &mut Sink<'_, Row>) -> Result<()> {
    for (office, at) in OFFICES.iter().enumerate() {
        for partner in 1..=PER_OFFICE {
            let turn = hash(world.seed, &[PHASE, office as u64, partner]) as usize % 2;
            let months = (0..MONTHS).filter(|month| month % 2 == turn && month_start(*month) >= at.opened_on);
            months.map(|month| invitation(world, office, partner, month)).try_for_each(|row| sink.push(row))?;
        }
    }
    Ok(())
}

fn invitation(world: &World, office: usize, partner: u64, month: usize) -> Row {
    let random = &mut Random::keyed(world.seed, &[STREAM, office as u64, partner, month as u64]);
    let sent_on = random.between(month_start(month), month_end(month) - 5);
    let sent_at = midnight(sent_on) + i64::from(random.between(8 * 3600, 18 * 3600)) * SECOND;
    let local = text::language(OFFICES[office].country);
    let language = if random.chance(0.3) { local } else { "en" };
    let answer =
        if random.chance(0.6) { answer(world, office, month, sent_at, language, random) } else { Answer::default() };
    Row { office, partner, month, sent_at, answer, language }
}

fn answer(world: &World, office: usize, month: usize, sent_at: i64, language: &str, random: &mut Random) -> Answer {
    let mood = world.office_mood(office, month, 0.0, random);
    let weights = partner_theme_weights(OFFICES[office].region, month);
    let theme = random.weighted(&weights);
    let (nps, csat) = match mood {
        Mood::Promoter => (random.between(9, 10), random.between(4, 5)),
        Mood::Passive => (random.between(7, 8), random.between(3, 4)),
        Mood::Detractor => (random.weighted(&[3.0, 2.0, 4.0, 8.0, 14.0, 30.0, 39.0]) as i32, random.between(1, 3)),
    };
    let is_said = random.chance(0.9);
    let comment = random.chance(0.7).then(|| text::comment(mood, theme, language, random));
    Answer {
        answered_at: Some(sent_at + i64::from(random.between(600, 4 * 86_400)) * SECOND),
        nps: (!random.chance(0.05)).then_some(nps),
        csat: (!random.chance(0.05)).then_some(csat),
        theme: is_said.then_some(theme),
        comment: comment.filter(|_| is_said),
    }
}

/// The columns of the table.
pub(super) fn columns(rows: &[Row]) -> Vec<Column> {
    vec![
        writer::format("response_id", rows, |row, out| {
            out(format_args!("Q{:02}{:02}-{:02}", row.office + 1, row.partner, row.month));
        }),
        writer::format("partner_id", rows, |row, out| partner_id(row.office, row.partner, out)),
        writer::text("office_id", rows, |row| office_id(row.office)),
        writer::time("sent_at", rows, |row| row.sent_at),
        writer::time_or_null("answered_at", rows, |row| row.answer.answered_at),
        writer::int_or_null("nps", rows, |row| row.answer.nps),
        writer::int_or_null("csat", rows, |row| row.answer.csat),
        writer::text_or_null("theme", rows, |row| row.answer.theme.map(|theme| THEMES[theme].0)),
        writer::text_or_null("comment", rows, |row| row.answer.comment.as_deref()),
        writer::text("language", rows, |row| row.language),
    ]
}
