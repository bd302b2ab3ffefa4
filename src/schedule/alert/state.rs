//! What is new, what is still there and what has recovered: arithmetic on what was known and what is found now.
//!
//! What counts as known is what recipients were told. What was to be told and did not arrive is told the next time, so that a
//! mail server which is down loses nothing; who has it already may hear it twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::lake::alert::{Alert, AlertRecord, Cell, Entry, NoData, State, Subject};

const DAY: Duration = Duration::from_hours(24);

/// What is known of alerts before a look.
pub type Known = BTreeMap<Subject, Past>;

/// What is known of one alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// The fire time at which it was first found.
    since: DateTime<Utc>,
    /// The fire time at which recipients last heard that it is there; `None` when they do not know of it.
    told: Option<DateTime<Utc>>,
    row: Vec<Cell>,
}

/// What a look finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Rows of the query, whether they are alerts or not.
    pub rows: u64,
    pub found: BTreeMap<Subject, Vec<Cell>>,
}

/// What is known after a look, when what it had to tell has arrived, or has not.
pub fn carried(record: AlertRecord, has_arrived: bool) -> Known {
    let fire = record.fire_time;
    let past = |entry: Entry| {
        let told = if entry.sends && has_arrived { Some(fire) } else { entry.told };
        // One that has recovered is over when those who knew of it know that, too.
        let is_over = entry.state == State::Recovered && (has_arrived || !entry.sends);
        (!is_over).then_some((entry.subject, Past { since: entry.since, told, row: entry.row }))
    };
    record.entries.into_iter().filter_map(past).collect()
}

/// Every alert that was known or is found, by what it is about, and whether it is to be told. `zone` is that of the alert's cron.
pub fn judge(before: &Known, seen: Seen, alert: &Alert, fire: DateTime<Utc>, zone: Tz) -> Vec<Entry> {
    let Seen { rows, mut found } = seen;
    let knows = rows > 0 || alert.no_data == NoData::Ok;
    if rows == 0 && alert.no_data == NoData::Alert {
        found.insert(Subject::NoData, Vec::new());
    }
    let subjects: BTreeSet<Subject> = before.keys().chain(found.keys()).cloned().collect();
    let entries = subjects.into_iter().map(|subject| {
        let past = before.get(&subject);
        let row = found.remove(&subject);
        let told = past.and_then(|past| past.told);
        let since = past.map_or(fire, |past| past.since);
        let (state, sends) = match (&row, told) {
            (Some(_), None) => (State::New, true),
            (Some(_), Some(told)) => {
                let is_due = alert.quiet.is_some_and(|quiet| has_passed(quiet, told, fire, zone));
                if is_due { (State::Still, true) } else { (State::Quiet, false) }
            }
            (None, _) if !knows => (State::Unknown, false),
            // Who was never told of it need not hear that it is over.
            (None, told) => (State::Recovered, told.is_some()),
        };
        let row = row.or_else(|| past.map(|past| past.row.clone())).unwrap_or_default();
        Entry { subject, state, since, told, sends, row }
    });
    entries.collect()
}

/// Whether a quiet period is over. One of a day or more counts by the clock of the zone, on which a day may have 23 or 25 hours.
fn has_passed(quiet: Duration, told: DateTime<Utc>, fire: DateTime<Utc>, zone: Tz) -> bool {
    let wall = |moment: DateTime<Utc>| moment.with_timezone(&zone).naive_local();
    let passed = match quiet >= DAY {
        // What fired at the end of a gap had its time on the clock in the gap.
        true => wall(fire) - before_gap(told, wall),
        false => fire - told,
    };
    passed.to_std().is_ok_and(|passed| passed >= quiet)
}

