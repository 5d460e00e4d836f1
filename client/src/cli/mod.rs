//! The command line: one file for each area, with its arguments, what it asks and how it shows the answer.
//!
//! Data goes to stdout and everything else to stderr. The exit code is 0 when all went well, 1 when the
//! server refused, 2 for wrong usage or unreadable input and 3 when the server cannot be reached.

mod account;
mod agreement;
pub mod args;
mod batches;
mod clock;
pub mod error;
mod event;
mod fault;
mod inferences;
mod instances;
mod invoice;
mod invoice_view;
mod json;
mod meter;
mod meter_file;
mod offer;
mod offer_view;
mod outcomes;
pub mod output;
mod partner;
mod product;
mod records;
mod report;
mod resale;
mod runs;
mod sandbox;
mod scenario;
mod session;
pub mod time;
mod usage;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use error::CliError;
use output::Format;
use session::Session;

/// Souk: a simulated AWS Marketplace for metering and billing.
#[derive(Debug, Parser)]
#[command(
    name = "souk",
    version,
    after_help = "Example: make a marketplace, meter an hour of usage, turn the month and read the invoice.
  souk sandbox put market.yaml
  souk meter 2b4kq0z7xw1m8n5c3v6y9t0r1 --customer 222222222222 --dimension hosts --quantity 17
  souk clock advance 31d
  souk invoice list

Exit codes: 0 done, 1 refused by the server, 2 wrong usage or unreadable input, 3 server cannot be reached."
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    area: Area,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
struct Global {
    /// Where the server is [default: http://127.0.0.1:7625].
    #[arg(long, global = true, env = "SOUK_ENDPOINT", value_name = "URL")]
    endpoint: Option<String>,
    /// The sandbox to work in.
    #[arg(long, global = true, env = "SOUK_SANDBOX", value_name = "NAME", default_value = "default")]
    sandbox: String,
    /// How results are written to stdout.
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = Format::Table)]
    output: Format,
    /// How long to wait for an answer, such as 30s or PT5M.
    #[arg(long, global = true, value_name = "DURATION", default_value = "30s", value_parser = time::parse_deadline)]
    deadline: Duration,
}

#[derive(Debug, Subcommand)]
enum Area {
    /// Makes, shows and deletes sandboxes.
    #[command(subcommand)]
    Sandbox(sandbox::SandboxCommand),
    /// Shows and turns the clock of a sandbox.
    #[command(subcommand)]
    Clock(clock::ClockCommand),
    /// Sellers, buyers and payers.
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// What is sold.
    #[command(subcommand)]
    Product(product::ProductCommand),
    /// Who may sell the products of others.
    #[command(subcommand)]
    ResaleAuthorization(resale::ResaleCommand),
    /// On which terms it is sold.
    #[command(subcommand)]
    Offer(offer::OfferCommand),
    /// Offers that buyers accepted.
    #[command(subcommand)]
    Agreement(agreement::AgreementCommand),
    /// Meters one usage record, or a file of them.
    Meter(meter::Meter),
    /// Instances that AWS Marketplace meters itself.
    #[command(subcommand)]
    Instances(instances::InstancesCommand),
    /// Runs of pods, tasks and instances that are billed by the second or minute.
    #[command(subcommand)]
    Runs(runs::RunsCommand),
    /// Calls of models that are billed by their inferences.
    #[command(subcommand)]
    Inferences(inferences::InferencesCommand),
    /// Faults that the AWS port makes on purpose.
    #[command(subcommand)]
    Fault(fault::FaultCommand),
    /// What usage was received.
    #[command(subcommand)]
    Usage(usage::UsageCommand),
    /// What happened in a sandbox.
    #[command(subcommand)]
    Event(event::EventCommand),
    /// Invoices and their explanations.
    #[command(subcommand)]
    Invoice(invoice::InvoiceCommand),
    /// The seller reports.
    #[command(subcommand)]
    Report(report::ReportCommand),
    /// What AWS's partner programs decide by numbers.
    #[command(subcommand)]
    Partner(partner::PartnerCommand),
    /// Billing stories in files, which Souk proves.
    #[command(subcommand)]
    Scenario(scenario::ScenarioCommand),
}

