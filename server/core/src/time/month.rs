//! Billing months: UTC calendar months (Q4), and the days on which they close.

use std::fmt;

use chrono::{NaiveDate, NaiveTime};

use super::timestamp::HOUR_MICROS;
use super::{HourRange, Timestamp, UsageHour};

/// A calendar month in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BillingMonth(i32);

impl BillingMonth {
    /// The first one.
    pub const MIN: BillingMonth = BillingMonth(1970 * 12);
    /// The last one.
    pub const MAX: BillingMonth = BillingMonth(9999 * 12 + 11);

    /// The month that a moment falls into.
    pub fn containing(moment: Timestamp) -> BillingMonth {
        let (year, month) = moment.year_month();
        BillingMonth(year * 12 + month.cast_signed() - 1)
    }

    /// Reads YYYY-MM.
    pub fn parse(text: &str) -> Option<BillingMonth> {
        let (year, month) = text.split_once('-')?;
        if year.len() != 4 || month.len() != 2 {
            return None;
        }
        let first = Timestamp::parse(&format!("{text}-01T00:00:00Z"))?;
        Some(BillingMonth::containing(first))
    }

    /// From the count of months since the year 0, as the journal stores it.
    pub fn from_index(index: i32) -> Option<BillingMonth> {
        (Self::MIN.0..=Self::MAX.0).contains(&index).then_some(BillingMonth(index))
    }

    /// The count of months since the year 0.
    pub fn index(self) -> i32 {
        self.0
    }

    /// The calendar year.
    pub fn year(self) -> i32 {
        self.0 / 12
    }

    /// Its first moment.
    pub fn start(self) -> Timestamp {
        let first = NaiveDate::from_ymd_opt(self.0 / 12, (self.0 % 12 + 1).cast_unsigned(), 1);
        let moment = first.map(|day| day.and_time(NaiveTime::MIN).and_utc().timestamp_micros());
        moment.and_then(Timestamp::from_micros).unwrap_or(Timestamp::MAX)
    }

    /// Its end: the first moment of the next month.
    pub fn end(self) -> Timestamp {
        self.next().start()
    }

    /// The month after it.
    #[must_use]
    pub fn next(self) -> BillingMonth {
        BillingMonth(self.0 + 1)
    }

    /// Its hours.
    pub fn hours(self) -> HourRange {
        HourRange { start: UsageHour::containing(self.start()), end: UsageHour::containing(self.end()) }
    }

    /// When its usage is invoiced: 00:00 UTC on the 2nd of the next month (B-18).
    pub fn invoiced_at(self) -> Timestamp {
        self.end().plus_days(1)
    }

    /// From when on its usage is refused: 06:00 UTC on the 1st of the next month.
    pub fn metering_ends_at(self) -> Timestamp {
        self.end().plus_micros(6 * HOUR_MICROS)
    }
}

impl fmt::Display for BillingMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / 12, self.0 % 12 + 1)
    }
}

impl fmt::Debug for BillingMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B-18: usage is invoiced on the 2nd of the month after it.
    #[test]
    fn b_18_usage_is_invoiced_on_the_second() {
        for (month, invoiced) in [
            ("2025-11", "2025-12-02T00:00:00Z"),
            ("2025-12", "2026-01-02T00:00:00Z"),
            ("2024-02", "2024-03-02T00:00:00Z"),
        ] {
            assert_eq!(BillingMonth::parse(month).unwrap().invoiced_at().to_string(), invoiced);
        }
    }

    #[test]
    fn months_know_their_hours() {
        for (month, hours) in [("2025-01", 744), ("2025-02", 672), ("2024-02", 696), ("2025-06", 720)] {
            assert_eq!(BillingMonth::parse(month).unwrap().hours().len(), hours, "{month}");
        }
    }

    #[test]
    fn only_year_and_month_are_a_month() {
        for wrong in ["", "2025", "2025-13", "2025-1", "25-01", "2025-01-01", "2025-00"] {
            assert_eq!(BillingMonth::parse(wrong), None, "{wrong}");
        }
    }
}
