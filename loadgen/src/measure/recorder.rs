//! The histograms of a run, and its course over time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::nanos;

/// Latencies are kept up to ten minutes, to three digits; those of an interval to two.
const LATENCY_NS_MAX: u64 = 600_000_000_000;
const DIGITS: u8 = 3;
const INTERVAL_DIGITS: u8 = 2;
/// The percentiles of the curve: as far as there are messages to tell.
const CURVE: [f64; 19] = [
    0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 75.0, 80.0, 85.0, 90.0, 95.0, 97.5, 99.0, 99.5, 99.9,
    99.99, 99.999,
];

/// Takes the times of all senders.
#[derive(Debug)]
pub struct Recorder {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    began: Instant,
    /// When the warm-up ended.
    warm: Option<Instant>,
    last_answer: Option<Instant>,
    raw: Histogram<u64>,
    corrected: Histogram<u64>,
    records: u64,
    messages: u64,
    skipped: u64,
    interval: Interval,
    points: Vec<Point>,
}

#[derive(Debug)]
struct Interval {
    began: Instant,
    latencies: Histogram<u64>,
    records: u64,
    messages: u64,
    skipped: u64,
}

/// One interval of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Its end, in seconds from the beginning.
    pub time: f64,
    /// It is warm-up, and not in the histograms.
    pub warm_up: bool,
    /// Records answered a second.
    pub records_per_second: f64,
    /// Messages answered a second.
    pub messages_per_second: f64,
    /// Messages a second that were due.
    pub due_per_second: f64,
    /// Moments that were given up.
    pub skipped: u64,
    /// Latencies in microseconds, corrected: the median.
    pub p50_us: f64,
    /// Nine of ten are no slower.
    pub p90_us: f64,
    /// 99 of a hundred are no slower.
    pub p99_us: f64,
    /// The slowest.
    pub max_us: f64,
    /// Cores that this process took.
    pub client_cores: f64,
    /// Cores that the server took, where it is known.
    pub server_cores: Option<f64>,
}

/// What is known of an interval from outside.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Course {
    /// Messages a second that are due now.
    pub due_per_second: f64,
    /// Cores that this process took.
    pub client_cores: f64,
    /// Cores that the server took.
    pub server_cores: Option<f64>,
}

/// What was measured after the warm-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// From the end of the warm-up to the last answer, in seconds.
    pub seconds: f64,
    /// Records answered.
    pub records: u64,
    /// Messages answered.
    pub messages: u64,
    /// Records a second; 0 when nothing was measured.
    pub records_per_second: f64,
    /// Messages a second; 0 when nothing was measured.
    pub messages_per_second: f64,
    /// Moments at which nobody was free to send within the patience.
    pub skipped: u64,
    /// From the sending of a message to its answer.
    pub raw: Latencies,
    /// From the moment at which a message was due; none in a closed loop.
    pub corrected: Option<Latencies>,
}

/// Latencies of messages, in microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latencies {
    /// The mean.
    pub mean_us: f64,
    /// The median.
    pub p50_us: f64,
    /// Nine of ten are no slower.
    pub p90_us: f64,
    /// 99 of a hundred are no slower.
    pub p99_us: f64,
    /// 999 of a thousand are no slower.
    pub p999_us: f64,
    /// The slowest.
    pub max_us: f64,
    /// The whole curve.
    pub curve: Vec<Percentile>,
}

/// A point of a percentile curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Percentile {
    /// So many of a hundred.
    pub percent: f64,
    /// Are no slower.
    pub us: f64,
}

impl Recorder {
    /// A recorder that measured nothing yet, and warms up.
    ///
    /// # Errors
    /// Never with these bounds.
    pub fn new() -> anyhow::Result<Recorder> {
        let now = Instant::now();
        let interval = Interval {
            began: now,
            latencies: histogram(INTERVAL_DIGITS)?,
            records: 0,
            messages: 0,
            skipped: 0,
        };
        let inner = Inner {
            began: now,
            warm: None,
            last_answer: None,
            raw: histogram(DIGITS)?,
            corrected: histogram(DIGITS)?,
            records: 0,
            messages: 0,
            skipped: 0,
            interval,
            points: Vec::new(),
        };
        Ok(Recorder { inner: Mutex::new(inner) })
    }

