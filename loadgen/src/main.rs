//! The command `souk-load`: puts a server under load, and checks its bills.

mod cli;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use souk_loadgen::noop;

/// The exit code when something failed on the way; 1 says that answers or bills are wrong.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(arguments) => cli::run::execute(&arguments),
        Command::Compare(arguments) => cli::compare::execute(&arguments).map(|()| true),
        Command::Suite(arguments) => cli::suite::execute(&arguments),
        Command::NoopServer { noop } => noop::serve(noop).map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("souk-load: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}
