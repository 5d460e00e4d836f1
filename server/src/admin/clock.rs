//! Clocks: read, turned, stopped and let go.

use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use souk_proto::sandbox::v1 as proto;
use souk_proto::sandbox::v1::sandbox_service_server::SandboxService;
use tonic::Request;

use super::refused::Refused;
use super::request::{self, Fields, Parameter};
use crate::app::Souk;
use crate::grpc::sandbox::SandboxApi;

const REMEDY: &str = "give one of {\"advance\": \"PT1H\"}, {\"to\": \"2025-06-01T00:00:00Z\"}, \
                      {\"at\": \"2025-06-01T00:00:00Z\"} and {\"follow\": {}}";
/// The words of the body, and the fields of the contract that they become.
const WORDS: &[Parameter] = &[
    Parameter { name: "advance", field: "by" },
    Parameter { name: "at", field: "clock.at" },
    Parameter { name: "follow", field: "clock.follow" },
];

/// What a clock is told.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Turn {
    /// Forward by a duration.
    Advance(String),
    /// Forward to a time.
    To(String),
    /// Stop at a time.
    At(String),
    /// Follow the machine's clock.
    Follow(Follow),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Follow {}

/// Reads a clock.
pub async fn get(souk: &Souk, name: &str) -> Result<Response, Refused> {
    let request = proto::GetClockRequest { sandbox: name.to_owned() };
    let answer = SandboxApi(souk.clone()).get_clock(Request::new(request)).await?;
    super::message("souk.sandbox.v1.GetClockResponse", answer.into_inner()).await
}

/// Turns or sets a clock.
pub async fn turn(souk: &Souk, name: &str, body: &str) -> Result<Response, Refused> {
    let answer = match request::json(body, REMEDY)? {
        Turn::Advance(by) => advance(souk, name, "by", by).await,
        Turn::To(to) => advance(souk, name, "to", to).await,
        Turn::At(at) => set(souk, name, json!({ "at": at })).await,
        Turn::Follow(Follow {}) => set(souk, name, json!({ "follow": {} })).await,
    };
    answer.map_err(|refused| refused.in_words_of("", WORDS))
}

async fn advance(souk: &Souk, name: &str, field: &str, value: String) -> Result<Response, Refused> {
    let fields = Fields::from_iter([("sandbox", name.into()), (field, value.into())].map(owned));
    let request: proto::AdvanceClockRequest =
        request::message("souk.sandbox.v1.AdvanceClockRequest", fields)?;
    let answer = SandboxApi(souk.clone()).advance_clock(Request::new(request)).await?;
    super::message("souk.sandbox.v1.AdvanceClockResponse", answer.into_inner()).await
}

async fn set(souk: &Souk, name: &str, setting: Value) -> Result<Response, Refused> {
    let fields = Fields::from_iter([("sandbox", name.into()), ("clock", setting)].map(owned));
    let request: proto::SetClockRequest = request::message("souk.sandbox.v1.SetClockRequest", fields)?;
    let answer = SandboxApi(souk.clone()).set_clock(Request::new(request)).await?;
    super::message("souk.sandbox.v1.SetClockResponse", answer.into_inner()).await
}

fn owned((field, value): (&str, Value)) -> (String, Value) {
    (field.to_owned(), value)
}
