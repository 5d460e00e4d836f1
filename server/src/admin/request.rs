//! Reads requests: bodies, parameters, and the messages of the contract that they become.

use axum::body::{Body, to_bytes};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body_util::LengthLimitError;
use percent_encoding::percent_decode_str;
use prost::Message;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::refused::Refused;
use crate::document::{self, Position};
use crate::grpc::server::MESSAGE_BYTES_MAX;

/// Bytes of a body at most: as many as a gRPC message may have.
pub const BODY_BYTES_MAX: usize = MESSAGE_BYTES_MAX;

/// A parameter of an address.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// As it is written.
    pub name: &'static str,
    /// The field of the contract's message.
    pub field: &'static str,
}

/// Fields of a message, in the contract's JSON names.
pub type Fields = Map<String, Value>;

/// Reads a body that is text.
pub async fn text(headers: &HeaderMap, body: Body) -> Result<String, Refused> {
    let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > BODY_BYTES_MAX as u64) {
        return Err(Refused::too_large());
    }
    let bytes = to_bytes(body, BODY_BYTES_MAX).await.map_err(|error| {
        let error = error.into_inner();
        match error.is::<LengthLimitError>() {
            true => Refused::too_large(),
            false => Refused::body(format!("the body ended before it was whole: {error}")),
        }
    })?;
    String::from_utf8(bytes.into()).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        Refused::body(format!("the body is not UTF-8 from its byte {valid} on: send text"))
    })
}

/// Reads a body that is JSON; `remedy` says what would be right.
pub fn json<T: DeserializeOwned>(text: &str, remedy: &str) -> Result<T, Refused> {
    serde_json::from_str(text).map_err(|error| {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).max(1);
        let position = Position { line: count(error.line()), column: count(error.column()) };
        Refused::body(format!("{error}; {remedy}")).at(position)
    })
}

/// Reads the parameters of an address.
pub fn parameters(query: Option<&str>, known: &[Parameter]) -> Result<Fields, Refused> {
    let mut fields = Fields::new();
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name), decoded(value));
        let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
            let names: Vec<_> = known.iter().map(|parameter| parameter.name).collect();
            let remedy = match names.as_slice() {
                [] => "there are none here".to_owned(),
                names => format!("there are {}", names.join(", ")),
            };
            return Err(Refused::field(&name, format!("unknown parameter \"{name}\": {remedy}")));
        };
        if fields.insert(parameter.field.to_owned(), Value::String(value)).is_some() {
            return Err(Refused::field(&name, "it is given twice: give it once"));
        }
    }
    Ok(fields)
}

/// Decodes a part of a query.
fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// The message of the contract with these fields; `name` is its full name.
pub fn message<M: Message + Default>(name: &str, fields: Fields) -> Result<M, Refused> {
    let descriptor = document::pool().get_message_by_name(name);
    let descriptor = descriptor.ok_or_else(|| Refused::defect(format!("the contract has no {name}")))?;
    let message = document::parse_message(&Value::Object(fields).to_string(), &descriptor);
    let message = message.map_err(|errors| match errors.told().first() {
        // The text was made here: its lines say nothing to the caller.
        Some(first) => Refused::field(&first.path, format!("{}; {}", first.problem, first.remedy)),
        None => Refused::document(&errors),
    })?;
    message.transcode_to().map_err(Refused::defect)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Parameter] =
        &[Parameter { name: "payer", field: "payerAccountId" }, Parameter { name: "month", field: "month" }];

    #[test]
    fn parameters_become_fields_of_the_contract() {
        for (query, expected) in [
            (None, "{}"),
            (Some(""), "{}"),
            (Some("&"), "{}"),
            (Some("month"), r#"{"month":""}"#),
            (Some("payer=1&month=2025-06"), r#"{"month":"2025-06","payerAccountId":"1"}"#),
            (Some("month=a%20b+c%2Bd=e"), r#"{"month":"a b c+d=e"}"#),
            (Some("month=%ff%"), "{\"month\":\"\u{fffd}%\"}"),
        ] {
            let fields = parameters(query, KNOWN).unwrap();
            assert_eq!(Value::Object(fields).to_string(), expected, "{query:?}");
        }
    }

    #[test]
    fn a_parameter_that_is_unknown_or_given_twice_is_named() {
        for (query, field) in [("payerAccountId=1", "payerAccountId"), ("month=1&month=1", "month")] {
            assert_eq!(parameters(Some(query), KNOWN).unwrap_err().field_name(), field);
        }
    }
}
