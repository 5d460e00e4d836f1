//! Usage hours: the UTC clock hours that usage is counted in (Q1).

use std::fmt;

use super::Timestamp;
use super::timestamp::HOUR_MICROS;

/// A UTC clock hour, counted from 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsageHour(i32);

impl UsageHour {
    /// The hour that a moment falls into.
    pub fn containing(moment: Timestamp) -> UsageHour {
        UsageHour((moment.micros() / HOUR_MICROS) as i32)
    }

    /// The first hour that begins at or after a moment.
    pub fn at_or_after(moment: Timestamp) -> UsageHour {
        UsageHour(((moment.micros() + HOUR_MICROS - 1) / HOUR_MICROS) as i32)
    }

    /// From the count of hours since 1970; nothing outside of the years 1970 to 9999.
    pub fn from_index(index: i32) -> Option<UsageHour> {
        (0..=UsageHour::containing(Timestamp::MAX).0).contains(&index).then_some(UsageHour(index))
    }

    /// The count of hours since 1970.
    pub fn index(self) -> i32 {
        self.0
    }

    /// Its first moment.
    pub fn start(self) -> Timestamp {
        Timestamp::MIN.plus_micros(i64::from(self.0) * HOUR_MICROS)
    }

    /// The hour after it.
    #[must_use]
    pub fn next(self) -> UsageHour {
        UsageHour(self.0 + 1)
    }
}

impl fmt::Display for UsageHour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.start().fmt(f)
    }
}

impl fmt::Debug for UsageHour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Hours from `start` up to, but without, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourRange {
    /// The first hour.
    pub start: UsageHour,
    /// The hour after the last.
    pub end: UsageHour,
}

impl HourRange {
    /// How many hours.
    pub fn len(self) -> usize {
        usize::try_from(self.end.0 - self.start.0).unwrap_or(0)
    }

    /// No hour at all.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The hours, in order.
    pub fn hours(self) -> impl Iterator<Item = UsageHour> {
        (self.start.0..self.end.0).map(UsageHour)
    }
}
