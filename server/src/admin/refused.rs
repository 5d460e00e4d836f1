//! Why a request is refused, as HTTP says it: the one table from the services' statuses to HTTP's.

use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Method, StatusCode};
use serde::Serialize;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use tracing::error;

use super::request::{BODY_BYTES_MAX, Parameter};
use crate::document::{DocumentError, DocumentErrors, Position};

/// A refusal.
#[derive(Debug)]
pub struct Refused {
    status: StatusCode,
    retry_after_secs: Option<u64>,
    allow: Option<&'static str>,
    body: Box<Told>,
}

/// The body of the answer.
#[derive(Debug, Serialize)]
struct Told {
    code: String,
    field: String,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Place>,
}

/// Something wrong, and where it stands in the text that was sent.
#[derive(Debug, Serialize)]
struct Place {
    line: u32,
    column: u32,
    path: String,
    message: String,
}

impl Refused {
    /// Refuses for one reason.
    pub fn new(status: StatusCode, code: &str, field: &str, message: impl Into<String>) -> Refused {
        let (code, field) = (code.to_owned(), field.to_owned());
        let body = Told { code, field, message: message.into(), errors: Vec::new() };
        Refused { status, retry_after_secs: None, allow: None, body: Box::new(body) }
    }

    /// Nothing lives at this path.
    pub fn unknown_path(path: &str) -> Refused {
        let message = format!("there is no {}{path}: sandboxes are at /_souk/sandboxes/NAME", super::PREFIX);
        Refused::new(StatusCode::NOT_FOUND, "PATH_UNKNOWN", "", message)
    }

    /// What lives at this path cannot be asked that way.
    pub fn method_not_allowed(method: &Method, path: &str, allow: &'static str) -> Refused {
        let message = format!("{method} is not for {}{path}: use {allow}", super::PREFIX);
        let refused = Refused::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "", message);
        Refused { allow: Some(allow), ..refused }
    }

    /// A page of another site asks.
    pub fn other_origin(origin: &str) -> Refused {
        let message = format!(
            "a page of \"{origin}\" may not administrate: send the request from a program, without an Origin"
        );
        Refused::new(StatusCode::FORBIDDEN, "ORIGIN_REFUSED", "", message)
    }

    /// The body is too long.
    pub fn too_large() -> Refused {
        let message = format!("a body has at most {BODY_BYTES_MAX} bytes");
        Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", "", message)
    }

    /// The body cannot be read.
    pub fn body(message: impl Into<String>) -> Refused {
        Refused::new(StatusCode::BAD_REQUEST, "BODY_INVALID", "", message)
    }

    /// A field does not have the form it must have.
    pub fn field(field: &str, message: impl Into<String>) -> Refused {
        Refused::new(StatusCode::BAD_REQUEST, "FIELD_INVALID", field, message)
    }

    /// The sandbox document cannot be read.
    pub fn document(errors: &DocumentErrors) -> Refused {
        let first = errors.told().first();
        let (field, mut message) =
            first.map(|first| (first.path.clone(), first.to_string())).unwrap_or_default();
        match errors.told().len() + errors.omitted() {
            0 | 1 => {}
            total => message.push_str(&format!("; and {} more", total - 1)),
        }
        let mut refused = Refused::new(StatusCode::BAD_REQUEST, "DOCUMENT_INVALID", &field, message);
        refused.body.errors = errors.told().iter().map(Place::of).collect();
        refused
    }

    /// A defect of Souk: the log says what it is.
    pub fn defect(why: impl std::fmt::Display) -> Refused {
        error!(%why, "an answer could not be made");
        Status::internal("a defect of the server, which its log describes").into()
    }

    /// The field that is wrong.
    pub fn field_name(&self) -> &str {
        &self.body.field
    }

    /// The same, with the place in the text that was sent.
    #[must_use]
    pub fn at(mut self, Position { line, column }: Position) -> Refused {
        let (path, message) = (self.body.field.clone(), self.body.message.clone());
        self.body.errors.push(Place { line, column, path, message });
        self
    }

    /// The same in the words of the address: the contract's field, in the message `within`, has another name.
    #[must_use]
    pub fn in_words_of(mut self, within: &str, parameters: &[Parameter]) -> Refused {
        let field = self.body.field.strip_prefix(within).unwrap_or(&self.body.field);
        let name = parameters.iter().find(|parameter| parameter.field == field).map(|p| p.name);
        self.body.field = name.unwrap_or(field).to_owned();
        self
    }
}

