//! What was received, through the whole port: metered and refused over AWS's operations, listed over the routes.

use http::Request;
use serde_json::{Value, json};
use tonic::codegen::Service;

use super::tests::{Port, text};
use crate::document::EXAMPLE;

const CODE: &str = "flightanalyticsusage00001";
const USAGE: &str = "/_souk/sandboxes/one/usage";

/// The example, with a buyer of usage.
async fn subscribed() -> Port {
    let mut port = Port::new();
    let agreement = "  - offerId: offer-flightacme\n    buyerAccountId: 000000000102\n";
    assert_eq!(port.ask("PUT", "/_souk/sandboxes/one", format!("{EXAMPLE}{agreement}")).await.0, 200);
    port
}

/// Asks an operation of the metering service; answers the exception, or what the results say.
async fn call(port: &mut Port, operation: &str, body: impl Into<axum::body::Body>) -> Vec<String> {
    let request = Request::builder()
        .method("POST")
        .uri("/s/one")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("AWSMPMeteringService.{operation}"));
    let response = port.0.call(request.body(body.into()).unwrap()).await.unwrap();
    let answer: Value = serde_json::from_str(&text(response).await).unwrap();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match &answer["Results"] {
        Value::Array(results) => results.iter().map(|result| word(&result["Status"])).collect(),
        _ => vec![word(&answer["__type"])],
    }
}

fn record(customer: &str, quantity: i64, seconds: i64) -> Value {
    json!({"CustomerAWSAccountId": customer, "Dimension": "users", "Quantity": quantity,
           "Timestamp": 1_356_998_400 + seconds})
}

fn batch(records: &[Value]) -> String {
    json!({"ProductCode": CODE, "UsageRecords": records}).to_string()
}

#[tokio::test]
async fn what_stands_is_listed_by_hour_and_what_was_refused_newest_first() {
    let mut port = subscribed().await;
    assert_eq!(port.get(USAGE).await, json!({"meteredRecords": [], "nextPageToken": ""}));
    assert_eq!(port.clock(json!({"advance": "PT2H"})).await.0, 200);
    let (buyer, stranger) = ("000000000102", "999999999999");
    let records =
        [record(buyer, 5, 3_600), record(buyer, 7, 0), record(buyer, 6, 3_700), record(stranger, 1, 0)];
    let statuses = call(&mut port, "BatchMeterUsage", batch(&records)).await;
    assert_eq!(statuses, ["Success", "Success", "DuplicateRecord", "CustomerNotSubscribed"]);
    // The same again is no refusal.
    assert_eq!(call(&mut port, "BatchMeterUsage", batch(&records[..1])).await, ["Success"]);

    let metered = port.get(USAGE).await;
    let found: Vec<_> = metered["meteredRecords"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| (record["hour"].as_str().unwrap(), record["quantity"].as_str().unwrap()))
        .collect();
    assert_eq!(found, [("2013-01-01T00:00:00Z", "7"), ("2013-01-01T01:00:00Z", "5")]);
    assert_eq!(
        metered["meteredRecords"][1],
        json!({
            "meteringRecordId": metered["meteredRecords"][1]["meteringRecordId"], "productCode": CODE,
            "buyerAccountId": buyer, "licenseArn": "", "region": "us-east-1", "resource": "",
            "dimension": "users", "hour": "2013-01-01T01:00:00Z", "quantity": "5", "usageAllocations": [],
        })
    );

    let refused = port.get(&format!("{USAGE}?status=refused")).await;
    let id = metered["meteredRecords"][1]["meteringRecordId"].as_str().unwrap();
    let expected = |code: &str, message: &str, customer: &str, time: &str, quantity: &str| {
        json!({
            "receiveTime": "2013-01-01T02:00:00Z", "operation": "BatchMeterUsage", "code": code,
            "message": message, "productCode": CODE, "customerAwsAccountId": customer,
            "customerIdentifier": "", "licenseArn": "", "dimension": "users", "timestamp": time,
            "quantity": quantity,
        })
    };
    assert_eq!(
        refused["refusedRecords"],
        json!([
            expected(
                "CustomerNotSubscribed",
                "no agreement of the customer covers the record",
                stranger,
                "2013-01-01T00:00:00Z",
                "1"
            ),
            expected(
                "DuplicateRecord",
                &format!("the hour was metered before: the record {id} stands"),
                buyer,
                "2013-01-01T01:01:40Z",
                "6"
            ),
        ])
    );
}

