//! The command `souk`: a marketplace from the command line.

mod cli;
mod scenario;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    cli::main(cli::Cli::parse())
}
