//! The one table from refusals to AWS's exceptions, by service.

use souk_core::rejection::{Code, Rejection};

use crate::aws::error::AwsError;
use crate::error::AppError;

/// What a use case refused, as MeterUsage says it: its one record is the request itself.
pub fn of_meter_usage(error: AppError) -> AwsError {
    match error {
        AppError::Rejected(mut rejection) => {
            if let Some(field) = rejection.field.strip_prefix("usageRecords[0].") {
                rejection.field = match field {
                    "dimension" => "usageDimension".to_owned(),
                    other => other.to_owned(),
                };
            }
            of_metering(AppError::Rejected(rejection))
        }
        other => of_metering(other),
    }
}

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
        false => format!("{}: {}", in_aws_words(&rejection.field), rejection.message),
    }
}

/// A path as AWS writes it: items of a list are counted from 1.
fn in_aws_words(path: &str) -> String {
    let step = |step: &str| match step.split_once('[') {
        Some((list, rest)) => match rest.strip_suffix(']').and_then(|index| index.parse::<usize>().ok()) {
            Some(index) => format!("{list}.{}.member", index + 1),
            None => step.to_owned(),
        },
        None => step.to_owned(),
    };
    path.split('.').map(step).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_named_as_the_operation_names_it() {
        let refused = |field: &str| AppError::from(Rejection::new(Code::DimensionUnknown, field, "no"));
        for (field, batch, single) in [
            ("usageRecords[0].dimension", "usageRecords.1.member.dimension: no", "usageDimension: no"),
            ("usageRecords[0].timestamp", "usageRecords.1.member.timestamp: no", "timestamp: no"),
            (
                "usageRecords[24].usageAllocations[1].tags",
                "usageRecords.25.member.usageAllocations.2.member.tags: no",
                "usageRecords.25.member.usageAllocations.2.member.tags: no",
            ),
            ("productCode", "productCode: no", "productCode: no"),
            ("", "no", "no"),
        ] {
            assert_eq!(of_metering(refused(field)).message, batch);
            assert_eq!(of_meter_usage(refused(field)).message, single);
        }
    }
}
