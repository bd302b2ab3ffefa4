//! Initiatives: what the company does about what it hears. The ones that mean something are written by hand, the
//! others fill the list.

use super::World;
use super::calendar::{Day, TODAY_DAY, day};
use super::offices::{OFFICES, Region, office_id, office_number};
use super::random::Random;
use super::story::{EMEA_INITIATIVE, Function, SEATTLE_INITIATIVE, THEMES};
use super::writer::{self, Column, Sink};
use crate::error::Result;

const STREAM: u64 = 78;

/// How many there are besides those of [`planted`].
const OTHERS: usize = 28;

/// How long ago a sponsor of the others reported at most, in days.
const REPORTED_WITHIN: i32 = 45;

/// What is done about each of [`THEMES`]: title, function, journey stage, sponsor.
const ANSWERS: [(&str, Function, &str, &str); THEMES.len()] = [
    ("First answer within two hours", Function::Support, "support", "Head of Support"),
    ("Prices explained on one page", Function::Sales, "renewal", "Head of Sales"),
    ("Second contact for every account", Function::Experience, "adoption", "Head of People"),
    ("Invoices checked before they go out", Function::Support, "adoption", "Head of Finance"),
    ("Defects of the month reviewed with customers", Function::Support, "support", "Head of Product"),
    ("Status page and outage notices", Function::Marketing, "support", "Head of Marketing"),
    ("First thirty days with a named guide", Function::Experience, "onboarding", "Head of Experience"),
    ("Standard dashboards for every customer", Function::Experience, "adoption", "Head of Experience"),
    ("Early talks on renewal", Function::Sales, "renewal", "Head of Sales"),
    ("Executive dinners", Function::Sales, "expansion", "Managing Director"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Planned,
    InProgress,
    Done,
    Stopped,
}

impl Status {
    fn name(self) -> &'static str {
        ["planned", "in progress", "done", "stopped"][self as usize]
    }
}

/// One initiative.
#[derive(Clone, Debug)]
pub(super) struct Row {
    number: usize,
    title: String,
    /// None: all offices of the region.
    office: Option<usize>,
    region: Region,
    /// The place of its theme in [`THEMES`], from which function, stage and sponsor follow.
    theme: usize,
    started_on: Day,
    due_on: Day,
    closed_on: Option<Day>,
    status: Status,
    updated_on: Day,
    budget_cents: i64,
    spent_cents: i64,
    points: f64,
    progress: f64,
}

/// Makes all rows.
pub(super) fn generate(world: &World, sink: &mut Sink<'_, Row>) -> Result<()> {
    let all = planted().into_iter().chain((0..OTHERS).map(|place| other(world.seed, place)));
    all.enumerate().try_for_each(|(place, row)| sink.push(Row { number: place + 1, ..row }))
}

/// Two that changed something, six that nobody has reported on for more than 60 days, four over budget.
fn planted() -> Vec<Row> {
    use Region::{Apac, Emea, Na};
    let (seattle, emea) = (SEATTLE_INITIATIVE, EMEA_INITIATIVE);
    vec![
        done(seattle, at("Seattle"), 0, [day(2026, 1, 5), day(2026, 6, 30), day(2026, 6, 26)], [420, 405], 4.0),
        done(emea, (None, Emea), 5, [day(2026, 1, 12), day(2026, 3, 31), day(2026, 3, 27)], [310, 284], 5.0),
        running(
            "Tickets sorted by urgency",
            (None, Na),
            0,
            [day(2026, 2, 2), day(2026, 12, 18), day(2026, 6, 15)],
            [340, 120],
            0.35,
        ),
        running(
            "One price list for all offices",
            (None, Emea),
            1,
            [day(2025, 11, 3), day(2026, 11, 30), day(2026, 7, 2)],
            [180, 95],
            0.5,
        ),
        running(
            "A handover book for account teams",
            at("Bangalore"),
            2,
            [day(2026, 1, 19), day(2026, 12, 31), day(2026, 5, 28)],
            [75, 20],
            0.2,
        ),
        running(
            "Credit notes within five days",
            at("Toronto"),
            3,
            [day(2025, 10, 6), day(2026, 9, 30), day(2026, 7, 20)],
            [110, 88],
            0.7,
        ),
        running(
            "A sponsor for every Enterprise account",
            (None, Na),
            9,
            [day(2025, 9, 15), day(2026, 10, 30), day(2026, 6, 30)],
            [260, 150],
            0.45,
        ),
        running(
            "Reports that match the customer's numbers",
            at("Singapore"),
            7,
            [day(2026, 3, 2), day(2027, 1, 29), day(2026, 8, 1)],
            [140, 61],
            0.4,
        ),
        done(
            "A new ticket system",
            (None, Na),
            0,
            [day(2025, 6, 2), day(2026, 3, 31), day(2026, 5, 15)],
            [900, 1_188],
            5.0,
        ),
        done(
            "The service desk answers round the clock",
            at("Pune"),
            0,
            [day(2025, 3, 3), day(2025, 12, 19), day(2026, 1, 30)],
            [380, 455],
            3.0,
        ),
        running(
            "The site in four languages",
            (None, Emea),
            5,
            [day(2026, 2, 16), day(2026, 11, 27), day(2026, 9, 28)],
            [260, 331],
            0.8,
        ),
        running(
            "An academy for users",
            (None, Apac),
            6,
            [day(2025, 12, 1), day(2026, 10, 30), day(2026, 9, 21)],
            [520, 604],
            0.85,
        ),
    ]
}

