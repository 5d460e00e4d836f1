//! Times and durations as people write them.
//!
//! Times are written in UTC, as RFC 3339 says, and read as that, as a day (`2026-03-01`, its first moment) or
//! as an hour (`2026-03-01T06`). Durations are read as ISO 8601 writes them (`PT1H`, `P1DT12H`) or short
//! (`1d`, `1d12h`, `90s`); months and years have no fixed length and are refused.

use std::time::Duration;

use chrono::{DateTime, NaiveDate};
use prost_types::Timestamp;

/// A clock is not turned further in one go: ten years.
const SECONDS_MAX: u64 = 10 * 366 * 86_400;

/// Writes a time; nothing when there is none.
pub fn show(time: Option<&Timestamp>) -> String {
    time.map(Timestamp::to_string).unwrap_or_default()
}

/// Reads a time.
pub fn parse(text: &str) -> Result<Timestamp, String> {
    let seconds_and_nanos = if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        Some((time.timestamp(), time.timestamp_subsec_nanos()))
    } else {
        day_and_hour(text).map(|seconds| (seconds, 0))
    };
    let Some((seconds, nanos)) = seconds_and_nanos else {
        return Err("a time looks like 2026-03-01T06:00:00Z, 2026-03-01T06 or 2026-03-01".to_owned());
    };
    let nanos = i32::try_from(nanos).map_err(|_| "the fraction of the second is too long".to_owned())?;
    Ok(Timestamp { seconds, nanos })
}