/// Runs the command and says on stderr what went wrong.
pub fn main(cli: Cli) -> ExitCode {
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CliError::Output)
        .and_then(|runtime| runtime.block_on(run(cli, &mut io::stdout().lock())));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing can be done about a stderr that cannot be written to.
            let _ = error.print(&mut io::stderr().lock());
            error.exit_code().into()
        }
    }
}

async fn run(cli: Cli, out: &mut dyn Write) -> Result<(), CliError> {
    let Global { endpoint, sandbox, output, deadline } = cli.global;
    let mut session = Session::new(endpoint, sandbox, deadline, output, out);
    match cli.area {
        Area::Sandbox(command) => command.run(&mut session).await?,
        Area::Clock(command) => command.run(&mut session).await?,
        Area::Account(command) => command.run(&mut session).await?,
        Area::Product(command) => command.run(&mut session).await?,
        Area::ResaleAuthorization(command) => command.run(&mut session).await?,
        Area::Offer(command) => command.run(&mut session).await?,
        Area::Agreement(command) => command.run(&mut session).await?,
        Area::Meter(command) => command.run(&mut session).await?,
        Area::Instances(command) => command.run(&mut session).await?,
        Area::Runs(command) => command.run(&mut session).await?,
        Area::Inferences(command) => command.run(&mut session).await?,
        Area::Fault(command) => command.run(&mut session).await?,
        Area::Usage(command) => command.run(&mut session).await?,
        Area::Event(command) => command.run(&mut session).await?,
        Area::Invoice(command) => command.run(&mut session).await?,
        Area::Report(command) => command.run(&mut session).await?,
        Area::Partner(command) => command.run(&mut session).await?,
        Area::Scenario(command) => command.run(&mut session).await?,
    }
    session.flush()
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    use super::*;

    /// All commands that do something, with their paths.
    fn leaves(command: &Command, path: &str, found: &mut Vec<(String, Command)>) {
        let path = format!("{path} {}", command.get_name()).trim().to_owned();
        let below: Vec<_> = command.get_subcommands().filter(|below| below.get_name() != "help").collect();
        if below.is_empty() {
            found.push((path, command.clone()));
        } else {
            below.into_iter().for_each(|below| leaves(below, &path, found));
        }
    }

    fn all_leaves() -> Vec<(String, Command)> {
        let mut found = Vec::new();
        leaves(&Cli::command(), "", &mut found);
        found
    }

    #[test]
    fn the_arguments_are_declared_consistently() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_of_every_command_has_an_example_of_it_that_can_be_parsed() {
        for (path, command) in all_leaves() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            // An example too long for its line goes on in the next, further to the right.
            let joined = help.replace("\n      ", " ");
            let examples: Vec<&str> =
                joined.lines().map(str::trim).filter(|line| line.starts_with("souk ")).collect();
            assert!(examples.iter().any(|line| line.starts_with(&path)), "{path} has no example:\n{help}");
            for example in examples {
                if let Err(error) = Cli::try_parse_from(example.split_whitespace()) {
                    panic!("the example of {path} is wrong: {example}\n{error}");
                }
            }
        }
    }

    #[test]
    fn the_commands_are_these() {
        let paths: Vec<String> = all_leaves().into_iter().map(|(path, _)| path).collect();
        insta::assert_snapshot!(paths.join("\n"), @r"
        souk sandbox put
        souk sandbox show
        souk sandbox list
        souk sandbox delete
        souk clock show
        souk clock follow
        souk clock set
        souk clock advance
        souk account put
        souk account show
        souk account list
        souk product create
        souk product add-dimensions
        souk product show
        souk product list
        souk resale-authorization create
        souk resale-authorization restrict
        souk resale-authorization list
        souk offer create
        souk offer show
        souk offer list
        souk offer change-prices
        souk agreement accept
        souk agreement add-annual
        souk agreement amend
        souk agreement refund
        souk agreement cancel
        souk agreement show
        souk agreement list
        souk agreement entitlements
        souk meter
        souk instances report
        souk runs report
        souk inferences report
        souk fault set
        souk fault list
        souk fault clear
        souk usage list
        souk event list
        souk invoice list
        souk invoice show
        souk invoice explain
        souk invoice refund
        souk invoice pay
        souk invoice preview
        souk report list
        souk report show
        souk report export
        souk partner activate
        souk partner referrals
        souk partner contact
        souk partner select
        souk partner premier
        souk partner review
        souk scenario run
        souk scenario new
        souk scenario record
        souk scenario schema
        ");
    }

    #[test]
    fn wrong_usage_is_told_and_right_usage_taken() {
        let table = [
            ("clock show", true),
            ("clock show --output csv --sandbox other", true),
            ("clock show --output xml", false),
            ("clock set 2026-02-30", false),
            ("clock advance PT1H", true),
            ("clock advance --to 2026-03-01T06", true),
            ("clock advance", false),
            ("clock advance 1d --to 2026-03-01", false),
            ("clock advance P1M", false),
            ("agreement accept offer-1", false),
            ("agreement accept offer-1 --buyer 222222222222", true),
            ("agreement accept offer-1 --buyer 222222222222 --duration P12M --quantity m5.large=3", true),
            ("agreement accept offer-1 --buyer 222222222222 --duration P12M", false),
            ("agreement accept offer-1 --buyer 222222222222 --duration P12M --quantity m5.large=3.5", false),
            ("agreement add-annual agmt-1 --quantity m5.large", false),
            ("offer change-prices offer-1", false),
            ("offer change-prices offer-1 hosts=0.10 users=2", true),
            ("offer change-prices offer-1 --upfront P12M:hosts=700", true),
            ("offer change-prices offer-1 --upfront hosts=700", false),
            ("meter code --customer 1 --dimension d --quantity 17.5", true),
            ("meter code --customer 1 --dimension d --quantity 1e3", false),
            ("meter code --customer 1 --dimension d --quantity -1", false),
            ("meter code --customer 1 --license arn:x --dimension d --quantity 1", false),
            ("meter code --dimension d --quantity 1", false),
            ("meter --customer 1 --dimension d --quantity 1", false),
            ("meter --license arn:x --dimension d --quantity 1", true),
            ("meter code --customer 1 --quantity 1", false),
            ("meter --file records.csv", true),
            ("meter --file records.csv --customer 1", false),
            ("meter --file records.csv --batch-size 5001", false),
            ("instances report code --buyer 1 --type m5.large --count 3", true),
            ("instances report code --buyer 1 --type m5.large --count 3 --from 2026-01-01", false),
            (
                "instances report code --buyer 1 --type m5.large --count 3 --from 2026-01-01 --until 2026-02-01",
                true,
            ),
            ("instances report --file hours.csv", true),
            ("fault set", false),
            ("fault set faults.json --json {}", false),
            ("fault set --json {\"faults\":[]}", true),
            ("usage list --refused --month 2026-12", true),
            ("usage list --month 2026-13", false),
            ("event list --payer 111111111111 --since 2026-01-01", true),
            ("event list --since yesterday", false),
            ("invoice preview 111111111111 --month 2026-13", false),
            ("invoice preview 111111111111 --month 2026-12", true),
            ("invoice explain inv-1 2", true),
            ("invoice explain inv-1 zero", false),
            ("report show no_such_report --seller 1 --month 2026-01", false),
            (
                "report show monthly_revenue_annual_subscriptions --seller 1 --month 2026-01 --profile legacy",
                true,
            ),
            ("report show daily_business_fees --seller 1", false),
            ("report show daily_business_fees --seller 1 --date 2026-01-32", false),
            ("report show daily_business_fees --seller 1 --date 2026-01-31 --month 2026-01", false),
            ("report show daily_business_fees --seller 1 --date 2026-01-31", true),
            ("report show productfeed_v1 --seller 1 --month 2026-01 --current", true),
            ("partner activate", false),
            ("partner activate --applied-for -5", false),
            ("partner referrals gold --on 2025-01-15", false),
            ("partner referrals select --on 2025-01-15 --validated 2024-06-01,2024-13-01", false),
            ("partner contact --referred tomorrow", false),
            ("partner select --business 2", false),
            ("sandbox delete", false),
            ("--deadline 0s clock show", false),
        ];
        for (line, right) in table {
            let parsed = Cli::try_parse_from(["souk"].into_iter().chain(line.split_whitespace()));
            assert_eq!(parsed.is_ok(), right, "{line}: {:?}", parsed.err().map(|error| error.to_string()));
        }
    }
}
