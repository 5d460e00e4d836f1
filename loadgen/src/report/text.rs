//! Lines for a terminal.

use std::fmt::{self, Display, Formatter};

use super::{Report, SearchSaid};
use crate::measure::Latencies;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Report { size, sending, acknowledged, stages, bills, .. } = self;
        writeln!(
            f,
            "plan      seed {}: {} buyers of {} payers, {} sellers, {} agreements ({} private, {} with annual cover), \
             {} series, {} hours in {} months",
            self.seed,
            count(size.buyers),
            count(size.payers),
            count(size.sellers),
            count(size.agreements),
            count(size.private),
            count(size.annual),
            count(size.series),
            count(size.hours),
            size.months
        )?;
        write!(f, "load      {}: {}, ", self.door.name(), self.load)?;
        match sending.streams {
            0 => writeln!(
                f,
                "{} records a call, at most {} calls under way",
                sending.batch, sending.in_flight
            )?,
            streams => writeln!(
                f,
                "{} records a message, {streams} streams, at most {} messages under way on each",
                sending.batch, sending.in_flight
            )?,
        }
        writeln!(
            f,
            "answers   {} records in {} messages: {} repeats, {} with another quantity, {} of strangers, {} late, \
             {} invalid",
            count(acknowledged.records),
            count(acknowledged.messages),
            count(acknowledged.repeats),
            count(acknowledged.changed),
            count(acknowledged.strangers),
            count(acknowledged.late),
            count(acknowledged.invalid)
        )?;
        let again = [
            (acknowledged.unprocessed, "records not processed at first"),
            (acknowledged.busy, "messages refused for the moment"),
            (acknowledged.resent, "messages whose answer was lost"),
            (self.restarts, "times the server was killed and started again"),
        ];
        for (number, what) in again.iter().filter(|(number, _)| 0 < *number) {
            writeln!(f, "          {} {what}", count(*number))?;
        }
        self.write_measured(f)?;
        if let Some(search) = &self.search {
            write_search(search, f)?;
        }
        write!(f, "cores     souk-load {:.2}", self.client.cores)?;
        if let Some(server) = self.server {
            write!(
                f,
                ", the server {:.2} and {} MB of memory",
                server.cores,
                count(server.memory_bytes / 1_000_000)
            )?;
        }
        writeln!(f)?;
        if let Some(storage) = self.storage {
            let (bytes, each) = (count(storage.bytes), storage.bytes_per_record);
            writeln!(f, "stored    {bytes} bytes, {each:.1} a record")?;
        }
        writeln!(
            f,
            "stages    sandbox {}, usage {}, closing months {}, invoices {}",
            seconds(stages.put),
            seconds(stages.send),
            seconds(stages.close),
            seconds(stages.check)
        )?;
        if self.verified.is_some() {
            writeln!(
                f,
                "bills     {} invoices, {} lines, {}",
                count(bills.invoices),
                count(bills.lines),
                bills.total
            )?;
        }
        self.write_verdict(f)
    }
}

impl Report {
    fn write_measured(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let measured = &self.measured;
        if measured.messages == 0 {
            return writeln!(f, "rate      nothing was measured: the run ended in its warm-up");
        }
        writeln!(
            f,
            "rate      {} records/s, {} messages/s, over {} of {} records",
            count(measured.records_per_second.round() as u64),
            count(measured.messages_per_second.round() as u64),
            seconds(measured.seconds),
            count(measured.records)
        )?;
        if 0 < measured.skipped {
            let (skipped, all) = (count(measured.skipped), count(measured.messages + measured.skipped));
            writeln!(f, "skipped   {skipped} of {all} moments: nobody was free to send within the patience")?;
        }
        match &measured.corrected {
            Some(corrected) => {
                writeln!(f, "latency   from when it was due   {}", Percentiles(corrected))?;
                writeln!(f, "          from when it was sent  {}", Percentiles(&measured.raw))
            }
            None => writeln!(f, "latency   from when it was sent  {}", Percentiles(&measured.raw)),
        }
    }

