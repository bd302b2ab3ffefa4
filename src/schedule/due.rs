//! Which fire times of a schedule are to be run, and which were missed or come too close behind another.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::lake::run::Trigger;
use crate::lake::schedule::{CatchUp, Overlap, Schedule};

/// How late a run may begin without having been missed.
pub const LATE: Duration = Duration::from_mins(1);

/// Fire times that are caught up with at most; those before are skipped.
const CAUGHT_UP_MAX: usize = 1000;

/// A fire time, and what is to be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub fire: DateTime<Utc>,
    pub trigger: Trigger,
    /// Why it does not run; it then stands for all that were skipped before it, too.
    pub skip: Option<String>,
}

/// What is to be done about the fire times after `last` that are due by now, in their order. `under_way` is the fire time of a run
/// of the schedule that is not done.
pub fn due(schedule: &Schedule, last: DateTime<Utc>, now: DateTime<Utc>, under_way: Option<DateTime<Utc>>) -> Vec<Due> {
    let mut begins = last;
    // Where the jitter is longer than the time between two of them, one waits for that before it.
    let fires = schedule.timing.between(last, now).map_while(|fire| {
        begins = begins.max(schedule.due(fire));
        (begins <= now).then_some((fire, begins))
    });
    let (missed, on_time): (Vec<_>, Vec<_>) = fires.partition(|(_, begins)| *begins + LATE < now);
    let (missed, on_time) = (fire_times(missed), fire_times(on_time));
    let caught_up = match schedule.catch_up {
        CatchUp::All => CAUGHT_UP_MAX,
        CatchUp::Latest if on_time.is_empty() => 1,
        CatchUp::Latest | CatchUp::Skip => 0,
    };
    let (skipped, caught_up) = missed.split_at(missed.len().saturating_sub(caught_up));
    let mut due = Vec::new();
    if let (Some(first), Some(last)) = (skipped.first(), skipped.last()) {
        let skip = Some(missed_words(schedule, skipped.len(), *first, *last));
        due.push(Due { fire: *last, trigger: Trigger::CatchUp, skip });
    }
    due.extend(caught_up.iter().map(|fire| Due { fire: *fire, trigger: Trigger::CatchUp, skip: None }));
    let mut before = under_way;
    for fire in on_time {
        let is_behind = |before: &DateTime<Utc>| *before < fire && schedule.overlap == Overlap::Skip;
        let skip = before
            .filter(is_behind)
            .map(|before| format!("the run of {} was still under way; `overlap` is `skip`", schedule.shown(before)));
        before = before.or(Some(fire));
        due.push(Due { fire, trigger: Trigger::Schedule, skip });
    }
    due
}

fn fire_times(fires: Vec<(DateTime<Utc>, DateTime<Utc>)>) -> Vec<DateTime<Utc>> {
    fires.into_iter().map(|(fire, _)| fire).collect()
}

