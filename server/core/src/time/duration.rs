//! Durations of terms: whole days or calendar months, in ISO 8601.

use std::fmt;

use super::Timestamp;

/// How long a term lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TermDuration {
    /// Days of 24 hours.
    Days(u32),
    /// Calendar months, the day clamped to the month's end (Q5, Q6).
    Months(u32),
}

impl TermDuration {
    /// Reads `P<n>D`, `P<n>M` or `P<n>Y`; a year is twelve months.
    pub fn parse(text: &str) -> Option<TermDuration> {
        let body = text.strip_prefix('P')?;
        let unit = body.chars().last()?;
        let digits = &body[..body.len() - unit.len_utf8()];
        if digits.is_empty() || digits.len() > 5 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let number: u32 = digits.parse().ok().filter(|&n| n > 0)?;
        match unit {
            'D' => Some(TermDuration::Days(number)),
            'M' => Some(TermDuration::Months(number)),
            'Y' => Some(TermDuration::Months(number * 12)),
            _ => None,
        }
    }

    /// The end of a term of this duration; not part of it.
    pub fn after(self, start: Timestamp) -> Timestamp {
        match self {
            TermDuration::Days(days) => start.plus_days(days),
            TermDuration::Months(months) => start.plus_months(months),
        }
    }
}

impl fmt::Display for TermDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TermDuration::Days(days) => write!(f, "P{days}D"),
            TermDuration::Months(months) => write!(f, "P{months}M"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_iso_8601() {
        assert_eq!(TermDuration::parse("P30D"), Some(TermDuration::Days(30)));
        assert_eq!(TermDuration::parse("P12M"), Some(TermDuration::Months(12)));
        assert_eq!(TermDuration::parse("P1Y"), Some(TermDuration::Months(12)));
        for wrong in ["", "P", "12M", "P0D", "P-1D", "PT1H", "P1W", "P100000D", "P1.5M"] {
            assert_eq!(TermDuration::parse(wrong), None, "{wrong}");
        }
    }
}
