//! The terms of models of use: free trials.

use souk_core::ids::DimensionKey;
use souk_core::rejection::Rejection;
use souk_core::terms::FreeTrial;
use souk_proto::terms::v1 as proto;

use super::terms::{from_proto_term_duration, to_proto_quantities};

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
