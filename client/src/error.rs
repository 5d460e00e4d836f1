//! What can go wrong with a call, by what the caller can do about it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use souk_proto::metering::v1::ColumnsRefusal;
use thiserror::Error;
use tonic::{Code, Status, TimeoutExpired};
use tonic_types::StatusExt;

use crate::Call;

/// Why a call failed.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The endpoint cannot be read: correct it.
    #[error("the endpoint {endpoint:?} is not an address such as http://127.0.0.1:7625")]
    Endpoint {
        /// What was given.
        endpoint: String,
    },
    /// There is no connection, or it broke: try later, or another endpoint. A call that is not repeated by
    /// itself may have been carried out.
    #[error("no connection to {endpoint}: {cause}")]
    Unreachable {
        /// Where the server was looked for.
        endpoint: String,
        /// The innermost cause.
        cause: String,
        /// The whole chain.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The answer did not come in time. The call may have been carried out.
    #[error("no answer to {call} within {} ms", deadline.as_millis())]
    TimedOut {
        /// What was asked.
        call: Call,
        /// How long the client waited.
        deadline: Duration,
    },
    /// The server said no.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The answer contradicts the contract: client and server do not fit together.
    #[error("the answer to {call} lacks {missing}")]
    Incomplete {
        /// What was asked.
        call: Call,
        /// What should be in the answer.
        missing: &'static str,
    },
}

impl ClientError {
    /// Reads a status: a refusal of the server, or what the transport says in the same form.
    pub(crate) fn from_status(call: Call, status: Status, endpoint: &str, deadline: Duration) -> Self {
        // The transport's own statuses have a source; those that came over the wire have none.
        if has_source::<TimeoutExpired>(&status) {
            return ClientError::TimedOut { call, deadline };
        }
        if status.source().is_some() {
            return ClientError::unreachable(endpoint, status);
        }
        match status.code() {
            // Server and client watch the same deadline; either may be first. Both words mean the same here,
            // because the client cancels nothing itself.
            Code::DeadlineExceeded | Code::Cancelled => ClientError::TimedOut { call, deadline },
            _ => ClientError::Refused(Box::new(Refusal::from_status(call, &status))),
        }
    }

    /// What is said no to in an answer of a stream of columns, as a refusal of a call.
    pub(crate) fn from_columns_refusal(call: Call, refusal: ColumnsRefusal) -> Self {
        let ColumnsRefusal { code: reason, field, message, retry_after_ms } = refusal;
        let code = match reason.as_str() {
            "RESOURCE_EXHAUSTED" => Code::ResourceExhausted,
            "UNAVAILABLE" => Code::Unavailable,
            "SANDBOX_UNKNOWN" => Code::NotFound,
            _ => Code::InvalidArgument,
        };
        let violation = Violation { field: field.clone(), description: message.clone() };
        let (message, violations) = match field.is_empty() {
            true => (message, Vec::new()),
            false => (format!("{field}: {message}"), vec![violation]),
        };
        ClientError::Refused(Box::new(Refusal {
            call,
            code,
            reason: Some(reason),
            message,
            violations,
            metadata: BTreeMap::new(),
            retry_after: retry_after_ms.map(u64::from).map(Duration::from_millis),
        }))
    }

    /// Says that there is no connection, with the innermost cause in front.
    pub(crate) fn unreachable(endpoint: &str, error: impl Error + Send + Sync + 'static) -> Self {
        let cause = innermost(&error).to_string();
        ClientError::Unreachable { endpoint: endpoint.to_owned(), cause, source: Box::new(error) }
    }

    /// What the server said, if it said no.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            ClientError::Refused(refusal) => Some(refusal),
            ClientError::Endpoint { .. }
            | ClientError::Unreachable { .. }
            | ClientError::TimedOut { .. }
            | ClientError::Incomplete { .. } => None,
        }
    }

    /// The gRPC code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        self.refusal().map(|refusal| refusal.code)
    }

    /// The stable reason of a refusal, such as `AGREEMENT_NOT_ACTIVE`.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.refusal().and_then(|refusal| refusal.reason.as_deref())
    }
}

