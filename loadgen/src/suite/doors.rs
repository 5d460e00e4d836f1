//! The doors, each against a server that answers and keeps nothing.

use std::fs::File;
use std::io::{Seek, Write};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::ProgressBar;

use super::{Group, Row, Suite, Target, median, packed};
use crate::door::Door;
use crate::drive::{self, Load, Options, ServerChoice};
use crate::plan::{Shape, Share};
use crate::report::Report;
use crate::server::Program;

/// Rows of the doors.
pub const GROUPS: [Group; 4] = [
    Group { name: "columns stream", target: Target::AtLeast(0.6), measure: |suite| Box::pin(columns(suite)) },
    Group {
        name: "string batches of 1,000",
        target: Target::AtLeast(0.7),
        measure: |suite| Box::pin(strings(suite)),
    },
    Group { name: "unary of 25", target: Target::AtLeast(0.6), measure: |suite| Box::pin(unary(suite)) },
    Group { name: "AWS JSON of 25", target: Target::AtLeast(0.6), measure: |suite| Box::pin(aws(suite)) },
];

/// What is sent before something is measured.
const WARM_UP: Duration = Duration::from_millis(700);
/// What `souk-baselines` calls its baselines.
const COLUMNS_LOGGED: &str = "columns";
const STRINGS_LENT: &str = "strings";
/// Calls under way where there are many.
const MANY: usize = 64;
/// A block of a file system, and how often it is flushed to learn how long that takes.
const BLOCK: usize = 4_096;
const FLUSHES: usize = 400;

/// A load to measure.
#[derive(Debug, Clone)]
pub struct Burst {
    /// Through what.
    pub door: Door,
    /// What is sent.
    pub shape: Shape,
    /// Rows of a message.
    pub batch: usize,
    /// Messages under way.
    pub in_flight: usize,
    /// Streams at the same time.
    pub streams: u32,
    /// How long.
    pub seconds: f64,
    /// The last month stays open, and nothing is verified.
    pub leave_open: bool,
}

/// A market of many series and nothing odd, so that baselines can answer it.
#[must_use]
pub fn plain(buyers: u32, sellers: u32, dimensions: u32) -> Shape {
    Shape {
        seed: 1,
        buyers,
        sellers,
        dimensions,
        subscriptions: sellers,
        zipf_hundredths: 100,
        months: crate::plan::calendar::MONTHS_MAX,
        hours: crate::plan::calendar::HOURS_MAX,
        decimals: Share::NONE,
        zeros: Share::NONE,
        duplicates: Share::NONE,
        changed: Share::NONE,
        late: Share::NONE,
        invalid: Share::NONE,
        annual: Share::NONE,
        private: Share::NONE,
    }
}

impl Burst {
    /// Sends it in a closed loop.
    ///
    /// # Errors
    /// When the server fails, or bills wrongly: a wrong figure is none.
    pub async fn send(&self, server: ServerChoice) -> anyhow::Result<Report> {
        let options = Options {
            shape: self.shape.clone(),
            door: self.door,
            batch: self.batch,
            in_flight: self.in_flight,
            streams: self.streams,
            connections: 2,
            load: Load::Closed,
            patience: Duration::from_secs(1),
            warm_up: WARM_UP,
            duration: Some(Duration::from_secs_f64(self.seconds)),
            keep: matches!(server, ServerChoice::Running { .. }),
            server,
            kill_every: None,
            leave_open: self.leave_open,
            interval: Duration::from_millis(500),
        };
        let report = drive::run(&options, &ProgressBar::hidden()).await?;
        let shown = report.differences.shown.first().cloned().unwrap_or_default();
        anyhow::ensure!(report.verified != Some(false), "the bills are wrong: {shown}");
        anyhow::ensure!(0 < report.measured.messages, "nothing was answered in {} s", self.seconds);
        Ok(report)
    }
}

impl Suite {
    /// The server to measure.
    #[must_use]
    pub fn server(&self) -> ServerChoice {
        ServerChoice::Start(self.soukd.clone())
    }

    /// A server that keeps nothing.
    #[must_use]
    pub fn noop(&self, kind: &str) -> ServerChoice {
        ServerChoice::Bare(Program::of(&self.own, &["noop-server", kind]))
    }

