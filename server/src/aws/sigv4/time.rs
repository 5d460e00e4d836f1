//! The forms of time that signatures use.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike, Utc};
use souk_core::time::Timestamp;

const BASIC: &str = "%Y%m%dT%H%M%SZ";
const BASIC_LENGTH: usize = "20150830T123600Z".len();

/// `20150830T123600Z`.
pub(super) fn basic(time: Timestamp) -> String {
    let time = to_chrono(time);
    // Field by field: a pattern would be read anew for every request.
    format!("{}T{:02}{:02}{:02}Z", date(time), time.hour(), time.minute(), time.second())
}

/// `20150830`.
pub(super) fn basic_date(time: Timestamp) -> String {
    date(to_chrono(time))
}

fn date(time: DateTime<Utc>) -> String {
    format!("{:04}{:02}{:02}", time.year(), time.month(), time.day())
}

/// Reads the basic form; of the `Date` header also HTTP's.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let is_basic = text.len() == BASIC_LENGTH && text.starts_with(|first: char| first.is_ascii_digit());
    let time = if is_basic {
        // Whatever else the pattern takes, as a leap second.
        let other = || NaiveDateTime::parse_from_str(text, BASIC).ok();
        basic_fields(text.as_bytes()).or_else(other)?.and_utc()
    } else {
        DateTime::parse_from_rfc2822(text).ok()?.to_utc()
    };
    Timestamp::from_micros(time.timestamp_micros())
}

/// The fields of a text in the basic form; digit by digit, as a pattern would be read anew for every request.
fn basic_fields(text: &[u8]) -> Option<NaiveDateTime> {
    let number = |range: std::ops::Range<usize>| {
        text.get(range)?.iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
        })
    };
    let marked = text.get(8) == Some(&b'T') && text.get(15) == Some(&b'Z');
    let year = i32::try_from(number(0..4)?).ok().filter(|_| marked)?;
    let date = NaiveDate::from_ymd_opt(year, number(4..6)?, number(6..8)?)?;
    date.and_hms_opt(number(9..11)?, number(11..13)?, number(13..15)?)
}

fn to_chrono(time: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(time.micros()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_one_is_written() {
        let time = Timestamp::parse("2015-08-30T12:36:00Z").unwrap();
        for text in ["20150830T123600Z", " 20150830T123600Z ", "Sun, 30 Aug 2015 12:36:00 GMT"] {
            assert_eq!(parse(text), Some(time), "{text}");
        }
        assert_eq!(parse("20161231T235960Z"), Timestamp::parse("2017-01-01T00:00:00Z"));
        assert_eq!(basic(time), "20150830T123600Z");
        assert_eq!(basic_date(time), "20150830");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "20150830",
            "20150830T123600",
            "20151330T123600Z",
            "19691231T235959Z",
            "+0150830T123600Z",
            "now",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
