//! Assessments: what an office, its peers and a panel of its customers say of how it works, in two rounds.

use super::World;
use super::calendar::{Day, day};
use super::offices::{OFFICES, office_id};
use super::random::Random;
use super::story::{self, COMPETENCIES, Rater};
use super::writer::{self, Column, Sink};
use crate::error::Result;

const STREAM: u64 = 77;
const OFFICE: u64 = 770;

/// The first days of the two rounds.
const ROUNDS: [Day; 2] = [day(2025, 9, 1), day(2026, 9, 1)];

/// How many of each kind of [`Rater`] rate an office in a round.
const RATERS: [u64; 3] = [2, 2, 4];

/// What the rows of a competency have in common: four statements and their benchmarks.
const STATEMENTS: [[(&str, f64); 4]; COMPETENCIES.len()] = [
    [
        ("Asks what the customer wants to achieve before proposing anything.", 3.62),
        ("Repeats in its own words what it has understood.", 3.48),
        ("Notices what the customer does not say.", 3.21),
        ("Changes its plan when the customer's situation changes.", 3.55),
    ],
    [
        ("Treats the customer's problem as its own until it is solved.", 3.58),
        ("Names one person who answers for the matter.", 3.66),
        ("Admits mistakes before they are found.", 3.29),
        ("Does not send the customer from desk to desk.", 3.41),
    ],
    [
        ("Knows the customer's industry and its rules.", 3.71),
        ("Explains difficult things plainly.", 3.64),
        ("Brings ideas that the customer did not have.", 3.33),
        ("Gives advice that turns out to be right.", 3.77),
    ],
    [
        ("Works with other offices as one company.", 3.45),
        ("Shares what it knows with the customer's people.", 3.57),
        ("Settles disagreements without delay.", 3.36),
        ("Is easy to work with under pressure.", 3.6),
    ],
    [
        ("Does what it said it would do.", 3.52),
        ("Is done when it said it would be.", 3.3),
        ("Reports progress without being asked.", 3.24),
        ("Checks afterwards that the solution has held.", 3.12),
    ],
];

/// One rater's answer to one statement.
pub(super) struct Row {
    office: usize,
    round: usize,
    rater: Rater,
    number: u64,
    competency: usize,
    statement: usize,
    score: Option<i32>,
}

impl Row {
    fn item(&self) -> usize {
        self.competency * 4 + self.statement + 1
    }

    /// The letter of the rater in its ids.
    fn letter(&self) -> char {
        ['S', 'P', 'C'][self.rater as usize]
    }
}

/// Makes all rows, round by round and office by office.
pub(super) fn generate(world: &World, sink: &mut Sink<'_, Row>) -> Result<()> {
    for round in 0..ROUNDS.len() {
        for office in 0..OFFICES.len() {
            for rater in Rater::ALL {
                (1..=RATERS[rater as usize])
                    .try_for_each(|number| sheet(world, (office, round), rater, number, sink))?;
            }
        }
    }
    Ok(())
}

/// What one rater answers to the twenty statements.
fn sheet(
    world: &World,
    (office, round): (usize, usize),
    rater: Rater,
    number: u64,
    sink: &mut Sink<'_, Row>,
) -> Result<()> {
    let key = [STREAM, office as u64, round as u64, rater as u64, number];
    let random = &mut Random::keyed(world.seed, &key);
    // Some raters are milder than others.
    let mild = 0.2 * random.normal();
    for (competency, statements) in STATEMENTS.iter().enumerate() {
        let of_office = [OFFICE, office as u64, competency as u64];
        let lasting = 0.06 * Random::keyed(world.seed, &of_office).normal();
        for (statement, (_, benchmark)) in statements.iter().enumerate() {
            let mean = benchmark + story::assessed(office, round, rater, competency) + lasting + mild;
            let felt = mean + 0.55 * random.normal();
            let score = random.round(felt).clamp(1, 5);
            let score = (!random.chance(0.03)).then_some(score);
            sink.push(Row { office, round, rater, number, competency, statement, score })?;
        }
    }
    Ok(())
}

/// The columns of the table.
pub(super) fn columns(rows: &[Row]) -> Vec<Column> {
    vec![
        writer::format("assessment_id", rows, |row, out| {
            let (office, round, letter) = (office_id(row.office), row.round + 1, row.letter());
            out(format_args!("A{round}{office}-{letter}{}-{:02}", row.number, row.item()));
        }),
        writer::text("office_id", rows, |row| office_id(row.office)),
        writer::date("round", rows, |row| ROUNDS[row.round]),
        writer::text("rater", rows, |row| row.rater.name()),
        writer::format("rater_id", rows, |row, out| {
            out(format_args!("{}-{}{}", office_id(row.office), row.letter(), row.number));
        }),
        writer::text("competency", rows, |row| COMPETENCIES[row.competency]),
        writer::int("item", rows, |row| row.item() as i32),
        writer::text("statement", rows, |row| STATEMENTS[row.competency][row.statement].0),
        writer::int_or_null("score", rows, |row| row.score),
        writer::float("benchmark", rows, |row| STATEMENTS[row.competency][row.statement].1),
    ]
}
