//! The currencies that charges can have.

use std::fmt;

/// A currency. Public offers, and usage everywhere, are in US dollars; private upfront charges in any of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Currency {
    /// US dollars.
    Usd,
    /// Euros.
    Eur,
    /// Pounds sterling.
    Gbp,
    /// Australian dollars.
    Aud,
    /// Japanese yen.
    Jpy,
    /// Indian rupees.
    Inr,
}

impl Currency {
    /// Every currency.
    pub const ALL: [Currency; 6] =
        [Currency::Usd, Currency::Eur, Currency::Gbp, Currency::Aud, Currency::Jpy, Currency::Inr];

    /// Reads an ISO 4217 code; US dollars when there is none.
    pub fn parse(code: &str) -> Option<Currency> {
        match code {
            "" => Some(Currency::Usd),
            _ => Currency::ALL.into_iter().find(|currency| currency.code() == code),
        }
    }

    /// The ISO 4217 code.
    pub fn code(self) -> &'static str {
        match self {
            Currency::Usd => "USD",
            Currency::Eur => "EUR",
            Currency::Gbp => "GBP",
            Currency::Aud => "AUD",
            Currency::Jpy => "JPY",
            Currency::Inr => "INR",
        }
    }

    /// Hundredths of it that count as a US dollar where a value in dollars decides: the class of a listing fee (H1).
    /// Nothing is charged by it.
    pub fn hundredths_per_dollar(self) -> u32 {
        match self {
            Currency::Usd => 100,
            Currency::Eur => 90,
            Currency::Gbp => 80,
            Currency::Aud => 150,
            Currency::Jpy => 15_000,
            Currency::Inr => 8_500,
        }
    }

    /// Decimals of its smallest unit.
    pub fn minor_digits(self) -> u32 {
        match self {
            Currency::Jpy => 0,
            Currency::Usd | Currency::Eur | Currency::Gbp | Currency::Aud | Currency::Inr => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
