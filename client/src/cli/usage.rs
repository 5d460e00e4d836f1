//! `souk usage`: what usage was received.

use clap::Subcommand;
use souk_client::RecordFilter;
use souk_proto::metering::v1::{MeteredAllocation, MeteredRecord, RefusedRecord};

use super::error::CliError;
use super::output::{View, number, text};
use super::session::Session;
use super::{json, time};

#[derive(Debug, Subcommand)]
pub enum UsageCommand {
    /// Lists the records that stand, by hour; or those that were refused, newest first.
    #[command(after_help = "Examples:
  souk usage list
  souk usage list --buyer 222222222222 --dimension hosts --month 2026-03
  souk usage list --refused

The server keeps the last 10,000 refused records of a sandbox until it is restarted.")]
    List {
        /// Those that were refused, and why.
        #[arg(long)]
        refused: bool,
        /// Only of the product with this code.
        #[arg(long, value_name = "CODE", default_value = "", hide_default_value = true)]
        product_code: String,
        /// Only of this buyer.
        #[arg(long, value_name = "ACCOUNT", default_value = "", hide_default_value = true)]
        buyer: String,
        /// Only of this dimension.
        #[arg(long, default_value = "", hide_default_value = true)]
        dimension: String,
        /// Only of this month.
        #[arg(long, value_name = "YYYY-MM", value_parser = time::parse_month)]
        month: Option<String>,
    },
}

impl UsageCommand {
    pub async fn run(self, session: &mut Session<'_>) -> Result<(), CliError> {
        let UsageCommand::List { refused, product_code, buyer, dimension, month } = self;
        let month = month.unwrap_or_default();
        let filter = RecordFilter { product_code, buyer_account_id: buyer, dimension, month };
        let client = session.connect().await?;
        let sandbox = session.sandbox.clone();
        let view = match refused {
            false => metered_view(&client.all_metered_records(&sandbox, &filter).await?)?,
            true => refused_view(&client.all_refused_records(&sandbox, &filter).await?)?,
        };
        session.show(&view)
    }
}

fn metered_view(records: &[MeteredRecord]) -> Result<View, CliError> {
    let columns = vec![
        text("hour"),
        text("product_code"),
        text("buyer_account_id"),
        text("dimension"),
        number("quantity"),
        text("region"),
        text("resource"),
        text("allocations"),
        text("metering_record_id"),
        text("license_arn"),
    ];
    let row = |record: &MeteredRecord| {
        vec![
            time::show(record.hour.as_ref()),
            record.product_code.clone(),
            record.buyer_account_id.clone(),
            record.dimension.clone(),
            record.quantity.clone(),
            record.region.clone(),
            record.resource.clone(),
            record.usage_allocations.iter().map(allocation).collect::<Vec<_>>().join("; "),
            record.metering_record_id.clone(),
            record.license_arn.clone(),
        ]
    };
    Ok(View::of_list(columns, records.iter().map(row).collect(), json::of_all(records)?))
}

/// `7 team=blue stage=test`; the part without tags is its quantity alone.
fn allocation(allocation: &MeteredAllocation) -> String {
    let tags = allocation.tags.iter().map(|(key, value)| format!(" {key}={value}"));
    format!("{}{}", allocation.quantity, tags.collect::<String>())
}

fn refused_view(records: &[RefusedRecord]) -> Result<View, CliError> {
    let columns = vec![
        text("receive_time"),
        text("operation"),
        text("code"),
        text("product_code"),
        text("customer"),
        text("dimension"),
        text("timestamp"),
        number("quantity"),
        text("message"),
    ];
    let row = |record: &RefusedRecord| {
        vec![
            time::show(record.receive_time.as_ref()),
            record.operation.clone(),
            record.code.clone(),
            record.product_code.clone(),
            customer(record),
            record.dimension.clone(),
            time::show(record.timestamp.as_ref()),
            record.quantity.clone(),
            record.message.clone(),
        ]
    };
    Ok(View::of_list(columns, records.iter().map(row).collect(), json::of_all(records)?))
}

/// The customer as the record names it: there may be several names.
fn customer(record: &RefusedRecord) -> String {
    let names = [&record.customer_aws_account_id, &record.customer_identifier, &record.license_arn];
    names.map(String::as_str).into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    fn at(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp { seconds, nanos: 0 })
    }

    #[test]
    fn a_record_that_stands_is_one_line() {
        let tags =
            [("stage", "test"), ("team", "blue")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let record = MeteredRecord {
            metering_record_id: "id-1".to_owned(),
            product_code: "code".to_owned(),
            buyer_account_id: "222222222222".to_owned(),
            region: "us-east-1".to_owned(),
            dimension: "hosts".to_owned(),
            hour: at(3_600),
            quantity: "7.5".to_owned(),
            usage_allocations: vec![
                MeteredAllocation { quantity: "7".to_owned(), tags: tags.into() },
                MeteredAllocation { quantity: "0.5".to_owned(), ..MeteredAllocation::default() },
            ],
            ..MeteredRecord::default()
        };
        insta::assert_snapshot!(metered_view(&[record]).unwrap().to_table(), @r"
        Hour                  Product code  Buyer account id  Dimension  Quantity  Region     Resource  Allocations                  Metering record id  License arn
        --------------------- ------------- ----------------- ---------- --------- ---------- --------- ---------------------------- ------------------- ------------
        1970-01-01T01:00:00Z  code          222222222222      hosts           7.5  us-east-1            7 stage=test team=blue; 0.5  id-1
        ");
    }

    #[test]
    fn a_refused_record_is_one_line_however_little_is_known_of_it() {
        let refused = |code: &str| RefusedRecord {
            receive_time: at(7_200),
            operation: "BatchMeterUsage".to_owned(),
            code: code.to_owned(),
            message: "it is wrong".to_owned(),
            ..RefusedRecord::default()
        };
        let named = RefusedRecord {
            customer_aws_account_id: "222222222222".to_owned(),
            license_arn: "arn:l".to_owned(),
            timestamp: at(3_600),
            quantity: "7".to_owned(),
            ..refused("InvalidLicenseException")
        };
        insta::assert_snapshot!(refused_view(&[named, refused("ValidationException")]).unwrap().to_table(), @r"
        Receive time          Operation        Code                     Product code  Customer            Dimension  Timestamp             Quantity  Message
        --------------------- ---------------- ------------------------ ------------- ------------------- ---------- --------------------- --------- ------------
        1970-01-01T02:00:00Z  BatchMeterUsage  InvalidLicenseException                222222222222 arn:l             1970-01-01T01:00:00Z         7  it is wrong
        1970-01-01T02:00:00Z  BatchMeterUsage  ValidationException                                                                                   it is wrong
        ");
    }
}
