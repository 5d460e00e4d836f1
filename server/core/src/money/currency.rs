//! The currencies that charges can have.

use std::fmt;

/// A currency. Public offers are in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Currency {
    /// US dollars.
    Usd,
}

impl Currency {
    /// Reads an ISO 4217 code; US dollars when there is none.
    pub fn parse(code: &str) -> Option<Currency> {
        match code {
            "" | "USD" => Some(Currency::Usd),
            _ => None,
        }
    }

    /// The ISO 4217 code.
    pub fn code(self) -> &'static str {
        match self {
            Currency::Usd => "USD",
        }
    }

    /// Decimals of its smallest unit.
    pub fn minor_digits(self) -> u32 {
        match self {
            Currency::Usd => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
