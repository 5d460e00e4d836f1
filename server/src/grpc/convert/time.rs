//! Moments, spans, months and days.

use chrono::NaiveDate;
use souk_core::rejection::{Code, Rejection};
use souk_core::time::{BillingMonth, Timestamp};

use super::{required, required_text};

const SECOND_MICROS: i64 = 1_000_000;
const SECOND_NANOS: i32 = 1_000_000_000;
/// The longest span, by protobuf's definition: about 10,000 years.
const SPAN_SECONDS_MAX: i64 = 315_576_000_000;

/// Reads a moment that must be given.
///
/// # Errors
/// `FIELD_MISSING`, and `FIELD_INVALID` outside of the years 1970 to 9999.
pub fn from_proto_time(time: Option<prost_types::Timestamp>, field: &str) -> Result<Timestamp, Rejection> {
    let time = required(time, field)?;
    let micros = match (0..SECOND_NANOS).contains(&time.nanos) {
        true => {
            time.seconds.checked_mul(SECOND_MICROS).and_then(|m| m.checked_add(i64::from(time.nanos / 1_000)))
        }
        false => None,
    };
    micros.and_then(Timestamp::from_micros).ok_or_else(|| {
        let message = format!(
            "{} s and {} ns is no moment between the years 1970 and 9999, with 0 to 999999999 ns",
            time.seconds, time.nanos
        );
        Rejection::new(Code::FieldInvalid, field, message)
    })
}

/// Reads a moment that may be absent.
///
/// # Errors
/// `FIELD_INVALID` outside of the years 1970 to 9999.
pub fn from_proto_optional_time(
    time: Option<prost_types::Timestamp>,
    field: &str,
) -> Result<Option<Timestamp>, Rejection> {
    time.map(|time| from_proto_time(Some(time), field)).transpose()
}

/// A moment.
pub fn to_proto_time(time: Timestamp) -> prost_types::Timestamp {
    let micros = time.micros();
    // No moment lies before 1970, so that the rest is never negative; it is below a second and fits.
    prost_types::Timestamp { seconds: micros / SECOND_MICROS, nanos: (micros % SECOND_MICROS) as i32 * 1_000 }
}

/// Reads a span in microseconds; it may be negative, which the core refuses where time only goes forward.
///
/// # Errors
/// `FIELD_MISSING`, and `FIELD_INVALID` beyond 10,000 years or with parts of two signs.
pub fn from_proto_span_micros(span: Option<prost_types::Duration>, field: &str) -> Result<i64, Rejection> {
    let span = required(span, field)?;
    let one_sign = span.seconds == 0 || span.nanos == 0 || (span.seconds < 0) == (span.nanos < 0);
    let in_range = (-SPAN_SECONDS_MAX..=SPAN_SECONDS_MAX).contains(&span.seconds)
        && (1 - SECOND_NANOS..SECOND_NANOS).contains(&span.nanos);
    match one_sign && in_range {
        true => Ok(span.seconds * SECOND_MICROS + i64::from(span.nanos / 1_000)),
        false => {
            let message = format!(
                "{} s and {} ns is no span: at most {SPAN_SECONDS_MAX} s and 999999999 ns, both of one sign",
                span.seconds, span.nanos
            );
            Err(Rejection::new(Code::FieldInvalid, field, message))
        }
    }
}

/// A span.
pub fn to_proto_span(micros: i64) -> prost_types::Duration {
    // The rest is below a second and fits.
    let nanos = (micros % SECOND_MICROS) as i32 * 1_000;
    prost_types::Duration { seconds: micros / SECOND_MICROS, nanos }
}

/// Reads a month that must be given, as YYYY-MM.
///
/// # Errors
/// `FIELD_MISSING` and `FIELD_INVALID`.
pub fn from_proto_month(text: &str, field: &str) -> Result<BillingMonth, Rejection> {
    BillingMonth::parse(required_text(text, field)?).ok_or_else(|| {
        let message = format!("\"{text}\" is not a month: give YYYY-MM, such as 2025-06");
        Rejection::new(Code::FieldInvalid, field, message)
    })
}

/// Reads a month that may be absent.
///
/// # Errors
/// `FIELD_INVALID`.
pub fn from_proto_optional_month(text: &str, field: &str) -> Result<Option<BillingMonth>, Rejection> {
    (!text.is_empty()).then(|| from_proto_month(text, field)).transpose()
}

/// Reads a day that may be absent, as YYYY-MM-DD.
///
/// # Errors
/// `FIELD_INVALID`.
pub fn from_proto_optional_date(text: &str, field: &str) -> Result<Option<NaiveDate>, Rejection> {
    (!text.is_empty()).then(|| from_proto_date(text, field)).transpose()
}

