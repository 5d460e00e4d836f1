//! The time that a report is of: a month, or the day on which a daily report is made.

use std::fmt;

use chrono::NaiveDate;

use super::Report;
use crate::rejection::{Code, Rejection};
use crate::time::timestamp::report_date;
use crate::time::{BillingMonth, Timestamp};

/// Days after which the fees of a day are told: 72 hours.
const FEES_BACK: u32 = 3;
/// Days after which its usage is told.
const USAGE_BACK: u32 = 1;

/// The day on which a daily report is made, at 00:00 UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportDay(Timestamp);

/// A day in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Its first moment.
    pub start: Timestamp,
    /// Its end; not part of it.
    pub end: Timestamp,
}

impl Day {
    /// Whether a moment is in it.
    pub fn contains(self, moment: Timestamp) -> bool {
        self.start <= moment && moment < self.end
    }
}

impl ReportDay {
    /// The first day whose report has days to tell of.
    pub const MIN: ReportDay = ReportDay(Timestamp::from_days(FEES_BACK));

    /// The report of a date; none before [`ReportDay::MIN`].
    pub fn of_date(date: NaiveDate) -> Option<ReportDay> {
        Timestamp::from_date(date).map(ReportDay).filter(|day| *day >= ReportDay::MIN)
    }

    /// When it is made: the first moment of its day.
    pub fn made_at(self) -> Timestamp {
        self.0
    }

    /// The day whose usage, trials and subscribers it tells: the one before (F-19).
    pub fn usage(self) -> Day {
        self.back(USAGE_BACK)
    }

    /// The day whose fees it tells: the 24 hours that began 72 hours before (F-19).
    pub fn fees(self) -> Day {
        self.back(FEES_BACK)
    }

    fn back(self, days: u32) -> Day {
        let start = self.0.plus_micros(-Timestamp::from_days(days).micros());
        Day { start, end: start.plus_days(1) }
    }
}

impl fmt::Display for ReportDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&report_date(self.0))
    }
}

impl fmt::Debug for ReportDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What a report is asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// A month, which must be closed.
    Month(BillingMonth),
    /// The day on which a daily report is made.
    Day(ReportDay),
}

impl Period {
    /// From when on its report can be read.
    pub fn known_from(self) -> Timestamp {
        match self {
            Period::Month(month) => month.invoiced_at(),
            Period::Day(day) => day.made_at(),
        }
    }

    /// The month; of a daily report, that of the day whose usage it tells.
    pub fn month(self) -> BillingMonth {
        match self {
            Period::Month(month) => month,
            Period::Day(day) => BillingMonth::containing(day.usage().start),
        }
    }

    /// The day; of a month's report, the one on which the month closes.
    pub fn day(self) -> ReportDay {
        match self {
            Period::Month(month) => ReportDay(month.invoiced_at()),
            Period::Day(day) => day,
        }
    }
}

impl Report {
    /// Refuses current records of what has no history.
    pub fn check_current(&self, current: bool) -> Result<(), Rejection> {
        if !current || self.asks.has_history() {
            return Ok(());
        }
        let message = format!(
            "{} has no history: leave it out, or ask for a feed such as productfeed_v1 (D8)",
            self.name
        );
        Err(Rejection::new(Code::FieldInvalid, "current", message))
    }

    /// What it is asked of: a month, or of a daily report the date on which it is made.
    pub fn period(&self, month: Option<BillingMonth>, date: Option<NaiveDate>) -> Result<Period, Rejection> {
        let name = self.name;
        let refuse = |code, field: &str, message: String| Err(Rejection::new(code, field, message));
        match (self.asks.is_daily(), month, date) {
            (true, Some(month), _) => {
                let message = format!(
                    "{month}; {name} is a daily report: leave the month out, and give the date on which it is made"
                );
                refuse(Code::FieldInvalid, "month", message)
            }
            (true, None, None) => {
                let message = format!(
                    "{name} is a daily report: give the date on which it is made, as YYYY-MM-DD, such as 2025-05-24 \
                     for the usage of 2025-05-23 (D5)"
                );
                refuse(Code::FieldMissing, "date", message)
            }
            (true, None, Some(date)) => ReportDay::of_date(date).map(Period::Day).ok_or_else(|| {
                let message = format!("{date}; the first daily report is that of {}", ReportDay::MIN);
                Rejection::new(Code::FieldInvalid, "date", message)
            }),
            (false, _, Some(date)) => {
                let message = format!(
                    "{date}; {name} is of a month: leave the date out, and give a month, such as 2025-05"
                );
                refuse(Code::FieldInvalid, "date", message)
            }
            (false, None, None) => {
                let message = format!("{name} is of a month: give it as YYYY-MM, such as 2025-05");
                refuse(Code::FieldMissing, "month", message)
            }
            (false, Some(month), None) => Ok(Period::Month(month)),
        }
    }
}

