//! Refusals of whole messages, as they are answered and noted.

use souk_core::ids::SandboxName;
use souk_core::rejection::Rejection;
use souk_proto::metering::v1::ColumnsRefusal;
use tonic::Status;

use crate::app::Souk;
use crate::app::refusals::{NamedRecord, Reason};
use crate::error::AppError;
use crate::grpc::answer::{BUSY_RETRY, UNAVAILABLE_RETRY, refuse};

/// The operation, as refused records name it.
pub const OPERATION: &str = "UsageColumnsService/StreamColumns";

/// The refusal of a message, which is noted if it is known whose it is; what is a defect ends the stream instead.
pub fn refuse_noted(
    souk: &Souk,
    sandbox: Option<&SandboxName>,
    error: AppError,
) -> Result<ColumnsRefusal, Status> {
    let (code, field, message, retry) = match error {
        AppError::Rejected(Rejection { code, field, message }) => (code.as_str(), field, message, None),
        AppError::Busy(_) => ("RESOURCE_EXHAUSTED", String::new(), error.to_string(), Some(BUSY_RETRY)),
        AppError::Unavailable(why) => ("UNAVAILABLE", String::new(), why, Some(UNAVAILABLE_RETRY)),
        defect @ (AppError::Document(_) | AppError::Broken(_)) => return Err(refuse(defect)),
    };
    if let Some(sandbox) = sandbox {
        let why = match field.is_empty() {
            true => message.clone(),
            false => format!("{field}: {message}"),
        };
        souk.note_refused(sandbox, OPERATION, [(Reason::new(code, &why), NamedRecord::default())]);
    }
    // Delays are below a second.
    let retry_after_ms = retry.map(|delay| delay.as_millis() as u32);
    Ok(ColumnsRefusal { code: code.to_owned(), field, message, retry_after_ms })
}
