//! The one table from refusals to gRPC statuses, with google.rpc details: `ErrorInfo` with the stable code,
//! `BadRequest` with the field, `RetryInfo` where waiting helps.
//!
//! A status travels in the trailers of the answer, and common clients take no more than 8 KiB of those: what
//! is told is cut to fit (see [`MESSAGE_BYTES_MAX`] and [`VIOLATIONS_BYTES_MAX`]).

use std::collections::HashMap;
use std::time::Duration;

use souk_core::rejection::{Kind, Rejection};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::document::{DocumentError, DocumentErrors, Position};

/// The domain of the reasons in `ErrorInfo`.
pub const DOMAIN: &str = "souk";
/// Bytes of a message at most.
pub const MESSAGE_BYTES_MAX: usize = 800;
/// Bytes of all field violations of one status at most.
pub const VIOLATIONS_BYTES_MAX: usize = 2_400;
/// The status of a refusal.
pub fn rejected(rejection: Rejection) -> Status {
    let description = cut(rejection.message.clone(), MESSAGE_BYTES_MAX);
    with_description(rejection, description, HashMap::new())
}

/// The status of a refusal of a document that was given as text, where the refused value stands.
pub fn rejected_at(rejection: Rejection, position: Position) -> Status {
    let message = cut(format!("{position}: {}", rejection.message), MESSAGE_BYTES_MAX);
    with_description(Rejection { message: message.clone(), ..rejection }, message, place(position))
}

/// Line and column, for programs that show the text.
fn place(position: Position) -> HashMap<String, String> {
    [("line", position.line), ("column", position.column)].map(|(k, v)| (k.to_owned(), v.to_string())).into()
}

/// The status of a document that cannot be read: one violation an error, as many as fit.
pub fn document_invalid(errors: &DocumentErrors) -> Status {
    let total = errors.told().len() + errors.omitted();
    let more = match total {
        0 | 1 => String::new(),
        _ => format!("; and {} more", total - 1),
    };
    let first = errors.told().first().map(DocumentError::to_string).unwrap_or_default();
    let message = format!("{}{more}", cut(first, MESSAGE_BYTES_MAX - more.len()));

    let mut violations = Vec::new();
    let mut bytes = 0;
    for error in errors.told() {
        let violation = to_violation(error);
        bytes += violation.field.len() + violation.description.len();
        if bytes > VIOLATIONS_BYTES_MAX {
            break;
        }
        violations.push(violation);
    }
    let mut details = ErrorDetails::new();
    let mut metadata = errors.told().first().map(|first| place(first.position)).unwrap_or_default();
    metadata.insert("errors".to_owned(), total.to_string());
    details.set_error_info(souk_core::rejection::Code::DocumentInvalid.as_str(), DOMAIN, metadata);
    details.set_bad_request(violations);
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// What is asked for cannot be had now, whoever asks: try again after a while.
pub fn unavailable(retry_after: Duration, message: impl Into<String>) -> Status {
    retry(Code::Unavailable, retry_after, message.into())
}

/// Too much is asked for at once: slow down and try again after a while.
pub fn exhausted(retry_after: Duration, message: impl Into<String>) -> Status {
    retry(Code::ResourceExhausted, retry_after, message.into())
}

/// A defect of Souk. What it is goes to the server's log and not to the caller.
pub fn internal() -> Status {
    Status::internal("a defect of the server, which its log describes")
}

fn with_description(rejection: Rejection, description: String, metadata: HashMap<String, String>) -> Status {
    let Rejection { code, field, message } = rejection;
    let field = cut(field, MESSAGE_BYTES_MAX);
    let message = match field.is_empty() {
        true => message,
        false => format!("{field}: {message}"),
    };
    let mut details = ErrorDetails::new();
    details.set_error_info(code.as_str(), DOMAIN, metadata);
    if !field.is_empty() {
        details.set_bad_request(vec![FieldViolation::new(field, description)]);
    }
    Status::with_error_details(to_status_code(code.kind()), cut(message, MESSAGE_BYTES_MAX), details)
}

fn to_status_code(kind: Kind) -> Code {
    match kind {
        Kind::Invalid => Code::InvalidArgument,
        Kind::NotFound => Code::NotFound,
        Kind::Exists => Code::AlreadyExists,
        Kind::State => Code::FailedPrecondition,
        Kind::Denied => Code::PermissionDenied,
    }
}

fn to_violation(error: &DocumentError) -> FieldViolation {
    let DocumentError { position, path, problem, remedy } = error;
    let description = cut(format!("{position}: {problem}; {remedy}"), MESSAGE_BYTES_MAX);
    FieldViolation::new(cut(path.clone(), MESSAGE_BYTES_MAX), description)
}

fn retry(code: Code, retry_after: Duration, message: String) -> Status {
    let details = ErrorDetails::with_retry_info(Some(retry_after));
    Status::with_error_details(code, cut(message, MESSAGE_BYTES_MAX), details)
}

/// Cuts a text that a request made too long, at a character and visibly.
fn cut(mut text: String, bytes_max: usize) -> String {
    const MARK: &str = "...";
    if text.len() > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max - MARK.len()));
        text.push_str(MARK);
    }
    text
}

#[cfg(test)]
mod tests {
    use souk_core::rejection::Code as Reason;

    use super::*;
    use crate::document;

