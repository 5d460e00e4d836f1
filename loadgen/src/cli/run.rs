//! `souk-load run`.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum, value_parser};
use indicatif::{ProgressBar, ProgressStyle};
use souk_loadgen::door::Door;
use souk_loadgen::drive::{self, Load, Options, ServerChoice};
use souk_loadgen::plan::calendar::{HOURS_MAX, MONTHS_MAX};
use souk_loadgen::plan::{Plan, Shape, Share};
use souk_loadgen::report::{Report, csv, hgrm, html};
use souk_loadgen::schedule::{self, Schedule};
use souk_loadgen::search::Target;
use souk_loadgen::server;

const PROGRESS: &str = "{wide_bar} {human_pos}/{human_len} records, {elapsed}\n{msg}";
/// Dimensions of a product: what AWS's source documents allow.
const DIMENSIONS_MAX: i64 = 24;
/// Records a second when nobody says.
const RATE: f64 = 100_000.0;
/// The rate at which a search begins.
const SEARCH_FROM: f64 = 10_000.0;

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(
    after_help = "The run makes the sandbox load-SEED, sends months of usage hour by hour, turns the clock \
                  when a month is answered so that it closes, and reads all invoices. What they must be is computed \
                  here, from what the server acknowledged: cover, private prices and rounding included.

The loop is open: a message is sent when it is due (--rate, --arrivals, --find-max), whether or not the server keeps \
                  up, and its latency counts from then. A closed loop (--closed) sends the next message when one is \
                  answered: it finds what the server can do, not what its customers would wait.

Exit codes: 0 verified; 1 wrong answers or bills; 2 the run failed.

Examples:
  souk-load run                                           a week of small usage, 100k records a second
  souk-load run --door strings --buyers 500 --hours 744 --rate 300k --html run.html
  souk-load run --door unary --arrivals ramp:10k-400k/30s --months 3 --csv course.csv
  souk-load run --door aws --find-max p99=5ms --buyers 400 --months 6 --hours 744
  souk-load run --closed --door columns --streams 4 --buyers 5000 --dimensions 24 --decimals 0
  souk-load run --duplicates 5 --changed 2 --late 0.5 --invalid 0.5 --annual 40 --private 25
  souk-load run --kill-server-every 2s --months 4         SIGKILL and restart, and every record billed once
  souk-load run --endpoint http://127.0.0.1:7625 --keep   then: souk --sandbox load-1 invoice list"
)]
pub struct RunArguments {
    #[command(flatten)]
    server: ServerArguments,
    #[command(flatten)]
    load: LoadArguments,
    #[command(flatten)]
    workload: WorkloadArguments,
    #[command(flatten)]
    output: OutputArguments,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
struct ServerArguments {
    /// A server that runs; one is started for the run when absent.
    #[arg(long, env = "SOUK_ENDPOINT", value_name = "URL")]
    endpoint: Option<String>,
    /// Where that server listens for AWS SDKs, for --door aws.
    #[arg(long, value_name = "HOST:PORT", requires = "endpoint")]
    http_endpoint: Option<String>,
    /// The data folder of that server, to see how much it stores.
    #[arg(long, value_name = "FOLDER", requires = "endpoint")]
    data: Option<PathBuf>,
    /// The soukd to start, on a data folder that is removed in the end; the one beside souk-load when absent.
    #[arg(long, value_name = "PATH", conflicts_with = "endpoint")]
    server: Option<PathBuf>,
    /// Kill the server with SIGKILL whenever so much time has passed, and start it again on its data.
    #[arg(long, value_name = "TIME", value_parser = schedule::duration, conflicts_with = "endpoint")]
    kill_server_every: Option<Duration>,
    /// Leave the sandbox in place.
    #[arg(long, requires = "endpoint")]
    keep: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Load")]
struct LoadArguments {
    /// Through which door usage goes.
    #[arg(long, value_enum, default_value_t = Door::Strings)]
    door: Door,
    /// Closed loop: the next message goes out when one is answered.
    #[arg(long, conflicts_with_all = ["rate", "arrivals", "find_max"])]
    closed: bool,
    /// Open loop: so many records a second, always; 100k when nothing else is asked for.
    #[arg(long, value_name = "RATE", value_parser = schedule::number, conflicts_with_all = ["arrivals"])]
    rate: Option<f64>,
    /// Open loop: records a second over time, such as step:50k,100k/10s, ramp:10k-200k/30s, sine:100k,50k/20s.
    #[arg(long, value_name = "SCHEDULE")]
    arrivals: Option<Schedule>,
    /// Open loop: search the highest rate that keeps a target, such as p99=5ms; it begins at --rate.
    #[arg(long, value_name = "TARGET", conflicts_with = "arrivals")]
    find_max: Option<Target>,
    /// How long a trial of --find-max lasts.
    #[arg(long, value_name = "TIME", value_parser = schedule::duration, default_value = "3s")]
    trial: Duration,
    /// How long a message may wait for a free sender until its moment is skipped (the message is sent later).
    #[arg(long, value_name = "TIME", value_parser = schedule::duration, default_value = "1s")]
    patience: Duration,
    /// Rows of a message: 25 by call, 1,000 of a stream of strings, 8,192 of columns when absent.
    #[arg(long, value_name = "ROWS", value_parser = value_parser!(u32).range(1..))]
    batch: Option<u32>,
    /// Messages under way: of each stream (8 when absent), or in all where they are calls (64).
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u32).range(1..=4_096))]
    in_flight: Option<u32>,
    /// Streams at the same time.
    #[arg(long, default_value_t = 2, value_parser = value_parser!(u32).range(1..=1_024))]
    streams: u32,
    /// Connections that calls over gRPC share.
    #[arg(long, default_value_t = 2, value_parser = value_parser!(u32).range(1..=256))]
    connections: u32,
    /// How long is sent before something is measured; 0 measures from the beginning.
    #[arg(long, value_name = "TIME", value_parser = zero_or_duration, default_value = "1s")]
    warm_up: Duration,
    /// How long is sent after that; until all months are sent when absent.
    #[arg(long, value_name = "TIME", value_parser = schedule::duration)]
    duration: Option<Duration>,
    /// Threads of the generator; one takes the least processor time a message.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..=256))]
    threads: u32,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Workload")]
