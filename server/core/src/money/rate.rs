//! Percentages, exact.

use std::fmt;

/// A percentage in hundredths of a percent: 1.5 % is 150.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u32);

impl Rate {
    /// So many hundredths of a percent.
    pub const fn from_hundredths_of_percent(hundredths: u32) -> Rate {
        Rate(hundredths)
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
