//! Errors as AWS reports them: a code, a status, a message.
//!
//! The constructors are the errors that every service knows (the API reference's "Common Error Types"); an
//! operation's own exceptions are made with [`AwsError::new`].

use std::borrow::Cow;

use super::wire::{Malformed, Value};

/// One error answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AwsError {
    /// The exception's name, without a namespace.
    pub code: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
    /// What a person reads.
    pub message: String,
}

impl AwsError {
    /// An error of an operation.
    pub fn new(code: impl Into<Cow<'static, str>>, status: u16, message: impl Into<String>) -> AwsError {
        AwsError { code: code.into(), status, message: message.into() }
    }

    /// No operation is reached by this request.
    pub fn unknown_operation(message: impl Into<String>) -> AwsError {
        AwsError::new("UnknownOperationException", 404, message)
    }

    /// The body cannot be read as the operation's input.
    pub fn serialization(message: impl Into<String>) -> AwsError {
        AwsError::new("SerializationException", 400, message)
    }

    /// The body is larger than any request may be.
    pub fn request_entity_too_large(message: impl Into<String>) -> AwsError {
        AwsError::new("RequestEntityTooLargeException", 413, message)
    }

    /// A well-formed input breaks a constraint; [`super::wire::Violations`] writes the usual text.
    pub fn validation(message: impl Into<String>) -> AwsError {
        AwsError::new("ValidationException", 400, message)
    }

    /// Too many calls; SDKs try again.
    pub fn throttling(message: impl Into<String>) -> AwsError {
        AwsError::new("ThrottlingException", 400, message)
    }

    /// Something failed that is not the caller's doing; SDKs try again.
    pub fn internal(message: impl Into<String>) -> AwsError {
        AwsError::new("InternalServiceErrorException", 500, message)
    }

    /// The request carries no signature.
    pub fn missing_authentication_token(message: impl Into<String>) -> AwsError {
        AwsError::new("MissingAuthenticationTokenException", 403, message)
    }

    /// The request carries a signature that lacks a part.
    pub fn incomplete_signature(message: impl Into<String>) -> AwsError {
        AwsError::new("IncompleteSignatureException", 403, message)
    }

    /// The signature is whole and does not hold.
    pub fn invalid_signature(message: impl Into<String>) -> AwsError {
        AwsError::new("InvalidSignatureException", 403, message)
    }

    /// Nobody has this access key.
    pub fn unrecognized_client(message: impl Into<String>) -> AwsError {
        AwsError::new("UnrecognizedClientException", 403, message)
    }

    /// The caller's temporary credentials ran out. ResolveCustomer has another error of that name.
    pub fn expired_credentials(message: impl Into<String>) -> AwsError {
        AwsError::new("ExpiredTokenException", 403, message)
    }

    /// The error as the value that both protocols print.
    pub fn to_value(&self) -> Value<'_> {
        Value::structure([
            ("__type", Some(Value::Text(Cow::Borrowed(&*self.code)))),
            ("message", Some(Value::Text(Cow::Borrowed(&self.message)))),
        ])
    }
}

impl From<Malformed> for AwsError {
    fn from(malformed: Malformed) -> AwsError {
        match malformed {
            Malformed::TooLarge => AwsError::request_entity_too_large(malformed.to_string()),
            Malformed::TooDeep | Malformed::Unfinished | Malformed::Unexpected { .. } => {
                AwsError::serialization(malformed.to_string())
            }
        }
    }
}