struct WorkloadArguments {
    /// What everything random follows from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Buying accounts; one to four of them share a payer.
    #[arg(long, default_value_t = 40, value_parser = value_parser!(u32).range(1..=60_000))]
    buyers: u32,
    /// Sellers, of one product each.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..=10_000))]
    sellers: u32,
    /// Priced dimensions of each product.
    #[arg(long, default_value_t = 4, value_parser = value_parser!(u32).range(1..=DIMENSIONS_MAX))]
    dimensions: u32,
    /// Products that a buyer subscribes to, on average.
    #[arg(long, default_value_t = 2, value_parser = value_parser!(u32).range(1..=10_000))]
    subscriptions: u32,
    /// The exponent of Zipf's law by which popular buyers subscribe to more; 0: all are alike.
    #[arg(long, default_value_t = 1.0)]
    zipf: f64,
    /// Months of usage, from January 2025.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..=i64::from(MONTHS_MAX)))]
    months: u32,
    /// Hours of usage, from the beginning of each month.
    #[arg(long, default_value_t = 168, value_parser = value_parser!(u32).range(1..=i64::from(HOURS_MAX)))]
    hours: u32,
    /// Dimensions that are metered in decimals.
    #[arg(long, value_name = "PERCENT", default_value = "25")]
    decimals: Share,
    /// Hours in which a series meters nothing, and says so.
    #[arg(long, value_name = "PERCENT", default_value = "5")]
    zeros: Share,
    /// Records that are sent again as they were.
    #[arg(long, value_name = "PERCENT", default_value = "0")]
    duplicates: Share,
    /// Records that are sent again with another quantity, which must not stand.
    #[arg(long, value_name = "PERCENT", default_value = "0")]
    changed: Share,
    /// Records of closed months, in messages that must be refused.
    #[arg(long, value_name = "PERCENT", default_value = "0")]
    late: Share,
    /// Wrong records, in messages that must be refused, and records of strangers.
    #[arg(long, value_name = "PERCENT", default_value = "0")]
    invalid: Share,
    /// Products that are instances, with annual subscriptions and the (Y-X) rule.
    #[arg(long, value_name = "PERCENT", default_value = "20")]
    annual: Share,
    /// Agreements on private offers; half of them change over from the public one in the first month.
    #[arg(long, value_name = "PERCENT", default_value = "10")]
    private: Share,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
struct OutputArguments {
    /// How the report is written to stdout.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// Write the report as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the course over time as CSV.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write the percentiles for HdrHistogram's plotter: corrected to FILE, raw beside it.
    #[arg(long, value_name = "FILE")]
    hgrm: Option<PathBuf>,
    /// Write a page with plots that needs nothing else.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// How long an interval of the course is.
    #[arg(long, value_name = "TIME", value_parser = schedule::duration, default_value = "500ms")]
    interval: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// Lines for people.
    Text,
    /// One JSON object.
    Json,
}

/// Runs, and writes what was asked for. Answers whether everything was as it must be.
pub fn execute(arguments: &RunArguments) -> anyhow::Result<bool> {
    let options = options(arguments)?;
    let runtime = match arguments.load.threads {
        1 => tokio::runtime::Builder::new_current_thread().enable_all().build(),
        threads => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(threads as usize).enable_all().build()
        }
    };
    let runtime = runtime.context("failed to start the runtime")?;
    let records = Plan::new(options.shape.clone()).cells();
    // Nothing is drawn where stderr is no terminal.
    let progress = ProgressBar::new(records).with_style(ProgressStyle::with_template(PROGRESS)?);
    if !io::stderr().is_terminal() {
        progress.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
    let report = runtime.block_on(drive::run(&options, &progress))?;
    write_files(&report, &arguments.output)?;
    print(&report, arguments.output.output).context("failed to write to stdout")?;
    Ok(report.verified.unwrap_or(true))
}

fn options(arguments: &RunArguments) -> anyhow::Result<Options> {
    let RunArguments { server, load, workload, output } = arguments;
    let batch = load.batch.map_or_else(|| load.door.rows_usual(), |batch| batch as usize);
    anyhow::ensure!(
        batch <= load.door.rows_max(),
        "--batch {batch} is too large: a message of the door {} has at most {} rows",
        load.door.name(),
        load.door.rows_max()
    );
    let in_flight = if load.door.is_stream() { 8 } else { 64 };
    Ok(Options {
        shape: workload.shape(),
        door: load.door,
        batch,
        in_flight: load.in_flight.map_or(in_flight, |in_flight| in_flight as usize),
        streams: load.streams,
        connections: load.connections,
        load: load.load(),
        patience: load.patience,
        warm_up: load.warm_up,
        duration: load.duration,
        server: server.choice()?,
        kill_every: server.kill_server_every,
        keep: server.keep,
        leave_open: false,
        interval: output.interval,
    })
}

impl ServerArguments {
    fn choice(&self) -> anyhow::Result<ServerChoice> {
        match (&self.endpoint, &self.server) {
            (Some(grpc), _) => Ok(ServerChoice::Running {
                grpc: grpc.clone(),
                http: self.http_endpoint.clone(),
                data: self.data.clone(),
            }),
            (None, Some(path)) => Ok(ServerChoice::Start(path.clone())),
            (None, None) => Ok(ServerChoice::Start(server::beside()?)),
        }
    }
}

impl LoadArguments {
    fn load(&self) -> Load {
        if let Some(target) = self.find_max {
            return Load::FindMax { target, begin: self.rate.unwrap_or(SEARCH_FROM), trial: self.trial };
        }
        match (self.closed, &self.arrivals) {
            (true, _) => Load::Closed,
            (false, Some(schedule)) => Load::Open(schedule.clone()),
            (false, None) => Load::Open(Schedule::Constant { rate: self.rate.unwrap_or(RATE) }),
        }
    }
}

impl WorkloadArguments {
    fn shape(&self) -> Shape {
        Shape {
            seed: self.seed,
            buyers: self.buyers,
            sellers: self.sellers,
            dimensions: self.dimensions,
            subscriptions: self.subscriptions,
            zipf_hundredths: (self.zipf.clamp(0.0, 100.0) * 100.0).round() as u32,
            months: self.months,
            hours: self.hours,
            decimals: self.decimals,
            zeros: self.zeros,
            duplicates: self.duplicates,
            changed: self.changed,
            late: self.late,
            invalid: self.invalid,
            annual: self.annual,
            private: self.private,
        }
    }
}

fn zero_or_duration(text: &str) -> Result<Duration, String> {
    match text.trim_end_matches(char::is_alphabetic) {
        "0" => Ok(Duration::ZERO),
        _ => schedule::duration(text),
    }
}

fn write_files(report: &Report, output: &OutputArguments) -> anyhow::Result<()> {
    let write = |file: &Path, text: &str| {
        fs::write(file, text).with_context(|| format!("failed to write {}", file.display()))
    };
    if let Some(file) = &output.json {
        write(file, &serde_json::to_string_pretty(report)?)?;
    }
    if let Some(file) = &output.csv {
        write(file, &csv::course(report))?;
    }
    if let Some(file) = &output.html {
        write(file, &html::report(report))?;
    }
    if let (Some(file), Some((raw, corrected))) = (&output.hgrm, &report.histograms) {
        // In a closed loop nothing is corrected.
        match report.measured.corrected {
            Some(_) => {
                write(file, &hgrm::percentiles(corrected))?;
                write(&file.with_extension("raw.hgrm"), &hgrm::percentiles(raw))?;
            }
            None => write(file, &hgrm::percentiles(raw))?,
        }
    }
    Ok(())
}

fn print(report: &Report, output: Output) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match output {
        Output::Text => writeln!(stdout, "{report}"),
        Output::Json => {
            serde_json::to_writer_pretty(&mut stdout, report)?;
            writeln!(stdout)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Cli, Command};
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<RunArguments, String> {
        let all = ["souk-load", "run"].iter().chain(arguments).copied();
        match Cli::try_parse_from(all).map_err(|error| error.to_string())?.command {
            Command::Run(arguments) => Ok(*arguments),
            other => Err(format!("another command: {other:?}")),
        }
    }

    #[test]
    fn what_a_server_would_refuse_is_refused_at_once() {
        for wrong in [
            ["--hours", "745"],
            ["--months", "12"],
            ["--buyers", "0"],
            ["--dimensions", "25"],
            ["--duplicates", "101"],
            ["--rate", "0"],
            ["--arrivals", "saw:1"],
            ["--find-max", "fast"],
            ["--http-endpoint", "127.0.0.1:1"],
        ] {
            assert!(parsed(&wrong).is_err(), "{wrong:?}");
        }
        let batch = parsed(&["--door", "unary", "--batch", "26", "--endpoint", "http://h:1"]).unwrap();
        let error = options(&batch).unwrap_err().to_string();
        assert_eq!(error, "--batch 26 is too large: a message of the door unary has at most 25 rows");
    }

    #[test]
    fn the_loop_is_open_unless_it_shall_be_closed() {
        let load = |arguments: &[&str]| {
            let all = [&["--endpoint", "http://h:1"], arguments].concat();
            options(&parsed(&all).unwrap()).unwrap().load
        };
        assert_eq!(load(&[]), Load::Open(Schedule::Constant { rate: RATE }));
        assert_eq!(load(&["--closed"]), Load::Closed);
        assert_eq!(load(&["--rate", "5k"]), Load::Open(Schedule::Constant { rate: 5_000.0 }));
        assert!(matches!(load(&["--arrivals", "ramp:1-2/3s"]), Load::Open(Schedule::Ramp { .. })));
        assert!(matches!(load(&["--find-max", "p99=5ms", "--rate", "2k"]), Load::FindMax { .. }));
        assert!(parsed(&["--closed", "--rate", "5"]).is_err());
    }
}
