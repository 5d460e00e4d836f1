//! ValidityTerm: how long an agreement on a private offer lasts, from its acceptance (B14).

use crate::catalog::ProductType;
use crate::catalog::offer::is_server_product;
use crate::rejection::{Code, Rejection};
use crate::time::{TermDuration, Timestamp};

/// Days that a private usage offer may last (B11).
pub const MAX_DAYS: u32 = 1_095;
/// Months that a private offer may last (B10).
pub const MAX_MONTHS: u32 = 60;

/// The life of a private agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// From acceptance.
    pub duration: TermDuration,
}

impl Validity {
    /// Days and months have their limits; a usage offer of an AMI or container product ends within 1,095 days
    /// however it is said (B11).
    pub fn check(self, product_type: ProductType, now: Timestamp) -> Result<(), Rejection> {
        let ok = match self.duration {
            TermDuration::Days(days) => days <= MAX_DAYS,
            TermDuration::Months(months) => match is_server_product(product_type) {
                true => self.duration.after(now) <= now.plus_days(MAX_DAYS),
                false => months <= MAX_MONTHS,
            },
        };
        let longest = match is_server_product(product_type) {
            true => format!("P{MAX_DAYS}D"),
            false => format!("P{MAX_DAYS}D or P{MAX_MONTHS}M"),
        };
        match ok {
            true => Ok(()),
            false => {
                let message = format!("{} is too long: at most {longest}", self.duration);
                Err(Rejection::new(Code::DurationNotAllowed, "validity.agreementDuration", message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C-08, the part of it that concerns usage offers.
    #[test]
    fn c_08_private_durations_have_limits() {
        let now = Timestamp::parse("2025-01-01T00:00:00Z").unwrap();
        for (duration, saas, ami) in [
            ("P1095D", true, true),
            ("P1096D", false, false),
            ("P35M", true, true),
            ("P36M", true, true),
            ("P37M", true, false),
            ("P60M", true, false),
            ("P61M", false, false),
        ] {
            let validity = Validity { duration: TermDuration::parse(duration).unwrap() };
            assert_eq!(validity.check(ProductType::Saas, now).is_ok(), saas, "{duration} of a SaaS product");
            assert_eq!(validity.check(ProductType::Ami, now).is_ok(), ami, "{duration} of an AMI product");
        }
    }
}
