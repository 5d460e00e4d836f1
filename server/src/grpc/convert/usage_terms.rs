//! The terms of models of use: free trials and monthly fees.

use souk_core::ids::DimensionKey;
use souk_core::rejection::Rejection;
use souk_core::terms::{FreeTrial, RecurringPayment};
use souk_proto::terms::v1 as proto;

use super::contract_terms::from_proto_price;
use super::terms::{from_proto_currency, from_proto_term_duration, to_proto_quantities};

/// Reads a free trial.
///
/// # Errors
/// A text that is no duration.
pub fn from_proto_free_trial(term: &proto::FreeTrialPricingTerm) -> Result<FreeTrial, Rejection> {
    Ok(FreeTrial {
        duration: from_proto_term_duration(&term.duration, "duration")?,
        grants: term.grants.iter().map(|(key, units)| (DimensionKey::new(key), *units)).collect(),
    })
}

/// A free trial.
pub fn to_proto_free_trial(term: &FreeTrial) -> proto::FreeTrialPricingTerm {
    proto::FreeTrialPricingTerm {
        duration: term.duration.to_string(),
        grants: to_proto_quantities(&term.grants),
    }
}

/// Reads a monthly fee.
///
/// # Errors
/// A currency that is not taken, a text that is no price.
pub fn from_proto_recurring_payment(
    term: &proto::RecurringPaymentTerm,
) -> Result<RecurringPayment, Rejection> {
    Ok(RecurringPayment {
        currency: from_proto_currency(&term.currency_code, "currencyCode")?,
        price: from_proto_price(&term.price, "price")?,
    })
}

/// A monthly fee.
pub fn to_proto_recurring_payment(term: &RecurringPayment) -> proto::RecurringPaymentTerm {
    proto::RecurringPaymentTerm {
        currency_code: term.currency.code().to_owned(),
        price: term.price.to_string(),
    }
}
