//! `soukd`: the server.

use std::process::ExitCode;

use clap::Parser;
use souk_server::cli::{Cli, Command};
use souk_server::{demo, document, serve, telemetry};

fn main() -> ExitCode {
    let cli = Cli::parse();
    telemetry::start(cli.log_format);
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