/// What the clock would show if it had skipped nothing at this moment.
fn before_gap(moment: DateTime<Utc>, wall: impl Fn(DateTime<Utc>) -> NaiveDateTime) -> NaiveDateTime {
    let second = TimeDelta::seconds(1);
    wall(moment).min(wall(moment - second) + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(no_data: NoData, quiet: Option<Duration>) -> Alert {
        Alert {
            name: "a".to_owned(),
            title: "a".to_owned(),
            text: None,
            query: "q".to_owned(),
            params: BTreeMap::new(),
            condition: None,
            key: vec!["id".to_owned()],
            show: Vec::new(),
            no_data,
            quiet,
            place: ("cxlake.toml".to_owned(), 1),
        }
    }

    fn subject(id: &str) -> Subject {
        Subject::Key(vec![id.to_owned()])
    }

    fn day(number: u32) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + DAY * number
    }

    /// A look on a day that finds these among so many rows, as `state:id` with a `!` where it is told.
    fn looked(before: &Known, found: &[&str], rows: u64, alert: &Alert, on: u32) -> (AlertRecord, String) {
        let found = found.iter().map(|id| (subject(id), Vec::new())).collect();
        let entries = judge(before, Seen { rows, found }, alert, day(on), Tz::UTC);
        let told = |entry: &Entry| {
            format!("{}:{}{}", entry.state.word(), entry.subject.shown(), if entry.sends { "!" } else { "" })
        };
        let words = entries.iter().map(told).collect::<Vec<_>>().join(" ");
        let record = AlertRecord { run_id: String::new(), alert: alert.name.clone(), fire_time: day(on), entries };
        (record, words)
    }

    /// The words of looks at these days, where all that is told arrives.
    fn story(alert: &Alert, looks: &[(u32, &[&str], u64)]) -> Vec<String> {
        let mut known = Known::new();
        let told = looks.iter().map(|(on, found, rows)| {
            let (record, words) = looked(&known, found, *rows, alert, *on);
            known = carried(record, true);
            words
        });
        told.collect()
    }

    #[test]
    fn one_is_told_when_it_comes_again_after_the_quiet_period_and_once_when_it_is_over() {
        let told = story(
            &alert(NoData::Ok, Some(DAY * 3)),
            &[(0, &["x"], 1), (1, &["x"], 1), (3, &["x", "y"], 2), (4, &["y"], 1), (5, &["y"], 1), (6, &["x"], 1)],
        );
        assert_eq!(
            told,
            ["new:x!", "quiet:x", "still:x! new:y!", "recovered:x! quiet:y", "quiet:y", "new:x! recovered:y!"]
        );
    }

    #[test]
    fn a_quiet_period_of_days_is_over_at_the_same_time_of_the_clock_whatever_the_clock_did() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a moment");
        let passed =
            |days: u32, told: &str, fire: &str| has_passed(DAY * days, at(told), at(fire), Tz::America__New_York);
        // New York leaves out 2:00 to 3:00 on 8 March 2026, and shows 1:00 to 2:00 twice on 1 November.
        assert!(passed(1, "2026-03-07T13:00:00Z", "2026-03-08T12:00:00Z"), "8:00 and 8:00, 23 hours apart");
        assert!(passed(7, "2026-03-02T13:00:00Z", "2026-03-09T12:00:00Z"));
        assert!(passed(1, "2026-03-07T07:30:00Z", "2026-03-08T07:00:00Z"), "2:30, and the end of the gap");
        assert!(passed(1, "2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"), "the end of the gap, and 2:30");
        assert!(!passed(1, "2026-03-07T13:00:00Z", "2026-03-08T11:00:00Z"), "8:00 and 7:00");
        assert!(!passed(1, "2026-10-31T12:00:00Z", "2026-11-01T12:00:00Z"), "8:00 and 7:00, 24 hours apart");
        assert!(passed(1, "2026-10-31T12:00:00Z", "2026-11-01T13:00:00Z"));
        let hour = |fire: &str| {
            has_passed(Duration::from_hours(1), at("2026-11-01T05:30:00Z"), at(fire), Tz::America__New_York)
        };
        assert!(hour("2026-11-01T06:30:00Z") && !hour("2026-11-01T06:29:00Z"), "1:30 and 1:30, an hour apart");
    }

    #[test]
    fn without_a_quiet_period_one_that_stays_is_told_once() {
        let told = story(&alert(NoData::Ok, None), &[(0, &["x"], 1), (100, &["x"], 1), (200, &[], 1), (201, &[], 1)]);
        assert_eq!(told, ["new:x!", "quiet:x", "recovered:x!", ""]);
    }

    #[test]
    fn no_rows_at_all_mean_what_the_alert_says() {
        let looks: [(u32, &[&str], u64); 4] = [(0, &["x"], 5), (1, &[], 0), (2, &[], 0), (3, &["x"], 5)];
        assert_eq!(story(&alert(NoData::Ok, None), &looks), ["new:x!", "recovered:x!", "", "new:x!"]);
        assert_eq!(story(&alert(NoData::Keep, None), &looks), ["new:x!", "unknown:x", "unknown:x", "quiet:x"]);
        assert_eq!(
            story(&alert(NoData::Alert, None), &looks),
            ["new:x!", "unknown:x new:(no data)!", "unknown:x quiet:(no data)", "quiet:x recovered:(no data)!"]
        );
    }

    #[test]
    fn what_did_not_arrive_is_told_the_next_time() {
        let alert = alert(NoData::Ok, None);
        let (first, words) = looked(&Known::new(), &["x", "y"], 2, &alert, 0);
        assert_eq!(words, "new:x! new:y!");
        let (second, words) = looked(&carried(first, false), &["x"], 2, &alert, 1);
        assert_eq!(words, "new:x! recovered:y", "nobody knows of y");
        assert_eq!(second.entries[0].since, day(0));
        let (third, words) = looked(&carried(second, true), &[], 2, &alert, 2);
        assert_eq!(words, "recovered:x!");
        let (fourth, words) = looked(&carried(third, false), &[], 2, &alert, 3);
        assert_eq!(words, "recovered:x!");
        let (_, words) = looked(&carried(fourth, true), &[], 2, &alert, 4);
        assert_eq!(words, "");
    }

    /// A number that follows from another, well mixed.
    fn next(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// What a recipient believes, by nothing but the messages that arrive: which alerts are there, and when each was last heard of.
    #[test]
    fn over_any_sequence_recipients_believe_what_is_true_and_hear_of_nothing_twice_within_the_quiet_period() {
        for seed in 0..300 {
            let mut random = seed;
            let quiet = [None, Some(DAY * 2), Some(DAY * 5)][(next(&mut random) % 3) as usize];
            let no_data = [NoData::Ok, NoData::Alert, NoData::Keep][(next(&mut random) % 3) as usize];
            let alert = alert(no_data, quiet);
            let (mut known, mut believed) = (Known::new(), BTreeMap::<Subject, u32>::new());
            let mut on = 0;
            for _ in 0..60 {
                on += 1 + (next(&mut random) % 3) as u32;
                let has_data = !next(&mut random).is_multiple_of(6);
                let arrives = !next(&mut random).is_multiple_of(4);
                let ids: Vec<&str> = ["a", "b", "c", "d"]
                    .into_iter()
                    .filter(|_| has_data && next(&mut random).is_multiple_of(2))
                    .collect();
                let (record, words) = looked(&known, &ids, if has_data { 9 } else { 0 }, &alert, on);

                let mut is_true: BTreeSet<Subject> = ids.iter().map(|id| subject(id)).collect();
                let is_known = |subject: &Subject| *subject == Subject::NoData || has_data || no_data == NoData::Ok;
                if !has_data && no_data != NoData::Ok {
                    is_true.extend(believed.keys().filter(|subject| !is_known(subject)).cloned());
                }
                match (has_data, no_data) {
                    (false, NoData::Alert) => drop(is_true.insert(Subject::NoData)),
                    (false, NoData::Keep) if believed.contains_key(&Subject::NoData) => {
                        is_true.insert(Subject::NoData);
                    }
                    _ => {}
                }
                let mut wanted = BTreeMap::new();
                for subject in is_true.iter().filter(|subject| is_known(subject)) {
                    let quiet_days =
                        quiet.map(|quiet| u32::try_from(quiet.as_secs() / DAY.as_secs()).expect("a few days"));
                    match believed.get(subject) {
                        None => drop(wanted.insert(subject.clone(), State::New)),
                        Some(heard) if quiet_days.is_some_and(|days| on - heard >= days) => {
                            wanted.insert(subject.clone(), State::Still);
                        }
                        Some(_) => {}
                    }
                }
                for subject in believed.keys().filter(|subject| !is_true.contains(*subject)) {
                    wanted.insert(subject.clone(), State::Recovered);
                }
                let told: BTreeMap<Subject, State> = record
                    .entries
                    .iter()
                    .filter(|entry| entry.sends)
                    .map(|entry| (entry.subject.clone(), entry.state))
                    .collect();
                assert_eq!(told, wanted, "seed {seed}, day {on}: {words}");

                if arrives {
                    for (subject, state) in &told {
                        match state {
                            State::Recovered => drop(believed.remove(subject)),
                            _ => drop(believed.insert(subject.clone(), on)),
                        }
                    }
                    let heard: BTreeSet<Subject> = believed.keys().cloned().collect();
                    assert_eq!(heard, is_true, "seed {seed}, day {on}: what recipients believe");
                }
                known = carried(record, arrives);
            }
        }
    }
}