    /// Begins to measure, or begins anew: what was noted before is warm-up.
    pub fn begin(&self) {
        let mut inner = self.lock();
        inner.warm = Some(Instant::now());
        inner.last_answer = None;
        inner.raw.reset();
        inner.corrected.reset();
        (inner.records, inner.messages, inner.skipped) = (0, 0, 0);
    }

    /// Notes a message that was due, sent and answered at these moments.
    pub fn note(&self, records: u64, due: Instant, sent: Instant, answered: Instant) {
        let raw = nanos(answered.saturating_duration_since(sent)).max(1);
        let corrected = nanos(answered.saturating_duration_since(due)).max(1);
        let mut inner = self.lock();
        inner.interval.records += records;
        inner.interval.messages += 1;
        inner.interval.latencies.saturating_record(corrected);
        if inner.warm.is_some() {
            inner.records += records;
            inner.messages += 1;
            inner.raw.saturating_record(raw);
            inner.corrected.saturating_record(corrected);
            inner.last_answer = inner.last_answer.max(Some(answered));
        }
    }

    /// Notes moments that were given up. Each counts in the corrected histogram with the time that it waited:
    /// whoever came then was not served.
    pub fn skip(&self, count: u64, waited: Duration) {
        let mut inner = self.lock();
        inner.interval.skipped += count;
        if inner.warm.is_some() {
            inner.skipped += count;
            inner.corrected.saturating_record_n(nanos(waited).max(1), count);
        }
    }

    /// Ends an interval.
    pub fn tick(&self, course: Course) -> Point {
        let mut inner = self.lock();
        let now = Instant::now();
        let interval = &inner.interval;
        let seconds = now.duration_since(interval.began).as_secs_f64().max(1e-9);
        let us = |quantile: f64| microseconds(interval.latencies.value_at_quantile(quantile));
        let point = Point {
            time: now.duration_since(inner.began).as_secs_f64(),
            warm_up: inner.warm.is_none(),
            records_per_second: interval.records as f64 / seconds,
            messages_per_second: interval.messages as f64 / seconds,
            due_per_second: course.due_per_second,
            skipped: interval.skipped,
            p50_us: us(0.5),
            p90_us: us(0.9),
            p99_us: us(0.99),
            max_us: us(1.0),
            client_cores: course.client_cores,
            server_cores: course.server_cores,
        };
        let interval = &mut inner.interval;
        interval.latencies.reset();
        (interval.began, interval.records, interval.messages, interval.skipped) = (now, 0, 0, 0);
        inner.points.push(point);
        point
    }

    /// The intervals so far.
    #[must_use]
    pub fn points(&self) -> Vec<Point> {
        self.lock().points.clone()
    }

    /// What was measured so far.
    #[must_use]
    pub fn measured(&self, is_open_loop: bool) -> Measured {
        let inner = self.lock();
        let span =
            inner.warm.zip(inner.last_answer).map(|(since, last)| last.saturating_duration_since(since));
        let seconds = span.unwrap_or_default().as_secs_f64();
        let rate = |count: u64| if 0.0 < seconds { count as f64 / seconds } else { 0.0 };
        Measured {
            seconds,
            records: inner.records,
            messages: inner.messages,
            records_per_second: rate(inner.records),
            messages_per_second: rate(inner.messages),
            skipped: inner.skipped,
            raw: latencies(&inner.raw),
            corrected: is_open_loop.then(|| latencies(&inner.corrected)),
        }
    }

    /// The latency that this share of the messages does not exceed, from when they were due.
    #[must_use]
    pub fn corrected_at(&self, quantile: f64) -> Duration {
        Duration::from_nanos(self.lock().corrected.value_at_quantile(quantile))
    }