impl Period {
    /// Refuses what cannot be told yet.
    pub fn check(self, now: Timestamp) -> Result<(), Rejection> {
        let known_from = self.known_from();
        match self {
            _ if known_from <= now => Ok(()),
            Period::Month(month) => {
                let message = format!("{month} closes at {known_from}: it is {now} in the sandbox");
                Err(Rejection::new(Code::MonthNotClosed, "month", message))
            }
            Period::Day(day) => {
                let message = format!(
                    "the report of {day} is made at {known_from}: it is {now} in the sandbox; give a day that has begun \
                     (D5)"
                );
                Err(Rejection::new(Code::ReportNotMade, "date", message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::by_name;

    #[test]
    fn every_report_is_asked_of_its_own_period() {
        let month = BillingMonth::parse("2025-05");
        let date = NaiveDate::from_ymd_opt(2025, 5, 24);
        let early = NaiveDate::from_ymd_opt(1970, 1, 3);
        for (report, month, date, expected) in [
            ("daily_business_fees", None, date, Ok("2025-05-24T00:00:00Z")),
            ("daily_business_fees", None, None, Err("FIELD_MISSING date")),
            ("daily_business_fees", month, date, Err("FIELD_INVALID month")),
            ("daily_business_fees", month, None, Err("FIELD_INVALID month")),
            ("daily_business_fees", None, early, Err("FIELD_INVALID date")),
            ("disbursed_amount_by_product", month, None, Ok("2025-06-02T00:00:00Z")),
            ("disbursed_amount_by_product", None, None, Err("FIELD_MISSING month")),
            ("disbursed_amount_by_product", None, date, Err("FIELD_INVALID date")),
            ("disbursed_amount_by_product", month, date, Err("FIELD_INVALID date")),
        ] {
            let period = by_name(report).unwrap().period(month, date);
            let told = period.map(|period| period.known_from().to_string());
            let told = told.map_err(|refused| format!("{} {}", refused.code.as_str(), refused.field));
            assert_eq!(told.as_deref().map_err(String::as_str), expected, "{report} {month:?} {date:?}");
        }
    }

    #[test]
    fn what_has_not_come_is_not_told() {
        let made = Period::Day(day("2025-05-24").unwrap());
        let month = Period::Month(BillingMonth::parse("2025-05").unwrap());
        let at = |text: &str| Timestamp::parse(text).unwrap();
        for (period, now, expected) in [
            (made, "2025-05-23T23:59:59.999999Z", Err(Code::ReportNotMade)),
            (made, "2025-05-24T00:00:00Z", Ok(())),
            (month, "2025-06-01T23:59:59Z", Err(Code::MonthNotClosed)),
            (month, "2025-06-02T00:00:00Z", Ok(())),
        ] {
            assert_eq!(period.check(at(now)).map_err(|refused| refused.code), expected, "{period:?} {now}");
        }
    }

    fn day(text: &str) -> Option<ReportDay> {
        ReportDay::of_date(NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap())
    }

    #[test]
    fn f_19_fees_are_told_72_hours_back_and_usage_a_day() {
        for (made, fees, usage) in [
            ("2025-05-24", "2025-05-21", "2025-05-23"),
            ("2025-03-01", "2025-02-26", "2025-02-28"),
            ("2024-03-01", "2024-02-27", "2024-02-29"),
            ("2026-01-01", "2025-12-29", "2025-12-31"),
        ] {
            let made = day(made).unwrap();
            assert_eq!(
                (report_date(made.fees().start), report_date(made.usage().start)),
                (fees.into(), usage.into())
            );
            assert_eq!(made.usage().end, made.made_at());
        }
    }

    #[test]
    fn f_19_a_day_begins_at_midnight_and_ends_before_the_next() {
        let fees = day("2025-05-24").unwrap().fees();
        for (moment, inside) in [
            ("2025-05-20T23:59:59.999999Z", false),
            ("2025-05-21T00:00:00Z", true),
            ("2025-05-21T23:59:59.999999Z", true),
            ("2025-05-22T00:00:00Z", false),
        ] {
            assert_eq!(fees.contains(Timestamp::parse(moment).unwrap()), inside, "{moment}");
        }
    }

    #[test]
    fn reports_begin_when_there_is_a_day_to_tell_of() {
        assert_eq!(day("1970-01-03"), None);
        assert_eq!(day("1970-01-04").map(|day| day.fees().start), Some(Timestamp::MIN));
    }

    #[test]
    fn a_period_knows_its_month_and_its_day() {
        let march = Period::Month(BillingMonth::parse("2025-03").unwrap());
        assert_eq!(
            (march.month().to_string(), march.day().to_string()),
            ("2025-03".into(), "2025-04-02".into())
        );
        assert_eq!(march.known_from().to_string(), "2025-04-02T00:00:00Z");
        // The report of the 1st tells of the last day of the month before.
        let first = Period::Day(day("2025-04-01").unwrap());
        assert_eq!(
            (first.month().to_string(), first.known_from().to_string()),
            ("2025-03".into(), "2025-04-01T00:00:00Z".into())
        );
    }
}