fn missed_words(schedule: &Schedule, count: usize, first: DateTime<Utc>, last: DateTime<Utc>) -> String {
    let rule = match schedule.catch_up {
        CatchUp::All => format!("at most {CAUGHT_UP_MAX} are caught up with"),
        CatchUp::Latest => "`catch_up` is `latest`".to_owned(),
        CatchUp::Skip => "`catch_up` is `skip`".to_owned(),
    };
    match count {
        1 => format!("it was missed, since no scheduler ran; {rule}"),
        count => format!(
            "{count} fire times from {} to {} were missed, since no scheduler ran; {rule}",
            schedule.shown(first),
            schedule.shown(last)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, schedule};
    use super::*;

    /// The fire times that are due, as times of day, with a `-` before those that are skipped.
    fn told(lines: &str, last: &str, now: &str, under_way: Option<&str>) -> Vec<String> {
        let schedule = schedule(lines);
        let due = due(&schedule, at(last), at(now), under_way.map(at));
        let sign = |due: &Due| if due.skip.is_some() { "-" } else { "" };
        due.iter().map(|due| format!("{}{}", sign(due), due.fire.format("%H:%M"))).collect()
    }

    #[test]
    fn a_fire_time_is_due_once_it_has_come() {
        let hourly = |now| told("cron = \"0 * * * *\"", "2026-11-22T09:00:00Z", now, None);
        assert_eq!(hourly("2026-11-22T09:59:59Z"), [""; 0]);
        assert_eq!(hourly("2026-11-22T10:00:00Z"), ["10:00"]);
        assert_eq!(hourly("2026-11-22T10:01:00Z"), ["10:00"], "a minute late is not missed");
    }

    #[test]
    fn what_was_missed_is_caught_up_with_by_the_rule_of_the_schedule() {
        let missed = |rule: &str, now| {
            let lines = format!("cron = \"0 * * * *\"\ncatch_up = \"{rule}\"");
            told(&lines, "2026-11-22T06:00:00Z", now, None)
        };
        // Between two fire times: 7:00, 8:00 and 9:00 were missed.
        assert_eq!(missed("latest", "2026-11-22T09:30:00Z"), ["-08:00", "09:00"]);
        assert_eq!(missed("all", "2026-11-22T09:30:00Z"), ["07:00", "08:00", "09:00"]);
        assert_eq!(missed("skip", "2026-11-22T09:30:00Z"), ["-09:00"]);
        // At a fire time, which is the latest.
        assert_eq!(missed("latest", "2026-11-22T10:00:02Z"), ["-09:00", "10:00"]);
        assert_eq!(missed("skip", "2026-11-22T10:00:02Z"), ["-09:00", "10:00"]);
        assert_eq!(missed("latest", "2026-11-22T07:30:00Z"), ["07:00"], "nothing is skipped where one was missed");
    }

    #[test]
    fn what_was_skipped_says_how_many_and_why() {
        let schedule = schedule("cron = \"0 * * * *\"\ncatch_up = \"latest\"\ntime_zone = \"America/New_York\"");
        let due = due(&schedule, at("2026-11-22T06:00:00Z"), at("2026-11-22T09:30:00Z"), None);
        assert_eq!(
            due[0].skip.as_deref(),
            Some(
                "2 fire times from 2026-11-22 02:00 EST to 2026-11-22 03:00 EST were missed, since no scheduler ran; \
                 `catch_up` is `latest`"
            )
        );
    }

    #[test]
    fn all_is_bounded() {
        let due = due(
            &schedule("cron = \"* * * * *\"\ncatch_up = \"all\""),
            at("2026-11-20T00:00:00Z"),
            at("2026-11-22T00:00:30Z"),
            None,
        );
        assert_eq!(due.iter().filter(|due| due.skip.is_none()).count(), 1001, "a thousand missed, and the one of now");
        assert_eq!(due.iter().filter(|due| due.skip.is_some()).count(), 1);
    }

    #[test]
    fn a_fire_time_behind_a_run_that_is_under_way_is_skipped_or_waits() {
        let behind = |rule: &str| {
            let lines = format!("cron = \"0 * * * *\"\noverlap = \"{rule}\"");
            told(&lines, "2026-11-22T09:00:00Z", "2026-11-22T10:00:00Z", Some("2026-11-22T09:00:00Z"))
        };
        assert_eq!(behind("skip"), ["-10:00"]);
        assert_eq!(behind("wait"), ["10:00"]);
    }

    #[test]
    fn with_a_jitter_longer_than_the_time_between_fire_times_none_is_missed_that_waits_for_the_one_before() {
        let schedule = schedule("cron = \"* * * * *\"\njitter = \"30min\"\noverlap = \"wait\"");
        let (start, end) = (at("2026-11-22T09:00:00Z"), at("2026-11-22T12:00:00Z"));
        let (mut last, mut now, mut taken) = (start, start, Vec::new());
        while now < end {
            let found = due(&schedule, last, now, None);
            last = found.last().map_or(last, |newest| newest.fire);
            taken.extend(found);
            now += Duration::from_secs(15);
        }
        let missed: Vec<&Due> = taken.iter().filter(|due| due.trigger == Trigger::CatchUp).collect();
        assert!(missed.is_empty(), "a scheduler ran all the time: {missed:?}");
        assert!(taken.len() > 100 && taken.is_sorted_by_key(|due| due.fire), "{taken:?}");
    }

    #[test]
    fn jitter_is_bounded_and_always_the_same_for_a_fire_time() {
        let schedule = schedule("cron = \"0 * * * *\"\njitter = \"10min\"");
        let late = |fire: &str| (schedule.due(at(fire)) - at(fire)).num_seconds();
        let lates: Vec<i64> = (0..24).map(|hour| late(&format!("2026-11-22T{hour:02}:00:00Z"))).collect();
        assert!(lates.iter().all(|late| (0..600).contains(late)), "{lates:?}");
        assert!(lates.iter().max() > Some(&300) && lates.iter().min() < Some(&300), "they are spread: {lates:?}");
        assert_eq!(late("2026-11-22T05:00:00Z"), lates[5]);
        let fire = at("2026-11-22T05:00:00Z");
        let just_before = schedule.due(fire) - Duration::from_millis(1);
        assert_eq!(due(&schedule, at("2026-11-22T04:00:00Z"), just_before, None), []);
        assert_eq!(due(&schedule, at("2026-11-22T04:00:00Z"), schedule.due(fire), None).len(), 1);
    }
}
