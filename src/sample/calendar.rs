//! The months that the sample covers, and days as whole numbers.
//!
//! Rows are made by the billion, so a day is the number that Date32 holds; chrono makes the table once.

use chrono::{Datelike, Months, NaiveDate};

/// A day, counted from 1970-01-01.
pub(super) type Day = i32;

/// The first day of the first month.
pub const FIRST_MONTH: NaiveDate = date(2024, 10, 1);

/// How many months the sample covers.
pub const MONTHS: usize = 24;

/// The day that the sample lake takes for today: all its months are complete.
pub const TODAY: NaiveDate = date(2026, 10, 6);

/// The last day with events.
pub fn last_day() -> NaiveDate {
    TODAY.with_day(1).and_then(|first| first.pred_opt()).unwrap_or(TODAY)
}

/// This calendar date; a date that does not exist fails when the crate is compiled, being used in constants only.
#[expect(clippy::panic, reason = "only ever evaluated by the compiler")]
const fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(date) => date,
        None => panic!("not a date"),
    }
}

/// This calendar date as a number, for constants.
pub(super) const fn day(year: i32, month: u32, day: u32) -> Day {
    date(year, month, day).to_epoch_days()
}

/// [`TODAY`] as a number.
pub(super) const TODAY_DAY: Day = TODAY.to_epoch_days();

/// The place of a month among the sample's months: 0 is [`FIRST_MONTH`].
pub(super) const fn month(year: i32, month: u32) -> usize {
    ((year - 2024) * 12 + month as i32 - 10) as usize
}

/// The first day of the month at this place; one past the last place is the month after.
pub(super) fn month_start(month: usize) -> Day {
    (FIRST_MONTH + Months::new(month as u32)).to_epoch_days()
}

/// The place of the month that this day is in; the first one for a day before it.
pub(super) fn month_of(on: Day) -> usize {
    let date = NaiveDate::from_epoch_days(on).unwrap_or(FIRST_MONTH);
    (date.year() * 12 + date.month0() as i32 - (2024 * 12 + 9)).max(0) as usize
}

/// The last day of the month at this place.
pub(super) fn month_end(month: usize) -> Day {
    month_start(month + 1) - 1
}

/// The calendar month at this place, 0 for January.
pub(super) const fn month_of_year(month: usize) -> usize {
    (month + 9) % 12
}

/// The month at this place as text, such as `2025-01-01`.
pub(super) fn month_name(month: usize) -> String {
    (FIRST_MONTH + Months::new(month as u32)).to_string()
}

/// The same day of the year, whole years before.
pub(super) fn years_before(day: Day, years: u32) -> Day {
    let earlier = NaiveDate::from_epoch_days(day).and_then(|date| date.checked_sub_months(Months::new(12 * years)));
    earlier.map_or(day, |date| date.to_epoch_days())
}

/// The microseconds from 1970 to the start of this day, UTC.
pub(super) const fn midnight(day: Day) -> i64 {
    day as i64 * 86_400 * 1_000_000
}

/// One second, in microseconds.
pub(super) const SECOND: i64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_months_run_from_the_first_to_the_last_day() {
        assert_eq!(month_start(0), FIRST_MONTH.to_epoch_days());
        assert_eq!(month_start(MONTHS), last_day().to_epoch_days() + 1);
        assert_eq!(month_name(month(2026, 9)), "2026-09-01");
        assert_eq!(month_of_year(month(2025, 1)), 0);
        assert!((0..MONTHS).all(|place| month_of(month_start(place)) == place && month_of(month_end(place)) == place));
    }

    #[test]
    fn years_before_keeps_the_day_of_the_year() {
        assert_eq!(years_before(day(2026, 10, 15), 3), day(2023, 10, 15));
    }
}
