//! What a run found, for people and for programs.

use std::fmt;

use serde::Serialize;

use crate::audit::{Acknowledged, Bills, Differences, Ledger};
use crate::drive::Settings;
use crate::measure::Measured;
use crate::plan::Plan;

/// What a run found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What the plan followed from.
    pub seed: u64,
    /// The sandbox.
    pub sandbox: String,
    /// How large the plan was.
    pub size: Size,
    /// How it was sent.
    pub load: Load,
    /// How many records were answered how.
    pub acknowledged: Acknowledged,
    /// Throughput and latency after the warm-up.
    pub measured: Measured,
    /// How long the stages took.
    pub stages: Stages,
    /// What was billed.
    pub bills: Bills,
    /// Whether everything was as it must be.
    pub verified: bool,
    /// What was not.
    pub differences: Differences,
}

/// How large a plan was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Buying accounts.
    pub buyers: u32,
    /// Their payers.
    pub payers: u32,
    /// Sellers.
    pub sellers: u32,
    /// Agreements.
    pub agreements: u64,
    /// Series.
    pub series: u64,
    /// Hours of usage.
    pub hours: u32,
}

/// How a plan was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Load {
    /// Streams at the same time.
    pub streams: u32,
    /// Messages of a stream in flight at most.
    pub in_flight: u64,
    /// Records of a message.
    pub batch: u64,
    /// How many of a hundred records were followed by a duplicate.
    pub duplicates_percent: u32,
}

/// How long the stages took, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stages {
    /// Making the sandbox.
    pub put_us: u64,
    /// Streaming all usage, warm-up included.
    pub stream_us: u64,
    /// Closing the month.
    pub close_us: u64,
    /// Reading all invoices.
    pub read_us: u64,
}

impl Report {
    /// Gathers what a run found.
    #[must_use]
    pub fn new(
        plan: &Plan,
        settings: Settings,
        ledger: &Ledger,
        measured: Measured,
        stages: Stages,
        bills: Bills,
        differences: Differences,
    ) -> Report {
        Report {
            seed: plan.shape.seed,
            sandbox: plan.sandbox.clone(),
            size: Size {
                buyers: plan.shape.buyers,
                payers: plan.payers(),
                sellers: plan.shape.sellers,
                agreements: plan.agreements() as u64,
                series: plan.series.len() as u64,
                hours: plan.shape.hours,
            },
            load: Load {
                streams: settings.streams,
                in_flight: settings.in_flight as u64,
                batch: settings.batch as u64,
                duplicates_percent: plan.shape.duplicates_percent,
            },
            acknowledged: ledger.acknowledged,
            measured,
            stages,
            bills,
            verified: differences.count == 0,
            differences,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { size, load, acknowledged, measured, stages, bills, .. } = self;
        writeln!(
            f,
            "plan      seed {}: {} buyers of {} payers, {} sellers, {} agreements, {} series x {} hours",
            self.seed,
            size.buyers,
            size.payers,
            size.sellers,
            size.agreements,
            grouped(size.series),
            size.hours
        )?;
        writeln!(
            f,
            "load      closed loop, {} streams, {} messages of {} records in flight on each",
            load.streams, load.in_flight, load.batch
        )?;
        writeln!(
            f,
            "answers   {} records: {} metered, {} repeats, {} contradictions, {} unprocessed",
            grouped(acknowledged.records),
            grouped(acknowledged.metered),
            grouped(acknowledged.repeats),
            grouped(acknowledged.contradictions),
            grouped(acknowledged.unprocessed)
        )?;
        write_measured(measured, f)?;
        writeln!(
            f,
            "stages    sandbox {}, usage {}, close {}, invoices {}",
            Millis(stages.put_us),
            Millis(stages.stream_us),
            Millis(stages.close_us),
            Millis(stages.read_us)
        )?;
        writeln!(
            f,
            "bills     {} invoices, {} lines, {}",
            grouped(bills.invoices),
            grouped(bills.lines),
            bills.total
        )?;
        match self.verified {
            true => write!(f, "verified"),
            false => write_differences(&self.differences, f),
        }
    }
}

fn write_measured(measured: &Measured, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if measured.messages == 0 {
        return writeln!(f, "rate      too few messages to measure anything");
    }
    writeln!(
        f,
        "rate      {} records/s, over {} of {} records",
        grouped(measured.records_per_second),
        Millis(measured.elapsed_us),
        grouped(measured.records)
    )?;
    let latency = measured.latency_us;
    writeln!(
        f,
        "latency   p50 {}  p90 {}  p99 {}  max {}  of {} messages",
        Millis(latency.p50),
        Millis(latency.p90),
        Millis(latency.p99),
        Millis(latency.max),
        grouped(measured.messages)
    )
}

fn write_differences(differences: &Differences, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "NOT verified: {} differences", grouped(differences.count))?;
    for words in &differences.shown {
        write!(f, "\n  {words}")?;
    }
    let more = differences.count - differences.shown.len() as u64;
    if more > 0 {
        write!(f, "\n  and {} more", grouped(more))?;
    }
    Ok(())
}

/// Microseconds, written as milliseconds.
struct Millis(u64);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Millis(micros) = self;
        write!(f, "{}.{:02} ms", grouped(micros / 1_000), micros % 1_000 / 10)
    }
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (digit, left) in digits.chars().zip((0..digits.len()).rev()) {
        text.push(digit);
        if left > 0 && left.is_multiple_of(3) {
            text.push(',');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Course, Meter};
    use crate::plan::Shape;

    fn report(differences: Differences) -> Report {
        let shape = Shape { seed: 1, buyers: 4, sellers: 2, dimensions: 3, hours: 24, duplicates_percent: 2 };
        let plan = Plan::new(shape);
        let settings = Settings { batch: 1_000, in_flight: 8, streams: 2, keep: false };
        let measured = Meter::new().unwrap().measured(&Course::of(0));
        let stages = Stages { put_us: 1_234_567, stream_us: 5, close_us: 999, read_us: 10_000 };
        let bills = Bills { invoices: 3, lines: 12, total: "1.00 USD".to_owned() };
        Report::new(&plan, settings, &Ledger::new(&plan), measured, stages, bills, differences)
    }

    #[test]
    fn the_last_line_says_whether_the_bills_are_right() {
        let text = report(Differences::default()).to_string();
        assert!(text.ends_with("\nverified"), "{text}");
        assert!(text.contains("sandbox 1,234.56 ms, usage 0.00 ms, close 0.99 ms"), "{text}");

        let mut differences = Differences::default();
        for number in 0..21 {
            differences.add(|| format!("line {number} differs"));
        }
        let text = report(differences).to_string();
        assert!(text.contains("NOT verified: 21 differences\n  line 0 differs\n"), "{text}");
        assert!(text.ends_with("line 19 differs\n  and 1 more"), "{text}");
    }

    #[test]
    fn programs_read_numbers() {
        let json = serde_json::to_value(report(Differences::default())).unwrap();
        assert_eq!(json["verified"], true);
        assert_eq!(json["stages"]["close_us"], 999);
        assert_eq!(json["measured"]["latency_us"]["p99"], 0);
    }

    #[test]
    fn digits_come_in_groups_of_three() {
        let texts = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }
}
