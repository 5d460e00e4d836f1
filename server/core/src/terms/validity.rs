//! ValidityTerm: how long an agreement on a private offer lasts, from its acceptance (B14).

use crate::rejection::{Code, Rejection};
use crate::time::TermDuration;

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
    /// Days and months have their limits.
    pub fn check(self) -> Result<(), Rejection> {
        let ok = match self.duration {
            TermDuration::Days(days) => days <= MAX_DAYS,
            TermDuration::Months(months) => months <= MAX_MONTHS,
        };
        match ok {
            true => Ok(()),
            false => {
                let message =
                    format!("{} is too long: at most P{MAX_DAYS}D or P{MAX_MONTHS}M", self.duration);
                Err(Rejection::new(Code::DurationNotAllowed, "validity.agreementDuration", message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C-08, the part of it that concerns durations in days and months.
    #[test]
    fn c_08_private_durations_have_limits() {
        for (duration, ok) in [("P1095D", true), ("P1096D", false), ("P60M", true), ("P61M", false)] {
            let validity = Validity { duration: TermDuration::parse(duration).unwrap() };
            assert_eq!(validity.check().is_ok(), ok, "{duration}");
        }
    }
}
