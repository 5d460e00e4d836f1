//! Timestamps and durations as documents write them: RFC 3339, seconds (`3600s`), ISO 8601 (`PT1H`).

use prost_reflect::prost_types::{Duration, Timestamp};

const NANOS_PER_SECOND: i128 = 1_000_000_000;
/// 0001-01-01T00:00:00Z, the first moment of a protobuf timestamp.
const TIMESTAMP_SECONDS_MIN: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z, the last second of one.
const TIMESTAMP_SECONDS_MAX: i64 = 253_402_300_799;
/// The longest protobuf duration, about 10,000 years.
const DURATION_SECONDS_MAX: i128 = 315_576_000_000;

/// Reads an RFC 3339 timestamp with any offset and up to nine decimals of a second.
pub(super) fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let mut rest = text;
    let year = i64::from(digits(&mut rest, 4)?);
    let month = short(symbol(&mut rest, '-').and_then(|()| digits(&mut rest, 2))?)?;
    let day = short(symbol(&mut rest, '-').and_then(|()| digits(&mut rest, 2))?)?;
    rest = rest.strip_prefix(['T', 't'])?;
    let hour = short(digits(&mut rest, 2)?)?;
    let minute = short(symbol(&mut rest, ':').and_then(|()| digits(&mut rest, 2))?)?;
    let second = short(symbol(&mut rest, ':').and_then(|()| digits(&mut rest, 2))?)?;
    let nanos = fraction(&mut rest)?;
    let offset_seconds = offset(rest)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let local = Timestamp::date_time_nanos(year, month, day, hour, minute, second, nanos).ok()?;
    let seconds = local.seconds.checked_sub(offset_seconds)?;
    (TIMESTAMP_SECONDS_MIN..=TIMESTAMP_SECONDS_MAX)
        .contains(&seconds)
        .then_some(Timestamp { seconds, nanos: local.nanos })
}

/// Writes a timestamp in UTC.
pub(super) fn format_timestamp(timestamp: &Timestamp) -> String {
    timestamp.to_string()
}

/// Reads a duration: seconds with up to nine decimals and an `s`, or weeks, days, hours, minutes and seconds of
/// ISO 8601. Months and years have no fixed length and are refused.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    let (sign, magnitude) = match text.strip_prefix('-') {
        Some(magnitude) => (-1, magnitude),
        None => (1, text),
    };
    let nanos = match magnitude.strip_prefix('P') {
        Some(designated) => designated_nanos(designated)?,
        None => seconds_nanos(magnitude.strip_suffix('s')?)?,
    };
    if nanos > DURATION_SECONDS_MAX * NANOS_PER_SECOND {
        return None;
    }
    let nanos = sign * nanos;
    Some(Duration {
        seconds: i64::try_from(nanos / NANOS_PER_SECOND).ok()?,
        nanos: i32::try_from(nanos % NANOS_PER_SECOND).ok()?,
    })
}

/// Writes a duration as seconds.
pub(super) fn format_duration(duration: &Duration) -> String {
    let nanos = i128::from(duration.seconds) * NANOS_PER_SECOND + i128::from(duration.nanos);
    let sign = if nanos < 0 { "-" } else { "" };
    let (seconds, nanos) = (nanos.abs() / NANOS_PER_SECOND, nanos.abs() % NANOS_PER_SECOND);
    if nanos == 0 {
        return format!("{sign}{seconds}s");
    }
    format!("{sign}{seconds}.{}s", format!("{nanos:09}").trim_end_matches('0'))
}

/// `1DT2H3M4.5S`, without the leading `P`: each unit at most once, the largest first.
fn designated_nanos(text: &str) -> Option<i128> {
    let (days, times) = match text.split_once('T') {
        Some((_, "")) => return None,
        Some((days, times)) => (days, times),
        None => (text, ""),
    };
    if days.is_empty() && times.is_empty() {
        return None;
    }
    let mut nanos = 0_i128;
    for (mut rest, units) in [
        (days, [('W', 604_800), ('D', 86_400)].as_slice()),
        (times, [('H', 3_600), ('M', 60), ('S', 1)].as_slice()),
    ] {
        let mut units = units.iter();
        while !rest.is_empty() {
            let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
            let (number, designated) = rest.split_at(end);
            let letter = designated.chars().next()?;
            let (_, seconds) = units.find(|(unit, _)| *unit == letter)?;
            let fractional = number.contains('.');
            if fractional && letter != 'S' {
                return None;
            }
            nanos = nanos.checked_add(seconds_nanos(number)?.checked_mul(*seconds)?)?;
            rest = &designated[letter.len_utf8()..];
        }
    }
    Some(nanos)
}

/// Seconds with up to nine decimals, in nanoseconds.
fn seconds_nanos(text: &str) -> Option<i128> {
    let whole = text.split('.').next()?;
    if whole.is_empty() || !whole.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut rest = &text[whole.len()..];
    let nanos = fraction(&mut rest)?;
    let seconds: i128 = whole.parse().ok()?;
    rest.is_empty().then_some(())?;
    seconds.checked_mul(NANOS_PER_SECOND)?.checked_add(i128::from(nanos))
}

/// Takes exactly so many digits from the front.
fn digits(rest: &mut &str, count: usize) -> Option<u32> {
    let number = rest.get(..count).filter(|number| number.bytes().all(|b| b.is_ascii_digit()))?;
    *rest = &rest[count..];
    number.parse().ok()
}

