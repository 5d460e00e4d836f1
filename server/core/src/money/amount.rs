//! Exact amounts, and the rounded money that invoices hold.

use std::fmt;

use rust_decimal::Decimal;

use super::rounding::{div_half_up, part_half_up};
use super::{Currency, Rate};

/// Decimals of an exact amount: those of a unit price and of a quantity together.
pub const AMOUNT_DECIMALS: u32 = super::unit_price::PRICE_DECIMALS + crate::quantity::QUANTITY_DECIMALS;

/// An exact amount, not rounded yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    scaled: i128,
    currency: Currency,
}

impl Amount {
    /// An amount in units of 10^-14.
    pub fn new(scaled: i128, currency: Currency) -> Amount {
        Amount { scaled, currency }
    }

    /// Reads a decimal of at most 8 decimals, with a sign or without.
    pub fn parse(text: &str, currency: Currency) -> Option<Amount> {
        let value = Decimal::from_str_exact(text).ok()?.normalize();
        let decimals = AMOUNT_DECIMALS.checked_sub(value.scale())?;
        let scaled = value.mantissa().checked_mul(10_i128.checked_pow(decimals)?)?;
        (value.scale() <= super::unit_price::PRICE_DECIMALS).then_some(Amount { scaled, currency })
    }

    /// The amount that rounded money is.
    pub fn of_money(money: Money) -> Amount {
        let unit = 10_i128.pow(AMOUNT_DECIMALS - money.currency.minor_digits());
        Amount { scaled: money.minor * unit, currency: money.currency }
    }

    /// The currency.
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// In units of 10^-14.
    pub fn scaled(self) -> i128 {
        self.scaled
    }

    /// Rounds half up to the currency's smallest unit: the one rounding of an invoice line.
    pub fn round(self) -> Money {
        let unit = 10_i128.pow(AMOUNT_DECIMALS - self.currency.minor_digits());
        Money { minor: div_half_up(self.scaled, unit), currency: self.currency }
    }
}

impl Amount {
    /// So many parts of so many, rounded half up, once (Q8).
    pub fn part(self, part: u32, of: u32) -> Money {
        let unit = 10_i128.pow(AMOUNT_DECIMALS - self.currency.minor_digits());
        let minor = div_half_up(self.scaled * i128::from(part), unit * i128::from(of.max(1)));
        Money { minor, currency: self.currency }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::decimal::write_scaled(f, self.scaled, AMOUNT_DECIMALS, 2)
    }
}

/// Rounded money: whole smallest units of a currency. Invoices and reports hold only this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money {
    minor: i128,
    currency: Currency,
}

impl Money {
    /// Nothing.
    pub fn zero(currency: Currency) -> Money {
        Money { minor: 0, currency }
    }

    /// From the smallest units, as the journal stores it.
    pub fn from_minor(minor: i128, currency: Currency) -> Money {
        Money { minor, currency }
    }

    /// In the smallest units.
    pub fn minor(self) -> i128 {
        self.minor
    }

    /// The currency.
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// The sum of money of one currency.
    #[must_use]
    pub fn plus(self, other: Money) -> Money {
        debug_assert_eq!(self.currency, other.currency);
        Money { minor: self.minor + other.minor, currency: self.currency }
    }

    /// So many parts of so many, rounded half up.
    #[must_use]
    pub fn part(self, part: i128, of: i128) -> Money {
        Money { minor: part_half_up(self.minor, part, of), currency: self.currency }
    }

    /// The same money with the other sign.
    #[must_use]
    pub fn negated(self) -> Money {
        Money { minor: -self.minor, currency: self.currency }
    }

    /// A share of it, rounded half up.
    #[must_use]
    pub fn share(self, rate: Rate) -> Money {
        let minor = div_half_up(self.minor * i128::from(rate.hundredths_of_percent()), 10_000);
        Money { minor, currency: self.currency }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.currency.minor_digits();
        super::decimal::write_scaled(f, self.minor, digits, digits as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::{PriceDecimals, UnitPrice};
    use crate::quantity::QuantitySum;

    fn amount(price: &str, quantity: u64) -> String {
        let price = UnitPrice::parse(price, PriceDecimals::Metered).unwrap();
        price.times(QuantitySum::whole(quantity), Currency::Usd).round().to_string()
    }

    #[test]
    fn b_02_eight_decimals_and_the_largest_quantity() {
        assert_eq!(amount("0.00000001", 2_147_483_647), "21.47");
        assert_eq!(amount("0.12345678", 2_147_483_647), "265121416.16");
        assert_eq!(amount("99999.999", 1), "100000.00");
        assert_eq!(amount("0.00000001", 1), "0.00");
        assert_eq!(amount("1", 2_147_483_647), "2147483647.00");
    }

    /// A15: a month of the largest quantity passes 64 bits.
    #[test]
    fn a_month_at_the_maximum_is_exact() {
        assert_eq!(amount("99999.99999999", 2_147_483_647 * 744), "159772783336784022.72");
    }

    #[test]
    fn b_05_a_line_is_rounded_once() {
        assert_eq!(amount("0.004", 720), "2.88");
    }

    #[test]
    fn e_02_the_sums_of_a_price_change() {
        assert_eq!((amount("0.10", 720), amount("0.12", 744)), ("72.00".into(), "89.28".into()));
    }
}