#[tokio::test]
async fn a_request_refused_as_a_whole_is_told_record_by_record() {
    let mut port = subscribed().await;
    let (early, buyer) = (record("000000000102", 1, -172_800), record("000000000102", 2, 0));
    let wrong_code = json!({"ProductCode": "none", "UsageRecords": [buyer]}).to_string();
    let whole = [
        ("BatchMeterUsage", batch(&[early, buyer.clone()]), "TimestampOutOfBoundsException", 2),
        ("BatchMeterUsage", wrong_code, "InvalidProductCodeException", 1),
        ("BatchMeterUsage", batch(&vec![buyer; 26]), "ValidationException", 26),
        ("BatchMeterUsage", "{".to_owned(), "SerializationException", 1),
        ("BatchMeterUsage", "x".repeat(1_000_002), "RequestEntityTooLargeException", 1),
        ("MeterUsage", json!({"ProductCode": CODE}).to_string(), "ValidationException", 1),
    ];
    let mut expected = Vec::new();
    for (operation, body, code, count) in whole {
        let answered = call(&mut port, operation, body).await;
        assert_eq!(answered, [code], "{operation}");
        expected.splice(0..0, vec![(operation.to_owned(), code.to_owned()); count]);
    }
    let list = port.get(&format!("{USAGE}?status=refused&pageSize=1000")).await;
    let refused = list["refusedRecords"].as_array().unwrap();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let found: Vec<_> = refused.iter().map(|r| (word(&r["operation"]), word(&r["code"]))).collect();
    assert_eq!(found, expected);
    assert!(refused.iter().all(|record| !word(&record["message"]).is_empty()));

    for (filter, count) in [
        ("productCode=none", 1),
        ("buyer=000000000102", 29),
        ("buyer=000000000101", 0),
        ("dimension=users", 29),
        ("month=2012-12", 1),
        ("month=2013-01&productCode=none", 1),
    ] {
        let list = port.get(&format!("{USAGE}?status=refused&{filter}")).await;
        assert_eq!(list["refusedRecords"].as_array().unwrap().len(), count, "{filter}");
    }
    assert_eq!(port.get(USAGE).await["meteredRecords"], json!([]));
    assert_eq!(port.ask("PUT", "/_souk/sandboxes/one", EXAMPLE).await.0, 200);
    let list = port.get(&format!("{USAGE}?status=refused")).await;
    assert_eq!(list["refusedRecords"], json!([]), "another sandbox knows nothing of them");
}

#[tokio::test]
async fn a_wrong_list_is_refused_with_the_parameter() {
    let mut port = subscribed().await;
    for (path, status, code, field) in [
        ("usage?status=lost", 400, "FIELD_INVALID", "status"),
        ("usage?payer=1", 400, "FIELD_INVALID", "payer"),
        ("usage?buyer=1", 400, "FIELD_INVALID", "buyer"),
        ("usage?status=refused&buyer=1", 400, "FIELD_INVALID", "buyer"),
        ("usage?buyer=999999999999", 404, "ACCOUNT_UNKNOWN", "buyer"),
        ("usage?productCode=none", 404, "PRODUCT_UNKNOWN", "productCode"),
        ("usage?month=June", 400, "FIELD_INVALID", "month"),
        ("usage?status=refused&month=June", 400, "FIELD_INVALID", "month"),
        ("usage?pageSize=1001", 400, "FIELD_INVALID", "pageSize"),
        ("usage?pageToken=x", 400, "PAGE_TOKEN_INVALID", "pageToken"),
        ("usage?status=refused&pageToken=x", 400, "PAGE_TOKEN_INVALID", "pageToken"),
    ] {
        let (found, refused) = port.ask("GET", &format!("/_souk/sandboxes/one/{path}"), "").await;
        let said = (found, refused["code"].as_str().unwrap(), refused["field"].as_str().unwrap());
        assert_eq!(said, (status, code, field), "{path}: {refused}");
    }
    for path in ["usage", "usage?status=refused"] {
        let (status, refused) = port.ask("GET", &format!("/_souk/sandboxes/none/{path}"), "").await;
        assert_eq!((status, &refused["code"]), (404, &json!("SANDBOX_UNKNOWN")), "{path}");
    }
}

