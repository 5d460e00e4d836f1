//! The protocols of the port, and how each is told from a request's headers and path.

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::error::AwsError;
use super::wire::{Value, cbor, json};

/// The header that names an RPC protocol of Smithy.
pub const SMITHY_PROTOCOL: HeaderName = HeaderName::from_static("smithy-protocol");
/// What that header says for CBOR.
pub const RPC_V2_CBOR: HeaderValue = HeaderValue::from_static("rpc-v2-cbor");

/// How a request and its answer are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// AWS JSON 1.0.
    Json10,
    /// AWS JSON 1.1.
    Json11,
    /// Smithy RPC v2 in CBOR.
    Cbor,
}

impl Protocol {
    /// The content type of requests and answers.
    pub fn content_type(self) -> &'static str {
        match self {
            Protocol::Json10 => "application/x-amz-json-1.0",
            Protocol::Json11 => "application/x-amz-json-1.1",
            Protocol::Cbor => "application/cbor",
        }
    }

    /// The protocol with a request's content type, whatever parameters follow it.
    pub fn of_content_type(headers: &HeaderMap) -> Option<Protocol> {
        let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let essence = text.split(';').next()?.trim();
        [Protocol::Json10, Protocol::Json11, Protocol::Cbor]
            .into_iter()
            .find(|protocol| essence.eq_ignore_ascii_case(protocol.content_type()))
    }

    /// The protocol in which the writer of this request understands an error; JSON 1.1 if it says nothing.
    pub fn spoken(path: &str, headers: &HeaderMap) -> Protocol {
        let is_cbor = headers.get(SMITHY_PROTOCOL).is_some_and(|value| value == RPC_V2_CBOR);
        match Protocol::of_content_type(headers) {
            _ if is_cbor => Protocol::Cbor,
            Some(protocol) => protocol,
            None if path.contains("/service/") && path.contains("/operation/") => Protocol::Cbor,
            None => Protocol::Json11,
        }
    }

    /// Reads a request's body.
    pub fn parse(self, body: &[u8]) -> Result<Value<'_>, AwsError> {
        let value = match self {
            Protocol::Json10 | Protocol::Json11 => json::parse(body),
            Protocol::Cbor => cbor::parse(body),
        };
        value.map_err(AwsError::from)
    }

    /// Prints an answer's body.
    pub fn print(self, value: &Value<'_>) -> Vec<u8> {
        match self {
            Protocol::Json10 | Protocol::Json11 => json::print(value).into_bytes(),
            Protocol::Cbor => cbor::print(value),
        }
    }
}