    fn write_verdict(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(verified) = self.verified else {
            return write!(f, "nothing to verify: there are no bills");
        };
        if verified {
            return write!(
                f,
                "verified  {} acknowledged records are billed exactly once, and every line is as computed here",
                count(self.size.metered)
            );
        }
        write!(f, "NOT verified: {} differences", count(self.differences.count))?;
        for words in &self.differences.shown {
            write!(f, "\n  {words}")?;
        }
        match self.differences.count - self.differences.shown.len() as u64 {
            0 => Ok(()),
            more => write!(f, "\n  and {} more", count(more)),
        }
    }
}

fn write_search(search: &SearchSaid, f: &mut Formatter<'_>) -> fmt::Result {
    match search.rate {
        Some(rate) => {
            writeln!(f, "highest   {} records/s keep {}", count(rate.round() as u64), search.target)?
        }
        None => writeln!(f, "highest   no rate keeps {}", search.target)?,
    }
    for trial in &search.trials {
        let (rate, achieved) = (count(trial.rate.round() as u64), count(trial.achieved.round() as u64));
        let kept = if trial.kept { "kept" } else { "missed" };
        writeln!(
            f,
            "          {rate:>13} due/s, {achieved:>13} answered/s, {:>10}  {kept}",
            time(trial.latency_us)
        )?;
    }
    Ok(())
}

/// The usual percentiles in a row.
struct Percentiles<'a>(&'a Latencies);

impl Display for Percentiles<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Latencies { p50_us, p90_us, p99_us, p999_us, max_us, .. } = self.0;
        let [p50, p90, p99, p999, max] = [p50_us, p90_us, p99_us, p999_us, max_us].map(|us| time(*us));
        write!(f, "p50 {p50}  p90 {p90}  p99 {p99}  p99.9 {p999}  max {max}")
    }
}

/// Digits in groups of three.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (digit, left) in digits.chars().zip((0..digits.len()).rev()) {
        text.push(digit);
        if 0 < left && left.is_multiple_of(3) {
            text.push(',');
        }
    }
    text
}

/// Microseconds in the unit that people read.
#[must_use]
pub fn time(us: f64) -> String {
    match us {
        us if us < 1_000.0 => format!("{us:.0} us"),
        us if us < 1_000_000.0 => format!("{:.2} ms", us / 1_000.0),
        us => format!("{:.2} s", us / 1_000_000.0),
    }
}

fn seconds(seconds: f64) -> String {
    time(seconds * 1e6)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::audit::Differences;
    use crate::drive::conduct::Trial;

    #[test]
    fn the_last_line_says_whether_the_bills_are_right() {
        let mut report = sample(50_000.0);
        let text = report.to_string();
        assert!(text.ends_with("verified  107,520 acknowledged records are billed exactly once, and every line is as computed here"), "{text}");
        assert!(text.contains("latency   from when it was due   p50"), "{text}");
        assert!(text.contains("stored    2,500,000 bytes, 10.0 a record"), "{text}");

        let mut differences = Differences::default();
        for number in 0..21 {
            differences.add(|| format!("line {number} differs"));
        }
        (report.verified, report.differences) = (Some(false), differences);
        let text = report.to_string();
        assert!(text.contains("NOT verified: 21 differences\n  line 0 differs\n"), "{text}");
        assert!(text.ends_with("line 19 differs\n  and 1 more"), "{text}");
    }

    #[test]
    fn what_is_rare_is_said_only_when_it_happened() {
        let mut report = sample(50_000.0);
        let text = report.to_string();
        for word in ["skipped", "killed", "highest", "lost"] {
            assert!(!text.contains(word), "{text}");
        }
        report.restarts = 2;
        report.acknowledged.resent = 1_234;
        report.measured.skipped = 5;
        let trial = |kept| Trial { rate: 20_000.0, achieved: 19_990.0, latency_us: 4_200.0, kept };
        let trials = vec![trial(true), trial(false)];
        report.search = Some(SearchSaid { target: "p99=5ms".to_owned(), rate: Some(20_000.0), trials });
        let text = report.to_string();
        for words in
            ["2 times the server was killed", "1,234 messages whose answer was lost", "skipped   5 of 10,005"]
        {
            assert!(text.contains(words), "{text}");
        }
        assert!(text.contains("highest   20,000 records/s keep p99=5ms"), "{text}");
        assert!(text.contains("4.20 ms  missed"), "{text}");
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([5.4, 1_500.0, 2_345_678.0].map(time), ["5 us", "1.50 ms", "2.35 s"]);
    }
}
