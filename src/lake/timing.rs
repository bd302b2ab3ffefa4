//! When a schedule fires: a cron expression in a time zone -> moments.
//!
//! Cron speaks of the clock on the wall, which skips an hour in spring and shows one twice in autumn. What happens then:
//!
//! - A schedule that names its hours (`0 2 * * *`, `30 1-3 * * *`, `0 */6 * * *`) fires once for every time that it names. One that
//!   the clock skips fires at the first moment after the gap; where two fall on one moment, they fire once. One that the clock
//!   shows twice fires at the first.
//! - A schedule of every hour (`*` for the hour) follows the time that passes: it fires in both hours of the same name, and not in
//!   one that there is not.
//!
//! The cron library carries skipped times over the gap, and holds back doubled ones, only where hour and minute are one number
//! each; the first rule is therefore applied here, to times on the wall that the library finds.

use chrono::{DateTime, Duration, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::CronParser;

/// Fields of an expression.
const FIELDS: [&str; 5] = ["minute", "hour", "day of the month", "month", "day of the week"];

/// Minutes of the longest gap on record: a whole day, which Samoa left out in 2011, and the hour beside it.
const GAP_MINUTES_MAX: i64 = 25 * 60;

/// How far back the last moment before another is looked for, step by step: from two hours to 41 years, in which a leap day
/// falls on every day of the week.
const LOOK_BACK_HOURS: [i64; 5] = [2, 30, 32 * 24, 367 * 24, 41 * 366 * 24];

/// Moments at which something fires.
#[derive(Clone, Debug)]
pub struct Timing {
    cron: Cron,
    /// The expression as it was written.
    pub written: String,
    pub zone: Tz,
    /// Whether its hour is `*`.
    every_hour: bool,
}

impl Timing {
    /// Reads a cron expression of five fields.
    ///
    /// # Errors
    /// The reason, in words, when it is none or can never come.
    pub fn parse(written: &str, zone: Tz) -> Result<Self, String> {
        let fields: Vec<&str> = written.split_whitespace().collect();
        if fields.len() != FIELDS.len() {
            return Err(format!("it has {} fields, not {}", fields.len(), FIELDS.len()));
        }
        let cron = CronParser::new().parse(written).map_err(|error| reason(&fields, &error.to_string()))?;
        let timing = Self { cron, written: written.to_owned(), zone, every_hour: fields[1] == "*" };
        match timing.next(DateTime::UNIX_EPOCH) {
            Some(_) => Ok(timing),
            None => Err("no such day ever comes".to_owned()),
        }
    }

    /// The first moment after another; `None` when there is none before the year 5000.
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = after.with_timezone(&self.zone);
        if self.every_hour {
            return self.cron.find_next_occurrence(&local, false).ok().map(|moment| moment.with_timezone(&Utc));
        }
        // A clock that shows no gap and nothing twice.
        let mut wall = local.naive_local().and_utc();
        loop {
            wall = self.cron.find_next_occurrence(&wall, false).ok()?;
            let moment = self.moment(wall.naive_utc())?;
            // In the second of two hours with one name, the times of the first are over.
            if moment > after {
                return Some(moment);
            }
        }
    }

    /// The last moment that is not after another.
    pub fn last(&self, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
        LOOK_BACK_HOURS.iter().find_map(|hours| self.between(until - Duration::hours(*hours), until).last())
    }

    /// The moments after one and up to another, which is included.
    pub fn between(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
        let mut at = after;
        std::iter::from_fn(move || {
            at = self.next(at).filter(|next| *next <= until)?;
            Some(at)
        })
    }

    /// The expression in words, without a period: `at 07:00, on the 1st Monday of the month`.
    pub fn words(&self) -> String {
        let words = self.cron.describe();
        lowered(words.trim_end_matches('.'))
    }

    /// The moment at which a clock on the wall of the zone shows a time: the first of two, and the first after a gap.
    pub fn moment(&self, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        (0..=GAP_MINUTES_MAX)
            .find_map(|minutes| self.zone.from_local_datetime(&(wall + Duration::minutes(minutes))).earliest())
            .map(|moment| moment.with_timezone(&Utc))
    }
}

