//! What a run found, for people and for programs.
//!
//! | file | form |
//! |---|---|
//! | [`text`] | lines for a terminal |
//! | JSON | this module's [`Report`] itself |
//! | [`csv`] | the course over time |
//! | [`hgrm`] | percentiles, as HdrHistogram's plotter reads them |
//! | [`html`], [`svg`] | one page with plots that needs nothing else |
//! | [`compare`] | two runs side by side |

pub mod compare;
pub mod csv;
pub mod hgrm;
pub mod html;
pub mod svg;
pub mod text;

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::audit::{Acknowledged, Bills, Differences, Ledger};
use crate::door::Door;
use crate::drive::conduct::{Trial, Trials};
use crate::drive::{Load, Options, Run};
use crate::measure::{Measured, Point, ProcessUse};

/// What a run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What the plan followed from.
    pub seed: u64,
    /// The sandbox.
    pub sandbox: String,
    /// Through what.
    pub door: Door,
    /// When messages were sent, in words.
    pub load: String,
    /// How large the plan was.
    pub size: Size,
    /// How it was sent.
    pub sending: SendingSaid,
    /// How many records were answered how.
    pub acknowledged: Acknowledged,
    /// Throughput and latency after the warm-up.
    pub measured: Measured,
    /// The same over time.
    pub course: Vec<Point>,
    /// What this process took after the warm-up.
    pub client: ProcessUse,
    /// What the server took, where it is known.
    pub server: Option<ProcessUse>,
    /// What the server stored, where its folder is known.
    pub storage: Option<Storage>,
    /// The search for the highest rate, when that was asked for.
    pub search: Option<SearchSaid>,
    /// How often the server was killed and started again.
    pub restarts: u64,
    /// How long the stages took.
    pub stages: Stages,
    /// What was billed.
    pub bills: Bills,
    /// Whether everything was as it must be; none: there was nothing to verify.
    pub verified: Option<bool>,
    /// What was not.
    pub differences: Differences,
    /// The histograms: raw and corrected.
    #[serde(skip)]
    pub histograms: Option<(Histogram<u64>, Histogram<u64>)>,
}

/// How large a plan was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Size {
    /// Buying accounts.
    pub buyers: u64,
    /// Their payers.
    pub payers: u64,
    /// Sellers.
    pub sellers: u64,
    /// Agreements.
    pub agreements: u64,
    /// Those on private offers.
    pub private: u64,
    /// Those with annual subscriptions.
    pub annual: u64,
    /// Series.
    pub series: u64,
    /// Months of usage that were begun.
    pub months: u64,
    /// Hours of usage in all months of the plan.
    pub hours: u64,
    /// Records that must be billed: each hour of a series that was acknowledged.
    pub metered: u64,
}

/// How a plan was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SendingSaid {
    /// Rows of a message.
    pub batch: u64,
    /// Messages under way: of each stream, or in all where they are calls.
    pub in_flight: u64,
    /// Streams at the same time; 0 where messages are calls.
    pub streams: u64,
}

/// What the server stored.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Storage {
    /// How much the logs in its data folder grew while usage was sent, in bytes.
    pub bytes: u64,
    /// The same by record that was answered.
    pub bytes_per_record: f64,
}

/// A search for the highest rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchSaid {
    /// The target in words.
    pub target: String,
    /// The highest rate that kept it, in records a second; none did when absent.
    pub rate: Option<f64>,
    /// The trials in order.
    pub trials: Vec<Trial>,
}

/// How long the stages took, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Stages {
    /// Making the sandbox.
    pub put: f64,
    /// Sending all usage, warm-up and the closing of months in between included.
    pub send: f64,
    /// Closing months.
    pub close: f64,
    /// Reading and checking all invoices.
    pub check: f64,
}

