//! `souk meter`: one usage record, or a file of them.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use prost_types::Timestamp;
use souk_client::{ClientError, STREAM_RECORDS_MAX, SoukClient};
use souk_proto::metering::v1::usage_record::Customer;
use souk_proto::metering::v1::{BatchMeterUsageRequest, UsageRecordResult, UsageRecordStatus};

use super::error::CliError;
use super::meter_file::{self, Sending};
use super::output::View;
use super::records::{self, Defaults, FileFormat, Quantity};
use super::session::Session;
use super::{json, outcomes, time};

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("who").args(["customer", "customer_identifier", "license", "file"]).required(true)))]
#[command(after_help = "Examples:
  souk meter 2b4kq0z7xw1m8n5c3v6y9t0r1 --customer 222222222222 --dimension hosts --quantity 17
  souk meter --license arn:aws:license-manager::1:license:l-1 --dimension hosts --quantity 0.25
  souk meter --file records.csv
  souk meter 2b4kq0z7xw1m8n5c3v6y9t0r1 --file records.jsonl --batch-size 1000

A CSV file has a header with the columns
  time, dimension, quantity, customer | customer_identifier | license_arn
and may have product_code and region, which else come from the command line:
  time,product_code,customer,dimension,quantity
  2026-03-01T05,2b4kq0z7xw1m8n5c3v6y9t0r1,222222222222,hosts,17
A .jsonl file has the JSON form of souk.metering.v1.UsageRecord on each line, with productCode and
region besides. Whole files may be sent again: the first record of an hour stands.
The exit code is 1 when a record was not metered.")]
pub struct Meter {
    /// The product's code; not with --license.
    #[arg(required_unless_present_any = ["license", "file"], conflicts_with = "license")]
    product_code: Option<String>,
    /// The buyer's account.
    #[arg(long, value_name = "ACCOUNT")]
    customer: Option<String>,
    /// The buyer's legacy identifier for the seller.
    #[arg(long, value_name = "ID")]
    customer_identifier: Option<String>,
    /// The licence of the agreement; it also says the product.
    #[arg(long, value_name = "ARN")]
    license: Option<String>,
    /// The dimension's key.
    #[arg(long, value_name = "KEY", required_unless_present = "file", conflicts_with = "file")]
    dimension: Option<String>,
    /// A whole quantity or one with a point.
    #[arg(
        long, value_name = "N", value_parser = Quantity::parse,
        required_unless_present = "file", conflicts_with = "file"
    )]
    quantity: Option<Quantity>,
    /// When it was used; the sandbox's time when absent.
    #[arg(long, value_parser = time::parse, conflicts_with = "file")]
    time: Option<Timestamp>,
    /// The region that meters; us-east-1 when absent.
    #[arg(long, default_value = "", hide_default_value = true)]
    region: String,
    /// A file of records; `-` reads stdin.
    #[arg(long)]
    file: Option<PathBuf>,
    /// The form of the file; told by its name when absent.
    #[arg(long, value_enum, requires = "file")]
    file_format: Option<FileFormat>,
    /// Records in a message of the stream.
    #[arg(
        long, value_name = "N", default_value_t = 1_000, requires = "file",
        value_parser = clap::value_parser!(u16).range(1..=STREAM_RECORDS_MAX as i64)
    )]
    batch_size: u16,
    /// Messages of the stream without an answer.
    #[arg(
        long, value_name = "N", default_value_t = 8, requires = "file",
        value_parser = clap::value_parser!(u8).range(1..=64)
    )]
    in_flight: u8,
}

impl Meter {
    pub async fn run(self, session: &mut Session<'_>) -> Result<(), CliError> {
        if let Some(file) = &self.file {
            let format = self.file_format.unwrap_or_else(|| FileFormat::of(file));
            let defaults =
                Defaults { product_code: self.product_code.unwrap_or_default(), region: self.region };
            let rows = records::open(file, format, defaults)?;
            let client = session.connect().await?;
            let sending =
                Sending { batch_size: self.batch_size.into(), in_flight_max: self.in_flight.into() };
            let outcomes = meter_file::send(&client, &session.sandbox, rows, sending).await?;
            session.show(&outcomes.view("line"))?;
            return outcomes.verdict();
        }
        let client = session.connect().await?;
        let result = self.one(&client, &session.sandbox).await?;
        session.show(&view(&result)?)?;
        match result.status() {
            UsageRecordStatus::Success => Ok(()),
            _ => Err(CliError::NotMetered(1)),
        }
    }

    async fn one(self, client: &SoukClient, sandbox: &str) -> Result<UsageRecordResult, CliError> {
        let customer = self
            .customer
            .map(Customer::CustomerAwsAccountId)
            .or_else(|| self.customer_identifier.map(Customer::CustomerIdentifier))
            .or_else(|| self.license.map(Customer::LicenseArn));
        let (Some(customer), Some(dimension), Some(quantity)) = (customer, self.dimension, self.quantity)
        else {
            return Err(CliError::Usage("say who used how much of which dimension".to_owned()));
        };
        let time = match self.time {
            Some(time) => time,
            None => now(client, sandbox).await?,
        };
        let request = BatchMeterUsageRequest {
            sandbox: sandbox.to_owned(),
            product_code: self.product_code.unwrap_or_default(),
            region: self.region,
            usage_records: vec![quantity.into_record(time, customer, &dimension)],
        };
        let mut results = client.batch_meter_usage(request).await?;
        // The client has seen to it that there is one result for each record.
        results.pop().ok_or_else(|| CliError::Contract("result".to_owned()))
    }
}

/// The sandbox's time.
pub async fn now(client: &SoukClient, sandbox: &str) -> Result<Timestamp, CliError> {
    let call = souk_client::Call::GetSandbox;
    let clock = client.get_clock(sandbox).await?;
    Ok(clock.now.ok_or(ClientError::Incomplete { call, missing: "the time" })?)
}

fn view(result: &UsageRecordResult) -> Result<View, CliError> {
    let facts = vec![
        ("status", outcomes::status_word(result)),
        ("metering_record_id", result.metering_record_id.clone()),
    ];
    Ok(View::of_facts(facts, json::of(result)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metered_record_is_shown_with_its_id() {
        let result = UsageRecordResult {
            record_index: 0,
            status: UsageRecordStatus::Success.into(),
            metering_record_id: "id-1".to_owned(),
        };
        insta::assert_snapshot!(view(&result).unwrap().to_table(), @r"
        Status              success
        Metering record id  id-1
        ");
    }
}
