//! The command `souk-load`: puts a server under load, and checks its bills.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use indicatif::{ProgressBar, ProgressStyle};
use souk_client::{STREAM_RECORDS_MAX, SoukClient};
use souk_loadgen::drive::{self, Settings};
use souk_loadgen::plan::{HOURS_MAX, Plan, Shape};
use souk_loadgen::report::Report;

/// The exit code when something failed on the way; 1 says that answers or bills are wrong.
const FAILED: u8 = 2;
const PROGRESS: &str = "{msg:20} {wide_bar} {human_pos}/{human_len} records, {eta} left";
/// Dimensions of a product, as the guides of 2026 allow.
const DIMENSIONS_MAX: i64 = 200;

/// Puts a Souk server under load, and checks its bills to the cent.
#[derive(Debug, Parser)]
#[command(
    name = "souk-load",
    version,
    about,
    after_help = "Examples:
  souk-load run                                        a small month at http://127.0.0.1:7625
  souk-load run --buyers 500 --hours 744 --streams 4   some millions of records
  souk-load run --seed 7 --duplicates 5 --output json  the same month every time, in JSON"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Meter a month from a seed, close it, and compare every invoice with what must be on it.
    Run(RunArguments),
}

#[derive(Debug, Args)]
#[command(after_help = "The run makes the sandbox load-SEED, streams a month's usage record by record in a \
                  closed loop (the next message goes out when an earlier one is answered), turns the clock \
                  until the month is invoiced, and reads all invoices. What they must be is computed here, \
                  from what the server acknowledged.

Exit codes: 0 verified; 1 wrong answers or bills; 2 the run failed.

Examples:
  souk-load run --seed 1 --buyers 100 --sellers 10 --dimensions 8 --hours 168
  souk-load run --duplicates 10       every tenth record is sent again
  souk-load run --batch 5000 --in-flight 4 --streams 1
  souk-load run --keep                leaves the sandbox: souk invoice list --sandbox load-1")]
struct RunArguments {
    /// Where the server is.
    #[arg(long, env = "SOUK_ENDPOINT", default_value = "http://127.0.0.1:7625")]
    endpoint: String,
    /// What everything random follows from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Buying accounts; one to four of them share a payer, and each subscribes to one to three products.
    #[arg(long, default_value_t = 40, value_parser = value_parser!(u32).range(1..))]
    buyers: u32,
    /// Sellers, of one SaaS product each.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..))]
    sellers: u32,
    /// Priced dimensions of each product.
    #[arg(long, default_value_t = 4, value_parser = value_parser!(u32).range(1..=DIMENSIONS_MAX))]
    dimensions: u32,
    /// Hours of usage, from the beginning of the month.
    #[arg(long, default_value_t = 168, value_parser = value_parser!(u32).range(1..=i64::from(HOURS_MAX)))]
    hours: u32,
    /// Records of a message.
    #[arg(long, default_value_t = 1_000, value_parser = value_parser!(u32).range(1..=STREAM_RECORDS_MAX as i64))]
    batch: u32,
    /// Messages of a stream that wait for their answers at most.
    #[arg(long, default_value_t = 8, value_parser = value_parser!(u32).range(1..=1_024))]
    in_flight: u32,
    /// Streams at the same time.
    #[arg(long, default_value_t = 2, value_parser = value_parser!(u32).range(1..=1_024))]
    streams: u32,
    /// How many of a hundred records are followed by a duplicate of an earlier one.
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = value_parser!(u32).range(0..=100))]
    duplicates: u32,
    /// Leave the sandbox in place.
    #[arg(long)]
    keep: bool,
    /// How the report is written to stdout.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// Lines for people.
    Text,
    /// One JSON object.
    Json,
}

impl RunArguments {
    fn shape(&self) -> Shape {
        Shape {
            seed: self.seed,
            buyers: self.buyers,
            sellers: self.sellers,
            dimensions: self.dimensions,
            hours: self.hours,
            duplicates_percent: self.duplicates,
        }
    }

    fn settings(&self) -> Settings {
        Settings {
            batch: self.batch as usize,
            in_flight: self.in_flight as usize,
            streams: self.streams,
            keep: self.keep,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Run(arguments) = Cli::parse().command;
    match run(&arguments).await {
        Ok(report) if report.verified => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("souk-load: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

async fn run(arguments: &RunArguments) -> anyhow::Result<Report> {
    let plan = Arc::new(Plan::new(arguments.shape()));
    let client = SoukClient::connect(&arguments.endpoint).await?;
    let records = plan.cells() + plan.cells() * u64::from(arguments.duplicates) / 100;
    // Nothing is drawn where stderr is no terminal.
    let progress = ProgressBar::new(records).with_style(ProgressStyle::with_template(PROGRESS)?);
    let report = drive::run(&client, &plan, arguments.settings(), &progress).await?;
    print(&report, arguments.output).context("failed to write to stdout")?;
    Ok(report)
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
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_a_server_would_refuse_is_refused_at_once() {
        for wrong in [["--hours", "745"], ["--batch", "5001"], ["--buyers", "0"], ["--duplicates", "101"]] {
            assert!(Cli::try_parse_from(["souk-load", "run", wrong[0], wrong[1]]).is_err(), "{wrong:?}");
        }
    }
}
