//! Percentages, exact.

use std::fmt;

use rust_decimal::Decimal;

/// A percentage in hundredths of a percent: 1.5 % is 150.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u32);

impl Rate {
    /// So many hundredths of a percent.
    pub const fn from_hundredths_of_percent(hundredths: u32) -> Rate {
        Rate(hundredths)
    }

    /// Reads a percentage of at most two decimals, such as 7.5; at most 1000.
    pub fn parse(text: &str) -> Option<Rate> {
        let well_formed = text.as_bytes().first().is_some_and(u8::is_ascii_digit)
            && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let value = Decimal::from_str_exact(text).ok().filter(|_| well_formed)?.normalize();
        let hundredths = value.mantissa().checked_mul(10_i128.pow(2_u32.checked_sub(value.scale())?))?;
        u32::try_from(hundredths).ok().filter(|&hundredths| hundredths <= 100_000).map(Rate)
    }

    /// The sum of two.
    #[must_use]
    pub fn plus(self, more: Rate) -> Rate {
        Rate(self.0.saturating_add(more.0))
    }

    /// The percentage without its sign, such as 7.5.
    pub fn number(self) -> String {
        self.to_string().trim_end_matches(" %").to_owned()
    }

    /// In hundredths of a percent.
    pub fn hundredths_of_percent(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::decimal::write_scaled(f, i128::from(self.0), 2, 0)?;
        f.write_str(" %")
    }
}