/// What [`Report::new`] is told.
pub struct Found {
    /// How many records were answered how.
    pub acknowledged: Acknowledged,
    /// The trials of a search.
    pub trials: Trials,
    /// How often the server was started again.
    pub restarts: u64,
    /// Months that were begun.
    pub months: usize,
    /// How long it took.
    pub stages: Stages,
    /// What was stored.
    pub storage: Option<Storage>,
    /// The server's memory in the end.
    pub server_memory: Option<u64>,
    /// What was billed.
    pub bills: Bills,
    /// Records that must be billed.
    pub metered: u64,
    /// What was not as it must be.
    pub differences: Differences,
    /// The bills were checked.
    pub is_checked: bool,
}

impl Storage {
    /// From the folder's bytes before and after.
    #[must_use]
    pub fn new(after: u64, before: u64, ledger: &Ledger) -> Storage {
        let bytes = after.saturating_sub(before);
        let records = ledger.acknowledged.records.max(1);
        Storage { bytes, bytes_per_record: bytes as f64 / records as f64 }
    }
}

impl Stages {
    /// From durations.
    #[must_use]
    pub fn new(put: Duration, send: Duration, close: Duration, check: Duration) -> Stages {
        let [put, send, close, check] = [put, send, close, check].map(|duration| duration.as_secs_f64());
        Stages { put, send, close, check }
    }
}

impl Report {
    /// Gathers what a run found.
    #[must_use]
    pub fn new(run: &Run, options: &Options, found: Found) -> Report {
        let (plan, shape) = (&run.plan, &options.shape);
        let course = run.recorder.points();
        let count = |is: &dyn Fn(&crate::plan::Agreement) -> bool| {
            plan.market.agreements.iter().filter(|agreement| is(agreement)).count() as u64
        };
        let search = match &options.load {
            Load::FindMax { target, .. } => Some(SearchSaid {
                target: target.to_string(),
                rate: found.trials.best,
                trials: found.trials.trials,
            }),
            Load::Closed | Load::Open(_) => None,
        };
        let server = process(&course, |point| point.server_cores, found.server_memory);
        let memory = crate::measure::Watched::this().memory().ok();
        Report {
            seed: shape.seed,
            sandbox: plan.sandbox.clone(),
            door: options.door,
            load: match &options.load {
                Load::Closed => "closed loop".to_owned(),
                Load::Open(schedule) => format!("open loop, {schedule} records/s"),
                Load::FindMax { target, .. } => format!("open loop, the highest rate with {target}"),
            },
            size: Size {
                buyers: u64::from(shape.buyers),
                payers: u64::from(plan.market.families()),
                sellers: u64::from(shape.sellers),
                agreements: plan.market.agreements.len() as u64,
                private: count(&|agreement| agreement.private.is_some()),
                annual: count(&|agreement| !agreement.cover.is_empty()),
                series: plan.market.series.len() as u64,
                months: found.months as u64,
                hours: u64::from(plan.calendar.hours()),
                metered: found.metered,
            },
            sending: SendingSaid {
                batch: options.batch as u64,
                in_flight: options.in_flight as u64,
                streams: if options.door.is_stream() { u64::from(options.streams) } else { 0 },
            },
            acknowledged: found.acknowledged,
            measured: run.recorder.measured(run.arrivals.is_open()),
            client: process(&course, |point| Some(point.client_cores), memory).unwrap_or_default(),
            server,
            course,
            storage: found.storage,
            search,
            restarts: found.restarts,
            stages: found.stages,
            bills: found.bills,
            verified: found.is_checked.then_some(found.differences.count == 0),
            differences: found.differences,
            histograms: Some(run.recorder.histograms()),
        }
    }
}

/// What a process took after the warm-up, from the course.
fn process(
    course: &[Point],
    cores: impl Fn(&Point) -> Option<f64>,
    memory: Option<u64>,
) -> Option<ProcessUse> {
    let (mut before, mut seconds, mut cpu_seconds, mut is_known) = (0.0, 0.0, 0.0, false);
    for point in course {
        let span = point.time - before;
        before = point.time;
        if let Some(cores) = cores(point).filter(|_| !point.warm_up) {
            seconds += span;
            cpu_seconds += cores * span;
            is_known = true;
        }
    }
    let cores = if 0.0 < seconds { cpu_seconds / seconds } else { 0.0 };
    (is_known || memory.is_some()).then_some(ProcessUse {
        cpu_seconds,
        cores,
        memory_bytes: memory.unwrap_or_default(),
    })
}

