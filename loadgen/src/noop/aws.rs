//! BatchMeterUsage of AWS without a marketplace: a bare axum handler that checks the signature, parses the body,
//! and answers as if each record had been metered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::IntoResponse;
use axum::serve::ListenerExt;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::door::aws::sign::Signer;
use crate::plan::market;

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
const RECORD_ID: &str = "19cec776-1c1c-8c6f-909d-b8d10005d16f";

/// The keys that were seen, with what is derived from them.
type Keys = Arc<Mutex<HashMap<String, Signer>>>;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch {
    product_code: String,
    usage_records: Vec<Record>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    timestamp: f64,
    #[serde(rename = "CustomerAWSAccountId")]
    customer_aws_account_id: String,
    dimension: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity_as_decimal: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Reply {
    results: Vec<Metered>,
    unprocessed_records: Vec<Record>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metered {
    usage_record: Record,
    metering_record_id: &'static str,
    status: &'static str,
}

/// Serves until the process is killed.
///
/// # Errors
/// When the transport fails.
pub async fn serve(listener: TcpListener) -> anyhow::Result<()> {
    // As soukd's port does.
    let listener = listener.tap_io(|connection| _ = connection.set_nodelay(true));
    let router = Router::new().fallback(handle).with_state(Keys::default());
    axum::serve(listener, router).await.context("failed to serve")
}

async fn handle(State(keys): State<Keys>, uri: Uri, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let answer = reply(&keys, uri.path(), &headers, &body);
    answer.map(|reply| ([("content-type", CONTENT_TYPE)], reply)).ok_or(StatusCode::BAD_REQUEST)
}

fn reply(keys: &Keys, path: &str, headers: &HeaderMap, body: &[u8]) -> Option<Vec<u8>> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let authorization = text("authorization")?;
    let key = authorization.split_once("Credential=")?.1.split('/').next()?;
    let signature = authorization.split_once("Signature=")?.1;
    let body_text = std::str::from_utf8(body).ok()?;
    let signer = signer(keys, key)?;
    if !signer.signs(path, body_text, text("x-amz-date")?, signature) {
        return None;
    }
    let batch: Batch = serde_json::from_slice(body).ok()?;
    if batch.product_code.is_empty() {
        return None;
    }
    let metered = |usage_record| Metered { usage_record, metering_record_id: RECORD_ID, status: "Success" };
    let results = batch.usage_records.into_iter().map(metered).collect();
    serde_json::to_vec(&Reply { results, unprocessed_records: Vec::new() }).ok()
}

/// The signer of a key of a plan: the number at its end says whose it is.
fn signer(keys: &Keys, key: &str) -> Option<Signer> {
    let mut keys = keys.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = keys.get(key) {
        return Some(known.clone());
    }
    let number = key.get(key.len().checked_sub(6)?..)?.parse().ok()?;
    let (expected, secret) = market::access_key(number);
    let signer = (expected == key).then(|| Signer::new(key, &secret))?;
    keys.insert(key.to_owned(), signer.clone());
    Some(signer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_batch_is_answered_record_by_record_and_a_forged_one_is_not() {
        let (key, secret) = market::access_key(3);
        let body = r#"{"UsageRecords":[{"Timestamp":1,"CustomerAWSAccountId":"1","Dimension":"d","Quantity":5}],"ProductCode":"p"}"#;
        let request = String::from_utf8(Signer::new(&key, &secret).request("/s/x/", body)).unwrap();
        let (head, _) = request.split_once("\r\n\r\n").unwrap();
        let mut headers = HeaderMap::new();
        for line in head.lines().skip(1) {
            let (name, value) = line.split_once(": ").unwrap();
            let name: axum::http::HeaderName = name.parse().unwrap();
            headers.insert(name, value.parse().unwrap());
        }
        let keys = Keys::default();
        for _ in 0..2 {
            let answer = reply(&keys, "/s/x/", &headers, body.as_bytes()).unwrap();
            let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
            assert_eq!(answer["Results"][0]["Status"], "Success");
            assert_eq!(answer["Results"][0]["UsageRecord"]["Quantity"], 5);
        }
        assert_eq!(reply(&keys, "/s/y/", &headers, body.as_bytes()), None);
        assert_eq!(reply(&keys, "/s/x/", &headers, &body.as_bytes()[..20]), None);
    }
}
