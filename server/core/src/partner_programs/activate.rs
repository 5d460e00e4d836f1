//! AWS Activate: credits are incremental (K1).

use crate::rejection::{Code, Rejection};

/// US dollars that one organization gets in its life, and an offer is of at most.
pub const LIFETIME_USD: u64 = 100_000;

/// What becomes of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// US dollars that are granted; 0: it is declined.
    pub granted_usd: u64,
    /// Why.
    pub reason: String,
}

/// Decides on an application by whom credits were issued to before; those that were not used count.
pub fn decide(received_usd: u64, applied_for_usd: u64) -> Result<Decision, Rejection> {
    let refuse = |field, message| Err(Rejection::new(Code::FieldInvalid, field, message));
    if received_usd > LIFETIME_USD {
        let message = format!(
            "{received_usd} US dollars; nobody has received more than {LIFETIME_USD} (K1): give what was issued"
        );
        return refuse("receivedUsd", message);
    }
    if applied_for_usd == 0 || applied_for_usd > LIFETIME_USD {
        let message = format!(
            "{applied_for_usd} US dollars; an offer is of 1 to {LIFETIME_USD} (K1): give the whole offer"
        );
        return refuse("appliedForUsd", message);
    }
    let granted_usd = applied_for_usd.saturating_sub(received_usd);
    let reason = match granted_usd {
        0 => format!(
            "declined: {received_usd} were issued before, which is no less than {applied_for_usd} (K1)"
        ),
        granted => format!("{applied_for_usd} less {received_usd} issued before are {granted} (K1)"),
    };
    Ok(Decision { granted_usd, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k_01_credits_are_what_an_offer_is_above_those_before() {
        for (received, applied_for, granted) in [
            (0, 1_000, 1_000),
            (1_000, 5_000, 4_000),
            (5_000, 100_000, 95_000),
            (5_000, 25_000, 20_000),
            (5_000, 5_000, 0),
            (25_000, 5_000, 0),
            (100_000, 100_000, 0),
            (99_999, 100_000, 1),
        ] {
            let decision = decide(received, applied_for).unwrap();
            assert_eq!(decision.granted_usd, granted, "{received} then {applied_for}");
            assert_eq!(decision.reason.starts_with("declined"), granted == 0, "{}", decision.reason);
        }
    }

    #[test]
    fn k_01_numbers_that_no_application_has_are_refused() {
        for (received, applied_for, field) in [
            (100_001, 1_000, "receivedUsd"),
            (0, 0, "appliedForUsd"),
            (0, 100_001, "appliedForUsd"),
            (u64::MAX, u64::MAX, "receivedUsd"),
        ] {
            let refused = decide(received, applied_for).unwrap_err();
            assert_eq!((refused.code, refused.field.as_str()), (Code::FieldInvalid, field));
            assert!(refused.message.contains("100000") && refused.message.contains("K1"), "{refused}");
        }
    }
}