/// A report for tests: a run of a hundred seconds.
#[cfg(test)]
pub(crate) fn sample(rate: f64) -> Report {
    use std::time::Instant;

    let recorder = crate::measure::Recorder::new().unwrap_or_else(|error| panic!("{error}"));
    recorder.begin();
    let start = Instant::now();
    for number in 1..=10_000_u64 {
        let late = Duration::from_micros(number / 50);
        let latency = Duration::from_micros(400 + number % 1_000 + number * number / 200_000);
        recorder.note(25, start, start + late, start + late + latency);
    }
    let mut measured = recorder.measured(true);
    (measured.seconds, measured.records_per_second, measured.messages_per_second) =
        (100.0, rate, rate / 25.0);
    let point = |second: u32| Point {
        time: f64::from(second),
        warm_up: second < 3,
        records_per_second: rate * (1.0 + 0.1 * f64::from(second % 7) / 7.0),
        messages_per_second: rate / 25.0,
        due_per_second: rate / 25.0,
        skipped: u64::from(second == 50),
        p50_us: 800.0 + f64::from(second % 5) * 30.0,
        p90_us: 1_500.0,
        p99_us: 2_500.0 + f64::from(second % 11) * 200.0,
        max_us: if second == 50 { 250_000.0 } else { 6_000.0 },
        client_cores: 0.4,
        server_cores: Some(1.1 + 0.05 * f64::from(second % 3)),
    };
    let use_of = |cores: f64| ProcessUse { cpu_seconds: cores * 97.0, cores, memory_bytes: 123_456_789 };
    Report {
        seed: 7,
        sandbox: "load-7".to_owned(),
        door: Door::Unary,
        load: format!("open loop, constant:{rate} records/s"),
        size: Size {
            buyers: 40,
            payers: 16,
            sellers: 5,
            agreements: 80,
            private: 10,
            annual: 6,
            series: 320,
            months: 2,
            hours: 336,
            metered: 107_520,
        },
        sending: SendingSaid { batch: 25, in_flight: 64, streams: 0 },
        acknowledged: Acknowledged {
            messages: 10_000,
            records: 250_000,
            repeats: 5_000,
            changed: 2_500,
            strangers: 10,
            late: 40,
            invalid: 30,
            ..Acknowledged::default()
        },
        measured,
        course: (1..=100).map(point).collect(),
        client: use_of(0.4),
        server: Some(use_of(1.15)),
        storage: Some(Storage { bytes: 2_500_000, bytes_per_record: 10.0 }),
        search: None,
        restarts: 0,
        stages: Stages { put: 0.05, send: 103.0, close: 0.4, check: 0.6 },
        bills: Bills { invoices: 32, lines: 640, records: 107_520, total: "123456.78 USD".to_owned() },
        verified: Some(true),
        differences: Differences::default(),
        histograms: Some(recorder.histograms()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_read_what_was_written() {
        let report = sample(50_000.0);
        let json = serde_json::to_string(&report).unwrap();
        let read: Report = serde_json::from_str(&json).unwrap();
        // The last digit of a number may get lost on the way.
        assert_eq!((report.to_string(), csv::course(&report)), (read.to_string(), csv::course(&read)));
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&json["verified"], &json["door"]), (&true.into(), &"unary".into()));
        assert!(json["measured"]["corrected"]["p99_us"].as_f64().unwrap() > 1_000.0);
    }

    #[test]
    fn warm_up_takes_no_processor_time() {
        let course = sample(1.0).course;
        let found = process(&course, |point| Some(if point.warm_up { 50.0 } else { 0.5 }), Some(9)).unwrap();
        assert!((found.cores - 0.5).abs() < 1e-9 && (found.cpu_seconds - 49.0).abs() < 1e-9, "{found:?}");
        assert_eq!(found.memory_bytes, 9);
        assert_eq!(process(&course, |_| None, None), None);
    }
}
