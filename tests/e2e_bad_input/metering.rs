//! Usage that AWS would refuse as a whole, and instance-hours likewise.

use souk_proto::metering::v1::usage_record::Customer;
use souk_proto::metering::v1::{
    BatchMeterUsageRequest, InstanceHours, ReportInstanceHoursRequest, StreamUsageRequest, UsageRecord,
};

use super::{BUYER, NOBODY, OTHER, SANDBOX, everything, is, start, unchanged};
use crate::words::{at, batch, message, put, record, turn};

fn good() -> UsageRecord {
    record(BUYER, at("2025-03-10T11:00:00Z"), "users", 1)
}

fn with(change: impl FnOnce(&mut UsageRecord)) -> UsageRecord {
    let mut record = good();
    change(&mut record);
    record
}

fn by_whole(quantity: u64) -> UsageRecord {
    with(|record| (record.quantity, record.quantity_as_decimal) = (Some(quantity), String::new()))
}

fn by_decimal(quantity: &str) -> UsageRecord {
    with(|record| record.quantity_as_decimal = quantity.to_owned())
}

fn of(customer: Customer) -> UsageRecord {
    with(|record| record.customer = Some(customer))
}

fn when(time: &str) -> UsageRecord {
    with(|record| record.timestamp = Some(at(time)))
}

fn requests() -> Vec<(BatchMeterUsageRequest, &'static str)> {
    let licence = |arn: &str| batch(SANDBOX, "", vec![of(Customer::LicenseArn(arn.to_owned()))]);
    let with_record = |record| batch(SANDBOX, "saascode", vec![good(), record]);
    let account = |id: &str| with_record(of(Customer::CustomerAwsAccountId(id.to_owned())));
    let identifier = |id: &str| with_record(of(Customer::CustomerIdentifier(id.to_owned())));
    let region = |region: &str| BatchMeterUsageRequest {
        region: region.to_owned(),
        ..batch(SANDBOX, "saascode", vec![good()])
    };
    let unknown_licence = "arn:aws:license-manager::294406891311:license:l-0";
    vec![
        (batch("", "saascode", vec![good()]), "InvalidArgument FIELD_MISSING sandbox"),
        (batch("Bad_Name", "saascode", vec![good()]), "InvalidArgument FIELD_INVALID sandbox"),
        (batch("nowhere", "saascode", vec![good()]), "NotFound SANDBOX_UNKNOWN sandbox"),
        (batch(SANDBOX, "nocode", vec![good()]), "NotFound PRODUCT_UNKNOWN productCode"),
        (batch(SANDBOX, "no code", vec![good()]), "InvalidArgument FIELD_INVALID productCode"),
        (batch(SANDBOX, "", vec![good()]), "InvalidArgument FIELD_INVALID usageRecords[0].customer"),
        (region("mars"), "InvalidArgument FIELD_INVALID region"),
        (batch(SANDBOX, "saascode", Vec::new()), "InvalidArgument FIELD_MISSING usageRecords"),
        (batch(SANDBOX, "saascode", vec![good(); 26]), "InvalidArgument TOO_MANY_RECORDS usageRecords"),
        (
            with_record(with(|r| r.timestamp = None)),
            "InvalidArgument FIELD_MISSING usageRecords[1].timestamp",
        ),
        (
            with_record(with(|r| r.customer = None)),
            "InvalidArgument CUSTOMER_MISSING usageRecords[1].customer",
        ),
        (account(""), "InvalidArgument CUSTOMER_MISSING usageRecords[1].customer"),
        (account("Acme"), "InvalidArgument FIELD_INVALID usageRecords[1].customerAwsAccountId"),
        (
            identifier("zzzzzzzzzzzzz"),
            "InvalidArgument CUSTOMER_IDENTIFIER_UNKNOWN usageRecords[1].customerIdentifier",
        ),
        (licence("l-0"), "InvalidArgument LICENSE_INVALID usageRecords[0].licenseArn"),
        (licence(unknown_licence), "InvalidArgument LICENSE_INVALID usageRecords[0].licenseArn"),
        (
            with_record(of(Customer::LicenseArn(unknown_licence.to_owned()))),
            "InvalidArgument FIELD_INVALID usageRecords[1].customer",
        ),
        (
            with_record(with(|r| r.dimension.clear())),
            "InvalidArgument FIELD_MISSING usageRecords[1].dimension",
        ),
        (
            with_record(with(|r| r.dimension = "flights".to_owned())),
            "InvalidArgument DIMENSION_UNKNOWN usageRecords[1].dimension",
        ),
        (
            // AWS meters instance types itself.
            batch(SANDBOX, "amicode", vec![with(|r| r.dimension = "m5.large".to_owned())]),
            "InvalidArgument DIMENSION_UNKNOWN usageRecords[0].dimension",
        ),
        (
            batch(SANDBOX, "contractcode", vec![with(|r| r.dimension = "seats".to_owned())]),
            "InvalidArgument DIMENSION_UNKNOWN usageRecords[0].dimension",
        ),
        (with_record(by_whole(1 << 31)), "InvalidArgument QUANTITY_INVALID usageRecords[1].quantity"),
        (with_record(by_whole(u64::MAX)), "InvalidArgument QUANTITY_INVALID usageRecords[1].quantity"),
        (
            with_record(with(|r| r.quantity = Some(1))),
            "InvalidArgument QUANTITY_INVALID usageRecords[1].quantityAsDecimal",
        ),
        (
            with_record(by_decimal("0.1234567")),
            "InvalidArgument QUANTITY_INVALID usageRecords[1].quantityAsDecimal",
        ),
        (with_record(by_decimal("-1")), "InvalidArgument QUANTITY_INVALID usageRecords[1].quantityAsDecimal"),
        (
            with_record(by_decimal("1e3")),
            "InvalidArgument QUANTITY_INVALID usageRecords[1].quantityAsDecimal",
        ),
        (
            with_record(by_decimal("10000000000")),
            "InvalidArgument QUANTITY_INVALID usageRecords[1].quantityAsDecimal",
        ),
        (
            // Exactly 24 hours old.
            with_record(when("2025-03-09T12:00:00Z")),
            "InvalidArgument TIMESTAMP_OUT_OF_BOUNDS usageRecords[1].timestamp",
        ),
        (
            with_record(when("2025-03-10T12:05:01Z")),
            "InvalidArgument TIMESTAMP_OUT_OF_BOUNDS usageRecords[1].timestamp",
        ),
        (
            with_record(when("2025-02-28T23:00:00Z")),
            "InvalidArgument TIMESTAMP_OUT_OF_BOUNDS usageRecords[1].timestamp",
        ),
    ]
}

