//! Unit prices: the only factor a quantity meets.

use std::fmt;

use rust_decimal::Decimal;

use super::rounding::div_half_up;
use super::{Amount, Currency, Money, Rate};
use crate::quantity::QuantitySum;

/// Decimals of a stored unit price.
pub const PRICE_DECIMALS: u32 = 8;
/// Upfront prices are below this, in units of 10^-8.
const HIGHEST_UPFRONT: i128 = 1_000_000_000 * 10_i128.pow(PRICE_DECIMALS);

/// How many decimals a price may have, by what it prices (billing-rule A15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceDecimals {
    /// Metered rates: 8.
    Metered,
    /// Annual and contract rates: 3.
    Upfront,
}

impl PriceDecimals {
    /// The limit.
    pub fn limit(self) -> u32 {
        match self {
            PriceDecimals::Metered => PRICE_DECIMALS,
            PriceDecimals::Upfront => 3,
        }
    }
}

/// A price of one unit: 0 or more, below 1,000,000 for rates and 1,000,000,000 for upfront prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitPrice(i64);

/// Why a text is no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Not a decimal number.
    #[error("it must be a decimal number such as 0.25, without sign, exponent or leading zeros")]
    Form,
    /// Too many decimals.
    #[error("it may have at most {0} decimals")]
    Decimals(u32),
    /// Too high.
    #[error("it must be below {0}")]
    TooHigh(u64),
}

impl UnitPrice {
    /// Free.
    pub const ZERO: UnitPrice = UnitPrice(0);

    /// Reads a price that may have so many decimals.
    pub fn parse(text: &str, decimals: PriceDecimals) -> Result<UnitPrice, PriceError> {
        let well_formed = !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
            && text.as_bytes()[0].is_ascii_digit()
            && !text.ends_with('.')
            && !(text.starts_with('0') && text.as_bytes().get(1).is_some_and(u8::is_ascii_digit));
        if !well_formed {
            return Err(PriceError::Form);
        }
        let value = Decimal::from_str_exact(text).map_err(|_| PriceError::Form)?.normalize();
        if value.scale() > decimals.limit() {
            return Err(PriceError::Decimals(decimals.limit()));
        }
        let limit = match decimals {
            PriceDecimals::Metered => 1_000_000,
            PriceDecimals::Upfront => 1_000_000_000,
        };
        if value >= Decimal::from(limit) {
            return Err(PriceError::TooHigh(limit));
        }
        let scaled = value.mantissa() * 10_i128.pow(PRICE_DECIMALS - value.scale());
        i64::try_from(scaled).map(UnitPrice).map_err(|_| PriceError::TooHigh(limit))
    }

    /// A price in units of 10^-8, as the journal stores it.
    pub fn from_scaled(scaled: i64) -> Option<UnitPrice> {
        (scaled >= 0).then_some(UnitPrice(scaled))
    }

    /// In units of 10^-8.
    pub fn scaled(self) -> i64 {
        self.0
    }

    /// What one unit costs, rounded.
    pub fn once(self, currency: Currency) -> Money {
        self.times(QuantitySum::whole(1), currency).round()
    }

    /// Whether it can be paid as it is, without rounding.
    pub fn is_payable(self, currency: Currency) -> bool {
        i128::from(self.0) % 10_i128.pow(PRICE_DECIMALS - currency.minor_digits()) == 0
    }

    /// Raised by a share of itself: rounded half up to the decimals that upfront prices have, and never above the
    /// highest of them, however often it is raised.
    #[must_use]
    pub fn raised(self, by: Rate) -> UnitPrice {
        let unit = 10_i128.pow(PRICE_DECIMALS - PriceDecimals::Upfront.limit());
        let raised = i128::from(self.0) * i128::from(10_000 + by.hundredths_of_percent());
        let rounded = div_half_up(raised, 10_000 * unit) * unit;
        // It is below 10^17 and above a price that was, so it fits.
        UnitPrice(rounded.min(HIGHEST_UPFRONT - unit) as i64)
    }

    /// Lowered by a share of itself of at most 100 %: rounded half up to the decimals of such prices.
    #[must_use]
    pub fn lowered(self, by: Rate, decimals: PriceDecimals) -> UnitPrice {
        let unit = 10_i128.pow(PRICE_DECIMALS - decimals.limit());
        let left = i128::from(self.0) * i128::from(10_000_u32.saturating_sub(by.hundredths_of_percent()));
        // It is at most a unit above a price that was, so it fits.
        UnitPrice((div_half_up(left, 10_000 * unit) * unit) as i64)
    }

    /// Free of charge.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Price times quantity, exact. The largest quantity of a month at the
    /// highest price has 33 of the 38 digits.
    pub fn times(self, quantity: QuantitySum, currency: Currency) -> Amount {
        Amount::new(i128::from(self.0) * quantity.0, currency)
    }
}

impl fmt::Display for UnitPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::decimal::write_scaled(f, i128::from(self.0), PRICE_DECIMALS, 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_keep_every_decimal() {
        for (text, printed) in
            [("0.25", "0.25"), ("0.00000001", "0.00000001"), ("1200", "1200.00"), ("0.130", "0.13")]
        {
            assert_eq!(UnitPrice::parse(text, PriceDecimals::Metered).unwrap().to_string(), printed);
        }
    }

    #[test]
    fn a_price_that_doubles_for_ever_stops_at_the_highest() {
        let mut price = UnitPrice::parse("100", PriceDecimals::Upfront).unwrap();
        for _ in 0..100 {
            let raised = price.raised(Rate::from_hundredths_of_percent(10_000));
            assert!(price <= raised && UnitPrice::from_scaled(raised.scaled()).is_some());
            price = raised;
        }
        assert_eq!(price.to_string(), "999999999.999");
    }

    #[test]
    fn a_discount_is_rounded_to_the_decimals_of_the_price() {
        let lowered = |price: &str, hundredths, decimals| {
            let price = UnitPrice::parse(price, PriceDecimals::Metered).unwrap();
            price.lowered(Rate::from_hundredths_of_percent(hundredths), decimals).to_string()
        };
        assert_eq!(lowered("100000", 2_000, PriceDecimals::Upfront), "80000.00");
        assert_eq!(lowered("16.015", 3_333, PriceDecimals::Upfront), "10.677", "10.6772005");
        assert_eq!(lowered("0.00000001", 5_000, PriceDecimals::Metered), "0.00000001");
        assert_eq!(lowered("0.25", 10_000, PriceDecimals::Metered), "0.00");
    }

    #[test]
    fn wrong_prices_say_why() {
        let parse = |t| UnitPrice::parse(t, PriceDecimals::Metered);
        for text in ["", "-1", "1e3", ".5", "5.", "1,5", "abc", "1.2.3", "01", "00.5"] {
            assert_eq!(parse(text), Err(PriceError::Form), "{text}");
        }
        assert_eq!(parse("0.000000001"), Err(PriceError::Decimals(8)));
        assert_eq!(parse("1000000"), Err(PriceError::TooHigh(1_000_000)));
        assert_eq!(UnitPrice::parse("1.0001", PriceDecimals::Upfront), Err(PriceError::Decimals(3)));
    }
}
