//! The lake's calendar: its time zone, its fiscal year, its week, and what "last complete month" means in it.
//!
//! Relative dates are small expressions: a start, then steps.
//!
//! ```text
//! today                      the day in the lake's time zone (or the day the manifest fixes)
//! this(month)                first day of the running day, week, month, quarter or year
//! last_complete(quarter)     first day of the last one that is over
//! 2026-09-30                 a day
//! today - 90 days            steps back or forth, any number of them
//! this(year) + 1 month
//! ```
//!
//! Quarters and years are fiscal. A fiscal year is named by the calendar year in which it ends.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

use crate::error::{Error, Result};
use crate::suggest;

/// Rules by which a lake counts days, weeks, months, quarters and years.
#[derive(Clone, Debug)]
pub struct Calendar {
    pub zone: Tz,
    /// Month in which the fiscal year starts, 1 to 12.
    pub fiscal_year_start: u32,
    pub week_start: Weekday,
    /// The day that counts as today, for a lake whose data stands still; `None` follows the clock.
    pub today: Option<NaiveDate>,
}

impl Default for Calendar {
    fn default() -> Self {
        Self { zone: Tz::UTC, fiscal_year_start: 1, week_start: Weekday::Mon, today: None }
    }
}

/// A length of time on the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Day,
    Week,
    Month,
    /// Three months, counted from the start of the fiscal year.
    Quarter,
    /// The fiscal year.
    Year,
}

const UNITS: [(&str, Unit); 5] = [
    ("day", Unit::Day),
    ("week", Unit::Week),
    ("month", Unit::Month),
    ("quarter", Unit::Quarter),
    ("year", Unit::Year),
];

impl Unit {
    /// The unit of this name; a plural `s` is fine.
    fn parse(word: &str) -> Result<Self> {
        let singular = word.strip_suffix('s').unwrap_or(word);
        UNITS.iter().find(|(name, _)| *name == singular).map(|(_, unit)| *unit).ok_or_else(|| {
            Error::invalid(format!("unknown unit `{word}`"))
                .hint(format!("known units: {}", suggest::list(UNITS.iter().map(|(name, _)| *name))))
        })
    }
}

impl Calendar {
    /// The day that counts as today at this moment.
    pub fn today(&self, now: DateTime<Utc>) -> NaiveDate {
        self.today.unwrap_or_else(|| now.with_timezone(&self.zone).date_naive())
    }

    /// First day of the day, week, month, fiscal quarter or fiscal year that `day` lies in.
    pub fn start_of(&self, unit: Unit, day: NaiveDate) -> NaiveDate {
        let months_into_year = (day.month() + 12 - self.fiscal_year_start) % 12;
        match unit {
            Unit::Day => day,
            Unit::Week => day - Days::new(u64::from(day.weekday().days_since(self.week_start))),
            Unit::Month => first_of_month(day),
            Unit::Quarter => first_of_month(day) - Months::new(months_into_year % 3),
            Unit::Year => first_of_month(day) - Months::new(months_into_year),
        }
    }

    /// `day` moved by `count` units; the day of the month is kept where the month has it.
    ///
    /// # Errors
    /// `InvalidData` when the result is outside the calendar.
    pub fn step(&self, unit: Unit, day: NaiveDate, count: i64) -> Result<NaiveDate> {
        let moved = match unit {
            Unit::Day => step_days(day, count),
            Unit::Week => count.checked_mul(7).and_then(|days| step_days(day, days)),
            Unit::Month => step_months(day, count),
            Unit::Quarter => count.checked_mul(3).and_then(|months| step_months(day, months)),
            Unit::Year => count.checked_mul(12).and_then(|months| step_months(day, months)),
        };
        moved.ok_or_else(|| Error::invalid(format!("{count} {unit:?}s from {day} is outside the calendar")))
    }

    /// First day of the fiscal quarter, 1 to 4, of the fiscal year that ends in calendar year `year`.
    pub fn quarter(&self, year: i32, quarter: u32) -> Option<NaiveDate> {
        let first_year = if self.fiscal_year_start == 1 { year } else { year.checked_sub(1)? };
        let start = NaiveDate::from_ymd_opt(first_year, self.fiscal_year_start, 1)?;
        if (1..=4).contains(&quarter) { start.checked_add_months(Months::new((quarter - 1) * 3)) } else { None }
    }

    /// Midnight of `day` in the lake's zone; the first moment of the day where a clock change skips midnight.
    pub fn midnight(&self, day: NaiveDate) -> DateTime<Utc> {
        (0..24)
            .filter_map(|hour| day.and_hms_opt(hour, 0, 0))
            .find_map(|time| self.zone.from_local_datetime(&time).earliest())
            .map_or_else(|| Utc.from_utc_datetime(&day.into()), |time| time.with_timezone(&Utc))
    }

