//! Faults that the AWS port makes on purpose: set, listed and cleared.

use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use souk_proto::fault::v1 as proto;
use souk_proto::fault::v1::fault_service_server::FaultService;
use tonic::Request;

use super::refused::Refused;
use super::request::{self, Fields};
use crate::app::Souk;
use crate::grpc::fault::FaultApi;

const REMEDY: &str =
    r#"give {"faults": [{"operation": "BatchMeterUsage", "nthCall": 1, "kind": "THROTTLE"}]}"#;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    faults: Vec<Value>,
}

/// Sets the rules in the place of those before.
pub async fn set(souk: &Souk, name: &str, body: &str) -> Result<Response, Refused> {
    let Wanted { faults } = request::json(body, REMEDY)?;
    let fields =
        Fields::from_iter([("sandbox".to_owned(), name.into()), ("faults".to_owned(), faults.into())]);
    put(souk, request::message("souk.fault.v1.SetFaultsRequest", fields)?).await
}

/// Lists the rules, and what each has done.
pub async fn list(souk: &Souk, name: &str) -> Result<Response, Refused> {
    let request = proto::ListFaultsRequest { sandbox: name.to_owned() };
    let answer = FaultApi(souk.clone()).list_faults(Request::new(request)).await?;
    super::message("souk.fault.v1.ListFaultsResponse", answer.into_inner()).await
}

/// Leaves no rule.
pub async fn clear(souk: &Souk, name: &str) -> Result<Response, Refused> {
    put(souk, proto::SetFaultsRequest { sandbox: name.to_owned(), faults: Vec::new() }).await
}

async fn put(souk: &Souk, request: proto::SetFaultsRequest) -> Result<Response, Refused> {
    let answer = FaultApi(souk.clone()).set_faults(Request::new(request)).await?;
    super::message("souk.fault.v1.SetFaultsResponse", answer.into_inner()).await
}
