//! Sandboxes: made from documents, described, listed and deleted.

use axum::response::Response;
use souk_proto::sandbox::v1 as proto;
use souk_proto::sandbox::v1::sandbox_service_server::SandboxService;
use tonic::Request;

use super::refused::Refused;
use super::request::{self, Fields, Parameter};
use crate::app::Souk;
use crate::document;
use crate::grpc::sandbox::SandboxApi;

/// The parameters of a list.
pub const PARAMETERS: &[Parameter] =
    &[Parameter { name: "pageSize", field: "pageSize" }, Parameter { name: "pageToken", field: "pageToken" }];
/// The field of the path; all others of a refused document stand in its text.
const NAME: &str = "sandbox";

/// Lists them by name.
pub async fn list(souk: &Souk, fields: Fields) -> Result<Response, Refused> {
    let request: proto::ListSandboxesRequest =
        request::message("souk.sandbox.v1.ListSandboxesRequest", fields)?;
    let answer = SandboxApi(souk.clone()).list_sandboxes(Request::new(request)).await?;
    super::message("souk.sandbox.v1.ListSandboxesResponse", answer.into_inner()).await
}

/// Makes or replaces one.
pub async fn put(souk: &Souk, name: &str, text: String) -> Result<Response, Refused> {
    // Reading a large text takes a while: not on a thread that serves others.
    let read = tokio::task::spawn_blocking(move || document::parse_located(&text)).await;
    let located = read.map_err(Refused::defect)?.map_err(|errors| Refused::document(&errors))?;
    let source = Some(proto::put_sandbox_request::Source::Document(located.document));
    let request = proto::PutSandboxRequest { sandbox: name.to_owned(), source };
    let answer = SandboxApi(souk.clone()).put_sandbox(Request::new(request)).await.map_err(|status| {
        let refused = Refused::from(status);
        match refused.field_name() {
            "" | NAME => refused,
            field => {
                let position = located.positions.find(field);
                refused.at(position)
            }
        }
    })?;
    super::message("souk.sandbox.v1.PutSandboxResponse", answer.into_inner()).await
}

/// Describes one.
pub async fn get(souk: &Souk, name: &str) -> Result<Response, Refused> {
    let request = proto::GetSandboxRequest { sandbox: name.to_owned() };
    let answer = SandboxApi(souk.clone()).get_sandbox(Request::new(request)).await?;
    super::message("souk.sandbox.v1.GetSandboxResponse", answer.into_inner()).await
}

/// Deletes one.
pub async fn delete(souk: &Souk, name: &str) -> Result<Response, Refused> {
    let request = proto::DeleteSandboxRequest { sandbox: name.to_owned() };
    let answer = SandboxApi(souk.clone()).delete_sandbox(Request::new(request)).await?;
    super::message("souk.sandbox.v1.DeleteSandboxResponse", answer.into_inner()).await
}