#[tokio::test]
async fn what_happened_is_told_in_the_sandbox_s_time() {
    let mut port = subscribed().await;
    assert_eq!(port.clock(json!({"to": "2013-02-03T00:00:00Z"})).await.0, 200);
    let events = "/_souk/sandboxes/one/events";
    let mut told = Vec::new();
    let mut token = String::new();
    loop {
        let page = port.get(&format!("{events}?pageSize=2&pageToken={token}")).await;
        for event in page["events"].as_array().unwrap() {
            let (kind, _) = event.as_object().unwrap().iter().find(|(key, _)| *key != "time").unwrap();
            told.push(format!("{} {kind}", event["time"].as_str().unwrap()));
        }
        page["nextPageToken"].as_str().unwrap().clone_into(&mut token);
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(
        told,
        [
            "2013-01-01T00:00:00Z offerReleased",
            "2013-01-01T00:00:00Z offerReleased",
            "2013-01-01T00:00:00Z offerReleased",
            "2013-01-01T00:00:00Z agreementAccepted",
            "2013-01-01T00:00:00Z upfrontPurchased",
            "2013-01-01T00:00:00Z agreementAccepted",
            "2013-01-01T00:00:00Z invoiceIssued",
            "2013-02-02T00:00:00Z monthClosed",
        ]
    );
    let whole = port.get(events).await;
    let closed = json!({
        "time": "2013-02-02T00:00:00Z",
        "monthClosed": {"payerAccountId": "000000000100", "billingPeriod": "2013-01"},
    });
    assert_eq!(whole["events"][7], closed);
    let invoice = &port.get("/_souk/sandboxes/one/invoices").await["invoices"][0];
    assert_eq!(whole["events"][6]["invoiceIssued"]["invoiceId"], invoice["invoiceId"]);
    for (filter, count) in [
        ("buyer=000000000101", 2),
        ("buyer=000000000102", 1),
        ("payer=000000000100", 5),
        ("payer=000000000102", 0),
        ("since=2013-02-02T00:00:00Z", 1),
        ("since=2013-01-01T00:00:01%2B00:00&payer=000000000100", 1),
    ] {
        let page = port.get(&format!("{events}?{filter}")).await;
        assert_eq!(page["events"].as_array().unwrap().len(), count, "{filter}");
    }
    for (query, status, code, field) in [
        ("payer=1", 400, "FIELD_INVALID", "payer"),
        ("buyer=999999999999", 404, "ACCOUNT_UNKNOWN", "buyer"),
        ("since=yesterday", 400, "FIELD_INVALID", "since"),
        ("pageToken=x", 400, "PAGE_TOKEN_INVALID", "pageToken"),
        ("month=2013-01", 400, "FIELD_INVALID", "month"),
    ] {
        let (found, refused) = port.ask("GET", &format!("{events}?{query}"), "").await;
        let said = (found, refused["code"].as_str().unwrap(), refused["field"].as_str().unwrap());
        assert_eq!(said, (status, code, field), "{query}: {refused}");
    }
}

#[tokio::test]
async fn a_line_is_explained_and_an_open_month_previewed() {
    let mut port = subscribed().await;
    assert_eq!(port.clock(json!({"advance": "PT3H"})).await.0, 200);
    let records = [0, 3_600, 7_200].map(|seconds| record("000000000102", 5, seconds));
    assert_eq!(call(&mut port, "BatchMeterUsage", batch(&records)).await, ["Success"; 3]);
    let previews = port.get("/_souk/sandboxes/one/previews?payer=000000000100").await;
    assert_eq!(previews["invoices"][0]["total"], "9.00");
    let month = port.get("/_souk/sandboxes/one/previews?payer=000000000100&month=2013-02").await;
    assert_eq!(month, json!({"invoices": []}));

    assert_eq!(port.clock(json!({"to": "2013-02-03T00:00:00Z"})).await.0, 200);
    let list = port.get("/_souk/sandboxes/one/invoices?month=2013-01").await;
    let id = list["invoices"].as_array().unwrap().iter().find(|i| i["total"] == "9.00").unwrap();
    let lines = format!("/_souk/sandboxes/one/invoices/{}/lines", id["invoiceId"].as_str().unwrap());
    let first = port.get(&format!("{lines}/1/explanation?pageSize=2")).await;
    let next = first["nextPageToken"].as_str().unwrap();
    let second = port.get(&format!("{lines}/1/explanation?pageSize=2&pageToken={next}")).await;
    let counts = [&first, &second].map(|page| page["hours"].as_array().unwrap().len());
    assert_eq!((&first["line"]["amount"], counts), (&json!("9.00"), [2, 1]));
    let metered = port.get(USAGE).await;
    let explained = &first["hours"][0]["records"][0]["meteringRecordId"];
    assert_eq!(*explained, metered["meteredRecords"][0]["meteringRecordId"]);

    for (path, status, code, field) in [
        (format!("{lines}/2/explanation"), 404, "LINE_UNKNOWN", "lineNumber"),
        (format!("{lines}/first/explanation"), 400, "FIELD_INVALID", "lineNumber"),
        (format!("{lines}/1/explanation?pageToken=x"), 400, "PAGE_TOKEN_INVALID", "pageToken"),
        (format!("{lines}/1"), 404, "PATH_UNKNOWN", ""),
        (
            "/_souk/sandboxes/one/invoices/none/lines/1/explanation".to_owned(),
            404,
            "INVOICE_UNKNOWN",
            "invoiceId",
        ),
        ("/_souk/sandboxes/one/previews".to_owned(), 400, "FIELD_MISSING", "payer"),
        ("/_souk/sandboxes/one/previews?payer=000000000101".to_owned(), 400, "FIELD_INVALID", "payer"),
        (
            "/_souk/sandboxes/one/previews?payer=000000000100&month=2013-01".to_owned(),
            412,
            "MONTH_CLOSED",
            "month",
        ),
    ] {
        let (found, refused) = port.ask("GET", &path, "").await;
        let said = (found, refused["code"].as_str().unwrap(), refused["field"].as_str().unwrap());
        assert_eq!(said, (status, code, field), "{path}: {refused}");
    }
}
