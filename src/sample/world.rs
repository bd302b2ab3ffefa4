//! What all files share: the seed, the size, and where each office's accounts start.

use std::fmt;
use std::ops::Range;

use super::Options;
use super::accounts::Account;
use super::offices::{COUNT, FTE_TOTAL, OFFICES};
use super::random::Random;
use super::story;
use super::text::Mood;

const OFFICE_LEANING: u64 = 40;

/// Accounts at scale 1.
const ACCOUNTS: u64 = 600;

/// Accounts that one owner looks after.
const PER_OWNER: u64 = 20;

/// The sample company at one size.
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) scale: u32,
    /// How many accounts there are.
    pub(super) accounts: u64,
    digits: usize,
    /// The number of each office's first account, and one past the last account.
    starts: [u64; COUNT + 1],
    /// The number of each office's first account owner.
    owners: [u64; COUNT],
    /// How far each office's customers are from the story's score, in NPS points.
    leanings: [f64; COUNT],
}

impl World {
    pub(super) fn new(options: &Options) -> Self {
        let scale = options.scale.max(1);
        let accounts = ACCOUNTS * u64::from(scale);
        let mut heads = 0;
        let mut owner = 1;
        let mut world = Self {
            seed: options.seed,
            scale,
            accounts,
            digits: accounts.to_string().len().max(6),
            starts: [accounts; COUNT + 1],
            owners: [1; COUNT],
            leanings: [0.0; COUNT],
        };
        for (place, office) in OFFICES.iter().enumerate() {
            world.starts[place] = accounts * heads / u64::from(FTE_TOTAL);
            heads += u64::from(office.fte);
            world.owners[place] = owner;
            owner += (accounts * heads / u64::from(FTE_TOTAL) - world.starts[place]).div_ceil(PER_OWNER);
            if office.name != "Seattle" {
                let random = &mut Random::keyed(options.seed, &[OFFICE_LEANING, place as u64]);
                world.leanings[place] = 3.0 * random.normal().clamp(-1.5, 1.5);
            }
        }
        world
    }

    /// The numbers of this office's accounts.
    pub(super) fn numbers_of(&self, office: usize) -> Range<u64> {
        self.starts[office]..self.starts[office + 1]
    }

    /// The office of the account with this number.
    pub(super) fn office_of(&self, number: u64) -> usize {
        self.starts[1..COUNT].partition_point(|start| *start <= number)
    }

    /// The id of the account with this number, such as `000001` for 0.
    pub(super) fn account_id(&self, number: u64) -> impl fmt::Display {
        AccountId { number: number + 1, digits: self.digits }
    }

    /// The number of the person who looks after this account, counted over all offices from 1.
    pub(super) fn owner(&self, office: usize, number: u64) -> u64 {
        self.owners[office] + (number - self.starts[office]) / PER_OWNER
    }

    /// How somebody of this account feels; `leaning` in NPS points is particular to the person.
    pub(super) fn mood(&self, account: &Account, month: usize, leaning: f64, random: &mut Random) -> Mood {
        self.office_mood(account.office, month, account.leaning + leaning, random)
    }

    /// The Net Promoter Score that this office is heading for in this month, in points.
    pub(super) fn points(&self, office: usize, month: usize) -> f64 {
        let at = &OFFICES[office];
        story::nps(at.name, at.region, month) + self.leanings[office]
    }

    /// How a customer of this office feels who is `leaning` NPS points from its score.
    pub(super) fn office_mood(&self, office: usize, month: usize, leaning: f64, random: &mut Random) -> Mood {
        /// The share of people who neither praise nor complain.
        const PASSIVES: f64 = 0.3;
        let points = self.points(office, month) + leaning;
        let promoters = f64::midpoint(1.0 - PASSIVES, points / 100.0);
        let chance = random.unit();
        if chance < promoters {
            Mood::Promoter
        } else if chance < promoters + PASSIVES {
            Mood::Passive
        } else {
            Mood::Detractor
        }
    }
}

struct AccountId {
    number: u64,
    digits: usize,
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0digits$}", self.number, digits = self.digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::SEED;

    #[test]
    fn the_accounts_of_an_office_lie_together() {
        let world = World::new(&Options { seed: SEED, scale: 3, threads: 1 });
        for office in 0..COUNT {
            let numbers = world.numbers_of(office);
            assert!(!numbers.is_empty());
            assert_eq!((world.office_of(numbers.start), world.office_of(numbers.end - 1)), (office, office));
        }
        assert_eq!(world.numbers_of(COUNT - 1).end, world.accounts);
    }

    #[test]
    fn an_account_id_keeps_its_leading_zeros() {
        let world = World::new(&Options { seed: SEED, scale: 1, threads: 1 });
        assert_eq!(world.account_id(6).to_string(), "000007");
    }
}