    /// Sends a burst to a baseline that is made of the server's own parts; none without its program.
    async fn own_parts(&self, burst: &Burst, kind: &str) -> anyhow::Result<Option<Report>> {
        let Some(program) = &self.baselines else { return Ok(None) };
        let folder = tempfile::Builder::new().prefix("souk-load-").tempdir();
        let folder = folder.context("failed to make a folder for the baseline")?;
        let data = folder.path().display().to_string();
        let arguments = match kind {
            COLUMNS_LOGGED => vec![kind, &data],
            _ => vec![kind],
        };
        let program = Program::of(program, &arguments);
        let report = burst.send(ServerChoice::Bare(program)).await.context("the baseline failed")?;
        folder.close().context("failed to remove the folder of the baseline")?;
        Ok(Some(report))
    }

    /// Sends a burst to baseline and server in turn.
    async fn rounds(&self, burst: &Burst, noop: &str) -> anyhow::Result<Vec<(Report, Report)>> {
        let mut rounds = Vec::new();
        for _ in 0..self.rounds {
            let baseline = burst.send(self.noop(noop)).await.context("the baseline failed")?;
            rounds.push((burst.send(self.server()).await?, baseline));
        }
        Ok(rounds)
    }
}

/// The same figure of value and baseline, round by round.
fn pairs(rounds: &[(Report, Report)], figure: impl Fn(&Report) -> f64) -> Vec<(f64, f64)> {
    rounds.iter().map(|(value, baseline)| (figure(value), figure(baseline))).collect()
}

fn rate(report: &Report) -> f64 {
    report.measured.records_per_second
}

/// How the server's share of the work is told.
fn note(rounds: &[(Report, Report)]) -> String {
    let Some((value, baseline)) = rounds.last() else { return String::new() };
    let cores = |report: &Report| {
        let server = report.server.map(|server| server.cores).unwrap_or_default();
        format!("server {server:.2}, souk-load {:.2}", report.client.cores)
    };
    let stored = value.storage.map(|storage| format!("; {:.1} B stored a record", storage.bytes_per_record));
    format!("verified; cores: {}; baseline: {}{}", cores(value), cores(baseline), stored.unwrap_or_default())
}

async fn columns(suite: &Suite) -> anyhow::Result<Vec<Row>> {
    let burst = Burst {
        door: Door::Columns,
        shape: plain(240, 10, 24),
        batch: 8_192,
        in_flight: 8,
        streams: 2,
        seconds: suite.seconds,
        leave_open: false,
    };
    let (mut fixed32, mut bytes, mut logged, mut last) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..suite.rounds {
        let packed = packed::rate(suite, &burst).await.context("the baseline failed")?;
        let noop = burst.send(suite.noop("grpc")).await.context("the baseline failed")?;
        let appended = suite.own_parts(&burst, COLUMNS_LOGGED).await?;
        let report = burst.send(suite.server()).await?;
        logged.extend(appended.map(|appended| (rate(&report), rate(&appended))));
        fixed32.push((rate(&report), packed));
        bytes.push((rate(&report), rate(&noop)));
        last.push((report, noop));
    }
    let name = "columns stream, durable";
    let (unit, note) = ("records/s", note(&last));
    Ok(vec![
        Row::measured(
            name,
            unit,
            "a no-op server of the same rows as packed fixed32",
            Target::AtLeast(0.6),
            &fixed32,
        )
        .noted(note),
        Row::measured(
            &format!("{name}, of bytes"),
            unit,
            "a no-op server of the same messages",
            Target::Shown,
            &bytes,
        ),
        own_parts_row(
            &format!("{name}, beside its log"),
            "a server that decodes the same messages and appends them to the same log",
            Target::AtLeast(0.6),
            &logged,
        ),
    ])
}

/// A row beside a baseline of the server's own parts.
fn own_parts_row(name: &str, baseline_is: &str, target: Target, rounds: &[(f64, f64)]) -> Row {
    match rounds {
        [] => Row::missing(name, target, "souk-baselines is not beside souk-load: name it with --baselines"),
        rounds => Row::measured(name, "records/s", baseline_is, target, rounds),
    }
}

