//! RenewalTerm: buyers may let upfront purchases renew themselves.

use chrono::Days;

use crate::rules::NOTICE_DAYS;
use crate::time::Timestamp;

/// Its presence lets a buyer switch on auto-renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal;

/// A renewal takes a changed price only if it was changed 90 days or more before the renewal (A10, E-05).
pub fn renewal_takes(changed: Timestamp, renewal: Timestamp) -> bool {
    let first_day = changed.date().checked_add_days(Days::new(NOTICE_DAYS));
    first_day.is_some_and(|day| day <= renewal.date())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_05_a_renewal_takes_a_price_changed_ninety_days_before_it() {
        let renewal = Timestamp::parse("2025-12-31T00:00:00Z").unwrap();
        for (changed, takes) in [("2025-10-02T09:00:00Z", true), ("2025-10-03T00:00:00Z", false)] {
            assert_eq!(renewal_takes(Timestamp::parse(changed).unwrap(), renewal), takes, "{changed}");
        }
    }
}