/// An office and its region; a name that no office has would stand for the first one, which a test forbids.
fn at(name: &str) -> (Option<usize>, Region) {
    let office = office_number(name).unwrap_or_default();
    (Some(office), OFFICES[office].region)
}

/// One that was done; `days` are those of its start, when it was due and when it was done, `money` budget and what was
/// spent in thousands.
fn done(
    title: &str,
    (office, region): (Option<usize>, Region),
    theme: usize,
    days: [Day; 3],
    money: [i64; 2],
    points: f64,
) -> Row {
    let [started_on, due_on, closed_on] = days;
    Row {
        number: 0,
        title: title.to_owned(),
        office,
        region,
        theme,
        started_on,
        due_on,
        closed_on: Some(closed_on),
        status: Status::Done,
        updated_on: closed_on,
        budget_cents: money[0] * 100_000,
        spent_cents: money[1] * 100_000,
        points,
        progress: 1.0,
    }
}

/// One that is in progress; the third day is that of the latest report.
fn running(
    title: &str,
    place: (Option<usize>, Region),
    theme: usize,
    [started_on, due_on, updated_on]: [Day; 3],
    money: [i64; 2],
    progress: f64,
) -> Row {
    let row = done(title, place, theme, [started_on, due_on, updated_on], money, 3.0);
    Row { closed_on: None, status: Status::InProgress, progress, ..row }
}

/// One of the others: reported on lately while it runs, and within its budget.
fn other(seed: u64, place: usize) -> Row {
    let random = &mut Random::keyed(seed, &[STREAM, place as u64]);
    // 3 and 10 have no common divisor, so that no region has the same answer twice.
    let (region, theme) = ([Region::Na, Region::Emea, Region::Apac][place % 3], place % THEMES.len());
    let offices: Vec<usize> = (0..OFFICES.len()).filter(|office| OFFICES[*office].region == region).collect();
    let office = offices[random.below(offices.len() as u64) as usize];
    let office = random.chance(0.65).then_some(office);
    let of = office.map_or(region.name(), |office| OFFICES[office].name);
    let title = format!("{}, {of}", ANSWERS[theme].0);
    let opened_on = office.map_or(0, |office| OFFICES[office].opened_on);
    let started_on = random.between(opened_on.max(day(2025, 1, 6)), day(2026, 12, 14));
    let due_on = started_on + random.between(120, 365);
    let budget = i64::from(random.between(8, 90)) * 5;
    let points = f64::from(random.between(2, 12)) / 2.0;
    let closed_on = (due_on + random.between(-30, 25)).min(TODAY_DAY - 1);
    let row = done(&title, (office, region), theme, [started_on, due_on, closed_on], [budget, 0], points);
    let passed = f64::from(TODAY_DAY - started_on) / f64::from(due_on - started_on);
    let spent = |share: f64, random: &mut Random| budget * (share * f64::from(random.between(820, 990))) as i64 * 100;
    let running = passed > 0.0 && (passed < 1.0 || random.chance(0.15));
    let stopped = passed > 0.3 && random.chance(0.12);
    let part = ((passed * (0.75 + 0.35 * random.unit())).clamp(0.05, 0.95) * 20.0).round() / 20.0;
    let updated_on = TODAY_DAY - random.between(1, REPORTED_WITHIN);
    if passed <= 0.0 {
        return Row { closed_on: None, status: Status::Planned, updated_on, progress: 0.0, ..row };
    }
    if stopped {
        let closed_on = started_on + (closed_on - started_on) / 2;
        let (progress, spent_cents) = (part / 2.0, spent(part / 2.0, random));
        let (closed_on, updated_on) = (Some(closed_on), closed_on);
        return Row { closed_on, status: Status::Stopped, updated_on, spent_cents, progress, ..row };
    }
    if running {
        let (spent_cents, updated_on) = (spent(part, random), updated_on.max(started_on));
        return Row { closed_on: None, status: Status::InProgress, updated_on, spent_cents, progress: part, ..row };
    }
    Row { spent_cents: spent(1.0, random), ..row }
}

/// The columns of the table.
pub(super) fn columns(rows: &[Row]) -> Vec<Column> {
    vec![
        writer::format("initiative_id", rows, |row, out| out(format_args!("I{:03}", row.number))),
        writer::text("title", rows, |row| &row.title),
        writer::text_or_null("office_id", rows, |row| row.office.map(office_id)),
        writer::text("region", rows, |row| row.region.name()),
        writer::text("function", rows, |row| ANSWERS[row.theme].1.name()),
        writer::text("journey_stage", rows, |row| ANSWERS[row.theme].2),
        writer::text("theme", rows, |row| THEMES[row.theme].0),
        writer::text("sponsor", rows, |row| ANSWERS[row.theme].3),
        writer::date("started_on", rows, |row| row.started_on),
        writer::date("due_on", rows, |row| row.due_on),
        writer::date_or_null("closed_on", rows, |row| row.closed_on),
        writer::text("status", rows, |row| row.status.name()),
        writer::date("updated_on", rows, |row| row.updated_on),
        writer::money_or_null("budget", rows, |row| Some(row.budget_cents)),
        writer::money_or_null("spent", rows, |row| Some(row.spent_cents)),
        writer::float("expected_points", rows, |row| row.points),
        writer::float("progress", rows, |row| row.progress),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_planted_ones_are_in_the_offices_that_they_name() {
        let names: Vec<&str> = planted().iter().filter_map(|row| Some(OFFICES[row.office?].name)).collect();
        assert_eq!(names, ["Seattle", "Bangalore", "Toronto", "Singapore", "Pune"]);
    }
}
