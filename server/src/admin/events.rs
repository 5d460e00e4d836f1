//! What happened in a sandbox, in its own time.

use axum::response::Response;
use souk_proto::sandbox::v1 as proto;
use souk_proto::sandbox::v1::sandbox_service_server::SandboxService;
use tonic::Request;

use super::refused::Refused;
use super::request::{self, Fields, Parameter};
use crate::app::Souk;
use crate::grpc::sandbox::SandboxApi;

/// The parameters of the list.
pub const PARAMETERS: &[Parameter] = &[
    Parameter { name: "buyer", field: "buyerAccountId" },
    Parameter { name: "payer", field: "payerAccountId" },
    Parameter { name: "since", field: "since" },
    Parameter { name: "pageSize", field: "pageSize" },
    Parameter { name: "pageToken", field: "pageToken" },
];

/// Lists it, oldest first.
pub async fn list(souk: &Souk, name: &str, mut fields: Fields) -> Result<Response, Refused> {
    fields.insert("sandbox".to_owned(), name.into());
    let request: Result<proto::ListEventsRequest, _> =
        request::message("souk.sandbox.v1.ListEventsRequest", fields);
    let words = |refused: Refused| refused.in_words_of("", PARAMETERS);
    let api = SandboxApi(souk.clone());
    let answer = api.list_events(Request::new(request.map_err(words)?)).await;
    let answer = answer.map_err(|status| words(status.into()))?;
    super::message("souk.sandbox.v1.ListEventsResponse", answer.into_inner()).await
}