impl Place {
    fn of(error: &DocumentError) -> Place {
        let DocumentError { position, path, problem, remedy } = error;
        Place {
            line: position.line,
            column: position.column,
            path: path.clone(),
            message: format!("{problem}; {remedy}"),
        }
    }
}

impl From<Status> for Refused {
    fn from(status: Status) -> Refused {
        let (http, name) = match status.code() {
            Code::InvalidArgument => (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT"),
            Code::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND"),
            Code::AlreadyExists => (StatusCode::CONFLICT, "ALREADY_EXISTS"),
            Code::FailedPrecondition => (StatusCode::PRECONDITION_FAILED, "FAILED_PRECONDITION"),
            Code::PermissionDenied => (StatusCode::FORBIDDEN, "PERMISSION_DENIED"),
            Code::ResourceExhausted => (StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED"),
            Code::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"),
        };
        let details = status.get_error_details();
        let code = details.error_info().map_or(name, |info| info.reason.as_str());
        let violation = details.bad_request().and_then(|bad| bad.field_violations.first());
        let (field, message) = match violation {
            Some(violation) => (violation.field.as_str(), violation.description.as_str()),
            None => ("", status.message()),
        };
        let delay = details.retry_info().and_then(|info| info.retry_delay);
        // HTTP counts in whole seconds.
        let retry_after_secs = delay.map(|delay| delay.as_millis().div_ceil(1_000).max(1));
        Refused {
            retry_after_secs: retry_after_secs.and_then(|secs| u64::try_from(secs).ok()),
            ..Refused::new(http, code, field, message)
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        // Texts and numbers always print.
        let body = serde_json::to_vec(&self.body).unwrap_or_default();
        let mut response = (self.status, [(CONTENT_TYPE, "application/json")], body).into_response();
        let headers = response.headers_mut();
        if let Some(secs) = self.retry_after_secs {
            headers.insert(RETRY_AFTER, HeaderValue::from(secs));
        }
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use souk_core::rejection::{Code as Reason, Kind, Rejection};

    use super::*;
    use crate::grpc::status;

    #[test]
    fn every_code_has_a_status_and_keeps_its_field() {
        for &reason in Reason::ALL {
            let refused = Refused::from(status::rejected(Rejection::new(reason, "offers[0]", "it is wrong")));
            let expected = match reason.kind() {
                Kind::Invalid => 400,
                Kind::NotFound => 404,
                Kind::Exists => 409,
                Kind::State => 412,
                Kind::Denied => 403,
            };
            let Told { code, field, message, .. } = *refused.body;
            assert_eq!(refused.status.as_u16(), expected, "{code}");
            assert_eq!([code.as_str(), &field, &message], [reason.as_str(), "offers[0]", "it is wrong"]);
        }
    }

    #[test]
    fn what_may_be_tried_again_says_when() {
        let millis = Duration::from_millis;
        for (status, http, code, header) in [
            (status::exhausted(millis(20), "the queue is full"), 429, "RESOURCE_EXHAUSTED", Some("1")),
            (status::unavailable(millis(1_500), "partition 1 is away"), 503, "UNAVAILABLE", Some("2")),
            (status::internal(), 500, "INTERNAL", None),
            (Status::unknown("odd"), 500, "INTERNAL", None),
        ] {
            let refused = Refused::from(status);
            assert_eq!((refused.body.code.as_str(), refused.body.message.is_empty()), (code, false));
            let response = refused.into_response();
            assert_eq!(response.status().as_u16(), http);
            let retry_after = response.headers().get(RETRY_AFTER).map(|value| value.to_str().unwrap());
            assert_eq!(retry_after, header, "{code}");
        }
    }
}
