//! Moments in UTC, to the microsecond.

use std::fmt;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, SecondsFormat, Utc};

/// Microseconds of an hour.
pub const HOUR_MICROS: i64 = 3_600_000_000;
const DAY_MICROS: i64 = 24 * HOUR_MICROS;

/// A moment in UTC between the years 1970 and 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest moment.
    pub const MIN: Timestamp = Timestamp(0);
    /// The latest moment: the end of the year 9999.
    pub const MAX: Timestamp = Timestamp(253_402_300_799_999_999);

    /// The first moment of a day, by the days since 1970.
    pub const fn from_days(days: u32) -> Timestamp {
        Timestamp(days as i64 * DAY_MICROS)
    }

    /// From microseconds since 1970; nothing outside of the years 1970 to 9999.
    pub fn from_micros(micros: i64) -> Option<Timestamp> {
        (Timestamp::MIN.0..=Timestamp::MAX.0).contains(&micros).then_some(Timestamp(micros))
    }

    /// Microseconds since 1970.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339.
    pub fn parse(text: &str) -> Option<Timestamp> {
        let parsed = DateTime::parse_from_rfc3339(text).ok()?;
        Timestamp::from_micros(parsed.timestamp_micros())
    }

    /// The first moment of a day.
    pub fn from_date(date: NaiveDate) -> Option<Timestamp> {
        Timestamp::from_micros(date.and_time(NaiveTime::MIN).and_utc().timestamp_micros())
    }

    /// Its day in UTC.
    pub fn date(self) -> NaiveDate {
        self.to_chrono().date_naive()
    }

    /// Later by so many microseconds; stops at the latest moment.
    #[must_use]
    pub fn plus_micros(self, micros: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(micros).clamp(Timestamp::MIN.0, Timestamp::MAX.0))
    }

    /// The last second of a period that ends here, not part of it.
    #[must_use]
    pub fn last_second(self) -> Timestamp {
        let last = self.plus_micros(-1);
        last.plus_micros(-last.0.rem_euclid(1_000_000))
    }

    /// Later by so many days of 24 hours.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Timestamp {
        self.plus_micros(i64::from(days) * DAY_MICROS)
    }

    /// The same day and time so many calendar months later, the day clamped to the month's end (Q5).
    #[must_use]
    pub fn plus_months(self, months: u32) -> Timestamp {
        let moved = self.to_chrono().checked_add_months(Months::new(months));
        moved.and_then(|m| Timestamp::from_micros(m.timestamp_micros())).unwrap_or(Timestamp::MAX)
    }

    /// The end of its day: the first moment of the next.
    #[must_use]
    pub fn next_midnight(self) -> Timestamp {
        let next = self.date().checked_add_days(Days::new(1));
        next.and_then(Timestamp::from_date).unwrap_or(Timestamp::MAX)
    }

    /// Year and month, for grouping.
    pub(super) fn year_month(self) -> (i32, u32) {
        let date = self.date();
        (date.year(), date.month())
    }

    fn to_chrono(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }
}

/// The day as reports print it: YYYY-MM-DD.
pub fn report_date(moment: Timestamp) -> String {
    moment.date().format("%Y-%m-%d").to_string()
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_chrono().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// twelve months are calendar months, the day clamped.
    #[test]
    fn a_13_an_annual_term_ends_on_the_same_day_twelve_months_later() {
        for (start, end) in [
            ("2024-02-29T00:00:00Z", "2025-02-28T00:00:00Z"),
            ("2024-01-15T09:30:00Z", "2025-01-15T09:30:00Z"),
            ("2023-03-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("2025-06-30T23:59:59Z", "2026-06-30T23:59:59Z"),
        ] {
            assert_eq!(Timestamp::parse(start).unwrap().plus_months(12).to_string(), end);
        }
    }

    #[test]
    fn e3_a_period_ends_with_its_last_second() {
        for (end, last) in [
            ("2025-06-01T00:00:00Z", "2025-05-31T23:59:59Z"),
            ("2026-12-31T23:59:59.999Z", "2026-12-31T23:59:59Z"),
            ("2025-05-01T10:20:30Z", "2025-05-01T10:20:29Z"),
            ("2025-05-01T10:20:30.000001Z", "2025-05-01T10:20:30Z"),
        ] {
            assert_eq!(Timestamp::parse(end).unwrap().last_second().to_string(), last, "{end}");
        }
    }

    #[test]
    fn moments_outside_of_the_calendar_are_none() {
        assert_eq!(Timestamp::parse("1969-12-31T23:59:59Z"), None);
        assert_eq!(Timestamp::parse("yesterday"), None);
        assert_eq!(Timestamp::parse("9999-12-31T23:59:59.999999Z"), Some(Timestamp::MAX));
        assert_eq!(Timestamp::MAX.plus_days(1), Timestamp::MAX);
    }

    #[test]
    fn offsets_are_turned_into_utc() {
        let tokyo = Timestamp::parse("2025-07-01T08:59:59+09:00").unwrap();
        assert_eq!(tokyo.to_string(), "2025-06-30T23:59:59Z");
    }
}