/// The library's reason, with the field that is at fault: the one without which the others are right.
fn reason(fields: &[&str], said: &str) -> String {
    let said = ["Invalid pattern: ", "Component error: ", "Pattern contains illegal characters: CronPattern "]
        .iter()
        .find_map(|prefix| said.strip_prefix(prefix))
        .unwrap_or(said);
    let said = lowered(said.trim_end_matches('.'));
    let at_fault = fields.iter().zip(FIELDS).enumerate().find(|(place, _)| {
        let others = fields.iter().enumerate().map(|(other, field)| if other == *place { "*" } else { *field });
        CronParser::new().parse(&others.collect::<Vec<_>>().join(" ")).is_ok()
    });
    match at_fault {
        Some((_, (field, name))) => format!("its {name} `{field}`: {said}"),
        None => said,
    }
}

fn lowered(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(written: &str, zone: Tz) -> Timing {
        Timing::parse(written, zone).expect("an expression")
    }

    /// The moments between two, in UTC.
    fn fires(written: &str, zone: Tz, after: &str, until: &str) -> Vec<String> {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a moment");
        let timing = timing(written, zone);
        timing.between(at(after), at(until)).map(|moment| moment.format("%m-%d %H:%M").to_string()).collect()
    }

    #[test]
    fn a_time_that_the_clock_skips_comes_at_the_first_moment_after_the_gap() {
        // New York leaves out 2:00 to 3:00 on 8 March 2026, at 7:00 UTC.
        let new_york = |cron| fires(cron, Tz::America__New_York, "2026-03-08T00:00:00Z", "2026-03-09T12:00:00Z");
        assert_eq!(new_york("30 2 * * *"), ["03-08 07:00", "03-09 06:30"]);
        assert_eq!(
            new_york("0 1-4 8 * *"),
            ["03-08 06:00", "03-08 07:00", "03-08 08:00"],
            "2:00 and 3:00 are one moment"
        );
        assert_eq!(new_york("*/20 2 8 * *"), ["03-08 07:00"], "three times that there are not are one moment");
        // Berlin leaves out 2:00 to 3:00 on 29 March, at 1:00 UTC.
        let berlin = |cron| fires(cron, Tz::Europe__Berlin, "2026-03-28T12:00:00Z", "2026-03-30T06:00:00Z");
        assert_eq!(berlin("15 2 * * *"), ["03-29 01:00", "03-30 00:15"]);
        // Lord Howe leaves out 2:00 to 2:30 on 4 October, at 15:30 UTC of the day before.
        let lord_howe = |cron| fires(cron, Tz::Australia__Lord_Howe, "2026-10-03T00:00:00Z", "2026-10-04T20:00:00Z");
        assert_eq!(lord_howe("15 2 * * *"), ["10-03 15:30", "10-04 15:15"]);
        assert_eq!(lord_howe("45 2 * * *"), ["10-03 15:45", "10-04 15:45"]);
    }

    #[test]
    fn a_time_that_the_clock_shows_twice_comes_once_at_the_first() {
        // New York shows 1:00 to 2:00 twice on 1 November 2026, from 5:00 UTC.
        let new_york = |cron| fires(cron, Tz::America__New_York, "2026-11-01T00:00:00Z", "2026-11-02T12:00:00Z");
        assert_eq!(new_york("30 1 * * *"), ["11-01 05:30", "11-02 06:30"]);
        assert_eq!(new_york("0,30 1-2 1 * *"), ["11-01 05:00", "11-01 05:30", "11-01 07:00", "11-01 07:30"]);
        // Berlin shows 2:00 to 3:00 twice on 25 October, from 0:00 UTC.
        let berlin = |cron| fires(cron, Tz::Europe__Berlin, "2026-10-24T12:00:00Z", "2026-10-26T06:00:00Z");
        assert_eq!(berlin("0 2 * * *"), ["10-25 00:00", "10-26 01:00"]);
        assert_eq!(
            berlin("0 */2 25 * *")[..3],
            ["10-24 22:00", "10-25 00:00", "10-25 03:00"],
            "2:00 alone comes twice"
        );
        // Lord Howe shows 1:30 to 2:00 twice on 5 April, from 14:30 UTC of the day before.
        let lord_howe = |cron| fires(cron, Tz::Australia__Lord_Howe, "2026-04-04T00:00:00Z", "2026-04-05T20:00:00Z");
        assert_eq!(lord_howe("45 1 * * *"), ["04-04 14:45", "04-05 15:15"]);
    }

    #[test]
    fn every_hour_follows_the_time_that_passes() {
        for (zone, around) in [
            (Tz::America__New_York, ["2026-03-08T00:00:00Z", "2026-11-01T00:00:00Z"]),
            (Tz::Europe__Berlin, ["2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z"]),
            (Tz::Australia__Lord_Howe, ["2026-10-03T06:00:00Z", "2026-04-04T06:00:00Z"]),
        ] {
            for start in around {
                let start: DateTime<Utc> = start.parse().expect("a moment");
                for (written, minutes) in [("*/15 * * * *", vec![0, 15, 30, 45]), ("40 * * * *", vec![40])] {
                    let timing = timing(written, zone);
                    let found: Vec<_> = timing.between(start, start + Duration::hours(24)).collect();
                    // What a clock shows in each minute that passes.
                    let shown = (1..=24 * 60).map(|minute| start + Duration::minutes(minute)).filter(|moment| {
                        let minute = moment.with_timezone(&zone).format("%M").to_string();
                        minutes.iter().any(|wanted| minute == format!("{wanted:02}"))
                    });
                    assert_eq!(found, shown.collect::<Vec<_>>(), "{written} in {zone} from {start}");
                }
            }
        }
    }

    #[test]
    fn the_ends_of_months_are_those_of_the_calendar() {
        let utc = |cron, after, until| fires(cron, Tz::UTC, after, until);
        assert_eq!(
            utc("0 6 L * *", "2028-01-01T00:00:00Z", "2028-05-01T00:00:00Z"),
            ["01-31 06:00", "02-29 06:00", "03-31 06:00", "04-30 06:00"]
        );
        assert_eq!(
            utc("0 6 31 * *", "2026-01-01T00:00:00Z", "2026-08-01T00:00:00Z"),
            ["01-31 06:00", "03-31 06:00", "05-31 06:00", "07-31 06:00"]
        );
        // 15 August 2026 is a Saturday, 15 November a Sunday.
        assert_eq!(
            utc("0 6 15W 8,11 *", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ["08-14 06:00", "11-16 06:00"]
        );
        assert_eq!(
            utc("0 7 * * MON#1", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ["10-05 07:00", "11-02 07:00", "12-07 07:00"]
        );
        assert_eq!(
            utc("0 7 * * FRI#L", "2026-10-01T00:00:00Z", "2026-12-01T00:00:00Z"),
            ["10-30 07:00", "11-27 07:00"]
        );
    }

    #[test]
    fn the_last_moment_is_found_however_long_ago_it_was() {
        let until: DateTime<Utc> = "2027-11-22T10:00:00Z".parse().expect("a moment");
        for (written, wanted) in [
            ("* * * * *", "2027-11-22T10:00:00Z"),
            ("30 9 * * *", "2027-11-22T09:30:00Z"),
            ("0 11 * * *", "2027-11-21T11:00:00Z"),
            ("0 0 1 * *", "2027-11-01T00:00:00Z"),
            ("0 0 1 1 *", "2027-01-01T00:00:00Z"),
            ("0 0 29 2 *", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(timing(written, Tz::UTC).last(until), Some(wanted.parse().expect("a moment")), "{written}");
        }
    }

    #[test]
    fn what_is_no_expression_says_why() {
        let wrong = |written| Timing::parse(written, Tz::UTC).map(|_| ()).expect_err(written);
        assert_eq!(wrong("0 7 * *"), "it has 4 fields, not 5");
        assert_eq!(wrong("0 0 7 * * *"), "it has 6 fields, not 5");
        assert_eq!(wrong("0 0 30 2 *"), "no such day ever comes");
        assert_eq!(wrong("61 0 * * *"), "its minute `61`: number out of bounds");
        assert_eq!(wrong("0 7 * * MOO"), "its day of the week `MOO`: contains illegal character 'M' in part 'MOO'");
    }

    #[test]
    fn an_expression_is_told_in_words() {
        let words = |written| timing(written, Tz::UTC).words();
        assert_eq!(words("0 7 * * MON#1"), "at 07:00, on the 1st Monday of the month");
        assert_eq!(words("*/15 * * * *"), "at every 15 minutes");
        assert_eq!(words("30 6 L * *"), "at 06:30, on the last day of the month");
    }
}
