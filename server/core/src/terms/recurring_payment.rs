//! RecurringPaymentTerm: a fixed fee a month, whatever is used (P4).
//!
//! On a machine image it is charged with the month's usage, for the days on which the agreement was live. On a container
//! a month is paid when it begins, from the acceptance on, and what is left of the last one is given back.

use super::{OfferContext, UpfrontKind};
use crate::catalog::ProductType;
use crate::money::{Currency, UnitPrice};
use crate::rejection::{Code, Rejection};
use crate::time::{BillingMonth, Timestamp, days_until};

/// A day is so many parts of a month (section 0 row 11).
pub const DAYS_OF_A_MONTH: u32 = 30;

/// A fee a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecurringPayment {
    /// Its currency.
    pub currency: Currency,
    /// For a month.
    pub price: UnitPrice,
}

impl RecurringPayment {
    /// Public offers of machine images and containers have it.
    pub fn check(&self, offer: &OfferContext<'_>) -> Result<(), Rejection> {
        let refuse = |code, field: &str, message: &str| {
            Err(Rejection::new(code, format!("recurringPayment{field}"), message))
        };
        if offer.private {
            return refuse(Code::TermNotAllowed, "", "monthly fees are of public offers (B7): leave it out");
        }
        if !matches!(offer.product.product_type, ProductType::Ami | ProductType::Container) {
            return refuse(Code::TermNotAllowed, "", "monthly fees are of AMI and container products (P4)");
        }
        if offer.kind() == Some(UpfrontKind::Contract) {
            return refuse(Code::TermNotAllowed, "", "a contract is paid upfront: it has no monthly fee (C)");
        }
        if self.currency != Currency::Usd {
            return refuse(Code::CurrencyNotSupported, ".currencyCode", "public offers are in USD");
        }
        Ok(())
    }
}

/// The days of a period that are charged, of 30; none when it is the whole month. Both its first and its last day
/// count, and 30 days are a month (section 0 row 11, Q8).
pub fn days_charged(start: Timestamp, end: Timestamp, month: BillingMonth) -> Option<u32> {
    let first = start.max(month.start());
    let last = end.min(month.end()).plus_micros(-1);
    let days = days_until(first, last.next_midnight());
    let whole = days_until(month.start(), month.end());
    (days < whole.min(DAYS_OF_A_MONTH)).then_some(days)
}

/// The days of a month that was paid at its start which are not given back when it ends early, of 30.
pub fn days_used(start: Timestamp, end: Timestamp) -> u32 {
    days_until(start, end.plus_micros(-1).next_midnight()).min(DAYS_OF_A_MONTH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::PriceDecimals;
    use crate::quantity::QuantitySum;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn b_14_a_day_is_a_thirtieth_of_a_month_and_a_month_is_no_more_than_one() {
        let price = UnitPrice::parse("50", PriceDecimals::Upfront).unwrap();
        for (start, end, month, days, amount) in [
            ("2025-06-16T00:00:00Z", "2026-01-01T00:00:00Z", "2025-06", Some(15), "25.00"),
            ("2025-06-30T23:59:59Z", "2026-01-01T00:00:00Z", "2025-06", Some(1), "1.67"),
            ("2025-01-01T00:00:00Z", "2025-06-10T00:00:00Z", "2025-06", Some(9), "15.00"),
            ("2025-01-01T00:00:00Z", "2025-06-10T15:00:00Z", "2025-06", Some(10), "16.67"),
            ("2025-06-10T09:00:00Z", "2025-06-10T15:00:00Z", "2025-06", Some(1), "1.67"),
            // A month of 31 days from its second on: 30 days are all of it.
            ("2025-07-02T00:00:00Z", "2026-01-01T00:00:00Z", "2025-07", None, "50.00"),
            ("2025-07-03T00:00:00Z", "2026-01-01T00:00:00Z", "2025-07", Some(29), "48.33"),
            // February has 28 days, which are all of it, too.
            ("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2025-02", None, "50.00"),
            ("2025-02-02T00:00:00Z", "2026-01-01T00:00:00Z", "2025-02", Some(27), "45.00"),
        ] {
            let found = days_charged(at(start), at(end), BillingMonth::parse(month).unwrap());
            assert_eq!(found, days, "{start} to {end} in {month}");
            let exact = price.times(QuantitySum::whole(1), Currency::Usd);
            let charged = exact.part(found.unwrap_or(DAYS_OF_A_MONTH), DAYS_OF_A_MONTH);
            assert_eq!(charged.to_string(), amount, "{start} to {end} in {month}");
        }
    }

    #[test]
    fn a_day_that_was_begun_is_not_given_back() {
        for (start, end, days) in [
            ("2025-01-15T10:00:00Z", "2025-01-15T10:00:01Z", 1),
            ("2025-01-15T10:00:00Z", "2025-01-24T09:00:00Z", 10),
            ("2025-01-15T10:00:00Z", "2025-02-14T23:00:00Z", 30),
        ] {
            assert_eq!(days_used(at(start), at(end)), days, "{start} to {end}");
        }
    }
}
