//! How long messages took, and how many records a second were acknowledged.
//!
//! About the first tenth of the records, at least one message, warms up connection, server and allocator: it is
//! sent and audited like the rest, and not measured.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use hdrhistogram::Histogram;
use serde::Serialize;

/// Latencies are kept to three digits, up to ten minutes.
const LATENCY_US_MAX: u64 = 600_000_000;
const DIGITS: u8 = 3;
/// The part of the records that warms up: one in so many.
const WARM_UP_PART: u64 = 10;

/// How far all streams together have come.
#[derive(Debug)]
pub struct Course {
    answered: AtomicU64,
    warm_up: u64,
    warm_since: OnceLock<Instant>,
}

/// The latencies of one stream.
#[derive(Debug)]
pub struct Meter {
    latencies_us: Histogram<u64>,
    records: u64,
    last_answer: Option<Instant>,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Measured {
    /// Messages measured.
    pub messages: u64,
    /// Records measured.
    pub records: u64,
    /// From the end of the warm-up to the last answer.
    pub elapsed_us: u64,
    /// Records acknowledged a second; 0 when nothing was measured.
    pub records_per_second: u64,
    /// From sending a message to its answer.
    pub latency_us: Latency,
}

/// Latencies of messages in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// The median.
    pub p50: u64,
    /// Nine of ten are no slower.
    pub p90: u64,
    /// 99 of a hundred are no slower.
    pub p99: u64,
    /// The slowest.
    pub max: u64,
}

impl Course {
    /// The course of about so many records.
    #[must_use]
    pub fn of(records: u64) -> Course {
        let warm_up = (records / WARM_UP_PART).max(1);
        Course { answered: AtomicU64::new(0), warm_up, warm_since: OnceLock::new() }
    }

    /// Notes that so many records were answered; says whether they are measured.
    fn advance(&self, records: u64, now: Instant) -> bool {
        let before = self.answered.fetch_add(records, Ordering::Relaxed);
        if self.warm_up <= before + records {
            self.warm_since.get_or_init(|| now);
        }
        self.warm_up <= before
    }
}

impl Meter {
    /// A meter that measured nothing yet.
    ///
    /// # Errors
    /// Never with these bounds.
    pub fn new() -> anyhow::Result<Meter> {
        let latencies_us =
            Histogram::new_with_bounds(1, LATENCY_US_MAX, DIGITS).context("failed to make a histogram")?;
        Ok(Meter { latencies_us, records: 0, last_answer: None })
    }

    /// Notes the answer to a message.
    pub fn note(&mut self, course: &Course, records: u64, sent: Instant, answered: Instant) {
        self.last_answer = self.last_answer.max(Some(answered));
        if course.advance(records, answered) {
            self.latencies_us.saturating_record(micros(answered.duration_since(sent)).max(1));
            self.records += records;
        }
    }

    /// Adds what another stream measured.
    ///
    /// # Errors
    /// Never between meters of this crate.
    pub fn append(&mut self, other: Meter) -> anyhow::Result<()> {
        self.latencies_us.add(other.latencies_us).context("failed to add up histograms")?;
        self.records += other.records;
        self.last_answer = self.last_answer.max(other.last_answer);
        Ok(())
    }

    /// What all streams of a course measured.
    #[must_use]
    pub fn measured(&self, course: &Course) -> Measured {
        let since = course.warm_since.get().copied();
        let elapsed = since.zip(self.last_answer).map(|(since, last)| last.saturating_duration_since(since));
        let elapsed_us = micros(elapsed.unwrap_or_default());
        let rate = (u128::from(self.records) * 1_000_000).checked_div(u128::from(elapsed_us)).unwrap_or(0);
        let quantile = |quantile| self.latencies_us.value_at_quantile(quantile);
        Measured {
            messages: self.latencies_us.len(),
            records: self.records,
            elapsed_us,
            records_per_second: u64::try_from(rate).unwrap_or(u64::MAX),
            latency_us: Latency {
                p50: quantile(0.5),
                p90: quantile(0.9),
                p99: quantile(0.99),
                max: self.latencies_us.max(),
            },
        }
    }
}

/// A duration in whole microseconds.
#[must_use]
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_tenth_is_not_measured() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let course = Course::of(100);
        let (mut one, mut other) = (Meter::new().unwrap(), Meter::new().unwrap());
        one.note(&course, 5, at(0), at(900));
        other.note(&course, 5, at(0), at(1_000));
        one.note(&course, 50, at(1_000), at(1_010));
        other.note(&course, 40, at(1_000), at(1_100));
        one.append(other).unwrap();
        let measured = one.measured(&course);
        assert_eq!((measured.messages, measured.records, measured.elapsed_us), (2, 90, 100_000));
        assert_eq!(measured.records_per_second, 900);
        // Kept to three digits.
        assert_eq!((measured.latency_us.p50, measured.latency_us.max / 100), (10_007, 1_000));
    }

    #[test]
    fn a_course_of_one_message_measures_nothing() {
        let course = Course::of(1);
        let mut meter = Meter::new().unwrap();
        for messages in 0..2 {
            let measured = meter.measured(&course);
            let found = (measured.messages, measured.records_per_second, measured.latency_us.max);
            assert_eq!(found, (0, 0, 0), "{messages}");
            meter.note(&course, 1, Instant::now(), Instant::now());
        }
    }
}
