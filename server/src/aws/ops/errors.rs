//! The one table from refusals to AWS's exceptions, by service.

use souk_core::rejection::{Code, Rejection};

use crate::aws::error::AwsError;
use crate::error::AppError;

/// What a use case refused, as the metering service says it.
pub fn of_metering(error: AppError) -> AwsError {
    let rejection = match rejection_of(error) {
        Ok(rejection) => rejection,
        Err(other) => return other,
    };
    let exception = match rejection.code {
        Code::ProductUnknown => "InvalidProductCodeException",
        Code::DimensionUnknown => "InvalidUsageDimensionException",
        Code::TimestampOutOfBounds => "TimestampOutOfBoundsException",
        Code::LicenseInvalid => "InvalidLicenseException",
        Code::CustomerIdentifierUnknown => "InvalidCustomerIdentifierException",
        Code::TagInvalid => "InvalidTagException",
        Code::UsageAllocationsInvalid => "InvalidUsageAllocationsException",
        Code::IdempotencyConflict => "IdempotencyConflictException",
        _ => return AwsError::validation(text(&rejection)),
    };
    AwsError::new(exception, 400, text(&rejection))
}

/// What a use case refused, as the entitlement service says it.
pub fn of_entitlement(error: AppError) -> AwsError {
    match rejection_of(error) {
        Ok(rejection) => AwsError::new("InvalidParameterException", 400, text(&rejection)),
        Err(other) => other,
    }
}

/// A refusal, or what every service says of the rest.
fn rejection_of(error: AppError) -> Result<Rejection, AwsError> {
    match error {
        AppError::Rejected(rejection) => Ok(rejection),
        AppError::Document(errors) => Err(AwsError::validation(errors.to_string())),
        AppError::Busy(_) => {
            Err(AwsError::throttling("Rate exceeded: the server's queue is full. Try again."))
        }
        AppError::Unavailable(why) => {
            tracing::warn!(why, "a request could not be answered");
            Err(AwsError::internal("The service failed this time. Try again."))
        }
        AppError::Broken(broken) => {
            tracing::error!(%broken, "a request met a broken invariant");
            Err(AwsError::internal("The service failed. The server's log says why."))
        }
    }
}

fn text(rejection: &Rejection) -> String {
    match rejection.field.is_empty() {
        true => rejection.message.clone(),
        false => format!("{}: {}", rejection.field, rejection.message),
    }
}
