//! `souk clock`: shows and turns the clock of a sandbox.

use clap::{ArgGroup, Subcommand};
use prost_types::Timestamp;
use souk_client::TurnedClock;
use souk_proto::sandbox::v1::advance_clock_request::Target;
use souk_proto::sandbox::v1::clock_setting::Setting;
use souk_proto::sandbox::v1::{AdvanceClockResponse, Clock, FollowMachine};

use super::error::CliError;
use super::output::View;
use super::session::Session;
use super::{json, sandbox, time};

#[derive(Debug, Subcommand)]
pub enum ClockCommand {
    /// Shows the sandbox's time.
    #[command(after_help = "Example:
  souk clock show --sandbox spring-sale")]
    Show,
    /// Lets the clock follow the machine's.
    #[command(after_help = "Example:
  souk clock follow")]
    Follow,
    /// Stops the clock at a time that is not before its own.
    #[command(after_help = "Examples:
  souk clock set 2026-03-01
  souk clock set 2026-03-01T06:30:00Z")]
    Set {
        /// RFC 3339, a day (2026-03-01) or an hour (2026-03-01T06), in UTC.
        #[arg(value_parser = time::parse)]
        time: Timestamp,
    },
    /// Turns a stopped clock forward; answers when everything that was due is done.
    #[command(group(ArgGroup::new("target").args(["by", "to"]).required(true)))]
    #[command(after_help = "Examples:
  souk clock advance PT1H
  souk clock advance 31d --deadline 5m
  souk clock advance --to 2026-04-02T06")]
    Advance {
        /// By how much: PT1H, P1DT12H, 1d, 12h, 30m.
        #[arg(value_parser = time::parse_duration)]
        by: Option<prost_types::Duration>,
        /// To when instead; unlike an amount this is tried again when the answer gets lost.
        #[arg(long, value_name = "TIME", value_parser = time::parse)]
        to: Option<Timestamp>,
    },
}

impl ClockCommand {
    pub async fn run(self, session: &mut Session<'_>) -> Result<(), CliError> {
        let client = session.connect().await?;
        let name = session.sandbox.clone();
        let turned = match self {
            ClockCommand::Show => {
                let clock = client.get_clock(&name).await?;
                return session.show(&View::of_facts(facts(&clock), json::of(&clock)?));
            }
            ClockCommand::Follow => client.set_clock(&name, Setting::Follow(FollowMachine {})).await?,
            ClockCommand::Set { time } => client.set_clock(&name, Setting::At(time)).await?,
            ClockCommand::Advance { by, to } => {
                let target = by.map(Target::By).or_else(|| to.map(Target::To));
                let target = target.ok_or_else(|| CliError::Usage("say how far to turn".to_owned()))?;
                client.advance_clock(&name, target).await?
            }
        };
        session.show(&view(&turned)?)
    }
}

fn facts(clock: &Clock) -> Vec<(&'static str, String)> {
    vec![("now", time::show(clock.now.as_ref())), ("clock", sandbox::clock_word(Some(clock)).to_owned())]
}

fn view(turned: &TurnedClock) -> Result<View, CliError> {
    let mut facts = facts(&turned.clock);
    facts.extend([
        ("invoices_issued", turned.work_done.invoices_issued.to_string()),
        ("agreements_ended", turned.work_done.agreements_ended.to_string()),
        ("payer_months_closed", turned.work_done.payer_months_closed.to_string()),
    ]);
    // The answers of SetClock and AdvanceClock look the same.
    let message = AdvanceClockResponse { clock: Some(turned.clock), work_done: Some(turned.work_done) };
    Ok(View::of_facts(facts, json::of(&message)?))
}

#[cfg(test)]
mod tests {
    use souk_proto::sandbox::v1::WorkDone;

    use super::*;

    #[test]
    fn a_turned_clock_tells_what_it_set_off() {
        let turned = TurnedClock {
            clock: Clock { now: time::parse("2026-03-02T06").ok(), following: false },
            work_done: WorkDone { invoices_issued: 12, agreements_ended: 0, payer_months_closed: 9 },
        };
        let view = view(&turned).unwrap();
        insta::assert_snapshot!(view.to_table(), @r"
        Now                  2026-03-02T06:00:00Z
        Clock                stopped
        Invoices issued      12
        Agreements ended     0
        Payer months closed  9
        ");
        insta::assert_snapshot!(view.json, @r#"{"clock":{"now":"2026-03-02T06:00:00Z"},"workDone":{"invoicesIssued":12,"payerMonthsClosed":9}}"#);
    }
}
