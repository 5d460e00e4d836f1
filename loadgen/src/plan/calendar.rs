//! The hours of a run, in months, and how busy each of them is.
//!
//! ```text
//! run hour  0 1 2 ... 29 | 30 31 ... 59        hours of the run are counted through
//! month     2025-01      | 2025-02             from the beginning of each month
//! ```

use souk_core::time::{BillingMonth, Timestamp, UsageHour};

/// The first month.
const FIRST_MONTH: &str = "2025-01";
/// Months at most: annual cover that was bought before the first one lasts until behind the last.
pub const MONTHS_MAX: u32 = 11;
/// Hours of a month at most.
pub const HOURS_MAX: u32 = 744;
/// How long before the first month annual cover is bought.
pub const COVER_DAYS_BEFORE: u32 = 10;

/// How busy the hours of a day are, in thousandths, from midnight in UTC: New York's working day.
const DAY: [u64; 24] = [
    520, 450, 390, 350, 320, 300, 290, 300, 330, 390, 480, 600, 730, 850, 930, 980, 1_000, 990, 970, 940,
    880, 800, 710, 610,
];
/// How busy the days of a week are, in thousandths, from Sunday.
const WEEK: [u64; 7] = [480, 950, 1_000, 1_000, 990, 920, 550];

/// A month of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthSpan {
    /// Which one.
    pub month: BillingMonth,
    /// Its first hour in the run.
    pub start: u32,
    /// The run's hour behind its last.
    pub end: u32,
}

/// The hours of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// The months in order.
    pub months: Vec<MonthSpan>,
    /// By run hour: hours since 1970.
    indexes: Vec<i32>,
}

impl Calendar {
    /// So many months, and so many hours from the beginning of each.
    #[must_use]
    pub fn new(months: u32, hours: u32) -> Calendar {
        let mut month = first_month();
        let (mut spans, mut indexes) = (Vec::new(), Vec::new());
        for _ in 0..months.min(MONTHS_MAX) {
            let start = indexes.len() as u32;
            indexes.extend(month.hours().hours().take(hours as usize).map(UsageHour::index));
            spans.push(MonthSpan { month, start, end: indexes.len() as u32 });
            month = month.next();
        }
        Calendar { months: spans, indexes }
    }

    /// How many hours the run has.
    #[must_use]
    pub fn hours(&self) -> u32 {
        self.indexes.len() as u32
    }

    /// An hour of the run in hours since 1970.
    #[must_use]
    pub fn index(&self, hour: u32) -> i32 {
        self.indexes[hour as usize]
    }

    /// An hour of the run.
    #[must_use]
    pub fn hour(&self, hour: u32) -> UsageHour {
        hour_of(self.index(hour))
    }

    /// The position of the month of an hour of the run.
    #[must_use]
    pub fn month_of(&self, hour: u32) -> usize {
        self.months.partition_point(|span| span.end <= hour)
    }

    /// The first moment of the run.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        first_month().start()
    }

    /// When annual cover is bought.
    #[must_use]
    pub fn covers_bought(&self) -> Timestamp {
        let micros = i64::from(COVER_DAYS_BEFORE) * 86_400_000_000;
        self.start().plus_micros(-micros)
    }

    /// The hour of the run at which some buyers change over to a private offer: in the middle of the first month.
    #[must_use]
    pub fn changeover(&self) -> u32 {
        self.months.first().map_or(0, |first| first.end / 2)
    }

    /// How busy an hour of the run is, in millionths of the busiest.
    #[must_use]
    pub fn activity(&self, hour: u32) -> u64 {
        let index = i64::from(self.index(hour));
        // 1970 began on a Thursday.
        let weekday = (index.div_euclid(24) + 4).rem_euclid(7) as usize;
        DAY[index.rem_euclid(24) as usize] * WEEK[weekday]
    }
}

fn hour_of(index: i32) -> UsageHour {
    UsageHour::from_index(index).unwrap_or_else(|| unreachable!("{index} is an hour of the calendar"))
}

fn first_month() -> BillingMonth {
    BillingMonth::parse(FIRST_MONTH).unwrap_or_else(|| unreachable!("{FIRST_MONTH} is a month"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_at_their_beginning_and_february_is_shorter() {
        let calendar = Calendar::new(3, HOURS_MAX);
        let spans: Vec<_> =
            calendar.months.iter().map(|span| (span.month.to_string(), span.start, span.end)).collect();
        let expected = [("2025-01", 0, 744), ("2025-02", 744, 1_416), ("2025-03", 1_416, 2_160)];
        assert_eq!(spans, expected.map(|(month, start, end)| (month.to_owned(), start, end)));
        assert_eq!(calendar.hour(744).start().to_string(), "2025-02-01T00:00:00Z");
        assert_eq!([743, 744, 2_159].map(|hour| calendar.month_of(hour)), [0, 1, 2]);
        assert_eq!(Calendar::new(2, 5).hours(), 10);
    }

    #[test]
    fn noon_of_a_working_day_is_busier_than_a_night_and_a_sunday() {
        let calendar = Calendar::new(1, HOURS_MAX);
        // The first of January 2025 was a Wednesday, the fifth a Sunday.
        let at = |day: u32, hour: u32| calendar.activity((day - 1) * 24 + hour);
        assert_eq!(at(1, 16), 1_000_000);
        assert!(at(1, 4) < at(1, 16) / 2);
        assert!(at(5, 16) < at(1, 16) / 2);
    }
}
