//! BatchMeterUsage and MeterUsage, as AWS documents them (aws-api A.2 and A.3).

use aws_sdk_marketplacemetering::Client;
use aws_sdk_marketplacemetering::error::ProvideErrorMetadata;
use aws_sdk_marketplacemetering::operation::RequestId;
use aws_sdk_marketplacemetering::operation::batch_meter_usage::BatchMeterUsageError;
use aws_sdk_marketplacemetering::operation::meter_usage::MeterUsageError;
use aws_sdk_marketplacemetering::operation::meter_usage::builders::MeterUsageFluentBuilder;
use aws_sdk_marketplacemetering::primitives::DateTime;
use aws_sdk_marketplacemetering::types::UsageRecordResultStatus::{
    CustomerNotSubscribed, DuplicateRecord, Success,
};
use aws_sdk_marketplacemetering::types::builders::UsageRecordBuilder;
use aws_sdk_marketplacemetering::types::{
    Tag, UsageAllocation, UsageRecord, UsageRecordResult, UsageRecordResultStatus,
};

use super::market::{
    ACME, BEACON, CACHE, CIRRUS, DRIFTER, LABS, Market, PIPELINE, SANDBOX, keys_of, on_instance, refused,
    seconds,
};
use crate::words::preview;

const HOUR: i64 = 3_600;

/// A record of Acme Labs in the hour of the clock.
fn usage(quantity: i32) -> UsageRecordBuilder {
    let given = UsageRecord::builder().timestamp(seconds(0)).dimension("gigabytes").quantity(quantity);
    given.customer_aws_account_id(LABS)
}

fn record(quantity: i32) -> UsageRecord {
    usage(quantity).build().expect("what the model wants")
}

/// The results of a request that is taken, all of whose records were processed.
async fn meter(client: &Client, records: Vec<UsageRecord>) -> Vec<UsageRecordResult> {
    let request = client.batch_meter_usage().product_code(PIPELINE).set_usage_records(Some(records));
    let answer = request.send().await.expect("a request that is taken");
    assert_eq!(answer.unprocessed_records, Some(Vec::new()));
    answer.results.expect("a list")
}

async fn refusal(client: &Client, product: &str, records: Vec<UsageRecord>) -> (u16, BatchMeterUsageError) {
    let request = client.batch_meter_usage().product_code(product).set_usage_records(Some(records));
    refused(request.send().await)
}

fn statuses(results: &[UsageRecordResult]) -> Vec<UsageRecordResultStatus> {
    results.iter().map(|result| result.status().expect("a status").clone()).collect()
}

fn share(quantity: i32, tags: &[(&str, &str)]) -> UsageAllocation {
    let tag = |(key, value): &(&str, &str)| Tag::builder().key(*key).value(*value).build().expect("a tag");
    let tags = Some(tags.iter().map(tag).collect::<Vec<_>>()).filter(|tags| !tags.is_empty());
    UsageAllocation::builder().allocated_usage_quantity(quantity).set_tags(tags).build().expect("a share")
}

/// One call of an account's own program.
fn use_shards(client: &Client, quantity: i32) -> MeterUsageFluentBuilder {
    let call = client.meter_usage().product_code(CACHE).timestamp(seconds(0));
    call.usage_dimension("shards").usage_quantity(quantity)
}

async fn used(client: &Client, quantity: i32) -> String {
    let answer = use_shards(client, quantity).send().await.expect("usage that is taken");
    answer.metering_record_id.expect("an id")
}

async fn billed_to_acme(market: &Market) -> String {
    preview(&market.client, SANDBOX, ACME, "").await.remove(0).total
}

#[tokio::test]
async fn a_record_is_metered_and_echoed() {
    let market = Market::start().await;
    let results = meter(&market.metering(keys_of(CIRRUS)), vec![record(100)]).await;
    assert_eq!(statuses(&results), [Success]);
    assert!(results[0].metering_record_id().is_some());
    assert_eq!(results[0].usage_record(), Some(&record(100)));
    assert_eq!(billed_to_acme(&market).await, "1.50");
    market.stop().await;
}

