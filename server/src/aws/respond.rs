//! Writes answers: the body, the status and the headers of each protocol.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use uuid::Builder;

use super::error::AwsError;
use super::protocol::{Protocol, RPC_V2_CBOR, SMITHY_PROTOCOL};
use super::wire::Value;

/// Names the error for SDKs that look at headers first.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
/// Names the request for whoever asks about it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// A fresh request id, in AWS's form: a number that is counted, under a hash that is keyed anew in every process. It
/// keeps no secret, so that the system need not be asked for randomness with every request.
pub fn new_request_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let [first, second] = KEYS.each_ref().map(|key| key.hash_one(number).to_ne_bytes());
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&first);
    bytes[8..].copy_from_slice(&second);
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// The answer to a request.
pub fn respond(
    protocol: Protocol,
    request_id: &str,
    outcome: Result<Value<'_>, AwsError>,
) -> Response<Bytes> {
    let response = match outcome {
        Ok(value) => Response::new(Bytes::from(protocol.print(&value))),
        Err(error) => refusal(protocol, &error),
    };
    finish(protocol, request_id, response)
}

fn finish(protocol: Protocol, request_id: &str, mut response: Response<Bytes>) -> Response<Bytes> {
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(protocol.content_type()));
    insert(headers, REQUEST_ID, request_id);
    match protocol {
        Protocol::Cbor => _ = headers.insert(SMITHY_PROTOCOL, RPC_V2_CBOR),
        Protocol::Json10 | Protocol::Json11 => {}
    }
    response
}

/// The answer that a body is.
pub fn respond_printed(protocol: Protocol, request_id: &str, body: String) -> Response<Bytes> {
    finish(protocol, request_id, Response::new(Bytes::from(body)))
}

fn refusal(protocol: Protocol, error: &AwsError) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(protocol.print(&error.to_value())));
    *response.status_mut() = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match protocol {
        Protocol::Cbor => {}
        Protocol::Json10 | Protocol::Json11 => insert(response.headers_mut(), ERROR_TYPE, &error.code),
    }
    response
}

/// A text that no header can carry is left out.
fn insert(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header<'a>(response: &'a Response<Bytes>, name: &str) -> Option<&'a str> {
        response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    fn empty() -> Value<'static> {
        Value::Map(Vec::new())
    }

    #[test]
    fn json_answers_have_their_body_and_headers() {
        for protocol in [Protocol::Json10, Protocol::Json11] {
            let value = Value::structure([("Status", Some(Value::text("Success"))), ("Token", None)]);
            let response = respond(protocol, "id-1", Ok(value));
            assert_eq!(response.status(), 200);
            assert_eq!(response.body(), r#"{"Status":"Success"}"#);
            assert_eq!(header(&response, "content-type"), Some(protocol.content_type()));
            assert_eq!(header(&response, "x-amzn-RequestId"), Some("id-1"));
            assert_eq!(header(&response, "x-amzn-ErrorType"), None);
            assert_eq!(header(&response, "smithy-protocol"), None);
        }
    }

    #[test]
    fn json_errors_name_themselves_twice() {
        let response = respond(Protocol::Json11, "id-2", Err(AwsError::throttling("Rate \"exceeded\"")));
        assert_eq!(response.status(), 400);
        assert_eq!(response.body(), r#"{"__type":"ThrottlingException","message":"Rate \"exceeded\""}"#);
        assert_eq!(header(&response, "x-amzn-ErrorType"), Some("ThrottlingException"));
        assert_eq!(header(&response, "x-amzn-RequestId"), Some("id-2"));
    }

    #[test]
    fn cbor_answers_name_their_protocol() {
        let response = respond(Protocol::Cbor, "id-3", Ok(empty()));
        assert_eq!((response.status(), &response.body()[..]), (StatusCode::OK, &[0xa0][..]));
        assert_eq!(header(&response, "content-type"), Some("application/cbor"));
        assert_eq!(header(&response, "smithy-protocol"), Some("rpc-v2-cbor"));
        assert_eq!(header(&response, "x-amzn-RequestId"), Some("id-3"));

        let response = respond(Protocol::Cbor, "id-4", Err(AwsError::internal("broken")));
        assert_eq!(response.status(), 500);
        assert_eq!(header(&response, "smithy-protocol"), Some("rpc-v2-cbor"));
        let body = Protocol::Cbor.parse(response.body()).unwrap();
        assert_eq!(body.get("__type"), Some(&Value::text("InternalServiceErrorException")));
        assert_eq!(body.get("message"), Some(&Value::text("broken")));
    }

    #[test]
    fn common_errors_have_aws_s_status() {
        let rows = [
            (AwsError::unknown_operation(""), "UnknownOperationException", 404),
            (AwsError::serialization(""), "SerializationException", 400),
            (AwsError::request_entity_too_large(""), "RequestEntityTooLargeException", 413),
            (AwsError::validation(""), "ValidationException", 400),
            (AwsError::throttling(""), "ThrottlingException", 400),
            (AwsError::internal(""), "InternalServiceErrorException", 500),
            (AwsError::missing_authentication_token(""), "MissingAuthenticationTokenException", 403),
            (AwsError::incomplete_signature(""), "IncompleteSignatureException", 403),
            (AwsError::invalid_signature(""), "InvalidSignatureException", 403),
            (AwsError::unrecognized_client(""), "UnrecognizedClientException", 403),
            (AwsError::expired_credentials(""), "ExpiredTokenException", 403),
        ];
        for (error, code, status) in rows {
            let response = respond(Protocol::Json11, "id", Err(error));
            assert_eq!(header(&response, "x-amzn-ErrorType"), Some(code));
            assert_eq!(response.status().as_u16(), status, "{code}");
        }
    }

    #[test]
    fn bodies_that_cannot_be_read_become_errors_of_the_wire() {
        for protocol in [Protocol::Json11, Protocol::Cbor] {
            let error = protocol.parse(b"").unwrap_err();
            assert_eq!((error.code.as_ref(), error.status), ("SerializationException", 400));
            let error = protocol.parse(&vec![b' '; 2 << 20]).unwrap_err();
            assert_eq!((error.code.as_ref(), error.status), ("RequestEntityTooLargeException", 413));
        }
    }

    #[test]
    fn what_a_header_cannot_carry_is_left_out() {
        let response = respond(Protocol::Json11, "line\nbreak", Err(AwsError::new("Odd\nName", 99, "text")));
        assert_eq!(response.status(), 500);
        assert_eq!(header(&response, "x-amzn-RequestId"), None);
        assert_eq!(response.body(), r#"{"__type":"Odd\nName","message":"text"}"#);
    }

    #[test]
    fn request_ids_differ() {
        let (one, other) = (new_request_id(), new_request_id());
        assert_eq!(one.len(), 36);
        assert_ne!(one, other);
    }
}