    /// The day that a relative date names.
    ///
    /// # Errors
    /// `InvalidData` that shows the forms which are understood.
    pub fn resolve(&self, expression: &str, now: DateTime<Utc>) -> Result<NaiveDate> {
        let mut words = spaced(expression);
        let mut words = words.drain(..);
        let start = words.next().unwrap_or_default();
        let mut day = self.start(&start, now).ok_or_else(|| not_a_date(expression))??;
        while let Some(sign) = words.next() {
            let (Some(count), Some(unit)) = (words.next(), words.next()) else {
                return Err(not_a_date(expression));
            };
            let count: i64 = count.parse().map_err(|_| not_a_date(expression))?;
            let count = match sign.as_str() {
                "+" => count,
                "-" => count.checked_neg().ok_or_else(|| not_a_date(expression))?,
                _ => return Err(not_a_date(expression)),
            };
            day = self.step(Unit::parse(&unit)?, day, count)?;
        }
        Ok(day)
    }

    /// What the first word of a relative date names; `None` when it names nothing.
    fn start(&self, word: &str, now: DateTime<Utc>) -> Option<Result<NaiveDate>> {
        let today = self.today(now);
        if word == "today" {
            return Some(Ok(today));
        }
        if let Some((name, unit)) = word.strip_suffix(')').and_then(|call| call.split_once('(')) {
            let unit = match Unit::parse(unit) {
                Ok(unit) => unit,
                Err(error) => return Some(Err(error)),
            };
            return match name {
                "this" => Some(Ok(self.start_of(unit, today))),
                "last_complete" => Some(self.step(unit, self.start_of(unit, today), -1)),
                _ => None,
            };
        }
        // Far years would leave the calendar when their quarter or year is looked for.
        NaiveDate::parse_from_str(word, "%Y-%m-%d").ok().filter(|day| (1..=9999).contains(&day.year())).map(Ok)
    }
}

/// The words of a relative date; a sign counts as a word wherever it stands between words.
fn spaced(expression: &str) -> Vec<String> {
    let compact = expression.replace("( ", "(").replace(" )", ")").replace(" (", "(");
    compact.split_whitespace().map(str::to_lowercase).collect()
}

fn not_a_date(expression: &str) -> Error {
    Error::invalid(format!("`{expression}` is not a date")).hint(
        "write a day (`2026-09-30`) or a relative date (`today`, `this(month)`, `last_complete(quarter)`, \
         `today - 90 days`)",
    )
}

fn first_of_month(day: NaiveDate) -> NaiveDate {
    day - Days::new(u64::from(day.day0()))
}

fn step_days(day: NaiveDate, count: i64) -> Option<NaiveDate> {
    let days = Days::new(count.unsigned_abs());
    if count < 0 { day.checked_sub_days(days) } else { day.checked_add_days(days) }
}

fn step_months(day: NaiveDate, count: i64) -> Option<NaiveDate> {
    let months = Months::new(u32::try_from(count.unsigned_abs()).ok()?);
    if count < 0 { day.checked_sub_months(months) } else { day.checked_add_months(months) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn fiscal_from_february() -> Calendar {
        Calendar { zone: Tz::America__New_York, fiscal_year_start: 2, ..Calendar::default() }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a moment")
    }

    #[test]
    fn relative_dates_follow_the_zone_and_the_fiscal_year() {
        let calendar = fiscal_from_february();
        // Two in the morning UTC on 1 October is still 30 September in New York.
        let now = at("2026-10-01T02:00:00Z");
        for (expression, wanted) in [
            ("today", "2026-09-30"),
            ("this(month)", "2026-09-01"),
            ("last_complete(month)", "2026-08-01"),
            ("this(quarter)", "2026-08-01"),
            ("last_complete(quarter)", "2026-05-01"),
            ("this(year)", "2026-02-01"),
            ("last_complete(year)", "2025-02-01"),
            ("this(week)", "2026-09-28"),
            ("today - 90 days", "2026-07-02"),
            ("this(month) - 1 day", "2026-08-31"),
            ("2026-01-31 + 1 month", "2026-02-28"),
            ("last_complete(month) - 11 months", "2025-09-01"),
        ] {
            assert_eq!(calendar.resolve(expression, now).expect(expression), day(wanted), "{expression}");
        }
    }

    #[test]
    fn a_fiscal_year_is_named_by_the_year_in_which_it_ends() {
        let calendar = fiscal_from_february();
        assert_eq!(calendar.quarter(2027, 1), Some(day("2026-02-01")));
        assert_eq!(calendar.quarter(2027, 4), Some(day("2026-11-01")));
        assert_eq!(Calendar::default().quarter(2026, 2), Some(day("2026-04-01")));
        assert_eq!(calendar.quarter(2027, 5), None);
    }

    #[test]
    fn nonsense_is_refused_with_the_forms_that_are_understood() {
        let calendar = Calendar::default();
        let now = at("2026-10-01T02:00:00Z");
        for expression in ["", "tomorrow-ish", "today -", "today - x days", "today 3 days", "this(moon)", "next(day)"] {
            assert!(calendar.resolve(expression, now).is_err(), "{expression}");
        }
        assert!(calendar.resolve("today + 99999999999999 months", now).is_err());
    }

    #[test]
    fn midnight_is_the_lakes_midnight_also_where_a_clock_change_skips_it() {
        assert_eq!(fiscal_from_february().midnight(day("2026-09-01")), at("2026-09-01T04:00:00Z"));
        let santiago = Calendar { zone: Tz::America__Santiago, ..Calendar::default() };
        assert_eq!(santiago.midnight(day("2026-09-06")), at("2026-09-06T04:00:00Z"));
    }
}