#[tokio::test]
async fn nanoseconds_are_the_same_hour() {
    let market = Market::start().await;
    let precise = DateTime::from_secs_and_nanos(seconds(0).secs(), 123_456_789);
    let precise = usage(17).timestamp(precise).build().expect("a record");
    let results = meter(&market.metering(keys_of(CIRRUS)), vec![precise, record(17)]).await;
    assert_eq!(statuses(&results), [Success, Success]);
    assert_eq!(results[0].metering_record_id(), results[1].metering_record_id());
    market.stop().await;
}

#[tokio::test]
async fn a_retry_gets_the_same_id_and_every_status_is_told_record_by_record() {
    let market = Market::start().await;
    let client = market.metering(keys_of(CIRRUS));
    let first = meter(&client, vec![record(17)]).await;
    assert_eq!(meter(&client, vec![record(17)]).await, first);
    let nobody = usage(1).customer_aws_account_id(DRIFTER).build().expect("a record");
    let results = meter(&client, vec![record(17), record(18), nobody]).await;
    assert_eq!(statuses(&results), [Success, DuplicateRecord, CustomerNotSubscribed]);
    market.stop().await;
}

#[tokio::test]
async fn a_licence_and_the_older_identifier_name_a_customer() {
    let market = Market::start().await;
    let client = market.metering(keys_of(CIRRUS));
    let older = usage(1).set_customer_aws_account_id(None);
    let older = older.customer_identifier(market.identifier(CIRRUS, BEACON)).build().expect("a record");
    assert_eq!(statuses(&meter(&client, vec![older]).await), [Success]);
    let (_, licence) = market.agreement("offer-pipeline", LABS);
    let licensed = usage(1).license_arn(licence).build().expect("a record");
    let answer = client.batch_meter_usage().usage_records(licensed).send().await.expect("an answer");
    assert_eq!(statuses(answer.results()), [Success]);
    market.stop().await;
}

#[tokio::test]
async fn allocations_that_add_up_are_metered_and_echoed() {
    let market = Market::start().await;
    let shares =
        vec![share(4, &[("team", "blue")]), share(5, &[("team", "red"), ("env", "x")]), share(1, &[])];
    let shared = usage(10).set_usage_allocations(Some(shares.clone())).build().expect("a record");
    let results = meter(&market.metering(keys_of(CIRRUS)), vec![shared]).await;
    assert_eq!(statuses(&results), [Success]);
    assert_eq!(results[0].usage_record().expect("an echo").usage_allocations(), shares);
    market.stop().await;
}

#[tokio::test]
async fn no_records_are_answered_with_empty_lists() {
    let market = Market::start().await;
    assert_eq!(meter(&market.metering(keys_of(CIRRUS)), Vec::new()).await, []);
    market.stop().await;
}

#[tokio::test]
async fn errors_of_a_batch_are_typed_and_change_nothing() {
    let market = Market::start().await;
    let client = market.metering(keys_of(CIRRUS));
    let build = |wrong: UsageRecordBuilder| wrong.build().expect("a record");
    let (_, error) = refusal(&client, "nosuch", vec![record(1)]).await;
    assert!(error.is_invalid_product_code_exception(), "{error:?}");
    type IsIt = fn(&BatchMeterUsageError) -> bool;
    let tags: [(&str, &str); 6] = [("a", "1"), ("b", "1"), ("c", "1"), ("d", "1"), ("e", "1"), ("f", "1")];
    let wrong: [(UsageRecordBuilder, IsIt); 5] = [
        (usage(1).dimension("seats"), BatchMeterUsageError::is_invalid_usage_dimension_exception),
        (usage(1).timestamp(seconds(-24 * HOUR)), BatchMeterUsageError::is_timestamp_out_of_bounds_exception),
        (
            usage(1).set_customer_aws_account_id(None).customer_identifier("nobody"),
            BatchMeterUsageError::is_invalid_customer_identifier_exception,
        ),
        (
            usage(1).usage_allocations(share(2, &[])),
            BatchMeterUsageError::is_invalid_usage_allocations_exception,
        ),
        (usage(1).usage_allocations(share(1, &tags)), BatchMeterUsageError::is_invalid_tag_exception),
    ];
    for (wrong, is_it) in wrong {
        let (status, error) = refusal(&client, PIPELINE, vec![record(1), build(wrong)]).await;
        assert!(is_it(&error), "{error:?}");
        assert_eq!(status, 400);
        assert!(error.message().is_some() && error.meta().request_id().is_some(), "{error:?}");
    }
    assert_eq!(statuses(&meter(&client, vec![record(424_242)]).await), [Success]);
    market.stop().await;
}

