//! Runs that are billed by less than an hour: what they come to. It is arithmetic only: no call takes such runs yet,
//! and nothing is metered by it.
//!
//! A pod or task of a container counts by the second, a minute at least (P2); an instance of a machine learning product
//! by the minute, and its inferences by what succeeded (P5). Prices are those of an hour, and an amount is rounded once.

use crate::money::{Amount, Currency, Money, UnitPrice};
use crate::quantity::QuantitySum;

const SECONDS_OF_A_MINUTE: u64 = 60;
const SECONDS_OF_AN_HOUR: u32 = 3_600;

/// The seconds that a run of a pod or task is billed for: a minute at least.
pub fn pod_seconds(seconds: u64) -> u64 {
    seconds.max(SECONDS_OF_A_MINUTE)
}

/// The seconds that a run of a machine learning instance is billed for: whole minutes, each that was begun.
pub fn instance_seconds(seconds: u64) -> u64 {
    seconds.div_ceil(SECONDS_OF_A_MINUTE).saturating_mul(SECONDS_OF_A_MINUTE)
}

/// What so many seconds cost at the price of an hour, rounded once.
pub fn amount(price_of_an_hour: UnitPrice, seconds: u64, currency: Currency) -> Money {
    let exact: Amount = price_of_an_hour.times(QuantitySum::whole(seconds), currency);
    exact.part(1, SECONDS_OF_AN_HOUR)
}

/// A call of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inference {
    /// Its HTTP status.
    pub status: u16,
    /// Its ConsumedUnits header; one unit without.
    pub consumed_units: Option<u64>,
}

/// The units that calls are billed for: of those that succeeded.
pub fn inference_units(calls: &[Inference]) -> QuantitySum {
    let succeeded = calls.iter().filter(|call| (200..300).contains(&call.status));
    let units = succeeded.map(|call| QuantitySum::whole(call.consumed_units.unwrap_or(1)).0);
    QuantitySum(units.sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::PriceDecimals;

    fn price(text: &str) -> UnitPrice {
        UnitPrice::parse(text, PriceDecimals::Metered).unwrap()
    }

    #[test]
    fn b_11_a_pod_of_twenty_minutes_and_a_half_at_six_an_hour() {
        assert_eq!(amount(price("6"), pod_seconds(1_230), Currency::Usd).to_string(), "2.05");
    }

    #[test]
    fn b_12_a_pod_is_billed_for_a_minute_at_least() {
        for (ran, billed) in [(1, 60), (10, 60), (59, 60), (60, 60), (61, 61)] {
            assert_eq!(pod_seconds(ran), billed);
            assert_eq!(amount(price("6"), billed, Currency::Usd).to_string(), "0.10", "{ran} s");
        }
    }

    #[test]
    fn p5_an_instance_is_billed_by_the_minute() {
        for (ran, billed, at_six) in
            [(0, 0, "0.00"), (1, 60, "0.10"), (60, 60, "0.10"), (3_601, 3_660, "6.10")]
        {
            assert_eq!(instance_seconds(ran), billed);
            assert_eq!(amount(price("6"), billed, Currency::Usd).to_string(), at_six, "{ran} s");
        }
    }

    #[test]
    fn b_16_only_inferences_that_succeeded_are_billed_by_their_consumed_units() {
        let call = |status, consumed_units| Inference { status, consumed_units };
        let calls =
            [call(200, Some(3)), call(200, None), call(400, Some(2)), call(503, None), call(201, Some(2))];
        let units = inference_units(&calls);
        assert_eq!(units.to_string(), "6");
        assert_eq!(price("0.001").times(units, Currency::Usd).round().to_string(), "0.01");
    }
}
