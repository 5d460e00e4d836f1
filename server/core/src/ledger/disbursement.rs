//! When sellers are paid: on the 10th of each month, what was collected before.

use crate::time::{BillingMonth, Timestamp};

/// The day of the month, in UTC.
const DAY: u32 = 10;

/// The disbursement of a month.
pub fn of_month(month: BillingMonth) -> Timestamp {
    month.start().plus_days(DAY - 1)
}

/// When what was collected then is paid out.
pub fn disbursed_at(collected_at: Timestamp) -> Timestamp {
    let month = BillingMonth::containing(collected_at);
    match of_month(month) {
        this if collected_at < this => this,
        _ => of_month(month.next()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_collected_before_the_tenth_is_paid_out_then() {
        for (collected, disbursed) in [
            ("2025-06-02T00:00:00Z", "2025-06-10T00:00:00Z"),
            ("2025-06-09T23:59:59Z", "2025-06-10T00:00:00Z"),
            ("2025-06-10T00:00:00Z", "2025-07-10T00:00:00Z"),
            ("2025-12-31T00:00:00Z", "2026-01-10T00:00:00Z"),
        ] {
            let collected = Timestamp::parse(collected).unwrap();
            assert_eq!(disbursed_at(collected).to_string(), disbursed);
        }
    }
}
