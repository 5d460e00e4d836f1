//! Runs that are billed by less than an hour: what they are billed for, and in which hours.
//!
//! A pod or task of a container counts by the second, a minute at least (P2); an instance of a machine learning product
//! by the minute, each that was begun (P5). A run is cut where hours begin, so that each of them has its own month,
//! price and cover; what is billed beyond what it ran stands in its first hour.

use crate::catalog::BilledBy;
use crate::time::{HourRange, Timestamp, UsageHour};

const SECOND_MICROS: i64 = 1_000_000;
const SECONDS_OF_A_MINUTE: u64 = 60;
/// Hours that one run touches at most: those of 31 days.
pub const MAX_RUN_HOURS: usize = 31 * 24;
/// Hours that the runs of one request touch at most.
pub const MAX_REQUEST_HOURS: usize = 100_000;

/// From when until when something ran, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Its first moment.
    pub from: Timestamp,
    /// Its end; not part of it.
    pub until: Timestamp,
}

impl Run {
    /// Whether both moments are of whole seconds, and the end is the later one.
    pub fn is_sound(self) -> bool {
        self.from < self.until && [self.from, self.until].iter().all(|moment| is_whole(*moment))
    }

    /// The hours that it touches.
    pub fn hours(self) -> HourRange {
        HourRange { start: UsageHour::containing(self.from), end: UsageHour::at_or_after(self.until) }
    }

    /// How many seconds it lasts.
    pub fn seconds(self) -> u64 {
        seconds_between(self.from, self.until)
    }

    /// The seconds that are billed of each hour that it touches, in their order.
    pub fn billed(self, billed_by: BilledBy) -> impl Iterator<Item = (UsageHour, u64)> {
        let ran = self.seconds();
        let mut beyond = billed_seconds(ran, billed_by) - ran;
        self.hours().hours().map(move |hour| {
            let (from, until) = (self.from.max(hour.start()), self.until.min(hour.next().start()));
            (hour, seconds_between(from, until) + std::mem::take(&mut beyond))
        })
    }
}

/// Whether a moment is one of whole seconds.
pub fn is_whole(moment: Timestamp) -> bool {
    moment.micros() % SECOND_MICROS == 0
}

fn seconds_between(from: Timestamp, until: Timestamp) -> u64 {
    u64::try_from((until.micros() - from.micros()) / SECOND_MICROS).unwrap_or(0)
}

/// The seconds that a run of so many is billed for.
fn billed_seconds(seconds: u64, billed_by: BilledBy) -> u64 {
    match billed_by {
        BilledBy::Second => seconds.max(SECONDS_OF_A_MINUTE),
        BilledBy::Minute => seconds.div_ceil(SECONDS_OF_A_MINUTE) * SECONDS_OF_A_MINUTE,
        // Nothing runs.
        BilledBy::Inference => seconds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b_12_a_pod_is_billed_for_a_minute_at_least() {
        for (ran, billed) in [(1, 60), (10, 60), (59, 60), (60, 60), (61, 61), (1_230, 1_230)] {
            assert_eq!(billed_seconds(ran, BilledBy::Second), billed);
        }
    }

    #[test]
    fn p5_an_instance_is_billed_by_the_minute() {
        for (ran, billed) in [(1, 60), (60, 60), (61, 120), (3_600, 3_600), (3_601, 3_660)] {
            assert_eq!(billed_seconds(ran, BilledBy::Minute), billed);
        }
    }

    #[test]
    fn a_run_is_cut_where_hours_begin_and_what_is_billed_beyond_it_is_of_the_first() {
        let at = |text: &str| Timestamp::parse(&format!("2025-01-31T{text}Z")).unwrap();
        let midnight = at("23:00:00").next_midnight();
        for (from, until, billed_by, expected) in [
            (at("10:00:05"), at("10:20:35"), BilledBy::Second, vec![1_230]),
            (at("10:59:50"), at("11:00:05"), BilledBy::Second, vec![55, 5]),
            (at("10:00:00"), at("11:00:00"), BilledBy::Second, vec![3_600]),
            (at("10:00:00"), at("11:00:01"), BilledBy::Second, vec![3_600, 1]),
            (at("10:59:50"), at("12:00:01"), BilledBy::Minute, vec![59, 3_600, 1]),
            (at("10:00:00"), at("11:00:01"), BilledBy::Minute, vec![3_659, 1]),
            (at("23:59:00"), midnight.plus_micros(30 * SECOND_MICROS), BilledBy::Second, vec![60, 30]),
        ] {
            let run = Run { from, until };
            let (hours, seconds): (Vec<_>, Vec<_>) = run.billed(billed_by).unzip();
            assert_eq!(seconds, expected, "{from} to {until}");
            assert!(hours.into_iter().eq(run.hours().hours()));
        }
    }

    #[test]
    fn a_run_that_does_not_last_or_has_parts_of_seconds_is_none() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        for (from, until, sound) in [
            ("2025-01-01T10:00:00Z", "2025-01-01T10:00:01Z", true),
            ("2025-01-01T10:00:00Z", "2025-01-01T10:00:00Z", false),
            ("2025-01-01T10:00:01Z", "2025-01-01T10:00:00Z", false),
            ("2025-01-01T10:00:00.5Z", "2025-01-01T10:00:01Z", false),
            ("2025-01-01T10:00:00Z", "2025-01-01T10:00:01.25Z", false),
        ] {
            assert_eq!(Run { from: at(from), until: at(until) }.is_sound(), sound, "{from} to {until}");
        }
    }
}
