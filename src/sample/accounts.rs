//! The accounts: who they are, and what happens to them.
//!
//! An account is found from its number alone, so that none is kept in memory.

use super::World;
use super::calendar::{Day, TODAY_DAY, day, month_start, years_before};
use super::offices::{OFFICES, Region};
use super::random::{Random, hash};
use super::story::{self, BLOCK, CHURNED_OF_BLOCK, UNCOVERED_OF_BLOCK};
use super::text;
use super::writer::{self, Column, Sink};
use crate::error::Result;

/// What happens to an account inside the two years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Usual,
    /// Still there, content in surveys, about to leave.
    Silent,
    /// Left after low scores.
    Loud,
    /// Left as the silent ones would.
    Quiet,
    /// Answers no survey in the last 12 months.
    Uncovered,
}

/// How large an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Enterprise,
    MidMarket,
    Small,
}

impl Segment {
    fn name(self) -> &'static str {
        ["Enterprise", "Mid-market", "Small"][self as usize]
    }
}

/// One account.
#[derive(Clone, Debug)]
pub(super) struct Account {
    /// Counts from 0; its id counts from 1.
    pub(super) number: u64,
    pub(super) office: usize,
    pub(super) fate: Fate,
    pub(super) segment: Segment,
    pub(super) tier: &'static str,
    pub(super) industry: &'static str,
    pub(super) contacts: u64,
    /// How far its opinion is from its office's, in NPS points.
    pub(super) leaning: f64,
    /// How busy it is, around 1.
    pub(super) activity: f64,
    pub(super) revenue_cents: i64,
    pub(super) started_on: Day,
    pub(super) renews_on: Day,
    pub(super) churned_on: Option<Day>,
    pub(super) churn_reason: Option<&'static str>,
}

const STREAM: u64 = 1;
const INDUSTRIES: [&str; 10] = [
    "Banking",
    "Insurance",
    "Retail",
    "Manufacturing",
    "Healthcare",
    "Logistics",
    "Energy",
    "Telecom",
    "Public sector",
    "Media",
];
const LOUD_REASONS: [&str; 4] = ["service quality", "slow response", "price", "billing disputes"];
const QUIET_REASONS: [&str; 3] = ["moved to a competitor", "sponsor left", "account team turnover"];

/// Hyderabad opened inside the two years, and no account started there before.
const LATE_OPENING: Day = day(2025, 4, 1);

impl Account {
    /// The account with this number.
    pub(super) fn new(world: &World, number: u64) -> Self {
        let random = &mut Random::keyed(world.seed, &[STREAM, number]);
        let office = world.office_of(number);
        let fate = fate(world.seed, number);
        let segment = [Segment::Enterprise, Segment::MidMarket, Segment::Small][random.weighted(&[0.2, 0.35, 0.45])];
        let mut account = Self {
            number,
            office,
            fate,
            segment,
            tier: tier(segment, random),
            industry: random.pick(&INDUSTRIES),
            contacts: contacts(segment, random),
            leaning: 40.0 * (random.unit() - 0.5) + [-6.0, 3.0, 5.0][segment as usize],
            activity: [1.35, 0.95, 0.7][segment as usize] * random.noise(0.15),
            revenue_cents: revenue_cents(segment, random),
            started_on: 0,
            renews_on: 0,
            churned_on: None,
            churn_reason: None,
        };
        account.live(random);
        account
    }

    /// Sets the dates of its life.
    fn live(&mut self, random: &mut Random) {
        let late = OFFICES[self.office].opened_on >= LATE_OPENING;
        match self.fate {
            Fate::Loud | Fate::Quiet => {
                let first = if late { day(2026, 5, 1) } else { day(2025, 1, 10) };
                let churned_on = random.between(first, day(2026, 9, 25));
                let reasons: &[&str] = if self.fate == Fate::Loud { &LOUD_REASONS } else { &QUIET_REASONS };
                self.churned_on = Some(churned_on);
                self.churn_reason = Some(random.pick(reasons));
                self.renews_on = churned_on + random.between(0, 30);
            }
            Fate::Silent => self.renews_on = random.between(day(2026, 10, 15), day(2026, 12, 31)),
            Fate::Usual | Fate::Uncovered => self.renews_on = random.between(TODAY_DAY + 1, TODAY_DAY + 365),
        }
        self.started_on = years_before(self.renews_on, self.age(late, random));
    }

    /// How many years before its next renewal it started.
    fn age(&self, late: bool, random: &mut Random) -> u32 {
        // An account is told of once it has some months behind it.
        let too_young = years_before(self.renews_on, 1) > day(2026, 7, 1);
        match self.fate {
            _ if late => 1 + u32::from(too_young),
            Fate::Usual if random.chance(0.2) => {
                if too_young {
                    2
                } else {
                    1 + random.below(2) as u32
                }
            }
            _ => 3 + random.below(5) as u32,
        }
    }

    /// The first day on which it may be heard of no more, or the day after the sample.
    pub(super) fn end(&self) -> Day {
        self.churned_on.unwrap_or(TODAY_DAY)
    }

    /// Whether it was a customer on each day of this month.
    pub(super) fn active_all(&self, month: usize) -> bool {
        self.started_on <= month_start(month) && self.end() >= month_start(month + 1)
    }