/// What the server answered instead of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was asked.
    pub call: Call,
    /// The gRPC code.
    pub code: Code,
    /// The stable reason of google.rpc.ErrorInfo.
    pub reason: Option<String>,
    /// What people read.
    pub message: String,
    /// The fields that are wrong, from google.rpc.BadRequest.
    pub violations: Vec<Violation>,
    /// The metadata of google.rpc.ErrorInfo.
    pub metadata: BTreeMap<String, String>,
    /// The pause that google.rpc.RetryInfo asks for; its presence says that nothing was done.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// The violations that the message does not tell already: it tells the first one, with its field.
    pub fn further_violations(&self) -> impl Iterator<Item = &Violation> {
        let told = self.violations.first().is_some_and(|first| self.message.contains(&first.field));
        self.violations.iter().skip(usize::from(told))
    }

    fn from_status(call: Call, status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info();
        let violations = details.bad_request().map(|bad| {
            let as_violation = |violation: &tonic_types::FieldViolation| Violation {
                field: violation.field.clone(),
                description: violation.description.clone(),
            };
            bad.field_violations.iter().map(as_violation).collect()
        });
        Refusal {
            call,
            code: status.code(),
            reason: info.map(|info| info.reason.clone()).filter(|reason| !reason.is_empty()),
            message: status.message().to_owned(),
            violations: violations.unwrap_or_default(),
            metadata: info.map(|info| info.metadata.clone().into_iter().collect()).unwrap_or_default(),
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
        }
    }
}

impl Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            write!(formatter, "{} was refused: {}", self.call, self.code.description())?;
        } else {
            formatter.write_str(&self.message)?;
        }
        match &self.reason {
            Some(reason) => write!(formatter, " ({reason})")?,
            None => write!(formatter, " ({:?})", self.code)?,
        }
        for violation in self.further_violations() {
            write!(formatter, "; {violation}")?;
        }
        Ok(())
    }
}

/// A field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Its path in the request.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.field, self.description)
    }
}

/// Whether an error of a type is among the sources.
fn has_source<E: Error + 'static>(error: &dyn Error) -> bool {
    let mut source = error.source();
    while let Some(current) = source {
        if current.is::<E>() {
            return true;
        }
        source = current.source();
    }
    false
}

/// The last of the sources.
fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut current = error;
    while let Some(source) = current.source() {
        current = source;
    }
    current
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic_types::ErrorDetails;

    use super::*;

    fn read(status: Status) -> ClientError {
        ClientError::from_status(Call::PutAccount, status, "http://there", Duration::from_secs(3))
    }

    #[test]
    fn a_refusal_carries_reason_fields_and_the_pause() {
        let mut details = ErrorDetails::new();
        details
            .set_error_info("ACCOUNT_ID_MALFORMED", "souk", HashMap::from([("line".into(), "3".into())]))
            .add_bad_request_violation("account.account_id", "must be twelve digits")
            .set_retry_info(Some(Duration::from_millis(70)));
        let error =
            read(Status::with_error_details(Code::InvalidArgument, "the account is malformed", details));

        assert_eq!(
            error.to_string(),
            "the account is malformed (ACCOUNT_ID_MALFORMED); account.account_id: must be twelve digits"
        );
        assert_eq!(error.code(), Some(Code::InvalidArgument));
        assert_eq!(error.reason(), Some("ACCOUNT_ID_MALFORMED"));
        let refusal = error.refusal().unwrap();
        assert_eq!(refusal.retry_after, Some(Duration::from_millis(70)));
        assert_eq!(refusal.metadata["line"], "3");
    }

    #[test]
    fn statuses_become_what_the_caller_can_act_on() {
        let table = [
            (Status::not_found("no such account"), "no such account (NotFound)"),
            (Status::internal(""), "PutAccount was refused: Internal error (Internal)"),
            (Status::deadline_exceeded("late"), "no answer to PutAccount within 3000 ms"),
            (Status::from_error(Box::new(TimeoutExpired(()))), "no answer to PutAccount within 3000 ms"),
            (
                Status::from_error(Box::new(std::io::Error::other("the line is cut"))),
                "no connection to http://there: the line is cut",
            ),
        ];
        for (status, expected) in table {
            assert_eq!(read(status).to_string(), expected);
        }
    }
}
