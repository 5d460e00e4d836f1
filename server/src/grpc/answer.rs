//! From the errors of use cases to statuses.

use std::time::Duration;

use souk_core::ids::SandboxName;
use souk_core::rejection::Code;
use tonic::Status;
use tracing::error;

use super::convert::sandbox::from_proto_sandbox_name;
use super::status;
use crate::document::Positions;
use crate::error::AppError;

/// When a full queue is worth another try.
pub const BUSY_RETRY: Duration = Duration::from_millis(20);
/// When a partition that failed is worth another try.
pub const UNAVAILABLE_RETRY: Duration = Duration::from_millis(500);

/// The sandbox that a request names.
pub fn name_of(sandbox: &str) -> Result<SandboxName, Status> {
    from_proto_sandbox_name(sandbox, "sandbox").map_err(refuse)
}

/// The status of a use case that gave no answer.
pub fn refuse(error: impl Into<AppError>) -> Status {
    match error.into() {
        AppError::Rejected(rejection) => status::rejected(rejection),
        AppError::Document(errors) => status::document_invalid(&errors),
        busy @ AppError::Busy(_) => status::exhausted(BUSY_RETRY, busy.to_string()),
        AppError::Unavailable(why) => status::unavailable(UNAVAILABLE_RETRY, why),
        AppError::Broken(broken) => {
            error!(%broken, "a request met a broken invariant");
            status::internal()
        }
    }
}

/// The same for a message inside of the request, whose fields the refusal names; the sandbox stands beside it.
pub fn refuse_within(error: AppError, path: &str) -> Status {
    match error {
        AppError::Rejected(rejection) if rejection.code != Code::SandboxUnknown => {
            refuse(rejection.within(path))
        }
        other => refuse(other),
    }
}

/// The same for a document given as text: what is refused is named with its line and column.
pub fn refuse_at(error: AppError, positions: &Positions) -> Status {
    match error {
        AppError::Rejected(rejection) => {
            let position = positions.find(&rejection.field);
            status::rejected_at(rejection, position)
        }
        other => refuse(other),
    }
}
