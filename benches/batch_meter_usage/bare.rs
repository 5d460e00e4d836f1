//! The least that a server of BatchMeterUsage can do in axum: read the body, parse it, answer.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::handler::Handler;
use axum::response::IntoResponse;
use axum::serve::ListenerExt;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchMeterUsage {
    product_code: String,
    usage_records: Vec<UsageRecord>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UsageRecord {
    timestamp: f64,
    #[serde(rename = "CustomerAWSAccountId")]
    customer_aws_account_id: String,
    dimension: String,
    quantity: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Reply {
    results: Vec<UsageRecordResult>,
    unprocessed_records: Vec<UsageRecord>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct UsageRecordResult {
    usage_record: UsageRecord,
    metering_record_id: &'static str,
    status: &'static str,
}

/// Serves a handler at any path, on a port of its own, until the runtime ends.
pub async fn serve<T: 'static>(handler: impl Handler<T, ()>) -> std::io::Result<SocketAddr> {
    let listener = super::listen().await?;
    let address = listener.local_addr()?;
    // As Souk's port does.
    let listener = listener.tap_io(|connection| _ = connection.set_nodelay(true));
    tokio::spawn(async { axum::serve(listener, Router::new().fallback(handler)).await });
    Ok(address)
}

/// Parses, and answers the same few bytes to everybody.
pub async fn parse(body: Bytes) -> impl IntoResponse {
    match serde_json::from_slice::<BatchMeterUsage>(&body) {
        Ok(batch) if !batch.product_code.is_empty() && !batch.usage_records.is_empty() => {
            Ok(([(CONTENT_TYPE, "application/x-amz-json-1.1")], r#"{"Results":[],"UnprocessedRecords":[]}"#))
        }
        Ok(_) | Err(_) => Err(StatusCode::BAD_REQUEST),
    }
}

/// Parses, and answers as if each record had been metered.
pub async fn echo(body: Bytes) -> impl IntoResponse {
    let Ok(batch) = serde_json::from_slice::<BatchMeterUsage>(&body) else {
        return Err(StatusCode::BAD_REQUEST);
    };
    let result = |usage_record| UsageRecordResult {
        usage_record,
        metering_record_id: "19cec776-1c1c-8c6f-909d-b8d10005d16f",
        status: "Success",
    };
    let results = batch.usage_records.into_iter().map(result).collect();
    let reply = serde_json::to_vec(&Reply { results, unprocessed_records: Vec::new() });
    let reply = reply.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(([(CONTENT_TYPE, "application/x-amz-json-1.1")], reply))
}