fn symbol(rest: &mut &str, expected: char) -> Option<()> {
    *rest = rest.strip_prefix(expected)?;
    Some(())
}

fn short(number: u32) -> Option<u8> {
    u8::try_from(number).ok()
}

/// Takes a point and one to nine decimals from the front, if there is a point.
fn fraction(rest: &mut &str) -> Option<u32> {
    let Some(decimals) = rest.strip_prefix('.') else { return Some(0) };
    let count = decimals.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=9).contains(&count) {
        return None;
    }
    let nanos: u32 = format!("{:0<9}", &decimals[..count]).parse().ok()?;
    *rest = &decimals[count..];
    Some(nanos)
}

/// `Z`, `+01:00`, `-09:30`: how far the local time is ahead, in seconds.
fn offset(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let mut rest = &text[1..];
    let hours = digits(&mut rest, 2).filter(|hours| *hours < 24)?;
    symbol(&mut rest, ':')?;
    let minutes = digits(&mut rest, 2).filter(|minutes| *minutes < 60)?;
    rest.is_empty().then_some(sign * i64::from(hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn timestamps_are_read_as_rfc_3339_writes_them() {
        let rows = [
            ("1970-01-01T00:00:00Z", Some((0, 0))),
            ("2013-01-01T00:00:00Z", Some((1_356_998_400, 0))),
            ("2013-01-01t00:00:00z", Some((1_356_998_400, 0))),
            ("2013-01-01T01:00:00+01:00", Some((1_356_998_400, 0))),
            ("2012-12-31T14:30:00-09:30", Some((1_356_998_400, 0))),
            ("2013-01-01T00:00:00.5Z", Some((1_356_998_400, 500_000_000))),
            ("2013-01-01T00:00:00.000000001Z", Some((1_356_998_400, 1))),
            ("1969-12-31T23:59:59.25Z", Some((-1, 250_000_000))),
            ("2012-02-29T00:00:00Z", Some((1_330_473_600, 0))),
            ("0001-01-01T00:00:00Z", Some((TIMESTAMP_SECONDS_MIN, 0))),
            ("9999-12-31T23:59:59.999999999Z", Some((TIMESTAMP_SECONDS_MAX, 999_999_999))),
            ("0001-01-01T00:00:00+00:01", None),
            ("9999-12-31T23:59:59-00:01", None),
            ("2013-02-29T00:00:00Z", None),
            ("2013-13-01T00:00:00Z", None),
            ("2013-01-01T24:00:00Z", None),
            ("2013-01-01T00:60:00Z", None),
            ("2013-01-01T00:00:60Z", None),
            ("2013-01-01T00:00:00.1234567890Z", None),
            ("2013-01-01T00:00:00.Z", None),
            ("2013-01-01T00:00:00", None),
            ("2013-01-01T00:00:00+0100", None),
            ("2013-01-01T00:00:00+24:00", None),
            ("2013-01-01T00:00:00ZZ", None),
            ("2013-01-01 00:00:00Z", None),
            ("2013-01-01", None),
            ("13-01-01T00:00:00Z", None),
            ("２013-01-01T00:00:00Z", None),
            ("", None),
        ];
        for (text, expected) in rows {
            let read = parse_timestamp(text).map(|timestamp| (timestamp.seconds, timestamp.nanos));
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn durations_are_read_as_seconds_or_as_iso_8601_writes_them() {
        let rows = [
            ("3600s", Some((3_600, 0))),
            ("0s", Some((0, 0))),
            ("1.5s", Some((1, 500_000_000))),
            ("-1.5s", Some((-1, -500_000_000))),
            ("PT1H", Some((3_600, 0))),
            ("PT1H30M", Some((5_400, 0))),
            ("P1DT1S", Some((86_401, 0))),
            ("P2W", Some((1_209_600, 0))),
            ("PT0.25S", Some((0, 250_000_000))),
            ("-PT1M", Some((-60, 0))),
            ("315576000000s", Some((315_576_000_000, 0))),
            ("315576000001s", None),
            ("99999999999999999999999999999999999999999s", None),
            ("P12M", None),
            ("P1Y", None),
            ("PT", None),
            ("P", None),
            ("P1DT", None),
            ("P1H", None),
            ("PT1M1H", None),
            ("PT1.5H", None),
            ("PT.5S", None),
            ("3600", None),
            ("1h", None),
            (".5s", None),
            ("1.s", None),
            ("--1s", None),
            ("", None),
        ];
        for (text, expected) in rows {
            let read = parse_duration(text).map(|duration| (duration.seconds, duration.nanos));
            assert_eq!(read, expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_written_timestamp_is_read_again(
            seconds in TIMESTAMP_SECONDS_MIN..=TIMESTAMP_SECONDS_MAX,
            nanos in prop_oneof![Just(0), 0..1_000_000_000],
        ) {
            let timestamp = Timestamp { seconds, nanos };
            prop_assert_eq!(parse_timestamp(&format_timestamp(&timestamp)), Some(timestamp));
        }

        #[test]
        fn a_written_duration_is_read_again(
            seconds in -315_576_000_000_i64..315_576_000_000,
            nanos in prop_oneof![Just(0), 0..1_000_000_000],
        ) {
            let duration = Duration { seconds, nanos: if seconds < 0 { -nanos } else { nanos } };
            prop_assert_eq!(parse_duration(&format_duration(&duration)), Some(duration));
        }
    }
}