async fn strings(suite: &Suite) -> anyhow::Result<Vec<Row>> {
    let burst = Burst {
        door: Door::Strings,
        shape: plain(500, 2, 20),
        batch: 1_000,
        in_flight: 8,
        streams: 2,
        seconds: suite.seconds,
        leave_open: false,
    };
    let (mut rounds, mut lent) = (Vec::new(), Vec::new());
    for _ in 0..suite.rounds {
        let noop = burst.send(suite.noop("grpc")).await.context("the baseline failed")?;
        let own = suite.own_parts(&burst, STRINGS_LENT).await?;
        let report = burst.send(suite.server()).await?;
        lent.extend(own.map(|own| (rate(&report), rate(&own))));
        rounds.push((report, noop));
    }
    let baseline = "a no-op server with the decoder of prost";
    let name = "string batches of 1,000, durable";
    Ok(vec![
        Row::measured(name, "records/s", baseline, Target::AtLeast(0.7), &pairs(&rounds, rate))
            .noted(note(&rounds)),
        own_parts_row(
            &format!("{name}, lent"),
            "a no-op server with the server's own decoder",
            Target::AtLeast(0.7),
            &lent,
        ),
    ])
}

async fn unary(suite: &Suite) -> anyhow::Result<Vec<Row>> {
    let many = Burst {
        door: Door::Unary,
        shape: plain(500, 2, 20),
        batch: 25,
        in_flight: MANY,
        streams: 1,
        seconds: suite.seconds,
        leave_open: false,
    };
    let rounds = suite.rounds(&many, "grpc").await?;
    let baseline = "a no-op unary server";
    let mut rows = vec![
        Row::measured(
            "unary of 25, 64 in flight, durable",
            "calls/s",
            baseline,
            Target::AtLeast(0.6),
            &pairs(&rounds, |report| report.measured.messages_per_second),
        )
        .noted(note(&rounds)),
        Row::measured(
            "unary of 25, 64 in flight, p99",
            "us",
            baseline,
            Target::AtMost(3.0),
            &pairs(&rounds, |report| report.measured.raw.p99_us),
        ),
    ];
    let one = Burst { in_flight: 1, ..many };
    let rounds = suite.rounds(&one, "grpc").await?;
    let flush = flush_us().context("a file could not be flushed")?;
    let halves: Vec<_> = pairs(&rounds, |report| report.measured.raw.p50_us)
        .into_iter()
        .map(|(value, noop)| (value, noop + flush))
        .collect();
    let baseline = "a no-op unary server and one raw flush of 4 KiB";
    rows.push(
        Row::measured("unary of 25, 1 in flight, p50", "us", baseline, Target::AtMost(1.5), &halves)
            .noted(format!("the flush alone takes {flush:.0} us")),
    );
    Ok(rows)
}

async fn aws(suite: &Suite) -> anyhow::Result<Vec<Row>> {
    let burst = Burst {
        door: Door::Aws,
        shape: plain(500, 2, 20),
        batch: 25,
        in_flight: MANY,
        streams: 1,
        seconds: suite.seconds,
        leave_open: false,
    };
    let rounds = suite.rounds(&burst, "aws").await?;
    let baseline = "a no-op axum handler with the same parse, reply and signature";
    let name = "AWS JSON of 25, signed, durable";
    let calls = pairs(&rounds, |report| report.measured.messages_per_second);
    Ok(vec![Row::measured(name, "calls/s", baseline, Target::AtLeast(0.6), &calls).noted(note(&rounds))])
}

/// How long it takes to write and flush a block, in microseconds: the median.
fn flush_us() -> std::io::Result<f64> {
    let mut file: File = tempfile::tempfile()?;
    let block = [7; BLOCK];
    // As large as it gets, so that a flush writes data alone.
    for _ in 0..FLUSHES {
        file.write_all(&block)?;
    }
    file.sync_all()?;
    file.rewind()?;
    let mut times = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        let began = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        times.push(began.elapsed().as_secs_f64() * 1e6);
    }
    Ok(median(times.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_takes_time() {
        assert!(0.0 < flush_us().unwrap());
    }
}