    /// Whether it was a customer on some day of this month.
    pub(super) fn active_any(&self, month: usize) -> bool {
        self.started_on < month_start(month + 1) && self.end() > month_start(month)
    }

    /// How its contacts sound in surveys on this day.
    pub(super) fn tone(&self, month: usize, on: Day) -> Tone {
        match self.fate {
            Fate::Silent if month >= story::QUIET_FROM => Tone::Fine,
            Fate::Quiet if on >= self.end() - 365 => Tone::Fine,
            Fate::Loud if on >= self.end() - story::LOW_DAYS => Tone::Low,
            _ => Tone::Usual,
        }
    }

    pub(super) fn region(&self) -> Region {
        OFFICES[self.office].region
    }
}

/// How an account sounds in its surveys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Usual,
    Fine,
    Low,
}

/// The fate of the account with this number: each block holds the same number of each, in an order of its own.
pub(super) fn fate(seed: u64, number: u64) -> Fate {
    let block = number / BLOCK;
    let silent = hash(seed, &[STREAM, block, BLOCK]) % BLOCK;
    // 21 and 50 have no common divisor, so each place of the block comes exactly once.
    let place = (number % BLOCK + BLOCK - silent) * 21 % BLOCK;
    match place {
        0 => Fate::Silent,
        1..=CHURNED_OF_BLOCK if (place + block).is_multiple_of(3) => Fate::Quiet,
        1..=CHURNED_OF_BLOCK => Fate::Loud,
        _ if place <= CHURNED_OF_BLOCK + UNCOVERED_OF_BLOCK => Fate::Uncovered,
        _ => Fate::Usual,
    }
}

fn tier(segment: Segment, random: &mut Random) -> &'static str {
    const TIERS: [&str; 3] = ["Platinum", "Gold", "Silver"];
    const WEIGHTS: [[f64; 3]; 3] = [[0.6, 0.35, 0.05], [0.15, 0.6, 0.25], [0.02, 0.28, 0.7]];
    TIERS[random.weighted(&WEIGHTS[segment as usize])]
}

fn contacts(segment: Segment, random: &mut Random) -> u64 {
    [3, 2, 1][segment as usize] + random.below(2)
}

fn revenue_cents(segment: Segment, random: &mut Random) -> i64 {
    let (low, high) = [(900.0, 4_200.0), (150.0, 900.0), (20.0, 150.0)][segment as usize];
    // Squared, so that small ones are more frequent than large ones.
    let share = random.unit();
    (low + (high - low) * share * share) as i64 * 1_000 * 100
}

/// Makes the accounts with these numbers.
pub(super) fn generate(world: &World, numbers: std::ops::Range<u64>, sink: &mut Sink<'_, Account>) -> Result<()> {
    numbers.into_iter().try_for_each(|number| sink.push(Account::new(world, number)))
}

/// The columns of the table.
pub(super) fn columns(world: &World, rows: &[Account]) -> Vec<Column> {
    vec![
        writer::format("account_id", rows, |row, out| out(format_args!("{}", world.account_id(row.number)))),
        writer::format("account", rows, |row, out| {
            let name = text::company(world.seed, row.number);
            out(format_args!("{name}"));
        }),
        writer::text("industry", rows, |row| row.industry),
        writer::text("segment", rows, |row| row.segment.name()),
        writer::text("tier", rows, |row| row.tier),
        writer::text("office_id", rows, |row| super::offices::office_id(row.office)),
        writer::format("owner", rows, |row, out| out(format_args!("AM-{:03}", world.owner(row.office, row.number)))),
        writer::money_or_null("annual_revenue", rows, |row| Some(row.revenue_cents)),
        writer::text("currency", rows, |_| super::CURRENCY),
        writer::date("started_on", rows, |row| row.started_on),
        writer::date("renews_on", rows, |row| row.renews_on),
        writer::text("status", rows, |row| if row.churned_on.is_some() { "churned" } else { "active" }),
        writer::date_or_null("churned_on", rows, |row| row.churned_on),
        writer::text_or_null("churn_reason", rows, |row| row.churn_reason),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Options, SEED};

    #[test]
    fn each_block_has_one_silent_account_four_that_left_and_five_uncovered() {
        for block in 0..24 {
            let fates: Vec<Fate> = (0..BLOCK).map(|place| fate(SEED, block * BLOCK + place)).collect();
            let count = |fate| fates.iter().filter(|of| **of == fate).count() as u64;
            assert_eq!(count(Fate::Silent), 1);
            assert_eq!(count(Fate::Loud) + count(Fate::Quiet), CHURNED_OF_BLOCK);
            assert_eq!(count(Fate::Uncovered), UNCOVERED_OF_BLOCK);
        }
    }

    #[test]
    fn no_account_starts_before_its_office_opened_or_ends_before_it_started() {
        let world = World::new(&Options { seed: SEED, scale: 10, threads: 1 });
        for number in 0..world.accounts {
            let account = Account::new(&world, number);
            assert!(account.started_on >= OFFICES[account.office].opened_on, "{account:?}");
            assert!(account.started_on < account.end(), "{account:?}");
            assert!(account.renews_on >= account.end(), "{account:?}");
        }
    }
}
