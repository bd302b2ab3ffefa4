//! Scales: a range with round ends, and the round numbers or days in it that an axis names.

use chrono::{Datelike, Days, Months, NaiveDate};

/// Where values lie between the ends of an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    pub low: f64,
    pub high: f64,
    /// Round numbers from `low` to `high`.
    pub ticks: Vec<f64>,
    /// Whether equal ways are equal ratios.
    pub is_log: bool,
}

/// The largest value by the smallest from which on values are laid out by ratio, if they are skewed as well.
const WIDE_RATIO: f64 = 100.0;

/// Ticks that no axis exceeds.
const TICKS_MAX: usize = 50;

impl Scale {
    /// The smallest range with round ends, in about so many steps, that holds all values. Values that are all the same get
    /// room on both sides.
    pub fn around(values: impl Iterator<Item = f64>, steps: usize) -> Self {
        let (low, high) = ends(values);
        let (low, high) = match (low.is_finite(), low < high) {
            (false, _) => (0.0, 1.0),
            (true, true) => (low, high),
            (true, false) => (low - low.abs().max(1.0) / 2.0, low + low.abs().max(1.0) / 2.0),
        };
        let step = round_step((high - low) / steps.max(1) as f64);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        // Added zero takes the sign off a zero. Numbers so long that a step is lost in them have few ticks, or none.
        let counts = std::iter::successors(Some(0.0), |count| Some(count + 1.0));
        let ticks = counts.take(TICKS_MAX).map(|count| first + count).take_while(|tick| *tick <= last);
        let ticks = ticks.map(|tick| tick * step + 0.0).collect();
        Self { low: first * step, high: last * step, ticks, is_log: false }
    }

    /// By ratio, with ticks at 1, 2 and 5 times powers of ten; at 1 and 3 times or the powers alone where those are too many.
    pub fn by_ratio(values: impl Iterator<Item = f64>, steps: usize) -> Self {
        let (low, high) = ends(values);
        let (low, high) = if low > 0.0 && high > low { (low, high) } else { (1.0, 10.0) };
        let powers = |factors: &[f64]| {
            let mut ticks = Vec::new();
            let mut power = low.log10().floor();
            while power <= high.log10().ceil() {
                ticks.extend(factors.iter().map(|factor| factor * 10_f64.powf(power)));
                power += 1.0;
            }
            let first = ticks.iter().rposition(|&tick| tick <= low * (1.0 + 1e-9)).unwrap_or(0);
            let last = ticks.iter().position(|&tick| tick >= high * (1.0 - 1e-9)).unwrap_or(ticks.len() - 1);
            ticks.drain(first..=last).collect::<Vec<f64>>()
        };
        let fine = powers(&[1.0, 2.0, 5.0]);
        // The ends stay where the fine ticks have them: a range up to the next power would be half empty.
        let inside = |factors: &[f64]| {
            let within = |tick: &f64| {
                fine.first().is_some_and(|low| low <= tick) && fine.last().is_some_and(|high| tick <= high)
            };
            powers(factors).into_iter().filter(within).collect::<Vec<f64>>()
        };
        let ticks = match [fine.clone(), inside(&[1.0, 3.0])].into_iter().find(|ticks| ticks.len() <= steps + 2) {
            Some(ticks) => ticks,
            None => inside(&[1.0]),
        };
        let (low, high) = (fine.first().copied().unwrap_or(low), fine.last().copied().unwrap_or(high));
        Self { low, high, ticks, is_log: true }
    }

    /// For points in a plane: by ratio where values are all above zero, span two powers of ten and crowd at the low end.
    pub fn of_points(values: &[f64], steps: usize) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        if let (Some(&low), Some(&middle), Some(&high)) = (sorted.first(), sorted.get(sorted.len() / 2), sorted.last())
            && low > 0.0
            && high / low >= WIDE_RATIO
            && middle < high / 5.0
        {
            return Self::by_ratio(values.iter().copied(), steps);
        }
        Self::around(values.iter().copied(), steps)
    }

    /// From the first to the last value, with no round ends: an axis of days, or of what is counted along.
    pub fn between(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = ends(values);
        let (low, high) = match (low.is_finite(), low < high) {
            (false, _) => (0.0, 1.0),
            (true, true) => (low, high),
            (true, false) => (low - low.abs().max(1.0) / 2.0, low + low.abs().max(1.0) / 2.0),
        };
        Self { low, high, ticks: Vec::new(), is_log: false }
    }

    /// How far a value is from the low to the high end, 0 to 1.
    pub fn share(&self, value: f64) -> f64 {
        let share = match self.is_log {
            true => (value / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        };
        share.clamp(0.0, 1.0)
    }

    /// How far ticks are from each other; on a scale by ratio the smallest tick.
    pub fn step(&self) -> f64 {
        match (self.is_log, self.ticks.as_slice()) {
            (false, [first, second, ..]) => second - first,
            (true, [first, ..]) => *first,
            _ => 1.0,
        }
    }

    /// The largest size of a tick.
    pub fn largest(&self) -> f64 {
        self.ticks.iter().fold(0.0, |largest, tick| tick.abs().max(largest))
    }
}