#[tokio::test]
async fn a_batch_that_is_wrong_anywhere_meters_nothing() {
    let served = start().await;
    let before = everything(&served.client).await;
    for (request, expected) in requests() {
        is(served.client.batch_meter_usage(request).await, expected);
    }
    unchanged(served, &before).await;
}

#[tokio::test]
async fn a_stream_refuses_a_wrong_message_in_its_answer_and_goes_on() {
    let served = start().await;
    let client = &served.client;
    let before = everything(client).await;
    let mut messages: Vec<(StreamUsageRequest, String)> = requests()
        .into_iter()
        // So many records are wrong in a batch alone.
        .filter(|(request, _)| request.usage_records.len() != 26)
        .map(|(request, expected)| {
            let BatchMeterUsageRequest { sandbox, product_code, region, usage_records } = request;
            let expected = expected.split_once(' ').expect("a status and a reason").1.to_owned();
            (StreamUsageRequest { sandbox, product_code, region, usage_records }, expected)
        })
        .collect();
    let too_many = message(SANDBOX, "saascode", vec![good(); 5_001]);
    messages.push((too_many, "TOO_MANY_RECORDS usageRecords".to_owned()));

    let mut stream = client.stream_usage(3).await.expect("a stream");
    let mut answers = Vec::new();
    for (message, _) in &messages {
        answers.extend(stream.send(message.clone()).await.expect("a stream that goes on"));
    }
    while let Some(answer) = stream.next_answer().await.expect("a stream that goes on") {
        answers.push(answer);
    }
    for ((_, expected), answer) in messages.iter().zip(&answers) {
        let refusal = answer.refusal.clone().expect("a refusal");
        assert_eq!(format!("{} {}", refusal.code, refusal.field), *expected);
        assert!((answer.success_count, answer.exceptions.len()) == (0, 0) && !refusal.message.is_empty());
    }
    assert_eq!(answers.len(), messages.len());
    assert!(everything(client).await == before, "a refused message changed something");

    // The stream still meters.
    stream.send(message(SANDBOX, "saascode", vec![good(); 5_000])).await.expect("a stream that goes on");
    let answers = stream.finish().await.expect("an orderly end");
    assert_eq!(answers.iter().map(|answer| answer.success_count).collect::<Vec<_>>(), [5_000]);
    served.stop().await;
}