#[tokio::test]
async fn a_licence_that_nobody_has_is_a_typed_error() {
    let market = Market::start().await;
    let client = market.metering(keys_of(CIRRUS));
    let (_, licence) = market.agreement("offer-pipeline", LABS);
    let unknown = format!("{}0000", &licence[..licence.len() - 4]);
    let licensed = usage(1).license_arn(unknown).build().expect("a record");
    let (_, error) = refused(client.batch_meter_usage().usage_records(licensed).send().await);
    assert!(error.is_invalid_license_exception(), "{error:?}");
    market.stop().await;
}

#[tokio::test]
async fn an_error_that_the_model_does_not_know_has_its_code() {
    let market = Market::start().await;
    let client = market.metering(keys_of(CIRRUS));
    let (status, error) = refusal(&client, PIPELINE, vec![record(1); 26]).await;
    assert_eq!((status, error.code()), (400, Some("ValidationException")));
    assert!(error.message().expect("words").contains("less than or equal to 25"), "{error:?}");
    market.stop().await;
}

#[tokio::test]
async fn an_account_s_own_program_meters_by_instance_under_fresh_client_tokens() {
    let market = Market::start().await;
    let client = market.metering(keys_of(LABS));
    let first = used(&client, 8).await;
    assert_eq!(used(&client, 8).await, first);
    let instance = market.metering(on_instance(LABS, "i-0123456789abcdef0"));
    assert_ne!(used(&instance, 12).await, first);
    assert_eq!(billed_to_acme(&market).await, "5.00");
    market.stop().await;
}

#[tokio::test]
async fn errors_of_a_program_are_typed() {
    let market = Market::start().await;
    let client = market.metering(keys_of(LABS));
    use_shards(&client, 8).client_token("one").send().await.expect("usage that is taken");
    type IsIt = fn(&MeterUsageError) -> bool;
    let wrong: [(MeterUsageFluentBuilder, IsIt); 5] = [
        (use_shards(&client, 9), MeterUsageError::is_duplicate_request_exception),
        (use_shards(&client, 9).client_token("one"), MeterUsageError::is_idempotency_conflict_exception),
        (
            use_shards(&client, 8).timestamp(seconds(-7 * HOUR)),
            MeterUsageError::is_timestamp_out_of_bounds_exception,
        ),
        (use_shards(&client, 8).product_code("nosuch"), MeterUsageError::is_invalid_product_code_exception),
        (
            use_shards(&market.metering(keys_of(DRIFTER)), 8),
            MeterUsageError::is_customer_not_entitled_exception,
        ),
    ];
    for (wrong, is_it) in wrong {
        let (status, error) = refused(wrong.send().await);
        assert!(is_it(&error), "{error:?}");
        assert_eq!(status, 400);
    }
    market.stop().await;
}

#[tokio::test]
async fn a_dry_run_stores_nothing() {
    let market = Market::start().await;
    let client = market.metering(keys_of(LABS));
    let answer = use_shards(&client, 8).dry_run(true).send().await.expect("a dry run");
    assert_eq!(answer.metering_record_id(), None);
    used(&client, 4).await;
    assert_eq!(billed_to_acme(&market).await, "1.00");
    market.stop().await;
}
