//! Numbers as decimal text: no quantity passes through binary floating point.

use std::borrow::Cow;

/// Exponents beyond this are cut to it: a body is too short for digits that would bring them back.
const EXPONENT_MAX: i64 = 100_000_000;

/// A number in JSON's grammar, exactly as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number<'a>(Cow<'a, str>);

impl<'a> Number<'a> {
    /// From text in JSON's grammar: `-1`, `0.5`, `1.5e3`; no `+1`, no `01`, no `.5`.
    pub fn parse(text: impl Into<Cow<'a, str>>) -> Option<Number<'a>> {
        let text = text.into();
        (scan(text.as_bytes())? == text.len()).then_some(Number(text))
    }

    /// A whole number where the API has doubles: `25.0`, which SDKs that tell the two apart read as a double.
    pub fn double(whole: i64) -> Number<'static> {
        Number(Cow::Owned(format!("{whole}.0")))
    }

    /// From text that [`scan`] has measured.
    pub(super) fn scanned(text: &'a str) -> Number<'a> {
        Number(Cow::Borrowed(text))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The whole number it equals, if it is one (`5`, `5.0` and `5e0` are).
    pub fn to_integer(&self) -> Option<i128> {
        match self.scaled(0)? {
            (whole, true) => Some(whole),
            (_, false) => None,
        }
    }

    /// As microseconds, where it counts seconds; what is finer than a microsecond is cut off downwards.
    pub fn seconds_to_micros(&self) -> Option<i64> {
        let (micros, _) = self.scaled(6)?;
        i64::try_from(micros).ok()
    }

    /// The same number, borrowing nothing.
    pub fn into_owned(self) -> Number<'static> {
        Number(Cow::Owned(self.0.into_owned()))
    }

    /// The number times 10^`places`, rounded down, and whether that is exact; nothing beyond i128.
    fn scaled(&self, places: u32) -> Option<(i128, bool)> {
        // Nearly every number is short and whole.
        if let Ok(whole) = self.0.parse::<i64>() {
            return Some((i128::from(whole).checked_mul(10i128.checked_pow(places)?)?, true));
        }
        let (negative, rest) = match self.0.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, &*self.0),
        };
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = || whole.bytes().chain(fraction.bytes()).skip_while(|digit| *digit == b'0');
        let count = digits().count();
        if count == 0 {
            return Some((0, true));
        }
        let shift = read_exponent(exponent) - i64::try_from(fraction.len()).ok()? + i64::from(places);
        let dropped = usize::try_from(-shift).unwrap_or(0).min(count);
        let mut value: i128 = 0;
        for digit in digits().take(count - dropped) {
            value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
        }
        let exact = digits().skip(count - dropped).all(|digit| digit == b'0');
        for _ in 0..shift.max(0) {
            value = value.checked_mul(10)?;
        }
        Some(match (negative, exact) {
            (false, exact) => (value, exact),
            (true, true) => (-value, true),
            (true, false) => (-value - 1, false),
        })
    }
}

impl From<i64> for Number<'_> {
    fn from(integer: i64) -> Self {
        Number(Cow::Owned(integer.to_string()))
    }
}

impl From<i128> for Number<'_> {
    fn from(integer: i128) -> Self {
        Number(Cow::Owned(integer.to_string()))
    }
}

fn read_exponent(text: &str) -> i64 {
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let size = digits
        .iter()
        .fold(0i64, |size, digit| (size * 10 + i64::from(digit.wrapping_sub(b'0'))).min(EXPONENT_MAX));
    if negative { -size } else { size }
}

/// How many bytes at the start of `bytes` are one number in JSON's grammar.
pub(super) fn scan(bytes: &[u8]) -> Option<usize> {
    let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    at += match digits(at) {
        0 => return None,
        count if count > 1 && bytes.get(at) == Some(&b'0') => return None,
        count => count,
    };
    if bytes.get(at) == Some(&b'.') {
        match digits(at + 1) {
            0 => return None,
            count => at += 1 + count,
        }
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        match digits(at + 1 + sign) {
            0 => return None,
            count => at += 1 + sign + count,
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number<'_> {
        Number::parse(text).unwrap()
    }

    #[test]
    fn only_json_s_grammar_is_a_number() {
        for text in ["0", "-0", "10", "0.5", "1e3", "1E+3", "1.50e-3", "123456789012345678901234567890"] {
            assert_eq!(number(text).as_str(), text);
        }
        for text in ["", "-", "+1", "01", "-01", ".5", "1.", "1e", "1e+", "NaN", "0x1", "1 ", "1_0", "٣"] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    #[test]
    fn whole_numbers_are_whole_however_they_are_written() {
        let rows = [
            ("5", Some(5)),
            ("-5", Some(-5)),
            ("5.0", Some(5)),
            ("5e0", Some(5)),
            ("0.5e1", Some(5)),
            ("500e-2", Some(5)),
            ("0e999999999999999999999", Some(0)),
            ("-0", Some(0)),
            ("5.5", None),
            ("1e-99999999999999999999", None),
            ("1e38", Some(10i128.pow(38))),
            ("1e39", None),
            ("1e99999999999999999999", None),
            ("170141183460469231731687303715884105727", Some(i128::MAX)),
            ("170141183460469231731687303715884105728", None),
        ];
        for (text, expected) in rows {
            assert_eq!(number(text).to_integer(), expected, "{text}");
        }
    }

    #[test]
    fn seconds_are_cut_to_the_microsecond_downwards() {
        let rows = [
            ("1793536496", Some(1_793_536_496_000_000)),
            ("1793536496.789", Some(1_793_536_496_789_000)),
            ("1793536496.123456789", Some(1_793_536_496_123_456)),
            ("1.793536496789E9", Some(1_793_536_496_789_000)),
            ("0.0000009", Some(0)),
            ("-0.0000001", Some(-1)),
            ("-1.5", Some(-1_500_000)),
            ("9223372036854.775807", Some(i64::MAX)),
            ("9223372036854.775808", None),
            ("1e300", None),
        ];
        for (text, expected) in rows {
            assert_eq!(number(text).seconds_to_micros(), expected, "{text}");
        }
    }
}
