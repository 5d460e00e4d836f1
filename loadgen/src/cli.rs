//! The command line.

pub mod compare;
pub mod run;
pub mod suite;

use clap::{Parser, Subcommand};
use souk_loadgen::noop::Noop;

/// Puts a Souk server under load, and checks its bills to the cent.
#[derive(Debug, Parser)]
#[command(
    name = "souk-load",
    version,
    about,
    after_help = "Examples:
  souk-load run                                    a small month, on a server that is started for it
  souk-load run --rate 500k --html run.html        an open loop, with a page of plots
  souk-load run --find-max p99=5ms                 the highest rate that keeps the target
  souk-load compare before.json after.json         two runs side by side
  souk-load suite --json suite.json                what Souk must reach, beside its baselines"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Meter months of usage from a seed, close them, and compare every invoice with what must be on it.
    Run(Box<run::RunArguments>),
    /// Show two runs side by side, with ratios.
    Compare(compare::CompareArguments),
    /// Measure what Souk must reach, each figure beside its baseline.
    Suite(suite::SuiteArguments),
    /// Serve a door without a marketplace behind it, for comparison.
    #[command(hide = true)]
    NoopServer {
        /// Which door.
        noop: Noop,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