#[tokio::test]
async fn a_record_of_an_account_that_did_not_subscribe_is_answered_so_and_meters_nothing() {
    let served = start().await;
    let client = &served.client;
    let before = everything(client).await;
    let time = at("2025-03-10T11:00:00Z");
    let records = [OTHER, NOBODY, "7"].map(|account| record(account, time, "users", 1));
    let results = client.batch_meter_usage(batch(SANDBOX, "saascode", records.to_vec())).await;
    for result in results.expect("outcomes are no errors") {
        assert_eq!(result.status().as_str_name(), "USAGE_RECORD_STATUS_CUSTOMER_NOT_SUBSCRIBED");
        assert_eq!(result.metering_record_id, "");
    }
    unchanged(served, &before).await;
}

#[tokio::test]
async fn usage_of_the_month_before_is_taken_until_six_on_the_first() {
    let served = start().await;
    let client = &served.client;
    let late = || batch(SANDBOX, "saascode", vec![when("2025-03-31T23:00:00Z")]);
    turn(client, SANDBOX, "2025-04-01T05:59:59Z").await;
    assert!(client.batch_meter_usage(late()).await.is_ok());
    turn(client, SANDBOX, "2025-04-01T06:00:00Z").await;
    let expected = "InvalidArgument TIMESTAMP_OUT_OF_BOUNDS usageRecords[0].timestamp";
    is(client.batch_meter_usage(late()).await, expected);

    // With an open month, until it is closed on the 2nd.
    let open = DOCUMENT_WITH_OPEN_MONTH.replace("DOCUMENT", super::DOCUMENT);
    put(client, SANDBOX, &open).await;
    turn(client, SANDBOX, "2025-04-01T23:59:59Z").await;
    assert!(client.batch_meter_usage(late()).await.is_ok());
    turn(client, SANDBOX, "2025-04-02T00:00:00Z").await;
    is(client.batch_meter_usage(late()).await, expected);
    served.stop().await;
}

const DOCUMENT_WITH_OPEN_MONTH: &str = "rules: {meteringWindow: OPEN_MONTH}\nDOCUMENT";

#[tokio::test]
async fn instance_hours_that_are_wrong_anywhere_meter_nothing() {
    type Change = fn(&mut InstanceHours);
    let rows: [(Change, &str); 11] = [
        (|r| r.product_code.clear(), "InvalidArgument FIELD_MISSING reports[1].productCode"),
        (|r| r.product_code = "nocode".to_owned(), "NotFound PRODUCT_UNKNOWN reports[1].productCode"),
        (|r| r.buyer_account_id.clear(), "InvalidArgument FIELD_MISSING reports[1].buyerAccountId"),
        (|r| r.buyer_account_id = "7".to_owned(), "InvalidArgument FIELD_INVALID reports[1].buyerAccountId"),
        (|r| r.instance_type.clear(), "InvalidArgument FIELD_MISSING reports[1].instanceType"),
        (
            |r| r.instance_type = "m5.huge".to_owned(),
            "InvalidArgument DIMENSION_UNKNOWN reports[1].instanceType",
        ),
        (
            |r| (r.product_code, r.instance_type) = ("saascode".to_owned(), "users".to_owned()),
            "InvalidArgument DIMENSION_UNKNOWN reports[1].instanceType",
        ),
        (|r| r.hour = None, "InvalidArgument FIELD_MISSING reports[1].hour"),
        (
            |r| r.hour = Some(at("2025-03-10T13:00:00Z")),
            "InvalidArgument TIMESTAMP_OUT_OF_BOUNDS reports[1].hour",
        ),
        (
            |r| r.hour = Some(at("2025-03-09T12:00:00Z")),
            "InvalidArgument TIMESTAMP_OUT_OF_BOUNDS reports[1].hour",
        ),
        (|r| r.count = 1 << 31, "InvalidArgument QUANTITY_INVALID reports[1].count"),
    ];
    let served = start().await;
    let client = &served.client;
    let before = everything(client).await;
    let good = InstanceHours {
        product_code: "amicode".to_owned(),
        buyer_account_id: BUYER.to_owned(),
        instance_type: "m5.large".to_owned(),
        hour: Some(at("2025-03-10T11:00:00Z")),
        count: 2,
    };
    let request =
        |reports| ReportInstanceHoursRequest { sandbox: SANDBOX.to_owned(), region: String::new(), reports };
    for (change, expected) in rows {
        let mut wrong = good.clone();
        change(&mut wrong);
        is(client.report_instance_hours(request(vec![good.clone(), wrong])).await, expected);
    }
    is(client.report_instance_hours(request(Vec::new())).await, "InvalidArgument FIELD_MISSING reports");
    let many = request(vec![good; 5_001]);
    is(client.report_instance_hours(many).await, "InvalidArgument TOO_MANY_RECORDS reports");
    unchanged(served, &before).await;
}
