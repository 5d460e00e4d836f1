//! `souk-load suite`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use souk_loadgen::server;
use souk_loadgen::suite::{Suite, head, line};

/// Arguments of `suite`.
#[derive(Debug, Args)]
#[command(
    after_help = "Every figure stands beside a baseline of the same run: a server that answers and keeps nothing, \
                  a raw flush, a plain read. Only the ratios mean something on a machine that is shared.

Exit codes: 0 every target that was measured is met; 1 one is missed; 2 the suite failed.

Examples:
  souk-load suite --json suite.json
  souk-load suite --only unary --rounds 5"
)]
pub struct SuiteArguments {
    /// Write the rows as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The soukd to measure; the one beside souk-load when absent.
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// The program that measures kernels in process; the souk-kernels beside souk-load when absent.
    #[arg(long, value_name = "PATH")]
    kernels: Option<PathBuf>,
    /// The program that serves baselines made of the server's own parts; the souk-baselines beside souk-load when
    /// absent.
    #[arg(long, value_name = "PATH")]
    baselines: Option<PathBuf>,
    /// Rounds of each figure, of which the median is shown.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
    /// How long a round measures, in seconds.
    #[arg(long, default_value_t = 2.5)]
    seconds: f64,
    /// Only what has this in its name: columns, string, unary, AWS, memory, cost, kernels.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

/// Measures, and writes what was asked for. Answers whether every target is met.
pub fn execute(arguments: &SuiteArguments) -> anyhow::Result<bool> {
    let own = std::env::current_exe().context("failed to find this program")?;
    let soukd = arguments.server.clone().map_or_else(server::beside, Ok)?;
    let beside = |name: &str| {
        let path = own.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        path.is_file().then_some(path)
    };
    let suite = Suite {
        soukd,
        kernels: arguments.kernels.clone().or_else(|| beside("souk-kernels")),
        baselines: arguments.baselines.clone().or_else(|| beside("souk-baselines")),
        own,
        rounds: arguments.rounds,
        seconds: arguments.seconds.clamp(0.1, 600.0),
        only: arguments.only.clone(),
    };
    // The same runtime as that of a run.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{}", head());
    let rows = runtime.block_on(suite.measure(|row| println!("{}", line(row))));
    if let Some(file) = &arguments.json {
        fs::write(file, serde_json::to_string_pretty(&rows)?)
            .with_context(|| format!("failed to write {}", file.display()))?;
    }
    Ok(rows.rows.iter().all(|row| row.met != Some(false)))
}