    /// Code, reason, and the fields with their descriptions.
    fn told(status: &Status) -> (Code, String, Vec<(String, String)>) {
        let details = status.get_error_details();
        let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
        let violations = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
        (status.code(), reason, violations.into_iter().map(|v| (v.field, v.description)).collect())
    }

    #[test]
    fn the_page_of_the_contract_lists_every_reason() {
        let mut page = "# Reasons\n\n\
            Why a call is refused: the reason of `google.rpc.ErrorInfo`, domain `souk`, in the status details; `souk` \
            prints it in front of the message. The message names the field, the value, the limit and what to do; \
            `google.rpc.BadRequest` names the field for programs. Reasons are stable. Scenarios name them with \
            `refused`.\n\n\
            This page is made from the server's list. Renew it by `SOUK_RENEW=1 cargo test -p souk-server reason`.\n\n\
            | reason | status | meaning |\n|---|---|---|\n"
            .to_owned();
        for &reason in Reason::ALL {
            let status = format!("{:?}", to_status_code(reason.kind()));
            page += &format!("| `{}` | {status} | {} |\n", reason.as_str(), reason.meaning());
        }
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../proto/REASONS.md");
        if std::env::var_os("SOUK_RENEW").is_some() {
            std::fs::write(file, &page).unwrap();
        }
        let committed = std::fs::read_to_string(file).unwrap();
        assert!(
            committed == page,
            "proto/REASONS.md is out of date: SOUK_RENEW=1 cargo test -p souk-server reason"
        );
    }

    #[test]
    fn every_code_has_a_status_with_its_reason() {
        for &reason in Reason::ALL {
            let status = rejected(Rejection::new(reason, "offers[0].name", "it is wrong"));
            let expected = match reason.kind() {
                Kind::Invalid => Code::InvalidArgument,
                Kind::NotFound => Code::NotFound,
                Kind::Exists => Code::AlreadyExists,
                Kind::State => Code::FailedPrecondition,
                Kind::Denied => Code::PermissionDenied,
            };
            let violation = ("offers[0].name".to_owned(), "it is wrong".to_owned());
            assert_eq!(told(&status), (expected, reason.as_str().to_owned(), vec![violation]));
            assert_eq!(status.message(), "offers[0].name: it is wrong");
            assert_eq!(status.get_details_error_info().map(|info| info.domain), Some("souk".to_owned()));
        }
    }

    #[test]
    fn a_refusal_of_no_single_field_violates_none() {
        let status = rejected(Rejection::new(Reason::ClockFollowing, "", "the clock follows"));
        assert_eq!(told(&status), (Code::FailedPrecondition, "CLOCK_FOLLOWING".to_owned(), Vec::new()));
        assert_eq!(status.message(), "the clock follows");
    }

    #[test]
    fn a_refused_value_of_a_text_says_where_it_stands() {
        let rejection = Rejection::new(Reason::PriceInvalid, "offers[0].terms[1]", "no price");
        let status = rejected_at(rejection, Position { line: 3, column: 5 });
        let violation = ("offers[0].terms[1]".to_owned(), "line 3, column 5: no price".to_owned());
        assert_eq!(told(&status), (Code::InvalidArgument, "PRICE_INVALID".to_owned(), vec![violation]));
        assert_eq!(status.message(), "offers[0].terms[1]: line 3, column 5: no price");
    }

    #[test]
    fn a_document_has_one_violation_an_error() {
        let errors = document::parse("descriptoin: x\naccounts: 5\n").unwrap_err();
        let status = document_invalid(&errors);
        let (code, reason, violations) = told(&status);
        assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "DOCUMENT_INVALID"));
        let paths: Vec<_> = violations.iter().map(|(path, _)| path.as_str()).collect();
        let expected: Vec<_> = errors.told().iter().map(|error| error.path.as_str()).collect();
        assert_eq!((paths, violations.len()), (expected, 2));
        for ((_, description), error) in violations.iter().zip(errors.told()) {
            assert!(description.starts_with(&error.position.to_string()), "{description}");
        }
        assert!(status.message().ends_with("; and 1 more"), "{}", status.message());
    }

    #[test]
    fn however_much_is_wrong_a_status_stays_small() {
        let long = "ä".repeat(100_000);
        let text: String = (0..40).map(|number| format!("\"{number}{long}\": 1\n")).collect();
        let rejection = || Rejection::new(Reason::PriceInvalid, long.clone(), long.clone());
        for status in [
            rejected(rejection()),
            rejected_at(rejection(), Position { line: 1, column: 1 }),
            document_invalid(&document::parse(&text).unwrap_err()),
            unavailable(Duration::from_secs(1), long.clone()),
        ] {
            // In the trailers, details are base64 and every byte of a message beyond ASCII takes three.
            let bytes = status.details().len() * 4 / 3 + status.message().len() * 3;
            assert!(bytes < 8 * 1024, "{bytes} bytes");
            assert!(!status.details().is_empty());
        }
    }

    #[test]
    fn what_may_be_tried_again_says_when() {
        let after = Duration::from_millis(250);
        for (status, code) in [
            (unavailable(after, "partition 1 is away"), Code::Unavailable),
            (exhausted(after, "the queue is full"), Code::ResourceExhausted),
        ] {
            let delay = status.get_details_retry_info().and_then(|info| info.retry_delay);
            assert_eq!((status.code(), delay), (code, Some(after)), "{}", status.message());
        }
        assert_eq!(told(&internal()), (Code::Internal, String::new(), Vec::new()));
    }
}
