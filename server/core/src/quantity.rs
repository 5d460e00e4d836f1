//! Quantities: exact multiples of 0.000001, compared by value.

use std::fmt;

/// Decimals of a quantity.
pub const QUANTITY_DECIMALS: u32 = 6;

/// A unit in millionths.
pub const MILLIONTHS: u64 = 1_000_000;
const ONE: u64 = MILLIONTHS;

/// What a usage record meters: 0 to 9,999,999,999.999999, so that 17, 17.0 and 17.00 are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity(u64);

/// Why a text is no quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not of the form that AWS documents.
    #[error("it must be digits, with at most 10 before and 6 after the point, without sign or leading zeros")]
    Form,
    /// Above the largest whole quantity.
    #[error("the largest whole quantity is 2147483647")]
    TooLarge,
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Quantity = Quantity(0);
    /// The largest quantity of one record.
    pub const MAX: Quantity = Quantity(9_999_999_999 * ONE + 999_999);
    /// The largest whole quantity of one record (AWS: 2^31 - 1).
    pub const MAX_WHOLE: u64 = 2_147_483_647;

    /// A whole quantity.
    pub fn whole(units: u64) -> Result<Quantity, QuantityError> {
        match units <= Quantity::MAX_WHOLE {
            true => Ok(Quantity(units * ONE)),
            false => Err(QuantityError::TooLarge),
        }
    }

    /// A quantity in millionths, as the journal stores it.
    pub fn from_millionths(millionths: u64) -> Option<Quantity> {
        (millionths <= Quantity::MAX.0).then_some(Quantity(millionths))
    }

    /// In millionths.
    pub fn millionths(self) -> u64 {
        self.0
    }

    /// Reads a decimal of AWS's form: `^(0|[1-9][0-9]{0,9})(\.[0-9]{1,6})?$`.
    pub fn parse(text: &str) -> Result<Quantity, QuantityError> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(QuantityError::Form),
            None => (text, ""),
        };
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        let well_formed = (1..=10).contains(&whole.len())
            && digits(whole)
            && (whole == "0" || !whole.starts_with('0'))
            && fraction.len() <= 6
            && digits(fraction);
        if !well_formed {
            return Err(QuantityError::Form);
        }
        let whole: u64 = whole.parse().map_err(|_| QuantityError::Form)?;
        // As many decimals as there are, filled up to six.
        let filled = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
        let fraction = filled.fold(0, |acc, digit| acc * 10 + u64::from(digit - b'0'));
        Ok(Quantity(whole * ONE + fraction))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        QuantitySum(i128::from(self.0)).fmt(f)
    }
}

/// A sum of quantities over hours, series or accounts, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct QuantitySum(pub i128);

impl QuantitySum {
    /// So many whole units.
    pub fn whole(units: u64) -> QuantitySum {
        QuantitySum(i128::from(units) * i128::from(ONE))
    }

    /// So many whole units more, or fewer.
    pub fn signed(units: i64) -> QuantitySum {
        QuantitySum(i128::from(units) * i128::from(ONE))
    }

    /// Nothing at all.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl std::ops::AddAssign<i128> for QuantitySum {
    fn add_assign(&mut self, millionths: i128) {
        self.0 += millionths;
    }
}

impl fmt::Display for QuantitySum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::money::decimal::write_scaled(f, self.0, QUANTITY_DECIMALS, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly_and_by_value() {
        for (text, millionths) in [
            ("0", 0),
            ("0.000001", 1),
            ("17", 17_000_000),
            ("17.0", 17_000_000),
            ("17.00", 17_000_000),
            ("1.5", 1_500_000),
            ("9999999999.999999", 9_999_999_999_999_999),
        ] {
            assert_eq!(Quantity::parse(text).map(Quantity::millionths), Ok(millionths), "{text}");
        }
    }

    #[test]
    fn what_aws_refuses_is_refused() {
        for text in
            ["", ".", "1.", ".5", "-1", "+1", "01", "00", "1e3", "1.0000001", "12345678901", " 1", "1,5"]
        {
            assert_eq!(Quantity::parse(text), Err(QuantityError::Form), "{text}");
        }
        assert_eq!(Quantity::whole(2_147_483_647).map(Quantity::millionths), Ok(2_147_483_647_000_000));
        assert_eq!(Quantity::whole(2_147_483_648), Err(QuantityError::TooLarge));
    }

    #[test]
    fn quantities_print_without_needless_zeros() {
        for (millionths, text) in [(0, "0"), (1, "0.000001"), (1_500_000, "1.5"), (17_000_000, "17")] {
            assert_eq!(Quantity(millionths).to_string(), text);
        }
    }
}