/// The smallest and the largest of the values; infinite where there is none.
pub fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

/// The smallest of 1, 2, 2.5, 5 and 10 times a power of ten that is at least this wide.
fn round_step(width: f64) -> f64 {
    let power = 10_f64.powf(width.log10().floor());
    let factors = [1.0, 2.0, 2.5, 5.0, 10.0];
    power * factors.into_iter().find(|factor| power * factor >= width * (1.0 - 1e-9)).unwrap_or(10.0)
}

/// A number in at most six digits, without zeros that say nothing.
pub fn plain(value: f64) -> String {
    if value != 0.0 && !(1e-4..1e9).contains(&value.abs()) {
        return format!("{value:.2e}");
    }
    let whole = value.abs().log10().floor().max(0.0);
    // At least one digit before the point, so at most five behind it.
    let decimals = (5.0 - whole).clamp(0.0, 5.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 5")]
    let text = format!("{value:.*}", decimals as usize);
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// How an axis of days names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Calendar {
    Days(u64),
    Months(u32),
}

/// Steps of an axis of days, from fine to coarse.
const STEPS: [Calendar; 14] = [
    Calendar::Days(1),
    Calendar::Days(2),
    Calendar::Days(7),
    Calendar::Days(14),
    Calendar::Months(1),
    Calendar::Months(2),
    Calendar::Months(3),
    Calendar::Months(6),
    Calendar::Months(12),
    Calendar::Months(24),
    Calendar::Months(60),
    Calendar::Months(120),
    Calendar::Months(240),
    Calendar::Months(600),
];

/// Ticks of an axis of days since 1970, at most so many: the days that are there where they are few and regular, else round days,
/// weeks, months, quarters or years. The first one and each January carry the year.
pub fn days(values: &[f64], ticks_max: usize) -> Vec<(f64, String)> {
    let ticks_max = ticks_max.max(2);
    let mut own: Vec<f64> = values.to_vec();
    own.sort_by(f64::total_cmp);
    own.dedup();
    let (Some(&low), Some(&high)) = (own.first(), own.last()) else { return Vec::new() };
    let dates: Vec<NaiveDate> = own.iter().filter_map(|&value| date(value)).collect();
    let are_firsts = dates.len() == own.len() && dates.iter().all(|date| date.day() == 1);
    if are_firsts && own.len() <= 40 {
        let every = own.len().div_ceil(ticks_max);
        let kept = own.into_iter().zip(dates).step_by(every);
        return named(kept.collect(), Calendar::Months(1));
    }
    let span = high - low;
    let wide = |step: &Calendar| match step {
        Calendar::Days(days) => *days as f64,
        Calendar::Months(months) => f64::from(*months) * 30.44,
    };
    let step = STEPS.into_iter().find(|step| span / wide(step) < ticks_max as f64).unwrap_or(Calendar::Months(1200));
    let Some(mut next) = date(low).and_then(|day| first(day, step)) else { return Vec::new() };
    let mut ticks = Vec::new();
    while number(next) <= high {
        if number(next) >= low {
            ticks.push((number(next), next));
        }
        let after = match step {
            Calendar::Days(days) => next.checked_add_days(Days::new(days)),
            Calendar::Months(months) => next.checked_add_months(Months::new(months)),
        };
        let Some(after) = after else { break };
        next = after;
    }
    named(ticks, step)
}

/// The names of days on an axis of this step.
fn named(ticks: Vec<(f64, NaiveDate)>, step: Calendar) -> Vec<(f64, String)> {
    let mut year = None;
    let names = ticks.into_iter().map(|(value, day)| {
        let is_new = year.replace(day.year()) != Some(day.year());
        let name = match step {
            Calendar::Months(months) if months % 12 == 0 => day.format("%Y"),
            Calendar::Months(_) if is_new => day.format("%b %Y"),
            Calendar::Months(_) => day.format("%b"),
            Calendar::Days(_) if is_new => day.format("%-d %b %Y"),
            Calendar::Days(_) => day.format("%-d %b"),
        };
        (value, name.to_string())
    });
    names.collect()
}

/// The first round day of the step that is not after this day.
fn first(day: NaiveDate, step: Calendar) -> Option<NaiveDate> {
    match step {
        // Weeks begin on Monday.
        Calendar::Days(days) if days >= 7 => {
            day.checked_sub_days(Days::new(u64::from(day.weekday().num_days_from_monday())))
        }
        Calendar::Days(_) => Some(day),
        Calendar::Months(months) => {
            let count = u32::try_from(day.year()).ok()? * 12 + day.month0();
            let count = count - count % months;
            NaiveDate::from_ymd_opt(i32::try_from(count / 12).ok()?, count % 12 + 1, 1)
        }
    }
}

/// The month that begins with this moment, in days since 1970: `Sep 2026`.
pub fn month(days: f64) -> Option<String> {
    let day = date(days).filter(|day| day.day() == 1 && days.fract() == 0.0)?;
    Some(day.format("%b %Y").to_string())
}

/// The day of so many days since 1970.
#[expect(clippy::cast_possible_truncation, reason = "days that chrono does not know give none")]
fn date(days: f64) -> Option<NaiveDate> {
    NaiveDate::from_epoch_days(days.floor() as i32)
}

fn number(day: NaiveDate) -> f64 {
    f64::from(day.to_epoch_days())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_all_values() {
        let scale = Scale::around([3.0, 97.0].into_iter(), 5);
        assert_eq!(scale.ticks, [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        let scale = Scale::around([-12.5, 41.2].into_iter(), 4);
        assert_eq!(scale.ticks, [-20.0, 0.0, 20.0, 40.0, 60.0]);
        assert_eq!((scale.low, scale.high), (-20.0, 60.0));
        assert_eq!(Scale::around([0.1, 0.3].into_iter(), 4).ticks, [0.1, 3.0 * 0.05, 0.2, 0.25, 6.0 * 0.05]);
    }

    #[test]
    fn one_value_and_none_have_a_range_too() {
        let one = Scale::around([7.0].into_iter(), 4);
        assert!(one.low < 7.0 && 7.0 < one.high, "{one:?}");
        assert!((one.share(7.0) - 0.5).abs() < 0.2, "{one:?}");
        assert_eq!(Scale::around(std::iter::empty(), 2).ticks, [0.0, 0.5, 1.0]);
    }

    #[test]
    fn skewed_values_that_span_powers_of_ten_are_laid_out_by_ratio() {
        let scale = Scale::of_points(&[20.0, 30.0, 55.0, 70.0, 4_100.0], 8);
        assert!(scale.is_log);
        assert_eq!((scale.low, scale.high), (20.0, 5_000.0));
        assert_eq!(scale.ticks, [20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0]);
        assert_eq!(
            Scale::of_points(&[20.0, 30.0, 55.0, 70.0, 4_100.0], 4).ticks,
            [30.0, 100.0, 300.0, 1_000.0, 3_000.0]
        );
        assert_eq!(Scale::of_points(&[20.0, 30.0, 55.0, 70.0, 4_100.0], 2).ticks, [100.0, 1_000.0]);
        assert!((scale.share(316.227_766) - 0.5).abs() < 1e-9);
        assert!(!Scale::of_points(&[0.0, 30.0, 55.0, 70.0, 4_100.0], 8).is_log);
        assert!(!Scale::of_points(&[20.0, 3_000.0, 4_100.0], 8).is_log);
    }

    #[test]
    fn numbers_lose_zeros_that_say_nothing() {
        for (value, text) in
            [(41.2, "41.2"), (0.0, "0"), (-3.0, "-3"), (1234.56789, "1234.57"), (3.0 * 0.05, "0.15"), (1e12, "1.00e12")]
        {
            assert_eq!(plain(value), text);
        }
    }

    fn names(from: (i32, u32, u32), to: (i32, u32, u32), ticks_max: usize) -> Vec<String> {
        let day = |(year, month, day)| number(NaiveDate::from_ymd_opt(year, month, day).expect("a day"));
        days(&[day(from), day(to)], ticks_max).into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn days_are_named_at_round_days_with_the_year_where_it_begins() {
        assert_eq!(names((2026, 1, 5), (2026, 1, 9), 6), ["5 Jan 2026", "6 Jan", "7 Jan", "8 Jan", "9 Jan"]);
        assert_eq!(
            names((2025, 12, 20), (2026, 1, 30), 8),
            ["22 Dec 2025", "29 Dec", "5 Jan 2026", "12 Jan", "19 Jan", "26 Jan"]
        );
        assert_eq!(names((2025, 9, 14), (2026, 5, 3), 6), ["Nov 2025", "Jan 2026", "Mar", "May"]);
        assert_eq!(names((2019, 5, 2), (2026, 5, 3), 8), ["2020", "2021", "2022", "2023", "2024", "2025", "2026"]);
    }

    #[test]
    fn few_firsts_of_months_are_named_themselves() {
        let quarters = [(2024, 11), (2025, 2), (2025, 5), (2025, 8)];
        let day = |(year, month)| number(NaiveDate::from_ymd_opt(year, month, 1).expect("a day"));
        let named: Vec<String> = days(&quarters.map(day), 8).into_iter().map(|(_, name)| name).collect();
        assert_eq!(named, ["Nov 2024", "Feb 2025", "May", "Aug"]);
    }
}
