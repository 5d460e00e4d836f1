//! Why a signature does not hold, in AWS's error names.

use souk_core::time::Timestamp;

use super::{ALGORITHM, EXPIRES_SECS_MAX, SKEW_MINUTES_MAX, time};
use crate::aws::error::AwsError;

/// Why a signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("The request is not signed: it has neither an Authorization header nor X-Amz-Signature.")]
    Unsigned,
    #[error("The signature is not of the kind {ALGORITHM}.")]
    OtherAlgorithm,
    #[error("The signature has no {0}.")]
    Lacks(&'static str),
    #[error("The credential '{0}' is not of the form key/date/region/service/aws4_request.")]
    MalformedCredential(String),
    #[error("The signature's time '{0}' is not of the form 20150830T123600Z.")]
    MalformedTime(String),
    #[error("X-Amz-Expires is '{0}', not a number of seconds from 1 to {EXPIRES_SECS_MAX}.")]
    MalformedExpiry(String),
    #[error("The signed headers name '{0}': names are in small letters, joined by semicolons.")]
    MalformedHeaderName(String),
    #[error("The header host is not among the signed headers.")]
    HostUnsigned,
    #[error("The header '{0}' is signed, but the request does not have it.")]
    HeaderAbsent(String),
    #[error("The credential scope ends with '{found}' instead of 'aws4_request'.")]
    ScopeEnd { found: String },
    #[error("The date '{found}' of the credential scope is not the day of the request's time, '{expected}'.")]
    ScopeDate { found: String, expected: String },
    #[error("The credential is scoped to the service '{found}' instead of '{expected}'.")]
    ScopeService { found: String, expected: String },
    #[error("The access key of the signature is not known here.")]
    UnknownKey,
    #[error("Signature expired: {} is more than {holds_secs} seconds before the server's time, {}.",
        time::basic(*signed_at), time::basic(*now))]
    Expired { signed_at: Timestamp, now: Timestamp, holds_secs: i64 },
    #[error("Signature not yet current: {} is more than {SKEW_MINUTES_MAX} minutes after the server's time, {}.",
        time::basic(*signed_at), time::basic(*now))]
    NotYetValid { signed_at: Timestamp, now: Timestamp },
    #[error("The body does not have the hash that X-Amz-Content-Sha256 names.")]
    BodyChanged,
    #[error(
        "The signature is not the one that this request has under the key's secret: \
        check the secret access key, and what changed the request on its way."
    )]
    Mismatch,
}

impl From<Refusal> for AwsError {
    fn from(refusal: Refusal) -> AwsError {
        let message = refusal.to_string();
        match refusal {
            Refusal::Unsigned => AwsError::missing_authentication_token(message),
            Refusal::OtherAlgorithm
            | Refusal::Lacks(_)
            | Refusal::MalformedCredential(_)
            | Refusal::MalformedTime(_)
            | Refusal::MalformedExpiry(_)
            | Refusal::MalformedHeaderName(_) => AwsError::incomplete_signature(message),
            Refusal::HostUnsigned
            | Refusal::HeaderAbsent(_)
            | Refusal::ScopeEnd { .. }
            | Refusal::ScopeDate { .. }
            | Refusal::ScopeService { .. }
            | Refusal::Expired { .. }
            | Refusal::NotYetValid { .. }
            | Refusal::BodyChanged
            | Refusal::Mismatch => AwsError::invalid_signature(message),
            Refusal::UnknownKey => AwsError::unrecognized_client(message),
        }
    }
}