    /// Copies of the histograms: raw and corrected.
    #[must_use]
    pub fn histograms(&self) -> (Histogram<u64>, Histogram<u64>) {
        let inner = self.lock();
        (inner.raw.clone(), inner.corrected.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn histogram(digits: u8) -> anyhow::Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, LATENCY_NS_MAX, digits).context("failed to make a histogram")
}

fn latencies(histogram: &Histogram<u64>) -> Latencies {
    let us = |quantile: f64| microseconds(histogram.value_at_quantile(quantile));
    // A percentile that no message is beyond says nothing more.
    let told = |percent: &f64| 1.0 <= histogram.len() as f64 * (100.0 - percent) / 100.0;
    let mut curve: Vec<_> = CURVE.into_iter().filter(told).collect();
    if !histogram.is_empty() {
        curve.push(100.0);
    }
    Latencies {
        mean_us: histogram.mean() / 1_000.0,
        p50_us: us(0.5),
        p90_us: us(0.9),
        p99_us: us(0.99),
        p999_us: us(0.999),
        max_us: us(1.0),
        curve: curve.into_iter().map(|percent| Percentile { percent, us: us(percent / 100.0) }).collect(),
    }
}

fn microseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    fn is_about(value: f64, expected: f64) -> bool {
        (value - expected).abs() <= expected / 500.0
    }

    #[test]
    fn a_message_that_was_sent_late_is_late_in_the_corrected_histogram_alone() {
        let recorder = Recorder::new().unwrap();
        recorder.begin();
        let start = Instant::now();
        // A server that answers in 1 ms stops for a second: a client with one message in flight sends the second
        // one a second late, and the others as soon as it can.
        recorder.note(25, start, start, start + ms(1_000));
        for number in 1..100 {
            let due = start + ms(number * 10);
            let sent = start + ms(1_000 + number);
            recorder.note(25, due, sent, sent + ms(1));
        }
        let measured = recorder.measured(true);
        let (raw, corrected) = (measured.raw, measured.corrected.unwrap());
        assert!(is_about(raw.p50_us, 1_000.0), "{raw:?}");
        assert!(is_about(corrected.p50_us, 551_000.0), "{corrected:?}");
        assert!(is_about(raw.max_us, 1_000_000.0) && is_about(corrected.max_us, 1_000_000.0));
        assert_eq!((measured.messages, measured.records), (100, 2_500));
        assert_eq!(recorder.measured(false).corrected, None);
    }

    #[test]
    fn moments_that_were_given_up_count_as_long_as_they_waited() {
        let recorder = Recorder::new().unwrap();
        recorder.begin();
        let start = Instant::now();
        for _ in 0..50 {
            recorder.note(1, start, start, start + ms(1));
        }
        recorder.skip(50, ms(700));
        let measured = recorder.measured(true);
        assert_eq!((measured.skipped, measured.messages), (50, 50));
        assert!(is_about(measured.corrected.unwrap().p90_us, 700_000.0));
        assert!(is_about(measured.raw.max_us, 1_000.0));
    }

    #[test]
    fn warm_up_is_in_the_course_and_not_in_the_histograms() {
        let recorder = Recorder::new().unwrap();
        let start = Instant::now();
        recorder.note(1_000, start, start, start + ms(500));
        let first = recorder.tick(Course::default());
        recorder.begin();
        recorder.note(10, start, start, start + ms(2));
        let second = recorder.tick(Course { client_cores: 0.5, ..Course::default() });
        assert_eq!((first.warm_up, second.warm_up, recorder.points().len()), (true, false, 2));
        assert!(
            (490_000.0..510_000.0).contains(&first.max_us) && 0.0 < first.records_per_second,
            "{first:?}"
        );
        let measured = recorder.measured(true);
        assert_eq!((measured.messages, measured.records), (1, 10));
        assert!(is_about(measured.raw.max_us, 2_000.0));
        assert!(Recorder::new().unwrap().measured(true).raw.curve.is_empty());
    }
}
