//! The guide `server/AWS.md` shows a program that runs.

use aws_sdk_marketplacemetering::Client;
use aws_sdk_marketplacemetering::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_marketplacemetering::primitives::{DateTime, DateTimeFormat};
use aws_sdk_marketplacemetering::types::{UsageRecord, UsageRecordResultStatus};

use super::market::{CIRRUS, Market, keys_of};

async fn program(
    endpoint: &str,
    credentials: Credentials,
) -> anyhow::Result<Option<UsageRecordResultStatus>> {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(credentials)
        .build();
    let metering = Client::from_conf(config);
    let time = DateTime::from_str("2026-01-15T12:00:00Z", DateTimeFormat::DateTime)?;
    let record = UsageRecord::builder()
        .timestamp(time)
        .customer_aws_account_id("333333333331")
        .dimension("gigabytes")
        .quantity(17)
        .build()?;
    let request = metering.batch_meter_usage().product_code("cirruspipelineusage000001");
    let answer = request.usage_records(record).send().await?;
    Ok(answer.results()[0].status().cloned())
}

#[tokio::test]
async fn the_program_of_the_guide_meters() {
    let market = Market::start().await;
    let status = program(&market.endpoint, keys_of(CIRRUS)).await.expect("a record that is taken");
    assert_eq!(status, Some(UsageRecordResultStatus::Success));
    market.stop().await;
}

#[test]
fn the_guide_shows_the_program() {
    let lines = |text: &str| text.lines().map(|line| format!("{}\n", line.trim())).collect::<String>();
    let guide = include_str!("../../server/AWS.md");
    let (_, shown) = guide.split_once("```rust\n").expect("a program in Rust");
    let (shown, _) = shown.split_once("```").expect("its end");
    assert!(lines(include_str!("guide.rs")).contains(&lines(shown)), "{shown}");
}