/// Reads `2026-03-01` or `2026-03-01T06` as seconds since 1970.
fn day_and_hour(text: &str) -> Option<i64> {
    let (day, hour) = match text.split_once('T') {
        Some((day, hour)) => (day, digits(hour, 2)?),
        None => (text, 0),
    };
    let mut parts = day.split('-');
    let (year, month, day) =
        (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    if parts.next().is_some() {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    Some(date.and_hms_opt(hour, 0, 0)?.and_utc().timestamp())
}

/// Reads so many digits.
fn digits(text: &str, count: usize) -> Option<u32> {
    let right = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if right { text.parse().ok() } else { None }
}

/// Reads a month: YYYY-MM.
pub fn parse_month(text: &str) -> Result<String, String> {
    let is_month = text.len() == 7 && day_and_hour(&format!("{text}-01")).is_some();
    if is_month { Ok(text.to_owned()) } else { Err("a month looks like 2026-03".to_owned()) }
}

/// Reads a date: YYYY-MM-DD.
pub fn parse_date(text: &str) -> Result<String, String> {
    let is_date = text.len() == 10 && day_and_hour(text).is_some();
    if is_date { Ok(text.to_owned()) } else { Err("a date looks like 2026-03-01".to_owned()) }
}

/// Reads a duration to turn a clock by.
pub fn parse_duration(text: &str) -> Result<prost_types::Duration, String> {
    let seconds = parse_seconds(text)?;
    let seconds = i64::try_from(seconds).map_err(|_| "too long".to_owned())?;
    Ok(prost_types::Duration { seconds, nanos: 0 })
}

/// Reads a deadline: a duration of at least a second.
pub fn parse_deadline(text: &str) -> Result<Duration, String> {
    match parse_seconds(text)? {
        0 => Err("at least 1s".to_owned()),
        seconds => Ok(Duration::from_secs(seconds)),
    }
}

fn parse_seconds(text: &str) -> Result<u64, String> {
    const SHAPE: &str = "a duration looks like PT1H, P1DT12H, 1d, 12h, 30m or 90s";
    let iso = text.strip_prefix(['P', 'p']);
    let rest = iso.unwrap_or(text);
    let (days, times) = match rest.split_once(['T', 't']) {
        Some((_, "")) => return Err(SHAPE.to_owned()),
        Some((days, times)) if iso.is_some() => (days, times),
        Some(_) => return Err(SHAPE.to_owned()),
        // Only the long form parts days from hours.
        None if iso.is_some() => (rest, ""),
        None => ("", rest),
    };
    let short_only_units = if iso.is_some() { "" } else { "dw" };
    let mut total = 0_u64;
    let mut seen = false;
    for (part, units) in [(days, "wd"), (times, "hms")] {
        let mut number = String::new();
        for letter in part.chars().map(|letter| letter.to_ascii_lowercase()) {
            if letter.is_ascii_digit() {
                number.push(letter);
                continue;
            }
            if letter == 'y' || (letter == 'm' && units == "wd") {
                return Err("months and years have no fixed length; name the time to turn to".to_owned());
            }
            let known = units.contains(letter) || (units == "hms" && short_only_units.contains(letter));
            let seconds = match letter {
                'w' if known => 7 * 86_400,
                'd' if known => 86_400,
                'h' if known => 3_600,
                'm' if known => 60,
                's' if known => 1,
                _ => return Err(SHAPE.to_owned()),
            };
            let count: u64 = number.parse().map_err(|_| SHAPE.to_owned())?;
            number.clear();
            let added = count.checked_mul(seconds).and_then(|added| total.checked_add(added));
            total = added.filter(|total| *total <= SECONDS_MAX).ok_or("at most ten years")?;
            seen = true;
        }
        if !number.is_empty() {
            return Err(SHAPE.to_owned());
        }
    }
    if seen { Ok(total) } else { Err(SHAPE.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_three_forms() {
        let table = [
            ("2026-03-01T06:30:00Z", Some("2026-03-01T06:30:00Z")),
            ("2026-03-01T06:30:00.250Z", Some("2026-03-01T06:30:00.250Z")),
            ("2026-03-01T06:30:00+02:00", Some("2026-03-01T04:30:00Z")),
            ("2026-03-01", Some("2026-03-01T00:00:00Z")),
            ("2026-03-01T06", Some("2026-03-01T06:00:00Z")),
            ("2024-02-29T23", Some("2024-02-29T23:00:00Z")),
            ("2026-02-29", None),
            ("2026-03-01T24", None),
            ("2026-03-01T6", None),
            ("2026-3-1", None),
            ("2026-03-01-01", None),
            ("2026-03-01T06:30", None),
            ("2026-03-01T06:30:00", None),
            ("+026-03-01", None),
            ("today", None),
            ("", None),
        ];
        for (text, expected) in table {
            let shown = parse(text).ok().map(|time| show(Some(&time)));
            assert_eq!(shown.as_deref(), expected, "{text}");
        }
        assert_eq!(show(None), "");
    }

    #[test]
    fn months_are_read() {
        for (text, right) in [("2026-01", true), ("2026-12", true), ("2026-13", false), ("2026-1", false)] {
            assert_eq!(parse_month(text).is_ok(), right, "{text}");
        }
    }

    #[test]
    fn dates_are_read() {
        for (text, right) in [
            ("2026-03-01", true),
            ("2024-02-29", true),
            ("2026-02-29", false),
            ("2026-3-1", false),
            ("2026-03", false),
            ("2026-03-01T06", false),
        ] {
            assert_eq!(parse_date(text).is_ok(), right, "{text}");
        }
    }

    #[test]
    fn durations_are_read_long_and_short() {
        let table = [
            ("PT1H", Some(3_600)),
            ("P1D", Some(86_400)),
            ("P1DT12H", Some(129_600)),
            ("P2W", Some(1_209_600)),
            ("PT1H30M15S", Some(5_415)),
            ("pt5m", Some(300)),
            ("1d", Some(86_400)),
            ("1d12h", Some(129_600)),
            ("2w", Some(1_209_600)),
            ("30m", Some(1_800)),
            ("90s", Some(90)),
            ("PT0S", Some(0)),
            ("P1M", None),
            ("P1Y", None),
            ("P1H", None),
            ("PT1D", None),
            ("P1DT", None),
            ("PT", None),
            ("P", None),
            ("1", None),
            ("h", None),
            ("1.5h", None),
            ("-1h", None),
            ("1dT1h", None),
            ("99999w", None),
            ("18446744073709551615h", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse_seconds(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_month_as_a_duration_is_refused_with_a_way_out() {
        assert_eq!(
            parse_duration("P1M").unwrap_err(),
            "months and years have no fixed length; name the time to turn to"
        );
        assert!(parse_deadline("0s").is_err());
    }
}