/// Reads a day that must be given, as YYYY-MM-DD.
///
/// # Errors
/// `FIELD_MISSING` and `FIELD_INVALID`.
pub fn from_proto_date(text: &str, field: &str) -> Result<NaiveDate, Rejection> {
    let date = NaiveDate::parse_from_str(required_text(text, field)?, "%Y-%m-%d").ok();
    // chrono also reads 2025-1-1, and years that have no moments here.
    let exact = date.filter(|date| to_proto_date(*date) == text && Timestamp::from_date(*date).is_some());
    exact.ok_or_else(|| {
        let message = format!("\"{text}\" is not a day: give YYYY-MM-DD, such as 2025-06-30");
        Rejection::new(Code::FieldInvalid, field, message)
    })
}

/// A day.
pub fn to_proto_date(date: NaiveDate) -> String {
    date.format("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use souk_core::rejection::Code::{FieldInvalid, FieldMissing};

    use super::super::refusal;
    use super::*;

    const YEAR_10000: i64 = 253_402_300_800;

    #[test]
    fn moments_are_truncated_to_microseconds() {
        for (seconds, nanos, micros) in [
            (0, 0, 0),
            (0, 999, 0),
            (1, 1_999, 1_000_001),
            (YEAR_10000 - 1, 999_999_999, 253_402_300_799_999_999),
        ] {
            let time = from_proto_time(Some(prost_types::Timestamp { seconds, nanos }), "timestamp");
            assert_eq!(time.map(Timestamp::micros), Ok(micros), "{seconds} {nanos}");
        }
    }

    #[test]
    fn moments_outside_of_the_calendar_are_refused() {
        assert_eq!(refusal(from_proto_time(None, "timestamp")), Some((FieldMissing, "timestamp".to_owned())));
        assert_eq!(from_proto_optional_time(None, "timestamp"), Ok(None));
        for (seconds, nanos) in
            [(-1, 0), (YEAR_10000, 0), (i64::MAX, 0), (i64::MIN, 0), (0, -1), (0, 1_000_000_000)]
        {
            let time = Some(prost_types::Timestamp { seconds, nanos });
            let refused = Some((FieldInvalid, "timestamp".to_owned()));
            assert_eq!(refusal(from_proto_time(time, "timestamp")), refused, "{seconds} {nanos}");
            assert_eq!(refusal(from_proto_optional_time(time, "timestamp")), refused, "{seconds} {nanos}");
        }
    }

    #[test]
    fn spans_are_truncated_to_microseconds_and_have_one_sign() {
        let limit = SPAN_SECONDS_MAX;
        for (seconds, nanos, micros) in [
            (0, 0, Some(0)),
            (3_600, 0, Some(3_600_000_000)),
            (1, 1_999, Some(1_000_001)),
            (-1, -1_999, Some(-1_000_001)),
            (limit, 0, Some(limit * SECOND_MICROS)),
            (limit + 1, 0, None),
            (-limit - 1, 0, None),
            (1, -1, None),
            (-1, 1, None),
            (0, 1_000_000_000, None),
        ] {
            let span = from_proto_span_micros(Some(prost_types::Duration { seconds, nanos }), "by");
            match micros {
                Some(micros) => assert_eq!(span, Ok(micros), "{seconds} {nanos}"),
                None => assert_eq!(refusal(span), Some((FieldInvalid, "by".to_owned())), "{seconds} {nanos}"),
            }
        }
        assert_eq!(refusal(from_proto_span_micros(None, "by")), Some((FieldMissing, "by".to_owned())));
    }

    #[test]
    fn months_and_days_have_one_form() {
        assert_eq!(from_proto_month("2025-06", "month").map(|m| m.to_string()), Ok("2025-06".to_owned()));
        assert_eq!(from_proto_optional_month("", "month"), Ok(None));
        assert_eq!(from_proto_date("2024-02-29", "day").map(to_proto_date), Ok("2024-02-29".to_owned()));
        assert_eq!(from_proto_optional_date("", "day"), Ok(None));
        for (text, code) in
            [("", FieldMissing), ("2025", FieldInvalid), ("2025-13", FieldInvalid), ("1969-12", FieldInvalid)]
        {
            assert_eq!(refusal(from_proto_month(text, "month")), Some((code, "month".to_owned())), "{text}");
        }
        for text in
            ["2025-06", "2025-6-1", "2025-02-29", "1969-12-31", "+2025-01-01", "2025-06-01 ", "01-06-2025"]
        {
            let refused = refusal(from_proto_optional_date(text, "day"));
            assert_eq!(refused, Some((FieldInvalid, "day".to_owned())), "{text}");
        }
    }

    proptest! {
        #[test]
        fn moments_come_back_as_they_went_out(micros in 0..=Timestamp::MAX.micros()) {
            let time = Timestamp::from_micros(micros).unwrap();
            prop_assert_eq!(from_proto_time(Some(to_proto_time(time)), "time"), Ok(time));
        }
    }
}
