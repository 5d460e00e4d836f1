//! `soukd`: the server.

use std::process::ExitCode;

use clap::Parser;
use souk_server::cli::{Cli, Command};
use souk_server::{demo, document, serve, telemetry};

fn main() -> ExitCode {
    let cli = Cli::parse();
    // The demo's output is for people; a server's log is for its operator.
    let level = if matches!(cli.command, Command::Serve(_)) { "info" } else { "warn" };
    telemetry::start(cli.log_format, level);
    let result = match cli.command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Schema => {
            println!("{:#}", document::json_schema());
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("soukd: {error:#}");
            ExitCode::FAILURE
        }
    }
}
